"""Generators of synthetic samples that are not Gaussian, fitted class by class: mixtures, copulas, interpolation.

Each has `fit(X, y, seed)`, and `sample(rng, per_class)`, which returns fresh samples class after class as `ClassGaussian` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr, ndtri

from ..support.errors import BadInput
from .class_gaussian import ClassGaussian


class ClassSampler(Protocol):
    """What every generator of labelled samples can do."""

    def sample(self, rng: np.random.Generator, per_class: int) -> tuple[np.ndarray, np.ndarray]:
        """Return fresh samples X (K per_class, p), y (K per_class,), class after class."""


@dataclass(frozen=True, eq=False)
class ClassMixtures:
    """A mixture of Gaussians with diagonal covariances for every class, fitted by scikit-learn.

    Attributes
    ----------
    labels : array (K,)
    weights : K arrays (J,)
    means, spreads : K arrays (J, p)
        Of the components; spreads are standard deviations.
    """

    labels: np.ndarray
    weights: tuple[np.ndarray, ...]
    means: tuple[np.ndarray, ...]
    spreads: tuple[np.ndarray, ...]

    @classmethod
    def fit(cls, X: np.ndarray, y: np.ndarray, seed: int = 0, components: int = 5) -> ClassMixtures:
        """Fit a mixture of `components` Gaussians to every class, from k-means that start at `seed`."""
        from sklearn.mixture import GaussianMixture

        labels = np.unique(y)
        found = [GaussianMixture(components, covariance_type="diag", random_state=seed).fit(X[y == label]) for label in labels]
        return cls(labels, tuple(one.weights_ for one in found), tuple(one.means_ for one in found),
                   tuple(np.sqrt(one.covariances_) for one in found))

    def sample(self, rng: np.random.Generator, per_class: int) -> tuple[np.ndarray, np.ndarray]:
        """Return fresh samples, as `ClassSampler.sample`."""
        X = []
        for weights, means, spreads in zip(self.weights, self.means, self.spreads, strict=True):
            which = rng.choice(len(weights), size=per_class, p=weights)
            X.append(means[which] + spreads[which] * rng.standard_normal((per_class, means.shape[1])))
        return np.concatenate(X), np.repeat(self.labels, per_class)


@dataclass(frozen=True, eq=False)
class ClassCopulas:
    """A Gaussian copula for every class: the features have their own empirical laws and depend on each other as Gaussians do.

    Attributes
    ----------
    sorted : K arrays (k, p)
        The samples of a class, every feature sorted for itself.
    scores : ClassGaussian
        Of the normal scores Phi^-1((rank - 1/2) / k), whose means are about 0; equal values share a rank. A feature's scores are divided
        by the spread that they have.
    """

    sorted: tuple[np.ndarray, ...]
    scores: ClassGaussian

    @classmethod
    def fit(cls, X: np.ndarray, y: np.ndarray, seed: int = 0) -> ClassCopulas:
        """Estimate the correlations of the normal scores of every class; `seed` is not used."""
        from scipy.stats import rankdata

        samples = [X[y == label] for label in np.unique(y)]
        scores = []
        for one in samples:
            z = ndtri((rankdata(one, axis=0) - 0.5) / len(one))
            spread = z.std(axis=0)
            scores.append(np.divide(z, spread, out=np.zeros_like(z), where=spread > 0))
        lengths = [len(one) for one in samples]
        return cls(tuple(np.sort(one, axis=0) for one in samples),
                   ClassGaussian.fit(np.concatenate(scores), np.repeat(np.unique(y), lengths)))

    def sample(self, rng: np.random.Generator, per_class: int) -> tuple[np.ndarray, np.ndarray]:
        """Return fresh samples, as `ClassSampler.sample`: every value is one that its feature has in the class."""
        z, y = self.scores.sample(rng, per_class)
        X = []
        for values, label in zip(self.sorted, self.scores.labels, strict=True):
            ranks = np.minimum((ndtr(z[y == label]) * len(values)).astype(int), len(values) - 1)
            X.append(np.take_along_axis(values, ranks, axis=0))
        return np.concatenate(X), y


@dataclass(frozen=True, eq=False)
class ClassInterpolation:
    """SMOTE of every class: points between a sample and one of its nearest neighbours, drawn by imbalanced-learn.

    Attributes
    ----------
    X, y : arrays (n, p), (n,)
        The samples that are interpolated.
    neighbours : int
    """

    X: np.ndarray
    y: np.ndarray
    neighbours: int = 5

    @classmethod
    def fit(cls, X: np.ndarray, y: np.ndarray, seed: int = 0) -> ClassInterpolation:
        """Keep the samples; `seed` is not used.

        Raises
        ------
        BadInput
            Where imbalanced-learn is not installed.
        """
        try:
            import imblearn  # noqa: F401
        except ImportError:
            raise BadInput("interpolation needs imbalanced-learn: pip install 'synthmix[generators]'") from None
        return cls(X, y)

    def sample(self, rng: np.random.Generator, per_class: int) -> tuple[np.ndarray, np.ndarray]:
        """Return fresh samples, as `ClassSampler.sample`."""
        from imblearn.over_sampling import SMOTE

        labels, counts = np.unique(self.y, return_counts=True)
        wanted = dict(zip(labels, counts + per_class, strict=True))
        seed = int(rng.integers(2**31))
        X, y = SMOTE(sampling_strategy=wanted, k_neighbors=self.neighbours, random_state=seed).fit_resample(self.X, self.y)
        return X[len(self.X) :], y[len(self.y) :]  # what is new lies behind, class after class
