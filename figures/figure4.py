"""Figure 4: the phase transition in label noise of a classifier trained on synthetic data alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..sims.monte_carlo import Estimate, Simulation
from ..solvers.critical import critical_noise, slope_at_critical_noise
from ..solvers.predict import PredictionGrid, predict_grid
from ..solvers.problem import Setting, Verifier, synthetic_only
from .kit.claims import Budget, Claim, agrees, falls_outside, pooled_by_quantity
from .kit.figure import Built, Figure
from .kit.published import shortcomings
from .kit.run import Run

GRID = np.linspace(0, 1, 201)


@dataclass(frozen=True)
class Settings:
    p: int = 100
    mu: float = 1.0
    gamma: float = 1.0
    verifier: Verifier = Verifier(rho=0.3, phi=0.8)
    m_over_p: tuple[int, ...] = (1, 10, 100, 1000)
    epsilons: tuple[float, ...] = tuple(np.linspace(0, 1, 21).round(3))
    half_step: float = 0.02  # of the difference quotient at epsilon*
    trials: int = 200
    companion_p: int = 1000
    companion_gamma: float = 0.01
    companion_epsilons: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    companion_trials: int = 60


FULL = Settings()
QUICK = Settings(epsilons=tuple(np.linspace(0, 1, 11).round(3)), trials=150, companion_trials=40)


def build(s: Settings, run: Run) -> Built:
    """Simulate every point, predict every curve, and compare."""
    star = critical_noise(s.verifier)
    curves = [synthetic_only(ratio * s.p, s.p, s.mu, 0.0, s.verifier, s.gamma) for ratio in s.m_over_p]
    companion = synthetic_only(s.companion_p, s.companion_p, s.mu, 0.0, s.verifier, s.companion_gamma)
    # where nothing is kept at epsilon*, which is then 0 or 1, there is no transition inside
    around = (star - s.half_step, star, star + s.half_step) if s.half_step < star < 1 - s.half_step else ()
    epsilons = (*s.epsilons, *around)
    measured = run.simulate_many([curve.with_(epsilon=e) for curve in curves for e in epsilons], trials=s.trials)
    by_curve = [measured[i * len(epsilons) : (i + 1) * len(epsilons)] for i in range(len(curves))]
    beside = run.simulate_many([companion.with_(epsilon=e) for e in s.companion_epsilons], trials=s.companion_trials)

    claims: list[Claim] = []
    for curve, points in zip(curves, by_curve, strict=True):
        at, budget = f"p/m={s.p / curve.m:g}", Budget.at(s.p)
        claims += _points_agree(curve, epsilons, points, budget, at)
        if around:
            claims += _transition(s, curve, points[-3:], at)
    points = [claim for claim in claims if "epsilon*" not in claim.name]
    claims += pooled_by_quantity(points)
    claims += _points_agree(companion, s.companion_epsilons, beside, Budget.at(s.companion_p, interpolating=True),
                            f"gamma={s.companion_gamma:g}, p/m=1")
    claims += _published_fails(curves[0], epsilons, by_curve[0], Budget.at(s.p), f"p/m={s.p / curves[0].m:g}")
    claims += _published_fails(companion, s.companion_epsilons, beside, Budget.at(s.companion_p, interpolating=True),
                               f"gamma={s.companion_gamma:g}, p/m=1")
    drawn = [*curves[:1], companion]
    published = [predict_grid(curve, epsilon=GRID, formula="published", gaps=True) for curve in drawn]
    notes = [note for curve, grid in zip(drawn, published, strict=True)
             for note in shortcomings(grid, f"gamma = {curve.ridge.gamma:g}, p/m = {curve.p / curve.m:g}")]
    return Built([_accuracies(s, star, curves, epsilons, by_curve),
                  _variances(curves[0], published[0], epsilons, by_curve[0]),
                  _variances(companion, published[1], s.companion_epsilons, beside)], claims, notes=notes)  # fmt: skip


FIGURE = Figure("Phase transition in label noise", columns=3, settings=FULL, quick=QUICK, build=build)


def _points_agree(curve: Setting, epsilons: tuple[float, ...], points: list[Simulation], budget: Budget, at: str) -> list[Claim]:
    theory = predict_grid(curve, epsilon=epsilons)
    claims = []
    for i, (epsilon, point) in enumerate(zip(epsilons, points, strict=True)):
        where = f"{at}, epsilon={epsilon:.3g}"
        spread = max(theory.variance[i], 0.0) ** 0.5  # a wrong formula's variance may be negative
        claims += [
            agrees(f"accuracy, {where}", theory.accuracy[i], point.accuracy, budget.accuracy, se_at_most=0.005),
            # a margin of 0 has no relative size: the budget is relative to the margin or the spread, whichever is larger
            agrees(f"mean margin, {where}", theory.mean_margin[i], point.mean_margin,
                   budget.relative * max(abs(theory.mean_margin[i]), spread / curve.p**0.5)),
            agrees(f"variance, {where}", theory.variance[i], point.variance, budget.relative * theory.variance[i],
                   se_at_most=0.05 * theory.variance[i]),
        ]
    return claims


def _transition(s: Settings, curve: Setting, around: list[Simulation], at: str) -> list[Claim]:
    below, on, above = around
    half = agrees(f"accuracy 1/2 at epsilon*, {at}", 0.5, on.accuracy, Budget.at(s.p).accuracy, se_at_most=0.005)
    star, h = critical_noise(s.verifier), s.half_step
    slope = slope_at_critical_noise(curve)
    ends = predict_grid(curve, epsilon=[star - h, star + h]).accuracy
    quotient = Estimate((above.accuracy.mean - below.accuracy.mean) / (2 * h), np.hypot(above.accuracy.se, below.accuracy.se) / (2 * h))
    # chord against chord: where the transition is narrower than the step, the tangent is far steeper than any chord
    chord = (ends[1] - ends[0]) / (2 * h)
    budget = Budget.at(s.p).accuracy / h  # of the two accuracies
    claims = [half, agrees(f"chord through epsilon*, {at}", chord, quotient, budget)]
    if abs(slope - chord) > 0.1 * abs(chord):  # the rule can fail
        claims.append(falls_outside(f"tangent in the place of the chord, {at}", slope, quotient, budget))
    return claims


def _published_fails(curve: Setting, epsilons: tuple[float, ...], points: list[Simulation], budget: Budget, at: str) -> list[Claim]:
    """The published variance is rejected where it is furthest off; a verifier that keeps everything leaves the formulas equal."""
    published = predict_grid(curve, formula="published", epsilon=epsilons, gaps=True)
    off = np.abs(published.variance - [point.variance.mean for point in points])
    if (curve.verifier.rho, curve.verifier.phi) == (1, 1) or np.isnan(off).all():
        return []
    index = int(np.nanargmax(off))
    return [falls_outside(f"published variance, {at}, epsilon={epsilons[index]:.3g}", published.variance[index], points[index].variance,
                          budget.relative * abs(published.variance[index]))]


def _accuracies(s: Settings, star: float, curves: list[Setting], epsilons: tuple[float, ...], by_curve: list[list[Simulation]]) -> Panel:
    marks: list[Line | Points] = []
    for color, (curve, points) in enumerate(zip(curves, by_curve, strict=True)):
        marks += [Line(f"$p/m={s.p / curve.m:g}$", GRID, predict_grid(curve, epsilon=GRID).accuracy, color),
                  _measured(points, "accuracy", epsilons, color)]
    marks.append(Line(rf"$\varepsilon^*={star:.3f}$", np.array([star, star]), np.array([0.0, 1.0]), 5, "guide"))
    return Panel(rf"synthetic data only, $\gamma={s.gamma:g}$", r"label noise $\varepsilon$", "accuracy", marks, ylim=(0, 1),
                 key={"theory": "theory", "o": "simulated, 2 SE"})


def _variances(curve: Setting, published: PredictionGrid, epsilons: tuple[float, ...], points: list[Simulation]) -> Panel:
    """The variance of the margin; the axis is that of what is possible where the published one leaves it."""
    theory = predict_grid(curve, epsilon=GRID).variance
    top = float(theory.max())
    beyond = top > 0 and (np.nanmax(np.abs(published.variance), initial=0.0) > 4 * top or np.nanmin(published.variance, initial=0.0) < 0)
    marks = [Line("theory", GRID, theory), Line("published formula", GRID, published.variance, 1, "published", curve="published"),
             _measured(points, "variance", epsilons, 0, "simulated, 2 SE")]
    return Panel(rf"variance of the margin, $\gamma={curve.ridge.gamma:g}$, $p/m={curve.p / curve.m:g}$", r"label noise $\varepsilon$",
                 "variance $s_w^2$", marks, ylim=(-2 * top, 2 * top) if beyond else (None, None))


def _measured(points: list[Simulation], quantity: str, epsilons: tuple[float, ...], color: int, label: str = "") -> Points:
    x, estimates = np.array(epsilons), np.array([getattr(point, quantity) for point in points])
    order = np.argsort(x)
    return Points(label, x[order], estimates[order, 0], estimates[order, 1], color)
