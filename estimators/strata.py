"""Populations of labelled samples in groups, measured to feed the theory where labels and keep decisions depend on the sample.

A group has one true label, one given label and one keep decision. Every law that the theory needs, of the trusted samples, of the kept
ones and of a fresh one, is made of the means of the groups, whose errors are independent of each other. With one pooled law for each
the errors of their means would be shared, which the theory does not know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..solvers.problem import Law, Problem, Ridge, Source
from ..support.errors import BadInput
from .statistics import shrunken_covariance


@dataclass(frozen=True)
class StrataPrediction:
    """The theory over all strata.

    Attributes
    ----------
    accuracy : float
        Of a fresh sample of the population.
    mean_margin : float
        E[y w^T x].
    by_stratum : array (K,)
        The accuracy in each stratum.
    """

    accuracy: float
    mean_margin: float
    by_stratum: np.ndarray


@dataclass(frozen=True, eq=False)
class Strata:
    """Samples in K groups of one true label, one given label and one keep decision.

    That the covariance is shared leaves out how keeping changes it: the kept samples' S then lacks the part of rank one that the
    spread of the verifier's score within the groups makes. It is exact where labels and keep decisions depend on the class alone.

    Attributes
    ----------
    laws : K laws
        Of x, not of y x, in each group: its own mean, the covariance within the groups, shared by all.
    shares : array (K,)
        Of the groups among the samples; they sum to 1.
    y, labels : arrays (K,)
        True and given label of each group, +-1.
    keep : array (K,)
        Whether the verifier keeps the group.
    intercept : bool
        Whether the classifier has one.
    """

    laws: tuple[Law, ...]
    shares: np.ndarray
    y: np.ndarray
    labels: np.ndarray
    keep: np.ndarray
    intercept: bool = False

    @property
    def alpha(self) -> float:
        """The kept fraction."""
        return float(self.shares[self.keep].sum())

    @property
    def epsilon(self) -> float:
        """The share of wrong labels before pruning."""
        return float(self.shares[self.labels != self.y].sum())

    def trusted(self, name: str, n: float, weight: float = 1.0) -> tuple[Source, ...]:
        """Return n samples with their true labels as sources, whose names begin with `name`.

        Parameters
        ----------
        name : str
        n : float
            How many samples.
        weight : float
            Of one sample in training.
        """
        return self._sources(name, n, self.y, np.ones_like(self.keep), weight)

    def selected(self, name: str, m: float, weight: float = 1.0) -> tuple[Source, ...]:
        """Return the kept ones of m samples as sources, with the labels given to them.

        Parameters
        ----------
        name : str
            The names of the sources begin with it.
        m : float
            Samples before pruning.
        weight : float
            omega, the weight of a sample in training.
        """
        return self._sources(name, m, self.labels, self.keep, weight)

    def predict(self, sources: tuple[Source, ...], ridge: Ridge, N: float) -> StrataPrediction:
        """Predict the classifier trained on sources, for a fresh sample of the population.

        Parameters
        ----------
        sources : tuple of sources
            Of `trusted` and `selected`.
        ridge : Ridge
        N : float
            Normalisation of the training sums.
        """
        from ..solvers.predict import predict_tests

        problem = Problem(sources, ridge, N, len(self.laws[0].mean), self.laws[0], self.intercept)
        found = predict_tests(problem, self.laws)
        positive = np.array([one.accuracy for one in found])
        by_stratum = np.where(self.y > 0, positive, 1 - positive)
        margins = self.y * [one.mean_margin for one in found]
        return StrataPrediction(float(self.shares @ by_stratum), float(self.shares @ margins), by_stratum)

    def _sources(self, name: str, count: float, labels: np.ndarray, keep: np.ndarray, weight: float) -> tuple[Source, ...]:
        # the label of a group is a number: -1 is the label of a source of which all labels are wrong
        return tuple(Source(f"{name}{k}", count * self.shares[k], self.laws[k], float(labels[k] < 0), weight)
                     for k in np.flatnonzero(keep))


def strata(
    X: np.ndarray, y: np.ndarray, labels: np.ndarray, keep: np.ndarray | None = None, *, intercept: bool = False,
    equal_lengths: bool = False,
) -> Strata:
    """Return samples in groups of one true label, one given label and one keep decision.

    Parameters
    ----------
    X : array (k, p)
    y, labels : arrays (k,)
        True and given labels, +-1.
    keep : array (k,), optional
        Whether the verifier keeps each sample; by default all.
    intercept : bool
        Whether the classifier has one, without a ridge.
    equal_lengths : bool
        As in `estimators.statistics.class_laws`.

    Raises
    ------
    BadInput
        For shapes or labels that do not fit, or samples that do not vary within the groups.
    """
    y, labels, keep = _checked(X, y, labels, keep)
    kinds, which, counts = np.unique(np.stack([y, labels, keep], axis=1), axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)  # NumPy 2.0 alone returns a column
    X = np.asarray(X, dtype=float)
    means = np.array([X[which == k].mean(axis=0) for k in range(len(kinds))])
    residuals = X - means[which]
    if len(X) <= len(kinds) or not residuals.any():
        raise BadInput("the samples do not vary within the groups of one label and one keep decision: there is no covariance to estimate")
    covariance, _ = shrunken_covariance(residuals, equal_lengths=equal_lengths, means=len(kinds))
    laws = tuple(Law(mean, covariance, mean_samples=int(count)) for mean, count in zip(means, counts, strict=True))
    return Strata(laws, counts / len(X), kinds[:, 0], kinds[:, 1], kinds[:, 2] > 0, intercept)


def _checked(X: np.ndarray, y: np.ndarray, labels: np.ndarray, keep: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True labels, given labels and keep decisions (all kept without any)."""
    keep = np.ones(len(X), dtype=bool) if keep is None else np.asarray(keep)
    for what, values, allowed in (("true label", y, (-1, 1)), ("given label", labels, (-1, 1)), ("keep decision", keep, (0, 1))):
        if np.ndim(X) != 2 or np.shape(values) != (len(X),):
            raise BadInput(f"features (k, p) with k {what}s are needed, not shapes {np.shape(X)} and {np.shape(values)}")
        if not np.isin(values, allowed).all():
            raise BadInput(f"a {what} must be {allowed[0]} or {allowed[1]} for every sample")
    return np.asarray(y, dtype=float), np.asarray(labels, dtype=float), keep.astype(bool)
