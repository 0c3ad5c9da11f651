"""The statistics estimated from labelled features, against populations that are known."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from sklearn.covariance import OAS, LedoitWolf

from synthmix.estimators.statistics import ClassStatistics, class_laws, class_statistics, mean_products
from synthmix.support.errors import BadInput

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


# ---- classes with laws of their own


def classes(seed: int, counts: tuple[int, ...] = (60, 90, 150)) -> tuple[np.ndarray, np.ndarray]:
    """Samples of three classes: means MU, -MU and 2 MU, covariances 1, 2 and 3 times the decaying spectrum."""
    rng = np.random.default_rng(seed)
    y = np.repeat([5, 1, 3], counts)  # labels need not be 0, 1, 2, nor in order
    scale = {5: 1.0, 1: 2.0, 3: 3.0}
    shift = {5: 1.0, 1: -1.0, 3: 2.0}
    z = rng.standard_normal((len(y), P)) * np.sqrt(SPECTRA["decaying"])
    return np.array([shift[k] for k in y])[:, None] * MU + np.sqrt([scale[k] for k in y])[:, None] * z, y


def test_products_of_class_means_are_unbiased():
    A = np.diag(np.linspace(0.5, 2, P))
    draws = np.array([mean_products(*classes(seed), A) for seed in range(DRAWS)])
    along = np.array([-1.0, 2.0, 1.0])  # ascending labels 1, 3, 5
    truth = np.outer(along, along) * (MU @ A @ MU)
    se = draws.std(axis=0, ddof=1) / np.sqrt(DRAWS)
    assert se.max() < 0.05
    assert np.all(np.abs(draws.mean(axis=0) - truth) < 4.5 * se)
    bias = np.array([2 / 90, 3 / 150, 1 / 60]) * np.sum(np.diag(A) * SPECTRA["decaying"])
    assert np.all(bias > 10 * np.diag(se))  # what the plug-in is off by: the check can fail


def test_the_identity_is_the_default_and_distances_follow():
    X, y = classes(0)
    G = mean_products(X, y)
    np.testing.assert_allclose(G, mean_products(X, y, np.eye(P)))
    np.testing.assert_allclose(G, G.T, atol=1e-12)


@pytest.mark.parametrize("equal_lengths", [False, True])
def test_class_laws_find_each_class(equal_lengths):
    X, y = classes(1, (3000, 3000, 3000))
    for law, scale, shift in zip(class_laws(X, y, equal_lengths=equal_lengths), (2, 3, 1), (-1, 2, 1), strict=True):
        truth = scale * np.diag(SPECTRA["decaying"])
        assert law.mean_samples == 3000
        assert np.linalg.norm(law.mean - shift * MU) < 2 * np.sqrt(np.trace(truth) / 3000)
        assert np.linalg.norm(law.covariance - truth) < 0.25 * np.linalg.norm(truth)
        assert np.trace(law.covariance) == pytest.approx(np.trace(truth), rel=0.02)


def test_class_laws_win_over_the_sample_covariance():
    loss = {"shrunken": [], "sample": []}
    for seed in range(20):
        X, y = classes(seed)
        for law, label, scale in zip(class_laws(X, y), (1, 3, 5), (2, 3, 1), strict=True):
            truth = scale * np.diag(SPECTRA["decaying"])
            loss["shrunken"].append(np.linalg.norm(law.covariance - truth))
            loss["sample"].append(np.linalg.norm(np.cov(X[y == label].T) - truth))
    assert np.mean(loss["shrunken"]) < 0.7 * np.mean(loss["sample"])


def test_class_laws_leave_out_what_never_varies():
    X, y = classes(0)
    for law in class_laws(np.insert(X, 3, 7.0, axis=1), y):
        assert law.mean[3] == 7 and not law.covariance[3].any()


@pytest.mark.parametrize("estimate", [class_laws, mean_products])
@pytest.mark.parametrize(
    ("X", "y"),
    [(np.ones((4, 3)), np.ones(3)), (np.ones(4), np.ones(4)), (np.eye(4), np.ones(4)), (np.eye(3), np.array([0, 0, 1]))],
)
def test_what_has_no_classes_is_refused_in_one_line(estimate, X, y):
    with pytest.raises(BadInput) as refused:
        estimate(X, y)
    assert "\n" not in str(refused.value)


def test_a_class_without_variance_has_no_covariance():
    with pytest.raises(BadInput, match="class 0"):
        class_laws(np.array([[1.0, 1], [1, 1], [2, 3], [4, 5]]), np.array([0, 0, 1, 1]))
