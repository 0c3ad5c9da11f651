"""The samplers draw one law, and a trial is what its definition says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp
from threadpoolctl import threadpool_limits

from synthmix.sims.monte_carlo import simulate
from synthmix.sims.samplers import sampler_for, trial_streams
from synthmix.sims.samplers.banded import Banded, gram_band, solve_band
from synthmix.sims.samplers.direct import ENTRIES, Direct, DirectProblem
from synthmix.sims.samplers.sufficient import Sufficient, bartlett
from synthmix.sims.trial import Factor, Mixture, Outcome, TrainingSet
from synthmix.solvers.problem import Generator, Law, Problem, Ridge, Setting, Source, Verifier
from synthmix.support.errors import BadInput

TRIALS = 1000
WEAK = Verifier(rho=0.3, phi=0.8)
EIGENVALUES = np.linspace(0.3, 2.0, 12)
MU = np.linspace(0.0, 0.5, 12)
TOEPLITZ = 0.6 ** np.abs(np.subtract.outer(np.arange(12), np.arange(12)))


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> object:
    """Matrices this small are slower on several threads."""
    with threadpool_limits(1, user_api="blas"):
        yield


def mixture(n: float = 30, m: float = 50, p: int = 12, mu: object = 0.8, gamma: float = 0.1, **more: object) -> Setting:
    """A small setting, where finite sizes show."""
    return Setting(n, m, p, mu, 0.25, more.pop("verifier", WEAK), ridge=Ridge(gamma), **more)


def direct(setting: Setting, entries: str = "gaussian") -> Direct:
    """The direct sampler of a setting."""
    return Direct(Mixture.of(setting), entries)


def dense(setting: Setting) -> Sufficient:
    """The sufficient sampler of a setting, without its banded path."""
    return Sufficient(Mixture.of(setting))


ISOTROPIC = {
    "exact": mixture(),
    "exact, other mean": mixture(generator=Generator(beta=0.5, mu_perp=0.7)),
    "synthetic only": mixture(n=0),
    "synthetic only, weighted, other law": mixture(n=0, omega=0.4, generator=Generator(mu_perp=1, covariance=2.0)),
    "real only": mixture(m=0, covariance=1.7),
    "nothing kept": mixture(verifier=Verifier(0, 0)),
    "self-fitted, nothing kept": mixture(generator=Generator("self-fitted"), verifier=Verifier(0, 0)),
    "no more samples than groups": mixture(n=1, m=3),
    "more dimensions than samples": mixture(n=5, m=8, p=40, gamma=0.01),
    "mu a vector": mixture(mu=MU, generator=Generator(beta=-0.5, mu_perp=MU[::-1])),
}
DENSE = {
    "omega": mixture(omega=0.3),
    "two isotropic covariances": mixture(generator=Generator(covariance=2.0)),
    "eigenvalues": mixture(mu=MU, covariance=EIGENVALUES),
    "two sets of eigenvalues": mixture(
        mu=MU, covariance=EIGENVALUES, generator=Generator(covariance=EIGENVALUES[::-1])
    ),
    "matrix and eigenvalues": mixture(mu=MU, covariance=TOEPLITZ, generator=Generator(covariance=EIGENVALUES), omega=2),
    "independent": mixture(generator=Generator("independent", 20)),
    "independent, mean too, other mean": mixture(
        generator=Generator("independent", 20, estimate_mean=True, beta=0.7, mu_perp=0.5), omega=0.5
    ),
    "independent on few samples": mixture(
        generator=Generator("independent", 5, estimate_mean=True), verifier=Verifier(rho=0)
    ),
    "independent on one sample": mixture(generator=Generator("independent", 1, estimate_mean=True)),
    "independent, matrices": mixture(mu=MU, covariance=TOEPLITZ, generator=Generator("independent", 15)),
    "independent, synthetic only": mixture(n=0, generator=Generator("independent", 20)),
    "independent, p above all counts": mixture(n=6, m=7, p=40, generator=Generator("independent", 9)),
    "self-fitted": mixture(generator=Generator("self-fitted"), gamma=0.01),
    "self-fitted, omega": mixture(generator=Generator("self-fitted"), omega=0.4),
    "self-fitted, p above n": mixture(n=9, generator=Generator("self-fitted")),
    "self-fitted, eigenvalues": mixture(mu=MU, covariance=EIGENVALUES, generator=Generator("self-fitted")),
    "self-fitted, matrix": mixture(mu=MU, covariance=TOEPLITZ, generator=Generator("self-fitted")),
}


def draws(sampler: object, seed: int, trials: int = TRIALS) -> np.ndarray:
    """Trials x 2 from streams of their own."""
    return sampler.draws(trial_streams(seed, 0, 0, trials))


def doubt(a: np.ndarray, b: np.ndarray) -> float:
    """The smallest p-value of two-sample tests on mean margin and variance: Kolmogorov-Smirnov, and z on the means."""
    z = np.abs(a.mean(0) - b.mean(0)) / np.sqrt(a.var(0, ddof=1) / len(a) + b.var(0, ddof=1) / len(b))
    same = [ks_2samp(a[:, i], b[:, i]).pvalue for i in range(2)]
    return min(*same, *(2 * np.exp(-(z**2) / 2)))


@pytest.mark.parametrize("name", ISOTROPIC | DENSE)
def test_direct_and_sufficient_have_one_law(name: str) -> None:
    setting = (ISOTROPIC | DENSE)[name]
    assert doubt(draws(direct(setting), 1), draws(dense(setting), 2)) > 1e-4


@pytest.mark.parametrize("name", ISOTROPIC)
def test_the_banded_path_has_the_same_law(name: str) -> None:
    setting = ISOTROPIC[name]
    banded = sampler_for(setting)
    assert isinstance(banded, Banded)
    assert doubt(draws(dense(setting), 2), draws(banded, 3)) > 1e-4


@pytest.mark.parametrize("name", DENSE)
def test_the_banded_path_keeps_to_one_isotropic_matrix(name: str) -> None:
    assert isinstance(sampler_for(DENSE[name]), Sufficient)


class Unconditioned(Sufficient):
    """Right Gram matrix, right label moment, but drawn apart: what conditioning on the moment is there for."""

    def draws(self, streams: object) -> np.ndarray:
        """As `Sufficient.draws`, with the moment of another training set."""
        out, gamma_N = [], self.mixture.setting.ridge.gamma * self.mixture.setting.N
        for rng in streams:
            gram, other = self.training_set(rng)[0].gram(gamma_N), self.training_set(rng)[0]
            w = np.linalg.solve(np.triu(gram) + np.triu(gram, 1).T, other.columns @ other.labels)
            out.append((w @ self.mixture.mu, self.mixture.real.form(w)))
        return np.array(out)


@pytest.mark.parametrize("name", ["exact", "independent", "self-fitted"])
def test_the_comparison_sees_a_moment_drawn_apart(name: str) -> None:
    setting = (ISOTROPIC | DENSE)[name]
    assert doubt(draws(direct(setting), 1), draws(Unconditioned(Mixture.of(setting)), 2)) < 1e-8


class Miscounted(Sufficient):
    """One degree of freedom too many a group: forgets that the sums of the groups are samples too."""

    def training_set(self, rng: np.random.Generator) -> tuple[TrainingSet, object]:
        """As `Sufficient.training_set`, with a further sample of label 0 a group."""
        data, cloud = super().training_set(rng)
        more = rng.standard_normal(data.columns.shape)
        return TrainingSet(data.columns, data.labels, (*data.scatter, more)), cloud


def test_the_comparison_sees_a_wrong_number_of_degrees_of_freedom() -> None:
    setting = mixture(n=10, m=16, gamma=0.01)
    assert doubt(draws(direct(setting), 1), draws(dense(setting), 2)) > 1e-4
    assert doubt(draws(direct(setting), 1), draws(Miscounted(Mixture.of(setting)), 2)) < 1e-8


def test_fits_on_the_samples_trained_on_are_not_independent_fits() -> None:
    fitted = mixture(generator=Generator("self-fitted"), gamma=0.01)
    fresh = mixture(generator=Generator("independent", 30, estimate_mean=True), gamma=0.01)
    assert doubt(draws(dense(fitted), 1), draws(dense(fresh), 2)) < 1e-6


@pytest.mark.parametrize("generator", [Generator(), Generator("independent", 20), Generator("self-fitted")])
def test_a_setting_and_its_problem_have_one_law(generator: Generator) -> None:
    setting = mixture(generator=generator, verifier=Verifier(1, 1), omega=0.6)
    problem = setting.problem()
    assert doubt(draws(DirectProblem(problem), 5), draws(dense(setting), 6)) > 1e-4


def test_a_problem_of_three_sources() -> None:
    laws = [Law(MU, EIGENVALUES), Law(-MU, 0.5), Law(MU[::-1], TOEPLITZ)]
    sources = [Source(f"source {k}", 10 + k, law, wrong=0.1 * k, weight=1 + k) for k, law in enumerate(laws)]
    problem = Problem(tuple(sources), Ridge(0.1), 40, 12, Law(MU, 1.0))
    simulated = simulate(problem, trials=2)
    assert simulated.variance.mean > 0 and 0 < simulated.accuracy.mean < 1
    half, estimated = Source("half", 10.5, laws[0]), Source("estimated", 10, Law(MU, 1.0, mean_samples=5))
    for source, word in ((half, "whole"), (estimated, "estimated"), (replace(sources[0], gaussian=False), "Gaussian")):
        with pytest.raises(BadInput, match=word):
            simulate(replace(problem, sources=(source,)), trials=2)
    with pytest.raises(BadInput, match="intercept"):
        simulate(replace(problem, intercept=True), trials=2)


@pytest.mark.parametrize("entries", ENTRIES)
def test_entries_are_standardised(entries: str) -> None:
    x = ENTRIES[entries](np.random.default_rng(0), (1000, 400))
    assert abs(x.mean()) < 0.01 and abs(x.var() - 1) < 0.02


@pytest.mark.parametrize("entries", ["rademacher", "student"])
def test_universality(entries: str) -> None:
    mu = np.full(100, 0.1)  # spread out: a mean along one coordinate would see the entries
    setting = Setting(200, 300, 100, mu, 0.2, WEAK, Generator("independent", 150), Ridge(0.1))
    gaussian, other = draws(dense(setting), 1, 400), draws(direct(setting, entries), 2, 400)
    assert np.allclose(gaussian.mean(0), other.mean(0), rtol=0.04)


def outcome_by_definition(x: np.ndarray, y: np.ndarray, gamma_N: float) -> np.ndarray:
    """The ridge classifier of samples x (p x count) and labels y."""
    return np.linalg.solve(x @ x.T + gamma_N * np.eye(len(x)), x @ y)


@pytest.mark.parametrize(("q", "k"), [(3, 9), (3, 2), (20, 0), (2, 0), (0, 7)])
def test_the_classifier_is_ridge_regression(q: int, k: int) -> None:
    rng, p = np.random.default_rng(0), 9
    columns, y, scatter = rng.standard_normal((p, q)), rng.standard_normal(q), bartlett(rng, p, k)
    expected = outcome_by_definition(np.hstack([columns, scatter]), np.concatenate([y, np.zeros(k)]), 0.3)
    for triangular in (False, True):
        assert np.allclose(TrainingSet(columns, y, (scatter,), triangular).ridge(0.3), expected)


@pytest.mark.parametrize("covariance", [1.7, EIGENVALUES, TOEPLITZ, np.outer(MU, MU)])
def test_roots_of_covariances(covariance: object) -> None:
    factor, dense = Factor.of(covariance, 12), covariance * np.eye(12) if np.ndim(covariance) < 2 else covariance
    w = np.arange(12.0)
    root = factor.times(np.eye(12))
    assert np.allclose(root @ root.T, dense) and factor.form(w) == pytest.approx(w @ dense @ w)


@pytest.mark.parametrize("covariance", [-1.0, np.ones(11), -np.ones(12), -np.eye(12), np.triu(TOEPLITZ), np.nan])
def test_what_is_no_covariance_is_refused(covariance: object) -> None:
    with pytest.raises(BadInput, match="covariance"):
        Factor.of(covariance, 12)


@pytest.mark.parametrize(("p", "dof"), [(6, 20), (6, 6), (6, 3), (6, 1), (6, 0)])
def test_bartlett_has_the_moments_of_a_wishart_matrix(p: int, dof: int) -> None:
    rng = np.random.default_rng(1)
    drawn = np.array([a @ a.T for a in (bartlett(rng, p, dof) for _ in range(4000))])
    assert np.allclose(drawn.mean(0), dof * np.eye(p), atol=0.15 * np.sqrt(dof))
    variance = dof * (1 + np.eye(p))
    assert np.allclose(drawn.var(0), variance, rtol=0.15)
    assert np.linalg.matrix_rank(drawn[0]) == min(p, dof)


def test_bands() -> None:
    rng, p, d = np.random.default_rng(0), 11, 3
    rows, moment = rng.standard_normal((p, d + 1, 5)), rng.standard_normal((d, 5))
    band = gram_band(rows)
    band[:, 0] += 0.5
    w = solve_band(band, moment)
    for t in range(5):
        r = sum(np.diag(rows[: p - s, s, t], s) for s in range(d + 1))
        assert np.allclose(w[:, t], np.linalg.solve(r.T @ r + 0.5 * np.eye(p), np.pad(moment[:, t], (0, p - d))))


def test_the_outcome_is_that_of_a_large_test_sample() -> None:
    rng, setting = np.random.default_rng(3), mixture(mu=MU, covariance=TOEPLITZ)
    mix = Mixture.of(setting)
    w = direct(setting).training_set(rng).ridge(8.0)
    outcome = Outcome(w @ mix.mu, mix.real.form(w))
    y = rng.integers(0, 2, 200_000) * 2.0 - 1
    score = (mix.real.times(rng.standard_normal((12, len(y)))) + np.outer(mix.mu, y)).T @ w
    assert np.mean(score * y > 0) == pytest.approx(outcome.accuracy, abs=0.004)
    assert np.mean((y - score) ** 2) == pytest.approx(outcome.risk, rel=0.02)


def test_accuracy_of_a_classifier_that_learnt_nothing_and_of_one_that_was_misled() -> None:
    assert Outcome(0.0, 0.0).accuracy == 0.5 and Outcome(0.0, 0.0).risk == 1
    accuracy = Outcome(np.array([0.0, -1.0, 1.0]), np.ones(3)).accuracy
    assert accuracy == pytest.approx(np.array([0.5, 0.158655, 0.841345]), abs=1e-6)


@pytest.mark.parametrize("name", ["sufficient", "direct"])
def test_nothing_to_train_on(name: str) -> None:
    setting = mixture(n=0, verifier=Verifier(0, 0))
    assert np.all(draws(sampler_for(setting, name), 1, 3) == 0)


@pytest.mark.parametrize("name", ["sufficient", "direct"])
def test_wrong_labels_only_put_the_accuracy_below_one_half(name: str) -> None:
    setting = Setting(0, 200, 10, 1.0, epsilon=1.0)
    assert Outcome(*draws(sampler_for(setting, name), 1, 20).T).accuracy.max() < 0.4


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_few_dimensions(p: int) -> None:
    setting = mixture(p=p)
    assert doubt(draws(direct(setting), 1), draws(sampler_for(setting), 2)) > 1e-4


@pytest.mark.parametrize("change", [{"n": 10.5}, {"m": 3.2}, {"generator": Generator("independent", 7.5)}])
def test_counts_must_be_whole(change: dict[str, object]) -> None:
    for name in ("sufficient", "direct"):
        with pytest.raises(BadInput, match="whole"):
            sampler_for(mixture(**change), name)


def test_samplers_refuse_what_they_cannot_draw() -> None:
    with pytest.raises(BadInput, match="sampler must be"):
        sampler_for(mixture(), "other")
    with pytest.raises(BadInput, match="gaussian"):
        sampler_for(mixture(), "sufficient", "student")
    with pytest.raises(BadInput, match="entries must be"):
        sampler_for(mixture(), "direct", "other")


def test_a_stream_depends_on_seed_setting_and_trial_alone() -> None:
    def first(seed: int, index: int, start: int, stop: int) -> list[float]:
        return [float(rng.standard_normal(3)[0]) for rng in trial_streams(seed, index, start, stop)]

    assert first(1, 2, 0, 6) == first(1, 2, 0, 2) + first(1, 2, 2, 6)
    everything = first(1, 0, 0, 50) + first(1, 1, 0, 50) + first(2, 0, 0, 50)
    assert len(set(everything)) == 150
