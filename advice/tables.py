"""Labelled features from a user's file: npz, csv, parquet, or a folder saved by Hugging Face datasets.

Files are read in chunks of rows (`advice.formats`), so that a large file never has to fit in memory. `read` keeps all rows of a file that
is not too large: at most `MAX_ROWS` real rows and `MAX_VALUES` numbers. Of a larger file it keeps a uniform random subset, which
fixes an accuracy to 0.3 points.

Labels may be whole numbers or words, in any format: 1, 1.0 and "1" are the same label.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..support.errors import BadInput, place
from .cells import Words, as_words, extra, features, labels, numbered, targets
from .encoding import Encoding
from .formats import is_frame, listed, reader, shown
from .identifiers import named_like_one, reason
from .layout import Layout

LABELS = ("label", "y")  # the label column, where none is named
EXTRA = ("keep", "score", "truth")  # columns of a synthetic file that are no features
ROWS = (*EXTRA, "groups")  # what a table may have for each row
LEAST = 10  # real samples
MOST_CLASSES = 20  # the time of an advice grows with the square of their number and more
# why columns are left out
CONSTANT, EMPTY, TEXT = "the same in all rows", "no value in any row", "text that differs in most rows"
BY_NAME, DROPPED = "an identifier by its name", "as you said"
MAX_ROWS = 20_000  # kept of the real samples
MAX_VALUES = 50_000_000  # numbers kept of a file's features, 400 MB


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
    groups : array (k,) or None
        Rows of one group belong together, as those of one patient or prompt do; whole numbers.
    encoding
        What made features of columns of categories and of missing values; None where all columns are numbers.
    layout
        How the rows lie in their file.
    remarks
        What the user should know about how the file was read, a sentence each.
    words
        Columns of categories while the file is being read; later they are features.
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
    groups: np.ndarray | None = None
    encoding: Encoding | None = None
    layout: Layout | None = None
    remarks: tuple[str, ...] = ()
    words: Words = field(default_factory=dict)

    @cached_property
    def classes(self) -> np.ndarray:
        """(L,), the different labels, ascending."""
        return np.unique(self.y)


def read(
    path: str | os.PathLike[str] | object, label: str | None = None, *, like: Table | None = None, drop: Sequence[str] = (),
    group: str | None = None, seed: int = 0,
) -> Table:  # fmt: skip
    """Read the samples of a file or of a data frame.

    Words are categories: scikit-learn's OneHotEncoder, fitted on the real rows, makes features of them. Missing numbers are filled with the
    median of the real rows, and a further feature says where.

    Parameters
    ----------
    path
        A npz, csv or parquet file, a folder saved by Hugging Face datasets, or a data frame of pandas or polars.
    label
        The label column; by default "label" or "y".
    like
        The real samples, if the file has synthetic ones: the features are brought into the order of the real ones, those that the real
        table left out are left out, and the labels must be among the real ones.
    drop
        Columns that are no features.
    group
        The column that says which rows belong together; it is no feature.
    seed
        Of the random subset of a very large file.

    Raises
    ------
    BadInput
        In one line: no such file, format or column, a feature that is infinite or a mixture of numbers and words, only one class, fewer
        than 10 real samples, features or labels that do not match.
    """
    if not is_frame(path):
        place("the file of samples", path)
    what = "the data frame" if is_frame(path) else str(path)
    chunks = read_chunks(path, label, like=like, drop=drop, group=group)
    table = _joined(chunks, np.random.default_rng(seed), MAX_ROWS if like is None else np.inf)
    if table is None:
        raise BadInput(f"{what} has no rows")
    return _as_synthetic(table, like, what) if like is not None else _as_real(table, what)


def read_chunks(
    path: str | os.PathLike[str] | object, label: str | None = None, *, like: Table | None = None, drop: Sequence[str] = (),
    group: str | None = None, rows: int | None = None,
) -> Iterator[Table]:  # fmt: skip
    """Yield the rows of a file in chunks of at most `rows` (by default two million numbers), with labels and categories as words.

    Whatever only the whole file shows (its classes, constant features) is not checked. The other arguments are those of `read`.
    """
    what = "the data frame" if is_frame(path) else str(path)
    file = reader(path if is_frame(path) else Path(path))
    named, label = file.columns, _label_column(file.columns, label, what)
    for one in (*drop, *([group] if group else ())):
        if one == label or (like is None and one not in named):
            why = "is the label column" if one == label else f"is no column of {what}; they are {listed(named)}"
            raise BadInput(f"{shown(one)!r} {why}")
    dropped = [one for one in named if one in drop]
    taken = {label} | {one for one in EXTRA if like is not None and one in named and one not in like.columns}
    taken |= {group} if group and like is None else set()
    left_out = [one for one in named if one not in taken and one not in dropped and (one == group or named_like_one(one))]
    used = [one for one in named if one not in taken and one not in left_out and one not in dropped]
    why = tuple((one, DROPPED) for one in dropped) + tuple((one, BY_NAME) for one in left_out if one != group)
    first = 1
    for values, columns in file.chunks(used, sorted(taken), rows):
        X, names, words = features(values, what, first)
        y = labels(columns[label], f"the label column {label!r} of {what}", first)
        more = {one: extra(one, columns[one], f"column {one!r} of {what}", first) for one in taken - {label, group}}
        together = None if group not in taken else labels(columns[group], f"the group column {group!r} of {what}", first, missing=True)
        layout = Layout(what, file.kind, label, tuple(named), tuple(used), len(names) + len(words) != len(used), **file.how)
        order = names if not words else tuple(one for one in used if one in names or one in words)
        table = Table(X, y, names, **more, total=len(X), columns=order, left_out=why, groups=together, layout=layout, words=words)
        yield table if like is None else _in_order(table, like, what)
        first += len(X)


def _label_column(named: Sequence[str], label: str | None, what: str) -> str:
    if label is None:
        label = next((one for one in LABELS if one in named), None)
    if label is None or label not in named:
        missing = f"no column {label!r}" if label else "no label column"
        raise BadInput(f"{what} has {missing}; its columns are {listed(named)}; name one with --label")
    return label


# ---------------------------------------------------------------- what holds for a whole file


def _joined(chunks: Iterator[Table], rng: np.random.Generator, rows: float) -> Table | None:
    """All rows of the chunks, or where they are more than `rows` or `MAX_VALUES` numbers a uniform random subset.

    The subset has the rows with the smallest of independent random keys.
    """
    held: list[Table] = []
    keys: list[np.ndarray] = []
    classes: set[str] = set()
    total = 0
    for chunk in chunks:
        most = int(max(min(MAX_VALUES // max(len(chunk.columns), 1), rows), LEAST))
        held.append(chunk)
        keys.append(rng.random(len(chunk.X)))
        classes |= set(chunk.y)
        total += len(chunk.X)
        if sum(len(one.X) for one in held) > most:
            limit = np.partition(np.concatenate(keys), most)[most]
            held = [_rows(one, key < limit) for one, key in zip(held, keys, strict=True)]
            keys = [key[key < limit] for key in keys]
    if not total:
        return None
    y = numbered(np.concatenate([one.y for one in held]))
    more = {name: None if getattr(held[0], name) is None else np.concatenate([getattr(one, name) for one in held]) for name in ROWS}
    words = {name: np.concatenate([one.words[name] for one in held]) for name in held[0].words}
    table = replace(held[0], X=np.concatenate([one.X for one in held]), y=y, **more, total=total, words=words)
    if len(classes) > len(table.classes):
        raise BadInput(f"a class is so rare that none of its samples is in a random subset of {len(y)} rows: leave it out")
    return table


def _as_real(table: Table, what: str) -> Table:
    _check_classes(table, what)
    groups, remark = _groups_of(table, what)
    why = {name: _why_left_out(name, column) for name, column in zip(table.names, table.X.T, strict=True)}
    why |= {name: _why_words_left_out(column) for name, column in table.words.items()}
    if all(one in (CONSTANT, EMPTY) for one in why.values()):
        raise BadInput(f"every feature of {what} is the same in all rows: there is nothing to learn from")
    if all(why.values()):
        raise BadInput(f"every column of {what} is constant, text or numbers the rows: there is nothing to learn from")
    used = np.array([not why[name] for name in table.names], dtype=bool)
    X, names = table.X[:, used], tuple(np.array(table.names, dtype=object)[used])
    words = {name: column for name, column in table.words.items() if not why[name]}
    left_out = table.left_out + tuple((name, why[name]) for name in table.columns if why[name])
    if not words and not np.isnan(X).any():
        return replace(table, X=X, names=names, left_out=left_out, groups=groups, remarks=remark, words={})
    encoding = Encoding.of(X, names, words)
    return replace(table, X=encoding(X, words), names=encoding.names, left_out=left_out, groups=groups, encoding=encoding,
                   remarks=(*encoding.remarks(), *remark), words={})


def _check_classes(table: Table, what: str) -> None:
    if table.total < LEAST:
        raise BadInput(f"{what} has {table.total} rows; at least {LEAST} real samples are needed")
    classes, counts = np.unique(table.y, return_counts=True)
    if len(classes) < 2:
        raise BadInput(f"all rows of {what} have the label {classes[0]}: at least two classes are needed")
    if len(classes) > max(2, len(table.y) // 2) or (len(classes) > MOST_CLASSES and targets(classes)):
        kind = "holds the numbers of a regression: advice is for classes, so cut it into a few" if targets(classes) else "names no classes"
        raise BadInput(f"the label column of {what} has {len(classes)} different values in {len(table.y)} rows: it {kind}")
    if len(classes) > MOST_CLASSES:
        raise BadInput(f"{what} has {len(classes)} classes; advice is given for at most {MOST_CLASSES}: merge some or leave rare ones out")
    if counts.min() < 2:
        raise BadInput(f"class {classes[counts.argmin()]} of {what} has only 1 row: each needs at least 2")


def _groups_of(table: Table, what: str) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Groups as whole numbers, a row without one alone, and a remark on them."""
    if table.groups is None:
        return None, ()
    alone = table.groups == ""
    names, groups = np.unique(table.groups, return_inverse=True)
    groups = np.where(alone, len(names) + np.arange(len(groups)), groups)
    groups = np.unique(groups, return_inverse=True)[1]
    for one in table.classes:
        if len(np.unique(groups[table.y == one])) < 2:
            raise BadInput(f"all rows of class {one} of {what} are in one group: rows of a group stay together, so each class needs two")
    sizes = np.bincount(groups)
    single = f"; {np.sum(sizes == 1):,} have one row" if (sizes == 1).any() else ""
    return groups, (f"The rows form {len(sizes):,} groups of at most {sizes.max():,} rows, which are left out together{single}.",)


