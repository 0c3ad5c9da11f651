"""The two ways a computation is refused: the input is wrong, or no solution was reached."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


class BadInput(ValueError):
    """What was given cannot be used. The message is one line: what was wrong and what to do."""


class NotConverged(RuntimeError):
    """A solver stopped above its tolerance. Raised instead of returning a number nobody should trust."""


def number(name: str, value: float, low: float = -math.inf, high: float = math.inf, *, open_low: bool = False) -> float:
    """Return `value` as a float if it is a finite number in [low, high] (or (low, high] with `open_low`).

    Raises:
        BadInput: with the name, the value and the range, in one line.
    """
    return float(numbers(name, value, low, high, open_low=open_low))


def numbers(name: str, values: ArrayLike, low: float = -math.inf, high: float = math.inf, *, open_low: bool = False) -> np.ndarray:
    """The same for an array of any shape: all entries are checked, the first bad one is named."""
    try:
        x = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise BadInput(f"{name} must be a number, not {values!r}") from None
    bad = ~np.isfinite(x)
    if bad.any():
        raise BadInput(f"{name} must be a finite number, not {x[bad].flat[0]}")
    bad = (x > high) | (x < low) | (open_low & (x == low))
    if bad.any():
        least = "" if low == -math.inf else f"{'above' if open_low else 'at least'} {low:g}"
        most = "" if high == math.inf else f"at most {high:g}"
        raise BadInput(f"{name} must be {' and '.join(b for b in (least, most) if b)}, not {x[bad].flat[0]:g}")
    return x
