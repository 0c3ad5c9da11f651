"""The population behind labelled features, estimated so that the theory can be fed with it.

The theory needs a covariance C and, for every matrix function f that occurs, mu^T f(C) mu. The plug-in of the class
mean mu_hat overstates the latter by tr(C f(C)) / n, which is as large as the signal when p is of the order of n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.errors import BadInput


@dataclass(frozen=True)
class ClassStatistics:
    """Estimates from n labelled samples, in the eigenbasis of the estimated covariance C.

    eigenvalues: (p,), of C, ascending; 0 in the directions in which the samples do not vary.
    mean_products: (p,), debiased squared coordinates of the mean, so that mu^T f(C) mu is estimated by
        sum(mean_products * f(eigenvalues)). An entry may be negative: only sums over many are estimates.
    basis: (p, p), the eigenvectors, as columns.
    n: the number of samples.
    shrinkage: the weight of the multiple of the identity in C, from 0 to 1.
    """

    eigenvalues: np.ndarray
    mean_products: np.ndarray
    basis: np.ndarray
    n: int
    shrinkage: float


def class_statistics(X: np.ndarray, y: np.ndarray) -> ClassStatistics:
    """Estimate C and the mean products of x = y mu + z, z of covariance C, from samples X (n, p), labels y (n,) = +-1.

    C is the oracle approximating shrinkage (Chen, Wiesel, Eldar, Hero 2010) of the residuals y x - mu_hat, each first
    brought to the same length. Features of texts and of language models have residuals of very different lengths, as
    in a scale mixture of Gaussians; lengths say nothing about directions, and the label that a linear classifier gives
    does not depend on them. Left in, they widen the sample spectrum, which the shrinkage takes for a wide population
    spectrum. The common length keeps the trace. For Gaussian samples the lengths agree anyway if tr(C)^2 / tr(C^2) is
    large; a few dominating directions are underrated, and no linear shrinkage serves such a spectrum well.

    Raises:
        BadInput: for fewer than two samples, or shapes that do not match.
    """
    from sklearn.covariance import OAS

    if X.ndim != 2 or y.shape != (len(X),):
        raise BadInput(f"features (n, p) with n labels are needed, not shapes {X.shape} and {y.shape}")
    n, p = X.shape
    if n < 2:
        raise BadInput(f"a mean and a covariance need at least 2 samples, not {n}")
    products = y[:, None] * X
    mu_hat = products.mean(axis=0)
    residuals = products - mu_hat
    varying = residuals.any(axis=0)
    residuals = residuals[:, varying]
    if residuals.size == 0:
        raise BadInput("the features do not vary within the classes: there is no covariance to estimate")
    fit = OAS(assume_centered=True).fit(_equal_lengths(residuals))

    C = np.zeros((p, p))
    C[np.ix_(varying, varying)] = fit.covariance_ * n / (n - 1)
    eigenvalues, basis = np.linalg.eigh(C)
    return ClassStatistics(
        eigenvalues=eigenvalues,
        mean_products=(basis.T @ mu_hat) ** 2 - eigenvalues / n,
        basis=basis,
        n=n,
        shrinkage=float(fit.shrinkage_),
    )


def _equal_lengths(rows: np.ndarray) -> np.ndarray:
    """The rows rescaled to one length, their root mean square length; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1)
    common = np.sqrt(np.mean(lengths**2))
    return rows * np.divide(common, lengths, out=np.zeros_like(lengths), where=lengths > 0)[:, None]
