"""What a figure is: the contract that every module figures/figure*.py fulfils with its `FIGURE`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ...drawing.panels import Panel
from .claims import Claim

S = TypeVar("S")


@dataclass(frozen=True)
class Built:
    """A figure that was built: panels, claims and numbers for its record.

    Attributes
    ----------
    panels
        What is drawn, in the order of the axes.
    claims
        What is judged; the figure holds if all of them do.
    extra
        Further numbers for the record, as they are.
    notes
        What a reader must be told, such as where the published formula has no value: under the picture, in the record and printed.
    """

    panels: Sequence[Panel]
    claims: Sequence[Claim]
    extra: dict[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()


class Options:
    """Options of a figure's own, beside its settings: a frozen dataclass that inherits from here, with a default for every field."""

    @property
    def suffix(self) -> str:
        """A part of the names of the figure's files, so that its kinds lie side by side."""
        return ""

    def check(self, *, quick: bool) -> None:
        """Refuse what does not go together.

        Raises
        ------
        BadInput
            In one line.
        """


@dataclass(frozen=True)
class Figure(Generic[S]):
    """A figure of the paper, or of the project's own.

    Attributes
    ----------
    title
        The title over the panels.
    columns
        Panels a row.
    settings
        The numbers of the figure, a frozen dataclass; `--set` changes any of its fields, so their types say what is allowed
        (support/typed.py).
    quick
        The same class with fewer points and trials: seconds to a few minutes, with the same curves and the same kinds of claims.
    build
        `build(settings, run)`, for a figure with options `build(settings, run, options)`: measures, predicts and compares. It takes every
        random number from the run and neither draws nor writes.
    options
        The class of its own options, or None.
    """

    title: str
    columns: int
    settings: S
    quick: S
    build: Callable[..., Built]
    options: type[Options] | None = None

    def built(self, settings: S, run: Any, options: Options | None = None) -> Built:
        """Build the figure; options: its default ones if None."""
        return self.build(settings, run) if self.options is None else self.build(settings, run, options or self.options())
