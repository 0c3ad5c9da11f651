"""Covariances known by samples: the theory's sums against known populations, with the power to reject a shrunken covariance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synthmix.solvers.kernels import Found
from synthmix.solvers.lowering import Matrices, lower_problem
from synthmix.solvers.predict import predict_tests
from synthmix.solvers.problem import Fit, Law, Problem, Ridge, Source
from synthmix.solvers.sample_covariance import SampleCovariance
from synthmix.solvers.sampled import sampled_point
from synthmix.support.errors import BadInput, NotConverged

SPECTRA = {
    "three dominate": lambda p: np.concatenate([[200, 80, 40], np.geomspace(8, 0.05, p - 3)]),
    "a power law": lambda p: 300 / np.arange(1, p + 1) ** 1.2,
}
MEANS = {"in no direction": np.ones_like, "along the large eigenvalues": np.sqrt}


def _sums(x: float, eigenvalues: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """tr(C B), tr(C B C B), mu^T B mu, mu^T B C B mu at B = (I + x C)^{-1}."""
    b = 1 / (1 + x * eigenvalues)
    return np.array([np.sum(eigenvalues * b), np.sum((eigenvalues * b) ** 2), squares @ b, squares @ (eigenvalues * b**2)])


def _by_samples(residuals: np.ndarray, mean: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    same = SampleCovariance.of(residuals).equivalent
    return same.eigenvalues, same.products(mean[None])[0, 0] - same.eigenvalues / n


def _by_oas(residuals: np.ndarray, mean: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.covariance import OAS

    C = OAS(assume_centered=True).fit(residuals).covariance_ * n / (n - 1)
    eigenvalues, basis = np.linalg.eigh(C)
    return eigenvalues, (mean @ basis) ** 2 - eigenvalues / n


Known = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def _misses(known: Known, p: int, n: int, spectrum: str, direction: str, x: float, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Relative errors of the four sums, and their standard errors."""
    c = SPECTRA[spectrum](p)
    c = c / np.median(c)
    mu = MEANS[direction](c)
    mu = mu * np.sqrt(c.sum() / 10) / np.linalg.norm(mu)
    rng, found = np.random.default_rng(p + n), []
    for _ in range(trials):
        X = mu + rng.standard_normal((n, p)) * np.sqrt(c)
        mean = X.mean(axis=0)
        found.append(_sums(x, *known(X - mean, mean, n)))
    off = np.array(found) / _sums(x, c, mu**2) - 1
    return off.mean(axis=0), off.std(axis=0, ddof=1) / np.sqrt(trials)


@pytest.mark.parametrize("direction", MEANS)
@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize(("p", "n", "x"), [(60, 600, 1.0), (60, 600, 30.0), (120, 360, 1.0), (200, 100, 0.3), (300, 50, 0.05)])
def test_sums_of_known_populations(p: int, n: int, x: float, spectrum: str, direction: str) -> None:
    off, error = _misses(_by_samples, p, n, spectrum, direction, x, 24)
    assert np.all(np.abs(off) <= 3.5 * error + 0.01), (off, error)


@pytest.mark.parametrize(("p", "n", "x"), [(120, 360, 1.0), (200, 100, 0.3), (300, 50, 0.05)])
def test_the_rule_rejects_a_shrunken_covariance(p: int, n: int, x: float) -> None:
    off, error = _misses(_by_oas, p, n, "three dominate", "along the large eigenvalues", x, 24)
    assert np.any(np.abs(off) > 3.5 * error + 0.01), (off, error)


def test_beyond_the_reach_the_spectrum_goes_on() -> None:
    """300 features of 50 samples reach x = .1 in units of the median; traces stay within a tenth far beyond it."""
    for x in (1.0, 10.0):
        off, _ = _misses(_by_samples, 300, 50, "three dominate", "in no direction", x, 8)
        assert np.abs(off[0]) < 0.1


def test_directions_without_variance_stay_without() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((80, 20)), np.zeros(80)]) @ np.diag([*np.linspace(1, 2, 20), 1.0])
    same = SampleCovariance.of(np.column_stack([X, X[:, 0] + X[:, 1]])).equivalent
    assert np.sum(same.eigenvalues < 1e-9) == 2  # the constant feature, and the one that others add up to
    one = np.zeros(22)
    one[20] = 3.0
    products = same.products(one[None])[0, 0]
    assert products[same.eigenvalues < 1e-9].sum() == pytest.approx(9.0)
    assert np.abs(products[same.eigenvalues >= 1e-9]).max() < 1e-9


