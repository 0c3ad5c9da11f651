"""The table of a figure: what its panels draw, a row for every place on a curve, as comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass

import numpy as np

from ...drawing.panels import Histogram, Images, Line, Panel, Points

VALUES = ("theory", "published", "measured", "error", "spread")
"""theory: ours, or the alternative theory that `curve` names; published: the paper's formula or values; error: standard error of measured;
spread: half-width of a band."""


def table(panels: Sequence[Panel], settings: object, seed: int) -> str:
    """Return the rows of all panels as comma-separated values.

    Columns: panel, curve, x, those of `VALUES`, seed, then every setting that is a number, a truth value or a text, by the name that
    `--set` knows it by. What is measured at a place where the curve of the same name has a theory shares its row.
    """
    constant = {"seed": seed, **dict(_numbers(settings, ""))}
    text = io.StringIO()
    writer = csv.DictWriter(text, ("panel", "curve", "x", *VALUES, *constant), lineterminator="\n")
    writer.writeheader()
    for number, panel in enumerate(panels, 1):
        for (curve, x), values in _places(panel).items():
            writer.writerow({"panel": panel.title or f"{number}: {panel.ylabel}", "curve": curve, "x": x, **values, **constant})
    return text.getvalue()


def _places(panel: Panel) -> dict[tuple[str, float], dict[str, float]]:
    """The values at every curve and x, in the order of drawing."""
    names: dict[int, str] = {}  # of the colours
    for mark in panel.marks:
        if not isinstance(mark, Images) and mark.label:
            names.setdefault(mark.color, mark.label)
    found: dict[tuple[str, float], dict[str, float]] = {}
    for mark in panel.marks:
        if isinstance(mark, Images) or (isinstance(mark, Line) and mark.style in ("guide", "joined") and mark.spread is None):
            continue
        curve = getattr(mark, "curve", "") or mark.label or names.get(mark.color, "")
        for x, values in _values(mark):
            # two points of one curve at one x, as of draws that are drawn side by side, are two rows
            place, again = (curve, x), 1
            while values.keys() & found.get(place, {}).keys():
                again += 1
                place = (f"{curve} ({again})", x)
            found.setdefault(place, {}).update(values)
    return found


def _values(mark: Line | Points | Histogram) -> Iterator[tuple[float, dict[str, float]]]:
    if isinstance(mark, Histogram):
        columns, x = {"measured": mark.heights}, (mark.edges[1:] + mark.edges[:-1]) / 2
    elif isinstance(mark, Points):
        columns, x = {"measured": mark.y, "error": mark.se}, mark.x
    else:
        columns, x = ({} if mark.style in ("guide", "joined") else {"published" if mark.style == "published" else "theory": mark.y}), mark.x
        if mark.spread is not None:
            columns["spread"] = mark.spread
    for i, place in enumerate(np.asarray(x, dtype=float).tolist()):
        yield place, {name: float(values[i]) for name, values in columns.items() if np.isfinite(values[i])}


def _numbers(settings: object, where: str) -> Iterator[tuple[str, object]]:
    """The scalars among settings, with those of their parts: verifier.rho."""
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            yield from _numbers(value, f"{where}{field.name}.")
        elif isinstance(value, bool | int | float | str):
            yield f"{where}{field.name}", value
