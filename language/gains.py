"""How much more often one fine-tuned model is right than another, on the same held-out samples of one or several runs of a pipeline."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .pipeline import rows

HELD_OUT = "held-out"  # the table of the step `prepare` with what is measured on


@dataclass(frozen=True)
class Gain:
    """A difference in held-out accuracy, paired.

    Attributes
    ----------
    of, over : str
        The verifiers of the two models; real: real data alone.
    epsilon : float, optional
        The label noise of both, where it is chosen.
    signal : float, optional
        lambda of the first, where it is known.
    mean, se : float
        The larger of two standard errors: over held-out samples, of which a run may share some with another, and over runs.
    each : tuple of float
        The difference in every run.
    samples : int
        Comparisons in all runs.
    """

    of: str
    over: str
    epsilon: float | None
    signal: float | None
    mean: float
    se: float
    each: tuple[float, ...]
    samples: int


def gain(of: str, over: str, right: Sequence[tuple[np.ndarray, np.ndarray]], samples: Sequence[Sequence[Hashable]],
         epsilon: float | None = None, signal: float | None = None) -> Gain:  # fmt: skip
    """Return the difference between two models.

    Parameters
    ----------
    of, over, epsilon, signal
        As of `Gain`.
    right : a pair of arrays (k,) for every run
        Whether either model is right on each held-out sample.
    samples : k values for every run
        Which sample it is.
    """
    differences = [np.asarray(a, dtype=float) - np.asarray(b, dtype=float) for a, b in right]
    every = np.concatenate(differences)
    mean, each = every.mean(), [one.mean() for one in differences]
    numbers: dict[Hashable, int] = {}
    place = [numbers.setdefault(one, len(numbers)) for run in samples for one in run]
    se = np.sqrt((np.bincount(place, every - mean) ** 2).sum()) / every.size
    if len(each) > 1:
        se = max(se, np.std(each, ddof=1) / np.sqrt(len(each)))
    return Gain(of, over, epsilon, signal, float(mean), float(se), tuple(map(float, each)), every.size)


def measured(folder: Path, kind: str, point: object) -> np.ndarray:
    """Return whether the model of a point is right on each held-out sample, (k,).

    Parameters
    ----------
    folder : Path
        Of a run of a pipeline.
    kind : str
        Of the step that measures.
    point : object
        Of the grid.
    """
    return np.array(rows.load(folder / kind / str(point))["right"], dtype=float)


def samples(folder: Path) -> list[Hashable]:
    """Return the held-out samples of a run, as values that tell them apart."""
    return [tuple(map(str, one.values())) for one in rows.load(folder / "prepare", HELD_OUT)]
