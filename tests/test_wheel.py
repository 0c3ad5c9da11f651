"""A wheel of the checkout, installed away from it: one top-level package and its command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SETTING = {"n": 100, "m": 1000, "p": 50, "mu": 1, "epsilon": 0.3, "rho": 0.1, "phi": 0.8, "gamma": 0.1}
PREDICT = ("predict", *(word for name, value in SETTING.items() for word in (f"--{name}", value)), "--json")


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of a fresh environment with the wheel in it; what the wheel needs is that of the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    source, pip = folder / "another-name", (sys.executable, "-m", "pip")
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "out", "build", "site", "__pycache__", "*.egg-info"))
    built = run(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source, cwd=folder)
    if built.returncode and "setuptools" in built.stderr and "Could not find a version" in built.stderr:
        pytest.skip("the build backend setuptools cannot be downloaded here")
    assert built.returncode == 0, built.stderr
    venv.create(folder / "venv", symlinks=True)
    commands = folder / "venv" / "bin"
    there = (*pip, "--python", commands / "python")
    installed = run(*there, "install", "--quiet", "--no-deps", "--no-index", *folder.glob("*.whl"), cwd=folder)
    assert installed.returncode == 0, installed.stderr
    site = next((folder / "venv").glob("lib/python*/site-packages"))
    (site / "of-the-tests.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return commands


def test_the_wheel_holds_one_package(bin_folder: Path) -> None:
    site = next(bin_folder.parent.glob("lib/python*/site-packages"))
    names = {path.name for path in site.iterdir()} - {"of-the-tests.pth", "__pycache__"}
    assert {name.split("-")[0] for name in names} == {"synthmix"}, names
    assert len(names) == 2, names
    assert (site / "synthmix" / "py.typed").exists()


def test_the_installed_command_predicts_and_validates_away_from_the_checkout(bin_folder: Path, tmp_path: Path) -> None:
    where = run(bin_folder / "python", "-c", "import synthmix; print(synthmix.__version__, synthmix.__file__)", cwd=tmp_path)
    version, file = where.stdout.split()
    metadata = next(bin_folder.parent.glob("lib/python*/site-packages/synthmix-*"))
    assert Path(file).is_relative_to(bin_folder.parent)
    assert metadata.name == f"synthmix-{version}.dist-info"

    predicted = run(bin_folder / "synthmix", *PREDICT, cwd=tmp_path)
    assert predicted.returncode == 0, predicted.stderr
    assert predicted.stdout == run(sys.executable, ROOT / "cli.py", *PREDICT, cwd=tmp_path).stdout

    quick = ("--figure", 4, "--quick", "--out", tmp_path)
    validated = run(bin_folder / "synthmix", "validate", *quick, cwd=tmp_path)
    assert validated.returncode == 0, validated.stderr + validated.stdout
    assert json.loads((tmp_path / "figure4-quick.json").read_text())["holds"]
    assert sorted(os.listdir(tmp_path)) == ["figure4-quick.csv", "figure4-quick.json", "figure4-quick.pdf", "figure4-quick.png"]
