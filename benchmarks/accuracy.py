"""How long does one predicted accuracy take at p = 500, where Sigma_beta has 500 different eigenvalues?

Run from the project root: python -m benchmarks.accuracy [--record]

The textbook iterates its fixed point on p x p matrices; here the eigenvalues of Sigma_beta are found once and serve
every further point. That once is a row of its own, the ratios of `predict` and `predict_grid` leave it out. One core
for both, and processor time, which other programs hardly change.
"""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import numpy as np

from benchmarks import textbook
from benchmarks.measure import duration, interleaved, one_core, run, show
from synthmix.solvers.predict import predict, predict_grid
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier

P, N_HAT = 500, 1000
EPSILONS, GAMMAS = np.linspace(0, 0.9, 50)[:, None], np.geomspace(0.05, 20, 40)
SCALARS = 1000  # squared: points of the scalar grid


def setting() -> Setting:
    """Real covariance I, Sigma_beta the sample covariance of n_hat gaussian samples, both as p x p matrices."""
    rng = np.random.default_rng(0)
    samples, mu = rng.standard_normal((N_HAT, P)), rng.standard_normal(P)
    generator = Generator(covariance=samples.T @ samples / N_HAT)
    mu *= 0.7 / np.linalg.norm(mu)
    return Setting(1000, 19000, P, mu, 0.2, Verifier(rho=0.2, phi=0.9), generator, Ridge(1.0), covariance=np.eye(P))


def diagonalised(dense: Setting) -> Setting:
    """A setting in the eigenbasis of Sigma_beta."""
    eigenvalues, basis = np.linalg.eigh(dense.generator.covariance)
    return replace(dense, mu=dense.mu @ basis, covariance=1.0, generator=Generator(covariance=eigenvalues))


def assert_agree(dense: Setting, spectral: Setting, grid: np.ndarray) -> float:
    """Largest relative difference from the textbook, at the setting and at the corners of the grid."""
    worst = 0.0
    ours = predict(spectral)
    for name, theirs in textbook.predict(dense)._asdict().items():
        worst = max(worst, abs(getattr(ours, name) / theirs - 1))
    for i, j in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        theirs = textbook.predict(dense.with_(epsilon=EPSILONS[i, 0], gamma=GAMMAS[j]))
        worst = max(worst, abs(grid[i, j] / theirs.accuracy - 1))
    assert worst < 1e-6, f"the two differ by {worst:.1e}"
    return worst


def main() -> dict[str, object]:
    """Measure, compare, print; return seconds, and ratios to the textbook."""
    one_core()
    dense = setting()
    spectral = diagonalised(dense)
    scalar = Setting(1000, 19000, P, 0.7, generator=Generator("independent", n_hat=N_HAT), verifier=spectral.verifier)

    def spectral_grid() -> np.ndarray:
        return predict_grid(spectral, epsilon=EPSILONS, gamma=GAMMAS, threads=1).accuracy

    worst = assert_agree(dense, spectral, spectral_grid())
    points = EPSILONS.size * GAMMAS.size
    axes = {"epsilon": np.linspace(0, 1, SCALARS)[:, None], "gamma": np.geomspace(0.01, 10, SCALARS)}
    times = interleaved(7, {
        "textbook": (lambda: textbook.predict(dense), 1),
        "eigenvalues of Sigma_beta, once": (lambda: diagonalised(dense), 1),
        "single": (lambda: predict(spectral), 200),
        "grid": (spectral_grid, 1),
        "scalar": (lambda: predict_grid(scalar, **axes, threads=1), 1),
    }, process_time)  # fmt: skip
    ours = {
        "predict, one call": times["single"],
        f"predict_grid, a point of {points:,}": times["grid"] / points,
        "eigenvalues of Sigma_beta and one predict": times["eigenvalues of Sigma_beta, once"] + times["single"],
    }
    rows = [(name, duration(times[name]), "") for name in ("textbook", "eigenvalues of Sigma_beta, once")]
    rows += [(name, duration(time), f"{times['textbook'] / time:,.0f}") for name, time in ours.items()]
    title = f"One accuracy, p = {P}, one core (largest relative difference {worst:.0e})"
    show(title, ("", "time", "textbook / ours"), rows)
    show(
        "Grid of scalar points (independent generator), one core",
        ("points", "time", "points a second"),
        [(f"{SCALARS**2:,}", duration(times["scalar"]), f"{SCALARS**2 / times['scalar']:,.0f}")],
    )
    each = dict(zip(("call", "grid", "first"), ours.values(), strict=True))
    return {"textbook, ms": 1e3 * times["textbook"], "us": {name: 1e6 * time for name, time in each.items()},
            "ratio": {name: times["textbook"] / time for name, time in each.items()}, "points": points, "scalar points": SCALARS**2,
            "millions a second": 1e-6 * SCALARS**2 / times["scalar"], "difference": worst}  # fmt: skip


if __name__ == "__main__":
    run(main)
