"""Rounds of relabelling: ridge where labels are right, one round by quadrature, simulation of every round, what it refuses."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.special import ndtr

from synthmix.estimators.relabelled_mix import RelabelledMix, WeightedSamples
from synthmix.solvers.limit import limit, relabelling
from synthmix.solvers.predict import predict
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier
from synthmix.solvers.relabelling import Rounds, predict_relabelling
from synthmix.support.errors import BadInput

LIGHT = Setting(40, 400, 200, 1.5, 0.4, ridge=Ridge(200 / 440))
PRUNED = Setting(60, 800, 200, 1.2, 0.4, Verifier(0.6, 0.9), ridge=Ridge(0.15), omega=0.4)
HEAVY = LIGHT.with_(gamma=1e4)


def test_without_wrong_labels_every_round_is_ridge() -> None:
    setting = PRUNED.with_(epsilon=0.0)
    found, ridge = predict_relabelling(setting, 2), predict(setting)
    for round_ in range(3):
        assert found.mean_margin[round_] == pytest.approx(ridge.mean_margin, rel=1e-6)
        assert found.variance[round_] == pytest.approx(ridge.variance, rel=1e-4 if round_ else 1e-10)


def simulated(setting: Setting, slopes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean margin, variance and accuracy of every round of one trial, (rounds + 1, 3), with these slopes."""
    e, p, omega = setting.verifier.wrong(setting.epsilon), setting.p, setting.omega
    n, kept = int(setting.n), round(setting.m * setting.alpha)
    mean = np.full(p, setting.mu / np.sqrt(p))
    signs = np.where(rng.random(kept) < e, -1.0, 1.0)
    X = np.concatenate([mean + rng.standard_normal((n, p)), signs[:, None] * mean + rng.standard_normal((kept, p))])
    samples = WeightedSamples.of(X, np.r_[np.ones(n), np.full(kept, omega)], False)
    labels, found = np.r_[np.ones(n), np.full(kept, 1 - 2 * e)], []
    for slope in slopes:
        classifier, scores = samples.ridge(labels, setting.ridge.gamma * setting.N)
        w = classifier.weights[:, 0]
        found.append((w @ mean, w @ w, ndtr(w @ mean / np.linalg.norm(w))))
        labels[n:] = np.tanh(slope * scores[n:] + np.log((1 - e) / e) / 2)
    return np.array(found)


@pytest.mark.parametrize("setting", [LIGHT, PRUNED, HEAVY], ids=["light ridge", "pruned and weighted", "heavy ridge"])
def test_simulated_rounds_agree_and_those_without_memory_do_not(setting: Setting) -> None:
    """Within 4 standard errors and 1/p of mean margin and variance in round 1, 3/p in later ones: their corrections add up."""
    theory, forgetful = predict_relabelling(setting, 4), predict_relabelling(setting, 4, memory=False)
    trials = np.array([simulated(setting, theory.slope, np.random.default_rng(seed)) for seed in range(40)])
    mean, se = trials.mean(axis=0), trials.std(axis=0, ddof=1) / np.sqrt(len(trials))

    def outside(found: Rounds) -> np.ndarray:
        budget = np.array([1, 1, 3, 3, 3]) / setting.p
        values = np.stack([found.mean_margin, found.variance], axis=1)
        return np.abs(values - mean[:, :2]) > 4 * se[:, :2] + budget[:, None] * np.abs(values)

    assert not outside(theory).any()
    assert np.all(np.abs(theory.accuracy - mean[:, 2]) <= 4 * se[:, 2] + 0.003)
    assert not outside(forgetful)[0].any() and (outside(forgetful)[2:, 1].all() or setting is HEAVY)


def test_one_round_by_quadrature() -> None:
    """Independent of the solver: the first labels depend on one Gaussian only."""
    m, n, p, mu, e, alpha = 400, 40, 200, 1.5, 0.4, 200.0
    found = predict_relabelling(LIGHT, 1)
    N = m + n
    delta = mpmath.findroot(lambda d: d * (alpha + N / (1 + d)) - p, 0.5)
    k, L = 1 / (1 + delta), mpmath.log((1 - e) / e) / 2
    ybar = n + m * (1 - 2 * e) ** 2  # sum of E[s a]
    m0 = mu**2 / p * delta * k * ybar / (1 + mu**2 * delta / p * k * N)
    square = n * (1 - m0) ** 2 + m * ((1 - 2 * e) ** 2 - 2 * m0 * (1 - 2 * e) ** 2 + m0**2)
    q0 = (m0**2 / mu**2 + delta**2 / p * k**2 * square) / (1 - delta**2 / p * k**2 * N)
    assert (found.mean_margin[0], found.variance[0]) == (pytest.approx(float(m0), rel=1e-9), pytest.approx(float(q0), rel=1e-9))
    step, beta = mpmath.mpf(1) / 10, found.slope[0]

    def mean(f):  # over s and xi of a synthetic sample
        points = [(mpmath.npdf(step * i), mpmath.sqrt(q0) * step * i) for i in range(-90, 91)]
        return step * mpmath.fsum(weight * ((1 - e) * f(1, xi) + e * f(-1, xi)) for weight, xi in points)

    def label(s, xi):
        return mpmath.tanh(beta * (s * m0 + xi) + L)

    # what of its force a sample still feels: Delta = delta^2/p (Phi), Phi = labels' slope + memory's
    slope = m * k * mean(lambda s, xi: beta * (1 - label(s, xi) ** 2))
    memory = delta**2 / p * slope / (1 - delta**2 / p * k**2 * N)

    def target(s, xi, given):
        return (label(s, xi) if given < 1 else 1) - memory * k * (given - s * m0 - xi)

    pulls = m * k * mean(lambda s, xi: s * target(s, xi, 1 - 2 * e)) + n * k * (1 - memory * k * (1 - m0))
    past = memory * (k * ybar - k * N * m0)
    m1 = mu**2 / p * (past + delta * pulls) / (1 + mu**2 * delta / p * k * N)
    assert found.mean_margin[1] == pytest.approx(float(m1), rel=2e-5)
    evidence = m * mean(lambda s, xi: (s * m0 + xi) * (label(s, xi) - mpmath.tanh(beta * (s * m0 + xi)))) + n * step * mpmath.fsum(
        mpmath.npdf(step * i) * (m0 + mpmath.sqrt(q0) * step * i) * (1 - mpmath.tanh(beta * (m0 + mpmath.sqrt(q0) * step * i)))
        for i in range(-90, 91))
    assert abs(evidence) < 2e-3 * N * float(m0)


