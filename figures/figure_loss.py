"""Loss: accuracy of square, logistic, hinge and Huber classifiers, at the best ridge of each and at a light one, and the limit of all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..sims.monte_carlo import Estimate, Simulation
from ..solvers import loss_side
from ..solvers.named import named_setting
from ..solvers.predict import Prediction, predict, predict_grid
from ..solvers.problem import Setting
from ..support.errors import NotConverged
from ..support.typed import Some
from .kit.claims import Budget, Claim, agrees, at_least, at_most, falls_outside
from .kit.figure import Built, Figure
from .kit.run import Run

LOSSES = ("square", "logistic", "hinge", "huber")
SPECTRA = {"flat": "equal eigenvalues", "power:1": "eigenvalues falling as $1/i$"}
LIGHTEST, HEAVIEST, GRID = 1e-3, 30.0, 15  # of the ridges that are tried; points of a grid, and of a finer one around its best
ROUNDS, DAMPED = 10_000, 0.1  # of a plain iteration
LIMIT_COLOR = 4


class Place(NamedTuple):
    """Spectrum, label noise, features a sample, and whether the ridge is the best one of each loss or a light one."""

    spectrum: str
    epsilon: float
    ratio: float
    best: bool = True

    def __str__(self) -> str:
        return f"{self.spectrum} spectrum, epsilon={self.epsilon:g}, p/N={self.ratio:g}, {'best' if self.best else 'light'} ridge"


@dataclass(frozen=True)
class Settings:
    p: int = 200
    mu: float = 1.5
    real: float = 0.1
    epsilon: float = 0.3
    ratio: float = 0.2
    light: float = 0.05
    wrong_at: float = 0.5
    epsilons: Annotated[tuple[float, ...], Some()] = (0.0, 0.1, 0.2, 0.3, 0.4)
    ratios: Annotated[tuple[float, ...], Some()] = (0.1, 0.2, 0.5, 1.0)
    trials: int = 300
    curve: int = 31


def build(s: Settings, run: Run) -> Built:
    """Tune every loss by the theory at every place, simulate it there, compare; then spoil the theory, which must fall outside."""
    places = list(dict.fromkeys([Place(spectrum, epsilon, s.ratio) for spectrum in SPECTRA for epsilon in s.epsilons]
                                + [Place(spectrum, s.epsilon, ratio, best)
                                   for spectrum in SPECTRA for best in (True, False) for ratio in s.ratios]))  # fmt: skip
    chosen = {loss: {place: _setting(s, place, loss) for place in places} for loss in LOSSES}
    theory = {loss: {place: predict(one, loss=loss) for place, one in chosen[loss].items()} for loss in LOSSES}
    measured = {loss: dict(zip(places, run.simulate_many(list(chosen[loss].values()), trials=s.trials, loss=loss, sampler="direct"),
                               strict=True)) for loss in LOSSES}  # fmt: skip
    claims = [claim for loss in LOSSES for place in places
              for claim in _agree(f"{loss}, {place}", theory[loss][place], measured[loss][place], s.p)]  # fmt: skip
    claims += _alike(s, places, theory, measured) + _apart(s, places, theory, measured)
    claims += [_rejected(words, loss, place, chosen[loss][place], theory[loss][place], measured[loss][place], s.p)
               for words in WRONG for loss in LOSSES for place in places if not place.best and place.ratio == s.wrong_at]  # fmt: skip
    panels = [_panel(s, spectrum, over, best, measured)
              for spectrum in SPECTRA for over, best in (("epsilon", True), ("ratio", True), ("ratio", False))]  # fmt: skip
    return Built(panels, claims, extra={"gamma": {loss: {str(place): one.ridge.gamma for place, one in chosen[loss].items()}
                                                  for loss in LOSSES}})  # fmt: skip


FIGURE = Figure("Which loss: square, logistic, hinge and Huber's", columns=3, settings=Settings(),
                quick=Settings(p=100, epsilons=(0.0, 0.3), ratios=(0.5, 1.0), trials=150, curve=13), build=build)  # fmt: skip


def _setting(s: Settings, place: Place, loss: str) -> Setting:
    """Samples of the real law, a share s.real of them with right labels, the others with a share epsilon of wrong ones."""
    N = round(s.p / place.ratio)
    n = round(s.real * N)
    setting = named_setting(n=n, m=N - n, p=s.p, mu=s.mu, epsilon=place.epsilon, rho=1, phi=1, gamma=s.light, spectrum=place.spectrum)
    return _tuned(setting, loss) if place.best else setting


def _tuned(setting: Setting, loss: str) -> Setting:
    """The setting with the ridge at which the theory's accuracy is highest."""
    low, high = LIGHTEST, HEAVIEST
    for _ in range(2):
        ridges = np.geomspace(low, high, GRID)
        best = int(np.argmax(predict_grid(setting, gamma=ridges, loss=loss).accuracy))
        low, high = ridges[max(best - 1, 0)], ridges[min(best + 1, GRID - 1)]
    return setting.with_(gamma=float(ridges[best]))


