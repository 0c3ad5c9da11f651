"""Data sets as a pipeline names them: preference pairs, labelled answers, prompts; shuffled by a seed and taken by ranges.

Rows with the same prompt stay together when they are shuffled, and a part that is held out loses the rows whose prompt is also
trained on (those at the edge of a range), so that no prompt is on both sides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np

from ...data.sets import alert
from ...data.text import Preferences, Prompts
from ...support.errors import BadInput
from ...support.typed import Between
from ..sets import answer_loaders, pair_loaders
from ..sets.base import LabelledAnswers
from .engine import generator


@dataclass(frozen=True)
class Part:
    """A range of rows of a data set that was shuffled.

    Attributes
    ----------
    data : str
        Name of the data set.
    rows : pair of int
        First row, and the first after the last.
    """

    data: str
    rows: tuple[Annotated[int, Between(0)], Annotated[int, Between(0)]]

    def __post_init__(self) -> None:
        if self.rows[0] >= self.rows[1]:
            raise BadInput(f"rows must be [first, last] with first below last, not {list(self.rows)}")


@dataclass(frozen=True)
class PairPart(Part):
    """Rows of preference pairs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_named(self.data, pair_loaders())


@dataclass(frozen=True)
class AnswerPart(Part):
    """Rows of answers that people labelled."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_named(self.data, answer_loaders())


def apart(**parts: Part | None) -> None:
    """Raise BadInput for parts, by name, that share rows of one data set."""
    given = [(name, part) for name, part in parts.items() if part is not None]
    for (a, one), (b, other) in combinations(given, 2):
        if one.data == other.data and one.rows[0] < other.rows[1] and other.rows[0] < one.rows[1]:
            raise BadInput(f"{a}.rows and {b}.rows share rows of {one.data}: {list(one.rows)} and {list(other.rows)}")


def pairs(part: PairPart, seed: int, data: Path | None) -> Preferences:
    """Return the preference pairs of a part.

    Parameters
    ----------
    part : PairPart
    seed : int
        Of the order of the rows.
    data : Path, optional
        The folder in which data sets are looked for first.

    Raises
    ------
    BadInput
        If the data set cannot be had, or has fewer rows.
    """
    every = pair_loaders()[part.data](data)
    return every.take(_rows(part, every.contexts, seed))


def answers(part: AnswerPart, seed: int, data: Path | None) -> LabelledAnswers:
    """Return the labelled answers of a part; arguments and errors as of `pairs`."""
    every = answer_loaders()[part.data](data)
    return every.take(_rows(part, every.prompts, seed))


def prompts(count: int | None, seed: int, data: Path | None) -> Prompts:
    """Return prompts of ALERT.

    Parameters
    ----------
    count : int, optional
        How many, evenly over the categories as far as these go; by default all.
    seed : int
        Of the choice.
    data : Path, optional
        The folder in which data sets are looked for first.
    """
    every = alert.load(data)
    if count is None:
        return every
    order = generator(seed, "prompts").permutation(len(every.prompts))
    place: dict[str, int] = {}
    turn = np.empty(len(order), dtype=int)
    for i in order:
        turn[i] = place[every.categories[i]] = place.get(every.categories[i], -1) + 1
    rows = sorted(order, key=lambda i: turn[i])[:count]  # one of every category, then a second of every category, ..
    return every.take(np.sort(np.array(rows, dtype=int)))


def outside(prompts: Sequence[str], trained: Sequence[str]) -> np.ndarray:
    """Return the places of the prompts that are not among those trained on."""
    seen = set(trained)
    return np.array([i for i, prompt in enumerate(prompts) if prompt not in seen], dtype=int)


def _rows(part: Part, groups: Sequence[str], seed: int) -> np.ndarray:
    if part.rows[1] > len(groups):
        raise BadInput(f"{part.data} has {len(groups)} rows: rows {list(part.rows)} are not all there")
    names, group = np.unique(np.array(groups, dtype=object), return_inverse=True)
    order = generator(seed, f"order of {part.data}").permutation(len(names))
    return np.argsort(order[group], kind="stable")[slice(*part.rows)]


def _check_named(data: str, loaders: Collection[str]) -> None:
    if data not in loaders:
        raise BadInput(f"data must be one of {', '.join(loaders)}, not {data!r}")
