"""What no input may bring about: a traceback, a number that is not finite, a message of several lines, another exit code, no end."""

from __future__ import annotations

import io
import json
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from synthmix import cli

SECONDS = 60  # the longest that one input may take
EXIT_CODES = (0, 1, 2)  # 130 is kept for a real interrupt


class TooSlow(BaseException):
    """An input took longer than SECONDS. Not an Exception, so that nothing on the way takes it for one of its own."""


@contextmanager
def time_limit(seconds: int = SECONDS) -> Iterator[None]:
    """Raise TooSlow where the block takes longer than `seconds`."""

    def stop(*_: object) -> None:
        raise TooSlow(f"no end after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _not_json(constant: str) -> None:
    raise AssertionError(f"{constant} in the JSON, which is no JSON number")


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
        with redirect_stdout(out), redirect_stderr(err), time_limit():
            cli.main()
    except SystemExit as stopped:
        code = 0 if stopped.code is None else stopped.code
    except Exception:
        raise AssertionError(f"traceback for {list(arguments)}: {traceback.format_exc()}") from None
    finally:
        sys.argv = before
    assert Path.cwd() == here
    said = err.getvalue()
    assert code in EXIT_CODES, f"exit code {code} for {list(arguments)}: {said[:300]}"
    if code == 2:
        lines = said.strip().splitlines()
        assert len(lines) == 1 and lines[0].startswith("error: "), f"not one line for {list(arguments)}: {said[:500]!r}"
        assert len(lines[0]) < 1000, f"a line of {len(lines[0])} characters for {list(arguments)}"
    if code == 0 and "--json" in arguments:
        json.loads(out.getvalue(), parse_constant=_not_json)


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder of its own for one input."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        yield Path(name)
