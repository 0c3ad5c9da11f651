"""The loops around the generated formulas: Newton on the fixed point, then the response. Everything is compiled.

Both fixed points are standard interference maps (positive, increasing, concave), which gives each Newton its monotone safeguard:
the scalar residual is increasing and concave, so from below Newton never oversteps; the K equations q = T(q) have a concave T, so
from the supersolution T(infinity) Newton descends to the one positive solution.

The type of the point chooses the formulas of one source, `source_at` and `weight_at`: for a `Point` those of the theory. What has
other formulas is another type that registers its own with `overload` (`published.py`).

Array letters: P points, K sources, T tests, A labellings of the same samples, B mean vectors (of the sources, then of the tests),
D directions that the means are combinations of, L eigenvalues.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange, types
from numba.extending import overload

from .compiling import njit
from .generated import theory

TOLERANCE = 1e-12  # largest relative residual that is returned as a solution
ENOUGH = 4e-16  # relative residual at which Newton stops
STEPS = 400

# columns of `sources` (K, 5) and of `labels` (A, K, 4)
THETA, WEIGHT, FIT, BASE, MEAN_FITTED = range(5)
LABEL, SPREAD, BASE_LABEL, BASE_SPREAD = range(4)
SOURCE_COLUMNS = 5


class Spectrum(NamedTuple):
    """Covariances that commute, by their eigenvalues.

    Attributes
    ----------
    eigenvalues : array (K, L)
        Of every source.
    tests : array (T, L)
        Of every test law.
    means : array (D, D, L)
        Products of the directions within each eigenvalue.
    """

    eigenvalues: np.ndarray
    tests: np.ndarray
    means: np.ndarray


class Point(NamedTuple):
    """A problem on a spectrum.

    Attributes
    ----------
    sources : array (K, 5)
        THETA: theta = count/N; WEIGHT: c; FIT: r = N/n_hat, 0 without a fit; BASE: b, the weight with which the n_hat samples train,
        times n_hat/N; MEAN_FITTED: 1 where the mean is that of the n_hat samples, else 0.
    labels : array (A, K, 4)
        LABEL, SPREAD: mean and variance of the labels; BASE_LABEL, BASE_SPREAD: of those of the n_hat samples.
    gamma : float
    h : float
        How often each eigenvalue occurs, over N.
    mixing : array (B, D)
        The means of the sources, then of the tests, in the directions.
    intercept : bool
        Whether one is fitted.
    """

    sources: np.ndarray
    labels: np.ndarray
    gamma: float
    h: float
    mixing: np.ndarray
    intercept: bool


class Grid(NamedTuple):
    """P problems on a spectrum.

    Attributes
    ----------
    sources, labels, gamma, h, mixing
        Those of `Point`, each with a leading axis (P,).
    intercept : bool
        Whether one is fitted, at all points.
    """

    sources: np.ndarray
    labels: np.ndarray
    gamma: np.ndarray
    h: np.ndarray
    mixing: np.ndarray
    intercept: bool

    def point(self, i: int) -> Point:
        """Return the i-th point."""
        return Point(self.sources[i], self.labels[i], float(self.gamma[i]), float(self.h[i]), self.mixing[i], self.intercept)


class Found(NamedTuple):
    """Arrays into which a solution is written; those of a grid have a leading axis (P,).

    Attributes
    ----------
    q : array (K,)
        The fixed point, q_k = (1/N) tr(C_k B).
    margins, variances : arrays (T, A)
        Mean and variance of the margin of a fresh sample, for every test law and labelling.
    """

    q: np.ndarray
    margins: np.ndarray
    variances: np.ndarray

    def of(self, i: int) -> Found:
        """Return views of the arrays at the i-th point of a grid."""
        return Found(self.q[i], self.margins[i], self.variances[i])


def source_at(point, k, q):
    """Return delta, d_delta, kappa, d_kappa, s, d_s of the k-th source of a point at the trace q; slopes (d_) are in q."""
    raise NotImplementedError("compiled code only")


def weight_at(point, k, q):
    """Return s of the k-th source of a point at the trace q, its slope in q, and the slope that the response uses instead.

    The two slopes differ for the published formula only.
    """
    raise NotImplementedError("compiled code only")


def at(grid, i):
    """Return the i-th point of a grid."""
    raise NotImplementedError("compiled code only")


def is_form(given: object, form: type) -> bool:
    """Return whether a type that Numba hands to an `overload` is that of the named tuple `form`.

    Parameters
    ----------
    given : numba type
    form : type
        A subclass of NamedTuple.
    """
    return isinstance(given, types.BaseNamedTuple) and given.instance_class is form


@overload(source_at, inline="always")
def _source_at(point, k, q):
    if not is_form(point, Point):
        return None

    def theory_at(point, k, q):
        theta, c, r, b = point.sources[k, THETA], point.sources[k, WEIGHT], point.sources[k, FIT], point.sources[k, BASE]
        delta = theory.leave_one_out(theta, c, r, b, q)
        d_delta = theory.leave_one_out_slope(theta, c, r, b, q, delta)
        kappa, d_kappa = theory.second_moment_weight(theta, c, b, delta, d_delta)
        s, d_s = theory.covariance_weight(r, q, kappa, d_kappa)
        return delta, d_delta, kappa, d_kappa, s, d_s

    return theory_at


@overload(weight_at, inline="always")
def _weight_at(point, k, q):
    if not is_form(point, Point):
        return None

    def theory_at(point, k, q):
        _, _, _, _, s, d_s = source_at(point, k, q)
        return s, d_s, d_s

    return theory_at


@overload(at, inline="always")
def _at(grid, i):
    if not is_form(grid, Grid):
        return None

    def theory_at(grid, i):
        return Point(grid.sources[i], grid.labels[i], grid.gamma[i], grid.h[i], grid.mixing[i], grid.intercept)

    return theory_at


@njit(cache=True, error_model="numpy")
def factor(A):
    """Overwrite A (K, K) with its triangular factors (partial pivoting), and return the row that each pivot came from (K,)."""
    n = len(A)
    pivots = np.empty(n, np.int64)
    for i in range(n):
        pivot = i
        for j in range(i + 1, n):
            if abs(A[j, i]) > abs(A[pivot, i]):
                pivot = j
        pivots[i] = pivot
        if pivot != i:
            for j in range(n):
                A[i, j], A[pivot, j] = A[pivot, j], A[i, j]
        for j in range(i + 1, n):
            A[j, i] /= A[i, i]
            for k in range(i + 1, n):
                A[j, k] -= A[j, i] * A[i, k]
    return pivots


@njit(cache=True, error_model="numpy")
def solve_factored(A, pivots, x):
    """Solve a system that `factor` has factored, in place: x (K,) is its right side, then its solution.

    Parameters
    ----------
    A : array (K, K)
        The triangular factors.
    pivots : int array (K,)
        The row that each pivot came from.
    x : array (K,)
    """
    n = x.size
    for i in range(n):
        x[i], x[pivots[i]] = x[pivots[i]], x[i]
    for i in range(n):
        for j in range(i):
            x[i] -= A[i, j] * x[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= A[i, j] * x[j]
        x[i] /= A[i, i]


@njit(cache=True, error_model="numpy")
def solve_small(A, x):
    """Solve A y = x in place by Gaussian elimination with partial pivoting: A (K, K) is overwritten, y is returned in x (K,)."""
    solve_factored(A, factor(A), x)


class Balance(NamedTuple):
    """The system of a mean classifier, the same for all labellings, factored.

    Attributes
    ----------
    factors : array (S, S)
        Of I + G T, bordered by the condition of the intercept where one is fitted; S = K or K + 1.
    pivots : array (S,)
        As of `factor`.
    total : float
        The sum of the weights T where an intercept is fitted, else 0.
    """

    factors: np.ndarray
    pivots: np.ndarray
    total: float


@njit(cache=True, error_model="numpy")
def factored_balance(products, T, intercept):
    """Return the factored `Balance` of (I + G T) residual + intercept = signal.

    A fitted intercept makes sum_k T_k residual_k = surplus (derivations/special/many_classes.py); without one, and where nothing is trained
    on, it is 0.

    Parameters
    ----------
    products : array (B, B)
        mean_a^T B mean_b; G is the part of the sources, (K, K).
    T : array (K,)
        Weight of each source's mean.
    intercept : bool
        Whether one is fitted.
    """
    K = T.size
    total = T.sum() if intercept else 0.0
    free = total > 0.0
    size = K + 1 if free else K
    A = np.zeros((size, size))
    for k in range(K):
        for j in range(K):
            A[k, j] = products[k, j] * T[j] + (1.0 if k == j else 0.0)
        if free:
            A[k, K], A[K, k] = 1.0, T[k] / total
    pivots = factor(A)
    return Balance(A, pivots, total)


@njit(cache=True, error_model="numpy")
def solve_balance(system, signal, surplus):
    """Solve a `Balance` in place, and return the intercept.

    Parameters
    ----------
    system : Balance
    signal : array (K,)
        Overwritten with the residual.
    surplus : float
        0, but for rates of change.
    """
    K = signal.size
    x = np.empty(system.pivots.size)
    x[:K] = signal
    if system.total > 0.0:
        x[K] = surplus / system.total
    solve_factored(system.factors, system.pivots, x)
    signal[:] = x[:K]
    return x[K] if system.total > 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def mean_weights(point, q):
    """Return T and dT/dq, arrays (K,): the weight of each source's mean at the solved fixed point q (K,)."""
    T, d_T = np.empty(q.size), np.empty(q.size)
    for k in range(q.size):
        _, _, kappa, d_kappa, s, d_s = source_at(point, k, q[k])
        if point.sources[k, MEAN_FITTED] > 0:
            T[k], d_T[k] = s, d_s
        else:
            T[k], d_T[k] = kappa, d_kappa
    return T, d_T


