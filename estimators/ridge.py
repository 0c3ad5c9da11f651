"""The one ridge classifier of everything that is measured.

It minimises sum_i c_i |e_i - b - W^T x_i|^2 + alpha |W|^2 over one-hot labels e_i, weights c_i and an intercept b that is free.
For two classes the difference of the two scores is the classifier of labels +-1. alpha is scikit-learn's ridge parameter,
gamma N in the paper, N = n + m the number of real and of generated samples before pruning.

The intercept is exact: the best b makes the scores at the weighted mean of the samples the shares of the labels, so W is the ridge
without intercept of what is left about that mean. Where there are fewer samples than features the dual system is solved.
`estimators.ridge_path` solves for many alphas at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..support.errors import BadInput, NotConverged


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """L scores that are linear in the features; the largest decides.

    Attributes
    ----------
    weights : array (p, L)
    base : array (L,)
        The scores at `center`.
    center : array (p,)
        From which features are counted: no digits are lost where they are far from the origin.
    """

    weights: np.ndarray
    base: np.ndarray
    center: np.ndarray

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return the scores (k, L) of samples X (k, p)."""
        return (X - self.center) @ self.weights + self.base

    @property
    def intercepts(self) -> np.ndarray:
        """The scores (L,) at the origin."""
        return self.base - self.center @ self.weights


