"""The law of the classifier at given samples: mean, variance and shape of their scores over training sets, against simulation."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from shared import mean, wishart

from synthmix.estimators.ridge import ridge
from synthmix.sims.labels import label_and_prune
from synthmix.solvers.classifier_law import ClassifierLaw
from synthmix.solvers.many_classes import ClassMixture, _labels, _lowered, next_label_noise, predict_classes, predict_on_samples
from synthmix.solvers.problem import Generator, Law, Ridge, Verifier
from synthmix.solvers.solve import solve

P, TRIALS, GIVEN, SIGMAS = 160, 400, 120, 4.0
WITHIN = 4 / P  # of a variance: the fluctuation along the means, of the order 1/N, is left out
GENERATORS = {"exact": Generator(), "independent": Generator("independent", n_hat=220), "self-fitted": Generator("self-fitted")}


def laws(classes: int) -> tuple[Law, ...]:
    """Covariances of different sizes and axes, with eigenvalues far apart."""
    rng = np.random.default_rng(classes)
    found = []
    for k in range(classes):
        axes = np.linalg.qr(rng.standard_normal((P, P)))[0]
        found.append(Law(mean(rng, P, 1.3), (0.4 + 0.6 * k) * (axes * np.geomspace(0.05, 4, P)) @ axes.T))
    return tuple(found)


def mixture(kind: str, classes: int = 2, *, own: tuple[Law, ...] | None = None) -> ClassMixture:
    n, m = (200, 120, 160)[:classes], (300, 400, 180)[:classes]
    return ClassMixture(own or laws(classes), n, m, next_label_noise(classes, 0.3), Verifier(0.4, 0.8), GENERATORS[kind], ridge=Ridge(0.05),
                        omega=0.7)


def classifier_law(case: ClassMixture) -> ClassifierLaw:
    return ClassifierLaw.of(case.problem(), case.laws, _labels(case), solve(_lowered(case, case.laws)).q[0])


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("classes", [2, 3])
def test_mean_and_fluctuations_add_up_to_the_scores_of_fresh_samples(kind: str, classes: int) -> None:
    case = mixture(kind, classes)
    found, scores = classifier_law(case), predict_classes(case).scores
    for k, (law, gaussian) in enumerate(zip(case.laws, scores, strict=True)):
        np.testing.assert_allclose(found.scores(law.mean[None], k - classes)[0], gaussian.mean, rtol=1e-9, atol=1e-12)
        root = np.linalg.cholesky(law.covariance).T
        about = found.scores(law.mean + root, k - classes) - found.scores(law.mean[None], k - classes)
        np.testing.assert_allclose(about.T @ about + found.fluctuations(root).sum(axis=0), gaussian.covariance, rtol=1e-8, atol=1e-12)


def in_few_directions(law: Law, rng: np.random.Generator) -> np.ndarray:
    """Samples with the mean of the law that vary along a third of the eigenvectors of its covariance each, uniformly."""
    values, axes = np.linalg.eigh(law.covariance)
    part = np.arange(P) * 3 // P == np.arange(GIVEN)[:, None] % 3
    return law.mean + (part * rng.uniform(-3, 3, (GIVEN, P)) * np.sqrt(values)) @ axes.T


@cache
def simulated() -> tuple[ClassMixture, tuple[np.ndarray, ...], np.ndarray]:
    """A self-fitted mixture, given samples of both classes that are not Gaussian, and their scores (TRIALS, 2, k) over training sets."""
    case, rng = mixture("self-fitted"), np.random.default_rng(0)
    roots = [np.linalg.cholesky(law.covariance) for law in case.laws]
    given = tuple(in_few_directions(law, rng) for law in case.laws)
    scores = np.empty((TRIALS, 2, GIVEN))
    for i in range(TRIALS):
        X, y, weight = [], [], []
        for k, (law, root) in enumerate(zip(case.laws, roots, strict=True)):
            n, m = case.n[k], case.m[k]
            real = law.mean + rng.standard_normal((n, P)) @ root.T
            fresh = real.mean(axis=0) + rng.standard_normal((m, n)) @ (real - real.mean(axis=0)) / np.sqrt(n)
            labels, keep = label_and_prune(rng, np.full(m, k), case.noise, case.verifier)
            X += [real, fresh[keep]]
            y += [np.full(n, k), labels[keep]]
            weight += [np.ones(n), np.full(keep.sum(), case.omega)]
        classifier = ridge(np.concatenate(X), np.concatenate(y), 2, case.ridge.gamma * case.N, weights=np.concatenate(weight))
        scores[i] = [np.diff(classifier.scores(samples))[:, 0] for samples in given]
    return case, given, scores


def fluctuation(found: ClassifierLaw, z: np.ndarray) -> np.ndarray:
    spread = found.fluctuations(z)
    return spread[:, 1, 1] + spread[:, 0, 0] - 2 * spread[:, 0, 1]


def ratios(expected: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Measured over expected variance, averaged over the samples of each part of the eigenvectors (2, 3), with standard errors."""
    _, _, scores = simulated()
    about = scores - scores.mean(axis=0)
    mean_, se = np.empty((2, 3)), np.empty((2, 3))
    for k in range(2):
        for j in range(3):
            each = np.mean(about[:, k, j::3] ** 2 / expected[k][j::3], axis=1) * TRIALS / (TRIALS - 1)
            mean_[k, j], se[k, j] = each.mean(), each.std(ddof=1) / np.sqrt(TRIALS)
    return mean_, se


