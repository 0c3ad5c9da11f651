"""Family trees by Monte-Carlo: the sampler against drawing every sample, the theory against the sampler, a wrong fold against both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmix.sims.monte_carlo import Estimate, simulate
from synthmix.sims.samplers import trial_streams
from synthmix.sims.samplers.family_tree import FamilyTree
from synthmix.solvers.problem import Ridge, Verifier
from synthmix.solvers.trees import SampleSet, Tree, predict_tree
from synthmix.support.errors import BadInput

P = 150
SPECTRUM = np.linspace(0.4, 2.5, P)
MU = np.full(P, 1.5 / np.sqrt(P))
VERIFIER = Verifier(0.3, 0.8)
TREES = {
    "replace": (SampleSet("a", 300), SampleSet("b", 300, ("a",)), SampleSet("c", 300, ("b",)), SampleSet("d", 900, ("c",), 1.0)),
    "accumulate": (
        SampleSet("a", 300), SampleSet("b", 300, ("a",)), SampleSet("c", 300, ("a", "b")), SampleSet("d", 900, ("a", "b", "c"), 1.0),
    ),
    "train on everything": (SampleSet("a", 300, (), 1.0), SampleSet("b", 300, ("a",), 1.0), SampleSet("d", 900, ("a", "b"), 1.0)),
    "a fresh share": (SampleSet("a", 300), SampleSet("b", 300, ("a",)), SampleSet("r", 200), SampleSet("d", 900, ("b", "r"), 1.0)),
    "fitted on wrong labels": (
        SampleSet("a", 600, (), 0.0, 0.2), SampleSet("b", 500, ("a",), 0.5, 0.3, VERIFIER), SampleSet("r", 300, (), 1.0),
        SampleSet("d", 900, ("b", "r"), 0.7, 0.4, VERIFIER),
    ),
}  # fmt: skip


def tree(name: str) -> Tree:
    return Tree(TREES[name], P, MU, Ridge(0.1), SPECTRUM)


def drawn_one_by_one(of: Tree, rng: np.random.Generator) -> tuple[float, float]:
    """One trial as the model is told: every sample of every set, generators by np.cov."""
    signed: dict[str, np.ndarray] = {}
    gram, moment = of.ridge.gamma * of.N * np.eye(of.p), np.zeros(of.p)
    for each in of.sets:
        mean, root = np.asarray(of.mu), np.diag(np.sqrt(of.covariance))
        if each.parents:
            union = np.concatenate([signed[parent] for parent in each.parents])
            mean, root = union.mean(axis=0), (union - union.mean(axis=0)).T / np.sqrt(len(union))
        y = rng.choice([-1, 1], int(each.count))
        x = y[:, None] * mean + rng.standard_normal((len(y), root.shape[1])) @ root.T
        label = np.where(rng.random(len(y)) < each.epsilon, -y, y)
        keep = rng.random(len(y)) < np.where(label == y, each.verifier.phi, each.verifier.rho)
        signed[each.name] = (label[:, None] * x)[keep]
        gram += each.weight * signed[each.name].T @ signed[each.name]
        moment += each.weight * signed[each.name].sum(axis=0)
    w = np.linalg.solve(gram, moment)
    return float(w @ of.mu), float(w**2 @ of.covariance)


@pytest.mark.parametrize("name", ["a fresh share", "fitted on wrong labels"])
def test_the_sampler_has_the_law_of_samples_drawn_one_by_one(name: str) -> None:
    direct = np.array([drawn_one_by_one(tree(name), np.random.default_rng([7, i])) for i in range(40)])
    fast = FamilyTree(tree(name)).draws(trial_streams(0, 0, 0, 80))
    for i in range(2):
        one, other = Estimate.of(direct[:, i]), Estimate.of(fast[:, i])
        assert abs(one.mean - other.mean) < 4 * np.hypot(one.se, other.se)
        assert 0.5 < direct[:, i].std() / fast[:, i].std() < 2


def agrees(of: Tree, trials: int, seed: int = 0, sigmas: float = 4.0) -> bool:
    """Mean margin and variance within their standard errors and a finite-size budget of 2 / p, relative."""
    theory, measured = predict_tree(of), simulate(of, trials=trials, seed=seed)
    pairs = [(getattr(theory, name), getattr(measured, name)) for name in ("mean_margin", "variance")]
    return all(abs(limit - estimate.mean) <= sigmas * estimate.se + 2 / of.p * limit for limit, estimate in pairs)


@pytest.mark.parametrize("name", TREES)
def test_theory_agrees_with_simulation(name: str) -> None:
    assert agrees(tree(name), 100)


def test_a_wrong_fold_falls_outside() -> None:
    """The weight handed down unreduced (tau = theta omega), or reduced twice, is noticed."""
    right = predict_tree(tree("replace"))
    measured = simulate(tree("replace"), trials=100)
    flat = replace(tree("replace"), sets=(SampleSet("a", 300), SampleSet("d", 900, ("a",), 1.0)))  # as if generations cost nothing
    twice = replace(tree("replace"), sets=tuple(replace(one, count=one.count / 2) if not one.weight else one for one in TREES["replace"]))
    for wrong in (flat, twice):
        off = abs(predict_tree(wrong).variance - measured.variance.mean)
        assert off > 4 * measured.variance.se + 2 / P * right.variance


@st.composite
def random_trees(draw: st.DrawFn) -> Tree:
    """Trees of up to six sets, with any parents, weights, label noise and verifiers, and real sets with laws of their own."""
    sets, mu = [], np.full(60, draw(st.floats(0.5, 2)) / np.sqrt(60))
    for i in range(draw(st.integers(1, 6))):
        names = [each.name for each in sets]
        parents = tuple(draw(st.lists(st.sampled_from(names), unique=True, max_size=3))) if names else ()
        weight, epsilon = draw(st.sampled_from([0.0, 0.3, 1.0, 3.0])), draw(st.sampled_from([0.0, 0.1, 0.4]))
        verifier = Verifier(draw(st.floats(0.2, 1)), draw(st.floats(0.5, 1)))
        covariance = None if parents else draw(st.sampled_from([None, 0.3, np.linspace(3.0, 0.2, 60)]))
        own = None if parents else draw(st.sampled_from([None, 0.5 * mu, mu * np.linspace(2, 0, 60)]))
        sets.append(SampleSet(f"s{i}", draw(st.integers(80, 400)), parents, weight, epsilon, verifier, covariance, own))
    sets[-1] = replace(sets[-1], weight=1.0)
    return Tree(tuple(sets), 60, mu, Ridge(draw(st.sampled_from([0.1, 1.0]))), np.linspace(0.5, 1.5, 60))


@settings(max_examples=25)
@given(random_trees())
def test_random_trees(of: Tree) -> None:
    assert agrees(of, 60, sigmas=5.0)  # 50 comparisons: 5 standard errors are passed by chance once in 30,000 runs


def test_the_direct_sampler_draws_the_same_law() -> None:
    for name in ("train on everything", "fitted on wrong labels"):
        fast, direct = (simulate(tree(name), trials=60, seed=i, sampler=sampler) for i, sampler in enumerate(("sufficient", "direct")))
        for quantity in ("mean_margin", "variance"):
            one, other = getattr(fast, quantity), getattr(direct, quantity)
            assert abs(one.mean - other.mean) < 4 * np.hypot(one.se, other.se)


def test_entries_of_trees_are_gaussian() -> None:
    with pytest.raises(BadInput, match="gaussian entries"):
        simulate(tree("replace"), trials=2, sampler="direct", entries="student")


def test_workers_and_checkpoint_change_no_number(tmp_path) -> None:
    one = simulate(tree("replace"), trials=40, seed=3)
    path = tmp_path / "trials.npz"
    simulate(tree("replace"), trials=20, seed=3, checkpoint=path)
    assert simulate(tree("replace"), trials=40, seed=3, checkpoint=path, jobs=2) == one
