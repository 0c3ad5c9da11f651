"""Selection: accuracy of a classifier over the share of synthetic samples that is kept by a score, and when less is more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from ..drawing.panels import Line, Panel, Points
from ..sims.monte_carlo import Estimate, Simulation
from ..solvers.problem import Generator, Ridge, Setting, Verifier
from ..solvers.selection import Keep, Selection, keep_share, predict_selection, score_direction
from .kit.claims import Budget, Claim, agrees, at_least, falls_outside
from .kit.figure import Built, Figure
from .kit.run import Run

KEEPS: tuple[Keep, ...] = ("hard", "easy", "top", "random")
NAMES = {"hard": "keep the hard", "easy": "keep the easy", "top": "keep the top", "random": "keep any"}
BEYOND = 4096  # m / p, up to which a boundary is looked for


@dataclass(frozen=True)
class Settings:
    p: int = 100
    mu: float = 1.5
    gamma: float = 0.1
    epsilon: float = 0.1
    m_over_p: tuple[int, ...] = (2, 32)
    angles: tuple[float, ...] = (20.0, 60.0)
    shares: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    fitted_angle: float = 45.0
    fitted_m_over_p: int = 16
    n_hat_over_p: float = 3.0
    boundary_shares: tuple[float, ...] = (0.3, 0.5)
    boundary_epsilons: tuple[float, ...] = (0.0, 0.1)
    boundary_angles: tuple[float, ...] = (20.0, 40.0, 60.0)
    trials: int = 400


def build(s: Settings, run: Run) -> Built:
    """Simulate every rule at every share, and both sides of the boundary; predict; compare."""
    grid = np.linspace(0.05, 1, 39)
    whole = {(ratio, angle): _setting(s, ratio) for ratio in s.m_over_p for angle in s.angles}
    places = [(ratio, angle, keep, share) for ratio, angle in whole for keep in KEEPS for share in s.shares]
    rules = [_rule(whole[ratio, angle], angle, keep, share) for ratio, angle, keep, share in places]
    fits = {name: _setting(s, s.fitted_m_over_p).with_(generator=generator) for name, generator in _generators(s).items()}
    fit_places = [(name, keep, share) for name in fits for keep in ("hard", "top") for share in s.shares]
    fit_rules = [_rule(fits[name], s.fitted_angle, keep, share) for name, keep, share in fit_places]
    measured = run.simulate_many([*rules, *fit_rules], trials=s.trials)
    points = dict(zip(places, measured, strict=False))
    fit_points = dict(zip(fit_places, measured[len(rules) :], strict=True))

    claims = [claim for place, rule in zip(places, rules, strict=True) for claim in _agree(_where(*place), rule, points[place], s.p)]
    for place, rule in zip(fit_places, fit_rules, strict=True):
        claims += _agree(f"{place[0]} generator, {NAMES[place[1]]}, share {place[2]:g}", rule, fit_points[place], s.p)
    claims += _wrong_theories(s, whole, fits, points, fit_points)
    boundaries, more = _boundaries(s, run)
    panels = [_shares(s, key, setting, grid, points) for key, setting in whole.items()]
    return Built([*panels[:2], _boundary_panel(s, boundaries), *panels[2:], _fit_panel(s, fits, grid, fit_points)], claims + more,
                 {"curves": {f"m={ratio:g}p, {angle:g} degrees": _ends(setting, angle, grid) for (ratio, angle), setting in whole.items()},
                  "boundaries": {f"share {share:g}, epsilon={epsilon:g}": _reach(*curve)
                                 for (share, epsilon), curve in boundaries.items()}})  # fmt: skip


FIGURE = Figure("Selection by a score: which synthetic samples to keep", columns=3, settings=Settings(),
                quick=Settings(shares=(0.3, 0.7), boundary_angles=(40.0,), boundary_epsilons=(0.1,), boundary_shares=(0.5,), trials=200),
                build=build)  # fmt: skip


def _setting(s: Settings, ratio: float) -> Setting:
    return Setting(0, round(ratio * s.p), s.p, s.mu, s.epsilon, ridge=Ridge(s.gamma))


def _generators(s: Settings) -> dict[str, Generator]:
    return {"exact": Generator(), "fitted": Generator("independent", round(s.n_hat_over_p * s.p), estimate_mean=True)}


def _rule(setting: Setting, angle: float, keep: Keep, share: float) -> Selection:
    return Selection(setting, keep_share(keep, share, setting, score_direction(setting, angle)))


def _where(ratio: float, angle: float, keep: Keep, share: float) -> str:
    return f"m={ratio:g}p, {angle:g} degrees, {NAMES[keep]}, share {share:g}"


def _agree(where: str, rule: Selection, point: Simulation, p: int) -> list[Claim]:
    theory, budget = predict_selection(rule), Budget.at(p)
    return [
        agrees(f"accuracy, {where}", theory.accuracy, point.accuracy, budget.accuracy, se_at_most=0.004),
        agrees(f"mean margin, {where}", theory.mean_margin, point.mean_margin, budget.relative * theory.mean_margin),
        agrees(f"variance, {where}", theory.variance, point.variance, budget.relative * theory.variance,
               se_at_most=0.03 * theory.variance),
    ]  # fmt: skip


def _wrong_theories(s: Settings, whole: dict[tuple[int, float], Setting], fits: dict[str, Setting], points: dict[tuple, Simulation],
                    fit_points: dict[tuple, Simulation]) -> list[Claim]:  # fmt: skip
    """Keep decisions with the same rates that do not look at the sample; a fitted generator that is taken for an exact one."""
    share, claims = s.shares[0], []
    for (ratio, angle), setting in whole.items():
        for keep in ("hard", "easy"):
            rule = _rule(setting, angle, keep, share)
            kept = rule.kept
            right, wrong = kept.alpha * (1 - kept.wrong) / (1 - kept.epsilon), kept.alpha * kept.wrong / kept.epsilon
            blind = Selection(setting, Verifier(min(wrong, 1.0), min(right, 1.0)))
            claims.append(_rejected(f"decisions of the same rates that do not look, {_where(ratio, angle, keep, share)}", blind, rule,
                                    points[ratio, angle, keep, share], s.p))  # fmt: skip
    for one in s.shares:
        exact, fitted = (_rule(fits[name], s.fitted_angle, "top", one) for name in ("exact", "fitted"))
        claims.append(_rejected(f"the fitted generator taken for an exact one, share {one:g}", exact, fitted,
                                fit_points["fitted", "top", one], s.p))  # fmt: skip
    return claims


def _rejected(name: str, wrong: Selection, right: Selection, point: Simulation, p: int) -> Claim:
    """The wrong theory falls outside, in mean margin or variance, whichever it gets more wrong: the other may be right by chance."""
    wrong, right = predict_selection(wrong), predict_selection(right)
    quantity = max(("mean_margin", "variance"), key=lambda name: abs(getattr(wrong, name) / getattr(right, name) - 1))
    value = getattr(wrong, quantity)
    return falls_outside(f"{name}, {quantity.replace('_', ' ')}", value, getattr(point, quantity), Budget.at(p).relative * abs(value))


# --- the boundary between keep-hard and keep-easy ---------------------------------------------------------------------

Boundary = dict[tuple[float, float], tuple[np.ndarray, np.ndarray]]


def _gain(s: Settings, angle: float, share: float, epsilon: float, ratio: float) -> float:
    """Accuracy with the hard samples less that with the easy ones."""
    setting = _setting(s, 1).with_(m=ratio * s.p, epsilon=epsilon)
    hard, easy = (predict_selection(_rule(setting, angle, keep, share)).accuracy for keep in ("hard", "easy"))
    return hard - easy


def _crossing(s: Settings, angle: float, share: float, epsilon: float) -> float:
    """The least m / p from which the hard samples are better; nan where they are not up to BEYOND."""
    ratios = np.geomspace(1, BEYOND, 49)
    before = _gain(s, angle, share, epsilon, ratios[0])
    for low, high in pairwise(ratios):
        after = _gain(s, angle, share, epsilon, high)
        if before <= 0 < after:
            return math.exp(brentq(lambda x: _gain(s, angle, share, epsilon, math.exp(x)), math.log(low), math.log(high), xtol=1e-6))
        before = after
    return math.nan


def _boundaries(s: Settings, run: Run) -> tuple[Boundary, list[Claim]]:
    """The curves, and the simulated gain on them and at a third and three times as many samples."""
    angles = np.arange(2.0, 86.0, 3.0)
    curves = {(share, epsilon): (angles, np.array([_crossing(s, angle, share, epsilon) for angle in angles]))
              for share in s.boundary_shares for epsilon in s.boundary_epsilons}  # fmt: skip
    places = []
    for share, epsilon in curves:
        for angle in s.boundary_angles:
            star = _crossing(s, angle, share, epsilon)
            if star < 80:  # more samples than this are better left to the theory
                places += [(share, epsilon, angle, factor, round(factor * star * s.p)) for factor in (1 / 3, 1.0, 3.0)]
    rules = [_rule(_setting(s, 1).with_(m=m, epsilon=epsilon), angle, keep, share)
             for share, epsilon, angle, _, m in places for keep in ("hard", "easy")]  # fmt: skip
    measured = run.simulate_many(rules, trials=s.trials)
    claims = []
    for i, (share, epsilon, angle, factor, m) in enumerate(places):
        hard, easy = measured[2 * i].accuracy, measured[2 * i + 1].accuracy
        gain = Estimate(hard.mean - easy.mean, math.hypot(hard.se, easy.se))
        theory = _gain(s, angle, share, epsilon, m / s.p)
        where = f"epsilon={epsilon:g}, share {share:g}, {angle:g} degrees, m={m}"
        budget = 2 * Budget.at(s.p).accuracy
        claims.append(agrees(f"hard less easy, {where}", theory, gain, budget, se_at_most=0.006))
        if factor != 1 and abs(theory) > 0.02:
            claims.append(at_least(f"the better rule of a side, {where}", math.copysign(1, factor - 1) * gain.mean - 4 * gain.se, 0.0))
    return curves, claims


def _ends(setting: Setting, angle: float, grid: np.ndarray) -> dict[str, object]:
    """For the record: the theory's accuracy of all samples, and the best and worst of every rule and the shares kept there."""
    found: dict[str, object] = {"keep all": predict_selection(Selection(setting)).accuracy}
    for keep in KEEPS:
        curve = np.array([predict_selection(_rule(setting, angle, keep, share)).accuracy for share in grid])
        best, worst = int(curve.argmax()), int(curve.argmin())
        found[NAMES[keep]] = {"best": curve[best], "best at": grid[best], "worst": curve[worst], "worst at": grid[worst]}
    return found


