"""The gradient of the accuracy and the mix it leads to: against difference quotients, the solvers, and dense grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shared import mean

from synthmix.solvers.best_mix import Family, Value, best_mix, settled
from synthmix.solvers.many_classes import ClassMixture, next_label_noise, predict_classes
from synthmix.solvers.predict import predict, predict_grid
from synthmix.solvers.problem import NO_SUPERVISION, ORACLE, Generator, Law, Ridge, Setting, Verifier
from synthmix.support.errors import BadInput

GENERATORS = {
    "exact": Generator(),
    "bent": Generator(beta=0.8, mu_perp=0.3),
    "independent": Generator("independent", n_hat=150),
    "mean too": Generator("independent", n_hat=150, estimate_mean=True),
    "self-fitted": Generator("self-fitted"),
}
MIX = (800.0, 0.6, 0.1)  # m, omega, gamma
WORSE = 1e-4  # than a grid, at most


def isotropic(generator: Generator) -> Setting:
    return Setting(200, MIX[0], 100, 0.7, 0.4, Verifier(0.3, 0.5), generator, Ridge(MIX[2]), omega=MIX[1])


def spectral(generator: Generator, p: int = 80, debiased: bool = False) -> Setting:
    rng = np.random.default_rng(3)
    mu, turned = mean(rng, p, 1.2), None
    if np.any(generator.mu_perp):
        across = mean(rng, p, 1.0)
        turned = 0.3 * (across - mu * (across @ mu) / (mu @ mu))
        generator = replace(generator, mu_perp=turned)
    squares = mu**2 - 0.2 / p if debiased else None
    return Setting(150, MIX[0], p, mu, 0.4, Verifier(0.3, 0.5), generator, Ridge(MIX[2]), MIX[1], rng.gamma(1.0, 1.0, p) + 0.05, squares)


def mixture(kind: str, intercept: bool = False) -> ClassMixture:
    rng, spread = np.random.default_rng(5), np.linspace(0.1, 2, 40)
    laws = tuple(Law(mean(rng, 40, 1.5), spread, mean_samples=50.0) for _ in range(3))
    return ClassMixture(laws, (30, 50, 40), (100, 300, 200), next_label_noise(3, 0.3), Verifier(0.2, 0.9), GENERATORS[kind],
                        ridge=Ridge(MIX[2]), omega=MIX[1], intercept=intercept)


FAMILIES = {f"isotropic, {name}": lambda g=g: Family.of_setting(isotropic(g)) for name, g in GENERATORS.items()}
FAMILIES |= {f"spectral, {name}": lambda g=g: Family.of_setting(spectral(g)) for name, g in GENERATORS.items()}
FAMILIES["spectral, debiased"] = lambda: Family.of_setting(spectral(GENERATORS["independent"], debiased=True))
FAMILIES |= {f"three classes, {kind}{', an intercept' * intercept}":
             lambda kind=kind, intercept=intercept: Family.of_classes(mixture(kind, intercept))
             for kind in ("exact", "independent", "self-fitted") for intercept in (False, True)}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_the_gradient_is_that_of_difference_quotients(name: str) -> None:
    family, (m, omega, gamma), step = FAMILIES[name](), MIX, 1e-5
    value = family.at(m, omega, gamma)

    def accuracy(m: float, omega: float, gamma: float) -> float:
        return family.at(m, omega, gamma, slopes=()).accuracy

    up, down = np.exp(step), np.exp(-step)
    expected = (
        (accuracy(m, omega * up, gamma) - accuracy(m, omega * down, gamma)) / (2 * step),
        (accuracy(m, omega, gamma * up) - accuracy(m, omega, gamma * down)) / (2 * step),
        (accuracy(m * up, omega, gamma) - accuracy(m * down, omega, gamma)) / (m * (up - down)),
    )
    found = (value.d_log_omega, value.d_log_gamma, value.d_m)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("kind", GENERATORS)
def test_the_slope_in_n_is_that_of_the_solver(kind: str) -> None:
    setting, step = isotropic(GENERATORS[kind]), 1e-3
    slope = (predict(setting.with_(n=setting.n + step)).accuracy - predict(setting.with_(n=setting.n - step)).accuracy) / (2 * step)
    assert Family.of_setting(setting).at(*MIX).d_n == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("kind", GENERATORS)
def test_a_family_is_the_solvers_setting(kind: str) -> None:
    for setting in (isotropic(GENERATORS[kind]), spectral(GENERATORS[kind])):
        assert Family.of_setting(setting).at(*MIX).accuracy == pytest.approx(predict(setting).accuracy, abs=1e-12)


def test_two_classes_are_predicted_as_by_the_class_solver() -> None:
    three = mixture("independent")
    two = replace(three, laws=three.laws[:2], n=(30, 50), m=(100, 300), noise=next_label_noise(2, 0.3), intercept=True)
    expected = predict_classes(two)
    found = replace(Family.of_classes(two, shares=(1, 3)), balance=None).at(400, MIX[1], MIX[2])
    assert found.accuracy == pytest.approx(expected.by_class @ [0.25, 0.75], abs=1e-13)


def test_three_classes_are_close_to_the_orthant_probability() -> None:
    three = mixture("independent", intercept=True)
    found = replace(Family.of_classes(three), balance=None).at(600, MIX[1], MIX[2]).accuracy
    assert found == pytest.approx(predict_classes(three).accuracy, abs=0.01)  # the product of the rivals: 0.03


def test_a_random_number_of_labels_moves_the_intercept() -> None:
    balanced = replace(mixture("independent", intercept=True), n=(40, 40, 40), m=(200, 200, 200))
    family, step = Family.of_classes(balanced), 1e-3
    alone = replace(family, balance=None)
    far = (600.0, 0.6, 1e3)  # a ridge that leaves next to nothing but the intercept
    assert family.at(*far).accuracy < alone.at(*far).accuracy - 0.05
    assert family.at(*MIX).accuracy == pytest.approx(alone.at(*MIX).accuracy, abs=0.005)

    def accuracy(m: float, omega: float) -> float:
        return family.at(m, omega, far[2], slopes=()).accuracy

    (m, omega, _), here, up, down = far, family.at(*far), np.exp(step), np.exp(-step)
    assert here.d_log_omega == pytest.approx((accuracy(m, omega * up) - accuracy(m, omega * down)) / (2 * step), rel=1e-3)
    assert here.d_m == pytest.approx((accuracy(m * up, omega) - accuracy(m * down, omega)) / (m * (up - down)), rel=1e-3)


def _random(seed: int) -> Setting:
    rng = np.random.default_rng(seed)
    p = int(rng.integers(20, 150))
    kind = ("exact", "independent", "self-fitted")[seed % 3]
    generator = Generator(kind, n_hat=float(rng.integers(10, 400)) if kind == "independent" else None, estimate_mean=kind == "independent")
    verifier = (ORACLE, NO_SUPERVISION, Verifier(rng.random(), 0.5 + 0.5 * rng.random()))[int(rng.integers(3))]
    return Setting(float(rng.integers(20, 400)), 1, p, mean(rng, p, rng.uniform(0.5, 2)), rng.uniform(0, 0.6), verifier, generator,
                   covariance=rng.gamma(0.7, 1.5, p) + 0.02)


@pytest.mark.parametrize("seed", range(12))
def test_never_worse_than_a_dense_grid(seed: int) -> None:
    setting, budget = _random(seed), 3000.0
    family = Family.of_setting(setting)
    m = np.array([0.0, 30, 300, 1000, budget])[:, None, None]
    omega, ridge = np.geomspace(1e-4, 1e4, 33)[:, None], np.geomspace(1e-4, 1e4, 41)
    gamma = ridge * family.size * setting.n / (setting.n + m)
    grid = predict_grid(setting, m=m, omega=omega, gamma=gamma).accuracy
    assert best_mix(family, budget).accuracy >= grid.max() - WORSE
    for i, one in enumerate(m.ravel()):
        found = best_mix(family, budget, m=float(one))
        assert found.m == one and found.accuracy >= grid[i].max() - WORSE
    plain = predict_grid(setting, m=budget, gamma=gamma[-1], omega=1.0).accuracy
    assert best_mix(family, budget, m=budget, omega=1.0).accuracy >= plain.max() - WORSE


def test_a_start_nearby_finds_the_same() -> None:
    family = Family.of_setting(_random(1))
    first = best_mix(family, 2000, m=2000)
    assert best_mix(family, 1900, m=1900, near=first).accuracy == pytest.approx(best_mix(family, 1900, m=1900).accuracy, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_settling_gives_away_no_more_than_said(seed: int) -> None:
    family = Family.of_setting(_random(seed))
    best = best_mix(family, 3000)
    calm = settled(family, best, 5e-4)
    assert best.accuracy - 5e-4 <= calm.accuracy == pytest.approx(family.at(calm.m, calm.omega, calm.gamma).accuracy)
    assert calm.gamma <= best.gamma and calm.omega <= max(best.omega, 1)


def test_a_self_fitted_generator_gains_nothing_over_the_best_ridge() -> None:
    family = Family.of_setting(_random(2))
    assert best_mix(family, 5000).accuracy <= best_mix(family, 0).accuracy + 1e-6
    assert best_mix(family, 5000, m=5000, omega=1.0).accuracy <= best_mix(family, 0).accuracy + 1e-6


def test_without_synthetic_samples_the_weight_is_one() -> None:
    found = best_mix(Family.of_setting(_random(0)), 0)
    assert found.m == 0 and found.omega == 1.0
    assert isinstance(Family.of_setting(_random(0)).at(0, 1.0, 1.0), Value)


def test_what_cannot_be_optimised_is_refused() -> None:
    rng = np.random.default_rng(0)
    p = 5
    a, b = (np.cov(rng.standard_normal((p, 50))) for _ in range(2))
    with pytest.raises(BadInput, match="covariances that commute"):
        Family.of_setting(Setting(50, 50, p, mean(rng, p), covariance=a, generator=Generator(covariance=b)))
    with pytest.raises(BadInput, match="no generated samples"):
        Family.of_classes(replace(mixture("exact"), m=(0, 0, 0)))
    family = Family.of_setting(isotropic(Generator()))
    with pytest.raises(BadInput, match="gamma must be above 0"):
        family.at(10, 1.0, 0.0)
    with pytest.raises(BadInput, match="the budget must be at least 0"):
        best_mix(family, -1)
