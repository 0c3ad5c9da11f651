"""Figures 8 and 9 by fine-tuning: the pipeline of a packaged configuration, or a part of its grid, and what it measured.

scale: lora is the small model in every role, paper the published models. The folder of a run is kept, so that the same run again
costs nothing, and one that was interrupted, or asks for more points, goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np

from ..estimators.audits import Proportion
from ..sims.checkpoint import fingerprint
from ..support.errors import BadInput
from . import gains
from .gains import Gain
from .models.tuning import Tuning
from .pipeline import config
from .pipeline.engine import Pipeline, run
from .qa import configuration as qa
from .safety import configuration as safety
from .safety.steps import ERROR
from .shares import Share

Scale = Literal["lora", "paper"]
REAL = "real"  # data alone
NEAR = 0.03  # how far a proportion that is asked for may be from one of the configuration


@dataclass(frozen=True)
class PointScores:
    """The scores of a fine-tuned model at one point of the grid.

    Attributes
    ----------
    model
        The model that was tuned.
    epsilon
        The share of swapped labels; None for real data alone, and in figure 9, where it is measured and not chosen.
    verifier
        The name of the verifier; None for real data alone.
    proportion
        Synthetic samples among all, before pruning.
    real, synthetic
        Samples before pruning (n and m).
    kept, wrong
        Synthetic samples trained on, and those of them with a wrong label.
    accuracy
        Of the implicit reward on held-out pairs (figure 8), of SAFE and UNSAFE on held-out answers (figure 9).
    score
        Share of answers to the evaluation's prompts that are judged safe (figure 8 only).
    recall, f1
        Of UNSAFE on held-out answers (figure 9 only).
    """

    model: str
    epsilon: float | None
    verifier: str | None
    proportion: float
    real: int
    synthetic: int
    kept: int
    wrong: int
    accuracy: Share
    score: Share | None = None
    recall: float | None = None
    f1: float | None = None


@dataclass(frozen=True)
class TunedScores:
    """The scores of every point of a grid.

    Attributes
    ----------
    points
        One entry a point.
    judge
        How often the judge of the safety score is wrong itself, where that is known.
    folder
        The folder of the pipeline.
    gains
        Differences between points, paired.
    repeats
        How many runs there were, each with its own seed; shares are counted over all, samples are those of the first.
    """

    points: tuple[PointScores, ...]
    judge: Proportion | None
    folder: Path
    gains: tuple[Gain, ...] = ()
    repeats: int = 1


def safety_scores(
    scale: Scale, out: Path, *, proportions: Sequence[float] | None = None, max_steps: int | None = None, seed: int = 0, repeats: int = 1,
    data: Path | None = None, progress: bool = False, tell: Callable[[str], None] = lambda line: None,
) -> TunedScores:
    """Run figure 8 by fine-tuning, in a folder of `out`.

    Parameters
    ----------
    scale : str
        lora or paper.
    out : Path
    proportions : sequence of float, optional
        Run only the points of the grid nearest to these shares of synthetic data.
    max_steps : int, optional
        The most steps of each fine-tuning.
    seed : int
        Of the first run.
    repeats : int
        How many runs, with one seed after another: of the division of the data, the label noise, the pruning and the tuning.
    data : Path, optional
        The folder in which data sets are looked for first.
    progress : bool
        Whether to show progress bars.
    tell : callable
        Takes a line about each step.

    Raises
    ------
    BadInput
        For a proportion that is not near one of the configuration's, and whatever the steps refuse.
    """
    packaged, runs = config.read(f"safety-{scale}", safety.Safety), []
    for one in range(seed, seed + repeats):
        settings = replace(packaged, seed=one, tuning=_tuning(packaged.tuning, one, max_steps),
                           sampling=replace(packaged.sampling, seed=one))  # fmt: skip
        folder = out / f"safety-{scale}-{fingerprint(settings)[:8]}"
        n, m = (part.rows[1] - part.rows[0] for part in (settings.real, settings.synthetic))
        there = {k: _proportion(n, m * k / settings.splits) for k in settings.grid.k}
        settings = replace(settings, grid=replace(settings.grid, k=_nearest(there, proportions)))
        runs.append(_scores(safety.pipeline(settings), folder, data, progress, tell))
    return _together(runs, "held-out", settings.points, _safety_comparisons(settings))


def qa_scores(
    scale: Scale, out: Path, *, proportions: Sequence[float] | None = None, max_steps: int | None = None, seed: int = 0, repeats: int = 1,
    data: Path | None = None, progress: bool = False, tell: Callable[[str], None] = lambda line: None,
) -> TunedScores:
    """Run figure 9 by fine-tuning; arguments and errors as for `safety_scores`. A proportion counts every text as one question."""
    packaged, runs = config.read(f"qa-{scale}", qa.QA), []
    for one in range(seed, seed + repeats):
        settings = replace(packaged, seed=one, tuning=_tuning(packaged.tuning, one, max_steps))
        folder = out / f"qa-{scale}-{fingerprint(settings)[:8]}"
        asked, n = settings.questions, settings.real.rows[1] - settings.real.rows[0]
        m = asked.per_category * len(asked.categories) + (asked.seed_data.rows[1] - asked.seed_data.rows[0] if asked.seed_data else 0)
        there = {share: _proportion(n, m * share) for share in settings.grid.shares}
        settings = replace(settings, grid=replace(settings.grid, shares=_nearest(there, proportions)))
        runs.append(_scores(qa.pipeline(settings), folder, data, progress, tell))
    return _together(runs, "evaluate", settings.points, _qa_comparisons(settings))


def read_scores(counts: Mapping[str, object], folder: Path) -> TunedScores:
    """Read the counts of a pipeline's step `score`."""
    error = counts.get(ERROR)
    return TunedScores(tuple(_point_scores(row) for row in counts["points"]), None if error is None else Proportion(**error), folder)


