"""The formats of user files: npz, csv, parquet, and folders saved by Hugging Face datasets, each as named columns in chunks of rows."""

from __future__ import annotations

import csv
import itertools
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

import numpy as np

from ..support.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_VALUES = 2_000_000  # numbers read at a time
NAMED = 20  # names listed in a message
TO_INSTALL = "pip install '.[tables]'"

Columns = list[tuple[str, np.ndarray]]
Chunk = tuple[Columns, dict[str, np.ndarray]]


class TableReader(Protocol):
    """Reads one file: rows with named columns, a chunk of rows at a time."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns, in the order of the file."""
        ...

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """The rows in order, at most `rows` at a time: the feature columns, each (k,) or (k, d), and the other columns by name."""
        ...


def reader(path: Path) -> TableReader:
    """The reader of a file, chosen by its suffix, or of a folder saved by Hugging Face datasets.

    Raises:
        BadInput: For a file that does not exist, cannot be read, or has no known format.
    """
    try:
        if path.is_dir():
            return _dataset(path)
        if not path.exists():
            raise BadInput(f"there is no file {path}")
        suffix = path.suffix.lower()
        if suffix == ".npz":
            return _Npz(path)
        if suffix in (".csv", ".tsv", ".txt"):
            return _Csv(path)
        if suffix in (".parquet", ".pq"):
            return _parquet(path)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None
    raise BadInput(f"cannot read {path}: the formats are .npz, .csv, .parquet and a folder saved by Hugging Face datasets")


