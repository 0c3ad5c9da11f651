"""Figure study small: decision functions, curves with their claims, digits described from few samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthmix.data import dataset, status
from synthmix.experiments.amazon import AmazonSettings, child_seeds, held_out_margins, load, measure_split
from synthmix.experiments.decision_functions import distance_to_gaussian, drawn_margins
from synthmix.figures.figure_study import QUICK, _digits, _histogram, _mixed, _named_settings, _studied, _studies
from synthmix.figures.kit.run import Run
from synthmix.solvers.predict import predict
from synthmix.solvers.problem import NO_SUPERVISION

SMALL = replace(QUICK, p=40, n=20, m=60, n_hat=40, trials=40, fresh=500, gammas=(0.1, 1.0), n_hats=(50, 200), epsilons=(0.2, 0.7),
                proportions=(0.5,), many_n=(200,), many_p=(40,), N=400, toy_trials=40, samples=(10, 100), draws=10)


def needs(name: str) -> None:
    if status(dataset(name)).missing:
        pytest.skip(f"{name} is not here: python cli.py data fetch {name}")


def test_the_distance_to_a_gaussian():
    rng = np.random.default_rng(0)
    values = 2 + 3 * rng.standard_normal((40, 500))
    assert distance_to_gaussian(values, 2, 9) < 0.012
    assert distance_to_gaussian(values, 2.3, 9) == pytest.approx(0.04, abs=0.012)  # .1 of the spread: .1 times the density at 0
    assert distance_to_gaussian(np.zeros(10), 0, 1) == pytest.approx(0.5)


@pytest.mark.parametrize("entries", ["gaussian", "rademacher"])
def test_margins_have_the_moments_of_the_theory(entries):
    setting = _named_settings(SMALL)["general"]
    margins, theory = drawn_margins(setting, 60, 400, 0, entries), predict(setting)
    rows = margins.mean(axis=1)
    assert abs(rows.mean() - theory.mean_margin) < 4 * rows.std() / 60**0.5 + theory.mean_margin / setting.p
    assert margins.var(axis=1).mean() == pytest.approx(theory.variance, rel=0.06)


def test_the_published_gaussian_is_further_off():
    for name, setting in _named_settings(SMALL).items():
        _, (ours, theirs) = _histogram(SMALL, name, setting, 1)
        assert ours.measured < 0.03, name
        assert theirs.name.startswith("distance of margins to the published")


def test_studies_keep_what_they_say():
    at = _mixed(SMALL, 40, 200, None, 0.75)
    assert (at.n, at.m, at.generator.n_hat) == (200, 600, 200)
    at = _mixed(SMALL, 40, None, 400, 0.75)
    assert (at.n, at.m) == (100, 300)
    assert [study.name for study in _studies(SMALL)] == ["the ridge", "n_hat", "label noise", "the proportion at p=40",
                                                         "the proportion at N=400"]


def test_every_study_is_simulated_and_claims_every_point():
    for study in _studies(SMALL):
        panels, claims = _studied(study, Run(seed=2))
        points = sum(len(curve.x) for curve in study.curves)
        assert len(panels) == len(study.quantities)
        assert sum(claim.kind == "agrees" for claim in claims) == 4 * points + 4
        loose = [claim.name for claim in claims if not claim.holds and "standard error" not in claim.note]
        assert len(loose) <= 1, loose  # forty trials at p = 40: what a limit misses is of the order of the budget


def test_the_distance_of_digits_is_estimated_without_bias():
    needs("mnist")
    _, claims = _digits(SMALL, Run(seed=0))
    assert all(claim.holds for claim in claims) and claims[-1].kind == "falls outside"


def test_margins_of_reviews_are_those_of_the_curve():
    needs("amazon")
    reviews, design = load("books"), AmazonSettings(m=(800,), verifiers=(NO_SUPERVISION,))
    (seed,) = child_seeds(0, 1)
    margins = held_out_margins(reviews, seed, 800, NO_SUPERVISION, design)
    assert np.mean(margins > 0) == measure_split(reviews, "held-out", child_seeds(0, 1)[0], design)[0, 0]

