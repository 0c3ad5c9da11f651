"""The command line: derive, validate, predict, simulate, sweep, data, llm. `python cli.py COMMAND --help` says more.

Only the standard library and Typer are imported here; each command imports what it uses.
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from types import ModuleType

    from rich.table import Column

    from synthmix.language.pipeline.manifest import Manifest
    from synthmix.language.pipeline.preflight import Found
    from synthmix.language.pipeline.steps import Status
    from synthmix.solvers.problem import Setting

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="A theory workbench for learning with synthetic data: derive, validate, predict, simulate.",
)  # fmt: skip

FAILED, BAD_USE, INTERRUPTED = 1, 2, 130
# the base of Typer's usage errors lives in click or, in newer versions, inside Typer: both are reached from here
UsageProblem = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


GeneratorKind = Literal["exact", "independent", "self-fitted"]
Formula = Literal["rederived", "published"]
Sampler = Literal["sufficient", "direct"]
Scale = Literal["features", "lora", "paper"]

N = Annotated[int, typer.Option("--n", help="Real samples.")]
M = Annotated[int, typer.Option("--m", help="Generated samples, before pruning.")]
P = Annotated[int, typer.Option("--p", help="Dimensions.")]
Mu = Annotated[float, typer.Option("--mu", help="Length of the class mean.")]
Epsilon = Annotated[float, typer.Option("--epsilon", help="Probability that a synthetic label is wrong.")]
Rho = Annotated[float, typer.Option("--rho", help="Probability that the verifier keeps a wrongly labelled sample.")]
Phi = Annotated[float, typer.Option("--phi", help="Probability that it keeps a correctly labelled one.")]
Gamma = Annotated[float, typer.Option("--gamma", help="Ridge.")]
Beta = Annotated[float, typer.Option("--beta", help="The synthetic mean is beta mu + mu_perp.")]
MuPerp = Annotated[float, typer.Option("--mu-perp", help="Length of its part orthogonal to mu.")]
Omega = Annotated[float, typer.Option("--omega", help="Weight of a synthetic sample.")]
Kind = Annotated[GeneratorKind, typer.Option("--generator", help="exact: covariance I; independent: fitted on n-hat fresh samples; "
                                             "self-fitted: on the n real samples.")]
NHat = Annotated[int | None, typer.Option("--n-hat", help="Samples an independent generator was fitted on.")]
EstimateMean = Annotated[bool, typer.Option("--estimate-mean", help="An independent generator's mean is estimated too.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same numbers, whatever the number of jobs.")]
Jobs = Annotated[int | None, typer.Option("--jobs", help="Worker processes (default: one a core).")]


@app.command()
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
            table.add_row(one.name, one.compares, verdict.found, _word(verdict.holds))
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


@app.command()
def validate(
    figure: Annotated[str | None, typer.Option("--figure", help="Which figure: 1 to 9, or real.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every figure.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer points and trials: under half a minute a figure.")] = False,
    seed: Seed = 0,
    jobs: Jobs = None,
    out: Annotated[Path, typer.Option("--out", help="Where pictures and records go.")] = Path("out"),
    data: Annotated[Path | None, typer.Option("--data", help="Folder with data sets (or set SYNTHDATA_DIR).")] = None,
    scale: Annotated[Scale, typer.Option("--scale", help="Figures 8 and 9. features: frozen features of a small language model, minutes; "
                                         "lora: fine-tuning it; paper: the published models.")] = "features",
    proportions: Annotated[str | None, typer.Option("--proportions", help="Figures 8 and 9: proportions of synthetic data, such as "
                                                    "0,0.5,0.8.")] = None,
    max_steps: Annotated[int | None, typer.Option("--max-steps", help="Steps of each fine-tuning at most.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print every claim.")] = False,
) -> None:
    """Rebuild a figure of the paper and assert that theory and experiment agree. Exit 1 if a claim fails."""
    from synthmix.figures.kit.run import Run
    from synthmix.figures.kit.validate import names
    from synthmix.figures.kit.validate import validate as validate_figure
    from synthmix.support.errors import BadInput

    if every == (figure is not None):
        raise BadInput(f"say --figure N or --all; there are figures {', '.join(names())}")
    failed = False
    for name in names() if every else [figure]:
        run = Run(_seed(seed), _jobs(jobs), sys.stderr.isatty(), data, scale=scale, proportions=_proportions(proportions),
                  max_steps=max_steps)
        done = validate_figure(name, run, quick=quick, out=out)
        _print_validated(done, verbose)
        failed |= not done.holds
    if failed:
        raise typer.Exit(FAILED)


@app.command()
def predict(
    n: N, m: M, p: P, mu: Mu, epsilon: Epsilon, rho: Rho, phi: Phi, gamma: Gamma,
    beta: Beta = 1.0, mu_perp: MuPerp = 0.0, omega: Omega = 1.0, generator: Kind = "exact", n_hat: NHat = None,
    estimate_mean: EstimateMean = False,
    formula: Annotated[Formula, typer.Option("--formula", help="rederived, or the paper's.")] = "rederived",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Predict mean margin, variance, accuracy and risk of a setting."""
    setting = _setting(n, m, p, mu, epsilon, rho, phi, gamma, beta, mu_perp, omega, generator, n_hat, estimate_mean)
    from synthmix.solvers.predict import predict as predict_setting

    values = predict_setting(setting, formula=formula).as_dict()
    if as_json:
        _print_json(values)
        return
    rows = [(key, f"{value:.6g}") for key, value in values.items() if key != "fixed_point"]
    rows += [(key, f"{value:.6g}") for key, value in values["fixed_point"].items()]
    _print_table(("quantity", formula), rows)


