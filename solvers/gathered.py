"""The fixed point of the hinge loss with samples whose margins gather on its kink.

Many samples that vary in few directions, because their generator was fitted on few or their covariance has few eigenvalues above 0, may
all be put on the kink by training: left-out variance and leverage tend to 0 together, and in the limit single forces are not determined,
though the classifier is. Here the kink is rounded, over c times a width of `ROUNDED` of the leverage that there could be, which determines
them, and the unknowns of such samples are in units of D = leverage + width, so that nothing is lost as D falls: the distance of their mean
margin from the kink, +1 or -1, is X D, their variance Y D^2. The fixed point is followed from a heavy ridge and a wide kink. Not reached is
a base, trained on itself, that gathers because its own covariance is singular.

Array letters: K sources, J nodes as in convex.py, n = 3 J unknowns: X, log Y, log leverage of a source and of the generated samples of a
fitted one; m, log v, log q of the base of a fitted one.
"""

from __future__ import annotations

import math

import numpy as np

from . import data_side, kernels, loss_side
from .case import heavy
from .compiling import njit
from .generated import losses, two_sides

HINGE = losses.NAMES.index("hinge")
ROUNDED = 1e-20  # width of the kink at last, over the leverage of the base, or that of a source without any force
LEAST = 1e-250  # of a variance, and of a response, in units of the leverage
IDLE = 1e-9  # force in units of a sample's weight that is nothing
_ON_PATH, _ENOUGH = 1e-4, 1e-12
_STEP = 1e-7  # of the unknowns, for slopes
_STRIDE, _BACKTRACKS = 3.0, 8
_MOST_SIGNS = 3  # of nodes whose kink is tried on both sides
_FIRST_STEP, _LEAST_STEP, _MOST_STEPS = math.log(10.0), 1e-3, 400


@njit(cache=True, error_model="numpy")
def _stuck(c, offset, spread, out):
    """Fill `out` (MOMENTS,) for a margin `offset` below the kink, with that standard deviation, both in units of the leverage."""
    loss_side.moments(HINGE, c, 1.0, 1.0, 1 - offset, spread, loss_side.FINE, out)


@njit(cache=True, error_model="numpy")
def _beyond(t, spread):
    """E of the positive part of spread (g - t), g ~ N(0, 1)."""
    return spread * (math.exp(-0.5 * t * t) / math.sqrt(2 * math.pi) - 0.5 * t * math.erfc(t * math.sqrt(0.5)))


@njit(cache=True, error_model="numpy")
def _own(source, e, side_of, x, y, width, one, other):
    """Mean force, curvature times D, noise of generated samples; `side_of`: the kink, +1 of right labels or -1 of wrong ones."""
    theta, c = source[kernels.THETA], source[kernels.WEIGHT]
    near, far = (1 - e, e) if side_of > 0 else (e, 1 - e)
    spread = math.sqrt(y)
    one[:] = 0.0
    other[:] = 0.0
    _stuck(c, x, spread, one)
    if far > 0:
        _stuck(c, 2 / width - x, spread, other)
    return (side_of * theta * (near * one[0] - far * other[0]), -theta * (near * one[1] + far * other[1]),
            theta * (near * one[2] + far * other[2]))


