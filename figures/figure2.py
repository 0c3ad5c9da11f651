"""Figure 2: the three scalars of the fixed point, against their definitions measured on simulated matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..drawing.panels import Line, Mark, Panel, Points
from ..sims.traces import Traces, measure_traces
from ..solvers.predict import predict_grid
from ..solvers.problem import Generator, Ridge, Setting, Verifier
from ..support.workers import workers
from .kit.claims import Budget, Claim, agrees, falls_outside, pooled_by_quantity
from .kit.figure import Built, Figure
from .kit.published import shortcomings
from .kit.run import Run

SCALARS = {
    "r": r"real samples, $\frac{1}{N}\,\mathrm{tr}\,Q$",
    "s": r"synthetic samples, $\frac{1}{N}\,\mathrm{tr}\,\Sigma_\beta Q$",
    "g": "the generator's own samples",
}
SE_AT_MOST = 0.015  # relative, for the check to have power


@dataclass(frozen=True)
class Settings:
    n: int = 1000
    m_over_n: tuple[int, ...] = (2, 5, 10)
    mu: float = 0.7  # the scalars do not depend on it in the limit; the simulated samples do
    epsilon: float = 0.2
    verifier: Verifier = Verifier(rho=0.2, phi=0.9)
    gamma: float = 1.0
    points: int = 50  # of a curve, p from n/100 to 10n
    # (p, trials): the price of a trial rises with p and its noise falls; with fewer than a dozen the standard error is itself not known
    measured: tuple[tuple[int, int], ...] = (
        (50, 40), (100, 40), (200, 40), (500, 20), (1000, 20), (2000, 16), (5000, 12), (10000, 12),
    )  # fmt: skip


FULL = Settings()
QUICK = Settings(measured=((50, 20), (200, 20), (1000, 20), (2000, 16)))


def build(s: Settings, run: Run) -> Built:
    """Measure the scalars, solve for them, and compare."""
    base = Setting(s.n, s.n, s.n, s.mu, s.epsilon, s.verifier, Generator("independent", s.n), Ridge(s.gamma))
    curves = [base.with_(m=ratio * s.n) for ratio in s.m_over_n]
    measured = _measure(s, curves, run)
    dimensions = [p for p, _ in s.measured]
    grid = np.unique(np.append(np.geomspace(s.n / 100, 10 * s.n, s.points).round(), dimensions))
    grid = grid[grid >= 1]
    claims: list[Claim] = []
    marks: dict[str, list[Mark]] = {scalar: [] for scalar in SCALARS}
    notes: list[str] = []
    for color, (curve, points) in enumerate(zip(curves, measured, strict=True)):
        claims += _claims(s, curve, points)
        theory, published = (predict_grid(curve, formula=f, gaps=f == "published", p=grid) for f in ("rederived", "published"))
        notes += shortcomings(published, f"m = {curve.m / s.n:g}n")
        at = np.array(dimensions) / s.n
        for scalar in SCALARS:
            estimates = np.array([getattr(point, f"d_{scalar}") for point in points])
            marks[scalar] += [Line(f"$m={curve.m / s.n:g}n$", grid / s.n, theory.delta[scalar], color),
                              Line("", grid / s.n, published.delta[scalar], color, "published"),
                              Points("", at, estimates[:, 0], estimates[:, 1], color)]  # fmt: skip
    key = {"theory": "theory", "published": "published formula", "o": "measured on simulated matrices, 2 SE"}
    panels = [Panel(title, "dimension over real samples, $p/n$", rf"$\delta_{scalar}$", marks[scalar], xscale="log", yscale="log", key=key)
              for scalar, title in SCALARS.items()]
    return Built(panels, [*claims, *pooled_by_quantity(claims)], notes=notes)


FIGURE = Figure("The fixed point of real and pruned synthetic data", columns=3, settings=FULL, quick=QUICK, build=build)


def _measure(s: Settings, curves: list[Setting], run: Run) -> list[list[Traces]]:
    """The scalars of every curve at every measured p; the costly points go first, or a worker would be left with one."""
    tasks = [(curve.with_(p=p), trials, run.child_seed()) for p, trials in s.measured for curve in curves]
    with workers(run.jobs, _traces) as work:
        done = list(work(reversed(tasks)))[::-1]
    return [done[i :: len(curves)] for i in range(len(curves))]


def _traces(setting: Setting, trials: int, seed: int) -> Traces:
    return measure_traces(setting, trials=trials, seed=seed)


def _claims(s: Settings, curve: Setting, points: list[Traces]) -> list[Claim]:
    """Every scalar agrees; the published d_s, whose denominators average over dropped samples too, does not."""
    dimensions = [p for p, _ in s.measured]
    theory, published = (predict_grid(curve, formula=f, gaps=f == "published", p=dimensions).delta for f in ("rederived", "published"))
    claims = []
    for i, (p, point) in enumerate(zip(dimensions, points, strict=True)):
        at, budget = f"m/n={curve.m / s.n:g}, p={p}", Budget.at(p).relative
        for scalar in SCALARS:
            right, measured = theory[scalar][i], getattr(point, f"d_{scalar}")
            claims.append(agrees(f"d_{scalar}, {at}", right, measured, budget * right, se_at_most=SE_AT_MOST * right))
        if np.isfinite(published["s"][i]) and curve.verifier.alpha(curve.epsilon) < 1:  # else the two are equal
            claims.append(falls_outside(f"published d_s, {at}", published["s"][i], point.d_s, budget * published["s"][i]))
    return claims
