"""The classifier of any convex loss on given samples: argmin_w sum_i b_i ell(ytilde_i w^T x_i) + (gamma/2) |w|^2.

Smooth losses: Newton with a search along each step, until |gradient| / gamma, which bounds the distance to the minimiser because the
objective is gamma-strongly convex, is small beside |w|. The hinge loss: the interior-point method of its quadratic program, all of whose
iterates are feasible, so that the duality gap bounds the excess of the objective.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, blas, cho_factor, cho_solve

from ..solvers.any_loss import Loss
from ..solvers.loss_values import of_margins, slope_along
from ..support.errors import NotConverged

PRECISION = 1e-8  # what is promised: distance over |w| (smooth losses), excess over the objective (hinge)
_AIM = 1e-10  # what is aimed at: rounding may stop short of it
_STEPS, _LINE_STEPS = 200, 60
_FLAT = 0.1  # a search along a step ends where the slope has fallen to this share
_REFINED = 2  # times that the equations of a step are solved for what is left of them
_CENTRING, _TO_BOUNDARY = 3, 0.995  # Mehrotra's power, and how far of the way to the boundary a step may go


def minimiser(folded: np.ndarray, weights: np.ndarray, gamma: float, loss: Loss) -> np.ndarray:
    """Return w (p,), to `PRECISION`.

    Parameters
    ----------
    folded : array (p, k)
        Samples times their labels, ytilde_i x_i.
    weights : array (k,)
        b_i = c_i / N, above 0.
    gamma : float
    loss : Loss

    Raises
    ------
    NotConverged
        Where the precision is not reached.
    """
    p, k = folded.shape
    if k == 0:
        return np.zeros(p)
    basis = None
    if k < p:  # w is a combination of the samples
        basis, folded = np.linalg.qr(folded)
    solve = _hinge if loss.name == "hinge" else _newton
    with np.errstate(all="ignore"):
        w = solve(np.asfortranarray(folded), weights, gamma, loss)
    return w if basis is None else basis @ w


def _newton(folded: np.ndarray, weights: np.ndarray, gamma: float, loss: Loss) -> np.ndarray:
    p, k = folded.shape
    w, u = np.zeros(p), np.zeros(k)
    values, slopes, curvatures = np.empty((3, k))
    best, reached = w, math.inf
    for _ in range(_STEPS):
        of_margins(loss.kind, loss.threshold, u, values, slopes, curvatures)
        gradient = folded @ (weights * slopes) + gamma * w
        distance = _ratio(np.linalg.norm(gradient), gamma * np.linalg.norm(w))
        if distance < reached:
            best, reached = w, distance
        if distance <= _AIM or math.isnan(distance):
            break
        factor = _factor(folded, weights * curvatures, gamma)
        if factor is None:
            break
        step = cho_solve(factor, -gradient, check_finite=False)
        du = folded.T @ step
        w = w + _search(loss, weights, u, du, gamma * float(w @ step), gamma * float(step @ step)) * step
        u = folded.T @ w
    return _precise(best, reached, loss)


def _ratio(a: float, b: float) -> float:
    """a / b, where 0 / 0 is 0."""
    return float(a / b) if b else math.inf if a else 0.0


def _precise(w: np.ndarray, reached: float, loss: Loss) -> np.ndarray:
    if not reached <= PRECISION:
        raise NotConverged(f"the {loss.name} loss of a trial was minimised to {reached:.1e} only, where {PRECISION:.0e} is wanted: "
                           "raise gamma")
    return w


def _search(loss: Loss, weights: np.ndarray, u: np.ndarray, du: np.ndarray, first: float, second: float) -> float:
    """How far along a Newton step the slope of the objective, which rises, comes near 0; first + t second is the ridge's part of it."""

    def slope(t: float) -> float:
        return slope_along(loss.kind, loss.threshold, weights, u, du, t) + first + t * second

    enough, low, high, t = -_FLAT * slope(0.0), 0.0, math.inf, 1.0
    for _ in range(_LINE_STEPS):
        here = slope(t)
        if abs(here) <= enough:
            break
        if here > 0:
            high = t
        else:
            low = t
        t = 2 * t if high == math.inf else 0.5 * (low + high)
    return t


