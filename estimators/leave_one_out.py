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
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from ..support.errors import BadInput, number
from .ridge import Moments
from .ridge_path import DualPath, PrimalPath

BANDWIDTH = 2.0  # of the smoothed accuracy, in standard deviations of the margins


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """What the classifier says of every real sample when it is trained without it.

    scores: (n, L), as refitting gives them. balanced: (n, L), those that the accuracy is read from.
    codes: (n,), the true labels from 0 to L - 1. weights: (n,), of the samples in the averages.
    right: (n,), the probability that the largest score is the true label's: 0 or 1, or between where a noise was averaged over.
    """

    scores: np.ndarray
    balanced: np.ndarray
    codes: np.ndarray
    weights: np.ndarray
    right: np.ndarray

    @classmethod
    def of(
        cls, scores: np.ndarray, codes: np.ndarray, weights: np.ndarray | None = None, balanced: np.ndarray | None = None
    ) -> LeaveOneOut:
        """From scores; `weights` are 1 by default, and the balanced scores the same ones."""
        balanced = scores if balanced is None else balanced
        right = (balanced.argmax(axis=1) == codes).astype(float)
        return cls(scores, balanced, codes, np.ones(len(codes)) if weights is None else weights, right)

    @cached_property
    def accuracy(self) -> float:
        """The share of real samples that are classified rightly."""
        return float(np.average(self.right, weights=self.weights))

    @property
    def se(self) -> float:
        """The standard error of `accuracy` as an estimate for fresh samples: binomial, with one success and one failure added, so
        that it is never 0. The dependence between the left-out classifiers is neglected."""
        k = self.weights.sum() ** 2 / np.sum(self.weights**2)
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
        """The accuracy less that of another classifier on the same samples, and the standard error of this paired difference."""
        difference, shares = self.right - other.right, self.weights / self.weights.sum()
        mean, n = shares @ difference, len(shares)
        se = np.sqrt(np.sum(shares**2 * (difference - mean) ** 2) * n / (n - 1))
        return float(mean), float(np.hypot(se, 1 / n))  # a change of one sample, so that no change is no certainty

    @cached_property
    def soft(self) -> np.ndarray:
        """(n,): Phi(margin / (BANDWIDTH sd)), a smooth hit or miss."""
        mean = np.average(self.margins, weights=self.weights)
        spread = np.sqrt(np.average((self.margins - mean) ** 2, weights=self.weights))
        return ndtr(self.margins / max(BANDWIDTH * spread, np.finfo(float).tiny))


@dataclass(frozen=True, eq=False)
class RidgeMix:
    """Real samples and the moments of synthetic ones, ready for any gamma and omega.

    X: (n, p), centred on the mean `shift` (p,) of the given features. codes: (n,), 0 to L - 1. weights: (n,), of the real samples.
    classes: (L,), the labels the codes stand for. synthetic: the moments of the kept synthetic samples, or None.
    X_s, codes_s: these samples, where there are fewer samples than features; else None.
    N: the normalisation of gamma: the ridge that is added to the sum of squares is gamma N.
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

    @classmethod
    def of(
        cls, X: np.ndarray, y: np.ndarray, X_s: np.ndarray | None = None, y_s: np.ndarray | None = None, *,
        keep: np.ndarray | None = None, N: float | None = None, weights: np.ndarray | None = None, intercept: bool = True,
    ) -> RidgeMix:  # fmt: skip
        """From real samples X (n, p), y (n,) and generated ones X_s (m, p), y_s (m,) of which `keep` (m,) says which are trained on.

        N: by default n + m, m counted before pruning. weights: (n,), of the real samples, above 0, by default 1.

        Raises:
            BadInput: for shapes that do not match, fewer than two real samples or classes, or labels that no real sample has.
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
                  float(len(X) + m if N is None else N), intercept=intercept)
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
        """At one ridge gamma and one weight omega of the synthetic samples (0: without them)."""
        return self.path([gamma], omega)[0]

    def path(self, gammas: Sequence[float], omega: float = 1.0) -> list[LeaveOneOut]:
        """At every gamma, from one eigendecomposition.

        Raises:
            BadInput: for a gamma that is not above 0 or an omega below 0.
        """
        alphas, factored = self._alphas(gammas), self._factored(omega)
        found = []
        for scores, fitted in factored.left_out(self.X, self.codes, self.weights, alphas):
            shift = class_shift(np.eye(len(self.classes)), fitted, self.codes, self.weights, factored.total)
            found.append(LeaveOneOut.of(scores, self.codes, self.weights, scores + shift))
        return found

    def scores(self, X: np.ndarray, gammas: Sequence[float], omega: float = 1.0) -> list[np.ndarray]:
        """(k, L) for every gamma: what the classifiers say of samples X (k, p).

        Raises:
            BadInput: as `path`.
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


def mix_leave_one_out(
    X: np.ndarray, y: np.ndarray, X_s: np.ndarray | None, y_s: np.ndarray | None, gamma: float, omega: float = 1.0,
    N: float | None = None, *, keep: np.ndarray | None = None, weights: np.ndarray | None = None, intercept: bool = True,
) -> LeaveOneOut:  # fmt: skip
    """Leave-one-out over the real samples at one gamma and omega; see `RidgeMix.of` for the arguments. For several use `RidgeMix`."""
    return RidgeMix.of(X, y, X_s, y_s, keep=keep, N=N, weights=weights, intercept=intercept).leave_one_out(gamma, omega)


def sharpened(smooth: np.ndarray | float) -> np.ndarray:
    """The accuracies of Gaussian margins whose smooth ones are `smooth`."""
    return ndtr(np.sqrt(1 + BANDWIDTH**2) * ndtri(np.clip(smooth, 1e-9, 1 - 1e-9)))


def class_shift(labels: np.ndarray, fitted: np.ndarray, codes: np.ndarray, weights: np.ndarray, total: float) -> np.ndarray:
    """(n, L): how the scores of a sample move when the others of its class take over its weight, through the intercept.

    labels: (L, L), what each class's samples are labelled with. fitted: (n, L), scores of the classifier trained on all. total: the sum
    of all weights (inf without intercept).
    """
    residual = np.array([np.average((labels[k] - fitted)[codes == k], axis=0, weights=weights[codes == k]) for k in range(len(labels))])
    return (weights / (total - weights))[:, None] * residual[codes]
