"""What fine-tuning measured, as data files that a figure draws beside the theory, and what is claimed of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from ...language.gains import Gain
from ...language.shares import Share
from ...language.tuned_scores import REAL, PointScores, TunedScores
from .claims import Claim, at_least, at_most


def tuned(name: str) -> tuple[TunedScores, dict[str, object]]:
    """Return scores and theory of figures/tuned/NAME.json, which is the record of a figure at the scale lora, as `validate` wrote it."""
    record = json.loads(resources.files("synthmix.figures").joinpath("tuned", f"{name}.json").read_text())["extra"]
    scores = TunedScores(
        points=tuple(_point(one) for one in record["measured"]),
        judge=None,
        folder=Path(record["folder"]),
        gains=tuple(Gain(**_fields(one)) for one in record["gains"]),
        repeats=record["repeats"],
    )
    return scores, record["frozen features"]


def tuned_claims(scores: TunedScores) -> list[Claim]:
    """Claim the orderings, where there was more than one run: a single one is a measurement.

    The first of two verifiers is the better; it gains on real data alone, unless the labels that it keeps carry no signal (lambda = 0).

    Parameters
    ----------
    scores : TunedScores
    """
    if scores.repeats == 1:
        return []
    claims = []
    for one in scores.gains:
        noise = "" if one.epsilon is None else f", epsilon={one.epsilon:g}"
        if one.over != REAL:
            claims.append(at_least(f"{one.of} above {one.over} by two standard errors{noise}", one.mean, 2 * one.se, one.se))
        elif one.signal == 0:
            claims.append(at_most(f"no gain within two standard errors where lambda = 0{noise}, {one.of}", one.mean, 2 * one.se, one.se))
        else:
            claims.append(at_least(f"a gain above two standard errors{noise}, {one.of}", one.mean, 2 * one.se, one.se))
    return claims


def _point(values: Mapping[str, object]) -> PointScores:
    shares = {name: Share(**values[name]) for name in ("accuracy", "score") if values[name] is not None}
    return PointScores(**{**_fields(values), **shares})


def _fields(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name != "kind"}