def _why_left_out(name: str, values: np.ndarray) -> str:
    given = values[~np.isnan(values)]
    if not given.size:
        return EMPTY
    if np.ptp(given) == 0 and given.size == values.size:
        return CONSTANT
    return reason(name, values) if given.size == values.size else ""


def _why_words_left_out(values: np.ndarray) -> str:
    different = set(values.tolist())
    if different == {None}:
        return EMPTY
    if len(different) == 1:
        return CONSTANT
    return TEXT if len(different) > len(values) // 2 else ""


def _as_synthetic(table: Table, real: Table, what: str) -> Table:
    known = {str(one) for one in real.classes}
    for kind, values in (("label", table.y), ("true label", table.truth)):
        unknown = sorted({str(one) for one in ([] if values is None else np.unique(values))} - known - {""})
        if unknown:
            raise BadInput(f"{what} has the {kind} {unknown[0]}, which no real sample has; theirs are {listed(sorted(known))}")
    encoding = real.encoding or Encoding.of(real.X, real.names, {})
    remarks = []
    for column, counts in encoding.unknown(table.words).items():
        if sum(counts.values()) == len(table.y):
            raise BadInput(f"column {shown(column)!r} of {what} has no category that the real samples have: theirs are "
                           f"{listed(sorted(map(str, encoding.categories[column])))}, not {listed(list(counts))}")
        found = listed([f"{one!r} ({count} rows)" for one, count in counts.items()])
        remarks.append(f"Column {shown(column)!r} of {what} has categories that no real row has; they count as none of those: {found}.")
    missing = int(np.isnan(table.X).any(axis=1).sum())
    if missing and not encoding.filled:
        remarks.append(f"{missing} rows of {what} lack numbers, which were filled with the median of your real rows.")
    return replace(table, X=encoding(table.X, table.words), y=table.y.astype(real.y.dtype), names=real.names,
                   encoding=encoding if missing else real.encoding, remarks=tuple(remarks), words={})


