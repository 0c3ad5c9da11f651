"""What the kernels assemble by hand against the symbolic statement at random points, in 50 digits.

Woodbury's identity for the means, the variance, the joint law of many scores by polarisation, products of estimated means less their bias.
"""

from __future__ import annotations

import random

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from synthmix.derivations.model import Labels
from synthmix.derivations.model import Source as Symbolic
from synthmix.derivations.potential import potential
from synthmix.solvers.many_classes import ClassMixture, predict_classes
from synthmix.solvers.predict import predict
from synthmix.solvers.problem import Law, Problem, Ridge, Source, Verifier

DIGITS, P, TOLERANCE = 50, 3, 2e-12
Vector = list[float]


class Exact:
    """A problem of exact sources with diagonal covariances: the potential of the statement at numbers, and its two derivatives."""

    def __init__(self, problem: Problem, spread: list[Vector], test: Vector, gram: list[np.ndarray]) -> None:
        """`spread` (K, P): eigenvalues; `gram`: products of the means within each, the last row that of a fresh sample."""
        self.problem, self.spread, self.test = problem, spread, test
        self.gram = [sp.Matrix(each.shape[0], each.shape[1], lambda a, b, each=each: sp.Rational(each[a, b])) for each in gram]
        with mp.workdps(DIGITS):
            self.theta = [mp.mpf(one.count) / problem.N for one in problem.sources]

    def loads(self, q: list[mp.mpf], t: mp.mpf) -> list[mp.mpf]:
        """The eigenvalues of the inverse of the resolvent."""
        s = [theta * one.weight / (1 + one.weight * x) for theta, one, x in zip(self.theta, self.problem.sources, q, strict=True)]
        return [self.problem.ridge.gamma + t * self.test[j] + sum(each * row[j] for each, row in zip(s, self.spread, strict=True))
                for j in range(P)]  # fmt: skip

    def fixed_point(self, t: mp.mpf) -> list[mp.mpf]:
        """q of every source, by plain iteration of a map that is monotone, then Newton's method."""
        def residuals(*q: mp.mpf) -> list[mp.mpf]:
            x = self.loads(q, t)
            return [q[k] - sum(row[j] / x[j] for j in range(P)) / mp.mpf(self.problem.N) for k, row in enumerate(self.spread)]

        start = [mp.mpf(0)] * len(self.spread)
        with mp.workdps(20):
            for _ in range(200):
                start = [a - b for a, b in zip(start, residuals(*start), strict=True)]
        return list(mp.findroot(residuals, start, tol=mp.mpf(10) ** (10 - 2 * DIGITS)))

    def potential(self, labels: list[Labels], q: list[mp.mpf], t: mp.mpf, j: int) -> mp.mpf:
        """Psi(t, J = j) at the fixed point q."""
        solved = [sp.Float(each, DIGITS) for each in q]
        sources = [Symbolic(sp.Float(theta, DIGITS), sp.Rational(one.weight), label, each, each)
                   for theta, one, label, each in zip(self.theta, self.problem.sources, labels, solved, strict=True)]  # fmt: skip
        size = self.gram[0].shape[0]
        G = sum((each / sp.Float(x, DIGITS) for each, x in zip(self.gram, self.loads(q, t), strict=True)), sp.zeros(size))
        return mp.mpf(sp.Float(potential(sources, G, sp.Integer(j)), DIGITS))

    def values(self, labels: list[Labels]) -> tuple[float, float]:
        """Mean margin and variance with these labels of the sources: half of dPsi/dJ, and -dPsi/dt by a central difference."""
        with mp.workdps(DIGITS):
            q, step = self.fixed_point(mp.mpf(0)), mp.mpf(10) ** (-DIGITS // 3)
            margin = (self.potential(labels, q, mp.mpf(0), 1) - self.potential(labels, q, mp.mpf(0), -1)) / 4  # Psi is quadratic in J
            ahead, back = (self.potential(labels, self.fixed_point(t), t, 0) for t in (step, -step))
            return float(margin), float((back - ahead) / (2 * step))


def drawn(draw: random.Random, K: int) -> tuple[list[Vector], list[Vector]]:
    """Eigenvalues (K, P) and means (K, P)."""
    return ([[draw.uniform(0.2, 3) for _ in range(P)] for _ in range(K)], [[draw.gauss(0, 1) for _ in range(P)] for _ in range(K)])


def grams(means: list[Vector]) -> list[np.ndarray]:
    """Products of the means within each eigenvalue."""
    return [np.outer(column, column) for column in np.array(means).T]


@pytest.mark.parametrize("seed", range(3))
def test_means_and_variance_of_three_sources(seed: int) -> None:
    draw = random.Random(seed)
    spread, means = drawn(draw, 4)
    sources = tuple(Source(str(k), draw.uniform(0.5, 3), Law(np.array(means[k]), np.array(spread[k])), draw.uniform(0, 0.5),
                           draw.uniform(0.2, 3)) for k in range(3))  # fmt: skip
    problem = Problem(sources, Ridge(10 ** draw.uniform(-3, 1)), 5.0, P, Law(np.array(means[3]), np.array(spread[3])))
    expected = Exact(problem, spread[:3], spread[3], grams(means)).values([Labels.wrong(sp.Rational(one.wrong)) for one in sources])
    found = predict(problem)
    assert (found.mean_margin, found.variance) == pytest.approx(expected, rel=TOLERANCE, abs=0)


@pytest.mark.parametrize("seed", range(2))
def test_products_of_estimated_means_are_debiased(seed: int) -> None:
    """Two estimated means; a fresh sample has the first of them, so its error occurs in three places."""
    draw = random.Random(10 + seed)
    spread, means = drawn(draw, 3)
    samples = (draw.uniform(20, 80), draw.uniform(20, 80))
    laws = [Law(np.array(means[k]), np.array(spread[k]), samples[k]) for k in range(2)]
    sources = tuple(Source(str(k), draw.uniform(1, 3), laws[k], draw.uniform(0, 0.4), draw.uniform(0.3, 2)) for k in range(2))
    test = Law(laws[0].mean, np.array(spread[2]), samples[0])
    problem = Problem(sources, Ridge(10 ** draw.uniform(-2, 0)), 5.0, P, test)
    raw = grams([means[0], means[1], means[0]])
    less = [each.copy() for each in raw]
    for j, each in enumerate(less):
        each[np.ix_((0, 2), (0, 2))] -= spread[0][j] / samples[0]
        each[1, 1] -= spread[1][j] / samples[1]
    labels = [Labels.wrong(sp.Rational(one.wrong)) for one in sources]
    found = predict(problem)
    assert (found.mean_margin, found.variance) == pytest.approx(Exact(problem, spread[:2], spread[2], less).values(labels), rel=TOLERANCE)
    biased = Exact(problem, spread[:2], spread[2], raw).values(labels)
    assert abs(found.mean_margin / biased[0] - 1) > 1e-4


def test_the_joint_law_of_scores() -> None:
    """Two classes with four sources: scores one by one and their sum, labelled in the statement, give the covariance."""
    draw = random.Random(5)
    spread, means = drawn(draw, 4)
    laws, generated = ([Law(np.array(means[k + i]), np.array(spread[k + i])) for k in range(2)] for i in (0, 2))
    noise = np.array([[0.7, 0.3], [0.2, 0.8]])
    mixture = ClassMixture(tuple(laws), (2.0, 3.0), (4.0, 3.0), noise, Verifier(0.4, 0.9), generated=tuple(generated), ridge=Ridge(0.2),
                           omega=0.6, intercept=False)  # fmt: skip
    scores, problem, kept = predict_classes(mixture).scores, mixture.problem(), mixture.kept()
    order = [0, 2, 1, 3]  # r0, s0, r1, s1
    for k in range(2):
        exact = Exact(problem, [spread[i] for i in order], spread[k], grams([means[i] for i in order] + [means[k]]))
        values = {a: exact.values([label for i in range(2) for label in (_one_hot(a, np.eye(2)[i]), _one_hot(a, kept[i] / kept[i].sum()))])
                  for a in ((1, 0), (0, 1), (1, 1))}  # fmt: skip
        joint = (values[1, 1][1] - values[1, 0][1] - values[0, 1][1]) / 2
        covariance = [[values[1, 0][1], joint], [joint, values[0, 1][1]]]
        np.testing.assert_allclose(scores[k].mean, [values[1, 0][0], values[0, 1][0]], rtol=TOLERANCE)
        np.testing.assert_allclose(scores[k].covariance, covariance, rtol=10 * TOLERANCE)  # two of the three terms cancel


def _one_hot(a: tuple[int, int], share: np.ndarray) -> Labels:
    """The labels a^T e of samples whose one-hot label e has these probabilities."""
    mean = float(np.dot(a, share))
    return Labels(sp.Rational(mean), sp.Rational(float(np.dot(np.square(a), share) - mean**2)))
