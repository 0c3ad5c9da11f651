"""derive: check the derivation and generate the solvers from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthmix.commands.main import FAILED
from synthmix.commands.output import yes_or_no


def derive(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if a generated file is stale or a check fails.")] = False,
    report: Annotated[Path | None, typer.Option("--report", help="Write the derivation to FILE.md and FILE.html.")] = None,
) -> None:
    """Check the derivation, generate the Numba solvers from it, say where the published formula departs."""
    from rich.console import Console
    from rich.table import Table

    from synthmix.derivations import derive as derivation
    from synthmix.derivations.report import html_page, markdown
    from synthmix.support.files import write_text

    console, results = Console(), []
    table = Table("check", "compares", "found", "holds", title="Checks", title_justify="left")
    with console.status("checking") as status:
        for one, verdict in derivation.run_checks():
            results.append((one, verdict))
            table.add_row(one.name, one.compares, verdict.found, yes_or_no(verdict.holds))
            status.update(f"checked {one.name}")
        status.update("generating")
        files, departures = derivation.generated_files(), derivation.departures()
    console.print(table)
    table = Table("setting", "quantity", "re-derived", "published", title="Where the published formula departs", title_justify="left")
    for departure in departures:
        setting = ", ".join(f"{key}={value:g}" for key, value in departure.setting.items())
        for name, (ours, theirs) in departure.values.items():
            table.add_row(setting, name.replace("_", " "), f"{ours:.4f}", f"{theirs:.4f}")
    console.print(table)
    holds, stale = all(verdict.holds for _, verdict in results), derivation.stale(files)
    if not holds:
        console.print("A check fails: nothing was generated.")
    elif check:
        for path in stale:
            console.print(f"stale: {path.relative_to(derivation.ROOT)}; run python cli.py derive")
    else:
        for path in stale:
            write_text(path, files[path]) if path in files else path.unlink()
            console.print(f"wrote {path.relative_to(derivation.ROOT)}" if path in files else f"removed {path.name}")
        console.print(f"{len(files)} generated files, {len(stale)} changed.")
    if report is not None:
        for suffix, text in ((".md", markdown(results, departures)), (".html", html_page(results, departures))):
            write_text(report.with_suffix(suffix), text)
            console.print(f"wrote {report.with_suffix(suffix)}")
    if not holds or (check and stale):
        raise typer.Exit(FAILED)
