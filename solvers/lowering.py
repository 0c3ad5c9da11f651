"""From a setting or a problem to what the solvers take: the numbers of every source as arrays, and the spectrum.

The shapes of the covariances choose the form: multiples of the identity need one eigenvalue, covariances that commute their eigenvalues,
anything else p x p matrices. One matrix beside multiples of the identity commutes with them, so it is diagonalised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..support.errors import BadInput
from . import kernels
from .kernels import Grid, Spectrum
from .problem import Covariance, Law, Problem, Setting, SourceNumbers
from .sample_covariance import SampleCovariance

LOWEST = -1e-10  # eigenvalues down to this, relative to the largest, are 0 with the rounding of an eigendecomposition

Estimate = tuple[Covariance, float] | None  # how a direction was estimated: the covariance of a sample, the number of samples


@dataclass(frozen=True, eq=False)
class Matrices:
    """Covariances that do not commute, or that are known by samples only.

    Attributes
    ----------
    covariances, tests : sequences of K and T covariances
        Of the sources and the test laws: matrices (p, p); numbers and sample covariances too where any is a sample covariance.
        What is the same object is one covariance.
    directions : array (D, p)
        Of which the means are combinations.
    estimates : sequence of D
        How each direction was estimated, or None.
    """

    covariances: Sequence[Covariance]
    tests: Sequence[Covariance]
    directions: np.ndarray
    estimates: Sequence[Estimate]

    @property
    def sampled(self) -> bool:
        """Whether any covariance is known by samples only."""
        return any(isinstance(c, SampleCovariance) for c in (*self.covariances, *self.tests))


@dataclass(frozen=True, eq=False)
class Lowered:
    """P problems of one form, as the solvers take them.

    Attributes
    ----------
    names : sequence of K
        Of the sources.
    grid : kernels.Grid
        Columns, labels, gamma, multiplicity of an eigenvalue over N, and means in the directions.
    form : kernels.Spectrum or Matrices
        What all points have in common.
    isotropic : bool
        Whether all covariances are multiples of the identity, each with one eigenvalue p times.
    """

    names: Sequence[str]
    grid: Grid
    form: Spectrum | Matrices
    isotropic: bool = False


def lower_problem(problem: Problem, tests: Sequence[Law], labels: np.ndarray | None = None) -> Lowered:
    """Lower a general problem, one point, with its test laws.

    Parameters
    ----------
    problem
        The sources and the ridge.
    tests
        The T laws of fresh samples.
    labels : array (A, K, 4), optional
        A labellings of the same samples, as `kernels.Point` has them; by default those +-1 of the sources' shares of wrong labels.

    Raises
    ------
    BadInput
        For covariances of shapes that do not go together.
    """
    numbers = [source.numbers for source in problem.sources]
    sources = source_columns(numbers, np.array([problem.N]))
    if labels is None:
        labels = label_columns(numbers, 1)[0]
    means = distinct_means([*(source.law for source in problem.sources), *tests], problem.center)
    covariances, of_tests = [source.law.covariance for source in problem.sources], [law.covariance for law in tests]
    form, isotropic = _form(covariances, of_tests, means.directions, problem.p, means.estimates)
    h = np.array([(problem.p if isotropic else 1.0) / problem.N])
    grid = Grid(sources, labels[None], np.array([problem.ridge.gamma]), h, means.which[None], problem.intercept)
    return Lowered([one.name for one in numbers], grid, form, isotropic)


def lower_setting(setting: Setting, at: Mapping[str, np.ndarray]) -> Lowered:
    """Lower a setting at P points, tested on the law of the real samples.

    Parameters
    ----------
    setting : Setting
        Its kinds, laws and vectors hold at every point.
    at : mapping of names to arrays (P,)
        The numbers of `Setting.numbers` at every point.

    Raises
    ------
    BadInput
        For covariances of shapes that do not go together.
    """
    numbers, N = setting.sources(at), at["n"] + at["m"]
    labels = label_columns(numbers, N.size)
    of_real, of_synthetic = setting.coordinates(at)
    mixing = np.empty((N.size, len(numbers) + 1, 2))
    for row, coordinates in enumerate([*(of_synthetic if one.synthetic else of_real for one in numbers), of_real]):
        for d in range(2):
            mixing[:, row, d] = coordinates[d]
    real, synthetic = setting.covariances
    covariances, tests = [synthetic if one.synthetic else real for one in numbers], [real]
    if setting.mean_squares is not None:  # products that are no vector's need a spectrum
        covariances, tests = ([np.full(setting.p, c) if np.ndim(c) == 0 else c for c in group] for group in (covariances, tests))
    form, isotropic = _form(covariances, tests, setting.directions, setting.p, (None, None), setting.mean_squares)
    h = (at["p"] if isotropic else 1.0) / N
    grid = Grid(source_columns(numbers, N), labels, np.ascontiguousarray(at["gamma"]), h, mixing, False)
    return Lowered([one.name for one in numbers], grid, form, isotropic)


def source_columns(numbers: Sequence[SourceNumbers], N: np.ndarray) -> np.ndarray:
    """Return the columns (P, K, 5) of K sources, as `kernels.Point` has them, where sums are over N (P,)."""
    columns = np.zeros((N.size, len(numbers), kernels.SOURCE_COLUMNS))
    for k, one in enumerate(numbers):
        columns[:, k, kernels.THETA] = one.count / N
        columns[:, k, kernels.WEIGHT] = one.weight
        if one.n_hat is not None:
            columns[:, k, kernels.FIT] = N / one.n_hat
            columns[:, k, kernels.BASE] = one.fit_weight * one.n_hat / N
            columns[:, k, kernels.MEAN_FITTED] = one.mean_fitted
    return columns


def label_columns(numbers: Sequence[SourceNumbers], points: int) -> np.ndarray:
    """Return the labels (P, 1, K, 4) of K sources at a number of points, as `kernels.Point` has them.

    Labels are +-1, wrong with each source's share; those of the samples that generators were fitted on are right.
    """
    labels = np.zeros((points, 1, len(numbers), 4))
    for k, one in enumerate(numbers):
        e = np.asarray(one.wrong)
        labels[:, 0, k, kernels.LABEL], labels[:, 0, k, kernels.SPREAD] = 1 - 2 * e, 4 * e * (1 - e)
        labels[:, 0, k, kernels.BASE_LABEL] = 1.0
    return labels


@dataclass(frozen=True, eq=False)
class Means:
    """The means of B laws.

    Attributes
    ----------
    directions : array (D, p)
        The different ones.
    which : array (B, D)
        A row with a 1 for each law: which of them it has.
    estimates : sequence of D
        How each was estimated, or None.
    """

    directions: np.ndarray
    which: np.ndarray
    estimates: Sequence[Estimate]


def distinct_means(laws: Sequence[Law], center: ArrayLike = 0.0) -> Means:
    """Return the different means of laws less `center` (p,), padded to one length.

    A mean that is an estimate is one direction however many laws share it: its product with itself is debiased wherever it occurs.

    Parameters
    ----------
    laws : sequence of B laws
    center : array (p,) or 0
        The origin.
    """
    rows = [np.atleast_1d(np.asarray(law.mean, dtype=float)) for law in laws]
    center = np.atleast_1d(center)
    size = max(center.size, *(row.size for row in rows))
    rows = [np.pad(row, (0, size - row.size)) - np.pad(center, (0, size - center.size)) for row in rows]
    found: list[int] = []
    which = []
    for i, row in enumerate(rows):
        same = [d for d, j in enumerate(found) if np.array_equal(rows[j], row) and laws[j].mean_samples == laws[i].mean_samples]
        if not same:
            found.append(i)
        which.append(same[0] if same else len(found) - 1)
    estimates = [(laws[i].covariance, laws[i].mean_samples) if laws[i].mean_samples else None for i in found]
    return Means(np.array([rows[i] for i in found]), np.eye(len(found))[which], estimates)


def _form(
    covariances: list[Covariance], tests: list[Covariance], directions: np.ndarray, p: int, estimates: Sequence[Estimate],
    squares: np.ndarray | None = None,
) -> tuple[Spectrum | Matrices, bool]:  # fmt: skip
    """Choose the form of a problem whose means are combinations of the directions (D, p); says whether it is isotropic.

    squares (p,): of the entries of the first direction, where they are estimated otherwise than by multiplying.
    """
    everything = [*covariances, *tests]
    if any(isinstance(c, SampleCovariance) for c in everything):
        return _sampled(covariances, tests, directions, estimates), False
    if all(np.ndim(c) == 0 for c in everything):
        if not any(estimates):
            eigenvalues, of_tests = (np.array(group, dtype=float)[:, None] for group in (covariances, tests))
            return Spectrum(eigenvalues, of_tests, (directions @ directions.T)[:, :, None]), True
        covariances, tests = ([np.full(p, c) for c in group] for group in (covariances, tests))
    if directions.shape[1] != p:
        raise BadInput(f"with covariances that are not multiples of the identity the means need p = {p} entries")
    matrices = [c for c in everything if np.ndim(c) == 2]
    if not matrices:
        return _commuting(covariances, tests, directions, estimates, squares), False
    if any(np.ndim(c) == 1 for c in everything):
        raise BadInput("give either matrices or eigenvalues for all covariances, not both")
    first = matrices[0]
    if any(c is not first and not np.array_equal(c, first) for c in matrices[1:]):
        return _matrices(covariances, tests, directions, estimates), False
    eigenvalues, basis = np.linalg.eigh(first)
    covariances, tests = ([c if np.ndim(c) == 0 else eigenvalues for c in group] for group in (covariances, tests))
    estimates = [one and (one[0] if np.ndim(one[0]) == 0 else eigenvalues, one[1]) for one in estimates]
    return _commuting(covariances, tests, directions @ basis, estimates, squares), False


def _commuting(
    covariances: list[Covariance], tests: list[Covariance], directions: np.ndarray, estimates: Sequence[Estimate],
    squares: np.ndarray | None,
) -> Spectrum:  # fmt: skip
    """Covariances that are numbers or eigenvalues (p,)."""
    p = directions.shape[1]
    with np.errstate(over="ignore"):  # then no point is solved
        means = directions[:, None, :] * directions[None, :, :]
    if squares is not None:
        means[0, 0] = squares
    for d, estimate in enumerate(estimates):
        if estimate is not None:
            means[d, d] -= estimate[0] / estimate[1]
    eigenvalues, of_tests = (
        np.array([np.broadcast_to(np.asarray(c, dtype=float), (p,)) for c in group]) for group in (covariances, tests)
    )
    for row in (*eigenvalues, *of_tests):
        if row.min() < LOWEST * np.abs(row).max():
            raise BadInput("a covariance has a negative eigenvalue")
    return Spectrum(np.maximum(eigenvalues, 0), np.maximum(of_tests, 0), means)


def _matrices(
    covariances: list[Covariance], tests: list[Covariance], directions: np.ndarray, estimates: Sequence[Estimate]
) -> Matrices:
    """Covariances that are numbers or matrices, of which at least two differ."""
    for c in {id(c): c for c in (*covariances, *tests) if np.ndim(c) == 2}.values():
        if np.linalg.eigvalsh(c)[0] < LOWEST * np.abs(c).max():
            raise BadInput("a covariance matrix has a negative eigenvalue")
    identity = np.eye(directions.shape[1])
    covariances, tests = ([c if np.ndim(c) == 2 else c * identity for c in group] for group in (covariances, tests))
    estimates = [one and (one[0] if np.ndim(one[0]) == 2 else one[0] * identity, one[1]) for one in estimates]
    return Matrices(covariances, tests, directions, estimates)


def _sampled(
    covariances: list[Covariance], tests: list[Covariance], directions: np.ndarray, estimates: Sequence[Estimate]
) -> Spectrum | Matrices:
    """Covariances some of which are known by samples: a spectrum where all are one such covariance, else matrices."""
    everything = [*covariances, *tests, *(one[0] for one in estimates if one)]
    sampled = next(c for c in everything if isinstance(c, SampleCovariance))
    if directions.shape[1] != len(sampled.matrix):
        raise BadInput(f"with a sample covariance the means need p = {len(sampled.matrix)} entries")
    if not all(c is sampled for c in everything):
        return Matrices(covariances, tests, directions, estimates)
    population = sampled.equivalent
    means = population.products(directions)
    for d, estimate in enumerate(estimates):
        if estimate is not None:
            means[d, d] -= population.eigenvalues / estimate[1]
    return Spectrum(*(np.array([population.eigenvalues] * len(group)) for group in (covariances, tests)), means)
