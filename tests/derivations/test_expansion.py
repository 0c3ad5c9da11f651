"""Counting pairings: known moments of samples come out, and each ingredient of the count matters."""

from __future__ import annotations

from math import comb

import pytest
import sympy as sp

from synthmix.derivations import expansion
from synthmix.derivations.model import Labels, Source
from synthmix.derivations.pairings import Edge, contractions, follow, partitions
from synthmix.derivations.potential import Block, Statement


def test_partitions_and_contractions_are_all_there() -> None:
    assert [len(set(partitions(list(range(n))))) for n in range(7)] == [1, 1, 2, 5, 15, 52, 203]  # Bell
    assert [len(list(contractions(list(range(n))))) for n in range(7)] == [1, 1, 2, 4, 10, 26, 76]  # involutions
    assert [len(list(contractions(list(range(n)), centred=True))) for n in range(7)] == [1, 0, 1, 0, 3, 0, 15]


def test_loops_and_paths() -> None:
    edges = [Edge(("a", "b"), ("S",)), Edge(("c", "d"))]
    loop = follow(edges, {x: (y, "C") for x, y in ("ad", "da", "bc", "cb")}, {})
    assert len(loop.loops) == 1 and sorted(loop.loops[0]) == ["C", "C", "S"] and loop.paths == ()
    path = follow(edges, {x: (y, "C") for x, y in ("bc", "cb")}, {"a": "mean", "d": "other"})
    assert path.loops == () and path.paths == (("mean", ("S", "C"), "other"),)


def test_the_moments_of_a_sample_covariance_are_those_of_marchenko_and_pastur() -> None:
    """Labels without a mean and u of one vector: mu^T S^k mu / |mu|^2 has the Narayana polynomials in p/N."""
    eta, zero, one = sp.Symbol("eta", positive=True), sp.Integer(0), sp.Integer(1)
    s = Source(one, one, Labels(zero, zero), sp.Symbol("q"), sp.Symbol("q"))
    statement = Statement((s,), (Block(eta, (one,), zero, sp.diag(0, 1)),))
    for k in range(1, 5):
        narayana = sum(sp.Rational(comb(k, r) * comb(k, r - 1), k) * eta ** (k - r) for r in range(1, k + 1))
        assert sp.expand(expansion.counted(statement, k, {expansion.J: 1}) - (-1) ** k * narayana) == 0


@pytest.mark.parametrize("name", ["TEST", "PUSH"])
def test_without_fields_only_the_samples_are_left(name: str) -> None:
    """t and J put in as 0 leave the terms of the samples alone."""
    statement = expansion._one_source()
    field = {"TEST": expansion.t, "PUSH": expansion.J}[name]
    for k in range(3):
        whole = expansion.counted(statement, k)
        assert whole.has(field) == (name == "PUSH" or k > 0)
        assert sp.expand(whole.subs(field, 0) - expansion.counted(statement, k, {field: sp.Integer(0)})) == 0


def test_a_comparison_says_where_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:


    assert expansion.one_source().holds
    monkeypatch.setattr(Statement, "direct", lambda self, expression: expression.subs({s.delta: s.q / 2 for s in self.sources}))
    assert expansion.one_source().found == "they differ at gamma^-1"
