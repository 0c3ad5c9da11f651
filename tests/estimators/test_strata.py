"""Labels and keep decisions that depend on the sample: closed forms against samples, the theory against Monte-Carlo, what is measured."""

from __future__ import annotations

from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy.stats import norm
from shared import mean, wishart
from threadpoolctl import threadpool_limits

from synthmix.derivations.special import input_dependent
from synthmix.derivations.special.input_dependent import kept_moments
from synthmix.estimators.statistics import shrunken_covariance
from synthmix.estimators.strata import strata
from synthmix.figures.kit.claims import Budget, Claim, agrees, falls_outside
from synthmix.sims.labels import give_labels, keep_decisions
from synthmix.sims.monte_carlo import Estimate
from synthmix.solvers.input_dependent import Labels, LinearVerifier, MarginLabeller, ScoreVerifier, Selected, _quadrant, selected
from synthmix.solvers.predict import Prediction, predict
from synthmix.solvers.problem import Covariance, Law, Problem, Ridge, Source, Verifier
from synthmix.support.errors import BadInput


def samples(rng: np.random.Generator, law: Law, count: int) -> tuple[np.ndarray, np.ndarray]:
    """X (count, p) and true labels (count,) of x = y mean + z."""
    p = len(law.mean)
    root = np.linalg.cholesky(law.covariance) if np.ndim(law.covariance) == 2 else np.diag(np.sqrt(np.broadcast_to(law.covariance, p)))
    y = rng.choice([-1.0, 1.0], count)
    return y[:, None] * law.mean + rng.standard_normal((count, p)) @ root.T, y


def as_one_law(X: np.ndarray, labels: np.ndarray, keep: np.ndarray | None = None, truth: np.ndarray | None = None) -> Selected:
    """What labels and keep decisions leave of samples, as one law of ytilde x: the plug-in that strata are better than."""
    keep = np.ones(len(X), dtype=bool) if keep is None else keep
    seen = labels[keep, None] * X[keep]
    mean = seen.mean(axis=0)
    wrong = np.full(len(X), np.nan) if truth is None else labels != truth
    law = Law(mean, shrunken_covariance(seen - mean)[0], mean_samples=len(seen))
    return Selected(float(keep.mean()), float(wrong[keep].mean()), float(wrong.mean()), law)


# --- the closed forms -------------------------------------------------------------------------------------------------

U, V = np.array([0.3, -1.0, 0.4, 0.8]), np.array([0.9, 0.5, -0.6, 0.2])
LABELS: dict[str, Labels] = {
    "independent": 0.3,
    "right": 0.0,
    "linear labeller": MarginLabeller(U),
    "margin": MarginLabeller(U, 0.5, 1.2),
    "the verifier's own direction": MarginLabeller(V, -0.2),
    "with an intercept": MarginLabeller(U, 0.3, 0.5, 0.9),
}
VERIFIERS = {
    "rates": Verifier(0.3, 0.8),
    "linear": LinearVerifier(V),
    "threshold": LinearVerifier(V, 0.6),
    "with errors of its own": LinearVerifier(V, -0.5, 0.2, 0.9),
    "hard": ScoreVerifier(V, ((-0.6, 0.6),)),
    "easy": ScoreVerifier(V, ((-np.inf, -0.9), (0.9, np.inf))),
    "two bands, one-sided": ScoreVerifier(V, ((-1.5, -0.4), (0.2, 1.1))),
}


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("labels", LABELS)
def test_closed_forms_are_the_moments_of_samples(labels: str, verifier: str) -> None:
    rng = np.random.default_rng([list(LABELS).index(labels), list(VERIFIERS).index(verifier)])
    law = Law(np.array([1.0, 0.2, -0.3, 0.5]), wishart(rng, 4))
    found = selected(law, LABELS[labels], VERIFIERS[verifier])
    X, y = samples(rng, law, 200_000)
    given = give_labels(rng, X, y, LABELS[labels])
    keep = keep_decisions(rng, X, y, given, VERIFIERS[verifier])
    seen, wrong = (given[:, None] * X)[keep], (given != y)

    def z(values: np.ndarray, expected: float | np.ndarray) -> np.ndarray:
        se = values.std(axis=0) / np.sqrt(len(values))
        return np.abs(values.mean(axis=0) - expected) / np.maximum(se, 1e-9)

    assert z(keep.astype(float), found.alpha).max() < 4.5
    assert z(wrong.astype(float), found.epsilon).max() < 4.5 and z(wrong[keep].astype(float), found.wrong).max() < 4.5
    assert z(seen, found.law.mean).max() < 4.5
    second = found.law.covariance + np.outer(found.law.mean, found.law.mean)
    assert z((seen[:, :, None] * seen[:, None, :]).reshape(-1, 16), second.ravel()).max() < 4.5


