"""Random splits of a finite pool of real data: many splits, their mean, and how far to trust it.

The mean over R splits has two errors. Resampling: another R splits of the same pool would give another mean; this error vanishes as R
grows. The pool: other units in the pool would give another mean, however many splits there are. For the second every split says how its
accuracy would change with the weight of each unit, as a test sample and as a training sample; the mean over the splits is the influence
of that unit, and the variance is the sum of its squares (the infinitesimal jackknife of Jaeckel and Efron).

Where both sides of a comparison see the same splits, a theory whose statistics come from their training parts or a second classifier,
the pool's error is mostly common to both: then the error of the difference counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np

from ..support.errors import BadInput, number
from ..support.progress import bar
from ..support.workers import workers
from .ridge import SolvedRidge

Result = TypeVar("Result")


@dataclass(frozen=True)
class Design:
    """How many samples are trained on in every split.

    Attributes
    ----------
    n : int
        Samples with a true label.
    m : tuple of int
        Numbers of synthetic samples, before pruning, ascending.
    gamma : float
        The ridge gamma.
    least_test : int
        How many samples are left to test on, at least.
    """

    n: int
    m: tuple[int, ...]
    gamma: float = 1.0
    least_test: int = 50

    def __post_init__(self) -> None:
        number("n", self.n, 2)
        number("gamma", self.gamma, 0, open_low=True)
        if not self.m or min(self.m) < 0 or any(high <= low for low, high in pairwise(self.m)):
            raise BadInput("the numbers m of synthetic samples must be at least 0 and ascending")

    @property
    def proportion(self) -> np.ndarray:
        """The share of synthetic samples before pruning, m / (n + m), one for every m."""
        return np.array([m / (self.n + m) for m in self.m])

    @property
    def trained_on(self) -> int:
        """The number of samples of a split that may be trained on."""
        return self.n + self.m[-1]

    def filled(self, points: int) -> tuple[int, ...]:
        """Return the numbers m with others between them, at about `points` even steps of the proportion: for a curve without corners."""
        shares = np.linspace(self.proportion[0], self.proportion[-1], points)
        return tuple(sorted({*self.m, *(round(self.n * x / (1 - x)) for x in shares)}))


def through(m: Sequence[int], mean: np.ndarray, filled: Sequence[int], shape: np.ndarray) -> np.ndarray:
    """Return the curve through means over many splits that runs between them as the same theory does on some of the splits.

    What the others add is small and interpolated (a monotone cubic in the number of samples).

    Parameters
    ----------
    m, mean
        Numbers of samples, and the means there, (..., k).
    filled, shape
        Numbers of samples, m among them, and the theory on some splits, (..., l).
    """
    from scipy.interpolate import PchipInterpolator

    here = np.searchsorted(filled, m)
    if len(m) == 1:
        return shape + mean - shape[..., here]
    return shape + PchipInterpolator(m, mean - shape[..., here], axis=-1)(filled)


@dataclass(frozen=True, eq=False)
class Resamples:
    """Numbers measured on R random splits of one pool.

    Attributes
    ----------
    values : array (R, ...)
        The numbers of every split.
    influence : array (R, ..., units) or None
        How each number moves with the weight of every unit of the pool, where it is known.
    """

    values: np.ndarray
    influence: np.ndarray | None = None

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean over the splits."""
        return self.values.mean(axis=0)

    @cached_property
    def resampling_se(self) -> np.ndarray:
        """The standard error of the mean, given the pool."""
        return self.values.std(axis=0, ddof=1) / np.sqrt(len(self.values))

    @cached_property
    def se(self) -> np.ndarray:
        """The standard error of the mean, pool included (where the influence is known)."""
        if self.influence is None:
            return self.resampling_se
        units = self.influence.shape[-1]
        noise = self.influence.var(axis=0, ddof=1).sum(axis=-1) / len(self.values)  # of the mean influence: that of few splits is noisy
        pool = self.influence.mean(axis=0).var(axis=-1) * units - noise
        return np.sqrt(np.maximum(pool, 0) + self.resampling_se**2)

    def __getitem__(self, index: object) -> Resamples:
        """Return some of the numbers: the index leaves out the axis of the splits."""
        index = (slice(None), *(index if isinstance(index, tuple) else (index,)))
        return Resamples(self.values[index], None if self.influence is None else self.influence[index])

    def averaged(self) -> Resamples:
        """Return the average of the numbers, split by split."""
        axes = tuple(range(1, self.values.ndim))
        return Resamples(self.values.mean(axis=axes), None if self.influence is None else self.influence.mean(axis=axes))

    def __sub__(self, other: Resamples) -> Resamples:
        """Return the difference on the same splits."""
        known = self.influence is not None and other.influence is not None
        return Resamples(self.values - other.values, self.influence - other.influence if known else None)


@dataclass(frozen=True, eq=False)
class MeasuredClassifier:
    """A classifier of labels -1 and 1 on test samples, and how its accuracy moves with the weights of the samples.

    Attributes
    ----------
    margins : array (t,)
        The score of every test sample times its label.
    on_training : array (k,)
        The influence on the accuracy of the weight of every training sample.
    on_test : array (t,)
        The influence of the weight of every test sample.
    """

    margins: np.ndarray
    on_training: np.ndarray
    on_test: np.ndarray

    @property
    def accuracy(self) -> float:
        """The share of test samples that are classified right."""
        return float(np.mean(self.margins > 0))

    @classmethod
    def of(cls, solved: SolvedRidge, X: np.ndarray, labels: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> MeasuredClassifier:
        """Measure a solved ridge.

        The accuracy is Phi(mean / spread) of the margins as far as the classifier moves it, and the classifier moves with the weight of a
        training sample by what `SolvedRidge.response` says times its residual.

        Parameters
        ----------
        solved : SolvedRidge
        X, labels : arrays (k, p) and (k,)
            Its training samples, of weight 1, and the labels given to them.
        X_test, y_test : arrays (t, p) and (t,)
            Test samples and their true labels.
        """
        scores, fitted = (np.diff(solved.classifier.scores(rows))[:, 0] for rows in (X_test, X))
        margins = y_test * scores
        mean, spread = margins.mean(), margins.std()
        density = np.exp(-0.5 * (mean / spread) ** 2) / np.sqrt(2 * np.pi)
        # the derivative of Phi(mean / spread) in every margin
        slopes = density * (1 / spread - mean / spread**3 * (margins - mean)) / len(margins) * y_test
        right = margins > 0
        response = solved.response(X, slopes @ X_test, slopes.sum())
        return cls(margins, (labels - fitted) * response, (right - right.mean()) / len(right))


def resample(
    measure: Callable[[np.random.Generator, int], Result], count: int, *, seed: int, jobs: int = 1, progress: bool = False
) -> list[Result]:
    """Return the results of a measurement on random splits, in order.

    The number of workers, which are threads with one thread each for linear algebra or those of a cluster, changes nothing.

    Parameters
    ----------
    measure : callable
        Takes random numbers of its own, and the number of the split.
    count : int
        How many splits.
    seed : int
        Of all random numbers.
    jobs : int
        How many workers.
    progress : bool
        Whether to show a progress bar.
    """
    results: list[Result] = []
    seeds = np.random.SeedSequence(seed).spawn(count)
    with workers(jobs, measure, threads=True) as work, bar("resamples", progress) as show:
        for result in work((np.random.default_rng(child), r) for r, child in enumerate(seeds)):
            results.append(result)
            show(len(results), count)
    return results
