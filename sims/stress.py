"""Solve the theory at very many random points, far beyond where anyone would use it, and report how well it did.

The box: gamma 1e-8 to 1e8, p/N 1e-4 to 1e3, n-hat/N 1e-4 to 1e3, omega 1e-4 to 1e4, |mu| 0 to 100, the share of real
samples, epsilon, rho and phi 0 to 1, ends included, every kind of generator. Most points are isotropic; a share of
them goes through the spectral backend, on spectra that spread over eight decades and may be rank-deficient.
Other losses than the square one have a smaller box: gamma 1e-4 to 1e4, p/N and n-hat/N 1e-2 to 10, omega 1e-2 to 1e2, |mu| to 10,
eigenvalues over up to two decades.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ..solvers.any_loss import SQUARE, Loss
from ..solvers.generated.losses import NAMES as LOSSES
from ..solvers.predict import predict, predict_grid
from ..solvers.problem import Generator, Setting
from ..support.cluster import connected
from ..support.errors import BadInput, NotConverged, number
from ..support.workers import workers

POINTS = 1_000_000
SPECTRAL_SHARE = 0.05
ISOTROPIC_CHUNK = 20_000  # points of one kind of generator
SPECTRAL_CHUNK = 500  # points on one spectrum
LOSS_CHUNKS = (1_000, 100)  # the same where the loss is given
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
Decades = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """Where points are drawn from, as powers of ten.

    Attributes
    ----------
    gamma, ratio, omega : pairs
        Of the ridge, of p/N and n-hat/N, and of the weight.
    length : pair
        Of means that are not 0.
    spread : float
        Decades above and below 1 over which eigenvalues may spread.
    singular : bool
        Whether eigenvalues may be 0.
    """

    gamma: Decades = (-8, 8)
    ratio: Decades = (-4, 3)
    omega: Decades = (-4, 4)
    length: Decades = (-3, 2)
    spread: float = 4.0
    singular: bool = True


WHOLE, SMALLER = Box(), Box((-4, 4), (-2, 1), (-2, 2), (-2, 1), 1.0, False)


@dataclass(frozen=True, eq=False)
class BackendResult:
    """The residuals of one backend at its part of the points.

    Attributes
    ----------
    points, unsolved : int
        How many points there were, and how many were not solved.
    residual, solved : float
        The largest relative residual, infinite where a point was not solved; and that of the points that were.
    worst : Setting
        The point of the largest residual.
    seconds : float
        Spent on solving, by all workers together.
    """

    points: int
    unsolved: int
    residual: float
    solved: float
    worst: Setting
    seconds: float

    def with_part(self, part: BackendResult) -> BackendResult:
        """Return the result of these points and those of `part`."""
        worse = part if part.residual > self.residual else self
        points, unsolved = self.points + part.points, self.unsolved + part.unsolved
        return BackendResult(points, unsolved, worse.residual, max(self.solved, part.solved), worse.worst, self.seconds + part.seconds)

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
    points, seed = _checked(points, 2, seed, threads)
    spectral = max(1, round(SPECTRAL_SHARE * points))
    sizes = (points - spectral, spectral)
    work = [[(backend, SQUARE, WHOLE, *chunk, threads) for chunk in _chunks(backend, count, [seed, backend])]
            for backend, count in enumerate(sizes)]  # fmt: skip
    return SweepReport(*_run(work, progress), seed)


def sweep_losses(
    points: int,
    seed: int = 0,
    threads: int | None = None,
    losses: Sequence[str] = LOSSES,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, BackendResult]:
    """Solve random points of the smaller box, as many for each loss, a twentieth of them through the spectral backend.

    Parameters
    ----------
    points : int
        How many in all.
    seed, threads, progress
        As of `sweep`.
    losses : sequence of str
        Names of losses.

    Raises
    ------
    BadInput
        For an unknown loss, fewer than 2 points for each, a negative seed, or a number of threads beside a cluster.
    """
    losses = list(losses)
    kinds = [Loss.of(loss).kind for loss in losses]
    points, seed = _checked(points, 2 * len(losses), seed, threads)
    each = points // len(losses)
    spectral = max(1, round(SPECTRAL_SHARE * each))
    work = [[(backend, loss, SMALLER, *chunk, threads) for backend, count in enumerate((each - spectral, spectral))
             for chunk in _chunks(backend, count, [seed, kind, backend], min(LOSS_CHUNKS[backend], -(-count // (2 * len(GENERATORS)))))]
            for loss, kind in zip(losses, kinds, strict=True)]  # fmt: skip
    return dict(zip(losses, _run(work, progress), strict=True))


def _checked(points: int, least: int, seed: int, threads: int | None) -> tuple[int, int]:
    if threads is not None and connected():
        raise BadInput("workers of a cluster solve on one thread each: leave --threads out")
    return int(number("points", points, least, 2**53)), int(number("seed", seed, 0))


def _run(work: Sequence[Sequence[tuple]], progress: Callable[[int, int], None]) -> list[BackendResult]:
    """The result of each list of chunks."""
    shares, done, total = [], 0, sum(chunk[4] for chunks in work for chunk in chunks)
    with workers(1, _solved) as run:
        for chunks in work:
            share = BackendResult(0, 0, -1.0, 0.0, None, 0.0)
            for part in run(iter(chunks)):
                share = share.with_part(part)
                progress(done + share.points, total)
            done += share.points
            shares.append(share)
    return shares


def _chunks(backend: int, count: int, seed: Sequence[int], chunk: int | None = None) -> Iterator[tuple[int, int, np.random.SeedSequence]]:
    """Number and size of the chunks that `count` points make up, each with the seed of its own random numbers."""
    chunk = chunk or (ISOTROPIC_CHUNK, SPECTRAL_CHUNK)[backend]
    streams = np.random.SeedSequence(seed).spawn(-(-count // chunk))
    for i, stream in enumerate(streams):
        yield i, min(chunk, count - i * chunk), stream


def _solved(backend: int, loss: str, box: Box, i: int, size: int, stream: np.random.SeedSequence, threads: int | None) -> BackendResult:
    """Draw and solve a chunk: points on one kind of generator, or on one spectrum."""
    setting, axes = (_isotropic, _spectral)[backend](i, size, np.random.default_rng(stream), box)
    _compile(backend, loss)
    start = time.perf_counter()
    try:
        residual = predict_grid(setting, threads=threads, loss=loss, **axes).residual
    except NotConverged:
        residual = np.array([_residual(point, loss) for point in _settings(setting, axes)])
    seconds, index = time.perf_counter() - start, int(np.argmax(residual))
    worst = next(_settings(setting, _part(axes, slice(index, index + 1))))
    solved = residual[np.isfinite(residual)]
    return BackendResult(residual.size, residual.size - solved.size, float(residual[index]), float(solved.max(initial=0.0)), worst, seconds)


@cache
def _compile(backend: int, loss: str) -> None:
    """Solve two points, so that no time is counted for compiling."""
    setting, axes = (_isotropic, _spectral)[backend](0, 2, np.random.default_rng(0), SMALLER)
    with suppress(NotConverged):
        predict_grid(setting, loss=loss, **axes)


def _residual(setting: Setting, loss: str) -> float:
    """The relative residual of one point; infinite where it is not solved."""
    try:
        return predict(setting, loss=loss).fixed_point["residual"]
    except NotConverged:
        return float("inf")


def _part(axes: Axes, part: slice) -> Axes:
    return {name: values[part] for name, values in axes.items()}


def _settings(setting: Setting, axes: Axes) -> Iterator[Setting]:
    """The points of a grid one by one."""
    for values in zip(*axes.values(), strict=True):
        yield setting.with_(**dict(zip(axes, map(float, values), strict=True)))


def _isotropic(i: int, size: int, rng: np.random.Generator, box: Box = WHOLE) -> tuple[Setting, Axes]:
    generator = GENERATORS[i % len(GENERATORS)]
    p = np.rint(_decades(rng, *(round(math.log10(N)) + end for end in box.ratio), size))
    axes = {"p": p, "mu": _lengths(rng, size, box), **_mixtures(rng, generator, np.full(size, N), box)}
    if generator.kind != "self-fitted":
        axes["mu_perp"] = np.where(p > 1, _lengths(rng, size, box), 0.0)
    return Setting(1, 1, 2, 1.0, generator=generator), axes


def _spectral(i: int, size: int, rng: np.random.Generator, box: Box = WHOLE) -> tuple[Setting, Axes]:
    generator = GENERATORS[i % len(GENERATORS)]
    p = int(rng.integers(20, 61))
    mu, mu_perp = (length * rng.standard_normal(p) / np.sqrt(p) for length in _lengths(rng, 2, box))
    if generator.kind != "self-fitted":
        generator = replace(generator, mu_perp=mu_perp, covariance=_spectrum(rng, p, box))
    setting = Setting(1, 1, p, mu, covariance=_spectrum(rng, p, box), generator=generator)
    return setting, _mixtures(rng, generator, p / _decades(rng, *box.ratio, size), box)


def _mixtures(rng: np.random.Generator, generator: Generator, total: np.ndarray, box: Box) -> Axes:
    """Everything but dimension and means, N samples in `total` (P,)."""
    size, fitted = total.size, generator.kind == "self-fitted"
    real = _fractions(rng, size)
    if fitted:
        real = np.where(real > 0, real, 1.0)
    axes = {
        "n": real * total,
        "m": (1 - real) * total,
        "gamma": _decades(rng, *box.gamma, size),
        "omega": _decades(rng, *box.omega, size),
        **{name: _fractions(rng, size) for name in ("epsilon", "rho", "phi")},
    }
    if not fitted:
        axes["beta"] = rng.choice([-1.0, 0.0, 0.5, 1.0, 2.0], size)
    if generator.kind == "independent":
        axes["n_hat"] = np.maximum(1.0, _decades(rng, *box.ratio, size) * total)
    return axes


def _decades(rng: np.random.Generator, low: float, high: float, size: int) -> np.ndarray:
    """Log-uniform from 10**low to 10**high, ends included."""
    return 10 ** (low + (high - low) * _fractions(rng, size))


def _fractions(rng: np.random.Generator, size: int) -> np.ndarray:
    """Uniform from 0 to 1, both ends included with a probability of their own."""
    where, value = rng.random(size), rng.random(size)
    return np.where(where < ENDS, 0.0, np.where(where > 1 - ENDS, 1.0, value))


def _lengths(rng: np.random.Generator, size: int, box: Box) -> np.ndarray:
    """Lengths of means: 0, or log-uniform."""
    return np.where(rng.random(size) < ENDS, 0.0, _decades(rng, *box.length, size))


def _spectrum(rng: np.random.Generator, p: int, box: Box) -> np.ndarray:
    """p eigenvalues over up to eight decades, often some of them 0."""
    spread = rng.choice([0.0, 0.25, 1.0]) * box.spread
    return np.where(rng.random(p) < rng.choice([0.0, 0.0, 0.5]) * box.singular, 0.0, 10 ** rng.uniform(-spread, spread, p))
