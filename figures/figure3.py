"""Figure 3: the toy setting, accuracy against the proportion of synthetic data under three verifiers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..sims.monte_carlo import Simulation
from ..solvers.predict import Formula, PredictionGrid, predict_grid
from ..solvers.problem import NO_SUPERVISION, ORACLE, Generator, Ridge, Setting, Verifier
from ..support.typed import Between, Positive, Some
from .kit.claims import Budget, Claim, agrees, falls_outside, pooled_by_quantity
from .kit.figure import Built, Figure
from .kit.published import shortcomings
from .kit.run import Run

VERIFIERS = (
    ("oracle, $(\\rho,\\varphi)=(0,1)$", ORACLE),
    ("weak, $(\\rho,\\varphi)=(1,0.5)$", Verifier(1.0, 0.5)),
    ("no supervision, $(\\rho,\\varphi)=(1,1)$", NO_SUPERVISION),
)
SMOOTH = 60  # points of a curve, besides those that are simulated


@dataclass(frozen=True)
class Settings:
    n: int = 1000
    n_hat: int = 1000
    mu: float = 0.7
    gamma: float = 1.0
    p: Annotated[tuple[Positive, ...], Some()] = (50, 200, 500)
    proportions: tuple[float, ...] = tuple(np.linspace(0.001, 0.95, 50))
    # one number a p, the last for all further ones: the larger p, the less the accuracy varies
    trials: Annotated[tuple[Annotated[int, Between(2)], ...], Some()] = (400, 150, 60)
    power_m: int = 1000  # at gamma = 1 the published formula is off by under 2%: one point is measured well enough to see it
    power_trials: int = 500


FULL = Settings()
QUICK = replace(FULL, proportions=tuple(np.linspace(0.001, 0.95, 8)), trials=(200, 60, 20))


def build(s: Settings, run: Run) -> Built:
    """Simulate and predict every point of the three panels."""
    claims: list[Claim] = []
    panels, notes = [], []
    for name, verifier in VERIFIERS:
        marks, kind = [], name.split(",")[0]
        for color, (p, trials) in enumerate(zip(s.p, s.trials + s.trials[-1:] * len(s.p), strict=False)):
            settings = [_setting(s, p, verifier, x) for x in s.proportions]
            measured = run.simulate_many(settings, trials=trials)
            claims += _agree(settings, measured, f"{kind}, p={p}")
            fine = np.union1d(s.proportions, np.linspace(min(s.proportions), max(s.proportions), SMOOTH))
            curve = [_setting(s, p, verifier, x) for x in fine]
            x, theory, published = _proportions(curve), _predict(curve, "rederived"), _predict(curve, "published")
            marks += [Line(f"$p={p}$", x, theory.accuracy, color), Line("", x, published.accuracy, color, "published"),
                      _measured(measured, _proportions(settings), color)]
            notes += shortcomings(published, f"{kind}, p = {p}")
        panels.append(Panel(name, "proportion of synthetic data $m/N$", "accuracy", marks, key={
            "theory": "theory", "published": "published formula", "D": "simulated, 2 SE"}))
    return Built(panels, [*claims, *pooled_by_quantity(claims), *_power(s, run)], notes=notes)


FIGURE = Figure("Toy setting: when does synthetic data help?", columns=3, settings=FULL, quick=QUICK, build=build)


def _power(s: Settings, run: Run) -> list[Claim]:
    """The check can fail: the published formula is rejected where it departs most, oracle and the last p."""
    setting = _setting(s, s.p[-1], ORACLE, s.power_m / (s.n + s.power_m))
    (measured,) = run.simulate_many([setting], trials=s.power_trials)
    at, relative = f"oracle, p={setting.p}, m={setting.m:g}", Budget.at(setting.p).relative
    ours, theirs = predict_grid(setting), predict_grid(setting, formula="published", gaps=True)
    return [
        agrees(f"variance, {at}, {s.power_trials} trials", float(ours.variance), measured.variance, relative * float(ours.variance)),
        *([falls_outside(f"published variance, {at}", float(theirs.variance), measured.variance, relative * abs(float(theirs.variance)))]
          if np.isfinite(theirs.variance) else []),
    ]  # fmt: skip


def _setting(s: Settings, p: int, verifier: Verifier, proportion: float) -> Setting:
    """The setting of a point. Its label noise is the error of a classifier trained on the m synthetic samples alone, rightly labelled."""
    m = max(1, round(s.n * proportion / (1 - proportion)))
    generator = Generator("independent", s.n_hat)
    labeller = Setting(0, m, p, s.mu, 0.0, ORACLE, generator, Ridge(s.gamma))
    epsilon = 1 - float(predict_grid(labeller).accuracy)
    return Setting(s.n, m, p, s.mu, epsilon, verifier, generator, Ridge(s.gamma))


def _predict(settings: list[Setting], formula: Formula) -> PredictionGrid:
    return predict_grid(settings[0], formula=formula, gaps=formula == "published", m=[one.m for one in settings],
                        epsilon=[one.epsilon for one in settings])


def _proportions(settings: list[Setting]) -> np.ndarray:
    return np.array([1 - one.pi for one in settings])


def _agree(settings: list[Setting], measured: list[Simulation], at: str) -> list[Claim]:
    theory, budget = _predict(settings, "rederived"), Budget.at(settings[0].p)
    claims = []
    for i, (one, point) in enumerate(zip(settings, measured, strict=True)):
        where = f"{at}, m={one.m:g}"
        claims += [
            agrees(f"accuracy, {where}", theory.accuracy[i], point.accuracy, budget.accuracy, se_at_most=0.003),
            agrees(f"mean margin, {where}", theory.mean_margin[i], point.mean_margin, budget.relative * theory.mean_margin[i]),
            agrees(f"variance, {where}", theory.variance[i], point.variance, budget.relative * theory.variance[i],
                   se_at_most=0.02 * theory.variance[i]),
        ]
    return claims


def _measured(points: list[Simulation], x: np.ndarray, color: int) -> Points:
    estimates = np.array([point.accuracy for point in points])
    return Points("", x, estimates[:, 0], estimates[:, 1], color, "D")
