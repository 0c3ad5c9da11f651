"""Worker processes: one thread of linear algebra each, memory that is kept, and no longer alive than the process that started them."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from .cluster import connected
from .memory import keep_freed
from .threads import compiled_on_one_thread, one_thread

LOOK = 1.0  # seconds between two looks of a worker at its parent

Work = Callable[[Iterable[tuple]], Iterator]


@contextmanager
def workers(jobs: int, function: Callable, *, ordered: bool = True, ahead: int = 2, threads: bool = False) -> Iterator[Work]:
    """A function that calls `function` with each tuple of arguments, over `jobs` processes or a cluster, and yields what it returns.

    Parameters
    ----------
    jobs
        1 stays in this process, unless a cluster is connected (cluster.py).
    function
        Of a module, so that another process finds it; or any, with threads.
    ordered
        In the order of the arguments, or as they are finished.
    ahead
        Argument tuples for each worker that are asked for before it is free.
    threads
        In the place of processes, without a cluster: they share the data, and suit work outside the interpreter's lock.
    """
    kind = "generator" if ordered else "generator_unordered"
    if connected():
        from joblib import Parallel, delayed

        with one_thread(), Parallel(return_as=kind, pre_dispatch="3*n_jobs") as pool:  # with one worker joblib computes here
            yield lambda tasks: pool(delayed(_on_one_thread)(function, task) for task in tasks)
        return
    if jobs == 1:
        keep_freed()
        with one_thread():
            yield lambda tasks: (function(*task) for task in tasks)
        return
    from joblib import Parallel, delayed, parallel_config

    if threads:
        keep_freed()
        with one_thread(), Parallel(jobs, backend="threading", return_as=kind, pre_dispatch=ahead * jobs) as pool:
            yield lambda tasks: pool(delayed(function)(*task) for task in tasks)
        return
    parent = os.getpid()
    with (parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1),
          Parallel(return_as=kind, pre_dispatch=ahead * jobs) as pool):  # fmt: skip
        yield lambda tasks: pool(delayed(_called)(parent, function, task) for task in tasks)


def _on_one_thread(function: Callable, task: tuple) -> object:
    keep_freed()
    with compiled_on_one_thread():
        return function(*task)


def _called(parent: int, function: Callable, task: tuple) -> object:
    keep_freed()
    _keep_growing()
    _end_with(parent)
    return function(*task)


@cache
def _keep_growing() -> None:
    """Let this process hold more than after its first task. Loky would replace it at 300 MB more, with a warning of a leak: workers are
    used again, and what comes first is often small.
    """  # fmt: skip
    from joblib.externals.loky import process_executor

    process_executor._MAX_MEMORY_LEAK_SIZE = math.inf


@cache
def _end_with(parent: int) -> None:
    """End this process soon after its parent has: loky's workers notice when they have nothing to do, minutes later."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
