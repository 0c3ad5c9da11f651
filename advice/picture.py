"""The files of an advice: a picture (accuracy over m, gain over m, break-even plane) and a record of every number."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..drawing.panels import COLORS, Line, Panel, Points, draw
from ..support.files import check_writable, replacing
from ..support.records import plain
from .plan import Plan
from .result import Advice, BreakEven

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "advice"
MOST_POINTS = 10.0  # where the colours of gains end
BEST, PLAIN, MEASURED, NOW = 0, 2, 1, 5  # colours


def save(advice: Advice, plan: Plan, out: Path) -> tuple[Path, ...]:
    """Write advice.png, advice.pdf and advice.json to the folder `out`; their paths are returned.

    Parameters
    ----------
    advice : Advice
    plan : Plan
        What the advice was asked for.
    out : Path
        Made where it does not exist.

    Raises
    ------
    BadInput
        If the folder cannot be written.
    """
    panels = [_curve(advice), _gains(advice)]
    if advice.break_even is not None:
        panels.append(_plane(advice, plan))
    sheet = draw(f"{advice.verdict.capitalize()}: n = {advice.n}, p = {advice.p}, {advice.classes} classes", panels, len(panels))
    _band(sheet.axes[0], advice, "low", "high", 1.0)
    _band(sheet.axes[1], advice, "gain_low", "gain_high", 100.0)
    if advice.break_even is not None:
        _shade(sheet.axes[2], advice.break_even)
    files = _files(out)
    with ExitStack() as together:  # all three are written before the first one is renamed
        png, pdf, record = (together.enter_context(replacing(path)) for path in files)
        sheet.savefig(png, dpi=200)
        sheet.savefig(pdf, metadata={"CreationDate": None})
        record.write_text(json.dumps(plain(advice.as_dict()), indent=1, allow_nan=False) + "\n")
    return files


def check_place(out: Path) -> None:
    """Do nothing if `save` can write to the folder `out`.

    Raises
    ------
    BadInput
        If it cannot be made or written to, or has a folder of the name of a file.
    Unwritable
        If the disk is full.
    """
    check_writable(*_files(out))


def _files(out: Path) -> tuple[Path, ...]:
    return tuple(out / f"{NAME}.{suffix}" for suffix in ("png", "pdf", "json"))


def _curve(advice: Advice) -> Panel:
    m, accuracy, weights_1 = (np.array([getattr(point, name) for point in advice.curve]) for name in ("m", "accuracy", "plain"))
    marks = [
        Line("best weight and ridge", m, accuracy, BEST),
        Line("weight 1, best ridge", m, weights_1, PLAIN, "alternative"),
        Line("without synthetic data", np.array([0.0, m[-1]]), np.full(2, advice.baseline.accuracy), NOW, "guide"),
        Points("now, leave-one-out", np.zeros(1), np.array([advice.baseline.accuracy]), np.array([advice.baseline.se]), NOW, "s"),
    ]
    if advice.measured is not None:
        one = advice.measured
        marks.append(Points("the file, leave-one-out", np.array([one.m]), np.array([one.accuracy]), np.array([one.se]), MEASURED))
    if advice.best.m:
        marks.append(Points("advised", np.array([advice.best.m]), np.array([advice.best.accuracy]), np.zeros(1), BEST, "D"))
    lowest = min(point.low for point in advice.curve)
    return Panel("accuracy on fresh samples (bands and bars: 2 SE)", "synthetic rows m, before pruning", "accuracy", marks,
                 ylim=(lowest - 0.4 * (1 - lowest), 1.0))


def _gains(advice: Advice) -> Panel:
    base = advice.baseline.accuracy
    m, accuracy, weights_1 = (np.array([getattr(point, name) for point in advice.curve]) for name in ("m", "accuracy", "plain"))
    marks = [
        Line("best weight and ridge", m, 100 * (accuracy - base), BEST),
        Line("weight 1, best ridge", m, 100 * (weights_1 - base), PLAIN, "alternative"),
        Line("", np.array([0.0, m[-1]]), np.zeros(2), NOW, "guide"),
    ]
    if advice.measured is not None:
        one = advice.measured
        marks.append(Points("the file, measured", np.array([one.m]), np.array([100 * one.gain]), np.array([100 * one.gain_se]), MEASURED))
    return Panel("gain over no synthetic data", "synthetic rows m, before pruning", "points of accuracy", marks)


def _plane(advice: Advice, plan: Plan) -> Panel:
    even = advice.break_even
    marks = [Line("break-even", even.epsilon, even.line, NOW)]
    epsilon, rho = (plan.epsilon, plan.rho) if advice.audit is None else (advice.audit.epsilon, advice.audit.rho)
    if epsilon is not None and rho is not None:
        x, y = (one.value if hasattr(one, "value") else one.share for one in (epsilon, rho))
        marks.append(Line("", np.array([epsilon.low, epsilon.high]), np.full(2, y), MEASURED))
        marks.append(Line("", np.full(2, x), np.array([rho.low, rho.high]), MEASURED))
        marks.append(Points("yours", np.array([x]), np.array([y]), np.zeros(1), MEASURED))
    return Panel(f"gain of m = {even.m:,.0f} at weight {even.omega:.2g}, phi = {even.phi:.2g}", "share of wrong labels, epsilon",
                 "wrong labels that are kept, rho", marks, xlim=(0.0, float(even.epsilon[-1])), ylim=(0.0, 1.0))


def _band(ax: Axes, advice: Advice, low: str, high: str, unit: float) -> None:
    m, bottom, top = (np.array([getattr(point, name) for point in advice.curve]) for name in ("m", low, high))
    ax.fill_between(m, unit * bottom, unit * top, color=COLORS[BEST], alpha=0.15, lw=0)


def _shade(ax: Axes, even: BreakEven) -> None:
    """Shade the plane by the gain: blue where synthetic data help, red where they hurt."""
    from matplotlib.colors import LinearSegmentedColormap

    points = 100 * even.gain.T
    most = float(np.clip(2 * points.max(), 0.5, MOST_POINTS))
    colors = LinearSegmentedColormap.from_list("gain", [COLORS[1], "#ffffff", COLORS[0]])
    ax.grid(False)
    ax.contourf(even.epsilon, even.rho, np.clip(points, -most, most), levels=np.linspace(-most, most, 41), cmap=colors, alpha=0.6, zorder=0)
    levels = [level for level in (-20, -10, -5, -2, -1, -0.5, 0.5, 1, 2, 5, 10) if points.min() < level < points.max()]
    lines = ax.contour(even.epsilon, even.rho, points, levels=levels, colors="#666666", linewidths=0.6, linestyles="-", zorder=1)
    ax.clabel(lines, fontsize=7, fmt="%+g")
