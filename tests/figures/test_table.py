"""The table beside a figure, and what a figure says where the published formula has no value."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from synthmix.drawing.panels import Histogram, Images, Line, Panel, Points
from synthmix.figures import figure4
from synthmix.figures.kit.figure import Built, Figure
from synthmix.figures.kit.published import shortcomings
from synthmix.figures.kit.run import Run
from synthmix.figures.kit.table import table
from synthmix.figures.kit.validate import validate
from synthmix.solvers import kernels
from synthmix.solvers.predict import predict_grid
from synthmix.solvers.problem import Verifier, synthetic_only
from synthmix.support.errors import NotConverged

X = np.array([0.0, 0.5, 1.0])


@dataclass(frozen=True)
class Settings:
    p: int = 50
    sizes: tuple[int, ...] = (1, 2)
    verifier: Verifier = Verifier(rho=0.3, phi=0.8)


def rows(*panels: Panel) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table(panels, Settings(), 7))))


def test_theory_published_and_measured_of_one_curve_share_a_row() -> None:
    marks = [Line("a, b", X, X + 1), Line("", X, np.array([1.0, np.nan, 3.0]), 0, "published"),
             Points("", X[1:], X[1:], np.full(2, 0.1)), Line("", X, np.zeros(3), 5, "guide"), Line("c", X, X, 1, spread=X)]  # fmt: skip
    found = rows(Panel("first", "x", "y", marks), Panel("", "x", "accuracy", marks[:1]))
    assert [(row["panel"], row["curve"], row["x"]) for row in found] == [
        (panel, curve, str(x)) for panel, curve in (("first", "a, b"), ("first", "c"), ("2: accuracy", "a, b")) for x in X]
    assert [found[1][name] for name in ("theory", "published", "measured", "error", "spread")] == ["1.5", "", "0.5", "0.1", ""]
    assert found[0]["measured"] == "" and found[2]["published"] == "3.0" and found[4]["spread"] == "0.5"
    assert {(row["seed"], row["p"], row["verifier.rho"]) for row in found} == {("7", "50", "0.3")} and "sizes" not in found[0]


def test_histograms_have_rows_and_pictures_and_joining_lines_none() -> None:
    marks = [Histogram("h", np.array([0.0, 1.0, 3.0]), np.array([0.4, 0.3])), Images((), np.zeros((1, 1, 2, 2))),
             Line("m", X, X, 1, "joined"), Points("", X[:1], X[:1], X[:1], 1), Points("", X[:1], X[1:2], X[:1], 1)]  # fmt: skip
    found = rows(Panel("t", "x", "y", marks))
    assert [(row["curve"], row["x"], row["measured"]) for row in found] == [
        ("h", "0.5", "0.4"), ("h", "2.0", "0.3"), ("m", "0.0", "0.0"), ("m (2)", "0.0", "0.5")]


def test_the_table_lies_beside_the_record_and_notes_are_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = Panel("t", "x", "y", [Line("a", X, X)], key={"theory": "theory"})
    figure = Figure("A figure", 1, Settings(), Settings(), lambda s, run: Built([panel], [], notes=["something is missing " * 20]))
    monkeypatch.setattr("synthmix.figures.kit.validate.load", lambda name: figure)
    done = validate("4", Run(seed=7), quick=True, out=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"figure4-quick.{kind}" for kind in ("csv", "json", "pdf", "png")]
    assert (tmp_path / "figure4-quick.csv").read_text() == table([panel], Settings(), 7)
    assert json.loads((tmp_path / "figure4-quick.json").read_text())["notes"] == list(done.notes) != []


def test_the_published_formula_has_gaps_and_ours_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    setting, epsilon = synthetic_only(100, 100, 1.0, 0.0, Verifier(0.3, 0.8), 0.01), np.linspace(0, 1, 11)
    negative = predict_grid(setting, formula="published", gaps=True, epsilon=epsilon)
    assert shortcomings(negative, "here") == [
        "The published variance, here, is below 0, which is impossible, at 10 of 11 points of its curve: no accuracy there."]
    monkeypatch.setattr(kernels, "TOLERANCE", -1.0)  # nothing is solved well enough
    missing = predict_grid(setting, formula="published", gaps=True, epsilon=epsilon)
    assert np.isnan(missing.variance).all() and np.isnan(missing.accuracy).all()
    assert shortcomings(missing, "here") == ["The published formula, here, is not solved at 11 of 11 points of its curve: a gap."]
    for formula, gaps in (("published", False), ("rederived", True)):
        with pytest.raises(NotConverged):
            predict_grid(setting, formula=formula, gaps=gaps, epsilon=epsilon)


@pytest.mark.parametrize("change", [{"gamma": 0.1}, {"verifier": Verifier(0.0, 1.0)}, {"verifier": Verifier(1.0, 1.0)},
                                    {"verifier": Verifier(0.5, 0.0)}, {"m_over_p": (2,)}])  # fmt: skip
def test_figure_4_with_settings_of_ones_own(change: dict[str, object]) -> None:
    small = replace(figure4.QUICK, trials=2, companion_trials=2, companion_p=20, p=20, epsilons=(0.0, 0.5), companion_epsilons=(0.5,))
    built = figure4.build(replace(small, **change), Run())
    assert all(math.isfinite(claim.theory) and math.isfinite(claim.measured) for claim in built.claims)
    assert len(built.panels) == 3
