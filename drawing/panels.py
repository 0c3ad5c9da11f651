"""What a figure shows, as data: panels of marks. Drawing them and writing them down need nothing else."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from .ticks import plain_ticks, set_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072b2", "#d55e00", "#dba400", "#009e73", "#8f5aa8", "#444444")  # told apart by colour-blind readers too
NEUTRAL = 5  # the colour of guides, and of what a legend says of all colours
Style = Literal["theory", "alternative", "published", "joined", "guide"]
LINES = {
    "theory": {"lw": 1.8},
    "alternative": {"lw": 1.4, "ls": (0, (6, 2))},
    "published": {"lw": 1.3, "ls": (0, (3, 1.5)), "alpha": 0.9},
    "joined": {"lw": 0.9, "alpha": 0.7},
    "guide": {"lw": 0.9, "ls": ":", "alpha": 0.9},
}
MARKER = {"ms": 3.6, "mfc": "white", "mew": 1.1}
FOOT = 0.46  # inches from the axes to a legend under them: tick labels and the axis label lie between
LEGEND_ROW, NOTE_ROW = 0.17, 0.16  # inches


@dataclass(frozen=True)
class Line:
    """A curve. Where y is nan it has a gap.

    Attributes
    ----------
    label : str
        In the legend; "" for none.
    x, y : arrays (k,)
        The curve.
    color : int
        Place in COLORS.
    style : Style
        theory; alternative: another theory; published: the paper's formula or values; joined: between measured points, to lead the eye;
        guide: a mark such as zero, of no data.
    spread : array (k,), optional
        Half-width of a band around it.
    curve : str
        The curve's name in tables, where it is not the label of the marks of its colour.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    color: int = 0
    style: Style = "theory"
    spread: np.ndarray | None = None
    curve: str = ""


