"""What is done without advice: five-fold cross-validation over weight and ridge, with the synthetic samples in the training folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..estimators.leave_one_out import RidgeMix

FOLDS = 5


def cross_validated_choice(
    X: np.ndarray, y: np.ndarray, X_s: np.ndarray, y_s: np.ndarray, weights: Sequence[float], alphas: Sequence[float],
    rng: np.random.Generator,
) -> tuple[float, float]:  # fmt: skip
    """Return the weight of a synthetic sample (0: none is used) and the ridge with the most hits in five folds of the real samples.

    Parameters
    ----------
    X, y : arrays (n, p) and (n,)
        Real samples, classes from 0.
    X_s, y_s : arrays (m, p) and (m,)
        Kept synthetic samples; all of them train in every fold.
    weights, alphas : sequences of float
        What is tried: weights besides 0, and ridges as scikit-learn writes them.
    rng : numpy.random.Generator
        Divides the samples, every class evenly.
    """
    parts = np.empty(len(y), dtype=int)
    for k in np.unique(y):
        own = rng.permutation(np.flatnonzero(y == k))
        parts[own] = (np.arange(len(own)) + k) % FOLDS
    tried = (0.0, *weights)
    hits = np.zeros((len(tried), len(alphas)))
    for part in range(FOLDS):
        train, test = parts != part, parts == part
        mix = RidgeMix.of(X[train], y[train], X_s, y_s, N=1)
        for i, weight in enumerate(tried):
            hits[i] += [np.sum(scores.argmax(axis=1) == y[test]) for scores in mix.scores(X[test], alphas, weight)]
    i, j = np.unravel_index(hits.argmax(), hits.shape)
    return tried[i], float(alphas[j])