def _factor(folded: np.ndarray, diagonal: np.ndarray, gamma: float) -> tuple[np.ndarray, bool] | None:
    """Cholesky's factor of A diag A^T + gamma I; None where it is singular in floating point."""
    gram = blas.dsyrk(1.0, folded * np.sqrt(diagonal))
    np.einsum("ii->i", gram)[...] += gamma
    try:
        return cho_factor(gram, overwrite_a=True, check_finite=False)
    except LinAlgError:
        return None


class _Point(NamedTuple):
    """An iterate of the interior-point method, or a step: multipliers a and z = b - a, slacks r and t, arrays (k,) all."""

    a: np.ndarray
    z: np.ndarray
    r: np.ndarray
    t: np.ndarray

    def moved(self, step: _Point, length: float) -> _Point:
        return _Point(*(x + length * dx for x, dx in zip(self, step, strict=True)))

    def room(self, step: _Point) -> float:
        """The length of the step at which the boundary is met."""
        return 1 / max(1e-300, *(float((-dx / x).max()) for x, dx in zip(self, step, strict=True)))

    @property
    def product(self) -> float:
        """The mean of the products that are 0 at the solution."""
        return (float(self.a @ self.r) + float(self.z @ self.t)) / (2 * self.a.size)


def _hinge(folded: np.ndarray, weights: np.ndarray, gamma: float, loss: Loss) -> np.ndarray:
    """Mehrotra's predictor and corrector on: min b^T t + (gamma/2) |w|^2, t >= 0, r = A^T w + t - 1 >= 0.

    The multipliers of r >= 0 are a in [0, b], those of t >= 0 are z = b - a, and w = A a / gamma: every step keeps that.
    """
    a = 0.5 * weights
    w = folded @ a / gamma
    short = 1 - folded.T @ w
    t = np.maximum(short, 0) + max(1.0, float(np.abs(short).max()))
    at = _Point(a, weights - a, t - short, t)
    best, reached = w, math.inf
    for _ in range(_STEPS):
        half = 0.5 * gamma * float(w @ w)
        primal, dual = float(weights @ np.maximum(1 - folded.T @ w, 0)) + half, float(at.a.sum()) - half
        gap = (primal - dual) / primal
        if gap < reached:
            best, reached = w, gap
        if gap <= _AIM or math.isnan(gap):
            break
        d = 1 / (at.r / at.a + at.t / at.z)
        factor = _factor(folded, d, gamma)
        if factor is None:
            break
        step = _step(folded, factor, gamma, at, d, -at.a * at.r, -at.z * at.t)
        ahead = at.moved(step, min(1.0, at.room(step))).product
        target = at.product * (max(ahead, 0.0) / at.product) ** _CENTRING
        step = _step(folded, factor, gamma, at, d, target - at.a * at.r - step.a * step.r, target - at.z * at.t - step.z * step.t)
        at = at.moved(step, min(1.0, _TO_BOUNDARY * at.room(step)))
        w = folded @ at.a / gamma
    return _precise(best, reached, loss)


def _step(folded: np.ndarray, factor: object, gamma: float, at: _Point, d: np.ndarray, to_ar: np.ndarray, to_zt: np.ndarray) -> _Point:
    """The step that adds `to_ar` to a r and `to_zt` to z t, to first order.

    It solves da / d + A^T A da / gamma = pull, first by Woodbury's identity, which loses digits where d is large, then for what is left.
    """
    pull = to_ar / at.a - to_zt / at.z
    da, du, left = np.zeros_like(d), np.zeros_like(d), pull
    for _ in range(_REFINED):
        da = da + d * (left - folded.T @ cho_solve(factor, folded @ (d * left), check_finite=False))
        du = folded.T @ (folded @ da) / gamma
        left = pull - du - da / d
    dt = (to_zt + at.t * da) / at.z
    return _Point(da, -da, du + dt, dt)