@dataclass(frozen=True)
class Points:
    """Measured points; bars of two standard errors are drawn, or of the intervals that are given.

    Attributes
    ----------
    label, color, curve
        As in `Line`.
    x, y, se : arrays (k,)
        Places, values and their standard errors.
    marker : str
        Of Matplotlib.
    ends : array (2, k), optional
        The lower and the upper ends of intervals.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    se: np.ndarray
    color: int = 0
    marker: str = "o"
    curve: str = ""
    ends: np.ndarray | None = None


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
        """Return what is written down of it: not the pictures themselves."""
        return {"mark": "Images", "names": self.names, "shape": self.rows.shape}


Mark = Line | Points | Histogram | Images


@dataclass(frozen=True)
class Panel:
    """A set of axes, with a legend under them.

    Attributes
    ----------
    title, xlabel, ylabel : str
        Words on the axes.
    marks : sequence of marks
        In the order of drawing.
    xscale, yscale : str
        Of Matplotlib. symlog: linear between -1 and 1, a logarithm beyond.
    ylim, xlim : pairs
        Ends of the axes; None: what the marks need.
    key : mapping
        What line styles (`Style`, "band") and markers ("|": bars of errors) stand for, whatever their colour: shown in grey after the
        marks' own labels.
    xnames : sequence of str
        Names at x = 0, 1, 2 and so on, in place of numbers.
    """

    title: str
    xlabel: str
    ylabel: str
    marks: Sequence[Mark]
    xscale: str = "linear"
    yscale: str = "linear"
    ylim: tuple[float | None, float | None] = (None, None)
    xlim: tuple[float | None, float | None] = (None, None)
    key: Mapping[str, str] = field(default_factory=dict)
    xnames: Sequence[str] = ()

    def record(self) -> dict[str, object]:
        """Return what is written down of it: titles, marks and what they stand for, not how it is drawn."""
        named = {"names": self.xnames} if self.xnames else {}
        return {"title": self.title, "x": self.xlabel, **named, "y": self.ylabel, "key": self.key, "marks": self.marks}


def draw(title: str, panels: Sequence[Panel], columns: int, notes: Sequence[str] = ()) -> Figure:
    """Return the panels as a Matplotlib figure, `columns` a row, with footnotes.

    Parameters
    ----------
    title : str
        Above all panels.
    panels : sequence of Panel
        In rows from the top left.
    columns : int
        Panels a row.
    notes : sequence of str
        Under all panels.
    """
    import matplotlib
    from matplotlib.figure import Figure as Sheet  # not pyplot: nothing is shown, and it takes longer to import

    style = {"font.family": "serif", "mathtext.fontset": "cm", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
             "axes.grid": True, "axes.titlepad": 8,
             "grid.alpha": 0.25, "grid.linewidth": 0.5, "legend.frameon": False, "legend.fontsize": 8, "axes.titlesize": 10}
    rows = -(-len(panels) // columns)
    legends = [_legend(panel) for panel in panels]
    shared = _shared(legends)
    width = 4.3 * columns
    footnotes = [line for note in notes for line in textwrap.wrap(note, int(15 * width))]
    under = 0 if shared else sum(max(_rows(entries) for entries in legends[i * columns : (i + 1) * columns]) for i in range(rows))
    height = 3.3 * rows + 0.3 + LEGEND_ROW * (under + (2 if shared else 0)) + NOTE_ROW * len(footnotes)
    with matplotlib.rc_context(style):
        figure = Sheet(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for ax, panel, entries in zip(axes.flat, panels, legends, strict=False):
            _draw_panel(ax, panel)
            if entries and not shared:
                _under(ax, entries)
        for ax in axes.flat[len(panels) :]:
            ax.set_visible(False)
        figure.suptitle(title, fontsize=11)
        if shared:
            figure.legend(*_handles(shared), loc="outside lower center", ncols=min(len(shared), int(2.2 * columns)))
        if footnotes:
            figure.supxlabel("\n".join(footnotes), fontsize=8, ha="left", x=0.01)
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine("none")  # laid out once, not again for every file
    return figure


@dataclass(frozen=True)
class _Entry:
    """A line of a legend: how a style or a marker looks, or a filled patch."""

    label: str
    color: int
    style: str = ""
    marker: str = ""


def _legend(panel: Panel) -> tuple[_Entry, ...]:
    """The marks that have a label, then what styles and markers stand for."""
    entries = [_Entry(mark.label, mark.color, getattr(mark, "style", ""), getattr(mark, "marker", ""))
               for mark in panel.marks if not isinstance(mark, Images) and mark.label]  # fmt: skip
    for look, words in panel.key.items():
        entries.append(_Entry(words, NEUTRAL, *((look, "") if look in LINES or look == "band" else ("", look))))
    return tuple(dict.fromkeys(entries))


def _shared(legends: Sequence[tuple[_Entry, ...]]) -> tuple[_Entry, ...]:
    """The legend of the whole sheet, where one panel has the entries of all others."""
    longest = max(legends, key=len, default=())
    return longest if sum(map(bool, legends)) > 1 and all(set(entries) <= set(longest) for entries in legends) else ()


def _columns(entries: tuple[_Entry, ...]) -> int:
    longest = max(len(re.sub(r"\\\w+|[${}^_\\]", "", entry.label)) for entry in entries)
    return 3 if longest <= 13 else 2 if longest <= 26 else 1


def _rows(entries: tuple[_Entry, ...]) -> int:
    return -(-len(entries) // _columns(entries)) if entries else 0


def _under(ax: Axes, entries: tuple[_Entry, ...]) -> None:
    """A legend under the axes, where it covers no data."""
    from matplotlib.transforms import ScaledTranslation

    below = ax.transAxes + ScaledTranslation(0, -FOOT, ax.figure.dpi_scale_trans)
    ax.legend(*_handles(entries), loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, ncols=_columns(entries),
              borderaxespad=0, columnspacing=1.2)  # fmt: skip


def _handles(entries: tuple[_Entry, ...]) -> tuple[list[object], list[str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[object] = []
    for entry in entries:
        color = COLORS[entry.color % len(COLORS)]
        if entry.marker:
            handles.append(Line2D([], [], ls="", marker=entry.marker, color=color, **MARKER))
        elif entry.style in LINES:
            handles.append(Line2D([], [], color=color, **LINES[entry.style]))
        else:
            handles.append(Patch(color=color, alpha=0.25, lw=0))
    return handles, [entry.label for entry in entries]


def _draw_panel(ax: Axes, panel: Panel) -> None:
    # before the marks: setting a scale takes away ticks that a mark has set
    ax.set(title=panel.title, xlabel=panel.xlabel, ylabel=panel.ylabel)
    for name, scale in (("x", panel.xscale), ("y", panel.yscale)):
        set_scale(ax, name, "linear" if scale == "log" and not _positive(panel, name) else scale)
    for mark in panel.marks:
        _DRAW[type(mark)](ax, mark)
    ax.set_ylim(*_limits(panel.ylim))
    ax.set_xlim(*_limits(panel.xlim))
    for name in "xy":
        plain_ticks(ax, name)
    if panel.xnames:
        ax.set_xticks(range(len(panel.xnames)), panel.xnames)


def _limits(asked: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """The ends of an axis, those that are numbers; none where they are equal."""
    low, high = (end if end is not None and np.isfinite(end) else None for end in asked)
    return (None, None) if low == high else (low, high)


def _positive(panel: Panel, name: str) -> bool:
    """Whether any mark has a place on a logarithmic axis."""
    return any(np.any(getattr(mark, name) > 0) for mark in panel.marks if isinstance(mark, Line | Points))


def _line(ax: Axes, line: Line) -> None:
    color = COLORS[line.color % len(COLORS)]
    ax.plot(line.x, line.y, color=color, **LINES[line.style])
    if line.spread is not None:
        ax.fill_between(line.x, line.y - line.spread, line.y + line.spread, color=color, alpha=0.15, lw=0)


def _points(ax: Axes, points: Points) -> None:
    color = COLORS[points.color % len(COLORS)]
    bars = 2 * points.se if points.ends is None else np.abs(points.ends - points.y)
    ax.errorbar(points.x, points.y, yerr=bars, fmt=points.marker, color=color, elinewidth=0.9, zorder=3, **MARKER)


def _histogram(ax: Axes, histogram: Histogram) -> None:
    ax.stairs(histogram.heights, histogram.edges, fill=True, alpha=0.3, color=COLORS[histogram.color % len(COLORS)])


def _images(ax: Axes, images: Images) -> None:
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in images.rows], axis=0)
    height = images.rows.shape[2]
    ax.imshow(sheet, cmap="gray_r", interpolation="nearest")
    ax.set_yticks([height * (i + 0.5) for i in range(len(images.names))], images.names)
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
    ax.grid(False)


_DRAW = {Line: _line, Points: _points, Histogram: _histogram, Images: _images}
