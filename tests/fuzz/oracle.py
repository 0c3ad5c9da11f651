"""What no input may bring about: a traceback, no number where one is promised, a message of several lines, a warning, no end."""

from __future__ import annotations

import io
import json
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from synthmix import cli

SECONDS = 60  # of processor time, the most that one input may take: a busy machine is no fault
WAITING = 10 * SECONDS  # that it may take on the clock
EXIT_CODES = (0, 1, 2)  # 130 is kept for a real interrupt
LONGEST = 1000  # characters of a message
# what a result may lack; everything else in JSON is a number, a text, a list or an object
MAY_BE_NULL = {"limit", "counts"}
OF_ADVICE = {"alpha", "audit", "break_even", "epsilon_at", "line", "measured", "needed", "provenance", "relabelled", "rho_at", "threshold",
             "worth", "worth_next"}  # fmt: skip
OF_TREES = {"alpha", "lambda"}  # of no one verifier where there are several


class TooSlow(BaseException):
    """An input took longer than it may. Not an Exception, so that nothing on the way takes it for one of its own."""


@contextmanager
def time_limit() -> Iterator[None]:
    """Raise TooSlow where the block computes longer than SECONDS, or takes longer than WAITING."""

    def stop(number: int, _: object) -> None:
        raise TooSlow(f"no end after {SECONDS} s of processor time" if number == signal.SIGPROF else f"no end after {WAITING} s")

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, SECONDS), (signal.SIGALRM, signal.ITIMER_REAL, WAITING))
    before = [signal.signal(one, stop) for one, _, _ in timers]
    for _, timer, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (one, timer, _), old in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(one, old)


def _not_json(constant: str) -> None:
    raise AssertionError(f"{constant} in the JSON, which is no JSON number")


def nulls(value: object, allowed: set[str], key: str = "") -> Iterator[str]:
    """Yield the keys that hold null, outermost first, except those that may."""
    if value is None and key not in allowed:
        yield key
    noted = isinstance(value, dict) and "note" in value  # the impossible negative variance of the published formula has no accuracy
    for name, one in value.items() if isinstance(value, dict) else ((key, one) for one in value) if isinstance(value, list) else ():
        if not (noted and name == "accuracy"):
            yield from nulls(one, allowed, name)


def command(arguments: Sequence[str]) -> None:
    """Run a command line in this process and assert what holds of every command line.

    Raises
    ------
    AssertionError
        Naming what was wrong.
    TooSlow
        If it does not end.
    """
    out, err, before, here = io.StringIO(), io.StringIO(), sys.argv, Path.cwd()
    sys.argv = ["synthmix", *arguments]
    code: object = 0
    try:
        with redirect_stdout(out), redirect_stderr(err), time_limit(), warnings.catch_warnings():
            warnings.simplefilter("always")
            for unseen in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):  # as by default
                warnings.simplefilter("ignore", unseen)
            cli.main()
    except TooSlow as slow:
        raise TooSlow(f"{slow} for {list(arguments)}") from None
    except SystemExit as stopped:
        code = 0 if stopped.code is None else stopped.code
    except Exception:
        raise AssertionError(f"traceback for {list(arguments)}: {traceback.format_exc()}") from None
    finally:
        sys.argv = before
    assert Path.cwd() == here
    said = err.getvalue().strip()
    assert code in EXIT_CODES, f"exit code {code} for {list(arguments)}: {said[:300]}"
    lines = 1 if code == 2 or said.startswith("error: ") else 0
    assert len(said.splitlines()) == lines, f"exit code {code} for {list(arguments)} with {said[:500]!r}"
    if said:
        assert said.startswith("error: ") and len(said) < LONGEST, f"{len(said)} characters for {list(arguments)}: {said[:500]!r}"
    if code == 0 and "--json" in arguments:
        allowed = MAY_BE_NULL | (OF_TREES if {"--tree", "--generations"} & set(arguments) else set())
        allowed |= OF_ADVICE if arguments[0] == "advise" else set()
        missing = list(nulls(json.loads(out.getvalue(), parse_constant=_not_json), allowed))
        assert not missing, f"null for {missing} of {list(arguments)}"


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder of its own for one input."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        yield Path(name)