def test_scores_of_given_samples_have_the_mean_and_the_variance_of_the_theory() -> None:
    case, given, scores = simulated()
    found = classifier_law(case)
    spread = [fluctuation(found, X - law.mean) for law, X in zip(case.laws, given, strict=True)]
    for k, X in enumerate(given):
        off = (scores[:, k].mean(axis=0) - np.diff(found.scores(X, k - 2))[:, 0]) / np.sqrt(spread[k] / TRIALS)
        assert np.abs(off).max() < SIGMAS + 1 and np.mean(off**2) < 2
    ratio, se = ratios(spread)
    assert np.all(np.abs(ratio - 1) < SIGMAS * se + WITHIN), (ratio, se)
    assert se.max() < 0.05


def test_isotropic_fluctuations_are_rejected() -> None:
    """The same total, the same for every direction."""
    case, given, _ = simulated()
    found, wrong = classifier_law(case), []
    for law, X in zip(case.laws, given, strict=True):
        level = fluctuation(found, np.linalg.cholesky(law.covariance).T).sum() / np.trace(law.covariance)
        wrong.append(level * np.sum((X - law.mean) ** 2, axis=1))
    ratio, se = ratios(wrong)
    assert np.all((np.abs(ratio - 1) > SIGMAS * se + WITHIN).sum(axis=1) >= 2), (ratio, se)


def test_fluctuations_are_gaussian() -> None:
    _, _, scores = simulated()
    about = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    for power, expected in ((3, 0.0), (4, 3.0)):
        each = np.mean(about**power, axis=(1, 2))
        assert abs(each.mean() - expected) < SIGMAS * each.std(ddof=1) / np.sqrt(TRIALS) + 3 / P


def test_the_accuracy_on_given_samples() -> None:
    """None or twice the fluctuations, and Gaussian samples of the same moments, are rejected."""
    case, given, scores = simulated()
    own = tuple(Law(X.mean(axis=0), np.cov(X.T)) for X in given)
    found = classifier_law(case)
    measured = np.mean([(scores[:, 0] < 0).mean(axis=1), (scores[:, 1] > 0).mean(axis=1)], axis=0)
    error = SIGMAS * measured.std(ddof=1) / np.sqrt(TRIALS) + 0.1 / P
    right = predict_on_samples(case, given).accuracy
    assert abs(right - measured.mean()) < error
    none = np.mean([np.mean(np.diff(found.scores(X, k - 2))[:, 0] * (2 * k - 1) > 0) for k, X in enumerate(given)])
    for wrong in (none, predict_classes(case, own).accuracy):
        assert abs(wrong - measured.mean()) > error


def test_the_error_of_an_estimated_mean_is_a_part_of_the_fluctuations() -> None:
    """Means and covariances of few samples, which are scored themselves: on average over such estimates the accuracy is that of the law."""
    rng, truth = np.random.default_rng(5), laws(2)
    case = mixture("independent", own=tuple(Law(law.mean, wishart(rng, P)) for law in truth))
    exact, found, biased = predict_classes(case).accuracy, [], []
    for _ in range(12):
        pool = [law.mean + rng.standard_normal((150, P)) @ np.linalg.cholesky(law.covariance).T for law in case.laws]
        own = tuple(Law(X.mean(axis=0), law.covariance, mean_samples=150) for X, law in zip(pool, case.laws, strict=True))
        estimated = mixture("independent", own=own)
        found.append(predict_on_samples(estimated, pool).accuracy)
        law = classifier_law(estimated)
        doubled = [fluctuation(law, X - one.mean) for X, one in zip(pool, own, strict=True)]
        biased.append(np.mean([np.mean(spread) for spread in doubled]))
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - exact) < SIGMAS * error
    without = [fluctuation(classifier_law(case), np.linalg.cholesky(law.covariance).T).sum() for law in case.laws]
    assert np.mean(biased) < 0.9 * np.mean(without)