@app.command()
def simulate(
    n: N, m: M, p: P, mu: Mu, epsilon: Epsilon, rho: Rho, phi: Phi, gamma: Gamma,
    beta: Beta = 1.0, mu_perp: MuPerp = 0.0, omega: Omega = 1.0, generator: Kind = "exact", n_hat: NHat = None,
    estimate_mean: EstimateMean = False,
    trials: Annotated[int, typer.Option("--trials", help="Training sets to draw.")] = 100,
    target_se: Annotated[float | None, typer.Option("--target-se", help="Stop when the accuracy's standard error is below.")] = None,
    seed: Seed = 0, jobs: Jobs = 1,
    sampler: Annotated[Sampler, typer.Option("--sampler", help="sufficient: the Gram matrix and label moments; direct: the data.")]
    = "sufficient",
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="Keep finished trials here; run again to resume.")] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Simulate a setting by Monte-Carlo: means over training sets, with standard errors."""
    setting = _setting(n, m, p, mu, epsilon, rho, phi, gamma, beta, mu_perp, omega, generator, n_hat, estimate_mean)
    from synthmix.sims.monte_carlo import simulate as simulate_setting

    done = simulate_setting(setting, trials=trials, target_se=target_se, seed=_seed(seed), jobs=_jobs(jobs), sampler=sampler,
                            progress=sys.stderr.isatty(), checkpoint=checkpoint)
    quantities = {name: getattr(done, name) for name in ("mean_margin", "variance", "accuracy", "risk")}
    if as_json:
        _print_json({**{name: {"mean": one.mean, "se": one.se} for name, one in quantities.items()}, "trials": done.trials,
                     "seed": done.seed, "sampler": done.sampler})
        return
    _print_table(("quantity", "mean", "standard error"), [(name, f"{one.mean:.6g}", f"{one.se:.2g}") for name, one in quantities.items()])


data_app = typer.Typer(rich_markup_mode=None, help="Public data sets: list them, fetch them, say where they are.")
app.add_typer(data_app, name="data")
DataFolder = Annotated[Path | None, typer.Option("--data", help="Folder to look in first (or set SYNTHDATA_DIR).")]


@data_app.command("list")
def data_list(data: DataFolder = None, as_json: Json = False) -> None:
    """Every data set: its licence, where it was found, its size. Nothing is downloaded."""
    from synthmix.data import dataset, names, status

    states = {name: (dataset(name), status(dataset(name), data)) for name in names()}
    if as_json:
        _print_json({name: {"title": entry.title, "licence": entry.licence, "citation": entry.citation, "files": state.found,
                            "missing": state.missing, "damaged": state.damaged, "bytes": state.size}
                     for name, (entry, state) in states.items()})
        return
    from rich.table import Column

    _print_table(("name", "what", "licence", Column("where", overflow="fold"), "size"),
                 [(name, entry.title, entry.licence, state.where, f"{state.size / 1e6:.1f} MB" if state.found else "")
                  for name, (entry, state) in states.items()])


@data_app.command("fetch")
def data_fetch(
    name: Annotated[str | None, typer.Argument(help="Which data set; `data list` names them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every data set.")] = False,
    data: DataFolder = None,
) -> None:
    """Download what is not on this machine yet; what broke off goes on where it stopped."""
    from synthmix.data import dataset, locate, names, status
    from synthmix.support.errors import BadInput

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


@data_app.command("path")
def data_path(
    name: Annotated[str, typer.Argument(help="Which data set; `data list` names them.")],
    data: DataFolder = None,
) -> None:
    """Print where the files of a data set are, one a line. Nothing is downloaded."""
    from synthmix.data import dataset, locate

    for path in locate(dataset(name), data, download=False).values():
        typer.echo(path)


llm_app = typer.Typer(rich_markup_mode=None, help="Language models: the two published pipelines, and features.")
app.add_typer(llm_app, name="llm")
ConfigFile = Annotated[str, typer.Option("--config", help="A TOML file, or a packaged one: safety- or qa-, then toy, lora or paper.")]
OutFolder = Annotated[Path | None, typer.Option("--out", help="Folder of the steps (default: out/llm/NAME of the configuration).")]
StepName = Annotated[str | None, typer.Option("--step", help="Only this step, or all instances of this kind of step.")]
ListSteps = Annotated[bool, typer.Option("--list", help="List the steps and their states; run nothing.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print every step and what is missing; change nothing.")]


@llm_app.command("safety")
def llm_safety(config: ConfigFile, out: OutFolder = None, step: StepName = None, list_steps: ListSteps = False, dry_run: DryRun = False,
               data: DataFolder = None, as_json: Json = False) -> None:
    """Figure 8's pipeline: swap, prune, accumulate, tune with IPO, generate, judge, score, draw."""
    from synthmix.language.safety import configuration as safety

    _pipeline(safety, safety.Safety, config, out, step, list_steps, dry_run, data, as_json)


