"""Files that are damaged, far too large, or no files at all: one line that says what is wrong, nothing allocated, nothing hung."""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from synthmix import cli
from synthmix.advice import formats
from synthmix.advice.tables import read
from synthmix.support.errors import BadInput

ROOT = Path(__file__).parents[2]
Y = np.arange(24) % 2
X = np.random.default_rng(0).standard_normal((24, 3)) + Y[:, None]


def npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def header(text: str, body: bytes = b"", version: int = 1) -> bytes:
    line = text.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(line)) + line + body


def claims(shape: str, dtype: str = "<f8", fortran: bool = False, body: bytes = bytes(64)) -> bytes:
    return header(f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': {shape}, }}", body)


def archive(path: Path, compression: int = zipfile.ZIP_STORED, **members: bytes) -> Path:
    """An npz file with "X.npy" from the argument X_npy, "X" from X; the usual X and y where they are not given."""
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in {"X_npy": npy(X), "y_npy": npy(Y), **members}.items():
            file.writestr(name.replace("_npy", ".npy"), content)
    return path


def patched(path: Path, local: int, central: int, value: int) -> Path:
    """A whole npz file with one byte of every header changed: its place in local headers and in those of the directory."""
    data = bytearray(archive(path, zipfile.ZIP_DEFLATED).read_bytes())
    for magic, place in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        at = -1
        while (at := data.find(magic, at + 1)) >= 0:
            data[at + place] = value
    path.write_bytes(data)
    return path


def overwritten(path: Path, at: int, with_: bytes) -> Path:
    data = bytearray(path.read_bytes())
    data[at : at + len(with_)] = with_
    path.write_bytes(data)
    return path


def refused(path: Path, message: str) -> None:
    """Check that the file is refused in one line that names it, with exit code 2 of the command line."""
    with pytest.raises(BadInput, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value) and len(str(caught.value)) < 400


NPZ = {
    "labels without a dimension": (dict(y_npy=npy(np.array(1))), r"array y of .* has shape \(\), X has 24 rows"),
    "more rows than labels": (dict(y_npy=npy(Y[:5])), r"array y of .* has shape \(5,\), X has 24 rows"),
    "more labels than rows": (dict(y_npy=npy(np.tile(Y, 2))), r"array y of .* has shape \(48,\), X has 24 rows"),
    "X without a dimension": (dict(X_npy=npy(np.array(1.0))), r"must have shape \(samples, features\), not \(\)"),
    "no features": (dict(X_npy=npy(X[:, :0])), "has no features"),
    "no array": (dict(X_npy=b"hello"), "is damaged, or of a kind that is not read here"),
    "nothing": (dict(X_npy=b""), "is damaged, or of a kind"),
    "terabytes": (dict(X_npy=claims("(1000000000, 1000000)")), "array X is shorter than its header says"),
    "terabytes by column": (dict(X_npy=claims("(1000000000, 1000000)", fortran=True)), "array X is shorter than its header says"),
    "terabytes of labels": (dict(y_npy=claims("(1000000000000,)")), "array y is shorter than its header says"),
    "beyond 64 bits": (dict(X_npy=claims(f"(1{400 * '0'}, 3)")), "array X is shorter than its header says"),
    "fewer than no rows": (dict(X_npy=claims("(-24, 3)")), "array X is shorter than its header says"),
    "cut off": (dict(X_npy=npy(X)[:-8]), "array X is shorter than its header says"),
    "long header": (dict(X_npy=header("(" * 20_000, version=2)), "is damaged, or of a kind"),
    "longer header": (dict(X_npy=b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31 - 1) + b"{" * 100), "is damaged, or of a kind"),
    "code in the header": (dict(X_npy=header("__import__('os').abort()")), "is damaged, or of a kind"),
    "objects": (dict(X_npy=claims("(24, 3)", "|O")), "holds Python objects"),
    "unknown version": (dict(X_npy=header("", version=9)), r"version \(9, 0\)"),
    "wide labels": (dict(y_npy=claims("(24,)", "<U1000000000")), "cannot read"),
    "structured labels": (dict(y_npy=npy(np.zeros(24, dtype=[("a", int)]))), "at least two classes"),
    "too large to be squared": (dict(X_npy=npy(np.full((24, 3), np.inf))), "has an infinite value in row 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", NPZ)
def test_npz_whose_arrays_are_not_what_they_seem(name, tmp_path) -> None:
    members, message = NPZ[name]
    refused(archive(tmp_path / "real.npz", **members), message)


def test_npz_members_that_are_not_called_npy(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "real.npz", "w") as file:
        file.writestr("X", npy(X))
        file.writestr("y.npy", npy(Y))
    refused(tmp_path / "real.npz", "has no array X of features; its arrays are y")


def test_npz_with_two_arrays_of_one_name(tmp_path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "real.npz", "w") as file:
        for name, values in (("X", X), ("X", X), ("y", Y)):
            file.writestr(f"{name}.npy", npy(values))
    refused(tmp_path / "real.npz", "has two columns 'X'")


@pytest.mark.parametrize("at", [60, 120, 200, 400])
def test_npz_with_a_damaged_stream(at, tmp_path) -> None:
    refused(overwritten(archive(tmp_path / "real.npz", zipfile.ZIP_DEFLATED), at, b"\xff" * 4), "is damaged")


def test_npz_encrypted_or_of_an_unknown_compression(tmp_path) -> None:
    refused(patched(tmp_path / "locked.npz", 6, 8, 1), "encrypted")
    refused(patched(tmp_path / "packed.npz", 8, 10, 99), "compression method is not supported")


def test_a_wrong_header_allocates_nothing(tmp_path) -> None:
    path = archive(tmp_path / "real.npz", X_npy=claims("(1000000000, 100)", fortran=True), y_npy=claims("(1000000000,)"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "shorter")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_what_is_too_large_for_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("synthmix.support.memory.free_memory", lambda: 500.0)
    refused(archive(tmp_path / "real.npz", X_npy=npy(np.asfortranarray(X))), "array X of .* needs about .* of memory")


# ---------------------------------------------------------------- csv


def csv(path: Path, cell: str, column: int = 0, row: int = 6, head: str = "a,b,y") -> Path:
    lines = [[repr(float(x[0])), repr(float(x[1])), str(label)] for x, label in zip(X, Y, strict=True)]
    lines[row - 1][column] = cell
    path.write_text(head + "\n" + "\n".join(map(",".join, lines)) + "\n")
    return path


@pytest.mark.parametrize("cell, column, message", [
    ("x" * 140_000, 0, r"column 'a' of .* is not numeric, 'x{60}\.\.\.' in row 6"),
    ("x" * 140_000, 2, "has a label of 140,000 characters in row 6"),
    ("9" * 400, 0, "column 'a' of .* has an infinite value in row 6"),
    ("9" * 400, 2, "has a label of 400 characters in row 6"),
    ("9" * 5000, 2, "has a label of 5,000 characters in row 6"),
    ("w" * 1000, 0, r"column 'a' of .* is not numeric, 'w{60}\.\.\.' in row 6"),
    ("1\x00", 0, "column 'a' of .* is not numeric"),
    ('"1', 0, "row 6 of .* has 1 cells"),
    ("-1e200", 0, r"column 'a' of .* has -1.0e\+200 in row 6: rescale it"),
])  # fmt: skip
def test_csv_cells(cell, column, message, tmp_path) -> None:
    refused(csv(tmp_path / "real.csv", cell, column), message)


def test_csv_headers(tmp_path) -> None:
    refused(csv(tmp_path / "real.csv", "1", head=f"a,{'b' * 140_000},y"), "the header line of .* holds a name of over 131,072")
    with pytest.raises(BadInput, match=f"its columns are a, {'b' * 60}\\.\\.\\., target") as caught:
        read(csv(tmp_path / "real.csv", "1", head=f"a,{'b' * 1000},target"))
    assert len(str(caught.value)) < 300


def test_a_line_without_an_end(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(formats, "LONGEST", 100)
    refused(csv(tmp_path / "real.csv", "1" * 200), "a line has over 100 characters")


def test_large_whole_numbers_as_labels_stay_apart(tmp_path) -> None:
    labels = np.where(Y == 1, 2**63 - 1, 2**63 - 2)
    np.savez(tmp_path / "real.npz", X=X, y=labels)
    assert read(tmp_path / "real.npz").classes.tolist() == [2**63 - 2, 2**63 - 1]
    np.savez(tmp_path / "real.npz", X=X, y=np.where(Y == 1, 2**64 - 1, 7).astype(np.uint64))
    assert read(tmp_path / "real.npz").classes.tolist() == [str(2**64 - 1), "7"]


def test_labels_of_bytes_are_words(tmp_path) -> None:
    np.savez(tmp_path / "bytes.npz", X=X, y=np.where(Y == 1, b"spam", b"ham"))
    assert read(tmp_path / "bytes.npz").classes.tolist() == ["ham", "spam"]


# ---------------------------------------------------------------- parquet


def parquet(path: Path, names: list[str], compression: str = "snappy") -> Path:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = [pa.array(X[:, 0]), pa.array(X[:, 1]), pa.array(Y)]
    parquet.write_table(pa.Table.from_arrays(columns, names=names), path, compression=compression, use_dictionary=False)
    return path


@pytest.mark.parametrize("names", [["a", "a", "y"], ["a", "y", "y"]])
def test_parquet_with_two_columns_of_one_name(names, tmp_path) -> None:
    refused(parquet(tmp_path / "real.parquet", names), f"has two columns '{names[1]}'")


@pytest.mark.parametrize("at", range(4, 500, 31))
def test_parquet_with_damaged_pages(at, tmp_path) -> None:
    path = overwritten(parquet(tmp_path / "real.parquet", ["a", "b", "y"]), at, b"\xff" * 8)
    try:
        read(path)  # bytes that stand for other numbers cannot be told from right ones
    except BadInput as error:
        assert "\n" not in str(error) and str(path) in str(error)


# ---------------------------------------------------------------- no files


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_pipes_and_devices_are_not_opened(suffix, tmp_path) -> None:
    pipe, device, loop = (tmp_path / f"{name}{suffix}" for name in ("pipe", "device", "loop"))
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    loop.symlink_to(loop)
    program = "import sys; from synthmix.advice.tables import read; read(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", program, pipe], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "it is a pipe or a device" in done.stderr.splitlines()[-1]
    refused(device, "it is a pipe or a device")
    refused(loop, "there is no file")
    with pytest.raises(BadInput, match="File name too long"):
        read(tmp_path / f"{'n' * 300}{suffix}")


# ---------------------------------------------------------------- the command line


def advise(monkeypatch, capsys, *arguments: object) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["synthmix", "advise", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return stopped.value.code, capsys.readouterr().err


def test_a_bad_file_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, capsys) -> None:
    plan = ("--exact", "--budget", 50, "--epsilon", 0.1, "--rho", 0.2, "--phi", 0.9, "--out", tmp_path / "out")
    huge = archive(tmp_path / "huge.npz", X_npy=npy(1e300 * X))
    good, short = archive(tmp_path / "good.npz"), archive(tmp_path / "short.npz", y_npy=npy(Y[:5]))
    for arguments, word in ((("--real", huge), "rescale"), (("--real", short), "X has 24 rows"),
                            (("--real", good, "--synthetic", short), "X has 24 rows")):
        code, said = advise(monkeypatch, capsys, *arguments, *(plan if "--synthetic" not in arguments else plan[-2:]))
        assert code == 2 and len(said.splitlines()) == 1 and said.startswith("error: ") and word in said
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_known_before_anything_is_computed(tmp_path, monkeypatch, capsys) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("computed first")

    monkeypatch.setattr("synthmix.advice.advise.advise", never)
    (tmp_path / "file").write_text("")
    good = archive(tmp_path / "good.npz")
    code, said = advise(monkeypatch, capsys, "--real", good, "--synthetic", good, "--out", tmp_path / "file")
    assert code == 2 and len(said.splitlines()) == 1 and "cannot write" in said
    (tmp_path / "out" / "advice.json").mkdir(parents=True)
    code, said = advise(monkeypatch, capsys, "--real", good, "--synthetic", good, "--out", tmp_path / "out")
    assert code == 2 and "it is a folder" in said and sorted(one.name for one in (tmp_path / "out").iterdir()) == ["advice.json"]


def test_features_of_any_finite_size_are_advised_on(tmp_path) -> None:
    from synthmix.advice.advise import advise as give
    from synthmix.advice.plan import Plan
    from synthmix.solvers.problem import Generator

    plan = Plan(50, 0.1, 0.2, 0.9, Generator())
    one, other = (give(read(archive(tmp_path / "real.npz", X_npy=npy(factor * X))), plan, details=False) for factor in (1.0, 1e100))
    assert other.verdict == one.verdict and other.gain.value == pytest.approx(one.gain.value)


def test_more_classes_than_can_be_advised_on_in_reasonable_time(tmp_path) -> None:
    path, many = tmp_path / "real.npz", np.arange(240) % 21
    refused(archive(path, X_npy=npy(np.tile(X, (10, 1))), y_npy=npy(many)), "has 21 classes; advice is given for at most 20")
    assert len(read(archive(path, X_npy=npy(np.tile(X, (10, 1))), y_npy=npy(many % 20))).classes) == 20
