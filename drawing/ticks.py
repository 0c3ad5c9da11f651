"""Ticks that read well: plain numbers on symmetric axes and where a logarithmic axis shows less than two powers of ten."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEADING = ((1, 2, 5), (1, 2, 3, 5), tuple(range(1, 10)))  # digits before the power of ten, the sparser first
ENOUGH = 3


def set_scale(ax: Axes, name: str, scale: str) -> None:
    """Set the scale of an axis, "x" or "y".

    A symlog axis has plain numbers at its ticks, which read better than powers of ten where both signs and zero are among them.
    """
    from matplotlib.ticker import SymmetricalLogLocator

    change = getattr(ax, f"set_{name}scale")
    if scale != "symlog":
        change(scale)
        return
    change(scale, linthresh=1.0)
    axis = getattr(ax, f"{name}axis")
    axis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1.0, subs=(1.0, 3.0)))
    axis.set_major_formatter("{x:g}")


def plain_ticks(ax: Axes, name: str) -> None:
    """Write plain numbers along a logarithmic axis that shows less than two powers of ten; its limits must be final."""
    from matplotlib.ticker import NullFormatter

    axis = getattr(ax, f"{name}axis")
    low, high = sorted(axis.get_view_interval())
    if axis.get_scale() != "log" or len(_ticks(low, high, (1,))) >= 2:
        return
    axis.set_ticks(short_ticks(low, high))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def short_ticks(low: float, high: float) -> list[float]:
    """Return round numbers from low to high, both positive, at least two of them; evenly spaced ones where the axis is short."""
    from matplotlib.ticker import MaxNLocator

    for digits in LEADING:
        found = _ticks(low, high, digits)
        if len(found) >= ENOUGH:
            return found
    return [float(tick) for tick in MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= tick <= high]


def _ticks(low: float, high: float, digits: Sequence[int]) -> list[float]:
    """The numbers from low to high that have one of these digits before a power of ten."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [tick for power in powers for tick in (float(f"{digit}e{power}") for digit in digits) if low <= tick <= high]