@njit(cache=True, error_model="numpy")
def signals(point, labels, q):
    """Return three arrays (K,): the mean label of every source, and the slopes in q of it and of the loss from label variance.

    Parameters
    ----------
    point : Point
    labels : array (K, 4)
        A labelling.
    q : array (K,)
        The solved fixed point.
    """
    K = q.size
    signal, d_signals, d_floors = np.empty(K), np.empty(K), np.empty(K)
    for k in range(K):
        source = point.sources[k]
        theta, c, r, b = source[THETA], source[WEIGHT], source[FIT], source[BASE]
        delta, d_delta, _, _, _, _ = source_at(point, k, q[k])
        share, d_share = theory.fitted_share(theta, c, b, delta, d_delta)
        signal[k], d_signals[k], d_floors[k] = theory.signal(
            theta, c, r, b, q[k], delta, d_delta, labels[k, LABEL], labels[k, SPREAD], labels[k, BASE_LABEL],
            labels[k, BASE_SPREAD], share, d_share
        )
    return signal, d_signals, d_floors


@njit(cache=True, error_model="numpy")
def balance(point, labels, q, products):
    """Return the mean classifier as weights and residuals of the sources.

    T times the residuals are its coefficients in B mu_1, ..., B mu_K.

    Parameters
    ----------
    point : Point
    labels : array (K, 4)
        A labelling.
    q : array (K,)
        The solved fixed point.
    products : array (B, B)
        mean_a^T B mean_b.

    Returns
    -------
    T, d_T, d_signals, d_floors, residual : arrays (K,)
        Weight of each source's mean and dT/dq; the slopes in q of its mean label and of the loss from label variance; its residual.
    intercept : float
        0 unless one is fitted.
    """
    T, d_T = mean_weights(point, q)
    residual, d_signals, d_floors = signals(point, labels, q)
    found = solve_balance(factored_balance(products, T, point.intercept), residual, 0.0)
    return T, d_T, d_signals, d_floors, residual, found


