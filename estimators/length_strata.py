"""A population of samples of different lengths as a mixture of laws, one for each stratum of the length.

Long texts have features of large variance, in other directions than short ones, and means that grow with the length. A classifier sees
the strata as sources of their own: long samples weigh less in it, for their leverage is larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..solvers.problem import Law, Problem, Ridge, Source
from ..support.errors import BadInput
from .covariances import own_covariances


@dataclass(frozen=True)
class MixturePrediction:
    """Theory for a fresh sample of the whole population.

    Attributes
    ----------
    accuracy
        Average over the strata.
    mean_margin, variance
        Of the margins of all strata together: the variance includes that between the strata.
    """

    accuracy: float
    mean_margin: float
    variance: float


@dataclass(frozen=True, eq=False)
class LengthStrata:
    """Laws of x, one for each stratum of |x|.

    Attributes
    ----------
    laws
        Mean, known by samples, and covariance of each stratum.
    shares
        (K,), of the strata in the population; they sum to 1.
    """

    laws: tuple[Law, ...]
    shares: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, strata: int = 3) -> LengthStrata:
        """Return strata of samples X (n, p) by their length, each with the same part of the sum of squared lengths.

        Raises
        ------
        BadInput
            For fewer than two samples in a stratum.
        """
        squares = np.einsum("ij,ij->i", X, X)
        order = np.argsort(squares, kind="stable")
        ends = np.searchsorted(np.cumsum(squares[order]), squares.sum() * np.arange(1, strata) / strata)
        groups = [X[rows] for rows in np.split(order, ends)]
        if min(map(len, groups)) < 2:
            raise BadInput(f"{len(X)} samples are too few for {strata} strata of their length")
        means = [group.mean(axis=0) for group in groups]
        covariances = own_covariances([group - mean for group, mean in zip(groups, means, strict=True)])
        laws = tuple(Law(mean, covariance, mean_samples=len(group))
                     for mean, covariance, group in zip(means, covariances, groups, strict=True))
        return cls(laws, np.array([len(group) for group in groups]) / len(X))

    def sources(self, name: str, count: float, wrong: float = 0.0, weight: float = 1.0) -> tuple[Source, ...]:
        """Return samples of the population as one source for each stratum.

        Parameters
        ----------
        name : str
            The names of the sources begin with it.
        count : float
            How many samples.
        wrong : float
            Share of wrong labels.
        weight : float
            Of a sample in training.
        """
        return tuple(Source(f"{name}{k}", count * share, law, wrong, weight)
                     for k, (law, share) in enumerate(zip(self.laws, self.shares, strict=True)))

    def predict(self, sources: tuple[Source, ...], ridge: Ridge, N: float) -> MixturePrediction:
        """Predict the classifier trained on sources, for a fresh sample of the population.

        Parameters
        ----------
        sources : tuple of sources
            Of `sources`.
        ridge : Ridge
        N : float
            Normalisation of the training sums.
        """
        from ..solvers.predict import predict_tests

        found = predict_tests(Problem(sources, ridge, N, len(self.laws[0].mean), self.laws[0]), self.laws)
        accuracy, margins, variances = (np.array([getattr(one, name) for one in found])
                                        for name in ("accuracy", "mean_margin", "variance"))
        mean = self.shares @ margins
        return MixturePrediction(float(self.shares @ accuracy), float(mean), float(self.shares @ (variances + (margins - mean) ** 2)))
