"""Every preset of the page draws the curves of its figure: theory and published formula, as the figure's record has them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from synthmix.drawing.panels import Line, Panel
from synthmix.explorer.presets import Preset, presets
from synthmix.figures import figure2, figure3, figure4
from synthmix.figures.kit.run import Run

FORMULAS = ("rederived", "published")


@dataclass(frozen=True)
class Drawn:
    """A curve of a figure: x in the units of the page's axis, and the heights of theory and published formula (None: not drawn)."""

    x: np.ndarray
    heights: tuple[np.ndarray | None, np.ndarray | None]


def lines(panel: Panel) -> list[Line]:
    return [mark for mark in panel.marks if isinstance(mark, Line) and mark.style != "guide"]


def figure_2() -> Iterator[Drawn]:
    s = replace(figure2.FULL, measured=((50, 2),))
    for panel in figure2.build(s, Run()).panels:
        drawn = lines(panel)
        for theory, published in zip(drawn[::2], drawn[1::2], strict=True):
            yield Drawn(np.rint(theory.x * s.n), (theory.y, published.y))


def figure_3() -> Iterator[Drawn]:
    s = replace(figure3.FULL, proportions=(0.001, 0.95), trials=(2,), power_trials=2)
    for panel in figure3.build(s, Run()).panels:
        drawn = lines(panel)
        for theory, published in zip(drawn[::2], drawn[1::2], strict=True):
            yield Drawn(np.rint(s.n * theory.x / (1 - theory.x)), (theory.y, published.y))


def figure_4() -> Iterator[Drawn]:
    s = replace(figure4.FULL, epsilons=(0.2,), trials=2, companion_epsilons=(0.2,), companion_trials=2)
    accuracies, *variances = figure4.build(s, Run()).panels
    for line in lines(accuracies):
        yield Drawn(line.x, (line.y, None))
    for panel in variances:
        theory, published = lines(panel)
        yield Drawn(theory.x, (theory.y, published.y))


def curve(run: Callable[[str], object], preset: Preset, x: np.ndarray, formula: str) -> list[float | None]:
    """What the page draws at x; null is None."""
    axis, quantity = preset.view.get("axis", "epsilon"), preset.view.get("quantity", "accuracy")
    setting = json.dumps({"omega": 1.0, "generator": "exact", **preset.state})
    return run(f"{json.dumps(x.tolist())}.map(x => predict({{...{setting}, {axis}: x}}, '{formula}')?.{quantity} ?? null)")


@pytest.mark.parametrize("name, figure", [("figure 2", figure_2), ("figure 3", figure_3), ("figure 4", figure_4)])
def test_presets_draw_what_their_figure_draws(run: Callable[[str], object], name: str, figure: Callable[[], Iterator[Drawn]]) -> None:
    chosen, drawn = [preset for preset in presets() if preset.name.startswith(f"{name}:")], list(figure())
    assert len(chosen) == len(drawn)
    for preset, one in zip(chosen, drawn, strict=True):
        for formula, heights in zip(FORMULAS, one.heights, strict=True):
            if heights is None:
                continue
            found = curve(run, preset, one.x, formula)
            assert any(value is not None for value in found)
            for value, wanted in zip(found, heights, strict=True):
                missing = math.isnan(wanted)
                assert (value is None) == missing, preset.name
                assert missing or value == pytest.approx(wanted, rel=1e-9), preset.name
