"""The fixed point of data side and loss side for any convex loss. It knows neither a spectrum nor a loss.

The unknowns are what left-out samples see: mean m and variance v of the margin, and leverage delta, of every node (`case.Case`).
One round takes what is seen to the forces (loss side), hands the forces of generated samples down to their base, and takes all of them to
what is seen (data side), with the Jacobian. Newton runs in m, log v and log delta; where it does not converge from a first guess, the fixed
point is followed from a heavy ridge, where it is known, down to gamma.

Array letters: K sources, J nodes (K, then one for each fitted source), T tests, P points.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from . import data_side, gathered, kernels, loss_side
from .case import heavy, posed, weight
from .compiling import njit
from .data_side import Dense, Spectral
from .generated import losses, two_sides

# columns of `seen`: mean and variance of a left-out margin, its leverage, and r s q of the generator's fit (0 where the law is exact)
MEAN, VARIANCE, LEVERAGE, FIT = range(4)
SEEN = 4
TOLERANCE = 1e-9  # largest residual that is returned as a solution
ROUND_OFF, SMOOTH_ROUND_OFF = 1e-14, 1e-12  # residual that Newton stops at; where integrals are not closed they round, too
_NEAR = 1e-6  # residual at which rough integrals have done their work
_STILL = 1e-11  # how far finer integrals may move a solution
_ON_PATH = 1e-4  # residual on the way down from a heavy ridge
_STRIDE = 2.0  # largest step of a logarithm
_FIRST_STEP, _LEAST_STEP, _MOST_STEPS = math.log(100.0), 1e-4, 400
_BACKTRACKS = 6


class Work(NamedTuple):
    """What one round fills.

    Attributes
    ----------
    pulls : array (K, 3)
        Mean force, curvature and noise of each source, with what its generated samples hand down.
    pull_slopes : array (3 K, 3 J)
        Their slopes in z.
    T : array (J, 3)
        What is seen after the round.
    slopes : array (3 J, 3 J)
        Its slopes in z.
    """

    pulls: np.ndarray
    pull_slopes: np.ndarray
    T: np.ndarray
    slopes: np.ndarray


@njit(cache=True, error_model="numpy")
def _round(case, gamma, z, level, work):
    """Go once from z (J, 3) through forces and spectrum, and fill `work`.

    Long, because the slopes of a fitted source run through its own forces and those of its base at once: every name is used again below.
    """
    kind, threshold, sources, wrong, child = case.kind, case.threshold, case.sources, case.wrong, case.child
    pulls, pull_slopes, T, slopes = work.pulls, work.pull_slopes, work.T, work.slopes
    K, J = sources.shape[0], z.shape[0]
    right_moments, wrong_moments = np.empty(loss_side.MOMENTS), np.empty(loss_side.MOMENTS)
    pull_slopes[:] = 0.0
    slopes[:] = 0.0
    for k in range(K):
        theta, c, r, b = sources[k, kernels.THETA], sources[k, kernels.WEIGHT], sources[k, kernels.FIT], sources[k, kernels.BASE]
        node = k if child[k] < 0 else child[k]
        own = loss_side.forces(kind, threshold, theta, c, wrong[k], z[node], level, right_moments, wrong_moments)
        if child[k] < 0:
            for i in range(3):
                pulls[k, i] = own[i]
                for j in range(3):
                    pull_slopes[3 * k + i, 3 * k + j] = own[3 + 3 * i + j]
            continue
        m, v, q, mean = z[k, 0], z[k, 1], z[k, 2], z[node, 0]
        fitted = sources[k, kernels.MEAN_FITTED]
        response, spread = 1.0, 0.0
        f = df = f2 = f_m = f_v = f_d = df_m = df_v = df_d = f2_m = f2_v = f2_d = 0.0
        inside = np.array(two_sides.base_input(m, v, q, own[0], own[1], own[2], mean, r, fitted))
        spread = inside[1]
        if b > 0:
            f, df, f2, f_m, f_v, f_d, df_m, df_v, df_d, f2_m, f2_v, f2_d = loss_side.forces(
                kind, threshold, 1.0, b * r, 0.0, inside, level, right_moments, wrong_moments)
            response, spread = right_moments[8], right_moments[9]
            df, df_m, df_v, df_d = -df, -df_m, -df_v, -df_d  # `forces` returns the curvature, E[-f']
        step = two_sides.base_step(m, v, q, own[0], own[1], own[2], mean, r, fitted, f, df, f2, response, spread, f_m, f_v, f_d, df_m, df_v,
                                   df_d, f2_m, f2_v, f2_d)
        for i in range(6):  # mhat, s, qhat of the base, then mean, variance, leverage that the generated samples see
            first = 6 + 7 * i
            for j in range(3):
                along = step[first + j]
                through = step[first + 6] if j == 0 else 0.0
                for a in range(3):
                    through += step[first + 3 + a] * own[3 + 3 * a + j]
                if i < 3:
                    pull_slopes[3 * k + i, 3 * k + j] = along
                    pull_slopes[3 * k + i, 3 * node + j] = through
                else:
                    slopes[3 * node + i - 3, 3 * k + j] = along
                    slopes[3 * node + i - 3, 3 * node + j] = through
        for i in range(3):
            pulls[k, i] = step[i]
            T[node, i] = step[3 + i]
    seen, data_slopes = np.empty((K, 3)), np.empty((3 * K, 3 * K))
    data_side.see(case.side, gamma, pulls, seen, data_slopes)
    for k in range(K):
        for i in range(3):
            T[k, i] = seen[k, i]
    for i in range(3 * K):
        for a in range(3 * K):
            if data_slopes[i, a] != 0.0:
                for j in range(3 * J):
                    slopes[i, j] += data_slopes[i, a] * pull_slopes[a, j]


@njit(cache=True, error_model="numpy")
def _residual(z, T):
    """Return the largest relative difference of z and T, that of the means in units of the second moment of the margin."""
    largest = 0.0
    for j in range(z.shape[0]):
        if not (T[j, 1] > 0 and T[j, 2] > 0):
            return math.inf
        mean = abs(T[j, 0] - z[j, 0]) / math.sqrt(T[j, 1] + T[j, 0] * T[j, 0])
        largest = max(largest, mean, abs(T[j, 1] / z[j, 1] - 1), abs(T[j, 2] / z[j, 2] - 1))
    return largest if largest < math.inf else math.inf  # nan is not a solution


@njit(cache=True, error_model="numpy")
def _step(z, work, step):
    """Fill step (3 J,) with Newton's step from z in m, log v and log delta."""
    n = step.size
    A = np.empty((n, n))
    for i in range(n):
        a, log_i = i // 3, i % 3 > 0
        step[i] = math.log(work.T[a, i % 3] / z[a, i % 3]) if log_i else work.T[a, 0] - z[a, 0]
        for j in range(n):
            slope = work.slopes[i, j] * (z[j // 3, j % 3] if j % 3 else 1.0) / (work.T[a, i % 3] if log_i else 1.0)
            A[i, j] = (1.0 if i == j else 0.0) - slope
    kernels.solve_small(A, step)


@njit(cache=True, error_model="numpy")
def _newton(case, gamma, z, level, work, enough, steps):
    """Newton from z, in place; returns the residual reached, at most `enough` if it converged. `work` is that of z."""
    J = z.shape[0]
    step, tried = np.empty(3 * J), np.empty((J, 3))
    _round(case, gamma, z, level, work)
    residual = _residual(z, work.T)
    for _ in range(steps):
        if not enough < residual < math.inf:
            break
        _step(z, work, step)
        stride = 0.0
        for j in range(J):
            size = math.sqrt(z[j, 1] + z[j, 0] * z[j, 0])
            stride = max(stride, abs(step[3 * j]) / size, abs(step[3 * j + 1]), 2 * abs(step[3 * j + 2]))
        if not stride < math.inf:
            return residual
        length = min(1.0, 2 * _STRIDE / stride) if stride > 0 else 1.0
        better = False
        for _ in range(_BACKTRACKS):
            for j in range(J):
                tried[j, 0] = z[j, 0] + length * step[3 * j]
                tried[j, 1] = z[j, 1] * math.exp(length * step[3 * j + 1])
                tried[j, 2] = z[j, 2] * math.exp(length * step[3 * j + 2])
            _round(case, gamma, tried, level, work)
            reached = _residual(tried, work.T)
            if reached < residual * (1 - 0.05 * length):
                better = True
                break
            length *= 0.4
        if not better:  # rounding is all that is left
            _round(case, gamma, z, level, work)
            break
        z[:] = tried
        residual = reached
    return residual


@njit(cache=True, error_model="numpy")
def _moved(z, work):
    """How far Newton's step would move z: relative, means in units of the second moment of the margin."""
    step, largest = np.empty(3 * z.shape[0]), 0.0
    _step(z, work, step)
    for j in range(z.shape[0]):
        largest = max(largest, abs(step[3 * j]) / math.sqrt(z[j, 1] + z[j, 0] ** 2), abs(step[3 * j + 1]), abs(step[3 * j + 2]))
    return largest if largest < math.inf else math.inf


@njit(cache=True, error_model="numpy")
def _polish(case, gamma, z, work):
    """Correct z and the pulls by a last step of Newton, smaller than what z can hold; returns the residual after it.

    Where forces nearly vanish, as those of the square loss at margins near 1, the rounding of z alone is felt many times over in the pulls:
    they are corrected along their slopes. What that leaves is the data side's difference, and the residual before times the step.
    """
    n, K = 3 * z.shape[0], case.sources.shape[0]
    before = _residual(z, work.T)
    if not 0 < before < _ON_PATH:
        return before
    step = np.empty(n)
    _step(z, work, step)
    away = 0.0
    for i in range(n):
        away = max(away, abs(step[i]) / (1.0 if i % 3 else math.sqrt(z[i // 3, 1])))
        step[i] *= z[i // 3, i % 3] if i % 3 else 1.0
    if not away < _ON_PATH:
        return before
    pulls, corrected = work.pulls.copy(), z + step.reshape(z.shape)
    for i in range(3 * K):
        for j in range(n):
            pulls[i // 3, i % 3] += work.pull_slopes[i, j] * step[j]
    seen, slopes = np.empty((K, 3)), np.empty((3 * K, 3 * K))
    data_side.see(case.side, gamma, pulls, seen, slopes)
    after = max(_residual(corrected[:K], seen), before * away)
    if not after < before:
        return before
    z[:] = corrected
    work.pulls[:] = pulls
    return after


@njit(cache=True, error_model="numpy")
def _begin(case, gamma, z, pulls):
    """Fill z with a first guess: the fixed point's first round from a ridge so heavy that every margin is near 0."""
    kind, threshold, sources, wrong, child, side = case
    K = sources.shape[0]
    right_moments, wrong_moments, small = np.empty(loss_side.MOMENTS), np.empty(loss_side.MOMENTS), np.empty(3)
    traces = data_side.load(side)
    for k in range(K):
        small[0], small[1], small[2] = 0.0, 1e-4, traces[k] / gamma
        own = loss_side.forces(kind, threshold, sources[k, kernels.THETA], sources[k, kernels.WEIGHT], wrong[k], small, loss_side.ROUGH,
                               right_moments, wrong_moments)
        for i in range(3):
            pulls[k, i] = own[i]
        if sources[k, kernels.BASE] > 0:
            base = loss_side.forces(kind, threshold, 1 / sources[k, kernels.FIT], sources[k, kernels.BASE] * sources[k, kernels.FIT], 0.0,
                                    small, loss_side.ROUGH, right_moments, wrong_moments)
            for i in range(3):
                pulls[k, i] += base[i]
    seen, slopes = np.empty((K, 3)), np.empty((3 * K, 3 * K))
    data_side.see(side, gamma, pulls, seen, slopes)
    for k in range(K):
        for i in range(3):
            z[k, i] = seen[k, i]
            if child[k] >= 0:
                z[child[k], i] = seen[k, i]


@njit(cache=True, error_model="numpy")
def _follow(case, gamma, z, work):
    """Follow the fixed point from a heavy ridge down to gamma, in steps of log gamma; returns the residual on the way."""
    at = heavy(case, gamma)
    _begin(case, at, z, work.pulls)
    residual = _newton(case, at, z, loss_side.ROUGH, work, _ON_PATH, 40)
    here, before = z.copy(), z.copy()
    step, last = _FIRST_STEP, 0.0
    for _ in range(_MOST_STEPS):
        if at <= gamma or not residual <= _ON_PATH:
            break
        to = max(gamma, at * math.exp(-step))
        ahead = math.log(at / to) / last if last > 0 else 0.0
        for j in range(z.shape[0]):
            z[j, 0] = here[j, 0] + ahead * (here[j, 0] - before[j, 0])
            for i in (1, 2):
                z[j, i] = here[j, i] * (here[j, i] / before[j, i]) ** ahead
        found = _newton(case, to, z, loss_side.ROUGH, work, _ON_PATH, 8)
        if found <= _ON_PATH:
            before[:] = here
            here[:] = z
            last = math.log(at / to)
            at = to
            step *= 1.5
        else:
            step *= 0.4
            if step < _LEAST_STEP:
                return math.inf
    return residual if at <= gamma else math.inf


@njit(cache=True, error_model="numpy")
def _finer(case, gamma, z, work, residual):
    """Compare with finer and finer integrals until the solution stays; returns the residual and how far it was moved at last."""
    moved = math.inf
    for level in range(loss_side.FINE + 1, loss_side.LEVELS):
        _round(case, gamma, z, level, work)
        moved = _moved(z, work)
        if moved <= _STILL:
            break
        residual = _newton(case, gamma, z, level, work, SMOOTH_ROUND_OFF, 20)
    return residual, moved


@njit(cache=True, error_model="numpy")
def solve_point(kind, threshold, sources, wrong, side, gamma, seen, margins, variances):
    """Solve one problem.

    Parameters
    ----------
    kind, threshold, sources, wrong, side
        As of `Case`.
    gamma : float
    seen : array (K, SEEN)
        Filled: mean and variance of a left-out margin of each source, its leverage, and the generator's fit.
    margins, variances : arrays (T,)
        Filled: of fresh samples.

    Returns
    -------
    float
        The residual: the largest relative difference that one more round makes or, for a smooth loss, that finer integrals make.
    """
    K = sources.shape[0]
    case, J = posed(kind, threshold, sources, wrong, side)
    if weight(case) == 0.0:  # nothing trains: w = 0
        margins[:] = 0.0
        variances[:] = 0.0
        seen[:] = 0.0
        seen[:, LEVERAGE] = data_side.load(side) / gamma
        return 0.0
    z, work = np.empty((J, 3)), Work(np.zeros((K, 3)), np.empty((3 * K, 3 * J)), np.empty((J, 3)), np.empty((3 * J, 3 * J)))
    _begin(case, gamma, z, work.pulls)
    residual = _newton(case, gamma, z, loss_side.ROUGH, work, _NEAR, 25)
    if not residual <= _NEAR:
        _follow(case, gamma, z, work)  # where rounding bars the way, Newton may still find the rest of it
    residual, moved = _newton(case, gamma, z, loss_side.FINE, work, ROUND_OFF if kind < losses.CLOSED else SMOOTH_ROUND_OFF, 20), 0.0
    if kind >= losses.CLOSED and residual <= _ON_PATH:
        residual, moved = _finer(case, gamma, z, work, residual)
    residual = max(_polish(case, gamma, z, work), moved)
    if kind == gathered.HINGE and not residual <= TOLERANCE:
        residual = gathered.solve(case, gamma, z, work.pulls)
    data_side.fresh(side, gamma, work.pulls, margins, variances)
    right_moments, wrong_moments = np.empty(loss_side.MOMENTS), np.empty(loss_side.MOMENTS)
    for k in range(K):
        node = k if case.child[k] < 0 else case.child[k]
        for i in range(3):
            seen[k, i] = z[node, i]
        seen[k, FIT] = 0.0
        if case.child[k] >= 0:
            curvature = loss_side.forces(kind, threshold, sources[k, kernels.THETA], sources[k, kernels.WEIGHT], wrong[k], z[node],
                                         loss_side.FINE, right_moments, wrong_moments)[1]
            seen[k, FIT] = sources[k, kernels.FIT] * curvature * z[k, 2]
    return residual


@njit(cache=True, error_model="numpy")
def means_within(means, mixing):
    """Return the products (B, B, L) of the means within each eigenvalue.

    Parameters
    ----------
    means : array (D, D, L)
        Products of the directions within each eigenvalue.
    mixing : array (B, D)
        The means in the directions.
    """
    B, D = mixing.shape
    products = np.zeros((B, B, means.shape[2]))
    for a in range(B):
        for b in range(B):
            for i in range(D):
                for j in range(D):
                    share = mixing[a, i] * mixing[b, j]
                    if share != 0.0:
                        for l in range(means.shape[2]):
                            products[a, b, l] += share * means[i, j, l]
    return products


@njit(cache=True, error_model="numpy", parallel=True)
def spectral_batch(kind, threshold, sources, wrong, gamma, eigenvalues, tests, h, means, mixing, seen, margins, variances, residual):
    """Solve P problems on one spectrum in parallel; arguments as of `spectral_point`.

    Those that differ from point to point have a leading axis (P,): sources, wrong, gamma, h, mixing, seen, margins, variances, residual.
    """
    for i in prange(gamma.size):
        side = Spectral(eigenvalues, tests, h[i], means_within(means, mixing[i]))
        residual[i] = solve_point(kind, threshold, sources[i], wrong[i], side, gamma[i], seen[i], margins[i], variances[i])


@njit(cache=True, error_model="numpy")
def spectral_point(kind, threshold, sources, wrong, gamma, eigenvalues, tests, h, means, mixing, seen, margins, variances):
    """Solve one problem on a spectrum, and return the residual.

    Parameters
    ----------
    kind, threshold, sources, wrong, gamma, seen, margins, variances
        As of `solve_point`.
    eigenvalues, tests, h
        As of `data_side.Spectral`.
    means, mixing
        As of `means_within`.
    """
    side = Spectral(eigenvalues, tests, h, means_within(means, mixing))
    return solve_point(kind, threshold, sources, wrong, side, gamma, seen, margins, variances)


@njit(cache=True, error_model="numpy")
def dense_point(kind, threshold, sources, wrong, gamma, covariances, tests, means, N, seen, margins, variances):
    """Solve one problem with covariances (p, p), and return the residual.

    Parameters
    ----------
    kind, threshold, sources, wrong, gamma, seen, margins, variances
        As of `solve_point`.
    covariances, tests, means
        As of `data_side.Dense`.
    N : float
        Normalisation of the sums.
    """
    side = Dense(covariances, tests, means, np.array([N]))
    return solve_point(kind, threshold, sources, wrong, side, gamma, seen, margins, variances)
