"""Figure 5: real digits beside the Gaussian ones that figure 7 trains on, and whether what is drawn is what was estimated.

A batch of m samples x = mu + z, z ~ N(0, C), has, with t_j = tr(C^j) and the Frobenius norm of the covariance S taken about mu:

    |mean - mu|^2   mean t_1 / m              variance 2 t_2 / m^2
    |S - C|^2       mean (t_1^2 + t_2) / m    variance (A + 2 (m - 1) B) / m^3

|S - C|^2 is 1/m^2 times the sum of <z_i z_i^T - C, z_j z_j^T - C> over i and j. Given z_i, a term with j != i has mean 0: no two of
these terms are correlated, and A = 8 t_1^2 t_2 + 16 t_1 t_3 + 24 t_4 + 8 t_2^2 is the variance of a term with i = j, B = 2 t_2^2 + 2 t_4
of one with i < j. A distance that is larger, or smaller, means that what was drawn has other statistics.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..data.sets import mnist
from ..drawing.panels import Images, Line, Panel, Points
from ..estimators.class_gaussian import ClassGaussian
from ..sims.monte_carlo import Estimate
from ..support.threads import one_thread
from ..support.workers import workers
from .kit.claims import Claim, agrees, falls_outside
from .kit.figure import Built, Figure
from .kit.run import Run

BLACK = 255
SAMPLES = 6000  # about, in a class
MOMENTS = ("mean", "covariance")


@dataclass(frozen=True)
class Statistics:
    """The samples and moments from which a generator is estimated.

    Attributes
    ----------
    name, title : str
    per_class : int or None
        Only the first so many samples of a class; None: all.
    identity : bool
        Whether the means alone are estimated, with the identity as covariance.
    """

    name: str
    title: str
    per_class: int | None = None
    identity: bool = False


ALL = Statistics("all", "Gaussian, statistics from all samples")
FEWER = tuple(Statistics(f"{k} a class", f"Gaussian, statistics from {k} samples a class", k) for k in (1000, 100, 10))
IDENTITY = Statistics("identity covariance", "Gaussian, identity covariance", identity=True)


@dataclass(frozen=True)
class Settings:
    """The settings.

    Attributes
    ----------
    statistics : tuple of Statistics
    batch, batches : int
        Samples a class from which a mean and a covariance are measured, and how often.
    rows : int
        Of pictures that are shown.
    """

    statistics: tuple[Statistics, ...] = (ALL, *FEWER, IDENTITY)
    batch: int = 200
    batches: int = 24
    rows: int = 8


FULL = Settings()
QUICK = Settings(batch=100)


def build(s: Settings, run: Run) -> Built:
    """Fit every generator, draw from it, and compare what was drawn with what was estimated, before anything is clipped."""
    images, y = mnist.load("train", run.data)
    X = images.reshape(len(images), -1)
    with workers(run.jobs, ClassGaussian.fit, threads=True) as work:
        generators = list(work((X, y, one.per_class, one.identity) for one in s.statistics))
    with one_thread():
        targets = [_Target(generator) for generator in generators]
    everything = targets[s.statistics.index(ALL)]
    with workers(run.jobs, _draw, threads=True) as work:
        drawn = list(work([(*pair, everything, s, run.child_seed()) for pair in zip(generators, targets, strict=True)]))

    pictures = [Panel("real", "", "", [Images((), _real(images, y, s.rows))])]
    claims, extra = [], {}
    for one, target, draws in zip(s.statistics, targets, drawn, strict=True):
        shown = draws.pictures if one.identity else np.clip(draws.pictures, 0, BLACK)
        pictures.append(Panel(one.title, "", "", [Images((), _sheet(shown, s.rows))]))
        claims += _claims(one, target, everything, draws, s.batch)
        extra[one.name] = _record(target, everything, draws, s.batch)
    return Built([*pictures, *_distance_panels(s, targets, everything, drawn)], claims, extra)


FIGURE = Figure("Real digits and Gaussian ones", columns=4, settings=FULL, quick=QUICK, build=build)


@dataclass(frozen=True, eq=False)
class _Draws:
    """Samples drawn from a generator, to be shown (K rows, p), and squared distances of batches of samples (batches, 2, K) from the
    generator's own statistics and from those of all samples.
    """

    pictures: np.ndarray
    own: np.ndarray
    other: np.ndarray


def _draw(generator: ClassGaussian, target: _Target, everything: _Target, s: Settings, seed: int) -> _Draws:
    rng = np.random.default_rng(seed)
    pictures, _ = generator.sample(rng, s.rows)
    distances = []
    for _ in range(s.batches):
        moments = _moments(generator, rng, s.batch)
        distances.append((target.distances(*moments), everything.distances(*moments)))
    return _Draws(pictures, *np.swapaxes(distances, 0, 1))


class _Target:
    """The mean and covariance of every class that samples are compared with, and what to expect of samples drawn from them.

    Distances are squared, (2, K): of the means and of the covariances, class by class; `relative` sums over the classes.
    """

    def __init__(self, generator: ClassGaussian) -> None:
        self.means = generator.means
        self.covariances = [generator.covariance(i) for i in range(len(generator.labels))]
        self.traces = np.array([_traces(C) for C in self.covariances]).T
        self.sizes = np.array([[mu @ mu for mu in self.means], self.traces[1]])

    def distances(self, means: np.ndarray, covariances: list[np.ndarray]) -> np.ndarray:
        """From means (K, p) and covariances, K times (p, p), these about the former means."""
        distances = []
        for mu, C, mean, S in zip(self.means, self.covariances, means, covariances, strict=True):
            shift, D = mean - mu, S - C
            length = shift @ shift
            distances.append((length, np.vdot(D, D) + 2 * shift @ D @ shift + length**2))  # of S about mu: S + shift shift^T
        return np.array(distances).T

    def expected(self, m: int) -> np.ndarray:
        """Of m samples drawn from here."""
        t1, t2, _, _ = self.traces
        return np.array([t1, t1**2 + t2]) / m

    def variance(self, m: int) -> np.ndarray:
        """Of these distances."""
        t1, t2, t3, t4 = self.traces
        same, other = 8 * t1**2 * t2 + 16 * t1 * t3 + 24 * t4 + 8 * t2**2, 2 * (t2**2 + t4)
        return np.array([2 * t2 / m**2, (same + 2 * (m - 1) * other) / m**3])

    def relative(self, distances: np.ndarray) -> np.ndarray:
        """(..., 2, K) -> (..., 2): summed over the classes, in units of the squared size of what is compared with."""
        return distances.sum(axis=-1) / self.sizes.sum(axis=-1)


def _traces(C: np.ndarray) -> tuple[float, float, float, float]:
    """tr(C), tr(C^2), tr(C^3), tr(C^4)."""
    square = C @ C
    return np.trace(C), np.vdot(C, C), np.vdot(C, square), np.vdot(square, square)


def _moments(generator: ClassGaussian, rng: np.random.Generator, batch: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Means (K, p) and covariances, K times (p, p), of `batch` fresh samples a class."""
    X = generator.sample(rng, batch)[0].reshape(len(generator.labels), batch, -1)
    means = X.mean(axis=1)
    X -= means[:, None]
    return means, [one.T @ one / batch for one in X]


