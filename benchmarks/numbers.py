"""Do the numbers stay as they are? Record what commands print and figures write, change the code, record again, compare.

    python -m benchmarks.numbers record before
    python -m benchmarks.numbers record after [--figures 4 6]
    python -m benchmarks.numbers compare before after
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MIXTURE = "--n 200 --m 800 --p 100 --mu 0.7 --epsilon 0.4 --rho 0.3 --phi 0.5 --gamma 0.1"
COMMANDS = (
    f"predict {MIXTURE}",
    f"predict {MIXTURE} --formula published",
    f"predict {MIXTURE} --generator independent --n-hat 400 --omega 0.3 --estimate-mean",
    f"predict {MIXTURE} --generator self-fitted",
    f"predict {MIXTURE} --beta 0.8 --mu-perp 0.3",
    f"predict {MIXTURE} --generator independent --n-hat 300 --estimate-mean --generations 3 --scheme accumulate",
    f"simulate {MIXTURE} --generator independent --n-hat 400 --trials 40",
    f"simulate {MIXTURE} --sampler direct --trials 40",
    f"simulate {MIXTURE} --generator self-fitted --trials 20 --seed 3",
    "sweep --points 20000 --seed 2",
)
MACHINE = {"seconds", "versions", "rate", "commit", "torch"}  # what depends on the machine or the moment


def record(folder: Path, figures: list[str]) -> None:
    """Write the JSON of every command, and of the quick version of `figures` (none: all), to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, command in enumerate(COMMANDS):
        done = subprocess.run([sys.executable, "cli.py", *command.split(), "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
        text = json.dumps({"command": command, "exit": done.returncode, "error": done.stderr, "printed": json.loads(done.stdout or "null")})
        (folder / f"command{i}.json").write_text(text)
    for chosen in [["--figure", name] for name in figures] or [["--all"]]:
        subprocess.run([sys.executable, "cli.py", "validate", *chosen, "--quick", "--out", str(folder.resolve())], cwd=ROOT, check=False)


def differences(one: object, other: object, where: str) -> list[str]:
    """Where two JSON values differ, but for what depends on the machine."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted((one.keys() | other.keys()) - MACHINE)
        return [line for key in keys for line in differences(one.get(key), other.get(key), f"{where}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [line for i, pair in enumerate(zip(one, other, strict=True)) for line in differences(*pair, f"{where}[{i}]")]
    return [] if one == other else [f"{where}: {str(one)[:80]} -> {str(other)[:80]}"]


def compare(before: Path, after: Path) -> int:
    """Print what differs between two records; return how much."""
    found = []
    for path in sorted(before.glob("*.json")):
        there = after / path.name
        if there.exists():
            found += differences(json.loads(path.read_text()), json.loads(there.read_text()), path.stem)
        else:
            found.append(f"{path.name} is missing")
    print("\n".join([*found[:50], f"{len(found)} differences"]))
    return len(found)


def main() -> int:
    """Record or compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.numbers", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="what", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("folder", type=Path)
    recording.add_argument("--figures", nargs="*", default=[])
    comparing = commands.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    asked = parser.parse_args()
    if asked.what == "record":
        record(asked.folder, asked.figures)
        return 0
    return 1 if compare(asked.before, asked.after) else 0


if __name__ == "__main__":
    sys.exit(main())
