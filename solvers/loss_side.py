"""The loss side of the theory of any convex loss: Gaussian integrals over the force of a left-out margin. It knows no spectrum.

The force f(h) of a margin h = mean + sd g, moved by a proximal step of leverage delta to u = h + delta f, enters through eight
expectations of it, named in `derivations.losses.two_sides.MOMENTS`. Where f is linear between a few margins they are closed; for a smooth
loss they are integrals over u, in which h = u + c delta ell'(u) is explicit, so that no proximal step is solved within the integral.
"""

from __future__ import annotations

import math

import numpy as np

from ..support.errors import BadInput, number, one_of
from .compiling import njit
from .generated import losses, two_sides

MOMENTS = 10  # those eight, then the mean of u'(h) and the variance of u
# panels a standard deviation of h, and a unit of u near 0: coarse enough to iterate with, to solve with, and to compare with
ROUGH, FINE, FINER, FINEST = range(4)
LEVELS = 4
_PER_SPREAD = np.array([0.25, 0.4, 0.55, 0.8])
_PER_MARGIN = np.array([0.5, 1.0, 1.4, 2.0])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)  # of a panel
_REACH = 9.0  # standard deviations of h that are integrated over: 2e-19 of the mass lies beyond
_STEPS = 200
_HALF = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)
DEFAULT_THRESHOLD = 1.0


def kind_of(loss: str, threshold: float | None = None) -> tuple[int, float]:
    """Return the number of a loss in the generated functions, and the threshold to give them.

    Parameters
    ----------
    loss
        One of `losses.NAMES`.
    threshold
        Where Huber's loss becomes linear; only for `huber`, 1 by default.

    Raises
    ------
    BadInput
        For an unknown loss, or a threshold that the loss does not have or that is not positive.
    """
    one_of("loss", loss, sorted(losses.NAMES))
    if threshold is not None and loss != "huber":
        raise BadInput(f"the threshold is that of Huber's loss: the {loss} loss has none")
    value = DEFAULT_THRESHOLD if threshold is None else number("huber-threshold", threshold, 0, open_low=True)
    return losses.NAMES.index(loss), value


@njit(cache=True, error_model="numpy")
def prox(kind, h, c, delta, threshold):
    """Return the proximal step argmin_u c ell(u) + (u - h)^2 / (2 delta) of a smooth loss.

    By Newton on u + c delta ell'(u) = h within its bracket, which is halved where a step is more than half the step before it: Newton alone
    can jump to and fro over the bend of the loss.

    Parameters
    ----------
    kind : int
        The loss.
    h : float
        Left-out margin.
    c, delta : float
        Weight of the sample, and its leverage.
    threshold : float
        Of Huber's loss.
    """
    rate = c * delta
    slope, curvature = losses.margin_slopes(kind, h, threshold)
    low, high = min(h, h - rate * slope), max(h, h - rate * slope)
    u = h - rate * slope / (1 + rate * curvature)
    step, before = high - low, 4 * (high - low)
    for _ in range(_STEPS):
        if not low < u < high or abs(step) > 0.5 * before:
            before = high - low
            u = 0.5 * (low + high)
        else:
            before = abs(step)
        slope, curvature = losses.margin_slopes(kind, u, threshold)
        over = u - h + rate * slope
        if over > 0:
            high = u
        else:
            low = u
        step = over / (1 + rate * curvature)
        u -= step
        if abs(step) <= 1e-9 * (1 + abs(u)) or high - low <= 1e-15 * (1 + abs(u)):  # the next step would be its square
            break
    return min(max(u, low), high)


@njit(cache=True, error_model="numpy")
def _mass(low, high):
    """P(low < g < high), without cancellation in either tail."""
    if low > 0:
        return 0.5 * (math.erfc(low * _HALF) - math.erfc(high * _HALF))
    return 0.5 * (math.erfc(-high * _HALF) - math.erfc(-low * _HALF))


@njit(cache=True, error_model="numpy")
def _linear_moments(kind, c, delta, threshold, mean, sd, out):
    """Fill `out` (10,) with the moments of a force that is linear interval by interval."""
    pieces, steps = losses.linear_force(kind, c, delta, threshold), losses.linear_step(kind, c, delta, threshold)
    count = (len(pieces) + 1) // 3
    middle = 0
    for i in range(count - 1):
        if mean > pieces[i]:
            middle = i + 1
    centre = steps[2 * middle] + steps[2 * middle + 1] * mean  # so that the variance of u does not cancel
    response = shift = square = 0.0
    out[:] = 0.0
    low, low_density, low_product = -math.inf, 0.0, 0.0
    for i in range(count):
        high, density, product = math.inf, 0.0, 0.0
        if i < count - 1:
            high = (pieces[i] - mean) / sd
        if abs(high) < math.inf:
            density = _DENSITY * math.exp(-0.5 * high * high)
            product = high * density
        intercept, slope = pieces[count - 1 + 2 * i], pieces[count + 2 * i]
        if high > low:
            mass = _mass(low, high)
            first, second = low_density - density, mass + low_product - product
            if intercept != 0 or slope != 0:
                part = two_sides.linear_moments(intercept, slope, mean, sd, mass, first, second)
                for j in range(len(part)):
                    out[j] += part[j]
            turn, away, away2 = two_sides.linear_step(steps[2 * i] - centre, steps[2 * i + 1], mean, sd, mass, first, second)
            response += turn
            shift += away
            square += away2
        low, low_density, low_product = high, density, product
    out[8], out[9] = response, square - shift * shift