@njit(cache=True, error_model="numpy")
def margin_variance(T, d_T, d_signals, d_floors, residual, speed, slopes):
    """Return the variance of the margin of fresh samples of one covariance, whatever their mean.

    Parameters
    ----------
    T, d_T, d_signals, d_floors, residual
        From `balance`.
    speed, slopes
        As in `respond`.
    """
    variance = 0.0
    for k in range(T.size):
        variance += theory.loss_slope_term(residual[k], T[k], d_T[k], d_signals[k], d_floors[k], speed[k])
        for j in range(T.size):
            variance += T[k] * residual[k] * slopes[k, j] * T[j] * residual[j]
    return variance


@njit(cache=True, error_model="numpy")
def respond(point, labels, q, speed, products, slopes, test):
    """Return mean and variance of the margin of one test law and one labelling.

    Parameters
    ----------
    point : Point
    labels : array (K, 4)
        The labelling.
    q, speed : arrays (K,)
        The solved fixed point, and dq/dt, its response to the test covariance added t times to the resolvent.
    products, slopes : arrays (B, B)
        mean_a^T B mean_b, and minus its derivative in t.
    test : int
        The row of `products` that belongs to the mean of the test law.
    """
    T, d_T, d_signals, d_floors, residual, margin = balance(point, labels, q, products)
    for k in range(q.size):
        margin += products[test, k] * T[k] * residual[k]
    return margin, margin_variance(T, d_T, d_signals, d_floors, residual, speed, slopes)


