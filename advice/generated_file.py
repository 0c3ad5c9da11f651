"""What a file of synthetic samples shows about its generator, its labels and its verifier.

A ridge classifier depends on a sample through its features and its label only. So the kept samples with one label are a source with a
mean and a covariance of their own, whatever the label noise and the verifier depend on. The noise in a fitted generator's covariance is
read off tr C^2, which a sample covariance of n_hat samples exceeds by (tr C)^2 / n_hat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..estimators.audits import Audit, audit
from ..estimators.self_fitted import kept_labels
from ..solvers.problem import Law
from ..support.errors import BadInput
from .population import Population, trace_of_square
from .provenance import LabelledMeans, Provenance, provenance
from .thresholds import Threshold

SAME_EIGENVALUE = 1e-9  # times the largest one, the gap below which two eigenvalues are one
QUANTILES = (0.0, 0.25, 0.5, 0.75)  # of the score, that are tried as thresholds of the verifier


class Samples(Protocol):
    """Labelled samples, real or synthetic.

    Attributes
    ----------
    X : array (k, p)
        Features.
    y : array (k,)
        Labels.
    keep : array (k,) or None
        Whether the verifier keeps a synthetic sample.
    score : array (k,) or None
        The verifier's score of a synthetic sample.
    truth : array (k,) or None
        The true label of a synthetic sample, "" where unknown.
    """

    X: np.ndarray
    y: np.ndarray
    keep: np.ndarray | None
    score: np.ndarray | None
    truth: np.ndarray | None


@dataclass(frozen=True, eq=False)
class GeneratedFile:
    """Synthetic samples with what was estimated from them.

    Attributes
    ----------
    X : array (m, p)
        Features.
    codes : array (m,)
        The label of each sample, as a class index.
    keep : bool array (m,)
        Which samples are kept.
    laws
        Mean and covariance of the kept samples with each label, about the mean of the real samples.
    n_hat
        The number of samples that the noise in the generator's covariance corresponds to; inf: no noise is seen.
    kept_labels : array (L, L)
        How many kept samples of each class (row), by their means, carry each label (column).
    provenance
        Which rows the generator seems to have been fitted on.
    threshold
        The lowest score of the kept samples, where the choice was by score; None otherwise.
    audit
        epsilon, rho and phi as counted on the samples whose true label is known.
    thresholds
        The scores that were tried, where the choice was by score.
    """

    X: np.ndarray
    codes: np.ndarray
    keep: np.ndarray
    laws: tuple[Law, ...]
    n_hat: float
    kept_labels: np.ndarray
    provenance: Provenance
    threshold: float | None
    audit: Audit | None
    thresholds: tuple[Threshold, ...] = ()

    @property
    def m(self) -> int:
        """Number of samples, before pruning."""
        return len(self.codes)

    @property
    def kept(self) -> float:
        """The share of the samples that is kept."""
        return float(self.keep.mean())

    @property
    def label_shares(self) -> np.ndarray:
        """(L,), how the kept samples divide among the labels."""
        return np.bincount(self.codes[self.keep], minlength=len(self.laws)) / self.keep.sum()

    @classmethod
    def of(cls, samples: Samples, X: np.ndarray, codes: np.ndarray, classes: np.ndarray, kept: Kept | None = None) -> GeneratedFile:
        """Estimate all of it.

        Parameters
        ----------
        samples
            The synthetic samples.
        X : array (n, p)
            Real samples.
        codes : array (n,)
            Their class indices.
        classes : array (L,)
            The label of each class index, ascending.
        kept
            Which samples are kept; None: those of `samples.keep`.

        Raises
        ------
        BadInput
            For a label that no real sample has, or a label with fewer than two kept samples.
        """
        labels = np.searchsorted(classes, samples.y)
        if np.any(classes[np.minimum(labels, len(classes) - 1)] != samples.y):
            raise BadInput("the synthetic samples have a label that no real sample has")
        kept = thresholds(samples)[0] if kept is None else kept
        keep = kept.keep
        counts = np.bincount(labels[keep], minlength=len(classes))
        if counts.min() < 2:
            raise BadInput(f"{counts.min()} of the kept synthetic samples have the label {classes[counts.argmin()]}: at least 2 are needed")
        center = X.mean(axis=0)
        made, own = samples.X[keep] - center, labels[keep]
        means = np.array([made[own == k].mean(axis=0) for k in range(len(classes))])
        residuals = made - means[own]
        S = residuals.T @ residuals / (len(made) - len(classes))
        laws = tuple(Law(mean, S, mean_samples=float(count)) for mean, count in zip(means, counts, strict=True))
        matrix = kept_labels(X, codes, samples.X, labels, keep)
        shares = (matrix / matrix.sum(axis=0)).T
        real_means = np.array([X[codes == k].mean(axis=0) for k in range(len(classes))]) - center
        n_hat = _covariance_samples(X - center - real_means[codes], _within(residuals, real_means))
        origin = provenance(LabelledMeans(X - center, codes, made, own, shares))
        return cls(samples.X, labels, keep, laws, n_hat, matrix, origin, kept.threshold, _audited(samples, keep),
                   kept.tried)

    def laws_in(self, population: Population) -> tuple[Law, ...]:
        """The laws in the eigenbasis of a population, their covariance reduced to its diagonal there.

        Directions of one eigenvalue (with fewer samples than features, all those without a sample) have no basis of their own: each gets
        the mean of their variances, or rounding would choose.
        """
        variances = np.einsum("ij,ik,kj->j", population.basis, np.asarray(self.laws[0].covariance), population.basis, optimize=True)
        eigenvalues = population.laws[0].covariance  # ascending
        group = np.cumsum(np.diff(eigenvalues, prepend=eigenvalues[0]) > SAME_EIGENVALUE * eigenvalues[-1])
        variances = (np.bincount(group, variances) / np.bincount(group))[group]
        return tuple(Law(law.mean @ population.basis, variances, law.mean_samples) for law in self.laws)


@dataclass(frozen=True, eq=False)
class Kept:
    """A choice among the samples of a file.

    Attributes
    ----------
    keep : bool array (m,)
    threshold : float or None
        The lowest score that is kept; None where the file says which samples are.
    tried : tuple of Threshold
        What this one was chosen from.
    """

    keep: np.ndarray
    threshold: float | None = None
    tried: tuple[Threshold, ...] = ()


def thresholds(samples: Samples) -> list[Kept]:
    """Return the choices of kept samples to try: the file's own, or where it has scores only, those at or above some quantiles of them."""
    if samples.keep is not None:
        return [Kept(np.asarray(samples.keep).astype(bool))]
    if samples.score is None:
        return [Kept(np.ones(len(samples.y), dtype=bool))]
    values = np.unique([np.quantile(samples.score, share, method="higher") for share in QUANTILES])
    return [Kept(samples.score >= value, float(value)) for value in values]


def _audited(samples: Samples, keep: np.ndarray) -> Audit | None:
    if samples.truth is None:
        return None
    known = np.array([str(one) != "" for one in samples.truth])
    if not known.any():
        return None
    return audit(np.array([str(one) for one in samples.y[known]]), np.array([str(one) for one in samples.truth[known]]), keep[known])


def _within(residuals: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Residuals (k, p) without the directions in which the class means (L, p) differ: wrong labels add variance there, the generator
    does not."""
    differences = means - means.mean(axis=0)
    span, sizes, _ = np.linalg.svd(differences.T, full_matrices=False)
    span = span[:, sizes > 1e-9 * sizes.max(initial=1e-300)]
    return residuals - (residuals @ span) @ span.T


def _covariance_samples(real: np.ndarray, generated: np.ndarray) -> float:
    """The n_hat for which tr S^2 / (tr S)^2 of the generated residuals exceeds tr C^2 / (tr C)^2 of the real ones by 1 / n_hat."""
    excess = (trace_of_square(generated) / np.mean(np.sum(generated**2, axis=1)) ** 2
              - trace_of_square(real) / np.mean(np.sum(real**2, axis=1)) ** 2)
    return 1 / excess if excess > 1 / len(generated) else float("inf")
