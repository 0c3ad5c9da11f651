"""`RelabelledMix`: synthetic samples with wrong labels are cleaned, not thrown away.

Whether a synthetic label is wrong is treated as hidden. The classifier gives every synthetic sample a posterior of its true label, the
posteriors are the labels of the next classifier, and so on: expectation-maximisation, except that a sample's posterior uses the score
of a classifier that was trained without it (leave-one-out, exact for the ridge; `loss_samples` for other losses). Without that the
classifier would confirm itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from ..solvers.any_loss import SQUARE, SQUARE_LOSS, Loss
from ..support.errors import BadInput, number
from .candidates import mean_scatter
from .loss_samples import LossSamples
from .mix_ridge import AUTO, SyntheticMixRidge
from .ridge import LinearClassifier

FIRST_GUESS = 0.3  # of a share of wrong labels that is to be estimated
LEAST_WRONG = 1e-4  # share of wrong labels that an estimate does not go below
FOLDS = 5  # of the real samples, by which alpha is chosen
RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)  # alpha over the mean squared length of all samples along a feature
SLOPES = (0.0, 1e3)  # of the log-odds in a score of variance 1


@dataclass(frozen=True, eq=False)
class Calibration:
    """What scores say of true labels.

    Attributes
    ----------
    slope, offset : float
        Half of the log-odds of the label +1 is slope * score + offset.
    wrong : float
        Share of wrong labels among the synthetic samples.
    """

    slope: float
    offset: float
    wrong: float

    @classmethod
    def of(cls, scores: np.ndarray, labels: np.ndarray, weights: np.ndarray, real: int, wrong: float | None) -> Calibration:
        """Return the most likely calibration.

        Parameters
        ----------
        scores, labels, weights : array (N,)
            Left-out scores, given labels +-1 and weights of the real samples, then of the synthetic ones.
        real : int
            How many of them are real, so that their labels are right.
        wrong : float, optional
            The share of wrong labels; None: to be estimated.
        """
        unit = scores.std() or 1.0
        h, c = scores / unit, weights / weights.max()
        start = [1.0, 0.0] + ([float(logit(FIRST_GUESS))] if wrong is None else [])
        bounds = [SLOPES, (None, None)] + ([(logit(LEAST_WRONG), -logit(LEAST_WRONG))] if wrong is None else [])

        def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
            e = wrong if wrong is not None else expit(at[2])
            margins = 2 * labels * (at[0] * h + at[1])
            right = expit(margins[real:])
            likely = np.maximum(e + (1 - 2 * e) * right, 1e-300)
            slopes = np.concatenate([-expit(-margins[:real]), -(1 - 2 * e) * right * (1 - right) / likely]) * 2 * labels * c
            gradient = [slopes @ h, slopes.sum()] + ([c[real:] @ ((2 * right - 1) / likely) * e * (1 - e)] if wrong is None else [])
            return float(-c[:real] @ log_expit(margins[:real]) - c[real:] @ np.log(likely)), np.array(gradient)

        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
        return cls(float(found[0] / unit), float(found[1]), wrong if wrong is not None else float(expit(found[2])))

    def posterior(self, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return E[y] (m,) of synthetic samples from left-out scores (m,) and given labels (m,) = +-1."""
        with np.errstate(divide="ignore"):
            return np.tanh(self.slope * scores + self.offset + labels * logit(1 - self.wrong) / 2)


