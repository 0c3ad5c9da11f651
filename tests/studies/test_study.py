"""Declared sweeps: what is computed, what is kept, and what is computed again."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import synthmix as sm
from synthmix.studies.axes import Latin, Range, Span, points
from synthmix.studies.file import read_study
from synthmix.studies.run import run_study
from synthmix.studies.store import keys_of
from synthmix.support.errors import BadInput

pytest.importorskip("pyarrow", reason="needs pyarrow (pip install -e '.[studies]')")
pytest.importorskip("pandas", reason="needs pandas (pip install -e '.[studies]')")

SETTING = "[setting]\nn = 40\np = 20\nmu = 1.5\nrho = 0.2\nphi = 0.9\ngamma = 1.0\n"
AXES = "[values]\nm = [0, 30]\n[ranges.epsilon]\nlow = 0.0\nhigh = 0.4\ncount = 3\n"
TEXT = f"{SETTING}{AXES}[compute]\nformulas = ['rederived', 'published']\ntrials = 4\n"


def declared(folder: Path, text: str, name: str = "study.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def test_the_rows_are_what_predict_and_simulate_say(tmp_path: Path) -> None:
    frame = sm.study(declared(tmp_path, TEXT))
    assert len(frame) == 18
    row = frame[(frame.kind == "theory") & (frame.m == 30) & (frame.epsilon == 0.2)].iloc[0]
    setting = sm.Setting(40, 30, 20, 1.5, 0.2, sm.Verifier(0.2, 0.9))
    assert row.accuracy == pytest.approx(sm.predict(setting).accuracy, rel=1e-12)
    row = frame[(frame.kind == "published") & (frame.m == 30) & (frame.epsilon == 0.2)].iloc[0]
    assert row.variance == pytest.approx(sm.predict(setting, formula="published").variance, rel=1e-12)
    row = frame[(frame.kind == "simulated") & (frame.m == 30) & (frame.epsilon == 0.2)].iloc[0]
    assert abs(row.accuracy - sm.predict(setting).accuracy) < 6 * row.accuracy_se + 0.02
    assert row.trials == 4 and row.version == sm.__version__
    assert frame.note.isna().all()


def test_other_losses_are_simulated_too_and_limits_are_said_where_they_are_known(tmp_path: Path) -> None:
    text = TEXT.replace("formulas = ['rederived', 'published']", "formulas = ['rederived']\nlosses = ['logistic']\nlimit = true")
    frame = sm.study(declared(tmp_path, text))
    setting = sm.Setting(40, 30, 20, 1.5, 0.2, sm.Verifier(0.2, 0.9))
    here = frame[(frame.m == 30) & (frame.epsilon == 0.2)].set_index(["kind", "loss"])
    row = here.loc[("simulated", "logistic")]
    assert row.accuracy != here.loc[("simulated", "square")].accuracy
    assert abs(row.accuracy - sm.predict(setting, loss="logistic").accuracy) < 6 * row.accuracy_se + 0.02
    for loss in ("square", "logistic"):
        assert here.loc[("theory", loss)].limit == pytest.approx(sm.predict(setting).limit, rel=1e-12)
    assert np.isnan(row.limit)
    fitted = text.replace("[values]", "generator = 'independent'\nn_hat = 50\n[values]")
    assert sm.study(declared(tmp_path, fitted, "fitted.toml")).limit.isna().all()


def test_a_second_run_computes_nothing_and_new_points_only_those(tmp_path: Path) -> None:
    path = declared(tmp_path, TEXT)
    assert [one.computed for one in run_study(read_study(path))] == [6, 6, 6]
    before = contents(tmp_path / "study")
    assert [one.computed for one in run_study(read_study(path))] == [0, 0, 0]
    declared(tmp_path, TEXT.replace("m = [0, 30]", "m = [0, 15, 30]"))
    assert [one.computed for one in run_study(read_study(path))] == [3, 3, 3]
    after = contents(tmp_path / "study")
    assert before.items() <= after.items()
    declared(tmp_path, TEXT.replace("trials = 4", "trials = 5"))
    assert [one.computed for one in run_study(read_study(path))] == [0, 0, 6]


def test_the_bytes_do_not_depend_on_workers(tmp_path: Path) -> None:
    text = TEXT.replace("m = [0, 30]", "m = [0, 10, 20, 30]")
    found = []
    for name, jobs in (("one", 1), ("two", 2)):
        run_study(read_study(declared(tmp_path, f'out = "{name}"\n{text}')), jobs=jobs)
        found.append(contents(tmp_path / name))
    assert found[0] == found[1] and len(found[0]) > 3


def test_two_runs_at_once_do_no_harm(tmp_path: Path) -> None:
    path = declared(tmp_path, TEXT)
    runs = [threading.Thread(target=run_study, args=(read_study(path),)) for _ in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert len(sm.study(path)) == 18


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    text = TEXT.replace("count = 3", "count = 40").replace("trials = 4", "trials = 200")
    path = declared(tmp_path, text)
    command = [sys.executable, "-c", "import sys, synthmix as sm; sm.study(sys.argv[1])", str(path)]
    started = subprocess.Popen(command)
    simulated = tmp_path / "study" / "kind=simulated"
    while started.poll() is None and not list(simulated.rglob("part-*.parquet")):
        threading.Event().wait(0.02)
    started.kill()
    started.wait()
    kept = contents(tmp_path / "study")
    last = run_study(read_study(path))[-1]
    assert 0 < last.computed < last.points
    assert kept.items() <= contents(tmp_path / "study").items()
    assert len(sm.study(path)) == 3 * 80


def test_points_without_a_result_say_why(tmp_path: Path) -> None:
    frame = sm.study(declared(tmp_path, SETTING.replace("n = 40\n", "n = 0\n") + "epsilon = 0.1\n[values]\nm = [10, 0]\n"))
    assert frame.accuracy.isna().tolist() == [True, False]
    assert "nothing to train on" in frame.note[0]


def test_lines_of_generators_trees_and_losses(tmp_path: Path) -> None:
    lined = SETTING + ("epsilon = 0.1\nm = 50\ngenerator = 'independent'\nn_hat = 60\nestimate_mean = true\nscheme = 'accumulate'\n"
                       "[values]\ngenerations = [1, 4]\n[compute]\ntrials = 3\nlosses = ['logistic']\n")  # fmt: skip
    frame = sm.study(declared(tmp_path, lined, "lined.toml"))
    setting = sm.Setting(40, 50, 20, 1.5, 0.1, sm.Verifier(0.2, 0.9), sm.Generator("independent", 60, True))
    assert frame.accuracy[1] < frame.accuracy[0] or frame.kind[0] != "theory"
    for loss in ("square", "logistic"):
        row = frame[(frame.kind == "theory") & (frame.loss == loss) & (frame.generations == 4)].iloc[0]
        assert row.accuracy == pytest.approx(sm.predict_tree(sm.generations(setting, 4, "accumulate"), loss=loss).accuracy, rel=1e-12)
    square, logistic = (frame[(frame.loss == loss) & (frame.kind == "theory")].mean_margin.to_numpy() for loss in ("square", "logistic"))
    assert (abs(square - logistic) > 0.01).all()
    assert (frame.kind == "simulated").sum() == 4
    declared(tmp_path, 'p = 20\nmu = 1.5\ngamma = 1.0\n[[sets]]\nname = "r"\ncount = 50\nweight = 1.0\n', "tree.toml")
    frame = sm.study(declared(tmp_path, 'tree = "tree.toml"\n[values]\ngamma = [0.1, 1.0]\n', "of_tree.toml"))
    assert frame.accuracy[1] == pytest.approx(sm.predict(sm.Setting(50, 0, 20, 1.5)).accuracy, rel=1e-12)


def test_a_hypercube_fills_every_slice_once() -> None:
    found = Latin(50, {"gamma": Span(1e-2, 1e2, "log"), "m": Span(0, 1000)}, seed=1).columns()
    slices = np.floor(50 * (np.log10(found["gamma"]) + 2) / 4)
    assert sorted(slices) == list(range(50))
    assert (found["m"] == np.round(found["m"])).all()


def test_blocks_count_off_all_points_in_little_memory() -> None:
    many = points({"m": tuple(range(2000))}, {"epsilon": Range(0.0, 0.5, count=2000)}, None)
    assert len(many) == 4_000_000
    first, second = (block for _, block in zip(range(2), many.blocks(1500), strict=False))
    assert first["m"].tolist() == [0.0] * 1500
    assert second["epsilon"][0] == Range(0.0, 0.5, count=2000).values()[1500]


def test_keys_tell_apart_and_do_not_depend_on_the_block() -> None:
    columns = {"m": np.arange(1000.0), "epsilon": np.tile([0.0, 0.5], 500)}
    whole = keys_of("a", columns, 1000)
    assert len(set(whole.tolist())) == 1000
    assert (keys_of("a", {name: values[300:400] for name, values in columns.items()}, 100) == whole[300:400]).all()
    assert (keys_of("b", columns, 1000) != whole).all()


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    path = declared(tmp_path, TEXT)
    run_study(read_study(path))
    part = next((tmp_path / "study").rglob("part-*.parquet"))
    part.write_bytes(part.read_bytes()[:50])
    with pytest.raises(BadInput, match=f"{part.name} is damaged"):
        run_study(read_study(path))


@pytest.mark.parametrize("text, said", [
    ("", "a study needs a table"),
    (TEXT.replace("n = 40\n", ""), "setting.n is missing"),
    (TEXT.replace("n = 40\n", "n = 40\nm = 3\n"), "m is in .setting. and an axis"),
    (TEXT.replace("[values]\n", "[values]\nmm = [1]\n"), "there is no axis mm"),
    (TEXT.replace("[values]\n", "[values]\nepsilon = [0.1]\n"), "epsilon is in values and in ranges"),
    (TEXT.replace("m = [0, 30]", "m = []"), "must not be empty"),
    (TEXT.replace("count = 3", "count = 1"), "at least 2"),
    (TEXT.replace("high = 0.4", "high = 0.0"), "low must be below high"),
    (TEXT.replace("trials = 4", "trials = 1"), "trials must be at least 2"),
    (TEXT.replace("trials = 4", "losses = ['quartic']"), "losses are"),
    (TEXT.replace("'rederived', 'published'", "'other'"), "must be one of"),
    (TEXT.replace("gamma = 1.0", "gamma = -1.0"), "gamma must be above 0"),
    (TEXT.replace(", 'published'", "").replace("gamma = 1.0", "gamma = 1.0\nscheme = 'replace'\ngenerations = 3"),
     "generations need --generator independent"),
    (TEXT.replace("gamma = 1.0", "gamma = 1.0\nscheme = 'replace'\ngenerations = 3"),
     "the published formula does not cover generators of generators"),
])  # fmt: skip
def test_a_study_that_is_none_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        run_study(read_study(declared(tmp_path, text)))
    assert "\n" not in str(caught.value)
