"""data: list the public data sets, fetch them, say where they are."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import DataFolder, Json
from .output import print_json, print_table

app = typer.Typer(rich_markup_mode=None, help="Public data sets: list them, fetch them, say where they are.")


@app.command("list")
def data_list(data: DataFolder = None, as_json: Json = False) -> None:
    """List every data set: title, licence, how its files are checked, place, size.

    Nothing is downloaded.
    """
    from ..data import dataset, names, status

    states = {name: (dataset(name), status(dataset(name), data)) for name in names()}
    if as_json:
        print_json({name: {"title": entry.title, "licence": entry.licence, "citation": entry.citation, "checked_by": entry.checked_by,
                           "files": state.found, "missing": state.missing, "damaged": state.damaged, "bytes": state.size}
                    for name, (entry, state) in states.items()})  # fmt: skip
        return
    from rich.table import Column

    print_table(("name", "what", "licence", "checked by", Column("where", overflow="fold"), "size"),
                [(name, entry.title, entry.licence, entry.checked_by, state.where, f"{state.size / 1e6:.1f} MB" if state.found else "")
                 for name, (entry, state) in states.items()])  # fmt: skip


@app.command("fetch")
def data_fetch(
    name: Annotated[str | None, typer.Argument(help="Which data set; `data list` names them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Download all data sets.")] = False,
    data: DataFolder = None,
) -> None:
    """Download a data set, unless it is on this machine.

    A download that broke off goes on where it stopped.
    """
    from ..data import dataset, locate, names, status
    from ..support.errors import BadInput

    if every == (name is not None):
        raise BadInput(f"say which data set or --all; there are {', '.join(names())}")
    failures = []
    for one in names() if every else [name]:
        try:
            locate(dataset(one), data)
            typer.echo(f"{one}: {status(dataset(one), data).where}")
        except BadInput as error:
            failures.append(str(error))
    if failures:
        for failure in failures[:-1]:
            typer.echo(f"error: {failure}", err=True)
        raise BadInput(failures[-1])


@app.command("path")
def data_path(
    name: Annotated[str, typer.Argument(help="Which data set; `data list` names them.")],
    data: DataFolder = None,
) -> None:
    """Print where the files of a data set are, one a line.

    Nothing is downloaded.
    """
    from ..data import dataset, locate

    for path in locate(dataset(name), data, download=False).values():
        typer.echo(path)
