"""Panels of the figure that tests the advice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..experiments.back_test_result import ScenarioResult

WITHIN = 0.015  # what a predicted accuracy may be off by
MARKERS = ("o", "s", "D", "^", "v")
NUMBERED = "scenario, by its number below"


def accuracies(results: Sequence[ScenarioResult], order: Sequence[str]) -> Panel:
    """Predicted against realised accuracy, with the tolerance around the diagonal."""
    values = [value for one in results for value in (one.predicted, one.realised)]
    ends = np.array([min(values) - 0.01, max(values) + 0.01])
    marks = [Line("", ends, ends, 5), *(Line("", ends, ends + shift, 5, "guide") for shift in (-WITHIN, WITHIN))]
    for color, name, places in _groups(results, order):
        own = [results[i] for i in places]
        marks.append(Points(name, np.array([one.predicted for one in own]), np.array([one.realised for one in own]),
                            np.array([one.residual_se for one in own]), color, MARKERS[color % len(MARKERS)]))
    return Panel(f"{len(results)} scenarios", "predicted accuracy", "realised on the test set", marks,
                 key={"theory": "as predicted", "guide": f"{100 * WITHIN:g} points off", "|": "2 SE"})  # fmt: skip


def gains(results: Sequence[ScenarioResult]) -> Panel:
    """Predicted against realised gain of every user, by verdict."""
    told = {"helps": (3, "o"), "hurts": (1, "s"), "too close to call": (0, "D"), "depends on the verifier": (2, "^"),
            "depends on the generator": (4, "v")}
    marks = []
    for word, (color, marker) in told.items():
        own = [(100 * one.predicted_gain, *result.gain(one)) for result in results for one in result.advices if one.verdict == word]
        if own:
            x, y, se = np.array(own).T
            marks.append(Points(word, x, 100 * y, 100 * se, color, marker))
    ends = np.array([min(mark.x.min() for mark in marks), max(mark.x.max() for mark in marks)])
    return Panel("every user, by verdict", "predicted gain, points", "realised gain, points", [Line("", ends, ends, 5, "guide"), *marks],
                 xscale="symlog", yscale="symlog", key={"guide": "as predicted", "|": "2 SE"})  # fmt: skip


def changes(results: Sequence[ScenarioResult]) -> Panel:
    """Gain over no synthetic data by following the advice, and by using everything."""
    marks = [Line("", _ends(results), np.zeros(2), 5, "guide")]
    done = {"following the advice": [one.change for one in results], "everything, with weight 1": [one.everything for one in results]}
    for color, (name, values) in enumerate(done.items()):
        change, se = 100 * np.array(values).T
        marks.append(Points(name, np.arange(len(results)) + 1.0, change, se, color, MARKERS[color % len(MARKERS)]))
    return Panel("against no synthetic data", NUMBERED, "gain in accuracy, points", marks, yscale="symlog",
                 key={"|": "2 SE"})


def regrets(results: Sequence[ScenarioResult], order: Sequence[str]) -> Panel:
    """Regret of every scenario against the best of the grid."""
    ends = _ends(results)
    rivals = np.array([100 * one.regret_of_cross_validation for one in results])
    marks = [Line("", ends, np.full(2, 100 * np.mean([one.regret for one in results])), 5), Line("", ends, np.zeros(2), 5, "guide"),
             Points("cross-validation", np.arange(len(results)) + 1.0, rivals, np.zeros(len(results)), 5, "x")]
    for color, name, places in _groups(results, order):
        own = np.array([100 * results[i].regret for i in places])
        marks.append(Points(name, np.array(places) + 1.0, own, np.zeros(len(places)), color, MARKERS[color % len(MARKERS)]))
    return Panel("against the best of the grid", NUMBERED, "regret, points", marks, key={"theory": "mean", "guide": "the best"})


def numbers(results: Sequence[ScenarioResult]) -> list[str]:
    """Which scenarios the numbers stand for, a line for each data set and number of real samples."""
    found: dict[str, list[str]] = {}
    for number, one in enumerate(results, 1):
        data, n, *rest = one.scenario.name.split(", ", 2)
        found.setdefault(f"{data}, {n}", []).append(f"({number}) {rest[0]}")
    return [f"{data}: {'; '.join(kinds)}" for data, kinds in found.items()]


def _ends(results: Sequence[ScenarioResult]) -> np.ndarray:
    """Of a line over all scenarios."""
    return np.array([0.5, len(results) + 0.5])


def _groups(results: Sequence[ScenarioResult], order: Sequence[str]) -> list[tuple[int, str, list[int]]]:
    """Color, name and places of the results of every kind of data; colors follow the order of titles, then of appearance."""
    titles = [one.scenario.data.task.title for one in results]
    found = []
    for color, title in enumerate(dict.fromkeys((*order, *titles))):
        places = [i for i, own in enumerate(titles) if own == title]
        pairs = places and all(results[i].scenario.data.pair for i in places)
        found.append((color, f"{title} pairs" if pairs else title, places))
    return [group for group in found if group[2]]
