"""What several test modules share: random covariances, means and rotations, paired comparisons."""

from __future__ import annotations

import numpy as np

from synthmix.estimators.leave_one_out import LeaveOneOut


def wishart(rng: np.random.Generator, p: int, floor: float = 0.2) -> np.ndarray:
    """A covariance that commutes with no other one: a sample covariance of 2p samples, eigenvalues above `floor`."""
    z = rng.standard_normal((2 * p, p))
    return z.T @ z / (2 * p) + floor * np.eye(p)


def mean(rng: np.random.Generator, p: int, length: float = 1.0) -> np.ndarray:
    """A vector of this length in a random direction."""
    z = rng.standard_normal(p)
    return length * z / np.linalg.norm(z)


def rotation(rng: np.random.Generator, p: int) -> np.ndarray:
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((p, p)))[0]


def lead(one: LeaveOneOut, other: LeaveOneOut) -> tuple[float, float]:
    """How much better the smooth criterion of `one` is on the same samples of equal weight, and the error of this paired difference."""
    difference = one.soft - other.soft
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(difference.size))
