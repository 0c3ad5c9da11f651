"""Printing: one JSON object, or a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.table import Column

NARROWEST = 40  # columns; a table in fewer would lose its numbers


def print_json(value: object) -> None:
    """Print one JSON object in a line; numbers that JSON lacks are null."""
    from ..support.records import plain

    typer.echo(json.dumps(plain(value), allow_nan=False))


def print_table(head: tuple[str | Column, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table with these column heads."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False)  # brackets in a cell are its own
    if console.width < NARROWEST:
        console = Console(markup=False, width=NARROWEST)
    console.print(table)


def yes_or_no(holds: bool) -> str:
    """'yes', or a 'NO' that is seen in a long table."""
    return "yes" if holds else "NO"
