"""Generators on real data: what the theory is told of them, and what a trial does."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from synthmix.estimators.class_gaussian import ClassGaussian
from synthmix.estimators.ridge import ridge
from synthmix.experiments import deep_generators
from synthmix.experiments.deep_generators import Decoder, DeepTraining, trained
from synthmix.experiments.generators import FittedGenerator, GeneratorCase, Kept, fitted, mixture, predict_and_measure, trial
from synthmix.experiments.real_data import RealData, Split
from synthmix.figures.figure_generators import Settings, build
from synthmix.figures.kit.run import Run
from synthmix.solvers.many_classes import ClassMixture, next_label_noise, predict_classes
from synthmix.solvers.problem import Law, Ridge, Verifier
from synthmix.support.errors import BadInput
from synthmix.support.records import plain

CASE = GeneratorCase(RealData("digits", "digits"), ("Gaussian", "mixture"), 40, 20, (0, 60), (None, 0.1), 3, splits=2)
TINY = DeepTraining(latent=4, hidden=32, steps=400, rate=5e-3)


def gaussians(count: int = 300, p: int = 6) -> Split:
    """Two classes of unlike covariances."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], count)
    X = rng.standard_normal((2 * count, p)) * np.where(y[:, None], 1.5, 1.0) + 2 * y[:, None] * np.eye(p)[0]
    return Split(X[::2], y[::2], X[1::2], y[1::2])


def generator(epsilon: float = 0.3) -> FittedGenerator:
    split = gaussians()
    return FittedGenerator(split, ClassGaussian.fit(split.X, split.y), ridge(split.X, split.y, 2, 1.0), epsilon)


def test_moments_by_label_are_those_of_a_noisy_labeller_and_a_verifier():
    """Laws by given label, all believed, and laws by true class with label noise and a verifier are one theory."""
    rng = np.random.default_rng(1)
    laws = tuple(Law(rng.standard_normal(8), np.diag(rng.uniform(0.5, 2, 8))) for _ in range(3))
    epsilon, verifier, m = 0.3, Verifier(rho=0.4, phi=0.8), 50
    right, wrong = verifier.phi * (1 - epsilon), verifier.rho * epsilon
    within = (right * np.eye(3) + wrong * np.roll(np.eye(3), -1, axis=1)) / (right + wrong)  # label k: class k, or the one before
    by_label, between = [], []
    for shares in within:
        mean = sum(share * law.mean for share, law in zip(shares, laws, strict=True))
        off = np.array([law.mean - mean for law in laws])
        between.append((off.T * shares) @ off)
        by_label.append(Law(mean, between[-1] + sum(share * law.covariance for share, law in zip(shares, laws, strict=True))))
    kept = Kept(tuple(by_label), np.full(3, (right + wrong) / 3), within, tuple(between))
    case = replace(CASE, n=30, epsilon=epsilon)
    ours = predict_classes(mixture(case, laws, m, kept))
    other = ClassMixture(laws, (30,) * 3, (m,) * 3, next_label_noise(3, epsilon), verifier, ridge=Ridge(case.gamma))
    assert ours.accuracy == pytest.approx(predict_classes(other).accuracy, abs=5e-3)  # p is 8: what is of rank one is not small
    unlike = predict_classes(replace(other, verifier=Verifier(1.0, 1.0))).accuracy
    assert abs(ours.accuracy - unlike) > 0.02
    again = kept.with_covariances(laws)
    np.testing.assert_allclose([law.covariance for law in again.laws], [law.covariance for law in by_label])


def test_measured_moments_add_up():
    on = generator()
    X, labels, classes = on.kept(np.random.default_rng(0), 20_000, None)
    kept = Kept.of(X, labels, classes, len(X))
    assert kept.shares.sum() == 1 and np.allclose(kept.within, [[0.7, 0.3], [0.3, 0.7]], atol=0.01)
    own = X[labels == 0]
    np.testing.assert_allclose(kept.laws[0].mean, own.mean(axis=0))
    true = [Law(X[classes == k].mean(axis=0), np.cov(X[classes == k].T)) for k in (0, 1)]
    np.testing.assert_allclose(kept.with_covariances(true).laws[0].covariance, kept.laws[0].covariance, atol=0.05)


