"""SyntheticMixRidge: scikit-learn's own checks, its RidgeClassifier, pipelines and searches, the choice by leave-one-out."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sklearn
from shared import lead
from sklearn.base import clone
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthmix.estimators.leave_one_out import RidgeMix
from synthmix.estimators.mix_ridge import SyntheticMixRidge
from synthmix.support.errors import BadInput

ESTIMATORS = [SyntheticMixRidge(), SyntheticMixRidge(alpha="auto", weight="auto"), SyntheticMixRidge(fit_intercept=False)]


def exempt(estimator: SyntheticMixRidge) -> dict[str, str]:
    """What leave-one-out cannot promise."""
    whole = "a sample of weight 2 is left out whole, of two copies only one is: the choices of leave-one-out may differ"
    return {"check_sample_weight_equivalence_on_dense_data": whole} if estimator.alpha == "auto" else {}


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=exempt)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def samples(n: int, p: int, seed: int = 0, L: int = 2, wrong: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """n samples around the first L axes, of whose labels a share is wrong."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % L)
    X = rng.standard_normal((n, p)) + 2.0 * np.eye(p)[y]
    return X, np.where(rng.random(n) < wrong, (y + 1) % L, y)


@pytest.mark.parametrize("L", [2, 3])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("p", [5, 60])
def test_without_synthetic_samples_it_is_the_ridge_classifier(L, intercept, p):
    X, y = samples(50, p, L=L)
    names = np.array(["ham", "spam", "unsure"])[y]
    ours = SyntheticMixRidge(alpha=3.0, fit_intercept=intercept).fit(X, names)
    theirs = RidgeClassifier(alpha=3.0, fit_intercept=intercept).fit(X, names)
    fresh, labels = samples(200, p, seed=1, L=L)
    np.testing.assert_allclose(ours.decision_function(fresh), theirs.decision_function(fresh), rtol=1e-10)
    np.testing.assert_array_equal(ours.predict(fresh), theirs.predict(fresh))
    if p == 5:
        assert ours.score(fresh, np.array(["ham", "spam", "unsure"])[labels]) > 0.8
    np.testing.assert_allclose(SyntheticMixRidge(alpha=3.0).fit(X, y, X[:0], y[:0]).coef_, SyntheticMixRidge(alpha=3.0).fit(X, y).coef_)


def test_synthetic_samples_are_samples_with_a_weight():
    (X, y), (X_s, y_s) = samples(40, 6), samples(70, 6, seed=1)
    keep = np.arange(70) % 4 > 0
    c = np.linspace(0.5, 2, 40)
    mix = SyntheticMixRidge(alpha=2.0, weight=0.3).fit(X, y, X_s, y_s, keep=keep, sample_weight=c)
    weights = np.concatenate([c, np.full(keep.sum(), 0.3)])
    joined = RidgeClassifier(alpha=2.0).fit(np.vstack([X, X_s[keep]]), np.concatenate([y, y_s[keep]]), sample_weight=weights)
    np.testing.assert_allclose(mix.coef_[0], joined.coef_)
    assert mix.n_synthetic_ == keep.sum() and mix.weight_ == 0.3
    np.testing.assert_allclose(SyntheticMixRidge(2.0, 0.0).fit(X, y, X_s, y_s).coef_, SyntheticMixRidge(2.0).fit(X, y).coef_)


def test_alpha_is_gamma_N():
    (X, y), (X_s, y_s) = samples(40, 6), samples(60, 6, seed=1)
    w = SyntheticMixRidge(alpha=0.1 * 100, weight=0.5, fit_intercept=False).fit(X, y, X_s, y_s).coef_[0]
    A, t, c = np.vstack([X, X_s]), 2.0 * np.concatenate([y, y_s]) - 1, np.repeat([1, 0.5], [40, 60])
    np.testing.assert_allclose(w, np.linalg.solve(A.T @ (c[:, None] * A) / 100 + 0.1 * np.eye(6), A.T @ (c * t) / 100))


def test_auto_uses_good_samples_and_leaves_misleading_ones_out():
    X, y = samples(40, 20)
    fresh, labels = samples(4000, 20, seed=9)
    alone = SyntheticMixRidge(alpha="auto").fit(X, y)
    good = SyntheticMixRidge(alpha="auto", weight="auto").fit(X, y, *samples(2000, 20, seed=1))
    bad = SyntheticMixRidge(alpha="auto", weight="auto").fit(X, y, *samples(2000, 20, seed=1, wrong=0.9))
    assert alone.weight_ == 0 and bad.weight_ == 0 and good.weight_ > 0.3
    assert good.score(fresh, labels) > alone.score(fresh, labels) + 0.01
    assert bad.alpha_ == alone.alpha_


