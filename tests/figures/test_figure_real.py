"""Figure R small: digits always, MNIST and the reviews where they are; what a trial does to its data."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from synthmix.data import dataset, status
from synthmix.estimators.ridge import ridge
from synthmix.experiments.real import Mix, trial
from synthmix.experiments.real_data import RealData, Split
from synthmix.figures import figure_real
from synthmix.figures.figure_real import DIGITS, Settings, build
from synthmix.figures.kit.run import Run
from synthmix.solvers.problem import ORACLE, Generator
from synthmix.support.errors import BadInput
from synthmix.support.records import plain

TOY = Settings((replace(DIGITS, name="digits", n=30, m=(0, 60), generators=(Generator("self-fitted"),), trials=3),))


def gaussians(elliptical: bool = False) -> Split:
    """Two classes in 5 dimensions, far apart in the first."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 200)
    X = rng.standard_normal((400, 5)) + 4 * y[:, None] * np.eye(5)[0]
    return Split(X[::2], y[::2], X[1::2], y[1::2], elliptical)


def needs(name: str) -> None:
    if status(dataset(name)).missing:
        pytest.skip(f"{name} is not here: python cli.py data fetch {name}")


def test_the_digits_are_built_and_the_record_adds_up():
    built = build(TOY, Run(seed=1))
    extra = built.extra
    assert extra["settings"] == 4 == len(extra["all"])  # one without generated samples, three supervisions
    assert extra["within"] + len(extra["misses"]) == extra["settings"]
    for row in extra["all"]:
        assert row["residual"] == pytest.approx(row["predicted"] - row["measured"])
        assert row["residual"] == pytest.approx(row["residual from moments"] + row["residual from the shape of the scores"])
        assert 0.8 < row["measured"] < 1 and abs(row["residual"]) < 0.06
    share = next(claim for claim in built.claims if claim.kind == "at least")
    assert share.measured == extra["within"] / extra["settings"]
    assert {claim.name.split(", ")[-1] for claim in built.claims if "wrong theory" in claim.name} == {
        "isotropic covariances", "an exact generator", "an oracle in place of no supervision"}  # fmt: skip
    json.dumps(plain(extra), allow_nan=False)


def test_workers_change_nothing():
    few = Settings((replace(TOY.cases[0], m=(0,), trials=2),))
    one, two = (build(few, Run(seed=3, jobs=jobs)).extra["all"] for jobs in (1, 2))
    assert one == two


@pytest.mark.parametrize("features", ["pixels", "relu", "halved"])
def test_mnist_splits(features):
    needs("mnist")
    split = RealData("3-8", "mnist", (3, 8), features, 50).splits(0, 1)[0]
    assert split.classes == 2 and len(split.X) == 11982 and np.array_equal(np.bincount(split.y_test), [1010, 974])
    assert split.X.shape[1] == split.X_test.shape[1] <= {"pixels": 784, "relu": 50, "halved": 196}[features]
    np.testing.assert_allclose(split.X.mean(axis=0), 0, atol=1e-9)
    assert split.X.var(axis=0).mean() == pytest.approx(1)


def test_the_public_test_set_is_divided_anew():
    """It is easier than the rest: a classifier of ten classes gets a point more there, which is no error of the theory."""
    needs("mnist")
    data = RealData("ten", "mnist", tuple(range(10)), "halved")
    one, two = (data.splits(seed, 1)[0] for seed in (0, 1))
    assert not np.array_equal(one.X_test, two.X_test) and np.array_equal(one.X_test, data.splits(0, 1)[0].X_test)
    assert [len(samples) for samples in one.samples] == [5000] * 10
    public = data.published()
    easier = []
    for split in (one, public):
        rows = np.concatenate([np.flatnonzero(split.y == k)[:1000] for k in range(10)])
        scores = ridge(split.X[rows], split.y[rows], 10, 0.1 * len(rows)).scores(split.X_test)
        easier.append(np.mean(scores.argmax(axis=1) == split.y_test))
    assert 0.003 < easier[1] - easier[0] < 0.02


def test_a_pair_is_predicted():
    needs("mnist")
    case = replace(figure_real.QUICK.cases[0], size=100, m=(0, 500), trials=3)
    built = build(Settings((case,)), Run(seed=0))
    assert all(abs(row["residual"]) < 0.015 for row in built.extra["all"])


def test_reviews_are_elliptical():
    needs("amazon")
    split = RealData("books", "books").splits(0, 1)[0]
    assert split.elliptical and split.classes == 2 and len(split.X_test) == 600
    assert [len(samples) for samples in split.samples] == list(np.bincount(split.y))


def test_random_splits_share_nothing():
    one, two = RealData("digits", "digits").splits(0, 2)
    assert len(one.X) + len(one.X_test) == 1797 and np.all(np.bincount(one.y_test) == 60)
    assert not np.array_equal(one.y, two.y) or not np.array_equal(one.X, two.X)
    assert np.array_equal(one.X, RealData("digits", "digits").splits(0, 2)[0].X)


def test_draws_are_disjoint_and_balanced():
    split = gaussians()
    (X, y), (Z, z) = split.draw(np.random.default_rng(0), [30, 20])
    assert np.array_equal(np.bincount(y), [30, 30]) and np.array_equal(np.bincount(z), [20, 20])
    assert not set(map(tuple, X)) & set(map(tuple, Z))
    with pytest.raises(BadInput, match="only 100 samples"):
        split.draw(np.random.default_rng(0), [60, 60])


def test_gaussian_scores_are_worth_what_they_are():
    outcome = trial(gaussians(), Mix(50, 0, Generator("self-fitted")), np.random.default_rng(0))
    assert outcome.accuracy > 0.95
    assert abs(outcome.accuracy - outcome.gaussian) < 0.02


def test_an_oracle_helps():
    split, mix = gaussians(), Mix(10, 100, Generator("independent", n_hat=50), epsilon=0.45)
    accuracy = [np.mean([trial(split, one, np.random.default_rng(i)).accuracy for i in range(10)])
                for one in (mix, replace(mix, verifier=ORACLE))]
    assert accuracy[1] > accuracy[0]


def test_real_data_have_no_exact_generator():
    with pytest.raises(BadInput, match="not known"):
        trial(gaussians(), Mix(10, 100, Generator()), np.random.default_rng(0))
