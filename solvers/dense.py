"""The dense backend: covariances that do not commute. The formulas are those of the spectral one, the sums are traces."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from . import kernels
from .kernels import Found, Point
from .lowering import Matrices


def dense_point(point: Point, form: Matrices, found: Found) -> float:
    """Solve one problem with dense covariances into `found`; sources that share one covariance (the same object) share its products.

    Parameters
    ----------
    point : kernels.Point
    form : Matrices
        Covariances (p, p) and directions of the means.
    found : kernels.Found
        Where the solution is written.

    Returns
    -------
    float
        The relative residual of the fixed point.
    """
    gamma, h = point.gamma, point.h
    covariances, directions, q = form.covariances, form.directions, found.q
    K, p = len(covariances), directions.shape[1]
    different = list({id(one): one for one in covariances}.values())
    which = [next(i for i, one in enumerate(different) if one is covariance) for covariance in covariances]
    s, d_s, response, pairs = np.zeros(K), np.empty(K), np.empty(K), np.empty((K, K))

    def loaded() -> tuple[np.ndarray, list[np.ndarray]]:
        x = gamma * np.eye(p)
        for weight, covariance in zip(np.bincount(which, s), different, strict=True):
            x += weight * covariance
        resolvent = cho_solve(cho_factor(x, lower=True, overwrite_a=True), np.eye(p), overwrite_b=True)
        return resolvent, [resolvent @ covariance for covariance in different]

    def traces(seen: list[np.ndarray]) -> np.ndarray:
        return np.array([h * np.trace(one) for one in seen])[which]

    q[:] = traces(loaded()[1])  # T(infinity), above the solution
    relative = previous = math.inf
    for _ in range(kernels.STEPS):
        kernels.weights(point, q, s, d_s, response)
        resolvent, seen = loaded()
        own = np.array([[np.vdot(a, b.T) if i >= j else 0.0 for j, b in enumerate(seen)] for i, a in enumerate(seen)]) * h
        pairs[:] = (own + np.tril(own, -1).T)[np.ix_(which, which)]
        best = q.copy()
        relative = kernels.newton_step(q, traces(seen), pairs, d_s)
        # a trace of p eigenvalues is known to about p roundings, so the step that no longer helps is the last
        if relative <= kernels.ENOUGH or (relative >= previous and relative <= kernels.TOLERANCE * 0.01):
            break
        previous = relative
    q[:] = best
    _respond(point, form, found, _At(resolvent, seen, different, which, pairs, response))
    return relative


class _At(NamedTuple):
    """B, its products B C_k with the different covariances, the covariances, which of them every source has, pairs (K, K), ds/dq (K,)."""

    resolvent: np.ndarray
    seen: list[np.ndarray]
    different: list[np.ndarray]
    which: list[int]
    pairs: np.ndarray
    d_s: np.ndarray


def _respond(point: Point, form: Matrices, found: Found, at: _At) -> None:
    """Mean margins and variances from the solved fixed point, into `found`."""
    resolvent, directions, mixing, K = at.resolvent, form.directions, point.mixing, found.q.size
    speed = np.empty(K)
    errors = [one and one[0] / one[1] for one in form.estimates]
    base = directions @ resolvent @ directions.T
    for d, error in enumerate(errors):
        if error is not None:
            base[d, d] -= np.vdot(resolvent, error)
    products = _symmetric(mixing @ base @ mixing.T)
    half = resolvent @ directions.T
    for i, test in enumerate(form.tests):
        moved = resolvent @ test
        h = np.array([np.vdot(one, moved.T) for one in at.seen])[at.which] * point.h
        kernels.solve_speed(at.d_s, at.pairs, h, speed)
        rates = np.bincount(at.which, at.d_s * speed)
        along = test + sum(rate * covariance for rate, covariance in zip(rates, at.different, strict=True))
        turned = half.T @ along @ half
        if any(error is not None for error in errors):
            both = resolvent @ along @ resolvent
            for d, error in enumerate(errors):
                if error is not None:
                    turned[d, d] -= np.vdot(both, error)
        slopes = _symmetric(mixing @ turned @ mixing.T)
        for a, labelling in enumerate(point.labels):
            found.margins[i, a], found.variances[i, a] = kernels.respond(point, labelling, found.q, speed, products, slopes, K + i)


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((matrix + matrix.T) / 2)