def test_auto_reports_the_leave_one_out_it_chose_by():
    (X, y), (X_s, y_s) = samples(40, 8), samples(60, 8, seed=1, wrong=0.2)
    mix = SyntheticMixRidge(alpha="auto", weight="auto").fit(X, y, X_s, y_s)
    ridge = RidgeMix.of(X, y, X_s, y_s)
    own = ridge.leave_one_out(mix.alpha_ / 100, mix.weight_)
    np.testing.assert_allclose(mix.leave_one_out_.scores, own.scores, atol=1e-9)
    for alpha in (0.1, 1.0, 10.0, 100.0):
        for weight in (0.0, 0.1, 1.0):
            ahead, se = lead(ridge.leave_one_out(alpha / 100, weight), mix.leave_one_out_)
            assert ahead < 0.5 * se + 0.005


def test_the_accuracy_is_without_the_optimism_of_the_choice():
    rows = []
    for seed in range(60):
        (X, y), (fresh, labels) = samples(40, 30, seed), samples(1000, 30, seed + 1000)
        mix = SyntheticMixRidge(alpha="auto").fit(0.6 * X, y)
        rows.append((mix.score(0.6 * fresh, labels), mix.accuracy_, mix.leave_one_out_.accuracy))
    truth, honest, chosen = np.array(rows).T
    assert abs((honest - truth).mean()) < 4 * (honest - truth).std() / np.sqrt(60)
    assert chosen.mean() > honest.mean()


def test_one_of_the_two_may_be_given():
    (X, y), (X_s, y_s) = samples(40, 8), samples(60, 8, seed=1)
    assert SyntheticMixRidge(alpha="auto", weight=0.7).fit(X, y, X_s, y_s).weight_ == 0.7
    assert SyntheticMixRidge(alpha=5.0, weight="auto").fit(X, y, X_s, y_s).alpha_ == 5.0


def test_a_generator_that_has_seen_the_samples_is_not_trusted():
    from synthmix.estimators.class_gaussian import ClassGaussian

    X, y = samples(60, 40)
    X_s, y_s = ClassGaussian.fit(X, y).sample(np.random.default_rng(0), 400)
    fooled, honest = (SyntheticMixRidge(alpha="auto", weight="auto", self_fitted=seen).fit(X, y, X_s, y_s) for seen in (False, True))
    fresh, labels = samples(4000, 40, seed=9)
    truth = honest.score(fresh, labels)
    assert fooled.leave_one_out_.accuracy > fooled.score(fresh, labels) + 0.05
    assert abs(honest.leave_one_out_.accuracy - truth) < 2.5 * honest.leave_one_out_.se


def test_weights_of_0_leave_a_sample_out():
    X, y = samples(40, 6)
    c = np.arange(40) % 5 > 0
    some, weighted = SyntheticMixRidge(alpha="auto").fit(X[c], y[c]), SyntheticMixRidge(alpha="auto").fit(X, y, sample_weight=c)
    np.testing.assert_allclose(some.coef_, weighted.coef_)


def test_it_is_pickled_and_cloned():
    (X, y), synthetic = samples(40, 6), samples(60, 6, seed=1)
    mix = SyntheticMixRidge(alpha="auto", weight="auto").fit(X, y, *synthetic)
    again = pickle.loads(pickle.dumps(mix))
    np.testing.assert_array_equal(again.predict(X), mix.predict(X))
    fresh = clone(mix)
    assert fresh.get_params() == mix.get_params() and not hasattr(fresh, "coef_")


@pytest.mark.parametrize("L", [2, 4])
@pytest.mark.parametrize("options", [{}, {"alpha": 30.0, "weight": 0.3}, {"alpha": "auto", "self_fitted": True}])
def test_probabilities_are_those_of_fresh_samples(L, options):
    (X, y), (X_s, y_s), (fresh, truth) = samples(300, 20, L=L), samples(300, 20, seed=1, L=L, wrong=0.3), samples(20_000, 20, seed=2, L=L)
    mix = SyntheticMixRidge(**{"alpha": 1.0, "weight": 0.1, **options}, probabilities=True).fit(X, y, X_s, y_s)
    found = mix.predict_proba(fresh)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(mix.classes_[found.argmax(axis=1)], mix.predict(fresh))
    assert found.max(axis=1).mean() == pytest.approx(mix.score(fresh, truth), abs=0.04)
    own = log_loss(truth, found)
    for factor in (0.5, 2.0):  # a wrong scale of the scores is worse
        assert log_loss(truth, found**factor / np.sum(found**factor, axis=1, keepdims=True)) > own + 0.005
    assert not hasattr(SyntheticMixRidge().fit(X, y), "predict_proba")