@dataclass(frozen=True, eq=False)
class WeightedSamples:
    """Samples in the eigenbasis of their second moment, where the ridge of any alpha and any labels is a sum.

    Attributes
    ----------
    rotated : array (N, r)
        The samples, centred, in that basis.
    basis : array (p, r)
    eigenvalues : array (r,)
        Of sum_i c_i x_i x_i^T.
    weights : array (N,)
        c.
    center : array (p,)
        Their weighted mean; 0 without an intercept.
    total : float
        The sum of the weights; inf without an intercept.
    """

    rotated: np.ndarray
    basis: np.ndarray
    eigenvalues: np.ndarray
    weights: np.ndarray
    center: np.ndarray
    total: float

    @classmethod
    def of(cls, X: np.ndarray, weights: np.ndarray, intercept: bool) -> WeightedSamples:
        """Return the samples X (N, p) of these weights (N,)."""
        center = np.average(X, axis=0, weights=weights) if intercept else np.zeros(X.shape[1])
        centred, roots = X - center, np.sqrt(weights)[:, None]
        scaled = roots * centred
        if len(X) > X.shape[1]:
            eigenvalues, basis = np.linalg.eigh(scaled.T @ scaled)
        else:
            eigenvalues, left = np.linalg.eigh(scaled @ scaled.T)
            seen = eigenvalues > 1e-12 * max(eigenvalues[-1], 1e-300)
            eigenvalues, basis = eigenvalues[seen], scaled.T @ left[:, seen] / np.sqrt(eigenvalues[seen])
        return cls(centred @ basis, basis, eigenvalues, weights, center, float(weights.sum()) if intercept else np.inf)

    @property
    def intercept(self) -> bool:
        """Whether one is fitted."""
        return bool(np.isfinite(self.total))

    @cached_property
    def _squares(self) -> np.ndarray:
        return self.rotated**2

    def leverage(self, alpha: float) -> np.ndarray:
        """Return the leverage (N,) of the samples in the ridge of this alpha, whatever the labels."""
        return self.weights * (self._squares @ (1 / (self.eigenvalues + alpha)) + 1 / self.total)

    def trainer(self, alpha: float) -> Callable[[np.ndarray], tuple[LinearClassifier, np.ndarray]]:
        """Return what trains on labels (N,): `ridge` at this alpha."""
        leverage = self.leverage(alpha)
        return lambda labels: self.ridge(labels, alpha, leverage)

    def ridge(self, labels: np.ndarray, alpha: float, leverage: np.ndarray | None = None) -> tuple[LinearClassifier, np.ndarray]:
        """Return the ridge of labels (N,), any numbers, and the left-out scores (N,) without their intercepts.

        An intercept that leaves a sample out tells the sample's own label, as soon as other parts of the score are small. The leverage at
        this alpha is computed if it is not given.
        """
        base = 0.0 if np.isinf(self.total) else float(np.average(labels, weights=self.weights))
        shrunk = 1 / (self.eigenvalues + alpha)
        w = shrunk * (self.rotated.T @ (self.weights * (labels - base)))
        leverage = self.leverage(alpha) if leverage is None else leverage
        scores = (self.rotated @ w + base - leverage * labels) / (1 - leverage)
        if np.isfinite(self.total):
            scores = scores - (self.total * base - self.weights * labels) / (self.total - self.weights)
        return LinearClassifier((self.basis @ w)[:, None], np.array([base]), self.center), scores


@dataclass(frozen=True, eq=False)
class Relabelled:
    """Synthetic labels after some rounds.

    Attributes
    ----------
    classifier : LinearClassifier
        The last one.
    calibration : Calibration
        Of its left-out scores.
    labels : array (m,)
        E[y] of each synthetic sample, from -1 to 1, on which the last classifier was trained.
    rounds : int
    intercept : bool
        Whether the classifier has one.
    """

    classifier: LinearClassifier
    calibration: Calibration
    labels: np.ndarray
    rounds: int
    intercept: bool

    def decisive(self) -> LinearClassifier:
        """Return the classifier with the calibrated intercept: a heavy ridge shrinks the scores below its own."""
        one, slope = self.classifier, self.calibration.slope
        if not slope or not self.intercept:
            return one
        return LinearClassifier(one.weights, np.array([self.calibration.offset / slope]), one.center)


def samples_of(X: np.ndarray, weights: np.ndarray, intercept: bool, loss: Loss) -> WeightedSamples | LossSamples:
    """Return samples X (N, p) of these weights (N,), ready for a loss."""
    return WeightedSamples.of(X, weights, intercept) if loss.name == SQUARE else LossSamples.of(X, weights, intercept, loss)


def relabel(
    samples: WeightedSamples | LossSamples, given: np.ndarray, real: int, alpha: float, *, wrong: float | None = None, rounds: int = 20,
    tol: float = 1e-3,
) -> Relabelled:
    """Relabel until no synthetic label moves by more than tol on average, or all rounds are done.

    Parameters
    ----------
    samples : WeightedSamples or LossSamples
        The real samples, then the synthetic ones.
    given : array (N,)
        Their labels, +-1.
    real : int
        How many of them are real.
    alpha : float
        The ridge, as scikit-learn writes it.
    wrong : float, optional
        Share of wrong labels among the synthetic samples; None: estimated in every round.
    """
    labels = given.astype(float)
    labels[real:] *= 1 - 2 * (FIRST_GUESS if wrong is None else wrong)
    train, weights = samples.trainer(alpha), samples.weights
    classifier, scores = train(labels)
    for done in range(rounds + 1):
        calibration = Calibration.of(scores, given, weights, real, wrong)
        if done == rounds:
            break
        after = calibration.posterior(scores[real:], given[real:])
        change = float(np.mean(np.abs(after - labels[real:]))) if len(after) else 0.0
        if change <= tol:
            break
        labels[real:] = after
        classifier, scores = train(labels)
    return Relabelled(classifier, calibration, labels[real:], done, samples.intercept)


