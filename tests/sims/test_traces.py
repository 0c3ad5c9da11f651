"""The measured fixed-point scalars against the fixed point."""

from __future__ import annotations

import pytest

from synthmix.sims.traces import measure_traces
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier
from synthmix.support.errors import BadInput


def fixed_point(s: Setting) -> tuple[float, float, float]:
    """d_r, d_s, d_g of the toy setting by plain iteration."""
    d_r = d_s = d_g = 0.0
    for _ in range(2000):
        b, strength = s.ridge.gamma + s.pi / (1 + d_r), s.alpha * (1 - s.pi) / (1 + d_s)
        total = b + strength / (1 + d_g)
        d_r, d_g = s.p / s.N / total, strength * s.p / s.generator.n_hat / total
        d_s = d_r / (1 + d_g)
    return d_r, d_s, d_g


@pytest.mark.parametrize("gamma", [1.0, 0.1])
@pytest.mark.parametrize("p", [40, 200, 500])
def test_traces(p: int, gamma: float) -> None:
    setting = Setting(250, 750, p, 0.7, 0.2, Verifier(0.2, 0.9), Generator("independent", 250), Ridge(gamma))
    measured = measure_traces(setting, trials=12)
    for estimate, theory in zip((measured.d_r, measured.d_s, measured.d_g), fixed_point(setting), strict=False):
        assert abs(estimate.mean - theory) <= 4 * estimate.se + 0.005 * theory
        assert estimate.se < 0.02 * theory
    unpruned = fixed_point(setting.with_(rho=1, phi=1))  # the check can fail
    assert abs(measured.d_g.mean - unpruned[2]) > 4 * measured.d_g.se + 0.01 * unpruned[2]


def test_traces_need_an_independent_generator() -> None:
    with pytest.raises(BadInput, match="independent"):
        measure_traces(Setting(10, 10, 5, 1.0))
