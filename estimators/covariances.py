"""How the theory is told the covariances of laws that are known by residuals: the one place that chooses.

Laws that share a covariance, and laws that differ with more residuals than features in all, have sample covariances, which the theory
reads without an estimate (`solvers.sample_covariance`). Laws that differ with fewer residuals than that have a nonlinear shrinkage: sample
covariances would be beyond their reach at small ridges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..solvers.problem import Covariance
from ..solvers.sample_covariance import SampleCovariance
from ..support.errors import BadInput


def shared_covariance(residuals: np.ndarray, means: int = 1) -> SampleCovariance:
    """Return the covariance of all laws of a problem from their residuals together.

    Parameters
    ----------
    residuals
        (n, p), samples less the mean of their law.
    means
        How many means were taken off.

    Raises
    ------
    BadInput
        Where the residuals do not vary, or there are no more of them than means.
    """
    if len(residuals) <= means or not residuals.any():
        raise BadInput("the features do not vary within the classes: there is no covariance to estimate")
    return SampleCovariance.of(residuals, means)


def own_covariances(residuals: Sequence[np.ndarray]) -> list[Covariance]:
    """Return the covariance of each law of a problem from its residuals (n_k, p), samples less their mean.

    Raises
    ------
    BadInput
        Where the residuals of a law do not vary.
    """
    found = [shared_covariance(own) for own in residuals]
    features = np.count_nonzero(sum(np.diag(one.matrix) for one in found))
    return found if sum(one.samples for one in found) > features else [nonlinear_shrinkage(one) for one in found]


def nonlinear_shrinkage(sample: SampleCovariance) -> np.ndarray:
    """Return the sample covariance (p, p) with each eigenvalue replaced by an estimate of the variance along its eigenvector.

    Features without variance keep none.

    References
    ----------
    Ledoit and Wolf (2020), Analytical nonlinear shrinkage of large-dimensional covariance matrices, Annals of Statistics 48.
    """
    moving = np.flatnonzero(np.diag(sample.matrix) > 0)
    block = np.ix_(moving, moving)
    d, basis = np.linalg.eigh(sample.matrix[block])
    n, p = sample.samples, len(d)
    own = np.maximum(d[max(0, p - int(n)) :], np.finfo(float).tiny)
    width = min(n ** (-1 / 3), 0.4)  # of the kernel, below 1 / sqrt(5) so that it does not reach 0
    h = width * own  # the bandwidth of the kernel at each eigenvalue
    x = (own[:, None] - own) / h
    density = np.mean(3 / (4 * np.sqrt(5) * h) * np.maximum(1 - x**2 / 5, 0), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = (1 - x**2 / 5) * np.log(np.abs((np.sqrt(5) - x) / (np.sqrt(5) + x)))
    hilbert = np.mean((-3 * x / 10 + 3 / (4 * np.sqrt(5)) * np.nan_to_num(edge, posinf=0.0, neginf=0.0)) / (np.pi * h), axis=1)
    if p <= n:
        c = p / n
        shrunken = own / ((np.pi * c * own * density) ** 2 + (1 - c - np.pi * c * own * hilbert) ** 2)
    else:
        root = np.sqrt(5) * width
        at_zero = (3 / (10 * width**2) + 3 / (4 * np.sqrt(5) * width) * (1 - 1 / (5 * width**2)) * np.log((1 + root) / (1 - root)))
        null = n / ((p - n) * np.mean(1 / own) * at_zero)
        shrunken = np.append(np.full(p - len(own), null), 1 / (np.pi**2 * own * (density**2 + hilbert**2)))
    C = np.zeros_like(sample.matrix)
    C[block] = (basis * shrunken) @ basis.T
    return (C + C.T) / 2
