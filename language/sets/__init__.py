"""Data sets of texts: every module but `base` is one, named as in `data.sets`, with `LANGUAGE`, what can be done with it.

A new data set is a new file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ...data.text import Preferences
from ...support.errors import BadInput
from .base import FeatureTexts, LabelledAnswers, LanguageData


@cache
def language_data() -> dict[str, LanguageData]:
    """Return the data sets of texts by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base")
    return {name: importlib.import_module(f"{__name__}.{name}").LANGUAGE for name in names}


def pair_loaders() -> dict[str, Callable[[Path | None], Preferences]]:
    """Return what loads preference pairs from the user's folder, by the name in configurations."""
    return {name: load for one in language_data().values() for name, load in one.pairs.items()}


def answer_loaders() -> dict[str, Callable[[Path | None], LabelledAnswers]]:
    """Return what loads labelled answers from the user's folder, by the name in configurations."""
    return {name: load for one in language_data().values() for name, load in one.answers.items()}


def feature_texts(name: str) -> FeatureTexts:
    """Return the texts of a data set that features are taken of.

    Parameters
    ----------
    name : str
        Of a module of this folder.

    Raises
    ------
    BadInput
        If there is no such data set.
    """
    found = {name: one.features for name, one in language_data().items() if one.features is not None}
    if name not in found:
        raise BadInput(f"features are extracted from {' or '.join(found)}, not from {name!r}")
    return found[name]
