"""The derivation: its checks can fail, what is generated is not stale, the report holds every equation."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import sympy as sp

from synthmix import cli
from synthmix.derivations import derivatives, potential, published
from synthmix.derivations.chapters import chapters, checks
from synthmix.derivations.codegen import function_source
from synthmix.derivations.derive import ROOT, Departure, departures, generated_files, stale
from synthmix.derivations.report import html_page, markdown
from synthmix.derivations.special import sample_covariance, synthetic_only
from synthmix.derivations.theorem import Check, CheckResult, Function, vanishes

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


# what is broken, and the check that must notice
FAULTS = {
    "an alpha in the denominator": (potential, "tau", lambda s: s.theta * s.c / (1 + s.c * s.delta / 2), "stationarity, one source"),
    "a fit without its own weight": (potential, "effective_weight", potential.kappa, "toy setting"),
    "noise without the square of the weight": (
        potential, "noise", lambda s: s.theta * s.c * s.delta / (1 + s.c * s.delta), "training loss"),
    "a root of the wrong sign": (derivatives, "positive_root", lambda a, b, c: sp.Piecewise((c / b, b > 0), (-b / a, True)),
                                 "leave-one-out trace"),
    "a published slope that is right": (published, "published_slope", lambda: sp.Integer(1), "no pruning = published"),
    "a sample that does not see itself": (sample_covariance, "share", lambda: sp.Integer(0), "moments of a sample covariance"),
    "a quadratic without the ridge": (synthetic_only, "QUADRATIC", synthetic_only.DELTA - 1, "synthetic only"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_checks_can_fail(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, wrong, check = FAULTS[fault]
    target = sys.modules[CHECK[check].run.__module__]
    for place in {module, target}:
        if hasattr(place, name):
            monkeypatch.setattr(place, name, wrong)
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


def test_the_report_prints_every_equation() -> None:
    results = [(Check("a check", "a | b", lambda: CheckResult(True, "")), CheckResult(False, "found < this"))]
    text, page = (write(results, [Departure({"m": 1}, {"variance": (0.5, 0.25)})]) for write in (markdown, html_page))
    equations = [equation for _, theorem in chapters() for equation in theorem.equations]
    assert text.count("$$") == 2 * len(equations) and page.count("<math display") == len(equations)
    for words in ("a check", "NO", "0.2500", "self-fitted"):
        assert words in text and words in page
    assert "a \\| b" in text and "found &lt; this" in page


def test_a_failing_check_changes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fails = Check("always", "1 with 2", lambda: CheckResult(False, "1"))
    monkeypatch.setattr("synthmix.derivations.derive.checks", lambda: [fails])
    monkeypatch.setattr("synthmix.derivations.derive.generated_files", lambda: {ROOT / "solvers" / "generated" / "theory.py": "broken"})
    monkeypatch.setattr(sys, "argv", ["cli.py", "derive", "--report", str(tmp_path / "report.md")])
    before = (ROOT / "solvers" / "generated" / "theory.py").read_text()
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1 and "nothing was generated" in capsys.readouterr().out
    assert (ROOT / "solvers" / "generated" / "theory.py").read_text() == before
    assert (tmp_path / "report.md").exists() and (tmp_path / "report.html").exists()
