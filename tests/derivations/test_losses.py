"""The losses as they are generated, against mpmath; the checks of the two sides can fail."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from synthmix.derivations.chapters import checks
from synthmix.derivations.losses import base, proximal, two_sides
from synthmix.derivations.losses.proximal import losses
from synthmix.solvers import convex
from synthmix.solvers.generated import losses as generated

CHECK = {check.name: check for check in checks()}
LOSSES = {loss.name: loss for loss in losses()}
THRESHOLD = 0.7


def exact(name: str, u: float) -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    """Value, slope and curvature by mpmath, written again here."""
    u = mp.mpf(u)
    if name == "logistic":
        share = 1 / (1 + mp.exp(u))
        return mp.log1p(mp.exp(-u)), -share, share * (1 - share)
    if name == "probit":
        rate = mp.npdf(u) / mp.ncdf(u)
        return -mp.log1p(-mp.ncdf(-u)) if u > 0 else -mp.log(mp.ncdf(u)), -rate, rate * (u + rate)
    x, k = 1 - u, mp.mpf(THRESHOLD)
    return {
        "square": (x**2 / 2, -x, 1),
        "hinge": (max(x, 0), -1 if x > 0 else 0, 0),
        "squared-hinge": (max(x, 0) ** 2 / 2, -max(x, 0), 1 if x > 0 else 0),
        "huber": (x**2 / 2 if abs(x) <= k else k * abs(x) - k**2 / 2, -max(-k, min(k, x)), 1 if abs(x) < k else 0),
    }[name]


@pytest.mark.parametrize("name", LOSSES)
def test_generated_losses(name: str) -> None:
    kind = generated.NAMES.index(name)
    with mp.workdps(60):
        for u in (-1000.0, -60.0, -31.5, -10.001, -9.999, -3.0, -0.5, 0.0, 0.2, 0.99, 1.01, 1.71, 2.0, 9.0, 37.0, 700.0, 1000.0):
            for found, expected in zip(generated.margin_loss(kind, u, THRESHOLD), exact(name, u), strict=True):
                tolerance = 1e-11 if name == "probit" else 2e-15
                assert abs(mp.mpf(float(found)) - expected) <= tolerance * abs(expected) + mp.mpf("1e-300"), (u, found, expected)


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.closed])
def test_the_proximal_step_is_the_minimum(name: str) -> None:
    """c ell(u) + (u - h)^2 / (2 delta) is smaller at h + delta f than anywhere else that is tried, and f is what `forces` says."""
    kind, rng = generated.NAMES.index(name), np.random.default_rng(0)
    for _ in range(200):
        c, delta, h = 10 ** rng.uniform(-2, 2), 10 ** rng.uniform(-2, 2), rng.normal(0, 5)
        pieces, steps = generated.linear_force(kind, c, delta, THRESHOLD), generated.linear_step(kind, c, delta, THRESHOLD)
        count = (len(pieces) + 1) // 3
        which = sum(h > end for end in pieces[: count - 1])
        f = pieces[count - 1 + 2 * which] + pieces[count + 2 * which] * h
        u = steps[2 * which] + steps[2 * which + 1] * h
        assert u == pytest.approx(h + delta * f, rel=1e-9, abs=1e-9)

        def objective(at: float, c: float = c, delta: float = delta, h: float = h) -> float:
            return c * generated.margin_loss(kind, at, THRESHOLD)[0] + (at - h) ** 2 / (2 * delta)

        for away in (1e-4, 1e-2, 1.0, 10.0):
            assert objective(u) <= min(objective(u + away), objective(u - away)) + 1e-12 * (1 + abs(objective(u)))


def test_a_loss_is_one_file() -> None:
    """The probit loss is named in its own file and nowhere else in the derivation."""
    rooms = [Path(proximal.__file__).parent, Path(convex.__file__).parent]
    naming = {path.name for room in rooms for path in room.glob("*.py") if "probit" in path.read_text()}
    assert "probit" in generated.NAMES and naming == {"probit.py"}


FAULTS = {
    "no curvature is handed down": (two_sides, "base_step", lambda: {**RIGHT_STEP, "s": RIGHT_STEP["s"] - two_sides.OWN.curvature},
                                    ("handing down", "fit without training", "ridge is the square loss")),
    "a base that does not feel the force": (two_sides, "base_input", lambda: {**RIGHT_INPUT, "variance": two_sides.V},
                                            ("handing down", "ridge is the square loss")),
    "noise of a source that forgets the spread of its margins": (
        two_sides, "square_forces", lambda one, m, v: RIGHT_FORCES(one, m, sp.Integer(0)), ("ridge is the square loss",)),
    "a proximal step that is too long": (base.LinearForce, "step", (2 * base.DELTA, sp.Integer(1)), ("proximal steps in closed form",)),
}
RIGHT_STEP, RIGHT_INPUT, RIGHT_FORCES = two_sides.base_step(), two_sides.base_input(), two_sides.square_forces


@pytest.mark.parametrize(("fault", "name"), [(fault, name) for fault, (*_, names) in FAULTS.items() for name in names])
def test_checks_can_fail(fault: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, attribute, wrong, _ = FAULTS[fault]
    monkeypatch.setattr(module, attribute, wrong)
    if name == "ridge is the square loss":
        monkeypatch.setattr(two_sides, "KINDS", (("trains",),))
    try:
        assert not CHECK[name].run().holds
    except (IndexError, ZeroDivisionError):  # equations without a solution
        assert module is sys.modules[two_sides.__name__]


def test_a_smooth_loss_has_no_closed_step() -> None:
    with pytest.raises(ValueError, match="no proximal step in closed form"):
        LOSSES["logistic"].forces  # noqa: B018
    assert math.isinf(generated.linear_force(generated.NAMES.index("square"), 1.0, 1.0, 1.0)[0])
