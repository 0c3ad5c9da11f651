"""Figure 4: the phase transition in label noise of a classifier trained on synthetic data alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..sims.monte_carlo import Estimate, Simulation
from ..solvers.critical import critical_noise, slope_at_critical_noise
from ..solvers.predict import predict_grid
from ..solvers.problem import Setting, Verifier, synthetic_only
from .kit.claims import Budget, Claim, agrees, falls_outside
from .kit.figure import Built, Figure
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
    around = (star - s.half_step, star, star + s.half_step)
    epsilons = (*s.epsilons, *around)
    measured = run.simulate_many([curve.with_(epsilon=e) for curve in curves for e in epsilons], trials=s.trials)
    by_curve = [measured[i * len(epsilons) : (i + 1) * len(epsilons)] for i in range(len(curves))]
    beside = run.simulate_many([companion.with_(epsilon=e) for e in s.companion_epsilons], trials=s.companion_trials)

    claims: list[Claim] = []
    for curve, points in zip(curves, by_curve, strict=True):
        at, budget = f"p/m={s.p / curve.m:g}", Budget.at(s.p)
        claims += _points_agree(curve, epsilons, points, budget, at)
        claims += _transition(s, curve, points[-3:], at)
    claims += _points_agree(companion, s.companion_epsilons, beside, Budget.at(s.companion_p, interpolating=True),
                            f"gamma={s.companion_gamma:g}, p/m=1")
    claims += _published_fails(curves[0], epsilons, by_curve[0], Budget.at(s.p), "p/m=1")
    claims += _published_fails(companion, s.companion_epsilons, beside, Budget.at(s.companion_p, interpolating=True),
                               f"gamma={s.companion_gamma:g}, p/m=1")
    return Built(_panels(s, star, curves, epsilons, by_curve, companion, beside), claims)


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
    published = predict_grid(curve, formula="published", epsilon=epsilons)
    index = int(np.argmax(np.abs(published.variance - [point.variance.mean for point in points])))
    return [falls_outside(f"published variance, {at}, epsilon={epsilons[index]:.3g}", published.variance[index], points[index].variance,
                          budget.relative * abs(published.variance[index]))]


def _panels(s: Settings, star: float, curves: list[Setting], epsilons: tuple[float, ...], by_curve: list[list[Simulation]],
            companion: Setting, beside: list[Simulation]) -> list[Panel]:
    accuracy, variance = [], []
    for color, (curve, points) in enumerate(zip(curves, by_curve, strict=True)):
        label = f"$p/m={s.p / curve.m:g}$"
        theory, published = (predict_grid(curve, epsilon=GRID, formula=f) for f in ("rederived", "published"))
        order = np.argsort(epsilons)
        x = np.array(epsilons)[order]
        accuracy += [Line(label, GRID, theory.accuracy, color), _measured(points, "accuracy", x, order, color)]
        if curve.m == s.p:
            variance += [Line("re-derived", GRID, theory.variance, color), Line("published", GRID, published.variance, 1, "published"),
                         _measured(points, "variance", x, order, color)]
    accuracy.append(Line(rf"$\varepsilon^*={star:.3f}$", np.array([star, star]), np.array([0.0, 1.0]), 5, "guide"))
    x = np.array(s.companion_epsilons)
    theory, published = (predict_grid(companion, epsilon=GRID, formula=f) for f in ("rederived", "published"))
    top = float(theory.variance.max())
    breakdown = [Line("re-derived", GRID, theory.variance), Line("published", GRID, published.variance, 1, "published"),
                 _measured(beside, "variance", x, np.arange(x.size), 0)]
    return [
        Panel("synthetic data only, $\\gamma=1$", r"label noise $\varepsilon$", "accuracy", accuracy, ylim=(0, 1)),
        Panel("variance of the margin, $p/m=1$", r"label noise $\varepsilon$", r"$s_w^2$", variance),
        Panel(rf"$\gamma={s.companion_gamma:g}$, $p/m=1$: a published variance below 0", r"label noise $\varepsilon$", r"$s_w^2$",
              breakdown, ylim=(-2 * top, 2 * top)),
    ]


def _measured(points: list[Simulation], quantity: str, x: np.ndarray, order: np.ndarray, color: int) -> Points:
    estimates = np.array([getattr(point, quantity) for point in points])[order]
    return Points("", x, estimates[:, 0], estimates[:, 1], color)