@njit(cache=True, error_model="numpy")
def _gaps(case, gamma, kinks, rounded, x, pulls, z, gaps):
    """Fill pulls (K, 3), what left-out samples see z (J, 3) and, for one round, the changes of the unknowns x (n,) into gaps (n,)."""
    _, _, sources, wrong, child, side = case
    K = sources.shape[0]
    one, other, loads = np.empty(loss_side.MOMENTS), np.empty(loss_side.MOMENTS), data_side.load(side)
    for k in range(K):
        node = child[k]
        if node < 0:
            offset, y, leverage = x[3 * k], math.exp(x[3 * k + 1]), math.exp(x[3 * k + 2])
            D = leverage + rounded * loads[k] / gamma
            z[k, 0], z[k, 1], z[k, 2] = kinks[k] * (1 - offset * D), y * D * D, leverage
            mhat, sD, qhat = _own(sources[k], wrong[k], kinks[k], offset, y, D, one, other)
            pulls[k, 0], pulls[k, 1], pulls[k, 2] = mhat, sD / D, qhat
            continue
        kink, m, v, q = kinks[node], x[3 * k], math.exp(x[3 * k + 1]), math.exp(x[3 * k + 2])
        z[k, 0], z[k, 1], z[k, 2] = m, v, q
        r, b, fitted = sources[k, kernels.FIT], sources[k, kernels.BASE], sources[k, kernels.MEAN_FITTED]
        offset, y, leverage = x[3 * node], math.exp(x[3 * node + 1]), math.exp(x[3 * node + 2])
        D = leverage + rounded * q
        mean = kink * (1 - offset * D)
        z[node, 0], z[node, 1], z[node, 2] = mean, y * D * D, leverage
        mhat, sD, qhat = _own(sources[k], wrong[k], kink, offset, y, D, one, other)
        load = r * q * sD  # r s q times D
        given, held = D / (D + load), load / (D + load)
        step = two_sides.gathered_step(m, v, q, mhat, qhat, mean, r, fitted, given, held, 0.0, 0.0, 0.0)
        response, square, trained = 1.0, step[1], 0.0
        if b > 0:
            trained = math.sqrt(step[1])
            below = (1 - m) / (q * given)
            if fitted > 0:
                below = (offset * D if kink > 0 else 2 - offset * D) / (q * given) - step[0]
            _stuck(b * r, below, trained, one)
            response, square = max(one[8], LEAST), max(one[9], LEAST)  # where all of the base lies on its own kink
            step = two_sides.gathered_step(m, v, q, mhat, qhat, mean, r, fitted, given, held, -one[1], one[0], one[2])
        pulls[k, 0], pulls[k, 1], pulls[k, 2] = step[2], step[3], step[4]
        away = q * given * step[5]  # change of the mean
        if trained > 0 and kink > 0:  # without the mean force, which cancels where the base lies on its own kink
            c = b * r
            gaps[3 * node] = q * given / D * (_beyond((c - below) / trained, trained) - _beyond(below / trained, trained)) - offset
        elif fitted > 0:
            gaps[3 * node] = -kink * away / D
        else:
            gaps[3 * node] = (m + away - mean) / math.sqrt(v + m * m)
        gaps[3 * node + 1] = math.log(square / y) + 2 * math.log(q * given / D)
        gaps[3 * node + 2] = math.log(response * q * given / leverage)
    seen, slopes = np.empty((K, 3)), np.empty((3 * K, 3 * K))
    data_side.see(side, gamma, pulls, seen, slopes)
    for k in range(K):
        gaps[3 * k] = seen[k, 0] - z[k, 0]
        gaps[3 * k + 1] = math.log(seen[k, 1] / z[k, 1])
        gaps[3 * k + 2] = math.log(seen[k, 2] / z[k, 2])


@njit(cache=True, error_model="numpy")
def _residual(case, x, z, gaps):
    """The largest relative change; means in units of the second moment of the margin, X of generated samples in those of X."""
    largest, sources, child = 0.0, case.sources, case.child
    for k in range(sources.shape[0]):
        largest = max(largest, abs(gaps[3 * k]) / math.sqrt(z[k, 1] + z[k, 0] ** 2))
        node = child[k]
        if node >= 0:
            scale = 1.0
            if sources[k, kernels.MEAN_FITTED] > 0:
                scale = math.exp(x[3 * node + 1] / 2) + abs(x[3 * node]) + IDLE * sources[k, kernels.WEIGHT]
            largest = max(largest, abs(gaps[3 * node]) / scale)
    for i in range(x.size):
        if not abs(gaps[i]) < math.inf:
            return math.inf
        if i % 3:
            largest = max(largest, abs(gaps[i]))
    return largest


@njit(cache=True, error_model="numpy")
def _newton(case, gamma, kinks, rounded, x, pulls, z, enough, steps):
    """Newton from x, in place, with slopes by differences; returns the residual reached."""
    n = x.size
    gaps, there, A, step, tried = np.empty(n), np.empty(n), np.empty((n, n)), np.empty(n), np.empty(n)
    _gaps(case, gamma, kinks, rounded, x, pulls, z, gaps)
    residual = _residual(case, x, z, gaps)
    for _ in range(steps):
        if not enough < residual < math.inf:
            break
        for j in range(n):
            tried[:] = x
            tried[j] += _STEP * (1 + abs(x[j])) if j % 3 == 0 else _STEP
            _gaps(case, gamma, kinks, rounded, tried, pulls, z, there)
            for i in range(n):
                A[i, j] = (gaps[i] - there[i]) / (tried[j] - x[j])
        step[:] = gaps
        kernels.solve_small(A, step)
        stride = 0.0
        for j in range(n):
            size = 1.0
            if j % 3 == 0:
                size = abs(x[j]) + math.exp(x[j + 1] / 2) + IDLE
            stride = max(stride, abs(step[j]) / size)
        if not stride < math.inf:
            break
        length, better = min(1.0, _STRIDE / stride) if stride > 0 else 1.0, False
        for _ in range(_BACKTRACKS):
            tried[:] = x + length * step
            _gaps(case, gamma, kinks, rounded, tried, pulls, z, there)
            reached = _residual(case, tried, z, there)
            if reached < residual * (1 - 0.05 * length):
                better = True
                break
            length *= 0.4
        if not better:
            break
        x[:] = tried
        gaps[:] = there
        residual = reached
    _gaps(case, gamma, kinks, rounded, x, pulls, z, gaps)
    return residual


