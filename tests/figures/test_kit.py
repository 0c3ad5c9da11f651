"""The machinery of figures: the contract, settings from the command line, the record."""

from __future__ import annotations

import json
import subprocess
import warnings
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from synthmix.drawing.panels import Line, Panel
from synthmix.figures.kit import record
from synthmix.figures.kit.claims import agrees, falls_outside, pooled_by_quantity
from synthmix.figures.kit.figure import Built, Figure
from synthmix.figures.kit.overrides import file_suffix, overridden
from synthmix.figures.kit.registry import load, names
from synthmix.figures.kit.run import Run
from synthmix.figures.kit.validate import validate
from synthmix.sims.monte_carlo import Estimate
from synthmix.solvers.problem import Verifier
from synthmix.support.errors import BadInput, NotConverged
from synthmix.support.typed import Positive, Some


@dataclass(frozen=True)
class Settings:
    p: Annotated[tuple[Positive, ...], Some()] = (50, 200)
    gamma: float = 1.0
    verifier: Verifier = Verifier(rho=0.3, phi=0.8)
    measured: tuple[tuple[int, int], ...] = ((50, 40),)
    kind: str = "weak"
    many: bool = True


@pytest.mark.parametrize("name, said", [("1", "bins=0"), ("4", "half_step=0"), ("1", "draws=1")])
def test_settings_without_a_meaning_are_one_line(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        validate(name, Run(), quick=True, out=tmp_path, assignments=[said, *(["trials=4"] if name == "4" else [])])
    assert len(str(refused.value).splitlines()) == 1


def test_what_is_0_in_theory_has_no_average_ratio() -> None:
    nothing, something = agrees("margin, m=1", 0.0, Estimate(0.01, 0.01), 0.0), agrees("accuracy, m=1", 0.5, Estimate(0.5, 0.01), 0.0)
    assert [claim.name for claim in pooled_by_quantity([nothing, something])] == ["accuracy on average"]


def test_what_is_no_number_falls_outside_nothing() -> None:
    measured = Estimate(1.0, 0.1)
    assert falls_outside("wrong", 2.0, measured, 0.1).holds
    assert not falls_outside("wrong", 1.1, measured, 0.1).holds
    assert not falls_outside("wrong", float("nan"), measured, 0.1).holds
    assert not falls_outside("wrong", 2.0, Estimate(float("nan"), 0.1), 0.1).holds


@pytest.mark.parametrize("name", names())
def test_every_figure_keeps_the_contract(name: str) -> None:
    figure = load(name)
    assert isinstance(figure, Figure) and figure.title and figure.columns > 0
    assert is_dataclass(figure.settings) and type(figure.quick) is type(figure.settings) and figure.quick != figure.settings
    for field in fields(figure.settings):  # every field's type is understood: its own value is put in again
        value = getattr(figure.settings, field.name)
        if isinstance(value, bool | int | float | str):
            assert overridden(figure.settings, [f"{field.name}={json.dumps(value)}"]) == figure.settings


def test_settings_are_changed_by_assignments() -> None:
    changed = overridden(Settings(), ["p=100,400", "gamma = 2", "verifier.rho=0.2", "measured=[1,2],[3,4]", "kind=strong", "many=false"])
    assert changed == Settings((100, 400), 2.0, Verifier(0.2, 0.8), ((1, 2), (3, 4)), "strong", False)
    assert overridden(Settings(), ["p=7", "verifier=rho=0.1,phi=0.9"]) == Settings((7,), verifier=Verifier(0.1, 0.9))
    assert overridden(Settings(), ["p=[8, 9]"]).p == (8, 9)
    assert overridden(Settings(), []) == Settings()


@pytest.mark.parametrize(
    ("assignments", "words"),
    [
        (["gamma"], "NAME=VALUE"),
        (["=1"], "NAME=VALUE"),
        (["q=1"], "there is no setting q; there are p, gamma"),
        (["verifier.theta=1"], "there is no setting verifier.theta; there are verifier.rho, verifier.phi"),
        (["gamma.rho=1"], "gamma has no parts"),
        (["gamma=large"], "gamma must be a number, not 'large'"),
        (["gamma=nan"], "gamma must be a finite number"),
        (["gamma=1\nkind='x'"], "must be one line"),
        (["gamma="], "gamma must be a number"),
        (["p="], "p must not be empty"),
        (["p=1.5"], r"p\[0\] must be a whole number"),
        (["p=" + "9" * 5000], "p must be a list"),
        (["p=0,1"], "at least 1"),
        (["verifier.rho=2"], "rho must be at least 0 and at most 1"),
        (["verifier=3"], "verifier must be a table"),
        (["many=1"], "true or false"),
        (["verifier.rho=0.1", "verifier=1"], "set the one or the other"),
        (["verifier=1", "verifier.rho=0.1"], "set the one or the other"),
    ],
)
def test_wrong_assignments_are_one_line(assignments: list[str], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        overridden(Settings(), assignments)
    assert "\n" not in str(refused.value)


def test_changed_settings_have_files_of_their_own() -> None:
    assert file_suffix([]) == "" and file_suffix(["p=1, 2", "gamma=0.1"]) == "-p=1,2-gamma=0.1"
    odd = {file_suffix([one]) for one in ("kind=../../x", "kind=" + "x" * 300, "kind=y/")}
    assert len(odd) == 3 and all(one.startswith("-set-") and "/" not in one and len(one) < 30 for one in odd)


def test_the_record_of_a_changed_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = Panel("", "", "", [])
    figure = Figure("A figure", 1, Settings(), Settings(p=(5,)), lambda s, run: Built([panel], [], {"p": s.p, "out": run.out}))
    monkeypatch.setattr("synthmix.figures.kit.validate.load", lambda name: figure)
    done = validate("4", Run(seed=3), quick=True, out=tmp_path, assignments=["gamma=0.5"])
    assert {path.name for path in done.files} == {f"figure4-quick-gamma=0.5{suffix}" for suffix in (".png", ".pdf", ".json", ".csv")}
    written = json.loads((tmp_path / "figure4-quick-gamma=0.5.json").read_text())
    assert written["settings"]["gamma"] == 0.5 and written["extra"]["p"] == [5] and written["seed"] == 3
    assert done.holds and written["commit"] == record.commit()


def test_what_torch_refuses_is_one_line_with_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(s: Settings, run: Run) -> Built:
        raise {1.0: NotConverged, 2.0: RuntimeError}[s.gamma]("value cannot be converted")

    monkeypatch.setattr("synthmix.figures.kit.validate.load", lambda name: Figure("A figure", 1, Settings(), Settings(), build))
    with pytest.raises(BadInput, match=r"figure 4 has no meaning with gamma=2 \(RuntimeError: value cannot"):
        validate("4", Run(), quick=True, out=tmp_path, assignments=["gamma=2"])
    with pytest.raises(NotConverged):
        validate("4", Run(), quick=True, out=tmp_path, assignments=["gamma=1"])


@pytest.mark.parametrize(("figure", "assignment"), [
    ("7", "m=[]"), ("real", "cases=[]"), ("advise", "cases=[]"), ("relabel", "rounds=-1"), ("loss", "epsilons=[]"), ("loss", "ratios=[]"),
])  # fmt: skip
def test_settings_without_meaning_are_refused_by_name(figure: str, assignment: str) -> None:
    with pytest.raises(BadInput, match=f"{assignment.partition('=')[0]} must"):
        overridden(load(figure).quick, [assignment])


def test_numbers_that_are_none_are_told_and_not_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    def build(s: Settings, run: Run) -> Built:
        y = np.log(np.zeros(2))
        warnings.warn("kept", UserWarning, stacklevel=1)
        return Built([Panel("", "", "", [Line("", np.zeros(2), y)], xscale="log", yscale="log")],
                     [agrees("nothing", np.nan, Estimate(0.0, 0.0), 1.0)], notes=["a note"])  # fmt: skip

    monkeypatch.setattr("synthmix.figures.kit.validate.load", lambda name: Figure("A figure", 1, Settings(), Settings(), build))
    done = validate("4", Run(), quick=True, out=tmp_path)
    assert done.notes == ("a note", "Some numbers have no value here (divide by zero encountered in log).") and not done.holds
    assert [str(one.message) for one in recwarn] == ["kept"]


@pytest.mark.parametrize("place", ["file", "file/folder", "/proc/nowhere", "/dev/full", "x" * 300])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_computed(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(s: Settings, run: Run) -> Built:
        raise AssertionError("computed first")

    monkeypatch.setattr("synthmix.figures.kit.validate.load", lambda name: Figure("A figure", 1, Settings(), Settings(), build))
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot write"):
        validate("4", Run(), quick=False, out=tmp_path / place)


def test_the_commit_is_that_of_the_checkout_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "ROOT", tmp_path)
    assert record.commit() is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x"]
    (tmp_path / "file").write_text("1")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    found = record.commit()
    assert len(found) == 40
    (tmp_path / "file").write_text("2")
    assert record.commit() == found + "+"
