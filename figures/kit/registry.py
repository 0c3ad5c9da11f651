"""The figures there are: every module figures/figure*.py with its `FIGURE`."""

from __future__ import annotations

import importlib
import pkgutil

from ... import figures
from ...support.errors import BadInput
from .figure import Figure

PREFIX = "figure"


def names() -> list[str]:
    """The names of the figures: '1', '2', ..., then those with words."""
    found = (module.name.removeprefix(PREFIX).lstrip("_") for module in pkgutil.iter_modules(figures.__path__)
             if module.name.startswith(PREFIX))
    return sorted(found, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))


def load(name: str) -> Figure:
    """The figure of this name.

    Raises
    ------
    BadInput
        If there is no such figure.
    """
    if name not in names():
        raise BadInput(f"there is no figure {name!r}; there are {', '.join(names())}")
    return importlib.import_module(f"{figures.__name__}.{module_name(name)}").FIGURE


def module_name(name: str) -> str:
    """The name of a figure's module, which is also that of its files: figure4, figure_real."""
    return f"{PREFIX}{name}" if name.isdigit() else f"{PREFIX}_{name}"
