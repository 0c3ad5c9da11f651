"""What a figure shows, as data: panels of marks. Drawing them and writing them down need nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0b6e8f", "#d1495b", "#edae49", "#3a7d44", "#6a4c93", "#444444")
Style = Literal["theory", "published", "guide"]
LINES = {"theory": {"lw": 1.8}, "published": {"lw": 1.3, "ls": (0, (4, 2)), "alpha": 0.85}, "guide": {"lw": 0.9, "ls": ":", "alpha": 0.9}}


@dataclass(frozen=True)
class Line:
    """A curve; spread: half-width of a band around it."""

    label: str
    x: np.ndarray
    y: np.ndarray
    color: int = 0
    style: Style = "theory"
    spread: np.ndarray | None = None


@dataclass(frozen=True)
class Points:
    """Measured points with standard errors."""

    label: str
    x: np.ndarray
    y: np.ndarray
    se: np.ndarray
    color: int = 0
    marker: str = "o"


@dataclass(frozen=True)
class Histogram:
    """Measured densities between edges."""

    label: str
    edges: np.ndarray
    heights: np.ndarray
    color: int = 0


@dataclass(frozen=True)
class Images:
    """Rows of grey pictures; rows (R, C, height, width), one name a row."""

    names: tuple[str, ...]
    rows: np.ndarray

    def record(self) -> dict[str, object]:
        """What is written down of it: not the pictures themselves."""
        return {"mark": "Images", "names": self.names, "shape": self.rows.shape}


Mark = Line | Points | Histogram | Images


@dataclass(frozen=True)
class Panel:
    """One set of axes."""

    title: str
    xlabel: str
    ylabel: str
    marks: Sequence[Mark]
    xscale: str = "linear"
    yscale: str = "linear"
    ylim: tuple[float | None, float | None] = (None, None)
    xlim: tuple[float | None, float | None] = (None, None)
    legend: bool = field(default=True)

    def record(self) -> dict[str, object]:
        """What is written down of it: titles and marks, not how it is drawn."""
        return {"title": self.title, "x": self.xlabel, "y": self.ylabel, "marks": self.marks}


def draw(title: str, panels: Sequence[Panel], columns: int) -> Figure:
    """The panels as a Matplotlib figure, `columns` a row."""
    import matplotlib
    from matplotlib.figure import Figure as Sheet  # not pyplot: nothing is shown, and it takes longer to import

    style = {"font.family": "serif", "mathtext.fontset": "cm", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
             "axes.grid": True,
             "grid.alpha": 0.25, "grid.linewidth": 0.5, "legend.frameon": False, "legend.fontsize": 8, "axes.titlesize": 10}
    rows = -(-len(panels) // columns)
    with matplotlib.rc_context(style):
        figure = Sheet(figsize=(4.3 * columns, 3.3 * rows + 0.3), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for ax, panel in zip(axes.flat, panels, strict=False):
            _draw_panel(ax, panel)
        for ax in axes.flat[len(panels) :]:
            ax.set_visible(False)
        figure.suptitle(title, fontsize=11)
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine("none")  # laid out once, not again for every file
    return figure


def _draw_panel(ax: Axes, panel: Panel) -> None:
    # before the marks: setting a scale takes away ticks that a mark has set
    ax.set(title=panel.title, xlabel=panel.xlabel, ylabel=panel.ylabel, xscale=panel.xscale, yscale=panel.yscale)
    for mark in panel.marks:
        _DRAW[type(mark)](ax, mark)
    ax.set_ylim(*panel.ylim)
    ax.set_xlim(*panel.xlim)
    if panel.legend and ax.get_legend_handles_labels()[0]:
        ax.legend()


def _line(ax: Axes, line: Line) -> None:
    color = COLORS[line.color % len(COLORS)]
    ax.plot(line.x, line.y, color=color, label=line.label or None, **LINES[line.style])
    if line.spread is not None:
        ax.fill_between(line.x, line.y - line.spread, line.y + line.spread, color=color, alpha=0.15, lw=0)


def _points(ax: Axes, points: Points) -> None:
    color = COLORS[points.color % len(COLORS)]
    ax.errorbar(points.x, points.y, yerr=2 * points.se, fmt=points.marker, ms=3.6, mfc="white", mew=1.1, color=color, elinewidth=0.9,
                label=points.label or None, zorder=3)


def _histogram(ax: Axes, histogram: Histogram) -> None:
    ax.stairs(histogram.heights, histogram.edges, fill=True, alpha=0.3, color=COLORS[histogram.color % len(COLORS)],
              label=histogram.label or None)


def _images(ax: Axes, images: Images) -> None:
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in images.rows], axis=0)
    height = images.rows.shape[2]
    ax.imshow(sheet, cmap="gray_r", interpolation="nearest")
    ax.set_yticks([height * (i + 0.5) for i in range(len(images.names))], images.names)
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
    ax.grid(False)


_DRAW = {Line: _line, Points: _points, Histogram: _histogram, Images: _images}