@llm_app.command("qa")
def llm_qa(config: ConfigFile, out: OutFolder = None, step: StepName = None, list_steps: ListSteps = False, dry_run: DryRun = False,
           data: DataFolder = None, as_json: Json = False) -> None:
    """Figure 9's pipeline: questions, label, verify, select, accumulate, tune, evaluate, score, draw."""
    from synthmix.language.qa import configuration as qa

    _pipeline(qa, qa.QA, config, out, step, list_steps, dry_run, data, as_json)


@llm_app.command("features")
def llm_features(
    name: Annotated[Literal["hh_rlhf", "xstest"], typer.Argument(help="The data set.")],
    out: Annotated[Path, typer.Option("--out", help="The npz file to write.")],
    model: Annotated[str, typer.Option("--model", help="smollm2-135m, a model of the hub, or a local folder.")] = "smollm2-135m",
    layer: Annotated[int, typer.Option("--layer", help="Which hidden states; 0 is the embedding.")] = 15,
    data: DataFolder = None,
) -> None:
    """Write the hidden-state features of a data set, with what is known of each row, to an npz file."""
    from synthmix.language.models.features import FeatureSettings, export

    found = export(name, out, FeatureSettings(layer), data, model, progress=sys.stderr.isatty())
    typer.echo(f"{out}: {' x '.join(map(str, found.values.shape))} ({found.check})")


def _pipeline(module: ModuleType, kind: type, file: str, out: Path | None, step: str | None, list_steps: bool, dry_run: bool,
              data: Path | None, as_json: bool) -> None:
    """Run, list or check the pipeline of a configuration file."""
    from synthmix.language.pipeline import config
    from synthmix.language.pipeline.steps import run, statuses
    from synthmix.language.score_panels import drawn

    settings = config.read(file, kind)
    out = out or Path("out") / "llm" / Path(file).stem
    pipeline = drawn(module.pipeline(settings))
    if dry_run or list_steps:
        wanted = pipeline.named(step)
        states = [one for one in statuses(pipeline, out) if one.step in wanted]
        _print_steps(states, module.preflight(settings, out, data) if dry_run else None, as_json)
        return
    done = run(pipeline, out, step, data=data, progress=sys.stderr.isatty(), tell=lambda line: typer.echo(line, err=True))
    counts = {one.step.name: one.record.counts for one in done}
    if as_json:
        _print_json({"folder": str(out), "counts": counts})
    elif "score" in counts:
        _print_scores(counts["score"]["points"])


