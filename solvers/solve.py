"""Solve what was lowered: one backend for each form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..support.errors import NotConverged
from . import kernels
from .kernels import Found
from .lowering import Lowered, Matrices


@dataclass(frozen=True, eq=False)
class Solution:
    """The solved problems.

    Attributes
    ----------
    margins, variances : arrays (P, T, A)
        Mean and variance of the margin of a fresh sample, for every test law and labelling.
    q, delta, fit : arrays (P, K)
        The fixed point: q_k = (1/N) tr(C_k B) (nan for a loss other than the square one), the leverage of a left-out sample, and r tau q
        of the generator's fit (0 without one).
    residual : array (P,)
        Relative, of the fixed point.
    """

    margins: np.ndarray
    variances: np.ndarray
    q: np.ndarray
    delta: np.ndarray
    fit: np.ndarray
    residual: np.ndarray


FAINT_MARGIN = 1e-145  # the square of a smaller one, and so a variance of its size, lacks digits in floating point


def solve(lowered: Lowered, *, gaps: bool = False) -> Solution:
    """Solve every point.

    Parameters
    ----------
    lowered
        The problems, in the form that a backend takes.
    gaps
        Make a point that is not solved nan, instead of an error.

    Raises
    ------
    NotConverged
        If any point's fixed point is not solved to `kernels.TOLERANCE`, or its margins are no finite numbers.
    """
    grid, form = lowered.grid, lowered.form
    (P, A, K, _), T = grid.labels.shape, len(form.tests)
    found, residual = Found(np.empty((P, K)), np.empty((P, T, A)), np.empty((P, T, A))), np.empty(P)
    if isinstance(form, Matrices):
        from .dense import dense_point
        from .sampled import sampled_point

        backend = sampled_point if form.sampled else dense_point
        residual[:] = [backend(grid.point(i), form, found.of(i)) for i in range(P)]
    elif P == 1:
        point = kernels.isotropic_point if lowered.isotropic else kernels.spectral_point
        residual[0] = point(grid.point(0), form, found.of(0))
    else:
        batch = kernels.isotropic_batch if lowered.isotropic else kernels.spectral_batch
        batch(grid, form, found, residual)
    _check(residual, found, np.array([bool(np.any(c)) for c in form.tests]), gaps)
    delta = np.empty((P, K))
    kernels.deltas(grid, found.q, delta)
    c = grid.sources[..., kernels.WEIGHT]
    fit = grid.sources[..., kernels.FIT] * (grid.sources[..., kernels.THETA] * c / (1 + c * delta)) * found.q
    return Solution(found.margins, found.variances, found.q, delta, fit, residual)


def _check(residual: np.ndarray, found: Found, spreads: np.ndarray, gaps: bool) -> None:
    """Refuse what is not solved or beyond floating point; spreads (T,): whether a test law has any variance."""
    solved = residual <= kernels.TOLERANCE
    faint = (found.margins != 0) & (np.abs(found.margins) < FAINT_MARGIN) & (np.abs(found.variances) < FAINT_MARGIN**2) & spreads[:, None]
    told = np.isfinite(residual) & (np.isfinite(found.margins) & np.isfinite(found.variances) & ~faint).all(axis=(1, 2))
    missing = ~(solved & told)
    if gaps:
        for values in found:
            values[missing] = np.nan
        return
    if not missing.any():
        return
    unsolved = residual[told & ~solved]
    why = (f"relative residual {unsolved[0]:.1e} where {kernels.TOLERANCE:.0e} is wanted" if unsolved.size else
           "the values are beyond floating point; take less extreme values of mu, gamma, omega or the covariances")
    raise NotConverged(f"{np.count_nonzero(missing)} of {residual.size} points were not solved: {why}")