@pytest.mark.parametrize("shape", ["number", "eigenvalues"])
def test_the_covariance_may_have_any_shape(shape: str) -> None:
    c: Covariance = 0.7 if shape == "number" else np.array([0.5, 1.0, 2.0, 0.1])
    mu = np.array([1.0, 0.2, -0.3, 0.5])
    full = np.diag(np.broadcast_to(c, 4))
    one, other = (selected(Law(mu, form), LABELS["margin"], VERIFIERS["threshold"]) for form in (c, full))
    assert one.alpha == pytest.approx(other.alpha, rel=1e-14)
    assert np.allclose(one.law.mean, other.law.mean, rtol=1e-12) and np.allclose(one.law.covariance, other.law.covariance, rtol=1e-12)


def same(one: Selected, other: Selected, tolerance: float = 1e-12) -> bool:
    numbers = ((a.alpha, a.wrong, a.epsilon, *a.law.mean, *a.law.covariance.ravel()) for a in (one, other))
    return bool(np.allclose(*numbers, rtol=0, atol=tolerance))


def test_limits() -> None:
    rng = np.random.default_rng(0)
    law = Law(np.array([1.0, 0.2, -0.3, 0.5]), wishart(rng, 4))
    unpruned = selected(law, 0.3)
    mu = law.mean
    assert np.allclose(unpruned.law.mean, 0.4 * mu) and np.allclose(unpruned.law.covariance, law.covariance + 0.84 * np.outer(mu, mu))
    assert same(selected(law, 0.3, LinearVerifier(V, -50.0)), unpruned)
    assert same(selected(law, 0.3, LinearVerifier(V, 0.2, 0.6, 0.6)), selected(law, 0.3, Verifier(0.6, 0.6)))
    # a labeller whose margin is all noise is independent noise, one of little noise a linear one
    blind = MarginLabeller(np.zeros(4), norm.isf(0.3), 1.0)
    assert same(selected(law, blind, LinearVerifier(V, 0.2)), selected(law, 0.3, LinearVerifier(V, 0.2)))
    assert same(selected(law, MarginLabeller(U, 0, 1e-6), LinearVerifier(V)), selected(law, MarginLabeller(U), LinearVerifier(V)), 1e-5)
    # a labeller in the verifier's own direction: all that it says passes
    assert same(selected(law, MarginLabeller(V), LinearVerifier(V)), selected(law, MarginLabeller(V)), 1e-6)
    across = np.array([-law.mean[1], law.mean[0], 0, 0])
    halved = selected(law, 0.3, LinearVerifier(across))
    assert (halved.verifier.rho, halved.verifier.phi) == pytest.approx((0.5, 0.5))
    assert np.abs(halved.law.mean - unpruned.law.mean).max() > 0.3  # the same rates, not the same samples


@pytest.mark.parametrize("point", [(0.3, -0.2, 0.6), (1.0, 2.0, -0.9), (-3.0, -2.0, 0.3), (0.5, 0.7, 0.999), (0.0, 0.0, 0.2)])
def test_the_quadrant_probability(point: tuple[float, float, float]) -> None:
    a, b, r = map(mp.mpf, point)
    cuts = sorted({-mp.inf, min(a, b / r), a})
    exact = mp.quad(lambda x: mp.npdf(x) * mp.ncdf((b - r * x) / mp.sqrt(1 - r * r)), cuts)
    assert _quadrant(*point) == pytest.approx(float(exact), rel=1e-10)


