"""Options of the figures about language models (8 and 9): frozen features, or fine-tuning."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal, get_args

from ...support.errors import BadInput, number, numbers
from .figure import Options
from .run import Run

Scale = Literal["features", "lora", "paper"]


@dataclass(frozen=True)
class ScaleOptions(Options):
    """How a figure about language models is measured.

    Attributes
    ----------
    scale
        features: ridge classifiers on frozen features of a small language model; lora: fine-tuning that model; paper: fine-tuning the
        published models.
    proportions
        Of synthetic data m / (n + m), each in [0, 1); None: the figure's own.
    max_steps
        The most steps of a fine-tuning; None: those of the configuration.
    repeats
        How many fine-tunings of each kind, every one with its own division of the data, noise and order. Of two or more something is
        claimed.
    """

    scale: Scale = "features"
    proportions: tuple[float, ...] | None = None
    max_steps: int | None = None
    repeats: int = 1

    @property
    def suffix(self) -> str:
        """The scale, if there is fine-tuning."""
        return "" if self.scale == "features" else f"-{self.scale}"

    def check(self, *, quick: bool) -> None:
        """Raise BadInput for an unknown scale, steps where nothing is tuned, and a quick fine-tuning."""
        if self.scale not in get_args(Scale):
            raise BadInput(f"the scale must be one of {', '.join(get_args(Scale))}, not {self.scale!r}")
        if self.scale == "features" and self.max_steps is not None:
            raise BadInput("--max-steps is for fine-tuning: use it with --scale lora or --scale paper")
        if self.scale == "features" and self.repeats != 1:
            raise BadInput("--repeats is for fine-tuning: use it with --scale lora or --scale paper")
        number("--repeats", self.repeats, 1)
        if self.scale != "features" and quick:
            raise BadInput("--quick is for --scale features: use --proportions and --max-steps to shorten a fine-tuning")

    def counts(self, n: int, usual: tuple[int, ...]) -> tuple[int, ...]:
        """Return the numbers m of synthetic samples beside n real ones: the usual ones, or those of the proportions that were asked for.

        Raises
        ------
        BadInput
            For a proportion that is not in [0, 1), or none at all.
        """
        if self.proportions is None:
            return usual
        asked = numbers("a proportion of synthetic data", self.proportions, 0, 1)
        if not asked.size or asked.max() == 1:
            raise BadInput("proportions of synthetic data must be from 0 to below 1, at least one of them")
        return tuple(sorted({round(n * x / (1 - x)) for x in asked}))

    def arguments(self, run: Run) -> dict[str, object]:
        """Return the keyword arguments of `language.tuned_scores.safety_scores` and `qa_scores`."""
        def tell(line: str) -> None:
            if run.progress:
                print(line, file=sys.stderr)

        return {"proportions": self.proportions, "max_steps": self.max_steps, "seed": run.seed, "repeats": self.repeats,
                "data": run.data, "progress": run.progress, "tell": tell}  # fmt: skip
