"""Paired differences between fine-tuned models."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.language.gains import Gain, gain


def drawn(rng: np.random.Generator, pool: int, held_out: int, runs: int, between: float, shared: float) -> Gain:
    """A gain of 5 points. Of a pool with a level for each sample, every run holds out some; `between`: spread of a run's own level."""
    level = rng.choice([-shared, shared], pool)
    right, samples = [], []
    for _ in range(runs):
        some = rng.permutation(pool)[:held_out]
        difference = 0.05 + level[some] + between * rng.standard_normal()
        a = rng.random(held_out) < 0.5 + difference / 2
        right.append((a, rng.random(held_out) < 0.5 - difference / 2))
        samples.append(some.tolist())
    return gain("a", "b", right, samples)


@pytest.mark.parametrize("between, shared", [(0.0, 0.0), (0.0, 0.4), (0.05, 0.0)])
def test_the_error_of_a_gain_is_its_spread(between: float, shared: float) -> None:
    """Over pairs of a pool of which runs share some, and over runs that differ; the mean is unbiased."""
    rng = np.random.default_rng(0)
    found = [drawn(rng, 400, 100, 6, between, shared) for _ in range(600)]
    means, errors = np.array([(one.mean, one.se) for one in found]).T
    assert means.mean() == pytest.approx(0.05, abs=4 * means.std() / 600**0.5)
    assert 0.95 < np.sqrt((errors**2).mean()) / means.std() < 1.4  # the larger of two: not too small, and not much too large
    if between or shared:  # one that knows nothing of either is too small
        plain = np.sqrt(0.5 / 600)
        assert plain < (0.95 if between else 1.0) * means.std()


def test_a_gain_is_paired() -> None:
    """Two models that are right on the same samples but one."""
    a = np.arange(100) < 60
    found = gain("a", "b", [(a, a & (np.arange(100) != 7))], [range(100)])
    assert found.mean == pytest.approx(0.01) and found.se == pytest.approx(0.01, rel=0.02)
    assert found.each == (found.mean,) and found.samples == 100
