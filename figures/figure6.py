"""Figure 6: Amazon reviews. Top: the published protocol, whose test set contains the training set. Bottom: held out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..estimators.statistics import ClassStatistics
from ..experiments.amazon import NAMES, AmazonCurve, AmazonSettings, child_seeds, curves, load, training_statistics
from ..solvers.predict import predict_grid
from ..solvers.problem import Generator, Ridge, Setting
from .kit.claims import Claim, at_least, at_most
from .kit.figure import Built, Figure
from .kit.published import published
from .kit.run import Run

SUPERVISION = ("oracle", "none")  # in the order of AmazonSettings.verifiers
PUBLISHED_WITHIN, HELD_OUT_WITHIN = 0.012, 0.02


@dataclass(frozen=True)
class Settings:
    design: AmazonSettings = AmazonSettings()
    seeds: int = 30
    theory_seeds: int = 10  # splits whose statistics are estimated; the theory is their mean


FULL = Settings()
QUICK = replace(FULL, seeds=10, theory_seeds=5)


def build(s: Settings, run: Run) -> Built:
    """Measure both protocols, predict the held-out one, and compare with the published values."""
    reviews = [load(name, run.data) for name in NAMES]
    seed = run.child_seed()
    measured = curves(reviews, seeds=s.seeds, seed=seed, jobs=run.jobs, design=s.design)
    top, bottom, claims, record = [], [], [], {}
    values = published("figure6_amazon")
    for one, with_test, held_out in zip(reviews, measured[::2], measured[1::2], strict=True):
        statistics = [training_statistics(one, child, s.design) for child in child_seeds(seed, s.seeds)[: s.theory_seeds]]
        theory, plug_in = (np.mean([_theory(s, stats, debiased) for stats in statistics], axis=0) for debiased in (True, False))
        claims += _published_claims(with_test, values) + _held_out_claims(held_out, theory, plug_in, with_test)
        top.append(_panel(f"{one.name}: the published protocol", with_test, {k: np.array(values[k][one.name]) for k in SUPERVISION}, None))
        bottom.append(_panel(f"{one.name}: held out", held_out, None, theory))
        record[one.name] = {"shrinkage": [stats.shrinkage for stats in statistics]}
    return Built([*top, *bottom], claims, record)


FIGURE = Figure("Amazon reviews: does a generator fitted on the training data help?", columns=3, settings=FULL, quick=QUICK, build=build)


def _theory(s: Settings, stats: ClassStatistics, debiased: bool) -> np.ndarray:
    """The self-fitted theory's accuracy from estimated statistics, (verifiers, m)."""
    e = s.design
    squares = stats.mean_products if debiased else stats.mean_products + stats.eigenvalues / stats.n
    setting = Setting(e.n, 1, stats.eigenvalues.size, np.sqrt(np.abs(squares)), e.epsilon, generator=Generator("self-fitted"),
                      ridge=Ridge(e.gamma), covariance=stats.eigenvalues, mean_squares=squares)
    rho, phi = (np.array([[getattr(verifier, name)] for verifier in e.verifiers]) for name in ("rho", "phi"))
    return predict_grid(setting, m=np.array(e.m), rho=rho, phi=phi).accuracy


def _published_claims(curve: AmazonCurve, values: dict) -> list[Claim]:
    difference = [np.abs(mean - values[kind][curve.name]).max() for kind, mean in zip(SUPERVISION, curve.mean, strict=True)]
    error = curve.standard_error.max(axis=1)
    return [at_most(f"published protocol within {PUBLISHED_WITHIN}, {curve.name}, {kind}", difference[i], PUBLISHED_WITHIN, error[i])
            for i, kind in enumerate(SUPERVISION)]


def _held_out_claims(curve: AmazonCurve, theory: np.ndarray, plug_in: np.ndarray, with_test: AmazonCurve) -> list[Claim]:
    claims = []
    for i, kind in enumerate(SUPERVISION):
        claims += [at_most(f"held-out theory within {HELD_OUT_WITHIN}, {curve.name}, {kind}, m={m}", abs(theory[i, j] - curve.mean[i, j]),
                           HELD_OUT_WITHIN, curve.standard_error[i, j]) for j, m in enumerate(curve.design.m)]
    gain = curve.accuracy[:, 0, -1] - curve.accuracy[:, 0, 0]
    return [
        *claims,
        at_least(f"without debiasing the theory is off by more, {curve.name}", np.abs(plug_in - curve.mean).max(), HELD_OUT_WITHIN),
        at_least(f"the published protocol overstates the accuracy, {curve.name}", float(np.mean(with_test.mean - curve.mean)), 0.03),
        at_most(f"no gain from the oracle held out, {curve.name}", float(gain.mean()), 0.01, float(gain.std(ddof=1) / len(gain) ** 0.5)),
    ]


def _panel(title: str, curve: AmazonCurve, values: dict[str, np.ndarray] | None, theory: np.ndarray | None) -> Panel:
    x, marks = curve.design.proportion, []
    for i, (kind, label) in enumerate(zip(SUPERVISION, ("oracle", "no supervision"), strict=True)):
        marks.append(Points(label, x, curve.mean[i], curve.standard_error[i], i))
        if values is not None:
            marks.append(Line("published values" if not i else "", x, values[kind], i, "published"))
        if theory is not None:
            marks.append(Line("self-fitted theory" if not i else "", x, theory[i], i, spread=np.full(x.size, 0.0)))
    return Panel(title, "proportion of synthetic data $m/N$", "test accuracy", marks)
