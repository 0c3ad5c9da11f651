"""What is published: the values of the paper's figures, as data files with their source, and where its formula has no value."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np

from ...solvers.predict import PredictionGrid


def published(name: str) -> dict:
    """Return figures/published/NAME.json: the values, under their keys, with `source` and `note`."""
    return json.loads(resources.files("synthmix.figures").joinpath("published", f"{name}.json").read_text())


def shortcomings(grid: PredictionGrid, where: str) -> list[str]:
    """Return notes on the points of a curve of the published formula that have no solution, or a variance below 0.

    Parameters
    ----------
    grid
        Of `predict_grid(..., formula="published", gaps=True)`.
    where
        Which curve.
    """
    size = grid.variance.size
    unsolved, negative = np.count_nonzero(np.isnan(grid.variance)), np.count_nonzero(grid.variance < 0)
    notes = []
    if unsolved:
        notes.append(f"The published formula, {where}, is not solved at {unsolved} of {size} points of its curve: a gap.")
    if negative:
        notes.append(f"The published variance, {where}, is below 0, which is impossible, at {negative} of {size} points of its curve: "
                     "no accuracy there.")
    return notes