def _in_order(table: Table, real: Table, what: str) -> Table:
    """The table with the columns that the real one uses, in its order: matched by name where both files have names."""
    numbers, words = (real.names, ()) if real.encoding is None else (real.encoding.numbers, real.encoding.words)
    if not table.words and (_numbered(table.names) or _numbered(real.columns)):
        if len(table.names) != len(real.columns):
            named = real.columns if _numbered(table.names) else table.names
            names = "" if _numbered(named) else f" ({'theirs' if named is real.columns else 'its own'} are {listed(named)})"
            raise BadInput(f"{what} has {len(table.names)} features, the real samples {len(real.columns)}{names}")
        if words:
            raise BadInput(f"{what} has numbers only, the real samples words in {listed(words)}: columns must be named and alike")
        place = {name: i for i, name in enumerate(real.columns)}
        return replace(table, X=table.X[:, [place[name] for name in numbers]], names=numbers, columns=real.columns)
    missing = [one for one in (*numbers, *words) if one not in table.columns]
    unknown = [one for one in table.columns if one not in real.columns]
    if missing or unknown:
        parts = [f"lacks {listed(missing)}, which the real samples have"] * bool(missing)
        parts += [f"has {listed(unknown)}, which the real samples lack"] * bool(unknown)
        raise BadInput(f"{what} {' and '.join(parts)}: the columns must be the same")
    place, found = {name: i for i, name in enumerate(table.names)}, {}
    for name in numbers:
        if name not in place:
            example = next(one for one in table.words[name] if one is not None)
            raise BadInput(f"column {shown(name)!r} of {what} holds words ({shown(example)!r}), that of the real samples numbers")
    for name in words:
        found[name] = as_words(table.X[:, place[name]]) if name in place else table.words[name]
    return replace(table, X=table.X[:, [place[name] for name in numbers]], names=numbers, columns=real.columns, words=found)


def _numbered(names: Sequence[str]) -> bool:
    return all(name[:1] == "x" and name[1:].isdigit() for name in names)


def _rows(table: Table, chosen: np.ndarray) -> Table:
    more = {name: None if getattr(table, name) is None else getattr(table, name)[chosen] for name in ROWS}
    words = {name: column[chosen] for name, column in table.words.items()}
    return replace(table, X=table.X[chosen], y=table.y[chosen], **more, words=words)
