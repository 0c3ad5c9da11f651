"""Label noise and pruning of preference pairs: the epsilon and the verifier (rho, phi) of the theory, applied to real texts.

Every transform returns which samples it concerned, and what it counted is put beside the probability it was to have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data.text import Preferences
from ...estimators.audits import Proportion
from ...solvers.problem import Verifier
from ...support.errors import number

CONFIDENCE = 0.9999  # of the interval that must cover the stated probability: a right transform fails once in 10,000 times


@dataclass(frozen=True)
class Counted:
    """How many samples a random transform concerned, against the stated probability.

    Attributes
    ----------
    count, of : int
        How many of how many samples.
    stated : float
        The probability with which each was to be counted.
    low, high : float
        The interval that covers the true probability with the confidence above.
    holds : bool
        Whether the interval covers the stated probability.
    """

    count: int
    of: int
    stated: float
    low: float
    high: float
    holds: bool

    @classmethod
    def of_hits(cls, hits: np.ndarray, stated: float) -> Counted:
        """Count the true entries of `hits`."""
        found = Proportion.of(hits, CONFIDENCE)
        return cls(found.count, found.total, stated, found.low, found.high, found.low <= stated <= found.high)


def swap(pairs: Preferences, epsilon: float, rng: np.random.Generator) -> tuple[Preferences, np.ndarray]:
    """Exchange chosen and rejected of every pair with probability epsilon.

    Parameters
    ----------
    pairs : n preferences
    epsilon : float
    rng : numpy.random.Generator

    Returns
    -------
    pairs : Preferences
    wrong : array (n,)
        Which pairs were exchanged.
    """
    epsilon = number("epsilon", epsilon, 0, 1)
    wrong = rng.random(len(pairs.contexts)) < epsilon
    two = [(r, c) if w else (c, r) for c, r, w in zip(pairs.chosen, pairs.rejected, wrong, strict=True)]
    return Preferences(pairs.contexts, tuple(c for c, _ in two), tuple(r for _, r in two)), wrong


def prune(wrong: np.ndarray, verifier: Verifier, rng: np.random.Generator) -> np.ndarray:
    """Draw which samples the verifier keeps, (n,) of booleans: with probability rho where the label is wrong, phi where it is right."""
    return rng.random(len(wrong)) < np.where(wrong, verifier.rho, verifier.phi)


def pruned_counts(wrong: np.ndarray, keep: np.ndarray, verifier: Verifier) -> dict[str, object]:
    """Count how many wrong and right samples were kept, against rho and phi; alpha: the kept fraction, as it came out.

    Parameters
    ----------
    wrong, keep : bool arrays (k,)
        Which samples have a wrong label, and which were kept.
    verifier : Verifier
        With the rho and phi that were asked for.
    """
    return {
        "generated": len(wrong),
        "kept": int(keep.sum()),
        "alpha": float(keep.mean()) if len(keep) else 0.0,
        "kept of the wrong": Counted.of_hits(keep[wrong], verifier.rho),
        "kept of the right": Counted.of_hits(keep[~wrong], verifier.phi),
    }
