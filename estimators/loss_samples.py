"""Classifiers of any loss on soft labels, with the scores that their samples have when left out.

A sample whose label is +1 with probability P has the loss P ell(u) + (1 - P) ell(-u) at the score u. Taking it out moves its score by its
force times its leverage, the proximal step of the theory read backwards: exact to first order, and one sample is one of many. The
hinge loss has no curvature to read the leverage from; its scores are those of classifiers that a fold of the samples had no part in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.model_selection import KFold

from ..sims.minimise import minimiser
from ..solvers.any_loss import Loss
from ..solvers.loss_values import of_margins
from ..support.errors import BadInput
from .ridge import LinearClassifier

CONSTANT = 1e3  # the feature that stands for an intercept, over the size of the others: the ridge hardly feels its weight
FOLDS = 5  # of all samples, for the scores of the hinge loss


@dataclass(frozen=True, eq=False)
class LossSamples:
    """Samples on which a loss is minimised for any ridge and any soft labels.

    Attributes
    ----------
    X : array (N, p)
        The samples, centred where an intercept is fitted, and then with a constant feature, the last.
    weights : array (N,)
    center : array
        Their weighted mean, without the constant feature; 0 without an intercept.
    loss : Loss
    intercept : bool
    """

    X: np.ndarray
    weights: np.ndarray
    center: np.ndarray
    loss: Loss
    intercept: bool

    @classmethod
    def of(cls, X: np.ndarray, weights: np.ndarray, intercept: bool, loss: Loss) -> LossSamples:
        """Return the samples X (N, p) of these weights (N,)."""
        center = np.average(X, axis=0, weights=weights) if intercept else np.zeros(X.shape[1])
        X = X - center
        if intercept:
            size = float(np.sqrt(np.average(np.mean(X**2, axis=1), weights=weights))) or 1.0
            X = np.column_stack([X, np.full(len(X), CONSTANT * size)])
        return cls(X, weights, center, loss, intercept)

    def trainer(self, alpha: float) -> Callable[[np.ndarray], tuple[LinearClassifier, np.ndarray]]:
        """Return what trains on labels E[y] (N,), from -1 to 1: the classifier, and left-out scores (N,) without their intercepts."""
        left_out = self._by_folds if self.loss.name == "hinge" else self._by_leverage

        def train(labels: np.ndarray) -> tuple[LinearClassifier, np.ndarray]:
            if np.abs(labels).max(initial=0) > 1:
                raise BadInput("soft labels are from -1 to 1")
            w = self._minimised(np.arange(len(labels)), labels, alpha)
            inner = w[: len(self.center)]
            base = float(w[-1] * self.X[0, -1]) if self.intercept else 0.0
            return LinearClassifier(inner[:, None], np.array([base]), self.center), left_out(w, labels, alpha)

        return train

    def _minimised(self, rows: np.ndarray, labels: np.ndarray, alpha: float) -> np.ndarray:
        """w of these rows: every sample once with each label, by its probability."""
        X, right = self.X[rows], (1 + labels[rows]) / 2
        shares = np.concatenate([right, 1 - right]) * np.tile(self.weights[rows], 2)
        folded = np.concatenate([X, -X])
        return minimiser(np.ascontiguousarray(folded[shares > 0].T), shares[shares > 0], alpha, self.loss)

    def _by_leverage(self, w: np.ndarray, labels: np.ndarray, alpha: float) -> np.ndarray:
        u, (value, slope, curvature) = self.X @ w, np.empty((3, len(self.X)))
        force, bend = np.zeros((2, len(u)))
        for sign in (1, -1):
            share = self.weights * (1 + sign * labels) / 2
            of_margins(self.loss.kind, self.loss.threshold, sign * u, value, slope, curvature)
            force -= sign * share * slope
            bend += share * curvature
        p, inner = self.X.shape[1], len(self.center)
        reach = cho_solve(cho_factor((self.X.T * bend) @ self.X + alpha * np.eye(p)), self.X.T)  # H^{-1} x of every sample, (p, N)
        leverage = np.einsum("ij,ji->i", self.X, reach)
        own = np.einsum("ij,ji->i", self.X[:, :inner], reach[:inner])
        scores = self.X[:, :inner] @ w[:inner] - force * own / (1 - bend * leverage)
        total = self.weights.sum()
        return scores * total / (total - self.weights) if self.intercept else scores  # from the mean of the others

    def _by_folds(self, w: np.ndarray, labels: np.ndarray, alpha: float) -> np.ndarray:
        scores, inner = np.empty(len(labels)), len(self.center)
        for rest, held in KFold(min(FOLDS, len(labels)), shuffle=True, random_state=0).split(labels):
            center = np.average(self.X[rest, :inner], axis=0, weights=self.weights[rest]) if self.intercept else 0.0
            scores[held] = (self.X[held, :inner] - center) @ self._minimised(rest, labels, alpha)[:inner]
        return scores
