"""What cleaning the labels adds to an advice: where it gains, where it does harm, where it is not measured, what it costs."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import ndtr
from sklearn.preprocessing import StandardScaler

from synthmix.advice.advise import advise
from synthmix.advice.evidence import Evidence, gather
from synthmix.advice.plan import Plan, plan_of
from synthmix.advice.relabelling import relabelled
from synthmix.advice.result import RelabelledGain
from synthmix.advice.snippet import snippet
from synthmix.advice.table import table
from synthmix.advice.verdict import on_relabelling
from synthmix.estimators.mix_ridge import SyntheticMixRidge
from synthmix.estimators.relabelled_mix import RelabelledMix

MEAN = np.full(40, 1.5 / np.sqrt(40))


def samples(rng: np.random.Generator, count: int, wrong: float = 0.0, reason: np.ndarray | None = None) -> SimpleNamespace:
    """Isotropic classes with wrong labels put by chance, or where the score `reason` disagrees with the label."""
    y = rng.permutation(np.arange(count) % 2 * 2 - 1)
    X = y[:, None] * MEAN + rng.standard_normal((count, len(MEAN)))
    given = np.where(rng.random(count) < wrong, -y, y) if reason is None else np.where(X @ reason > 0, 1, -1)
    return SimpleNamespace(X=X, y=given, keep=None, score=None, truth=None, groups=None)


def plan(y: np.ndarray) -> Plan:
    return plan_of(y, epsilon=None, rho=None, phi=None, n_hat=None, self_fitted=False, exact=False, budget=None)


def measured(seed: int, **options: object) -> tuple[RelabelledGain, Evidence, SimpleNamespace, SimpleNamespace]:
    rng = np.random.default_rng(seed)
    real, made = samples(rng, 150), samples(rng, 1500, **options)
    e = gather(real, plan(made.y), made)
    return relabelled(e), e, real, made


def exact(model: SyntheticMixRidge, e: Evidence) -> float:
    """The accuracy of a classifier of scaled features."""
    w, b = model.coef_[0], model.intercept_[0]
    mean, center = MEAN / e.given.std(axis=0), e.given.mean(axis=0) / e.given.std(axis=0)
    spread = np.linalg.norm(w / e.given.std(axis=0))
    return float(np.mean([ndtr((w @ mean + sign * (b - w @ center)) / spread) for sign in (1, -1)]))


def test_the_gain_on_labels_wrong_by_chance_is_that_on_fresh_samples() -> None:
    """Mean over 8 users against exact accuracies of both classifiers, within 4 of its own standard errors; a gain of nothing is outside."""
    excess, honest = [], []
    for seed in range(8):
        found, e, real, made = measured(seed, wrong=0.42)
        X, X_s = e.scaling(real.X), e.scaling(made.X)
        cleaned = RelabelledMix(found.alpha).fit(X, real.y, X_s, made.y)
        mix = SyntheticMixRidge(e.measured.gamma * (150 + 1500), e.measured.omega if e.measured.gain > 0 else 0.0)
        honest.append(exact(cleaned, e) - exact(mix.fit(X, real.y, X_s, made.y), e))
        excess.append(found.gain - honest[-1])
        assert abs(found.accuracy - exact(cleaned, e)) < 4 * found.se
    se = np.std(excess, ddof=1) / np.sqrt(len(excess))
    assert se < 0.01 and abs(np.mean(excess)) < 4 * se
    assert np.mean(honest) > 0.005


def test_labels_that_are_wrong_for_a_reason_are_better_left() -> None:
    """A labeller that looks along another direction is wrong on samples that look alike: cleaning follows it."""
    turned = MEAN.copy()
    turned[:20] *= -0.6
    gain = np.mean([measured(seed, reason=turned)[0].gain for seed in range(4)])
    assert gain < -0.01


def test_where_it_is_not_measured_it_is_none() -> None:
    rng = np.random.default_rng(0)
    real, made = samples(rng, 60), samples(rng, 200, wrong=0.3)
    assert relabelled(gather(real, plan(made.y), None)) is None
    seen = plan_of(made.y, epsilon=None, rho=None, phi=None, n_hat=None, self_fitted=True, exact=False, budget=None)
    assert relabelled(gather(real, seen, made)) is None
    three = SimpleNamespace(**(vars(real) | {"y": np.arange(60) % 3})), SimpleNamespace(**(vars(made) | {"y": np.arange(200) % 3}))
    assert relabelled(gather(three[0], plan(three[1].y), three[1])) is None
    assert advise(real, plan(made.y), made, details=False).relabelled is None


def test_rows_of_a_group_are_left_out_together() -> None:
    rng = np.random.default_rng(1)
    real, made = samples(rng, 80), samples(rng, 300, wrong=0.3)
    real.groups = np.arange(80) // 4
    found = relabelled(gather(real, plan(made.y), made))
    assert np.isfinite(found.gain) and 0 < found.gain_se < 0.2


def test_the_advice_says_it() -> None:
    rng = np.random.default_rng(2)
    real, made = samples(rng, 100), samples(rng, 600, wrong=0.4)
    start = perf_counter()
    found = relabelled(gather(real, plan(made.y), made))
    assert perf_counter() - start < 20
    advice = advise(real, plan(made.y), made)
    assert advice.relabelled.gain == found.gain and advice.as_dict()["relabelled"]["rows"] == 600
    assert any(name == "cleaning its labels, too" for name, *_ in table(advice))


def test_the_snippet_cleans_where_that_is_recommended() -> None:
    rng = np.random.default_rng(3)
    real, made = samples(rng, 100), samples(rng, 400, wrong=0.2)
    advice = advise(real, plan(made.y), made)
    assert advice.best.m and not advice.relabelled.recommended and "Relabelled" not in advice.snippet
    better = replace(advice, relabelled=replace(advice.relabelled, gain=0.05, gain_se=0.01, alpha=7.0))
    code = snippet(better, real, made)
    remark = code.partition("# better by +5.0 +- 1.0 points")[2]
    assert remark and "synthmix" not in code.replace(remark, "")
    found = {"real": vars(real), "made": vars(made)}
    exec(code + "\n".join(line.removeprefix("# ") for line in remark.splitlines()[1:]), found)
    scale = StandardScaler().fit(real.X)
    cleaned = RelabelledMix(7.0).fit(scale.transform(real.X), real.y, scale.transform(made.X), made.y)
    np.testing.assert_allclose(found["model"].coef_, cleaned.coef_)


@pytest.mark.parametrize(("gain", "word"), [(0.03, "Clean the synthetic labels"), (-0.03, "Leave the synthetic labels"), (0.01, None)])
def test_it_is_recommended_where_the_gain_says_so(gain: float, word: str | None) -> None:
    notes = on_relabelling(RelabelledGain(12.0, 100, 0.9, 0.03, gain, 0.012), 1.0)
    assert (word is None and not notes) or notes[0].startswith(word)
