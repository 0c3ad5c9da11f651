"""Figure 7: a toy run on scikit-learn's digits, its claims on made-up scores, and label noise on MNIST itself."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from synthmix.data import FOLDER_VARIABLE
from synthmix.data.sets import digits, mnist
from synthmix.experiments.mnist_networks import MnistImages, NetworkDesign, NetworkScores, Statistics, Synthetic, run
from synthmix.experiments.networks import Training
from synthmix.figures import figure7
from synthmix.figures.figure7 import QUICK, Settings
from synthmix.figures.kit.run import Run
from synthmix.solvers.problem import NO_SUPERVISION, ORACLE
from synthmix.support.errors import BadInput
from synthmix.support.records import plain

TOY = replace(QUICK, m=(0, 125), n=20, seeds=2, training=Training(hidden=16, steps=60, warmup=10))


def test_toy_run(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    pixels, y = digits.load()
    monkeypatch.setattr(mnist, "load", lambda part, folder: (pixels[:1300], y[:1300]) if part == "train" else (pixels[1300:], y[1300:]))
    built = figure7.build(TOY, Run(seed=1))
    assert [panel.title.split(",")[0][:13] for panel in built.panels] == ["label noise", "feature noise", "label noise: "]
    names = [claim.name for claim in built.claims]
    assert len(set(names)) == len(names)
    assert sum(claim.name.startswith("published accuracy, real images only") for claim in built.claims) == 1
    assert {len(built.extra["points"][curve.name]) for curve in (*TOY.left, *TOY.right)} == {2}
    without = [rows[0]["test accuracy"] for rows in built.extra["points"].values()]
    assert all(np.array_equal(one, without[0]) for one in without)  # one network a seed, not one a curve
    json.dumps(plain(built.extra), allow_nan=False)


def scores(mean: float, seeds: int = 10, sd: float = 0.01) -> NetworkScores:
    values = mean + sd * np.random.default_rng(int(1000 * mean)).standard_normal(seeds)
    return NetworkScores(np.tile(values[:, None], 10), values, values, np.full(seeds, 100.0), np.zeros(seeds))


MADE_UP = Settings(m=(0, 125, 500))
PUBLISHED = {curve.name: figure7._published(curve, MADE_UP.m) for curve in (*MADE_UP.left, *MADE_UP.right) if curve.published}


def claims(swap: tuple[str, str] | None = None) -> dict[str, bool]:
    """What is claimed of scores around the published values, or of those with two curves swapped."""
    names = {one: one for one in (*PUBLISHED, "strong at random")} | ({swap[0]: swap[1], swap[1]: swap[0]} if swap else {})
    made_up = {one: [scores(PUBLISHED["strong" if of == "strong at random" else of][m]) for m in MADE_UP.m] for one, of in names.items()}
    made = [*figure7._published_claims(MADE_UP, made_up, PUBLISHED), *figure7._order_claims(MADE_UP, made_up)]
    return {claim.name: claim.holds for claim in made}


def test_claims_hold_around_the_published_values() -> None:
    assert all(claims().values())


@pytest.mark.parametrize("swap", [("oracle", "none"), ("all samples", "identity covariance")])
def test_swapped_curves_are_noticed(swap: tuple[str, str]) -> None:
    failed = {name for name, holds in claims(swap).items() if not holds}
    for m in (125, 500):
        assert f"published accuracy, {swap[0]}, m={m}" in failed
        assert f"published accuracy of another curve, {swap[1]} for {swap[0]}, m={m}" in failed
        assert f"{swap[0]} above {swap[1]} (p of a paired test), m={m}" in failed


def test_a_seed_that_breaks_down_is_recorded_and_does_not_blunt_the_claim() -> None:
    broken = scores(0.9)
    broken.accuracy[3] = 0.3
    claim = figure7._against("published accuracy, oracle, m=125", "agrees", 0.75, broken)
    assert claim.tolerance == figure7.WIDEST
    assert not claim.holds
    record = figure7._record(replace(MADE_UP, m=(125,)), {"oracle": [broken]}, PUBLISHED, [claim])
    assert record["published points outside"] == [claim.name]
    assert [(one["curve"], one["m"], one["accuracy"]) for one in record["seeds that broke down"]] == [("oracle", 125, 0.3)]


def test_label_noise_on_mnist() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    if not os.environ.get(FOLDER_VARIABLE):
        pytest.skip("SYNTHDATA_DIR names no folder with MNIST")
    try:
        (X, y), (test_X, test_y) = (mnist.load(part, download=False) for part in ("train", "test"))
    except BadInput as missing:
        pytest.skip(str(missing))
    data = MnistImages(X.reshape(len(X), -1), y, test_X.reshape(len(test_X), -1), test_y)
    points = tuple((Synthetic(Statistics(300), 0.3, verifier), 125) for verifier in (ORACLE, NO_SUPERVISION))
    measured = run(NetworkDesign(points, seeds=2, training=Training(steps=400, warmup=100)), data)
    oracle, none = (measured[point].accuracy for point in points)
    assert (oracle > none + 0.04).all()
    assert (oracle > 0.8).all()
