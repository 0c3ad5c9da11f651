"""The package as its users see it: the public names, and what a wheel installs."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import synthmix as sm

ROOT = Path(__file__).resolve().parent.parent

PUBLIC = {
    "NO_SUPERVISION", "ORACLE", "Fit", "Generator", "Law", "Problem", "Ridge", "Setting", "Source", "Verifier",
    "ClassMixture", "ClassPrediction", "predict_classes",
    "Prediction", "PredictionGrid", "predict", "predict_grid", "critical_noise", "predict_relabelling", "Family", "Optimum", "best_mix",
    "LossFamily",
    "SampleSet", "Tree", "generations", "predict_tree", "predict_trees", "read_tree",
    "predict_line", "smallest_fresh_share", "weakest_verifier",
    "LinearVerifier", "MarginLabeller", "ScoreVerifier", "Selection", "keep_share", "predict_selection", "score_direction",
    "Simulation", "simulate", "simulate_many",
    "SyntheticMixRidge", "RelabelledMix",
    "Advice", "Plan", "Table", "advise", "read",
    "Study", "study", "cluster",
    "BadInput", "NotConverged", "Unreachable",
}  # fmt: skip


def test_the_public_names_are_these_and_all_can_be_had() -> None:
    assert len(sm.__all__) == len(set(sm.__all__))
    assert set(sm.__all__) == PUBLIC
    assert set(dir(sm)) >= PUBLIC | {"__version__"}
    for name in sm.__all__:
        assert f"`{name}`" in sm.__doc__, f"{name} is not in the documentation of the package"
        assert getattr(sm, name) is not None
    assert sm.predict(sm.Setting(n=100, m=0, p=50, mu=1.0)).accuracy > 0.5


def test_every_public_name_is_told_to_type_checkers_from_where_it_comes() -> None:
    checked = next(node for node in ast.parse((ROOT / "__init__.py").read_text()).body
                   if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    assert all(node.level == 1 for node in checked.body)
    told = {alias.asname: node.module for node in checked.body for alias in node.names}
    assert told == sm._MODULE_OF


def test_importing_the_package_loads_nothing_else() -> None:
    heavy = ("numpy", "scipy", "numba", "sympy", "matplotlib", "sklearn", "torch")
    code = f"import sys, synthmix; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(sm, "no_such_name")


def test_every_folder_of_modules_is_in_the_wheel() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    rooms = {path.relative_to(ROOT).parent for path in ROOT.glob("[!.]*/**/__init__.py")} - {Path("benchmarks")}
    rooms = {room for room in rooms if room.parts[0] not in ("build", "out", "tests")}
    packages = {".".join(("synthmix", *room.parts)) for room in rooms}
    assert sorted(setuptools["packages"]) == sorted({"synthmix", *packages, *setuptools["package-data"]})  # data too