@njit(cache=True, error_model="numpy")
def _isotropic_trace(point, scale, eta):
    """Solve for (1/N) tr B of covariances scale_k I by Newton within a bracket.

    Returns (1/N) tr B, sum_k scale_k s_k, sum_k scale_k^2 times the response's slopes of s_k, and the relative residual.
    """
    K = scale.size
    low, high = 0.0, eta / point.gamma
    load = 0.0
    for k in range(K):
        load += scale[k] * weight_at(point, k, 0.0)[0]
    trace = eta / (point.gamma + load)
    relative, previous, felt = math.inf, math.inf, 0.0
    for _ in range(STEPS):
        load = rise = felt = 0.0
        for k in range(K):
            s, d_s, response = weight_at(point, k, scale[k] * trace)
            load += scale[k] * s
            rise += scale[k] * scale[k] * d_s
            felt += scale[k] * scale[k] * response
        residual, slope = theory.isotropic_residual(point.gamma, eta, trace, load, rise)
        relative = abs(residual) / (trace * (point.gamma + load))
        if relative <= ENOUGH:
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
    return trace, load, felt, relative


@njit(cache=True, error_model="numpy")
def isotropic_point(point, spectrum, found):
    """Solve one isotropic problem into `found`, and return the relative residual.

    Parameters
    ----------
    point : Point
    spectrum : Spectrum
        With L = 1: C_k = scale_k I has the one eigenvalue scale_k.
    found : Found
    """
    q, eta = found.q, point.h
    scale, scale_test = spectrum.eigenvalues[:, 0], spectrum.tests[:, 0]
    K, (B, D) = q.size, point.mixing.shape
    trace, load, rise, relative = _isotropic_trace(point, scale, eta)
    x = point.gamma + load
    for k in range(K):
        q[k] = scale[k] * trace
    _, slope = theory.isotropic_residual(point.gamma, eta, trace, load, rise)
    speeds = np.empty(K)
    products, slopes = np.empty((B, B)), np.empty((B, B))
    for test in range(scale_test.size):
        along = -trace * scale_test[test] / slope
        moved = scale_test[test] + rise * along
        for k in range(K):
            speeds[k] = scale[k] * along
        for i in range(B):
            for j in range(i + 1):
                u = 0.0
                for a in range(D):
                    for b in range(D):
                        u += point.mixing[i, a] * spectrum.means[a, b, 0] * point.mixing[j, b]
                products[i, j] = products[j, i] = theory.product_term(u, x)
                slopes[i, j] = slopes[j, i] = theory.product_slope_term(u, moved, x)
        for a in range(point.labels.shape[0]):
            found.margins[test, a], found.variances[test, a] = respond(point, point.labels[a], q, speeds, products, slopes, K + test)
    return relative