def _reach(angles: np.ndarray, ratios: np.ndarray) -> dict[str, float]:
    """For the record: where a boundary lies, and the last angle that it reaches."""
    known = np.isfinite(ratios)
    return {"lowest": ratios[known].min(), "highest": ratios[known].max(), "last angle": angles[known].max(),
            **{f"at {angle:g} degrees": ratio for angle, ratio in zip(angles, ratios, strict=True)}}  # fmt: skip


# --- panels -----------------------------------------------------------------------------------------------------------

def _shares(s: Settings, key: tuple[int, float], setting: Setting, grid: np.ndarray, points: dict[tuple, Simulation]) -> Panel:
    ratio, angle = key
    everything = predict_selection(Selection(setting)).accuracy
    marks = [Line("keep all", np.array([0.05, 1.0]), np.array([everything] * 2), 5, "guide")]
    for color, keep in enumerate(KEEPS):
        curve = [predict_selection(_rule(setting, angle, keep, share)).accuracy for share in grid]
        marks += [Line(NAMES[keep], grid, np.array(curve), color),
                  _points(s.shares, [points[ratio, angle, keep, share] for share in s.shares], color)]  # fmt: skip
    return Panel(rf"$m/p={ratio}$, score at ${angle:g}^\circ$, $\varepsilon={s.epsilon:g}$", r"share kept $\alpha$", "accuracy", marks,
                 key={"o": f"simulated, p = {s.p}, 2 SE"})


