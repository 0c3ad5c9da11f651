"""The ways a computation is refused: the input is wrong, no solution was reached, a disk is full, or a cluster is gone."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike


class BadInput(ValueError):
    """The input cannot be used. The message is one line: what was wrong and what to do."""


class NotConverged(RuntimeError):
    """A solver stopped above its tolerance; raised instead of returning a number that cannot be trusted."""


class Unreachable(RuntimeError):
    """A cluster cannot be reached, or is gone. The message is one line; what was computed is kept."""


class Unwritable(RuntimeError):
    """A file could not be written though its place is right, as on a full disk. The message is one line."""


SHOWN = 60  # characters of a wrong value in a message


def number(name: str, value: float, low: float = -math.inf, high: float = math.inf, *, open_low: bool = False) -> float:
    """Return a value as a float if it is a finite number in [low, high] (or (low, high] with `open_low`); messages call it `name`.

    Raises
    ------
    BadInput
        With the name, the value and the range, in one line.
    """
    x = numbers(name, value, low, high, open_low=open_low)
    if x.ndim:
        raise BadInput(f"{name} must be one number, not an array of shape {x.shape}")
    return float(x)


def numbers(name: str, values: ArrayLike, low: float = -math.inf, high: float = math.inf, *, open_low: bool = False) -> np.ndarray:
    """Return values of any shape as an array of floats if all are finite numbers in the range; arguments as of `number`.

    Raises
    ------
    BadInput
        With the name, the first bad value and the range, in one line.
    """
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "biufO" or (given.dtype.kind == "O" and not all(isinstance(one, Real) for one in given.flat)):
            raise TypeError
        x = given.astype(float)
    except (TypeError, ValueError):
        raise BadInput(f"{name} must be a number, not {_shown(values)}") from None
    except OverflowError:
        raise BadInput(f"{name} must be a number below 1.8e308, not {_shown(values)}") from None
    bad = ~np.isfinite(x)
    if bad.any():
        raise BadInput(f"{name} must be a finite number, not {x[bad].flat[0]}")
    bad = (x > high) | (x < low) | (open_low & (x == low))
    if bad.any():
        least = "" if low == -math.inf else f"{'above' if open_low else 'at least'} {low:g}"
        most = "" if high == math.inf else f"at most {high:g}"
        raise BadInput(f"{name} must be {' and '.join(b for b in (least, most) if b)}, not {x[bad].flat[0]:g}")
    return x


def _shown(value: object) -> str:
    """The value in one short line."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python prints no whole number of over 4,300 digits
        text = "a whole number of very many digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