def _agree(where: str, theory: Prediction, measured: Simulation, p: int) -> list[Claim]:
    budget = Budget.at(p)
    return [
        agrees(f"accuracy, {where}", theory.accuracy, measured.accuracy, budget.accuracy, se_at_most=0.006),
        agrees(f"mean margin, {where}", theory.mean_margin, measured.mean_margin, budget.relative * theory.mean_margin),
        agrees(f"variance, {where}", theory.variance, measured.variance, budget.relative * theory.variance,
               se_at_most=0.03 * theory.variance),
    ]  # fmt: skip


# --- where the loss matters --------------------------------------------------------------------------------------------

Theories = Mapping[str, Mapping[Place, Prediction]]
Measured = Mapping[str, Mapping[Place, Simulation]]


def _alike(s: Settings, places: list[Place], theory: Theories, measured: Measured) -> list[Claim]:
    """Equal eigenvalues, best ridges: the losses are within a point of each other, and of wrong labels none makes what the limit does."""
    claims = []
    for place in places:
        if place.spectrum != "flat" or not place.best:
            continue
        accuracies = [theory[loss][place].accuracy for loss in LOSSES]
        claims.append(at_most(f"best losses are within a point, {place}", max(accuracies) - min(accuracies), 0.01))
        limit = theory["square"][place].limit
        for loss in LOSSES:
            gap = limit - measured[loss][place].accuracy.mean
            bar = 4 * measured[loss][place].accuracy.se
            claims.append(at_least(f"no loss exceeds the limit, {loss}, {place}", gap + bar, -Budget.at(s.p).accuracy))
            if place.epsilon >= 0.3:
                claims.append(at_least(f"every loss is below the limit by a point, {loss}, {place}", gap - bar, 0.01))
    return claims


def _apart(s: Settings, places: list[Place], theory: Theories, measured: Measured) -> list[Claim]:
    """Hinge above square by points with unequal eigenvalues and wrong labels; logistic above square with as many features as samples."""
    claims = []
    for place in places:
        ahead = "hinge" if place.best else "logistic"
        one, other = (measured[loss][place].accuracy for loss in (ahead, "square"))
        gain = Estimate(one.mean - other.mean, math.hypot(one.se, other.se))
        expected = theory[ahead][place].accuracy - theory["square"][place].accuracy
        claims.append(agrees(f"{ahead} less square, {place}", expected, gain, 2 * Budget.at(s.p).accuracy))
        if place.best and place.spectrum != "flat" and place.epsilon >= 0.3 and place.ratio <= 0.5:
            claims.append(at_least(f"unequal eigenvalues: hinge above square by a point, {place}", gain.mean - 4 * gain.se, 0.01))
        if not place.best and place.ratio == 1:
            claims.append(at_least(f"light ridge: logistic above square by a point, {place}", gain.mean - 4 * gain.se, 0.01))
    return claims


# --- wrong theories ----------------------------------------------------------------------------------------------------

WRONG = {"half the proximal step": {"leverage": 0.5}, "the curvature a fifth too small": {"curvature": 0.8}}


