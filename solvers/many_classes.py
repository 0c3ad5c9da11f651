"""Any number of classes, each with its own mean and covariance, a ridge classifier with one score a class, and an intercept.

The labels are one-hot vectors, so by polarisation (derivations/special/many_classes.py) the scores of a fresh sample of a class are
jointly Gaussian; the accuracy is the probability that the right one is the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..support.errors import BadInput, instance, instances, number, numbers
from .classifier_law import ClassifierLaw, normal_share, pairs, polarised
from .lowering import Lowered, lower_problem
from .problem import NO_SUPERVISION, Fit, Generator, Law, Problem, Ridge, Source, Verifier
from .solve import Solution, solve


@dataclass(frozen=True)
class ClassMixture:
    """Real and synthetic samples of L classes, on which a ridge classifier with one score a class is trained.

    Attributes
    ----------
    laws : L laws
        Of the real samples of each class: mean (p,) and covariance.
    n, m : L numbers
        Real samples, and synthetic samples before pruning, of each class.
    noise : array (L, L)
        The probability of each label (column) for a synthetic sample of each class (row); rows sum to 1.
    verifier : Verifier
    generator : Generator
        exact: its laws are `generated`; independent: mean and covariance of n_hat fresh samples a class; self-fitted: mean and covariance
        of the class's n real samples.
    generated : L laws, optional
        Of the synthetic samples, those of the real ones by default.
    ridge : Ridge
    omega : float
        Weight of a synthetic sample in training, where a real one has 1.
    intercept : bool
        Whether one is fitted, without a ridge.

    Raises
    ------
    BadInput
        For shapes that do not match or numbers outside their range.
    """

    laws: tuple[Law, ...]
    n: tuple[float, ...]
    m: tuple[float, ...]
    noise: np.ndarray
    verifier: Verifier = NO_SUPERVISION
    generator: Generator = field(default_factory=Generator)
    generated: tuple[Law, ...] | None = None
    ridge: Ridge = field(default_factory=Ridge)
    omega: float = 1.0
    intercept: bool = True

    def __post_init__(self) -> None:
        for name in ("laws", "generated"):
            if name == "laws" or self.generated is not None:
                object.__setattr__(self, name, instances("the law of a class", getattr(self, name), Law))
        instance("the verifier of a mixture", self.verifier, Verifier)
        instance("the generator of a mixture", self.generator, Generator)
        instance("the ridge of a mixture", self.ridge, Ridge)
        L = len(self.laws)
        if L < 2:
            raise BadInput("at least two classes are needed")
        if len({np.shape(law.mean) for law in self.laws}) != 1 or np.ndim(self.laws[0].mean) != 1:
            raise BadInput("the classes' means must be vectors of one length")
        counts = [numbers(f"{name} of a class", getattr(self, name), 0) for name in ("n", "m")]
        if any(each.shape != (L,) for each in counts) or (self.generated is not None and len(self.generated) != L):
            raise BadInput(f"with {L} classes, n, m and the generated laws need {L} entries each")
        number("omega", self.omega, 0, open_low=True)
        noise = numbers("noise", self.noise)
        if noise.shape != (L, L) or not np.all(noise >= 0) or not np.allclose(noise.sum(axis=1), 1):
            raise BadInput(f"noise must be {L} x {L} with rows of probabilities that sum to 1")
        if sum(self.n) + sum(self.m) == 0:
            raise BadInput("n and m are both 0: there is nothing to train on")
        if self.generator.kind == "self-fitted" and min(self.n) == 0:
            raise BadInput("the self-fitted generator needs real samples of every class")

    @property
    def N(self) -> float:
        """All samples, before pruning."""
        return float(sum(self.n) + sum(self.m))

    @property
    def p(self) -> int:
        """Number of features."""
        return len(self.laws[0].mean)

    def kept(self) -> np.ndarray:
        """Return (L, L): the probability that a synthetic sample of a class (row) gets each label (column) and is kept."""
        right = np.eye(len(self.laws), dtype=bool)
        return np.asarray(self.noise, dtype=float) * np.where(right, self.verifier.phi, self.verifier.rho)

    def problem(self) -> Problem:
        """Return the problem whose sources are the real and the synthetic samples of every class.

        A self-fitted generator and its real samples are one source.
        """
        kept, sources = self.kept(), []
        for k, (law, drawn) in enumerate(zip(self.laws, self.generated or self.laws, strict=True)):
            fit = None
            if self.generator.kind == "self-fitted":
                fit = Fit(self.n[k], weight=1.0, mean=True)
            else:
                sources.append(Source(f"r{k}", self.n[k], law))
                if self.generator.kind == "independent":
                    fit = Fit(self.generator.n_hat, mean=True)
            sources.append(Source(f"s{k}", kept[k].sum() * self.m[k], drawn, weight=self.omega, fit=fit, synthetic=True))
        return Problem(tuple(sources), self.ridge, self.N, self.p, self.laws[0], self.intercept)

    def labels(self, combinations: np.ndarray) -> np.ndarray:
        """Return combinations (A, L) of the one-hot labels of the K sources, as labellings (A, K, 4) of `kernels.Point`."""
        L = len(self.laws)
        certain = np.zeros((L, L))
        means, spreads = [], []  # of the label vectors: of the source, of the samples it was fitted on
        for k, kept in enumerate(self.kept()):
            one_hot = np.eye(L)[k]
            label = kept / kept.sum() if kept.any() else one_hot
            if self.generator.kind != "self-fitted":
                means.append([one_hot, one_hot])
                spreads.append([certain, certain])
            means.append([label, one_hot])
            spreads.append([np.diag(label) - np.outer(label, label), certain])
        mean = np.einsum("al,ktl->akt", combinations, np.array(means))
        spread = np.einsum("al,ktlm,am->akt", combinations, np.array(spreads), combinations)
        return np.stack([mean[..., 0], spread[..., 0], mean[..., 1], spread[..., 1]], axis=-1)


@dataclass(frozen=True)
class Scores:
    """The joint Gaussian law of the L scores of a fresh sample of one class.

    Attributes
    ----------
    mean : array (L,)
    covariance : array (L, L)
    """

    mean: np.ndarray
    covariance: np.ndarray

    def probability_of_largest(self, index: int, *, seed: int = 0) -> float:
        """Return the probability that the score of a class is the largest: an orthant probability of the differences to the others.

        Scores that do not vary against it are compared by their means; of those that are equal each is as likely to be chosen.

        Parameters
        ----------
        index : int
            The class.
        seed : int
            Of the numerical integration, which three and more classes need.
        """
        others = np.delete(np.arange(self.mean.size), index)
        contrasts = -np.eye(self.mean.size)[others]
        contrasts[:, index] = 1.0
        mean, covariance = contrasts @ self.mean, contrasts @ self.covariance @ contrasts.T
        variance = np.diag(covariance)
        fixed = variance <= 0
        if fixed.any():
            rest = Scores(np.append(-mean[~fixed], 0.0), np.pad(covariance[np.ix_(~fixed, ~fixed)], ((0, 1), (0, 1))))
            beaten = 0.0 if (mean[fixed] < 0).any() else 1 / (1 + np.count_nonzero(mean[fixed] == 0))
            return beaten * (1.0 if fixed.all() else rest.probability_of_largest(-1 % rest.mean.size, seed=seed))
        if others.size == 1:
            from .generated import theory

            return theory.accuracy(mean[0], covariance[0, 0])
        from scipy.stats import multivariate_normal

        size = np.sqrt(variance)
        law = multivariate_normal(np.zeros(others.size), covariance / np.outer(size, size), allow_singular=True, seed=seed,
                                  maxpts=20_000, abseps=1e-4, releps=1e-4)
        return float(law.cdf(mean / size))


@dataclass(frozen=True)
class ClassPrediction:
    """The theory for a classifier of L classes.

    Attributes
    ----------
    accuracy : float
        The average over classes.
    by_class : array (L,)
        The accuracy on each class.
    scores : L laws
        Of the scores of a fresh sample of each class.
    """

    accuracy: float
    by_class: np.ndarray
    scores: tuple[Scores, ...]


def predict_classes(mixture: ClassMixture, tests: tuple[Law, ...] | None = None) -> ClassPrediction:
    """Predict the accuracy of the classifier on each class.

    Parameters
    ----------
    mixture : ClassMixture
        What is trained on.
    tests : L laws, optional
        Of fresh samples of each class, by default those of the real samples.

    Raises
    ------
    NotConverged
        If the fixed point is not solved to 1e-12.
    """
    instance("what is predicted", mixture, ClassMixture)
    laws = mixture.laws if tests is None else instances("a law of fresh samples", tests, Law)
    scores = _scores(mixture, solve(_lowered(mixture, laws)))
    by_class = np.array([score.probability_of_largest(k) for k, score in enumerate(scores)])
    return ClassPrediction(float(by_class.mean()), by_class, scores)


def predict_on_samples(mixture: ClassMixture, samples: Sequence[np.ndarray], *, seed: int = 0, draws: int = 16) -> ClassPrediction:
    """Predict the accuracy on fresh samples that are not Gaussian.

    The classifier is its mean, which the theory knows as a vector, and fluctuations around it, which are Gaussian with a known covariance
    whatever the sample (derivations/special/given_samples.py). So the scores of a sample are Gaussian around those of the mean classifier,
    and the accuracy is the average over the samples. A sample that the estimated mean of its class was made of is left out of it
    (Law.mean_samples), and what that mean errs by is a part of the fluctuations.

    Parameters
    ----------
    mixture
        What is trained on; its laws are the moments of the samples.
    samples : sequence of arrays (k, p)
        Of each class.
    seed, draws
        Of the fluctuations of three and more classes, `draws` for each sample.
    """
    L, problem = len(mixture.laws), mixture.problem()
    found = ClassifierLaw.of(problem, mixture.laws, _labels(mixture), solve(_lowered(mixture, mixture.laws)).q[0])
    rng, by_class, scores = np.random.default_rng(seed), np.empty(L), []
    for k, (X, law) in enumerate(zip(samples, mixture.laws, strict=True)):
        mean, spread = found.scores(X, k - L, law.mean_samples), found.fluctuations(X - law.mean)
        by_class[k] = np.mean(_largest(mean, spread, k, rng, draws))
        scores.append(Scores(mean.mean(axis=0), np.cov(mean.T) + spread.mean(axis=0)))
    return ClassPrediction(float(by_class.mean()), by_class, tuple(scores))


def _largest(mean: np.ndarray, spread: np.ndarray, k: int, rng: np.random.Generator, draws: int) -> np.ndarray:
    """How often score k is the largest, for samples with scores of this mean (k, L) and covariance (k, L, L)."""
    if mean.shape[1] == 2:
        contrast = np.array([1.0, -1.0]) * (1 if k == 0 else -1)
        return normal_share(mean @ contrast, np.einsum("i,kij,j->k", contrast, spread, contrast))
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
    drawn = mean + np.einsum("kij,dkj->dki", root, rng.standard_normal((draws, *mean.shape)), optimize=True)
    return (drawn.argmax(axis=2) == k).mean(axis=0)


def _lowered(mixture: ClassMixture, tests: Sequence[Law]) -> Lowered:
    """The problem of a mixture, labelled by every score (i, i) and by the sum of every two (i, j)."""
    return lower_problem(mixture.problem(), tests, _labels(mixture))


def _labels(mixture: ClassMixture) -> np.ndarray:
    one_hot = np.eye(len(mixture.laws))
    return mixture.labels(np.array([np.maximum(one_hot[i], one_hot[j]) for i, j in pairs(len(mixture.laws))]))


def _scores(mixture: ClassMixture, found: Solution) -> tuple[Scores, ...]:
    """The law of the scores of a fresh sample of every class, from the sums of all pairs of scores."""
    L = len(mixture.laws)
    alone = [row for row, (i, j) in enumerate(pairs(L)) if i == j]
    return tuple(Scores(found.margins[0, k, alone], polarised(found.variances[0, k], L)) for k in range(L))


def next_label_noise(classes: int, epsilon: float) -> np.ndarray:
    """Return noise (L, L) where a label is with probability epsilon the next class's (the first's, for the last class).

    Parameters
    ----------
    classes : int
        L.
    epsilon : float
        Probability of a wrong label.
    """
    return (1 - epsilon) * np.eye(classes) + epsilon * np.roll(np.eye(classes), 1, axis=1)