@njit(cache=True, error_model="numpy")
def _smooth_moments(kind, c, delta, threshold, mean, sd, level, out):
    """Fill `out` (10,) with the moments of a smooth force: Gauss-Legendre in u on panels that share out the spread of h and the range of u.

    The place x(u) = a (h(u) - mean) / sd + b w asinh(u / w) of a panel's ends is what is shared out evenly. w is the range of u over which
    the proximal step bends, log(c delta ell'') beyond the unit range of the loss itself. Long, because the search for a panel's end, on its
    own, would take twelve arguments.
    """
    rate, a, b = c * delta, _PER_SPREAD[level], _PER_MARGIN[level]
    begin, end = prox(kind, mean - _REACH * sd, c, delta, threshold), prox(kind, mean + _REACH * sd, c, delta, threshold)
    w = 1 + math.log1p(rate * losses.margin_slopes(kind, 0.0, threshold)[1])
    inverse, bw = 1 / sd, b * w
    first = bw * math.asinh(begin / w) - a * _REACH
    span = bw * math.asinh(end / w) + a * _REACH - first
    panels = math.ceil(span)
    width = span / panels
    out[:] = 0.0
    centre = prox(kind, mean, c, delta, threshold)  # so that the variance of u does not cancel
    f1 = f2 = d1 = fd = ffd = dg = dgg = fdg = response = shift = square = 0.0
    left = begin
    for j in range(panels):
        right = end
        if j < panels - 1:
            place, low, high, u = first + (j + 1) * width, left, end, left
            step, before = end - left, 4 * (end - left)
            for turn in range(_STEPS):
                slope, curvature = losses.margin_slopes(kind, u, threshold)
                over = a * (u + rate * slope - mean) * inverse + bw * math.asinh(u / w) - place
                if abs(over) < 0.1 * width:
                    break
                if turn > 0 and over > 0:
                    high = u
                else:
                    low = u
                step = over / (a * inverse * (1 + rate * curvature) + b / math.sqrt(1 + (u / w) ** 2))
                u -= step
                if not low < u < high or abs(step) > 0.5 * before:
                    before = high - low
                    u = 0.5 * (low + high)
                else:
                    before = abs(step)
            right = u
        half, middle = 0.5 * (right - left), 0.5 * (right + left)
        for i in range(_NODES.size):
            u = middle + half * _NODES[i]
            slope, curvature = losses.margin_slopes(kind, u, threshold)
            f = -c * slope
            g = (u - delta * f - mean) * inverse
            weight = _WEIGHTS[i] * half * inverse * _DENSITY * math.exp(-0.5 * g * g)
            d = -weight * c * curvature  # f' dh = -c ell'' du
            response += weight  # u' dh = du
            weight *= 1 + rate * curvature
            shift += weight * (u - centre)
            square += weight * (u - centre) * (u - centre)
            weight *= f
            f1 += weight
            f2 += weight * f
            d1 += d
            fd += d * f
            ffd += d * f * f
            dg += d * g
            dgg += d * (g * g - 1)
            fdg += d * f * g
        left = right
    out[0], out[1], out[2], out[3], out[4], out[5], out[6], out[7] = f1, d1, f2, fd, ffd, dg, dgg, fdg
    out[8], out[9] = response, square - shift * shift


@njit(cache=True, error_model="numpy")
def moments(kind, c, delta, threshold, mean, sd, level, out):
    """Fill `out` (MOMENTS,) with the moments of the force at the margin h = mean + sd g, g ~ N(0, 1).

    Parameters
    ----------
    kind, c, delta, threshold
        As of `prox`.
    mean, sd : float
        Of the left-out margin.
    level : int
        How fine the integrals of a smooth loss are.
    out : array (MOMENTS,)
    """
    if kind < losses.CLOSED:
        _linear_moments(kind, c, delta, threshold, mean, sd, out)
    else:
        _smooth_moments(kind, c, delta, threshold, mean, sd, level, out)


@njit(cache=True, error_model="numpy")
def forces(kind, threshold, theta, c, e, seen, level, right, wrong):
    """Return mean force, curvature and noise of a source, then their slopes in m, v, delta, row by row (12 numbers).

    Parameters
    ----------
    kind, threshold
        The loss.
    theta, c, e : float
        Samples over N, weight of each, share of wrong labels.
    seen : array (3,)
        Mean m and variance v of the left-out margin, leverage delta.
    level : int
        How fine the integrals of a smooth loss are.
    right, wrong : arrays (MOMENTS,)
        Overwritten with the moments of right and wrong labels.
    """
    sd = math.sqrt(seen[1])
    right[:] = 0.0
    wrong[:] = 0.0
    if e < 1:
        moments(kind, c, seen[2], threshold, seen[0], sd, level, right)
    if e > 0:
        moments(kind, c, seen[2], threshold, -seen[0], sd, level, wrong)
    return two_sides.forces(theta, e, sd, right[0], right[1], right[2], right[3], right[4], right[5], right[6], right[7],
                            wrong[0], wrong[1], wrong[2], wrong[3], wrong[4], wrong[5], wrong[6], wrong[7])
