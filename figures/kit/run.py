"""The seeds, workers and folders with which a figure is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...sims.monte_carlo import Simulation, simulate_many
from ...solvers.problem import Setting


@dataclass
class Run:
    """A run of a figure. Every simulation and every draw has a seed of its own, from the run's seed and its place in the run.

    Attributes
    ----------
    seed
        The same seed gives the same numbers, whatever the number of jobs.
    jobs
        Worker processes.
    progress
        Whether to show bars.
    data
        Folder to look in first for data sets.
    checkpoints
        Folder for finished trials until the run ends, or None.
    out
        Folder for what is kept for further runs, such as fine-tuned models.
    """

    seed: int = 0
    jobs: int = 1
    progress: bool = False
    data: Path | None = None
    checkpoints: Path | None = None
    out: Path = Path("out")
    _calls: int = 0

    def child_seed(self) -> int:
        """Return the next seed of this run."""
        self._calls += 1
        return int(np.random.SeedSequence(self.seed, spawn_key=(self._calls,)).generate_state(1, np.uint32)[0])

    def simulate_many(self, settings: Sequence[Setting], **options: object) -> list[Simulation]:
        """Simulate as `sims.monte_carlo.simulate_many`, with this run's seed, workers and progress; resumed if it was interrupted."""
        seed = self.child_seed()
        checkpoint = self.checkpoints / f"{self._calls}.npz" if self.checkpoints else None
        if checkpoint:
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
        return simulate_many(settings, seed=seed, jobs=self.jobs, progress=self.progress, checkpoint=checkpoint, **options)
