"""The checks of the chapter on model collapse can fail."""

from __future__ import annotations

import pytest
import sympy as sp

from synthmix.derivations.special import collapse

BROKEN = [
    ("next_load", lambda: collapse.W / (1 - collapse.F), collapse.fresh_fold),
    ("next_freedom", lambda: collapse.A + collapse.F * collapse.W / (1 + collapse.W), collapse.fresh_fold),
    ("accumulated", lambda k: collapse.A / k, collapse.accumulated_digits),
    ("step_of_labels", lambda: {"load": collapse.W, "growth": 1 / collapse.Y}, collapse.accumulated_labels),
    ("label_noise", lambda load, second, lost: load - second, collapse.accumulated_labels_digits),
    ("slope_of_root", lambda s, d, d2: s * d2 / (1 + s * d), collapse.signal),
    ("isotropic_signal", lambda mu, s, a: mu**4 / (mu**2 + s * collapse.P), collapse.no_ridge),
    ("weakest_labels", lambda z: 1 - collapse.K * collapse.F**2 * z / collapse.P, collapse.heavy_ridge),
    ("least_share", lambda z: sp.sqrt(collapse.P / (collapse.K * z)), collapse.heavy_ridge),
]


@pytest.mark.parametrize("name, wrong, check", BROKEN, ids=[name for name, *_ in BROKEN])
def test_a_wrong_formula_is_noticed(monkeypatch: pytest.MonkeyPatch, name, wrong, check) -> None:
    monkeypatch.setattr(collapse, name, wrong)
    assert not check().holds
