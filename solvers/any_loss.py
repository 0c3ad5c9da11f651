"""Problems, as lowering.py lowers them, solved for a loss other than the square one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..support.errors import BadInput, NotConverged
from . import convex, kernels, loss_side
from .lowering import Lowered, Matrices
from .problem import Problem
from .sample_covariance import SampleCovariance
from .solve import Solution

SQUARE = "square"


@dataclass(frozen=True)
class Loss:
    """A loss as the compiled functions know it.

    Attributes
    ----------
    name : str
        A name in `solvers.generated.losses.NAMES`.
    kind : int
        Its number there.
    threshold : float
        Where Huber's loss becomes linear.
    """

    name: str
    kind: int
    threshold: float

    @classmethod
    def of(cls, name: str, huber_threshold: float | None = None) -> Loss:
        """Return the loss of a name.

        Parameters
        ----------
        name : str
        huber_threshold : float, optional
            Of Huber's loss, 1 by default.

        Raises
        ------
        BadInput
            For an unknown loss, or a threshold that the loss does not have or that is not positive.
        """
        return cls(name, *loss_side.kind_of(name, huber_threshold))


SQUARE_LOSS = Loss.of(SQUARE)


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
            raise BadInput(f"source {source.name}: labels or keep decisions that depend on the sample leave no Gaussian samples: only "
                           "the square loss sees no more of them than mean and covariance: use loss='square'")


def solve(lowered: Lowered, loss: Loss) -> Solution:
    """Solve every point of lowered problems for a loss.

    Raises
    ------
    BadInput
        For sample covariances, or estimated means beside covariances that do not commute.
    NotConverged
        If a point has a residual above 1e-9.
    """
    grid, form, common = lowered.grid, lowered.form, (loss.kind, loss.threshold)
    (P, _, K, _), T = grid.labels.shape, len(form.tests)
    seen, residual = np.empty((P, K, convex.SEEN)), np.empty(P)
    margins, variances = np.empty((P, T)), np.empty((P, T))
    wrong = np.ascontiguousarray((1 - grid.labels[:, 0, :, kernels.LABEL]) / 2)
    if isinstance(form, Matrices):
        covariances, tests = _matrices(form.covariances), _matrices(form.tests)
        if any(form.estimates):
            raise BadInput("estimated means with covariances that do not commute are covered for the square loss only")
        for i in range(P):
            means = np.ascontiguousarray(grid.mixing[i] @ form.directions)
            residual[i] = convex.dense_point(*common, grid.sources[i], wrong[i], grid.gamma[i], covariances, tests, means,
                                             float(1 / grid.h[i]), seen[i], margins[i], variances[i])
    else:
        if not (form.eigenvalues.max(axis=1) > 0).all():
            raise BadInput("a covariance of 0 is covered for the square loss only")
        h = np.repeat(grid.h[:, None], form.eigenvalues.shape[1], axis=1)
        if P == 1:
            residual[0] = convex.spectral_point(*common, grid.sources[0], wrong[0], grid.gamma[0], form.eigenvalues, form.tests, h[0],
                                                form.means, grid.mixing[0], seen[0], margins[0], variances[0])
        else:
            convex.spectral_batch(*common, grid.sources, wrong, grid.gamma, form.eigenvalues, form.tests, h, form.means, grid.mixing, seen,
                                  margins, variances, residual)
    bad = ~((residual <= convex.TOLERANCE) & np.isfinite(margins).all(axis=1) & (variances >= 0).all(axis=1))
    if bad.any():
        raise NotConverged(f"{bad.sum()} of {P} points were not solved for the {loss.name} loss: residual {residual[bad][0]:.1e} where "
                           f"{convex.TOLERANCE:.0e} is wanted")
    return Solution(margins[..., None], variances[..., None], np.full((P, K), np.nan), seen[:, :, convex.LEVERAGE].copy(),
                    seen[:, :, convex.FIT].copy(), residual)


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
