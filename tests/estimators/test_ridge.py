"""The one ridge: against least squares; it sees neither unit, origin, order nor axes of the features, and rounding does not choose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import rotation

from synthmix.estimators.candidates import ALPHAS, Candidates, mean_scatter, preferred
from synthmix.estimators.leave_one_out import RidgeMix
from synthmix.estimators.mix_ridge import SyntheticMixRidge
from synthmix.estimators.ridge import Moments, ridge
from synthmix.estimators.ridge_path import DualPath, PrimalPath
from synthmix.estimators.self_fitted import kept_labels, self_fitted_leave_one_out
from synthmix.support.errors import BadInput, NotConverged

GRAIN = 2.0**-20  # samples are multiples of it, so that 2^20 = 1e6 can be added without rounding them
FAR = 2.0**20


def samples(rng: np.random.Generator, count: int, p: int, L: int, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """`count` samples of L classes, every class at least twice, with unequal variances."""
    y = rng.permutation(np.arange(count) % L)
    X = rng.standard_normal((count, p)) * np.linspace(0.5, 2, p) + apart * rng.standard_normal((L, p))[y] / np.sqrt(p)
    return np.round(X / GRAIN) * GRAIN, y


def by_least_squares(X, codes, classes, alpha, weights, fresh, intercept) -> np.ndarray:
    """Scores of the fresh samples by an augmented least-squares problem in which the intercept is a column that costs nothing."""
    ones, p = np.full((len(X), 1), float(intercept)), X.shape[1]
    roots = np.sqrt(weights)[:, None]
    rows = np.vstack([roots * np.hstack([X, ones]), np.hstack([np.sqrt(alpha) * np.eye(p), np.zeros((p, 1))])])
    W = np.linalg.lstsq(rows, np.vstack([roots * np.eye(classes)[codes], np.zeros((p, classes))]), rcond=None)[0]
    return np.hstack([fresh, np.full((len(fresh), 1), float(intercept))]) @ W


shapes = st.tuples(st.integers(8, 40), st.integers(1, 60), st.integers(2, 4))


@given(st.integers(0, 10**6), shapes, st.floats(-3, 3), st.booleans())
def test_it_is_least_squares(seed, shape, log_alpha, intercept):
    rng, (k, p, L), alpha = np.random.default_rng(seed), shape, 10.0**log_alpha
    (X, codes), (fresh, _) = samples(rng, k, p, L), samples(rng, 5, p, 2)
    weights = rng.uniform(0, 3, k)
    weights[0] = 0.0
    expected = by_least_squares(X, codes, L, alpha, weights, fresh, intercept)
    found = ridge(X, codes, L, alpha, weights, intercept=intercept)
    np.testing.assert_allclose(found.scores(fresh), expected, atol=1e-9)
    np.testing.assert_allclose(fresh @ found.weights + found.intercepts, expected, atol=1e-9)
    paths = (PrimalPath.of(Moments.of(X, codes, L, weights), intercept), DualPath.of(X, codes, L, weights, intercept))
    for path in paths:
        np.testing.assert_allclose(next(path.scores(fresh, [alpha])), expected, atol=1e-9)
        assert path.total == (pytest.approx(weights.sum()) if intercept else np.inf)


def test_both_systems_leave_the_same_samples_out():
    rng = np.random.default_rng(0)
    X, codes = samples(rng, 20, 12, 3)
    weights = rng.uniform(0.5, 2, 20)
    for intercept in (True, False):
        primal, dual = PrimalPath.of(Moments.of(X, codes, 3, weights), intercept), DualPath.of(X, codes, 3, weights, intercept)
        for one, other in zip(*(path.left_out(X, codes, weights, (0.1, 10.0)) for path in (primal, dual)), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-10)


def test_a_ridge_without_solution_is_refused():
    X, codes = np.ones((8, 3)), np.arange(8) % 2
    with pytest.raises(BadInput, match="weight above 0"):
        ridge(X, codes, 2, 1.0, np.zeros(8))
    with pytest.raises(NotConverged, match="raise gamma"):
        ridge(np.tile(np.arange(8.0)[:, None], 3), codes, 2, 1e-30, intercept=False)


# every change of the features, and by what alpha is to be multiplied so that nothing else changes
CHANGES = {
    "larger": (lambda X, rng: 1e8 * X, 1e16),
    "smaller": (lambda X, rng: 1e-8 * X, 1e-16),
    "far away": (lambda X, rng: X + FAR * np.where(np.arange(X.shape[1]) % 2, 1, -1), 1.0),
    "in another order": (lambda X, rng: X[:, rng.permutation(X.shape[1])], 1.0),
    "turned": (lambda X, rng: X @ rotation(rng, X.shape[1]), 1.0),
}
changes = pytest.mark.parametrize("change", CHANGES)


def changed(change: str, seed: int, *parts: np.ndarray) -> tuple[list[np.ndarray], float]:
    """All parts after the same change, and the factor of alpha."""
    make, factor = CHANGES[change]
    return [make(X, np.random.default_rng(seed)) for X in parts], factor


@changes
@given(st.integers(0, 10**6), shapes, st.floats(-4, 4))
@settings(max_examples=40)
def test_unit_origin_order_and_axes_are_not_seen(change, seed, shape, log_alpha):
    rng, (k, p, L) = np.random.default_rng(seed), shape
    (X, codes), (fresh, _) = samples(rng, k, p, L), samples(rng, 10, p, 2)
    alpha = 10.0**log_alpha * mean_scatter(X)
    (Y, other), factor = changed(change, seed, X, fresh)
    assert mean_scatter(Y) == pytest.approx(factor * mean_scatter(X), rel=1e-12)
    found, expected = ridge(Y, codes, L, factor * alpha).scores(other), ridge(X, codes, L, alpha).scores(fresh)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    if change != "far away":
        found, expected = (ridge(A, codes, L, a, intercept=False).scores(B) for A, a, B in ((Y, factor * alpha, other), (X, alpha, fresh)))
        np.testing.assert_allclose(found, expected, atol=1e-8)


@changes
@given(st.integers(0, 10**6), shapes, st.integers(0, 30), st.floats(-4, 4), st.floats(-2, 2))
@settings(max_examples=40)
def test_leave_one_out_sees_none_of_them_either(change, seed, shape, m, log_alpha, log_omega):
    rng, (n, p, L) = np.random.default_rng(seed), shape
    (X, y), (X_s, y_s) = samples(rng, n, p, L), samples(rng, m, p, L)
    alpha, omega = 10.0**log_alpha * mean_scatter(X), 10.0**log_omega
    (Y, Y_s), factor = changed(change, seed, X, X_s)
    one = RidgeMix.of(X, y, X_s, y_s, N=1).leave_one_out(alpha, omega)
    other = RidgeMix.of(Y, y, Y_s, y_s, N=1).leave_one_out(factor * alpha, omega)
    np.testing.assert_allclose(other.balanced, one.balanced, atol=1e-8)
    np.testing.assert_allclose(other.scores, one.scores, atol=1e-8)


@changes
@pytest.mark.parametrize("p", [6, 50])
def test_nor_does_leave_one_out_of_a_self_fitted_generator(change, p):
    rng = np.random.default_rng(p)
    (X, y), (X_s, y_s) = samples(rng, 30, p, 3), samples(rng, 90, p, 3)
    (Y, Y_s), factor = changed(change, 0, X, X_s)
    kept, again = kept_labels(X, y, X_s, y_s), kept_labels(Y, y, Y_s, y_s)
    np.testing.assert_allclose(again, kept, atol=1e-8 * kept.sum())
    for alpha in 0.01 * mean_scatter(X), mean_scatter(X):
        one, other = self_fitted_leave_one_out(X, y, kept, alpha, N=1), self_fitted_leave_one_out(Y, y, kept, factor * alpha, N=1)
        np.testing.assert_allclose(other.balanced, one.balanced, atol=1e-8)
        np.testing.assert_allclose(other.right, one.right, atol=1e-8)


@changes
@given(st.integers(0, 10**6), shapes)
@settings(max_examples=15)
def test_the_choice_of_ridge_and_weight_sees_none_of_them(change, seed, shape):
    rng, (n, p, L) = np.random.default_rng(seed), shape
    (X, y), (X_s, y_s), (fresh, _) = samples(rng, n, p, L), samples(rng, 3 * n, p, L, 0.5), samples(rng, 20, p, 2)
    (Y, Y_s, other), factor = changed(change, seed, X, X_s, fresh)
    one, same = SyntheticMixRidge("auto", "auto").fit(X, y, X_s, y_s), SyntheticMixRidge("auto", "auto").fit(Y, y, Y_s, y_s)
    assert same.alpha_ == pytest.approx(factor * one.alpha_, rel=1e-8) and same.weight_ == pytest.approx(one.weight_, rel=1e-8)
    np.testing.assert_allclose(same.decision_function(other), one.decision_function(fresh), atol=1e-8)
    assert same.accuracy_ == pytest.approx(one.accuracy_, abs=1e-8)


@pytest.mark.parametrize("apart", [0.0, 0.3, 3.0, 300.0])
@pytest.mark.parametrize("shape", [(40, 300), (40, 5), (12, 12)])
def test_rounding_does_not_choose(shape, apart):
    """Nothing to learn, much, everything: where hardly anything depends on ridge and weight, they are still the same after a perturbation
    of the samples at the level of rounding."""
    (n, p), seen = shape, set()
    X, y = samples(np.random.default_rng(0), n, p, 2, apart)
    X_s, y_s = samples(np.random.default_rng(1), 2 * n, p, 2, apart)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        near, near_s = (A * (1 + 1e-13 * rng.standard_normal(A.shape)) if seed else A for A in (X, X_s))
        alphas = ALPHAS * mean_scatter(X)
        flat = Candidates.none(np.ones(n)).and_those(RidgeMix.of(near, y, N=1).path(alphas, 0.0), alphas, 0.0, 0.8 + 1e-16 * rng.random(33))
        mix = SyntheticMixRidge("auto", "auto").fit(near, y, near_s, y_s)
        place = np.log10([mix.alpha_ / mean_scatter(near), mix.weight_ + 1e-9])
        seen.add((*np.round(place, 9), flat.choice()))
    assert len(seen) == 1


def test_the_best_is_preferred_and_among_equals_the_stated_one():
    criterion, weights, alphas = np.array([0.5, 0.7, 0.7 + 1e-12, 0.7 - 1e-12, 0.69]), np.array([0, 2.0, 1, 1, 0]), np.arange(5.0)
    assert preferred(criterion, weights, alphas) == 2 and preferred(criterion, weights, -alphas) == 3
    assert preferred(criterion + 1e-6 * np.eye(5)[1], weights, alphas) == 1
