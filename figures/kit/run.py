"""What a figure is given when it is built, and what it hands back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from synthmix.drawing.panels import Panel
from synthmix.figures.kit.claims import Claim
from synthmix.sims.monte_carlo import Simulation, simulate_many
from synthmix.solvers.problem import Setting
from synthmix.support.errors import BadInput, numbers

Scale = Literal["features", "lora", "paper"]


@dataclass(frozen=True)
class Built:
    """The panels to draw and the claims to judge; extra goes into the record as it is."""

    panels: Sequence[Panel]
    claims: Sequence[Claim]
    extra: dict[str, object] = field(default_factory=dict)


@dataclass
class Run:
    """One run: its seed, workers, where data are, and where finished trials are kept until it ends.

    For the figures about language models: the scale, the proportions of synthetic data (None: the figure's own), how many steps a
    fine-tuning takes at most, and the folder `out` where unfinished and finished fine-tunings are kept.

    Every simulation and every draw of a run has a seed of its own, from the run's seed and its place in the run.
    """

    seed: int = 0
    jobs: int = 1
    progress: bool = False
    data: Path | None = None
    checkpoints: Path | None = None
    scale: Scale = "features"
    proportions: tuple[float, ...] | None = None
    max_steps: int | None = None
    out: Path = Path("out")
    _calls: int = 0

    def child_seed(self) -> int:
        """The next seed of this run."""
        self._calls += 1
        return int(np.random.SeedSequence(self.seed, spawn_key=(self._calls,)).generate_state(1, np.uint32)[0])

    def counts(self, n: int, usual: tuple[int, ...]) -> tuple[int, ...]:
        """The numbers m of synthetic samples beside n real ones: the `usual`, or those of the proportions m / (n + m) asked for.

        Raises:
            BadInput: for a proportion that is not in [0, 1), or none at all.
        """
        if self.proportions is None:
            return usual
        asked = numbers("a proportion of synthetic data", self.proportions, 0, 1)
        if not asked.size or asked.max() == 1:
            raise BadInput("proportions of synthetic data must be from 0 to below 1, at least one of them")
        return tuple(sorted({round(n * x / (1 - x)) for x in asked}))

    def study_options(self) -> dict[str, object]:
        """What a study by fine-tuning (language.studies) wants to know."""
        return {"proportions": self.proportions, "max_steps": self.max_steps, "seed": self.seed, "data": self.data,
                "progress": self.progress, "tell": self._tell}

    def _tell(self, line: str) -> None:
        if self.progress:
            print(line, file=sys.stderr)

    def simulate_many(self, settings: Sequence[Setting], **options: object) -> list[Simulation]:
        """sims.monte_carlo.simulate_many with this run's seed, workers and progress; resumed if it was interrupted."""
        seed = self.child_seed()
        checkpoint = self.checkpoints / f"{self._calls}.npz" if self.checkpoints else None
        if checkpoint:
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
        return simulate_many(settings, seed=seed, jobs=self.jobs, progress=self.progress, checkpoint=checkpoint, **options)
