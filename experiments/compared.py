"""Predicted against measured accuracy of ridge classifiers on real data, and where what is between them comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..sims.monte_carlo import Estimate
from ..solvers.many_classes import Scores


@dataclass(frozen=True)
class MeasuredAccuracy:
    """The accuracy of a trained classifier on the test set.

    Attributes
    ----------
    accuracy : float
        Averaged over the classes.
    gaussian : float
        The accuracy that there would be if the test scores of every class were jointly Gaussian with their mean and covariance.
    """

    accuracy: float
    gaussian: float


def measured_accuracy(scores: np.ndarray, y: np.ndarray) -> MeasuredAccuracy:
    """Return the accuracy of test scores.

    Parameters
    ----------
    scores : array (k, L)
    y : array (k,)
        Classes, from 0 to L - 1.
    """
    right, gaussian = [], []
    for k in range(scores.shape[1]):
        own = scores[y == k]
        right.append(np.mean(own.argmax(axis=1) == k))
        gaussian.append(Scores(own.mean(axis=0), np.cov(own.T)).probability_of_largest(k))
    return MeasuredAccuracy(float(np.mean(right)), float(np.mean(gaussian)))


@dataclass(frozen=True, eq=False, kw_only=True)
class Compared:
    """A setting, predicted and measured; a subclass says which, and has the `group` that it is drawn with.

    Attributes
    ----------
    predicted, predicted_gaussian : float
        Accuracy from the scores of the pool's samples, and for Gaussian scores.
    measured : tuple of MeasuredAccuracy
        Of every trial.
    tested : int
        Test samples, where all trials are scored on the same ones; else 0.
    """

    predicted: float
    predicted_gaussian: float
    measured: tuple[MeasuredAccuracy, ...]
    tested: int = 0

    @property
    def group(self) -> str:
        """Its name in legends, which others share."""
        raise NotImplementedError

    @property
    def accuracy(self) -> Estimate:
        """Mean measured accuracy over the trials."""
        return Estimate.of(np.array([one.accuracy for one in self.measured]))

    @property
    def error(self) -> float:
        """Standard error of the mean measured accuracy as one of the population: with that of a test set that all trials share."""
        right = self.accuracy.mean
        return math.hypot(self.accuracy.se, math.sqrt(right * (1 - right) / self.tested) if self.tested else 0.0)

    @property
    def residual(self) -> float:
        """Predicted less measured."""
        return self.predicted - self.accuracy.mean

    @property
    def of_moments(self) -> float:
        """The part of the residual that there would be, were measured and predicted scores Gaussian."""
        return self.predicted_gaussian - float(np.mean([one.gaussian for one in self.measured]))

    @property
    def of_shape(self) -> float:
        """The rest: the scores are not distributed as the pool's samples say."""
        return self.residual - self.of_moments

    def comparison(self) -> dict[str, object]:
        """For a record: both accuracies, and where the residual comes from."""
        return {
            "predicted": self.predicted, "measured": self.accuracy.mean, "se": self.accuracy.se, "residual": self.residual,
            "residual from moments": self.of_moments, "residual from the shape of the scores": self.of_shape,
            "larger part": "moments" if abs(self.of_moments) > abs(self.of_shape) else "shape of the scores",
        }  # fmt: skip