def _points(shares: tuple[float, ...], measured: list[Simulation], color: int, marker: str = "o", curve: str = "") -> Points:
    accuracy = [one.accuracy for one in measured]
    return Points("", np.array(shares), np.array([one.mean for one in accuracy]), np.array([one.se for one in accuracy]), color, marker,
                  curve)


def _boundary_panel(s: Settings, boundaries: Boundary) -> Panel:
    marks = []
    for i, ((share, epsilon), (angles, ratios)) in enumerate(boundaries.items()):
        marks.append(Line(rf"share {share:g}, $\varepsilon={epsilon:g}$", angles, ratios, i))
    return Panel("above a line keep the hard, below it the easy",
                 "angle between score and truth (degrees)", "$m/p$", marks, yscale="log")


def _fit_panel(s: Settings, fits: dict[str, Setting], grid: np.ndarray, points: dict[tuple, Simulation]) -> Panel:
    marks = []
    for color, keep in ((0, "hard"), (2, "top")):
        for name, style, marker in (("exact", "theory", "o"), ("fitted", "alternative", "s")):
            curve = [predict_selection(_rule(fits[name], s.fitted_angle, keep, share)).accuracy for share in grid]
            measured = [points[name, keep, share] for share in s.shares]
            label = f"{NAMES[keep]}, {name}"
            marks += [Line(label, grid, np.array(curve), color, style), _points(s.shares, measured, color, marker, label)]
    return Panel(rf"$m/p={s.fitted_m_over_p}$, score at ${s.fitted_angle:g}^\circ$, fitted: $\hat n={s.n_hat_over_p:g}p$",
                 r"share kept $\alpha$", "accuracy", marks,
                 key={"o": "simulated, exact, 2 SE", "s": "simulated, fitted, 2 SE"})  # fmt: skip
