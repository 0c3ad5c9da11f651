"""Exact leave-one-out over the real samples of a weighted ridge classifier on real and kept synthetic samples, without refitting.

The classifier is that of `estimators.ridge`, with c_i = 1 for real and omega for synthetic samples and alpha = gamma N. One
eigendecomposition gives every leave-one-out score at every gamma (`estimators.ridge_path`), in O(p^2 n), or O((n + m)^2 p) in the dual
where there are fewer samples than features. gamma N stays what it is when a sample is left out.

Synthetic samples enter by their `Moments` alone, so a large file needs one pass. Real ones need two: their moments, then scores.

Leaving a sample out makes its own class rarer, and the intercept moves against it. Where the scores carry little, because there is little
to learn or the ridge is large, this alone decides: with as many samples of both classes and an infinite ridge every sample is
classified wrongly. Fresh samples meet no such thing. So the accuracy is read from balanced scores: those that there would be, to first
order, if the other real samples of the class took over the weight of the one that is left out.

A generator that was itself fitted on these real samples still knows a sample that is left out. What is measured here is then too
good, and tends to the accuracy on the training set as m grows: use `estimators.self_fitted`, or refit the generator for every fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from ..support.errors import BadInput, number
from .ridge import Moments
from .ridge_path import DualPath, PrimalPath

BANDWIDTH = 2.0  # of the smoothed accuracy, in standard deviations of the margins


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """Scores of every real sample by the classifier that was trained without it.

    Attributes
    ----------
    scores : array (n, L)
        As refitting gives them.
    balanced : array (n, L)
        The scores that the accuracy is read from; see the module.
    codes : array (n,)
        The true labels, from 0 to L - 1.
    weights : array (n,)
        Of the samples in the averages.
    right : array (n,)
        The probability that the largest balanced score is the true label's: 0 or 1, or between where a noise was averaged over.
    groups : array (n,) or None
        Samples of one group were left out together, and their errors go together.
    """

    scores: np.ndarray
    balanced: np.ndarray
    codes: np.ndarray
    weights: np.ndarray
    right: np.ndarray
    groups: np.ndarray | None = field(default=None, kw_only=True)

    @classmethod
    def of(
        cls, scores: np.ndarray, codes: np.ndarray, weights: np.ndarray | None = None, balanced: np.ndarray | None = None,
        groups: np.ndarray | None = None,
    ) -> LeaveOneOut:  # fmt: skip
        """Return the leave-one-out of given scores.

        Parameters
        ----------
        scores : array (n, L)
        codes : array (n,)
            The true labels, from 0 to L - 1.
        weights : array (n,), optional
            By default 1.
        balanced : array (n, L), optional
            By default the scores themselves.
        groups : array (n,), optional
            Whole numbers from 0.
        """
        balanced = scores if balanced is None else balanced
        right = (balanced.argmax(axis=1) == codes).astype(float)
        return cls(scores, balanced, codes, np.ones(len(codes)) if weights is None else weights, right, groups=groups)

    @cached_property
    def accuracy(self) -> float:
        """The share of real samples that are classified rightly."""
        return float(np.average(self.right, weights=self.weights))

    @property
    def se(self) -> float:
        """The standard error of `accuracy` as an estimate for fresh samples.

        Binomial, with one success and one failure added, so that it is never 0. The classifiers' dependence is neglected. Groups count for
        so many samples fewer as the sums of their hits vary more than those of independent samples.
        """
        k = self.weights.sum() ** 2 / np.sum(self.weights**2)
        if self.groups is not None:
            own = self.weights * (self.right - self.accuracy)
            k /= max(self._squares(own) / max(own @ own, np.finfo(float).tiny), 1.0)
        share = (k * self.accuracy + 1) / (k + 2)
        return float(np.sqrt(share * (1 - share) / k))

    @cached_property
    def margins(self) -> np.ndarray:
        """(n,): the balanced score of the true label less the largest other one."""
        rows = np.arange(len(self.codes))
        others = self.balanced.copy()
        others[rows, self.codes] = -np.inf
        return self.balanced[rows, self.codes] - others.max(axis=1)

    @cached_property
    def smooth(self) -> float:
        """The accuracy with every hit or miss replaced by Phi(margin / (BANDWIDTH sd)), sd the spread of the margins.

        The accuracy moves in steps of 1/n and has many ties; this moves smoothly with gamma and omega and does not change when all
        scores are scaled. For Gaussian margins it is Phi(m / (s sqrt(1 + BANDWIDTH^2))), so that it orders classifiers as the theory
        does; nearly linear in the margins, it is the less noisy criterion. It is for choosing between classifiers, not an estimate of the
        accuracy.
        """
        return float(np.average(self.soft, weights=self.weights))

    def gain(self, other: LeaveOneOut) -> tuple[float, float]:
        """Return the accuracy less that of another classifier on the same samples, and the standard error of this paired difference.

        Parameters
        ----------
        other : LeaveOneOut
            Of the same samples, in the same order.
        """
        difference, shares = self.right - other.right, self.weights / self.weights.sum()
        mean, n = shares @ difference, len(shares) if self.groups is None else int(self.groups.max()) + 1
        se = np.sqrt(self._squares(shares * (difference - mean)) * n / (n - 1))
        return float(mean), float(np.hypot(se, 1 / n))  # a change of one sample, so that no change is no certainty

    def _squares(self, deviations: np.ndarray) -> float:
        """The sum of the squared deviations of all samples, or of the sums of all groups."""
        sums = deviations if self.groups is None else np.bincount(self.groups, deviations)
        return float(sums @ sums)

    @cached_property
    def soft(self) -> np.ndarray:
        """(n,): Phi(margin / (BANDWIDTH sd)), a smooth hit or miss."""
        mean = np.average(self.margins, weights=self.weights)
        spread = np.sqrt(np.average((self.margins - mean) ** 2, weights=self.weights))
        return ndtr(self.margins / max(BANDWIDTH * spread, np.finfo(float).tiny))


@dataclass(frozen=True, eq=False)
class RidgeMix:
    """Real samples and the moments of synthetic ones, from which the leave-one-out at any gamma and omega is quick.

    Attributes
    ----------
    X : array (n, p)
        Real samples less `shift`.
    codes : array (n,)
        Their labels, from 0 to L - 1.
    weights : array (n,)
        Their weights.
    classes : array (L,)
        The labels that the codes stand for.
    shift : array (p,)
        The mean of the real samples; 0 without an intercept.
    N : float
        Normalisation of gamma: the ridge that is added to the sum of squares is gamma N.
    synthetic : Moments or None
        Of the kept synthetic samples.
    X_s, codes_s : arrays or None
        The kept synthetic samples themselves, where there are fewer samples than features.
    intercept : bool
        Whether one is fitted.
    groups : array (n,) or None
        Whole numbers from 0: real samples of one group are left out together.
    """

    X: np.ndarray
    codes: np.ndarray
    weights: np.ndarray
    classes: np.ndarray
    shift: np.ndarray
    N: float
    synthetic: Moments | None = None
    X_s: np.ndarray | None = None
    codes_s: np.ndarray | None = None
    intercept: bool = True
    groups: np.ndarray | None = None

    @classmethod
    def of(
        cls, X: np.ndarray, y: np.ndarray, X_s: np.ndarray | None = None, y_s: np.ndarray | None = None, *,
        keep: np.ndarray | None = None, N: float | None = None, weights: np.ndarray | None = None, intercept: bool = True,
        groups: np.ndarray | None = None,
    ) -> RidgeMix:  # fmt: skip
        """Return the mix of real and synthetic samples.

        Parameters
        ----------
        X, y : arrays (n, p) and (n,)
            Real samples and their labels.
        X_s, y_s : arrays (m, p) and (m,), optional
            Synthetic samples and their labels, before pruning.
        keep : array (m,), optional
            Which synthetic samples are trained on; by default all.
        N : float, optional
            Normalisation of gamma, by default n + m.
        weights : array (n,), optional
            Of the real samples, above 0, by default 1.
        intercept : bool
            Whether one is fitted.
        groups : array (n,), optional
            Whole numbers from 0: real samples of one group are left out together.

        Raises
        ------
        BadInput
            For shapes that do not match, fewer than two real samples or classes, or labels that no real sample has.
        """
        X, y = np.asarray(X, dtype=float), np.asarray(y)
        if X.ndim != 2 or y.shape != (len(X),) or len(X) < 2:
            raise BadInput(f"features (n, p) with n labels are needed, n at least 2, not shapes {X.shape} and {y.shape}")
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise BadInput("at least two classes are needed, and the real samples have only one label")
        if weights is not None and not np.all(np.asarray(weights) > 0):
            raise BadInput("the weights of the real samples must be above 0: leave a sample of weight 0 away")
        shift = X.mean(axis=0) if intercept else np.zeros(X.shape[1])  # only the intercept sees it; the sums lose fewer digits
        m = 0 if X_s is None else len(X_s)
        mix = cls(X - shift, codes, np.ones(len(X)) if weights is None else np.asarray(weights, dtype=float), classes, shift,
                  float(len(X) + m if N is None else N), intercept=intercept, groups=groups)
        return mix if X_s is None else mix._with(np.asarray(X_s, dtype=float), np.asarray(y_s), keep)

    def _with(self, X_s: np.ndarray, y_s: np.ndarray, keep: np.ndarray | None) -> RidgeMix:
        if X_s.ndim != 2 or X_s.shape[1] != self.X.shape[1] or y_s.shape != (len(X_s),):
            raise BadInput(f"synthetic samples need {self.X.shape[1]} features and a label each, not shapes {X_s.shape} and {y_s.shape}")
        if keep is not None:
            keep = np.asarray(keep)
            if keep.shape != y_s.shape:
                raise BadInput(f"keep must have one entry for each of the {len(y_s)} synthetic samples, not shape {keep.shape}")
            X_s, y_s = X_s[keep.astype(bool)], y_s[keep.astype(bool)]
        if not len(X_s):
            return self
        codes = np.minimum(np.searchsorted(self.classes, y_s), len(self.classes) - 1)
        unknown = self.classes[codes] != y_s
        if unknown.any():
            raise BadInput(f"no real sample has the synthetic label {y_s[unknown][0]}")
        X_s = X_s - self.shift
        if len(self.X) + len(X_s) <= X_s.shape[1]:
            return replace(self, X_s=X_s, codes_s=codes)
        return replace(self, synthetic=Moments.of(X_s, codes, len(self.classes)))

    def leave_one_out(self, gamma: float, omega: float = 1.0) -> LeaveOneOut:
        """Return the leave-one-out at one ridge gamma and one weight omega of a synthetic sample (0: without them)."""
        return self.path([gamma], omega)[0]

    def path(self, gammas: Sequence[float], omega: float = 1.0) -> list[LeaveOneOut]:
        """Return the leave-one-out at every gamma, from one eigendecomposition.

        Parameters
        ----------
        gammas : sequence of float
        omega : float
            Weight of a synthetic sample; 0: without them.

        Raises
        ------
        BadInput
            For a gamma that is not above 0 or an omega below 0.
        """
        alphas, factored = self._alphas(gammas), self._factored(omega)
        found = []
        for scores, fitted in factored.left_out(self.X, self.codes, self.weights, alphas, self.groups):
            shift = class_shift(np.eye(len(self.classes)), fitted, self.codes, self.weights, factored.total, self.groups)
            found.append(LeaveOneOut.of(scores, self.codes, self.weights, scores + shift, self.groups))
        return found

    def scores(self, X: np.ndarray, gammas: Sequence[float], omega: float = 1.0) -> list[np.ndarray]:
        """Return the scores (k, L) of fresh samples for every gamma, by classifiers trained on all samples of the mix.

        Parameters
        ----------
        X : array (k, p)
        gammas, omega
            As in `path`.

        Raises
        ------
        BadInput
            As `path`.
        """
        return list(self._factored(omega).scores(X - self.shift, self._alphas(gammas)))

    def _alphas(self, gammas: Sequence[float]) -> list[float]:
        return [number("gamma", gamma, 0, open_low=True) * self.N for gamma in gammas]

    @property
    def _fewer_samples(self) -> bool:
        return self.synthetic is None and len(self.X) + (0 if self.X_s is None else len(self.X_s)) <= self.X.shape[1]

    @cached_property
    def _real(self) -> Moments:
        return Moments.of(self.X, self.codes, len(self.classes), self.weights)

    def _factored(self, omega: float) -> PrimalPath | DualPath:
        number("omega", omega, 0)
        classes = len(self.classes)
        if not self._fewer_samples:
            alone = self.synthetic is None or not omega
            return PrimalPath.of(self._real if alone else self._real + self.synthetic.weighted(omega), self.intercept)
        if self.X_s is None or not omega:
            return DualPath.of(self.X, self.codes, classes, self.weights, self.intercept)
        X, codes = np.concatenate([self.X, self.X_s]), np.concatenate([self.codes, self.codes_s])
        return DualPath.of(X, codes, classes, np.concatenate([self.weights, np.full(len(self.X_s), omega)]), self.intercept)


def sharpened(smooth: np.ndarray | float) -> np.ndarray:
    """Return the accuracies of Gaussian margins from their smooth accuracies (`LeaveOneOut.smooth`)."""
    return ndtr(np.sqrt(1 + BANDWIDTH**2) * ndtri(np.clip(smooth, 1e-9, 1 - 1e-9)))


def class_shift(
    labels: np.ndarray, fitted: np.ndarray, codes: np.ndarray, weights: np.ndarray, total: float, groups: np.ndarray | None = None
) -> np.ndarray:
    """Return how the scores of each sample move when the others of its class take over its weight, through the intercept, (n, L).

    Parameters
    ----------
    labels : array (L, L)
        The label vector with which each class's samples train.
    fitted : array (n, L)
        Scores of the classifier trained on all.
    codes, weights : arrays (n,)
        True labels from 0 to L - 1, and weights of the samples.
    total : float
        The sum of all weights; inf without an intercept.
    groups : array (n,), optional
        Whole numbers from 0: the weight of all samples of a group is taken over, by others of their classes.
    """
    residual = np.array([np.average((labels[k] - fitted)[codes == k], axis=0, weights=weights[codes == k]) for k in range(len(labels))])
    if groups is None:
        return (weights / (total - weights))[:, None] * residual[codes]
    pulls = np.array([np.bincount(groups, weights * column) for column in residual[codes].T]).T
    return (pulls / (total - np.bincount(groups, weights))[:, None])[groups]