@pytest.mark.parametrize(
    ("labels", "verifier", "says"),
    [
        (1.2, Verifier(), "epsilon must be at least 0 and at most 1"),
        (0.3, LinearVerifier(np.ones(3)), "must have 4 entries"),
        (0.3, LinearVerifier(np.zeros(4)), "do not vary along the direction of the verifier"),
        (0.3, LinearVerifier(V, 1e3), "keeps nothing"),
        (MarginLabeller(np.zeros(4)), Verifier(), "needs a direction along which"),
    ],
)
def test_what_cannot_be_is_refused(labels: Labels, verifier: Verifier | LinearVerifier, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        selected(Law(np.ones(4)), labels, verifier)


def test_rules_on_an_estimated_mean_are_refused() -> None:
    with pytest.raises(BadInput, match="measure the moments"):
        selected(Law(np.ones(4), mean_samples=10), 0.3)


# --- the theory -------------------------------------------------------------------------------------------------------

def mixture(law: Law, source: Source, n: float, m: float, gamma: float) -> Problem:
    return Problem((Source("r", n, law), source), Ridge(gamma), n + m, len(law.mean), law)


def test_independent_noise_as_a_source_of_xtilde() -> None:
    """Two views of the same samples: their predictions differ by 1/p of themselves, and by half of that at twice the size."""
    gaps = []
    for p in (100, 200, 400):
        law = Law(mean(np.random.default_rng(p), p, 1.2))
        whole = selected(law, 0.3, Verifier(0.2, 0.7))
        one = predict(mixture(law, whole.source("s", 3 * p), p, 3 * p, 0.1))
        other = predict(mixture(law, Source("s", whole.alpha * 3 * p, law, whole.wrong), p, 3 * p, 0.1))
        gaps.append(p * np.array([one.mean_margin / other.mean_margin - 1, one.variance / other.variance - 1]))
    assert np.abs(gaps).max() < 1 and np.abs(gaps[2] - gaps[1]).max() < 0.02 * np.abs(gaps[2]).max()


QUANTITIES = ("mean_margin", "variance", "accuracy")
P, N_REAL, M, GAMMA, TRIALS = 200, 200, 600, 0.1, 150


def measured(law: Law, labels: Labels, verifier: Verifier | LinearVerifier, seed: int) -> dict[str, Estimate]:
    """Ridge classifiers on n real and the kept ones of m samples; what each is worth on a fresh sample is known exactly."""
    rng, draws = np.random.default_rng(seed), []
    with threadpool_limits(1, user_api="blas"):
        for _ in range(TRIALS):
            X, y = samples(rng, law, N_REAL)
            X_s, y_s = samples(rng, law, M)
            given = give_labels(rng, X_s, y_s, labels)
            keep = keep_decisions(rng, X_s, y_s, given, verifier)
            seen = np.concatenate([y[:, None] * X, (given[:, None] * X_s)[keep]])
            N = N_REAL + M
            w = np.linalg.solve(seen.T @ seen / N + GAMMA * np.eye(P), seen.sum(axis=0) / N)
            C = np.asarray(law.covariance)
            margin, variance = w @ law.mean, w @ (C @ w if C.ndim == 2 else C * w)
            draws.append((margin, variance, norm.cdf(margin / np.sqrt(variance))))
    return {name: Estimate.of(column) for name, column in zip(QUANTITIES, np.transpose(draws), strict=True)}


def judged(predicted: Prediction, found: dict[str, Estimate], rule: object) -> dict[str, Claim]:
    budget = Budget.at(P)
    allowed = {name: budget.relative * abs(getattr(predicted, name)) for name in QUANTITIES} | {"accuracy": budget.accuracy}
    return {name: rule(name, getattr(predicted, name), found[name], allowed[name]) for name in QUANTITIES}


@pytest.mark.parametrize("angle", [0, 30, 60, 90, 150])
def test_a_linear_verifier_at_an_angle_to_mu(angle: int) -> None:
    """The theory holds; with rho and phi of the same rates, independent of the sample, it misses the same measurements."""
    law = Law(np.eye(P)[0] * 1.2)
    direction = np.cos(np.radians(angle)) * np.eye(P)[0] + np.sin(np.radians(angle)) * np.eye(P)[1]
    whole = selected(law, 0.3, LinearVerifier(direction))
    found = measured(law, 0.3, LinearVerifier(direction), seed=angle)
    right = judged(predict(mixture(law, whole.source("s", M), N_REAL, M, GAMMA)), found, agrees)
    assert all(claim.holds for claim in right.values()), right
    matched = Source("s", whole.alpha * M, law, whole.wrong)
    assert whole.verifier.alpha(0.3) == pytest.approx(whole.alpha) and whole.verifier.wrong(0.3) == pytest.approx(whole.wrong)
    wrong = judged(predict(mixture(law, matched, N_REAL, M, GAMMA)), found, falls_outside)
    assert wrong["mean_margin"].holds and wrong["accuracy"].holds, wrong


CASES = {
    "a linear labeller": (lambda u, v: MarginLabeller(u), lambda v: Verifier()),
    "a margin labeller, a threshold": (lambda u, v: MarginLabeller(u, 0.2, 0.8), lambda v: LinearVerifier(v, 0.5)),
    "a linear labeller, a verifier with errors": (lambda u, v: MarginLabeller(u + 0.5 * v), lambda v: LinearVerifier(v, -0.3, 0.1, 0.8)),
}


@pytest.mark.parametrize("case", CASES)
def test_labellers(case: str) -> None:
    """With a covariance that is no multiple of I; the matched independent noise misses here too."""
    rng = np.random.default_rng(list(CASES).index(case))
    mu = mean(rng, P, 1.2)
    law = Law(mu, wishart(rng, P))
    u, v = mu / 1.2 + mean(rng, P, 0.8), mu / 1.2 + mean(rng, P, 1.5)
    labels, verifier = CASES[case][0](u, v), CASES[case][1](v)
    whole = selected(law, labels, verifier)
    found = measured(law, labels, verifier, seed=11)
    right = judged(predict(mixture(law, whole.source("s", M), N_REAL, M, GAMMA)), found, agrees)
    assert all(claim.holds for claim in right.values()), right
    matched = Source("s", whole.alpha * M, law, whole.wrong)
    wrong = judged(predict(mixture(law, matched, N_REAL, M, GAMMA)), found, falls_outside)
    assert wrong["mean_margin"].holds and wrong["accuracy"].holds, wrong


# --- what is measured from samples ------------------------------------------------------------------------------------

def pools(law: Law, labels: Labels, verifier: Verifier | LinearVerifier, size: int, count: int = 12):
    for seed in range(count):
        rng = np.random.default_rng(seed)
        X, y = samples(rng, law, size)
        given = give_labels(rng, X, y, labels)
        yield X, y, given, keep_decisions(rng, X, y, given, verifier)


def within(values: list[float], expected: float, budget: float) -> bool:
    return agrees("", expected, Estimate.of(np.array(values)), budget).holds


def test_measured_moments_of_a_known_population() -> None:
    """The kept samples alone, as the only source and as what is tested: right with the debiasing, wrong without."""
    p, size = 100, 200
    law = Law(np.eye(p)[0] * 1.5)
    verifier = LinearVerifier(np.eye(p)[0] + np.eye(p)[1], 0.3)
    exact = selected(law, 0.3, verifier)

    def own_margin(source: Source) -> float:
        """E[w^T xtilde] of a fresh kept sample: the square of the mean enters."""
        return predict(Problem((source,), Ridge(0.2), size, p, source.law)).mean_margin

    expected = own_margin(exact.source("s", size))
    found = [as_one_law(X, given, keep, y) for X, y, given, keep in pools(law, 0.3, verifier, size, 24)]
    assert within([one.alpha for one in found], exact.alpha, 0) and within([one.wrong for one in found], exact.wrong, 0)
    assert within([one.epsilon for one in found], 0.3, 0)
    debiased = [own_margin(one.source("s", size)) for one in found]
    plug_in = [own_margin(replace(one, law=replace(one.law, mean_samples=None)).source("s", size)) for one in found]
    assert within(debiased, expected, 0.02 * expected), (np.mean(debiased), expected)
    assert not within(plug_in, expected, 0.02 * expected) and np.mean(plug_in) > expected, (np.mean(plug_in), expected)


def strata_errors(law: Law, labels: Labels, verifier: Verifier | LinearVerifier, size: int = 600) -> tuple[float, list[float], list[float]]:
    """The accuracy of the closed forms, of strata, and of one pooled law a source: everything from the same pool."""
    p, n, m, ridge = len(law.mean), 100, 300, Ridge(0.2)
    expected = predict(mixture(law, selected(law, labels, verifier).source("s", m), n, m, ridge.gamma)).accuracy
    by_strata, pooled = [], []
    for X, y, given, keep in pools(law, labels, verifier, size):
        groups = strata(X, y, given, keep)
        by_strata.append(groups.predict(groups.trusted("r", n) + groups.selected("s", m), ridge, n + m).accuracy)
        true, kept = as_one_law(X, y), as_one_law(X, given, keep)
        pooled.append(predict(Problem((true.source("r", n), kept.source("s", m)), ridge, n + m, p, true.law)).accuracy)
    return expected, by_strata, pooled


def test_strata_take_the_common_errors_off() -> None:
    """Trusted, selected and fresh samples from one pool: pooled laws share their errors and overstate the accuracy."""
    p = 150
    expected, by_strata, pooled = strata_errors(Law(np.eye(p)[0] * 1.2), 0.3, Verifier(0.3, 0.8))
    assert within(by_strata, expected, 0.004)
    assert not within(pooled, expected, 0.004) and np.mean(pooled) > expected


def test_strata_of_a_linear_verifier() -> None:
    """Their shrunken covariance misses the rank one that the verifier takes away; independent noise misses twice as much."""
    p = 150
    law, verifier = Law(np.eye(p)[0] * 1.2), LinearVerifier(np.eye(p)[1])
    expected, by_strata, _ = strata_errors(law, 0.3, verifier)
    whole = selected(law, 0.3, verifier)
    independent = predict(mixture(law, Source("s", whole.alpha * 300, law, whole.wrong), 100, 300, 0.2)).accuracy
    assert expected < np.mean(by_strata) < independent
    assert np.mean(by_strata) - expected < 0.6 * (independent - expected)


def test_strata_with_an_intercept() -> None:
    """Classes that are not centred, of different sizes, on every sample of a classifier that has an intercept."""
    p, n, m, ridge = 60, 90, 200, Ridge(0.3)
    rng = np.random.default_rng(3)
    shift, mu = mean(rng, p, 3.0), mean(rng, p, 1.0)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        y = np.where(rng.random(count) < 0.3, -1.0, 1.0)
        given = np.where(rng.random(count) < np.where(y > 0, 0.1, 0.3), -y, y)
        keep = rng.random(count) < np.where(given == y, 0.9, 0.4)
        return shift + y[:, None] * mu + rng.standard_normal((count, p)), y, given, keep

    groups = strata(*draw(20_000), intercept=True)
    theory = groups.predict(groups.trusted("r", n) + groups.selected("s", m), ridge, n + m)
    found = []
    for _ in range(200):
        X, y, _, _ = draw(n)
        X_s, _, given, keep = draw(m)
        both = np.column_stack([np.concatenate([X, X_s[keep]]), np.full(n + keep.sum(), 1e4)])
        targets = np.concatenate([y, given[keep]])
        w = np.linalg.solve(both.T @ both / (n + m) + ridge.gamma * np.eye(p + 1), both.T @ targets / (n + m))
        scores = [(s, w[:p] @ (shift + s * mu) + 1e4 * w[p]) for s in (1, -1)]
        found.append(sum((0.7 if s > 0 else 0.3) * norm.cdf(s * score / np.linalg.norm(w[:p])) for s, score in scores))
    assert agrees("accuracy", theory.accuracy, Estimate.of(np.array(found)), 0.003).holds
    assert groups.alpha == pytest.approx(0.9 - 0.5 * 0.16, abs=0.02) and groups.epsilon == pytest.approx(0.16, abs=0.01)


def test_samples_that_do_not_fit_are_refused() -> None:
    X, y = np.random.default_rng(0).standard_normal((6, 2)), np.array([1.0, 1, 1, -1, -1, -1])
    for call, says in (
        (lambda: strata(X, y, y[:3]), "k given labels are needed"),
        (lambda: strata(X, 2 * y, y), "a true label must be -1 or 1"),
        (lambda: strata(X, y, y, y), "a keep decision must be 0 or 1"),
        (lambda: strata(X[:1], y[:1], y[:1]), "do not vary within the groups"),
    ):
        with pytest.raises(BadInput, match=says):
            call()


# --- the derivation's checks can fail ---------------------------------------------------------------------------------

def _forgets_signs() -> tuple[sp.Expr, sp.Matrix, sp.Matrix]:
    alpha, a, K = kept_moments()
    return alpha, a, K.subs({symbol: -symbol for symbol in input_dependent.KEPT_WRONG[1:3]})


FAULTS = {
    "noise that leaves the covariance alone": ("tau", lambda s: sp.Integer(0), input_dependent.independent_noise),
    "a rule without its spread": ("B", input_dependent.H_V - input_dependent.T_V, input_dependent.stein),
    "a density of another width": ("density", lambda x: sp.exp(-(x**2)) / sp.sqrt(sp.pi), input_dependent.bivariate),
    "noise whose standard deviation is added": ("noisy_spread", lambda sigma, noise: sigma + noise, input_dependent.probit),
    "no threshold": ("B", input_dependent.H_V / input_dependent.SIGMA_V, input_dependent.limits),
    "no difference between right and wrong": ("kept_moments", _forgets_signs, input_dependent.low_rank),
    "no threshold under two rules": ("A", input_dependent.H_U / input_dependent.SIGMA_U, input_dependent.high_precision),
}


def test_every_check_of_the_chapter_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    for what, (name, wrong, run) in FAULTS.items():
        with monkeypatch.context() as broken:
            broken.setattr(input_dependent, name, wrong)
            found = run()
        assert not found.holds, what
