"""The dense backend: covariances that do not commute. The formulas are those of the spectral one, the sums are traces."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from synthmix.solvers import kernels


def dense_point(
    sources: np.ndarray,
    labels: np.ndarray,
    gamma: float,
    N: float,
    covariances: list[np.ndarray],
    tests: list[np.ndarray],
    directions: np.ndarray,
    mixing: np.ndarray,
    errors: tuple[np.ndarray | None, ...] = (),
    intercept: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Solve one problem with dense p x p covariances.

    sources (K, 6); labels (A, K, 4); covariances K and tests T matrices (p, p); directions (D, p); mixing (K + T, D);
    errors: for each direction that is an estimate the covariance (p, p) of its error, whose part in its products is taken off.
    Sources that share one covariance (the same object) share its products.
    Returns q (K,), mean margins (T, A), variances (T, A) and the relative residual of the fixed point.
    """
    K, p = len(covariances), directions.shape[1]
    different = list({id(one): one for one in covariances}.values())
    which = [next(i for i, one in enumerate(different) if one is covariance) for covariance in covariances]
    q, s, d_s, pairs = np.empty(K), np.zeros(K), np.empty(K), np.empty((K, K))

    def loaded() -> tuple[np.ndarray, list[np.ndarray]]:
        x = gamma * np.eye(p)
        for weight, covariance in zip(np.bincount(which, s), different, strict=True):
            x += weight * covariance
        resolvent = cho_solve(cho_factor(x, lower=True, overwrite_a=True), np.eye(p), overwrite_b=True)
        return resolvent, [resolvent @ covariance for covariance in different]

    def traces(seen: list[np.ndarray]) -> np.ndarray:
        return np.array([np.trace(one) / N for one in seen])[which]

    q[:] = traces(loaded()[1])  # T(infinity), above the solution
    relative = previous = math.inf
    for _ in range(kernels._STEPS):
        kernels.weights(sources, q, s, d_s)
        resolvent, seen = loaded()
        own = np.array([[np.vdot(a, b.T) if i >= j else 0.0 for j, b in enumerate(seen)] for i, a in enumerate(seen)]) / N
        pairs[:] = (own + np.tril(own, -1).T)[np.ix_(which, which)]
        best = q.copy()
        relative = kernels.newton_step(q, traces(seen), pairs, d_s)
        # a trace of p eigenvalues is known to about p roundings, so the step that no longer helps is the last
        if relative <= kernels._ENOUGH or (relative >= previous and relative <= kernels.TOLERANCE * 0.01):
            break
        previous = relative
    q = best
    margins, variances = np.empty((len(tests), len(labels))), np.empty((len(tests), len(labels)))
    h, speed = np.empty(K), np.empty(K)
    base = directions @ resolvent @ directions.T
    for d, error in enumerate(errors):
        if error is not None:
            base[d, d] -= np.vdot(resolvent, error)
    products = _symmetric(mixing @ base @ mixing.T)
    half = resolvent @ directions.T
    for i, test in enumerate(tests):
        moved = resolvent @ test
        h[:] = np.array([np.vdot(one, moved.T) for one in seen])[which] / N
        kernels.dq_dt(sources, q, pairs, h, speed)
        along = test + sum(rate * covariance for rate, covariance in zip(np.bincount(which, d_s * speed), different, strict=True))
        turned = half.T @ along @ half
        if any(error is not None for error in errors):
            both = resolvent @ along @ resolvent
            for d, error in enumerate(errors):
                if error is not None:
                    turned[d, d] -= np.vdot(both, error)
        slopes = _symmetric(mixing @ turned @ mixing.T)
        for a, labelling in enumerate(labels):
            margins[i, a], variances[i, a] = kernels.respond(sources, labelling, q, speed, products, slopes, K + i, intercept)
    return q, margins, variances, relative


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((matrix + matrix.T) / 2)