def cross_fitted(
    X: np.ndarray, given: np.ndarray, weights: np.ndarray, real: int, alphas: np.ndarray, folds: Sequence[np.ndarray], *,
    wrong: float | None = None, rounds: int = 20, tol: float = 1e-3, intercept: bool = True, loss: Loss = SQUARE_LOSS,
) -> np.ndarray:  # fmt: skip
    """Return the calibrated margins (len(alphas), real) of real samples that had no part in any round: half of the log-odds to be right.

    Parameters
    ----------
    X, given, weights : arrays (N, p), (N,), (N,)
        The real samples, then the synthetic ones; labels +-1.
    real : int
        How many of them are real.
    alphas : array
        Ridges that are tried.
    folds : sequence of arrays
        Rows of the real samples, each to be left out once.
    wrong, rounds, tol
        As of `relabel`.
    intercept : bool
        Whether one is fitted.
    loss : Loss
    """
    margins = np.zeros((len(alphas), real))
    for held in folds:
        rest = np.setdiff1d(np.arange(len(X)), held)
        samples = samples_of(X[rest], weights[rest], intercept, loss)
        for i, alpha in enumerate(alphas):
            found = relabel(samples, given[rest], real - len(held), alpha, wrong=wrong, rounds=rounds, tol=tol)
            scores = (X[held] - found.classifier.center) @ found.classifier.weights[:, 0]
            margins[i, held] = given[held] * (found.calibration.slope * scores + found.calibration.offset)
    return margins


