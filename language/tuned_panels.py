"""Panels of the scores of fine-tuned models (language/tuned_scores.py): figures 8 and 9 at the scales lora and paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..drawing.panels import Panel, Points
from .shares import Share

if TYPE_CHECKING:
    from .tuned_scores import PointScores, TunedScores

Quantity = Literal["accuracy", "score"]
YLABELS: Mapping[Quantity, str] = {"accuracy": "held-out accuracy", "score": "share of answers judged safe"}


def tuned_panels(scores: TunedScores) -> list[Panel]:
    """Return a panel for every model, label noise and measured quantity: a series for every verifier, real data alone at its beginning.

    Parameters
    ----------
    scores : TunedScores
    """
    points, panels = scores.points, []
    synthetic = [one for one in points if one.verifier is not None]
    for quantity in YLABELS:
        if any(getattr(one, quantity) is None for one in points):
            continue
        for model, epsilon in dict.fromkeys((one.model, one.epsilon) for one in synthetic or points):
            alone = [one for one in points if one.verifier is None and one.model == model]
            own = [one for one in synthetic if one.model == model and one.epsilon == epsilon]
            noise = "" if epsilon is None else rf", $\varepsilon$ = {epsilon:.2g}"
            panels.append(Panel(f"measured: {model}{noise}", "proportion of synthetic data", YLABELS[quantity],
                                _series(alone, own, quantity)))
    return panels


def _series(alone: list[PointScores], own: list[PointScores], quantity: Quantity) -> list[Points]:
    marks = []
    for color, verifier in enumerate(dict.fromkeys(one.verifier for one in own) or (None,)):
        group = sorted((*alone, *(one for one in own if one.verifier == verifier)), key=lambda one: one.proportion)
        shares: list[Share] = [getattr(one, quantity) for one in group]
        y, *ends = np.array(shares).T
        marks.append(Points(verifier or "real data alone", np.array([one.proportion for one in group]), y, (ends[1] - ends[0]) / 4, color,
                            ends=np.array(ends)))  # fmt: skip
    return marks


def as_record(scores: TunedScores, scale: str) -> dict[str, object]:
    """Return the scores for the record of a figure.

    Parameters
    ----------
    scores : TunedScores
    scale : str
        lora or paper.
    """
    return {"scale": scale, "repeats": scores.repeats, "measured": scores.points, "gains": scores.gains,
            "error of the judge": scores.judge, "folder": scores.folder.name}
