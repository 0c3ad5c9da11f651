"""What the kernels assemble by hand against the symbolic statement at random points, in 50 digits.

Woodbury's identity for the means, the variance, the joint law of many scores by polarisation, products of estimated means less their bias.
"""

from __future__ import annotations

import random

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from synthmix.derivations.derivatives import mean_margin, variance
from synthmix.derivations.model import Labels, gamma
from synthmix.derivations.model import Source as Symbolic
from synthmix.derivations.potential import Block, Statement
from synthmix.solvers.many_classes import ClassMixture, predict_classes
from synthmix.solvers.predict import predict
from synthmix.solvers.problem import Law, Problem, Ridge, Source, Verifier

DIGITS, P, TOLERANCE = 50, 3, 2e-12
Vector = list[float]


class Exact:
    """A problem of exact sources with diagonal covariances: its statement, its fixed point in 50 digits, its two derivatives."""

    def __init__(self, problem: Problem, spread: list[Vector], test: Vector, gram: list[np.ndarray]) -> None:
        """`spread` (K, P): eigenvalues; `gram`: products of the means within each, the last row that of a fresh sample."""
        self.problem, self.spread, self.test, self.gram = problem, spread, test, gram
        self.theta = [sp.Rational(one.count) / sp.Rational(problem.N) for one in problem.sources]
        self.q = sp.symbols(f"q_0:{len(spread)}", positive=True)
        with mp.workdps(DIGITS):
            solved = self.fixed_point()
            self.at = {q: sp.Float(value, DIGITS) for q, value in zip(self.q, solved, strict=True)}
            self.at[gamma] = sp.Rational(problem.ridge.gamma)

    def fixed_point(self) -> list[mp.mpf]:
        """q of every source."""
        N, ridge = mp.mpf(self.problem.N), mp.mpf(self.problem.ridge.gamma)
        theta = [mp.mpf(each.p) / each.q for each in self.theta]

        def residuals(*q: mp.mpf) -> list[mp.mpf]:
            s = [t * one.weight / (1 + one.weight * x) for t, one, x in zip(theta, self.problem.sources, q, strict=True)]
            x = [ridge + sum(each * row[j] for each, row in zip(s, self.spread, strict=True)) for j in range(P)]
            return [q[k] - sum(row[j] / x[j] for j in range(P)) / N for k, row in enumerate(self.spread)]

        start = [mp.mpf(0)] * len(self.spread)
        for _ in range(200):
            start = [a - b for a, b in zip(start, residuals(*start), strict=True)]
        if len(start) == 1:
            return [mp.findroot(residuals, start[0])]
        return list(mp.findroot(residuals, start, tol=mp.mpf(10) ** (10 - 2 * DIGITS)))

    def values(self, labels: list[Labels]) -> tuple[float, float]:
        """Mean margin and variance with these labels of the sources."""
        sources = tuple(Symbolic(theta, sp.Rational(one.weight), label, q, q)
                        for theta, one, label, q in zip(self.theta, self.problem.sources, labels, self.q, strict=True))
        blocks = tuple(Block(1 / sp.Rational(self.problem.N), tuple(sp.Rational(row[j]) for row in self.spread), sp.Rational(self.test[j]),
                             sp.Matrix(self.gram[j].shape[0], self.gram[j].shape[1], lambda a, b, j=j: sp.Rational(self.gram[j][a, b])))
                       for j in range(P))  # fmt: skip
        statement = Statement(sources, blocks)
        return tuple(float(sp.N(derive(statement, self.at), DIGITS)) for derive in (mean_margin, variance))


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