def _tuning(usual: Tuning, seed: int, max_steps: int | None) -> Tuning:
    return replace(usual, seed=seed, max_steps=usual.max_steps if max_steps is None else max_steps)


def _proportion(n: float, m: float) -> float:
    return m / (n + m)


def _nearest(there: Mapping[float, float], asked: Sequence[float] | None) -> tuple[float, ...]:
    """The keys whose proportions are nearest to those asked for, in order; all if none is."""
    if asked is None:
        return tuple(there)
    found = set()
    for one in asked:
        key = min(there, key=lambda key: abs(there[key] - one))
        if not abs(there[key] - one) <= NEAR:
            raise BadInput(f"there is no proportion near {one:g} at this scale; there are {', '.join(f'{p:.2f}' for p in there.values())}")
        found.add(key)
    if not found:
        raise BadInput("no proportions were asked for")
    return tuple(key for key in there if key in found)


def _scores(pipeline: Pipeline, folder: Path, data: Path | None, progress: bool, tell: Callable[[str], None]) -> TunedScores:
    """Run what is not done; the last step is `score`."""
    return read_scores(run(pipeline, folder, data=data, progress=progress, tell=tell)[-1].record.counts, folder)


@dataclass(frozen=True)
class _Comparison:
    """Two points of a grid, and what `Gain` says of them."""

    a: object
    b: object
    of: str
    over: str
    epsilon: float | None = None
    signal: float | None = None


def _safety_comparisons(settings: safety.Safety) -> list[_Comparison]:
    """At each label noise, with the most splits: the first verifier with the others, and every one with real data alone."""
    found, verifiers = [], settings.grid.verifiers
    for epsilon in settings.grid.epsilon:
        most = [one for one in settings.points if one.epsilon == epsilon and one.k == max(settings.grid.k)]
        real = [one for one in settings.points if one.verifier is None]
        for a, b in [*product(most[:1], most[1:]), *product(most, real)]:
            found.append(_Comparison(a, b, a.verifier, b.verifier or REAL, epsilon, float(verifiers[a.verifier].lam(epsilon))))
    return found


def _qa_comparisons(settings: qa.QA) -> list[_Comparison]:
    """Of each model, with the largest share: the first verifier with the others."""
    found = []
    for model in settings.grid.models:
        most = [one for one in settings.points if one.model == model and one.verifier and one.share == max(settings.grid.shares)]
        found += [_Comparison(a, b, a.verifier, b.verifier) for a, b in product(most[:1], most[1:])]
    return found


def _together(runs: list[TunedScores], kind: str, points: Sequence[object], comparisons: Iterable[_Comparison]) -> TunedScores:
    """The scores of all runs as one: shares of all that was measured, and paired differences."""
    folders = [one.folder for one in runs]
    measured = {at: [gains.measured(folder, kind, at) for folder in folders] for at in points}
    samples = [gains.samples(folder) for folder in folders]
    found = tuple(gains.gain(one.of, one.over, list(zip(measured[one.a], measured[one.b], strict=True)), samples, one.epsilon, one.signal)
                  for one in comparisons)  # fmt: skip
    if len(runs) == 1:
        return replace(runs[0], gains=found)
    pooled = [replace(one, accuracy=Share.of(np.concatenate(measured[at])), score=None, recall=None, f1=None)
              for at, one in zip(points, runs[0].points, strict=True)]  # fmt: skip
    return replace(runs[0], points=tuple(pooled), gains=found, repeats=len(runs))


def _point_scores(row: Mapping[str, object]) -> PointScores:
    return PointScores(
        model=row["model"], epsilon=row.get("epsilon"), verifier=row["verifier"], proportion=row["proportion"], real=row["n"],
        synthetic=row["m"], kept=row["kept"], wrong=row["wrong"], accuracy=Share.read(row, "accuracy"),
        score=Share.read(row, "score") if "score" in row else None, recall=row.get("recall"), f1=row.get("F1"),
    )  # fmt: skip
