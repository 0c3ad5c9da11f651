"""The derivation: its checks can fail, what is generated is not stale, the report holds every equation."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest
import sympy as sp

from synthmix import cli
from synthmix.derivations import derivatives, one_sample, potential, published
from synthmix.derivations.chapters import checks
from synthmix.derivations.codegen import function_source
from synthmix.derivations.derive import ROOT, departures, generated_files, run_checks, select, stale
from synthmix.derivations.model import Source
from synthmix.derivations.potential import Statement
from synthmix.derivations.special import limit, relabelling, sample_covariance, synthetic_only
from synthmix.derivations.theorem import Check, CheckResult, Function, vanishes
from synthmix.support.errors import BadInput

CHECK = {check.name: check for check in checks()}


@pytest.fixture(scope="module")
def files() -> dict[Path, str]:
    return generated_files()


def test_what_is_committed_is_what_the_derivation_says(files: dict[Path, str]) -> None:
    assert stale(files) == []


def test_a_changed_file_is_stale(files: dict[Path, str], tmp_path: Path) -> None:
    path = next(iter(files))
    assert stale({**files, path: files[path] + "\n"}) == [path]
    assert stale({**files, tmp_path / "missing.py": ""}) == [tmp_path / "missing.py"]


def test_every_generated_module_says_where_it_comes_from(files: dict[Path, str]) -> None:
    for path, text in files.items():
        if path.suffix == ".py":
            assert "Generated from derivations/" in text and "python cli.py derive" in text
            compile(text, str(path), "exec")


HALF = sp.Rational(1, 2)


def _kept_fraction_in_the_leverage(statement: Statement, expression: sp.Expr) -> sp.Expr:
    """The published slip: a left-out sample sees alpha times the trace, here alpha = 1/2."""
    return expression.subs({s.delta: HALF * s.q for s in statement.sources if s.r == 0})


def _no_squared_weight(s: Source) -> sp.Expr:
    return s.theta * s.c * s.delta / (1 + s.c * s.delta)


def _only_its_own_noise(s: Source) -> sp.Expr:
    return s.labels.square * s.theta * s.c**2 * s.delta / (1 + s.c * s.delta)


# what is broken: where, name, what stands there instead, the check that must notice
FAULTS = {
    "a gain without the leverage": (
        one_sample, "response_gain", lambda c, label, h, d: c * (label**2 - (label - h) ** 2), "one sample more"),
    "a growth that forgets the labels' spread": (
        one_sample, "response_growth", lambda s, m, v, d: s.c * (s.labels.square - ((s.labels.mean - m) ** 2 + v) / (1 + s.c * d)),
        "average sample"),
    "a growth with the wrong sign of the variance": (
        one_sample, "response_growth",
        lambda s, m, v, d: s.c * (s.labels.square - (s.labels.variance + (s.labels.mean - m) ** 2 - v) / (1 + s.c * d)),
        "growth of the response"),
    "half of the leverage in tau": (potential, "tau", lambda s: s.theta * s.c / (1 + s.c * s.delta / 2), "growth of the determinant"),
    "half of the leverage in the response": (potential, "tau", lambda s: s.theta * s.c / (1 + s.c * s.delta / 2), "growth of the response"),
    "noise without the square of the weight": (potential, "noise", _no_squared_weight, "growth of the response"),
    "noise without the square of the weight, in the loss": (potential, "noise", _no_squared_weight, "training loss"),
    "a fit without its own weight": (potential, "effective_weight", potential.kappa, "toy setting"),
    "a fit without its own weight, left out": (potential, "effective_weight", potential.kappa, "base left out"),
    "a mean without the noise of its fit": (potential, "noise", _only_its_own_noise, "base left out"),
    "a mean without the noise of its fit, as an error of the mean": (potential, "noise", _only_its_own_noise, "estimated mean"),
    "a base without the samples' own labels": (potential, "signal", lambda s: s.labels.mean, "base that trains"),
    "a generated sample that sees the true covariance": (
        potential, "fit_equation", lambda s: s.delta - s.q, "leverage of a generated sample"),
    "the published slip, counted": (Statement, "direct", _kept_fraction_in_the_leverage, "expansion, one source"),
    "the published slip, two sources": (Statement, "direct", _kept_fraction_in_the_leverage, "expansion, two sources"),
    "noise without the square of the weight, counted": (potential, "noise", _no_squared_weight, "expansion, one source"),
    "a mean without the noise of its fit, counted": (potential, "noise", _only_its_own_noise, "expansion, a fitted generator"),
    "a fit without its own weight, counted": (potential, "effective_weight", potential.kappa, "expansion, self-fitted"),
    "a generated sample that sees the true covariance, counted": (
        potential, "fit_equation", lambda s: s.delta - s.q, "expansion, a fitted generator"),
    "noise without the square of the weight, left out": (potential, "noise", _no_squared_weight, "derivatives and left-out margins"),
    "a variance without its echo": (
        derivatives, "one_source_variance",
        lambda own, theta, y, v, square, m: own**2 / (potential.gamma + own) ** 2 * ((y - m) ** 2 * square + derivatives.eta / theta),
        "variance of one source"),
    "a root of the wrong sign": (derivatives, "positive_root", lambda a, b, c: sp.Piecewise((c / b, b > 0), (-b / a, True)),
                                 "leverage"),
    "a published slope that is right": (published, "published_slope", lambda: sp.Integer(1), "no pruning = published"),
    "a sample that does not see itself": (sample_covariance, "share", lambda: sp.Integer(0), "moments of a sample covariance"),
    "a score of the wrong law": (limit, "tilt", lambda h: sp.exp(-limit.Q / 2) * sp.cosh(h), "a label's posterior"),
    "an uncertainty that forgets the score": (limit, "uncertainty", lambda: 1 / sp.cosh(limit.L) ** 2, "a label's free energy"),
    "a direction that is known": (limit, "overlap", lambda: limit.mu**2, "the direction's side"),
    "an overlap without the prior": (limit, "overlap", lambda: limit.mu**4 * limit.NU, "right labels"),
    "labels that are all known": (limit, "uncertainty", lambda: limit.Q * limit.G**2, "the transition at e = 1/2"),
    "an overlap that is too small": (limit, "overlap", lambda: limit.mu**4 * limit.NU / (2 + limit.mu**2 * limit.NU), "nothing beats it"),
    "a force without leverage": (relabelling, "force", lambda target, score: relabelling.C0 * (target - score), "a sample in its round"),
    "a round without the last one": (relabelling, "mean_margin", lambda: relabelling.SIZE**2 * relabelling.TARGET / relabelling.P,
                                     "the linear equations of a round"),
    "a label without memory": (relabelling, "linear_rounds", partial(relabelling.linear_rounds, memory=False),
                               "linear labels by counting"),
    "a label without its log-odds": (relabelling, "soft_label", lambda: sp.tanh(relabelling.SLOPE * relabelling.SCORE),
                                     "the most likely slope"),
    "a label twice as sure": (relabelling, "soft_label", lambda: sp.tanh(2 * relabelling.SLOPE * relabelling.SCORE + relabelling.L),
                              "calibrated without memory"),
    "a quadratic without the ridge": (synthetic_only, "QUADRATIC", synthetic_only.DELTA - 1, "synthetic only"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_checks_can_fail(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, wrong, check = FAULTS[fault]
    right = getattr(place, name)
    for module in [place, *(each for key, each in sys.modules.items() if key.startswith("synthmix.derivations"))]:
        if getattr(module, name, None) is right:
            monkeypatch.setattr(module, name, wrong)
    assert not CHECK[check].run().holds


def test_vanishes_sees_a_difference() -> None:
    x = sp.Symbol("x")
    assert vanishes((x + 1) ** 2 - x**2 - 2 * x - 1).holds
    assert not vanishes(x - x, x**2 - 1).holds
    assert vanishes(x**2 - 1, modulo=(x - 1, x)).holds


def test_the_published_formula_departs_as_stated() -> None:
    found = [one.values["variance"] for one in departures()]
    expected = [(0.5788, 0.8045), (0.6257, -1.2764), (0.2912, 28.6097), (0.0976, 0.1641)]
    assert [tuple(round(value, 4) for value in pair) for pair in found] == expected


def test_a_function_of_a_stranger_is_refused() -> None:
    x, y = sp.symbols("x y")
    with pytest.raises(ValueError, match="not among its arguments"):
        function_source(Function("f", "f.", (x,), {"f": x + y}))


def test_a_failing_check_changes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fails = Check("always", "1 with 2", lambda: CheckResult(False, "1"))
    monkeypatch.setattr("synthmix.derivations.chapters.checks", lambda: [fails])
    monkeypatch.setattr("synthmix.derivations.derive.generated_files", lambda: {ROOT / "solvers" / "generated" / "theory.py": "broken"})
    monkeypatch.setattr(sys, "argv", ["cli.py", "derive", "--report", str(tmp_path / "report.md")])
    before = (ROOT / "solvers" / "generated" / "theory.py").read_text()
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capsys.readouterr().out
    assert stopped.value.code == 1 and "nothing was generated" in said
    assert "1 of 1 checks fail: always" in said.splitlines()[-1] and "compares 1 with 2" in said
    assert max(map(len, said.splitlines())) <= 80
    assert (ROOT / "solvers" / "generated" / "theory.py").read_text() == before
    assert (tmp_path / "report.md").exists() and (tmp_path / "report.html").exists()


@pytest.mark.parametrize(("name", "found"), [
    ("training loss", ["training loss"]),  # a check
    ("toy", ["toy setting", "n_hat -> infinity", "pi -> 0 and 1"]),  # a chapter
    ("Synthetic data alone", ["synthetic only", "critical noise", "m -> infinity", "gamma -> 0 and infinity"]),  # its title
    ("INFINITY", ["n_hat -> infinity", "m -> infinity", "gamma -> 0 and infinity"]),  # part of names
    ("trainin los", ["training loss"]),  # nearly
])
def test_a_name_selects_checks(name: str, found: list[str]) -> None:
    assert [check.name for check in select(name)] == found


@pytest.mark.parametrize("name", ["zzzzz", "", "  "])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"no check or chapter is named like .*; the chapters are model, "):
        select(name)


def test_checks_run_in_processes_and_one_that_breaks_fails() -> None:
    def breaks() -> CheckResult:
        raise ZeroDivisionError("one line\nand another")

    chosen = [Check("breaks", "", breaks), CHECK["toy setting"], CHECK["intercept"]]
    found = {each.check.name: each.result for each in run_checks(chosen, jobs=2)}
    assert found["toy setting"].holds and found["intercept"].holds and len(found) == 3
    assert found["breaks"] == CheckResult(False, "ZeroDivisionError: one line and another")


def test_one_check_runs_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["cli.py", "derive", "--only", "toy setting", "--jobs", "1"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capsys.readouterr().out
    assert stopped.value.code == 0 and "compares the paper's three scalars" in said and said.endswith("1 check holds.\n")
    monkeypatch.setattr(sys, "argv", ["cli.py", "derive", "--only", "toy setting", "--check"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2 and capsys.readouterr().err.startswith("error: --only runs some of the checks")
