"""The law of the real samples, estimated from them: one shrunken covariance for all classes and a debiased mean for each class.

In the eigenbasis of the common covariance all covariances are diagonal, so that one prediction costs O(p). A covariance for every class
would be a worse estimate from few samples; what the common one misses is calibrated on leave-one-out (`advice.evidence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..estimators.statistics import shrunken_covariance
from ..solvers.best_mix import Family
from ..solvers.many_classes import ClassMixture
from ..solvers.problem import Fit, Generator, Law, Verifier
from ..support.errors import BadInput
from .plan import uniform_noise

ELLIPTICAL = 5.0  # squared lengths that vary so many times more than those of Gaussian residuals say that only directions count


@dataclass(frozen=True, eq=False)
class Population:
    """The law of every class as estimated from real samples, in the eigenbasis of the common covariance.

    Attributes
    ----------
    laws
        Means (p,) and eigenvalues (p,), in the eigenbasis.
    basis : array (p, p)
        The eigenvectors, as columns.
    center : array (p,)
        The mean of all samples, which was subtracted from the features.
    counts : array (L,)
        Real samples of each class.
    elliptical
        Whether the residuals were brought to one length before the covariance was estimated.
    """

    laws: tuple[Law, ...]
    basis: np.ndarray
    center: np.ndarray
    counts: np.ndarray
    elliptical: bool

    @classmethod
    def of(
        cls, X: np.ndarray, codes: np.ndarray, classes: int, *, elliptical: bool | None = None, debiased: float = 1.0
    ) -> Population:
        """Estimate the laws from samples.

        Parameters
        ----------
        X : array (n, p)
            Features.
        codes : array (n,)
            The class of each sample, 0 to classes - 1.
        classes
            Number of classes.
        elliptical
            None: decided by how much the lengths of the residuals vary.
        debiased
            How much of the squared error of the means is taken off their squares, 0 to 1. At 1 the products of means are unbiased; with
            many classes of few samples the result may belong to no real vectors, and the theory cannot be solved.

        Raises
        ------
        BadInput
            For a class without two samples, or features that do not vary within the classes.
        """
        counts = np.bincount(codes, minlength=classes)
        if counts.min() < 2:
            raise BadInput("every class needs at least 2 real samples")
        center = X.mean(axis=0)
        means = np.array([X[codes == k].mean(axis=0) for k in range(classes)]) - center
        residuals = X - center - means[codes]
        if not residuals.any() or len(X) <= classes:
            raise BadInput("the features do not vary within the classes: there is no covariance to estimate")
        if elliptical is None:
            elliptical = _elliptical(residuals)
        C, _ = shrunken_covariance(residuals, equal_lengths=elliptical, means=classes)
        eigenvalues, basis = np.linalg.eigh(C)
        eigenvalues = np.maximum(eigenvalues, 0)
        laws = tuple(Law(mean @ basis, eigenvalues, mean_samples=float(count) / debiased if debiased else None)
                     for mean, count in zip(means, counts, strict=True))
        return cls(laws, basis, center, counts, elliptical)

    @property
    def classes(self) -> int:
        """Number of classes, L."""
        return len(self.laws)

    @property
    def n(self) -> int:
        """Number of real samples."""
        return int(self.counts.sum())

    @property
    def shares(self) -> np.ndarray:
        """(L,), the share of each class among the real samples; fresh samples are taken to have the same."""
        return self.counts / self.n

    def family(self, generator: Generator, epsilon: float, verifier: Verifier, *, n: float | None = None) -> Family:
        """Return all mixes of real samples with samples of a planned generator.

        Parameters
        ----------
        generator : Generator
        epsilon : float
            Share of wrong labels.
        verifier : Verifier
        n : float, optional
            Real samples; by default as many as there are.
        """
        counts = self.shares * (self.n if n is None else n)
        mixture = ClassMixture(self.laws, tuple(counts), tuple(self.shares * self.n), uniform_noise(self.classes, epsilon), verifier,
                               generator)
        return Family.of_classes(mixture, shares=self.shares)

    def family_of(
        self, generated: Sequence[Law], label_shares: np.ndarray, kept: float, n_hat: float, *, n: float | None = None
    ) -> Family:
        """All mixes of n real samples (by default as many as there are) with samples like those of a file.

        Parameters
        ----------
        generated
            The laws of the kept samples with each label, in this population's basis.
        label_shares : array (L,)
            How the kept samples divide among the labels.
        kept
            The share of all samples that is kept.
        n_hat
            The number of samples that the noise in the generator's covariance corresponds to; inf: no noise.
        """
        counts = tuple(self.shares * (self.n if n is None else n))
        mixture = ClassMixture(self.laws, counts, tuple(label_shares * self.n), np.eye(self.classes), Verifier(kept, kept),
                               generated=tuple(generated))  # fmt: skip
        return Family.of_classes(mixture, shares=self.shares, fit=Fit(n_hat) if np.isfinite(n_hat) else None)


def squared_length_variation(residuals: np.ndarray) -> tuple[float, float]:
    """Variance over squared mean of the squared lengths of residuals (n, p), and what it would be for Gaussian residuals."""
    lengths = np.einsum("ij,ij->i", residuals, residuals)
    return float(lengths.var() / lengths.mean() ** 2), 2 * trace_of_square(residuals) / float(lengths.mean()) ** 2


def trace_of_square(residuals: np.ndarray) -> float:
    """Unbiased estimate of tr C^2 from residuals (n, p) of covariance C: the mean squared product of two different residuals."""
    n, p = residuals.shape
    gram = residuals @ residuals.T if n <= p else residuals.T @ residuals
    lengths = np.einsum("ij,ij->i", residuals, residuals)
    return float((np.vdot(gram, gram) - np.sum(lengths**2)) / (n * (n - 1)))


def _elliptical(residuals: np.ndarray) -> bool:
    found, gaussian = squared_length_variation(residuals)
    return found > ELLIPTICAL * gaussian
