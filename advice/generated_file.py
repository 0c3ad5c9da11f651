"""What a file of generated samples says about its generator, its labels and its verifier.

Ridge sees a sample through its features and its label only, so the kept samples with one label are a source with their own mean and
covariance, whatever the label noise and the verifier depend on. How the noise in a fitted generator's covariance compares with the real
one is read off tr C^2, which the sample covariance of n_hat samples exceeds by (tr C)^2 / n_hat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synthmix.advice.plan import Population, trace_of_square
from synthmix.estimators.self_fitted import kept_labels
from synthmix.estimators.statistics import Audit, audit
from synthmix.solvers.problem import Law
from synthmix.support.errors import BadInput

SAME_SAMPLES = 0.5  # below what distance, if that is known well enough, a generator was fitted on the real samples
QUANTILES = (0.0, 0.25, 0.5, 0.75)  # of the score, that are tried as thresholds of the verifier


class Samples(Protocol):
    """Features (k, p) and labels (k,); for generated ones perhaps verdicts, scores and true labels ("" where unknown)."""

    X: np.ndarray
    y: np.ndarray
    keep: np.ndarray | None
    score: np.ndarray | None
    truth: np.ndarray | None


@dataclass(frozen=True, eq=False)
class GeneratedFile:
    """Generated samples X (m, p), codes (m,) of their labels, and which are kept (m,).

    shares (L, L): of the kept samples with each label (row), how many are of each class (column), by their means.
    laws: of the kept samples with each label. n_hat: the samples that the generator's covariance is worth (inf: no noise to be seen).
    distance, distance_se: how far the generator's means are from those of the real samples, in units of the errors of the latter: 0 where
    it was fitted on the same samples, 1 or more where not. found: the audit, where some true labels are known.
    """

    X: np.ndarray
    codes: np.ndarray
    keep: np.ndarray
    shares: np.ndarray
    laws: tuple[Law, ...]
    n_hat: float
    distance: float
    distance_se: float
    found: Audit | None

    @property
    def m(self) -> int:
        """Generated samples, before pruning."""
        return len(self.codes)

    @property
    def kept(self) -> float:
        """The share that is kept."""
        return float(self.keep.mean())

    @property
    def label_shares(self) -> np.ndarray:
        """(L,): of the labels among the kept samples."""
        return np.bincount(self.codes[self.keep], minlength=len(self.laws)) / self.keep.sum()

    @property
    def self_fitted(self) -> bool:
        """Whether it was plainly fitted on the very real samples."""
        return self.distance < min(SAME_SAMPLES, 1 - 2 * self.distance_se)

    @classmethod
    def of(cls, samples: Samples, X: np.ndarray, codes: np.ndarray, classes: np.ndarray, keep: np.ndarray | None = None) -> GeneratedFile:
        """From generated samples and the real ones X (n, p), codes (n,), whose labels are `classes` (L,). keep: in place of the file's own.

        Raises:
            BadInput: for labels that no real sample has, or a label without two kept samples.
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
        shares = (matrix / matrix.sum(axis=0)).T
        real_means = np.array([X[codes == k].mean(axis=0) for k in range(len(classes))]) - center
        real = X - center - real_means[codes]
        n_hat = _worth(real, _within(residuals, labels, shares, real_means))
        distance, error = _distance(means - shares @ real_means, S, counts, real, np.bincount(codes), shares)
        return cls(samples.X, own, keep, shares, laws, n_hat, distance, error, _audited(samples, keep))

    def laws_in(self, population: Population) -> tuple[Law, ...]:
        """The laws of the kept samples with each label, in the eigenbasis of a population; of the covariance its diagonal there."""
        variances = np.einsum("ij,ik,kj->j", population.basis, np.asarray(self.laws[0].covariance), population.basis, optimize=True)
        return tuple(Law(law.mean @ population.basis, variances, law.mean_samples) for law in self.laws)


def thresholds(samples: Samples) -> list[np.ndarray]:
    """The verdicts that are tried: the file's own, or where it has only scores those above some quantiles."""
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


def _within(residuals: np.ndarray, labels: np.ndarray, shares: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Residuals without the directions in which the classes differ: wrong labels spread those, which is no noise of the generator."""
    differences = means - means.mean(axis=0)
    span, sizes, _ = np.linalg.svd(differences.T, full_matrices=False)
    span = span[:, sizes > 1e-9 * sizes.max(initial=1e-300)]
    return residuals - (residuals @ span) @ span.T


def _worth(real: np.ndarray, generated: np.ndarray) -> float:
    """n_hat such that tr S^2 / (tr S)^2 exceeds tr C^2 / (tr C)^2 by 1 / n_hat."""
    excess = (trace_of_square(generated) / np.mean(np.sum(generated**2, axis=1)) ** 2
              - trace_of_square(real) / np.mean(np.sum(real**2, axis=1)) ** 2)
    return 1 / excess if excess > 1 / len(generated) else float("inf")


def _distance(
    left: np.ndarray, S: np.ndarray, counts: np.ndarray, real: np.ndarray, n: np.ndarray, shares: np.ndarray
) -> tuple[float, float]:
    """Squared length of what the means of the labels leave (L, p), less that of their own errors, over what real means' errors leave."""
    size = np.mean(np.sum(real**2, axis=1)) * len(real) / (len(real) - len(n))
    expected = size * np.sum(shares**2 / n)
    noise = np.trace(S) * np.sum(1 / counts)
    distance = (np.sum(left**2) - noise) / expected
    relative = np.sqrt(2 * max(trace_of_square(real), 0.0) / len(n)) / size
    return float(distance), float(relative * (1 + noise / expected))
