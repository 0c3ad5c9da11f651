"""Errors of means over random splits of a finite pool: against many pools, and the ridge they are taken from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthmix.estimators.resampling import Design, MeasuredClassifier, Resamples, resample, through
from synthmix.estimators.ridge import Moments
from synthmix.experiments.preferences import Curves, PreferenceSettings, curves

SMALL = PreferenceSettings(n=40, m=(0, 160), least_test=50)
POOLS, SPLITS = 40, 25


def pool(seed: int, pairs: int = 300, p: int = 40) -> np.ndarray:
    """Differences with a mean in a few directions and unequal variances."""
    rng = np.random.default_rng(seed)
    return 0.35 * (np.arange(p) < 4) + rng.standard_normal((pairs, p)) * np.linspace(0.6, 1.4, p)


@pytest.fixture(scope="module")
def pools() -> list[Curves]:
    return [curves(pool(seed), SPLITS, seed, design=SMALL) for seed in range(POOLS)]


@pytest.mark.parametrize("difference", [False, True], ids=["accuracies", "strong less weak"])
def test_the_error_with_the_pool_is_the_spread_between_pools(pools, difference):
    found = [one.measured()[:, 0, 1] - one.measured()[:, 1, 1] if difference else one.measured() for one in pools]
    spread = np.std([one.mean for one in found], axis=0, ddof=1)
    # the standard deviation over 40 pools is known to 11%
    ratio = np.mean([one.se for one in found], axis=0) / spread
    assert np.all((ratio > 0.7) & (ratio < 1.5))
    if not difference:  # resampling alone would be a wrong error where labels are good
        assert np.all(np.mean([one.resampling_se[0] for one in found], axis=0) < 0.6 * spread[0])


@pytest.mark.parametrize("intercept", [True, False])
def test_influences_are_derivatives(intercept):
    rng = np.random.default_rng(0)
    X, y_test = rng.standard_normal((60, 8)) + 0.3, np.where(rng.random(4000) < 0.6, 1.0, -1.0)
    X_test = rng.standard_normal((4000, 8)) + 0.3 * y_test[:, None] + 0.1
    labels, step = np.where(rng.random(60) < 0.2, -1.0, 1.0), 1e-5
    codes = (labels > 0).astype(int)

    def smooth(weights: np.ndarray) -> float:
        from scipy.special import ndtr

        lifted, fresh = (np.column_stack([rows, np.full(len(rows), float(intercept))]) for rows in (X, X_test))
        w = np.linalg.lstsq((lifted.T * weights) @ lifted + 5 * np.diag([1.0] * 8 + [0.0]), lifted.T @ (weights * labels), rcond=None)[0]
        margins = y_test * (fresh @ w)
        return float(ndtr(margins.mean() / margins.std()))

    solved = Moments.of(X, codes, 2).centred(intercept).solved(5.0)
    fitted = MeasuredClassifier.of(solved, X, labels, X_test, y_test)
    for i in (0, 17, 59):
        bump = step * np.eye(60)[i]
        assert fitted.on_training[i] == pytest.approx((smooth(1 + bump) - smooth(1 - bump)) / (2 * step), rel=1e-4)
    assert fitted.on_test.sum() == pytest.approx(0, abs=1e-12)
    assert fitted.accuracy == np.mean(y_test * np.diff(solved.classifier.scores(X_test))[:, 0] > 0)


def test_numbers_differences_and_averages():
    values = np.random.default_rng(0).random((6, 2, 3))
    one = Resamples(values, np.ones((6, 2, 3, 5)))
    np.testing.assert_allclose(one[1, 2].mean, values[:, 1, 2].mean())
    np.testing.assert_allclose((one[0] - one[1]).mean, (values[:, 0] - values[:, 1]).mean(axis=0))
    np.testing.assert_allclose(one.averaged().mean, values.mean())
    np.testing.assert_allclose(one.se, one.resampling_se)  # a unit that moves everything alike moves nothing
    assert (one - Resamples(values)).influence is None


def test_workers_change_nothing():
    trials = [resample(lambda rng, r: (r, rng.random()), 5, seed=3, jobs=jobs) for jobs in (1, 2)]
    assert trials[0] == trials[1] and [r for r, _ in trials[0]] == list(range(5))


def test_a_drawn_curve_goes_through_the_means_and_bends_as_the_theory_does():
    design = Design(100, (0, 100, 900))
    filled = design.filled(19)
    assert set(design.m) < set(filled) and filled[0] == 0 and filled[-1] == 900 and len(filled) >= 19
    steps = np.diff(replace(design, m=filled).proportion)
    assert steps.max() < 0.06
    truth = np.log1p(np.array(filled) / 50)
    here = np.searchsorted(filled, design.m)
    curve = through(design.m, (truth + 0.01)[here], filled, truth)  # other splits add the same everywhere
    np.testing.assert_allclose(curve, truth + 0.01)
    added = through(design.m, truth[here] + [0.0, 0.02, 0.01], filled, truth) - truth
    np.testing.assert_allclose(added[here], [0.0, 0.02, 0.01], atol=1e-12)
    assert added.min() >= 0 and added.max() <= 0.02 + 1e-12  # no swing between the places
    np.testing.assert_allclose(through((0,), truth[here[:1]] + 1, (0,), truth[:1]), truth[:1] + 1)