class _Npz:
    """npz: the array X (k, p) and an array (k,) for each other column. X is read from the archive piece by piece."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.columns = [name.removesuffix(".npy") for name in archive.namelist()]
        except (zipfile.BadZipFile, OSError) as error:
            raise BadInput(f"cannot read {path}: it is no npz file ({error})") from None
        if "X" not in self.columns:
            raise BadInput(f"{path} has no array X of features; its arrays are {listed(self.columns)}")

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """As in `TableReader`. Arrays other than X are never features."""
        if "X" not in features:
            raise BadInput(f"X holds the features of {self.path}: it cannot be the label column")
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                columns = {name: arrays[name] for name in others}
            k = None
            for X in self._pieces(rows):
                start = 0 if k is None else k
                k = start + len(X)
                yield [("x", X)], {name: values[start:k] for name, values in columns.items()}
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            if isinstance(error, BadInput):
                raise
            pickled = "pickle" in str(error)
            why = "it holds Python objects; save numbers and strings" if pickled else f"it is damaged ({error})"
            raise BadInput(f"cannot read {self.path}: {why}") from None
        wrong = [name for name, values in columns.items() if values.ndim != 1 or len(values) != (k or 0)]
        if wrong:
            raise BadInput(f"array {wrong[0]} of {self.path} has shape {columns[wrong[0]].shape}, X has {k or 0} rows")

    def _pieces(self, rows: int | None) -> Iterator[np.ndarray]:
        with zipfile.ZipFile(self.path) as archive, archive.open("X.npy") as file:
            version = np.lib.format.read_magic(file)
            reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = reader(file)
            if len(shape) != 2:
                raise BadInput(f"X of {self.path} must have shape (samples, features), not {shape}")
            if dtype.kind not in "buif":
                raise BadInput(f"X of {self.path} is not numeric (its type is {dtype})")
            k, p = shape
            step = rows or max(1, CHUNK_VALUES // max(p, 1))
            if fortran:  # stored feature by feature: there is no reading it in rows
                whole = np.frombuffer(file.read(), dtype).reshape(p, k).T
                yield from (whole[i : i + step] for i in range(0, k, step))
                return
            for i in range(0, k, step):
                count = min(step, k - i)
                data = file.read(count * p * dtype.itemsize)
                yield np.frombuffer(data, dtype, count * p).reshape(count, p)


class _Csv:
    """csv: text with a header line and commas, semicolons or tabs between the cells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with self._open() as file:
                header = file.readline()
        except UnicodeDecodeError:
            raise BadInput(f"cannot read {path}: it is not text in UTF-8") from None
        if not header.strip():
            raise BadInput(f"{path} is empty: a header line with the names of the columns is needed")
        self.delimiter = max(",;\t", key=header.count)
        self.columns = [name.strip() for name in next(csv.reader([header], delimiter=self.delimiter))]
        if len(set(self.columns)) < len(self.columns):
            twice = next(name for name in self.columns if self.columns.count(name) > 1)
            raise BadInput(f"{path} has two columns {twice!r}: the first line must be a header with different names")

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """As in `TableReader`. NumPy parses whole chunks; where it fails, the rows are searched for what is wrong."""
        wanted = set(features)
        dtype = np.dtype([(f"c{i}", float if name in wanted else object) for i, name in enumerate(self.columns)])
        step, first = rows or max(1, CHUNK_VALUES // len(self.columns)), 1
        try:
            with self._open() as file:
                file.readline()
                filled = (line for line in file if line.strip())
                while lines := list(itertools.islice(filled, step)):
                    try:
                        parsed = np.loadtxt(lines, dtype, delimiter=self.delimiter, quotechar='"', comments=None, ndmin=1)
                    except ValueError as error:
                        raise self._wrong(lines, first, wanted, error) from None
                    of = {name: parsed[f"c{i}"] for i, name in enumerate(self.columns)}
                    yield [(name, of[name]) for name in features], {name: of[name] for name in others}
                    first += len(lines)
        except UnicodeDecodeError:
            raise BadInput(f"cannot read {self.path}: it is not text in UTF-8") from None

    def _open(self) -> TextIO:
        return self.path.open(encoding="utf-8-sig", newline="")

    def _wrong(self, lines: list[str], first: int, features: set[str], error: ValueError) -> BadInput:
        for row, cells in enumerate(csv.reader(lines, delimiter=self.delimiter), first):
            if len(cells) != len(self.columns):
                return BadInput(f"row {row} of {self.path} has {len(cells)} cells, the header {len(self.columns)}")
            for name, cell in zip(self.columns, cells, strict=True):
                if name in features:
                    try:
                        float(cell)
                    except ValueError:
                        column = f"column {name!r} of {self.path}"
                        if not cell.strip():
                            return BadInput(f"{column} has a missing value in row {row}: fill it or leave the row out")
                        return BadInput(f"{column} is not numeric, {cell.strip()!r} in row {row}: drop it, or encode it as numbers")
        return BadInput(f"cannot read {self.path}: {error}")


@dataclass(frozen=True, eq=False)
class _Arrow:
    """parquet and datasets: Arrow's record batches. A column of lists of d numbers is d features."""

    path: Path
    columns: list[str]
    batches: Callable[[int], Iterable[pa.RecordBatch | pa.Table]]

    def chunks(self, features: Sequence[str], others: Sequence[str], rows: int | None) -> Iterator[Chunk]:
        """As in `TableReader`.

        Raises:
            BadInput: For feature columns that are neither numbers nor lists of numbers.
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
        if column.null_count:
            row = column.is_null().to_numpy(zero_copy_only=False).argmax()
            raise BadInput(f"column {name!r} of {self.path} has a missing value in row {first + row}: fill it or leave the row out")
        kind = column.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            flat = column.flatten()
            width = len(flat) / max(len(column), 1)
            lengths = np.full(len(column), width) if pa.types.is_fixed_size_list(kind) else np.diff(column.offsets.to_numpy())
            if len(set(lengths.tolist())) > 1:
                raise BadInput(f"column {name!r} of {self.path} holds lists of different lengths")
            return self._numbers(name, flat, first).reshape(len(column), -1)
        if pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
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
    except (ArrowInvalid, OSError) as error:
        raise BadInput(f"cannot read {path}: it is no parquet file ({str(error).splitlines()[0]})") from None
    return _Arrow(path, list(columns), lambda rows: ParquetFile(path).iter_batches(rows))


def _dataset(path: Path) -> _Arrow:
    try:
        from datasets import DatasetDict, load_from_disk
    except ImportError:
        raise BadInput(f"reading the folder {path} needs Hugging Face datasets: {TO_INSTALL}") from None
    try:
        found = load_from_disk(str(path))
    except Exception as error:  # whatever it meets in a folder that it did not write
        raise BadInput(f"cannot read {path}: it is no folder saved by datasets ({str(error).splitlines()[0]})") from None
    if isinstance(found, DatasetDict):
        splits = list(found)
        name = "train" if "train" in splits else splits[0]
        if name != "train" and len(splits) > 1:
            raise BadInput(f"{path} has the splits {listed(splits)}; give the folder of one of them")
        found = found[name]
    arrow = found.with_format("arrow")
    return _Arrow(path, list(found.column_names), arrow.iter)


def listed(names: Sequence[str]) -> str:
    """The names with commas between them: the first NAMED of many, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
