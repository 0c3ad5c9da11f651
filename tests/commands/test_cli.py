"""The command line as a user runs it: keys, exit codes, one line for whatever is wrong, nothing half-written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import synthmix
from synthmix import cli
from synthmix.figures import figure4
from synthmix.figures.kit.registry import names
from synthmix.solvers.predict import predict_grid
from synthmix.support.version import build

ROOT = Path(cli.__file__).parent
NUMBERS = {"n": 200, "m": 800, "p": 100, "mu": 0.7, "epsilon": 0.4, "rho": 0.3, "phi": 0.5, "gamma": 0.1}
SETTING = [word for name, value in NUMBERS.items() for word in (f"--{name}", str(value))]
PREDICTED = {"mean_margin", "variance", "accuracy", "risk", "alpha", "lambda", "fixed_point", "limit"}
SIMULATED = ("mean_margin", "variance", "accuracy", "risk")


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(ROOT / "cli.py"), *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["cli.py", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out, printed.err


def test_help_imports_nothing_heavy() -> None:
    heavy = "'numpy' in sys.modules or 'numba' in sys.modules or 'sympy' in sys.modules or 'matplotlib' in sys.modules"
    code = f"import sys; from synthmix import cli; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
    shown = run("--help")
    assert shown.returncode == 0
    commands = [one.name or one.callback.__name__ for one in (*cli.app.registered_commands, *cli.app.registered_groups)]
    assert all(command in shown.stdout and command in cli.__doc__ for command in commands)


def test_the_version_is_one_line() -> None:
    assert run("--version").stdout == f"synthmix {build()}\n"
    assert build().startswith(f"{synthmix.__version__} (")


def test_too_little_memory_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = in_process(monkeypatch, capsys, "validate", "--figure", "scaling", "--quick", "--set", f"p={10**15}")
    assert code == 1 and not out and len(err.splitlines()) == 1
    assert err.startswith("error: this needs more memory than there is: Unable to allocate")


def test_help_names_every_figure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = in_process(monkeypatch, capsys, "validate", "--help")[1].replace(",", " ").replace(":", " ").split()
    assert set(names()) <= set(words)


EXTRAS = [
    (),
    ("--generator", "independent", "--n-hat", "150", "--estimate-mean"),
    ("--generator", "self-fitted"),
    ("--beta", "0.8", "--mu-perp", "0.2", "--omega", "0.5"),
    ("--formula", "published"),
]


@pytest.mark.parametrize("extra", EXTRAS)
def test_predict_prints_the_agreed_keys(
    extra: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = in_process(monkeypatch, capsys, "predict", *SETTING, *extra, "--json")
    values = json.loads(out)
    assert code == 0 and set(values) == PREDICTED
    assert values["risk"] == pytest.approx(values["variance"] + (1 - values["mean_margin"]) ** 2)
    assert values["fixed_point"]["delta_s"] > 0
    known = extra in ((), ("--formula", "published"))
    assert values["accuracy"] < values["limit"] < 1 if known else values["limit"] is None


def test_simulate_agrees_with_predict_whatever_the_jobs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    options = (*SETTING, "--generator", "independent", "--n-hat", "150")
    theory = json.loads(in_process(monkeypatch, capsys, "predict", *options, "--json")[1])
    outputs = [in_process(monkeypatch, capsys, "simulate", *options, "--trials", "64", "--seed", "3", "--jobs", jobs, "--json")[1]
               for jobs in ("1", "2")]
    assert outputs[0] == outputs[1]
    measured = json.loads(outputs[0])
    for key in SIMULATED:
        assert set(measured[key]) == {"mean", "se"}
        assert abs(measured[key]["mean"] - theory[key]) <= 4 * measured[key]["se"] + 0.02 * theory[key]


BAD = {
    "negative gamma": (("predict", *SETTING[:-1], "-1"), "gamma must be above 0, not -1"),
    "nan": (("predict", *SETTING[:-1], "nan"), "gamma must be a finite number"),
    "epsilon": (("simulate", *SETTING, "--epsilon", "1.5"), "epsilon must be at least 0 and at most 1"),
    "no number": (("predict", *SETTING, "--mu", "large"), "--mu"),
    "missing": (("predict", "--n", "10"), "--m"),
    "no data": (("predict", *SETTING, "--n", "0", "--m", "0"), "nothing to train on"),
    "n-hat missing": (("predict", *SETTING, "--generator", "independent"), "needs n-hat"),
    "n-hat unasked": (("predict", *SETTING, "--n-hat", "5"), "does not apply"),
    "generator": (("predict", *SETTING, "--generator", "good"), "good"),
    "published self-fitted": (("predict", *SETTING, "--generator", "self-fitted", "--formula", "published"), "no formula"),
    "trials": (("simulate", *SETTING, "--trials", "1"), "trials"),
    "jobs": (("simulate", *SETTING, "--jobs", "0"), "jobs must be at least 1"),
    "seed": (("simulate", *SETTING, "--seed", "-1"), "seed must be at least 0"),
    "figure": (("validate", "--figure", "77"), "there is no figure '77'"),
    "no figure": (("validate",), "--figure N or --all"),
    "both": (("validate", "--figure", "4", "--all"), "--figure N or --all"),
    "command": (("predcit",), "predcit"),
    "option": (("predict", "--bogus"), "bogus"),
    "points": (("sweep", "--points", "0"), "points"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_use_is_one_line_and_exit_2(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, words = BAD[name]
    code, out, err = in_process(monkeypatch, capsys, *arguments)
    assert code == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and words in err


def test_an_output_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("validate", "--figure", "4", "--quick", "--out", str(tmp_path / "file"))
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "cannot write" in done.stderr


def test_validate_writes_pictures_and_a_record(tmp_path: Path) -> None:
    done = run("validate", "--figure", "4", "--quick", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"figure4-quick.{kind}" for kind in ("csv", "json", "pdf", "png")]
    record = json.loads((tmp_path / "figure4-quick.json").read_text())
    assert record["holds"] and record["seed"] == 0 and set(record["versions"]) >= {"python", "numpy", "numba"}
    assert {"name", "kind", "theory", "measured", "se", "tolerance", "holds", "note"} == set(record["claims"][0])
    assert record["settings"]["gamma"] == 1.0 and record["panels"][0]["marks"]


def test_the_same_seed_gives_the_same_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    claims = []
    for jobs in ("1", "2"):
        in_process(monkeypatch, capsys, "validate", "--figure", "4", "--quick", "--seed", "5", "--jobs", jobs, "--out", str(tmp_path))
        claims.append(json.loads((tmp_path / "figure4-quick.json").read_text())["claims"])
    assert claims[0] == claims[1]


def test_the_published_formula_fails_figure_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(figure4, "predict_grid", partial(_published, predict_grid))
    code, out, _ = in_process(monkeypatch, capsys, "validate", "--figure", "4", "--quick", "--out", str(tmp_path))
    record = json.loads((tmp_path / "figure4-quick.json").read_text())
    failed = [claim["name"] for claim in record["claims"] if not claim["holds"]]
    assert code == 1 and not record["holds"] and "NO" in out
    assert any(name.startswith("variance, p/m=1,") for name in failed) and any(name.startswith("mean margin, p/m=1,") for name in failed)


def _published(original: object, setting: object, **options: object) -> object:
    return original(setting, **{**options, "formula": "published"})


def test_predict_takes_a_loss(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = in_process(monkeypatch, capsys, "predict", *SETTING, "--loss", "huber", "--huber-threshold", "0.5", "--json")
    found = json.loads(out)
    assert code == 0 and set(found) == PREDICTED and 0.5 < found["accuracy"] < 1
    for wrong, says in ((["--loss", "ridge"], "loss must be one of"), (["--huber-threshold", "1"], "the square loss has none")):
        code, _, err = in_process(monkeypatch, capsys, "predict", *SETTING, *wrong)
        assert code == 2 and says in err and err.count("\n") == 1


NEGATIVE = ("--n", "9", "--m", "262", "--p", "300", "--mu", "0.24", "--epsilon", "0.61", "--rho", "0.55", "--phi", "0.95", "--gamma",
            "0.002", "--formula", "published")  # fmt: skip


def test_a_negative_published_variance_is_called_impossible(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = in_process(monkeypatch, capsys, "predict", *NEGATIVE, "--json")
    values = json.loads(out)
    assert code == 0 and values["variance"] < 0 and values["accuracy"] is None and "impossible" in values["note"]
    code, out, _ = in_process(monkeypatch, capsys, "predict", *NEGATIVE)
    assert code == 0 and "impossible" in out and "nan" not in out
    assert "note" not in json.loads(in_process(monkeypatch, capsys, "predict", *NEGATIVE[:-1], "rederived", "--json")[1])


TINY = ("--n", "5", "--m", "1", "--p", "10", "--mu", "1", "--epsilon", "0.5", "--rho", "0", "--phi", "0.9", "--gamma", "100")
EXTREME = [
    ("predict", "--mu", "1e200"),
    ("predict", "--mu", "1e200", "--spectrum", "power:2"),
    ("predict", "--gamma", "1e-320"),
    ("predict", "--gamma", "1e300"),  # the variance is below every number
    ("simulate", "--mu", "1e200"),
    ("simulate", "--mu", "1e200", "--gamma", "1e300"),  # the Gram matrix overflows, and a solver answers w = 0
    ("simulate", "--mu", "1e200", "--sampler", "direct"),
    ("simulate", "--mu", "1e160", "--generator", "self-fitted"),
    ("simulate", "--mu", "1e154", "--gamma", "1e-310"),
]


@pytest.mark.parametrize("extreme", EXTREME, ids=" ".join)
def test_beyond_floating_point_is_one_line(
    extreme: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    trials = ("--trials", "5") if extreme[0] == "simulate" else ()
    code, out, err = in_process(monkeypatch, capsys, extreme[0], *TINY, *trials, *extreme[1:], "--json")
    assert code == 1 and not out and err.startswith("error: ") and err.count("\n") == 1 and "less extreme" in err
    assert not recwarn.list


PREDICT = ("predict", *SETTING)


def test_too_few_trials_are_told_from_a_wrong_theory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ("--set", "gamma=0.1", "--set", "trials=20", "--jobs", "1")
    code, out, _ = in_process(monkeypatch, capsys, "validate", "--figure", "4", "--quick", "--out", str(tmp_path), *few)
    assert code == 1
    found = json.loads(next(tmp_path.glob("*.json")).read_text())["claims"]
    failed = [claim for claim in found if not claim["holds"]]
    assert failed and all(claim["note"] and abs(claim["theory"] - claim["measured"]) <= claim["tolerance"] for claim in failed)
    assert f"{len(failed)} of {len(found)} claims cannot be judged" in out


@pytest.mark.parametrize("columns", ["0", "1", "20"])
def test_no_terminal_is_too_narrow_for_numbers(columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert re.search(r"accuracy .* 0\.\d{4,}", in_process(monkeypatch, capsys, *PREDICT)[1])


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [PREDICT, (*PREDICT, "--json"), ("--help",), ("sweep", "--points", "9"), ("simulate", *SETTING)])
def test_a_full_disk_behind_the_output_is_one_line(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, str(ROOT / "cli.py"), *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and done.stderr == "error: standard output or a disk: No space left on device\n"
    assert Path("/dev/full").is_char_device()


def test_a_reader_that_has_gone_is_told_nothing() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, str(ROOT / "cli.py"), *PREDICT], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.returncode == 1 and not done.stderr


def test_without_any_output_the_exit_code_says_it() -> None:
    script = f"exec {sys.executable} {ROOT / 'cli.py'} {' '.join(PREDICT)}"
    assert subprocess.run(["sh", "-c", f"{script} >&- 2>&-"], check=False).returncode == 0
    assert subprocess.run(["sh", "-c", f"{script} --n x >&- 2>&-"], check=False).returncode == 2


@pytest.mark.parametrize("error, code, said", [
    (EOFError(), 2, "a file ended too early"),
    (PermissionError(13, "Permission denied", "/some/file"), 2, "/some/file: Permission denied"),
    (OSError(28, "No space left on device", "/some/file"), 1, "/some/file: No space left on device"),
    (OSError(5, "Input/output error", "/some/file"), 1, "/some/file: Input/output error"),
    (KeyboardInterrupt(), 130, "interrupted"),
])  # fmt: skip
def test_what_a_file_does_is_one_line(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("synthmix.solvers.predict.predict", fail)
    found, out, err = in_process(monkeypatch, capsys, *PREDICT)
    assert found == code and not out and len(err.strip().splitlines()) == 1 and err.strip().startswith(f"error: {said}")
