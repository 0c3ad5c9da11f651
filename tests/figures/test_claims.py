"""Claims on average: a bias that no single claim sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthmix.figures.kit.claims import Claim, agrees, at_most, pooled, pooled_by_quantity, smallest_caught
from synthmix.sims.monte_carlo import Estimate

TRUTH = np.linspace(0.1, 2, 100)
MEASURED = TRUTH * (1 + 0.01 * np.random.default_rng(0).standard_normal(100))


def claims(bias: float = 0.0) -> list[Claim]:
    """Of a theory that is off by a share, against measurements with an error of 1% and a budget of 0.2%."""
    return [agrees("variance, here", float(truth * (1 + bias)), Estimate(float(measured), float(0.01 * truth)), 0.002 * truth)
            for truth, measured in zip(TRUTH, MEASURED, strict=True)]


def test_a_bias_that_no_single_claim_sees_is_seen_on_average() -> None:
    right, wrong = pooled("variance", claims()), pooled("variance", claims(0.01))
    assert all(claim.holds for claim in claims(0.01)) and right.holds and not wrong.holds
    assert right.se == pytest.approx(0.001, rel=0.01) and right.tolerance == pytest.approx(4 * right.se + 0.002)
    assert smallest_caught([right]) < 0.01 < smallest_caught(claims())


def test_a_claim_with_a_large_error_counts_little() -> None:
    first, *others = claims()
    bad = replace(first, measured=2 * first.theory, se=100 * first.se, tolerance=100 * first.tolerance)
    assert pooled("variance", [bad, *others]).measured == pytest.approx(pooled("variance", others).measured, abs=2e-5)


def test_every_quantity_is_pooled_that_is_compared() -> None:
    found = pooled_by_quantity([*claims(), at_most("other", 1.0, 2.0), agrees("accuracy, here", 0.7, Estimate(0.7, 0.01), 0.001)])
    assert [(claim.name, claim.kind, claim.theory) for claim in found] == [
        ("variance on average", "agrees", 1.0), ("accuracy on average", "agrees", 1.0)]  # fmt: skip