def _problem(laws: list[Law], gamma: float = 0.3) -> Problem:
    sources = (Source("a", 60, laws[0]), Source("b", 150, laws[1], wrong=0.2, weight=0.5), Source("c", 80, laws[1], fit=Fit(200.0)))
    return Problem(sources, Ridge(gamma), 290.0, len(laws[0].mean), laws[0])


def _two_populations(p: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Mean, covariance and its root of two laws whose covariances do not commute."""
    rng = np.random.default_rng(3)
    made = []
    for c, mu in ((np.geomspace(6, 0.1, p), 0.35), (np.concatenate([[25, 12], np.geomspace(3, 0.2, p - 2)]), 0.3)):
        turn = np.linalg.qr(rng.standard_normal((p, p)))[0]
        made.append((mu * (turn[:, 0] + turn[:, 5] + turn[:, -1]), (turn * c) @ turn.T, turn * np.sqrt(c)))
    return made


def _seen(populations: list[tuple[np.ndarray, np.ndarray, np.ndarray]], counts: tuple[int, ...], seed: int) -> list[Law]:
    rng, laws = np.random.default_rng(seed), []
    for (mu, _, root), n in zip(populations, counts, strict=True):
        X = mu + rng.standard_normal((n, len(mu))) @ root.T
        mean = X.mean(axis=0)
        laws.append(Law(mean, SampleCovariance.of(X - mean), mean_samples=n))
    return laws


@pytest.mark.parametrize("counts", [(200, 150), (90, 70)])
def test_laws_that_differ(counts: tuple[int, int]) -> None:
    """Mean margin and variance of sources with fits, weights and wrong labels, from samples and from the true covariances."""
    populations = _two_populations(60)
    true = predict_tests(_problem([Law(mu, C) for mu, C, _ in populations]), [Law(mu, C) for mu, C, _ in populations])
    found = []
    for seed in range(24):
        laws = _seen(populations, counts, seed)
        found.append([[one.mean_margin, one.variance] for one in predict_tests(_problem(laws), laws)])
    off = np.array(found) / [[one.mean_margin, one.variance] for one in true] - 1
    error = off.std(axis=0, ddof=1) / np.sqrt(24)
    assert np.all(np.abs(off.mean(axis=0)) <= 3.5 * error + 0.01), (off.mean(axis=0), error)
    plain = []
    for seed in range(24):  # sample covariances taken for the truth are rejected
        laws = [Law(law.mean, law.covariance.matrix, law.mean_samples) for law in _seen(populations, counts, seed)]
        plain.append([[one.mean_margin, one.variance] for one in predict_tests(_problem(laws), laws)])
    wrong = np.array(plain) / [[one.mean_margin, one.variance] for one in true] - 1
    assert np.any(np.abs(wrong.mean(axis=0)) > 3.5 * wrong.std(axis=0, ddof=1) / np.sqrt(24) + 0.01)


def test_one_covariance_by_both_backends() -> None:
    """The spectrum of one sample covariance has the sums that the resolvent of the matrix has, means and variances included."""
    (law, _) = _seen(_two_populations(60), (300, 100), 0)
    problem = _problem([law, law])
    spectral = predict_tests(problem, [law])[0]
    point = lower_problem(problem, [law]).grid.point(0)._replace(mixing=np.ones((4, 1)))
    found = Found(np.empty(3), np.empty((1, 1)), np.empty((1, 1)))
    sampled_point(point, Matrices([law.covariance] * 3, [law.covariance], law.mean[None], [(law.covariance, 300.0)]), found)
    assert spectral.mean_margin == pytest.approx(found.margins[0, 0], rel=2e-3)
    assert spectral.variance == pytest.approx(found.variances[0, 0], rel=2e-3)


def test_exact_and_sampled_laws_together() -> None:
    """With very many samples nothing but the truth is left, whichever of the laws is known."""
    (mu, C, _), (nu, D, _) = _two_populations(40)
    truth = predict_tests(_problem([Law(mu, C), Law(nu, D)]), [Law(mu, C)])[0]
    mixed = predict_tests(_problem([Law(mu, C), Law(nu, SampleCovariance(D, 1e12))]), [Law(mu, C)])[0]
    assert mixed.mean_margin == pytest.approx(truth.mean_margin, rel=1e-7)
    assert mixed.variance == pytest.approx(truth.variance, rel=1e-7)


def test_bad_input_is_one_line() -> None:
    with pytest.raises(BadInput, match="symmetric matrix"):
        SampleCovariance(np.ones((2, 3)), 5)
    with pytest.raises(BadInput, match="cannot vary in 4 directions"):
        _ = SampleCovariance(np.eye(4), 3).equivalent
    laws = _seen(_two_populations(60), (8, 9), 0)
    with pytest.raises(NotConverged, match="too few samples"):
        predict_tests(_problem(laws, gamma=1e-4), laws)
