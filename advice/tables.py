"""Labelled features from a user's file: npz, csv, parquet, or a folder saved by Hugging Face datasets.

Files are read in chunks of rows (`advice.formats`), so that a large file never has to fit in memory. `read` keeps all rows of a file that
is not too large: at most `MAX_ROWS` real rows and `MAX_VALUES` numbers. Of a larger file it keeps a uniform random subset, which
fixes an accuracy to 0.3 points.

Labels may be whole numbers or words, in any format: 1, 1.0 and "1" are the same label.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..support.errors import BadInput, place
from .formats import Columns, listed, reader, shown
from .identifiers import named_like_one, reason
from .scaling import LARGEST

LABELS = ("label", "y")  # the label column, where none is named
EXTRA = ("keep", "score", "truth")  # columns of a synthetic file that are no features
LEAST = 10  # real samples
MOST_CLASSES = 20  # the time of an advice grows with the square of their number and more
CONSTANT, BY_NAME = "the same in all rows", "an identifier by its name"  # why columns are left out
MAX_ROWS = 20_000  # kept of the real samples
MAX_VALUES = 50_000_000  # numbers kept of a file's features, 400 MB
EXACT = 2.0**53  # above it a float is not known to a whole number
LONGEST_LABEL = 200  # characters of the name of a class
YES, NO = {"1", "true", "True", "TRUE", "yes"}, {"0", "false", "False", "FALSE", "no"}


@dataclass(frozen=True, eq=False)
class Table:
    """Labelled samples of one file.

    Attributes
    ----------
    X : array (k, p)
        Features, finite.
    y : array (k,)
        Labels: whole numbers or words.
    names
        Names of the features.
    keep : bool array (k,) or None
        Whether the verifier keeps a sample. This and the next two are None where the file has no such column.
    score : array (k,) or None
        The verifier's score of a sample.
    truth : array (k,)
        Of str, or None. The true label, "" where it is unknown.
    total
        Rows of the file: more than k where X is a random subset.
    columns
        All features of the real samples' file, including those that are left out.
    left_out
        Columns of the real samples' file that are no features, and why.
    """

    X: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    keep: np.ndarray | None = None
    score: np.ndarray | None = None
    truth: np.ndarray | None = None
    total: int = 0
    columns: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    @cached_property
    def classes(self) -> np.ndarray:
        """(L,), the different labels, ascending."""
        return np.unique(self.y)


def read(path: str | os.PathLike[str], label: str | None = None, *, like: Table | None = None, seed: int = 0) -> Table:
    """Read the samples of a file.

    Parameters
    ----------
    path
        A npz, csv or parquet file, or a folder saved by Hugging Face datasets.
    label
        The label column; by default "label" or "y".
    like
        The real samples, if the file has synthetic ones: the features are brought into the order of the real ones, those that the real
        table left out are left out, and the labels must be among the real ones.
    seed
        Of the random subset of a very large file.

    Raises
    ------
    BadInput
        In one line: no such file, format or column, a feature that is not a finite number, only one class, fewer than 10 real samples,
        features or labels that do not match.
    """
    place("the file of samples", path)
    chunks = read_chunks(path, label, like=like)
    table = _joined(chunks, np.random.default_rng(seed), MAX_ROWS if like is None else np.inf)
    if table is None:
        raise BadInput(f"{path} has no rows")
    return _as_synthetic(table, like, path) if like is not None else _as_real(table, path)


def read_chunks(
    path: str | os.PathLike[str], label: str | None = None, *, like: Table | None = None, rows: int | None = None
) -> Iterator[Table]:
    """Yield the rows of a file in chunks of at most `rows` (by default two million numbers), with labels as words.

    Whatever only the whole file shows (its classes, constant features) is not checked. The other arguments are those of `read`.
    """
    file = reader(Path(path))
    named = file.columns
    if label is None:
        label = next((one for one in LABELS if one in named), None)
    if label is None or label not in named:
        missing = f"no column {label!r}" if label else "no label column"
        raise BadInput(f"{path} has {missing}; its columns are {listed(named)}; name one with --label")
    taken = {label} | {one for one in EXTRA if like is not None and one in named and one not in like.columns}
    left_out = [one for one in named if one not in taken and named_like_one(one)]
    features = [one for one in named if one not in taken and one not in left_out]
    first = 1
    for values, columns in file.chunks(features, sorted(taken), rows):
        X, names = _features(values, path, first)
        y = _labels(columns[label], f"the label column {label!r} of {path}", first)
        extra = {one: _extra(one, columns[one], path, first) for one in taken - {label}}
        table = Table(X, y, names, **extra, total=len(X), columns=names, left_out=tuple((one, BY_NAME) for one in left_out))
        yield table if like is None else _in_order(table, like, path)
        first += len(X)


# ---------------------------------------------------------------- what holds for a whole file


def _joined(chunks: Iterator[Table], rng: np.random.Generator, rows: float) -> Table | None:
    """All rows of the chunks, or where they are more than `rows` or `MAX_VALUES` numbers a uniform random subset.

    The subset has the rows with the smallest of independent random keys.
    """
    held: list[Table] = []
    keys: list[np.ndarray] = []
    labels: set[str] = set()
    total = 0
    for chunk in chunks:
        most = int(max(min(MAX_VALUES // max(len(chunk.names), 1), rows), LEAST))
        held.append(chunk)
        keys.append(rng.random(len(chunk.X)))
        labels |= set(chunk.y)
        total += len(chunk.X)
        if sum(len(one.X) for one in held) > most:
            limit = np.partition(np.concatenate(keys), most)[most]
            held = [_rows(one, key < limit) for one, key in zip(held, keys, strict=True)]
            keys = [key[key < limit] for key in keys]
    if not total:
        return None
    y = _numbers(np.concatenate([one.y for one in held]))
    extra = {name: None if getattr(held[0], name) is None else np.concatenate([getattr(one, name) for one in held]) for name in EXTRA}
    table = Table(np.concatenate([one.X for one in held]), y, held[0].names, **extra, total=total, columns=held[0].columns,
                  left_out=held[0].left_out)
    if len(labels) > len(table.classes):
        raise BadInput(f"a class is so rare that none of its samples is in a random subset of {len(y)} rows: leave it out")
    return table


def _as_real(table: Table, path: str | os.PathLike[str]) -> Table:
    if table.total < LEAST:
        raise BadInput(f"{path} has {table.total} rows; at least {LEAST} real samples are needed")
    classes, counts = np.unique(table.y, return_counts=True)
    if len(classes) < 2:
        raise BadInput(f"all rows of {path} have the label {classes[0]}: at least two classes are needed")
    if len(classes) > max(2, len(table.y) // 2):
        raise BadInput(f"the label column of {path} has {len(classes)} different values in {len(table.y)} rows: it names no classes")
    if len(classes) > MOST_CLASSES:
        raise BadInput(f"{path} has {len(classes)} classes; advice is given for at most {MOST_CLASSES}: merge some or leave rare ones out")
    if counts.min() < 2:
        raise BadInput(f"class {classes[counts.argmin()]} of {path} has only 1 row: each needs at least 2")
    constant = np.ptp(table.X, axis=0) == 0
    if constant.all():
        raise BadInput(f"every feature of {path} is the same in all rows: there is nothing to learn from")
    why = [CONSTANT if still else reason(name, column) for still, name, column in zip(constant, table.names, table.X.T, strict=True)]
    if all(why):
        raise BadInput(f"every column of {path} is constant or numbers the rows: there is nothing to learn from")
    used = np.array([not one for one in why])
    left_out = tuple((name, one) for name, one in zip(table.names, why, strict=True) if one)
    return replace(table, X=table.X[:, used], names=tuple(np.array(table.names, dtype=object)[used]), left_out=table.left_out + left_out)


def _as_synthetic(table: Table, real: Table, path: str | os.PathLike[str]) -> Table:
    known = {str(one) for one in real.classes}
    for what, values in (("label", table.y), ("true label", table.truth)):
        unknown = sorted({str(one) for one in ([] if values is None else np.unique(values))} - known - {""})
        if unknown:
            raise BadInput(f"{path} has the {what} {unknown[0]}, which no real sample has; theirs are {listed(sorted(known))}")
    return replace(table, y=table.y.astype(real.y.dtype))


def _in_order(table: Table, real: Table, path: str | os.PathLike[str]) -> Table:
    """The table with the features that the real one uses, in its order: matched by name where both files have names."""
    if _numbered(table.names) or _numbered(real.columns):
        if len(table.names) != len(real.columns):
            named = real.columns if _numbered(table.names) else table.names
            names = "" if _numbered(named) else f" ({'theirs' if named is real.columns else 'its own'} are {listed(named)})"
            raise BadInput(f"{path} has {len(table.names)} features, the real samples {len(real.columns)}{names}")
        place = {name: i for i, name in enumerate(real.columns)}
    else:
        place = {name: i for i, name in enumerate(table.names)}
        missing, unknown = [one for one in real.names if one not in place], [one for one in place if one not in real.columns]
        if missing or unknown:
            parts = [f"lacks {listed(missing)}, which the real samples have"] * bool(missing)
            parts += [f"has {listed(unknown)}, which the real samples lack"] * bool(unknown)
            raise BadInput(f"{path} {' and '.join(parts)}: the columns must be the same")
    return replace(table, X=table.X[:, [place[name] for name in real.names]], names=real.names, columns=real.columns)


def _numbered(names: Sequence[str]) -> bool:
    return all(name[:1] == "x" and name[1:].isdigit() for name in names)


def _rows(table: Table, chosen: np.ndarray) -> Table:
    extra = {name: None if getattr(table, name) is None else getattr(table, name)[chosen] for name in EXTRA}
    return replace(table, X=table.X[chosen], y=table.y[chosen], **extra)


# ---------------------------------------------------------------- what holds for a column


def _features(columns: Columns, path: str | os.PathLike[str], first: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """X (k, p) and the names of its features, from columns of numbers (k,) or of vectors (k, d)."""
    names, parts = [], []
    for name, values in columns:
        block = values[:, None] if values.ndim == 1 else values
        width = block.shape[1]
        names += [name] if values.ndim == 1 else [f"{name}{i}" if name == "x" else f"{name}[{i}]" for i in range(width)]
        if block.dtype.kind not in "buif":
            raise BadInput(f"column {shown(name)!r} of {path} is not numeric: drop it, or encode it as numbers")
        parts.append(block)
    if not parts or not names:
        raise BadInput(f"{path} has no features")
    X = np.ascontiguousarray(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1), dtype=float)
    bad = ~(np.abs(X) <= LARGEST)
    if bad.any():
        row, column = np.unravel_index(bad.argmax(), bad.shape)
        value, what = X[row, column], f"column {shown(names[column])!r} of {path}"
        if np.isfinite(value):
            raise BadInput(f"{what} has {value:.1e} in row {first + row}: rescale it, or correct it")
        kind = "a missing value (nan)" if np.isnan(value) else "an infinite value"
        raise BadInput(f"{what} has {kind} in row {first + row}: fill it or leave the row out")
    return X, tuple(names)


def _labels(values: np.ndarray, what: str, first: int, *, missing: bool = False) -> np.ndarray:
    """Labels as words, whole numbers without a point. missing: whether labels may be missing; they become ""."""
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


def _numbers(words: np.ndarray) -> np.ndarray:
    """The words as whole numbers, if all of them are and fit into 64 bits; else the words."""
    try:
        unique, codes = np.unique(words, return_inverse=True)
        return np.array([int(one) for one in unique], dtype=np.int64)[codes]
    except (ValueError, OverflowError):
        return words


def _extra(name: str, values: np.ndarray, path: str | os.PathLike[str], first: int) -> np.ndarray:
    what = f"column {name!r} of {path}"
    if name == "truth":
        return _labels(values, what, first, missing=True)
    if name == "score":
        try:
            score = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            raise BadInput(f"{what} must be numbers") from None
        if not np.isfinite(score).all():
            raise BadInput(f"{what} has a missing or infinite value in row {first + int((~np.isfinite(score)).argmax())}")
        return score
    words = _labels(values, what, first, missing=True)
    bad = ~np.isin(words, list(YES | NO))
    if bad.any():
        raise BadInput(f"{what} must be true or false, not {str(words[bad.argmax()])!r} in row {first + int(bad.argmax())}")
    return np.isin(words, list(YES))
