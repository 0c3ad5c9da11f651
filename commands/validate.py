"""validate: rebuild figures and judge their claims."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .main import FAILED
from .options import Cluster, DataFolder, EveryCore, Seed, grouped
from .output import yes_or_no

if TYPE_CHECKING:
    from ..figures.kit.scale import ScaleOptions
    from ..figures.kit.validate import Validated


@dataclass(frozen=True)
class FineTuning:
    """The options of figures 8 and 9: frozen features, or fine-tuning."""

    scale: Annotated[
        Literal["features", "lora", "paper"],
        typer.Option("--scale", help="Figures 8 and 9. features: frozen features of a small language model, minutes; lora: fine-tuning "
                                     "it; paper: the published models."),
    ] = "features"
    proportions: Annotated[
        str | None, typer.Option("--proportions", help="Figures 8 and 9: the shares of synthetic data in the training set, such as "
                                                       "0,0.5,0.8.")
    ] = None
    max_steps: Annotated[int | None, typer.Option("--max-steps", help="Figures 8 and 9: the most steps of each fine-tuning.")] = None
    repeats: Annotated[int, typer.Option("--repeats", help="Figures 8 and 9: how many fine-tunings of each kind, each with a seed of its "
                                                           "own; two and more are judged.")] = 1

    def options(self) -> ScaleOptions | None:
        """Return the options of the figures; None where none was given, for figures without them.

        Raises
        ------
        BadInput
            For proportions that are no numbers.
        """
        from ..figures.kit.scale import ScaleOptions

        options = ScaleOptions(self.scale, _proportions(self.proportions), self.max_steps, self.repeats)
        return None if options == ScaleOptions() else options


@grouped
def validate(
    figure: Annotated[
        str | None,
        typer.Option("--figure", help="Which figure: 1, 2, 3, 4, 5, 6, 7, 8 or 9 of the paper; real: the theory on real data; "
                                      "generators: synthetic samples that are not Gaussian; study: the published study's other "
                                      "plots; advise: the "
                                      "back-test of the advice; generations: models trained on models' samples; selection: "
                                      "keeping the hard, the easy or the best scored; loss: square, logistic, hinge and Huber's; relabel: "
                                      "wrong labels pruned or cleaned; scaling: exponents of the error."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Rebuild every figure.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer points and trials: seconds to a few minutes a figure.")] = False,
    seed: Seed = 0,
    jobs: EveryCore = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for pictures and records.")] = Path("out"),
    data: DataFolder = None,
    tuning: FineTuning = FineTuning(),
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change a setting of the figure, such as gamma=0.1, p=100,400 or "
                                                         "verifier.rho=0.2; may be given several times."),
    ] = None,
    cluster: Cluster = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print every claim, not only those that fail.")] = False,
) -> None:  # fmt: skip
    """Rebuild figures and check that theory and experiment agree.

    Writes a picture and a record of every figure, and prints its claims. Exit code 1 if a claim fails.
    """
    from ..figures.kit.registry import names
    from ..figures.kit.run import Run
    from ..figures.kit.validate import validate as validate_figure
    from ..support.cluster import cluster as connected
    from ..support.errors import BadInput

    if every == (figure is not None):
        raise BadInput(f"say --figure N or --all; there are figures {', '.join(names())}")
    options, failed = tuning.options(), False
    for name in names() if every else [figure]:
        with connected(cluster):
            done = validate_figure(name, Run(seed, jobs, sys.stderr.isatty(), data), quick=quick, out=out, options=options,
                                   assignments=assignments or ())  # fmt: skip
        _print(done, verbose)
        failed |= not done.holds
    if failed:
        raise typer.Exit(FAILED)


def _proportions(text: str | None) -> tuple[float, ...] | None:
    from ..support.errors import BadInput

    try:
        return None if text is None else tuple(float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"proportions are numbers with commas between them, such as 0,0.5,0.8, not {text!r}") from None


def _print(done: Validated, verbose: bool) -> None:
    """Print the claims family by family, then every claim that fails (all of them if verbose), then the files."""
    from rich.console import Console
    from rich.table import Table

    from ..figures.kit.claims import summary

    console = Console()
    table = Table("claim", "kind", "count", "tolerance used", "holds", title=f"Figure {done.name}: {done.title}", title_justify="left")
    for what, kind, count, used, holds in summary(done.claims):
        table.add_row(what, kind, str(count), f"{used:.0%}" if 0 <= used < math.inf else "-", yes_or_no(holds))
    console.print(table)
    shown = done.claims if verbose else [claim for claim in done.claims if not claim.holds]
    if shown:
        table = Table("claim", "kind", "theory", "measured", "SE", "tolerance", "holds")
        for claim in shown:
            numbers = (f"{value:.5g}" for value in (claim.theory, claim.measured, claim.se, claim.tolerance))
            table.add_row(claim.name, claim.kind, *numbers, yes_or_no(claim.holds))
        console.print(table)
    unsure = sum(bool(claim.note) and not claim.holds for claim in done.claims)
    if unsure:
        console.print(f"{unsure} of {len(done.claims)} claims cannot be judged, for their standard errors are too large: give more trials",
                      soft_wrap=True, markup=False, highlight=False)  # fmt: skip
    for note in done.notes:
        console.print(f"Note: {note}", soft_wrap=True, markup=False, highlight=False)
    count = sum(claim.holds for claim in done.claims)
    console.print(f"{count} of {len(done.claims)} claims hold; {done.seconds:.1f} s; {', '.join(map(str, done.files))}", soft_wrap=True)
