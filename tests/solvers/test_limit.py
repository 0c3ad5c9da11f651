"""The limit: known values, the posterior simulated, every setting of the box, what is not known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmix.solvers import limit as limits
from synthmix.solvers.limit import limit, mean_uncertainty, relabelling
from synthmix.solvers.predict import predict, predict_grid
from synthmix.solvers.problem import Generator, Law, Problem, Ridge, Setting, Source, Verifier

HIDDEN = Setting(100, 2000, 500, 1.5, 0.4)


@pytest.mark.parametrize(("setting", "expected"), [
    (Setting(200, 4000, 1000, 1.5, 0.4), 0.9204), (HIDDEN, 0.9204), (Setting(100, 4000, 500, 1.2, 0.45), 0.8703),
])
def test_known_values(setting: Setting, expected: float) -> None:
    assert limit(setting) == pytest.approx(expected, abs=5e-5)
    assert predict(setting).limit == limit(setting)


def posterior_accuracy(setting: Setting, rng: np.random.Generator, sweeps: int = 300) -> float:
    """The accuracy of the posterior mean of mu, by Gibbs sampling of the hidden labels and of mu."""
    p, size, e = setting.p, setting.mu, setting.verifier.wrong(setting.epsilon)
    n, kept = int(setting.n), int(setting.m * setting.verifier.alpha(setting.epsilon))
    mu = rng.standard_normal(p)
    mu *= size / np.linalg.norm(mu)
    signs = np.where(rng.random(kept) < e, -1.0, 1.0)
    real = (mu + rng.standard_normal((n, p))).sum(axis=0)
    folded = signs[:, None] * mu + rng.standard_normal((kept, p))
    precision, labels, total = p / size**2 + n + kept, np.ones(kept), np.zeros(p)
    for sweep in range(sweeps):
        mean = (real + labels @ folded) / precision
        drawn = mean + rng.standard_normal(p) / np.sqrt(precision)
        labels = np.where(rng.random(kept) < 1 / (1 + np.exp(-2 * folded @ drawn) * e / (1 - e)), 1.0, -1.0)
        total += mean * (sweep >= sweeps // 3)
    margin = total @ mu / np.linalg.norm(total)
    return float(limits.ndtr(margin))


@pytest.mark.parametrize("setting", [
    Setting(40, 240, 80, 1.2, 0.4), Setting(40, 200, 80, 1.0, 0.3, Verifier(0.5, 1.0)), Setting(60, 400, 80, 1.2, 0.45),
], ids=["hidden", "pruned", "nearly coin tosses"])
def test_the_posterior_reaches_it_and_wrong_limits_are_outside(setting: Setting) -> None:
    """With a budget for p = 80 that is a tenth of what the wrong limits are off by."""
    rng = np.random.default_rng(1)
    found = np.array([posterior_accuracy(setting, rng) for _ in range(150)])
    se = found.std(ddof=1) / np.sqrt(len(found))
    within = 4 * se + 0.0005
    assert se < 0.001
    assert abs(found.mean() - limit(setting)) <= within
    kept = setting.m * setting.verifier.alpha(setting.epsilon)
    all_right, no_synthetic = limit(setting.with_(epsilon=0.0, m=kept, verifier=Verifier())), limit(setting.with_(m=0))
    assert all(abs(found.mean() - wrong) > within for wrong in (all_right, no_synthetic, relabelling(setting, 0)[0]))


@given(st.floats(0, 1e4), st.floats(0, 1e5), st.floats(1e-3, 100), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_it_exists_in_the_whole_box_and_has_one_fixed_point(n: float, m: float, mu: float, epsilon: float, rho: float, phi: float) -> None:
    setting = Setting(n, m, 100, mu, epsilon, Verifier(rho, phi)) if n + m else Setting(1, m, 100, mu, epsilon, Verifier(rho, phi))
    found = limit(setting)
    assert 0.5 <= found <= 1
    counts, log_odds, size = limits.isotropic(setting)
    if counts[log_odds > 0].any():
        rounds = relabelling(setting, 100)
        assert np.all(np.diff(rounds) >= -1e-12) and np.all(rounds <= found + 1e-9)
        top = size**2 / (1 + 1 / max(size**2 * counts.sum(), 1e-300))
        grid = top * np.linspace(0, 1, 200) ** 3
        beyond = [limits._round(q, counts, log_odds, size)[0] >= q * (1 - 1e-12) for q in grid]
        assert beyond == sorted(beyond, reverse=True)  # above it every round lowers the overlap, below it every round raises it


@pytest.mark.parametrize("mu", [0.0, 1e-8, 1e3, 1e100])
@pytest.mark.parametrize("epsilon", [0.0, 1e-300, 0.5, 1.0])
@pytest.mark.parametrize("n", [0, 1e-6, 1e9])
def test_extreme_settings(mu: float, epsilon: float, n: float) -> None:
    found = limit(Setting(n, 1e6, 50, mu, epsilon))
    assert 0.5 <= found <= 1 and np.all(np.isfinite(relabelling(Setting(n, 1e6, 50, mu, epsilon), 5)))
    assert found == 0.5 or mu


def test_no_ridge_is_above_it_and_right_labels_reach_it() -> None:
    setting = Setting(100, 400, 200, 1.2)
    epsilons, gammas = np.linspace(0, 1, 11), np.geomspace(1e-3, 1e4, 29)
    ridge = predict_grid(setting, epsilon=epsilons[:, None], gamma=gammas).accuracy.max(axis=1)
    limit_at = np.array([limit(setting.with_(epsilon=e)) for e in epsilons])
    assert np.all(ridge <= limit_at) and limit_at[0] - ridge[0] < 1e-6 and np.all(limit_at[2:9] - ridge[2:9] > 0.005)


def test_labels_that_are_all_wrong_are_as_good_as_right_ones() -> None:
    assert limit(HIDDEN.with_(epsilon=1.0)) == limit(HIDDEN.with_(epsilon=0.0))
    assert limit(HIDDEN.with_(epsilon=0.3)) == pytest.approx(limit(HIDDEN.with_(epsilon=0.7)), rel=1e-12)


def test_without_any_label_it_is_a_coin_toss() -> None:
    assert limit(Setting(0, 4000, 100, 1.5, 0.5)) == 0.5
    assert limit(Setting(1, 4000, 100, 1.5, 0.5)) > 0.9


def test_a_round_of_relabelling_is_a_step_towards_it() -> None:
    rounds = relabelling(HIDDEN, 60)
    assert rounds[0] == pytest.approx(0.842, abs=1e-3) and rounds[-1] == pytest.approx(limit(HIDDEN), abs=1e-6)


def test_scaled_and_turned_problems_have_the_same_limit() -> None:
    mean = np.zeros(500)
    mean[3] = 3.0
    assert limit(HIDDEN.with_(mu=mean, covariance=4.0)) == pytest.approx(limit(HIDDEN), rel=1e-12)
    assert limit(HIDDEN.with_(mu=mean, covariance=np.full(500, 4.0))) == pytest.approx(limit(HIDDEN), rel=1e-12)
    law = Law(mean, 4.0)
    problem = Problem((Source("a", 100, law), Source("b", 2000, law, 0.4)), Ridge(1.0), 2100, 500, law)
    assert predict(problem).limit == pytest.approx(limit(HIDDEN), rel=1e-12)


@pytest.mark.parametrize("change", [
    {"beta": 0.9}, {"mu_perp": 0.1}, {"generator": Generator("independent", 100)}, {"generator": Generator("self-fitted")},
    {"generator": Generator(covariance=2.0)}, {"covariance": np.linspace(1, 2, 500), "mu": np.full(500, 0.05), "mu_perp": np.zeros(500)},
])
def test_where_it_is_not_known_it_is_none(change: dict[str, object]) -> None:
    setting = HIDDEN.with_(**change)
    assert limit(setting) is None and relabelling(setting, 3) is None and predict(setting).limit is None


def test_the_uncertainty_is_that_of_drawn_labels() -> None:
    rng = np.random.default_rng(0)
    q, e = 1.3, 0.3
    s = np.where(rng.random(400_000) < e, -1, 1)
    posterior = np.tanh(s * q + np.sqrt(q) * rng.standard_normal(len(s)) + np.log((1 - e) / e) / 2)
    assert mean_uncertainty(q, np.log((1 - e) / e) / 2)[0] == pytest.approx(np.mean(1 - posterior**2), abs=0.002)
