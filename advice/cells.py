"""Cells of a user's table: features as numbers or words, labels, and the columns that only synthetic rows have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..support.errors import BadInput
from .formats import Columns, shown
from .scaling import LARGEST

EXACT = 2.0**53  # above it a float is not known to a whole number
LONGEST_LABEL = 200  # characters of the name of a class
YES, NO = {"1", "true", "True", "TRUE", "yes"}, {"0", "false", "False", "FALSE", "no"}

Words = dict[str, np.ndarray]  # columns of categories by name, (k,) of str or None each


def features(columns: Columns, what: str, first: int) -> tuple[np.ndarray, tuple[str, ...], Words]:
    """Return the numbers X (k, P), nan where missing, the names of their columns, and the columns of words.

    Parameters
    ----------
    columns
        Columns of numbers (k,), of vectors (k, d), or of words and None, (k,) of objects.
    what
        The file, in messages.
    first
        The number of the first row, in messages.

    Raises
    ------
    BadInput
        For values that are neither numbers nor words, infinite or too large, and for columns of numbers with stray words.
    """
    names, parts, words = [], [], {}
    for name, values in columns:
        if values.dtype.kind == "O":
            _stray_word(name, values, what, first)
            words[name] = values
            continue
        block = values[:, None] if values.ndim == 1 else values
        width = block.shape[1]
        names += [name] if values.ndim == 1 else [f"{name}{i}" if name == "x" else f"{name}[{i}]" for i in range(width)]
        if block.dtype.kind not in "buif":
            raise BadInput(f"column {shown(name)!r} of {what} is not numeric: drop it, or encode it as numbers")
        parts.append(block)
    if not names and not words:
        raise BadInput(f"{what} has no features")
    rows = len(next(iter(words.values()))) if words else 0
    joined = np.empty((rows, 0)) if not parts else parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    X = np.ascontiguousarray(joined, dtype=float)
    bad = np.abs(X) > LARGEST
    if bad.any():
        row, column = np.unravel_index(bad.argmax(), bad.shape)
        value, column = X[row, column], f"column {shown(names[column])!r} of {what}"
        if np.isfinite(value):
            raise BadInput(f"{column} has {value:.1e} in row {first + row}: rescale it, or correct it")
        raise BadInput(f"{column} has an infinite value in row {first + row}: correct it or leave the row out")
    return X, tuple(names), words


def _stray_word(name: str, values: np.ndarray, what: str, first: int) -> None:
    """Refuse a column most of whose words are numbers: the others are mistakes, and no categories."""
    numbers = np.array([number_of(one) is not None for one in values])
    given = np.array([one is not None for one in values])
    if numbers.any() and 2 * numbers.sum() >= given.sum():
        row = int((given & ~numbers).argmax()) if (given & ~numbers).any() else 0
        raise BadInput(f"column {shown(name)!r} of {what} is not numeric, {shown(str(values[row]))!r} in row {first + row}: correct it, "
                       "encode it as numbers, or leave it out with --drop")


def as_words(values: np.ndarray) -> np.ndarray:
    """Return numbers (k,) as words, whole ones without a point, None where missing.

    Parameters
    ----------
    values : array (k,)
        nan where missing.
    """
    return np.array([None if np.isnan(one) else str(int(one)) if one == int(one) else str(one) for one in values.tolist()], dtype=object)


def number_of(text: str | None) -> float | None:
    """Return the number that a text stands for; None where it is none."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def labels(values: np.ndarray, what: str, first: int, *, missing: bool = False) -> np.ndarray:
    """Return labels as words, whole numbers without a point. missing: whether labels may be missing; they become "".

    Parameters
    ----------
    values : array (k,)
        The cells of the label column.
    what : str
        What the rows are of, in messages.
    first : int
        Number of the first of these rows in the file.
    missing : bool
        Whether labels may be missing.

    Raises
    ------
    BadInput
        For a label that is missing or too long to name a class, with its row.
    """
    if values.ndim != 1:
        raise BadInput(f"{what} has shape {values.shape}: one label a row is needed")
    if values.dtype.kind in "OUS":
        place: dict[str, int] = {}
        codes = np.array([place.setdefault(_text(one), len(place)) for one in values], dtype=int)
        words = [_word(one) for one in place]
    else:
        unique, codes = np.unique(values, return_inverse=True)
        words = [_word(str(one)) for one in unique.tolist()]
    rows = {word: first + int((codes == i).argmax()) for i, word in enumerate(words) if not word or len(word) > LONGEST_LABEL}
    if "" in rows and not missing:
        raise BadInput(f"{what} has no label in row {rows['']}")
    for word in filter(None, rows):
        raise BadInput(f"{what} has a label of {len(word):,} characters in row {rows[word]}: it names no class")
    return np.array(words, dtype=str)[codes]


def extra(name: str, values: np.ndarray, what: str, first: int) -> np.ndarray:
    """Return a column that only synthetic rows have: keep (bool), score (float) or truth (str, "" where unknown).

    Parameters
    ----------
    name : str
        keep, score or truth.
    values : array (k,)
        The cells of the column.
    what : str
        What the rows are of, in messages.
    first : int
        Number of the first of these rows in the file.

    Raises
    ------
    BadInput
        For values that are none.
    """
    if name == "truth":
        return labels(values, what, first, missing=True)
    if name == "score":
        try:
            score = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            raise BadInput(f"{what} must be numbers") from None
        if not np.isfinite(score).all():
            raise BadInput(f"{what} has a missing or infinite value in row {first + int((~np.isfinite(score)).argmax())}")
        return score
    words = labels(values, what, first, missing=True)
    bad = ~np.isin(words, list(YES | NO))
    if bad.any():
        raise BadInput(f"{what} must be true or false, not {str(words[bad.argmax()])!r} in row {first + int(bad.argmax())}")
    return np.isin(words, list(YES))


def numbered(words: np.ndarray) -> np.ndarray:
    """Return words as whole numbers, if all of them are and fit into 64 bits; else the words."""
    try:
        unique, codes = np.unique(words, return_inverse=True)
        return np.array([int(one) for one in unique], dtype=np.int64)[codes]
    except (ValueError, OverflowError):
        return words


def targets(classes: Sequence[object]) -> bool:
    """Whether labels look like the target of a regression: numbers with digits after the point among them.

    Parameters
    ----------
    classes : sequence
        The distinct labels.
    """
    values = [number_of(str(one)) for one in classes]
    return None not in values and any(value != int(value) for value in values if np.isfinite(value))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return "" if value is None else str(value).strip()


def _word(text: str) -> str:
    """A label as text, the same for the same number, "" for nan."""
    try:
        return str(int(text))
    except ValueError:  # no whole number, or of over 4,300 digits
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    if np.isnan(number):
        return ""
    return str(int(number)) if abs(number) < EXACT and number == int(number) else text
