"""Amazon reviews: both protocols, the published numbers, and the self-fitted theory on held-out reviews."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

from synthmix.data import FOLDER_VARIABLE
from synthmix.estimators.statistics import ClassStatistics
from synthmix.experiments import amazon
from synthmix.experiments.amazon import AmazonSettings, Reviews, child_seeds, curves, load, measure_split, training_statistics
from synthmix.solvers.problem import ORACLE, Verifier
from synthmix.support.errors import BadInput

PUBLISHED = Path(amazon.__file__).parents[1] / "figures" / "published" / "figure6_amazon.json"
SMALL = AmazonSettings(n=60, m=(0, 1, 30, 500))


@pytest.fixture(scope="module")
def reviews() -> list[Reviews]:
    if not os.environ.get(FOLDER_VARIABLE):
        pytest.skip("SYNTHDATA_DIR names no folder with the Amazon reviews")
    try:
        return [load(name, download=False) for name in amazon.NAMES]
    except BadInput as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def measured(reviews) -> dict[tuple[str, str], amazon.AmazonCurve]:
    return {(curve.name, curve.protocol): curve for curve in curves(reviews, jobs=2)}


@pytest.fixture
def drawn() -> Reviews:
    """200 samples that need no file, with one constant feature."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(200) < 100, -1.0, 1.0)
    X = 0.3 * y[:, None] + rng.standard_normal((200, 12)) * np.arange(1, 13)
    X[:, 5] = 2.0
    return Reviews("drawn", X, y)


def reference(statistics: ClassStatistics, m: int, verifier: Verifier, gamma: float, epsilon: float) -> float:
    """The accuracy of the self-fitted theory, the short way: its potential, differentiated numerically."""
    c, products, n = statistics.eigenvalues, statistics.mean_products, statistics.n
    N = n + m
    r, e, theta = N / n, verifier.wrong(epsilon), verifier.alpha(epsilon) * m / N

    def potential(t: float) -> tuple[float, float]:
        """Psi(t) and the mean margin."""
        q = delta_s = 0.0
        for _ in range(10_000):
            tau = theta / (1 + delta_s)
            layer = 1 + r * tau
            s = layer / r / (1 + q * layer)
            resolvent = 1 / (gamma + (s + t) * c)
            mean = np.sum(products * resolvent)
            last = q, delta_s
            q = (np.sum(c * resolvent) - s * np.sum(products * c * resolvent**2) / (1 + s * mean)) / N
            delta_s = q / (1 + q * layer)
            if abs(q - last[0]) + abs(delta_s - last[1]) < 1e-12:
                break
        signal = n / N + tau * (1 - 2 * e)
        mean /= 1 + s * mean
        spread = signal**2 * r * q / (1 + q * layer) + theta * delta_s / (1 + delta_s)
        return signal**2 * mean / (1 + q * layer) ** 2 + spread, mean * signal / (1 + q * layer)

    step = 1e-5
    variance = (potential(-step)[0] - potential(step)[0]) / (2 * step)
    return ndtr(potential(0)[1] / np.sqrt(variance))


def test_the_reference_theory_gives_a_known_number():
    """n=400, m=6000, p=200, |mu|=1, epsilon=.3, (rho, phi)=(.2, .6), gamma=.01: Monte-Carlo .7128(18)."""
    exact = ClassStatistics(np.ones(200), np.full(200, 1 / 200), np.eye(200), 400, 0.0)
    assert reference(exact, 6000, Verifier(0.2, 0.6), 0.01, 0.3) == pytest.approx(0.7128, abs=0.002)


def test_the_published_protocol_gives_the_published_numbers(measured):
    published = json.loads(PUBLISHED.read_text())
    for name in amazon.NAMES:
        curve = measured[name, "published"]
        assert np.max(curve.standard_error) < 0.006
        for row, verifier in enumerate(("oracle", "none")):
            np.testing.assert_allclose(curve.mean[row], published[verifier][name], atol=0.012)


def test_held_out_no_verifier_adds_information(measured):
    """Books: an oracle leaves the accuracy where it is without synthetic data, no supervision has a dip near m = 2n."""
    for name in amazon.NAMES:
        oracle, none = np.moveaxis(measured[name, "held-out"].accuracy, 1, 0)
        gain = oracle - oracle[:, :1]
        assert np.max(np.abs(gain.mean(axis=0))) < 0.01
        dip = none[:, 0] - none[:, 4]
        assert dip.mean() > 4 * dip.std(ddof=1) / np.sqrt(len(dip))
        gain = measured[name, "published"].accuracy[:, 0, -1] - measured[name, "published"].accuracy[:, 0, 0]
        assert gain.mean() > 0.015  # what the published protocol shows in its place
    books = measured["books", "held-out"].mean
    np.testing.assert_allclose(books[0], 0.752, atol=0.02)
    assert books[1, 4] == pytest.approx(0.726, abs=0.02)


