"""What several test modules share: reproducible Hypothesis, random covariances and means."""

from __future__ import annotations

import numpy as np
from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)  # the same examples in every run
settings.load_profile("fixed")


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
