"""Scaling: how the error falls with real and synthetic samples, and rises with generations, on spectra that fall as a power.

What is left of the error when a number of samples is infinite is the theory's; what is above it is fitted by a power, once as the theory
predicts it and once as it is simulated, with the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..sims.monte_carlo import Estimate, Simulation
from ..solvers.predict import predict
from ..solvers.problem import Generator, Ridge, Setting
from ..solvers.spectra import even_mean, spectrum
from ..solvers.trees import Tree, generations, predict_tree
from .kit.claims import Budget, Claim, agrees, falls_outside
from .kit.figure import Built, Figure
from .kit.run import Run

INFINITE = 1e12
CURVE = 25  # points
WITHIN = 0.03  # of an exponent, besides noise: corrections of order 1/p differ over an axis


@dataclass(frozen=True)
class Settings:
    p: int = 100
    mu: float = 1.5
    gamma: float = 1.0
    spectra: tuple[str, ...] = ("power:0", "power:0.5", "power:1")
    samples: tuple[int, ...] = (50, 100, 200, 400, 800, 1600)
    n_hat: int = 400
    depths: tuple[int, ...] = (1, 2, 4, 8, 16)
    m: int = 2000
    line_n_hat: int = 50
    trials: int = 400


@dataclass(frozen=True)
class Axis:
    """An axis of the study.

    Attributes
    ----------
    name, label, measure : str
        Of the axis in claims, under a panel, and of what is fitted.
    values : tuple of numbers
    at : function
        Of a spectrum and a value to a setting or tree.
    scaled : function
        Of a spectrum and an accuracy to what is fitted.
    """

    name: str
    label: str
    measure: str
    values: tuple[float, ...]
    at: Callable[[str, float], Setting | Tree]
    scaled: Callable[[str, float], float]


def build(s: Settings, run: Run) -> Built:
    """Simulate every axis on every spectrum, and fit theory and simulation alike."""
    axes = _axes(s)
    places = [(axis, name, value) for axis in axes for name in s.spectra for value in axis.values]
    found = run.simulate_many([axis.at(name, value) for axis, name, value in places], trials=s.trials)
    measured = {(axis.name, name, value): one for (axis, name, value), one in zip(places, found, strict=True)}
    claims, panels = [], []
    for axis in axes:
        exponents = {}
        marks = []
        for color, name in enumerate(s.spectra):
            points = [measured[axis.name, name, value] for value in axis.values]
            claims += _accuracies(s, axis, name, points)
            theory, fitted, seen = _fit(axis, name, points)
            exponents[name] = theory, fitted
            claims.append(agrees(f"exponent over {axis.name}, {name}", theory, fitted, WITHIN, se_at_most=WITHIN))
            x, fine = np.array(axis.values, dtype=float), _between(axis.values)
            marks += [Line(f"{name}: {theory:.2f}", fine, np.array([_theory(axis, name, value) for value in fine]), color),
                      Points("", x, np.array([one.mean for one in seen]), np.array([one.se for one in seen]), color)]  # fmt: skip
        first, last = s.spectra[0], s.spectra[-1]
        if abs(exponents[first][0] - exponents[last][0]) > 5 * WITHIN:
            claims.append(falls_outside(f"exponent over {axis.name} of {first}, on {last}", exponents[first][0], exponents[last][1],
                                        WITHIN))  # fmt: skip
        panels.append(Panel("", axis.label, axis.measure, marks, xscale="log", yscale="log",
                            key={"theory": "theory, and its exponent", "o": "simulated, 2 SE"}))  # fmt: skip
    return Built(panels, claims)


def _setting(s: Settings, name: str, **numbers: object) -> Setting:
    covariance = np.broadcast_to(spectrum(name, s.p), (s.p,)).copy()
    return Setting(p=s.p, mu=even_mean(s.mu, s.p), ridge=Ridge(s.gamma), covariance=covariance, **numbers)


def _axes(s: Settings) -> tuple[Axis, ...]:
    fitted = Generator("independent", s.n_hat, estimate_mean=True)

    def real(name: str, value: float) -> Setting:
        return _setting(s, name, n=value, m=0)

    def synthetic(name: str, value: float) -> Setting:
        return _setting(s, name, n=0, m=value, generator=fitted)

    def line(name: str, value: float) -> Tree:
        generator = Generator("independent", s.line_n_hat, estimate_mean=True)
        return generations(_setting(s, name, n=0, m=s.m, generator=generator), int(value), "replace")

    def above(at: Callable[[str, float], Setting]) -> Callable[[str, float], float]:
        best = {name: predict(at(name, INFINITE)).accuracy for name in s.spectra}
        return lambda name, accuracy: best[name] - accuracy

    return (
        Axis("n", "real samples $n$", "error above that of infinitely many", s.samples, real, above(real)),
        Axis("m", rf"synthetic samples $m$, generator of $\hat n={s.n_hat}$", "error above that of infinitely many", s.samples, synthetic,
             above(synthetic)),
        Axis("generations", rf"replaced generations of $\hat n={s.line_n_hat}$", "accuracy above one half", s.depths, line,
             lambda _, accuracy: accuracy - 0.5),
    )  # fmt: skip


def _accuracies(s: Settings, axis: Axis, name: str, points: list[Simulation]) -> list[Claim]:
    """Every point of the axis by itself."""
    return [agrees(f"accuracy over {axis.name}, {name}, {value:g}", _accuracy(axis.at(name, value)), one.accuracy,
                   Budget.at(s.p, interpolating=True).accuracy, se_at_most=0.006)
            for value, one in zip(axis.values, points, strict=True)]  # fmt: skip


def _accuracy(problem: Setting | Tree) -> float:
    return (predict_tree if isinstance(problem, Tree) else predict)(problem).accuracy


def _theory(axis: Axis, name: str, value: float) -> float:
    return axis.scaled(name, _accuracy(axis.at(name, value)))


def _between(values: tuple[float, ...]) -> np.ndarray:
    """The values, and whole numbers between them for a smooth curve."""
    return np.union1d(values, np.round(np.geomspace(max(min(values), 1), max(*values, 1), CURVE))) if values else np.empty(0)


def _fit(axis: Axis, name: str, points: list[Simulation]) -> tuple[float, Estimate, list[Estimate]]:
    """The exponent of the theory's values and of the simulated ones, both by least squares with the simulation's weights."""
    curve = np.array([_theory(axis, name, value) for value in axis.values])
    seen = [Estimate(axis.scaled(name, one.accuracy.mean), one.accuracy.se) for one in points]
    x = np.log(np.array(axis.values, dtype=float))
    weight = np.array([(value / one.se) ** 2 for value, one in zip(curve, seen, strict=True)])
    slope = weight * (x - np.average(x, weights=weight))
    slope /= slope @ x
    # logarithms of the simulated values about the theory's, to first order: their noise makes no bias then
    logs = np.log(curve) + np.array([one.mean for one in seen]) / curve - 1
    error = math.sqrt(float(slope**2 @ (1 / weight)))
    return float(slope @ np.log(curve)), Estimate(float(slope @ logs), error), seen


FIGURE = Figure("Scaling: exponents of the error over samples and generations", columns=3, settings=Settings(),
                quick=Settings(spectra=("power:0", "power:1"), samples=(50, 200, 800), depths=(1, 4, 16), trials=150),
                build=build)  # fmt: skip
