"""Ridge on real and on selected synthetic samples: labels and keep decisions that depend on the sample, generators exact or fitted.

The theory is derived in derivations/special/selection.py. All samples share one covariance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from ..support.errors import BadInput, NotConverged, instance, number, numbers, one_of
from . import kernels
from .input_dependent import AnyVerifier, Labels, LinearVerifier, MarginLabeller, Moments, ScoreVerifier, kept_share, moments
from .predict import Prediction
from .problem import Law, Setting, Verifier

Keep = Literal["hard", "easy", "middle", "top", "random"]
KEEPS: tuple[Keep, ...] = ("hard", "easy", "middle", "top", "random")
LEAST_SHARE = 1e-9  # of the samples: the ends of the bands are found to 1e-12


@dataclass(frozen=True, eq=False)
class Selection:
    """A mixture whose synthetic samples are labelled and kept by rules that look at them.

    Attributes
    ----------
    setting : Setting
        The mixture; its epsilon and verifier do not matter where `labels` and `verifier` are given.
    verifier : Verifier, LinearVerifier or ScoreVerifier
        By default that of the setting. Its direction, like that of a labeller, does not depend on the samples that a generator was fitted
        on.
    labels : float or MarginLabeller
        By default the epsilon of the setting.

    Raises
    ------
    BadInput
        For a generator with beta, mu_perp or a covariance of its own, or for rules that do not fit.
    """

    setting: Setting
    verifier: AnyVerifier | None = None
    labels: Labels | None = None

    def __post_init__(self) -> None:
        s = self.setting
        instance("the setting of a selection", s, Setting)
        instance("the verifier of a selection", self.verifier, Verifier, LinearVerifier, ScoreVerifier, type(None))
        _check_labels(self.labels)
        if s.generator.beta != 1 or np.any(s.generator.mu_perp) or s.generator.covariance is not None:
            raise BadInput("a selection needs a generator of the real mean and covariance: beta = 1, mu-perp = 0; for an exact generator "
                           "of another law use solvers.input_dependent.selected")  # fmt: skip
        if s.mean_squares is not None:
            raise BadInput("a selection needs the mean itself, not estimates of its squares")
        object.__setattr__(self, "verifier", s.verifier if self.verifier is None else self.verifier)
        object.__setattr__(self, "labels", s.epsilon if self.labels is None else self.labels)
        _ = self.kept

    @property
    def p(self) -> int:
        """Dimension."""
        return self.setting.p

    @cached_property
    def law(self) -> Law:
        """The law of a real sample, with its mean as a vector (p,)."""
        return _law(self.setting)

    @cached_property
    def kept(self) -> Moments:
        """The moments of the synthetic samples that are kept."""
        return moments(self.law, self.labels, self.verifier)


def score_direction(setting: Setting, angle: float, toward: np.ndarray | None = None) -> np.ndarray:
    """Return the unit vector at an angle to the class mean.

    Parameters
    ----------
    setting : Setting
    angle : float
        In degrees: 0 is the direction of mu, 90 knows nothing of the truth.
    toward : array (p,), optional
        A vector in the plane of the angle; by default the last axis.
    """
    number("the angle of a score", angle, -360, 360)
    instance("the setting of a score", setting, Setting)
    mu = _law(setting).mean
    other = np.eye(setting.p)[-1] if toward is None else _direction("toward", toward, setting.p)
    if not np.any(mu):
        raise BadInput("a score has no angle to a mean of 0")
    first = mu / np.linalg.norm(mu)
    second = other - (other @ first) * first
    if not np.linalg.norm(second) > 1e-9 * np.linalg.norm(other):
        raise BadInput("the plane of a score's angle needs a vector that is no multiple of mu: give toward")
    return math.cos(math.radians(angle)) * first + math.sin(math.radians(angle)) * second / np.linalg.norm(second)


def keep_share(keep: Keep, share: float, setting: Setting, direction: np.ndarray, labels: Labels | None = None) -> Verifier | ScoreVerifier:
    """Return the verifier that keeps a share of the synthetic samples by their scores v^T x.

    Parameters
    ----------
    keep : str
        hard: the smallest |v^T x|. easy: the largest |v^T x|. middle: the middle of |v^T x|. top: the largest ytilde v^T x, where score
        and label agree most. random: any.
    share : float
        alpha, at least 1e-9.
    setting : Setting
    direction : array (p,)
        v.
    labels : float or MarginLabeller, optional
        As of `Selection`; matters to `top` only.

    Raises
    ------
    BadInput
        For another rule, or a share outside [1e-9, 1].
    """
    from scipy.optimize import brentq

    one_of("keep", keep, KEEPS)
    instance("the setting of a score", setting, Setting)
    _check_labels(labels)
    v = _direction("the direction of a score", direction, setting.p)
    share = number("the share to keep", share, LEAST_SHARE, 1)
    if keep == "random" or share == 1:
        return Verifier(share, share)
    law, given = _law(setting), setting.epsilon if labels is None else labels
    c = np.asarray(law.covariance, dtype=float)
    far = abs(float(v @ law.mean)) + 12 * math.sqrt(float(v @ (c @ v if c.ndim == 2 else c * v)))

    def within(low: float, high: float) -> ScoreVerifier:
        """|v^T x| from low to high."""
        if low <= 0:
            return ScoreVerifier(v, ((-high, high),))
        return ScoreVerifier(v, ((-high, -low), (low, high)))

    def quantile(q: float) -> float:
        def apart(t: float) -> float:
            return kept_share(law, 0.0, within(0.0, t)) - q

        low = 1e-12 * far
        return brentq(apart, low, far, xtol=1e-14 * far, rtol=1e-14) if apart(low) < 0 else 0.0

    if keep == "hard":
        return within(0.0, quantile(share))
    if keep == "easy":
        return within(quantile(1 - share), math.inf)
    if keep == "middle":
        return within(quantile((1 - share) / 2), quantile((1 + share) / 2))

    def above(t: float) -> ScoreVerifier:
        return ScoreVerifier(v, ((t, math.inf),))

    threshold = brentq(lambda t: kept_share(law, given, above(t)) - share, -far, far, xtol=1e-13 * far, rtol=1e-13)
    return above(threshold)


def predict_selection(selection: Selection) -> Prediction:
    """Predict mean margin, variance, accuracy and risk of the classifier trained on real and selected synthetic samples.

    Parameters
    ----------
    selection : Selection

    Returns
    -------
    Prediction
        Its lam is nan; `fixed_point` holds delta of a sample in no set (q), and the relative residual.

    Raises
    ------
    NotConverged
        If the fixed point was not solved to 1e-12.
    """
    instance("what is predicted", selection, Selection)
    return _Solver(selection).prediction()


def _check_labels(labels: object) -> None:
    """Raise unless labels are a share of wrong ones, a labeller or None."""
    if labels is not None and not isinstance(labels, MarginLabeller):
        number("the labels of a selection, as a share of wrong ones,", labels, 0, 1)


def _direction(name: str, values: object, p: int) -> np.ndarray:
    """The vector (p,) of the values."""
    v = numbers(name, values)
    if v.shape != (p,) or not v.any():
        raise BadInput(f"{name} must be a vector with p = {p} entries, not all of them 0")
    return v


def _law(setting: Setting) -> Law:
    """The law of a real sample, with its mean as a vector (p,)."""
    mean = np.zeros(setting.p)
    given = np.atleast_1d(np.asarray(setting.means[0], dtype=float))[: setting.p]
    mean[: given.size] = given
    return Law(mean, setting.covariance)


class _Weights(NamedTuple):
    """Reduced weights of the real samples, the selected ones and those of the fit, and the trace that the last ones see; or slopes."""

    real: float
    selected: float
    fit: float
    delta: float


class _Solver:
    """The solver of a selection: first the trace q = (1/N) tr(C B), then a linear system in at most nine unknowns."""

    def __init__(self, selection: Selection) -> None:
        s, kept, law = selection.setting, selection.kept, selection.law
        self.gamma, self.omega, self.N, self.alpha = s.ridge.gamma, s.omega, s.N, kept.alpha
        kind = s.generator.kind if s.m else "exact"
        self.kind = "exact" if kind == "exact" else "fitted" if kind == "self-fitted" or s.generator.estimate_mean else "known mean"
        self.trains = float(kind == "self-fitted")
        self.theta_fit = {"exact": 0.0, "self-fitted": s.n, "independent": s.generator.n_hat}[kind] / s.N
        self.theta_real = (0.0 if self.trains else s.n) / s.N
        self.theta = kept.alpha * s.m / s.N
        c = np.asarray(s.covariance, dtype=float)
        columns, V = np.stack([law.mean, kept.u, kept.v], axis=1), np.stack([kept.u, kept.v], axis=1)
        if c.ndim == 2:
            c, vectors = np.linalg.eigh(c)
            columns, V = vectors.T @ columns, vectors.T @ V
        self.c = np.broadcast_to(np.maximum(c, 0), (s.p,))
        columns[:, 1:] *= self.c[:, None]
        self.columns, spread = columns, V.T @ columns[:, 1:]
        self.score = (spread[0, 0], spread[0, 1], spread[1, 1], float(kept.u @ law.mean), float(kept.v @ law.mean))
        K = kept.K
        self.moments = (*kept.a, K[0, 1], K[0, 2], K[1, 1], K[1, 2], K[2, 2])

    def prediction(self) -> Prediction:
        """Solve, and respond."""
        q, residual = self._solve()
        if not residual <= kernels.TOLERANCE:
            raise NotConverged(f"the selection was not solved: relative residual {residual:.1e} where {kernels.TOLERANCE:.0e} is wanted")
        now, slopes = self._weights(q)
        b = 1 / (self.gamma + self._root(now) * self.c)
        q_root = -float(np.sum((self.c * b) ** 2)) / self.N
        moved = q_root / (1 - q_root * self._root(slopes))  # dq/dt: the resolvent moves in t as in its root
        unknown, beta = self._stationary(now, self.columns.T @ (b[:, None] * self.columns))
        w = b * (self.columns @ beta)
        margin, square = float(unknown[0]), float(w @ (self.c * w))
        _, to_weight, to_delta = self._loss(now, unknown, square)
        real = (1 - margin) ** 2 + square
        variance = square + moved * (slopes.real * real + slopes.selected * to_weight + slopes.delta * to_delta)
        if not (math.isfinite(margin) and variance >= 0):
            raise NotConverged("the selection is beyond floating point: take less extreme values of gamma, omega or the covariance")
        accuracy, risk = np.empty(1), np.empty(1)
        kernels.outcomes(np.array([margin]), np.array([variance]), accuracy, risk)
        return Prediction(margin, variance, float(accuracy[0]), float(risk[0]), self.alpha, math.nan, {"q": q, "residual": residual})

    def _solve(self) -> tuple[float, float]:
        """q and its relative residual."""
        from scipy.optimize import brentq

        def apart(log_q: float) -> float:
            q = math.exp(log_q)
            return float(np.sum(self.c / (self.gamma + self._root(self._weights(q)[0]) * self.c))) / self.N / q - 1

        most = float(self.c.sum()) / (self.gamma * self.N)
        if not most:
            return 0.0, 0.0
        high, low = math.log(most) + 1e-9, math.log(most) - 1.0
        while apart(low) < 0:
            low -= 2.0
        found = brentq(apart, low, high, xtol=1e-300, rtol=1e-15)
        return math.exp(found), abs(apart(found))

    def _weights(self, q: float) -> tuple[_Weights, _Weights]:
        """The reduced weights at q, and their slopes in q."""
        c, own, f = self.omega, self.trains, self.theta_fit
        real, d_real = self.theta_real / (1 + q), -self.theta_real / (1 + q) ** 2
        if self.kind == "exact":
            tau = self.theta * c / (1 + c * q)
            return _Weights(real, tau, 0.0, q), _Weights(d_real, -tau * c / (1 + c * q), 0.0, 1.0)
        # tau (1 + c delta_s) = theta c, where delta_s = q / (1 + (own + tau / f) q): a quadratic in tau with one positive root
        A, B, C = q / f, 1 + (own + c) * q - self.theta * c * q / f, -self.theta * c * (1 + own * q)
        tau = 2 * -C / (B + math.sqrt(B * B - 4 * A * C))
        d_tau = (self.theta * c * own - tau * (tau / f + own + c - self.theta * c / f)) / (2 * A * tau + B)
        handed = own + tau / f
        return _Weights(real, tau, f * handed / (1 + handed * q), q), \
            _Weights(d_real, d_tau, (d_tau - f * handed**2) / (1 + handed * q) ** 2, 1.0)  # fmt: skip

    def _root(self, of: _Weights) -> float:
        """The weight of C in the resolvent."""
        return of.real + (of.selected if self.kind == "exact" else of.fit)

    def _stationary(self, now: _Weights, G: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """mu^T w, V^T C w and the multipliers where the loss is stationary, and w in the columns B (mu, C u, C v); G: their products."""
        size = {"exact": 3, "known mean": 7, "fitted": 9}[self.kind]
        constant = self._loss(now, np.zeros(size), 0.0)[0]
        slopes = np.stack([self._loss(now, unit, 0.0)[0] - constant for unit in np.eye(size)], axis=1)
        # the first three are G beta, and 2 beta is minus the gradient in them
        system, right = slopes.copy(), -constant
        system[:3], right[:3] = np.eye(size)[:3] + G @ slopes[:3] / 2, -G @ constant[:3] / 2
        unknown = np.linalg.solve(system, right)
        return unknown, -(constant + slopes @ unknown)[:3] / 2

    def _loss(self, now: _Weights, unknown: np.ndarray, square: float) -> tuple[np.ndarray, float, float]:
        """The gradient of the loss but for gamma |w|^2 + root w^T C w, and its slopes in the selected samples' weight and in delta."""
        from .generated import selection as generated

        if self.kind == "exact":
            *gradient, to_weight = generated.exact(*unknown, square, now.selected, *self.moments)
            to_delta = 0.0
        elif self.kind == "known mean":
            *gradient, to_weight, to_delta = generated.known_mean(*unknown, square, now.selected, now.delta, self.theta_fit,
                                                                  *self.score[:3], *self.moments)  # fmt: skip
        else:
            *gradient, to_weight, to_delta = generated.fitted(*unknown, square, now.selected, now.delta, self.theta_fit, self.trains,
                                                              *self.score, *self.moments)  # fmt: skip
        gradient = np.array(gradient)
        gradient[0] += 2 * now.real * (unknown[0] - 1)
        return gradient, to_weight, to_delta
