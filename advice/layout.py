"""How the samples lie in a user's file, and the lines of Python that load them with NumPy and pandas."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .formats import MISSING

KEPT = ("True", "TRUE", "true", "1", "1.0", "yes")  # what `keep` may say of a row that is kept


@dataclass(frozen=True)
class Layout:
    """The columns of a file.

    Attributes
    ----------
    path
        As the user wrote it.
    kind
        "npz", "csv", "parquet" or "folder"; "frame", a data frame in memory; "arrays" in memory.
    label
        The label column.
    columns
        All columns, in the order of the file.
    features
        Those that hold features, in the order of the file.
    lists
        Whether one of them holds lists of numbers, each of which is a feature.
    delimiter
        Between the cells of a csv file.
    split
        The split of a folder that has several.
    """

    path: str
    kind: str
    label: str
    columns: tuple[str, ...]
    features: tuple[str, ...]
    lists: bool = False
    delimiter: str = ","
    split: str = ""

    @property
    def named(self) -> bool:
        """Whether features are columns with a name of their own."""
        return self.kind not in ("npz", "arrays") and not self.lists

    @property
    def imports(self) -> tuple[str, ...]:
        """Lines that import what the file is read with."""
        return {"csv": ("import pandas as pd",), "parquet": ("import pandas as pd",), "folder": ("from datasets import load_from_disk",),
                }.get(self.kind, ())  # fmt: skip

    def loading(self) -> str:
        """Return the expression that loads the file."""
        if self.kind == "npz":
            return f"np.load({written(self.path)})"
        if self.kind == "folder":
            part = f"[{written(self.split)}]" if self.split else ""
            return f"load_from_disk({written(self.path)}){part}.to_pandas()"
        if self.kind == "parquet":
            return f"pd.read_parquet({written(self.path)})"
        apart = f", sep={written(self.delimiter)}" if self.delimiter != "," else ""
        return f'pd.read_csv({written(self.path)}{apart}, skipinitialspace=True, na_values="?", float_precision="round_trip")'

    def features_of(self, name: str, positions: Sequence[int] | None) -> str:
        """Return the expression for the features of the loaded file `name` as an array: those at `positions`, called `columns`, or all."""
        taken = "" if positions is None else "[:, columns]"
        if self.kind in ("npz", "arrays"):
            return f'{name}["X"]{taken}'
        if self.lists:
            return f"np.column_stack([np.stack({name}[one]) for one in {written(self.features)}]){taken}"
        chosen = self.features if positions is None else [self.features[i] for i in positions]
        return f"{name}[{written(chosen)}].to_numpy()"

    def labels_of(self, name: str, classes: np.ndarray) -> str:
        """Return the expression for the labels of the loaded file `name`, words or whole numbers as `classes` are."""
        words = classes.dtype.kind not in "iu"
        labels = f"{name}[{written(self.label)}]"
        if words and self.kind == "csv" and MISSING & set(classes.tolist()):  # a class called "None" is none that is missing
            labels = f"pd.read_csv({written(self.path)}, sep={written(self.delimiter)}, keep_default_na=False)[{written(self.label)}]"
        return f"np.asarray({labels}).astype({'str' if words else 'int'})"

    def kept_of(self, name: str, threshold: float | None) -> str:
        """Return the expression for which rows of the loaded file `name` are kept: by their score, or by the column `keep`.

        Parameters
        ----------
        name : str
            The variable of the file in the code.
        threshold : float or None
            The lowest score that is kept, where the file has scores.
        """
        if threshold is not None:
            return f'{name}["score"] >= {threshold!r}'
        return f'np.isin(np.asarray({name}["keep"]).astype(str), {written(KEPT)})'


def written(value: str | Sequence[str | int]) -> str:
    """Return a string, or a list of strings or whole numbers, as it is written in code.

    Parameters
    ----------
    value : str, or sequence of str or int
    """
    return json.dumps(value if isinstance(value, str) else list(value), ensure_ascii=False)
