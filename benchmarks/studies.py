"""How well do two workers share a study, and what does a task cost beside its work?

Run from the project root: python -m benchmarks.studies [--record]

A study of an hour's shape scaled down: simulated points with independent generators, in blocks as `study` takes them. One process, two of
joblib's, and two of Dask's take turns, twice, and means are shown; all write the same bytes, which is checked. Then tasks that do
nothing are sent, whose cost is the overhead. From both follows how many workers one scheduler keeps busy, and what a million settings
cost on a thousand of them.

Wall time says how fast two workers are only where nothing else runs. So processor seconds are counted too, of every process: tasks of one
size are shared evenly by two free cores, which then take half of all that was computed, the scheduler's work and the writing included.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import psutil
from joblib import Parallel, delayed, parallel_config

from benchmarks.measure import duration, run, seconds, show
from synthmix.studies.axes import Range
from synthmix.studies.file import Base, Compute, Study
from synthmix.studies.run import SIMULATED_BLOCK, run_study
from synthmix.support.cluster import cluster

POINTS, TRIALS, EMPTY, REPEATS = 64, 50, 1000, 2
MANY, CORES, BUSY = 1_000_000, 1000, 0.95  # settings, workers, and the share of their time that is to be work
SETTING = Base(n=500, m=2000, p=300, mu=1.5, rho=0.2, phi=0.9, gamma=1.0, generator="independent", n_hat=600)
WAYS = {"one process": (1, None), "two of joblib's": (2, None), "two of Dask's": (2, "local:2")}


@dataclass(frozen=True)
class Spent:
    """Seconds of something: on the clock, of this process's processor time, and of each worker's."""

    wall: float
    own: float
    workers: tuple[float, ...]

    @property
    def on_free_cores(self) -> float:
        """Seconds on as many free cores as there are workers."""
        return (self.own + sum(self.workers)) / max(len(self.workers), 1)


@dataclass(frozen=True)
class Measured:
    """What the study took, what a task without work took, and the bytes of every file that was written."""

    study: Spent
    task: Spent
    written: Mapping[str, bytes]


def declared(folder: Path, points: int = POINTS) -> Study:
    """The study, kept in a folder."""
    return Study(SETTING, ranges={"epsilon": Range(0.0, 0.5, count=points)}, compute=Compute(formulas=(), trials=TRIALS), out=str(folder))


def nothing(i: int) -> int:
    """A task without work."""
    return i


def send_nothing(jobs: int | None) -> list[int]:
    """Send tasks without work one by one, to a number of processes or, for None, to the cluster; joblib would join such short ones."""
    if jobs == 1:
        return [nothing(i) for i in range(EMPTY)]
    with parallel_config("loky", n_jobs=jobs) if jobs else nullcontext():
        pool = Parallel(return_as="generator_unordered", pre_dispatch="3*n_jobs", batch_size=1)
        return list(pool(delayed(nothing)(i) for i in range(EMPTY)))


def processor_seconds() -> dict[int, float]:
    """Of this process and of all that it started, by process."""
    own = psutil.Process()
    return {one.pid: sum(one.cpu_times()[:2]) for one in (own, *own.children(recursive=True))}


def spent(call: object, workers: int) -> Spent:
    """Call it, and return what it took; the workers are those processes that computed most."""
    before = processor_seconds()
    wall = seconds(call)
    after = {pid: value - before.get(pid, 0.0) for pid, value in processor_seconds().items()}
    own = after.pop(psutil.Process().pid)
    return Spent(wall, own, tuple(sorted(after.values(), reverse=True)[:workers]))


def measured(folder: Path, jobs: int, where: str | None) -> Measured:
    """Compute the study one way, in a folder of its own; workers are started, and code is compiled, before."""
    with cluster(where):
        run_study(declared(folder / "before", 4 * SIMULATED_BLOCK), jobs=jobs)
        workers = 0 if (jobs, where) == WAYS["one process"] else jobs  # idle ones of another way do not count
        study = spent(lambda: run_study(declared(folder / "study"), jobs=jobs), workers)
        task = spent(lambda: send_nothing(jobs if where is None else None), workers)
    return Measured(study, task, {path.name: path.read_bytes() for path in (folder / "study").rglob("*.parquet")})


def middle(of: Sequence[Spent]) -> Spent:
    """The means of repetitions, part by part."""
    return Spent(fmean(one.wall for one in of), fmean(one.own for one in of),
                 tuple(fmean(times) for times in zip(*(one.workers for one in of), strict=True)))  # fmt: skip


def main() -> dict[str, object]:
    """Measure, compare, print; return the numbers."""
    with tempfile.TemporaryDirectory() as folder:
        rounds = [{name: measured(Path(folder) / str(i) / name, *way) for name, way in WAYS.items()} for i in range(REPEATS)]
    written = [one.written for each in rounds for one in each.values()]
    assert all(one == written[0] for one in written), "the bytes depend on the workers"
    study, task = ({name: middle([getattr(each[name], what) for each in rounds]) for name in WAYS} for what in ("study", "task"))
    alone = study["one process"]
    point = alone.on_free_cores / POINTS
    work = point * SIMULATED_BLOCK
    ways = {name: way(study[name], task[name], alone) for name in WAYS}
    show(f"{POINTS} points of {TRIALS} trials, {SIMULATED_BLOCK} a task, which takes {duration(work)} of processor time",
         ("way", "wall", "faster, wall", "workers", "this process", "faster, free cores", "empty task", "of it here"),
         [(name, duration(one["wall"]), f"{one['faster, wall']:.2f}", duration(one["workers"]), duration(one["own"]),
           f"{one['faster']:.2f}", duration(one["task"]), duration(one["task here"])) for name, one in ways.items()])  # fmt: skip
    overhead = ways["two of Dask's"]["task here"]
    block = math.ceil(CORES * overhead / BUSY / point)
    hours = MANY * point / 3600
    many = {size: {"scheduling, hours": MANY / size * overhead / 3600, "fed": size * point / overhead,
                   "hours": max(hours / CORES, MANY / size * overhead / 3600)}
            for size in sorted({1, SIMULATED_BLOCK, block})}  # fmt: skip
    show(f"{MANY:,} such settings on {CORES:,} cores, by one scheduler that spends {duration(overhead)} on a task",
         ("settings a task", "core hours", "scheduler", "workers that it feeds", "ends after"),
         [(str(size), f"{hours:,.0f}", f"{one['scheduling, hours']:.2f} h", f"{one['fed']:,.0f}", f"{one['hours']:.2f} h")
          for size, one in many.items()])  # fmt: skip
    faster = {name: [each["one process"].study.on_free_cores / each[name].study.on_free_cores for each in rounds] for name in WAYS}
    return {"ways": ways, "rounds": faster, "point": point, "work": work, "core hours": hours, "block": block, "many": many}


def way(study: Spent, task: Spent, alone: Spent) -> dict[str, float]:
    """The numbers of one way, in seconds, against one process alone."""
    return {"wall": study.wall, "faster, wall": alone.wall / study.wall, "workers": sum(study.workers), "own": study.own,
            "on free cores": study.on_free_cores, "faster": alone.on_free_cores / study.on_free_cores, "task": task.wall / EMPTY,
            "task here": task.own / EMPTY}  # fmt: skip


if __name__ == "__main__":
    run(main)
