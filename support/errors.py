"""The ways a computation is refused: the input is wrong, no solution was reached, a disk is full, or a cluster is gone."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from numbers import Real
from pathlib import Path

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
    if type(value) is float and low <= value <= high and -math.inf < value < math.inf and not (open_low and value == low):
        return value  # solvers ask tens of thousands of times
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
        raise BadInput(f"{name} must be a number, not {shown(values)}") from None
    except OverflowError:
        raise BadInput(f"{name} must be a number below 1.8e308, not {shown(values)}") from None
    bad = ~np.isfinite(x)
    if bad.any():
        raise BadInput(f"{name} must be a finite number, not {x[bad].flat[0]}")
    bad = (x > high) | (x < low) | (open_low & (x == low))
    if bad.any():
        least = "" if low == -math.inf else f"{'above' if open_low else 'at least'} {low:g}"
        most = "" if high == math.inf else f"at most {high:g}"
        raise BadInput(f"{name} must be {' and '.join(b for b in (least, most) if b)}, not {x[bad].flat[0]:g}")
    return x


def instance(name: str, value: object, *kinds: type) -> None:
    """Raise unless a value is of one of several types; messages call it `name`.

    Raises
    ------
    BadInput
        With the name, the types and the value, in one line.
    """
    if not isinstance(value, kinds):
        raise BadInput(f"{name} must be {' or '.join(_a(kind.__name__) for kind in kinds)}, not {shown(value)}")


def instances(name: str, values: object, *kinds: type) -> tuple:
    """Return the values as a tuple if they are a sequence, each of one of several types; messages call one of them `name`.

    Raises
    ------
    BadInput
        With the name, the types and what is no such value, in one line.
    """
    if not isinstance(values, list | tuple):
        raise BadInput(f"give a tuple, each entry of which is {' or '.join(_a(kind.__name__) for kind in kinds)}, not {shown(values)}")
    for value in values:
        instance(name, value, *kinds)
    return tuple(values)


def one_of(name: str, value: object, known: Iterable[str]) -> None:
    """Raise unless a value is one of the words `known`; messages call it `name`.

    Raises
    ------
    BadInput
        With the name, the words and the value, in one line.
    """
    words = tuple(known)
    if not isinstance(value, str) or value not in words:
        which = " or ".join(words) if len(words) == 2 else f"one of {', '.join(words)}"
        raise BadInput(f"{name} must be {which}, not {shown(value)}")


def place(name: str, value: object) -> Path:
    """Return a path from a text or a path; messages call it `name`.

    Parameters
    ----------
    name : str
    value : object
        A text or a path; anything else is refused.

    Raises
    ------
    BadInput
        For anything else, in one line.
    """
    instance(name, value, str, os.PathLike)
    return Path(value)


def _a(word: str) -> str:
    """The word with its article."""
    plain = {"str": "a text", "PathLike": "a path", "Path": "a path", "NoneType": "None"}
    return plain.get(word) or f"{'an' if word[0] in 'AEIOU' else 'a'} {word}"


def shown(value: object) -> str:
    """Return the value in one short line."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python prints no whole number of over 4,300 digits
        text = "a whole number of very many digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
