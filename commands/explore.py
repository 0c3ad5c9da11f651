"""explore: the theory as a page to play with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explore(
    out: Annotated[Path, typer.Option("--out", help="File to write; it opens in any browser, without a network.")] = Path("explorer.html"),
) -> None:
    """Write the theory as a page for a browser, with sliders.

    The page draws curves and a break-even map for any setting, and gives the command that predicts it.
    """
    from ..explorer.page import page
    from ..explorer.presets import presets
    from ..support.files import write_text

    write_text(out, page(presets()))
    typer.echo(f"wrote {out}")
