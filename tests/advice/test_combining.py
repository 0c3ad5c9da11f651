"""A gain from theory, measurement and how large gains are: right on average whatever it says, where gains are as large as is assumed."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.advice.combining import SPREAD, combined
from synthmix.advice.result import MeasuredGain

DOUBT, ERROR = 0.05, 0.06


def measured(gain: float, predicted: float, *, agree: bool = True, doubt: float = DOUBT, error: float = ERROR) -> MeasuredGain:
    return MeasuredGain(100, 1.0, 1.0, 1.0, 0.8, 0.03, gain, error, 0.0, 0.03, predicted, doubt, agree)


def test_a_high_gain_comes_out_as_it_is_said_and_would_not_without_the_pull() -> None:
    rng = np.random.default_rng(0)
    true = SPREAD * rng.standard_normal(20_000)
    found = [combined(measured(*pair)) for pair in zip(true + ERROR * rng.standard_normal(true.size),
                                                       true + DOUBT * rng.standard_normal(true.size), strict=True)]
    value, se = np.array([one.value for one in found]), found[0].se
    high = value > SPREAD
    error = true[high].std() / high.sum() ** 0.5
    assert abs(value[high].mean() - true[high].mean()) < 4 * error
    assert np.mean(value[high] / found[0].pull) - true[high].mean() > 10 * error  # what theory and measurement say alone
    assert np.mean(np.abs(value - true) < 2 * se) == pytest.approx(0.954, abs=0.005)


def test_sure_gains_are_left_alone_and_unsure_ones_are_none() -> None:
    sure = combined(measured(0.1, 0.1, doubt=1e-3, error=1e-3))
    assert sure.value == pytest.approx(0.1, rel=1e-3) and sure.share == pytest.approx(0.5)
    unsure = combined(measured(0.1, 0.1, doubt=1.0, error=1.0))
    assert unsure.value < 0.001 and unsure.se < SPREAD
    apart = combined(measured(0.1, -0.5, agree=False), 1e6)
    assert apart.share == 1.0 and apart.value == pytest.approx(0.1) and apart.se == pytest.approx(ERROR)
    certain = combined(measured(0.0, 0.0, doubt=0.0, error=0.0))
    assert certain.value == 0.0 and np.isfinite(certain.se)
