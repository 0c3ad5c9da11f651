"""The page's solver, run by V8 without a browser, against the compiled one."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from page_cases import QUANTITIES, cases, check_all, predicted
from scipy.special import erfc

from synthmix.explorer.presets import presets

Run = Callable[[str], object]


@pytest.mark.parametrize("loss", [False, True], ids=["square loss", "other losses"])
def test_the_page_predicts_what_python_predicts(run: Run, loss: bool) -> None:
    given = json.dumps([[case.setting, case.formula] for case in cases(loss)])
    found = run(f"{given}.map(([setting, formula]) => predict(setting, formula))")
    check_all(cases(loss), found)


def test_every_preset_predicts_what_python_predicts(run: Run) -> None:
    for preset in presets():
        setting = {"omega": 1.0, "generator": "exact", **preset.state}
        found = run(f"predict({json.dumps(setting)})")
        for name in QUANTITIES:
            assert found[name] == pytest.approx(getattr(predicted(setting), name), rel=1e-9), preset.name


def test_a_wrong_formula_would_be_seen(run: Run) -> None:
    """The comparison has power: where samples are pruned the published formula is off by far more than 1e-9."""
    pruned = [case for case in cases() if case.formula == "rederived" and case.setting["generator"] == "exact"
              and case.predicted.alpha < 0.9 and case.setting["m"] > 10]
    found = run(f"{json.dumps([case.setting for case in pruned])}.map(setting => predict(setting, 'published'))")
    apart = [abs(values["mean_margin"] / case.predicted.mean_margin - 1) for case, values in zip(pruned, found, strict=True)
             if values and case.predicted.mean_margin]
    assert np.mean(np.array(apart) > 1e-6) > 0.5


def test_another_loss_would_be_seen(run: Run) -> None:
    """The comparison has power: with the logistic loss in the place of the probit the same points are off by far more than 1e-9."""
    probit = [case for case in cases(True) if case.setting["loss"] == "probit" and case.predicted.mean_margin]
    found = run(f"{json.dumps([case.setting for case in probit])}.map(setting => predict({{...setting, loss: 'logistic'}}))")
    apart = [abs(values["mean_margin"] / case.predicted.mean_margin - 1) for case, values in zip(probit, found, strict=True) if values]
    assert np.mean(np.array(apart) > 1e-6) > 0.9


def test_erfc_is_that_of_scipy(run: Run) -> None:
    x = np.concatenate([np.linspace(-6, 26, 2001), [0.0, 2.0, np.nextafter(2.0, 0)]])
    assert run(f"{json.dumps(x.tolist())}.map(erfc)") == pytest.approx(erfc(x), rel=1e-13)


@pytest.mark.parametrize("setting", [{"n": 0, "m": 0}, {"n": 0, "m": 10, "generator": "self-fitted"}])
def test_what_cannot_be_predicted_is_null(run: Run, setting: dict[str, object]) -> None:
    usual = {"n": 10, "m": 10, "p": 5, "mu": 1, "epsilon": 0.1, "rho": 0.5, "phi": 0.5, "gamma": 1}
    assert run(f"predict({json.dumps({**usual, **setting})})") is None
