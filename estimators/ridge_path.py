"""The ridge of `estimators.ridge` at many alphas, from one eigendecomposition: scores of fresh samples, and of samples left out.

Leaving a training sample out divides its residual by 1 - h_i, h_i its leverage. Of samples that are left out together the residuals are
multiplied by the inverse of I - H, H their block of the hat matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..support.errors import NotConverged
from .ridge import Moments, RotatedSamples


@dataclass(frozen=True, eq=False)
class PrimalPath:
    """The ridge at many alphas from the eigenbasis of the centred second moment of p features, whatever the number of samples.

    Attributes
    ----------
    values : array (p,)
        The eigenvalues.
    basis : array (p, p)
        The eigenvectors, as columns.
    cross : array (p, L)
        sum_i c_i (x_i - mean) e_i^T in that basis.
    mean : array (p,)
        Of all weighted samples; 0 without an intercept.
    shares : array (L,)
        Of the labels; 0 without an intercept.
    total : float
        The sum of the weights; inf without an intercept.
    """

    values: np.ndarray
    basis: np.ndarray
    cross: np.ndarray
    mean: np.ndarray
    shares: np.ndarray
    total: float

    @classmethod
    def of(cls, moments: Moments, intercept: bool = True) -> PrimalPath:
        """Return the path of all training samples, from their moments.

        Parameters
        ----------
        moments : Moments
        intercept : bool
            Whether one is fitted, without a ridge.
        """
        centred = moments.centred(intercept)
        values, basis = np.linalg.eigh(centred.gram)
        return cls(np.maximum(values, 0), basis, basis.T @ centred.cross, centred.mean, centred.shares, centred.total)

    def scores(self, X: np.ndarray, alphas: Sequence[float]) -> Iterator[np.ndarray]:
        """Yield the scores (k, L) of samples X (k, p) for every alpha."""
        turned = (X - self.mean) @ self.basis
        for alpha in alphas:
            yield self.shares + turned @ (self.cross / (self.values + alpha)[:, None])

    def left_out(
        self, X: np.ndarray, codes: np.ndarray, weights: np.ndarray, alphas: Sequence[float], groups: np.ndarray | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the left-out and the fitted scores, (n, L) each, for every alpha.

        Parameters
        ----------
        X : array (n, p)
            Samples that are among those the moments are of.
        codes, weights : arrays (n,)
            Their labels from 0 to L - 1, and their weights.
        alphas : sequence of float
        groups : array (n,), optional
            Samples of one group are left out together; by default each is alone.
        """
        turned = (X - self.mean) @ self.basis
        inverses = 1 / (self.values[:, None] + np.array(alphas))
        together = _blocks(groups)
        leverages = weights[:, None] * (1 / self.total + (turned * turned) @ inverses)
        labels = np.eye(len(self.shares))[codes]
        for inverse, leverage in zip(inverses.T, leverages.T, strict=True):
            fitted = self.shares + turned @ (self.cross * inverse[:, None])
            residuals = _divided(labels - fitted, 1 - leverage)
            for rows in together:
                hat = (1 / self.total + (turned[rows] * inverse) @ turned[rows].T) * weights[rows]
                residuals[rows] = np.linalg.solve(np.eye(len(rows)) - hat, (labels - fitted)[rows])
            yield labels - residuals, fitted


@dataclass(frozen=True, eq=False)
class DualPath:
    """The ridge at many alphas from the eigenbasis of the centred Gram matrix of k samples, for fewer samples than features.

    Residuals and 1 - leverage are then sums without cancellation, however small alpha.

    Attributes
    ----------
    samples : RotatedSamples
        Without the direction of the intercept.
    values : array (k - 1,)
        The eigenvalues of their Gram matrix; k of them without an intercept.
    vectors : array (k - 1, k - 1)
        Its eigenvectors, as columns.
    labels : array (k - 1, L)
        The labels in that basis.
    """

    samples: RotatedSamples
    values: np.ndarray
    vectors: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, codes: np.ndarray, classes: int, weights: np.ndarray, intercept: bool = True) -> DualPath:
        """Return the path of all training samples; arguments as of `RotatedSamples.of`, weights above 0."""
        samples = RotatedSamples.of(X, codes, classes, weights, intercept)
        values, vectors = np.linalg.eigh(samples.X @ samples.X.T)
        return cls(samples, np.maximum(values, 0), vectors, vectors.T @ samples.labels)

    @property
    def total(self) -> float:
        """The sum of the weights; inf without intercept."""
        return self.samples.total

    def scores(self, X: np.ndarray, alphas: Sequence[float]) -> Iterator[np.ndarray]:
        """Yield the scores (t, L) of samples X (t, p) for every alpha."""
        products = (X - self.samples.mean) @ self.samples.X.T @ self.vectors
        for alpha in alphas:
            yield self.samples.shares + products @ (self.labels / (self.values + alpha)[:, None])

    def left_out(
        self, X: np.ndarray, codes: np.ndarray, weights: np.ndarray, alphas: Sequence[float], groups: np.ndarray | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the left-out and the fitted scores, (n, L) each, for every alpha.

        Parameters
        ----------
        X : array (n, p)
            The first n training samples.
        codes, weights : arrays (n,)
            Their labels from 0 to L - 1, and their weights.
        alphas : sequence of float
        groups : array (n,), optional
            As in `PrimalPath.left_out`.
        """
        together = _blocks(groups)
        own, inverses = self.samples.back(self.vectors)[: len(X)], 1 / (self.values[:, None] + np.array(alphas))
        frees = (own * own) @ inverses
        roots, labels = np.sqrt(weights)[:, None], np.eye(self.labels.shape[1])[codes]
        for alpha, inverse, free in zip(alphas, inverses.T, frees.T, strict=True):
            residual = own @ (inverse[:, None] * self.labels)
            divided = _divided(residual, free)
            for rows in together:
                divided[rows] = np.linalg.solve((own[rows] * inverse) @ own[rows].T, residual[rows])
            yield labels - divided / roots, labels - alpha * residual / roots


def _blocks(groups: np.ndarray | None) -> list[np.ndarray]:
    """The rows of every group of more than one."""
    if groups is None:
        return []
    order = np.argsort(groups, kind="stable")
    found = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return [rows for rows in found if len(rows) > 1]


def _divided(residuals: np.ndarray, free: np.ndarray) -> np.ndarray:
    if free.min() <= 0:
        raise NotConverged("a real sample alone decides its own score, to the last digit: raise gamma")
    return residuals / free[:, None]
