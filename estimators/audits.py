"""The quality of labels and of a verifier, counted on audited samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..support.errors import BadInput, number


@dataclass(frozen=True)
class Proportion:
    """A share counted on samples, with an interval that covers the true share with a stated confidence.

    Attributes
    ----------
    count, total : int
        How many of how many.
    low, high : float
        The ends of the interval; [0, 1] where there was nothing to count.
    """

    count: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """count / total; nan where there was nothing to count."""
        return self.count / self.total if self.total else float("nan")

    @classmethod
    def of(cls, hits: np.ndarray, confidence: float) -> Proportion:
        """Return the share of true entries in `hits` (k,), with its Wilson interval of a confidence from 0 to 1."""
        from scipy.stats import binomtest

        count, total = int(np.sum(hits)), len(hits)
        if not total:
            return cls(0, 0, 0.0, 1.0)
        interval = binomtest(count, total).proportion_ci(confidence, method="wilson")
        return cls(count, total, float(interval.low), float(interval.high))


@dataclass(frozen=True)
class Audit:
    """The quality of labels and verifier, counted on audited samples.

    Attributes
    ----------
    epsilon : Proportion
        Wrong labels among all samples.
    rho : Proportion
        Kept samples among those of wrong label.
    phi : Proportion
        Kept samples among those of right label.
    """

    epsilon: Proportion
    rho: Proportion
    phi: Proportion


def audit(labels: np.ndarray, true_labels: np.ndarray, keep: np.ndarray, *, confidence: float = 0.95) -> Audit:
    """Estimate epsilon, rho and phi from audited synthetic samples, before pruning.

    Parameters
    ----------
    labels : array (k,)
        The labels that the samples carry.
    true_labels : array (k,)
        Their true labels, looked up by a person or a trusted model.
    keep : array (k,)
        Whether the verifier keeps each sample.
    confidence : float
        Of the intervals.

    Raises
    ------
    BadInput
        For no samples, shapes that do not match, labels that are no numbers, or a `keep` that is not true or false.
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
