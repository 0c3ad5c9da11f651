"""Public data sets: every module of `sets` is one, with `DATASET` (its entry) and `load` (plain arrays).

A new data set is a new file. A file is pinned by the sha256 of its content, wherever it comes from; where only the hub has it, by the
commit that a download asks for (`DataSet.checked_by`).
"""

from __future__ import annotations

import importlib
import pkgutil

from ..support.errors import BadInput
from ..support.files import CACHE_NAME, user_cache
from . import sets
from .entry import DataFile, DataSet
from .find import FOLDER_OPTION, FOLDER_VARIABLE, Status, locate, own_folder, status

__all__ = [
    "CACHE_NAME", "FOLDER_OPTION", "FOLDER_VARIABLE", "DataFile", "DataSet", "Status", "dataset", "locate", "names", "own_folder",
    "status", "user_cache",
]  # fmt: skip


def names() -> list[str]:
    """The data sets there are."""
    return sorted(module.name for module in pkgutil.iter_modules(sets.__path__))


def dataset(name: str) -> DataSet:
    """The entry of the data set `name`.

    Raises
    ------
    BadInput
        If there is no such data set.
    """
    if name not in names():
        raise BadInput(f"there is no data set {name!r}; there are {', '.join(names())}")
    return importlib.import_module(f"{sets.__name__}.{name}").DATASET
