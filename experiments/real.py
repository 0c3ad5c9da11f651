"""Real data in the place of the theory's Gaussians: draw real samples, fit the generator, generate, prune, train, score held out.

Every data set becomes a `Split`: a pool, from which real samples and those behind a generator are drawn, and a test set that nothing
else sees. Features are centred and brought to a common scale with the pool's numbers alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

from ..data.sets import amazon, digits, mnist
from ..estimators.class_gaussian import ClassGaussian
from ..estimators.ridge import ridge
from ..estimators.statistics import class_laws
from ..sims.labels import label_and_prune
from ..sims.many_classes import LabelledSamples
from ..solvers.many_classes import ClassMixture, Scores, next_label_noise
from ..solvers.problem import NO_SUPERVISION, Generator, Law, Ridge, Verifier
from ..support.errors import BadInput

Features = Literal["pixels", "relu", "halved"]
WHITE = 255.0
SAMPLES = 1000  # of a class of the pool, over which a prediction is averaged
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
class Mix:
    """The numbers of one setting; wrong labels are the next class's.

    Attributes
    ----------
    n, m : int
        Real samples, and synthetic samples before pruning, of each class.
    generator : Generator
    verifier : Verifier
    epsilon : float
        Share of wrong labels before pruning.
    gamma : float
        The ridge gamma.
    """

    n: int
    m: int
    generator: Generator
    verifier: Verifier = NO_SUPERVISION
    epsilon: float = 0.3
    gamma: float = 0.1

    def mixture(self, laws: tuple[Law, ...]) -> ClassMixture:
        """Return the setting as the theory has it, with the laws of the classes."""
        L = len(laws)
        noise = next_label_noise(L, self.epsilon)
        return ClassMixture(laws, (self.n,) * L, (self.m,) * L, noise, self.verifier, self.generator, ridge=Ridge(self.gamma))


@dataclass(frozen=True)
class MeasuredAccuracy:
    """The accuracy of a trained classifier on the test set.

    Attributes
    ----------
    accuracy : float
        Averaged over the classes.
    gaussian : float
        The accuracy that there would be if the test scores of every class were jointly Gaussian with their mean and covariance.
    """

    accuracy: float
    gaussian: float


def trial(split: Split, mix: Mix, rng: np.random.Generator) -> MeasuredAccuracy:
    """Train on one random draw and score on the test set.

    Parameters
    ----------
    split : Split
    mix : Mix
    rng : numpy.random.Generator

    Raises
    ------
    BadInput
        For a pool that is too small, or an exact generator, which real data do not have.
    """
    if mix.generator.kind == "exact":
        raise BadInput("the law of real data is not known: use an independent or a self-fitted generator")
    self_fitted = mix.generator.kind == "self-fitted"
    (X, y), *others = split.draw(rng, [mix.n] if self_fitted or not mix.m else [mix.n, int(mix.generator.n_hat)])
    parts = [LabelledSamples(X, y, np.ones(len(X)))]
    if mix.m:
        fresh, classes = ClassGaussian.fit(*(others[0] if others else (X, y))).sample(rng, mix.m)
        labels, keep = label_and_prune(rng, classes, next_label_noise(split.classes, mix.epsilon), mix.verifier)
        parts.append(LabelledSamples(fresh[keep], labels[keep], np.ones(int(keep.sum()))))
    samples = LabelledSamples.joined(parts)
    N = split.classes * (mix.n + mix.m)
    classifier = ridge(samples.X, samples.labels, split.classes, mix.gamma * N, samples.weights)
    return _measure(classifier.scores(split.X_test), split.y_test)


def _measure(scores: np.ndarray, y: np.ndarray) -> MeasuredAccuracy:
    right, gaussian = [], []
    for k in range(scores.shape[1]):
        own = scores[y == k]
        right.append(np.mean(own.argmax(axis=1) == k))
        gaussian.append(Scores(own.mean(axis=0), np.cov(own.T)).probability_of_largest(k))
    return MeasuredAccuracy(float(np.mean(right)), float(np.mean(gaussian)))


def mnist_split(
    which: Sequence[int], features: Features, folder: str | os.PathLike[str] | None = None, *, size: int = 300, seed: int = 0
) -> Split:
    """Return some digits of MNIST; pool and test set are the public ones.

    Parameters
    ----------
    which : sequence of int
        The digits.
    features : str
        pixels: all 784; relu: `size` random ReLU features of them (weights N(0, 9 / 784), biases N(0, 0.09), from `seed`); halved: the 196
        pixels of the images halved in height and width.
    folder : path, optional
        With data, as for `data.locate`.
    size, seed : int
        Of the ReLU features.

    Raises
    ------
    BadInput
        If MNIST is nowhere to be found.
    """
    (X, y), (X_test, y_test) = (_digits_of(*mnist.load(part, folder), which) for part in ("train", "test"))
    if features == "halved":
        X, X_test = (_halved(images) for images in (X, X_test))
    X, X_test = (images.reshape(len(images), -1) / WHITE for images in (X, X_test))
    if features == "relu":
        X, X_test = _relu(X, X_test, size, seed)
    return _one_scale(X, y, X_test, y_test)


def digits_splits(
    seed: int, count: int, features: Features = "pixels", *, size: int = 200, test: int = 60, folder: str | os.PathLike[str] | None = None
) -> list[Split]:
    """Return random splits of scikit-learn's digits.

    Parameters
    ----------
    seed, count : int
        Of the splits.
    features : str
        pixels: all 64; relu: `size` random ReLU features of them as in `mnist_split`, from `seed`.
    size : int
    test : int
        Test images of each class; the rest is the pool.
    folder : path, optional
        With data, as for `data.locate`.
    """
    images, y = digits.load(folder)
    X = images.reshape(len(images), -1) / images.max()
    if features == "relu":
        X, _ = _relu(X, X[:0], size, seed)
    return [_one_scale(*parts) for parts in _random_splits(X, y, seed, count, test)]


def amazon_splits(
    name: Literal["books", "elec", "kitchen"], seed: int, count: int, test: int = 300, folder: str | os.PathLike[str] | None = None
) -> list[Split]:
    """Return random splits of a set of Amazon reviews, 400 words; every feature is brought to variance 1 on the pool, as in figure 6.

    Parameters
    ----------
    name : str
        books, elec or kitchen.
    seed, count : int
        Of the splits.
    test : int
        Test reviews of each class; the rest is the pool.
    folder : path, optional
        With data, as for `data.locate`.
    """
    from sklearn.preprocessing import StandardScaler

    X, y = amazon.load(name, folder)
    splits = []
    for X_pool, y_pool, X_test, y_test in _random_splits(X, (y < 0).astype(int), seed, count, test):
        scaler = StandardScaler().fit(X_pool)
        splits.append(Split(scaler.transform(X_pool), y_pool, scaler.transform(X_test), y_test, elliptical=True))
    return splits


def _digits_of(images: np.ndarray, labels: np.ndarray, which: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    chosen = np.isin(labels, which)
    return images[chosen], np.searchsorted(sorted(which), labels[chosen])


def _halved(images: np.ndarray) -> np.ndarray:
    k, height, width = images.shape
    return images.reshape(k, height // 2, 2, width // 2, 2).mean(axis=(2, 4))


def _relu(X: np.ndarray, X_test: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((X.shape[1], size)) * (RELU_SCALE / np.sqrt(X.shape[1]))
    bias = RELU_BIAS * rng.standard_normal(size)
    return np.maximum(X @ weights + bias, 0), np.maximum(X_test @ weights + bias, 0)


def _one_scale(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> Split:
    """Centred, without features that barely vary, and with mean variance 1."""
    variance = X.var(axis=0)
    kept = variance > BARELY**2 * variance.max()
    center, scale = X[:, kept].mean(axis=0), np.sqrt(variance[kept].mean())
    return Split((X[:, kept] - center) / scale, y, (X_test[:, kept] - center) / scale, y_test)


def _random_splits(X: np.ndarray, y: np.ndarray, seed: int, count: int, test: int) -> list[tuple[np.ndarray, ...]]:
    """Pool X, y and test X, y, `test` of every class."""
    splits = []
    for child in np.random.SeedSequence(seed).spawn(count):
        rng = np.random.default_rng(child)
        tested = np.concatenate([rng.permutation(np.flatnonzero(y == k))[:test] for k in np.unique(y)])
        pool = np.setdiff1d(np.arange(len(y)), tested)
        splits.append((X[pool], y[pool], X[tested], y[tested]))
    return splits
