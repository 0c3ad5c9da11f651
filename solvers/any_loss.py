"""Problems, as predict.py lowers them to columns and a spectrum, solved for a loss other than the square one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthmix.solvers import convex, loss_side
from synthmix.solvers.problem import Problem
from synthmix.solvers.sample_covariance import SampleCovariance
from synthmix.support.errors import BadInput, NotConverged

if TYPE_CHECKING:
    from synthmix.solvers.predict import _Spectrum

SQUARE = "square"


@dataclass(frozen=True)
class Loss:
    """A loss by its number in the generated functions, and the threshold of Huber's."""

    name: str
    kind: int
    threshold: float

    @classmethod
    def of(cls, name: str, huber_threshold: float | None = None) -> Loss:
        """The loss of that name.

        Raises
        ------
        BadInput
            For an unknown loss, or a threshold that the loss does not have or that is not positive.
        """
        return cls(name, *loss_side.kind_of(name, huber_threshold))


@dataclass(frozen=True)
class Solved:
    """What left-out and fresh samples see at the fixed point of P problems.

    Attributes
    ----------
    margins, variances (P, T)
        Mean and variance of the margin of fresh samples.
    delta, fit (P, K)
        Leverage of a sample of each source, and r s q of its generator's fit (0 where its law is exact).
    residual (P,)
        The largest relative difference that one more round makes.
    """

    margins: np.ndarray
    variances: np.ndarray
    delta: np.ndarray
    fit: np.ndarray
    residual: np.ndarray


def check_covered(problem: Problem) -> None:
    """Raise unless the theory of any loss covers a problem.

    Raises
    ------
    BadInput
        For an intercept, or sources that are Gaussian in their first two moments only.
    """
    if problem.intercept:
        raise BadInput("an intercept is covered for the square loss only: use loss='square', or centre the samples")
    for source in problem.sources:
        if not source.gaussian:
            raise BadInput(f"source {source.name}: labels or verdicts that depend on the sample leave no Gaussian samples, of which only "
                           "the square loss sees no more than mean and covariance: use loss='square'")


def solve(
    loss: Loss, sources: np.ndarray, wrong: np.ndarray, gamma: np.ndarray, N: np.ndarray, p: np.ndarray, spectrum: _Spectrum,
    mixing: np.ndarray,
) -> Solved:  # fmt: skip
    """Solve P problems.

    Parameters
    ----------
    sources (P, K, 6), wrong (P, K)
        The columns of the sources, and their shares of wrong labels.
    gamma, N, p (P,)
        The regulariser, the normalisation of the sums, the dimension.
    spectrum, mixing (P, K + T, D)
        The covariances, and the means in the spectrum's directions.

    Raises
    ------
    BadInput
        For sample covariances, or estimated means beside covariances that do not commute.
    NotConverged
        If a point has a residual above 1e-9.
    """
    P, K, T = gamma.size, sources.shape[1], len(spectrum.tests)
    seen, residual = np.empty((P, K, convex.SEEN)), np.empty(P)
    margins, variances = np.empty((P, T)), np.empty((P, T))
    gamma = np.ascontiguousarray(gamma, dtype=float)
    common = (loss.kind, loss.threshold)
    if spectrum.directions is not None:
        covariances, tests = _matrices(spectrum.covariances), _matrices(spectrum.tests)
        if any(error is not None for error in spectrum.errors):
            raise BadInput("estimated means with covariances that do not commute are covered for the square loss only")
        for i in range(P):
            means = np.ascontiguousarray(mixing[i] @ spectrum.directions)
            residual[i] = convex.dense_point(*common, sources[i], wrong[i], gamma[i], covariances, tests, means, float(N[i]), seen[i],
                                             margins[i], variances[i])
    else:
        eigenvalues, tests = (np.array([np.atleast_1d(np.asarray(c, dtype=float)) for c in group])
                              for group in (spectrum.covariances, spectrum.tests))
        if spectrum.means is None:
            h, means = (p / N)[:, None], np.eye(mixing.shape[2])[:, :, None]
        else:
            h, means = np.repeat((1 / N)[:, None], spectrum.means.shape[2], axis=1), spectrum.means
        if not (eigenvalues.max(axis=1) > 0).all():
            raise BadInput("a covariance of 0 is covered for the square loss only")
        means, h, mixing = (np.ascontiguousarray(each, dtype=float) for each in (means, h, mixing))
        if P == 1:
            residual[0] = convex.spectral_point(*common, sources[0], wrong[0], gamma[0], eigenvalues, tests, h[0], means, mixing[0],
                                                seen[0], margins[0], variances[0])
        else:
            convex.spectral_batch(*common, sources, wrong, gamma, eigenvalues, tests, h, means, mixing, seen, margins, variances, residual)
    bad = ~((residual <= convex.TOLERANCE) & np.isfinite(margins).all(axis=1) & (variances >= 0).all(axis=1))
    if bad.any():
        raise NotConverged(f"{bad.sum()} of {P} points were not solved for the {loss.name} loss: residual {residual[bad][0]:.1e} where "
                           f"{convex.TOLERANCE:.0e} is wanted")
    return Solved(margins, variances, seen[:, :, convex.LEVERAGE].copy(), seen[:, :, convex.FIT].copy(), residual)


def _matrices(covariances: Iterable[object]) -> np.ndarray:
    """The covariances stacked.

    Raises
    ------
    BadInput
        For covariances that are known by samples.
    """
    if any(isinstance(covariance, SampleCovariance) for covariance in covariances):
        raise BadInput("covariances that are known by different samples are covered for the square loss only")
    return np.ascontiguousarray(np.stack([np.asarray(covariance, dtype=float) for covariance in covariances]))