@njit(cache=True, error_model="numpy")
def newton_step(q, traces, pairs, d_s):
    """Take one Newton step on q = T(q) in place, and return the relative residual that q had before.

    Parameters
    ----------
    q : array (K,)
    traces : array (K,)
        T(q).
    pairs : array (K, K)
        (1/N) tr(C_k B C_l B), so that I + pairs diag(d_s) is the Jacobian of q - T(q).
    d_s : array (K,)
        ds/dq.
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
def solve_speed(d_s, pairs, h, speed):
    """Solve (I + pairs diag(d_s)) speed = -h for speed = dq/dt (K,), in place, by implicit differentiation of q = T(q).

    Parameters
    ----------
    d_s : array (K,)
        ds/dq.
    pairs : array (K, K)
        (1/N) tr(C_k B C_l B).
    h : array (K,)
        (1/N) tr(C_k B C_test B).
    speed : array (K,)
        Overwritten.
    """
    K = d_s.size
    A = np.empty((K, K))
    for k in range(K):
        speed[k] = -h[k]
        for j in range(K):
            A[k, j] = pairs[k, j] * d_s[j] + (1.0 if k == j else 0.0)
    solve_small(A, speed)


@njit(cache=True, error_model="numpy")
def _first_alike(rows):
    """Return the index of the first row that equals each of the rows (K, L), as an array (K,): classes often share a covariance."""
    K, L = rows.shape
    first = np.arange(K)
    for k in range(K):
        for i in range(k):
            j = 0
            while first[i] == i and j < L and rows[i, j] == rows[k, j]:
                j += 1
            if j == L:
                first[k] = i
                break
    return first


@njit(cache=True, error_model="numpy")
def _spectral_sums(point, s, eigenvalues, first, traces, pairs):
    """Fill traces (K,) and pairs (K, K) at the weights s; only those of covariances that differ (`_first_alike`) are summed."""
    K, L = eigenvalues.shape
    traces[:] = 0.0
    pairs[:] = 0.0
    for j in range(L):
        x = point.gamma
        for k in range(K):
            x += s[k] * eigenvalues[k, j]
        for k in range(K):
            if first[k] == k:
                traces[k] += theory.trace_term(point.h, eigenvalues[k, j], x)
                for i in range(k + 1):
                    if first[i] == i:
                        pairs[k, i] += theory.pair_term(point.h, eigenvalues[k, j], eigenvalues[i, j], x)
    for k in range(K):
        traces[k] = traces[first[k]]
        for i in range(k + 1):
            pairs[k, i] = pairs[i, k] = pairs[max(first[k], first[i]), min(first[k], first[i])]


@njit(cache=True, error_model="numpy")
def _spectral_traces(point, eigenvalues, first, q, s, response, pairs):
    """Solve q = T(q), in place, with s, its slopes for the response (K,) and pairs (K, K) there; returns the relative residual."""
    K = q.size
    d_s, traces, best = np.empty(K), np.empty(K), np.empty(K)
    s[:] = 0.0
    _spectral_sums(point, s, eigenvalues, first, q, pairs)  # T(infinity), above the solution
    relative, previous = math.inf, math.inf
    for _ in range(STEPS):
        for k in range(K):
            s[k], d_s[k], response[k] = weight_at(point, k, q[k])
        _spectral_sums(point, s, eigenvalues, first, traces, pairs)
        best[:] = q
        relative = newton_step(q, traces, pairs, d_s)
        if relative <= ENOUGH or (relative >= previous and relative <= TOLERANCE * 0.01):
            break
        previous = relative
    q[:] = best
    return relative


@njit(cache=True, error_model="numpy")
def _spectral_speed(point, eigenvalues, first, test, s, d_s, pairs, speed):
    """Fill dq/dt (K,) of a test law with eigenvalues `test` (L,)."""
    K, L = eigenvalues.shape
    h = np.zeros(K)
    for j in range(L):
        x = point.gamma
        for k in range(K):
            x += s[k] * eigenvalues[k, j]
        for k in range(K):
            if first[k] == k:
                h[k] += theory.pair_term(point.h, eigenvalues[k, j], test[j], x)
    for k in range(K):
        h[k] = h[first[k]]
    solve_speed(d_s, pairs, h, speed)


@njit(cache=True, error_model="numpy")
def _spectral_products(point, spectrum, s, base):
    """Fill the products (D, D) of the directions with B."""
    K, L = spectrum.eigenvalues.shape
    base[:] = 0.0
    for j in range(L):
        x = point.gamma
        for k in range(K):
            x += s[k] * spectrum.eigenvalues[k, j]
        for d in range(len(base)):
            for b in range(d + 1):
                base[d, b] += theory.product_term(spectrum.means[d, b, j], x)
    mirror(base)


@njit(cache=True, error_model="numpy")
def _spectral_slopes(point, spectrum, test, s, d_s, speed, moved):
    """Fill minus the derivative in t of the products (D, D), of a test law with eigenvalues `test` (L,)."""
    K, L = spectrum.eigenvalues.shape
    moved[:] = 0.0
    for j in range(L):
        x, along = point.gamma, test[j]
        for k in range(K):
            x += s[k] * spectrum.eigenvalues[k, j]
            along += d_s[k] * speed[k] * spectrum.eigenvalues[k, j]
        for d in range(len(moved)):
            for b in range(d + 1):
                moved[d, b] += theory.product_slope_term(spectrum.means[d, b, j], along, x)
    mirror(moved)


@njit(cache=True, error_model="numpy")
def mirror(lower):
    """Fill the upper triangle of a square array from the lower one, in place."""
    for d in range(lower.shape[0]):
        for b in range(d):
            lower[b, d] = lower[d, b]


@njit(cache=True, error_model="numpy")
def mix(mixing, base, found):
    """Fill found (B, B) = mixing base mixing^T of mixing (B, D) and base (D, D)."""
    B, D = mixing.shape
    half = np.zeros((B, D))
    for i in range(B):
        for a in range(D):
            if mixing[i, a] != 0.0:
                half[i] += mixing[i, a] * base[a]
    for i in range(B):
        for j in range(B):
            total = 0.0
            for b in range(D):
                total += half[i, b] * mixing[j, b]
            found[i, j] = total


@njit(cache=True, error_model="numpy")
def spectral_point(point, spectrum, found):
    """Solve one problem whose covariances commute into `found`, and return the relative residual.

    Parameters
    ----------
    point : Point
    spectrum : Spectrum
    found : Found
    """
    eigenvalues, tests, q = spectrum.eigenvalues, spectrum.tests, found.q
    K, (B, D), tested = q.size, point.mixing.shape, tests.shape[0]
    first, first_test = _first_alike(eigenvalues), _first_alike(tests)
    s, d_s, pairs = np.empty(K), np.empty(K), np.empty((K, K))
    relative = _spectral_traces(point, eigenvalues, first, q, s, d_s, pairs)
    part, products = np.empty((D, D)), np.empty((B, B))
    _spectral_products(point, spectrum, s, part)
    mix(point.mixing, part, products)
    speed, slopes = np.empty((tested, K)), np.empty((tested, B, B))
    for test in range(tested):
        if first_test[test] == test:
            _spectral_speed(point, eigenvalues, first, tests[test], s, d_s, pairs, speed[test])
            _spectral_slopes(point, spectrum, tests[test], s, d_s, speed[test], part)
            mix(point.mixing, part, slopes[test])
    T, d_T = mean_weights(point, q)
    system = factored_balance(products, T, point.intercept)
    for a in range(point.labels.shape[0]):
        residual, d_signals, d_floors = signals(point, point.labels[a], q)
        intercept = solve_balance(system, residual, 0.0)
        for test in range(tested):
            margin = intercept
            for k in range(K):
                margin += products[K + test, k] * T[k] * residual[k]
            found.margins[test, a] = margin
            if first_test[test] == test:
                found.variances[test, a] = margin_variance(T, d_T, d_signals, d_floors, residual, speed[test], slopes[test])
            else:
                found.variances[test, a] = found.variances[first_test[test], a]
    return relative


@njit(cache=True, error_model="numpy", parallel=True)
def isotropic_batch(grid, spectrum, found, relative):
    """Solve a grid of isotropic problems in parallel: fills `found` and the relative residuals (P,).

    Parameters
    ----------
    grid : Grid
        Of P points.
    spectrum : Spectrum
        As of `isotropic_point`.
    found : Found
        Filled.
    relative : array (P,)
        Filled.
    """
    for i in prange(relative.size):
        relative[i] = isotropic_point(at(grid, i), spectrum, Found(found.q[i], found.margins[i], found.variances[i]))


@njit(cache=True, error_model="numpy", parallel=True)
def spectral_batch(grid, spectrum, found, relative):
    """Solve a grid of problems whose covariances commute in parallel: fills `found` and the relative residuals (P,).

    Parameters
    ----------
    grid : Grid
        Of P points.
    spectrum : Spectrum
        Of all points.
    found : Found
        Filled.
    relative : array (P,)
        Filled.
    """
    for i in prange(relative.size):
        relative[i] = spectral_point(at(grid, i), spectrum, Found(found.q[i], found.margins[i], found.variances[i]))


@njit(cache=True, error_model="numpy")
def weights(point, q, s, d_s, response):
    """Fill, for every source, s (K,), its slope in q (K,) and the slope that the response uses instead (K,): see `weight_at`.

    Parameters
    ----------
    point : Point
    q : array (K,)
        The solution.
    s, d_s, response : arrays (K,)
        Filled.
    """
    for k in range(q.size):
        s[k], d_s[k], response[k] = weight_at(point, k, q[k])


@njit(cache=True, error_model="numpy")
def deltas(grid, q, delta):
    """Fill delta (P, K) of every source at the solution q (P, K)."""
    for i in range(q.shape[0]):
        point = at(grid, i)
        for k in range(q.shape[1]):
            delta[i, k] = source_at(point, k, q[i, k])[0]


@njit(cache=True, error_model="numpy")
def outcomes(margins, variances, accuracy, risk):
    """Fill accuracy and risk, arrays of the shape of margins and variances; without variance the sign decides, and w = 0 is a coin toss."""
    for i in range(margins.size):
        if variances.flat[i] == 0.0:
            accuracy.flat[i] = 0.5 + 0.5 * np.sign(margins.flat[i])
        else:
            accuracy.flat[i] = theory.accuracy(margins.flat[i], variances.flat[i])
        risk.flat[i] = theory.risk(margins.flat[i], variances.flat[i])
