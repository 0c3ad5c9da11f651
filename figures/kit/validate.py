"""Build a figure, judge its claims, draw it, write it down."""

from __future__ import annotations

import json
import shutil
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ...drawing.panels import draw
from ...support.errors import BadInput, NotConverged, Unreachable, Unwritable
from ...support.files import check_writable, replacing, write_text
from ...support.records import plain
from .claims import Claim
from .figure import Built, Figure, Options
from .overrides import file_suffix, overridden
from .record import commit, versions
from .registry import load, module_name, names
from .run import Run
from .table import table


@dataclass(frozen=True)
class Validated:
    """A figure that was built.

    Attributes
    ----------
    name, title
        Of the figure.
    claims
        Each says whether it holds.
    notes
        What a reader must be told.
    files
        That were written.
    seconds
        That building took.
    """

    name: str
    title: str
    claims: tuple[Claim, ...]
    notes: tuple[str, ...]
    files: tuple[Path, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return all(claim.holds for claim in self.claims)


def validate(
    name: str, run: Run, *, quick: bool, out: Path, assignments: Sequence[str] = (), options: Options | None = None
) -> Validated:
    """Build one figure and write its picture (.png, .pdf), record (.json) and table (.csv); see `Validated.holds` for the outcome.

    Parameters
    ----------
    name
        Of the figure: '4', 'real'.
    run
        Seed, jobs, progress and data folder; where things are kept is filled in.
    quick
        Use the quick settings.
    out
        Folder of the files.
    assignments
        Changed settings, each NAME=VALUE (figures/kit/overrides.py).
    options
        The figure's own options; None for its default ones.

    Raises
    ------
    BadInput
        If there is no such figure, or it has no such settings or options.
    """
    figure = load(name)
    options = _options(name, figure, options, quick)
    settings = overridden(figure.quick if quick else figure.settings, assignments)
    stem = module_name(name) + ("-quick" if quick else "") + (options.suffix if options else "") + file_suffix(assignments)
    checkpoints = out / "unfinished" / f"{stem}-seed{run.seed}"
    files = [out / f"{stem}{suffix}" for suffix in (".png", ".pdf", ".json", ".csv")]
    check_writable(*files)  # now, not after an hour of computing
    started = time.perf_counter()
    try:
        built = _built(figure, settings, replace(run, out=out, checkpoints=None if quick else checkpoints), options)
    except (ArithmeticError, LookupError, RuntimeError, ValueError) as error:
        if not assignments or isinstance(error, BadInput | NotConverged | Unreachable | Unwritable):
            raise
        raise BadInput(f"figure {name} has no meaning with {' and '.join(assignments)} ({type(error).__name__}: {error})") from error
    seconds = time.perf_counter() - started
    record = {
        "figure": name, "title": figure.title, "quick": quick, "settings": settings, "seed": run.seed,
        **({"options": options} if options else {}),
        "panels": built.panels, "notes": built.notes,
        "claims": built.claims, "holds": all(claim.holds for claim in built.claims), "extra": built.extra,
        "versions": versions(), "commit": commit(), "seconds": round(seconds, 2),
    }  # fmt: skip
    sheet = draw(figure.title, built.panels, figure.columns, built.notes)
    for path in files[:2]:
        with replacing(path) as beside:
            sheet.savefig(beside, dpi=200)
    write_text(files[2], json.dumps(plain(record), indent=1, allow_nan=False) + "\n")
    write_text(files[3], table(built.panels, settings, run.seed))
    shutil.rmtree(checkpoints, ignore_errors=True)
    with suppress(OSError):  # the other figures' stay
        checkpoints.parent.rmdir()
    return Validated(name, figure.title, tuple(built.claims), tuple(built.notes), tuple(files), seconds)


def _built(figure: Figure, settings: object, run: Run, options: Options | None) -> Built:
    """The figure; numbers that are none, as the logarithm of zero, are told in a note. Claims about them do not hold."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        built = figure.built(settings, run, options)
    told = dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, RuntimeWarning))
    for one in caught:
        if not issubclass(one.category, RuntimeWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return replace(built, notes=(*built.notes, f"Some numbers have no value here ({'; '.join(told)}).")) if told else built


def _options(name: str, figure: Figure, options: Options | None, quick: bool) -> Options | None:
    """The options that a figure is built with, checked."""
    if options is not None and not (figure.options and isinstance(options, figure.options)):
        having = [other for other in names() if (kind := load(other).options) and isinstance(options, kind)]
        *asked, last = (f"--{field.replace('_', '-')}" for field in vars(options))
        raise BadInput(f"{', '.join(asked)} and {last} are options of figures {' and '.join(having)}, not of figure {name}")
    if options is None and figure.options:
        options = figure.options()
    if options is not None:
        options.check(quick=quick)
    return options
