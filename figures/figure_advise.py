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

The quick settings have too few users for these claims: theirs allow four standard errors more, and leave the verdicts out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from pathlib import Path

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..experiments.back_test import CandidateGrid, Data, FollowedAdvice, Scenario, ask_and_follow
from ..sims.checkpoint import fingerprint
from ..solvers.problem import NO_SUPERVISION, ORACLE, Generator, Verifier
from ..support.errors import BadInput
from ..support.files import replacing
from ..support.progress import bar
from .kit.claims import Claim, at_least, at_most
from .kit.figure import Built, Figure
from .kit.run import Run

WITHIN, SHARE = 0.015, 0.9
RIGHT, SIGMAS = 0.95, 2.0
REGRET = 0.005
SIGMAS_QUICK = 4.0
UNDECIDED = "too close to call"  # an advice that claims nothing
STRONG, WEAK, BLIND = Verifier(rho=0.1, phi=0.9), Verifier(rho=0.5, phi=0.8), Verifier(rho=0.5, phi=0.5)
WEIGHTS, RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0), tuple(np.geomspace(1e-3, 1e2, 11).tolist())


@dataclass(frozen=True)
class Kind:
    """A generator, its labels and a verifier. generator: good (as many samples as the data set has, `Case.most` a class), fair (as many
    as the user), poor (a fifth of them), own (self-fitted). file: whether there is a file of samples. shift: see `Scenario`."""

    generator: str
    epsilon: float
    verifier: Verifier
    file: bool
    shift: float = 0.0


KINDS = (
    Kind("good", 0.2, STRONG, file=False),
    Kind("good", 0.5, NO_SUPERVISION, file=True),
    Kind("fair", 0.3, NO_SUPERVISION, file=True),
    Kind("own", 0.1, NO_SUPERVISION, file=False),
    Kind("good", 0.3, ORACLE, file=True),
    Kind("fair", 0.4, WEAK, file=False),
    Kind("poor", 0.0, NO_SUPERVISION, file=True),
    Kind("poor", 0.5, ORACLE, file=False),
    Kind("good", 0.3, BLIND, file=False),
    Kind("good", 0.2, STRONG, file=True, shift=0.5),
    Kind("own", 0.5, STRONG, file=True),
    Kind("good", 0.1, WEAK, file=False),
)


