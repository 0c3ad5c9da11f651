"""Columns that number or name rows and are no features: a classifier that sees them learns the order of the file."""

from __future__ import annotations

import re

import numpy as np

# pandas' index in a csv or parquet file, and names that mean an identifier whatever the values
ALWAYS = re.compile(r"|unnamed: ?\d+(_level_\d+)?|__index_level_\d+__|(.*[_\- ])?(id|uuid|guid)", re.IGNORECASE)
CAMEL = re.compile(r".*[a-z0-9](Id|ID|Uuid|UUID|Guid|GUID)")
# names that mean an identifier where no value repeats
PERHAPS = re.compile(r"index|idx|row|no|nr|number|level_\d+|row[_\- ]?(no|nr|num|number|index|names?)", re.IGNORECASE)


def named_like_one(name: str) -> bool:
    """Whether the name of a column says that it holds identifiers, whatever its values."""
    return bool(ALWAYS.fullmatch(name.strip()) or CAMEL.fullmatch(name.strip()))


def reason(name: str, values: np.ndarray) -> str:
    """Return why a column is an identifier; "" if it is none.

    Parameters
    ----------
    name : str
    values : array (k,)
        Numbers, in the order of the file.
    """
    if np.any(values != np.floor(values)) or len(np.unique(values)) < len(values):
        return ""
    if np.all(np.diff(values) > 0) or np.all(np.diff(values) < 0):
        return "whole numbers that rise or fall from row to row, like row numbers"
    if np.ptp(values) == len(values) - 1:
        return "a different whole number in every row, without gaps, like row numbers"
    return "an identifier by its name and its values" if PERHAPS.fullmatch(name.strip()) else ""
