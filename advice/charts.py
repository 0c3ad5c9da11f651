"""Charts of an advice as SVG for a page: every mark carries its values, which are shown when it is pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from .result import Advice, BreakEven

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 300, 48, 10, 10, 40
TICKS = 5
FULL = 10.0  # points of gain at which a colour of the plane is full


@dataclass(frozen=True)
class Axes:
    """Maps values to places in a chart.

    Attributes
    ----------
    x, y
        The ends of both axes.
    """

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a point, in pixels."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0] or 1)
        up = (y - self.y[0]) / (self.y[1] - self.y[0] or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def frame(self, across: str, up: str, digits: int) -> str:
        """Return grid lines, numbers and names of both axes."""
        parts = []
        for value in _ticks(*self.y):
            _, y = self.at(self.x[0], value)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                         f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{value:.{digits}f}</text>')
        for value in _ticks(*self.x):
            x, _ = self.at(value, self.y[0])
            text = f"{value:,.0f}" if self.x[1] > 10 else f"{value:g}"
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{text}</text>')
        middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(across)}</text>')
        parts.append(f'<text x="12" y="{(HEIGHT - BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 12 {(HEIGHT - BOTTOM) / 2})">'
                     f"{escape(up)}</text>")
        return "".join(parts)

    def line(self, kind: str, x: Sequence[float], y: Sequence[float]) -> str:
        """Return a line through points."""
        return f'<polyline class="{kind}" points="{self._places(x, y)}"/>'

    def band(self, x: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
        """Return the area between two lines."""
        return f'<polygon class="band" points="{self._places([*x, *reversed(x)], [*high, *reversed(low)])}"/>'

    def dot(self, kind: str, key: str, x: float, y: float, says: str) -> str:
        """Return a point that says its values; `key` is their place in the record."""
        left, top = self.at(x, y)
        return (f'<circle class="dot {kind}" cx="{left:.1f}" cy="{top:.1f}" r="4" tabindex="0" data-key="{key}" data-x="{x!r}" '
                f'data-y="{y!r}">'
                f"<title>{escape(says)}</title></circle>")

    def _places(self, x: Sequence[float], y: Sequence[float]) -> str:
        return " ".join(f"{left:.1f},{top:.1f}" for left, top in (self.at(a, b) for a, b in zip(x, y, strict=True)))


def accuracy_chart(advice: Advice) -> str:
    """Return the expected accuracy over the number of synthetic rows."""
    m, values, plain = (_of(advice, name) for name in ("m", "accuracy", "plain"))
    low, high = _of(advice, "low"), _of(advice, "high")
    axes = Axes((0.0, m[-1]), _room([*low, *high, *plain]))
    parts = [axes.frame("synthetic rows, before pruning", advice.metric, 2), axes.band(m, low, high), axes.line("plain", m, plain),
             axes.line("now", (0.0, m[-1]), (advice.baseline.accuracy,) * 2), axes.line("best", m, values)]
    for i, one in enumerate(advice.curve):
        says = f"{one.m:,.0f} rows, weight {one.omega:.2g}: {one.accuracy:.3f} ({one.low:.3f} to {one.high:.3f})"
        parts += [axes.dot("plain", f"curve/{i}/plain", one.m, one.plain, f"{one.m:,.0f} rows at weight 1: {one.plain:.3f}"),
                  axes.dot("best", f"curve/{i}/accuracy", one.m, one.accuracy, says)]
    return _svg(f"{advice.metric} over the number of synthetic rows", parts)


def gain_chart(advice: Advice) -> str:
    """Return the expected gain, in points, over the number of synthetic rows."""
    base = advice.baseline.accuracy
    m, values, plain = (_of(advice, name) for name in ("m", "accuracy", "plain"))
    gains, at_1 = [100 * (one - base) for one in values], [100 * (one - base) for one in plain]
    low, high = ([100 * one for one in _of(advice, name)] for name in ("gain_low", "gain_high"))
    one = advice.measured
    ends = [] if one is None else [100 * (one.gain + sign * 2 * one.gain_se) for sign in (-1, 1)]
    axes = Axes((0.0, m[-1]), _room([*low, *high, *at_1, *ends, 0.0]))
    parts = [axes.frame("synthetic rows, before pruning", "points gained", 1), axes.band(m, low, high), axes.line("plain", m, at_1),
             axes.line("now", (0.0, m[-1]), (0.0, 0.0)), axes.line("best", m, gains)]
    for i, point in enumerate(advice.curve):
        says = f"{point.m:,.0f} rows: {gains[i]:+.2f} points ({low[i]:+.2f} to {high[i]:+.2f})"
        parts.append(axes.dot("best", f"curve/{i}/gain", point.m, gains[i], says))
    if one is not None:
        (x, bottom), (_, top) = (axes.at(float(one.m), end) for end in ends)
        parts.append(f'<line class="bar" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom:.1f}" y2="{top:.1f}"/>')
        parts.append(axes.dot("measured", "measured/gain", float(one.m), 100 * one.gain,
                              f"the file's {one.m:,} rows, cross-validated: {100 * one.gain:+.2f} +- {100 * one.gain_se:.2f} points"))
    return _svg("gain over the number of synthetic rows", parts)


def threshold_chart(advice: Advice) -> str:
    """Return the accuracy of the best mix over the share of rows that the verifier's threshold keeps; the chosen one is filled."""
    tried = sorted(advice.thresholds, key=lambda one: one.kept)
    shares, values = [100 * one.kept for one in tried], [one.accuracy for one in tried]
    axes = Axes((0.0, 100.0), _room(values))
    parts = [axes.frame("synthetic rows kept, per cent", "accuracy", 3), axes.line("best", shares, values)]
    for i, one in enumerate(advice.thresholds):
        chosen = one.score == advice.threshold
        says = f"score of at least {one.score:.4g}{', chosen' if chosen else ''}: keeps {100 * one.kept:.0f}%, accuracy {one.accuracy:.3f}"
        parts.append(axes.dot("measured" if chosen else "best", f"thresholds/{i}/accuracy", 100 * one.kept, one.accuracy, says))
    return _svg("accuracy over the share of rows that the verifier keeps", parts)