@dataclass(frozen=True, eq=False)
class Moments:
    """The sums over labelled samples that determine their ridge classifier. Of samples far from the origin subtract the mean first.

    Attributes
    ----------
    counts : array (L,)
        The sum of the weights of every label.
    sums : array (L, p)
        The weighted sum of the samples of every label.
    gram : array (p, p)
        sum_i c_i x_i x_i^T.
    """

    counts: np.ndarray
    sums: np.ndarray
    gram: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, codes: np.ndarray, classes: int, weights: np.ndarray | None = None) -> Moments:
        """Return the moments of labelled samples.

        Parameters
        ----------
        X : array (k, p)
        codes : array (k,)
            Labels, from 0 to classes - 1.
        classes : int
        weights : array (k,), optional
            By default 1.
        """
        c = np.ones(len(X)) if weights is None else weights
        weighted = X * c[:, None]
        one_hot = np.zeros((classes, len(X)))
        one_hot[codes, np.arange(len(X))] = 1
        return cls(one_hot @ c, one_hot @ weighted, X.T @ weighted)

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both samples together."""
        return Moments(self.counts + other.counts, self.sums + other.sums, self.gram + other.gram)

    def weighted(self, omega: float) -> Moments:
        """Return the moments where every sample has omega times its weight."""
        return Moments(omega * self.counts, omega * self.sums, omega * self.gram)

    def centred(self, intercept: bool = True) -> CentredMoments:
        """Return the moments about the mean of the samples, or without an intercept about the origin."""
        if not intercept:
            return CentredMoments(self.gram, self.sums.T, np.zeros(len(self.gram)), np.zeros(len(self.counts)), np.inf)
        total = self.counts.sum()
        mean = self.sums.sum(axis=0) / total
        return CentredMoments(self.gram - total * np.outer(mean, mean), self.sums.T - np.outer(mean, self.counts), mean,
                              self.counts / total, total)


@dataclass(frozen=True, eq=False)
class CentredMoments:
    """Moments about the weighted mean of the samples: the sums that are left once the intercept is fitted.

    Attributes
    ----------
    gram : array (p, p)
        sum_i c_i (x_i - mean) (x_i - mean)^T.
    cross : array (p, L)
        sum_i c_i (x_i - mean) e_i^T.
    mean : array (p,)
        0 without an intercept.
    shares : array (L,)
        Of the labels, which are the scores at the mean; 0 without an intercept.
    total : float
        The sum of the weights; inf without an intercept, where no weight moves the scores at the mean.
    """

    gram: np.ndarray
    cross: np.ndarray
    mean: np.ndarray
    shares: np.ndarray
    total: float

    def solved(self, alpha: float) -> SolvedRidge:
        """Return the classifier at one alpha.

        Raises
        ------
        NotConverged
            Where the system is singular in floating point.
        """
        factor = _factor(self.gram, alpha)
        return SolvedRidge(LinearClassifier(cho_solve(factor, self.cross), self.shares, self.mean), factor, self.total)


@dataclass(frozen=True, eq=False)
class SolvedRidge:
    """A classifier together with its linear system, which says how it moves with the weights of its training samples.

    Attributes
    ----------
    classifier : LinearClassifier
    factor : tuple
        The Cholesky factor of the centred Gram matrix plus alpha I, as of `scipy.linalg.cho_factor`.
    total : float
        The sum of the weights; inf without an intercept.
    """

    classifier: LinearClassifier
    factor: tuple[np.ndarray, bool]
    total: float

    def response(self, X: np.ndarray, slope: np.ndarray, slope_of_base: float) -> np.ndarray:
        """Return how a function of one score moves with the weight of samples, per unit of their residual in that score, (k,).

        Parameters
        ----------
        X : array (k, p)
            The samples.
        slope : array (p,)
            Of the function in the weights of the score, about the origin.
        slope_of_base : float
            Of the function in the intercept of the score.
        """
        center = self.classifier.center
        return (X - center) @ cho_solve(self.factor, slope - slope_of_base * center) + slope_of_base / self.total


def ridge(
    X: np.ndarray, codes: np.ndarray, classes: int, alpha: float, weights: np.ndarray | None = None, *, intercept: bool = True
) -> LinearClassifier:
    """Fit the ridge classifier of labelled samples.

    Parameters
    ----------
    X : array (k, p)
    codes : array (k,)
        Labels, from 0 to classes - 1.
    classes : int
    alpha : float
        scikit-learn's ridge parameter.
    weights : array (k,), optional
        Of the samples, by default 1.
    intercept : bool
        Whether one is fitted; it is not penalised.

    Raises
    ------
    BadInput
        For weights of which none is above 0.
    NotConverged
        Where the system is singular in floating point.
    """
    c = np.ones(len(X)) if weights is None else np.asarray(weights, dtype=float)
    if not c.any():
        raise BadInput("a classifier needs a training sample with a weight above 0")
    shift = np.average(X, axis=0, weights=c) if intercept else np.zeros(X.shape[1])
    X = X - shift
    if len(X) > X.shape[1]:
        found = Moments.of(X, codes, classes, c).centred(intercept).solved(alpha).classifier
        return LinearClassifier(found.weights, found.base, shift + found.center)
    samples = RotatedSamples.of(X, codes, classes, c, intercept)
    kernel = samples.X @ samples.X.T
    W = samples.X.T @ cho_solve(_factor(kernel, alpha), samples.labels)
    return LinearClassifier(W, samples.shares, shift + samples.mean)


@dataclass(frozen=True, eq=False)
class RotatedSamples:
    """Weighted samples, rotated so that a ridge without intercept and weights fits them alike.

    The samples sqrt(c_i) (x_i - mean) have no part along sqrt(c). A reflection of the space of the samples that turns sqrt(c) into the
    first axis leaves k - 1 samples that are fitted without an intercept: nothing large stands for what is not penalised.

    Attributes
    ----------
    X : array (k - 1, p)
        k samples without an intercept.
    labels : array (k - 1, L)
        One-hot labels, turned alike.
    mean : array (p,)
        The weighted mean; 0 without an intercept.
    shares : array (L,)
        Of the labels; 0 without an intercept.
    total : float
        The sum of the weights; inf without an intercept.
    mirror : array (k,) or None
        The vector v of the reflection I - v v^T / |v_1|; None without an intercept, where nothing is turned.
    """

    X: np.ndarray
    labels: np.ndarray
    mean: np.ndarray
    shares: np.ndarray
    total: float
    mirror: np.ndarray | None

    @classmethod
    def of(cls, X: np.ndarray, codes: np.ndarray, classes: int, weights: np.ndarray, intercept: bool) -> RotatedSamples:
        """Return the rotated samples.

        Parameters
        ----------
        X : array (k, p)
        codes : array (k,)
            Labels, from 0 to classes - 1.
        classes : int
        weights : array (k,)
            At least one of them above 0.
        intercept : bool
            Whether one is fitted.
        """
        roots, one_hot = np.sqrt(weights)[:, None], np.eye(classes)[codes]
        if not intercept:
            return cls(roots * X, roots * one_hot, np.zeros(X.shape[1]), np.zeros(classes), np.inf, None)
        mean, shares = np.average(X, axis=0, weights=weights), np.average(one_hot, axis=0, weights=weights)
        mirror = roots[:, 0] / np.linalg.norm(roots)
        mirror[0] += 1.0 if mirror[0] >= 0 else -1.0
        turned = (_reflected(mirror, roots * values)[1:] for values in (X - mean, one_hot))
        return cls(*turned, mean, shares, float(weights.sum()), mirror)

    def back(self, columns: np.ndarray) -> np.ndarray:
        """Return columns (k, j) with one entry a sample from columns (k - 1, j) with one entry a turned sample."""
        return columns if self.mirror is None else _reflected(self.mirror, np.pad(columns, ((1, 0), (0, 0))))


def _reflected(mirror: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return columns - np.outer(mirror / abs(mirror[0]), mirror @ columns)


def _factor(gram: np.ndarray, alpha: float) -> tuple[np.ndarray, bool]:
    system = gram.copy()
    system[np.diag_indices_from(system)] += alpha
    try:
        return cho_factor(system, lower=True, overwrite_a=True)
    except LinAlgError:
        raise NotConverged("the ridge is singular in floating point: raise gamma") from None