def test_the_verifier_keeps_what_its_score_likes():
    on = generator()
    every = on.moments(0, None)
    strict = on.moments(0, 0.2)
    assert strict.shares.sum() < 0.8 < every.shares.sum() == 1
    assert strict.within.diagonal().min() > 0.9 > every.within.diagonal().max()


def test_theory_and_trials_agree_on_gaussian_data():
    on, case = generator(), replace(CASE, n=20, gamma=0.1)
    for threshold in (None, 0.2):
        theory = predict_classes(mixture(case, on.split.laws, 200, on.moments(0, threshold))).accuracy
        seen = [trial(case, on, 200, threshold, np.random.default_rng(i)).gaussian for i in range(60)]
        assert theory == pytest.approx(np.mean(seen), abs=0.015)


def test_a_generator_sees_neither_the_pool_nor_the_test_samples():
    split = CASE.data.splits(0, 1)[0]
    on = fitted(CASE, "Gaussian", split, 0)
    assert on.split.X_test is split.X_test and len(on.split.X) == 10 * (np.bincount(split.y).min() - CASE.n_hat)
    apart = fitted(replace(CASE, tested=10), "Gaussian", split, 0).split
    assert np.array_equal(np.bincount(apart.y_test), [10] * 10)
    with pytest.raises(BadInput, match="there is no generator 'diffusion'"):
        fitted(CASE, "diffusion", split, 0)


@pytest.mark.parametrize("kind", ["autoencoder", "adversarial"])
def test_a_network_is_trained_once_and_drawn_from_without_torch(tmp_path, monkeypatch, kind):
    pytest.importorskip("torch")
    split = gaussians()
    first = trained(kind, split.X, split.y, TINY, 0, tmp_path)
    X, y = first.sample(np.random.default_rng(0), 2000)
    means = [X[y == k].mean(axis=0)[0] for k in (0, 1)]
    assert means[1] - means[0] > 1  # the class is heard
    monkeypatch.setattr(deep_generators, "pytorch", lambda: pytest.fail("trained again"))
    again = trained(kind, split.X, split.y, TINY, 0, tmp_path)
    assert np.array_equal(again.sample(np.random.default_rng(0), 2000)[0], X) and len(list(tmp_path.iterdir())) == 1


def test_a_decoder_is_a_network():
    weights = np.array([[1.0, 0, 0], [0, 0, 2]]), np.array([[1.0, 1]])
    decoder = Decoder(np.array([4, 9]), 1, weights, (np.array([0.0, -1]), np.array([0.5])))
    rng, same = (np.random.default_rng(5) for _ in range(2))
    X, y = decoder.sample(rng, 2)
    z = same.standard_normal((4, 1))[:, 0]
    assert list(y) == [4, 4, 9, 9]
    np.testing.assert_allclose(X[:, 0], np.maximum(z, 0) + 0.5 + np.array([0, 0, 1, 1]))


def test_the_figure_is_built_and_workers_change_nothing():
    results = [predict_and_measure([CASE], [(0, 1)], jobs=jobs) for jobs in (1, 2)]
    assert [one.record() for one in results[0]] == [one.record() for one in results[1]]
    assert [one.m for one in results[0]] == [0, 60, 60, 60, 60]
    built = build(Settings((CASE,)), Run(seed=1))
    extra = built.extra
    assert extra["number of settings"] == 5 and extra["within"] + len(extra["misses"]) == 5
    assert set(extra["wrong theories"]) == {"the covariance of real samples", "moments of what is not pruned"}
    json.dumps(plain(extra), allow_nan=False)
