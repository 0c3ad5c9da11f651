"""Classification tasks on real data: every module of `data.sets` and of this folder may have some, as its `TASKS`.

In this folder are those that need more than their files, such as the features of a language model.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from ...data import sets
from ...data.tasks import ClassificationTask
from ...support.errors import BadInput


def names() -> list[str]:
    """The tasks there are."""
    return sorted(one.name for one in _all())


def task(name: str) -> ClassificationTask:
    """The task `name`.

    Raises
    ------
    BadInput
        If there is no such task.
    """
    for one in _all():
        if one.name == name:
            return one
    raise BadInput(f"there is no classification task {name!r}; there are {', '.join(names())}")


def _all() -> Iterator[ClassificationTask]:
    for package, path in ((sets.__name__, sets.__path__), (__name__, __path__)):
        for module in pkgutil.iter_modules(path):
            yield from getattr(importlib.import_module(f"{package}.{module.name}"), "TASKS", ())
