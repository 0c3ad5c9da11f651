"""The points of a study: a grid of lists and ranges, or a Latin hypercube, counted off in blocks so that millions need no memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from ..support.errors import BadInput
from ..support.typed import Between, Positive

WHOLE = ("n", "m", "p", "n_hat", "generations")  # rounded where a range or a hypercube falls between


@dataclass(frozen=True)
class Span:
    """The values between two numbers.

    Attributes
    ----------
    low, high
        The ends.
    spacing
        linear or log.
    """

    low: float
    high: float
    spacing: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise BadInput(f"low must be below high, not {self.low:g} and {self.high:g}")
        if self.spacing == "log" and self.low <= 0:
            raise BadInput(f"with log spacing low must be above 0, not {self.low:g}")

    def at(self, place: np.ndarray) -> np.ndarray:
        """Return the values at places from 0 to 1."""
        if self.spacing == "log":
            return np.exp(math.log(self.low) + place * (math.log(self.high) - math.log(self.low)))
        return self.low + place * (self.high - self.low)


@dataclass(frozen=True)
class Range(Span):
    """A span with a count of values, both ends included."""

    count: Annotated[int, Between(2)] = 11

    def values(self) -> np.ndarray:
        """Return the values (count,)."""
        found = self.at(np.linspace(0.0, 1.0, self.count))
        found[0], found[-1] = self.low, self.high
        return found


@dataclass(frozen=True)
class Latin:
    """A Latin hypercube.

    Attributes
    ----------
    count
        Number of points.
    seed
        Of the draw.
    axes
        Spans by the name of the parameter.
    """

    count: Positive
    axes: Mapping[str, Span]
    seed: Annotated[int, Between(0)] = 0

    def __post_init__(self) -> None:
        if not self.axes:
            raise BadInput("a Latin hypercube needs at least one axis")

    def columns(self) -> dict[str, np.ndarray]:
        """Return arrays (count,) by the name of the parameter."""
        from scipy.stats.qmc import LatinHypercube

        places = LatinHypercube(len(self.axes), rng=np.random.default_rng(self.seed)).random(self.count)
        return {name: _whole(name, span.at(places[:, i])) for i, (name, span) in enumerate(self.axes.items())}


@dataclass(frozen=True)
class StudyPoints:
    """All combinations of the values of axes, each with every row of a hypercube if there is one.

    Attributes
    ----------
    axes
        Values (K,) by the name of the parameter.
    rows
        Columns (R,) of one length by the name of the parameter: what a hypercube drew.
    """

    axes: Mapping[str, np.ndarray]
    rows: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return math.prod(self._shape)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that vary, in order."""
        return (*self.axes, *self.rows)

    @property
    def _shape(self) -> tuple[int, ...]:
        rows = [len(next(iter(self.rows.values())))] if self.rows else []
        return (*(len(values) for values in self.axes.values()), *rows)

    def at(self, i: int) -> dict[str, float]:
        """Return the i-th point."""
        return {name: float(values[0]) for name, values in self._columns(np.array([i])).items()}

    def blocks(self, size: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield the points in order, `size` at a time, as columns by the name of the parameter."""
        for start in range(0, len(self), size):
            yield self._columns(np.arange(start, min(start + size, len(self))))

    def _columns(self, index: np.ndarray) -> dict[str, np.ndarray]:
        if not self._shape:
            return {}
        places = np.unravel_index(index, self._shape)
        columns = {name: values[place] for (name, values), place in zip(self.axes.items(), places, strict=False)}
        return columns | {name: values[places[-1]] for name, values in self.rows.items()}


def points(values: Mapping[str, tuple[float, ...]], ranges: Mapping[str, Range], latin: Latin | None) -> StudyPoints:
    """Return the points of lists, ranges and a hypercube.

    Parameters
    ----------
    values : mapping of tuples
        By the name of the parameter.
    ranges : mapping of Range
        By the name of the parameter.
    latin : Latin or None
        The hypercube.

    Raises
    ------
    BadInput
        Where two of them have one parameter, or a list is empty.
    """
    axes: dict[str, np.ndarray] = {}
    for name, given in [*values.items(), *((name, one.values()) for name, one in ranges.items())]:
        if name in axes:
            raise BadInput(f"{name} is in values and in ranges: leave it in one of them")
        if not len(given):
            raise BadInput(f"values.{name} must not be empty")
        axes[name] = np.unique(_whole(name, np.asarray(given, dtype=float)))
    rows = latin.columns() if latin else {}
    for name in rows:
        if name in axes:
            raise BadInput(f"{name} is an axis and in the Latin hypercube: leave it in one of them")
    return StudyPoints(axes, rows)


def _whole(name: str, values: np.ndarray) -> np.ndarray:
    return np.round(values) if name in WHOLE else values
