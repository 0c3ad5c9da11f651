"""How long does one predicted accuracy take for the logistic loss?

Run from the project root: python -m benchmarks.losses [--record]

The textbook minimises for every proximal step, integrates by SciPy's quad and iterates with damping. One core for both, and processor time,
which other programs hardly change.
"""

from __future__ import annotations

from time import process_time

import numpy as np

from benchmarks import textbook
from benchmarks.measure import duration, interleaved, one_core, run, seconds, show
from synthmix.solvers.named import named_setting
from synthmix.solvers.predict import predict, predict_grid
from synthmix.solvers.problem import Ridge, Setting, Verifier

SETTING = Setting(200, 800, 200, 1.2, 0.2, Verifier(0.3, 0.8), ridge=Ridge(0.5))
SPECTRAL = named_setting(n=1000, m=4000, p=500, mu=1.2, epsilon=0.2, rho=0.3, phi=0.8, gamma=0.5, spectrum="power:0.5")
GRID = {"epsilon": np.linspace(0, 0.45, 20)[:, None], "gamma": np.geomspace(0.02, 5, 20)}


def differences() -> float:
    """Largest relative difference from the textbook of mean margin, variance and accuracy."""
    ours, theirs = predict(SETTING, loss="logistic"), textbook.predict_logistic(SETTING)
    return max(abs(getattr(ours, name) / value - 1) for name, value in theirs._asdict().items())


def main() -> dict[str, object]:
    """Measure, compare, print; return the numbers, microseconds and ratios."""
    one_core()
    worst = differences()
    assert worst < 1e-6, f"the two differ by {worst:.1e}"
    points = GRID["epsilon"].size * GRID["gamma"].size
    times = interleaved(7, {
        "call": (lambda: predict(SETTING, loss="logistic"), 100),
        "grid": (lambda: predict_grid(SETTING, loss="logistic", threads=1, **GRID), 1),
        "eigenvalues": (lambda: predict_grid(SPECTRAL, loss="logistic", threads=1, **GRID), 1),
    }, process_time)  # fmt: skip
    typed = seconds(lambda: textbook.predict_logistic(SETTING), clock=process_time)
    each = {name: time / (1 if name == "call" else points) for name, time in times.items()}
    words = {"call": "predict, one call", "grid": f"predict_grid, a point of {points}",
             "eigenvalues": f"predict_grid, a point of {points}, 500 eigenvalues"}  # fmt: skip
    rows = [("textbook, isotropic", duration(typed), "")]
    rows += [(words[name], duration(time), "" if name == "eigenvalues" else f"{typed / time:,.0f}") for name, time in each.items()]
    title = f"One accuracy of the logistic loss, processor time of one core (largest relative difference {worst:.0e})"
    show(title, ("", "time", "textbook / ours"), rows)
    return {"textbook, s": typed, "us": {name: 1e6 * time for name, time in each.items()},
            "ratio": {name: typed / time for name, time in each.items()}, "points": points, "difference": worst}  # fmt: skip


if __name__ == "__main__":
    run(main)
