"""How well do two workers share a study, and what does a task cost beside its work?

Run from the project root: python -m benchmarks.studies

A study of an hour's shape scaled down: simulated points with independent generators, in blocks as `study` takes them. One process, two
of joblib's, and two of Dask's take turns; all write the same bytes, which is checked. Then tasks that do nothing are sent, whose time is
the overhead. From both follows how many workers one scheduler keeps busy.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import duration, seconds, show
from synthmix.studies.axes import Range
from synthmix.studies.file import Base, Compute, Study
from synthmix.studies.run import SIMULATED_BLOCK, run_study
from synthmix.support.cluster import cluster
from synthmix.support.workers import workers

POINTS, TRIALS, EMPTY = 48, 40, 2000
SETTING = Base(n=500, m=2000, p=300, mu=1.5, rho=0.2, phi=0.9, gamma=1.0, generator="independent", n_hat=600)
WAYS = {"one process": (1, None), "two of joblib's": (2, None), "two of Dask's": (2, "local:2")}


@dataclass(frozen=True)
class Measured:
    """Seconds that the study took, seconds of a task without work, and the bytes of every file that was written."""

    study: float
    task: float
    written: Mapping[str, bytes]


def declared(folder: Path, points: int = POINTS) -> Study:
    """The study, kept in a folder."""
    return Study(SETTING, ranges={"epsilon": Range(0.0, 0.5, count=points)}, compute=Compute(formulas=(), trials=TRIALS), out=str(folder))


def nothing(i: int) -> int:
    """A task without work."""
    return i


def measured(folder: Path, jobs: int, where: str | None) -> Measured:
    """Compute the study one way, in a folder of its own; workers are started, and code is compiled, before."""
    with cluster(where):
        run_study(declared(folder / "before", 4 * SIMULATED_BLOCK), jobs=jobs)
        study = seconds(lambda: run_study(declared(folder / "study"), jobs=jobs))
        with workers(jobs, nothing) as run:
            task = seconds(lambda: list(run((i,) for i in range(EMPTY)))) / EMPTY
    return Measured(study, task, {path.name: path.read_bytes() for path in (folder / "study").rglob("*.parquet")})


def main() -> None:
    """Measure, compare, print."""
    with tempfile.TemporaryDirectory() as folder:
        found = {name: measured(Path(folder) / name, *way) for name, way in WAYS.items()}
    alone = found["one process"]
    assert all(one.written == alone.written for one in found.values()), "the bytes depend on the workers"
    work = alone.study / (POINTS / SIMULATED_BLOCK)
    show(f"{POINTS} points of {TRIALS} trials, {SIMULATED_BLOCK} a task, which takes {duration(work)}",
         ("way", "study", "one process / this", "a task without work", "workers that one scheduler feeds"),
         [(name, duration(one.study), f"{alone.study / one.study:.2f}", duration(one.task), f"{work / one.task:,.0f}")
          for name, one in found.items()])


if __name__ == "__main__":
    main()
