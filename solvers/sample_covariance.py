"""A covariance that is known by samples only, and what its population looks like to the theory.

Theory and notation: derivations/special/sample_covariance.py. Where every law of a problem has the same such covariance the problem is
solved on a spectrum that has all the population's resolvent sums (`SampleCovariance.equivalent`); where they differ, on the sample
covariances themselves (`solvers/sampled.py`). No covariance is estimated in either case.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..support.errors import BadInput, number, numbers

TINY = 1e-11  # eigenvalues below this share of the largest are 0
ANGLES = (1.0, 0.75, 0.5)  # of z in the complex plane, in units of pi: from the negative axis towards the spectrum
NODES, RADII = 24, 8  # eigenvalues of the population that are tried, and points z, a decade
BELOW, ABOVE = 0.1, 1.5  # the range of the eigenvalues that are tried beyond that of the sample's
POINTS, REGULAR = 60, 1e-5  # weights w at which the overlaps must be right, and how much they are kept to those of a mean in no direction


@dataclass(frozen=True, eq=False)
class Equivalent:
    """A population with the resolvent sums of the one that the samples came from.

    Attributes
    ----------
    eigenvalues
        (p,), of the population.
    basis
        (p, p), the eigenvectors of the sample covariance, as columns.
    overlaps
        (p, p): the part of the square of each coordinate in `basis` (column) that goes with each eigenvalue (row). Entries may be negative.
    """

    eigenvalues: np.ndarray
    basis: np.ndarray
    overlaps: np.ndarray

    def products(self, directions: np.ndarray) -> np.ndarray:
        """Return (D, D, p), the products of directions (D, p) with each other that go with each eigenvalue.

        Their sums with 1 / (gamma + w eigenvalue) are the products with (gamma I + w C)^{-1}, for directions independent of the residuals.
        """
        seen = directions @ self.basis
        pairs = seen[:, None, :] * seen[None, :, :]
        return pairs @ self.overlaps.T


@dataclass(frozen=True, eq=False)
class SampleCovariance:
    """The sample covariance of residuals whose population covariance is not known; a `Law` takes it in place of a covariance.

    Attributes
    ----------
    matrix
        (p, p), the sum of the residuals' outer products over `samples`. Features without variance may be among them.
    samples
        How many independent residuals: samples less the number of means that were taken off them.

    Raises
    ------
    BadInput
        For a matrix that is not symmetric and positive, or fewer samples than it has directions with variance.
    """

    matrix: np.ndarray
    samples: float

    def __post_init__(self) -> None:
        matrix = numbers("a sample covariance", self.matrix)
        number("the residuals of a sample covariance", self.samples, 0, open_low=True)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or np.abs(matrix - matrix.T).max() > 1e-10 * np.abs(matrix).max():
            raise BadInput(f"a sample covariance must be a symmetric matrix, not of shape {matrix.shape}")

    @classmethod
    def of(cls, residuals: np.ndarray, means: int = 1) -> SampleCovariance:
        """Return the sample covariance of residuals (n, p) from which a number of means, `means`, were taken off."""
        samples = len(residuals) - means
        return cls(residuals.T @ residuals / samples, samples)

    @property
    def ndim(self) -> int:
        """2, a matrix's number of axes: `numpy.ndim` asks for it."""
        return 2

    @property
    def shape(self) -> tuple[int, ...]:
        """(p, p): `numpy.shape` asks for it."""
        return self.matrix.shape

    @cached_property
    def equivalent(self) -> Equivalent:
        """The population that gives the theory's sums where all laws have this covariance."""
        moving = np.flatnonzero(np.diag(self.matrix) > 0)
        p = len(self.matrix)
        d, vectors = np.linalg.eigh(self.matrix[np.ix_(moving, moving)])
        d = np.where(d > TINY * d.max(initial=0.0), d, 0.0)
        rank = int(np.count_nonzero(d))
        if rank > self.samples:
            raise BadInput(f"{self.samples:g} residuals cannot vary in {rank} directions")
        # fewer samples than features leave directions without variance that the population has; others it lacks as well
        unseen = len(d) - rank if rank > self.samples - 1 else 0
        varying = np.arange(len(d)) >= len(d) - rank - unseen
        eigenvalues, basis, overlaps = np.zeros(p), np.eye(p), np.eye(p)
        basis[np.ix_(moving, moving)] = vectors
        own = moving[varying]
        if rank:
            eigenvalues[own] = population_spectrum(d[varying], self.samples)
            overlaps[np.ix_(own, own)] = overlap(d[varying], self.samples, eigenvalues[own])
        return Equivalent(eigenvalues, basis, overlaps)


