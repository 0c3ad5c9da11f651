"""Run the derivation: check it, generate the solvers from it, say where the published formula departs, write it down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synthmix.derivations.chapters import chapters, checks, origin
from synthmix.derivations.codegen import module_source
from synthmix.derivations.published import DEPARTURES, departure
from synthmix.derivations.reference import golden
from synthmix.derivations.theorem import Check, CheckResult

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Departure:
    """One setting, and (re-derived, published) of each quantity there."""

    setting: dict[str, float]
    values: dict[str, tuple[float, float]]


def run_checks() -> Iterator[tuple[Check, CheckResult]]:
    """Run every check, in order, as they are asked for."""
    for one in checks():
        yield one, one.run()


def generated_files() -> dict[Path, str]:
    """What the derivation generates: the text of every solver module, and the golden values."""
    files = {ROOT / "solvers" / "generated" / f"{theorem.name}.py": module_source(theorem, origin(module))
             for module, theorem in chapters() if theorem.functions}
    files[ROOT / "tests" / "solvers" / "golden.json"] = json.dumps(golden(), indent=1) + "\n"
    return files


def stale(files: dict[Path, str]) -> list[Path]:
    """Those of the files that are missing or differ from what the derivation says, and generated modules it no longer makes."""
    differ = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    kept = {*files, ROOT / "solvers" / "generated" / "__init__.py"}
    return differ + [path for path in sorted((ROOT / "solvers" / "generated").glob("*.py")) if path not in kept]


def departures() -> list[Departure]:
    """Where and by how much the published formula departs."""
    return [Departure(setting, departure(setting)) for setting in DEPARTURES]
