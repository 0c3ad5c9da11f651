"""A bar with the time left, where there is a terminal to show it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_stage: ContextVar[Callable[[str, int, int | None], None] | None] = ContextVar("_stage", default=None)


@contextmanager
def stages(progress: bool) -> Iterator[None]:
    """Show what `stage` says within the block, on one line that goes at its end; nothing without `progress` or a terminal."""
    if not (progress and sys.stderr.isatty()):
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(16), TimeElapsedColumn(), TextColumn("left in this step:"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None)
        now = ""

        def show(what: str, done: int, wanted: int | None) -> None:
            nonlocal now
            if what != now:
                shown.reset(task, total=wanted, description=what)
            now = what
            shown.update(task, completed=done, total=wanted)

        token = _stage.set(show)
        try:
            yield
        finally:
            _stage.reset(token)


def stage(what: str, done: int = 0, wanted: int | None = None) -> None:
    """Say what is being done, and how much of it is, to whoever shows `stages`."""
    show = _stage.get()
    if show is not None:
        show(what, done, wanted)


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