def test_the_self_fitted_theory_is_within_two_points_on_held_out_reviews(measured, reviews):
    for one in reviews:
        curve = measured[one.name, "held-out"]
        e = curve.design
        statistics = [training_statistics(one, seed) for seed in child_seeds(0, len(curve.accuracy))]
        theory = np.array(
            [[[reference(s, m, v, e.gamma, e.epsilon) for m in e.m] for v in e.verifiers] for s in statistics]
        )
        np.testing.assert_allclose(theory.mean(axis=0), curve.mean, atol=0.02)
        biased = [
            ClassStatistics(s.eigenvalues, s.mean_products + s.eigenvalues / s.n, s.basis, s.n, 0) for s in statistics
        ]
        plug_in = np.mean([reference(s, e.m[-1], ORACLE, e.gamma, e.epsilon) for s in biased])
        assert plug_in > curve.mean[0, -1] + 0.03  # without the debiasing the check fails


def test_the_features_are_as_documented(reviews):
    for one in reviews:
        assert one.X.shape == (len(one.y), 400) and one.X.dtype == float
        assert set(one.y) == {-1.0, 1.0}


def test_results_do_not_depend_on_the_number_of_workers(drawn):
    one, two = (curves([drawn], seeds=3, seed=7, jobs=jobs, design=SMALL) for jobs in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert (a.name, a.protocol) == (b.name, b.protocol)
        np.testing.assert_array_equal(a.accuracy, b.accuracy)
    assert one[0].accuracy.shape == (3, 2, 4) and one[0].mean.shape == one[0].standard_error.shape == (2, 4)
    assert not np.array_equal(one[0].accuracy[0], one[0].accuracy[1])


def test_more_seeds_keep_the_first_ones(drawn):
    few, more = (curves([drawn], ["held-out"], seeds=k, design=SMALL)[0].accuracy for k in (1, 2))
    np.testing.assert_array_equal(few, more[:1])


def test_without_synthetic_samples_it_is_ridge_on_the_real_ones(drawn):
    (seed,) = child_seeds(3, 1)
    split = amazon._split(drawn, "held-out", np.random.default_rng(seed), SMALL.n)
    w = np.linalg.solve(split.X.T @ split.X / 60 + 0.1 * np.eye(12), split.X.T @ split.y / 60)
    expected = np.mean(np.sign(split.X_test @ w) == split.y_test)
    np.testing.assert_array_equal(measure_split(drawn, "held-out", seed, SMALL)[:, 0], [expected, expected])


def test_held_out_the_training_never_sees_the_test_samples(drawn):
    (seed,) = child_seeds(3, 1)
    test = np.random.default_rng(seed).permutation(200)[60:]
    X, y = drawn.X.copy(), drawn.y.copy()
    X[test], y[test] = 7 * X[test] + 1, -y[test]
    changed = Reviews("changed", X, y)
    for protocol, same in (("held-out", True), ("published", False)):
        a, b = (amazon._split(one, protocol, np.random.default_rng(seed), 60) for one in (drawn, changed))
        assert np.array_equal(a.X, b.X) is same and np.allclose(a.mu, b.mu) is same
        assert len(a.y_test) == (140 if same else 200)
    s, t = training_statistics(drawn, seed, SMALL), training_statistics(changed, seed, SMALL)
    np.testing.assert_array_equal(s.mean_products, t.mean_products)


@pytest.mark.parametrize("protocol", amazon.PROTOCOLS)
def test_constant_features_stay_at_zero_and_the_rest_is_standardised(drawn, protocol):
    split = amazon._split(drawn, protocol, np.random.default_rng(0), 60)
    seen = split.X_test if protocol == "published" else split.X
    np.testing.assert_allclose(seen.std(axis=0), np.where(np.arange(12) == 5, 0, 1), atol=1e-12)
    assert not split.X[:, 5].any()


def test_the_mix_has_the_moments_of_the_synthetic_samples(drawn):
    """Sums over 400 draws of 30 right and 10 wrong samples against the generator's mean and covariance."""
    rng = np.random.default_rng(0)
    split = amazon._split(drawn, "published", rng, 60)
    generator = split.generator()
    residuals = split.y[:, None] * split.X - split.mu
    second_moment = residuals.T @ residuals / 60 + np.outer(split.mu, split.mu)
    draws = [amazon._mix(rng, split, generator, 30, 10) for _ in range(400)]
    labels = np.array([mix.columns @ mix.labels - split.X.T @ split.y for mix in draws])
    expected = 20 * split.mu
    assert np.all(np.abs(labels.mean(axis=0) - expected) < 4.5 * np.sqrt(40 / 400) + 1e-9)
    assert np.abs(expected).max() > 4.5 * np.sqrt(40 / 400)  # power
    grams = [np.triu(mix.gram(0.0)) for mix in draws]
    expected = np.triu(split.X.T @ split.X + 40 * second_moment)
    spread = np.std(grams, axis=0) / np.sqrt(len(draws))
    assert np.all(np.abs(np.mean(grams, axis=0) - expected) < 4.5 * spread + 1e-9)


@pytest.mark.parametrize(
    "bad",
    [
        lambda one: measure_split(one, "honest", child_seeds(0, 1)[0], SMALL),
        lambda one: measure_split(one, "held-out", child_seeds(0, 1)[0], AmazonSettings(n=200)),
        lambda one: load("dvd"),
        lambda one: AmazonSettings(m=(5, 5)),
        lambda one: AmazonSettings(m=()),
        lambda one: AmazonSettings(gamma=0),
        lambda one: curves([one], seeds=0),
    ],
)
def test_bad_input_is_refused_in_one_line(drawn, bad):
    with pytest.raises(BadInput) as refused:
        bad(drawn)
    assert "\n" not in str(refused.value)
