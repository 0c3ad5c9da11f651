"""Random files: tables for `advise` and checkpoints for `simulate`, damaged in the way disks and people damage them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import oracle

ROWS = 24


def _npz(**members: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.asarray(value) for name, value in members.items()})
    return buffer.getvalue()


def _usual(seed: int, scale: float = 1.0, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 2
    return scale * (rng.standard_normal((rows, 3)) + 2.0 * y[:, None]), y


def _csv(seed: int, cells: list[str]) -> bytes:
    """A csv file with some cells replaced."""
    X, y = _usual(seed)
    table = [["a", "b", "c", "y"], *([f"{value:.4g}" for value in row] + [str(label)] for row, label in zip(X, y, strict=True))]
    rng = np.random.default_rng(seed)
    for cell in cells:
        table[rng.integers(len(table))][rng.integers(4)] = cell
    return "\n".join(",".join(row) for row in table).encode("utf-8", "surrogatepass")


# what happens to a file: where, as a share of its length, and the bytes that are written there
DAMAGES = st.lists(st.tuples(st.sampled_from(["cut", "write", "double"]), st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=3)
Damages = list[tuple[str, float, bytes]]


def damage(whole: bytes, damages: Damages) -> bytes:
    """The bytes with parts cut off, overwritten or doubled."""
    data = bytearray(whole)
    for kind, where, written in damages:
        at = int(where * max(len(data) - 1, 0))
        if kind == "cut":
            del data[at:]
        elif kind == "write":
            data[at : at + 4] = written
        else:
            data[at:at] = data[at : at + 64]
    return bytes(data)


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """The bytes, damaged or as they are."""
    return DAMAGES.map(lambda damages: damage(whole, damages))


WORD = st.sampled_from(["", "nan", "inf", "1e100", "9" * 400, "x" * 140_000, '"', "\x00", "é", "1;2", "True"])
CELL = st.one_of(WORD, st.text(max_size=4))
VALUE = st.sampled_from([
    0, "x", [], [[1, 2]], np.zeros((2, 2, 2)), np.zeros((0, 3)), 1e100 * np.ones((ROWS, 3)), np.full((ROWS, 3), np.nan),
    np.array([None] * ROWS), np.zeros(ROWS + 1), np.arange(ROWS), np.array(["a"] * ROWS), np.zeros((ROWS, 3)),
])  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """The suffix and content of a table."""
    seed = draw(st.integers(0, 99))
    X, y = _usual(seed, 10.0 ** draw(st.integers(-12, 12)))
    kind = draw(st.sampled_from(["npz", "members", "csv", "csv-damaged", "bytes"]))
    if kind == "npz":
        return ".npz", draw(damaged(_npz(X=X, y=y)))
    if kind == "members":
        usual = {"X": X, "y": y}
        return ".npz", _npz(**{draw(st.sampled_from(["X", "y", "keep", "score", "truth", "z"])): draw(VALUE)} | draw(
            st.sampled_from([{}, {"y": y}, {"X": X}, usual])))  # fmt: skip
    if kind == "csv":
        return ".csv", _csv(seed, draw(st.lists(CELL, max_size=4)))
    if kind == "csv-damaged":
        return ".csv", draw(damaged(_csv(seed, [])))
    return draw(st.sampled_from([".npz", ".csv", ".parquet", ".txt", ""])), draw(st.binary(max_size=200))


PLAN = st.sampled_from([
    ["--exact", "--epsilon", "0.1", "--budget", "100"], ["--self-fitted", "--budget", "50"], [],
    ["--n-hat", "40", "--epsilon", "0.1:0.3", "--rho", "0.2", "--phi", "0.9", "--budget", "50"],
])  # fmt: skip


@given(real=tables(), synthetic=st.one_of(st.none(), tables()), plan=PLAN)
def advise(real: tuple[str, bytes], synthetic: tuple[str, bytes] | None, plan: list[str]) -> None:
    """`advise` on any file, or any two."""
    with oracle.folder() as place:
        arguments = ["advise", "--json", "--out", str(place / "out"), *plan]
        for name, table in (("real", real), ("synthetic", synthetic)):
            if table is not None:
                path = place / f"{name}{table[0]}"
                path.write_bytes(table[1])
                arguments += [f"--{name}", str(path)]
        oracle.command(arguments)


SETTING = {"n": 10, "m": 10, "p": 5, "mu": 1, "epsilon": 0.1, "rho": 0.1, "phi": 0.9, "gamma": 1}
GIVEN = [word for name, value in SETTING.items() for word in (f"--{name}", str(value))]
USUAL = ["simulate", "--json", *GIVEN]


@given(damages=DAMAGES, trials=st.integers(2, 4))
def checkpoint(damages: Damages, trials: int) -> None:
    """`simulate` going on from a damaged checkpoint."""
    with oracle.folder() as place:
        path = place / "trials.npz"
        oracle.command([*USUAL, "--trials", str(trials), "--checkpoint", str(path)])
        path.write_bytes(damage(path.read_bytes(), damages))
        oracle.command([*USUAL, "--trials", str(trials + 1), "--checkpoint", str(path)])


STUDY = """out = "rows"
[setting]
n = 20
p = 5
mu = 1.0
epsilon = 0.1
rho = 0.2
phi = 0.9
gamma = 1.0
[values]
m = [10, 20]
[ranges.omega]
low = 0.1
high = 2.0
count = 3
[compute]
formulas = ["rederived", "published"]
trials = 2
"""
TREE = """p = 5
mu = 1.5
gamma = 0.1
[[sets]]
name = "real"
count = 30
[[sets]]
name = "first"
count = 30
parents = ["real"]
epsilon = 0.2
verifier = {rho = 0.3, phi = 0.9}
[[sets]]
name = "train"
count = 90
parents = ["real", "first"]
weight = 1
"""
SAFETY = (Path(__file__).parents[2] / "language" / "configs" / "safety-toy.toml").read_text()
SPECTRUM = "1\n0.5\n0.25\n2\n1\n"
RECORD = json.dumps({"figure": "4", "title": "t", "quick": True, "claims": [
    {"name": "a", "kind": "estimate", "theory": 1.0, "measured": 1.1, "se": 0.1, "tolerance": 0.0, "holds": True}]})  # fmt: skip
SAID = st.sampled_from(["0", "-1", "nan", "inf", "1e300", "true", "[]", "[[1]]", "{}", '""', '"x"', "9" * 400, "1979-05-27", "[1, 'a']",
                        "1000000000000", "[" * 2000, '"power:1"', '["real"]', "{rho = 2}"])  # fmt: skip


@st.composite
def _declarations(draw: st.DrawFn, text: str) -> bytes:
    """A file of settings: values replaced, lines doubled or left out, then perhaps damaged."""
    lines = text.splitlines()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        key = lines[at].partition("=")[0].rstrip()
        lines[at : at + 1] = draw(st.sampled_from([[], [lines[at]] * 2, [f"{key} = {draw(SAID)}"], [f"other = {draw(SAID)}"]])) or [""]
    whole = "\n".join(lines).encode()
    return draw(damaged(whole)) if draw(st.integers(0, 3)) == 0 else whole


DECLARED = {
    "study": (STUDY, ["study", "--jobs", "1", "--json"]), "tree": (TREE, ["predict", "--json", "--tree"]),
    "simulated tree": (TREE, ["simulate", "--trials", "2", "--json", "--tree"]),
    "safety": (SAFETY, ["llm", "safety", "--list", "--config"]), "dry run": (SAFETY, ["llm", "safety", "--dry-run", "--config"]),
    "spectrum": (SPECTRUM, ["predict", "--json", *GIVEN, "--spectrum"]),
    "report": (RECORD, ["report"]),
}  # fmt: skip


@given(kind=st.sampled_from(sorted(DECLARED)), content=st.data())
def declared(kind: str, content: st.DataObject) -> None:
    """Commands that read a file of settings, on any file."""
    text, arguments = DECLARED[kind]
    with oracle.folder() as place:
        path = place / {"report": "figure4.json", "spectrum": "numbers.txt"}.get(kind, "declared.toml")
        path.write_bytes(content.draw(_declarations(text)))
        oracle.command([*arguments, {"report": str(place), "spectrum": f"file:{path}"}.get(kind, str(path))])


PROPERTIES = (advise, checkpoint, declared)
