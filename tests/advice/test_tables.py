"""Reading files of labelled features: all formats alike, large files in bounded memory, one line for bad files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from synthmix.advice import formats, tables
from synthmix.advice.tables import read, read_chunks
from synthmix.support.errors import BadInput

ROOT = Path(__file__).parents[2]
NAMES = ("height", "width", "depth")


def samples(n: int = 20, p: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)).round(6), np.arange(n) % 2


def write_csv(path: Path, X: np.ndarray, y, names=NAMES, delimiter=",", **columns) -> Path:
    rows = [[*names, "label", *columns]]
    rows += [[*map(repr, x.tolist()), one, *more] for x, one, *more in zip(X, y, *columns.values(), strict=True)]
    path.write_text("\n".join(delimiter.join(map(str, row)) for row in rows) + "\n")
    return path


def write_npz(path: Path, X: np.ndarray, y: np.ndarray, **columns) -> Path:
    np.savez(path, X=X, y=y, **columns)
    return path


def write_parquet(path: Path, X: np.ndarray, y, **columns) -> Path:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({**dict(zip(NAMES, X.T, strict=True)), "label": list(y), **columns}), path)
    return path


def write_dataset(path: Path, X: np.ndarray, y, **columns) -> Path:
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_dict({"x": X.tolist(), "label": list(y), **columns}).save_to_disk(path)
    return path


WRITERS = {"csv": write_csv, "npz": write_npz, "parquet": write_parquet, "folder": write_dataset}


def write(kind: str, folder: Path, name: str, *args, **columns) -> Path:
    return WRITERS[kind](folder / (name if kind == "folder" else f"{name}.{kind}"), *args, **columns)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_reads_the_same(kind, tmp_path):
    X, y = samples()
    table = read(write(kind, tmp_path, "real", X, y))
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(table.y, y)
    assert table.names == (NAMES if kind in ("csv", "parquet") else ("x0", "x1", "x2"))
    assert table.X.dtype == float and table.y.dtype.kind == "i" and table.total == 20 and table.keep is None

    X_s, y_s = samples(30, seed=1)
    keep, truth = np.arange(30) % 3 > 0, np.where(np.arange(30) < 25, y_s, np.nan)
    given = [None if np.isnan(one) else int(one) for one in truth] if kind == "parquet" else truth
    synthetic = read(write(kind, tmp_path, "made", X_s, y_s, keep=keep, score=np.arange(30) / 30, truth=given), like=table)
    np.testing.assert_array_equal(synthetic.X, X_s)
    np.testing.assert_array_equal(synthetic.keep, keep)
    np.testing.assert_allclose(synthetic.score, np.arange(30) / 30)
    assert list(synthetic.truth[:25]) == [str(one) for one in y_s[:25]] and set(synthetic.truth[25:]) == {""}


@pytest.mark.parametrize("kind", WRITERS)
def test_words_as_labels_and_formats_that_meet(kind, tmp_path):
    X, y = samples()
    words = np.array(["ham", "spam"])[y]
    table = read(write(kind, tmp_path, "real", X, words))
    assert list(table.classes) == ["ham", "spam"]
    synthetic = read(write_csv(tmp_path / "made.csv", X, words), like=table)
    np.testing.assert_array_equal(synthetic.y, words)


def test_one_and_1_0_and_one_in_quotes_are_the_same_label(tmp_path):
    X, y = samples()
    table = read(write_npz(tmp_path / "real.npz", X, y.astype(float)))
    assert table.y.dtype.kind == "i"
    for i, labels in enumerate((y + 0.0, y.astype(str), [f'"{one}"' for one in y], y.astype(bool).astype(int))):
        synthetic = read(write_csv(tmp_path / f"made{i}.csv", X, labels), like=table)
        np.testing.assert_array_equal(synthetic.y, y)
        assert synthetic.y.dtype == table.y.dtype


def test_csv_as_people_write_it(tmp_path):
    X, y = samples()
    path = tmp_path / "real.csv"
    for delimiter in ",;\t":
        write_csv(path, X, [f'"{one}"' for one in y], delimiter=delimiter)
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n")
        table = read(path)
        np.testing.assert_array_equal(table.X, X)
        np.testing.assert_array_equal(table.y, y)


def test_columns_of_synthetic_samples_are_matched_by_name(tmp_path):
    X, y = samples()
    table = read(write_csv(tmp_path / "real.csv", X, y))
    other = write_csv(tmp_path / "made.csv", X[:, [2, 0, 1]], y, names=("depth", "height", "width"))
    np.testing.assert_array_equal(read(other, like=table).X, X)
    np.testing.assert_array_equal(read(write_npz(tmp_path / "made.npz", X, y), like=table).X, X)  # no names: by their order


def test_a_feature_may_be_called_score(tmp_path):
    X, y = samples()
    names = ("score", "width", "depth")
    table = read(write_csv(tmp_path / "real.csv", X, y, names))
    assert table.names == names and table.score is None
    made = read(write_csv(tmp_path / "made.csv", X, y, names), like=table)
    assert made.names == names and made.score is None


def test_features_that_are_the_same_in_every_real_sample_are_dropped(tmp_path):
    X, y = samples()
    X[:, 1] = 7
    for kind in ("csv", "npz"):
        table = read(write(kind, tmp_path, "real", X, y))
        assert table.left_out == ((table.columns[1], "the same in all rows"),)
        np.testing.assert_array_equal(table.X, X[:, [0, 2]])
        made, labels = samples(seed=1)
        for other in ("csv", "npz"):
            synthetic = read(write(other, tmp_path, "made", made, labels), like=table)
            np.testing.assert_array_equal(synthetic.X, made[:, [0, 2]])
            assert synthetic.names == table.names


def test_the_label_column_is_named_or_found(tmp_path):
    X, y = samples()
    path = write_csv(tmp_path / "real.csv", X, y, names=("y", "width", "depth"))
    assert read(path).names == ("y", "width", "depth")  # "label" first
    assert read(write_npz(tmp_path / "real.npz", X, y), "y").names == ("x0", "x1", "x2")
    assert read(write_csv(tmp_path / "b.csv", X, y, kind=y), "kind").names == (*NAMES, "label")


def test_lists_of_numbers_are_features(tmp_path):
    X, y = samples()
    path = write_dataset(tmp_path / "made", X, y, size=list(range(0, 40, 4))*2)
    table = read(path)
    assert table.names == ("x0", "x1", "x2", "size")


def test_a_folder_with_splits(tmp_path):
    datasets = pytest.importorskip("datasets")
    X, y = samples()
    one = datasets.Dataset.from_dict({"a": X[:, 0], "label": y})
    datasets.DatasetDict({"train": one, "test": one}).save_to_disk(tmp_path / "both")
    assert read(tmp_path / "both").total == 20
    datasets.DatasetDict({"first": one, "second": one}).save_to_disk(tmp_path / "parts")
    with pytest.raises(BadInput, match="splits first, second"):
        read(tmp_path / "parts")
    assert read(tmp_path / "parts" / "first").total == 20


@pytest.mark.parametrize("kind", WRITERS)
def test_files_are_read_in_chunks(kind, tmp_path):
    X, y = samples(57)
    path = write(kind, tmp_path, "real", X, y + 1)
    chunks = list(read_chunks(path, rows=10))
    assert [len(one.X) for one in chunks] == [10] * 5 + [7]
    np.testing.assert_array_equal(np.concatenate([one.X for one in chunks]), X)
    assert list(np.concatenate([one.y for one in chunks])) == [str(one + 1) for one in y]


def test_of_a_very_large_file_a_random_subset_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_VALUES", 300)
    monkeypatch.setattr(formats, "CHUNK_VALUES", 90)
    X, y = samples(400)
    path = write_csv(tmp_path / "real.csv", X, y)
    table = read(path)
    assert table.X.shape == (100, 3) and table.total == 400
    row = {tuple(x): i for i, x in enumerate(X)}
    kept = [row[tuple(x)] for x in table.X]
    np.testing.assert_array_equal(table.y, y[kept])
    assert len(set(kept)) == 100 and kept == sorted(kept) and 150 < np.mean(kept) < 250
    assert np.array_equal(read(path).X, table.X) and not np.array_equal(read(path, seed=1).X, table.X)


def test_so_many_rows_that_a_part_measures_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_ROWS", 50)
    X, y = samples(400)
    real = read(write_csv(tmp_path / "real.csv", X, y))
    assert real.X.shape == (50, 3) and real.total == 400
    assert len(read(write_csv(tmp_path / "made.csv", X, y), like=real).X) == 400


def test_a_million_rows_in_bounded_memory(tmp_path):
    """Of a million rows in 50 MB of text, read in chunks, 20,000 are kept."""
    rows = "".join(",".join(f"{v:.4f}" for v in x) + f",{'spam' if i % 2 else 'ham'}\n" for i, x in enumerate(samples(1000, 6)[0]))
    with (tmp_path / "big.csv").open("w") as file:
        file.write(",".join(f"f{i}" for i in range(6)) + ",label\n")
        for _ in range(1000):
            file.write(rows)
    program = (
        "import resource, sys; from synthmix.advice.tables import read\n"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before = used(); table = read(sys.argv[1]); assert len(table.X) == 20_000; print(table.total, used() - before)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "big.csv"], cwd=ROOT, capture_output=True, text=True, check=True)
    total, used = map(float, done.stdout.split())
    assert total == 1_000_000 and used < 150


X20, Y20 = samples()
BAD_CSV = {
    "no such label": ("a,b,target\n" + "1,2,0\n" * 20, "target2", "no column 'target2'; its columns are a, b, target"),
    "no label": ("a,b,target\n" + "1,2,0\n" * 20, None, "no label column; its columns are a, b, target"),
    "one class": ("a,label\n" + "".join(f"{i},0\n" for i in range(20)), None, "all rows of .* have the label 0"),
    "few rows": ("a,label\n1,0\n2,1\n" * 1, None, "has 2 rows; at least 10"),
    "no rows": ("a,label\n", None, "has no rows"),
    "empty": ("", None, "is empty"),
    "infinity": ("a,b,label\n" + "1,2,0\n" * 6 + "-inf,2,1\n" * 6, None, "column 'a' of .* has an infinite value in row 7"),
    "words": ("a,b,label\n" + "1,2,0\n" * 6 + "1,red,1\n" * 6, None, "column 'b' of .* is not numeric, 'red' in row 7"),
    "short row": ("a,b,label\n" + "1,2,0\n" * 6 + "1,2\n", None, "row 7 of .* has 2 cells, the header 3"),
    "no features": ("label\n" + "0\n1\n" * 6, None, "has no features"),
    "constant": ("a,label\n" + "1,0\n1,1\n" * 6, None, "every feature of .* is the same"),
    "no label in a row": ("a,label\n" + "1,0\n2,1\n3,\n" * 6, None, "has no label in row 3"),
    "numbers as labels": ("a,label\n" + "".join(f"{i},{i / 7}\n" for i in range(20)), None, "20 different values .* of a regression"),
    "names as labels": ("a,label\n" + "".join(f"{i},n{i}\n" for i in range(20)), None, "20 different values in 20 rows: it names no"),
    "lonely class": ("a,label\n" + "1,0\n2,1\n" * 6 + "3,2\n", None, "class 2 of .* has only 1 row"),
    "no header": ("1.5,2,1.5\n" * 20, None, "two columns '1.5'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CSV)
def test_bad_csv_is_one_line(name, tmp_path):
    text, label, message = BAD_CSV[name]
    path = tmp_path / "real.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match=message) as caught:
        read(path, label)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


BAD_NPZ = {
    "no X": (dict(features=X20, y=Y20), None, "no array X of features; its arrays are features, y"),
    "no y": (dict(X=X20), None, "no label column; its columns are X"),
    "shape": (dict(X=X20[:, 0], y=Y20), None, r"must have shape \(samples, features\), not \(20,\)"),
    "lengths": (dict(X=X20, y=Y20[:-1]), None, r"array y of .* has shape \(19,\), X has 20 rows"),
    "objects": (dict(X=X20, y=np.array(Y20, dtype=object)), None, "Python objects"),
    "words": (dict(X=X20.astype(str), y=Y20), None, "X of .* is not numeric"),
    "infinity": (dict(X=np.where(np.arange(60).reshape(20, 3) == 31, np.inf, X20), y=Y20), None, "column 'x1' of .* in row 11"),
    "nan label": (dict(X=X20, y=np.where(Y20 == 1, np.nan, 0.0)), None, "has no label in row 2"),
    "X as label": (dict(X=X20, y=Y20), "X", "cannot be the label column"),
    "two labels": (dict(X=X20, y=np.column_stack([Y20, Y20])), None, r"shape \(20, 2\)"),
}


@pytest.mark.parametrize("name", BAD_NPZ)
def test_bad_npz_is_one_line(name, tmp_path):
    arrays, label, message = BAD_NPZ[name]
    np.savez(tmp_path / "real.npz", **arrays)
    with pytest.raises(BadInput, match=message) as caught:
        read(tmp_path / "real.npz", label)
    assert "\n" not in str(caught.value)


def test_npz_in_any_layout(tmp_path):
    for i, X in enumerate((np.asfortranarray(X20), X20.astype(np.float32), (10 * X20).astype(int), X20 > 0)):
        np.testing.assert_allclose(read(write_npz(tmp_path / f"{i}.npz", X, Y20)).X, X)
    np.savez_compressed(tmp_path / "small.npz", X=X20, y=Y20)
    np.testing.assert_array_equal(read(tmp_path / "small.npz").X, X20)


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet"])
def test_what_is_no_such_file(suffix, tmp_path):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"real{suffix}"
    with pytest.raises(BadInput, match="there is no file"):
        read(path)
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(BadInput, match="cannot read") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_formats_that_are_none(tmp_path):
    (tmp_path / "real.xlsx").write_bytes(b"PK")
    with pytest.raises(BadInput, match="the formats are"):
        read(tmp_path / "real.xlsx")
    pytest.importorskip("datasets")
    with pytest.raises(BadInput, match="no folder saved by datasets"):
        read(tmp_path)


@pytest.mark.parametrize("suffix, module", [("real.parquet", "pyarrow"), ("", "datasets")])
def test_packages_that_are_missing(suffix, module, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / suffix
    if suffix:
        path.write_bytes(b"")
    with pytest.raises(BadInput, match=r"needs .* pip install '\.\[tables\]'"):
        read(path)


def test_bad_parquet_is_one_line(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "real.parquet"
    for columns, message in (
        (dict(a=["red"] * 20, label=Y20), "every feature of .* is the same"),
        (dict(a=["1", "2"] * 9 + ["red", "blue"], label=Y20), "column 'a' of .* is not numeric, 'red' in row 19"),
        (dict(a=[[1.0], None] * 10, label=Y20), "column 'a' of .* has a missing value in row 2"),
        (dict(a=[[1.0], [1.0, 2.0]] * 10, label=Y20), "lists of different lengths"),
        (dict(a=X20[:, 0], label=[None, *Y20[1:].tolist()]), "has no label in row 1"),
    ):
        parquet.write_table(pa.table(columns), path)
        with pytest.raises(BadInput, match=message):
            read(path)


@pytest.mark.parametrize("change, message", [
    (dict(X=X20[:, :2], names=NAMES[:2]), "lacks depth, which the real samples have"),
    (dict(names=("height", "width", "length")), "lacks depth, which .* has length, which"),
    (dict(y=Y20 + 5), "has the label 5, which no real sample has; theirs are 0, 1"),
    (dict(truth=Y20 + 5), "has the true label 5"),
    (dict(keep=["maybe"] * 20), "column 'keep' of .* must be true or false, not 'maybe' in row 1"),
    (dict(score=["high"] * 20), "column 'score' of .* must be numbers"),
    (dict(score=["nan"] * 20), "column 'score' of .* missing or infinite value in row 1"),
])  # fmt: skip
def test_synthetic_samples_that_do_not_match(change, message, tmp_path):
    table = read(write_csv(tmp_path / "real.csv", X20, Y20))
    path = write_csv(tmp_path / "made.csv", **{"X": X20, "y": Y20, **change})
    with pytest.raises(BadInput, match=message):
        read(path, like=table)