def _print_steps(states: list[Status], found: list[Found] | None, as_json: bool) -> None:
    """The steps with their states; in a dry run, where something was looked for, with their settings and what they need."""
    from rich.table import Column

    from synthmix.language.pipeline.manifest import plain

    dry = found is not None
    if as_json:
        steps = [{"step": one.step.name, "state": one.state, "why": one.why, "reads": list(one.step.inputs.values()),
                  "settings": plain(one.step.settings), "counts": one.record.counts if one.record else None} for one in states]
        _print_json({"steps": steps} | ({"needs": [vars(one) for one in found], "ready": all(one.ready for one in found)} if dry else {}))
        return
    if not dry:
        _print_table(("step", "state", Column("counts", overflow="fold")),
                     [(one.step.name, one.state, one.why or _brief(one.record)) for one in states])
        return
    shown: dict[str, str] = {}
    for one in states:
        settings = json.dumps(plain(one.step.settings))
        typer.echo(f"{one.step.name} ({one.state}): {f'as {shown[settings]}' if settings in shown else settings}")
        shown.setdefault(settings, one.step.name)
    _print_table(("needs", Column("name", overflow="fold"), "for", "there", Column("where", overflow="fold")),
                 [(one.kind, one.name, one.use, _word(one.ready), one.note) for one in found])
    missing = [one.name for one in found if not one.ready]
    typer.echo(f"not ready, missing: {'; '.join(missing)}" if missing else "ready: everything is there or can be reached")


def _brief(record: Manifest | None) -> str:
    """The counts of a step that fit in a line; of those that were to come at a stated rate, whether that may be true."""
    parts = []
    for name, value in (record.counts if record else {}).items():
        if isinstance(value, int | float):
            parts.append(f"{name} {value:.6g}")
        elif isinstance(value, dict) and "stated" in value:
            parts.append(f"{name} {value['count']}/{value['of']} at {value['stated']:g}: {_word(value['holds'])}")
    return ", ".join(parts)


def _print_scores(rows: list[dict[str, object]]) -> None:
    """What a pipeline measured, a point a row, with standard errors."""
    measures = [name for name in ("accuracy", "score") if name in rows[0]]
    _print_table(("point", "kept", "proportion", *measures),
                 [(row["point"], str(row["kept"]), f"{row['proportion']:.3f}",
                   *(f"{row[name]:.4f} +- {row[f'{name}_se'] or 0:.4f}" for name in measures)) for row in rows])


@app.command()
def sweep(
    points: Annotated[int, typer.Option("--points", help="Random points of the whole parameter box.")] = 1_000_000,
    seed: Seed = 0,
    threads: Annotated[int | None, typer.Option("--threads", help="Threads (default: all).")] = None,
    as_json: Json = False,
) -> None:
    """Solve a million random points and report the largest relative residual. Exit 1 if one is not solved to 1e-12."""
    from synthmix.sims.stress import sweep as run_sweep
    from synthmix.support.progress import bar

    with bar("points", sys.stderr.isatty()) as show:
        report = run_sweep(points, _seed(seed), threads, progress=show)
    shares = {"isotropic": report.isotropic, "spectral": report.spectral}
    if as_json:
        _print_json({name: {"points": s.points, "unsolved": s.unsolved, "residual": s.residual, "rate": s.rate, "worst": s.worst}
                     for name, s in shares.items()})
    else:
        _print_table(("backend", "points", "unsolved", "largest residual", "points a second"),
                     [(name, f"{s.points:,}", str(s.unsolved), f"{s.residual:.1e}", f"{s.rate:,.0f}") for name, s in shares.items()])
    if report.unsolved:
        raise typer.Exit(FAILED)


