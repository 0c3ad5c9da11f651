"""The published formula, for comparison: grids of its own for the loops of `kernels.py`.

It differs from the theory in delta and its slope (derivations/published.py): alpha, the kept fraction, multiplies the trace that a
synthetic sample sees. Its predicted variance may be negative, which is impossible.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba.extending import overload

from . import kernels
from .generated import published, theory
from .kernels import BASE, FIT, THETA, WEIGHT, is_form


class PublishedPoint(NamedTuple):
    """A problem on a spectrum for the published formula.

    Attributes
    ----------
    sources, labels, gamma, h, mixing, intercept
        As of `kernels.Point`.
    alpha : array (K,)
        Kept fraction of each source.
    """

    sources: np.ndarray
    labels: np.ndarray
    gamma: float
    h: float
    mixing: np.ndarray
    intercept: bool
    alpha: np.ndarray


class PublishedGrid(NamedTuple):
    """P problems on a spectrum for the published formula.

    Attributes
    ----------
    sources, labels, gamma, h, mixing, intercept
        As of `kernels.Grid`.
    alpha : array (P, K)
        Kept fraction of each source.
    """

    sources: np.ndarray
    labels: np.ndarray
    gamma: np.ndarray
    h: np.ndarray
    mixing: np.ndarray
    intercept: bool
    alpha: np.ndarray

    def point(self, i: int) -> PublishedPoint:
        """Return the i-th point."""
        return PublishedPoint(self.sources[i], self.labels[i], float(self.gamma[i]), float(self.h[i]), self.mixing[i], self.intercept,
                              self.alpha[i])  # fmt: skip


@overload(kernels.source_at, inline="always")
def _source_at(point, k, q):
    if not is_form(point, PublishedPoint):
        return None

    def published_at(point, k, q):
        theta, c, r, b = point.sources[k, THETA], point.sources[k, WEIGHT], point.sources[k, FIT], point.sources[k, BASE]
        delta = published.leave_one_out(theta, c, r, q, point.alpha[k])
        d_delta = published.leave_one_out_slope(theta, c, r, q, delta)
        kappa, d_kappa = theory.second_moment_weight(theta, c, b, delta, d_delta)
        s, d_s = theory.covariance_weight(r, q, kappa, d_kappa)
        return delta, d_delta, kappa, d_kappa, s, d_s

    return published_at


@overload(kernels.weight_at, inline="always")
def _weight_at(point, k, q):
    if not is_form(point, PublishedPoint):
        return None

    def published_at(point, k, q):
        theta, c, r, b = point.sources[k, THETA], point.sources[k, WEIGHT], point.sources[k, FIT], point.sources[k, BASE]
        delta = published.leave_one_out(theta, c, r, q, point.alpha[k])
        kappa, d_kappa = theory.second_moment_weight(theta, c, b, delta, published.fixed_point_slope(theta, c, r, q, delta, point.alpha[k]))
        s, d_s = theory.covariance_weight(r, q, kappa, d_kappa)
        kappa, d_kappa = theory.second_moment_weight(theta, c, b, delta, published.leave_one_out_slope(theta, c, r, q, delta))
        return s, d_s, theory.covariance_weight(r, q, kappa, d_kappa)[1]

    return published_at


@overload(kernels.at, inline="always")
def _at(grid, i):
    if not is_form(grid, PublishedGrid):
        return None

    def published_at(grid, i):
        return PublishedPoint(grid.sources[i], grid.labels[i], grid.gamma[i], grid.h[i], grid.mixing[i], grid.intercept, grid.alpha[i])

    return published_at
