"""Pipelines: named steps from folders to a folder, each with a manifest, done again only if what they depend on has changed.

A step's folder is `OUT/<name>`. A name with a slash is one instance of a kind of step, `tune/epsilon0.1-strong-k3` of `tune`; what
a step writes lies beside its folder until it is whole, under a name that says from what it is being made, so that an interrupted
step goes on with what it had, if nothing has changed since.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zlib import crc32

import numpy as np

from ...sims.checkpoint import fingerprint
from ...support.cluster import connected
from ...support.errors import BadInput, Unwritable
from ...support.files import FULL, check_writable, write_text
from ...support.workers import workers
from . import manifest, rows

if TYPE_CHECKING:
    from datasets import Dataset

PARTS = "unfinished-parts"
State = Literal["done", "stale", "missing"]
Counts = Mapping[str, object]


@dataclass(frozen=True)
class Work:
    """The folders and options that a step works with.

    Attributes
    ----------
    out : Path
        The folder to write to.
    inputs : mapping of Path
        The folders to read from, by role.
    data : Path, optional
        The folder in which data sets are looked for first.
    progress : bool
        Whether to show a progress bar.
    processes : int, optional
        How many tune together, by default one a GPU.
    """

    out: Path
    inputs: Mapping[str, Path]
    data: Path | None = None
    progress: bool = False
    processes: int | None = None

    def rows(self, role: str) -> Dataset:
        """Return the table that the step in a role wrote."""
        return rows.load(self.inputs[role])


@dataclass(frozen=True)
class Step:
    """A step of a pipeline: a function from folders and settings to a folder.

    Attributes
    ----------
    name : str
    run : callable
        Takes a `Work` and the settings; returns what it counted, for the manifest.
    settings : dataclass
        Everything that the result depends on besides the inputs.
    inputs : mapping of str
        By role, the names of the steps whose folders it reads.
    """

    name: str
    run: Callable[[Work, object], Counts]
    settings: object = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The name without the instance."""
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Pipeline:
    """Steps in an order in which they can be run.

    Attributes
    ----------
    title : str
    steps : tuple of Step
        None reads what a later one writes.
    """

    title: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for step in self.steps:
            if step.name in seen:
                raise BadInput(f"two steps are called {step.name}")
            for name in step.inputs.values():
                if name not in seen:
                    raise BadInput(f"step {step.name} reads {name}, which is no earlier step")
            seen.add(step.name)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of steps, in order."""
        return tuple(dict.fromkeys(step.kind for step in self.steps))

    def named(self, name: str | None) -> tuple[Step, ...]:
        """Return the step of a name, all steps of that kind, or, for None, all there are.

        Raises
        ------
        BadInput
            If there is none.
        """
        found = tuple(step for step in self.steps if name in (None, step.name, step.kind))
        if not found:
            raise BadInput(f"there is no step {name!r}; there are {', '.join(self.kinds)}, and --list names every instance")
        return found


@dataclass(frozen=True)
class Status:
    """The state of a step's folder.

    Attributes
    ----------
    step : Step
    state : str
        done, stale (made from other inputs or settings, or damaged) or missing.
    why : str
        Why it is stale.
    record : Manifest or None
    """

    step: Step
    state: State
    why: str = ""
    record: manifest.Manifest | None = None


def statuses(pipeline: Pipeline, out: Path) -> list[Status]:
    """Return the state of every step's folder in `out`, in order.

    A step whose input is not done is not done either. No file is hashed.

    Parameters
    ----------
    pipeline : Pipeline
    out : Path
        The folder of the run.
    """
    found: dict[str, Status] = {}
    for step in pipeline.steps:
        found[step.name] = _status(step, out, [found[name] for name in step.inputs.values()])
    return list(found.values())


def run(pipeline: Pipeline, out: Path, only: str | None = None, *, data: Path | None = None, progress: bool = False,
        tell: Callable[[str], None] = lambda line: None, jobs: int = 1, processes: int | None = None) -> list[Status]:
    """Run the steps that are not done, and return their states.

    Steps run in waves: all whose inputs are done, then those that wait for them. A wave is shared out over processes, or over a cluster
    whose workers have `out` and the data at the same place.

    Parameters
    ----------
    pipeline : Pipeline
    out : Path
        The folder of the steps' folders.
    only : str, optional
        A step or a kind of steps; by default all.
    data : Path, optional
        The folder in which data sets are looked for first.
    progress : bool
        Whether to show progress bars.
    tell : callable
        Takes a line about each step: that it runs, how long it took, or that it was done before.
    jobs : int
        How many steps run at once, in processes of their own; each uses as many threads as a single one does.
    processes : int, optional
        How many tune together, by default one a GPU.

    Raises
    ------
    BadInput
        If a step reads what is not done or was changed afterwards, or finds its input wanting.
    """
    chosen = waiting = pipeline.named(only)
    at = {step.name: f"[{i}/{len(chosen)}] {step.name}" for i, step in enumerate(chosen, 1)}
    threads = _threads() if jobs > 1 or connected() else None

    def told(steps: Iterable[Step]) -> Iterator[tuple[Step, Path, Work, int | None]]:
        for step in steps:
            tell(f"{at[step.name]} ...")
            yield step, out.resolve(), Work(out, {}, data and data.resolve(), progress and threads is None, processes), threads

    while waiting:
        found = {one.step.name: one for one in statuses(pipeline, out)}
        left = [step for step in waiting if found[step.name].state != "done"]
        for step in waiting:
            if step not in left:
                tell(f"{at[step.name]}: done before")
        ready = [step for step in left if all(found[name].state == "done" for name in step.inputs.values())]
        if left and not ready:
            lacking = next(found[name] for name in left[0].inputs.values() if found[name].state != "done")
            raise BadInput(f"{left[0].name} reads {lacking.step.name}, which is {lacking.state}; run that first: "
                           f"--step {lacking.step.name}")
        with workers(min(jobs, max(len(ready), 1)), _run, ordered=False, ahead=1) as work:
            for name, seconds in work(told(ready)):
                tell(f"{at[name]}: {seconds:.1f} s")
        waiting = [step for step in left if step not in ready]
    found = {one.step.name: one for one in statuses(pipeline, out)}
    return [found[step.name] for step in chosen]


def _threads() -> int | None:
    """How many threads torch uses here, or None without it: on another number its last digits differ."""
    try:
        import torch
    except ImportError:
        return None
    return torch.get_num_threads()


def generator(seed: int, what: str) -> np.random.Generator:
    """Return the random numbers of one purpose: they depend on the seed and the name of the purpose alone.

    Parameters
    ----------
    seed : int
    what : str
        Name of the purpose.
    """
    return np.random.default_rng([seed, crc32(what.encode())])


def in_parts(folder: Path, count: int, size: int, make: Callable[[slice], Sequence[object]]) -> list[object]:
    """Return the values of all rows, made and saved part by part.

    For a step that takes hours: finished parts are kept in its folder until the step is done; interrupted, it goes on after the last.

    Parameters
    ----------
    folder : Path
        Of the step.
    count, size : int
        How many rows there are, and how many a part has.
    make : callable
        Takes a slice of the rows and returns a plain value for each.
    """
    values: list[object] = []
    for start in range(0, count, size):
        part = folder / PARTS / f"{start}.json"
        if not part.exists():
            write_text(part, json.dumps(list(make(slice(start, min(start + size, count))))))
        values += json.loads(part.read_text())
    return values


def _status(step: Step, out: Path, inputs: Iterable[Status]) -> Status:
    folder = out / step.name
    if not folder.exists():
        return Status(step, "missing")
    record = manifest.read(folder)
    if record is None:
        return Status(step, "stale", "its manifest or a file is damaged")
    changed = _changed(record.settings, manifest.plain(step.settings))
    if changed:
        return Status(step, "stale", f"other settings: {', '.join(changed)}", record)
    for one in inputs:
        if one.state != "done":
            return Status(step, "stale", f"{one.step.name} is {one.state}", record)
    digests = {one.step.name: one.record.digest for one in inputs}
    if record.inputs != {role: digests[name] for role, name in step.inputs.items()}:
        return Status(step, "stale", "what it reads has changed", record)
    return Status(step, "done", record=record)


def _changed(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return sorted(key for key in old.keys() | new.keys() if old.get(key, _changed) != new.get(key, _changed))


def _run(step: Step, out: Path, options: Work, threads: int | None) -> tuple[str, float]:
    """Run one step whose inputs are done, torch on so many threads; return its name and the seconds that it took.

    options: data, progress and processes; its folders are those of the step.
    """
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    inputs = {role: out / name for role, name in step.inputs.items()}
    for folder in inputs.values():
        manifest.check(folder)
    digests = {role: manifest.read(folder).digest for role, folder in inputs.items()}
    settings = manifest.plain(step.settings)
    target = out / step.name
    work = target.with_name(f"{target.name}.unfinished-{fingerprint(settings, sorted(digests.items()))[:12]}")
    started = time.perf_counter()
    for other in target.parent.glob(f"{target.name}.unfinished-*"):
        if other != work:
            shutil.rmtree(other)
    check_writable(work / manifest.FILE)
    made = [folder for folder in (work, *work.parents) if not folder.exists()]
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot write {work}: {error.strerror or error}; choose another place with --out") from None
    (work / manifest.FILE).unlink(missing_ok=True)
    try:
        counts = step.run(replace(options, out=work, inputs=inputs), step.settings)
    except BaseException as error:
        with suppress(OSError):
            for folder in made or [work]:
                folder.rmdir()  # only if nothing was written that the step could go on with
        if isinstance(error, OSError) and error.errno in FULL:
            raise Unwritable(f"cannot write {work}: {error.strerror or error}; the same command goes on where it stopped") from error
        raise
    shutil.rmtree(work / PARTS, ignore_errors=True)
    seconds = time.perf_counter() - started
    manifest.write(work, step.name, settings, digests, counts, seconds)
    if target.exists():
        shutil.rmtree(target)
    work.replace(target)
    return step.name, seconds
