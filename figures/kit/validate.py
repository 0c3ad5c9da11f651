"""Build a figure, judge its claims, draw it, write it down. Every module figures/figure*.py is a figure."""

from __future__ import annotations

import importlib
import json
import pkgutil
import platform
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType

import numpy as np

from synthmix import figures
from synthmix.drawing.panels import draw
from synthmix.figures.kit.claims import Claim
from synthmix.figures.kit.run import Built, Run
from synthmix.support.errors import BadInput
from synthmix.support.files import replacing, write_text
from synthmix.support.records import plain

PREFIX = "figure"
PACKAGES = ("numpy", "scipy", "numba", "sympy", "matplotlib", "scikit-learn", "torch", "transformers", "trl", "peft")


@dataclass(frozen=True)
class Validated:
    """A figure that was built: its claims, and the files it was written to."""

    name: str
    title: str
    claims: tuple[Claim, ...]
    files: tuple[Path, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return all(claim.holds for claim in self.claims)


def names() -> list[str]:
    """The figures there are: '1', '2', ..., then those with names."""
    found = (module.name.removeprefix(PREFIX).lstrip("_") for module in pkgutil.iter_modules(figures.__path__)
             if module.name.startswith(PREFIX))
    return sorted(found, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))


def load(name: str) -> ModuleType:
    """The module of a figure: TITLE, COLUMNS, FULL, QUICK (settings), build(settings, run).

    Raises:
        BadInput: if there is no such figure.
    """
    if name not in names():
        raise BadInput(f"there is no figure {name!r}; there are {', '.join(names())}")
    return importlib.import_module(f"{figures.__name__}.{_module(name)}")


def _module(name: str) -> str:
    return f"{PREFIX}{name}" if name.isdigit() else f"{PREFIX}_{name}"


def validate(name: str, run: Run, *, quick: bool, out: Path) -> Validated:
    """Build one figure and write OUT/figureN.png, .pdf and .json; whether its claims hold is in what is returned.

    Raises:
        BadInput: if there is no such figure, or it does not have the scale or options of the run.
    """
    module = load(name)
    scales = getattr(module, "SCALES", ())
    _check_scale(name, scales, run, quick)
    settings = module.QUICK if quick else module.FULL
    stem = _module(name) + ("-quick" if quick else "") + (f"-{run.scale}" if run.scale != "features" else "")
    run.out = out
    checkpoints = out / "unfinished" / f"{stem}-seed{run.seed}"
    run.checkpoints = None if quick else checkpoints
    started = time.perf_counter()
    built: Built = module.build(settings, run)
    seconds = time.perf_counter() - started
    files = _pictures(module, built, out / stem)
    record = {
        "figure": name, "title": module.TITLE, "quick": quick, "settings": settings, "seed": run.seed,
        "panels": built.panels, "claims": built.claims, "holds": all(claim.holds for claim in built.claims), "extra": built.extra,
        "versions": {"python": platform.python_version(), **_versions()},
        "seconds": round(seconds, 2),
    }  # fmt: skip
    write_text(out / f"{stem}.json", json.dumps(plain(record), indent=1, allow_nan=False) + "\n")
    shutil.rmtree(checkpoints, ignore_errors=True)
    with suppress(OSError):  # the other figures' stay
        checkpoints.parent.rmdir()
    return Validated(name, module.TITLE, tuple(built.claims), (*files, out / f"{stem}.json"), seconds)


def _check_scale(name: str, scales: tuple[str, ...], run: Run, quick: bool) -> None:
    if not scales and (run.scale != "features" or run.proportions is not None or run.max_steps is not None):
        with_scales = [other for other in names() if getattr(load(other), "SCALES", ())]
        raise BadInput(f"--scale, --proportions and --max-steps are options of figures {' and '.join(with_scales)}, not of figure {name}")
    if scales and run.scale not in scales:
        raise BadInput(f"the scale of figure {name} must be one of {', '.join(scales)}, not {run.scale!r}")
    if run.scale == "features" and run.max_steps is not None:
        raise BadInput("--max-steps is for fine-tuning: use it with --scale lora or --scale paper")
    if run.scale != "features" and quick:
        raise BadInput("--quick is for --scale features: use --proportions and --max-steps to shorten a fine-tuning")


def _versions() -> dict[str, str]:
    """The versions of those of PACKAGES that are installed."""
    found = {}
    for package in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def _pictures(module: ModuleType, built: Built, stem: Path) -> list[Path]:
    figure = draw(module.TITLE, built.panels, module.COLUMNS)
    written = []
    for suffix in (".png", ".pdf"):
        path = stem.with_name(stem.name + suffix)
        with replacing(path) as beside:
            figure.savefig(beside, dpi=200)
        written.append(path)
    return written


def summary(claims: Iterable[Claim]) -> list[tuple[str, str, int, float, bool]]:
    """Claims by what they are about: (what, kind, how many, the largest share of its tolerance that is used, whether all hold)."""
    families: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        families.setdefault((claim.name.split(",")[0], claim.kind), []).append(claim)
    return [(what, kind, len(members), max(map(_used, members)), all(claim.holds for claim in members))
            for (what, kind), members in families.items()]


def _used(claim: Claim) -> float:
    if claim.kind == "agrees":
        return abs(claim.theory - claim.measured) / claim.tolerance if claim.tolerance else float(claim.theory != claim.measured)
    if claim.kind == "falls outside":
        return claim.tolerance / abs(claim.theory - claim.measured) if claim.theory != claim.measured else np.inf
    ratio = claim.measured / claim.tolerance if claim.tolerance else np.nan
    return ratio if claim.kind == "at most" else (1 / ratio if ratio else np.inf)


