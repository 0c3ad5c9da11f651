"""Figure 1: the eigenvalues of a sample covariance follow the Marchenko-Pastur law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ..drawing.panels import Histogram, Line, Mark, Panel, Points
from ..sims.monte_carlo import Estimate
from ..sims.samplers.sufficient import bartlett
from ..solvers.marchenko_pastur import MarchenkoPastur
from ..support.threads import one_thread
from ..support.typed import Between
from .kit.claims import Claim, agrees, at_most, falls_outside
from .kit.figure import Built, Figure
from .kit.run import Run

KS_AT_MOST = 0.01
EDGE_WITHIN = 0.03  # relative


@dataclass(frozen=True)
class Settings:
    p: int = 500
    n_hats: tuple[int, ...] = (5000, 50000)
    draws: Annotated[int, Between(2)] = 50
    bins: int = 60
    wrong: float = 1.3  # the factor of a ratio that the check must reject
    ratios: tuple[float, ...] = (0.01, 0.1, 1.0, 2.0)  # of the second panel


FULL = Settings()
QUICK = Settings(draws=10)


def build(s: Settings, run: Run) -> Built:
    """Draw the spectra and compare them with the law."""
    claims: list[Claim] = []
    marks: list[Mark] = []
    for color, n_hat in enumerate(sorted(s.n_hats, reverse=True)):
        law, spectra = MarchenkoPastur(s.p / n_hat), _spectra(s, n_hat, run.child_seed())
        claims += _claims(s, law, spectra)
        heights, edges = np.histogram(spectra, bins=s.bins, density=True)
        marks += [Histogram(rf"drawn, $\hat n={n_hat}$", edges, heights, color),
                  _density(law, color, rf"law, $p/\hat n={law.ratio:g}$")]
    measured = Panel(rf"sample covariances, $p={s.p}$, {s.draws} draws", "eigenvalue", "density", marks)
    return Built([measured, _laws(s)], claims)


FIGURE = Figure("The spectrum of a sample covariance: Marchenko-Pastur", columns=2, settings=FULL, quick=QUICK, build=build)


def _spectra(s: Settings, n_hat: int, seed: int) -> np.ndarray:
    """Eigenvalues of sample covariances of n_hat samples, in ascending order, draws x p."""
    from scipy.linalg import eigvalsh

    rng = np.random.default_rng(seed)
    factors = (bartlett(rng, s.p, n_hat) for _ in range(s.draws))  # n_hat samples for the price of p
    with one_thread():
        return np.array([eigvalsh(factor @ factor.T) / n_hat for factor in factors])


def _claims(s: Settings, law: MarchenkoPastur, spectra: np.ndarray) -> list[Claim]:
    at = f"p/n_hat={law.ratio:g}"
    wrong = MarchenkoPastur(s.wrong * law.ratio)
    names = ("smallest eigenvalue", "largest eigenvalue")
    return [
        at_most(f"Kolmogorov-Smirnov distance, {at}", _distance(law, spectra), KS_AT_MOST),
        *(agrees(f"{name}, {at}", edge, Estimate.of(ends), EDGE_WITHIN * edge, se_at_most=0.005 * edge)
          for name, edge, ends in zip(names, law.edges, (spectra[:, 0], spectra[:, -1]), strict=True)),
        falls_outside(f"distance to the law of a wrong ratio, {at}, ratio {wrong.ratio:g}", 0.0,
                      Estimate(_distance(wrong, spectra), 0.0), KS_AT_MOST),
    ]  # fmt: skip


def _distance(law: MarchenkoPastur, spectra: np.ndarray) -> float:
    """The Kolmogorov-Smirnov distance of the pooled eigenvalues to a law."""
    from scipy.stats import kstest

    return float(kstest(spectra.ravel(), law.cdf).statistic)


def _density(law: MarchenkoPastur, color: int, label: str) -> Line:
    low, high = law.edges
    # dense towards the edges, where the density rises like a square root or, at 0 for ratio 1, diverges
    x = low + (high - low) * np.sin(np.linspace(0, np.pi / 2, 400)[1:-1]) ** 2
    return Line(label, x, law.pdf(x), color)


def _laws(s: Settings) -> Panel:
    marks: list[Mark] = []
    for color, law in enumerate(map(MarchenkoPastur, s.ratios)):
        marks.append(_density(law, color, rf"$p/\hat n={law.ratio:g}$"))
        if law.atom:
            marks += [Line("", np.zeros(2), np.array([0.0, law.atom]), color),
                      Points(f"its atom of {law.atom:g} at 0", np.zeros(1), np.array([law.atom]), np.zeros(1), color)]
    top = 1.1 * max(float(law.pdf(1.0)) for law in map(MarchenkoPastur, s.ratios))
    return Panel("the Marchenko-Pastur law", "eigenvalue", "density", marks, ylim=(0, top))
