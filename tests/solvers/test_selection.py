"""Selection by a score: against the theory without rules, against dense matrices, and against Monte-Carlo."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.figures.kit.claims import Budget, agrees, falls_outside
from synthmix.sims.monte_carlo import simulate
from synthmix.solvers.input_dependent import LinearVerifier, MarginLabeller, ScoreVerifier, kept_share, selected
from synthmix.solvers.predict import predict
from synthmix.solvers.problem import Generator, Law, Problem, Ridge, Setting, Source, Verifier
from synthmix.solvers.selection import KEEPS, Selection, keep_share, predict_selection, score_direction
from synthmix.support.errors import BadInput

P = 200
GENERATORS = {
    "exact": Generator(),
    "known mean": Generator("independent", n_hat=300),
    "fitted": Generator("independent", n_hat=300, estimate_mean=True),
    "self-fitted": Generator("self-fitted"),
}


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("m", [0, 900])
def test_without_rules_it_is_the_mixture(generator: str, m: int) -> None:
    spectrum = np.linspace(0.3, 2.0, 60)
    for mu, covariance in ((1.3, 1.0), (np.full(60, 0.2), spectrum), (np.full(60, 0.2), np.diag(spectrum))):
        setting = Setting(200, m, 60, mu, 0.3, Verifier(0.3, 0.8), GENERATORS[generator], Ridge(0.1), 0.6, covariance)
        whole, found = predict(setting), predict_selection(Selection(setting))
        assert (found.mean_margin, found.variance) == pytest.approx((whole.mean_margin, whole.variance), rel=1e-12)


def test_an_exact_generator_agrees_with_dense_matrices_up_to_the_trace_of_a_rank_three() -> None:
    gaps = []
    for p in (60, 240):
        rng = np.random.default_rng(p)
        A, mu = rng.standard_normal((p, 3 * p)), np.full(p, 1.3 / p**0.5)
        u, v = mu + 0.5 * rng.standard_normal(p) / p**0.5, mu + rng.standard_normal(p) / p**0.5
        setting = Setting(2 * p, 6 * p, p, mu, ridge=Ridge(0.1), covariance=A @ A.T / (3 * p))
        one = Selection(setting, ScoreVerifier(v, ((-np.inf, -1), (-0.2, 0.9))), MarginLabeller(u, 0.1, 0.4, 0.5))
        kept, law = selected(one.law, one.labels, one.verifier), one.law
        dense = predict(Problem((Source("r", setting.n, law), kept.source("s", setting.m)), setting.ridge, setting.N, p, law))
        found = predict_selection(one)
        gaps.append(p * abs(np.array([found.mean_margin / dense.mean_margin, found.variance / dense.variance]) - 1).max())
    assert max(gaps) < 0.3


@pytest.mark.parametrize("labels", [0.3, MarginLabeller(np.eye(4)[1], 0.3, 0.5, 0.7)])
def test_a_share_is_kept(labels: object) -> None:
    setting = Setting(10, 10, 4, np.array([1.0, 0.5, 0, 0]), covariance=np.array([1.0, 2.0, 0.5, 1.0]))
    direction, law = score_direction(setting, 40), Law(np.asarray(setting.mu), setting.covariance)
    for keep in KEEPS:
        for share in (0.05, 0.5, 1.0):
            assert kept_share(law, labels, keep_share(keep, share, setting, direction, labels)) == pytest.approx(share, abs=1e-9)
    mu = np.asarray(setting.mu)
    assert direction @ mu / np.linalg.norm(mu) == pytest.approx(np.cos(np.radians(40)))


@pytest.mark.parametrize("generator", list(GENERATORS)[1:])
@pytest.mark.parametrize("keep", ["easy", "top"])
def test_fitted_generators_by_monte_carlo(generator: str, keep: str) -> None:
    """The theory holds; with the fitted generator taken for an exact one it misses the same measurements."""
    setting = Setting(300, 1200, P, 1.3, 0.3, generator=GENERATORS[generator], ridge=Ridge(0.05), omega=0.6)
    v = score_direction(setting, 45)
    labels = 0.3 if keep == "easy" else MarginLabeller(0.6 * v + 0.5 * np.eye(P)[3], 0.1, 0.4, 0.5)
    one = Selection(setting, keep_share(keep, 0.3, setting, v, labels), labels)
    theory, measured = predict_selection(one), simulate(one, trials=120, seed=5)
    exact = predict_selection(Selection(setting.with_(generator=Generator()), one.verifier, labels))
    budget = Budget.at(P)
    for name in ("mean_margin", "variance"):
        claim = agrees(name, getattr(theory, name), getattr(measured, name), budget.relative * getattr(theory, name))
        assert claim.holds, claim
    assert agrees("accuracy", theory.accuracy, measured.accuracy, budget.accuracy, se_at_most=0.002).holds
    assert falls_outside("variance", exact.variance, measured.variance, budget.relative * exact.variance).holds


@pytest.mark.parametrize("keep", KEEPS)
def test_shares_near_nothing_and_near_everything(keep: str) -> None:
    v = np.eye(4)[0]
    setting = Setting(10, 10, 4, v)
    for share in (1e-9, 1 - 1e-16, 1.0):
        assert kept_share(Law(v, 1.0), 0.0, keep_share(keep, share, setting, v)) == pytest.approx(share, abs=1e-10)


def test_what_cannot_be_is_refused() -> None:
    setting = Setting(10, 10, 4, 1.0)
    v = np.eye(4)[0]
    for bands in ((), ((1.0, 0.0),), ((0.0, 1.0), (0.5, 2.0)), ((float("nan"), 1.0),)):
        with pytest.raises(BadInput, match="bands"):
            ScoreVerifier(v, bands)
    with pytest.raises(BadInput, match="beta = 1"):
        Selection(setting.with_(beta=0.5))
    with pytest.raises(BadInput, match="must have 4 entries"):
        Selection(setting, LinearVerifier(np.ones(3)))
    for share in (0.0, 2.2e-308):
        with pytest.raises(BadInput, match="share to keep"):
            keep_share("hard", share, setting, v)
    with pytest.raises(BadInput, match="keep must be one of"):
        keep_share("hardest", 0.5, setting, v)
    with pytest.raises(BadInput, match="mean of 0"):
        score_direction(setting.with_(mu=0.0), 30)
    with pytest.raises(BadInput, match="give toward"):
        score_direction(setting, 30, v)
