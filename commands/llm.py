"""llm: the two published language-model pipelines, and features of a small model."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Cluster, DataFolder, Json, checked_jobs, grouped
from .output import print_json, print_table, yes_or_no

if TYPE_CHECKING:
    from types import ModuleType

    from ..language.pipeline.engine import Status
    from ..language.pipeline.manifest import Manifest
    from ..language.pipeline.preflight import Requirement

app = typer.Typer(rich_markup_mode=None, help="Language models: the two published pipelines, and features.")


@dataclass(frozen=True)
class PipelineOptions:
    """The options of a pipeline's command."""

    config: Annotated[str, typer.Option("--config", help="A TOML file, or the name of a packaged one: safety- or qa- and then toy, lora "
                                                         "or paper, such as safety-toy.")]
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the results of the steps (default: out/llm/NAME, NAME the "
                                                           "configuration's).")] = None
    step: Annotated[str | None, typer.Option("--step", help="Run only this step, or every step of this kind, such as tune.")] = None
    list_steps: Annotated[bool, typer.Option("--list", help="List the steps and their states; run nothing.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print every step with its settings, and which packages, models and data are "
                                                            "missing; run nothing.")] = False
    data: DataFolder = None
    jobs: Annotated[int, typer.Option("--jobs", callback=checked_jobs, help="How many steps run at once, in processes of their own; "
                                                                          "without GPUs set OMP_NUM_THREADS=1.")] = 1
    processes: Annotated[int | None, typer.Option("--processes", help="How many processes share each tuning, started by accelerate "
                                                                      "(default: one a GPU).")] = None
    cluster: Cluster = None
    as_json: Json = False


@app.command("safety")
@grouped
def llm_safety(options: PipelineOptions) -> None:
    """Run the paper's safety-alignment pipeline (figure 8).

    Steps: prepare, split, swap, prune, accumulate, tune with IPO, generate, judge, score, draw. Steps that are done are not run again.
    """
    from ..language.safety import configuration as safety

    _pipeline(safety, safety.Safety, options)


@app.command("qa")
@grouped
def llm_qa(options: PipelineOptions) -> None:
    """Run the paper's question-answer pipeline (figure 9).

    Steps: prepare, questions, label, verify, select, accumulate, tune, evaluate, score, draw. Steps that are done are not run again.
    """
    from ..language.qa import configuration as qa

    _pipeline(qa, qa.QA, options)


@app.command("features")
def llm_features(
    name: Annotated[str, typer.Argument(help="The data set: hh_rlhf or xstest.")],
    out: Annotated[Path, typer.Option("--out", help="The npz file to write.")],
    model: Annotated[str, typer.Option("--model", help="smollm2-135m, a model of the hub, or a local folder.")] = "smollm2-135m",
    layer: Annotated[int, typer.Option("--layer", help="The layer whose hidden states are the features; 0 is the embedding.")] = 15,
    data: DataFolder = None,
) -> None:
    """Write hidden states of a language model to an npz file.

    One row for each text of a data set; those of xstest come with their prompts, models and labels.
    """
    from ..language.models.features import FeatureSettings, export

    found = export(name, out, FeatureSettings(layer), data, model, progress=sys.stderr.isatty())
    typer.echo(f"{out}: {' x '.join(map(str, found.values.shape))} ({found.check})")


def _pipeline(module: ModuleType, kind: type, options: PipelineOptions) -> None:
    """Run, list or check the pipeline of a configuration file."""
    from ..language.pipeline import config
    from ..language.pipeline.engine import run, statuses
    from ..language.score_panels import drawn
    from ..support.cluster import cluster as connected

    settings = config.read(options.config, kind)
    out = options.out or Path("out") / "llm" / Path(options.config).stem
    pipeline = drawn(module.pipeline(settings))
    if options.dry_run or options.list_steps:
        wanted = pipeline.named(options.step)
        states = [one for one in statuses(pipeline, out) if one.step in wanted]
        _print_steps(states, module.preflight(settings, out, options.data) if options.dry_run else None, options.as_json)
        return
    with connected(options.cluster):
        done = run(pipeline, out, options.step, data=options.data, progress=sys.stderr.isatty(),
                   tell=lambda line: typer.echo(line, err=True), jobs=options.jobs, processes=options.processes)  # fmt: skip
    counts = {one.step.name: one.record.counts for one in done}
    if options.as_json:
        print_json({"folder": str(out), "counts": counts})
    elif "score" in counts:
        _print_scores(counts["score"]["points"])


def _print_steps(states: list[Status], found: list[Requirement] | None, as_json: bool) -> None:
    """Print the steps with their states; in a dry run (`found` is given) with their settings and what they need."""
    from rich.table import Column

    from ..language.pipeline.manifest import plain

    dry = found is not None
    if as_json:
        steps = [{"step": one.step.name, "state": one.state, "why": one.why, "reads": list(one.step.inputs.values()),
                  "settings": plain(one.step.settings), "counts": one.record.counts if one.record else None}
                 for one in states]  # fmt: skip
        print_json({"steps": steps} | ({"needs": [vars(one) for one in found], "ready": all(one.ready for one in found)} if dry else {}))
        return
    if not dry:
        print_table(("step", "state", Column("counts", overflow="fold")),
                    [(one.step.name, one.state, one.why or _brief(one.record)) for one in states])  # fmt: skip
        return
    shown: dict[str, str] = {}
    for one in states:
        settings = json.dumps(plain(one.step.settings))
        typer.echo(f"{one.step.name} ({one.state}): {f'as {shown[settings]}' if settings in shown else settings}")
        shown.setdefault(settings, one.step.name)
    print_table(("needs", Column("name", overflow="fold"), "for", "there", Column("where", overflow="fold")),
                [(one.kind, one.name, one.use, yes_or_no(one.ready), one.note) for one in found])  # fmt: skip
    missing = [one.name for one in found if not one.ready]
    typer.echo(f"not ready, missing: {'; '.join(missing)}" if missing else "ready: everything is there or can be reached")


def _brief(record: Manifest | None) -> str:
    """The counts of a step that fit in a line; for a count with a stated rate, whether the rate may be true."""
    parts = []
    for name, value in (record.counts if record else {}).items():
        if isinstance(value, int | float):
            parts.append(f"{name} {value:.6g}")
        elif isinstance(value, dict) and "stated" in value:
            parts.append(f"{name} {value['count']}/{value['of']} at {value['stated']:g}: {yes_or_no(value['holds'])}")
    return ", ".join(parts)


def _print_scores(rows: list[dict[str, object]]) -> None:
    """Print what a pipeline measured, a point a row, with intervals that cover the true shares with a confidence of 95%."""
    from ..language.shares import Share

    measures = [name for name in ("accuracy", "score") if name in rows[0]]
    print_table(("point", "kept", "proportion", *measures),
                [(row["point"], str(row["kept"]), f"{row['proportion']:.3f}",
                  *(str(Share.read(row, name)) for name in measures)) for row in rows])  # fmt: skip
