"""Fuzzing: `python -m tests.fuzz --minutes M [--seed S]` throws random command lines, calls and files at the project.

It fails on tracebacks, JSON without a number where one is promised, exit codes other than 0, 1 and 2, messages of more than a line,
warnings, inputs that take over a minute of processor time, and more memory than the limit. Hypothesis draws the inputs and shrinks
what fails. Exit 1 where anything failed. It ends with the first input after its time, which begins when the solvers are compiled.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from functools import wraps

from hypothesis import HealthCheck, Phase, seed, settings

EXAMPLES = 40  # of a property before the next has its turn
SHOWN = 600  # characters of the beginning of a failure
MEGABYTE = 2**20
COMPILED = (("predict",), ("predict", "--loss", "hinge"), ("simulate", "--trials", "2"))  # commands that need most of the solvers
NAMES = ("predict", "simulate", "other", "grid", "laws", "models", "fits", "advise", "checkpoint", "declared")


class TimeUp(BaseException):
    """The time is over. Not an Exception, so that Hypothesis does not take it for a failure and shrink it."""


def main() -> int:
    """Fuzz for the time asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory", type=int, default=6000, help="most memory for data, in megabytes")
    parser.add_argument("--only", choices=NAMES, help="one property")
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (asked.memory * MEGABYTE, asked.memory * MEGABYTE))
    warnings.simplefilter("ignore")
    settings.register_profile("fuzz", max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
                              suppress_health_check=list(HealthCheck), report_multiple_bugs=False, print_blob=False)  # fmt: skip
    settings.load_profile("fuzz")
    from tests.fuzz import calls, command_lines, files  # the profile holds for what is decorated after it was loaded

    for words in COMPILED:  # which is no input's fault, and takes minutes after a change of the solvers
        subprocess.run([sys.executable, "-m", "synthmix.cli", *words, *files.GIVEN], stdout=subprocess.DEVNULL, check=True)
    end = time.monotonic() + 60 * asked.minutes
    properties = [one for module in (command_lines, calls, files) for one in module.PROPERTIES if asked.only in (None, one.__name__)]
    counts: Counter[str] = Counter()
    failures: dict[str, BaseException] = {}
    for one in properties:
        one.hypothesis.inner_test = _watched(one.__name__, one.hypothesis.inner_test, end, counts, failures)
    turn = 0
    here = tempfile.TemporaryDirectory(prefix="fuzz-")  # names without a folder are files there
    os.chdir(here.name)
    try:
        while len(failures) < len(properties):
            for one in properties:
                if one.__name__ not in failures:
                    _take_turn(one, 1000 * asked.seed + turn, failures)
            turn += 1
    except TimeUp:
        pass
    for name, error in failures.items():
        said = "\n".join(map(_short, (f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ()))))
        print(f"FAILED {name}, seed {asked.seed}\n{said}", file=sys.stderr)
    peak = max(resource.getrusage(whose).ru_maxrss for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(f"seed {asked.seed}: {sum(counts.values())} inputs ({', '.join(f'{name} {n}' for name, n in counts.items())}), "
          f"{len(failures)} failures, {peak:.0f} MB at most")  # fmt: skip
    return 1 if failures else 0


Test = Callable[..., None]


def _watched(name: str, test: Test, end: float, counts: Counter[str], failures: dict[str, BaseException]) -> Test:
    """The body of a property, which counts its inputs, remembers what failed, and does not begin after the end."""

    @wraps(test)
    def watched(*arguments: object, **named: object) -> None:
        if time.monotonic() >= end:
            raise TimeUp
        counts[name] += 1
        try:
            test(*arguments, **named)
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "hypothesis":  # its own ways of giving an input up
                failures[name] = error
            raise

    return watched


def _take_turn(one: Callable[[], None], number: int, failures: dict[str, BaseException]) -> None:
    """Try one property on EXAMPLES inputs, and shrink what fails."""
    try:
        seed(number)(one)()
    except (KeyboardInterrupt, TimeUp):
        raise
    except BaseException as error:  # whatever it is, it is what was looked for
        found = failures.setdefault(one.__name__, error)
        print(f"FAILED {one.__name__}: {_short(str(found))}", file=sys.stderr, flush=True)


def _short(text: str) -> str:
    """The beginning and the end of a long text."""
    return text if len(text) <= 3 * SHOWN else f"{text[:SHOWN]} ... {text[-2 * SHOWN:]}"


if __name__ == "__main__":
    sys.exit(main())
