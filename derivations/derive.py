"""Run the derivation: check it, generate the solvers from it, say where the published formula departs.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from ..support.errors import BadInput
from ..support.workers import workers
from .chapters import chapters, checks, origin
from .codegen import module_source
from .javascript import object_source
from .published import DEPARTURES, departure
from .reference import golden
from .theorem import Check, CheckResult

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Departure:
    """How far the published formula is from the theory at one setting.

    Attributes
    ----------
    setting
        The parameters by name.
    values
        (re-derived, published) by the name of the quantity.
    """

    setting: Mapping[str, float]
    values: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Checked:
    """A check that was run.

    Attributes
    ----------
    check
        The check.
    result
        Its outcome.
    seconds
        How long it took.
    """

    check: Check
    result: CheckResult
    seconds: float


def select(name: str) -> list[Check]:
    """Return the checks that a name stands for: one check, or all of a chapter.

    A check or chapter of exactly this name comes first, then all whose name contains it, whatever the case, then the nearest spelling.

    Raises
    ------
    BadInput
        Where nothing has a name like it.
    """
    named: dict[str, list[Check]] = {}
    for each in checks():
        named.setdefault(each.name, []).append(each)
    for module, theorem in chapters():
        of_chapter = [each for each in checks() if each.module == module.__name__]
        if of_chapter:
            named.setdefault(theorem.name, []).extend(of_chapter)
            named.setdefault(theorem.title, []).extend(of_chapter)
    wanted = {key: key.lower().replace("_", " ") for key in named}
    word = name.lower().replace("_", " ").strip()
    matching = [key for key, text in wanted.items() if text == word] or [key for key, text in wanted.items() if word and word in text]
    if not matching:
        near = difflib.get_close_matches(word, wanted.values(), n=1)
        matching = [key for key, text in wanted.items() if text in near]
    if not matching:
        names = ", ".join(theorem.name for _, theorem in chapters())
        raise BadInput(f"no check or chapter is named like {name!r}; the chapters are {names}")
    chosen = {each.name for key in matching for each in named[key]}
    return [each for each in checks() if each.name in chosen]


def run_checks(chosen: Sequence[Check], jobs: int = 1) -> Iterator[Checked]:
    """Run checks and yield them as they finish, in processes where there is more than one job.

    Parameters
    ----------
    chosen : sequence of Check
    jobs : int
        How many processes.
    """
    with workers(jobs, _run, ordered=False) as run:
        yield from run((each,) for each in chosen)


def _run(check: Check) -> Checked:
    started = perf_counter()
    try:
        result = check.run()
    except Exception as error:  # a check that breaks fails; which error is the evidence
        result = CheckResult(False, f"{type(error).__name__}: {' '.join(str(error).split())}")
    return Checked(check, result, perf_counter() - started)


def generated_files() -> dict[Path, str]:
    """Return what the derivation generates, text by path.

    Every solver module, the files of the page in a browser, and in a checkout the golden values of the tests.
    """
    folder = ROOT / "solvers" / "generated"
    files = {}
    for module, theorem in chapters():
        if theorem.functions:
            files[folder / f"{theorem.name}.py"] = module_source(theorem, origin(module))
        if theorem.javascript:
            files[folder / f"{theorem.name}.js"] = object_source(theorem, origin(module))
    tests = ROOT / "tests" / "solvers"
    if tests.is_dir():
        files[tests / "golden.json"] = json.dumps(golden(), indent=1) + "\n"
    return files


def stale(files: dict[Path, str]) -> list[Path]:
    """Return those of the files that are missing or differ on disk, and generated modules that the derivation no longer makes."""
    differ = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    folder = ROOT / "solvers" / "generated"
    kept = {*files, folder / "__init__.py"}
    return differ + [path for path in sorted([*folder.glob("*.py"), *folder.glob("*.js")]) if path not in kept]


def departures() -> list[Departure]:
    """Return by how much the published formula departs, at the settings of `published.DEPARTURES`."""
    return [Departure(setting, departure(setting)) for setting in DEPARTURES]
