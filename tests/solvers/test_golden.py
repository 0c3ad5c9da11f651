"""The compiled solvers against values of 50 digits, which another program found by other means.

tests/golden.json is written by `python cli.py derive` (derivations/reference.py): mpmath, p x p matrices, numerical
derivatives of the potential.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synthmix.solvers.predict import predict
from synthmix.solvers.problem import Fit, Law, Problem, Ridge, Source

POINTS = json.loads((Path(__file__).parent / "golden.json").read_text())["points"]
TOLERANCE = 1e-12


def problem_of(point: dict, eigenvalues: bool) -> Problem:
    """The point's theta, c, e, r, b and matrices as a problem; diagonal matrices by their eigenvalues if asked for."""

    def law(mean: list[float], covariance: list[list[float]]) -> Law:
        matrix = np.array(covariance)
        return Law(np.array(mean), np.diag(matrix) if eigenvalues else matrix)

    N, sources = point["N"], []
    for k, (theta, c, e, r, b, mean_fitted) in enumerate(point["sources"]):
        fit = Fit(N / r, weight=b * r, mean=mean_fitted) if r else None
        sources.append(Source(str(k), theta * N, law(point["means"][k], point["covariances"][k]), e, c, fit))
    test = law(point["test_mean"], point["test_covariance"])
    return Problem(tuple(sources), Ridge(point["gamma"]), N, len(test.mean), test)


def diagonal(point: dict) -> bool:
    return all(np.array_equal(c, np.diag(np.diag(c))) for c in map(np.array, point["covariances"]))


def test_there_are_points_of_both_kinds() -> None:
    assert 5 <= sum(map(diagonal, POINTS)) <= len(POINTS) - 5
    assert max(p["gamma"] for p in POINTS) >= 1e8 and min(p["gamma"] for p in POINTS) <= 1e-8


@pytest.mark.parametrize(
    ("point", "eigenvalues"),
    [(point, False) for point in POINTS] + [(point, True) for point in POINTS if diagonal(point)],
)
def test_values(point: dict, eigenvalues: bool) -> None:
    prediction = predict(problem_of(point, eigenvalues))
    values = {"mean_margin": prediction.mean_margin, "variance": prediction.variance, **prediction.fixed_point}
    for name, expected in point["values"].items():
        assert values[name] == pytest.approx(float(expected), rel=TOLERANCE, abs=0), name
