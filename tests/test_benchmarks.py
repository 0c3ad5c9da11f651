"""The textbook implementation that the benchmarks measure against computes the same thing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from benchmarks import textbook, trees
from synthmix.sims.monte_carlo import Estimate, simulate
from synthmix.solvers.predict import predict
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier

WEAK = Verifier(rho=0.3, phi=0.8)


@pytest.mark.parametrize("beta", [1.0, 0.6])
@pytest.mark.parametrize("gamma", [0.05, 1.0])
def test_textbook_theory(beta: float, gamma: float) -> None:
    p, rng = 25, np.random.default_rng(3)
    samples, mu = rng.standard_normal((60, p)), rng.standard_normal(p) / math.sqrt(p)
    perp = rng.standard_normal(p)
    perp -= mu * (perp @ mu) / (mu @ mu)
    generator = Generator(beta=beta, mu_perp=0.1 * perp, covariance=samples.T @ samples / 60)
    real = np.diag(np.linspace(0.5, 2.0, p))
    for covariance in (np.eye(p), real):
        setting = Setting(40, 160, p, mu, 0.3, WEAK, generator, Ridge(gamma), covariance=covariance)
        ours, theirs = predict(setting), textbook.predict(setting)
        for name, value in theirs._asdict().items():
            assert getattr(ours, name) == pytest.approx(value, rel=1e-8), name


@pytest.mark.parametrize("scheme", ["replace", "accumulate", "fresh:0.4"])
def test_textbook_family_tree(scheme: str) -> None:
    trees.check(trees.tree(30, 3, scheme))


def test_textbook_logistic_loss() -> None:
    setting = Setting(100, 100, 50, 1.2, 0.0, ridge=Ridge(2.0))
    ours, theirs = predict(setting, loss="logistic"), textbook.predict_logistic(setting, damping=1.0)
    for name, value in theirs._asdict().items():
        assert getattr(ours, name) == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize("generator", [Generator("exact"), Generator("independent", n_hat=50)])
def test_textbook_trial(generator: Generator) -> None:
    setting = Setting(40, 160, 20, 1.0, 0.3, WEAK, generator, Ridge(0.3))
    rng = np.random.default_rng(4)
    with threadpool_limits(1, user_api="blas"):
        theirs = Estimate.of(np.array([textbook.trial(setting, rng, tests=400) for _ in range(400)]))
        ours = simulate(setting, trials=400, seed=4).accuracy
    assert abs(ours.mean - theirs.mean) < 4 * math.hypot(ours.se, theirs.se)
    assert math.hypot(ours.se, theirs.se) < 0.003
