"""Gains of any classifier by repeated cross-validation, in which only the training folds see synthetic rows.

The gain in every test fold is that of two classifiers on the same rows. Folds of one repetition share training rows, so the variance of
their mean is (1/J + n_test/n_train) s^2, s^2 the variance of the J gains (Nadeau and Bengio 2003), and not s^2/J.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ..support.errors import BadInput
from .models import Model

FOLDS, REPEATS = 5, 2
METRICS = {"accuracy": "accuracy", "balanced": "balanced_accuracy", "auc": "roc_auc", "f1": "f1_macro", "log-loss": "neg_log_loss"}
DRAWS = 200  # of folds, to take the optimism out of a choice


@dataclass(frozen=True, eq=False)
class Mix:
    """Synthetic rows that train, and their weight.

    Attributes
    ----------
    X, y : arrays (m, p) and (m,)
    weight
        Of each of them, relative to a real row.
    """

    X: np.ndarray
    y: np.ndarray
    weight: float


@dataclass(frozen=True, eq=False)
class FoldScores:
    """Scores of several ways to train, in the same test folds.

    Attributes
    ----------
    scores : array (k, J)
        Of each way in each fold.
    ratio
        Test rows for each training row.
    n
        Real rows. No error is below 1/n: a change of one row, so that no change is no certainty.
    """

    scores: np.ndarray
    ratio: float
    n: int

    def gain(self, way: int, other: int = 0) -> tuple[float, float]:
        """Return the mean gain of one way over another, with the corrected standard error of Nadeau and Bengio."""
        gains = self.scores[way] - self.scores[other]
        return float(gains.mean()), self._se(gains)

    def level(self, way: int) -> tuple[float, float]:
        """Return the mean score of one way, with its corrected standard error."""
        return float(self.scores[way].mean()), self._se(self.scores[way])

    def _se(self, values: np.ndarray) -> float:
        return float(np.sqrt((1 / len(values) + self.ratio) * values.var(ddof=1) + self.n**-2))

    @cached_property
    def best(self) -> int:
        """The way, other than the first, with the highest mean score."""
        return 1 + int(self.scores[1:].mean(axis=1).argmax())

    def optimism(self) -> float:
        """Return how much too good the best of the ways looks because it was chosen in the same folds."""
        return optimism(self.scores[1:] - self.scores[0])


def cross_validated(
    X: np.ndarray, y: np.ndarray, ways: Sequence[tuple[Model, Mix | None]], *, groups: np.ndarray | None = None, metric: str = "accuracy",
    folds: int = FOLDS, repeats: int = REPEATS, seed: int = 0,
) -> FoldScores:  # fmt: skip
    """Return the scores of several ways to train, in the same repeated stratified folds.

    Parameters
    ----------
    X, y : arrays (n, p) and (n,)
        Real rows: the only ones in test folds.
    ways
        Models, and the synthetic rows that each training fold sees.
    groups : array (n,), optional
        Rows of one group are in one fold.
    metric
        One of `METRICS`; larger scores are better, so that log-loss is negative.
    folds, repeats
        At most so many folds as the rarest class has rows.
    seed
        Of the folds.

    Raises
    ------
    BadInput
        For a metric that a model has no scores for, or a model that cannot be trained.
    """
    scorer = get_scorer("roc_auc_ovr" if metric == "auc" and len(np.unique(y)) > 2 else METRICS[metric])
    scores = []
    for train, test in _splits(X, y, groups, folds, repeats, seed):
        row = []
        for model, mix in ways:
            fitted = trained(model, X[train], y[train], mix)
            try:
                row.append(scorer(fitted, X[test], y[test]))
            except (AttributeError, ValueError) as error:
                raise BadInput(f"{model.name} has no {metric}: {str(error).splitlines()[0]}") from None
        scores.append(row)
    return FoldScores(np.array(scores, dtype=float).T, len(test) / len(train), len(y))


def trained(model: Model, X: np.ndarray, y: np.ndarray, mix: Mix | None) -> ClassifierMixin:
    """Return a classifier trained on real rows X (n, p) with labels y (n,), and on the synthetic rows of a mix.

    Raises
    ------
    BadInput
        If it cannot be trained, with its own first line.
    """
    weights = np.ones(len(y))
    if mix is not None:
        X, y, weights = np.concatenate([X, mix.X]), np.append(y, mix.y), np.append(weights, np.full(len(mix.y), mix.weight))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a solver that has not quite converged is judged by its score
            return model.make().fit(X, y, sample_weight=weights)
    except Exception as error:  # of a class of the user's own
        raise BadInput(f"{model.name} cannot be trained: {(str(error).splitlines() or [type(error).__name__])[0]}") from None


def _splits(
    X: np.ndarray, y: np.ndarray, groups: np.ndarray | None, folds: int, repeats: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    count = int(np.unique(y, return_counts=True)[1].min()) if groups is None else min(len(np.unique(groups[y == k])) for k in np.unique(y))
    folds = max(min(folds, count), 2)
    for repeat in range(repeats):
        if groups is None:
            yield from StratifiedKFold(folds, shuffle=True, random_state=seed + repeat).split(X, y)
        else:
            yield from StratifiedGroupKFold(folds, shuffle=True, random_state=seed + repeat).split(X, y, groups)


def optimism(gains: np.ndarray) -> float:
    """Return how much too good the best of k choices looks because it was chosen by the same measurements.

    A random half of the measurements chooses, and the other half judges: the mean of what the chosen one loses between the two. All of them
    together, twice as many, err less by the square root of 2.

    Parameters
    ----------
    gains : array (k, J)
        Of every choice in every measurement: a fold, or a row.
    """
    k, J = gains.shape
    if k == 1 or J < 2:
        return 0.0
    rng, found = np.random.default_rng(0), []
    for _ in range(DRAWS):
        order = rng.permutation(J)
        choose, judge = gains[:, order[: J // 2]].mean(axis=1), gains[:, order[J // 2 :]].mean(axis=1)
        chosen = choose.argmax()
        found.append(choose[chosen] - judge[chosen])
    return float(max(np.mean(found), 0.0) / np.sqrt(2))
