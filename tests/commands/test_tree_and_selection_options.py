"""Options for selection by a score and for trees with any loss, as a user gives them."""

from __future__ import annotations

import json
import sys

import pytest

import synthmix as sm
from synthmix import cli

SETTING = ["--n", "20", "--m", "300", "--p", "40", "--mu", "1.5", "--epsilon", "0.1", "--gamma", "0.1"]
KEEP = ["--keep", "top", "--keep-share", "0.5", "--score-angle", "30"]
LINE = ["--rho", "1", "--phi", "1", "--generator", "independent", "--n-hat", "60", "--estimate-mean", "--generations", "3"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def of(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cli.py", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out, printed.err

    return of


def test_a_selection_is_that_of_python(run) -> None:
    setting = sm.Setting(20, 300, 40, 1.5, 0.1, ridge=sm.Ridge(0.1))
    rule = sm.keep_share("top", 0.5, setting, sm.score_direction(setting, 30))
    code, out, _ = run("predict", *SETTING, *KEEP, "--json")
    said = json.loads(out)
    assert code == 0
    assert said["accuracy"] == pytest.approx(sm.predict_selection(sm.Selection(setting, rule)).accuracy, rel=1e-12)
    assert said["alpha"] == pytest.approx(0.5)
    code, out, _ = run("simulate", *SETTING, *KEEP, "--trials", "40", "--json")
    measured = json.loads(out)["accuracy"]
    assert code == 0
    assert abs(measured["mean"] - said["accuracy"]) < 5 * measured["se"] + 0.01
    assert "accuracy" in run("predict", *SETTING, *KEEP)[1]


def test_a_tree_with_another_loss(run) -> None:
    code, out, _ = run("predict", *SETTING, *LINE, "--loss", "logistic", "--json")
    assert code == 0
    theory = json.loads(out)["accuracy"]
    code, out, _ = run("simulate", *SETTING, *LINE, "--loss", "logistic", "--trials", "30", "--json")
    measured = json.loads(out)
    assert code == 0
    assert measured["sampler"] == "direct"
    assert abs(measured["accuracy"]["mean"] - theory) < 5 * measured["accuracy"]["se"] + 0.01


@pytest.mark.parametrize("arguments, message", [
    (["--keep", "top"], "--keep needs --keep-share and --score-angle"),
    (["--keep-share", "0.5"], "--keep-share needs --keep"),
    ([*KEEP, "--rho", "0.5"], "leave them out"),
    ([*KEEP[:3], "0", *KEEP[4:]], "the share to keep"),
    ([*KEEP[:3], "1.5", *KEEP[4:]], "the share to keep"),
    ([*KEEP[:5], "400"], "angle"),
    ([*KEEP, "--generations", "3"], "--keep is for one generator"),
    ([*KEEP, "--loss", "logistic"], "selections are covered for the square loss only"),
    ([*KEEP, "--formula", "published"], "no formula for a selection"),
    ([*KEEP, "--beta", "0.5"], "a selection needs a generator"),
    ([*KEEP, "--mu", "0"], "no angle"),
])  # fmt: skip
def test_what_is_refused(run, arguments: list[str], message: str) -> None:
    code, out, error = run("predict", *SETTING, *arguments)
    assert code == 2
    assert not out
    assert message in error
    assert error.strip().count("\n") == 0
