"""The loops around the generated formulas: Newton on the fixed point, then the response. Everything is compiled.

Both fixed points are standard interference maps (positive, increasing, concave), which gives each Newton its monotone safeguard:
the scalar residual is increasing and concave, so from below Newton never oversteps; the K equations q = T(q) have a concave T, so
from the supersolution T(infinity) Newton descends to the one positive solution.

Array letters: P points, K sources, T tests, A labellings of the same samples, B mean vectors (of the sources, then of the tests),
L eigenvalues.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from synthmix.solvers.generated import published, theory

TOLERANCE = 1e-12  # largest relative residual that is returned as a solution
_ENOUGH = 4e-16
_STEPS = 400

# columns of `sources`, (P, K, 6), and of `labels`, (P, A, K, 4)
THETA, WEIGHT, FIT, BASE, MEAN_FITTED, SLIP = range(6)
LABEL, SPREAD, BASE_LABEL, BASE_SPREAD = range(4)
SOURCE_COLUMNS, LABEL_COLUMNS = 6, 4


@njit(cache=True, error_model="numpy", inline="always")
def _source(source, q):
    """delta, d_delta, kappa, d_kappa, s, d_s of one source at q."""
    theta, c, r, b, slip = source[THETA], source[WEIGHT], source[FIT], source[BASE], source[SLIP]
    if slip == 1.0:
        delta = theory.leave_one_out(theta, c, r, b, q)
        d_delta = theory.leave_one_out_slope(theta, c, r, b, q, delta)
    else:
        delta = published.leave_one_out(theta, c, r, q, slip)
        d_delta = published.leave_one_out_slope(theta, c, r, q, delta)
    kappa, d_kappa = theory.second_moment_weight(theta, c, b, delta, d_delta)
    s, d_s = theory.covariance_weight(r, q, kappa, d_kappa)
    return delta, d_delta, kappa, d_kappa, s, d_s


@njit(cache=True, error_model="numpy")
def solve_small(A, x):
    """Solve A y = x in place (A and x are overwritten, y is returned in x); Gauss with partial pivoting."""
    n = x.size
    for i in range(n):
        pivot = i
        for j in range(i + 1, n):
            if abs(A[j, i]) > abs(A[pivot, i]):
                pivot = j
        if pivot != i:
            for j in range(n):
                A[i, j], A[pivot, j] = A[pivot, j], A[i, j]
            x[i], x[pivot] = x[pivot], x[i]
        for j in range(i + 1, n):
            factor = A[j, i] / A[i, i]
            for k in range(i + 1, n):
                A[j, k] -= factor * A[i, k]
            x[j] -= factor * x[i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= A[i, j] * x[j]
        x[i] /= A[i, i]


@njit(cache=True, error_model="numpy")
def solve_balance(products, T, signal, surplus, intercept):
    """Solve (I + G T) residual + intercept = signal in place (residual is returned in signal); returns the intercept.

    products (B, B), of which G is the part of the sources; T (K,), signal (K,). A fitted intercept makes sum_k T_k residual_k = surplus,
    which is 0 but for rates (derivations/special/many_classes.py); without one, and where nothing is trained on, it is 0.
    """
    K = T.size
    total = T.sum()
    free = intercept and total > 0.0
    size = K + 1 if free else K
    A, x = np.zeros((size, size)), np.zeros(size)
    for k in range(K):
        for j in range(K):
            A[k, j] = products[k, j] * T[j] + (1.0 if k == j else 0.0)
        if free:
            A[k, K], A[K, k] = 1.0, T[k] / total
        x[k] = signal[k]
    if free:
        x[K] = surplus / total
    solve_small(A, x)
    signal[:] = x[:K]
    return x[K] if free else 0.0


@njit(cache=True, error_model="numpy")
def balance(sources, labels, q, products, intercept):
    """Of every source: the weight T of its mean and dT/dq, the slopes of its mean label and of what its labels leave, its residual.

    sources (K, 6), labels (K, 4), q (K,), products (B, B). T times the residuals are the coefficients of the mean classifier in
    B mu_1, ..., B mu_K. Last comes the intercept, 0 unless one is fitted.
    """
    K = q.size
    T, d_T = np.empty(K), np.empty(K)
    residual, d_signals, d_floors = np.empty(K), np.empty(K), np.empty(K)
    for k in range(K):
        theta, c, r, b = sources[k, THETA], sources[k, WEIGHT], sources[k, FIT], sources[k, BASE]
        delta, d_delta, kappa, d_kappa, s, d_s = _source(sources[k], q[k])
        share, d_share = theory.fitted_share(theta, c, b, delta, d_delta)
        residual[k], d_signals[k], d_floors[k] = theory.signal(
            theta, c, r, b, q[k], delta, d_delta, labels[k, LABEL], labels[k, SPREAD], labels[k, BASE_LABEL],
            labels[k, BASE_SPREAD], share, d_share
        )
        if sources[k, MEAN_FITTED] > 0:
            T[k], d_T[k] = s, d_s
        else:
            T[k], d_T[k] = kappa, d_kappa
    found = solve_balance(products, T, residual, 0.0, intercept)
    return T, d_T, d_signals, d_floors, residual, found


@njit(cache=True, error_model="numpy")
def respond(sources, labels, q, speed, products, slopes, test, intercept):
    """Mean margin and variance of one test law and one labelling, from the solved fixed point.

    sources (K, 6), labels (K, 4), q (K,); speed (K,): dq/dt; products (B, B): mean_a^T B mean_b; slopes (B, B): minus their
    derivative in t; test: the row of `products` that holds the mean of the test law; intercept: whether one is fitted.
    """
    T, d_T, d_signals, d_floors, residual, margin = balance(sources, labels, q, products, intercept)
    variance = 0.0
    for k in range(q.size):
        margin += products[test, k] * T[k] * residual[k]
        variance += theory.loss_slope_term(residual[k], T[k], d_T[k], d_signals[k], d_floors[k], speed[k])
        for j in range(q.size):
            variance += T[k] * residual[k] * slopes[k, j] * T[j] * residual[j]
    return margin, variance


@njit(cache=True, error_model="numpy")
def isotropic_point(sources, labels, scale, scale_test, gamma, eta, q, margins, variances, coordinates, intercept):
    """One isotropic problem: C_k = scale_k I. Fills q (K,), margins and variances (T, A); returns
    the relative residual.

    coordinates (B, D): the means in an orthonormal basis of their span.
    """
    K, B, D = q.size, coordinates.shape[0], coordinates.shape[1]
    low, high = 0.0, eta / gamma
    load = 0.0
    for k in range(K):
        load += scale[k] * _source(sources[k], 0.0)[4]
    trace = eta / (gamma + load)
    relative, previous = math.inf, math.inf
    slope = rise = 0.0
    for _ in range(_STEPS):
        load = rise = 0.0
        for k in range(K):
            _, _, _, _, s, d_s = _source(sources[k], scale[k] * trace)
            load += scale[k] * s
            rise += scale[k] * scale[k] * d_s
        residual, slope = theory.isotropic_residual(gamma, eta, trace, load, rise)
        relative = abs(residual) / (trace * (gamma + load))
        if relative <= _ENOUGH:
            break
        if residual < 0:
            low = trace
        else:
            high = trace
        step = trace - residual / slope
        if not (low < step < high):  # the safeguard: never leaves the bracket
            step = math.sqrt(low * high) if low > 0 else 0.5 * high
        if step == trace or (relative >= previous and relative <= TOLERANCE * 0.01):
            break
        previous, trace = relative, step
    x = gamma + load
    speeds = np.empty(K)
    products, slopes = np.empty((B, B)), np.empty((B, B))
    for k in range(K):
        q[k] = scale[k] * trace
    for test in range(margins.shape[0]):
        along = -trace * scale_test[test] / slope
        moved = scale_test[test] + rise * along
        for k in range(K):
            speeds[k] = scale[k] * along
        for i in range(B):
            for j in range(B):
                u = 0.0
                for d in range(D):
                    u += coordinates[i, d] * coordinates[j, d]
                products[i, j] = theory.product_term(u, x)
                slopes[i, j] = theory.product_slope_term(u, moved, x)
        for a in range(labels.shape[0]):
            margins[test, a], variances[test, a] = respond(sources, labels[a], q, speeds, products, slopes, K + test,
                                                                intercept)
    return relative


@njit(cache=True, error_model="numpy")
def newton_step(q, traces, pairs, d_s):
    """One step of q = T(q) with traces = T(q), in place; returns the relative residual that q had.

    pairs (K, K): (1/N) tr(C_k B C_l B), so I + pairs diag(ds/dq) is the Jacobian.
    """
    K = q.size
    relative = 0.0
    A, step = np.empty((K, K)), np.empty(K)
    for k in range(K):
        step[k] = traces[k] - q[k]
        if q[k] > 0:
            relative = max(relative, abs(step[k]) / q[k])
        for j in range(K):
            A[k, j] = pairs[k, j] * d_s[j] + (1.0 if k == j else 0.0)
    solve_small(A, step)
    safe = True
    for k in range(K):
        if not q[k] + step[k] >= 0.0:
            safe = False
    for k in range(K):
        q[k] = q[k] + step[k] if safe else traces[k]  # the safeguard: the map itself, which is monotone
    return relative


@njit(cache=True, error_model="numpy")
def dq_dt(sources, q, pairs, h, speed):
    """dq/dt by implicit differentiation: (I + pairs diag(ds/dq)) dq/dt = -h, h_k = (1/N) tr(C_k B C_test B)."""
    K = q.size
    A = np.empty((K, K))
    for k in range(K):
        speed[k] = -h[k]
        for j in range(K):
            d_s = _source(sources[j], q[j])[5]
            A[k, j] = pairs[k, j] * d_s + (1.0 if k == j else 0.0)
    solve_small(A, speed)


@njit(cache=True, error_model="numpy")
def weights(sources, q, s, d_s):
    """s and ds/dq of every source at q, in place."""
    for k in range(q.size):
        _, _, _, _, s[k], d_s[k] = _source(sources[k], q[k])


@njit(cache=True, error_model="numpy")
def _spectral_sums(gamma, s, eigenvalues, h, traces, pairs):
    """traces (K,) and pairs (K, K) at the weights s; eigenvalues (K, L), h (L,) their multiplicities over N."""
    K, L = eigenvalues.shape
    traces[:] = 0.0
    pairs[:] = 0.0
    for j in range(L):
        x = gamma
        for k in range(K):
            x += s[k] * eigenvalues[k, j]
        for k in range(K):
            traces[k] += theory.trace_term(h[j], eigenvalues[k, j], x)
            for i in range(k + 1):
                pairs[k, i] += theory.pair_term(h[j], eigenvalues[k, j], eigenvalues[i, j], x)
    for k in range(K):
        for i in range(k):
            pairs[i, k] = pairs[k, i]


@njit(cache=True, error_model="numpy")
def spectral_point(sources, labels, gamma, eigenvalues, tests, h, means, mixing, q, margins, variances, intercept):
    """One problem whose covariances commute. Fills q (K,), margins and variances (T, A); returns
    the relative residual.

    eigenvalues (K, L), tests (T, L), h (L,); means (D, D, L): products of basis directions within each eigenvalue;
    mixing (B, D): the means of the sources, then of the tests, in those directions.
    """
    K, L = eigenvalues.shape
    B, D = mixing.shape
    s, d_s, traces, pairs = np.empty(K), np.empty(K), np.empty(K), np.empty((K, K))
    s[:] = 0.0
    _spectral_sums(gamma, s, eigenvalues, h, q, pairs)  # T(infinity), above the solution
    relative, previous = math.inf, math.inf
    best = q.copy()
    published, plain = bool(np.any(sources[:, SLIP] != 1.0)), False
    for _ in range(_STEPS):
        weights(sources, q, s, d_s)
        _spectral_sums(gamma, s, eigenvalues, h, traces, pairs)
        best[:] = q
        relative = newton_step(q, traces, pairs, d_s)
        if relative <= _ENOUGH or (relative >= previous and relative <= TOLERANCE * 0.01):
            break
        # the published slope is not that of its own map, so there Newton can cycle: then the map itself is iterated
        plain = plain or (published and relative > previous)
        if plain:
            q[:] = traces
        previous = relative
    q[:] = best
    speeds, hs = np.empty(K), np.empty(K)
    base, moved = np.empty((D, D)), np.empty((D, D))
    products, slopes = np.empty((B, B)), np.empty((B, B))
    for test in range(margins.shape[0]):
        hs[:] = 0.0
        for j in range(L):
            x = gamma
            for k in range(K):
                x += s[k] * eigenvalues[k, j]
            for k in range(K):
                hs[k] += theory.pair_term(h[j], eigenvalues[k, j], tests[test, j], x)
        dq_dt(sources, q, pairs, hs, speeds)
        base[:] = 0.0
        moved[:] = 0.0
        for j in range(L):
            x, along = gamma, tests[test, j]
            for k in range(K):
                x += s[k] * eigenvalues[k, j]
                along += d_s[k] * speeds[k] * eigenvalues[k, j]
            for d in range(D):
                for b in range(d + 1):
                    base[d, b] += theory.product_term(means[d, b, j], x)
                    moved[d, b] += theory.product_slope_term(means[d, b, j], along, x)
        for a in range(D):
            for b in range(a):
                base[b, a] = base[a, b]
                moved[b, a] = moved[a, b]
        for i in range(B):
            for j in range(B):
                u = v = 0.0
                for a in range(D):
                    for b in range(D):
                        u += mixing[i, a] * base[a, b] * mixing[j, b]
                        v += mixing[i, a] * moved[a, b] * mixing[j, b]
                products[i, j], slopes[i, j] = u, v
        for a in range(labels.shape[0]):
            margins[test, a], variances[test, a] = respond(sources, labels[a], q, speeds, products, slopes, K + test,
                                                                intercept)
    return relative


@njit(cache=True, error_model="numpy", parallel=True)
def isotropic_batch(sources, labels, scale, scale_test, gamma, eta, coordinates, q, margins, variances, relative, intercept):
    """Many isotropic problems: every array has a leading axis of points."""
    for i in prange(gamma.size):
        relative[i] = isotropic_point(sources[i], labels[i], scale[i], scale_test[i], gamma[i], eta[i], q[i], margins[i], variances[i],
                                      coordinates[i], intercept)


@njit(cache=True, error_model="numpy", parallel=True)
def spectral_batch(sources, labels, gamma, eigenvalues, tests, h, means, mixing, q, margins, variances, relative, intercept):
    """Many problems on one spectrum: sources, gamma, h, mixing and the results have a leading axis of points."""
    for i in prange(gamma.size):
        relative[i] = spectral_point(sources[i], labels[i], gamma[i], eigenvalues, tests, h[i], means, mixing[i], q[i], margins[i],
                                     variances[i], intercept)


@njit(cache=True, error_model="numpy")
def deltas(sources, q, delta):
    """delta of every source at the solution, in place; (P, K) arrays."""
    for i in range(q.shape[0]):
        for k in range(q.shape[1]):
            delta[i, k] = _source(sources[i, k], q[i, k])[0]


@njit(cache=True, error_model="numpy")
def outcomes(margins, variances, accuracy, risk):
    """Accuracy and risk of every margin and variance, in place; without variance the sign decides, and w = 0 is a coin toss."""
    for i in range(margins.size):
        if variances.flat[i] == 0.0:
            accuracy.flat[i] = 0.5 + 0.5 * np.sign(margins.flat[i])
        else:
            accuracy.flat[i] = theory.accuracy(margins.flat[i], variances.flat[i])
        risk.flat[i] = theory.risk(margins.flat[i], variances.flat[i])
