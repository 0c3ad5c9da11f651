"""The population behind labelled features, estimated to feed the theory with.

The theory needs a covariance C and, for every matrix function f that occurs, mu^T f(C) mu. The plug-in of the class
mean mu_hat overstates the latter by tr(C f(C)) / n, which is as large as the signal when p is of the order of n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..solvers.problem import Law
from ..support.errors import BadInput


@dataclass(frozen=True)
class ClassStatistics:
    """Estimates from n labelled samples, in the eigenbasis of the estimated covariance C.

    Attributes
    ----------
    eigenvalues : array (p,)
        Of C, ascending; 0 in the directions in which the samples do not vary.
    mean_products : array (p,)
        Debiased squared coordinates of the mean, so that mu^T f(C) mu is estimated by sum(mean_products * f(eigenvalues)). An entry may
        be negative: only sums over many are estimates.
    basis : array (p, p)
        The eigenvectors, as columns.
    n : int
        Number of samples.
    shrinkage : float
        The weight of the multiple of the identity in C, from 0 to 1.
    """

    eigenvalues: np.ndarray
    mean_products: np.ndarray
    basis: np.ndarray
    n: int
    shrinkage: float


def class_statistics(X: np.ndarray, y: np.ndarray) -> ClassStatistics:
    """Estimate C and the mean products of samples x = y mu + z, z of covariance C.

    C is the oracle approximating shrinkage (Chen, Wiesel, Eldar, Hero 2010) of the residuals y x - mu_hat, each first
    brought to the same length. Features of texts and of language models have residuals of very different lengths, as
    in a scale mixture of Gaussians; lengths say nothing about directions, and the label that a linear classifier gives
    does not depend on them. Left in, they widen the sample spectrum, which the shrinkage takes for a wide population
    spectrum. The common length keeps the trace. For Gaussian samples the lengths agree anyway if tr(C)^2 / tr(C^2) is
    large; a few dominating directions are underrated, and no linear shrinkage serves such a spectrum well.

    Parameters
    ----------
    X : array (n, p)
    y : array (n,)
        Labels +-1.

    Raises
    ------
    BadInput
        For fewer than two samples, or shapes that do not match.
    """
    if X.ndim != 2 or y.shape != (len(X),):
        raise BadInput(f"features (n, p) with n labels are needed, not shapes {X.shape} and {y.shape}")
    n = len(X)
    if n < 2:
        raise BadInput(f"a mean and a covariance need at least 2 samples, not {n}")
    products = y[:, None] * X
    mu_hat = products.mean(axis=0)
    residuals = products - mu_hat
    if not residuals.any():
        raise BadInput("the features do not vary within the classes: there is no covariance to estimate")
    C, shrinkage = shrunken_covariance(residuals, equal_lengths=True)
    eigenvalues, basis = np.linalg.eigh(C)
    return ClassStatistics(
        eigenvalues=eigenvalues,
        mean_products=(basis.T @ mu_hat) ** 2 - eigenvalues / n,
        basis=basis,
        n=n,
        shrinkage=shrinkage,
    )


def class_laws(X: np.ndarray, y: np.ndarray, *, equal_lengths: bool = False) -> tuple[Law, ...]:
    """Estimate the law of every class, in ascending order of its label.

    Each law has the class's mean, with the number of its samples so that the theory debiases the products of the mean with itself,
    and an oracle approximating shrinkage of the class's covariance (features that do not vary within the class keep variance 0).

    Parameters
    ----------
    X : array (n, p)
    y : array (n,)
        Labels.
    equal_lengths : bool
        Bring the residuals to one length first, as `class_statistics` does and for the same reasons: right for texts, not for images, whose
        spectra have a few dominating directions. With many more samples than features neither matters much.

    Raises
    ------
    BadInput
        For shapes that do not match, fewer than two classes, or a class with fewer than two samples or without variance.
    """
    laws = []
    for label, samples in _by_class(X, y):
        mean = samples.mean(axis=0)
        residuals = samples - mean
        if not residuals.any():
            raise BadInput(f"the features do not vary within class {label}: there is no covariance to estimate")
        C, _ = shrunken_covariance(residuals, equal_lengths=equal_lengths)
        laws.append(Law(mean, C, mean_samples=len(samples)))
    return tuple(laws)


def shrunken_covariance(residuals: np.ndarray, *, equal_lengths: bool = False, means: int = 1) -> tuple[np.ndarray, float]:
    """Return the shrunken covariance (p, p) of residuals, and the weight of the multiple of the identity in it, from 0 to 1.

    Features without residuals keep variance 0.

    Parameters
    ----------
    residuals : array (n, p)
        Samples less their means.
    equal_lengths : bool
        As in `class_laws`.
    means : int
        How many means were taken off, fewer than n.
    """
    from sklearn.covariance import OAS

    n, p = residuals.shape
    varying = residuals.any(axis=0)
    moving = residuals[:, varying]
    fit = OAS(assume_centered=True, store_precision=False).fit(_equal_lengths(moving) if equal_lengths else moving)
    C = np.zeros((p, p))
    C[np.ix_(varying, varying)] = fit.covariance_ * n / (n - means)
    return C, float(fit.shrinkage_)


def mean_products(X: np.ndarray, y: np.ndarray, A: np.ndarray | None = None) -> np.ndarray:
    """Return unbiased estimates (L, L) of mu_i^T A mu_j for the class means, classes in ascending order.

    Means of different classes have independent errors; the square of one overstates by tr(A C_i) / n_i, which is taken off with the
    class's sample covariance. So mu_i^T A mu_i may come out negative, and so may |mu_i - mu_j|^2, which is a sum of these.

    Parameters
    ----------
    X : array (n, p)
    y : array (n,)
        Labels.
    A : array (p, p), optional
        I by default.

    Raises
    ------
    BadInput
        As `class_laws`.
    """
    groups = [samples for _, samples in _by_class(X, y)]
    means = np.array([samples.mean(axis=0) for samples in groups])
    turned = means if A is None else means @ A.T
    products = means @ turned.T
    for i, samples in enumerate(groups):
        residuals = samples - means[i]
        n = len(samples)
        products[i, i] -= np.vdot(residuals, residuals if A is None else residuals @ A.T) / (n * (n - 1))
    return products


def _by_class(X: np.ndarray, y: np.ndarray) -> list[tuple[object, np.ndarray]]:
    """Label and samples of every class, ascending; at least two classes of at least two samples."""
    if X.ndim != 2 or y.shape != (len(X),):
        raise BadInput(f"features (n, p) with n labels are needed, not shapes {X.shape} and {y.shape}")
    labels, counts = np.unique(y, return_counts=True)
    if len(labels) < 2:
        raise BadInput("at least two classes are needed")
    if counts.min() < 2:
        raise BadInput(f"a mean and a covariance need at least 2 samples, class {labels[counts.argmin()]} has 1")
    return [(label, X[y == label]) for label in labels]


def _equal_lengths(rows: np.ndarray) -> np.ndarray:
    """The rows rescaled to one length, their root mean square length; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1)
    common = np.sqrt(np.mean(lengths**2))
    return rows * np.divide(common, lengths, out=np.zeros_like(lengths), where=lengths > 0)[:, None]
