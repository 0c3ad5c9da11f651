"""study: a declared sweep, kept as a data set that grows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import Cluster, EveryCore, Json
from .output import print_json, print_table


def study(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="What to compute, and over which axes.")],
    jobs: EveryCore = None,
    cluster: Cluster = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write all rows as a CSV file, which the explorer reads.")] = None,
    as_json: Json = False,
) -> None:
    """Compute a sweep of settings, as a file declares it.

    Theory and Monte-Carlo go into a Parquet data set; points that are there already are not computed again.
    """
    from ..studies.file import read_study
    from ..studies.run import run_study
    from ..studies.store import Store
    from ..support.cluster import cluster as connected
    from ..support.files import check_writable, replacing

    asked = read_study(file)
    if csv is not None:
        check_writable(csv)
    with connected(cluster):
        ran = run_study(asked, jobs=jobs, progress=sys.stderr.isatty())
    if csv is not None:
        with replacing(csv) as beside:
            Store(asked.out).frame().to_csv(beside, index=False)
    if as_json:
        print_json({"out": asked.out, "computed": [vars(one) for one in ran]})
        return
    print_table(("kind", "loss", "points", "computed now", "without result"),
                [(one.kind, one.loss, f"{one.points:,}", f"{one.computed:,}", f"{one.unsolved:,}") for one in ran])  # fmt: skip
    typer.echo(f"{asked.out} holds the data set{f', {csv} its rows' if csv else ''}")
