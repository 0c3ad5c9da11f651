"""report: one page of everything that was validated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PAGE, EXPLORER, DERIVATION = "report.html", "explorer.html", "derivation.html"


def report(
    folder: Annotated[Path, typer.Argument(help="Folder with the records that validate wrote.")] = Path("out"),
) -> None:
    """Write one page of every validated figure and its claims.

    Each family of claims comes with the smallest error of the theory that it would catch. The page of `explore` is written beside it.
    """
    from ..explorer.page import page as explorer
    from ..explorer.presets import addresses, presets
    from ..figures.kit.report import page, read_records
    from ..support.files import write_text

    records = read_records(folder)
    derived = (folder / DERIVATION).exists()
    links = {"the explorer": EXPLORER} | ({"the derivation": DERIVATION} if derived else {})
    write_text(folder / EXPLORER, explorer(presets()))
    write_text(folder / PAGE, page(records, links, addresses(presets(), EXPLORER)))
    typer.echo(f"wrote {folder / PAGE} and {folder / EXPLORER}")
    if not derived:
        typer.echo(f"to link to the derivation too: python cli.py derive --report {folder / DERIVATION}, then report again")
