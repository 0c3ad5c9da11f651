"""Family trees of generators on real data: predicted from the pool's statistics, and measured on the test set.

Two classes are one law: that of the signed sample y x, y = 1 for the second class and -1 for the first. A real set of a tree is drawn from
the pool, a generated one from a Gaussian with the mean and the covariance of the signed samples of its parents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy.special import ndtr

from ..data.tasks import Folder
from ..estimators.statistics import shrunken_covariance
from ..sims.monte_carlo import Estimate
from ..solvers.problem import Generator, Ridge, Setting
from ..solvers.trees import SampleSet, Tree, generations, solve_tree
from ..support.errors import BadInput
from ..support.progress import bar
from ..support.workers import workers
from .real_data import RealData, Split

T = TypeVar("T")  # the samples of a set


@dataclass(frozen=True)
class ChainCase:
    """A data set with two classes, and a line of generators on it.

    Attributes
    ----------
    data : RealData
    n_hat : int
        Samples that every generator is fitted on.
    m : int
        Samples of the last generator, on which the classifier is trained.
    gamma : float
    trials, splits : int
        Trials of every tree on every one of so many random splits into pool and test set, over which the theory is averaged too.
    """

    data: RealData
    n_hat: int
    m: int
    gamma: float = 0.1
    trials: int = 5
    splits: int = 12

    def tree(self, depth: int, scheme: str, population: Population, n_hat: float | None = None) -> Tree:
        """Return the tree of so many generators, all of right labels, on a population; n_hat: in place of the case's own."""
        generator = Generator("independent", self.n_hat if n_hat is None else n_hat, estimate_mean=True)
        p, squares = len(population.eigenvalues), population.squares
        setting = Setting(0, self.m, p, np.sqrt(np.abs(squares)), 0.0, generator=generator, ridge=Ridge(self.gamma),
                          covariance=population.eigenvalues, mean_squares=squares)  # fmt: skip
        return generations(setting, depth, scheme)


@dataclass(frozen=True, eq=False)
class Population:
    """Mean and covariance of the signed samples of a pool, in the covariance's eigenbasis.

    Attributes
    ----------
    eigenvalues : array (p,)
    squares : array (p,)
        Squared coordinates of the mean, less what they owe to its error; sums over many are estimates.
    mean : array (p,)
        The mean's coordinates, of the pool.
    signed : array (k, p)
        The signed samples in that basis, which stand for fresh ones.
    """

    eigenvalues: np.ndarray
    squares: np.ndarray
    mean: np.ndarray
    signed: np.ndarray

    @classmethod
    def of(cls, split: Split) -> Population:
        """Return the population behind the pool of a split."""
        signed = signed_samples(split.X, split.y)
        mean = signed.mean(axis=0)
        C, _ = shrunken_covariance(signed - mean, equal_lengths=split.elliptical)
        values, basis = np.linalg.eigh(C)
        values, mean = np.maximum(values, 0), mean @ basis
        return cls(values, mean**2 - values / len(signed), mean, signed @ basis)

    @cached_property
    def _lengths(self) -> np.ndarray:
        return self.signed**2

    def accuracy(self, tree: Tree) -> tuple[float, float]:
        """Return the accuracy of a classifier trained on a tree: on fresh samples like those of the pool, and on Gaussian ones.

        The classifier is its mean, of the direction B mu, and Gaussian fluctuations around it. A sample is left out of the pool's mean.
        """
        solved, n, c = solve_tree(tree), len(self.signed), self.eigenvalues
        b = 1 / (tree.ridge.gamma + solved.roots[0] * c)
        scale = solved.mean_margin / float(self.squares @ b)
        scores = scale * (n * (self.signed @ (b * self.mean)) - self._lengths @ b) / (n - 1)
        shape = c * b**2
        moved = solved.variance - scale**2 * float(self.squares @ shape)
        share = (self.signed - self.mean) ** 2 @ shape / float(c @ shape)
        return float(np.mean(ndtr(scores / np.sqrt(moved * share)))), float(ndtr(solved.mean_margin / np.sqrt(solved.variance)))