@dataclass(frozen=True)
class Case:
    """n real samples of a data set, the next `kinds` of the kinds, `draws` users each. most: samples a class of the best generator."""

    data: Data
    n: int
    classes: int
    most: int
    kinds: int
    draws: int
    budget: int

    def scenarios(self, kinds: cycle[Kind]) -> list[Scenario]:
        """The next ones."""
        return [self._scenario(next(kinds)) for _ in range(self.kinds)]

    def _scenario(self, kind: Kind) -> Scenario:
        own = self.n // self.classes
        count = {"good": self.most, "fair": own, "poor": max(own // 5, 3)}.get(kind.generator)
        generator = Generator("self-fitted") if count is None else Generator("independent", n_hat=min(count, self.most))
        return Scenario(self.data, self.n, self.budget, kind.epsilon, kind.verifier, generator, kind.file, shift=kind.shift)


def _relu(digits: tuple[int, int], size: int) -> Data:
    return Data(f"{digits[0]}-{digits[1]} ReLU {size}", "mnist", digits, "relu", size)


BOOKS, ELEC, KITCHEN = (Data(name, name) for name in ("books", "elec", "kitchen"))
PREFERENCES, COMPLETIONS = Data("hh-rlhf", "preferences"), Data("XSTest", "completions")


@dataclass(frozen=True)
class Settings:
    """The cases; kinds of scenarios are dealt out to them one after the other. many: whether there are users enough to judge."""

    cases: tuple[Case, ...]
    many: bool = True

    def scenarios(self) -> list[tuple[Case, Scenario]]:
        """All of them, in order."""
        kinds = cycle(KINDS)
        return [(case, one) for case in self.cases for one in case.scenarios(kinds)]


FULL = Settings(
    (
        Case(_relu((3, 8), 50), 500, 2, 3000, 4, 16, 2500),
        Case(_relu((4, 9), 50), 50, 2, 3000, 4, 100, 1000),
        Case(_relu((4, 9), 300), 60, 2, 3000, 4, 50, 1000),
        Case(_relu((3, 8), 300), 1000, 2, 3000, 3, 8, 3000),
        Case(Data("3-8 pixels", "mnist", (3, 8)), 150, 2, 3000, 3, 10, 1500),
        Case(BOOKS, 80, 2, 400, 4, 72, 1000),
        Case(ELEC, 200, 2, 400, 4, 36, 1500),
        Case(KITCHEN, 800, 2, 250, 3, 16, 3000),
        Case(PREFERENCES, 200, 2, 400, 4, 64, 1500),
        Case(PREFERENCES, 600, 2, 400, 3, 14, 3000),
        Case(COMPLETIONS, 120, 2, 70, 3, 16, 1000),
        Case(COMPLETIONS, 200, 2, 30, 3, 12, 1500),
        Case(Data("digits", "digits"), 100, 10, 100, 2, 20, 1000),
        Case(Data("digits", "digits"), 500, 10, 60, 1, 8, 2500),
    )
)
QUICK = Settings((Case(Data("digits 3-8", "digits", (3, 8)), 60, 2, 60, 3, 6, 500), Case(_relu((3, 8), 50), 500, 2, 3000, 2, 3, 1000),
                  Case(BOOKS, 80, 2, 400, 1, 6, 500)), many=False)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Result:
    """One scenario: what its users were told, and what came of it."""

    scenario: Scenario
    grid: CandidateGrid
    p: int
    outcomes: tuple[FollowedAdvice, ...]

    @cached_property
    def predicted(self) -> float:
        """The accuracy of the advised mix, as predicted."""
        return float(np.mean([one.predicted for one in self.outcomes]))

    @cached_property
    def realised(self) -> float:
        """The same on the test set."""
        return float(np.mean([one.followed.mean() for one in self.outcomes]))

    @property
    def residual(self) -> float:
        """Predicted less realised."""
        return self.predicted - self.realised

    @cached_property
    def residual_se(self) -> float:
        """Of the residual, over the draws."""
        return _se([one.predicted - one.followed.mean() for one in self.outcomes])

    @cached_property
    def accuracies(self) -> np.ndarray:
        """(m, omega, ridge), on average over the draws."""
        return np.mean([one.right.mean(axis=-1) for one in self.outcomes], axis=0)

    @cached_property
    def best(self) -> tuple[int, int, int]:
        """Where on the grid the accuracy is best."""
        return tuple(int(i) for i in np.unravel_index(self.accuracies.argmax(), self.accuracies.shape))

    @cached_property
    def best_alone(self) -> tuple[int, int, int]:
        """The same without synthetic data."""
        return 0, 0, int(self.accuracies[0, 0].argmax())

    @cached_property
    def best_mix(self) -> tuple[int, int, int]:
        """The same with them."""
        i, j, k = np.unravel_index(self.accuracies[1:].argmax(), self.accuracies[1:].shape)
        return int(i) + 1, int(j), int(k)

    @cached_property
    def best_everything(self) -> tuple[int, int, int]:
        """The same with the whole budget and weight 1."""
        i, j = len(self.grid.m) - 1, self.grid.omega.index(1.0)
        return i, j, int(self.accuracies[i, j].argmax())

    @property
    def regret(self) -> float:
        """The best of the grid, which is also the best without synthetic data where that is better, less what following the advice gave."""
        return float(self.accuracies[self.best]) - self.realised

    @cached_property
    def change(self) -> tuple[float, float]:
        """Following the advice less using no synthetic data, with its standard error."""
        return self._difference([(one.followed, one.without) for one in self.outcomes])

    @cached_property
    def everything(self) -> tuple[float, float]:
        """Using the whole budget with weight 1, less no synthetic data, both at their best ridge: what is done without advice."""
        return self._difference([self._against_alone(one, self.best_everything) for one in self.outcomes])

    def _difference(self, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
        """Mean and standard error of a paired difference in accuracy over the draws, each of which has a test set of its own."""
        means = [float(np.mean(better) - np.mean(worse)) for better, worse in pairs]
        return float(np.mean(means)), _se(means)

    def gain(self, one: FollowedAdvice, *, strict: bool = False) -> tuple[float, float]:
        """The realised gain that a user's verdict is about, and its standard error on the test set. strict: see above."""
        if one.m:
            return _paired(one.followed, one.without)
        return _paired(*self._against_alone(one, self.best_mix if strict else self.best_everything))

    @cached_property
    def verdicts(self) -> list[tuple[str, float, bool]]:
        """Of the users with a verdict whose gain is beyond two standard errors: verdict, gain, and whether the verdict is right."""
        return self._judged(strict=False)

    @cached_property
    def strict_verdicts(self) -> list[tuple[str, float, bool]]:
        """The same against the best mix of the grid."""
        return self._judged(strict=True)

    @cached_property
    def undiscerning(self) -> list[bool]:
        """Of the users for whom everything with weight 1 changes more than two standard errors, whether it helps."""
        gains = [_paired(*self._against_alone(one, self.best_everything)) for one in self.outcomes]
        return [gain > 0 for gain, se in gains if abs(gain) > SIGMAS * se]

    def _against_alone(self, one: FollowedAdvice, place: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Which test samples (k,) are right at a place of the grid, and which without synthetic data at their best ridge."""
        right = one.right
        return right[place], right[self.best_alone]

    @property
    def declined(self) -> int:
        """Users whose gain is beyond two standard errors, but to whom the advice was that it is too close to call."""
        gains = [(one.verdict, *self.gain(one)) for one in self.outcomes]
        return sum(word == UNDECIDED and abs(gain) > SIGMAS * se for word, gain, se in gains)

    def _judged(self, *, strict: bool) -> list[tuple[str, float, bool]]:
        gains = [(one.verdict, *self.gain(one, strict=strict)) for one in self.outcomes]
        return [(word, gain, (word == "helps") == (gain > 0)) for word, gain, se in gains
                if abs(gain) > SIGMAS * se and word != UNDECIDED]

    def record(self) -> dict[str, object]:
        """All that is said about it."""
        s, (i, j, k) = self.scenario, self.best
        return {
            "scenario": s.name, "n": s.n, "p": self.p, "p/n": self.p / s.n, "draws": len(self.outcomes), "budget": s.budget,
            "predicted": self.predicted, "realised": self.realised, "residual": self.residual, "residual se": self.residual_se,
            "without": float(np.mean([one.without.mean() for one in self.outcomes])),
            "predicted without": float(np.mean([one.baseline for one in self.outcomes])),
            "predicted gain": float(np.mean([one.predicted_gain for one in self.outcomes])),
            "change": self.change[0], "change se": self.change[1], "everything": self.everything[0], "everything se": self.everything[1],
            "best": float(self.accuracies[self.best]), "best m": self.grid.m[i], "best omega": self.grid.omega[j],
            "best ridge": self.grid.ridge[k], "best alone": float(self.accuracies[self.best_alone]), "regret": self.regret,
            "verdicts": dict(Counter(one.verdict for one in self.outcomes)),
            "judged": len(self.verdicts), "right": sum(right for *_, right in self.verdicts),
            "wrong": [{"verdict": word, "realised gain": gain} for word, gain, right in self.verdicts if not right],
            "advised": [{"m": one.m, "omega": one.omega, "gamma": one.gamma} for one in self.outcomes],
            "within, draw by draw": float(np.mean([abs(one.predicted - one.followed.mean()) <= WITHIN for one in self.outcomes])),
        }  # fmt: skip


def build(s: Settings, run: Run) -> Built:
    """Draw, advise, follow, judge; data sets that are not here are left out, and the record says so."""
    found = {case.data: case.data.missing(run.data) for case in s.cases}
    absent = {data.name: why for data, why in found.items() if why}
    results = _results([(case, one) for case, one in s.scenarios() if not found[case.data]], run)
    if not results:
        raise BadInput("none of the data sets is here: " + "; ".join(absent.values()))
    panels = [_accuracies(results), _gains(results), _changes(results), _regrets(results)]
    return Built(panels, _claims(results, s.many), _record(results, absent))


FIGURE = Figure("Advice from real samples, followed: predicted and realised", columns=2, settings=FULL, quick=QUICK, build=build)


def _results(scenarios: Sequence[tuple[Case, Scenario]], run: Run) -> list[Result]:
    """Every draw has a seed of its own, and is kept on disk until the run ends: neither workers nor interruptions change anything."""
    from joblib import Parallel, delayed

    seed = run.child_seed()
    tasks, grids = [], []
    for number, (case, scenario) in enumerate(scenarios):
        grids.append(CandidateGrid((0, case.budget // 8, case.budget // 2, case.budget), WEIGHTS, RIDGES))
        for draw in range(case.draws):
            child = np.random.SeedSequence(seed, spawn_key=(number, draw))
            tasks.append(delayed(_trial)(scenario, grids[-1], child, run.data, run.checkpoints))
    features = {case.data: case.data.load(0, run.data).X.shape[1] for case, _ in scenarios}  # whatever is checked is checked here, once
    outcomes: list[FollowedAdvice] = []
    with bar("users", run.progress) as show:
        for one in Parallel(n_jobs=run.jobs, return_as="generator")(tasks):
            outcomes.append(one)
            show(len(outcomes), len(tasks))
    results = []
    for (case, scenario), grid in zip(scenarios, grids, strict=True):
        own, outcomes = outcomes[: case.draws], outcomes[case.draws :]
        results.append(Result(scenario, grid, features[scenario.data], tuple(own)))
    return results


def _trial(scenario: Scenario, grid: CandidateGrid, seed: np.random.SeedSequence, data: Path | None, folder: Path | None) -> FollowedAdvice:
    """The outcome, from the disk if it is there."""
    from threadpoolctl import threadpool_limits

    path = None
    if folder is not None:
        path = folder / f"{fingerprint(scenario, grid, seed.entropy, seed.spawn_key)}.npz"
        if path.is_file():
            with np.load(path) as kept:
                return FollowedAdvice(**{name: kept[name] if kept[name].ndim else kept[name].item() for name in kept.files})
    with threadpool_limits(1):
        outcome = ask_and_follow(scenario, grid, seed, data)
    if path is not None:
        with replacing(path) as beside, beside.open("wb") as file:
            np.savez(file, **{name: getattr(outcome, name) for name in FollowedAdvice.__dataclass_fields__})
    return outcome


def _paired(better: np.ndarray, worse: np.ndarray) -> tuple[float, float]:
    """Difference in accuracy and its standard error, from which of the same test samples are right."""
    difference = better.astype(float) - worse
    return float(difference.mean()), float(difference.std() / np.sqrt(difference.size))


def _se(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


# ---------------------------------------------------------------- claims


def _claims(results: Sequence[Result], many: bool = True) -> list[Claim]:
    """The four of the advice, and that the same checks reject what is done without advice."""
    spare = 0.0 if many else SIGMAS_QUICK
    judged = [right for one in results for *_, right in one.verdicts]
    blind = [right for one in results for right in one.undiscerning]
    alone = [float(one.accuracies[one.best] - one.accuracies[one.best_alone]) for one in results]
    regrets = np.array([one.regret for one in results])
    spared = spare * _se(regrets) if spare else 0.0
    beyond = "" if many else f" and {spare:g} standard errors"
    claims = [
        at_least(f"share of scenarios predicted within {100 * WITHIN:g} points{beyond}",
                 float(np.mean([abs(one.residual) <= WITHIN + spare * one.residual_se for one in results])), SHARE),
        at_most("largest loss by following the advice, standard errors", _loss([one.change for one in results]), 1.0 + spare),
        at_most(f"mean regret against the best of the grid{beyond}", float(regrets.mean()), REGRET + spared),
    ]
    if not many:
        return claims
    return [
        *claims,
        at_least("share of right verdicts", float(np.mean(judged)) if judged else 0.0, RIGHT),
        at_most("share of right verdicts of somebody who always says that it helps", float(np.mean(blind)) if blind else 0.0, RIGHT),
        at_least("largest loss by using everything with weight 1, standard errors", _loss([one.everything for one in results]), 1.0),
        at_least("mean regret of using no synthetic data at the best ridge", float(np.mean(alone)), REGRET),
    ]


def _loss(changes: Sequence[tuple[float, float]]) -> float:
    return max(-change / se if change < 0 else 0.0 for change, se in changes)


def _record(results: Sequence[Result], absent: dict[str, str]) -> dict[str, object]:
    judged = [one for result in results for one in result.verdicts]
    strictly = [one for result in results for one in result.strict_verdicts]
    return {
        "scenarios": len(results), "users": sum(len(one.outcomes) for one in results), "left out": absent,
        "compared": "predicted and realised accuracy as means over the draws of a scenario",
        "within": sum(abs(one.residual) <= WITHIN for one in results),
        "misses": [one.record() for one in sorted(results, key=lambda one: -abs(one.residual)) if abs(one.residual) > WITHIN],
        "root mean square residual": float(np.sqrt(np.mean([one.residual**2 for one in results]))),
        "verdicts declined": sum(one.declined for one in results),
        "verdicts judged": len(judged), "verdicts right": sum(right for *_, right in judged),
        "verdicts judged, strictly": len(strictly), "verdicts right, strictly": sum(right for *_, right in strictly),
        "verdicts wrong": dict(Counter(word for word, _, right in judged if not right)),
        "losses": [one.record() for one in results if one.change[0] < -one.change[1]],
        "mean regret of using everything with weight 1": float(np.mean([one.accuracies[one.best] - one.accuracies[one.best_everything]
                                                                        for one in results])),
        "all": [one.record() for one in results],
    }  # fmt: skip


# ---------------------------------------------------------------- panels

GROUPS = {"MNIST pairs": ("mnist",), "Amazon reviews": ("books", "elec", "kitchen"), "hh-rlhf": ("preferences",),
          "XSTest": ("completions",), "digits": ("digits",)}  # fmt: skip
MARKERS = ("o", "s", "D", "^", "v")


def _groups(results: Sequence[Result]) -> list[tuple[int, str, list[int]]]:
    """Color, name and places of the results of every kind of data there is."""
    found = [(color, name, [i for i, one in enumerate(results) if one.scenario.data.source in sources])
             for color, (name, sources) in enumerate(GROUPS.items())]
    return [group for group in found if group[2]]


def _accuracies(results: Sequence[Result]) -> Panel:
    values = [value for one in results for value in (one.predicted, one.realised)]
    ends = np.array([min(values) - 0.01, max(values) + 0.01])
    marks = [Line("", ends, ends, 5), *(Line("", ends, ends + shift, 5, "guide") for shift in (-WITHIN, WITHIN))]
    for color, name, places in _groups(results):
        own = [results[i] for i in places]
        marks.append(Points(name, np.array([one.predicted for one in own]), np.array([one.realised for one in own]),
                            np.array([one.residual_se for one in own]), color, MARKERS[color]))
    return Panel(f"{len(results)} scenarios; dotted: {100 * WITHIN:g} points", "predicted accuracy", "realised on the test set", marks)


def _gains(results: Sequence[Result]) -> Panel:
    told = {"helps": (3, "o"), "hurts": (1, "s"), "too close to call": (0, "D"), "depends on the verifier": (2, "^")}
    marks = []
    for word, (color, marker) in told.items():
        own = [(100 * one.predicted_gain, *result.gain(one)) for result in results for one in result.outcomes if one.verdict == word]
        if own:
            x, y, se = np.array(own).T
            marks.append(Points(word, x, 100 * y, 100 * se, color, marker))
    ends = np.array([min(mark.x.min() for mark in marks), max(mark.x.max() for mark in marks)])
    return Panel("every user", "predicted gain, points", "realised gain, points", [Line("", ends, ends, 5), *marks])


def _changes(results: Sequence[Result]) -> Panel:
    ends = np.array([0, len(results)])
    marks = [Line("", ends, np.zeros(2), 5)]
    done = {"following the advice": [one.change for one in results], "everything, with weight 1": [one.everything for one in results]}
    for color, (name, values) in enumerate(done.items()):
        change, se = 100 * np.array(values).T
        marks.append(Points(name, np.arange(len(results)) + 0.5, change, se, color, MARKERS[color]))
    return Panel("against no synthetic data", "scenario", "gain in accuracy, points", marks)


def _regrets(results: Sequence[Result]) -> Panel:
    ends = np.array([0, len(results)])
    marks = [Line("", ends, np.full(2, 100 * np.mean([one.regret for one in results])), 5), Line("", ends, np.zeros(2), 5, "guide")]
    for color, name, places in _groups(results):
        regrets = np.array([100 * results[i].regret for i in places])
        marks.append(Points(name, np.array(places) + 0.5, regrets, np.zeros(len(places)), color, MARKERS[color]))
    return Panel("against the best of the grid; line: mean", "scenario", "regret, points", marks, legend=False)
