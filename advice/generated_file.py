"""What a file of synthetic samples shows about its generator, its labels and its verifier.

A ridge classifier depends on a sample through its features and its label only. So the kept samples with one label are a source with a
mean and a covariance of their own, whatever the label noise and the verifier depend on. The noise in a fitted generator's covariance is
read off tr C^2, which a sample covariance of n_hat samples exceeds by (tr C)^2 / n_hat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synthmix.advice.population import Population, trace_of_square
from synthmix.estimators.audits import Audit, audit
from synthmix.estimators.self_fitted import kept_labels
from synthmix.solvers.problem import Law
from synthmix.support.errors import BadInput

SAME_SAMPLES = 0.5  # mean distances below this, if known well enough, say that the generator was fitted on the real samples
SAME_EIGENVALUE = 1e-9  # times the largest one, the gap below which two eigenvalues are one
QUANTILES = (0.0, 0.25, 0.5, 0.75)  # of the score, that are tried as thresholds of the verifier


class Samples(Protocol):
    """Labelled samples, real or synthetic.

    Attributes
    ----------
    X : array (k, p)
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
    codes : array (m,)
        The label of each sample, as a class index.
    keep : array (m,) of bool
        Which samples are kept.
    laws : tuple of Law, one a label
        Mean and covariance of the kept samples with each label, about the mean of the real samples.
    n_hat : float
        The number of samples that the noise in the generator's covariance corresponds to; inf: no noise is seen.
    distance, distance_se : float
        Distance between the generator's class means and those of the real samples, in units of the sampling errors of the latter: about
        0 for a generator fitted on these real samples, 1 or more for any other.
    audit : Audit or None
        epsilon, rho and phi as counted on the samples whose true label is known.
    """

    X: np.ndarray
    codes: np.ndarray
    keep: np.ndarray
    laws: tuple[Law, ...]
    n_hat: float
    distance: float
    distance_se: float
    audit: Audit | None

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

    @property
    def self_fitted(self) -> bool:
        """Whether the generator's class means are those of the real samples: it is then treated as fitted on them."""
        return self.distance < min(SAME_SAMPLES, 1 - 2 * self.distance_se)

    @classmethod
    def of(cls, samples: Samples, X: np.ndarray, codes: np.ndarray, classes: np.ndarray, keep: np.ndarray | None = None) -> GeneratedFile:
        """Estimate all of it.

        Parameters
        ----------
        samples : Samples
            The synthetic samples.
        X : array (n, p)
            Real samples.
        codes : array (n,)
            Their class indices.
        classes : array (L,)
            The label of each class index, ascending.
        keep : array (m,) of bool or None
            Replaces `samples.keep`.

        Raises
        ------
        BadInput
            For a label that no real sample has, or a label with fewer than two kept samples.
        """
        own = np.searchsorted(classes, samples.y)
        if np.any(classes[np.minimum(own, len(classes) - 1)] != samples.y):
            raise BadInput("the synthetic samples have a label that no real sample has")
        if keep is None:
            keep = np.ones(len(own), dtype=bool) if samples.keep is None else np.asarray(samples.keep).astype(bool)
        counts = np.bincount(own[keep], minlength=len(classes))
        if counts.min() < 2:
            raise BadInput(f"{counts.min()} of the kept synthetic samples have the label {classes[counts.argmin()]}: at least 2 are needed")
        center = X.mean(axis=0)
        kept = samples.X[keep] - center
        labels = own[keep]
        means = np.array([kept[labels == k].mean(axis=0) for k in range(len(classes))])
        residuals = kept - means[labels]
        S = residuals.T @ residuals / (len(kept) - len(classes))
        laws = tuple(Law(mean, S, mean_samples=float(count)) for mean, count in zip(means, counts, strict=True))
        matrix = kept_labels(X, codes, samples.X, own, keep)
        shares = (matrix / matrix.sum(axis=0)).T  # (label, class): how the kept samples with each label divide among the true classes
        real_means = np.array([X[codes == k].mean(axis=0) for k in range(len(classes))]) - center
        real = X - center - real_means[codes]
        n_hat = _covariance_samples(real, _within(residuals, real_means))
        distance, error = _mean_distance(means - shares @ real_means, S, counts, real, np.bincount(codes), shares)
        return cls(samples.X, own, keep, laws, n_hat, distance, error, _audited(samples, keep))

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


def thresholds(samples: Samples) -> list[np.ndarray]:
    """The choices of kept samples (m,) to try: the file's own, or where it has only scores those above some quantiles of the score."""
    if samples.keep is not None or samples.score is None:
        return [np.ones(len(samples.y), dtype=bool) if samples.keep is None else np.asarray(samples.keep).astype(bool)]
    return [samples.score >= np.quantile(samples.score, share) for share in QUANTILES]


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


def _mean_distance(
    left: np.ndarray, S: np.ndarray, counts: np.ndarray, real: np.ndarray, n: np.ndarray, shares: np.ndarray
) -> tuple[float, float]:
    """The distance of `GeneratedFile` and its standard error.

    Parameters
    ----------
    left : array (L, p)
        Mean of the kept samples with each label, less the mean of the real classes in the same shares.
    S : array (p, p)
        Covariance of the kept samples.
    counts : array (L,)
        Kept samples with each label.
    real : array (n, p)
        Residuals of the real samples.
    n : array (L,)
        Real samples of each class.
    shares : array (L, L)
        How the samples with each label divide among the classes.
    """
    size = np.mean(np.sum(real**2, axis=1)) * len(real) / (len(real) - len(n))
    expected = size * np.sum(shares**2 / n)
    noise = np.trace(S) * np.sum(1 / counts)
    distance = (np.sum(left**2) - noise) / expected
    relative = np.sqrt(2 * max(trace_of_square(real), 0.0) / len(n)) / size
    return float(distance), float(relative * (1 + noise / expected))
