"""Generations: accuracy, mean margin and variance of a classifier whose synthetic samples come from a line of generators."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..sims.monte_carlo import Simulation
from ..solvers.predict import Prediction, predict
from ..solvers.problem import Generator, Ridge, Setting, Verifier
from ..solvers.trees import generations, predict_tree
from .generations_real import PAIR, REVIEWS, TEN, RealSettings, real_rows, words
from .kit.claims import Budget, Claim, agrees, falls_outside
from .kit.figure import Built, Figure
from .kit.run import Run

QUANTITIES = {"accuracy": "accuracy", "mean_margin": "mean margin $m_w$", "variance": "variance $s_w^2$"}


@dataclass(frozen=True)
class Settings:
    n: int = 100
    m: int = 1600
    p: int = 200
    mu: float = 1.5
    gamma: float = 0.1
    n_hat: int = 300
    epsilon: float = 0.2
    verifier: Verifier = Verifier(rho=0.2, phi=0.9)
    schemes: tuple[str, ...] = ("replace", "accumulate", "fresh:0.2")
    depths: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10)
    trials: int = 400
    real: RealSettings = RealSettings()


def build(s: Settings, run: Run) -> Built:
    """Simulate every scheme at every depth, predict all depths up to the last, and compare; then the same on real data."""
    generator = Generator("independent", s.n_hat, estimate_mean=True)
    setting = Setting(s.n, s.m, s.p, s.mu, s.epsilon, s.verifier, generator, Ridge(s.gamma))
    places = [(scheme, depth) for scheme in s.schemes for depth in s.depths]
    measured = dict(zip(places, run.simulate_many([generations(setting, depth, scheme) for scheme, depth in places], trials=s.trials),
                        strict=True))  # fmt: skip
    every = range(1, max(s.depths) + 1)
    theory = {(scheme, depth): predict_tree(generations(setting, depth, scheme)) for scheme in s.schemes for depth in every}
    claims = [claim for place in places for claim in _agree(*place, theory[place], measured[place], s.p)]
    claims += _wrong_folds(s, setting, measured)
    rows = real_rows(s.real, s.schemes, run)
    panels = [_panel(s, name, every, theory, measured) for name in QUANTITIES]
    return Built([*panels, *rows.panels], claims + rows.claims, rows.extra, rows.notes)


def _agree(scheme: str, depth: int, theory: Prediction, measured: Simulation, p: int) -> list[Claim]:
    budget, where = Budget.at(p), f"{scheme}, generation {depth}"
    return [
        agrees(f"accuracy, {where}", theory.accuracy, measured.accuracy, budget.accuracy, se_at_most=0.002),
        agrees(f"mean margin, {where}", theory.mean_margin, measured.mean_margin, budget.relative * theory.mean_margin),
        agrees(f"variance, {where}", theory.variance, measured.variance, budget.relative * theory.variance,
               se_at_most=0.02 * theory.variance),
    ]  # fmt: skip


def _wrong_folds(s: Settings, setting: Setting, measured: dict[tuple[str, int], Simulation]) -> list[Claim]:
    """A weight that is handed down whole makes the generator exact; one that is reduced twice fits it on half the samples."""
    exact = predict(setting.with_(generator=Generator()))
    claims = []
    for depth in s.depths:
        twice = predict_tree(generations(setting.with_(n_hat=s.n_hat / 2), depth, "replace"))
        point = measured["replace", depth].variance
        for fold, wrong in (("handed down whole", exact), ("reduced twice", twice)):
            claims.append(falls_outside(f"variance with the weight {fold}, replace, generation {depth}", wrong.variance, point,
                                        Budget.at(s.p).relative * wrong.variance))  # fmt: skip
    return claims


def _panel(s: Settings, name: str, every: range, theory: dict[tuple[str, int], Prediction],
           measured: dict[tuple[str, int], Simulation]) -> Panel:  # fmt: skip
    marks = []
    for color, scheme in enumerate(s.schemes):
        points = [getattr(measured[scheme, depth], name) for depth in s.depths]
        marks += [
            Line(words(scheme), np.array(every), np.array([getattr(theory[scheme, depth], name) for depth in every]), color),
            Points("", np.array(s.depths), np.array([one.mean for one in points]), np.array([one.se for one in points]), color),
        ]  # fmt: skip
    return Panel("", "generation of the generator", QUANTITIES[name], marks, key={"theory": "theory", "o": "simulated, 2 SE"})


# trials, splits and networks enough for a figure of half a minute
_QUICK_REAL = RealSettings(tuple(replace(case, trials=2) for case in (PAIR, REVIEWS)),
                           replace(TEN, seeds=3, training=replace(TEN.training, steps=500)), (1, 6))  # fmt: skip
FIGURE = Figure("Generations: replace, accumulate, a fresh share of real samples", columns=3, settings=Settings(),
                quick=Settings(depths=(1, 3, 6), trials=150, real=_QUICK_REAL), build=build)  # fmt: skip
