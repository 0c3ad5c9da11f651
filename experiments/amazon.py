"""Amazon reviews (figure 6 of the paper): ridge on real and on generated reviews, under two protocols.

published: as in the paper. Features standardised over the whole set, the generator's mean taken over the whole set,
    accuracy measured on the whole set, training samples included.
held-out: the generator and the standardisation see the n training samples only; accuracy is measured on the rest.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from ..data.sets import amazon as data
from ..estimators.statistics import ClassStatistics, class_statistics
from ..sims.samplers.sufficient import Cloud
from ..sims.trial import Factor, TrainingSet
from ..solvers.problem import NO_SUPERVISION, ORACLE, Verifier
from ..support.errors import BadInput, number
from ..support.workers import workers

Protocol = Literal["published", "held-out"]
PROTOCOLS: tuple[Protocol, ...] = ("published", "held-out")
NAMES: tuple[str, ...] = data.PARTS


@dataclass(frozen=True)
class Reviews:
    """A set of reviews.

    Attributes
    ----------
    name : str
    X : array (samples, p)
        Features, as published.
    y : array (samples,)
        Labels, +-1.
    """

    name: str
    X: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class AmazonSettings:
    """The settings of figure 6.

    Attributes
    ----------
    n : int
        Training samples.
    gamma : float
        The ridge gamma.
    epsilon : float
        Label noise of the synthetic samples.
    m : tuple of int
        Numbers of synthetic samples before pruning, ascending.
    verifiers : tuple of Verifier
    """

    n: int = 800
    gamma: float = 0.1
    epsilon: float = 0.2
    m: tuple[int, ...] = (1, 200, 400, 800, 1600, 4000, 8000, 12000)
    verifiers: tuple[Verifier, ...] = (ORACLE, NO_SUPERVISION)

    def __post_init__(self) -> None:
        number("n", self.n, 2)
        number("gamma", self.gamma, 0, open_low=True)
        number("epsilon", self.epsilon, 0, 1)
        if not self.m or min(self.m) < 0 or any(high <= low for low, high in pairwise(self.m)):
            raise BadInput("the numbers m of synthetic samples must be at least 0 and ascending")

    @property
    def proportion(self) -> np.ndarray:
        """The share of synthetic data m / (n + m), one for every m."""
        return np.array([m / (self.n + m) for m in self.m])


@dataclass(frozen=True)
class AmazonCurve:
    """Measured accuracies of a set under a protocol.

    Attributes
    ----------
    name : str
        Of the set.
    protocol : str
    design : AmazonSettings
    accuracy : array (seeds, verifiers, m)
    """

    name: str
    protocol: Protocol
    design: AmazonSettings
    accuracy: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """The mean over the seeds, (verifiers, m)."""
        return self.accuracy.mean(axis=0)

    @property
    def standard_error(self) -> np.ndarray:
        """The standard error of the mean, (verifiers, m); nan for one seed."""
        if len(self.accuracy) < 2:
            return np.full(self.accuracy.shape[1:], np.nan)
        return self.accuracy.std(axis=0, ddof=1) / np.sqrt(len(self.accuracy))


def load(name: str, folder: str | os.PathLike[str] | None = None, download: bool = True) -> Reviews:
    """Return a set of reviews, about 2000 samples of 400 features; label 0 becomes +1, label 1 becomes -1.

    Parameters
    ----------
    name : str
        books, elec or kitchen.
    folder : path, optional
        With data, as for `data.locate`.
    download : bool
        Whether it may be downloaded.

    Raises
    ------
    BadInput
        For an unknown name, or a file that is nowhere to be found.
    """
    if name not in NAMES:
        raise BadInput(f"the Amazon reviews are {', '.join(NAMES)}, not {name!r}")
    return Reviews(name, *data.load(name, folder, download))


def child_seeds(seed: int, seeds: int) -> list[np.random.SeedSequence]:
    """Return an independent seed for every repetition: results do not depend on how the repetitions are shared out."""
    return np.random.SeedSequence(seed).spawn(int(number("the number of seeds", seeds, 1)))


def curves(
    reviews: Sequence[Reviews],
    protocols: Sequence[Protocol] = PROTOCOLS,
    seeds: int = 10,
    seed: int = 0,
    jobs: int = 1,
    design: AmazonSettings = AmazonSettings(),
) -> list[AmazonCurve]:
    """Measure every set under every protocol, and return a curve for each pair, sets outermost.

    Parameters
    ----------
    reviews, protocols
        The sets and the protocols.
    seeds : int
        Repetitions.
    seed : int
        Of all random numbers.
    jobs : int
        Worker processes.
    design : AmazonSettings
    """
    pairs = [(one, protocol) for one in reviews for protocol in protocols]
    tasks = [(one, protocol, child, design) for one, protocol in pairs for child in child_seeds(seed, seeds)]
    with workers(jobs, measure_split) as work:
        results = list(work(tasks))
    accuracy = np.reshape(results, (len(pairs), seeds, len(design.verifiers), len(design.m)))
    return [AmazonCurve(one.name, protocol, design, a) for (one, protocol), a in zip(pairs, accuracy, strict=True)]


def measure_split(
    reviews: Reviews, protocol: Protocol, seed: np.random.SeedSequence, design: AmazonSettings = AmazonSettings()
) -> np.ndarray:
    """Return the accuracy on the test set of one random split, (verifiers, m); synthetic samples are drawn for every point.

    Parameters
    ----------
    reviews : Reviews
    protocol : str
    seed : numpy.random.SeedSequence
    design : AmazonSettings

    Raises
    ------
    BadInput
        For an unknown protocol, or where n leaves no test samples.
    """
    rng = np.random.default_rng(seed)
    split = _split(reviews, protocol, rng, design.n)
    generator = split.generator()
    accuracy = np.empty((len(design.verifiers), len(design.m)))
    for row, verifier in enumerate(design.verifiers):
        for column, m in enumerate(design.m):
            mix = _mix(rng, split, generator, *_drawn_labels(rng, m, verifier, design))
            w = mix.ridge(design.gamma * (design.n + m))
            accuracy[row, column] = np.mean(split.y_test * (split.X_test @ w) > 0)
    return accuracy


def held_out_margins(
    reviews: Reviews, seed: np.random.SeedSequence, m: int, verifier: Verifier, design: AmazonSettings = AmazonSettings()
) -> np.ndarray:
    """Return the margins y w^T x of the held-out reviews of one random split, (tested,), at m synthetic samples.

    Parameters
    ----------
    reviews : Reviews
    seed : numpy.random.SeedSequence
        Of the split, which is that of `training_statistics`.
    m : int
    verifier : Verifier
    design : AmazonSettings
    """
    rng = np.random.default_rng(seed)
    split = _split(reviews, "held-out", rng, design.n)
    w = _mix(rng, split, split.generator(), *_drawn_labels(rng, m, verifier, design)).ridge(design.gamma * (design.n + m))
    return split.y_test * (split.X_test @ w)


def training_statistics(
    reviews: Reviews, seed: np.random.SeedSequence, design: AmazonSettings = AmazonSettings()
) -> ClassStatistics:
    """Return the statistics for the self-fitted theory, from the training samples of the held-out `measure_split` of the same seed.

    Parameters
    ----------
    reviews : Reviews
    seed : SeedSequence
        Of the split.
    design : AmazonSettings
    """
    split = _split(reviews, "held-out", np.random.default_rng(seed), design.n)
    return class_statistics(split.X, split.y)


@dataclass(frozen=True)
class _Split:
    """Standardised training samples X (n, p), y (n,), test samples, and the mean mu (p,) of the generator."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    mu: np.ndarray

    def generator(self) -> Cloud:
        """The law of y x for a synthetic sample: mean mu, the covariance of the n training samples about y mu."""
        residuals = self.y[:, None] * self.X - self.mu
        return Cloud(self.mu, Factor.of(residuals.T @ residuals / len(residuals), len(self.mu)))


