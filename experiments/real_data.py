"""A classification task in the place of the theory's Gaussians: classes taken of it, features, splits into a pool and a test set.

From the pool real samples and those behind a generator are drawn; nothing else sees the test set. Features are centred and brought to a
common scale with the pool's numbers alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from math import prod
from typing import Literal

import numpy as np

from ..data.tasks import ClassificationTask, Folder, TaskSamples
from ..estimators.statistics import class_laws
from ..solvers.problem import Law
from ..support.errors import BadInput
from .tasks import task

Features = Literal["pixels", "relu", "halved"]
WORDS: dict[Features, str] = {"pixels": "pixels", "relu": "ReLU features", "halved": "halved images"}
SAMPLES = 5000  # of a class of the pool, at most, over which a prediction is averaged: of 10 x 1000 the error is 0.4 points
BARELY = 1e-3  # features whose standard deviation is below this share of the largest are left out
RELU_SCALE, RELU_BIAS = 3.0, 0.3


@dataclass(frozen=True, eq=False)
class Split:
    """A random split of real data into a pool and a test set.

    Attributes
    ----------
    X, y : arrays (k, p) and (k,)
        The pool: features, and classes from 0 to L - 1.
    X_test, y_test : arrays
        The test set.
    elliptical : bool
        Whether the residuals of a class have very different lengths, as those of texts do: the covariances are then estimated from their
        directions (`estimators.statistics.class_laws`).
    """

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    elliptical: bool = False

    @property
    def classes(self) -> int:
        """The number of classes, L."""
        return int(self.y.max()) + 1

    @cached_property
    def laws(self) -> tuple[Law, ...]:
        """The law of every class, estimated from the whole pool."""
        return class_laws(self.X, self.y, equal_lengths=self.elliptical)

    @cached_property
    def samples(self) -> tuple[np.ndarray, ...]:
        """Random samples of each class of the pool, at most SAMPLES, which stand for fresh samples."""
        order = np.random.default_rng(0).permutation(len(self.y))  # not the first: the files of MNIST begin with the easier ones
        return tuple(self.X[order[self.y[order] == k][:SAMPLES]] for k in range(self.classes))

    def draw(self, rng: np.random.Generator, counts: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Draw disjoint random subsets of the pool.

        Parameters
        ----------
        rng : numpy.random.Generator
        counts : sequence of int
            Samples of each class in each subset.

        Returns
        -------
        list of pairs
            X (L count, p) and y (L count,) of every subset, class after class.

        Raises
        ------
        BadInput
            Where the pool has not as many samples of a class.
        """
        orders = [rng.permutation(np.flatnonzero(self.y == k)) for k in range(self.classes)]
        least = min(map(len, orders))
        if least < sum(counts):
            raise BadInput(f"a class of the pool has only {least} samples, not {sum(counts)}")
        ends = np.cumsum([0, *counts])
        rows = [np.concatenate([order[i:j] for order in orders]) for i, j in pairwise(ends)]
        return [(self.X[one], self.y[one]) for one in rows]


