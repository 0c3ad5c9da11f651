"""Wrong synthetic labels: averaged, pruned, cleaned, or both, measured on isotropic classes and on held-out real data.

Every method sees the same samples in a trial, so that their differences are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit, ndtr

from ..data.tasks import Folder
from ..estimators.class_gaussian import ClassGaussian
from ..estimators.mix_ridge import SyntheticMixRidge
from ..estimators.relabelled_mix import RelabelledMix, WeightedSamples, relabel
from ..sims.monte_carlo import Estimate
from ..solvers.problem import Setting, Verifier
from ..support.workers import workers
from .compliance import AnswerFeatures
from .real_data import RealData

METHODS = ("average", "prune", "relabel", "both", "perfect verifier")


@dataclass(frozen=True, eq=False)
class Accuracies:
    """Accuracies of every trial and method, (trials, len(METHODS))."""

    values: np.ndarray

    def of(self, method: str) -> Estimate:
        """Return the mean of a method, with its standard error."""
        return Estimate.of(self.values[:, METHODS.index(method)])

    def gain(self, method: str, other: str = "average") -> Estimate:
        """Return the mean of a method less that of another, paired."""
        return Estimate.of(self.values[:, METHODS.index(method)] - self.values[:, METHODS.index(other)])


@dataclass(frozen=True)
class RelabelCase:
    """A task with n real samples, a Gaussian generator fitted on others, and a share of wrong labels.

    Attributes
    ----------
    name
        In records and legends.
    data
        What the samples are.
    n, fitted_on
        Real training samples, and those that the generator is fitted on, each over both classes.
    m
        Synthetic samples.
    epsilons
        Shares of wrong labels.
    verifier
        Of the methods prune and both.
    trials
        Random splits of the data.
    """

    name: str
    data: RealData
    n: int
    fitted_on: int
    m: int
    epsilons: tuple[float, ...]
    verifier: Verifier
    trials: int


def isotropic(
    settings: Sequence[Setting], rounds: Sequence[int], trials: int, seed: int, jobs: int = 1
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return margins and variances, both (trials, rounds), of classifiers after so many rounds each, for every setting, on drawn samples.

    The shares of wrong labels are known, and the slopes of the labels are those of each trial's own left-out scores. A setting's trials
    have seeds of their own.
    """
    children = np.random.SeedSequence(seed).spawn(len(settings))
    tasks = [(setting, rounds, child) for setting, parent in zip(settings, children, strict=True) for child in parent.spawn(trials)]
    with workers(jobs, isotropic_trial) as work:
        found = np.array(list(work(tasks))).reshape(len(settings), trials, 2, len(rounds))
    return [(one[:, 0], one[:, 1]) for one in found]


def isotropic_trial(setting: Setting, rounds: Sequence[int], seed: np.random.SeedSequence) -> tuple[np.ndarray, np.ndarray]:
    """Return mean margin and variance (rounds,) on one draw of a setting with isotropic classes and an exact generator."""
    samples, given, e = _drawn(setting, seed)
    n, alpha = round(setting.n), setting.ridge.gamma * setting.N
    found = [relabel(samples, given, n, alpha, wrong=e, rounds=done, tol=0.0).classifier.weights[:, 0] for done in rounds]
    return np.array([w[0] * setting.mu for w in found]), np.array([w @ w for w in found])


