"""Results as JSON values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import is_dataclass

import numpy as np


def plain(value: object) -> object:
    """The value as JSON: arrays and iterables as lists, dataclasses with their type's name as `kind`, numbers that JSON lacks as null.

    An object with a method `record` is written as what that returns; a dataclass with a field `kind` keeps its own.
    """
    if hasattr(value, "record"):
        return plain(value.record())
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__, **{key: plain(getattr(value, key)) for key in value.__dataclass_fields__}}
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, str | int | bool) or value is None:
        return value
    if isinstance(value, Iterable):
        return [plain(one) for one in value]
    return str(value)