def test_samples_of_one_group_are_left_out_together():
    (X, y), (X_s, y_s) = samples(60, 50), samples(90, 50, seed=1, wrong=0.4)
    thrice = [np.repeat(one, 3, axis=0) for one in (X, y, np.arange(60) * 7)]
    grouped, copies = (SyntheticMixRidge("auto", "auto").fit(*thrice[:2], X_s, y_s, groups=groups) for groups in (thrice[2], None))
    assert copies.leave_one_out_.accuracy > grouped.leave_one_out_.accuracy + 0.02
    once = SyntheticMixRidge(grouped.alpha_ / 3, grouped.weight_ / 3, probabilities=True).fit(X, y, X_s, y_s)
    np.testing.assert_allclose(grouped.leave_one_out_.scores[::3], once.leave_one_out_.scores, atol=1e-8)
    for self_fitted, groups, message in ((False, np.zeros(3), "groups must have one entry"), (True, thrice[2], "do not go together")):
        with pytest.raises(ValueError, match=message):
            SyntheticMixRidge("auto", self_fitted=self_fitted).fit(*thrice[:2], X_s, y_s, groups=groups)


def test_searches_and_pipelines():
    (X, y), (X_s, y_s) = samples(60, 6), samples(90, 6, seed=1)
    search = GridSearchCV(SyntheticMixRidge(), {"alpha": [0.1, 10.0], "weight": [0.0, 1.0]}, cv=3)
    search.fit(X, y, X_synthetic=X_s, y_synthetic=y_s)
    assert search.best_estimator_.n_synthetic_ == 90
    assert cross_val_score(make_pipeline(StandardScaler(), SyntheticMixRidge("auto")), X, y, cv=3).mean() > 0.8
    with sklearn.config_context(enable_metadata_routing=True):
        mix = SyntheticMixRidge(2.0).set_fit_request(X_synthetic=True, y_synthetic=True)
        pipeline = Pipeline([("scale", StandardScaler()), ("mix", mix)], transform_input=["X_synthetic"])
        pipeline.fit(100 * X, y, X_synthetic=100 * X_s, y_synthetic=y_s)
        scale = StandardScaler().fit(X)
        alone = SyntheticMixRidge(2.0).fit(scale.transform(X), y, scale.transform(X_s), y_s)
        np.testing.assert_allclose(pipeline[-1].coef_, alone.coef_)


@pytest.mark.parametrize("options, given, message", [
    (dict(alpha=0), {}, "alpha must be a finite number above 0"),
    (dict(alpha="much"), {}, 'alpha must be a number or "auto"'),
    (dict(weight=-1), {}, "weight must be a finite number at least 0"),
    (dict(weight=float("nan")), {}, "weight must be"),
    ({}, dict(y=np.zeros(20)), "one class"),
    ({}, dict(y_synthetic=None), "needs y_synthetic"),
    ({}, dict(X_synthetic=None), "need X_synthetic"),
    ({}, dict(X_synthetic=np.zeros((30, 5))), "5 features, X has 4"),
    ({}, dict(y_synthetic=np.zeros(3)), "30 samples, y_synthetic 3"),
    ({}, dict(y_synthetic=np.full(30, 7)), "no real sample has the synthetic label 7; the real ones are 0, 1"),
    ({}, dict(keep=np.full(30, 0.5)), "keep must be true or false"),
    ({}, dict(X_synthetic=np.full((30, 4), np.nan)), "X_synthetic contains NaN"),
])  # fmt: skip
def test_bad_input(options, given, message):
    (X, y), (X_s, y_s) = samples(20, 4), samples(30, 4, seed=1)
    with pytest.raises(ValueError, match=message) as caught:
        SyntheticMixRidge(**options).fit(**{"X": X, "y": y, "X_synthetic": X_s, "y_synthetic": y_s, **given})
    assert isinstance(caught.value, BadInput) or "NaN" in message
