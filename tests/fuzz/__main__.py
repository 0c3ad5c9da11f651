"""Fuzzing: `python -m tests.fuzz --minutes M [--seed S]` throws random command lines, calls and files at the project.

It fails on tracebacks, JSON that is none, exit codes other than 0, 1 and 2, messages of more than a line, inputs that take over a
minute, and more memory than the limit. Hypothesis draws the inputs and shrinks what fails. Exit 1 where anything failed.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import warnings
from collections import Counter

from hypothesis import HealthCheck, Phase, seed, settings

EXAMPLES = 40  # of a property before the next has its turn
SHOWN = 600  # characters of the beginning of a failure
MEGABYTE = 2**20


def main() -> int:
    """Fuzz for the time asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory", type=int, default=6000, help="most memory for data, in megabytes")
    parser.add_argument("--only", choices=["predict", "simulate", "other", "grid", "laws", "advise", "checkpoint"], help="one property")
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (asked.memory * MEGABYTE, asked.memory * MEGABYTE))
    warnings.simplefilter("ignore")
    settings.register_profile("fuzz", max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
                              suppress_health_check=list(HealthCheck), report_multiple_bugs=False, print_blob=False)  # fmt: skip
    settings.load_profile("fuzz")
    from tests.fuzz import calls, command_lines, files  # the profile holds for what is decorated after it was loaded

    properties = [one for module in (command_lines, calls, files) for one in module.PROPERTIES if asked.only in (None, one.__name__)]
    counts: Counter[str] = Counter()
    failures: dict[str, str] = {}
    end, turn = time.monotonic() + 60 * asked.minutes, 0
    while time.monotonic() < end:
        for one in properties:
            name = f"{one.__module__.rpartition('.')[2]}.{one.__name__}"
            if time.monotonic() >= end:
                break
            if name in failures:
                continue
            try:
                seed(1000 * asked.seed + turn)(one)()
                counts[name] += EXAMPLES
            except BaseException as error:  # whatever it is, it is what was looked for
                if isinstance(error, KeyboardInterrupt):
                    raise
                failures[name] = "\n".join(map(_short, (f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ()))))
                print(f"FAILED {name}, seed {asked.seed}, turn {turn}\n{failures[name]}", file=sys.stderr, flush=True)
        turn += 1
        if len(failures) == len(properties):
            break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seed {asked.seed}: {sum(counts.values())} inputs ({', '.join(f'{name} {n}' for name, n in counts.items())}), "
          f"{len(failures)} failures, {peak:.0f} MB at most")  # fmt: skip
    return 1 if failures else 0


def _short(text: str) -> str:
    """The beginning and the end of a long text."""
    return text if len(text) <= 3 * SHOWN else f"{text[:SHOWN]} ... {text[-2 * SHOWN:]}"


if __name__ == "__main__":
    sys.exit(main())
