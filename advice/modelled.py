"""The outlook for other classifiers and measures: cross-validated, at the numbers and weights of synthetic rows that theory proposes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..support.errors import BadInput
from .cross_validation import METRICS, FoldScores, Mix, cross_validated
from .evidence import SIGMAS, Evidence
from .models import BOOSTING, Model, ridge
from .outlook import Outlook
from .result import Baseline, Choice, CurvePoint, Gain, MeasuredGain, Rival

STEP = 4.0  # between the weights that are tried around the theory's
MOST_WORK = 5e6  # n p beyond which other models take too long to be compared
OTHERS = (("logistic", "logistic regression"), (BOOSTING, "gradient boosting (HistGradientBoosting)"))
NAN = float("nan")


@dataclass(frozen=True)
class Task:
    """What is to be trained and judged.

    Attributes
    ----------
    said
        The model, as the user names it: "ridge", "logistic" or "MODULE:CLASS".
    metric
        One of `cross_validation.METRICS`.

    Raises
    ------
    BadInput
        For another metric.
    """

    said: str = "ridge"
    metric: str = "accuracy"

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise BadInput(f"the metric must be {', '.join(METRICS)}, not {self.metric!r}")

    @property
    def by_theory(self) -> bool:
        """Whether leave-one-out in closed form and theory judge it: the accuracy of ridge."""
        return self == Task()

    def model(self, alpha: float) -> Model:
        """Return the model; alpha is that of ridge."""
        return ridge(alpha) if self.said == "ridge" else Model.of(self.said)


def check_task(task: Task, *, file: bool, priced: bool = False) -> None:
    """Check a task before any file is read.

    Parameters
    ----------
    task : Task
    file, priced : bool
        Whether there are synthetic rows, and whether it is asked what to buy.

    Raises
    ------
    BadInput
        For a model that cannot be used, or one that would have to be measured without a file of synthetic rows.
    """
    if task.said != "ridge":
        Model.of(task.said)
    if not task.by_theory and not file:
        what = f"--model {task.said}" if task.said != "ridge" else f"--metric {task.metric}"
        raise BadInput(f"{what} is measured on synthetic rows, not planned by theory: give some with --synthetic FILE")
    if not task.by_theory and priced:
        raise BadInput("what to buy is said by theory, for the accuracy of ridge: leave out --model and --metric, or the prices")


@dataclass(frozen=True, eq=False)
class Ways:
    """The ways to train that are compared: without synthetic rows first, then at several weights, at last all rows at weight 1.

    Attributes
    ----------
    rows : array (j,)
        Kept rows of the file that train.
    weights : array (j,)
        Their weight.
    found : FoldScores
    """

    rows: np.ndarray
    weights: np.ndarray
    found: FoldScores


def tried(e: Evidence, task: Task) -> Ways:
    """Return the scores of the task's model without the file's rows and with them, at numbers and weights next to the theory's.

    Parameters
    ----------
    e : Evidence
        With a file.
    task : Task
    """
    one, share = e.measured, len(e.X) / e.n
    kept = shuffled(e.file.keep)
    weights = np.unique(np.clip([one.omega * share * factor for factor in (1 / STEP, 1.0, STEP)], 1e-3, 1e3))
    mixes = [(len(kept), weight) for weight in weights if weight != 1.0]
    mixes += [(len(kept) // 2, float(one.omega * share))] * (len(kept) >= 4) + [(len(kept), 1.0)]
    alone = task.model(e.baseline.gamma * len(e.X))
    mixed = task.model(one.gamma * share * (e.n + one.m))
    ways = [(alone, None), *((mixed, Mix(e.file.X[kept[:m]], e.file.codes[kept[:m]], weight)) for m, weight in mixes)]
    found = cross_validated(e.X, e.codes, ways, groups=e.groups, metric=task.metric)
    return Ways(np.array([m for m, _ in mixes]), np.array([weight for _, weight in mixes]), found)


def shuffled(keep: np.ndarray) -> np.ndarray:
    """Return the places of the kept rows in the order in which fewer of them are taken; the snippet takes them in the same order."""
    return np.random.default_rng(0).permutation(np.flatnonzero(keep))


def modelled(e: Evidence, ways: Ways, task: Task) -> tuple[Outlook, MeasuredGain]:
    """Return the outlook that was measured, without the optimism of the choice among the ways, and the measurement itself."""
    found, share, file = ways.found, len(e.X) / e.n, e.file
    level, level_se = found.level(0)
    best, plain = found.best, len(found.scores) - 1
    (raw, se), (at_1, at_1_se) = found.gain(best), found.gain(plain)
    value = raw - found.optimism()
    rows, omega = int(ways.rows[best - 1]), float(ways.weights[best - 1] / share)
    m = file.m * rows / int(file.keep.sum())
    name = "Ridge" if task.said == "ridge" else Model.of(task.said).name
    gamma, gamma_alone = (e.measured.gamma, e.baseline.gamma) if task.said == "ridge" else (NAN, NAN)
    base = Baseline(level, level_se, gamma_alone, NAN, name)
    choice = Choice(float(round(m)), float(rows), omega, gamma, level + value, float(np.hypot(level_se, se)))
    gain, of_all = _gain(value, se), _gain(at_1, at_1_se)
    ends = [(one - SIGMAS * error, one + SIGMAS * error) for one, error in ((level, level_se), (choice.accuracy, choice.se))]
    curve = (CurvePoint(0.0, 1.0, gamma_alone, level, *ends[0], 0.0, 0.0, level),
             CurvePoint(float(file.m), omega, gamma, choice.accuracy, *ends[1], gain.low, gain.high, level + at_1))
    measured = replace(e.measured, omega=omega, gamma=gamma, accuracy=level + raw, se=choice.se, gain=value, gain_se=se, plain=at_1,
                       plain_se=at_1_se, agree=True)
    return Outlook(base, choice, gain, of_all, curve), measured


def other_models(e: Evidence, task: Task) -> tuple[Rival, ...]:
    """Return the models without synthetic rows that an engineer would try next, by the same folds as the task's own."""
    if e.X.size > MOST_WORK:
        return ()
    known = [(said, name) for said, name in OTHERS if said != task.said]
    own = task.model(e.baseline.gamma * len(e.X))
    ways = [(own, None), *((Model.of(said), None) for said, _ in known)]
    found = cross_validated(e.X, e.codes, ways, groups=e.groups, metric=task.metric)
    return tuple(Rival(name, NAN, *found.level(i), *found.gain(i), said=said) for i, (said, name) in enumerate(known, 1))


def _gain(value: float, se: float) -> Gain:
    return Gain(value, se, value - SIGMAS * se, value + SIGMAS * se)
