"""Panels as they are drawn."""

from __future__ import annotations

import numpy as np

from synthmix.drawing.panels import Line, Panel, Points, draw

X = np.array([0.0, 0.5, 1.0])


def test_legends_lie_under_the_axes() -> None:
    marks = [Line("a", X, X), Points("b", X, X, X, 1)]
    panels = [Panel("", "x", "y", marks, key={"theory": "theory", "band": "2 SE"}), Panel("", "x", "y", marks)]
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
