"""Preference pairs on frozen features (figure 8, scale features): IPO is the ridge classifier of the theory.

IPO asks the margin of chosen over rejected to be 1/(2 beta), by least squares. With frozen features phi and a linear score the margin is
w^T x, x = phi(chosen) - phi(rejected): ridge on the samples x, all of label +1, or, with the order in which the two are shown drawn at
random, on y x with labels y = +-1, which is the same w. So x = y mu + z, and a pair with chosen and rejected swapped is a wrong label.

Synthetic pairs are further real pairs, swapped with probability epsilon and pruned by a verifier. The pool has about 2,300 pairs, of
which every random split takes n as real, the next m as synthetic and those beyond the largest m to test on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..estimators.covariances import shared_covariance
from ..estimators.length_strata import LengthStrata
from ..estimators.resampling import Design, MeasuredClassifier, Resamples, resample, through
from ..estimators.ridge import Moments
from ..estimators.statistics import class_statistics
from ..solvers.predict import Formula, predict_grid
from ..solvers.problem import Ridge, Setting, Verifier
from ..support.errors import BadInput

STRONG, WEAK = Verifier(rho=0.2, phi=0.9), Verifier(rho=0.5, phi=0.5)
STRATA = 3  # of the length of a pair
CURVE = 41  # points of a drawn curve


@dataclass(frozen=True)
class PreferenceSettings(Design):
    """The settings of figure 8: numbers of pairs, label noises and verifiers; n, m, gamma and least_test as of `Design`.

    Attributes
    ----------
    epsilon : tuple of float
        Probabilities that a synthetic pair is swapped.
    verifiers : tuple of Verifier
    """

    n: int = 250
    m: tuple[int, ...] = (0, 60, 125, 250, 500, 1000, 1500)
    least_test: int = 200
    epsilon: tuple[float, ...] = (0.1, 0.5)
    verifiers: tuple[Verifier, ...] = (STRONG, WEAK)


@dataclass(frozen=True, eq=False)
class PairScores:
    """Accuracies and margins of test pairs: arrays (epsilon, verifiers, m).

    Attributes
    ----------
    accuracy
    mean_margin, variance
        Of the margin y w^T x of a test pair.
    """

    accuracy: np.ndarray
    mean_margin: np.ndarray
    variance: np.ndarray


@dataclass(frozen=True, eq=False)
class SplitResult:
    """Measurements and predictions of one split.

    Attributes
    ----------
    measured : PairScores
    influence : array (epsilon, verifiers, m, pairs)
        Of the weight of every pair of the pool on the measured accuracy.
    predicted : dict of PairScores
        By the theories of `predictions`, from the statistics of the split's training pairs; "strata" on some splits only.
    filled : dict of PairScores
        Theories of `predictions` at the numbers m of `Design.filled`, on those splits only.
    """

    measured: PairScores
    influence: np.ndarray
    predicted: Mapping[str, PairScores]
    filled: Mapping[str, PairScores] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Curves:
    """The results of all splits. Quantities are named as in `PairScores`.

    Attributes
    ----------
    design : PreferenceSettings
    splits : tuple of SplitResult
    """

    design: PreferenceSettings
    splits: tuple[SplitResult, ...]

    def measured(self, quantity: str = "accuracy") -> Resamples:
        """Return a measured quantity, (epsilon, verifiers, m); the error of the accuracy includes that of the pool."""
        influence = np.array([one.influence for one in self.splits]) if quantity == "accuracy" else None
        return Resamples(np.array([getattr(one.measured, quantity) for one in self.splits]), influence)

    def predicted(self, theory: str, quantity: str = "accuracy") -> Resamples:
        """Return a quantity by a theory of `predictions`, (epsilon, verifiers, m).

        "strata" is the theory of one law, split by split, and the mean of the difference that the strata make, known on some splits.
        """
        found = np.array([getattr(one.predicted["one law" if theory == "strata" else theory], quantity) for one in self.splits])
        if theory != "strata":
            return Resamples(found)
        added = np.array([getattr(one.predicted["strata"], quantity) - getattr(one.predicted["one law"], quantity)
                          for one in self.splits if "strata" in one.predicted])
        # a split without strata gets the mean; the others keep their own, so that the spread over splits holds the noise of the addition
        known = np.array(["strata" in one.predicted for one in self.splits])
        scale = len(known) / known.sum()
        found[known] += added.mean(axis=0) + scale * (added - added.mean(axis=0))
        found[~known] += added.mean(axis=0)
        return Resamples(found)

    def drawn(self, theory: str, quantity: str = "accuracy") -> tuple[np.ndarray, np.ndarray]:
        """Return the proportions and the mean of a theory there as a curve without corners, (l,) and (epsilon, verifiers, l).

        Parameters
        ----------
        theory : str
            strata, or a key of `predictions`.
        quantity : str
            A field of `PairScores`.
        """
        filled = self.design.filled(CURVE)
        shape = np.mean([getattr(one.filled["one law" if theory == "strata" else theory], quantity)
                         for one in self.splits if one.filled], axis=0)  # fmt: skip
        curve = through(self.design.m, self.predicted(theory, quantity).mean, filled, shape)
        return replace(self.design, m=filled).proportion, curve


def differences(features: np.ndarray) -> np.ndarray:
    """Return x = phi(chosen) - phi(rejected), (pairs, p), from features (pairs, 2, p), chosen first."""
    return features[:, 0].astype(float) - features[:, 1]


def curves(
    X: np.ndarray, resamples: int, seed: int = 0, jobs: int = 1, design: PreferenceSettings = PreferenceSettings(), progress: bool = False,
    strata: int | None = None,
) -> Curves:  # fmt: skip
    """Measure and predict on random splits of the pairs.

    Parameters
    ----------
    X : array (pairs, p)
        Feature differences.
    resamples : int
        How many splits.
    seed : int
    jobs : int
        Worker threads.
    design : PreferenceSettings
    progress : bool
        Whether to show a progress bar.
    strata : int, optional
        On how many splits the theory of strata is asked; by default on all.

    Raises
    ------
    BadInput
        If there are too few pairs for n, the largest m and a test set.
    """
    left = len(X) - design.trained_on
    if left < design.least_test:
        raise BadInput(f"n = {design.n} and m = {design.m[-1]} leave {max(left, 0)} of {len(X)} pairs to test on, "
                       f"{design.least_test} are needed: lower the proportion of synthetic data")
    with_strata = resamples if strata is None else strata
    done = resample(lambda rng, r: measure_split(X, rng, design, strata=r < with_strata), resamples, seed=seed, jobs=jobs,
                    progress=progress)
    return Curves(design, tuple(done))


def measure_split(X: np.ndarray, rng: np.random.Generator, e: PreferenceSettings, *, strata: bool = True) -> SplitResult:
    """Measure and predict one split.

    Features are brought to mean square 1 on the pairs that may be trained on, and the theory's statistics are those of these pairs, with
    their true labels: no test pair enters. Verifiers and noise levels share their random numbers: comparisons are paired.

    Parameters
    ----------
    X : array (pairs, p)
    rng : numpy.random.Generator
    e : PreferenceSettings
    strata : bool
        Whether the theory of strata is asked, which takes seconds.
    """
    order = rng.permutation(len(X))
    scale = np.sqrt(np.mean(X[order[: e.trained_on]] ** 2, axis=0))
    train, test = X[order[: e.trained_on]] / scale, X[order[e.trained_on :]] / scale
    swapped, kept = rng.random((2, e.trained_on))
    shape = (len(e.epsilon), len(e.verifiers), len(e.m))
    measured = PairScores(np.empty(shape), np.empty(shape), np.empty(shape))
    influence = np.zeros((*shape, len(X)), dtype=np.float32)
    for i, epsilon in enumerate(e.epsilon):
        wrong = swapped < epsilon
        for j, verifier in enumerate(e.verifiers):
            keep = kept < np.where(wrong, verifier.rho, verifier.phi)
            for k, (rows, fitted) in enumerate(_ridges(train, np.where(wrong, -1.0, 1.0), keep, test, e)):
                measured.accuracy[i, j, k] = fitted.accuracy
                measured.mean_margin[i, j, k], measured.variance[i, j, k] = fitted.margins.mean(), fitted.margins.var(ddof=1)
                influence[i, j, k, order[rows]] = fitted.on_training
                influence[i, j, k, order[e.trained_on :]] = fitted.on_test
    found = predictions(train, e)
    if not strata:
        return SplitResult(measured, influence, found)
    return SplitResult(measured, influence, {**found, "strata": by_strata(train, e)}, predictions(train, replace(e, m=e.filled(CURVE))))


def _ridges(
    Z: np.ndarray, labels: np.ndarray, keep: np.ndarray, test: np.ndarray, e: PreferenceSettings
) -> Iterator[tuple[np.ndarray, MeasuredClassifier]]:
    """For every m the rows that are trained on and the classifier: all rows Z up to n, and those kept of the next m with their labels."""
    real = np.arange(len(Z)) < e.n
    labels, keep = np.where(real, 1.0, labels), keep | real
    codes, last = (labels > 0).astype(int), 0
    moments = Moments.of(Z[:0], codes[:0], 2)
    for m in e.m:
        new = np.flatnonzero(keep[last : e.n + m]) + last
        moments, last = moments + Moments.of(Z[new], codes[new], 2), e.n + m
        rows = np.flatnonzero(keep[:last])
        solved = moments.centred(intercept=False).solved(e.gamma * last)
        yield rows, MeasuredClassifier.of(solved, Z[rows], labels[rows], test, np.ones(len(test)))


def by_strata(train: np.ndarray, e: PreferenceSettings) -> PairScores:
    """Predict by the theory of pairs in strata of their length, each with its own law, from pairs (k, p) with true labels.

    Parameters
    ----------
    train : array (k, p)
        Pairs with true labels.
    e : PreferenceSettings
    """
    strata, shape = LengthStrata.of(train, STRATA), (len(e.epsilon), len(e.verifiers), len(e.m))
    found, without = PairScores(np.empty(shape), np.empty(shape), np.empty(shape)), None
    for place in np.ndindex(shape):
        epsilon, verifier, m = e.epsilon[place[0]], e.verifiers[place[1]], e.m[place[2]]
        one = without
        if m or one is None:
            synthetic = strata.sources("s", verifier.alpha(epsilon) * m, verifier.wrong(epsilon)) if m else ()
            one = strata.predict((*strata.sources("r", e.n), *synthetic), Ridge(e.gamma), e.n + m)
            without = without if m else one
        found.accuracy[place], found.mean_margin[place], found.variance[place] = one.accuracy, one.mean_margin, one.variance
    return found


def predictions(train: np.ndarray, e: PreferenceSettings) -> dict[str, PairScores]:
    """Predict by theories of one law for all pairs, from pairs (k, p) with true labels.

    "one law": with the sample covariance; "shrunken covariance": with a shrunken one of residuals brought to one length; and three that are
    wrong: "without debiasing", "isotropic" (a multiple of the identity), "published formula".

    Parameters
    ----------
    train : array (k, p)
        Pairs with true labels.
    e : PreferenceSettings
    """
    mean = train.mean(axis=0)
    same = shared_covariance(train - mean).equivalent
    plain = same.products(mean[None])[0, 0]
    debiased = plain - same.eigenvalues / len(train)
    level = np.full_like(same.eigenvalues, same.eigenvalues.mean())
    shrunken = class_statistics(train, np.ones(len(train)))
    return {
        "one law": _predicted(debiased, same.eigenvalues, e),
        "shrunken covariance": _predicted(shrunken.mean_products, shrunken.eigenvalues, e),
        "without debiasing": _predicted(plain, same.eigenvalues, e),
        "isotropic": _predicted(debiased, level, e),
        "published formula": _predicted(debiased, same.eigenvalues, e, "published"),
    }


def _predicted(squares: np.ndarray, eigenvalues: np.ndarray, e: PreferenceSettings, formula: Formula = "rederived") -> PairScores:
    """The theory of one law; squares (p,): squared coordinates of mu in the eigenbasis of the covariance with these eigenvalues (p,)."""
    setting = Setting(e.n, 0, len(squares), np.sqrt(np.abs(squares)), ridge=Ridge(e.gamma), covariance=eigenvalues, mean_squares=squares)
    rho, phi = (np.array([getattr(verifier, name) for verifier in e.verifiers])[:, None] for name in ("rho", "phi"))
    grid = predict_grid(setting, formula=formula, m=np.array(e.m), epsilon=np.array(e.epsilon)[:, None, None], rho=rho, phi=phi)
    return PairScores(grid.accuracy, grid.mean_margin, grid.variance)
