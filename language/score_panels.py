"""The picture of what a pipeline of language models measured: the last step of the command, after `score`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..drawing.panels import draw
from ..support.files import replacing
from .pipeline import manifest
from .pipeline.engine import Counts, Pipeline, Step, Work
from .tuned_panels import tuned_panels
from .tuned_scores import read_scores


def drawn(pipeline: Pipeline) -> Pipeline:
    """The pipeline with a step `draw` behind `score`."""
    return replace(pipeline, steps=(*pipeline.steps, Step("draw", _draw, {"title": pipeline.title}, {"score": "score"})))


def _draw(work: Work, settings: Mapping[str, str]) -> Counts:
    folder = work.inputs["score"]
    scores = read_scores(manifest.read(folder).counts, folder.parent)
    panels = tuned_panels(scores)
    figure = draw(settings["title"], panels, columns=min(2, len(panels)))
    for suffix in (".png", ".pdf"):
        with replacing(work.out / f"scores{suffix}") as beside:
            figure.savefig(beside, dpi=150)
    return {"panels": len(panels), "points": len(scores.points)}
