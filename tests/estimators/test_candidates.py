"""The choice among ridges: by leave-one-out, by theory, by both, and what it is worth on fresh samples."""

from dataclasses import replace

import numpy as np
import pytest

from synthmix.advice.population import Population
from synthmix.estimators.candidates import ALPHAS, Candidates, mean_scatter
from synthmix.estimators.leave_one_out import RidgeMix
from synthmix.estimators.mix_ridge import SyntheticMixRidge
from synthmix.solvers.problem import Generator, Verifier


def samples(n: int, p: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return (rng.standard_normal((n, p)) + (2 * y[:, None] - 1) * 1.2 / np.sqrt(p)) / np.sqrt(1 + np.arange(p)), y


def tried(X: np.ndarray, y: np.ndarray, *, theory: bool) -> Candidates:
    alphas, accuracies = ALPHAS * mean_scatter(X), np.nan
    if theory:
        family = Population.of(X, y, 2).family(Generator("self-fitted"), 0.1, Verifier())
        accuracies = np.array([family.at(0.0, 1.0, alpha / len(X), slopes=()).accuracy for alpha in alphas])
    return Candidates.none(np.ones(len(X))).and_those(RidgeMix.of(X, y, N=1).path(alphas, 0.0), alphas, 0.0, accuracies)


def among(found: Candidates, chosen: np.ndarray) -> Candidates:
    return replace(found, **{name: getattr(found, name)[chosen] for name in ("soft", "right", "theory", "alphas", "weights")})


def test_theory_and_leave_one_out_together_choose_a_better_ridge() -> None:
    gains, errors = [], []
    for seed in range(60):
        (X, y), (fresh, labels) = samples(40, 40, seed), samples(2000, 40, seed + 1000)
        scores = []
        for theory in (False, True):
            found = tried(X, y, theory=theory)
            ridge = SyntheticMixRidge(alpha=float(found.alphas[found.choice()])).fit(X, y)
            scores.append(ridge.score(fresh, labels))
        gains.append(scores[1] - scores[0])
        errors.append(found.corrected()[0] - scores[1])
    assert np.mean(gains) > 3 * np.std(gains) / np.sqrt(60)
    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(60)


def test_the_mean_of_both_decides() -> None:
    X, y = samples(40, 10, 0)
    found = tried(X, y, theory=True)
    assert tried(X, y, theory=False).choice() != np.argmax(found.theory)
    certain = among(found, np.arange(5))
    ruled = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    assert Candidates(certain.soft, certain.right, ruled, certain.alphas, certain.weights, certain.shares).choice() == 2


def test_weights_and_some_of_them() -> None:
    X, y = samples(40, 10, 0)
    found = tried(X, y, theory=True)
    twice = found.and_those(RidgeMix.of(X, y, N=1).path(found.alphas, 0.0), found.alphas, 0.5, 0.9)
    assert len(twice.alphas) == 2 * len(ALPHAS)
    np.testing.assert_array_equal(among(twice, twice.weights == 0).soft, found.soft)
    assert twice.theory[-1] == 0.9 and found.corrected() == among(twice, twice.weights == 0).corrected()
    assert found.corrected()[0] == pytest.approx(found.right[found.choice()].mean(), abs=0.2)
