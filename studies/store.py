"""The Parquet data set of a study: one part for each block that was computed, in folders by what was computed.

A row has a key, a hash of everything that its numbers depend on. A part is named by its keys, so that two runs which compute one block
write one file, and what is there already is known by its keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..support.errors import BadInput
from ..support.files import replacing
from .compute import RESULTS

if TYPE_CHECKING:
    import pandas as pd


def keys_of(common: str, columns: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """Return the keys (count,) of rows, 64-bit whole numbers.

    Parameters
    ----------
    common
        What all rows depend on.
    columns
        What tells them apart, (count,) each.
    count
        Number of rows.
    """
    seed = hashlib.blake2b("|".join([common, *columns]).encode(), digest_size=16).digest()
    table = np.column_stack([np.zeros(count), *columns.values()]) + 0.0  # + 0.0: no negative zero
    digests = (hashlib.blake2b(row.tobytes(), digest_size=8, key=seed).digest() for row in table)
    return np.frombuffer(b"".join(digests), dtype="<u8") >> 1  # within the whole numbers that Parquet and SQL have


class Store:
    """The data set in a folder.

    Parameters
    ----------
    folder
        Made when the first part is written.

    Raises
    ------
    BadInput
        Without pyarrow, or where the folder's place is taken by a file.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise BadInput("a study is kept as Parquet files, which need pyarrow: pip install pyarrow pandas") from None
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise BadInput(f"{self.folder} is no folder; name another one as out")

    def keys(self, kind: str, loss: str) -> np.ndarray:
        """Return the keys of the rows there are, in ascending order.

        Parameters
        ----------
        kind : str
            theory, published or simulated.
        loss : str

        Raises
        ------
        BadInput
            For a part that is damaged.
        """
        import pyarrow.parquet as pq

        found = [np.empty(0, dtype=np.uint64)]
        for path in sorted(self._parts(kind, loss).glob("part-*.parquet")):
            try:
                found.append(pq.read_table(path, columns=["key"], partitioning=None)["key"].to_numpy().astype(np.uint64))
            except Exception:  # pyarrow raises several kinds of exceptions for what is damaged
                raise BadInput(f"{path} is damaged: remove it, and the same command computes its points again") from None
        return np.unique(np.concatenate(found))

    def write(self, kind: str, loss: str, columns: Mapping[str, np.ndarray]) -> None:
        """Write a part; its column `key` names it.

        Parameters
        ----------
        kind : str
            theory, published or simulated.
        loss : str
        columns : mapping of arrays (rows,)
            By name.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        name = hashlib.blake2b(np.ascontiguousarray(columns["key"]).tobytes(), digest_size=10).hexdigest()
        path = self._parts(kind, loss) / f"part-{name}.parquet"
        table = pa.table({column: _array(values) for column, values in columns.items()})
        with replacing(path) as beside:
            pq.write_table(table, beside, compression="zstd")

    def frame(self) -> pd.DataFrame:
        """Return all rows as a data frame, each key once, in the order of what was computed and of the settings."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.dataset as ds
        import pyarrow.parquet as pq

        parts = sorted(self.folder.glob("kind=*/loss=*/part-*.parquet"))
        if not parts:
            return pd.DataFrame()
        partitions = pa.schema([("kind", pa.string()), ("loss", pa.string())])
        schema = pa.unify_schemas([partitions, *(pq.read_schema(path) for path in parts)])
        table = ds.dataset(parts, schema=schema, format="parquet", partitioning=ds.partitioning(partitions, flavor="hive"),
                           partition_base_dir=str(self.folder)).to_table()  # fmt: skip
        found = table.to_pandas().drop_duplicates("key")
        columns = [name for name in found.columns if name not in ("key", "note", *RESULTS)]
        return found.sort_values(columns, ignore_index=True)

    def _parts(self, kind: str, loss: str) -> Path:
        return self.folder / f"kind={kind}" / f"loss={loss}"


def _array(values: np.ndarray) -> object:
    """The column as Arrow has it; numbers that are missing are null."""
    import pyarrow as pa

    if values.dtype.kind == "f":
        return pa.array(values, from_pandas=True)
    return pa.array(values.tolist(), type=pa.string()) if values.dtype.kind in "OU" else pa.array(values)