def with_slopes(
    setting: Setting, slopes: np.ndarray, trials: int, seed: int, jobs: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return margins and variances (trials, rounds) of every round, where round t multiplies scores by slopes[t], in every trial."""
    tasks = [(setting, slopes, child) for child in np.random.SeedSequence(seed).spawn(trials)]
    with workers(jobs, trial_with_slopes) as work:
        found = np.array(list(work(tasks)))
    return found[:, 0], found[:, 1]


def trial_with_slopes(setting: Setting, slopes: np.ndarray, seed: np.random.SeedSequence) -> tuple[np.ndarray, np.ndarray]:
    """Return mean margin and variance (rounds,) on one draw."""
    samples, given, e = _drawn(setting, seed)
    n, alpha, found = round(setting.n), setting.ridge.gamma * setting.N, []
    labels, offsets = given.copy(), given[n:] * logit(1 - e) / 2
    labels[n:] *= 1 - 2 * e
    for slope in slopes:
        classifier, scores = samples.ridge(labels, alpha)
        found.append(classifier.weights[:, 0])
        labels[n:] = np.tanh(slope * scores[n:] + offsets)
    return np.array([w[0] * setting.mu for w in found]), np.array([w @ w for w in found])


def _drawn(setting: Setting, seed: np.random.SeedSequence) -> tuple[WeightedSamples, np.ndarray, float]:
    """Samples of isotropic classes whose mean is along the first axis, given labels +-1, and the share of wrong ones among synthetic."""
    rng, e, p = np.random.default_rng(seed), setting.verifier.wrong(setting.epsilon), setting.p
    n, kept = round(setting.n), rng.binomial(round(setting.m), setting.alpha)
    truth = rng.permutation(np.arange(n + kept) % 2 * 2.0 - 1)
    given = np.where(rng.random(n + kept) < np.repeat([0.0, e], [n, kept]), -truth, truth)
    X = rng.standard_normal((n + kept, p))
    X[:, 0] += truth * setting.mu
    return WeightedSamples.of(X, np.repeat([1.0, setting.omega], [n, kept]), False), given, e


def accuracy(margins: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Return the accuracies of classifiers with these margins and variances of Gaussian samples."""
    return ndtr(margins / np.sqrt(variances))


def measure(case: RelabelCase, seed: int, folder: Folder = None, jobs: int = 1) -> list[Accuracies]:
    """Return the held-out accuracies of all methods, for every epsilon of a case; trial after trial the same splits and samples."""
    children = np.random.SeedSequence(seed).spawn(case.trials)
    with workers(jobs, real_trial) as work:
        found = np.array(list(work((case, child, folder) for child in children)))
    return [Accuracies(found[:, i]) for i in range(len(case.epsilons))]


def real_trial(case: RelabelCase, seed: np.random.SeedSequence, folder: Folder = None) -> np.ndarray:
    """Return the accuracies (epsilons, methods) on one split."""
    rng = np.random.default_rng(seed)
    split = case.data.redivided(int(rng.integers(2**31)), folder)
    (X, y), (X_fit, y_fit) = split.draw(rng, (case.n // 2, case.fitted_on // 2))
    X_s, truth = ClassGaussian.fit(X_fit, y_fit).sample(rng, case.m // 2)
    noise, decision = rng.random(len(truth)), rng.random(len(truth))
    found = []
    for epsilon in case.epsilons:
        given = np.where(noise < epsilon, 1 - truth, truth)
        keep = decision < np.where(given == truth, case.verifier.phi, case.verifier.rho)
        found.append(compared(X, y, X_s, given, keep, truth, split.X_test, split.y_test))
    return np.array(found)


def compared(
    X: np.ndarray, y: np.ndarray, X_s: np.ndarray, given: np.ndarray, keep: np.ndarray, truth: np.ndarray, X_test: np.ndarray,
    y_test: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Return the test accuracies of all methods.

    Those without relabelling choose ridge and weight by leave-one-out, relabelling chooses its ridge by the likelihood of held-out real
    samples and estimates the share of wrong labels: no method is told anything that a user would not know, but the perfect verifier.

    Parameters
    ----------
    X, y
        Real samples (n, p) and labels (n,).
    X_s, given, keep, truth
        Synthetic samples (m, p), their labels, what the verifier keeps, and their true labels, all (m,).
    X_test, y_test
        Test samples.
    """
    everything, right = np.ones(len(given), dtype=bool), given == truth
    fits = {
        "average": (SyntheticMixRidge("auto", "auto"), everything), "prune": (SyntheticMixRidge("auto", "auto"), keep),
        "relabel": (RelabelledMix(), everything), "both": (RelabelledMix(), keep),
        "perfect verifier": (SyntheticMixRidge("auto", "auto"), right),
    }  # fmt: skip
    return np.array([np.mean(model.fit(X, y, X_s[kept], given[kept]).predict(X_test) == y_test)
                     for model, kept in (fits[method] for method in METHODS)])


def weak_labels(
    answers: AnswerFeatures, n: int, trials: int, seed: int, jobs: int = 1
) -> tuple[Accuracies, Accuracies]:
    """Return the accuracies on answers of other prompts with weak labels, and with as many wrong labels that chance has put.

    The answers of n prompts have true labels, one answer each; those of half of the others have weak ones; the rest are tested on. The
    verifier is that of the answers.
    """
    children = np.random.SeedSequence(seed).spawn(trials)
    with workers(jobs, weak_trial) as work:
        found = np.array(list(work((answers, n, child) for child in children)))
    return Accuracies(found[:, 0]), Accuracies(found[:, 1])


def weak_trial(answers: AnswerFeatures, n: int, seed: np.random.SeedSequence) -> np.ndarray:
    """Return the accuracies (weak labels or chance, methods) on one split of the prompts."""
    rng = np.random.default_rng(seed)
    place = rng.permutation(answers.prompts)[answers.prompt]
    first = n + (answers.prompts - n) // 2
    X = answers.X - answers.X[place < first].mean(axis=0)
    X = X / np.maximum(X[place < first].std(axis=0), 1e-12)
    order = rng.permutation(len(place))
    real = order[np.unique(place[order], return_index=True)[1]][:n]
    weak, test = np.flatnonzero((place >= n) & (place < first)), place >= first
    truth = answers.y[weak]
    by_chance = truth * np.where(rng.permutation(answers.weak[weak] != truth), -1, 1)
    agreed = answers.agreed[weak]
    # among right and wrong labels the verifier keeps as many, whoever put them
    right = answers.weak[weak] == truth
    kept = rng.random(len(weak)) < np.where(by_chance == truth, agreed[right].mean(), agreed[~right].mean() if (~right).any() else 0.0)
    return np.array([compared(X[real], answers.y[real], X[weak], given, keep, truth, X[test], answers.y[test])
                     for given, keep in ((answers.weak[weak], agreed), (by_chance, kept))])