def plane(even: BreakEven, yours: tuple[float, float] | None) -> str:
    """Return the gain over the shares of wrong labels and of those that the verifier keeps, and the line where it vanishes."""
    axes = Axes((0.0, float(even.epsilon[-1])), (0.0, 1.0))
    across, up = even.epsilon[1] - even.epsilon[0], even.rho[1] - even.rho[0]
    parts = []
    for i, epsilon in enumerate(even.epsilon):
        for j, rho in enumerate(even.rho):
            gain = float(even.gain[i, j])
            if np.isnan(gain):
                continue
            ends = [max(epsilon - across / 2, 0.0), min(epsilon + across / 2, axes.x[1]), max(rho - up / 2, 0.0), min(rho + up / 2, 1.0)]
            (x, bottom), (right, y) = axes.at(ends[0], ends[2]), axes.at(ends[1], ends[3])
            says = f"{100 * epsilon:.0f}% wrong labels, {100 * rho:.0f}% of them kept: {100 * gain:+.1f} points"
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{right - x:.1f}" height="{bottom - y:.1f}" '
                         f'fill="var(--{"good" if gain > 0 else "bad"})" '
                         f'opacity="{min(abs(100 * gain) / FULL, 1) * 0.8:.2f}" data-key="break_even/gain/{i}/{j}" data-y="{gain!r}">'
                         f"<title>{says}</title></rect>")
    known = np.isfinite(even.line)
    parts += [axes.frame("share of wrong labels", "of these the verifier keeps", 1),
              axes.line("even", even.epsilon[known], even.line[known])]
    if yours is not None:
        says = f"yours: {100 * yours[0]:.0f}% wrong labels, {100 * yours[1]:.0f}% of them kept"
        parts.append(axes.dot("measured", "yours", *yours, says))
    return _svg("gain over label noise and verifier", parts)


def _svg(title: str, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _of(advice: Advice, name: str) -> list[float]:
    return [getattr(one, name) for one in advice.curve]


def _room(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    more = 0.05 * (high - low) or 0.01
    return low - more, high + more


def _ticks(low: float, high: float) -> np.ndarray:
    """Round numbers between two ends."""
    raw = (high - low) / TICKS or 1.0
    unit = 10.0 ** np.floor(np.log10(raw))
    step = unit * next(one for one in (1, 2, 5, 10) if one * unit >= raw)
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step + 0.0
