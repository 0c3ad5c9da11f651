"""Running the command line: every mistake of the user's, and of the disk, is one line on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import NoReturn

import typer
from typer.core import TyperGroup

FAILED, BAD_USE, INTERRUPTED = 1, 2, 130
# the base of Typer's usage errors lives in click or, in newer versions, inside Typer: both are reached from here
UsageProblem = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
# of a path that the user gave; anything else is the machine's fault
WRONG_PATH = {getattr(errno, name) for name in ("ENOENT", "EACCES", "EPERM", "EISDIR", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EROFS")}


class Commands(TyperGroup):
    """All commands. Typer would take the end of a file for Ctrl-D, and that for an interrupt."""

    def invoke(self, ctx: typer.Context) -> object:
        """Run the command that is meant."""
        try:
            return super().invoke(ctx)
        except EOFError as error:
            from ..support.errors import BadInput

            raise BadInput(f"a file ended too early; it was cut off or is damaged ({str(error) or 'end of file'})") from error


def run(app: typer.Typer) -> NoReturn:
    """Run the commands of `app` on sys.argv and exit: 0, 1 (a claim, a solver or a disk failed), 2 (bad input), 130 (interrupted)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  as long as the process
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        code = app(standalone_mode=False) or 0
        if code == INTERRUPTED:  # newer versions of Typer return it instead of raising
            raise KeyboardInterrupt
        sys.stdout.flush()  # while a full disk can still be said in one line
    except SystemExit as stopped:
        code = stopped.code
    except BrokenPipeError:  # whoever read has gone, as head does: there is nobody to tell
        code = FAILED
    except UsageProblem as error:
        code = _failed(error.format_message(), BAD_USE)
    except (KeyboardInterrupt, typer.Abort):
        code = _failed("interrupted; the same command goes on where it stopped", INTERRUPTED)
    except (ValueError, RuntimeError, OSError, MemoryError) as error:
        code = _refused(error)
    _leave_quietly()
    sys.exit(code)


def _refused(error: Exception) -> int:
    """Say what is wrong in one line, and return the exit code; raise anything that nobody foresaw."""
    from ..support.errors import BadInput, NotConverged, Unreachable, Unwritable

    if isinstance(error, BadInput):
        return _failed(str(error), BAD_USE)
    if isinstance(error, NotConverged | Unreachable | Unwritable):
        return _failed(str(error), FAILED)
    if isinstance(error, OSError) and error.errno is not None:
        where = "standard output or a disk" if error.filename is None else error.filename
        return _failed(f"{where}: {error.strerror}", BAD_USE if error.errno in WRONG_PATH else FAILED)
    if isinstance(error, MemoryError):
        return _failed(f"this needs more memory than there is: {str(error) or 'ask for less'}", FAILED)
    raise error


def _failed(message: str, code: int) -> int:
    with suppress(OSError):  # where even that cannot be written
        typer.echo("error: " + " ".join(message.split()), err=True)
    return code


def _leave_quietly() -> None:
    """Let what cannot be written go, so that the interpreter does not try again at its end, with a traceback and another exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
