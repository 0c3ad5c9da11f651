"""The quality of labels and of a verifier, counted on audited samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..support.errors import BadInput, number


@dataclass(frozen=True)
class Proportion:
    """`count` of `total`, and the interval that covers the true share with the stated confidence.

    Where there was nothing to count, the share is nan and the interval is everything, [0, 1].
    """

    count: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """count / total."""
        return self.count / self.total if self.total else float("nan")

    @classmethod
    def of(cls, hits: np.ndarray, confidence: float) -> Proportion:
        """The share of true entries, with its Wilson interval."""
        from scipy.stats import binomtest

        count, total = int(np.sum(hits)), len(hits)
        if not total:
            return cls(0, 0, 0.0, 1.0)
        interval = binomtest(count, total).proportion_ci(confidence, method="wilson")
        return cls(count, total, float(interval.low), float(interval.high))


@dataclass(frozen=True)
class Audit:
    """What an audited subset of generated samples says about the labels, epsilon, and about the verifier, rho and phi."""

    epsilon: Proportion
    rho: Proportion
    phi: Proportion


def audit(labels: np.ndarray, true_labels: np.ndarray, keep: np.ndarray, *, confidence: float = 0.95) -> Audit:
    """Estimate epsilon, rho and phi from generated samples whose true labels somebody looked up: all arrays (k,), before pruning.

    epsilon is the share of wrong labels, rho that of the wrong ones that the verifier keeps, phi that of the right ones.

    Raises:
        BadInput: for no samples, shapes that do not match, labels that are no numbers, or a `keep` that is not true or false.
    """
    number("the confidence", confidence, 0, 1, open_low=True)
    labels, true_labels, keep = (np.asarray(one) for one in (labels, true_labels, keep))
    if labels.ndim != 1 or not labels.size or not labels.shape == true_labels.shape == keep.shape:
        raise BadInput(f"an audit needs a label, a true label and a keep decision for each of its samples, not shapes {labels.shape}, "
                       f"{true_labels.shape} and {keep.shape}")
    if any(one.dtype.kind == "f" and np.isnan(one).any() for one in (labels, true_labels)):
        raise BadInput("an audited sample has no label (nan): leave it out")
    if not np.isin(keep, (0, 1)).all():
        raise BadInput("the keep decision of the verifier must be true or false for every audited sample")
    wrong = labels != true_labels
    keep = keep.astype(bool)
    return Audit(*(Proportion.of(hits, confidence) for hits in (wrong, keep[wrong], keep[~wrong])))
