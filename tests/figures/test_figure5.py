"""Figure 5 on MNIST where it is on this machine, and on scikit-learn's digits everywhere."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from synthmix.data import locate
from synthmix.data.sets import digits, mnist
from synthmix.estimators.class_gaussian import ClassGaussian
from synthmix.figures import figure5
from synthmix.figures.figure5 import ALL, FEWER, IDENTITY, Settings
from synthmix.figures.kit.run import Run
from synthmix.figures.kit.validate import validate
from synthmix.support.errors import BadInput

SMALL = Settings(statistics=(ALL, FEWER[1], IDENTITY), batch=50, batches=20, rows=3)


@pytest.fixture
def small_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digits of scikit-learn in the place of MNIST."""
    monkeypatch.setattr(mnist, "load", lambda part, folder: digits.load())


def failed(claims: object) -> set[str]:
    return {claim.name for claim in claims if not claim.holds}


def test_what_is_drawn_is_what_was_estimated(small_digits):
    built = figure5.build(SMALL, Run())
    assert not failed(built.claims)
    assert len(built.claims) == 2 + 2 * (2 + 2)
    images = [panel.marks[0].rows for panel in built.panels[:4]]
    assert {sheet.shape for sheet in images} == {(3, 10, 8, 8)}
    X, y = digits.load()
    np.testing.assert_array_equal(images[0][0, 4], X[y == 4][0])
    assert images[1].min() == images[2].min() == 0 > images[3].min(), "clipped, except for the identity covariance"


def test_the_numbers_do_not_depend_on_the_number_of_workers(small_digits):
    one, two = (figure5.build(replace(SMALL, batches=3), Run(seed=5, jobs=jobs)) for jobs in (1, 2))
    assert [claim.measured for claim in one.claims] == [claim.measured for claim in two.claims]


@pytest.mark.parametrize("fault", ["covariance", "mean", "clipped"])
def test_a_generator_that_draws_something_else_is_caught(fault, small_digits, monkeypatch):
    sample = ClassGaussian.sample

    def faulty(self: ClassGaussian, rng: np.random.Generator, per_class: int) -> tuple[np.ndarray, np.ndarray]:
        X, y = sample(self, rng, per_class)
        means = np.repeat(self.means, per_class, axis=0)
        wrong = {"covariance": means + 1.15 * (X - means), "mean": X + 0.05 * means, "clipped": np.maximum(X, 0)}
        return wrong[fault], y

    monkeypatch.setattr(ClassGaussian, "sample", faulty)
    names = failed(figure5.build(SMALL, Run()).claims)
    assert "mean drawn is that estimated, all" in names
    assert ("covariance drawn is that estimated, all" in names) == (fault == "covariance")


def test_the_expected_distances_are_those_of_the_formula():
    """Two classes in two dimensions, by hand: |mean|^2 has tr(C)/m, |S - C|^2 has (tr(C)^2 + tr(C^2))/m."""
    roots = (np.diag([1.0, 2.0]), np.array([[1.0, 1.0]]))
    target = figure5._Target(ClassGaussian(np.arange(2), np.array([[3.0, 4.0], [1.0, 0.0]]), roots))
    np.testing.assert_allclose(target.expected(10), [[0.5, 0.2], [(25 + 17) / 10, (4 + 4) / 10]])
    distances = target.distances(np.array([[3.0, 5.0], [1.0, 0.0]]), [np.zeros((2, 2)), np.ones((2, 2))])
    np.testing.assert_allclose(distances, [[1, 0], [1 + (1 - 4) ** 2, 0]])
    np.testing.assert_allclose(target.relative(distances), [1 / 26, 10 / 21])


@pytest.mark.parametrize("m", [1, 3, 30])
def test_the_mean_and_variance_of_the_distances_are_measured(m):
    rng, count = np.random.default_rng(m), 40_000
    roots = (rng.standard_normal((4, 3)), rng.standard_normal((2, 3)))
    generator = ClassGaussian(np.arange(2), rng.standard_normal((2, 3)), roots)
    target = figure5._Target(generator)
    draws = np.array([target.distances(*figure5._moments(generator, rng, m)) for _ in range(count)])
    off = draws - target.expected(m)
    assert np.all(np.abs(off.mean(axis=0)) <= 5 * np.sqrt(target.variance(m) / count))
    spread = (off**2).std(axis=0) / np.sqrt(count)
    assert np.all(np.abs((off**2).mean(axis=0) - target.variance(m)) <= 5 * spread)
    assert np.all(spread < 0.1 * target.variance(m)), "a wrong variance would be seen"


def test_quick_on_mnist_holds(tmp_path):
    try:
        locate(mnist.DATASET, download=False)
    except BadInput as missing:
        pytest.skip(str(missing))
    done = validate("5", Run(jobs=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1), quick=True, out=tmp_path)
    assert not failed(done.claims) and done.holds
    record = json.loads((tmp_path / "figure5-quick.json").read_text())
    assert set(record["extra"]) == {one.name for one in figure5.QUICK.statistics}
    for moment in figure5.MOMENTS:
        for one in record["extra"].values():
            drawn, expected = one[moment]["squared distance of drawn to estimated, by class"], one[moment]["expected, by class"]
            np.testing.assert_allclose(drawn, expected, rtol=0.6)
        apart = [record["extra"][one.name][moment]["relative squared distance of estimated to that of all"] for one in (ALL, *FEWER)]
        assert apart == sorted(apart) and apart[0] == 0, "the fewer samples, the farther from the statistics of all"
