"""What a figure is given when it is built, and what it hands back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from figures.claims import Claim
from figures.panels import Panel
from sims.monte_carlo import Simulation, simulate_many
from solvers.problem import Setting


@dataclass(frozen=True)
class Built:
    """The panels to draw and the claims to judge; extra goes into the record as it is."""

    panels: Sequence[Panel]
    claims: Sequence[Claim]
    extra: dict[str, object] = field(default_factory=dict)


@dataclass
class Run:
    """One run: its seed, workers, where data are, and where finished trials are kept until it ends.

    Every simulation and every draw of a run has a seed of its own, from the run's seed and its place in the run.
    """

    seed: int = 0
    jobs: int = 1
    progress: bool = False
    data: Path | None = None
    checkpoints: Path | None = None
    _calls: int = 0

    def child_seed(self) -> int:
        """The next seed of this run."""
        self._calls += 1
        return int(np.random.SeedSequence(self.seed, spawn_key=(self._calls,)).generate_state(1, np.uint32)[0])

    def simulate_many(self, settings: Sequence[Setting], **options: object) -> list[Simulation]:
        """sims.monte_carlo.simulate_many with this run's seed, workers and progress; resumed if it was interrupted."""
        seed = self.child_seed()
        checkpoint = self.checkpoints / f"{self._calls}.npz" if self.checkpoints else None
        if checkpoint:
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
        return simulate_many(settings, seed=seed, jobs=self.jobs, progress=self.progress, checkpoint=checkpoint, **options)
