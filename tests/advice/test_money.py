"""What to buy, and the best of several files."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from test_models import gaussians, table

from synthmix.advice.advise import advise
from synthmix.advice.among import advise_among
from synthmix.advice.cross_validation import optimism
from synthmix.advice.evidence import Evidence, gather
from synthmix.advice.money import Prices, prices_of, purchases
from synthmix.advice.plan import Plan
from synthmix.support.errors import BadInput


@cache
def evidence() -> Evidence:
    rng = np.random.default_rng(1)
    return gather(table(*gaussians(rng, 60, p=30, apart=1.0)), Plan(1000, 0.3, 0.5, 1.0), None)


def test_money_goes_where_it_buys_most() -> None:
    cheap_real = purchases(evidence(), Prices(0.01, 10.0, spend=20))
    cheap_synthetic = purchases(evidence(), Prices(100.0, 0.01, spend=20))
    assert cheap_real[0].real > 100 and cheap_synthetic[0].synthetic > 500
    checked = purchases(evidence(), Prices(100.0, 0.01, 0.001, spend=20))
    assert checked[0].kind == "checked synthetic rows" and checked[0].accuracy > cheap_synthetic[0].accuracy
    assert purchases(evidence(), Prices(100.0, 0.01, 100.0, spend=20))[0].kind == "synthetic rows"
    for one in (*cheap_real, *cheap_synthetic, *checked):
        assert one.cost <= 20 + 1e-9 and one.se > one.gain_se > 0
    assert cheap_synthetic[0].accuracy >= cheap_synthetic[1].accuracy and cheap_synthetic[0].kind != cheap_synthetic[1].kind


def test_more_money_buys_no_less() -> None:
    found = [purchases(evidence(), Prices(1.0, 0.05, spend=spend))[0].accuracy for spend in (5, 50, 500)]
    assert found == sorted(found) and found[-1] > evidence().baseline.accuracy


def test_the_cheapest_purchase_reaches_the_target_and_no_cheaper_one_does() -> None:
    base = evidence().baseline.accuracy
    target = base + 0.03
    best, other = purchases(evidence(), Prices(1.0, 0.02, target=target))
    assert best.accuracy >= target and other.accuracy >= target and best.cost <= other.cost
    less = purchases(evidence(), Prices(1.0, 0.02, spend=0.7 * best.cost))
    assert all(one.accuracy < target for one in less)
    assert purchases(evidence(), Prices(1.0, 0.02, target=0.99999)) == ()


WRONG = {
    "nothing to reach": ((1.0, 1.0, None, None, None), "--spend or --target is needed too"),
    "no prices": ((None, None, None, 5.0, None), "--price-real and --price-synthetic are needed too"),
    "both": ((1.0, 1.0, None, 5.0, 0.9), "say either what there is to spend"),
    "a price of nothing": ((0.0, 1.0, None, 5.0, None), "the price of a real row must be above 0"),
    "a target of 95": ((1.0, 1.0, None, None, 95.0), "the target must be at least 0 and at most 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_prices_that_say_too_little_or_too_much(name: str) -> None:
    given, message = WRONG[name]
    with pytest.raises(BadInput, match=message):
        prices_of(*given)
    assert prices_of(None, None, None, None, None) is None


# ---------------------------------------------------------------- several files


def test_the_best_of_several_files_is_chosen() -> None:
    rng = np.random.default_rng(2)
    real, plan = table(*gaussians(rng, 60, p=30, apart=0.8)), Plan(300, self_fitted=False)
    noise = table(gaussians(rng, 300, p=30)[0], rng.integers(0, 2, 300))
    good = table(*gaussians(rng, 300, p=30, apart=0.8))
    advice, chosen = advise_among(real, [("noise", plan, noise), ("good", plan, good)], details=False)
    assert chosen == 1 and [one.chosen for one in advice.candidates] == [False, True] and "good is the best of 2 files" in advice.reason
    alone = advise(real, plan, good, details=False)
    assert advice.gain.value <= alone.gain.value and advice.best.omega == alone.best.omega
    assert advise_among(real, [("good", plan, good)], details=False)[0].gain == alone.gain


def test_the_optimism_of_choosing_among_files_that_add_nothing_is_taken_off() -> None:
    rng = np.random.default_rng(3)
    raw, honest, one_true = [], [], []
    for _ in range(200):
        gains = rng.standard_normal((6, 60))
        raw.append(gains.mean(axis=1).max())
        honest.append(raw[-1] - optimism(gains))
        gains[2] += 2.0  # nobody else is ever chosen: nothing is to be taken off
        one_true.append(optimism(gains))
    assert np.mean(raw) > 0.14 and abs(np.mean(honest)) < 0.05 and np.mean(one_true) < 0.02
