"""derive: check the derivation and generate the solvers from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .main import FAILED
from .options import EveryCore
from .output import yes_or_no

if TYPE_CHECKING:
    from rich.console import Console

    from ..derivations.derive import Checked, Departure
    from ..derivations.theorem import Check

WIDTH = 80


def derive(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if a generated file is stale or a check fails.")] = False,
    only: Annotated[str | None, typer.Option("--only", metavar="NAME", help="Run only the checks with NAME in their names, or all of the "
                                             "chapter NAME; nothing is generated.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Also write the derivation, to PATH.md and PATH.html.")] = None,
    jobs: EveryCore = None,
) -> None:
    """Check the derivation and generate the compiled solvers from it.

    Also prints where the published formula departs from the one derived here.
    """
    from rich.console import Console

    from ..derivations import derive as derivation
    from ..derivations.chapters import checks
    from ..support.errors import BadInput
    from ..support.files import check_writable

    if only is not None and (check or report is not None):
        raise BadInput("--only runs some of the checks and writes nothing; leave out --check and --report")
    if report is not None:
        check_writable(*_pages(report))
    console = Console(width=None if Console().is_terminal else WIDTH)
    chosen = checks() if only is None else derivation.select(only)
    results = _run(chosen, jobs)
    if only is not None:
        _print_in_full(console, results)
    else:
        files, departures = derivation.generated_files(), derivation.departures()
        _print_checks(console, results)
        _print_departures(console, departures)
    failed = [each for each in results if not each.result.holds]
    stale = []
    if only is None:
        stale = derivation.stale(files)
        if failed:
            console.print("A check fails: nothing was generated.")
        elif check:
            for path in stale:
                console.print(f"stale: {path.relative_to(derivation.ROOT)}; run python cli.py derive")
        else:
            _generate(console, files, stale)
    if report is not None:
        _report(console, report, results, departures)
    if failed and only is None:
        _print_in_full(console, failed)
    console.print(f"{len(failed)} of {len(results)} checks fail: {', '.join(each.check.name for each in failed)}" if failed
                  else f"{len(results)} check{'s' if len(results) > 1 else ''} hold{'' if len(results) > 1 else 's'}.", highlight=False)
    if failed or (check and stale):
        raise typer.Exit(FAILED)


def _run(chosen: Sequence[Check], jobs: int | None) -> list[Checked]:
    """Run checks in parallel behind a bar; the results are in the order of the checks."""
    from ..derivations.derive import run_checks
    from ..support.progress import bar

    found = {}
    with bar("checks", True) as show:
        show(0, len(chosen))
        for each in run_checks(chosen, min(jobs or 1, len(chosen))):
            found[each.check.name] = each
            show(len(found), len(chosen))
    return [found[each.name] for each in chosen]


def _print_checks(console: Console, results: Iterable[Checked]) -> None:
    from rich.table import Column, Table

    table = Table("check", Column("found", ratio=1, no_wrap=True), Column("seconds", justify="right"), "holds", title="Checks",
                  title_justify="left", expand=True)
    for each in results:
        table.add_row(each.check.name, each.result.found, f"{each.seconds:.1f}", yes_or_no(each.result.holds))
    console.print(table, markup=False)


def _print_in_full(console: Console, results: Iterable[Checked]) -> None:
    from ..derivations.report import without_tex

    for each in results:
        outcome = "holds" if each.result.holds else "FAILS"
        for line in (f"{each.check.name} ({each.seconds:.1f} s): {outcome}", f"  compares {without_tex(each.check.compares)}",
                     f"  found: {each.result.found}"):
            console.print(line, markup=False, highlight=False)


def _print_departures(console: Console, departures: Iterable[Departure]) -> None:
    from rich.table import Column, Table

    table = Table("setting", "quantity", Column("re-derived", justify="right"), Column("published", justify="right"),
                  title="Where the published formula departs", title_justify="left")
    for departure in departures:
        setting = ", ".join(f"{key}={value:g}" for key, value in departure.setting.items())
        for name, (ours, theirs) in departure.values.items():
            table.add_row(setting, name.replace("_", " "), f"{ours:.4f}", f"{theirs:.4f}")
            setting = ""
    console.print(table)


def _generate(console: Console, files: dict[Path, str], stale: Iterable[Path]) -> None:
    """Write what is stale and remove what the derivation no longer makes."""
    from ..derivations.derive import ROOT
    from ..support.files import write_text

    changed = list(stale)
    for path in changed:
        if path in files:
            write_text(path, files[path])
            console.print(f"wrote {path.relative_to(ROOT)}")
        else:
            path.unlink()
            console.print(f"removed {path.relative_to(ROOT)}")
    console.print(f"{len(files)} generated files, {len(changed)} changed.")


def _report(console: Console, report: Path, results: Sequence[Checked], departures: Sequence[Departure]) -> None:
    from ..derivations.report import html_page, markdown
    from ..support.files import write_text

    for path, page in zip(_pages(report), (markdown, html_page), strict=True):
        write_text(path, page(results, departures))
        console.print(f"wrote {path}")


def _pages(report: Path) -> tuple[Path, Path]:
    """The files of the report."""
    if not report.name:
        raise typer.BadParameter(f"--report names a file, not {report}")
    return report.with_suffix(".md"), report.with_suffix(".html")
