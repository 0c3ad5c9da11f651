"""The data side of the theory of any convex loss: what left-out and fresh samples see of forces. It knows no loss.

Two forms with one contract, `see` and `fresh`: a spectrum (eigenvalues of covariances that commute; one of them, p times, where every
covariance is a multiple of the identity), and p x p matrices. The derivatives are those of Psi (derivations/losses/two_sides.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from .compiling import njit
from .generated import two_sides


class Spectral(NamedTuple):
    """Covariances that commute.

    Attributes
    ----------
    eigenvalues, tests : arrays (K, L) and (T, L)
        Of the sources and of the fresh samples.
    h : array (L,)
        Multiplicities over N.
    products : array (K + T, K + T, L)
        Products of the means within each eigenvalue, the sources' then the fresh samples'.
    """

    eigenvalues: np.ndarray
    tests: np.ndarray
    h: np.ndarray
    products: np.ndarray


class Dense(NamedTuple):
    """Covariances that do not commute.

    Attributes
    ----------
    covariances, tests : arrays (K, p, p) and (T, p, p)
        Of the sources and of the fresh samples.
    means : array (K + T, p)
        The sources', then the fresh samples'.
    N : array (1,)
        Normalisation of the sums.
    """

    covariances: np.ndarray
    tests: np.ndarray
    means: np.ndarray
    N: np.ndarray


def see(side, gamma, pulls, seen, slopes):
    """Fill the margins and leverages of left-out samples of the K sources, and their slopes.

    Parameters
    ----------
    side : Spectral or Dense
    gamma : float
    pulls : array (K, 3)
        Mean force, curvature and noise of each source.
    seen : array (K, 3)
        Filled: mean and variance of a left-out margin, and leverage.
    slopes : array (3 K, 3 K)
        Filled: of `seen` in `pulls`, both in C order.
    """
    raise NotImplementedError("compiled code only")


def fresh(side, gamma, pulls, margins, variances):
    """Fill mean and variance (T,) of the margins of fresh samples; arguments as of `see`."""
    raise NotImplementedError("compiled code only")


def load(side):
    """Return the trace (1/N) tr C_k of every source, (K,).

    Parameters
    ----------
    side : Spectral or Dense
    """
    raise NotImplementedError("compiled code only")


def square(side, k):
    """Return |mu_k|^2 of the k-th source.

    Parameters
    ----------
    side : Spectral or Dense
    k : int
    """
    raise NotImplementedError("compiled code only")


@overload(see)
def _see(side, gamma, pulls, seen, slopes):
    return _see_spectral if _is(side, Spectral) else _see_dense


@overload(fresh)
def _fresh(side, gamma, pulls, margins, variances):
    return _fresh_spectral if _is(side, Spectral) else _fresh_dense


@overload(load)
def _load(side):
    return _load_spectral if _is(side, Spectral) else _load_dense


@overload(square)
def _square(side, k):
    return _square_spectral if _is(side, Spectral) else _square_dense


def _is(side: object, form: type) -> bool:
    return isinstance(side, types.BaseNamedTuple) and side.instance_class is form


def _load_spectral(side):
    return np.sum(side.eigenvalues * side.h, axis=1)


def _square_spectral(side, k):
    return max(np.sum(side.products[k, k]), 0.0)  # unbiased estimates may be negative


def _see_spectral(side, gamma, pulls, seen, slopes):
    K, L = side.eigenvalues.shape
    seen[:] = 0.0
    slopes[:] = 0.0
    along = np.empty(K)
    for j in range(L):
        x, both = gamma, 0.0
        for k in range(K):
            x += pulls[k, 1] * side.eigenvalues[k, j]
            both += side.h[j] * pulls[k, 2] * side.eigenvalues[k, j]
            along[k] = 0.0
            for i in range(K):
                along[k] += side.products[k, i, j] * pulls[i, 0]
            both += pulls[k, 0] * along[k]
        for k in range(K):
            mean, variance, leverage = two_sides.seen_terms(side.h[j], side.eigenvalues[k, j], along[k], both, x)
            seen[k, 0] += mean
            seen[k, 1] += variance
            seen[k, 2] += leverage
            for i in range(K):
                part = two_sides.seen_slopes(side.h[j], side.eigenvalues[k, j], side.eigenvalues[i, j], along[k], along[i],
                                             side.products[k, i, j], both, x)
                slopes[3 * k, 3 * i] += part[0]
                slopes[3 * k, 3 * i + 1] += part[1]
                slopes[3 * k + 1, 3 * i] += part[2]
                slopes[3 * k + 1, 3 * i + 1] += part[3]
                slopes[3 * k + 1, 3 * i + 2] += part[4]
                slopes[3 * k + 2, 3 * i + 1] += part[5]


def _fresh_spectral(side, gamma, pulls, margins, variances):
    K, L = side.eigenvalues.shape
    margins[:] = 0.0
    variances[:] = 0.0
    for j in range(L):
        x, both = gamma, 0.0
        for k in range(K):
            x += pulls[k, 1] * side.eigenvalues[k, j]
            both += side.h[j] * pulls[k, 2] * side.eigenvalues[k, j]
            for i in range(K):
                both += pulls[k, 0] * side.products[k, i, j] * pulls[i, 0]
        for test in range(side.tests.shape[0]):
            along = 0.0
            for i in range(K):
                along += side.products[K + test, i, j] * pulls[i, 0]
            mean, variance, _ = two_sides.seen_terms(side.h[j], side.tests[test, j], along, both, x)
            margins[test] += mean
            variances[test] += variance


def _load_dense(side):
    K, p = side.covariances.shape[:2]
    traces = np.zeros(K)
    for k in range(K):
        for i in range(p):
            traces[k] += side.covariances[k, i, i] / side.N[0]
    return traces


def _square_dense(side, k):
    return np.dot(side.means[k], side.means[k])


@njit(cache=True, error_model="numpy")
def _resolvent(side, gamma, pulls):
    """B, and B C_k of every source."""
    K, p = side.covariances.shape[:2]
    x = np.zeros((p, p))
    for k in range(K):
        x += pulls[k, 1] * side.covariances[k]
    for i in range(p):
        x[i, i] += gamma
    B = np.linalg.inv(x)
    loaded = np.empty((K, p, p))
    for k in range(K):
        loaded[k] = np.dot(B, side.covariances[k])
    return B, loaded


def _see_dense(side, gamma, pulls, seen, slopes):
    K, p = side.covariances.shape[:2]
    N = side.N[0]
    B, loaded = _resolvent(side, gamma, pulls)
    M, noise = np.zeros(p), np.zeros((p, p))
    for k in range(K):
        M += pulls[k, 0] * side.means[k]
        noise += pulls[k, 2] * loaded[k]
    w = np.dot(B, M)
    turned, reach = np.empty((K, p)), np.empty((K, p))  # C_k w, B mu_k
    for k in range(K):
        turned[k] = np.dot(side.covariances[k], w)
        reach[k] = np.dot(B, side.means[k])
    for k in range(K):
        seen[k, 0] = np.dot(side.means[k], w)
        seen[k, 1] = np.dot(w, turned[k]) + np.sum(loaded[k] * noise.T) / N
        seen[k, 2] = np.trace(loaded[k]) / N
        bent = np.dot(B, turned[k])
        for i in range(K):
            both = np.dot(loaded[k], loaded[i])
            pair = np.trace(both) / N
            triple = (np.sum(both * noise.T) + np.sum(np.dot(loaded[i], loaded[k]) * noise.T)) / N
            slopes[3 * k, 3 * i] = np.dot(side.means[k], reach[i])
            slopes[3 * k, 3 * i + 1] = -np.dot(reach[k], turned[i])
            slopes[3 * k, 3 * i + 2] = 0.0
            slopes[3 * k + 1, 3 * i] = 2 * np.dot(reach[i], turned[k])
            slopes[3 * k + 1, 3 * i + 1] = -2 * np.dot(turned[i], bent) - triple
            slopes[3 * k + 1, 3 * i + 2] = pair
            slopes[3 * k + 2, 3 * i] = 0.0
            slopes[3 * k + 2, 3 * i + 1] = -pair
            slopes[3 * k + 2, 3 * i + 2] = 0.0


def _fresh_dense(side, gamma, pulls, margins, variances):
    K = side.covariances.shape[0]
    N = side.N[0]
    B, loaded = _resolvent(side, gamma, pulls)
    M, noise = np.zeros(B.shape[0]), np.zeros(B.shape)
    for k in range(K):
        M += pulls[k, 0] * side.means[k]
        noise += pulls[k, 2] * loaded[k]
    w = np.dot(B, M)
    for test in range(side.tests.shape[0]):
        margins[test] = np.dot(side.means[K + test], w)
        variances[test] = np.dot(w, np.dot(side.tests[test], w)) + np.sum(np.dot(B, side.tests[test]) * noise.T) / N
