"""Any number of classes, each with its own mean and covariance, a ridge classifier with one score a class, and an intercept.

The labels are one-hot vectors, so by polarisation (derivations/special/many_classes.py) the scores of a fresh sample of a class are
jointly Gaussian; the accuracy is the probability that the right one is the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from synthmix.solvers.problem import NO_SUPERVISION, Covariance, Fit, Generator, Law, Problem, Ridge, Source, Verifier
from synthmix.support.errors import BadInput, number


@dataclass(frozen=True)
class ClassMixture:
    """Real and generated samples of L classes.

    laws: the law of the real data of each class: mean (p,) and covariance. n, m: real and generated samples of each class.
    noise: (L, L), the probability of each label for a generated sample of each class; rows sum to 1.
    generator: exact (its laws are `generated`, those of the real data by default), independent (mean and covariance of n_hat fresh
    samples a class) or self-fitted (those of the class's n real samples). intercept: whether one is fitted, without ridge.

    Raises:
        BadInput: for shapes that do not match or numbers outside their range.
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
        L = len(self.laws)
        if L < 2:
            raise BadInput("at least two classes are needed")
        if len({np.shape(law.mean) for law in self.laws}) != 1 or np.ndim(self.laws[0].mean) != 1:
            raise BadInput("the classes' means must be vectors of one length")
        if len(self.n) != L or len(self.m) != L or (self.generated is not None and len(self.generated) != L):
            raise BadInput(f"with {L} classes, n, m and the generated laws need {L} entries each")
        for name, counts in (("n", self.n), ("m", self.m)):
            for count in counts:
                number(f"{name} of a class", count, 0)
        number("omega", self.omega, 0, open_low=True)
        noise = np.asarray(self.noise, dtype=float)
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
        """Features."""
        return len(self.laws[0].mean)

    def kept(self) -> np.ndarray:
        """(L, L): the probability that a generated sample of a class gets each label and is kept."""
        right = np.eye(len(self.laws), dtype=bool)
        return np.asarray(self.noise, dtype=float) * np.where(right, self.verifier.phi, self.verifier.rho)

    def problem(self) -> tuple[Problem, np.ndarray, np.ndarray]:
        """The sources, and the means (K, 2, L) and covariances (K, 2, L, L) of their label vectors and of those of their fits."""
        kept = self.kept()
        fitted = self.generator.kind == "self-fitted"
        sources, means, spreads = [], [], []
        for k, (law, drawn) in enumerate(zip(self.laws, self.laws if self.generated is None else self.generated, strict=True)):
            one_hot = np.eye(len(self.laws))[k]
            alpha = kept[k].sum()
            label = kept[k] / alpha if alpha > 0 else one_hot
            spread = np.diag(label) - np.outer(label, label)
            if not fitted:
                sources.append(Source(f"r{k}", self.n[k], law))
                means.append([one_hot, one_hot])
                spreads.append([np.zeros_like(spread)] * 2)
            fit = None
            if fitted:
                fit = Fit(self.n[k], weight=1.0, mean=True)
            elif self.generator.kind == "independent":
                fit = Fit(self.generator.n_hat, mean=True)
            sources.append(Source(f"s{k}", alpha * self.m[k], drawn, weight=self.omega, fit=fit))
            means.append([label, one_hot])
            spreads.append([spread, np.zeros_like(spread)])
        problem = Problem(tuple(sources), self.ridge, self.N, self.p, self.laws[0], self.intercept)
        return problem, np.array(means), np.array(spreads)


@dataclass(frozen=True)
class Scores:
    """The joint law of the L scores of a fresh sample of one class: mean (L,) and covariance (L, L)."""

    mean: np.ndarray
    covariance: np.ndarray

    def probability_of_largest(self, index: int, *, seed: int = 0) -> float:
        """The probability that the score of that index is the largest: an orthant probability of the differences.

        Scores that do not vary against it are compared by their means; of those that are equal each is as likely to be chosen.
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
            from synthmix.solvers.generated import theory

            return theory.accuracy(mean[0], covariance[0, 0])
        from scipy.stats import multivariate_normal

        size = np.sqrt(variance)
        law = multivariate_normal(np.zeros(others.size), covariance / np.outer(size, size), allow_singular=True, seed=seed,
                                  maxpts=20_000, abseps=1e-4, releps=1e-4)
        return float(law.cdf(mean / size))


@dataclass(frozen=True)
class ClassPrediction:
    """accuracy: the average over classes; by_class (L,); scores: the law of the scores of each class."""

    accuracy: float
    by_class: np.ndarray
    scores: tuple[Scores, ...]


def predict_classes(mixture: ClassMixture, tests: tuple[Law, ...] | None = None) -> ClassPrediction:
    """Predict the accuracy of the classifier on each class (`tests`: other laws of the classes than those of the real data)."""
    scores = _solved(mixture, tests or mixture.laws)[0]
    by_class = np.array([score.probability_of_largest(k) for k, score in enumerate(scores)])
    return ClassPrediction(float(by_class.mean()), by_class, scores)


def predict_on_samples(mixture: ClassMixture, samples: Sequence[np.ndarray], *, seed: int = 0, draws: int = 16) -> ClassPrediction:
    """The same for fresh samples that are not Gaussian: `samples` (k, p) of each class stand for its law.

    The classifier is its mean, which the theory knows as a vector, and fluctuations around it, which are Gaussian with a known
    covariance whatever the sample. So the scores of a sample x are Gaussian around x^T mean classifier, and the accuracy is the average
    over the samples. A sample that the estimated mean of its class was made of is left out of it (Law.mean_samples).
    """
    from synthmix.solvers import kernels
    from synthmix.solvers.predict import distinct_means, problem_columns

    scores, problem, columns, q = _solved(mixture, mixture.laws)
    sources, L = problem_columns(problem), len(mixture.laws)
    s, slope = np.empty(len(q)), np.empty(len(q))
    kernels.weights(sources, q, s, slope)
    covariances = [_matrix(source.law.covariance, problem.p) for source in problem.sources]
    C = np.tensordot(s, covariances, axes=1)
    B = np.linalg.inv(mixture.ridge.gamma * np.eye(problem.p) + C)
    K = len(problem.sources)
    directions, which, errors = distinct_means([*(source.law for source in problem.sources), *mixture.laws], problem.center)
    trained = which[:K]
    noise = [None if error is None else _matrix(error[0], problem.p) / error[1] for error in errors]

    def products(between: np.ndarray) -> np.ndarray:
        found = directions @ between @ directions.T
        for d, error in enumerate(noise):
            found[d, d] -= 0.0 if error is None else np.vdot(between, error)
        return trained @ found @ trained.T

    G = np.ascontiguousarray(products(B))
    alone = [row for row, (i, j) in enumerate(_pairs(L)) if i == j]
    balanced = [kernels.balance(sources, columns[row], q, G, problem.intercept) for row in alone]
    dual = np.array([T * residual for T, _, _, _, residual, _ in balanced])  # (L, K)
    intercepts = np.array([one[-1] for one in balanced])
    origin = problem.center
    if mixture.intercept and balanced[0][0].any():
        # where the weighted average of the means is the origin, the intercept does not move with the mean classifier
        offset = balanced[0][0] @ trained @ directions / balanced[0][0].sum()
        intercepts += dual @ trained @ directions @ B @ offset
        origin, directions = origin + offset, directions - offset
    seen, spread = B @ directions.T, B @ C @ B
    rng, by_class, laws = np.random.default_rng(seed), np.empty(L), []
    for k, X in enumerate(samples):
        law = mixture.laws[k]
        covariance = _matrix(law.covariance, problem.p)
        x = np.asarray(X, dtype=float) - origin
        projected = x @ seen
        if law.mean_samples:
            own = which[K + k].argmax()
            n = law.mean_samples
            projected[:, own] = (n * projected[:, own] - np.einsum("ij,jk,ik->i", x, B, x, optimize=True)) / (n - 1)
        mean = projected @ (dual @ trained).T + intercepts
        steady = dual @ products(B @ covariance @ B) @ dual.T
        values, vectors = np.linalg.eigh(scores[k].covariance - steady)
        root = vectors * np.sqrt(np.maximum(values, 0))
        z = X - law.mean
        share = np.sqrt(np.einsum("ij,jk,ik->i", z, spread, z, optimize=True) / np.vdot(spread, covariance))
        draw = rng.standard_normal((draws, len(X), L)) @ root.T * share[:, None]
        by_class[k] = np.mean((mean + draw).argmax(axis=2) == k)
        laws.append(Scores(mean.mean(axis=0), np.cov(mean.T) + root @ root.T))
    return ClassPrediction(float(by_class.mean()), by_class, tuple(laws))


def _matrix(covariance: Covariance, p: int) -> np.ndarray:
    c = np.asarray(covariance, dtype=float)
    return c if c.ndim == 2 else np.diag(np.broadcast_to(c, (p,)))


def _pairs(L: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(L) for j in range(i, L)]


def _solved(mixture: ClassMixture, tests: Sequence[Law]) -> tuple[tuple[Scores, ...], Problem, np.ndarray, np.ndarray]:
    """The law of the scores of every class, the problem, the columns of the labellings (A, K, 4), and q (K,)."""
    from synthmix.solvers.predict import solve_problem

    problem, means, spreads = mixture.problem()
    L = len(mixture.laws)
    pairs = _pairs(L)
    directions = np.zeros((len(pairs), L))
    for row, (i, j) in enumerate(pairs):
        directions[row, i] = directions[row, j] = 1.0
    label = np.einsum("al,ktl->akt", directions, means)
    spread = np.einsum("al,ktlm,am->akt", directions, spreads, directions)
    columns = np.stack([label[..., 0], spread[..., 0], label[..., 1], spread[..., 1]], axis=-1)
    margins, variances, q, _ = solve_problem(problem, columns, tests)
    return tuple(_polarised(margins[k], variances[k], pairs, L) for k in range(L)), problem, columns, q


def _polarised(margins: np.ndarray, variances: np.ndarray, pairs: list[tuple[int, int]], L: int) -> Scores:
    alone = {i: row for row, (i, j) in enumerate(pairs) if i == j}
    covariance = np.empty((L, L))
    for row, (i, j) in enumerate(pairs):
        both = variances[row] if i != j else 4 * variances[row]
        covariance[i, j] = covariance[j, i] = (both - variances[alone[i]] - variances[alone[j]]) / 2
    return Scores(margins[[alone[i] for i in range(L)]], covariance)


def next_label_noise(classes: int, epsilon: float) -> np.ndarray:
    """(L, L): with probability epsilon a label is the next one (the last one's next is the first)."""
    return (1 - epsilon) * np.eye(classes) + epsilon * np.roll(np.eye(classes), 1, axis=1)
