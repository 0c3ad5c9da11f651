"""The dense backend: covariances that do not commute. The formulas are those of the spectral one, the sums are traces."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from solvers import kernels


def dense_point(
    sources: np.ndarray,
    labels: np.ndarray,
    gamma: float,
    N: float,
    covariances: list[np.ndarray],
    tests: list[np.ndarray],
    directions: np.ndarray,
    mixing: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Solve one problem with dense p x p covariances.

    sources (K, 6); labels (A, K, 4); covariances K and tests T matrices (p, p); directions (D, p); mixing (K + T, D).
    Returns q (K,), mean margins (T, A), variances (T, A) and the relative residual of the fixed point.
    """
    K, p = len(covariances), directions.shape[1]
    q, s, d_s, pairs = np.empty(K), np.zeros(K), np.empty(K), np.empty((K, K))

    def loaded() -> tuple[np.ndarray, list[np.ndarray]]:
        x = gamma * np.eye(p)
        for weight, covariance in zip(s, covariances, strict=True):
            x += weight * covariance
        resolvent = cho_solve(cho_factor(x, lower=True, overwrite_a=True), np.eye(p), overwrite_b=True)
        return resolvent, [resolvent @ covariance for covariance in covariances]

    def traces(seen: list[np.ndarray]) -> np.ndarray:
        return np.array([np.trace(one) / N for one in seen])

    q[:] = traces(loaded()[1])  # T(infinity), above the solution
    relative = previous = math.inf
    for _ in range(kernels._STEPS):
        kernels.weights(sources, q, s, d_s)
        resolvent, seen = loaded()
        for k in range(K):
            for j in range(k + 1):
                pairs[k, j] = pairs[j, k] = np.sum(seen[k] * seen[j].T) / N
        best = q.copy()
        relative = kernels.newton_step(q, traces(seen), pairs, d_s)
        # a trace of p eigenvalues is known to about p roundings, so the step that no longer helps is the last
        if relative <= kernels._ENOUGH or (relative >= previous and relative <= kernels.TOLERANCE * 0.01):
            break
        previous = relative
    q = best
    margins, variances = np.empty((len(tests), len(labels))), np.empty((len(tests), len(labels)))
    h, speed = np.empty(K), np.empty(K)
    products = _symmetric(mixing @ directions @ resolvent @ directions.T @ mixing.T)
    for i, test in enumerate(tests):
        moved = resolvent @ test
        for k in range(K):
            h[k] = np.sum(seen[k] * moved.T) / N
        kernels.dq_dt(sources, q, pairs, h, speed)
        along = test + sum(weight * rate * covariance for weight, rate, covariance in zip(d_s, speed, covariances, strict=True))
        half = resolvent @ directions.T @ mixing.T
        slopes = _symmetric(half.T @ along @ half)
        for a, labelling in enumerate(labels):
            margins[i, a], variances[i, a] = kernels.respond(sources, labelling, q, speed, products, slopes, K + i)
    return q, margins, variances, relative


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((matrix + matrix.T) / 2)