def signed_samples(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return y x (k, p) of samples X (k, p) of the classes 0 and 1, y = -1 and 1.

    Raises
    ------
    BadInput
        For more classes.
    """
    if y.max() > 1:
        raise BadInput("a family tree on real data needs two classes")
    return np.where(y[:, None] == 1, X, -X)


def _of_one_length(split: Split) -> Split:
    """Samples whose lengths vary much, as those of texts do, brought to one length: that tells nothing of their direction."""
    if not split.elliptical:
        return split

    def scaled(X: np.ndarray) -> np.ndarray:
        lengths = np.linalg.norm(X, axis=1, keepdims=True)
        return X * np.sqrt(X.shape[1]) / np.where(lengths > 0, lengths, 1.0)

    return replace(split, X=scaled(split.X), X_test=scaled(split.X_test))


def grown(tree: Tree, real: Callable[[SampleSet], T], generated: Callable[[SampleSet, list[T]], T]) -> dict[str, T]:
    """Return the samples of every set of a tree that matters, by name.

    Parameters
    ----------
    tree : Tree
    real : function
        Of a real set to its samples.
    generated : function
        Of a generated set and the samples of its parents to its samples.
    """
    found: dict[str, T] = {}
    for each in tree.ancestors:
        found[each.name] = generated(each, [found[parent] for parent in each.parents]) if each.parents else real(each)
    return found


def parts_of(split: Split, tree: Tree, rng: np.random.Generator) -> Callable[[str], tuple[np.ndarray, np.ndarray]]:
    """Return the function from the name of a real set of a tree to its samples and classes: disjoint parts of the pool, balanced."""
    real = [each for each in tree.ancestors if not each.parents]
    parts = split.draw(rng, [round(each.count / split.classes) for each in real])
    return dict(zip((each.name for each in real), parts, strict=True)).__getitem__


def trial(split: Split, tree: Tree, rng: np.random.Generator) -> float:
    """Return the accuracy on the test set of a ridge classifier trained on one draw of a tree."""
    part = parts_of(split, tree, rng)

    def real(each: SampleSet) -> np.ndarray:
        return signed_samples(*part(each.name))

    def generated(each: SampleSet, parents: list[np.ndarray]) -> np.ndarray:
        union = np.concatenate(parents)
        mean = union.mean(axis=0)
        noise = rng.standard_normal((int(each.count), len(union)), dtype=np.float32)
        return mean + noise @ ((union - mean) / np.sqrt(len(union))).astype(np.float32)

    samples = grown(tree, real, generated)
    gram, moment = tree.ridge.gamma * tree.N * np.eye(split.X.shape[1]), np.zeros(split.X.shape[1])
    for each in tree.ancestors:
        if each.weight:
            gram += each.weight * samples[each.name].T @ samples[each.name]
            moment += each.weight * samples[each.name].sum(axis=0)
    right = signed_samples(split.X_test, split.y_test) @ np.linalg.solve(gram, moment) > 0
    return float(np.mean([right[split.y_test == k].mean() for k in (0, 1)]))


@dataclass(frozen=True)
class ChainPoint:
    """A tree on a data set, predicted and measured.

    Attributes
    ----------
    predicted, gaussian : float
        Accuracy on samples like the pool's, and on Gaussian ones.
    measured : Estimate
        Held-out accuracy, with the standard error of its means over the trials of every split.
    """

    predicted: float
    gaussian: float
    measured: Estimate


def predict_and_measure(
    case: ChainCase, places: Sequence[tuple[str, int]], seed: int, folder: Folder = None, jobs: int = 1, progress: bool = False
) -> tuple[dict[tuple[str, int], ChainPoint], Callable[[int, float], float]]:
    """Predict and measure a case for every scheme and depth; every trial has a seed of its own.

    Returns
    -------
    points : dict
        By (scheme, depth).
    predict : function
        Of a depth and a number n_hat of samples behind every generator to the accuracy that the theory gives the scheme `replace`;
        infinitely many: an exact generator.
    """
    dividing, trying = np.random.SeedSequence(seed).spawn(2)
    splits = [_of_one_length(case.data.redivided(int(each), folder)) for each in dividing.generate_state(case.splits)]
    populations = [Population.of(split) for split in splits]

    def predicted(depth: int, scheme: str, n_hat: float | None = None) -> np.ndarray:
        return np.mean([one.accuracy(case.tree(depth, scheme, one, n_hat)) for one in populations], axis=0)

    per = case.trials * len(splits)
    children = trying.spawn(len(places) * per)
    tasks = [(splits[i % len(splits)], case.tree(depth, scheme, populations[0]), np.random.default_rng(children[j * per + i]))
             for j, (scheme, depth) in enumerate(places) for i in range(per)]  # fmt: skip
    values: list[float] = []
    with workers(jobs, trial, threads=True) as work, bar(f"trials on {case.data.name}", progress) as show:
        for one in work(tasks):
            values.append(one)
            show(len(values), len(tasks))
    measured = np.reshape(values, (len(places), -1, len(splits))).mean(axis=1)  # trials of one split share their test samples
    points = {(scheme, depth): ChainPoint(*map(float, predicted(depth, scheme)), Estimate.of(row))
              for (scheme, depth), row in zip(places, measured, strict=True)}
    return points, lambda depth, n_hat: float(predicted(depth, "replace", n_hat)[0])
