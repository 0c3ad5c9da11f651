"""The law of a classifier over its training sets: its mean as a vector, and the covariance of its fluctuations around it.

Given a sample its scores are Gaussian whatever the law of the sample (derivations/special/given_samples.py), so the accuracy is known on
samples that are not Gaussian.

Array letters: K sources, C different covariances, D directions of the means, A scores, R labellings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from . import kernels
from .generated import theory
from .kernels import Point
from .lowering import Means, distinct_means, source_columns
from .problem import Covariance, Law, Problem


def pairs(A: int) -> list[tuple[int, int]]:
    """Return (i, i) and (i, j), i < j, of A scores: the labellings, by score i or by the sum of two, that polarisation needs."""
    return [(i, j) for i in range(A) for j in range(i, A)]


def polarised(squares: np.ndarray, A: int) -> np.ndarray:
    """Return the products (..., A, A) of a quadratic form of A scores from its squares (..., R) for the `pairs`."""
    found = np.empty((*squares.shape[:-1], A, A))
    alone = {i: row for row, (i, j) in enumerate(pairs(A)) if i == j}
    for row, (i, j) in enumerate(pairs(A)):
        both = squares[..., row] if i != j else 4 * squares[..., row]
        found[..., i, j] = found[..., j, i] = (both - squares[..., alone[i]] - squares[..., alone[j]]) / 2
    return found


def normal_share(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return the probability that Gaussians of these means and variances are above 0; without a variance 1, 0, or 1/2 on the edge."""
    spread = np.sqrt(np.maximum(variance, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, ndtr(mean / spread), (1 + np.sign(mean)) / 2)


@dataclass(frozen=True, eq=False)
class ClassifierLaw:
    """The mean classifier of a problem with A scores, and its fluctuations.

    The mean scores of x are (x - origin)^T B directions^T coefficients^T + intercepts.

    Attributes
    ----------
    resolvent : array (p, p)
        B.
    means : Means
        Of the sources, then of the test laws, from the origin.
    coefficients : array (A, D)
        Of the directions of `means` in every score.
    intercepts : array (A,)
    origin : array (p,)
        With an intercept the weighted average of the means: there the intercept does not move with the classifier.
    covariances : array (C, p, p)
    noises : array (C, A, A)
        Of B covariance B in the covariance between the scores of the classifier, less what the errors of estimated means have already
        added to the mean classifier: to be drawn around the scores of samples.
    """

    resolvent: np.ndarray
    means: Means
    coefficients: np.ndarray
    intercepts: np.ndarray
    origin: np.ndarray
    covariances: np.ndarray
    noises: np.ndarray

    @classmethod
    def of(cls, problem: Problem, tests: Sequence[Law], labels: np.ndarray, q: np.ndarray) -> ClassifierLaw:
        """Return the law of the classifier of a problem whose covariances are numbers or matrices.

        Parameters
        ----------
        problem : Problem
        tests : sequence of laws
            Of the samples that will be scored.
        labels : array (R, K, 4)
            As `kernels.Point` has them, a labelling for each of the `pairs` of the A scores.
        q : array (K,)
            The solved fixed point.
        """
        K, A = q.size, round((np.sqrt(8 * len(labels) + 1) - 1) / 2)
        means = distinct_means([*(source.law for source in problem.sources), *tests], problem.center)
        given = [source.law.covariance for source in problem.sources]
        different = list({id(one): one for one in (*given, *(one[0] for one in means.estimates if one))}.values())
        place = {id(one): i for i, one in enumerate(different)}
        which, covariances = np.array([place[id(one)] for one in given]), np.array([_matrix(one, problem.p) for one in different])
        columns = source_columns([source.numbers for source in problem.sources], np.array([problem.N]))[0]
        point = Point(columns, labels, problem.ridge.gamma, 1 / problem.N, np.empty((0, 0)), problem.intercept)
        s, d_s, response = np.empty((3, K))
        kernels.weights(point, q, s, d_s, response)
        loads = np.bincount(which, s, len(different))
        B = np.linalg.inv(problem.ridge.gamma * np.eye(problem.p) + np.tensordot(loads, covariances, axes=1))
        of_source = means.which[:K]
        G = np.ascontiguousarray(of_source @ _products(means, B) @ of_source.T)
        balanced = [kernels.balance(point, labelling, q, G) for labelling in labels]
        drawn = np.array([T * residual for T, _, _, _, residual, _ in balanced]) @ of_source
        noises = polarised(_noises(balanced, drawn, d_s, which, means, B, covariances, problem.N), A)
        alone = [row for row, (i, j) in enumerate(pairs(A)) if i == j]
        coefficients = drawn[alone]
        for d, estimate in enumerate(means.estimates):
            if estimate is not None:
                noises[place[id(estimate[0])]] -= np.outer(coefficients[:, d], coefficients[:, d]) / estimate[1]
        intercepts, origin, T = np.array([balanced[row][-1] for row in alone]), problem.center, balanced[0][0]
        if problem.intercept and T.any():
            offset = T @ of_source @ means.directions / T.sum()
            intercepts = intercepts + coefficients @ means.directions @ B @ offset
            origin, means = origin + offset, replace(means, directions=means.directions - offset)
        return cls(B, means, coefficients, intercepts, origin, covariances, noises)

    def scores(self, X: np.ndarray, test: int, left_out: float | None = None) -> np.ndarray:
        """Return the mean scores (k, A) of samples of one test law.

        Parameters
        ----------
        X : array (k, p)
        test : int
            Which of the test laws, from the last: -1 is the last.
        left_out : float, optional
            Where the mean of the law was estimated from these samples, their number: each is left out of it.
        """
        x = np.asarray(X, dtype=float) - self.origin
        seen = x @ self.resolvent @ self.means.directions.T
        if left_out:
            own = self.means.which[test].argmax()
            seen[:, own] = (left_out * seen[:, own] - _lengths(x @ self.resolvent, x.T)) / (left_out - 1)
        return seen @ self.coefficients.T + self.intercepts

    def fluctuations(self, z: np.ndarray) -> np.ndarray:
        """Return the covariance (k, A, A) of what is to be drawn around the mean scores of samples; never below 0.

        Parameters
        ----------
        z : array (k, p)
            The samples less the mean of their law.
        """
        turned = z @ self.resolvent
        return np.einsum("ck,cij->kij", [_lengths(turned @ one, turned.T) for one in self.covariances], self.noises)


def _noises(
    balanced: Sequence[tuple], drawn: np.ndarray, d_s: np.ndarray, which: np.ndarray, means: Means, B: np.ndarray,
    covariances: np.ndarray, N: float,
) -> np.ndarray:  # fmt: skip
    """The noise of each different covariance in every labelling, (C, R), from the transposed system of the fixed point."""
    seen = [B @ one for one in covariances]
    between = [_products(means, one @ B) for one in seen]
    traces = np.array([[np.vdot(one, other.T) for other in seen] for one in seen])[np.ix_(which, which)] / N
    slopes = np.empty((len(which), len(balanced)))
    for r, (T, d_T, d_signals, d_floors, residual, _) in enumerate(balanced):
        for k, c in enumerate(which):
            spread = drawn[r] @ between[c] @ drawn[r]
            slopes[k, r] = theory.loss_slope_term(residual[k], T[k], d_T[k], d_signals[k], d_floors[k], 1.0) + d_s[k] * spread
    of_sources = -np.linalg.solve(np.eye(len(which)) + d_s[:, None] * traces, slopes) / N
    return np.array([of_sources[which == c].sum(axis=0) for c in range(len(covariances))])


def _products(means: Means, between: np.ndarray) -> np.ndarray:
    """(D, D), the products of the directions through a matrix (p, p), less what the errors of the estimated ones add."""
    found = means.directions @ between @ means.directions.T
    for d, estimate in enumerate(means.estimates):
        if estimate is not None:
            found[d, d] -= np.vdot(between, _matrix(estimate[0], len(between))) / estimate[1]
    return found


def _lengths(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ji->i", rows, columns)


def _matrix(covariance: Covariance, p: int) -> np.ndarray:
    c = np.asarray(covariance, dtype=float)
    return c if c.ndim == 2 else np.diag(np.broadcast_to(c, (p,)))
