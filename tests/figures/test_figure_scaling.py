"""Figure scaling: a power is found as it is, with an error that says how far the fit may be off."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from synthmix.figures.figure_scaling import FIGURE, Axis, _accuracy, _axes, _between, _fit, _setting
from synthmix.sims.monte_carlo import Estimate
from synthmix.solvers.predict import predict

AXIS = Axis("n", "", "", (50, 100, 200, 400), lambda name, n: _setting(FIGURE.settings, name, n=n, m=0), lambda _, accuracy: 1 - accuracy)


def test_noise_moves_the_exponent_by_its_error() -> None:
    accuracy = np.array([_accuracy(AXIS.at("power:0.5", n)) for n in AXIS.values])
    rng, se, found = np.random.default_rng(0), 0.002, []
    for _ in range(300):
        points = [SimpleNamespace(accuracy=Estimate(one + se * rng.standard_normal(), se)) for one in accuracy]
        theory, fitted, _ = _fit(AXIS, "power:0.5", points)
        found.append((fitted.mean - theory) / fitted.se)
    assert abs(np.mean(found)) < 4 / 300**0.5
    assert np.std(found) == pytest.approx(1, abs=0.15)


def test_without_noise_the_exponents_agree_and_another_axis_does_not() -> None:
    exact = [SimpleNamespace(accuracy=Estimate(_accuracy(AXIS.at("power:0.5", n)), 0.001)) for n in AXIS.values]
    theory, fitted, _ = _fit(AXIS, "power:0.5", exact)
    assert fitted.mean == pytest.approx(theory, abs=1e-12)
    assert abs(_fit(AXIS, "power:1", exact)[0] - theory) > 0.05


def test_what_is_left_of_the_error_is_that_of_infinitely_many_samples() -> None:
    real = next(axis for axis in _axes(FIGURE.quick) if axis.name == "n")
    far = predict(real.at("power:1", 1e9)).accuracy
    assert abs(real.scaled("power:1", far)) < 1e-6


def test_the_curve_is_smooth_and_has_the_values() -> None:
    fine = _between((50, 200, 800))
    assert {50, 200, 800} <= set(fine) and len(fine) > 20 and np.all(np.diff(fine) > 0) and np.all(fine == np.round(fine))
    assert _between((1, 4)).tolist() == [1, 2, 3, 4] and _between(()).size == 0
