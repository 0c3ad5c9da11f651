"""A loss is one file: nothing else is touched, and everything that solvers and simulations need of it follows."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from synthmix.derivations import losses as folder
from synthmix.derivations.codegen import function_source
from synthmix.derivations.losses import proximal

FILE = '''"""The smoothed hinge loss of Rennie and Srebro: quadratic between margins 0 and 1, linear below."""

import sympy as sp

from .base import Loss, U

LOSS = Loss("smoothed-hinge", "smoothed hinge",
            ((sp.Rational(1, 2) - U, sp.Integer(0)), ((1 - U) ** 2 / 2, sp.Integer(1)), (sp.Integer(0), sp.oo)))
'''


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, object]:
    """The generated functions of the new loss alone, as plain Python."""
    (tmp_path / "smoothed.py").write_text(FILE)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    names = [loss.name for loss in proximal.losses()]
    found = {"math": math}
    for function in proximal.functions():
        if names.index("smoothed-hinge") < len(function.cases):
            alone = replace(function, cases=(function.cases[names.index("smoothed-hinge")],))
            exec(function_source(alone).split("\n", 1)[1], found)  # without the line that compiles it
    return found


def value(u: float) -> float:
    return 0.5 - u if u < 0 else max(0.0, 1 - u) ** 2 / 2


def test_a_loss_is_one_file(functions: dict[str, object]) -> None:
    """Its value; its force, piece by piece, at the minimum of c ell(u) + (u - h)^2 / (2 delta); and the checks of all losses hold."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        u, h, c, delta = rng.normal(0, 2), rng.normal(0, 3), *10 ** rng.uniform(-1, 1, 2)
        assert functions["margin_loss"](0, u, 1.0)[0] == pytest.approx(value(u), abs=1e-15)
        pieces = functions["linear_force"](0, c, delta, 1.0)
        ends = (len(pieces) + 1) // 3 - 1
        first = ends + 2 * sum(h > end for end in pieces[:ends])
        moved = h + delta * (pieces[first] + pieces[first + 1] * h)
        least = minimize_scalar(lambda u, h=h, c=c, delta=delta: c * value(u) + (u - h) ** 2 / (2 * delta), bracket=(h, h + c * delta))
        assert moved == pytest.approx(least.x, abs=1e-6)
    for check in (proximal.convex, proximal.closed_steps):
        assert check().holds
