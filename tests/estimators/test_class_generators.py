"""Generators that are not Gaussian: what they draw is what they were fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.estimators.class_generators import ClassCopulas, ClassInterpolation, ClassMixtures


def two_classes(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Skewed features that depend on each other, one of them constant in each class."""
    rng = np.random.default_rng(0)
    y = np.repeat([3, 8], count)
    common = rng.standard_normal((2 * count, 1))
    X = np.exp(0.5 * (common + rng.standard_normal((2 * count, 4)))) + y[:, None]
    X[:, 3] = y
    return X, y


@pytest.mark.parametrize("kind", [ClassMixtures, ClassCopulas, ClassInterpolation])
def test_means_and_spreads_are_those_of_the_samples(kind):
    if kind is ClassInterpolation:
        pytest.importorskip("imblearn")
    X, y = two_classes()
    fitted = kind.fit(X, y, 0)
    fresh, labels = fitted.sample(np.random.default_rng(1), 20_000)
    assert fresh.shape == (40_000, 4) and np.array_equal(np.bincount(labels), np.bincount(np.repeat([3, 8], 20_000)))
    for label in (3, 8):
        own, drawn = X[y == label], fresh[labels == label]
        np.testing.assert_allclose(drawn.mean(axis=0), own.mean(axis=0), rtol=0.02)
        ratio = drawn[:, :3].std(axis=0) / own[:, :3].std(axis=0)
        assert np.all(ratio < 1.05) and np.all(ratio > (0.7 if kind is ClassInterpolation else 0.95))
        np.testing.assert_allclose(drawn[:, 3], label, atol=0.02)
    again, _ = fitted.sample(np.random.default_rng(1), 20_000)
    assert np.array_equal(fresh, again)


def test_a_copula_keeps_values_and_correlations():
    X, y = two_classes()
    fresh, labels = ClassCopulas.fit(X, y).sample(np.random.default_rng(2), 20_000)
    own, drawn = X[y == 3][:, :3], fresh[labels == 3][:, :3]
    assert set(drawn[:, 0]) <= set(own[:, 0])
    np.testing.assert_allclose(np.corrcoef(np.log(drawn - 3).T), np.corrcoef(np.log(own - 3).T), atol=0.03)
    assert abs(np.corrcoef(own.T)[0, 1]) > 0.3  # independent features would fail


def test_interpolated_points_lie_between_neighbours_of_their_class():
    pytest.importorskip("imblearn")
    X = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    y = np.repeat([0, 1], 3)
    fresh, labels = ClassInterpolation(X, y, neighbours=2).sample(np.random.default_rng(0), 500)
    assert np.all((fresh[labels == 0] >= 0) & (fresh[labels == 0] <= 2)) and np.all(fresh[labels == 1] >= 10)
