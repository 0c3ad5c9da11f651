"""Panels as they are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.drawing.panels import Line, Panel, Points, draw

X = np.array([0.0, 0.5, 1.0])


def test_legends_lie_under_the_axes() -> None:
    marks = [Line("a", X, X), Points("b", X, X, X, 1)]
    panels = [Panel("", "x", "y", marks, key={"theory": "theory", "band": "2 SE"}), Panel("", "x", "y", [Line("c", X, X)])]
    sheet = draw("t", panels, 2, ["a note"])
    for ax in sheet.axes:
        legend, label = ax.get_legend().get_window_extent(), ax.xaxis.label.get_window_extent()
        assert legend.y1 <= label.y0 + 1 and legend.y0 >= 0
    shared = draw("t", [panels[0], panels[0]], 2)
    assert [text.get_text() for text in shared.legends[0].get_texts()] == ["a", "b", "theory", "2 SE"]
    assert all(ax.get_legend() is None for ax in shared.axes)


def test_gains_of_both_signs_are_drawn_on_a_scale_with_plain_numbers() -> None:
    y = np.array([-40.0, 0.0, 2.0])
    sheet = draw("t", [Panel("gains", "x", "points", [Points("a", X, y, np.ones(3))], yscale="symlog", key={"guide": "none"})], 1)
    ax = sheet.axes[0]
    ticks = {one.get_text().replace("\u2212", "-") for one in ax.get_yticklabels()}
    assert ax.get_yscale() == "symlog" and {"-30", "-1", "0", "1"} <= ticks
    assert [one.get_text() for one in ax.get_legend().get_texts()] == ["a", "none"]


@pytest.mark.parametrize(("low", "high", "ticks"), [
    (0.17, 0.45, [0.2, 0.3, 0.4]), (0.15, 2.5, [0.2, 0.5, 1, 2]), (70, 310, [100, 200, 300]), (1.02, 1.09, [1.02, 1.04, 1.06, 1.08]),
])  # fmt: skip
def test_short_logarithmic_axes_have_plain_numbers(low: float, high: float, ticks: list[float]) -> None:
    sheet = draw("t", [Panel("", "x", "y", [Line("", np.array([low, high]), np.array([low, high]))], xscale="log", yscale="log",
                             xlim=(low, high), ylim=(low, high))], 1)  # fmt: skip
    sheet.canvas.draw()
    for axis in (sheet.axes[0].xaxis, sheet.axes[0].yaxis):
        words = [one.get_text() for one in axis.get_ticklabels(which="both") if one.get_text()]
        assert words == [f"{tick:g}" for tick in ticks]


def test_two_powers_of_ten_and_more_stay_powers() -> None:
    sheet = draw("t", [Panel("", "x", "y", [Line("", np.array([0.05, 2.0]), np.array([1e-4, 1.0]))], xscale="log", yscale="log")], 1)
    sheet.canvas.draw()
    for axis in (sheet.axes[0].xaxis, sheet.axes[0].yaxis):
        assert "10^" in "".join(one.get_text() for one in axis.get_ticklabels())


def test_places_with_names() -> None:
    sheet = draw("t", [Panel("", "", "y", [Points("", np.arange(3), X, X)], xnames=("a", "b", "c"))], 1)
    assert [one.get_text() for one in sheet.axes[0].get_xticklabels()] == ["a", "b", "c"]


def test_a_panel_with_all_entries_has_the_legend_of_the_sheet() -> None:
    marks = [Line("a", X, X), Line("b", X, X, 1)]
    sheet = draw("t", [Panel("", "x", "y", marks), Panel("", "x", "y", marks[:1]), Panel("", "x", "y", [])], 3)
    assert [text.get_text() for text in sheet.legends[0].get_texts()] == ["a", "b"]
    apart = draw("t", [Panel("", "x", "y", marks[1:]), Panel("", "x", "y", marks[:1])], 2)
    assert not apart.legends and all(ax.get_legend() for ax in apart.axes)