class RelabelledMix(SyntheticMixRidge):
    """Linear classifier, by default the ridge, on real samples and on synthetic samples whose labels it cleans.

    In every round the classifier, the scores that its training samples have when each is left out, and the share of wrong labels give
    every synthetic sample a posterior of its true label. These posteriors, soft labels between the two classes, train the classifier of
    the next round. The labels are taken to be wrong by chance. Where they are wrong for a reason that lies in the sample, the classifier
    learns the reason, and cleaning does harm (docs/relabelling.md).

    Parameters
    ----------
    alpha : float or "auto"
        The ridge as scikit-learn writes it. "auto": the highest likelihood of real samples that are left out of every round, in 5 folds.
    weight : float
        omega, the weight of a synthetic sample where a real one has 1.
    noise : float or "auto"
        Share of wrong labels among the synthetic samples that are kept, or "auto": estimated, together with what scores say of labels.
    rounds : int
        Most rounds of relabelling; 0 leaves the labels as they are, with the weight that the noise leaves them.
    tol : float
        Rounds end when the labels move by no more than this on average.
    fit_intercept : bool
        Whether an intercept is fitted; it is not penalised (by another loss than the square one: hardly).
    loss : str
        What the classifier minimises, a name of `predict`. Another loss than the square one costs a fit of its own in every round, the
        hinge loss six, and "auto" many.
    huber_threshold : float, optional
        Of Huber's loss.

    Attributes
    ----------
    classes_ : array (2,)
    coef_ : array (1, p)
    intercept_ : array (1,)
    alpha_, weight_, noise_ : float
        As used; noise_ is nan without synthetic samples.
    posterior_ : array (m,)
        Probability of each kept synthetic sample to be of the class classes_[1]. How sharp it is, is estimated from given labels: with 200
        real ones and 4000 of which 35% are wrong, the log-odds are known to a factor of 1.15.
    rounds_ : int
        Rounds that were done.
    n_synthetic_, n_features_in_ : int
    """

    def __init__(
        self, alpha: float | Literal["auto"] = AUTO, weight: float = 1.0, *, noise: float | Literal["auto"] = AUTO, rounds: int = 20,
        tol: float = 1e-3, fit_intercept: bool = True, loss: str = SQUARE, huber_threshold: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(alpha, weight, fit_intercept=fit_intercept)
        self.loss = loss
        self.huber_threshold = huber_threshold
        self.noise = noise
        self.rounds = rounds
        self.tol = tol

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(
        self, X: ArrayLike, y: ArrayLike, X_synthetic: ArrayLike | None = None, y_synthetic: ArrayLike | None = None,
        keep: ArrayLike | None = None, sample_weight: ArrayLike | None = None,
    ) -> RelabelledMix:  # fmt: skip
        """Clean the synthetic labels and train.

        Parameters
        ----------
        X : array (n, p)
            Real samples.
        y : array (n,)
            Their labels, of two classes.
        X_synthetic : array (m, p), optional
        y_synthetic : array (m,), optional
        keep : array (m,), optional
            The verifier's weight of each synthetic sample, from 0 (thrown away) to 1.
        sample_weight : array (n,), optional
            Of the real samples.

        Raises
        ------
        BadInput
            A ValueError, for what does not match, other than two classes, or a parameter out of range.
        """
        self._check("alpha", self.alpha, "above 0")
        number("weight", self.weight, 0)
        wrong = None if isinstance(self.noise, str) and self.noise == AUTO else float(number("noise", self.noise, 0, 1))
        number("tol", self.tol, 0)
        rounds, loss = int(number("rounds", self.rounds, 0)), Loss.of(self.loss, self.huber_threshold)
        X, y = validate_data(self, X, y, dtype=float)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            few = "Only binary classification is supported. " if len(self.classes_) > 2 else ""
            raise BadInput(f"{few}RelabelledMix needs exactly two classes, and the labels are of "
                           f"{'one class' if not few else f'{len(self.classes_)} classes'}")
        c = np.ones(len(X)) if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=float, ensure_non_negative=True)
        trust = None if keep is None else self._trust(keep)
        X_s, y_s = self._synthetic(X_synthetic, y_synthetic, None if trust is None else trust > 0)
        c_s = self.weight * (np.ones(len(X_s)) if trust is None else trust[trust > 0])
        if not self.weight:
            X_s, y_s, c_s = X_s[:0], y_s[:0], c_s[:0]
        X, y, c = X[c > 0], y[c > 0], c[c > 0]
        if not len(c):
            raise BadInput("a classifier needs a training sample with a weight above 0")
        self.n_synthetic_, self.weight_ = len(X_s), self.weight if len(X_s) else 0.0
        given = np.where(np.concatenate([y, y_s]) == self.classes_[1], 1.0, -1.0)
        X_all, c_all = np.concatenate([X, X_s]), np.concatenate([c, c_s])
        self.alpha_ = float(self.alpha) if self.alpha != AUTO else self._choose(X_all, given, c_all, len(X), wrong, rounds, loss)
        samples = samples_of(X_all, c_all, self.fit_intercept, loss)
        if len(X_s):
            found = relabel(samples, given, len(X), self.alpha_, wrong=wrong, rounds=rounds, tol=self.tol)
            self.classifier_, self.noise_, self.rounds_ = found.decisive(), found.calibration.wrong, found.rounds
            self.posterior_ = (1 + found.labels) / 2
        else:
            self.classifier_, self.noise_, self.rounds_ = samples.trainer(self.alpha_)(given)[0], float("nan"), 0
            self.posterior_ = np.empty(0)
        self.coef_, self.intercept_ = self.classifier_.weights.T, self.classifier_.intercepts
        return self

    def _trust(self, keep: ArrayLike) -> np.ndarray:
        trust = column_or_1d(keep).astype(float)
        if not np.all((trust >= 0) & (trust <= 1)):
            raise BadInput("keep must be from 0 to 1 for every synthetic sample: the verifier's weight of it")
        return trust

    def _choose(
        self, X: np.ndarray, given: np.ndarray, c: np.ndarray, real: int, wrong: float | None, rounds: int, loss: Loss
    ) -> float:
        """The alpha of the highest likelihood of real samples that took part in nothing."""
        alphas = mean_scatter(X, c) * np.array(RIDGES)
        folds = min(FOLDS, int((given[:real] > 0).sum()), int((given[:real] < 0).sum()))
        if folds < 2:
            return float(alphas[-1])
        divided = StratifiedKFold(folds, shuffle=True, random_state=0).split(X[:real], given[:real])
        margins = cross_fitted(X, given, c, real, alphas, [held for _, held in divided], wrong=wrong, rounds=rounds, tol=self.tol,
                               intercept=self.fit_intercept, loss=loss)  # fmt: skip
        return float(alphas[int(np.argmax(log_expit(2 * margins) @ c[:real]))])
