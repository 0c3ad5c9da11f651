"""What the benchmarks share: one core, interleaved repetitions, a table, a record."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from synthmix.figures.kit.record import commit, versions
from synthmix.support.records import plain
from synthmix.support.threads import one_thread

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "records"


def one_core() -> None:
    """Keep BLAS, LAPACK and the compiled loops to one thread for the rest of the process, for both sides alike."""
    import numba

    one_thread()
    numba.set_num_threads(1)


def seconds(call: Callable[[], object], calls: int = 1, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one of `calls` calls in a row, by the wall's clock or another."""
    start = clock()
    for _ in range(calls):
        call()
    return (clock() - start) / calls


def interleaved(
    repeats: int, tasks: dict[str, tuple[Callable[[], object], int]], clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median seconds a call of every task, name -> (call, calls in a row); `clock` as of `seconds`.

    The tasks take turns, so that whatever else the machine does falls on all of them. Each is called once before,
    unmeasured: what is compiled or read on first use is not part of the question.
    """
    for call, _ in tasks.values():
        call()
    times = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, (call, calls) in tasks.items():
            times[name].append(seconds(call, calls, clock))
    return {name: median(values) for name, values in times.items()}


def duration(value: float) -> str:
    """Seconds in a unit that reads well."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def show(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a title and a table, its first column left-aligned."""
    table = Table()
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(title, soft_wrap=True, highlight=False)
    console.print(table)


def run(benchmark: Callable[[], dict[str, object]]) -> None:
    """Run a benchmark from the command line; --record writes what it returns to docs/records/benchmark_NAME.json, for the pages.

    Parameters
    ----------
    benchmark
        Measures and prints; what it returns, numbers by name, is a record's.
    """
    if unknown := set(sys.argv[1:]) - {"--record"}:
        sys.exit(f"the only option is --record, not {unknown.pop()}")
    found = benchmark()
    if "--record" in sys.argv[1:]:
        made = {"cores": os.cpu_count(), "load": round(os.getloadavg()[1], 1), "date": date.today().isoformat(), "versions": versions(),
                "commit": commit()}  # fmt: skip
        path = RECORDS / f"benchmark_{Path(sys.argv[0]).stem}.json"
        path.write_text(json.dumps(plain(found | made), indent=1) + "\n")
        print("written:", path.name)