def companion(d: np.ndarray, samples: float, z: np.ndarray) -> np.ndarray:
    """Return w(z) = (1/n) sum_j 1/(d_j - z) over the eigenvalues of the Gram matrix (Silverstein's companion transform).

    Parameters
    ----------
    d : array (p,)
        Eigenvalues of the sample covariance.
    samples : float
        n, of the residuals.
    z : complex array
    """
    z = np.asarray(z)
    own = d[d > 0]
    return (np.sum(1 / (own - z[..., None]), axis=-1) - (samples - len(own)) / z) / samples


def population_spectrum(d: np.ndarray, samples: float) -> np.ndarray:
    """Return estimated eigenvalues (p,) of the population, ascending.

    Multiplicities of eigenvalues on a grid by nonnegative least squares (El Karoui 2008), then the means between p quantiles.

    Parameters
    ----------
    d : array (p,)
        Eigenvalues of the sample covariance.
    samples : float
        How many residuals it is of.
    """
    from scipy.optimize import nnls

    p, own = len(d), d[d > 0]
    low, high = own.min(), own.max()
    grid = np.geomspace(BELOW * low, ABOVE * high, 2 + round(NODES * np.log10(ABOVE * high / (BELOW * low))))
    radii = np.geomspace(0.1 * low, 10 * high, 2 + round(RADII * np.log10(100 * high / low)))
    z = (radii * np.exp(1j * np.pi * np.array(ANGLES)[:, None])).ravel()
    w = companion(d, samples, z)
    wanted = samples * (z + 1 / w)
    rows = grid / (1 + grid * w[:, None]) / np.abs(wanted)[:, None]
    wanted = wanted / np.abs(wanted)
    weight = np.sqrt(len(z)) / p  # of the condition that there are p eigenvalues
    found, _ = nnls(np.vstack([rows.real, rows.imag, np.full((1, len(grid)), weight)]),
                    np.concatenate([wanted.real, wanted.imag, [weight * p]]), maxiter=100 * len(grid))
    counts = np.append(0.0, np.cumsum(found)) * (p / found.sum())
    sums = np.append(0.0, np.cumsum(found * grid)) * (p / found.sum())
    return np.maximum(np.diff(np.interp(np.arange(p + 1), counts, sums)), 0.0)


def overlap(d: np.ndarray, samples: float, eigenvalues: np.ndarray) -> np.ndarray:
    """Return overlaps (p, p): how the square of a coordinate along each sample eigenvector (column) spreads over the population's.

    The sums that the theory needs are matched: sum_g W_gj / (1 + w lambda_g) = 1 / (1 + kappa d_j) at weights w within the reach. That
    leaves W open in part; it stays as close as it can to the overlaps for a mean of no special direction (Ledoit and Peche 2011).

    Parameters
    ----------
    d : array (p,)
        Eigenvalues of the sample covariance.
    samples : float
        How many residuals it is of.
    eigenvalues : array (p,)
        Of the population.
    """
    own = d[d > 0]
    kappa = np.geomspace(0.01 / own.max(), 100 / own.min(), POINTS)
    A = 1 / (1 + companion(d, samples, -1 / kappa)[:, None] * eigenvalues)
    b = 1 / (1 + kappa[:, None] * d)
    smoothing = samples ** (-1 / 3)
    w = np.full(len(d), np.sum(1 / own) / samples + 0j)  # at z = 0, for directions that the samples miss
    w[d > 0] = companion(d, samples, own * (1 + 1j * smoothing))
    power = np.where(d > 0, 2, 1)
    generic = np.where(d > 0, eigenvalues[:, None], 1.0) / np.abs(1 + eigenvalues[:, None] * w) ** power
    generic /= generic.sum(axis=0)
    gram = A @ A.T
    return generic + A.T @ np.linalg.solve(gram + REGULAR * np.trace(gram) / POINTS * np.eye(POINTS), b - A @ generic)