def _claims(one: Statistics, target: _Target, everything: _Target, draws: _Draws, batch: int) -> Iterator[Claim]:
    size = target.sizes.sum(axis=-1)
    theory = target.relative(target.expected(batch))
    measured = target.relative(draws.own).mean(axis=0)
    se = np.sqrt(target.variance(batch).sum(axis=-1) / len(draws.own)) / size
    wrong, seen = everything.relative(everything.expected(batch)), everything.relative(draws.other)
    for row, moment in enumerate(MOMENTS):
        yield agrees(f"{moment} drawn is that estimated, {one.name}", theory[row], Estimate(measured[row], se[row]), 0.0,
                     se_at_most=0.1 * theory[row])
        if one != ALL:
            yield falls_outside(f"{moment} drawn from other statistics, {one.name} taken for all", wrong[row],
                                Estimate.of(seen[:, row]), 0.0)


def _record(target: _Target, everything: _Target, draws: _Draws, batch: int) -> dict[str, object]:
    """Class by class, distances of drawn to estimated and what to expect; then how far the estimates are from those of all samples."""
    record: dict[str, object] = {"samples in a batch": batch, "batches": len(draws.own)}
    estimated = everything.relative(everything.distances(target.means, target.covariances))
    for row, moment in enumerate(MOMENTS):
        record[moment] = {
            "squared distance of drawn to estimated, by class": draws.own[:, row].mean(axis=0),
            "expected, by class": target.expected(batch)[row],
            "relative squared distance of estimated to that of all": estimated[row],
        }
    return record


def _real(images: np.ndarray, y: np.ndarray, rows: int) -> np.ndarray:
    return np.stack([images[y == label][:rows] for label in np.unique(y)], axis=1)


def _sheet(X: np.ndarray, rows: int) -> np.ndarray:
    """Samples (K rows, p), class after class, as pictures (rows, K, side, side)."""
    side = math.isqrt(X.shape[1])
    return X.reshape(-1, rows, side, side).swapaxes(0, 1)


def _distance_panels(s: Settings, targets: list[_Target], everything: _Target, drawn: list[_Draws]) -> Iterator[Panel]:
    shown = [i for i, one in enumerate(s.statistics) if not one.identity]
    k = np.array([s.statistics[i].per_class or SAMPLES for i in shown])
    for row, moment in enumerate(MOMENTS):
        expected = np.array([everything.relative(targets[i].expected(s.batch))[row] for i in shown])
        marks = [Line("", k, expected, 5)]
        for color, (label, kind) in enumerate((("drawn to its own", "own"), ("drawn to that of all samples", "other"))):
            points = np.array([Estimate.of(everything.relative(getattr(drawn[i], kind))[:, row]) for i in shown])
            marks.append(Points(label, k, points[:, 0], points[:, 1], color, "os"[color]))
        yield Panel(f"{moment} of {s.batch} drawn samples a class", "samples a class behind the statistics", "relative squared distance",
                    marks, xscale="log", yscale="log", key={"theory": "expected, drawn to its own; bars: 2 SE"})
