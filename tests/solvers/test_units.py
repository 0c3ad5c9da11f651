"""Units, origin, order and axes of the features do not matter where an intercept is fitted: class mixtures, best mixes, strata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import mean, rotation, wishart

from synthmix.estimators.strata import strata
from synthmix.solvers.best_mix import Family, best_mix
from synthmix.solvers.many_classes import ClassMixture, next_label_noise, predict_classes, predict_on_samples
from synthmix.solvers.problem import Generator, Law, Ridge, Verifier

P, CLASSES = 12, 3
GENERATORS = {"exact": Generator(), "independent": Generator("independent", n_hat=30), "self-fitted": Generator("self-fitted")}
INVARIANT = 1e-8

Change = Callable[[Law], Law]


def scaled(factor: float) -> Change:
    return lambda law: replace(law, mean=factor * law.mean, covariance=factor**2 * law.covariance)


def shifted(shift: np.ndarray) -> Change:
    return lambda law: replace(law, mean=law.mean + shift)


def turned(basis: np.ndarray) -> Change:
    return lambda law: replace(law, mean=basis @ law.mean, covariance=basis @ law.covariance @ basis.T)


changes = st.one_of(
    st.floats(-8, 8).map(lambda exponent: (f"scale 1e{exponent:g}", 10.0**exponent)),
    st.tuples(st.floats(-6, 6), st.integers(0, 99)).map(lambda drawn: ("shift", drawn)),
    st.permutations(range(P)).map(lambda order: ("order", np.eye(P)[list(order)])),
    st.integers(0, 99).map(lambda seed: ("rotation", rotation(np.random.default_rng(seed), P))),
)


def change(drawn: tuple) -> tuple[Change, float]:
    """What happens to the laws, and the factor that the ridge takes with the squared unit of the features."""
    name, value = drawn
    if name.startswith("scale"):
        return scaled(value), value**2
    if name == "shift":  # up to a million standard deviations
        exponent, seed = value
        return shifted(10.0**exponent * mean(np.random.default_rng(seed), P)), 1.0
    return turned(value), 1.0


def mixture(kind: str, *, one_covariance: bool, seed: int = 0, estimated: bool = True) -> ClassMixture:
    rng = np.random.default_rng(seed)
    C = wishart(rng, P)
    laws = tuple(Law(mean(rng, P, 1.5), C if one_covariance else (1 + k) * wishart(rng, P), 40.0 if estimated else None)
                 for k in range(CLASSES))
    return ClassMixture(laws, (30, 50, 40), (90, 60, 120), next_label_noise(CLASSES, 0.3), Verifier(0.3, 0.9), GENERATORS[kind],
                        ridge=Ridge(0.05), omega=0.6)


def changed(one: ClassMixture, drawn: tuple) -> ClassMixture:
    do, factor = change(drawn)
    return replace(one, laws=tuple(do(law) for law in one.laws), ridge=Ridge(factor * one.ridge.gamma))


@settings(max_examples=60)
@given(st.sampled_from(list(GENERATORS)), st.booleans(), st.booleans(), changes)
def test_class_mixtures(kind: str, one_covariance: bool, estimated: bool, drawn: tuple) -> None:
    one = mixture(kind, one_covariance=one_covariance, estimated=estimated)
    before, after = predict_classes(one), predict_classes(changed(one, drawn))
    np.testing.assert_allclose(after.by_class, before.by_class, rtol=INVARIANT)
    for a, b in zip(after.scores, before.scores, strict=True):
        np.testing.assert_allclose(a.mean, b.mean, rtol=INVARIANT, atol=INVARIANT)
        np.testing.assert_allclose(a.covariance, b.covariance, rtol=INVARIANT, atol=INVARIANT * np.abs(b.covariance).max())


@settings(max_examples=20)
@given(st.sampled_from(list(GENERATORS)), changes)
def test_best_mixes(kind: str, drawn: tuple) -> None:
    one = mixture(kind, one_covariance=True)
    other, factor = changed(one, drawn), change(drawn)[1]
    values = [Family.of_classes(case).at(300.0, 0.6, 0.1 * unit) for case, unit in ((one, 1.0), (other, factor))]
    for name in ("accuracy", "d_log_omega", "d_log_gamma", "d_m"):
        assert getattr(values[1], name) == pytest.approx(getattr(values[0], name), rel=INVARIANT, abs=1e-10), name
    before, after = (best_mix(Family.of_classes(case), 500) for case in (one, other))
    assert after.accuracy == pytest.approx(before.accuracy, rel=INVARIANT)
    assert (after.m, after.omega) == pytest.approx((before.m, before.omega), rel=INVARIANT)
    assert after.gamma / factor == pytest.approx(before.gamma, rel=INVARIANT)


def test_samples_of_the_classes() -> None:
    """The accuracy on samples, from which the means and covariances of the classes come."""
    rng = np.random.default_rng(1)
    pool = [mean(rng, P, 1.5) + rng.standard_normal((200, P)) @ np.linalg.cholesky(wishart(rng, P)) for _ in range(CLASSES)]
    basis = rotation(rng, P)

    def predicted(samples: list[np.ndarray], gamma: float) -> np.ndarray:
        laws = tuple(Law(X.mean(axis=0), np.cov(X.T), len(X)) for X in samples)
        found = predict_on_samples(replace(mixture("self-fitted", one_covariance=False), laws=laws, ridge=Ridge(gamma)), samples)
        return np.concatenate([one.mean for one in found.scores])

    before = predicted(pool, 0.05)
    np.testing.assert_allclose(predicted([X + 1e6 * basis[0] for X in pool], 0.05), before, rtol=INVARIANT)
    np.testing.assert_allclose(predicted([X @ basis for X in pool], 0.05), before, rtol=INVARIANT)
    for factor in (1e-8, 1e8):
        np.testing.assert_allclose(predicted([factor * X for X in pool], 0.05 * factor**2), before, rtol=INVARIANT)


def test_strata() -> None:
    rng = np.random.default_rng(2)
    y = np.where(np.arange(300) % 3 > 0, 1.0, -1.0)
    X = 2.0 + rng.standard_normal((300, P)) + 0.5 * y[:, None]
    weak, keep = np.where(rng.random(300) < 0.2, -y, y), rng.random(300) < 0.7
    basis = rotation(rng, P)

    def predicted(X: np.ndarray, gamma: float) -> np.ndarray:
        groups = strata(X, y, weak, keep, intercept=True)
        found = groups.predict((*groups.trusted("r", 50), *groups.selected("s", 200)), Ridge(gamma), 250.0)
        return np.array([found.accuracy, found.mean_margin, *found.by_stratum])

    before = predicted(X, 0.1)
    for after in (predicted(X @ basis, 0.1), predicted(X + 1e6 * basis[0], 0.1), predicted(1e-8 * X, 1e-17), predicted(1e8 * X, 1e15)):
        np.testing.assert_allclose(after, before, rtol=INVARIANT)
