"""predict, simulate and sweep: one setting in theory and by Monte-Carlo, and the whole parameter box solved."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from .main import FAILED
from .options import Cluster, Jobs, Json, Seed, SettingOptions, grouped
from .output import print_json, print_table
from .selection import SelectionOptions
from .trees import TreeOptions

LossName = Annotated[str, typer.Option("--loss", help="What the classifier minimises: square (ridge), logistic, hinge, squared-hinge, "
                                                      "huber or probit.")]
HuberThreshold = Annotated[float | None, typer.Option("--huber-threshold", help="Margins further than this from 1 count linearly in "
                                                                                "Huber's loss (default: 1).")]
IMPOSSIBLE = ("The published formula gives a negative variance here, which is impossible, so that it has no accuracy: "
              "use --formula rederived.")  # fmt: skip
QUANTITIES = ("mean_margin", "variance", "accuracy", "risk")


@grouped
def predict(
    options: SettingOptions,
    family: TreeOptions,
    selection: SelectionOptions,
    formula: Annotated[
        Literal["rederived", "published"],
        typer.Option("--formula", help="rederived: the formula derived here; published: the paper's, which differs where samples are "
                                       "pruned."),
    ] = "rederived",
    loss: LossName = "square",
    huber_threshold: HuberThreshold = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Predict the accuracy of one setting by the theory.

    Prints the accuracy and the risk (mean squared error) on fresh samples, and mean and variance of their margin y w^T x, in the limit
    of many samples and features; then the numbers that the theory solves for.

    A setting needs --n, --m, --p, --mu, --epsilon, --rho, --phi and --gamma (with --keep no --rho and --phi); the other options have
    defaults.
    """
    problem = selection.problem(options, family)
    from ..solvers.predict import predict as predict_problem
    from ..solvers.selection import Selection, predict_selection
    from ..solvers.trees import Tree, predict_tree
    from ..support.errors import BadInput

    if isinstance(problem, Tree | Selection) and formula != "rederived":
        what = "family tree" if isinstance(problem, Tree) else "selection by a score"
        raise BadInput(f"the paper has no formula for a {what}: use --formula rederived")
    if isinstance(problem, Selection):
        if loss != "square" or huber_threshold is not None:
            raise BadInput("selections are covered for the square loss only: use --loss square")
        values = predict_selection(problem).as_dict()
    elif isinstance(problem, Tree):
        values = predict_tree(problem, loss=loss, huber_threshold=huber_threshold).as_dict()
    else:
        values = predict_problem(problem, formula=formula, loss=loss, huber_threshold=huber_threshold).as_dict()
    note = IMPOSSIBLE if values["variance"] < 0 else ""
    if note:
        values["accuracy"] = None
    if as_json:
        print_json({**values, "note": note} if note else values)
        return
    rows = [(key, "not known" if value is None else f"{value:.6g}") for key, value in values.items() if key != "fixed_point"]
    rows += [(key, f"{value:.6g}") for key, value in values["fixed_point"].items()]
    print_table(("quantity", formula), rows)
    if note:
        typer.echo(note)


@grouped
def simulate(
    options: SettingOptions,
    family: TreeOptions,
    selection: SelectionOptions,
    trials: Annotated[int, typer.Option("--trials", help="Number of training sets to draw.")] = 100,
    target_se: Annotated[float | None, typer.Option("--target-se", help="Stop once the accuracy's standard error is at most this.")] = None,
    seed: Seed = 0,
    jobs: Jobs = 1,
    loss: LossName = "square",
    huber_threshold: HuberThreshold = None,
    sampler: Annotated[
        Literal["sufficient", "direct"] | None,
        typer.Option("--sampler", help="Both are exact. sufficient: draw the Gram matrix and the moments of the labels, fast (square loss "
                                       "only, its default); direct: draw every sample."),
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="File for finished trials; run again to resume.")] = None,
    cluster: Cluster = None,
    as_json: Json = False,
) -> None:
    """Measure the accuracy of one setting by Monte-Carlo.

    Prints means over training sets of the quantities that `predict` predicts, with standard errors.

    A setting needs --n, --m, --p, --mu, --epsilon, --rho, --phi and --gamma (with --keep no --rho and --phi); the other options have
    defaults.
    """
    problem = selection.problem(options, family)
    from ..sims.monte_carlo import simulate as simulate_problem
    from ..support.cluster import cluster as connected

    with connected(cluster):
        done = simulate_problem(problem, trials=trials, target_se=target_se, seed=seed, jobs=jobs, sampler=sampler, loss=loss,
                                huber_threshold=huber_threshold, progress=sys.stderr.isatty(), checkpoint=checkpoint)  # fmt: skip
    measured = {name: getattr(done, name) for name in QUANTITIES}
    if as_json:
        print_json({**{name: {"mean": one.mean, "se": one.se} for name, one in measured.items()}, "trials": done.trials,
                    "seed": done.seed, "sampler": done.sampler})  # fmt: skip
        return
    print_table(("quantity", "mean", "standard error"), [(name, f"{one.mean:.6g}", f"{one.se:.2g}") for name, one in measured.items()])


def sweep(
    points: Annotated[int, typer.Option("--points", help="Number of random settings, over every parameter's range.")] = 1_000_000,
    loss: Annotated[str, typer.Option("--loss", help="square; another loss, over a smaller range; or all, as many settings for "
                                                     "each.")] = "square",
    seed: Seed = 0,
    threads: Annotated[int | None, typer.Option("--threads", help="Threads (default: all).")] = None,
    cluster: Cluster = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Solve a million random settings and report the worst one.

    Prints the largest relative residual of each backend, or with --loss of each loss. Exit code 1 if a point is not solved to 1e-12, or for
    another loss than the square one to 1e-9.
    """
    from ..sims import stress
    from ..support.cluster import cluster as connected
    from ..support.progress import bar

    with connected(cluster), bar("points", sys.stderr.isatty()) as show:
        if loss == "square":
            report = stress.sweep(points, seed, threads, progress=show)
            shares = {"isotropic": report.isotropic, "spectral": report.spectral}
        else:
            shares = stress.sweep_losses(points, seed, threads, stress.LOSSES if loss == "all" else (loss,), progress=show)
    if as_json:
        print_json({name: {"points": s.points, "unsolved": s.unsolved, "residual": s.residual, "rate": s.rate, "worst": s.worst}
                    for name, s in shares.items()})  # fmt: skip
    else:
        print_table(("backend" if loss == "square" else "loss", "points", "unsolved", "largest residual", "points a second"),
                    [(name, f"{s.points:,}", str(s.unsolved), f"{s.residual:.1e}", f"{s.rate:,.0f}")
                     for name, s in shares.items()])  # fmt: skip
    if any(share.unsolved for share in shares.values()):
        raise typer.Exit(FAILED)
