"""`SyntheticMixRidge`: the ridge classifier of the theory on real and synthetic samples, with scikit-learn's conventions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted, column_or_1d, validate_data

from ..support.errors import BadInput
from .candidates import ALPHAS, FEW_ALPHAS, FEW_SHARES, SHARES, Candidates, mean_scatter
from .leave_one_out import LeaveOneOut, RidgeMix
from .ridge import LinearClassifier, ridge
from .self_fitted import kept_labels, self_fitted_leave_one_out

AUTO = "auto"
SURENESS = (-7.0, 7.0)  # logarithms of the factor of the scores that is looked for
STEPS_BETWEEN = 3  # finer weights tried on each side of the best


class SyntheticMixRidge(ClassifierMixin, BaseEstimator):
    """Ridge classifier on real samples of weight 1 and synthetic samples of weight `weight`.

    It minimises sum_i c_i (t_i - b - w^T x_i)^2 + alpha |w|^2 with labels t = +-1 (one against the rest where there are more classes),
    c_i = 1 for real and c_i = weight for the kept synthetic samples. Without synthetic samples it is scikit-learn's RidgeClassifier.

    Parameters
    ----------
    alpha : float or "auto"
        The ridge parameter as scikit-learn writes it. The paper divides by N = n + m, the number of real and synthetic samples before
        pruning: alpha = gamma N.
    weight : float or "auto"
        The omega of the theory; 0 leaves the synthetic samples out.
    fit_intercept : bool
        Whether b is fitted; it is not penalised.
    probabilities : bool
        Whether `predict_proba` is wanted: the exact leave-one-out scores of the real samples say how sure a score is.
    self_fitted : bool
        Whether the generator was fitted on the very samples given as X. Leave-one-out then has to take a sample out of the generator too
        (`estimators.self_fitted`); the correction is that of a Gaussian generator. Used by "auto" and for probabilities only.

    Attributes
    ----------
    classes_ : array (L,)
    classifier_ : estimators.ridge.LinearClassifier
        Of the scores.
    coef_, intercept_ : arrays
        Of the scores, as scikit-learn has them.
    alpha_, weight_ : float
        As used.
    n_synthetic_ : int
        Synthetic samples that were kept.
    n_features_in_ : int
    leave_one_out_ : estimators.leave_one_out.LeaveOneOut
        With "auto" or probabilities: of the classifier as it is used.
    sureness_ : float
        With probabilities: the scores times this number are the logarithms of the odds.
    accuracy_ : float
        With "auto": the accuracy to expect on fresh samples.

    Notes
    -----
    "auto" chooses the highest leave-one-out accuracy over the real samples, smoothed so that there are no ties (`LeaveOneOut.smooth`),
    on a grid: one eigendecomposition for every weight, 33 alphas each, then finer weights beside the best. At the weight that is chosen
    the largest alpha is taken that is not behind by more than half a standard error: heavier ridges vary less. That the choice was made on
    the same samples makes `leave_one_out_.accuracy` slightly too good; `accuracy_` is without that. A sample of
    sample_weight 2 is left out whole, unlike two copies.

    In a Pipeline the synthetic samples have to go through the same steps: Pipeline(..., transform_input=["X_synthetic"]) with
    scikit-learn's metadata routing. GridSearchCV hands them to every fold whole, unless there are as many as real ones: then
    it takes them for something that belongs to the real samples and passes each fold its share.
    """

    def __init__(
        self, alpha: float | Literal["auto"] = 1.0, weight: float | Literal["auto"] = 1.0, *, fit_intercept: bool = True,
        probabilities: bool = False, self_fitted: bool = False,
    ) -> None:  # fmt: skip
        self.alpha = alpha
        self.weight = weight
        self.fit_intercept = fit_intercept
        self.probabilities = probabilities
        self.self_fitted = self_fitted

    def fit(
        self, X: ArrayLike, y: ArrayLike, X_synthetic: ArrayLike | None = None, y_synthetic: ArrayLike | None = None,
        keep: ArrayLike | None = None, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None,
    ) -> SyntheticMixRidge:  # fmt: skip
        """Train on real samples and kept synthetic ones, and return the classifier itself.

        Parameters
        ----------
        X, y : arrays (n, p) and (n,)
            Real samples and their labels.
        X_synthetic, y_synthetic : arrays (m, p) and (m,), optional
            Synthetic samples and their labels, before pruning.
        keep : array (m,), optional
            Which synthetic samples the verifier keeps; by default all.
        sample_weight : array (n,), optional
            Of the real samples.
        groups : array (n,), optional
            Real samples of one group, such as those of one patient, are left out together by "auto" and for probabilities.

        Raises
        ------
        BadInput
            A ValueError, for what does not match, one class only, or an alpha or weight that is none.
        """
        for name, value, lowest in (("alpha", self.alpha, "above 0"), ("weight", self.weight, "at least 0")):
            self._check(name, value, lowest)
        X, y = validate_data(self, X, y, dtype=float)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise BadInput(f"at least two classes are needed, and all labels are of one class, {self.classes_[0]}")
        c = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=float, ensure_non_negative=True)
        X_s, y_s = self._synthetic(X_synthetic, y_synthetic, keep)
        self.n_synthetic_ = len(X_s)
        self.alpha_, self.weight_ = self.alpha, self.weight if len(X_s) else 0.0
        auto = AUTO in (self.alpha, self.weight)
        if auto or self.probabilities:
            left_out = _LeftOut.of(self, X, y, X_s, y_s, c, groups)
            if auto:
                self._choose(left_out)
            self.leave_one_out_ = left_out.path(np.array([self.alpha_]), self.weight_)[0]
        if self.probabilities:
            self.sureness_ = sureness(self.leave_one_out_)
        self._train(X, y, X_s, y_s, c)
        return self

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the scores of samples X (k, p): (k,) for two classes, positive for the second; (k, L) for more."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=float, reset=False)
        scores = self.classifier_.scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the label of the largest score, (k,), of samples X (k, p)."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    @available_if(lambda self: self.probabilities)
    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities (k, L) of the classes for samples X (k, p); the most probable one is that of `predict`."""
        scores = self.decision_function(X) * self.sureness_
        return softmax(np.column_stack([np.zeros(len(scores)), scores]) if scores.ndim == 1 else scores, axis=1)

    @staticmethod
    def _check(name: str, value: object, lowest: str) -> None:
        if isinstance(value, str):
            if value != AUTO:
                raise BadInput(f'{name} must be a number or "auto", not {value!r}')
        elif not isinstance(value, Real) or not np.isfinite(value) or value < 0 or (lowest == "above 0" and value == 0):
            raise BadInput(f'{name} must be a finite number {lowest}, or "auto", not {value!r}')

    def _synthetic(self, X_s: ArrayLike | None, y_s: ArrayLike | None, keep: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
        """The kept samples and labels."""
        if X_s is None:
            if y_s is not None or keep is not None:
                raise BadInput("y_synthetic and keep need X_synthetic")
            return np.empty((0, self.n_features_in_)), self.classes_[:0]
        if y_s is None:
            raise BadInput("X_synthetic needs y_synthetic, a label for each of its samples")
        X_s, y_s = check_array(X_s, dtype=float, ensure_min_samples=0, input_name="X_synthetic"), column_or_1d(y_s)
        kept = np.ones(len(X_s), dtype=bool) if keep is None else column_or_1d(keep)
        if X_s.shape[1] != self.n_features_in_:
            raise BadInput(f"X_synthetic has {X_s.shape[1]} features, X has {self.n_features_in_}")
        if not len(X_s) == len(y_s) == len(kept):
            raise BadInput(f"X_synthetic has {len(X_s)} samples, y_synthetic {len(y_s)} and keep {len(kept)}")
        if not np.isin(kept, (0, 1)).all():
            raise BadInput("keep must be true or false for every synthetic sample")
        if unknown := sorted(set(y_s.tolist()) - set(self.classes_.tolist()), key=str):
            raise BadInput(f"no real sample has the synthetic label {unknown[0]}; the real ones are {', '.join(map(str, self.classes_))}")
        kept = kept.astype(bool)
        return X_s[kept], y_s[kept]

    def _choose(self, samples: _LeftOut) -> None:
        """Set alpha_, weight_ and accuracy_."""
        X, c, kept, few = samples.X, samples.weights, samples.kept, samples.self_fitted
        alphas, shares = ALPHAS * mean_scatter(X, c) if self.alpha == AUTO else np.array([float(self.alpha)]), SHARES
        if few:
            alphas, shares = alphas[FEW_ALPHAS], SHARES[FEW_SHARES]
        found = Candidates.none(np.ones(len(X)) if c is None else c, samples.groups)

        def best(weights: np.ndarray) -> tuple[float, float]:
            nonlocal found
            for weight in weights:
                found = found.and_those(samples.path(alphas, weight), alphas, weight)
            chosen = found.choice()
            return float(found.alphas[chosen]), float(found.weights[chosen])

        if self.weight != AUTO or not kept:
            chosen = best(np.array([self.weight_]))
        else:
            scale = (len(X) if c is None else c.sum()) / kept
            chosen = best(np.concatenate([[0.0], shares * scale]))
            if chosen[1] and not few:
                step = (SHARES[1] / SHARES[0]) ** (1 / (STEPS_BETWEEN + 1))
                near = np.arange(-STEPS_BETWEEN, STEPS_BETWEEN + 1)
                chosen = best(chosen[1] * step ** near[near != 0])
        self.alpha_, self.weight_ = chosen
        self.accuracy_ = found.corrected()[0]

    def _train(self, X: np.ndarray, y: np.ndarray, X_s: np.ndarray, y_s: np.ndarray, c: np.ndarray | None) -> None:
        if self.weight_ and len(X_s):
            c = np.concatenate([np.ones(len(X)) if c is None else c, np.full(len(X_s), self.weight_)])
            X, y = np.concatenate([X, X_s]), np.concatenate([y, y_s])
        codes = np.searchsorted(self.classes_, y)
        found = ridge(X, codes, len(self.classes_), self.alpha_, c, intercept=self.fit_intercept)
        self.classifier_ = _against_the_rest(found)
        self.coef_, self.intercept_ = self.classifier_.weights.T, self.classifier_.intercepts


@dataclass(frozen=True, eq=False)
class _LeftOut:
    """Real samples of weight above 0 and kept synthetic ones, of which any alpha and weight can be judged by leave-one-out.

    `kept` is the number of synthetic samples, `weights` and `groups` are of the real ones, groups as whole numbers from 0.
    """

    X: np.ndarray
    weights: np.ndarray | None
    groups: np.ndarray | None
    kept: int
    self_fitted: bool
    path: Callable[[np.ndarray, float], list[LeaveOneOut]]

    @classmethod
    def of(
        cls, of: SyntheticMixRidge, X: np.ndarray, y: np.ndarray, X_s: np.ndarray, y_s: np.ndarray, c: np.ndarray | None,
        groups: ArrayLike | None,
    ) -> _LeftOut:  # fmt: skip
        own = of.self_fitted and bool(len(X_s))
        if groups is not None:
            groups = column_or_1d(groups)
            if len(groups) != len(X):
                raise BadInput(f"groups must have one entry for each of the {len(X)} samples, not {len(groups)}")
            if own:
                raise BadInput("groups and self_fitted do not go together: a generator cannot be thought without a whole group")
        if c is not None:
            used = c > 0
            X, y, c, groups = X[used], y[used], c[used], None if groups is None else groups[used]
        groups = None if groups is None else np.unique(groups, return_inverse=True)[1]
        mix = RidgeMix.of(X, y, X_s, y_s, N=1, weights=c, intercept=of.fit_intercept, groups=groups)
        if not own:
            return cls(X, c, groups, len(X_s), False, mix.path)
        kept = kept_labels(X, y, X_s, y_s)

        def path(alphas: np.ndarray, omega: float) -> list[LeaveOneOut]:
            return [self_fitted_leave_one_out(X, y, kept, alpha, omega, N=1) for alpha in alphas]

        return cls(X, c, groups, len(X_s), True, path)


def sureness(found: LeaveOneOut) -> float:
    """Return the factor by which scores for labels +1 and -1 become logarithms of odds: the one of the highest likelihood when left out.

    Parameters
    ----------
    found : LeaveOneOut
        Of scores for labels 1 and 0, which differ half as much.
    """
    scale = 1.0 if found.balanced.shape[1] == 2 else 2.0
    scores, rows = scale * found.balanced, np.arange(len(found.codes))

    def loss(log_factor: float) -> float:
        logs = log_softmax(np.exp(log_factor) * scores, axis=1)[rows, found.codes]
        return -float(np.average(logs, weights=found.weights))

    return float(np.exp(minimize_scalar(loss, bounds=SURENESS, method="bounded").x))


def _against_the_rest(one_hot: LinearClassifier) -> LinearClassifier:
    """The scores for labels +1 and -1, of the class and of the rest; for two classes of the second alone."""
    L = len(one_hot.base)
    turn = 2 * np.eye(L) - 1 if L > 2 else np.array([[-1.0], [1.0]])
    return LinearClassifier(one_hot.weights @ turn, one_hot.base @ turn, one_hot.center)
