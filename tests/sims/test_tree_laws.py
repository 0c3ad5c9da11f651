"""Family trees whose real sets have laws of their own: at 30 digits, against other solvers, and by Monte-Carlo with power."""

from __future__ import annotations

from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from synthmix.derivations.special import family_tree
from synthmix.sims.monte_carlo import simulate
from synthmix.solvers.any_loss import Loss
from synthmix.solvers.predict import predict
from synthmix.solvers.problem import Law, Problem, Ridge, Source, Verifier
from synthmix.solvers.spectra import even_mean, spectrum
from synthmix.solvers.tree_losses import solve_tree_loss
from synthmix.solvers.trees import SampleSet, Tree, predict_tree, solve_tree
from synthmix.support.errors import BadInput

P = 120
MU, OTHER = even_mean(1.5, P), 1.2 * np.concatenate([np.ones(P // 3), np.zeros(P - P // 3)]) / np.sqrt(P // 3)
FALLS, RISES = spectrum("power:1", P), spectrum("power:1", P)[::-1].copy()
ROTATION = np.linalg.qr(np.random.default_rng(0).standard_normal((P, P)))[0]
SHAPES = {"isotropic": (1.0, 0.1, 4.0), "commuting": (1.0, 0.2 * FALLS, 4 * RISES),
          "dense": (1.0, np.diag(0.2 * FALLS), 4 * (ROTATION * FALLS) @ ROTATION.T)}  # fmt: skip


def tree(shape: str, *, means: bool = True) -> Tree:
    """Two roots of other laws than that of the test samples, a generator fitted on both, one on its samples, and all of it trained on."""
    test, first, second = SHAPES[shape]
    mu = dict(zip("ab", (0.8 * MU, OTHER), strict=True)) if means else {"a": None, "b": None}
    return Tree(
        (SampleSet("a", 200, weight=0.5, covariance=first, mu=mu["a"]), SampleSet("b", 150, epsilon=0.1, covariance=second, mu=mu["b"]),
         SampleSet("c", 100, weight=1.0), SampleSet("d", 250, ("a", "b")), SampleSet("e", 300, ("b", "d"), 0.0, 0.2, Verifier(0.3, 0.9)),
         SampleSet("s", 500, ("d", "e"), 0.8, 0.2, Verifier(0.3, 0.9))),
        P, MU, Ridge(0.1), test,
    )  # fmt: skip


def pooled(of: Tree) -> Tree:
    """The same tree as if the real sets that generators are fitted on had the average of their covariances."""
    real = [each for each in of.sets if not each.parents and each.covariance is not None]
    average = sum(each.count * np.asarray(each.covariance) for each in real) / sum(each.count for each in real)
    return replace(of, sets=tuple(replace(each, covariance=average) if each in real else each for each in of.sets))


def same(one, other, rel: float) -> None:
    assert (one.mean_margin, one.variance) == pytest.approx((other.mean_margin, other.variance), rel=rel)


@pytest.mark.parametrize("shape", SHAPES)
def test_theory_agrees_with_simulation_and_one_pooled_covariance_does_not(shape: str) -> None:
    of = tree(shape)
    theory, seen = predict_tree(of), simulate(of, trials=400)

    def outside(value) -> bool:
        return any(abs(getattr(value, name) - one.mean) > 4 * one.se + 2 / P * abs(getattr(theory, name))
                   for name in ("mean_margin", "variance") for one in [getattr(seen, name)])  # fmt: skip

    assert not outside(theory)
    assert outside(predict_tree(pooled(of)))
    one_mean = replace(of, sets=tuple(replace(each, mu=None) for each in of.sets))
    assert outside(predict_tree(one_mean))


@pytest.mark.parametrize("loss", ["logistic", "squared-hinge"])
@pytest.mark.parametrize("shape", ["commuting", "dense"])
def test_other_losses_agree_with_simulation(shape: str, loss: str) -> None:
    of = tree(shape)
    theory, seen = predict_tree(of, loss=loss), simulate(of, trials=100, loss=loss)
    for name in ("mean_margin", "variance"):
        one = getattr(seen, name)
        assert abs(getattr(theory, name) - one.mean) <= 4 * one.se + 2 / P * abs(getattr(theory, name))
    assert abs(predict_tree(pooled(of), loss=loss).variance - seen.variance.mean) > 4 * seen.variance.se + 2 / P * theory.variance


@pytest.mark.parametrize("shape", SHAPES)
def test_the_square_loss_is_ridge(shape: str) -> None:
    same(solve_tree_loss(tree(shape), Loss.of("square")), solve_tree(tree(shape)), 1e-8)


def test_both_samplers_draw_the_same_law() -> None:
    fast, direct = (simulate(tree("commuting"), trials=100, seed=i, sampler=name) for i, name in enumerate(("sufficient", "direct")))
    for name in ("mean_margin", "variance"):
        one, other = getattr(fast, name), getattr(direct, name)
        assert abs(one.mean - other.mean) < 4 * np.hypot(one.se, other.se)


def test_eigenvalues_and_matrices_agree() -> None:
    of = tree("commuting")
    turned = replace(of, mu=ROTATION @ of.mu, covariance=np.eye(P), sets=tuple(
        replace(each, covariance=None if each.covariance is None else (ROTATION * each.covariance) @ ROTATION.T,
                mu=None if each.mu is None else ROTATION @ each.mu) for each in of.sets))  # fmt: skip
    same(predict_tree(turned), predict_tree(of), 1e-9)
    numbers = tree("isotropic")
    same(predict_tree(replace(numbers, covariance=np.ones(P))), predict_tree(numbers), 1e-11)


def test_without_generators_it_is_a_problem_of_several_sources() -> None:
    real = tuple(each for each in tree("commuting").sets if not each.parents)
    of = replace(tree("commuting"), sets=tuple(replace(each, weight=1.0 + i) for i, each in enumerate(real)))
    sources = tuple(Source(each.name, each.kept, of.law(each), (1 - each.label) / 2, each.weight) for each in of.sets)
    same(predict_tree(of), predict(Problem(sources, of.ridge, of.N, P, Law(MU, 1.0))), 1e-10)


def test_one_law_given_set_by_set_is_that_of_the_tree() -> None:
    of = replace(tree("isotropic", means=False), covariance=FALLS)
    given = replace(of, sets=tuple(replace(each, covariance=None if each.parents else FALLS.copy(), mu=None if each.parents else MU.copy())
                                   for each in of.sets))  # fmt: skip
    same(predict_tree(given), predict_tree(replace(of, sets=tuple(replace(each, covariance=None) for each in of.sets))), 1e-14)
    assert len(given.laws.different) == 1 and len(tree("isotropic").laws.different) == 3


def test_a_generator_of_two_laws_is_exact_in_the_limit() -> None:
    """Fitted on very many samples of both it is one source with the mean and the covariance of their union, their distance included."""
    p, share = 400, 0.3
    first, second, mean, other = spectrum("power:1", p), np.full(p, 2.0), even_mean(2.0, p), -0.5 * even_mean(2.0, p)
    sets = (SampleSet("a", share * 1e10, covariance=first, mu=mean), SampleSet("b", (1 - share) * 1e10, covariance=second, mu=other),
            SampleSet("s", 1000, ("a", "b"), 1.0, 0.1))  # fmt: skip
    of = predict_tree(Tree(sets, p, mean, Ridge(0.1), np.ones(p)))
    union, apart = share * mean + (1 - share) * other, mean - other

    def exact(between: float):
        law = Law(union, np.diag(share * first + (1 - share) * second) + between * np.outer(apart, apart))
        return predict(Problem((Source("s", 1000, law, 0.1, synthetic=True),), Ridge(0.1), 1000, p, Law(mean, np.eye(p))))

    same(of, exact(share * (1 - share)), 0.01)  # a direction is nothing to a trace, in the leading order
    assert abs(exact(0.0).mean_margin / of.mean_margin - 1) > 0.1


def test_thirty_digits() -> None:
    """The fixed point by plain iteration, and the variance as the derivative of the training loss in t, from the symbolic fold."""
    of = Tree((SampleSet("a", 40, weight=0.5, covariance=np.array([0.5, 1.0, 3.0]), mu=np.array([1.0, 0.2, 0.3])),
               SampleSet("b", 30, epsilon=0.1, covariance=np.array([2.0, 0.7, 0.1]), mu=np.array([0.4, -0.3, 0.8])),
               SampleSet("s", 60, ("a", "b"), 1.0, 0.2)), 3, np.array([0.9, 0.4, 0.1]), Ridge(0.2), np.array([1.0, 1.5, 0.5]))  # fmt: skip
    with mp.workdps(30):
        q, delta = sp.symbols("q_a q_b", positive=True), sp.symbols("d_a d_b d_s", positive=True)
        N = sp.Integer(100)
        numbers = [(each.count / N, sp.nsimplify(each.weight), 1 - 2 * sp.nsimplify(each.epsilon)) for each in of.sets]
        folded = family_tree.fold([family_tree.SampleSet(each.name, *map(sp.nsimplify, values), d, each.parents, trace)
                                   for each, values, d, trace in zip(of.sets, numbers, delta, (*q, q[0]), strict=True)])  # fmt: skip
        gram = sp.Matrix(2, 2, lambda i, j: sp.Symbol(f"G{min(i, j)}{max(i, j)}"))
        roots, targets = list(folded.roots.values()), list(folded.targets.values())
        lacks = family_tree.gaps(roots, targets, gram)
        run = sp.lambdify((*q, *delta), [*roots, *folded.equations], "mpmath")
        respond = sp.lambdify((*q, *delta, gram[0, 0], gram[0, 1], gram[1, 1]),
                              [folded.loss_of_laws(gram), *(root * lack for root, lack in zip(roots, lacks, strict=True))], "mpmath")
        c, mu = [[mp.mpf(str(x)) for x in each.covariance] for each in of.sets[:2]], [list(map(str, each.mu)) for each in of.sets[:2]]
        mu = [[mp.mpf(x) for x in row] for row in mu]
        test, mean = [mp.mpf(str(x)) for x in of.covariance], [mp.mpf(str(x)) for x in of.mu]

        def at(t: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
            traces, deltas = [mp.mpf(1) / 100] * 2, [mp.mpf(1) / 100] * 3
            for _ in range(200):
                first, second, *apart = run(*traces, *deltas)
                deltas = [one - gap for one, gap in zip(deltas, apart, strict=True)]
                b = [1 / (mp.mpf("0.2") + t * test[i] + first * c[0][i] + second * c[1][i]) for i in range(3)]
                traces = [sum(c[a][i] * b[i] for i in range(3)) / 100 for a in range(2)]

            def product(one, other):
                return sum(x * y * z for x, y, z in zip(one, other, b, strict=True))

            loss, *forces = respond(*traces, *deltas, product(mu[0], mu[0]), product(mu[0], mu[1]), product(mu[1], mu[1]))
            return loss, sum(force * product(mean, row) for force, row in zip(forces, mu, strict=True))

        margin, variance = at(mp.mpf(0))[1], mp.diff(lambda t: at(t)[0], 0)
    found = predict_tree(of)
    assert (found.mean_margin, found.variance) == pytest.approx((float(margin), float(variance)), rel=1e-12)


@pytest.mark.parametrize(("change", "said"), [
    ({"covariance": np.ones(3)}, "a covariance must be a number"),
    ({"mu": 1.0}, "mu of set a must be a vector where that of the tree is one"),
    ({"mu": np.ones(3)}, "mu of set a as a vector must have p = 120 entries"),
    ({"covariance": -1.0}, "negative eigenvalue"),
])  # fmt: skip
def test_a_law_that_is_none_is_refused(change: dict[str, object], said: str) -> None:
    of = tree("commuting")
    with pytest.raises(BadInput, match=said):
        replace(of, sets=(replace(of.sets[0], **change), *of.sets[1:]))


def test_a_generated_set_has_no_law_of_its_own() -> None:
    with pytest.raises(BadInput, match="set b has the mean and the covariance of its parents"):
        SampleSet("b", 10, ("a",), covariance=2.0)
    with pytest.raises(BadInput, match="give mu as a vector"):
        Tree((SampleSet("a", 10, weight=1.0, covariance=np.ones(2)),), 2, 1.0)
