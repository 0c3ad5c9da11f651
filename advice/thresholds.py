"""The verifier's threshold: what was tried of a file's scores."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Threshold:
    """Keeping the synthetic rows of at least some score.

    Attributes
    ----------
    score
        The lowest that is kept.
    kept
        The share of the rows that is.
    accuracy
        Of the best mix of those, by leave-one-out, as Gaussian scores of the same smooth accuracy would have it.
    """

    score: float
    kept: float
    accuracy: float
