"""Figures 8 and 9 by fine-tuning: the pipeline of a packaged configuration, or a part of its grid, and what it measured.

scale: lora is the small model in every role, paper the published models. The folder of a run is kept, so that the same run again
costs nothing, and one that was interrupted, or asks for more points, goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..estimators.audits import Proportion
from ..sims.checkpoint import fingerprint
from ..support.errors import BadInput
from .models.tuning import Tuning
from .pipeline import config
from .pipeline.engine import Pipeline, run
from .qa import configuration as qa
from .safety import configuration as safety
from .safety.steps import ERROR
from .shares import Share

Scale = Literal["lora", "paper"]
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
    """

    points: tuple[PointScores, ...]
    judge: Proportion | None
    folder: Path


def safety_scores(
    scale: Scale, out: Path, *, proportions: Sequence[float] | None = None, max_steps: int | None = None, seed: int = 0,
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
    settings = config.read(f"safety-{scale}", safety.Safety)
    settings = replace(settings, seed=seed, tuning=_tuning(settings.tuning, seed, max_steps),
                       sampling=replace(settings.sampling, seed=seed))  # fmt: skip
    folder = out / f"safety-{scale}-{fingerprint(settings)[:8]}"
    n, m = (part.rows[1] - part.rows[0] for part in (settings.real, settings.synthetic))
    there = {k: _proportion(n, m * k / settings.splits) for k in settings.grid.k}
    settings = replace(settings, grid=replace(settings.grid, k=_nearest(there, proportions)))
    return _scores(safety.pipeline(settings), folder, data, progress, tell)


def qa_scores(
    scale: Scale, out: Path, *, proportions: Sequence[float] | None = None, max_steps: int | None = None, seed: int = 0,
    data: Path | None = None, progress: bool = False, tell: Callable[[str], None] = lambda line: None,
) -> TunedScores:
    """Run figure 9 by fine-tuning; arguments and errors as for `safety_scores`. A proportion counts every text as one question."""
    settings = config.read(f"qa-{scale}", qa.QA)
    settings = replace(settings, seed=seed, tuning=_tuning(settings.tuning, seed, max_steps))
    folder = out / f"qa-{scale}-{fingerprint(settings)[:8]}"
    asked, n = settings.questions, settings.real.rows[1] - settings.real.rows[0]
    m = asked.per_category * len(asked.categories) + (asked.seed_data.rows[1] - asked.seed_data.rows[0] if asked.seed_data else 0)
    there = {share: _proportion(n, m * share) for share in settings.grid.shares}
    settings = replace(settings, grid=replace(settings.grid, shares=_nearest(there, proportions)))
    return _scores(qa.pipeline(settings), folder, data, progress, tell)


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


def _point_scores(row: Mapping[str, object]) -> PointScores:
    return PointScores(
        model=row["model"], epsilon=row.get("epsilon"), verifier=row["verifier"], proportion=row["proportion"], real=row["n"],
        synthetic=row["m"], kept=row["kept"], wrong=row["wrong"], accuracy=Share.read(row, "accuracy"),
        score=Share.read(row, "score") if "score" in row else None, recall=row.get("recall"), f1=row.get("F1"),
    )  # fmt: skip
