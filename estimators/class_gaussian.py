"""The generator of figures 5 and 7: a Gaussian for every class, with the class's own estimated mean and covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..support.errors import BadInput
from ..support.threads import one_thread


@dataclass(frozen=True, eq=False)
class ClassGaussian:
    """A Gaussian law for every class: x ~ N(means[i], roots[i]^T roots[i]) for a sample of the class labels[i].

    Attributes
    ----------
    labels : array (K,)
        The classes, ascending.
    means : array (K, p)
    roots : tuple of K arrays (r, p), or None
        r is at most p; None where every covariance is the identity.
    """

    labels: np.ndarray
    means: np.ndarray
    roots: tuple[np.ndarray, ...] | None

    @classmethod
    def fit(cls, X: np.ndarray, y: np.ndarray, per_class: int | None = None, identity: bool = False) -> ClassGaussian:
        """Estimate mean and covariance of every class.

        The covariance is X_c^T X_c / k for the k centred samples X_c, so X_c / sqrt(k) is a root of it: no p x p matrix is
        formed where there are fewer samples than dimensions, and nothing has to be positive definite.

        Parameters
        ----------
        X : array (n, p)
        y : array (n,)
            Labels.
        per_class : int, optional
            Only the first so many samples of each class are used; by default all.
        identity : bool
            Estimate the means only; the covariance is I (one grey level, for pixels from 0 to 255).

        Raises
        ------
        BadInput
            For shapes that do not match, or a class with fewer samples than asked for.
        """
        if X.ndim != 2 or y.shape != (len(X),) or not len(X):
            raise BadInput(f"features (n, p) with n labels are needed, not shapes {X.shape} and {y.shape}")
        if per_class is not None and per_class < 1:
            raise BadInput(f"a class needs at least 1 sample to be estimated from, not {per_class}")
        labels, counts = np.unique(y, return_counts=True)
        if per_class is not None and counts.min() < per_class:
            raise BadInput(f"class {labels[counts.argmin()]} has only {counts.min()} samples, not {per_class}")
        samples = [np.asarray(X[y == label][:per_class], dtype=float) for label in labels]
        means = np.array([one.mean(axis=0) for one in samples])
        roots = None if identity else tuple(_root(one - mean) for one, mean in zip(samples, means, strict=True))
        return cls(labels, means, roots)

    def covariance(self, index: int) -> np.ndarray:
        """Return the covariance (p, p) of the class labels[index]."""
        return np.eye(self.means.shape[1]) if self.roots is None else self.roots[index].T @ self.roots[index]

    def sample(self, rng: np.random.Generator, per_class: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw fresh samples, class after class: X (K per_class, p), y (K per_class,).

        Nothing is clipped: where pixels must not be negative, np.maximum(X, 0) is the caller's step.

        Parameters
        ----------
        rng : numpy.random.Generator
        per_class : int
            How many samples of every class.
        """
        X = np.repeat(self.means, per_class, axis=0)
        if self.roots is None:
            X += rng.standard_normal(X.shape)
        else:
            X += np.concatenate([rng.standard_normal((per_class, len(root))) @ root for root in self.roots])
        return X, np.repeat(self.labels, per_class)


def _root(centred: np.ndarray) -> np.ndarray:
    """R (r, p) with R^T R the covariance of k centred samples (k, p); r is k, or where that is more the number of features that vary."""
    varying = centred.any(axis=0)
    scaled = centred[:, varying] / np.sqrt(len(centred))
    if len(scaled) > scaled.shape[1]:
        scaled = _symmetric_root(scaled.T @ scaled)
    root = np.zeros((len(scaled), len(varying)))
    root[:, varying] = scaled
    return root


def _symmetric_root(covariance: np.ndarray) -> np.ndarray:
    """Unlike other roots it is unique: a seed draws the same on every machine, up to rounding."""
    with one_thread():  # several threads gain nothing at this size, and lose much where the machine is busy
        values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
