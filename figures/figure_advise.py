"""Is the advice right? Users drawn from real data sets ask for it, follow it, and are judged on test samples that they never saw.

A scenario is a data set, a number of real samples, a generator, the share of its labels that are wrong, a verifier and a budget; the
user has the generated samples in a file, with an audited part, or only plans them. Every scenario is drawn several times, the more
often the fewer the samples: an accuracy that is estimated from 50 samples is off by 5 points in any single draw, so predicted and
realised accuracy are compared as means over the draws. What else could have been done is found by exhaustive search on the test set,
over numbers, weights and ridges: the best of the grid, on average over the draws of the scenario.

The verdict is judged user by user: the realised gain over the real samples alone is that of the advised mix, or, where the
advice is to leave synthetic data away, that of what is done without advice: all of them, with weight 1, both at their best ridge. Only
gains beyond two standard errors of the paired comparison on the test set count; then "helps" is right for a gain, anything else for a
loss; "too close to call" claims nothing, and the record says how often the advice declined in this way. The record also has the
stricter count that holds an advice to leave synthetic data away against the best mix of the grid.

Beside it stands what an engineer would do: five-fold cross-validation over the weights and ridges of the grid, all synthetic samples in the
training folds. The advice, which also has to say how many samples are worth having, may regret half as much.

That the advice does no harm is asked of every scenario at once: the largest loss, in standard errors, stays below what the largest of as
many would exceed by chance one time in a hundred. The record says how large a true loss that would catch.

The quick settings have too few users for these claims: theirs allow four standard errors more, and leave the verdicts out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Annotated

import numpy as np

from ..experiments.back_test import Scenario
from ..experiments.back_test_result import ScenarioResult, standard_error
from ..experiments.back_test_run import ScenarioKind, UserCase, back_test
from ..experiments.real_data import RealData
from ..solvers.problem import NO_SUPERVISION, ORACLE, Verifier
from ..support.errors import BadInput
from ..support.typed import Some
from .advise_panels import WITHIN, accuracies, changes, gains, numbers, regrets
from .kit.claims import Claim, at_least, at_most
from .kit.figure import Built, Figure
from .kit.run import Run

SHARE, RIGHT, REGRET = 0.9, 0.95, 0.005
HALF = 0.5  # of the regret of cross-validation
SIGMAS_QUICK = 4.0
FALSE_ALARM = 0.01  # the chance that an adviser who never harms is found to harm in one of the scenarios
CAUGHT = 0.01  # a loss that the check has to see
STRONG, WEAK, BLIND = Verifier(rho=0.1, phi=0.9), Verifier(rho=0.5, phi=0.8), Verifier(rho=0.5, phi=0.5)

KINDS = (
    ScenarioKind("good", 0.2, STRONG, file=False),
    ScenarioKind("good", 0.5, NO_SUPERVISION, file=True),
    ScenarioKind("fair", 0.3, NO_SUPERVISION, file=True),
    ScenarioKind("own", 0.1, NO_SUPERVISION, file=False),
    ScenarioKind("good", 0.3, ORACLE, file=True),
    ScenarioKind("fair", 0.4, WEAK, file=False),
    ScenarioKind("poor", 0.0, NO_SUPERVISION, file=True),
    ScenarioKind("poor", 0.5, ORACLE, file=False),
    ScenarioKind("good", 0.3, BLIND, file=False),
    ScenarioKind("good", 0.2, STRONG, file=True, shift=0.5),
    ScenarioKind("own", 0.5, STRONG, file=True),
    ScenarioKind("good", 0.1, WEAK, file=False),
)


def _relu(digits: tuple[int, int], size: int) -> RealData:
    return RealData(f"{digits[0]}-{digits[1]} ReLU {size}", "mnist", digits, "relu", size)


BOOKS, ELEC, KITCHEN = (RealData(name, name) for name in ("books", "elec", "kitchen"))
PREFERENCES, COMPLETIONS = RealData("hh-rlhf", "preferences"), RealData("XSTest", "completions")


@dataclass(frozen=True)
class Settings:
    """The cases; kinds of scenarios are dealt out to them one after the other. many: whether there are users enough to judge."""

    cases: Annotated[tuple[UserCase, ...], Some()]
    many: bool = True

    def scenarios(self) -> list[tuple[UserCase, Scenario]]:
        """All of them, in order."""
        kinds = cycle(KINDS)
        return [(case, one) for case in self.cases for one in case.scenarios(kinds)]


FULL = Settings(
    (
        UserCase(_relu((3, 8), 50), 500, 2, 3000, 4, 16, 2500),
        UserCase(_relu((4, 9), 50), 50, 2, 3000, 4, 100, 1000),
        UserCase(_relu((4, 9), 300), 60, 2, 3000, 4, 50, 1000),
        UserCase(_relu((3, 8), 300), 1000, 2, 3000, 3, 8, 3000),
        UserCase(RealData("3-8 pixels", "mnist", (3, 8)), 150, 2, 3000, 3, 10, 1500),
        UserCase(BOOKS, 80, 2, 400, 4, 72, 1000),
        UserCase(ELEC, 200, 2, 400, 4, 36, 1500),
        UserCase(KITCHEN, 800, 2, 250, 3, 16, 3000),
        UserCase(PREFERENCES, 200, 2, 400, 4, 64, 1500),
        UserCase(PREFERENCES, 600, 2, 400, 3, 14, 3000),
        UserCase(COMPLETIONS, 120, 2, 70, 3, 16, 1000),
        UserCase(COMPLETIONS, 200, 2, 30, 3, 12, 1500),
        UserCase(RealData("digits", "digits"), 100, 10, 100, 2, 20, 1000),
        UserCase(RealData("digits", "digits"), 500, 10, 60, 1, 8, 2500),
    )
)
QUICK = Settings(
    (
        UserCase(RealData("digits 3-8", "digits", (3, 8)), 60, 2, 60, 3, 6, 500),
        UserCase(_relu((3, 8), 50), 500, 2, 3000, 2, 3, 1000),
        UserCase(BOOKS, 80, 2, 400, 1, 6, 500),
    ),
    many=False,
)


def build(s: Settings, run: Run) -> Built:
    """Draw, advise, follow, judge; data sets that are not here are left out, and the record says so."""
    found = {case.data: case.data.task.missing(run.data) for case in s.cases}
    absent = {data.name: why for data, why in found.items() if why}
    here = [(case, one) for case, one in s.scenarios() if not found[case.data]]
    results = back_test(here, run.child_seed(), run.data, jobs=run.jobs, kept=run.checkpoints, progress=run.progress)
    if not results:
        raise BadInput("none of the data sets is here: " + "; ".join(absent.values()))
    order = [case.data.task.title for case in FULL.cases]  # a data set has one color, whichever others are drawn
    panels = [accuracies(results, order), gains(results), changes(results), regrets(results, order)]
    return Built(panels, _claims(results, s.many), _record(results, absent), numbers(results))


FIGURE = Figure("Advice from real samples, followed: predicted and realised", columns=2, settings=FULL, quick=QUICK, build=build)


def _claims(results: Sequence[ScenarioResult], many: bool = True) -> list[Claim]:
    """The four of the advice, and that the same checks reject what is done without advice."""
    spare = 0.0 if many else SIGMAS_QUICK
    followed, everything = ([(*getattr(one, name), len(one.advices)) for one in results] for name in ("change", "everything"))
    bound = family_bound(len(results))
    judged = [right for one in results for *_, right in one.verdicts]
    blind = [right for one in results for right in one.undiscerning]
    alone = [float(one.accuracies[one.best] - one.accuracies[one.best_alone]) for one in results]
    regrets = np.array([one.regret for one in results])
    spared = spare * standard_error(regrets) if spare else 0.0
    lead = regrets - [HALF * one.regret_of_cross_validation for one in results]
    lead_spared = spare * standard_error(lead) if spare else 0.0
    beyond = "" if many else f" and {spare:g} standard errors"
    claims = [
        at_least(f"share of scenarios predicted within {100 * WITHIN:g} points{beyond}",
                 float(np.mean([abs(one.residual) <= WITHIN + spare * one.residual_se for one in results])), SHARE),
        at_most(f"largest loss of {len(results)} scenarios by following the advice, standard errors", loss(followed), bound),
        at_most(f"mean regret against the best of the grid{beyond}", float(regrets.mean()), REGRET + spared),
        at_most(f"mean regret less half of that of cross-validation over weight and ridge{beyond}", float(lead.mean()), lead_spared),
    ]
    if not many:
        return claims
    return [
        *claims,
        at_least("share of right verdicts", float(np.mean(judged)) if judged else 0.0, RIGHT),
        at_most("share of right verdicts of somebody who always says that it helps", float(np.mean(blind)) if blind else 0.0, RIGHT),
        at_most("loss of the median scenario that would be caught four times in five", float(np.median(caught(followed, bound))), CAUGHT),
        at_least("largest loss by using everything with weight 1, standard errors", loss(everything), bound),
        at_least("mean regret of using no synthetic data at the best ridge", float(np.mean(alone)), REGRET),
    ]


def loss(changes: Sequence[tuple[float, float, int]]) -> float:
    """Return the largest loss in standard errors of a normal law, from (change, its standard error, draws) of every scenario.

    The error is that of few draws: Student's t is brought to the normal quantile of the same chance.
    """
    from scipy.stats import norm, t

    tails = [float(t.sf(-change / se, draws - 1)) if se else 0.0 for change, se, draws in changes if change < 0 and draws > 1]
    return max(0.0, float(norm.isf(min(tails)))) if tails else 0.0


def family_bound(count: int) -> float:
    """Return what the largest loss of `count` scenarios without any true one exceeds with the chance FALSE_ALARM only."""
    from scipy.stats import norm

    return float(norm.isf(1 - (1 - FALSE_ALARM) ** (1 / count)))


def caught(changes: Sequence[tuple[float, float, int]], bound: float) -> list[float]:
    """Return the true loss of every scenario that exceeds the bound with a chance of 80%."""
    from scipy.stats import norm

    return [(bound + float(norm.ppf(0.8))) * se for _, se, _ in changes]


def _record(results: Sequence[ScenarioResult], absent: dict[str, str]) -> dict[str, object]:
    judged = [one for result in results for one in result.verdicts]
    strictly = [one for result in results for one in result.strict_verdicts]
    return {
        "scenarios": len(results), "users": sum(len(one.advices) for one in results), "left out": absent,
        "compared": "predicted and realised accuracy as means over the draws of a scenario",
        "within": sum(abs(one.residual) <= WITHIN for one in results),
        "misses": [_row(one) for one in sorted(results, key=lambda one: -abs(one.residual)) if abs(one.residual) > WITHIN],
        "root mean square residual": float(np.sqrt(np.mean([one.residual**2 for one in results]))),
        "verdicts declined": sum(one.declined for one in results),
        "verdicts judged": len(judged), "verdicts right": sum(right for *_, right in judged),
        "verdicts judged, strictly": len(strictly), "verdicts right, strictly": sum(right for *_, right in strictly),
        "verdicts wrong": dict(Counter(word for word, _, right in judged if not right)),
        "loss caught four times in five": caught([(*one.change, len(one.advices)) for one in results], family_bound(len(results))),
        "losses": [_row(one) for one in results if one.change[0] < -one.change[1]],
        "mean regret of using everything with weight 1": float(np.mean([one.accuracies[one.best] - one.accuracies[one.best_everything]
                                                                        for one in results])),
        "mean regret of cross-validation": float(np.mean([one.regret_of_cross_validation for one in results])),
        "mean regret of using none": float(np.mean([one.accuracies[one.best] - one.accuracies[one.best_alone] for one in results])),
        "by family": _families(results),
        "all": [_row(one) for one in results],
    }  # fmt: skip


def _families(results: Sequence[ScenarioResult]) -> dict[str, dict[str, float | int]]:
    """What came of the advice by kind of data, with the share of gains within two standard errors."""
    found = {}
    for title in dict.fromkeys(one.scenario.data.task.title for one in results):
        own = [one for one in results if one.scenario.data.task.title == title]
        covered = [one for result in own for one in result.covered]
        judged = [right for one in own for *_, right in one.verdicts]
        found[title] = {
            "scenarios": len(own), "mean regret": float(np.mean([one.regret for one in own])),
            "mean regret of cross-validation": float(np.mean([one.regret_of_cross_validation for one in own])),
            "gains": len(covered), "gains within two errors": sum(covered), "verdicts judged": len(judged), "verdicts right": sum(judged),
        }  # fmt: skip
    return found


def _row(of: ScenarioResult) -> dict[str, object]:
    """A scenario in the record."""
    s, (i, j, k) = of.scenario, of.best
    return {
        "scenario": s.name, "n": s.n, "p": of.p, "p/n": of.p / s.n, "draws": len(of.advices), "budget": s.budget,
        "predicted": of.predicted, "realised": of.realised, "residual": of.residual, "residual se": of.residual_se,
        "without": float(np.mean([one.without.mean() for one in of.advices])),
        "predicted without": float(np.mean([one.baseline for one in of.advices])),
        "predicted gain": float(np.mean([one.predicted_gain for one in of.advices])),
        "change": of.change[0], "change se": of.change[1], "everything": of.everything[0], "everything se": of.everything[1],
        "best": float(of.accuracies[of.best]), "best m": of.grid.m[i], "best omega": of.grid.omega[j],
        "best ridge": of.grid.ridge[k], "best alone": float(of.accuracies[of.best_alone]), "regret": of.regret,
        "regret of cross-validation": of.regret_of_cross_validation,
        "verdicts": dict(Counter(one.verdict for one in of.advices)),
        "judged": len(of.verdicts), "right": sum(right for *_, right in of.verdicts),
        "wrong": [{"verdict": word, "realised gain": gain} for word, gain, right in of.verdicts if not right],
        "advised": [{"m": one.m, "omega": one.omega, "gamma": one.gamma} for one in of.advices],
        "within, draw by draw": float(np.mean([abs(one.predicted - one.followed.mean()) <= WITHIN for one in of.advices])),
    }  # fmt: skip