def test_the_estimator_does_these_rounds() -> None:
    """With its own slopes, estimated from the labels of each trial: they cost up to half a point at p = 400."""
    setting = Setting(200, 1600, 400, 1.2, 0.4, ridge=Ridge(5.0))
    theory, rounds = predict_relabelling(setting, 3), 3
    accuracies = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        mean = np.full(400, 1.2 / 20)
        y, y_s = rng.permutation(np.arange(200) % 2 * 2 - 1), rng.permutation(np.arange(1600) % 2 * 2 - 1)
        X, X_s = (labels[:, None] * mean + rng.standard_normal((len(labels), 400)) for labels in (y, y_s))
        given = np.where(rng.random(1600) < 0.4, -y_s, y_s)
        found = RelabelledMix(5.0 * 1800, noise=0.4, rounds=rounds, tol=0, fit_intercept=False).fit(X, y, X_s, given)
        assert found.rounds_ == rounds
        accuracies.append(ndtr(found.coef_[0] @ mean / np.linalg.norm(found.coef_[0])))
    se = np.std(accuracies, ddof=1) / np.sqrt(len(accuracies))
    assert se < 0.003 and abs(np.mean(accuracies) - theory.accuracy[-1]) < 4 * se + 0.005
    assert abs(np.mean(accuracies) - theory.accuracy[0]) > 8 * se


@pytest.mark.parametrize("setting", [LIGHT, HEAVY], ids=["light ridge", "heavy ridge"])
def test_the_stated_error_is_that_of_the_paths(setting: Setting) -> None:
    """Over seeds the accuracy scatters by what each of them says: half the difference of two sets was too small a hundred times over."""
    found = [predict_relabelling(setting, 4, seed=seed) for seed in range(12)]
    off = np.array([one.accuracy - np.mean([other.accuracy for other in found], axis=0) for one in found])[:, 1:]
    stated = np.array([one.error for one in found])[:, 1:]
    assert np.all(np.abs(off) <= 6 * stated)  # seven degrees of freedom
    assert np.all((off.std(axis=0, ddof=1) / np.sqrt(np.mean(stated**2, axis=0)) > 0.5) & (off.std(axis=0) < 2 * stated.mean(axis=0)))


def test_a_heavy_ridge_ends_near_the_limit_and_a_light_one_below() -> None:
    setting = Setting(100, 2000, 500, 1.5, 0.4, ridge=Ridge(1e3))
    heavy, light = predict_relabelling(setting, 8), predict_relabelling(setting.with_(gamma=0.05), 8)
    assert heavy.accuracy[-1] == pytest.approx(limit(setting), abs=3e-4) and np.all(heavy.accuracy <= limit(setting) + 1e-4)
    assert predict_relabelling(setting.with_(gamma=1e7), 0).accuracy[0] == pytest.approx(relabelling(setting, 0)[0], abs=1e-6)
    assert light.accuracy[-1] < limit(setting) - 0.02


def test_units_of_the_samples_do_not_matter() -> None:
    scaled = PRUNED.with_(mu=2 * PRUNED.mu, covariance=4.0, gamma=4 * PRUNED.ridge.gamma)
    for one, other in zip(vars(predict_relabelling(PRUNED, 2)).values(), vars(predict_relabelling(scaled, 2)).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_no_signal_is_a_coin_toss() -> None:
    found = predict_relabelling(LIGHT.with_(mu=0.0), 2)
    np.testing.assert_allclose(found.accuracy, 0.5, atol=1e-9)


def test_where_it_is_not_known_it_is_none_and_bad_input_is_one_line() -> None:
    assert predict_relabelling(LIGHT.with_(generator=Generator("independent", 100)), 2) is None
    assert predict_relabelling(LIGHT.with_(beta=0.5), 2) is None
    for setting, rounds, message in ((LIGHT, -1, "rounds"), (LIGHT.with_(covariance=0.0), 1, "noisy samples"),
                                     (LIGHT.with_(n=0, rho=0.0, phi=0.0), 1, "no training sample")):  # fmt: skip
        with pytest.raises(BadInput, match=message):
            predict_relabelling(setting, rounds)
