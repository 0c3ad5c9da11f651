"""Panels of the figures on real data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..experiments.compared import Compared
from ..experiments.real import SUPERVISION, MixResult

WITHIN = 0.015  # what a predicted accuracy may be off by
MARKERS = ("o", "s", "D", "^", "v")
KEY = {"theory": "predicted as measured", "guide": f"{100 * WITHIN:g} points off", "|": "2 SE"}


def _groups(results: Sequence[Compared]) -> list[tuple[str, list[int]]]:
    """Name and places of the results of every kind of data, in order of appearance."""
    names = [one.group for one in results]
    return [(name, [i for i, other in enumerate(names) if other == name]) for name in dict.fromkeys(names)]


def accuracies(results: Sequence[Compared]) -> Panel:
    """Predicted against measured accuracy, with the tolerance around the diagonal."""
    everything = [value for one in results for value in (one.predicted, one.accuracy.mean)]
    ends = np.array([min(everything) - 0.01, max(everything) + 0.01])
    marks = [Line("", ends, ends, 5), *(Line("", ends, ends + shift, 5, "guide") for shift in (-WITHIN, WITHIN))]
    for color, (name, places) in enumerate(_groups(results)):
        group = [results[i] for i in places]
        measured = [one.accuracy for one in group]
        marks.append(Points(name, np.array([one.predicted for one in group]), np.array([one.mean for one in measured]),
                            np.array([one.se for one in measured]), color, MARKERS[color % len(MARKERS)]))
    return Panel(f"{len(results)} settings", "predicted accuracy", "measured held-out accuracy", marks, key=KEY)


def residuals(results: Sequence[Compared]) -> Panel:
    """Predicted less measured accuracy of every setting."""
    ends = np.array([0.5, len(results) + 0.5])
    marks = [Line("", ends, np.full(2, shift), 5, "guide" if shift else "theory") for shift in (-100 * WITHIN, 0.0, 100 * WITHIN)]
    for color, (name, places) in enumerate(_groups(results)):
        group = [results[i] for i in places]
        marks.append(Points(name, np.array(places) + 1.0, np.array([100 * one.residual for one in group]),
                            np.array([100 * one.accuracy.se for one in group]), color, MARKERS[color % len(MARKERS)]))
    return Panel("residuals", "setting, data set after data set", "predicted less measured, points", marks, key=KEY)


def reasons(results: Sequence[Compared]) -> Panel:
    """Residuals against their part that comes from the shape of the scores."""
    largest = 100 * max(max(abs(one.of_shape), abs(one.residual)) for one in results)
    ends = np.array([-largest, largest])
    marks = [Line("", ends, ends, 5), Line("", ends, np.zeros(2), 5, "guide")]
    for color, (name, places) in enumerate(_groups(results)):
        group = [results[i] for i in places]
        marks.append(Points(name, np.array([100 * one.of_shape for one in group]), np.array([100 * one.residual for one in group]),
                            np.zeros(len(group)), color, MARKERS[color % len(MARKERS)]))
    return Panel("where residuals come from", "part from the shape of the scores, points", "predicted less measured, points", marks,
                 key={"theory": "all from the shape", "guide": "no residual"})  # fmt: skip


def curves(results: Sequence[MixResult]) -> Panel:
    """Accuracy over the proportion of synthetic data, as in the left panel of figure 7."""
    marks = []
    for color, (verifier, name) in enumerate(SUPERVISION.items()):
        group = [one for one in results if one.mix.verifier == verifier or not one.mix.m]
        x = np.array([one.mix.m / (one.mix.n + one.mix.m) for one in group])
        measured = [one.accuracy for one in group]
        marks += [Line("", x, np.array([one.predicted for one in group]), color),
                  Points(name, x, np.array([one.mean for one in measured]), np.array([one.se for one in measured]), color)]
    return Panel("ten classes, settings of figure 7 (left): theory and ridge", "proportion of synthetic data", "test accuracy", marks,
                 key={"theory": "theory", "o": "measured, 2 SE"})
