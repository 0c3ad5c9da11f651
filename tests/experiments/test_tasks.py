"""A data set is one registered object: a new one in one file is all that the figures on real data and the back-test need."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from synthmix import data
from synthmix.data import sets
from synthmix.experiments import tasks
from synthmix.experiments.back_test_run import UserCase
from synthmix.experiments.real import MixCase
from synthmix.experiments.real_data import RealData
from synthmix.figures import figure_advise, figure_real
from synthmix.figures.kit.run import Run
from synthmix.solvers.problem import Generator
from synthmix.support.errors import BadInput

TOY = """
import numpy as np

from synthmix.data.entry import DataSet
from synthmix.data.tasks import ClassificationTask, TaskSamples

DATASET = DataSet("toy", "Toy", "none", "nobody", (), ("toy",))


def load(folder=None):
    rng = np.random.default_rng(0)
    y = np.arange(600) % 3
    return rng.standard_normal((600, 6)) + 2.5 * np.eye(6)[y], y


def samples(folder):
    X, y = load()
    return TaskSamples(X, y + 7, group=np.arange(600) // 3 if GROUPS else None)


GROUPS = False
TASKS = (ClassificationTask("toy", "Toys", DATASET, samples, tested=60, classes=3),)
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One file among the data sets."""
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setattr(sets, "__path__", [*sets.__path__, str(tmp_path)])
    yield "toy"
    sys.modules.pop("synthmix.data.sets.toy", None)


def test_every_task_is_registered_once_and_names_a_data_set():
    assert tasks.names() == sorted(set(tasks.names())) == ["books", "completions", "digits", "elec", "kitchen", "mnist", "preferences"]
    for name in tasks.names():
        one = tasks.task(name)
        assert data.dataset(one.data_set.name) is one.data_set
    with pytest.raises(BadInput, match="no classification task 'birds'; there are books, "):
        RealData("birds", "birds").splits(0, 1)


def test_a_new_file_is_known_everywhere(toy: str):
    assert toy in data.names() and toy in tasks.names()
    assert not tasks.task(toy).missing()


def test_the_figure_on_real_data_runs_on_it(toy: str):
    case = MixCase("my toys", toy, 30, (0, 60), (Generator("self-fitted"),), 3)
    built = figure_real.build(figure_real.Settings((case,)), Run(seed=1))
    assert [row["data"] for row in built.extra["all"]] == ["my toys"] * 4
    assert all(row["measured"] > 0.7 and abs(row["residual"]) < 0.06 for row in built.extra["all"])
    assert [mark.label for mark in built.panels[0].marks if mark.label] == ["Toys, 3 classes"]


def test_the_back_test_of_the_advice_runs_on_it(toy: str):
    two = RealData("two toys", toy, (7, 9), "relu", 5)
    settings = figure_advise.Settings((UserCase(RealData("toys", toy), 60, 3, 50, 1, 2, 200), UserCase(two, 40, 2, 50, 1, 2, 200)))
    built = figure_advise.build(settings, Run(seed=1))
    assert [row["p"] for row in built.extra["all"]] == [6, 5] and not built.extra["left out"]
    assert all(0.7 < row["realised"] < 1 for row in built.extra["all"])
    assert [mark.label for mark in built.panels[0].marks if mark.label] == ["Toys"]


def test_features_are_scaled_as_the_task_says(toy: str):
    split = RealData("toys", toy).redivided(0)
    np.testing.assert_allclose(split.X.std(axis=0), 1)
    np.testing.assert_allclose(split.X.mean(axis=0), 0, atol=1e-12)
    assert split.classes == 3 and np.array_equal(np.bincount(split.y_test), [60] * 3) and len(split.X) == 420
    with pytest.raises(BadInput, match="only images can be halved"):
        RealData("toys", toy, features="halved").splits(0, 1)


def test_no_group_is_divided(toy: str, monkeypatch: pytest.MonkeyPatch):
    assert tasks.task(toy)
    monkeypatch.setattr(sys.modules["synthmix.data.sets.toy"], "GROUPS", True)
    split = RealData("toys in groups", toy).redivided(0)
    assert len(split.X) == 140  # one of each of the groups that are not tested
    assert np.array_equal(np.bincount(split.y_test), [60] * 3)