def _split(reviews: Reviews, protocol: Protocol, rng: np.random.Generator, n: int) -> _Split:
    from sklearn.preprocessing import StandardScaler

    X, y = reviews.X, reviews.y
    if protocol not in PROTOCOLS:
        raise BadInput(f"the protocol must be {' or '.join(PROTOCOLS)}, not {protocol!r}")
    if n >= len(X):
        raise BadInput(f"n must be below {len(X)}, the number of {reviews.name} reviews, not {n}")
    order = rng.permutation(len(X))
    train, rest = order[:n], order[n:]
    if protocol == "published":
        X = StandardScaler().fit_transform(X)
        mu = (X[y > 0].mean(axis=0) - X[y < 0].mean(axis=0)) / 2
        return _Split(X[train], y[train], X, y, mu)
    X = StandardScaler().fit(X[train]).transform(X)
    return _Split(X[train], y[train], X[rest], y[rest], y[train] @ X[train] / n)


def _drawn_labels(rng: np.random.Generator, m: int, verifier: Verifier, design: AmazonSettings) -> tuple[int, int]:
    """How many of m synthetic samples are kept with the right label, and with a wrong one."""
    kept = rng.binomial(m, verifier.alpha(design.epsilon))
    wrong = rng.binomial(kept, verifier.wrong(design.epsilon))
    return kept - wrong, wrong


def _mix(rng: np.random.Generator, split: _Split, generator: Cloud, right: int, wrong: int) -> TrainingSet:
    """The real samples, and `right` synthetic ones that are kept with the right label and `wrong` with a wrong one.

    The classifier sees a synthetic sample through x x^T and ytilde x alone, that is through y x and whether its label
    is right: the classes need not be drawn.
    """
    counts = [(count, sign) for count, sign in ((right, 1.0), (wrong, -1.0)) if count]
    return TrainingSet(
        columns=np.column_stack([split.X.T, *(generator.total(rng, count) for count, _ in counts)]),
        labels=np.array([*split.y, *(sign * np.sqrt(count) for count, sign in counts)]),
        scatter=(generator.scatter(rng, sum(count - 1 for count, _ in counts)),),
    )