def iterated(setting: Setting, loss: str, *, leverage: float = 1.0, curvature: float = 1.0) -> tuple[float, float]:
    """Return mean margin and variance by plain damped iteration, leverage and curvature of the loss side multiplied by these factors.

    setting: real and synthetic samples of one law. Raises NotConverged where this has no fixed point, or is not damped enough.
    """
    kind, threshold = loss_side.kind_of(loss)
    C, squares = (np.broadcast_to(each, int(setting.p)) for each in (setting.covariance, np.square(setting.mu)))
    if np.ndim(setting.mu) == 0:
        squares = squares / setting.p
    theta, e = setting.alpha * setting.m / setting.N, setting.verifier.wrong(setting.epsilon)
    samples = ((setting.n / setting.N, 1.0, 0.0), (theta, setting.omega, e))
    pull, work = np.zeros(3), np.empty((2, loss_side.MOMENTS))
    for step in range(ROUNDS):
        B = 1 / (setting.ridge.gamma + curvature * pull[1] * C)
        trace = np.sum(C * B) / setting.N
        margin = pull[0] * np.sum(squares * B)
        variance = pull[0] ** 2 * np.sum(squares * C * B * B) + pull[2] * np.sum((C * B) ** 2) / setting.N
        seen = np.array([margin, max(variance, 1e-4 * trace), leverage * trace])
        after = sum(np.array(loss_side.forces(kind, threshold, theta, c, e, seen, loss_side.FINE, *work)[:3]) for theta, c, e in samples)
        if np.allclose(after, pull, rtol=1e-8, atol=0):
            return float(margin), float(variance)
        pull += (DAMPED if step else 1.0) * (after - pull)
    raise NotConverged(f"plain iteration did not converge in {ROUNDS} rounds for the {loss} loss")


def _rejected(words: str, loss: str, place: Place, setting: Setting, right: Prediction, point: Simulation, p: int) -> Claim:
    """The wrong theory falls outside, in mean margin or variance, whichever it gets more wrong: the other may be right by chance."""
    values = dict(zip(("mean_margin", "variance"), iterated(setting, loss, **WRONG[words]), strict=True))
    quantity = max(values, key=lambda name: abs(values[name] / getattr(right, name) - 1))
    name = f"{words}, {loss}, {place}, {quantity.replace('_', ' ')}"
    return falls_outside(name, values[quantity], getattr(point, quantity), Budget.at(p).relative * abs(values[quantity]))


# --- panels ------------------------------------------------------------------------------------------------------------


def _panel(s: Settings, spectrum: str, over: str, best: bool, measured: Measured) -> Panel:
    """Accuracy over label noise (`epsilon`) or over features a sample (`ratio`)."""
    noise = over == "epsilon"
    grid = np.linspace(0, max(0.45, *s.epsilons), s.curve) if noise else np.geomspace(min(0.05, *s.ratios), max(2.0, *s.ratios), s.curve)
    points = s.epsilons if noise else s.ratios

    def place(x: float) -> Place:
        return Place(spectrum, x, s.ratio, best) if noise else Place(spectrum, s.epsilon, x, best)

    marks = []
    if spectrum == "flat":
        limits = [predict(_setting(s, place(x)._replace(best=False), "square")).limit for x in grid]
        marks.append(Line("no classifier exceeds", grid, np.array(limits), LIMIT_COLOR, "alternative"))
    for color, loss in enumerate(LOSSES):
        curve = [float(predict_grid(_setting(s, place(x), loss), loss=loss).accuracy) for x in grid]
        values = [measured[loss][place(x)].accuracy for x in points]
        marks += [Line(loss, grid, np.array(curve), color),
                  Points("", np.array(points), np.array([one.mean for one in values]), np.array([one.se for one in values]), color)]
    held = rf"$p/N={s.ratio:g}$" if noise else rf"$\varepsilon={s.epsilon:g}$"
    ridge = "best ridges" if best else rf"$\gamma={s.light:g}$"
    return Panel(f"{SPECTRA[spectrum]}, {held}, {ridge}", r"label noise $\varepsilon$" if noise else "features a sample $p/N$",
                 "accuracy", marks, xscale="linear" if noise else "log",
                 key={"theory": "theory", "o": f"simulated, p = {s.p}, 2 SE"})  # fmt: skip
