"""Figure 6: Amazon reviews. Top: the published protocol, whose test set contains the training set. Bottom: held out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..estimators.statistics import ClassStatistics
from ..experiments.amazon import NAMES, AmazonCurve, AmazonSettings, child_seeds, curves, load, training_statistics
from ..sims.monte_carlo import Estimate
from ..solvers.predict import predict_grid
from ..solvers.problem import Generator, Ridge, Setting
from .kit.claims import Claim, at_least, at_most, falls_outside
from .kit.figure import Built, Figure
from .kit.published import published
from .kit.run import Run

SUPERVISION = ("oracle", "none")  # in the order of AmazonSettings.verifiers
SMOOTH = 60  # points of a curve
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
    values, as_published = published("figure6_amazon"), s.design == AmazonSettings()
    fine = _smooth(s.design)
    for one, with_test, held_out in zip(reviews, measured[::2], measured[1::2], strict=True):
        statistics = [training_statistics(one, child, s.design) for child in child_seeds(seed, s.seeds)[: s.theory_seeds]]
        theory, plug_in = (np.mean([_theory(s.design, stats, debiased) for stats in statistics], axis=0) for debiased in (True, False))
        claims += _held_out_claims(held_out, theory, plug_in, with_test)
        if as_published:
            claims += _published_claims(with_test, values)
        curve = np.mean([_theory(fine, stats, True) for stats in statistics], axis=0)
        x = AmazonSettings().proportion
        top_marks = [Line("", x, np.array(values[kind][one.name]), i, "published") for i, kind in enumerate(SUPERVISION)]
        bottom_marks = [Line("", fine.proportion, curve[i], i) for i in range(len(SUPERVISION))]
        ends = _ends(with_test, held_out)
        top.append(_panel(f"{one.name}: the published protocol", with_test, top_marks, ends))
        bottom.append(_panel(f"{one.name}: tests on held-out reviews", held_out, bottom_marks, ends))
        record[one.name] = {"shrinkage": [stats.shrinkage for stats in statistics]}
    notes = () if as_published else ("The published values are of other settings: nothing is claimed of them.",)
    return Built([*top, *bottom], claims, record, notes)


FIGURE = Figure("Amazon reviews: does a generator fitted on the training data help?", columns=3, settings=FULL, quick=QUICK, build=build)


def _smooth(e: AmazonSettings) -> AmazonSettings:
    """The same settings at more proportions, those of e.m among them."""
    most = e.m[-1] / (e.n + e.m[-1])
    between = (round(e.n * x / (1 - x)) for x in np.linspace(0, most, SMOOTH))
    return replace(e, m=tuple(sorted({*e.m, *(m for m in between if e.m[0] < m < e.m[-1])})))


def _theory(e: AmazonSettings, stats: ClassStatistics, debiased: bool) -> np.ndarray:
    """The self-fitted theory's accuracy from estimated statistics, (verifiers, m)."""
    squares = stats.mean_products if debiased else stats.mean_products + stats.eigenvalues / stats.n
    setting = Setting(e.n, 1, stats.eigenvalues.size, np.sqrt(np.abs(squares)), e.epsilon, generator=Generator("self-fitted"),
                      ridge=Ridge(e.gamma), covariance=stats.eigenvalues, mean_squares=squares)
    rho, phi = (np.array([[getattr(verifier, name)] for verifier in e.verifiers]) for name in ("rho", "phi"))
    return predict_grid(setting, m=np.array(e.m), rho=rho, phi=phi).accuracy


def _published_claims(curve: AmazonCurve, values: dict) -> list[Claim]:
    error, claims = curve.standard_error.max(axis=1), []
    for kind, other, mean, se in zip(SUPERVISION, (*SUPERVISION,)[::-1], curve.mean, error, strict=True):
        off, from_other = (float(np.abs(mean - values[one][curve.name]).max()) for one in (kind, other))
        claims += [at_most(f"published protocol within {PUBLISHED_WITHIN}, {curve.name}, {kind}", off, PUBLISHED_WITHIN, se),
                   at_least(f"further than that from the published values of the other supervision, {curve.name}, {kind}", from_other,
                            PUBLISHED_WITHIN, se)]
    return claims


def _held_out_claims(curve: AmazonCurve, theory: np.ndarray, plug_in: np.ndarray, with_test: AmazonCurve) -> list[Claim]:
    claims = []
    for i, kind in enumerate(SUPERVISION):
        claims += [at_most(f"held-out theory within {HELD_OUT_WITHIN}, {curve.name}, {kind}, m={m}", abs(theory[i, j] - curve.mean[i, j]),
                           HELD_OUT_WITHIN, curve.standard_error[i, j]) for j, m in enumerate(curve.design.m)]
    gain, apparent = _oracle_gain(curve), _oracle_gain(with_test)
    worst = np.unravel_index(np.abs(plug_in - curve.mean).argmax(), plug_in.shape)
    return [
        *claims,
        falls_outside(f"theory without debiasing, {curve.name}", plug_in[worst], Estimate(curve.mean[worst], curve.standard_error[worst]),
                      HELD_OUT_WITHIN),
        at_least(f"the published protocol overstates the accuracy, {curve.name}", float(np.mean(with_test.mean - curve.mean)), 0.03),
        at_most(f"no gain from the oracle held out, {curve.name}", gain.mean, 0.01, gain.se),
        at_least(f"the same gain by the published protocol, {curve.name}", apparent.mean, 0.01, apparent.se),
    ]


def _oracle_gain(curve: AmazonCurve) -> Estimate:
    """Of the most synthetic samples over the fewest."""
    return Estimate.of(curve.accuracy[:, 0, -1] - curve.accuracy[:, 0, 0])


def _panel(title: str, curve: AmazonCurve, lines: list[Line], ylim: tuple[float, float]) -> Panel:
    points = [Points(label, curve.design.proportion, curve.mean[i], curve.standard_error[i], i)
              for i, label in enumerate(("oracle", "no supervision"))]
    return Panel(title, "proportion of synthetic data $m/N$", "test accuracy", [*lines, *points], ylim=ylim, key={
        "theory": "self-fitted theory", "published": "published values", "o": "measured, 2 SE"})


def _ends(*curves: AmazonCurve) -> tuple[float, float]:
    """Of one axis for both protocols."""
    ends = np.array([curve.mean + sign * 2 * curve.standard_error for curve in curves for sign in (-1, 1)])
    room = 0.04 * (ends.max() - ends.min())
    return float(ends.min() - room), float(ends.max() + room)
