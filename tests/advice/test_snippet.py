"""The snippet: run in a fresh process on the same files, it trains the classifier that was advised."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from synthmix.advice.advise import advise
from synthmix.advice.plan import Plan
from synthmix.advice.result import Advice
from synthmix.advice.tables import Table, read
from synthmix.estimators.mix_ridge import SyntheticMixRidge

NAMES = ("height", "width", "depth", "mass")
DUMP = "\nnp.savez('found.npz', coef=(model[-1] if hasattr(model, 'steps') else model).coef_)\n"


def samples(n: int, seed: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    X = rng.standard_normal((n, 4)) * (1, 10, 0.1, 3)
    X[:, :2] += 0.8 * y[:, None] * (1, 10)
    return X.round(4), y


def write(path: Path, X: np.ndarray, y: np.ndarray, **columns: np.ndarray) -> Path:
    kind = path.suffix
    if kind == ".npz":
        np.savez(path, X=X, y=y, **columns)
        return path
    table = {**dict(zip(NAMES, X.T, strict=True)), "id": np.arange(len(y)), "label": y, **columns}
    if kind == ".csv":
        rows = zip(*(column.tolist() for column in table.values()), strict=True)
        path.write_text(";".join(table) + "\n" + "".join(";".join(map(str, row)) + "\n" for row in rows))
    elif kind == ".parquet":
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pa.table({name: list(column) for name, column in table.items()}), path)
    else:
        datasets = pytest.importorskip("datasets")
        datasets.Dataset.from_dict({"x": X.tolist(), "label": list(y), **columns}).save_to_disk(path)
    return path


def coefficients(advice: Advice, folder: Path) -> np.ndarray:
    """Those of the snippet, run by itself."""
    program = "import sys; sys.modules['synthmix'] = None\n" + advice.snippet + DUMP
    command = [sys.executable, "-W", "error::UserWarning", "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, advice.snippet + done.stderr
    return np.load(folder / "found.npz")["coef"].ravel()


def advised(advice: Advice, real: Table, made: Table) -> np.ndarray:
    scaler = StandardScaler().fit(real.X)
    X, X_s = (scaler.transform(one.X) if advice.standardised else one.X for one in (real, made))
    best = advice.best
    model = SyntheticMixRidge(best.gamma * (advice.n + best.m), best.omega if best.m else 0.0)
    return model.fit(X, real.y, X_s, made.y, advice.keep).coef_.ravel()


FILES = [("real.npz", "made.npz"), ("real.csv", "made.csv"), ("real.parquet", "made.parquet"), ("real", "made"),
         ("real.csv", "made.npz"), ("real.npz", "made.csv"), ("real.csv", "made.parquet")]  # fmt: skip


@pytest.mark.parametrize("files", FILES, ids="-".join)
@pytest.mark.parametrize("how", ["keep", "score", "everything"])
def test_the_snippet_trains_the_advised_mix(files: tuple[str, str], how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    X, y = samples(40, 0)
    made, labels = samples(300, 1)
    rng = np.random.default_rng(2)
    wrong = rng.random(300) < (0.0 if how == "everything" else 0.2)
    given = np.where(wrong, 1 - labels, labels)
    columns = {"keep": {"keep": ~wrong | (rng.random(300) < 0.3)}, "score": {"score": ~wrong + 0.3 * rng.standard_normal(300)}}.get(how, {})
    write(Path(files[0]), X, y)
    write(Path(files[1]), made, given, **columns)
    real = read(files[0])
    synthetic = read(files[1], like=real)
    advice = advise(real, Plan(300, self_fitted=False), synthetic, details=False, standardise=how != "keep")
    assert advice.best.m == 300, advice.reason
    np.testing.assert_allclose(coefficients(advice, tmp_path), advised(advice, real, synthetic), rtol=1e-4, atol=1e-7)
    weights = "synthetic rows" if advice.best.m else ""
    assert weights and f"alpha={advice.best.gamma * 340:.6g}" in advice.snippet and "synthmix" not in advice.snippet


@pytest.mark.parametrize("words", [False, True])
def test_three_classes_with_labels_as_words(words: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = np.array(["None", "some", "many"] if words else [3, 1, 2])
    for name, n, seed in (("real.csv", 60, 0), ("made.csv", 300, 1)):
        X, y = samples(n, seed, 3)
        write(Path(name), X, names[y])
    real = read("real.csv")
    synthetic = read("made.csv", like=real)
    advice = advise(real, Plan(300, self_fitted=False), synthetic, details=False)
    assert advice.best.m
    np.testing.assert_allclose(coefficients(advice, tmp_path), advised(advice, real, synthetic), rtol=1e-4, atol=1e-7)


def test_without_synthetic_rows_the_snippet_trains_on_the_real_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    X, y = samples(60, 0)
    write(Path("real.csv"), X, y)
    real = read("real.csv")
    for standardise in (True, False):
        advice = advise(real, Plan(100, 0.5, 1.0, 1.0), details=False, standardise=standardise)
        assert not advice.best.m and "made" not in advice.snippet
        np.testing.assert_allclose(coefficients(advice, tmp_path), advised(advice, real, real), rtol=1e-4)


def test_a_plan_reads_the_file_that_is_to_be_generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    X, y = samples(40, 0)
    write(Path("real.csv"), X, y)
    real = read("real.csv")
    advice = advise(real, Plan(300, 0.1, 0.1, 0.9), details=False)
    assert advice.best.m
    made, labels = samples(int(advice.best.m), 1)
    write(Path("synthetic.csv"), made, labels)
    np.testing.assert_allclose(coefficients(advice, tmp_path), advised(advice, real, read("synthetic.csv", like=real)), rtol=1e-4)


@pytest.mark.parametrize("missing", ["in both", "in synthetic rows"])
@pytest.mark.parametrize("kind", ["csv", "npz", "csv-npz"])
def test_missing_values(kind: str, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (X, y), (made, labels) = samples(40, 0), samples(300, 1)
    made[::7, 1] = np.nan
    if missing == "in both":
        X[::9, 1] = X[4, 3] = np.nan
    first, second = kind.split("-", maxsplit=1)[0], kind.rsplit("-", maxsplit=1)[-1]
    write(Path(f"real.{first}"), X, y)
    write(Path(f"made.{second}"), made, labels)
    real = read(f"real.{first}")
    synthetic = read(f"made.{second}", like=real)
    advice = advise(real, Plan(300, self_fitted=False), synthetic, details=False)
    assert advice.best.m and "SimpleImputer" in advice.snippet
    np.testing.assert_allclose(coefficients(advice, tmp_path), advised(advice, real, synthetic), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_categories_go_through_the_transformer(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from test_encoding import people, write_csv, write_parquet

    monkeypatch.chdir(tmp_path)
    writer = {"csv": write_csv, "parquet": write_parquet}[kind]
    rows = people(400, seed=1)
    rows.pop("person")
    rows["city"][2] = "Atlantis"
    writer(Path(f"real.{kind}"), people())
    writer(Path(f"made.{kind}"), rows)
    real = read(f"real.{kind}", group="person")
    synthetic = read(f"made.{kind}", like=real)
    advice = advise(real, Plan(400, self_fitted=False), synthetic, details=False)
    assert advice.best.m and "OneHotEncoder" in advice.snippet
    np.testing.assert_allclose(coefficients(advice, tmp_path), advised(advice, real, synthetic), rtol=1e-4, atol=1e-7)


def test_arrays_and_data_frames_in_memory() -> None:
    pd = pytest.importorskip("pandas")
    (X, y), (made, labels) = samples(40, 0), samples(300, 1)
    table, plan = Table(X, y, NAMES), Plan(300, self_fitted=False)
    advice = advise(table, plan, Table(made, labels, NAMES), details=False)
    found = {"real": {"X": X, "y": y}, "made": {"X": made, "y": labels}}
    exec(advice.snippet, found)
    np.testing.assert_allclose(found["model"].coef_.ravel(), advised(advice, table, Table(made, labels, NAMES)), rtol=1e-4)
    frames = {name: pd.DataFrame(dict(zip(NAMES, rows.T, strict=True)) | {"kind": kind})
              for name, rows, kind in (("real", X, y), ("made", made, labels))}  # fmt: skip
    real = read(frames["real"], "kind")
    again = advise(real, plan, read(frames["made"], "kind", like=real), details=False)
    exec(again.snippet, frames)
    np.testing.assert_allclose(frames["model"].coef_, found["model"].coef_, rtol=1e-4)


def test_what_to_measure_next() -> None:
    X, y = samples(60, 0)
    real = Table(X, y, NAMES)
    unknown, known = advise(real, Plan(300), details=False), advise(real, Plan(300, 0.1, 0.1, 0.9), details=False)
    assert "true labels of 100" in unknown.next and "Generate 200 rows" in known.next
    made = Table(*samples(300, 1), NAMES)
    of_file = advise(real, Plan(300, self_fitted=False), made, details=False)
    assert "real rows" in of_file.next
    assert "own" in advise(real, Plan(300, self_fitted=True), details=False).next or "Look up" in of_file.next
