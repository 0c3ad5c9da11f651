"""How long does it take to validate figure 4, from the shell, simulation included?

Run from the project root: python -m benchmarks.figure4

Whole processes, imports and pictures included, with as many cores as the command takes by default. One run before the
measured ones compiles what is compiled on first use. Every run writes to an empty folder of its own, so none finds
trials of another.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import duration, seconds, show

ROOT = Path(__file__).resolve().parent.parent
COMMAND = ("cli.py", "validate", "--figure", "4")
RUNS = 5


def main() -> None:
    """Measure and print."""
    if not (ROOT / COMMAND[0]).exists():
        sys.exit(f"{COMMAND[0]} is not there: run this from a complete checkout")

    def run() -> None:
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, *COMMAND, "--out", out]
            result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if result.returncode:
            sys.exit(f"{' '.join(COMMAND)} failed:\n{result.stdout}{result.stderr}")

    run()  # unmeasured
    times = sorted(seconds(run) for _ in range(RUNS))
    show(
        f"python {' '.join(COMMAND)}, whole process, {RUNS} runs",
        ("fastest", "median", "slowest"),
        [(duration(times[0]), duration(median(times)), duration(times[-1]))],
    )


if __name__ == "__main__":
    main()
