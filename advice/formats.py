"""The formats of user files: npz, csv, parquet, and folders saved by Hugging Face datasets, each as named columns in chunks of rows."""

from __future__ import annotations

import csv
import io
import itertools
import math
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

import numpy as np

from ..support.errors import BadInput
from ..support.memory import must_fit

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_VALUES = 2_000_000  # numbers read at a time
NAMED, SHOWN = 20, 60  # names listed in a message, and characters of each
HEAD = 10_000  # bytes of an array's header: more is no header
LONGEST = 2**27  # characters of a line of text: more is no table, and might fill the memory
# what pandas takes for missing, and "?", which many published tables have
MISSING = frozenset(("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
                     "NaN", "None", "n/a", "nan", "null", "?"))
TO_INSTALL = "pip install '.[tables]'"

Columns = list[tuple[str, np.ndarray]]
Chunk = tuple[Columns, dict[str, np.ndarray]]


class TableReader(Protocol):
    """Reads one file: rows with named columns, a chunk of rows at a time.

    Attributes
    ----------
    kind
        "npz", "csv", "parquet", "folder" or "frame".
    how
        What else must be known to read it: the delimiter of csv, the split of a folder that has several.
    """

    kind: str
    how: dict[str, str]

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns, in the order of the file."""
        ...

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """The rows in order, at most `rows` at a time: the feature columns and the other columns by name.

        A feature column is numbers, (k,) or (k, d), nan where missing; or words, (k,) of objects, None where missing.
        """
        ...


def reader(path: Path | object) -> TableReader:
    """The reader of a file, chosen by its suffix, of a folder saved by Hugging Face datasets, or of a data frame.

    Raises
    ------
    BadInput
        For a file that does not exist, cannot be read, or has no known format. Pipes and devices are not opened: they may never end.
    """
    if is_frame(path):
        return _Guarded("the data frame", _Frame(path))
    with _reading(path):
        if path.is_dir():
            return _Guarded(path, _dataset(path))
        if not path.exists():
            raise BadInput(f"there is no file {path}")
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInput(f"cannot read {path}: it is a pipe or a device; save what it holds to a file")
        suffix = path.suffix.lower()
        of = {".npz": _Npz, ".csv": _Csv, ".tsv": _Csv, ".txt": _Csv, ".parquet": _parquet, ".pq": _parquet}.get(suffix)
        if of is not None:
            found = of(path)
            twice = [name for name in found.columns if found.columns.count(name) > 1]
            if twice:
                raise BadInput(f"{path} has two columns {shown(twice[0])!r}: its header must give every column a name of its own")
            return _Guarded(path, found)
    raise BadInput(f"cannot read {path}: the formats are .npz, .csv, .parquet and a folder saved by Hugging Face datasets")


@contextmanager
def _reading(path: Path | str) -> Iterator[None]:
    """Turn whatever a library raises for a file that it cannot read into BadInput."""
    try:
        yield
    except BadInput:
        raise
    except MemoryError:
        raise BadInput(f"cannot read {path}: the memory is too small for what it says it holds") from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {_first_line(error.strerror or error)}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"cannot read {path}: it is not text in UTF-8") from error
    except Exception as error:  # zipfile, zlib, lzma, NumPy, csv and Arrow raise some thirty kinds of exceptions for what is damaged
        raise BadInput(f"cannot read {path}: it is damaged, or of a kind that is not read here ({_first_line(error)})") from error


@dataclass(frozen=True, eq=False)
class _Guarded:
    """A reader whose chunks raise nothing but BadInput."""

    path: Path | str
    file: TableReader

    @property
    def kind(self) -> str:
        """As in `TableReader`."""
        return self.file.kind

    @property
    def how(self) -> dict[str, str]:
        """As in `TableReader`."""
        return self.file.how

    @property
    def columns(self) -> Sequence[str]:
        """As in `TableReader`."""
        return self.file.columns

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """As in `TableReader`."""
        with _reading(self.path):
            yield from self.file.chunks(features, others, rows)


@dataclass(frozen=True, eq=False)
class _Array:
    """An array of an npz file whose header has been read: nothing is allocated before it is known to be there.

    Attributes
    ----------
    archive, name
        Where it is.
    offset
        Bytes of the header.
    shape, fortran, dtype
        What the header says.
    """

    archive: zipfile.ZipFile
    name: str
    offset: int
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype

    @classmethod
    def of(cls, archive: zipfile.ZipFile, name: str) -> _Array:
        """The array of one name.

        Raises
        ------
        BadInput
            For Python objects, and for an array that is shorter than its header says.
        Exception
            For whatever else is wrong; see `_reading`.
        """
        with archive.open(f"{name}.npy") as file:
            head = io.BytesIO(file.read(HEAD))
        version = np.lib.format.read_magic(head)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise ValueError(f"array {name} is of version {version}")
        parse = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = parse(head)
        if dtype.hasobject:
            raise BadInput(f"cannot read {archive.filename}: array {name} holds Python objects; save numbers and strings")
        found = cls(archive, name, head.tell(), shape, fortran, dtype)
        if min(shape, default=0) < 0 or found.size > archive.getinfo(f"{name}.npy").file_size - found.offset:
            raise BadInput(f"cannot read {archive.filename}: it is damaged (array {name} is shorter than its header says)")
        return found

    @property
    def size(self) -> int:
        """Bytes of the whole array."""
        return math.prod(self.shape) * self.dtype.itemsize

    def pieces(self, step: int) -> Iterator[np.ndarray]:
        """`step` entries along the first axis at a time.

        Raises
        ------
        BadInput
            Where a piece does not fit in memory.
        """
        k, rest = self.shape[0], self.shape[1:]
        with self.archive.open(f"{self.name}.npy") as file:
            file.read(self.offset)
            whole = self.fortran and len(self.shape) > 1  # stored feature by feature: there is no reading it in rows
            must_fit(f"array {self.name} of {self.archive.filename}", 2 * (self.size if whole else self.size // max(k, 1) * min(step, k)),
                     "save fewer rows")
            if whole:
                values = np.frombuffer(file.read(self.size), self.dtype).reshape(self.shape[::-1]).T
                yield from (values[i : i + step] for i in range(0, k, step))
                return
            for i in range(0, k, step):
                count = min(step, k - i)
                entries = count * math.prod(rest)
                yield np.frombuffer(file.read(entries * self.dtype.itemsize), self.dtype, entries).reshape(count, *rest)


class _Npz:
    """npz: the array X (k, p) and an array (k,) for each other column. X is read from the archive piece by piece."""

    kind = "npz"

    def __init__(self, path: Path) -> None:
        self.path, self.how = path, {}
        try:
            with zipfile.ZipFile(path) as archive:
                self.columns = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        except zipfile.BadZipFile as error:
            raise BadInput(f"cannot read {path}: it is no npz file ({error})") from None
        if "X" not in self.columns:
            raise BadInput(f"{path} has no array X of features; its arrays are {listed(self.columns) or 'none'}")

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """As in `TableReader`. Arrays other than X are never features."""
        if "X" not in features:
            raise BadInput(f"X holds the features of {self.path}: it cannot be the label column")
        with zipfile.ZipFile(self.path) as archive:
            X, arrays = _Array.of(archive, "X"), {name: _Array.of(archive, name) for name in others}
            if len(X.shape) != 2:
                raise BadInput(f"X of {self.path} must have shape (samples, features), not {X.shape}")
            if X.dtype.kind not in "buif":
                raise BadInput(f"X of {self.path} is not numeric (its type is {X.dtype})")
            k, p = X.shape
            for name, one in arrays.items():
                if one.shape != (k,):
                    raise BadInput(f"array {shown(name)} of {self.path} has shape {one.shape}, X has {k} rows: one entry a row is needed")
            if not p:
                raise BadInput(f"{self.path} has no features")
            step = rows or max(1, CHUNK_VALUES // p)
            columns = zip(*(one.pieces(step) for one in arrays.values()), strict=True)
            for piece, values in zip(X.pieces(step), columns, strict=True):
                yield [("x", piece)], dict(zip(arrays, values, strict=True))


class _Csv:
    """csv: text with a header line and commas, semicolons or tabs between the cells."""

    kind = "csv"

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._open() as file:
            header = self._line(file)
        if not header.strip():
            raise BadInput(f"{path} is empty: a header line with the names of the columns is needed")
        self.delimiter = max(",;\t", key=header.count)
        self.how = {"delimiter": self.delimiter}
        try:
            self.columns = [name.strip() for name in next(csv.reader([header], delimiter=self.delimiter))]
        except csv.Error:
            raise BadInput(f"the header line of {path} holds a name of over {csv.field_size_limit():,} characters") from None

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """As in `TableReader`. NumPy parses whole chunks; what words the first one has says which columns hold words."""
        step, first, words = rows or max(1, CHUNK_VALUES // len(self.columns)), 1, set()
        with self._open() as file:
            self._line(file)
            filled = (line for line in iter(lambda: self._line(file), "") if line.strip())
            while lines := list(itertools.islice(filled, step)):
                of = self._parsed(lines, first, set(features) - words)
                found = {name: _numbers_or_words(of[name]) if of[name].dtype.kind == "O" and name not in words else of[name]
                         for name in features}
                if first == 1:
                    words = {name for name, values in found.items() if values.dtype.kind == "O"}
                for name in features:
                    if found[name].dtype.kind == "O":
                        found[name] = _words(of[name])
                        self._same_kind(name, found[name], first, name in words)
                yield [(name, found[name]) for name in features], {name: of[name] for name in others}
                first += len(lines)

    def _parsed(self, lines: list[str], first: int, numbers: set[str]) -> dict[str, np.ndarray]:
        """The cells by column: `numbers` as floats if all of them are, otherwise everything as text."""
        for wanted in (numbers, set()):
            dtype = np.dtype([(f"c{i}", float if name in wanted else object) for i, name in enumerate(self.columns)])
            try:
                parsed = np.loadtxt(lines, dtype, delimiter=self.delimiter, quotechar='"', comments=None, ndmin=1)
                return {name: parsed[f"c{i}"] for i, name in enumerate(self.columns)}
            except ValueError as error:
                problem = error
        raise self._wrong(lines, first, problem) from None

    def _same_kind(self, name: str, values: np.ndarray, first: int, words: bool) -> None:
        if not words:
            row = next(i for i, one in enumerate(values) if one is not None and _number(one) is None)
            raise BadInput(f"column {shown(name)!r} of {self.path} is not numeric, {shown(values[row])!r} in row {first + row} after rows "
                           "with numbers: correct it, or leave the column out with --drop")

    def _open(self) -> TextIO:
        return self.path.open(encoding="utf-8-sig", newline="")

    def _line(self, file: TextIO) -> str:
        line = file.readline(LONGEST)
        if len(line) == LONGEST:
            raise BadInput(f"cannot read {self.path}: a line has over {LONGEST:,} characters")
        return line

    def _wrong(self, lines: list[str], first: int, error: ValueError) -> BadInput:
        row = first
        try:
            for cells in csv.reader(lines, delimiter=self.delimiter):
                if len(cells) != len(self.columns):
                    return BadInput(f"row {row} of {self.path} has {len(cells)} cells, the header {len(self.columns)}")
                row += 1
        except csv.Error:
            return BadInput(f"row {row} of {self.path} holds a cell of over {csv.field_size_limit():,} characters: it is no number")
        return BadInput(f"cannot read {self.path}: {_first_line(error)}")


@dataclass(frozen=True, eq=False)
class _Arrow:
    """parquet and datasets: Arrow's record batches. A column of lists of d numbers is d features."""

    path: Path
    kind: str
    columns: list[str]
    batches: Callable[[int], Iterable[pa.RecordBatch | pa.Table]]
    how: dict[str, str] = field(default_factory=dict)

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """As in `TableReader`.

        Raises
        ------
        BadInput
            For feature columns that are neither numbers nor lists of numbers.
        """
        step, first = rows, 1
        if step is None:  # the width of lists is not known before one is read
            batch = next(iter(self.batches(1)), None)
            width = 1 if batch is None else sum(np.size(batch.column(name)[0].as_py() or 0) for name in features)
            step = max(1, CHUNK_VALUES // max(width, 1))
        for batch in self.batches(step):
            values = [(name, self._numbers(name, batch.column(name), first)) for name in features]
            yield values, {name: self._cells(batch.column(name)) for name in others}
            first += batch.num_rows

    def _numbers(self, name: str, column: pa.Array | pa.ChunkedArray, first: int) -> np.ndarray:
        import pyarrow as pa

        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        kind = column.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            flat = column.flatten()
            if column.null_count or flat.null_count:
                row = column.is_null().to_numpy(zero_copy_only=False).argmax() if column.null_count else 0
                raise BadInput(f"column {name!r} of {self.path} has a missing value in row {first + row}: fill it or leave the row out")
            width = len(flat) / max(len(column), 1)
            lengths = np.full(len(column), width) if pa.types.is_fixed_size_list(kind) else np.diff(column.offsets.to_numpy())
            if len(set(lengths.tolist())) > 1:
                raise BadInput(f"column {name!r} of {self.path} holds lists of different lengths")
            return self._numbers(name, flat, first).reshape(len(column), -1)
        if pa.types.is_dictionary(kind):
            column, kind = column.cast(kind.value_type), kind.value_type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            return _words(np.array(column.to_pylist() or [], dtype=object))
        if pa.types.is_null(kind):
            return np.full(len(column), np.nan)
        if pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        if pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        return column.to_numpy(zero_copy_only=False)

    @staticmethod
    def _cells(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
        values = column.to_pylist()
        try:
            plain = np.array(values)
            return plain if plain.dtype.kind in "buif" else np.array(values, dtype=object)
        except ValueError:
            return np.array(values, dtype=object)


def _parquet(path: Path) -> _Arrow:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise BadInput(f"reading {path} needs pyarrow: {TO_INSTALL}") from None
    try:
        columns = ParquetFile(path).schema_arrow.names
    except ArrowInvalid as error:
        raise BadInput(f"cannot read {path}: it is no parquet file ({_first_line(error)})") from None
    return _Arrow(path, "parquet", list(columns), lambda rows: ParquetFile(path).iter_batches(rows))


def _dataset(path: Path) -> _Arrow:
    try:
        from datasets import DatasetDict, load_from_disk
    except ImportError:
        raise BadInput(f"reading the folder {path} needs Hugging Face datasets: {TO_INSTALL}") from None
    try:
        found = load_from_disk(str(path))
    except Exception as error:  # whatever it meets in a folder that it did not write
        raise BadInput(f"cannot read {path}: it is no folder saved by datasets ({_first_line(error)})") from None
    how = {}
    if isinstance(found, DatasetDict):
        splits = list(found)
        name = "train" if "train" in splits else splits[0]
        if name != "train" and len(splits) > 1:
            raise BadInput(f"{path} has the splits {listed(splits)}; give the folder of one of them")
        found, how = found[name], {"split": name}
    arrow = found.with_format("arrow")
    return _Arrow(path, "folder", list(found.column_names), arrow.iter, how)


@dataclass(frozen=True, eq=False)
class _Frame:
    """A data frame of pandas or polars, in memory."""

    frame: object
    kind: str = "frame"
    how: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """As in `TableReader`."""
        return [str(name) for name in self.frame.columns]

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """As in `TableReader`."""
        of = {str(name): np.asarray(self.frame[name]) for name in self.frame.columns}
        step = rows or max(len(self.frame), 1)
        found = {name: self._feature(of[name]) for name in features}
        for i in range(0, len(self.frame), step):
            yield [(name, found[name][i : i + step]) for name in features], {name: of[name][i : i + step] for name in others}

    @staticmethod
    def _feature(values: np.ndarray) -> np.ndarray:
        if values.dtype.kind in "buif" or values.dtype.kind in "Mm":
            return values
        if len(values) and isinstance(values[0], list | tuple | np.ndarray):
            return np.stack([np.asarray(one) for one in values])
        given = np.array([None if one is None or str(one) in ("<NA>", "NaT", "nan") else one for one in values], dtype=object)
        if all(one is None or isinstance(one, Real) for one in given):
            return np.array([np.nan if one is None else float(one) for one in given])
        return _words(np.array([None if one is None else str(one) for one in given], dtype=object))


def is_frame(given: object) -> bool:
    """Whether it is a data frame rather than the path of a file.

    Parameters
    ----------
    given : object
        What was given in the place of a file.
    """
    return hasattr(given, "columns") and hasattr(given, "__getitem__") and not isinstance(given, str | Path)


def _words(values: np.ndarray) -> np.ndarray:
    """Cells as stripped text, None where `MISSING`."""
    text = {one: str(one).strip() for one in set(values.tolist())}
    return np.array([None if one is None or text[one] in MISSING else text[one] for one in values], dtype=object)


def _numbers_or_words(values: np.ndarray) -> np.ndarray:
    """Cells as numbers, nan where `MISSING`, if all others are numbers; else the cells as they are."""
    words = _words(values)
    found = np.array([np.nan if one is None else _number(one) for one in words], dtype=object)
    return values if any(one is None for one in found) else found.astype(float)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def listed(names: Sequence[str]) -> str:
    """The names with commas between them: the first NAMED of many, and how many more there are."""
    return ", ".join(map(shown, names[:NAMED])) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def shown(text: str) -> str:
    """The text, or the beginning of a long one."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _first_line(error: object) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0] if len(lines[0]) <= 4 * SHOWN else f"{lines[0][: 4 * SHOWN]}..."
