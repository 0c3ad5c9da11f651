"""The class-conditional Gaussian generator: what it estimates, and that it draws from it."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.estimators.class_gaussian import ClassGaussian
from synthmix.support.errors import BadInput

P = 6


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    """300 samples of the classes 2, 5 and 9, as bytes; the third feature is constant."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([9, 2, 5], 100))
    X = rng.normal(100 + y[:, None] * np.arange(P), np.arange(1, P + 1), (300, P)).round().astype(np.uint8)
    X[:, 2] = 7
    return X, y


@pytest.mark.parametrize("per_class", [None, 100, 40, P, 4, 1])
def test_it_estimates_from_the_first_samples_of_every_class(data, per_class):
    X, y = data
    fit = ClassGaussian.fit(X, y, per_class)
    assert list(fit.labels) == [2, 5, 9]
    for i, label in enumerate(fit.labels):
        samples = X[y == label][:per_class].astype(float)
        np.testing.assert_allclose(fit.means[i], samples.mean(axis=0))
        np.testing.assert_allclose(fit.covariance(i), np.cov(samples.T, bias=True), atol=1e-10)
        assert fit.roots[i].shape == (min(len(samples), P - 1) if len(samples) > 1 else 0, P)


@pytest.mark.parametrize("per_class", [None, 4])
def test_it_draws_what_it_estimated(data, per_class):
    fit, count = ClassGaussian.fit(*data, per_class), 40_000
    X, y = fit.sample(np.random.default_rng(1), count)
    assert X.shape == (3 * count, P) and np.all(X[:, 2] == 7)
    for i, label in enumerate(fit.labels):
        drawn, C = X[y == label], fit.covariance(i)
        variances = np.diag(C)
        assert np.all(np.abs(drawn.mean(axis=0) - fit.means[i]) <= 5 * np.sqrt(variances / count))
        errors = np.sqrt((C**2 + np.outer(variances, variances)) / count)
        assert np.all(np.abs(np.cov(drawn.T) - C) <= 5 * errors)


def test_the_identity_covariance_keeps_the_means(data):
    fit, full = ClassGaussian.fit(*data, identity=True), ClassGaussian.fit(*data)
    np.testing.assert_array_equal(fit.means, full.means)
    np.testing.assert_array_equal(fit.covariance(1), np.eye(P))
    X, y = fit.sample(np.random.default_rng(1), 20_000)
    np.testing.assert_allclose(np.cov((X - np.repeat(fit.means, 20_000, axis=0)).T), np.eye(P), atol=5 * np.sqrt(2 / 60_000))
    assert list(np.unique(y, return_counts=True)[1]) == [20_000] * 3


def test_nothing_is_clipped_and_a_seed_draws_the_same(data):
    fit = ClassGaussian(np.array([0]), np.zeros((1, 2)), (np.eye(2),))
    X, _ = fit.sample(np.random.default_rng(3), 50)
    assert X.min() < 0
    np.testing.assert_array_equal(X, fit.sample(np.random.default_rng(3), 50)[0])
    assert fit.sample(np.random.default_rng(3), 0)[0].shape == (0, 2)


@pytest.mark.parametrize(
    "bad",
    [
        lambda X, y: ClassGaussian.fit(X, y, 101),
        lambda X, y: ClassGaussian.fit(X, y, 0),
        lambda X, y: ClassGaussian.fit(X.reshape(300, 2, 3), y),
        lambda X, y: ClassGaussian.fit(X, y[:-1]),
        lambda X, y: ClassGaussian.fit(X[:0], y[:0]),
    ],
)
def test_bad_input_is_refused_in_one_line(data, bad):
    with pytest.raises(BadInput) as refused:
        bad(*data)
    assert "\n" not in str(refused.value)
