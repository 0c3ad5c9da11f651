"""Family trees on data that are drawn here: theory from a pool's statistics against trained classifiers, what is left out."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from synthmix.experiments.network_generations import NetworkCase, Place, samples
from synthmix.experiments.networks import Training
from synthmix.experiments.real_data import RealData, Split
from synthmix.experiments.real_trees import ChainCase, Population, grown, signed_samples, trial
from synthmix.figures.figure_generations import FIGURE
from synthmix.figures.generations_real import real_rows
from synthmix.figures.kit.run import Run
from synthmix.solvers.problem import Generator, Setting
from synthmix.solvers.trees import generations
from synthmix.support.errors import BadInput

CASE = ChainCase(RealData("drawn", "books"), 60, 300, 1.0, trials=60)


@pytest.fixture(scope="module")
def split() -> Split:
    """Gaussian classes with a spectrum, a pool and a test set."""
    rng, p = np.random.default_rng(3), 60
    spread, mu = np.linspace(0.5, 1.8, p) ** 0.5, np.full(p, 1.6 / p**0.5)
    y = np.arange(14_000) % 2
    X = (2 * y - 1)[:, None] * mu + spread * rng.standard_normal((len(y), p))
    return Split(X[:6000], y[:6000], X[6000:], y[6000:])


@pytest.mark.parametrize("scheme", ["replace", "accumulate", "fresh:0.2"])
def test_the_theory_from_a_pool_is_what_classifiers_do(split, scheme) -> None:
    """Power: the weight handed down whole, or reduced twice, falls outside."""
    population = Population.of(split)
    tree = CASE.tree(4, scheme, population)
    measured = np.array([trial(split, tree, np.random.default_rng(i)) for i in range(CASE.trials)])
    within = 4 * measured.std(ddof=1) / len(measured) ** 0.5 + 0.005
    for predicted in population.accuracy(tree):
        assert abs(predicted - measured.mean()) < within
    for n_hat in (1e12, 30):
        assert abs(population.accuracy(CASE.tree(4, scheme, population, n_hat))[0] - measured.mean()) > within or scheme != "replace"


def test_every_set_is_drawn_once_from_its_own_parents() -> None:
    setting = Setting(0, 40, 5, 1.0, generator=Generator("independent", 20, estimate_mean=True))
    seen = grown(generations(setting, 3, "accumulate"), lambda each: [each.name], lambda each, parents: [each.name, *chain(*parents)])
    assert seen["s"] == ["s", "fit1", "fit2", "fit1", "fit3", "fit1", "fit2", "fit1"]


def test_samples_for_networks_have_every_class(split) -> None:
    case = NetworkCase(RealData("drawn", "books"), 40, 30, 2, Training(steps=1, warmup=0))
    for place in (Place("replace", 3), Place("accumulate", 2), Place("fresh:0.5", 2), Place("replace", 1, 4)):
        X, y = samples(split, case, place, np.random.default_rng(0))
        assert X.shape == (60, 60)
        assert np.bincount(y).tolist() == [30, 30]


def test_more_than_two_classes_are_refused(split) -> None:
    with pytest.raises(BadInput, match="two classes"):
        signed_samples(split.X, split.y + 1)


def test_what_is_not_here_is_left_out_with_a_reason(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("SYNTHDATA_DIR", raising=False)
    monkeypatch.setattr("synthmix.data.tasks.status", lambda *_: type("Status", (), {"missing": ["a file"]})())
    rows = real_rows(replace(FIGURE.quick.real), ("replace",), Run(data=tmp_path))
    assert not rows.claims
    assert len(rows.notes) == 3
    assert all(note.startswith("Left out") and "data fetch" in note for note in rows.notes)
