"""The Marchenko-Pastur law: the spectrum of the toy generator's covariance Sigma_beta (paper, figure 1).

Sigma_beta is the sample covariance of n_hat samples of N(0, I_p); as both grow, its eigenvalues follow this law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..support.errors import number


@dataclass(frozen=True)
class MarchenkoPastur:
    """The Marchenko-Pastur law of the eigenvalues of the sample covariance of n_hat samples of N(0, I_p).

    Attributes
    ----------
    ratio : float
        p / n_hat. Above 1 the covariance is singular, and the law has an atom at 0.

    Raises
    ------
    BadInput
        If the ratio is not a finite number above 0.
    """

    ratio: float

    def __post_init__(self) -> None:
        number("ratio", self.ratio, 0, open_low=True)

    @property
    def atom(self) -> float:
        """The mass at 0: the share of the p dimensions that n_hat samples cannot span."""
        return max(0.0, 1 - 1 / self.ratio)

    @property
    def edges(self) -> tuple[float, float]:
        """The smallest and the largest eigenvalue of the continuous part, (1 -+ sqrt(ratio))^2."""
        root = math.sqrt(self.ratio)
        return (1 - root) ** 2, (1 + root) ** 2

    def pdf(self, x: ArrayLike) -> np.ndarray:
        """The density of the continuous part, whose mass is 1 - atom; 0 outside the edges. It diverges towards 0 for ratio 1.

        Parameters
        ----------
        x : array of any shape
            Eigenvalues.
        """
        x, (low, high) = np.asarray(x, dtype=float), self.edges
        x = np.where((x > low) & (x < high), x, high)
        return np.sqrt((high / x - 1) * (1 - low / x)) / (2 * math.pi * self.ratio)

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """The share of eigenvalues up to x, in closed form, the atom at 0 included.

        With x = 1 + ratio - 2 sqrt(ratio) cos(angle) the density becomes (2/pi) sin(angle)^2 / x, which integrates.
        The ratio enters through min(ratio, 1/ratio): the nonzero eigenvalues of X X^T and X^T X are the same.
        """
        x, root = np.asarray(x, dtype=float), math.sqrt(self.ratio)
        t = min(root, 1 / root)
        angle = np.arccos(np.clip((1 + self.ratio - x) / (2 * root), -1, 1))
        turn = np.arctan2(t * np.sin(angle), 1 - t * np.cos(angle))
        share = (angle + np.sin(angle) / t - (1 / t**2 - 1) * turn) / math.pi
        return np.where(x < 0, 0.0, self.atom + (1 - self.atom) * np.clip(share, 0, 1))
