"""Samples whose covariance and mean depend on their length: strata against simulation, where one law for all fails."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.estimators.covariances import nonlinear_shrinkage, own_covariances, shared_covariance
from synthmix.estimators.length_strata import LengthStrata
from synthmix.solvers.problem import Ridge
from synthmix.solvers.sample_covariance import SampleCovariance
from synthmix.support.errors import BadInput

P, N, GAMMA = 60, 120, 0.1
TRAINED, TRIALS = 1500, 40


def drawn(rng: np.random.Generator, count: int) -> np.ndarray:
    """y x of elliptical samples: the longer, the more of them lies in a few directions, and the larger is the mean."""
    r = np.exp(0.35 * rng.standard_normal(count))
    few = np.exp(-np.arange(P) / 6) * 9
    flat = np.linspace(0.4, 1.6, P)
    share = (r**2 / (1 + r**2))[:, None]
    spread = r[:, None] * np.sqrt(share * few + (1 - share) * flat)
    mu = 0.22 * (1 + np.cos(np.arange(P)))
    return r[:, None] ** 1.5 * mu / np.sqrt(2) + spread * rng.standard_normal((count, P))


def simulated() -> np.ndarray:
    """Accuracy, mean margin and variance (trials, 3) of ridge classifiers of N samples, half of which carry 20% wrong labels."""
    test, found = drawn(np.random.default_rng(0), 40_000), []
    for seed in range(200):
        rng = np.random.default_rng(100 + seed)
        X = drawn(rng, N)
        labels = np.where((np.arange(N) >= N // 2) & (rng.random(N) < 0.2), -1.0, 1.0)
        margins = test @ np.linalg.solve(X.T @ X / N + GAMMA * np.eye(P), labels @ X / N)
        found.append((np.mean(margins > 0), margins.mean(), margins.var()))
    return np.array(found)


def predicted(strata: int, seeds: int = 24) -> np.ndarray:
    found = []
    for seed in range(seeds):
        known = LengthStrata.of(drawn(np.random.default_rng(1000 + seed), TRAINED), strata)
        sources = (*known.sources("r", N / 2), *known.sources("s", N / 2, wrong=0.2))
        one = known.predict(sources, Ridge(GAMMA), N)
        found.append((one.accuracy, one.mean_margin, one.variance))
    return np.array(found)


def test_strata_are_right_where_one_law_is_wrong() -> None:
    measured = simulated()
    error = measured.std(axis=0, ddof=1) / np.sqrt(len(measured))
    budget = np.array([0.006, 0.02 * measured[:, 1].mean(), 0.03 * measured[:, 2].mean()])
    for strata, right in ((5, True), (1, False)):
        theory = predicted(strata)
        off = theory.mean(axis=0) - measured.mean(axis=0)
        noise = np.hypot(error, theory.std(axis=0, ddof=1) / np.sqrt(len(theory)))
        assert np.all(np.abs(off) <= 3.5 * noise + budget) == right, (strata, off / measured.mean(axis=0), noise / measured.mean(axis=0))


def test_strata_have_equal_parts_of_the_squared_length() -> None:
    X = drawn(np.random.default_rng(0), 302)
    known = LengthStrata.of(X, 3)
    np.testing.assert_allclose(known.shares.sum(), 1)
    parts = [share * (np.trace(law.covariance.matrix) * (1 - 1 / law.mean_samples) + law.mean @ law.mean)
             for share, law in zip(known.shares, known.laws, strict=True)]
    np.testing.assert_allclose(parts, np.mean(parts), rtol=0.05)
    np.testing.assert_allclose(sum(s * law.mean for s, law in zip(known.shares, known.laws, strict=True)), X.mean(axis=0))
    with pytest.raises(BadInput, match="too few for 3 strata"):
        LengthStrata.of(X[:5], 3)


def test_what_is_known_of_covariances_that_differ() -> None:
    """Sample covariances where there are residuals enough, a nonlinear shrinkage where there are not."""
    rng = np.random.default_rng(0)
    groups = [rng.standard_normal((count, 30)) * np.sqrt(np.geomspace(20, 0.1, 30)) for count in (20, 25)]
    assert all(isinstance(one, SampleCovariance) for one in own_covariances(groups))
    few = own_covariances([group[:10] for group in groups])
    assert all(isinstance(one, np.ndarray) for one in few)
    with pytest.raises(BadInput, match="do not vary"):
        shared_covariance(np.zeros((4, 3)))


@pytest.mark.parametrize(("p", "n"), [(60, 180), (100, 40)])
def test_nonlinear_shrinkage_is_closer_than_the_sample(p: int, n: int) -> None:
    """Close to the best there is with these eigenvectors, the variance along each of them; a feature without variance keeps none."""
    rng = np.random.default_rng(0)
    c = np.geomspace(20, 0.1, p)
    loss = np.zeros(2)
    for _ in range(10):
        X = np.column_stack([rng.standard_normal((n, p)) * np.sqrt(c), np.zeros(n)])
        sample = SampleCovariance(X.T @ X / n, n)
        C, truth = nonlinear_shrinkage(sample), np.diag(np.append(c, 0.0))
        assert not C[-1].any()
        basis = np.linalg.eigh(sample.matrix[:-1, :-1])[1]
        best = (basis * np.einsum("ij,i,ij->j", basis, c, basis)) @ basis.T
        floor = np.linalg.norm(best - truth[:-1, :-1])
        loss += [np.linalg.norm(C - truth) / floor, np.linalg.norm(sample.matrix - truth) / floor]
    assert loss[0] < loss[1] and loss[0] < 10 * 1.3
