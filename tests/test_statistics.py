"""The statistics estimated from labelled features, against populations that are known."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from sklearn.covariance import OAS, LedoitWolf

from sims.statistics import ClassStatistics, class_statistics
from solvers.errors import BadInput

P, N, DRAWS = 60, 120, 300
MU = np.where(np.arange(P) % 5 == 0, 1.0, 0.0) / np.sqrt(P / 5)  # of length 1
SPECTRA = {"identity": np.ones(P), "decaying": np.arange(1, P + 1) ** -0.5}
SPECTRA = {name: spectrum / spectrum.mean() for name, spectrum in SPECTRA.items()}


def draw(spectrum: np.ndarray, seed: int, heavy: bool) -> tuple[np.ndarray, np.ndarray]:
    """N samples y MU + z, z Gaussian, or (heavy) Student's t with 5 degrees of freedom, of the same covariance."""
    rng = np.random.default_rng(seed)
    y = rng.choice([-1.0, 1.0], N)
    scale = np.sqrt(3 / rng.chisquare(5, N))[:, None] if heavy else 1.0
    return y[:, None] * MU + scale * np.sqrt(spectrum) * rng.standard_normal((N, P)), y


def covariance(statistics: ClassStatistics) -> np.ndarray:
    return (statistics.basis * statistics.eigenvalues) @ statistics.basis.T


@cache
def estimates(name: str, heavy: bool) -> list[ClassStatistics]:
    return [class_statistics(*draw(SPECTRA[name], seed, heavy)) for seed in range(DRAWS)]


def errors(name: str, heavy: bool, f: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Over the draws: the estimate of mu^T f(C) mu less the truth, debiased and as the plug-in has it."""
    truth = np.sum(MU**2 * f(SPECTRA[name]))
    debiased, plug_in = [], []
    for s in estimates(name, heavy):
        debiased.append(np.sum(s.mean_products * f(s.eigenvalues)) - truth)
        plug_in.append(np.sum((s.mean_products + s.eigenvalues / s.n) * f(s.eigenvalues)) - truth)
    return np.array(debiased), np.array(plug_in)


def standard_error(values: np.ndarray) -> float:
    return values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("name", SPECTRA)
def test_the_squared_length_of_the_mean_is_unbiased(name, heavy):
    debiased, plug_in = errors(name, heavy, np.ones_like)
    assert standard_error(debiased) < 0.02
    assert abs(debiased.mean()) < 4 * standard_error(debiased)
    assert plug_in.mean() > 20 * standard_error(plug_in)  # off by tr(C)/n = 1/2: the check can fail


@pytest.mark.parametrize("heavy", [False, True])
def test_a_resolvent_of_a_known_covariance_is_unbiased(heavy):
    debiased, plug_in = errors("identity", heavy, lambda c: 1 / (c + 0.5))
    assert abs(debiased.mean()) < 4 * standard_error(debiased)
    assert plug_in.mean() > 20 * standard_error(plug_in)


@pytest.mark.parametrize("heavy", [False, True])
def test_shrinkage_leaves_little_of_the_bias_in_a_resolvent(heavy):
    debiased, plug_in = errors("decaying", heavy, lambda c: 1 / (c + 0.5))
    assert abs(debiased.mean()) < 0.2 * plug_in.mean()


@pytest.mark.parametrize("name", SPECTRA)
def test_one_length_costs_nothing_for_gaussians_and_wins_for_heavy_tails(name):
    """The choice of the estimator: squared error of C, against both scikit-learn shrinkages of the bare residuals."""
    spectrum = SPECTRA[name]
    loss = {}
    for heavy in (False, True):
        ours, oas, ledoit_wolf = [], [], []
        for seed, statistics in enumerate(estimates(name, heavy)[:40]):
            ours.append(covariance(statistics))
            X, y = draw(spectrum, seed, heavy)
            residuals = y[:, None] * X - y @ X / N
            oas.append(OAS(assume_centered=True).fit(residuals).covariance_ * N / (N - 1))
            ledoit_wolf.append(LedoitWolf(assume_centered=True).fit(residuals).covariance_ * N / (N - 1))
        loss[heavy] = [np.mean((np.array(C) - np.diag(spectrum)) ** 2) * P for C in (ours, oas, ledoit_wolf)]
    gaussian, heavy = loss[False], loss[True]
    assert gaussian[0] < 1.1 * min(gaussian[1:])
    assert heavy[0] < min(heavy[1:])
    assert heavy[0] < 0.5 * heavy[1]


def test_the_estimate_keeps_trace_and_shapes():
    X, y = draw(SPECTRA["decaying"], 0, heavy=True)
    s = class_statistics(X, y)
    residuals = y[:, None] * X - y @ X / N
    assert s.eigenvalues.shape == s.mean_products.shape == (P,) and s.basis.shape == (P, P)
    assert s.n == N and 0 < s.shrinkage < 1
    assert np.all(np.diff(s.eigenvalues) >= 0) and s.eigenvalues[0] > 0
    assert s.eigenvalues.sum() == pytest.approx(np.sum(residuals**2) / (N - 1))


def test_features_that_never_vary_are_left_out():
    X, y = draw(SPECTRA["decaying"], 0, heavy=False)
    with_zeros = np.insert(X, [3, 10, 10], 0.0, axis=1)
    s, t = class_statistics(X, y), class_statistics(with_zeros, y)
    np.testing.assert_allclose(t.eigenvalues, [0, 0, 0, *s.eigenvalues], atol=1e-12)
    np.testing.assert_allclose(t.mean_products, [0, 0, 0, *s.mean_products], atol=1e-12)


def test_more_features_than_samples():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 50)), rng.choice([-1.0, 1.0], 20)
    assert class_statistics(X, y).eigenvalues[0] > 0


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.ones((1, 3)), np.ones(1)),
        (np.ones((4, 3)), np.ones(3)),
        (np.ones(4), np.ones(4)),
        (np.ones((4, 3)), np.ones(4)),
    ],
)
def test_what_has_no_covariance_is_refused_in_one_line(X, y):
    with pytest.raises(BadInput) as refused:
        class_statistics(X, y)
    assert "\n" not in str(refused.value)
