"""Solve the theory at very many random points, far beyond where anyone would use it, and report how well it did.

The box: gamma 1e-8 to 1e8, p/N 1e-4 to 1e3, n-hat/N 1e-4 to 1e3, omega 1e-4 to 1e4, |mu| 0 to 100, the share of real
samples, epsilon, rho and phi 0 to 1, ends included, every kind of generator. Most points are isotropic; a share of
them goes through the spectral backend, on spectra that spread over eight decades and may be rank-deficient.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ..solvers.predict import predict, predict_grid
from ..solvers.problem import Generator, Setting
from ..support.cluster import connected
from ..support.errors import BadInput, NotConverged, number
from ..support.workers import workers

POINTS = 1_000_000
SPECTRAL_SHARE = 0.05
ISOTROPIC_CHUNK = 20_000  # points of one kind of generator
SPECTRAL_CHUNK = 500  # points on one spectrum
N = 1e4  # of the isotropic points: only ratios to it matter, and p and n-hat are at least 1
ENDS = 0.1  # share of the values of a bounded parameter that are exactly at either end
UNFITTED = 2.0  # n-hat of a generator that is about to vary over its axis
GENERATORS = (
    Generator(),
    Generator("independent", UNFITTED),
    Generator("independent", UNFITTED, estimate_mean=True),
    Generator("self-fitted"),
)

Axes = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class BackendResult:
    """The residuals of one backend at its part of the points.

    Attributes
    ----------
    points, unsolved : int
        How many points there were, and how many were not solved.
    residual : float
        The largest relative residual; infinite where a point was not solved.
    worst : Setting
        The point of the largest residual.
    seconds : float
        Spent on solving, by all workers together.
    """

    points: int
    unsolved: int
    residual: float
    worst: Setting
    seconds: float

    def with_part(self, part: BackendResult) -> BackendResult:
        """Return the result of these points and those of `part`."""
        worse = part if part.residual > self.residual else self
        points, unsolved = self.points + part.points, self.unsolved + part.unsolved
        return BackendResult(points, unsolved, worse.residual, worse.worst, self.seconds + part.seconds)

    @property
    def rate(self) -> float:
        """Points a second, of a process."""
        return self.points / self.seconds


@dataclass(frozen=True, eq=False)
class SweepReport:
    """The results of both backends at the points of one seed.

    Attributes
    ----------
    isotropic, spectral : BackendResult
    seed : int
    """

    isotropic: BackendResult
    spectral: BackendResult
    seed: int

    @property
    def points(self) -> int:
        """The number of points of both backends."""
        return self.isotropic.points + self.spectral.points

    @property
    def unsolved(self) -> int:
        """The number of points at which no solution to 1e-12 with a variance above 0 was found."""
        return self.isotropic.unsolved + self.spectral.unsolved

    @property
    def residual(self) -> float:
        """The largest relative residual; infinite where a point was not solved."""
        return max(self.isotropic.residual, self.spectral.residual)

    @property
    def worst(self) -> Setting:
        """The point of the largest residual."""
        return max(self.isotropic, self.spectral, key=lambda one: one.residual).worst


def sweep(
    points: int = POINTS,
    seed: int = 0,
    threads: int | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> SweepReport:
    """Solve random points of the box, a twentieth of them through the spectral backend.

    The points depend on their number and the seed alone. Time to draw them and to compile does not count.

    Parameters
    ----------
    points : int
        How many.
    seed : int
    threads : int, optional
        How many threads solve; by default all. Workers of a cluster have one each.
    progress : callable
        Called with (points done, points wanted) now and then.

    Raises
    ------
    BadInput
        For fewer than 2 points, a negative seed, or a number of threads beside a cluster.
    """
    points, seed = int(number("points", points, 2, 2**53)), int(number("seed", seed, 0))
    if threads is not None and connected():
        raise BadInput("workers of a cluster solve on one thread each: leave --threads out")
    spectral = max(1, round(SPECTRAL_SHARE * points))
    results, done = [], 0
    with workers(1, _solved) as run:
        for backend, count in enumerate((points - spectral, spectral)):
            found = BackendResult(0, 0, -1.0, None, 0.0)
            for part in run((backend, *chunk, threads) for chunk in _chunks(backend, count, seed)):
                found = found.with_part(part)
                progress(done + found.points, points)
            done += found.points
            results.append(found)
    return SweepReport(*results, seed)


def _chunks(backend: int, count: int, seed: int) -> Iterator[tuple[int, int, np.random.SeedSequence]]:
    """Number and size of the chunks that `count` points make up, each with the seed of its own random numbers."""
    chunk = (ISOTROPIC_CHUNK, SPECTRAL_CHUNK)[backend]
    streams = np.random.SeedSequence([seed, backend]).spawn(-(-count // chunk))
    for i, stream in enumerate(streams):
        yield i, min(chunk, count - i * chunk), stream


def _solved(backend: int, i: int, size: int, stream: np.random.SeedSequence, threads: int | None) -> BackendResult:
    """Draw and solve a chunk: points on one kind of generator, or on one spectrum."""
    setting, axes = (_isotropic, _spectral)[backend](i, size, np.random.default_rng(stream))
    _compile(backend)
    start = time.perf_counter()
    try:
        residual = predict_grid(setting, threads=threads, **axes).residual
    except NotConverged:
        residual = np.array([_residual(point) for point in _settings(setting, axes)])
    seconds, index = time.perf_counter() - start, int(np.argmax(residual))
    worst = next(_settings(setting, _part(axes, slice(index, index + 1))))
    return BackendResult(residual.size, int(np.sum(np.isinf(residual))), float(residual[index]), worst, seconds)


@cache
def _compile(backend: int) -> None:
    """Solve two points, so that no time is counted for compiling."""
    setting, axes = (_isotropic, _spectral)[backend](0, 2, np.random.default_rng(0))
    predict_grid(setting, **axes)


def _residual(setting: Setting) -> float:
    """The relative residual of one point; infinite where it is not solved."""
    try:
        return predict(setting).fixed_point["residual"]
    except NotConverged:
        return float("inf")


def _part(axes: Axes, part: slice) -> Axes:
    return {name: values[part] for name, values in axes.items()}


def _settings(setting: Setting, axes: Axes) -> Iterator[Setting]:
    """The points of a grid one by one."""
    for values in zip(*axes.values(), strict=True):
        yield setting.with_(**dict(zip(axes, map(float, values), strict=True)))


def _isotropic(i: int, size: int, rng: np.random.Generator) -> tuple[Setting, Axes]:
    generator = GENERATORS[i % len(GENERATORS)]
    p = np.rint(_decades(rng, 0, 7, size))
    axes = {"p": p, "mu": _lengths(rng, size), **_mixtures(rng, generator, np.full(size, N))}
    if generator.kind != "self-fitted":
        axes["mu_perp"] = np.where(p > 1, _lengths(rng, size), 0.0)
    return Setting(1, 1, 2, 1.0, generator=generator), axes


def _spectral(i: int, size: int, rng: np.random.Generator) -> tuple[Setting, Axes]:
    generator = GENERATORS[i % len(GENERATORS)]
    p = int(rng.integers(20, 61))
    mu, mu_perp = (length * rng.standard_normal(p) / np.sqrt(p) for length in _lengths(rng, 2))
    if generator.kind != "self-fitted":
        generator = replace(generator, mu_perp=mu_perp, covariance=_spectrum(rng, p))
    setting = Setting(1, 1, p, mu, covariance=_spectrum(rng, p), generator=generator)
    return setting, _mixtures(rng, generator, p / _decades(rng, -4, 3, size))


def _mixtures(rng: np.random.Generator, generator: Generator, total: np.ndarray) -> Axes:
    """Everything but dimension and means, N samples in `total` (P,)."""
    size, fitted = total.size, generator.kind == "self-fitted"
    real = _fractions(rng, size)
    if fitted:
        real = np.where(real > 0, real, 1.0)
    axes = {
        "n": real * total,
        "m": (1 - real) * total,
        "gamma": _decades(rng, -8, 8, size),
        "omega": _decades(rng, -4, 4, size),
        **{name: _fractions(rng, size) for name in ("epsilon", "rho", "phi")},
    }
    if not fitted:
        axes["beta"] = rng.choice([-1.0, 0.0, 0.5, 1.0, 2.0], size)
    if generator.kind == "independent":
        axes["n_hat"] = np.maximum(1.0, _decades(rng, -4, 3, size) * total)
    return axes


def _decades(rng: np.random.Generator, low: float, high: float, size: int) -> np.ndarray:
    """Log-uniform from 10**low to 10**high, ends included."""
    return 10 ** (low + (high - low) * _fractions(rng, size))


def _fractions(rng: np.random.Generator, size: int) -> np.ndarray:
    """Uniform from 0 to 1, both ends included with a probability of their own."""
    where, value = rng.random(size), rng.random(size)
    return np.where(where < ENDS, 0.0, np.where(where > 1 - ENDS, 1.0, value))


def _lengths(rng: np.random.Generator, size: int) -> np.ndarray:
    """Lengths of means: 0, or log-uniform from 1e-3 to 100."""
    return np.where(rng.random(size) < ENDS, 0.0, _decades(rng, -3, 2, size))


def _spectrum(rng: np.random.Generator, p: int) -> np.ndarray:
    """p eigenvalues over up to eight decades, often some of them 0."""
    spread = rng.choice([0.0, 1.0, 4.0])
    return np.where(rng.random(p) < rng.choice([0.0, 0.0, 0.5]), 0.0, 10 ** rng.uniform(-spread, spread, p))
