"""Running the command line: every mistake of the user's is one line on stderr and an exit code."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

FAILED, BAD_USE, INTERRUPTED = 1, 2, 130
# the base of Typer's usage errors lives in click or, in newer versions, inside Typer: both are reached from here
UsageProblem = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


def run(app: typer.Typer) -> NoReturn:
    """Run the commands of `app` on sys.argv and exit: 0, 1 (a claim, a solver or a disk failed), 2 (bad input), 130 (interrupted)."""
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        code = app(standalone_mode=False) or 0
        if code == INTERRUPTED:  # newer versions of Typer return it instead of raising
            raise KeyboardInterrupt
        sys.exit(code)
    except UsageProblem as error:
        _fail(error.format_message(), BAD_USE)
    except (KeyboardInterrupt, typer.Abort) as error:
        if isinstance(error.__cause__, EOFError):  # which Typer takes for the end of what is typed in
            raise error.__cause__ from None
        _fail("interrupted; the same command goes on where it stopped", INTERRUPTED)
    except (ValueError, RuntimeError, OSError) as error:
        from ..support.errors import BadInput, NotConverged, Unreachable, Unwritable

        if isinstance(error, BadInput):
            _fail(str(error), BAD_USE)
        if isinstance(error, NotConverged | Unreachable | Unwritable):
            _fail(str(error), FAILED)
        raise


def _fail(message: str, code: int) -> NoReturn:
    typer.echo("error: " + " ".join(message.split()), err=True)
    sys.exit(code)
