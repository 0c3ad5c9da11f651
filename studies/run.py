"""Running a study: what is missing is computed, over worker processes, and written part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..support.cluster import cluster as connected
from ..support.errors import BadInput, instance
from ..support.files import check_writable
from ..support.progress import bar
from ..support.version import version
from ..support.workers import workers
from .compute import compute_block
from .file import Study, read_study
from .store import Store, keys_of

if TYPE_CHECKING:
    import pandas as pd

THEORY_BLOCK = 20_000  # points of a task and of a part
SIMULATED_BLOCK = 8

Task = tuple[Study, str, str, dict[str, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Ran:
    """The work of a run on one of the computations of a study.

    Attributes
    ----------
    kind, loss
        The computation.
    points
        How many points the study has.
    computed
        How many of them this run computed; the others were there.
    unsolved
        How many of those have no result, and a note that says why.
    """

    kind: str
    loss: str
    points: int
    computed: int
    unsolved: int


def run_study(study: Study, *, jobs: int = 1, progress: bool = False) -> list[Ran]:
    """Compute the points of a study that its data set does not have yet.

    Parameters
    ----------
    study
        With its output folder.
    jobs
        Worker processes for simulations; theory is compiled and uses every core of this process, unless a cluster is connected.
    progress
        Show a bar with the time left, where standard error is a terminal.

    Raises
    ------
    BadInput
        For values that no point of the study can have, a folder that cannot be used, or a damaged part.
    Unwritable
        If the disk is full; what was computed before is kept.
    """
    store = Store(study.out)
    check_writable(store.folder / "part")
    _check(study)
    ran = []
    for kind, loss in study.compute.kinds:
        done = unsolved = 0
        known = store.keys(kind, loss)
        processes = jobs if kind == "simulated" else 1
        with workers(processes, _computed, ordered=False) as run, bar(f"{kind}, {loss}", progress) as show:
            show(0, len(study.points))
            for columns in run(_tasks(study, kind, loss, known)):
                store.write(kind, loss, columns)
                done += columns["key"].size
                unsolved += sum(note is not None for note in columns["note"])
                show(done, len(study.points))
        ran.append(Ran(kind, loss, len(study.points), done, unsolved))
    return ran


def study(declared: str | Path | Study, *, jobs: int = 1, cluster: str | None = None, progress: bool = False) -> pd.DataFrame:
    """Run a study and return its data set, which holds all that earlier runs computed.

    Parameters
    ----------
    declared
        A TOML file, or the study itself with its output folder.
    jobs, progress
        As of `run_study`.
    cluster
        Where to compute, as of `support.cluster.cluster`; None for this machine.

    Returns
    -------
    data frame
        A row for each point and each thing computed: the setting, results, standard errors, seed and version.
    """
    instance("a study", declared, Study, str, Path)
    asked = declared if isinstance(declared, Study) else read_study(declared)
    with connected(cluster):
        run_study(asked, jobs=jobs, progress=progress)
    return Store(asked.out).frame()


def _check(study: Study) -> None:
    """Refuse a study whose first and last points are none; a few such points get a note in their rows."""
    try:
        study.problem(study.points.at(0))
    except BadInput:
        study.problem(study.points.at(len(study.points) - 1))


def _tasks(study: Study, kind: str, loss: str, known: np.ndarray) -> Iterator[Task]:
    """The blocks with points that are not known yet, without those that are."""
    size = SIMULATED_BLOCK if kind == "simulated" else THEORY_BLOCK
    for at in study.points.blocks(size):
        count = len(next(iter(at.values()))) if at else 1
        keys = keys_of(_common(study, kind, loss, tuple(at)), at, count)
        missing = ~np.isin(keys, known)
        if missing.any():
            yield study, kind, loss, {name: values[missing] for name, values in at.items()}, keys[missing]


def _common(study: Study, kind: str, loss: str, axes: tuple[str, ...]) -> str:
    """A key of everything that all rows of one kind depend on besides the axes."""
    asked = study.compute
    sampled = (asked.trials, asked.target_se, asked.seed) if kind == "simulated" else ("limit",) if asked.limit and kind == "theory" else ()
    return repr((version(), kind, loss, sampled, study.columns({}, 1), sorted(axes)))


def _computed(study: Study, kind: str, loss: str, at: dict[str, np.ndarray], keys: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of a part."""
    found = compute_block(study, kind, loss, at, keys)
    made = {"seed": np.full(keys.size, study.compute.seed), "version": np.full(keys.size, version()), "key": keys.astype(np.int64)}
    return study.columns(at, keys.size) | found | made