@dataclass(frozen=True)
class RealData:
    """Classes of a classification task, seen through features.

    Attributes
    ----------
    name
        In records and legends.
    source
        The name of the task.
    digits
        The classes that are taken; none: all.
    features
        pixels: the features of the task as they are; relu: `size` random ReLU features of them (weights N(0, 9 / p), biases N(0, 0.09));
        halved: the pixels of images halved in height and width.
    size
        How many ReLU features.
    """

    name: str
    source: str
    digits: tuple[int, ...] = ()
    features: Features = "pixels"
    size: int = 300

    @property
    def task(self) -> ClassificationTask:
        """The task itself.

        Raises
        ------
        BadInput
            If there is none of this name.
        """
        return task(self.source)

    @property
    def pair(self) -> bool:
        """Whether two of more classes are taken."""
        return len(self.digits) == 2 < self.task.classes

    def splits(self, seed: int, count: int, folder: Folder = None) -> list[Split]:
        """Random splits into pool and test set, from `seed`: `count` of them, or one where the task has a public test set.

        A public test set need not be of the pool's kind (that of MNIST is a point easier for ten classes), so that its samples are
        divided anew with all others, as many tested as there. Of images, features that barely vary in the pool are left out. `seed` is
        also that of the ReLU features.

        Raises
        ------
        BadInput
            If the data are nowhere to be found (see `data.locate`).
        """
        found = self._chosen(self.task.load(folder))
        if found.test is not None:
            return [self._divided_anew(found, seed)]
        X, _ = self._features(found.X, found.X[:0], seed)
        return [_narrowed(self.task, *parts) for parts in _random_splits(X, found.y, seed, count, self.task.tested)]

    def published(self, seed: int = 0, folder: Folder = None) -> Split:
        """The pool and the test set of a task that are published; `seed` is that of ReLU features."""
        return self._public(self._chosen(self.task.load(folder)), seed)

    def redivided(self, seed: int, folder: Folder = None) -> Split:
        """A random split from `seed` of all samples, those of a public test set included; they are read once a process.

        No group of samples is in both the pool and the test set.

        Raises
        ------
        BadInput
            As `splits`.
        """
        found = _together(self, None if folder is None else os.fspath(folder))
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(found.y))
        if found.group is not None:
            return self._grouped(found, order, rng)
        tested = np.concatenate([np.flatnonzero(found.y[order] == k)[: self.task.tested] for k in np.unique(found.y)])
        test = np.zeros(len(found.y), dtype=bool)
        test[order[tested]] = True
        return _scaled(self.task, found.X[~test], found.y[~test], found.X[test], found.y[test])

    def _divided_anew(self, found: TaskSamples, seed: int) -> Split:
        """A random split of samples with a public test set, as many of each class tested as there."""
        X, y = np.concatenate([found.X, found.test.X]), np.concatenate([found.y, found.test.y])
        order = np.random.default_rng(seed).permutation(len(y))
        test = np.concatenate([order[y[order] == k][: np.sum(found.test.y == k)] for k in np.unique(y)])
        pool = np.setdiff1d(order, test)
        X_pool, X_test = self._features(X[pool], X[test], seed)
        return _narrowed(self.task, X_pool, y[pool], X_test, y[test])

    def _public(self, found: TaskSamples, seed: int) -> Split:
        """Pool and test set as they are published."""
        X, X_test = self._features(found.X, found.test.X, seed)
        return _narrowed(self.task, X, found.y, X_test, found.test.y)

    def _grouped(self, found: TaskSamples, order: np.ndarray, rng: np.random.Generator) -> Split:
        """The pool has one sample of each of its groups: those of one group are alike, and leave-one-out wants independent ones. As
        many samples of every class are tested."""
        X, y, group = found.X[order], found.y[order], found.group[order]
        tested = np.isin(group, rng.permutation(group.max() + 1)[: self.task.tested])
        pool = np.flatnonzero(~tested)
        pool = pool[np.unique(group[pool], return_index=True)[1]]
        least = np.bincount(y[tested]).min()
        test = np.concatenate([np.flatnonzero(tested & (y == k))[:least] for k in np.unique(y)])
        return _scaled(self.task, X[pool], y[pool], X[test], y[test])

    def _chosen(self, found: TaskSamples) -> TaskSamples:
        """Samples of the chosen classes only, which are numbered from 0."""
        which = np.array(sorted(self.digits)) if self.digits else np.unique(found.y)
        rows = np.isin(found.y, which)
        return TaskSamples(
            found.X[rows], np.searchsorted(which, found.y[rows]), None if found.group is None else found.group[rows],
            None if found.test is None else self._chosen(found.test),
        )  # fmt: skip

    def _features(self, X: np.ndarray, X_test: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        if self.features == "halved":
            if X.ndim < 3:
                raise BadInput(f"only images can be halved: {self.source} has none")
            X, X_test = (_halved(images) for images in (X, X_test))
        X, X_test = (samples.reshape(len(samples), prod(samples.shape[1:])) / self.task.white for samples in (X, X_test))
        return _relu(X, X_test, self.size, seed) if self.features == "relu" else (X, X_test)


@lru_cache(maxsize=4)
def _together(data: RealData, folder: str | None) -> TaskSamples:
    """All samples with their features, those of a public test set included: that is the easier part of MNIST."""
    found = data._chosen(data.task.load(folder))
    if found.test is not None:
        split = data._public(found, 0)
        return TaskSamples(np.concatenate([split.X, split.X_test]), np.concatenate([split.y, split.y_test]))
    return TaskSamples(data._features(found.X, found.X[:0], 0)[0], found.y, found.group)


def _halved(images: np.ndarray) -> np.ndarray:
    k, height, width = images.shape
    return images.reshape(k, height // 2, 2, width // 2, 2).mean(axis=(2, 4))


def _relu(X: np.ndarray, X_test: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((X.shape[1], size)) * (RELU_SCALE / np.sqrt(X.shape[1]))
    bias = RELU_BIAS * rng.standard_normal(size)
    return np.maximum(X @ weights + bias, 0), np.maximum(X_test @ weights + bias, 0)


def _scaled(of: ClassificationTask, X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> Split:
    """Features centred on the pool and brought to the task's scale there."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler(with_std=of.scale == "each").fit(X)
    X, X_test = scaler.transform(X), scaler.transform(X_test)
    scale = np.sqrt(X.var(axis=0).mean()) if of.scale == "together" else 1.0
    return Split(X / scale, y, X_test / scale, y_test, of.elliptical)


def _narrowed(of: ClassificationTask, X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> Split:
    """As `_scaled`, without those features that barely vary where all have one scale."""
    if of.scale == "each":
        return _scaled(of, X, y, X_test, y_test)
    variance = X.var(axis=0)
    kept = variance > BARELY**2 * variance.max()
    center, scale = X[:, kept].mean(axis=0), np.sqrt(variance[kept].mean())
    return Split((X[:, kept] - center) / scale, y, (X_test[:, kept] - center) / scale, y_test, of.elliptical)


def _random_splits(X: np.ndarray, y: np.ndarray, seed: int, count: int, test: int) -> list[tuple[np.ndarray, ...]]:
    """Pool X, y and test X, y, `test` of every class."""
    splits = []
    for child in np.random.SeedSequence(seed).spawn(count):
        rng = np.random.default_rng(child)
        tested = np.concatenate([rng.permutation(np.flatnonzero(y == k))[:test] for k in np.unique(y)])
        pool = np.setdiff1d(np.arange(len(y)), tested)
        splits.append((X[pool], y[pool], X[tested], y[tested]))
    return splits
