"""A bar with the time left, where there is a terminal to show it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str, progress: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows (done, wanted) of `what`; it does nothing without `progress` or a terminal."""
    if not (progress and sys.stderr.isatty()):
        yield lambda done, wanted: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, wanted: shown.update(task, completed=done, total=wanted)
