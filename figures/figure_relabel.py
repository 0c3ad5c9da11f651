"""Relabel: wrong synthetic labels averaged, pruned, cleaned or both, the limit above them, and data where cleaning does harm.

Isotropic classes: theory of every round (`predict_relabelling`) and measurement. Real data: held-out accuracy on the same splits for all
methods, whose differences are paired. On XSTest the labels are those of string matching, wrong for a reason that lies in the answer,
beside as many wrong labels put there by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..data.sets import xstest
from ..drawing.panels import Line, Panel, Points
from ..experiments.compliance import labelled_answers
from ..experiments.real_data import RealData
from ..experiments.relabel import METHODS, Accuracies, RelabelCase, accuracy, isotropic, measure, weak_labels, with_slopes
from ..sims.monte_carlo import Estimate
from ..solvers.limit import limit
from ..solvers.problem import NO_SUPERVISION, ORACLE, Ridge, Setting, Verifier
from ..solvers.relabelling import predict_relabelling
from ..support.typed import Count
from .kit.claims import Budget, Claim, agrees, at_least, at_most, falls_outside
from .kit.figure import Built, Figure
from .kit.run import Run

VERIFIER = Verifier(rho=0.3, phi=0.9)
CURVE = 17  # points
LIMIT_COLOR = 5


def _case(name: str, source: str, n: int, fitted_on: int, m: int, trials: int, digits: tuple[int, ...] = ()) -> RelabelCase:
    return RelabelCase(name, RealData(name, source, digits), n, fitted_on, m, (0.1, 0.25, 0.4), VERIFIER, trials)


CASES = (
    _case("4 against 9", "mnist", 40, 400, 1000, 12, (4, 9)),
    _case("book reviews", "books", 120, 800, 2000, 16),
    _case("preferences, language model", "preferences", 120, 800, 1000, 12),
)


@dataclass(frozen=True)
class Settings:
    p: int = 200
    n: int = 60
    m: int = 800
    mu: float = 1.5
    gamma: float = 1e3
    light: float = 0.3
    rounds: Count = 6
    epsilon: float = 0.4
    epsilons: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4)
    rhos: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    verifier: Verifier = VERIFIER
    trials: int = 100
    cases: tuple[RelabelCase, ...] = CASES
    answers: int = 50
    splits: int = 16


def build(s: Settings, run: Run) -> Built:
    """Simulate isotropic classes over noise, verifier and rounds; measure the data; compare."""
    over_noise, noise_claims = _over_noise(s, run)
    over_verifier, verifier_claims = _over_verifier(s, run)
    by_round, round_claims = _by_round(s, run)
    panels, claims, extra = [over_noise, over_verifier, by_round], noise_claims + verifier_claims + round_claims, {}
    for case in s.cases:
        found = measure(case, run.child_seed(), run.data, run.jobs)
        panels.append(_data_panel(case, found))
        claims += _data_claims(case, found)
        extra[case.name] = {f"{epsilon:g}": _row(one) for epsilon, one in zip(case.epsilons, found, strict=True)}
    if s.splits:
        weak, chance = _weak(s, run)
        panels.append(_weak_panel(weak, chance))
        claims += _weak_claims(weak, chance)
        extra["XSTest"] = {"string matching": _row(weak), "chance": _row(chance)}
    return Built(panels, claims, extra)


FIGURE = Figure("Relabel: wrong labels averaged, pruned, cleaned, or both", columns=3, settings=Settings(),
                quick=Settings(p=100, n=30, m=400, epsilons=(0.2, 0.4), rhos=(0.0, 0.5), rounds=4, trials=60,
                               cases=(replace(CASES[1], trials=4, m=800, epsilons=(0.4,)),), splits=0), build=build)  # fmt: skip


# --- isotropic classes ------------------------------------------------------------------------------------------------


def _setting(s: Settings, epsilon: float, verifier: Verifier = NO_SUPERVISION, gamma: float | None = None) -> Setting:
    return Setting(s.n, s.m, s.p, s.mu, epsilon, verifier, ridge=Ridge(s.gamma if gamma is None else gamma))


def _ways(s: Settings, epsilon: float) -> dict[str, tuple[Setting, int]]:
    """Each method: its setting, and whether it relabels (1) or not (0)."""
    verifiers = {"average": NO_SUPERVISION, "prune": s.verifier, "relabel": NO_SUPERVISION, "both": s.verifier, "perfect verifier": ORACLE}
    return {name: (_setting(s, epsilon, verifier), int(name in ("relabel", "both"))) for name, verifier in verifiers.items()}


def _theory(s: Settings, setting: Setting, relabels: int) -> float:
    return float(predict_relabelling(setting, s.rounds * relabels).accuracy[-1])


def _simulated(s: Settings, settings: Sequence[Setting], run: Run) -> dict[Setting, np.ndarray]:
    """Accuracies (trials, 2) without relabelling and after all rounds."""
    once = list(dict.fromkeys(settings))
    found = isotropic(once, (0, s.rounds), s.trials, run.child_seed(), run.jobs)
    return {one: accuracy(*moments) for one, moments in zip(once, found, strict=True)}


def _over_noise(s: Settings, run: Run) -> tuple[Panel, list[Claim]]:
    ways = {epsilon: _ways(s, epsilon) for epsilon in s.epsilons}
    measured = _simulated(s, [setting for one in ways.values() for setting, _ in one.values()], run)
    fine, marks, claims = np.linspace(min(s.epsilons), max(s.epsilons), CURVE), [], []
    for color, method in enumerate(METHODS):
        points = [Estimate.of(measured[ways[e][method][0]][:, ways[e][method][1]]) for e in s.epsilons]
        marks += [Line(method, fine, np.array([_theory(s, *_ways(s, e)[method]) for e in fine]), color),
                  Points("", np.array(s.epsilons), *_columns(points), color)]
        claims += [_agrees(s, f"{method}, epsilon={e:g}", _theory(s, *ways[e][method]), point)
                   for e, point in zip(s.epsilons, points, strict=True)]
    bound = np.array([limit(_setting(s, e)) for e in fine])
    marks.append(Line("limit", fine, bound, LIMIT_COLOR, "alternative"))
    e = max(s.epsilons)
    of = {method: measured[ways[e][method][0]][:, ways[e][method][1]] for method in METHODS}
    claims += [at_most(f"no method exceeds the limit, {method}, epsilon={e:g}", float(values.mean() - limit(_setting(s, e))),
                       4 * Estimate.of(values).se + Budget.at(s.p).accuracy, Estimate.of(values).se) for method, values in of.items()]
    claims += [_beats(f"cleaning beats a perfect verifier, epsilon={e:g}", of["relabel"], of["perfect verifier"]),
               _beats(f"cleaning everything beats cleaning what is kept, epsilon={e:g}", of["relabel"], of["both"]),
               falls_outside(f"cleaning that does nothing, epsilon={e:g}", _theory(s, *ways[e]["average"]), Estimate.of(of["relabel"]),
                             Budget.at(s.p).accuracy)]
    return Panel(f"isotropic, |mu| = {s.mu:g}, n = {s.n}, m = {s.m}, p = {s.p}", "share of wrong labels", "accuracy", marks,
                 key={"theory": "theory", "o": "simulated, 2 SE"}), claims  # fmt: skip


def _over_verifier(s: Settings, run: Run) -> tuple[Panel, list[Claim]]:
    at = [_setting(s, s.epsilon, Verifier(rho, s.verifier.phi)) for rho in s.rhos]
    measured = _simulated(s, at, run)
    fine, marks, claims = np.linspace(0, 1, CURVE), [], []
    for method, relabels in (("prune", 0), ("both", 1)):
        color = METHODS.index(method)
        points = [Estimate.of(measured[setting][:, relabels]) for setting in at]
        curve = [_theory(s, _setting(s, s.epsilon, Verifier(rho, s.verifier.phi)), relabels) for rho in fine]
        marks += [Line(method, fine, np.array(curve), color), Points("", np.array(s.rhos), *_columns(points), color)]
        claims += [_agrees(s, f"{method}, rho={rho:g}", _theory(s, setting, relabels), point)
                   for rho, setting, point in zip(s.rhos, at, points, strict=True)]
    everything = _theory(s, _setting(s, s.epsilon), 1)
    marks += [Line("relabel all", fine, np.full(len(fine), everything), METHODS.index("relabel")),
              Line("limit of all", fine, np.full(len(fine), limit(_setting(s, s.epsilon))), LIMIT_COLOR, "alternative")]
    return Panel(f"over the verifier, epsilon = {s.epsilon:g}, phi = {s.verifier.phi:g}", "rho: share of the wrong labels that is kept",
                 "accuracy", marks, key={"theory": "theory", "o": "simulated, 2 SE"}), claims  # fmt: skip


def _by_round(s: Settings, run: Run) -> tuple[Panel, list[Claim]]:
    """Every round with the theory's slopes, where labels without memory must fall outside, and with those of each trial's own scores."""
    rounds, marks, claims = np.arange(s.rounds + 1), [], []
    for color, (words, gamma) in enumerate((("heavy ridge", s.gamma), ("light ridge", s.light))):
        setting = _setting(s, s.epsilon, gamma=gamma)
        theory, forgetful = predict_relabelling(setting, s.rounds), predict_relabelling(setting, s.rounds, memory=False)
        margins, variances = with_slopes(setting, theory.slope, s.trials, run.child_seed(), run.jobs)
        own = accuracy(*isotropic([setting], tuple(rounds), s.trials, run.child_seed(), run.jobs)[0])
        points = [Estimate.of(column) for column in accuracy(margins, variances).T]
        marks += [Line(f"{words}, gamma = {gamma:g}", rounds, theory.accuracy, color), Points("", rounds, *_columns(points), color),
                  Points("", rounds + 0.12, *_columns([Estimate.of(column) for column in own.T]), color, "x", curve=f"{words}, own slopes")]
        for t in rounds:
            for name, values, found, limiting in (("mean margin", margins, theory.mean_margin, forgetful.mean_margin),
                                                  ("variance", variances, theory.variance, forgetful.variance)):
                point, budget = Estimate.of(values[:, t]), (3 if t > 1 else 1) * Budget.at(s.p).relative
                claims.append(agrees(f"{name} of a round, {words}, round {t}", found[t], point, budget * found[t]))
                if gamma == s.light and t > 1 and name == "variance":
                    claims.append(falls_outside(f"variance of labels without memory, round {t}", limiting[t], point, budget * limiting[t]))
        if gamma == s.light:
            marks.append(Line("without memory", rounds, forgetful.accuracy, color, "alternative"))
    return Panel(f"round by round, epsilon = {s.epsilon:g}", "rounds of relabelling", "accuracy", marks,
                 key={"theory": "theory", "o": "simulated, 2 SE", "x": "slopes estimated"}), claims  # fmt: skip


def _agrees(s: Settings, where: str, theory: float, point: Estimate) -> Claim:
    return agrees(f"accuracy, {where}", theory, point, Budget.at(s.p).accuracy, se_at_most=0.004)


def _beats(name: str, one: np.ndarray, other: np.ndarray) -> Claim:
    gain, se = float(one.mean() - other.mean()), float(np.hypot(Estimate.of(one).se, Estimate.of(other).se))
    return at_least(name, gain, 2 * se, se)


def _columns(points: Sequence[Estimate]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([one.mean for one in points]), np.array([one.se for one in points])


# --- real data --------------------------------------------------------------------------------------------------------


def _data_panel(case: RelabelCase, found: Sequence[Accuracies]) -> Panel:
    x, marks = np.array(case.epsilons), []
    for color, method in enumerate(METHODS):
        y, se = _columns([one.of(method) for one in found])
        marks += [Line("", x, y, color, "joined"), Points(method, x, y, se, color)]
    return Panel(f"{case.name}: n = {case.n}, m = {case.m}", "share of wrong labels", "held-out accuracy", marks,
                 key={"o": "mean of the trials, 2 SE"})


def _data_claims(case: RelabelCase, found: Sequence[Accuracies]) -> list[Claim]:
    """At the most noise, paired over the splits: cleaning what the verifier keeps gains on both what it replaces."""
    last, where = found[-1], f"{case.name}, epsilon={case.epsilons[-1]:g}"
    gain = last.gain("both")
    return [
        at_least(f"pruned and cleaned above the average by two standard errors, {where}", gain.mean, 2 * gain.se, gain.se),
        falls_outside(f"pruning and cleaning that do nothing, {where}", 0.0, gain, 0.0),
    ]


def _row(found: Accuracies) -> Mapping[str, object]:
    """What the record says: accuracies, and paired gains on the average and on pruning, with standard errors."""
    return {"accuracy": {method: _pair(found.of(method)) for method in METHODS},
            "above the average": {method: _pair(found.gain(method)) for method in METHODS[1:]},
            "both above pruning": _pair(found.gain("both", "prune")), "trials": len(found.values)}


def _pair(one: Estimate) -> tuple[float, float]:
    return one.mean, one.se


# --- labels that are wrong for a reason -------------------------------------------------------------------------------


def _weak(s: Settings, run: Run) -> tuple[Accuracies, Accuracies]:
    from ..language.models.features import FeatureSettings, load

    features = load("xstest", FeatureSettings(), run.data, progress=run.progress)
    answers = labelled_answers(xstest.load(run.data), features.values)
    return weak_labels(answers, s.answers, s.splits, run.child_seed(), run.jobs)


def _weak_panel(weak: Accuracies, chance: Accuracies) -> Panel:
    places, marks = np.arange(len(METHODS) - 1), [Line("", np.array([-0.3, 3.3]), np.zeros(2), LIMIT_COLOR, "guide")]
    for color, (words, found, shift) in enumerate((("string matching", weak, -0.08), ("as many by chance", chance, 0.08))):
        y, se = _columns([found.gain(method) for method in METHODS[1:]])
        marks.append(Points(words, places + shift, 100 * y, 100 * se, color))
    return Panel("XSTest: who put the wrong labels", "", "gain on the average, points", marks, xnames=METHODS[1:],
                 key={"o": "mean of the splits, 2 SE", "guide": "the average of all labels"})


def _weak_claims(weak: Accuracies, chance: Accuracies) -> list[Claim]:
    harm, help_ = weak.gain("both"), chance.gain("both")
    return [
        at_most("cleaning does harm where labels are wrong for a reason", harm.mean, -2 * harm.se, harm.se),
        falls_outside("wrong labels of string matching taken for chance", help_.mean, harm, 0.0),
        at_least("cleaning labels that chance made wrong does none", help_.mean, -2 * help_.se, help_.se),
    ]