@njit(cache=True, error_model="numpy")
def _begin(case, gamma, kinks, rounded, x, pulls, z):
    """Fill x from one round at margins near 0."""
    _, _, sources, wrong, child, side = case
    K = sources.shape[0]
    seen, slopes = np.empty((K, 3)), np.empty((3 * K, 3 * K))
    for k in range(K):
        load = sources[k, kernels.THETA] * sources[k, kernels.WEIGHT]
        pulls[k, 0] = load * (1 - 2 * wrong[k]) + sources[k, kernels.BASE]
        pulls[k, 1] = 0.0
        pulls[k, 2] = load * sources[k, kernels.WEIGHT] + sources[k, kernels.BASE] ** 2 * sources[k, kernels.FIT]
        pulls[k, 2] += sources[k, kernels.FIT] * load * load * sources[k, kernels.MEAN_FITTED]
    data_side.see(side, gamma, pulls, seen, slopes)
    for k in range(K):
        node = child[k] if child[k] >= 0 else k
        if child[k] >= 0:
            x[3 * k], x[3 * k + 1], x[3 * k + 2] = seen[k, 0], math.log(seen[k, 1]), math.log(seen[k, 2])
        D = (1 + rounded) * seen[k, 2]
        x[3 * node] = (1 - kinks[node] * seen[k, 0]) / D
        x[3 * node + 1] = math.log(seen[k, 1] / (D * D))
        x[3 * node + 2] = math.log(seen[k, 2])


@njit(cache=True, error_model="numpy")
def _follow(case, kinks, gammas, widths, x, pulls, z):
    """Follow the fixed point x from gammas[0] and widths[0] of the kink to gammas[1] and widths[1]; returns the residual on the way."""
    whole = max(abs(math.log(gammas[0] / gammas[1])), abs(math.log(widths[0] / widths[1])))
    here, before = x.copy(), x.copy()
    step, last, at, residual = _FIRST_STEP, 0.0, 0.0, 0.0
    for _ in range(_MOST_STEPS):
        if at >= whole:
            return residual
        to = min(whole, at + step)
        x[:] = here + ((to - at) / last if last > 0 else 0.0) * (here - before)
        share = to / whole
        gamma, width = gammas[0] * (gammas[1] / gammas[0]) ** share, widths[0] * (widths[1] / widths[0]) ** share
        residual = _newton(case, gamma, kinks, width, x, pulls, z, _ON_PATH, 12)
        if residual <= _ON_PATH:
            before[:] = here
            here[:] = x
            last, at = to - at, to
            step *= 1.6
        else:
            step *= 0.4
            if step < _LEAST_STEP:
                break
    return math.inf


@njit(cache=True, error_model="numpy")
def solve(case, gamma, z, pulls):
    """Fill z (J, 3) and pulls (K, 3) for the hinge loss; returns the residual: of the rounded kink, in units in which nothing is lost.

    Parameters
    ----------
    case : Case
        Its loss is the hinge loss.
    gamma : float
    z : array (J, 3)
        Filled with what left-out samples see.
    pulls : array (K, 3)
        Filled.
    """
    x, sources = np.empty(3 * z.shape[0]), case.sources
    residual, heaviest = math.inf, 0.0
    for k in range(sources.shape[0]):
        heaviest = max(heaviest, sources[k, kernels.WEIGHT], sources[k, kernels.BASE] * sources[k, kernels.FIT])
    largest = heaviest * data_side.load(case.side).max()
    start = max(heavy(case, gamma), 10 * largest)  # no single sample moves its own margin far
    wide = start / largest  # so that the kink is wider than 1
    kinks = np.empty(z.shape[0])
    for signs in range(2 ** min(kinks.size, _MOST_SIGNS)):
        for j in range(kinks.size):
            kinks[j] = -1.0 if signs >> j & 1 else 1.0
        _begin(case, start, kinks, wide, x, pulls, z)
        residual = _newton(case, start, kinks, wide, x, pulls, z, _ON_PATH, 40)
        if residual <= _ON_PATH:
            residual = _follow(case, kinks, (start, gamma), (wide, wide * gamma / start), x, pulls, z)
        if residual <= _ON_PATH:
            residual = _follow(case, kinks, (gamma, gamma), (wide * gamma / start, ROUNDED), x, pulls, z)
        if residual <= _ON_PATH:
            residual = _newton(case, gamma, kinks, ROUNDED, x, pulls, z, _ENOUGH, 40)
        if residual <= 1e-9:
            break
    return residual