@app.command()
def advise(
    real: Annotated[Path, typer.Option("--real", help="Labelled samples: npz with X and y, csv, parquet, or a datasets folder.")],
    label: Annotated[str | None, typer.Option("--label", help="The label column (default: label or y).")] = None,
    synthetic: Annotated[Path | None, typer.Option("--synthetic", help="Generated samples, perhaps with keep, score and truth.")] = None,
    epsilon: Annotated[str | None, typer.Option("--epsilon", help="Share of wrong labels: 0.2, or an interval 0.1:0.3.")] = None,
    rho: Annotated[str | None, typer.Option("--rho", help="Share of the wrongly labelled that the verifier keeps.")] = None,
    phi: Annotated[str | None, typer.Option("--phi", help="Share of the rightly labelled that it keeps.")] = None,
    n_hat: Annotated[int | None, typer.Option("--n-hat", help="The generator is fitted on so many other samples of each class.")] = None,
    self_fitted: Annotated[bool, typer.Option("--self-fitted", help="The generator is fitted on these real samples.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="The generator draws from the very law of the real samples.")] = False,
    budget: Annotated[int | None, typer.Option("--budget", help="The most samples to generate (default: those of the file).")] = None,
    out: Annotated[Path, typer.Option("--out", help="Where picture and record go.")] = Path("out"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Will synthetic data help on your data? How many, with what weight, and how good must the verifier be?"""
    from synthmix.advice.advise import advise as give
    from synthmix.advice.picture import save, table
    from synthmix.advice.plan import plan_of
    from synthmix.advice.tables import read

    table_of_real = read(real, label, seed=_seed(seed))
    generated = None if synthetic is None else read(synthetic, label, like=table_of_real, seed=seed)
    plan = plan_of(generated, epsilon=epsilon, rho=rho, phi=phi, n_hat=n_hat, self_fitted=self_fitted, exact=exact, budget=budget)
    advice = give(table_of_real, plan, generated, seed=seed)
    files = save(advice, plan, out)
    if as_json:
        _print_json(advice.as_dict())
        return
    _print_table(("", "advice"), table(advice))
    for line in (*advice.notes, f"{advice.verdict.upper()}. {advice.reason}", ", ".join(map(str, files))):
        typer.echo(line)


def _setting(n: int, m: int, p: int, mu: float, epsilon: float, rho: float, phi: float, gamma: float, beta: float, mu_perp: float,
             omega: float, generator: str, n_hat: int | None, estimate_mean: bool) -> Setting:
    from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier

    source = Generator(generator, n_hat, estimate_mean, beta, mu_perp)
    return Setting(n, m, p, mu, epsilon, Verifier(rho, phi), source, Ridge(gamma), omega)


def _jobs(jobs: int | None) -> int:
    from synthmix.support.errors import BadInput

    if jobs is not None and jobs < 1:
        raise BadInput(f"jobs must be at least 1, not {jobs}")
    if jobs is not None:
        return jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _proportions(text: str | None) -> tuple[float, ...] | None:
    from synthmix.support.errors import BadInput

    try:
        return None if text is None else tuple(float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"proportions are numbers with commas between them, such as 0,0.5,0.8, not {text!r}") from None


def _seed(seed: int) -> int:
    from synthmix.support.errors import BadInput

    if seed < 0:
        raise BadInput(f"seed must be at least 0, not {seed}")
    return seed


def _print_json(value: object) -> None:
    from synthmix.support.records import plain

    typer.echo(json.dumps(plain(value), allow_nan=False))


def _print_table(head: tuple[str | Column, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)  # brackets in a cell are its own


def _print_validated(done: object, verbose: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from synthmix.figures.kit.validate import summary

    console = Console()
    table = Table("claim", "kind", "count", "tolerance used", "holds", title=f"Figure {done.name}: {done.title}", title_justify="left")
    for what, kind, count, used, holds in summary(done.claims):
        table.add_row(what, kind, str(count), f"{used:.0%}" if 0 <= used < math.inf else "-", _word(holds))
    console.print(table)
    shown = done.claims if verbose else [claim for claim in done.claims if not claim.holds]
    if shown:
        table = Table("claim", "kind", "theory", "measured", "SE", "tolerance", "holds")
        for claim in shown:
            numbers = (f"{value:.5g}" for value in (claim.theory, claim.measured, claim.se, claim.tolerance))
            table.add_row(claim.name, claim.kind, *numbers, _word(claim.holds))
        console.print(table)
    count = sum(claim.holds for claim in done.claims)
    console.print(f"{count} of {len(done.claims)} claims hold; {done.seconds:.1f} s; {', '.join(map(str, done.files))}", soft_wrap=True)


def _word(holds: bool) -> str:
    return "yes" if holds else "NO"


def main() -> None:
    """Run the command line; whatever is wrong with the input is one line and exit code 2."""
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        code = app(standalone_mode=False) or 0
        if code == INTERRUPTED:  # newer versions of Typer return it instead of raising
            raise KeyboardInterrupt
        sys.exit(code)
    except UsageProblem as error:
        _fail(error.format_message(), BAD_USE)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted; the same command goes on where it stopped", INTERRUPTED)
    except (ValueError, RuntimeError, OSError) as error:
        from synthmix.support.errors import BadInput, NotConverged

        if isinstance(error, BadInput):
            _fail(str(error), BAD_USE)
        if isinstance(error, NotConverged):
            _fail(str(error), FAILED)
        raise


def _fail(message: str, code: int) -> None:
    typer.echo("error: " + " ".join(message.split()), err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
