"""Lines of generators in closed form: any number of generations, infinitely many included, and what keeps an accuracy for ever.

The theory is derived in derivations/special/collapse.py. A line is what `trees.generations` makes: the same numbers, without a tree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..support.errors import BadInput, NotConverged, instance, number
from . import kernels
from .compiling import njit
from .generated import collapse as generated
from .predict import Prediction
from .problem import Setting, Verifier, kept_labels
from .tree_laws import lower_laws
from .trees import Tree, generations

INFINITE = math.inf
_START = 1e-12  # load of the oldest generation of infinitely many, times 2 f: its square is lost in rounding
_EXACT = 400  # accumulated generations that are summed one by one; of those beyond, the sum is an integral
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_MOST_STEPS = 10**8
LEAST_SHARE = 1e-4  # of new real samples that is told from none


@dataclass(frozen=True)
class _State:
    """The last generation of a line: freedom A, load w, and the sums over the line; with the slopes of all in A."""

    freedom: float
    load: float
    first: float
    second: float
    noise: float
    slopes: tuple[float, float, float, float]  # of load, first, second, noise


@njit(cache=True, error_model="numpy")
def _march(share, label, load, steps, endless, out):
    """Fill out (10,) with load, freedom, sums and their slopes in the first load, after so many generations more; False where none is.

    endless: the first generation is one of infinitely many, and its load is small; otherwise it consists of real samples.
    """
    w, dw = load, 1.0
    if endless:
        left = 1.0 - share
        b, r1, r2 = 1.0 / (share * (2.0 - share)), share / (1.0 - left * label), share / (1.0 - left * label * label)
        g = left * (1.0 - label * label) / (1.0 - left * label * label)
        A, dA, first, dfirst, second, dsecond, noise, dnoise = w - b * w * w, 1.0 - 2.0 * b * w, r1 * w, r1, r2 * w, r2, g * w, g
    else:
        A, dA = w / (1.0 + w), 1.0 / (1.0 + w) ** 2
        first, dfirst, second, dsecond, noise, dnoise = A, dA, A, dA, 0.0, 0.0
    square = label * label
    for _ in range(steps):
        if 1.0 - share <= A:
            return False
        after, freedom, w_w, w_A, A_w, A_A = generated.fresh_step(w, A, share)
        added, d_added = freedom - A, A_w * dw + (A_A - 1.0) * dA
        first, dfirst = label * first + added, label * dfirst + d_added
        second, dsecond = square * second + added, square * dsecond + d_added
        noise, dnoise = square * noise + (1.0 - square) * w, square * dnoise + (1.0 - square) * dw
        w, dw, A, dA = after, w_w * dw + w_A * dA, freedom, A_w * dw + A_A * dA
    out[0], out[1], out[2], out[3], out[4] = w, A, first, second, noise
    out[5], out[6], out[7], out[8], out[9] = dw, dA, dfirst, dsecond, dnoise
    return True


def _marched(share: float, label: float, load: float, steps: int, endless: bool) -> _State | None:
    out = np.empty(10)
    if steps > _MOST_STEPS or not _march(share, label, load, steps, endless, out) or not np.isfinite(out).all():
        return None
    w, A, first, second, noise, dw, dA, *slopes = (float(one) for one in out)
    return _State(A, w, first, second, noise, (dw / dA, *(each / dA for each in slopes)))


def _accumulated(freedom: float, depth: float) -> _State | None:
    """The state of accumulated generations: w = A / prod (1 - v_k / k)."""
    if not 0 < freedom < 1:
        return None
    k = np.arange(1.0, min(depth, _EXACT) + 1)

    def terms(k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        v, slope = np.transpose([generated.accumulated(each, freedom) for each in k])
        return np.log1p(-v / k), -slope / (k - v)

    log, log_slope = (float(np.sum(each)) for each in terms(k))
    if depth > _EXACT:  # Euler and Maclaurin at half a generation: the rest is below 1e-14
        low, high = (0.0 if depth == INFINITE else 1 / (depth + 0.5)), 1 / (_EXACT + 0.5)
        x, weights = low + (high - low) * (1 + _NODES) / 2, (high - low) / 2 * _WEIGHTS / ((low + (high - low) * (1 + _NODES) / 2) ** 2)
        tail, tail_slope = terms(1 / x)
        edge = (high**3 - low**3) / 12
        log += float(weights @ tail) + freedom * edge
        log_slope += float(weights @ tail_slope) + edge
    load = freedom * math.exp(-log)
    return _State(freedom, load, freedom, freedom, 0.0, (load * (1 / freedom - log_slope), 1.0, 1.0, 0.0))


@njit(cache=True, error_model="numpy")
def _mislabel(freedom, depth, label, out):
    """Fill out (6,) with first, second and lost of accumulated generations with labels of that mean, then their slopes in freedom."""
    v, dv = generated.accumulated(1.0, freedom)
    w, dw, target, d_target = v / (1.0 - v), dv / (1.0 - v) ** 2, 1.0, 0.0
    lost, d_lost = v * w, dv * w + v * dw
    for k in range(1, depth):
        v, dv = generated.accumulated(k + 1.0, freedom)
        w_next, growth, w_w, w_v, growth_v = generated.label_step(w, v, float(k), label)
        w, dw = w_next, w_w * dw + w_v * dv
        target, d_target = target * growth, d_target * growth + target * growth_v * dv
        square = w * target * target
        lost += v * square
        d_lost += dv * square + v * (dw * target * target + 2 * w * target * d_target)
    speed = d_target / target
    out[0], out[3] = freedom / target, (1.0 - freedom * speed) / target
    out[1], out[4] = freedom / target**2, (1.0 - 2 * freedom * speed) / target**2
    out[2], out[5] = lost / target**2, (d_lost - 2 * lost * speed) / target**2


def _mislabelled(state: _State, depth: float, label: float) -> _State:
    """The state of accumulated generations whose labels, but for the first real ones, have the mean `label`, from that with right ones."""
    out = np.zeros(6)  # of infinitely many nothing of the target is left, and nothing of it is lost
    if depth != INFINITE:
        _mislabel(state.freedom, int(depth), label, out)
    first, second, lost, d_first, d_second, d_lost = (float(one) for one in out)
    d_load = state.slopes[0]
    return _State(state.freedom, state.load, first, second, state.load - second - lost,
                  (d_load, d_first, d_second, d_load - d_second - d_lost))  # fmt: skip


def _states(scheme: str, depth: float, share: float, label: float) -> tuple[Callable[[float], _State | None], float, float]:
    """The states of a line by a parameter that rises with freedom, None beyond the last; and where the parameter begins and may end.

    Of infinitely many replaced generations there are none; one stands for them.
    """
    if scheme == "accumulate":
        return (lambda s: _accumulated(1 / (1 + math.exp(-s)), depth)), -60.0, 60.0
    if share == 1 or depth == 1 or (share == 0 and depth == INFINITE):
        return (lambda s: _marched(0.0, label, math.exp(s), 0, False)), -60.0, 60.0
    stride = -math.log1p(-share)
    if depth == INFINITE or depth * stride > 60:  # of the first generations less than rounding is left
        return _endless(share, label, stride)
    return (lambda s: _marched(share, label, math.exp(s), int(depth) - 1, False)), -60.0 - depth * stride, 60.0


def _endless(share: float, label: float, stride: float) -> tuple[Callable[[float], _State | None], float, float]:
    """The same of infinitely many generations with a fresh share."""
    start = _START * 2 * share

    def state(x: float) -> _State | None:
        steps = math.floor(x)
        return _marched(share, label, start * math.exp(stride * (x - steps)), steps, True)

    return state, 1.0, (60 - math.log(start)) / stride


def predict_line(setting: Setting, scheme: str, depth: float = INFINITE, *, label: float = 1.0) -> Prediction:
    """Predict the classifier trained on samples of the last of a line of generators.

    Parameters
    ----------
    setting : Setting
        As of `trees.generations`.
    scheme : str
        replace, accumulate or fresh:SHARE, as of `trees.generations`.
    depth : float
        Number of generators; infinity by default.
    label : float
        Mean y = 1 - 2 e of the kept labels of every generation before the last, whose n_hat samples are the kept ones; 1: right labels.

    Returns
    -------
    Prediction
        `fixed_point` holds the root, the degrees of freedom of the line, and the relative residual. For infinitely many replaced
        generations nothing is left: mean margin 0, accuracy 1/2, unless there are real samples too.

    Raises
    ------
    BadInput
        As `trees.generations`.
    NotConverged
        If the fixed point was not solved to 1e-10.
    """
    endless = isinstance(depth, float) and depth == INFINITE
    tree = generations(setting, 1 if endless else depth, scheme)
    number("the mean label of a generation", label, 0, 1)
    name, _, text = scheme.partition(":")
    wrong = name == "accumulate" and label != 1
    K = setting.generator.n_hat
    share = round(float(text) * K) / K if text else 0.0
    if endless and name != "accumulate" and (share == 0 or label == 0):
        name, share = "replace", 0.0
    line = _Line(setting, tree, *_states(name, depth, share, label), gone=name == "replace" and endless)
    return line.prediction(lambda state: _mislabelled(state, depth, label) if wrong else state)


class _Line:
    """A line of generators in a setting: one equation in its freedom, then the response."""

    def __init__(self, setting: Setting, tree: Tree, states: Callable[[float], _State | None], low: float, high: float, gone: bool) -> None:
        self.setting, self.states, self.low, self.high = setting, states, low, high
        self.gone = gone or setting.m * setting.alpha == 0
        laws = lower_laws(tree)  # one law, which any basis fits
        self.c, self.counts, self.squares = laws.eigenvalues[0], laws.h * tree.N, laws.products[0, 0]
        self.N, self.K, self.gamma = setting.N, setting.generator.n_hat, setting.ridge.gamma
        self.theta_real, self.theta = setting.n / self.N, setting.alpha * setting.m / self.N
        alpha, lam, _ = kept_labels(setting.epsilon, setting.verifier.rho, setting.verifier.phi)
        self.label = float(lam / alpha) if alpha else 1.0

    def _trace(self, root: float) -> tuple[float, float]:
        b = self.c / (self.gamma + root * self.c)
        return float(self.counts @ b) / self.N, float(self.counts @ (b * b)) / self.N

    def _weights(self, state: _State) -> tuple[float, float, float]:
        """q, the root of the real samples, and K / (N q), at a state of the line."""
        left = self.theta - self.K * state.freedom / self.N
        q = self.K / self.N * state.load / (self.setting.omega * left) if left > 0 else math.inf
        return q, self.theta_real / (1 + q), self.K / (self.N * q)

    def _apart(self, s: float) -> float:
        """Positive where the freedom is too large."""
        state = self.states(s)
        if state is None:
            return 1.0
        q, real, scale = self._weights(state)
        return 1.0 if q == math.inf else math.tanh(math.log(q / self._trace(real + scale * state.freedom)[0]))

    def prediction(self, told: Callable[[_State], _State] = lambda state: state) -> Prediction:
        """Solve, and respond; told: makes of the state, once it is found, that with the labels that there were."""
        from scipy.optimize import brentq

        if self.gone:
            return self._without()
        if not self._apart(self.low) < 0 < self._apart(self.high):
            raise NotConverged("the line of generators is beyond floating point: take less extreme values")
        s = brentq(self._apart, self.low, self.high, xtol=1e-300, rtol=8.9e-16, maxiter=400)
        state = told(self.states(s))
        q, real, scale = self._weights(state)
        kappa = real + scale * state.freedom
        residual = abs(q / self._trace(kappa)[0] - 1)
        if not residual <= 1e-10:
            raise NotConverged(f"the line of generators was not solved: relative residual {residual:.1e} where 1e-10 is wanted")
        return self._response(state, q, real, scale, kappa, residual)

    def _response(self, state: _State, q: float, real: float, scale: float, kappa: float, residual: float) -> Prediction:
        w_A, first_A, second_A, noise_A = state.slopes
        left = self.theta - self.K * state.freedom / self.N
        q_A = q * (w_A / state.load + self.K / self.N / left)
        real_A, scale_A = -real * q_A / (1 + q), -scale * q_A / q
        kappa_A, q2 = real_A + scale_A * state.freedom + scale, self._trace(kappa)[1]
        freedom = -q2 / (q_A + q2 * kappa_A)  # dA/dt, as the resolvent moves in t as in the root
        b = 1 / (self.gamma + kappa * self.c)
        product, product_root = float(self.squares @ b), -float(self.squares @ (self.c * b * b))
        margin, of_real, of_scale, of_freedom, of_load, of_first, of_second, of_noise, of_product = generated.line_response(
            real, scale, self.label, state.freedom, state.load, state.first, state.second, state.noise, product)  # fmt: skip
        along = of_real * real_A + of_scale * scale_A + of_freedom + of_load * w_A + of_first * first_A + of_second * second_A
        variance = (along + of_noise * noise_A) * freedom + of_product * product_root * (1 + kappa_A * freedom)
        return self._named(margin, variance, kappa, self.K * state.freedom, residual)

    def _without(self) -> Prediction:
        """Only the real samples are left of everything."""
        from .predict import predict

        if self.setting.n == 0:
            return self._named(0.0, 0.0, 0.0, 0.0, 0.0)
        alone = predict(self.setting.with_(m=0.0))
        return self._named(alone.mean_margin, alone.variance, math.nan, 0.0, alone.fixed_point["residual"])

    def _named(self, margin: float, variance: float, root: float, freedom: float, residual: float) -> Prediction:
        accuracy, risk = np.empty(1), np.empty(1)
        kernels.outcomes(np.array([margin]), np.array([variance]), accuracy, risk)
        right = float(accuracy[0]) if variance > 0 else 0.5
        return Prediction(float(margin), float(variance), right, float(risk[0]), self.setting.alpha, self.setting.lam,
                          {"root": root, "degrees_of_freedom": freedom, "residual": residual})  # fmt: skip


def smallest_fresh_share(setting: Setting, accuracy: float) -> float:
    """Return the smallest share of new real samples in every generation that keeps an accuracy for ever.

    Parameters
    ----------
    setting : Setting
        As of `trees.generations`.
    accuracy : float
        What is to be kept.

    Returns
    -------
    float
        At least 1e-4.

    Raises
    ------
    BadInput
        Where no share is enough.
    """
    target = number("the accuracy to keep", accuracy, 0.5, 1, open_low=True)

    def above(log_share: float) -> float:
        return _lasting(setting, math.exp(log_share), 1.0) - target

    # near interpolation the accuracy need not rise with the share: the first that is enough is looked for from below
    grid = np.linspace(math.log(LEAST_SHARE), 0.0, 60)
    if above(grid[0]) >= 0:
        return LEAST_SHARE
    for low, high in pairwise(grid):
        if above(high) >= 0:
            return math.exp(_root(above, low, high))
    raise BadInput(f"no share of real samples keeps an accuracy of {target:g}: with real samples alone it is {target + above(0.0):.4g}")


def weakest_verifier(setting: Setting, accuracy: float, share: float) -> Verifier:
    """Return the verifier with the largest rho that keeps an accuracy for ever, at the setting's phi.

    The samples of every generation are labelled with the setting's epsilon and pruned, n_hat kept samples a generation of which a share is
    new and real, rightly labelled.

    Parameters
    ----------
    setting : Setting
        As of `trees.generations`; the rho of its verifier does not matter.
    accuracy : float
        What is to be kept.
    share : float
        Of new real samples, from 1e-4.

    Raises
    ------
    BadInput
        Where not even a verifier that keeps no wrong label keeps the accuracy.
    """
    instance("the setting of generations", setting, Setting)
    target, phi = number("the accuracy to keep", accuracy, 0.5, 1, open_low=True), setting.verifier.phi
    share = number("the fresh share", share, LEAST_SHARE, 1)

    def above(rho: float) -> float:
        one = setting.with_(rho=rho)
        alpha, lam, _ = kept_labels(one.epsilon, rho, phi)
        return _lasting(one, share, float(lam / alpha)) - target

    best = above(0.0)
    if best < 0:
        raise BadInput(f"no verifier keeps an accuracy of {target:g} with a fresh share of {share:g}: "
                       f"without wrong labels it is {best + target:.4g}")  # fmt: skip
    return Verifier(1.0 if above(1.0) >= 0 else _root(above, 0.0, 1.0), phi)


def _lasting(setting: Setting, share: float, label: float) -> float:
    """Accuracy after infinitely many generations; the share need not make whole numbers of samples."""
    tree = generations(setting, 1, "replace")
    if label < 0:
        return 0.0
    depth = 1 if share == 1 else INFINITE
    return _Line(setting, tree, *_states("fresh", depth, share, label), gone=False).prediction().accuracy


def _root(above: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(above, low, high, xtol=1e-12, rtol=1e-12))
