"""Commands on a full disk: one line, exit code 1, and the old file whole. A limit on the size of files stands for the full disk."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from synthmix import cli

ROOT = Path(cli.__file__).parent
LEFT = 300  # bytes
CHECKS = "from synthmix.derivations import chapters; every = chapters.checks(); chapters.checks = lambda: every[:1]; "  # not all: a minute
RECORD = {"figure": "1", "title": "", "quick": True, "settings": {}, "seed": 0, "versions": {}, "commit": None, "seconds": 1, "claims": []}
STUDY = """
[setting]
n = 40
p = 20
mu = 1.5
rho = 0.2
phi = 0.9
gamma = 1.0
m = 20
[ranges.epsilon]
low = 0.0
high = 0.4
count = 40
"""


def run(folder: Path, *arguments: str, before: str = "", full: bool = True) -> subprocess.CompletedProcess[str]:
    """The command in a folder, on a disk where no file grows beyond LEFT bytes."""
    def limit() -> None:
        if full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (LEFT, LEFT))

    return subprocess.run([sys.executable, "-c", f"{before}from synthmix import cli; cli.main()", *arguments], cwd=folder, check=False,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, preexec_fn=limit)  # fmt: skip


def refused(done: subprocess.CompletedProcess[str], name: str) -> None:
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("error: cannot write ") and name in done.stderr
    assert done.stderr.endswith("File too large; nothing there was changed\n") and len(done.stderr.splitlines()) == 1


def test_the_report_of_the_derivation(tmp_path: Path) -> None:
    (tmp_path / "out.md").write_text("old")
    refused(run(tmp_path, "derive", "--check", "--report", "out", before=CHECKS), "out.md")
    assert os.listdir(tmp_path) == ["out.md"] and (tmp_path / "out.md").read_text() == "old"


def test_the_page_of_all_figures(tmp_path: Path) -> None:
    (tmp_path / "figure1.json").write_text(json.dumps(RECORD))
    (tmp_path / "explorer.html").write_text("old")
    refused(run(tmp_path, "report", "."), "explorer.html")
    assert sorted(os.listdir(tmp_path)) == ["explorer.html", "figure1.json"] and (tmp_path / "explorer.html").read_text() == "old"


def test_a_study_and_its_rows(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs pyarrow (pip install -e '.[studies]')")
    pytest.importorskip("pandas", reason="needs pandas (pip install -e '.[studies]')")
    (tmp_path / "s.toml").write_text(STUDY)
    (tmp_path / "rows.csv").write_text("old")
    refused(run(tmp_path, "study", "s.toml"), "part-")
    assert not [path for path in (tmp_path / "s").rglob("*") if path.is_file()]
    assert run(tmp_path, "study", "s.toml", full=False).returncode == 0
    kept = {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()}
    refused(run(tmp_path, "study", "s.toml", "--csv", "rows.csv"), "rows.csv")
    assert (tmp_path / "rows.csv").read_text() == "old" and kept
    assert {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()} == kept
