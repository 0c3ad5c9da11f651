"""Leave-one-out in closed form against refitting n times; what it is worth where the generator has seen the samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import lead

from synthmix.estimators.class_gaussian import ClassGaussian
from synthmix.estimators.leave_one_out import BANDWIDTH, LeaveOneOut, RidgeMix, sharpened
from synthmix.estimators.ridge import Moments, ridge
from synthmix.estimators.self_fitted import kept_labels, self_fitted_leave_one_out
from synthmix.support.errors import BadInput


def samples(n: int, p: int, L: int, seed: int = 0, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """n samples of L classes whose means are 1.5 apart from the origin, every class at least once."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % L)
    return spread * rng.standard_normal((n, p)) + 1.5 * np.eye(max(p, L))[y][:, :p] + 3.0, y


def mix_leave_one_out(X, y, X_s, y_s, gamma, omega=1.0, **more) -> LeaveOneOut:
    """Leave-one-out over the real samples at one gamma and omega."""
    return RidgeMix.of(X, y, X_s, y_s, **more).leave_one_out(gamma, omega)


def refitted(X, y, X_s, y_s, alpha, omega, weights=None, intercept=True) -> np.ndarray:
    """Scores (n, L), every classifier fitted anew by least squares on an augmented system."""
    classes = np.unique(y)
    c = np.concatenate([np.ones(len(X)) if weights is None else weights, np.full(len(X_s), omega)])
    A, E = np.concatenate([X, X_s]), (np.concatenate([y, y_s])[:, None] == classes).astype(float)
    p, scores = X.shape[1], []
    for i in range(len(X)):
        rest = np.arange(len(A)) != i
        w, B, T = c[rest, None], A[rest], E[rest]
        at = np.average(B, axis=0, weights=w[:, 0]) if intercept else np.zeros(p)
        base = np.average(T, axis=0, weights=w[:, 0]) if intercept else np.zeros(len(classes))
        rows = np.vstack([np.sqrt(w) * (B - at), np.sqrt(alpha) * np.eye(p)])
        W = np.linalg.lstsq(rows, np.vstack([np.sqrt(w) * (T - base), np.zeros((p, len(classes)))]), rcond=None)[0]
        scores.append(base + (X[i] - at) @ W)
    return np.array(scores)


CASES = {
    "more samples": dict(n=40, m=60, p=12, L=2, gamma=0.1, omega=0.4),
    "three classes": dict(n=30, m=50, p=10, L=3, gamma=0.03, omega=2.0),
    "tiny gamma": dict(n=40, m=30, p=12, L=2, gamma=1e-10, omega=0.4),
    "more features": dict(n=12, m=15, p=60, L=2, gamma=0.1, omega=0.4),
    "more features, tiny gamma": dict(n=12, m=15, p=60, L=3, gamma=1e-9, omega=0.4),
    "features between n and n + m": dict(n=12, m=30, p=25, L=2, gamma=1e-3, omega=0.7),
    "no intercept": dict(n=30, m=30, p=10, L=2, gamma=0.1, omega=0.4, intercept=False),
    "no intercept, more features": dict(n=12, m=15, p=60, L=2, gamma=0.1, omega=0.4, intercept=False),
    "large omega": dict(n=30, m=30, p=10, L=2, gamma=0.1, omega=1e4),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("duplicates", [False, True])
def test_it_equals_refitting(name, duplicates):
    case = dict(CASES[name])
    n, m, gamma, omega = (case.pop(key) for key in ("n", "m", "gamma", "omega"))
    intercept = case.pop("intercept", True)
    X, y = samples(n, case["p"], case["L"])
    X_s, y_s = samples(m, case["p"], case["L"], seed=1)
    if duplicates:
        X[1], y[1], X_s[0], y_s[0] = X[0], y[0], X[0], y[0]
    found = mix_leave_one_out(X, y, X_s, y_s, gamma, omega, intercept=intercept)
    expected = refitted(X, y, X_s, y_s, gamma * (n + m), omega, intercept=intercept)
    np.testing.assert_allclose(found.scores, expected, rtol=1e-8, atol=1e-8)
    if not intercept:
        assert found.accuracy == np.mean(expected.argmax(axis=1) == y)


@given(st.integers(0, 10**6))
def test_it_equals_refitting_anywhere(seed):
    rng = np.random.default_rng(seed)
    n, m, p, L = int(rng.integers(6, 25)), int(rng.integers(0, 20)), int(rng.integers(1, 40)), int(rng.integers(2, 4))
    gamma, omega, weights = 10 ** rng.uniform(-4, 1), 10 ** rng.uniform(-2, 2), rng.uniform(0.2, 3, n)
    X, y = samples(n, p, L, seed)
    X_s, y_s = samples(max(m, L), p, L, seed + 1)
    X_s, y_s = X_s[:m], y_s[:m]
    found = mix_leave_one_out(X, y, X_s, y_s, gamma, omega, weights=weights)
    np.testing.assert_allclose(found.scores, refitted(X, y, X_s, y_s, gamma * (n + m), omega, weights), rtol=1e-8, atol=1e-8)


def test_a_sample_that_alone_has_a_feature():
    X, y = samples(30, 5, 2)
    X = np.column_stack([X, np.arange(30) == 3])
    X_s, y_s = samples(20, 6, 2, seed=1)
    X_s[:, 5] = 0
    np.testing.assert_allclose(mix_leave_one_out(X, y, X_s, y_s, 1e-6).scores, refitted(X, y, X_s, y_s, 50e-6, 1.0), atol=1e-8)


def test_a_path_is_its_points_and_omega_0_is_without_synthetic_samples():
    for p in (8, 80):
        X, y = samples(30, p, 2)
        X_s, y_s = samples(40, p, 2, seed=1)
        mix, alone = RidgeMix.of(X, y, X_s, y_s), RidgeMix.of(X, y, N=70)
        for gamma, one in zip((0.01, 0.1, 1.0), mix.path((0.01, 0.1, 1.0), 0.3), strict=True):
            np.testing.assert_allclose(one.scores, mix.leave_one_out(gamma, 0.3).scores, atol=1e-12)
        np.testing.assert_allclose(mix.leave_one_out(0.1, 0).scores, alone.leave_one_out(0.1).scores, atol=1e-10)


def test_the_verifier_drops_samples_but_N_counts_them():
    X, y = samples(30, 8, 2)
    X_s, y_s = samples(40, 8, 2, seed=1)
    keep = np.arange(40) % 3 == 0
    pruned = mix_leave_one_out(X, y, X_s, y_s, 0.1, keep=keep)
    np.testing.assert_allclose(pruned.scores, mix_leave_one_out(X, y, X_s[keep], y_s[keep], 0.1, N=70).scores)
    assert RidgeMix.of(X, y, X_s, y_s, keep=np.zeros(40, dtype=bool)).synthetic is None


def test_two_classes_are_the_labels_plus_minus_one():
    X, y = samples(30, 8, 2)
    found = mix_leave_one_out(X, y, None, None, 0.1)
    np.testing.assert_allclose(found.scores.sum(axis=1), 1, atol=1e-12)
    left_out = LeaveOneOut.of(found.scores, y)
    signed = refitted(X, y, X[:0], y[:0], 3.0, 1.0)
    np.testing.assert_allclose(left_out.margins, np.where(y == 1, 1, -1) * (signed[:, 1] - signed[:, 0]), atol=1e-10)


@pytest.mark.parametrize("p", [5, 80])
@pytest.mark.parametrize("m", [0, 60])
def test_the_balance_of_the_classes_gives_no_label_away(p, m):
    """Nothing to learn, and as many samples of each class: left out, a sample's class is the rarer one."""
    rng = np.random.default_rng(0)
    plain, balanced, exact = [], [], []
    for _ in range(60):
        X, y, X_s, y_s = rng.standard_normal((40, p)), np.arange(40) % 2, rng.standard_normal((m, p)), np.arange(m) % 2
        mix = RidgeMix.of(X, y, X_s, y_s)
        for gamma in (1.0, 30.0):
            found = mix.leave_one_out(gamma)
            plain.append(LeaveOneOut.of(found.scores, y).accuracy)
            balanced.append(found.accuracy)
            exact.append(np.mean([refitted_in_balance(X, y, X_s, y_s, gamma * (40 + m), i) for i in (0, 1)]))
    plain, balanced, exact = np.mean(np.reshape([plain, balanced, exact], (3, 60, 2)), axis=2)
    for accuracy in (balanced, exact):
        assert abs(np.mean(accuracy) - 0.5) < 4 * np.std(accuracy) / np.sqrt(60)
    assert np.mean(plain) < 0.5 - 4 * np.std(plain) / np.sqrt(60)


def refitted_in_balance(X, y, X_s, y_s, alpha, i) -> bool:
    """Whether sample i is right when the others of its class take over its weight."""
    others = (y == y[i]) & (np.arange(len(y)) != i)
    c = np.concatenate([np.where(others, 1 + 1 / others.sum(), 1.0), np.ones(len(X_s))])
    c[i] = 0
    A, t = np.concatenate([X, X_s]), 2.0 * np.concatenate([y, y_s]) - 1
    at, base = np.average(A, axis=0, weights=c), np.average(t, weights=c)
    w = np.linalg.solve((A - at).T @ (c[:, None] * (A - at)) + alpha * np.eye(A.shape[1]), (A - at).T @ (c * (t - base)))
    return (base + (X[i] - at) @ w > 0) == (y[i] == 1)


def test_an_infinite_ridge_leaves_the_shares_of_the_classes():
    X, y = samples(30, 4, 3)
    found = mix_leave_one_out(X, y, None, None, 1e12)
    np.testing.assert_allclose(found.balanced, np.full((30, 3), 1 / 3), atol=1e-9)
    assert np.all(found.scores[np.arange(30), y] < 1 / 3 - 0.01)


def test_features_far_from_the_origin_lose_no_digits():
    X, y = samples(50, 8, 2)
    X_s, y_s = samples(40, 8, 2, seed=1)
    near, far = mix_leave_one_out(X, y, X_s, y_s, 0.1), mix_leave_one_out(X + 1e6, y, X_s + 1e6, y_s, 0.1)
    np.testing.assert_allclose(near.scores, far.scores, atol=1e-7)


def test_moments_add_up():
    X, y = samples(50, 4, 3)
    whole, parts = Moments.of(X, y, 3), Moments.of(X[:20], y[:20], 3) + Moments.of(X[20:], y[20:], 3)
    for name in ("counts", "sums", "gram"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name))
        np.testing.assert_allclose(getattr(whole.weighted(2.0), name), getattr(Moments.of(X, y, 3, np.full(50, 2.0)), name))


def test_accuracy_gain_and_their_errors():
    codes = np.array([0, 0, 1, 1])
    better = LeaveOneOut.of(np.array([[1.0, 0], [1, 0], [0, 1], [1, 0]]), codes)
    worse = LeaveOneOut.of(np.array([[1.0, 0], [0, 1], [1, 0], [1, 0]]), codes)
    assert (better.accuracy, worse.accuracy) == (0.75, 0.25)
    gain, se = better.gain(worse)
    assert gain == 0.5 and se == pytest.approx(np.sqrt(0.25 / 3 + 1 / 16))
    assert better.gain(better)[0] == 0 and better.gain(better)[1] > 0
    ahead, se = lead(better, worse)
    difference = better.soft - worse.soft
    assert ahead == pytest.approx(better.smooth - worse.smooth) and se == pytest.approx(difference.std(ddof=1) / 2)
    assert lead(better, better) == (0, 0)
    np.testing.assert_array_equal(worse.margins, [1, -1, -1, -1])
    sure = LeaveOneOut.of(np.eye(2)[codes], codes)
    assert sure.accuracy == 1 and 0 < sure.se < 0.25


def test_the_error_of_the_accuracy_covers_fresh_samples():
    rng, off = np.random.default_rng(0), []
    for _ in range(200):
        X, y = 1.0 * rng.standard_normal((60, 10)), np.arange(60) % 2
        X[:, 0] += 1.5 * (y - 0.5)
        test, labels = rng.standard_normal((1000, 10)), np.arange(1000) % 2
        test[:, 0] += 1.5 * (labels - 0.5)
        found = mix_leave_one_out(X, y, None, None, 1.0)
        at, sign = X.mean(axis=0), 2 * y - 1
        w = np.linalg.solve((X - at).T @ (X - at) + 60 * np.eye(10), (X - at).T @ (sign - sign.mean()))
        off.append((found.accuracy - np.mean(((test - at) @ w > 0) == labels)) / found.se)
    assert abs(np.mean(off)) < 0.25 and 0.8 < np.std(off) < 1.3


def test_the_smooth_criterion_has_no_ties_and_no_scale():
    X, y = samples(40, 6, 2)
    gammas = np.geomspace(1e-3, 10, 60)
    path = RidgeMix.of(X, y).path(gammas)
    smooth = np.array([one.smooth for one in path])
    assert len(np.unique(smooth)) == 60 > len({one.accuracy for one in path})
    assert np.abs(np.diff(smooth)).max() < 1 / 40  # the accuracy moves by that at least
    assert LeaveOneOut.of(7 * path[0].balanced, path[0].codes).smooth == pytest.approx(path[0].smooth)
    margins = np.random.default_rng(0).standard_normal(200_000) + 1.0
    gaussian = LeaveOneOut.of(np.column_stack([margins, 0 * margins]), np.zeros(len(margins), dtype=int))
    from scipy.special import ndtr

    assert gaussian.smooth == pytest.approx(ndtr(1 / np.sqrt(1 + BANDWIDTH**2)), abs=0.002)
    assert sharpened(gaussian.smooth) == pytest.approx(ndtr(1), abs=0.004)


@pytest.mark.parametrize("change, message", [
    (dict(y=np.zeros(20)), "only one label"),
    (dict(X=np.zeros(20)), "features"),
    (dict(X=np.zeros((1, 3)), y=np.zeros(1)), "at least 2"),
    (dict(y_s=np.full(10, 7)), "no real sample has the synthetic label 7"),
    (dict(X_s=np.zeros((10, 4))), "need 3 features"),
    (dict(keep=np.ones(3)), "keep must have one entry"),
    (dict(weights=np.zeros(20)), "above 0"),
    (dict(gamma=0.0), "gamma must be"),
    (dict(omega=-1.0), "omega must be"),
])  # fmt: skip
def test_bad_input(change, message):
    X, y = samples(20, 3, 2)
    X_s, y_s = samples(10, 3, 2, seed=1)
    with pytest.raises(BadInput, match=message):
        mix_leave_one_out(**{"X": X, "y": y, "X_s": X_s, "y_s": y_s, "gamma": 0.1, **change})


def self_fitted_trial(rng, n, p, m, gamma, omega, L=2) -> dict[str, float]:
    """Accuracies of a mix whose generator was fitted on its own real samples: on fresh samples, and by leave-one-out."""
    means = 1.7 * np.eye(p)[:L]
    y = np.arange(n) % L
    X = means[y] + rng.standard_normal((n, p))
    X_s, truth = ClassGaussian.fit(X, y).sample(rng, m // L)
    y_s = np.where(rng.random(len(truth)) < 0.3, (truth + 1) % L, truth)
    keep = rng.random(len(truth)) < np.where(y_s == truth, 0.8, 0.2)
    N = n + m
    codes = np.arange(4000) % L
    test = means[codes] + rng.standard_normal((4000, p))
    A, E = np.concatenate([X, X_s[keep]]), np.eye(L)[np.concatenate([y, y_s[keep]])]
    c = np.concatenate([np.ones(n), np.full(keep.sum(), omega)])[:, None]
    at, base = np.average(A, axis=0, weights=c[:, 0]), np.average(E, axis=0, weights=c[:, 0])
    W = np.linalg.solve((A - at).T @ (c * (A - at)) + gamma * N * np.eye(p), (A - at).T @ (c * (E - base)))
    kept = kept_labels(X, y, X_s, y_s, keep)
    return {"fresh": np.mean(((test - at) @ W + base).argmax(axis=1) == codes),
            "plain": mix_leave_one_out(X, y, X_s, y_s, gamma, omega, keep=keep).accuracy,
            "corrected": self_fitted_leave_one_out(X, y, kept, gamma, omega, N).accuracy,
            "first kept": kept[0, 0] - np.sum((truth == 0) & (y_s == 0) & keep)}  # fmt: skip


@pytest.mark.parametrize("setting", [
    dict(n=200, p=100, m=1000, gamma=0.1, omega=1.0),
    dict(n=100, p=200, m=400, gamma=0.1, omega=0.5),
    dict(n=210, p=60, m=900, gamma=0.1, omega=1.0, L=3),
], ids=["two classes", "more features", "three classes"])  # fmt: skip
def test_a_generator_that_has_seen_the_samples(setting):
    rows = [self_fitted_trial(np.random.default_rng(seed), **setting) for seed in range(30)]
    value = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    plain, corrected = value["plain"] - value["fresh"], value["corrected"] - value["fresh"]
    assert plain.mean() > 0.1  # what the correction is for
    assert abs(corrected.mean()) < 4 * corrected.std() / np.sqrt(len(rows)) + 0.005
    assert abs(value["first kept"].mean()) < 0.02 * setting["m"]


def test_without_synthetic_samples_the_correction_is_plain_leave_one_out():
    for p in (6, 60):
        X, y = samples(30, p, 3)
        found = self_fitted_leave_one_out(X, y, np.zeros((3, 3)), 0.1)
        plain = mix_leave_one_out(X, y, None, None, 0.1)
        np.testing.assert_allclose(found.scores, plain.scores, atol=1e-9)
        np.testing.assert_allclose(found.right, plain.right, atol=1e-12)


def test_a_perfect_self_fitted_mix_of_any_size_adds_nothing_but_weight():
    """As m grows with right labels only, the scores tend to those of the real samples alone with almost no ridge."""
    X, y = samples(60, 10, 2)
    found = self_fitted_leave_one_out(X, y, 1e9 * np.eye(2), 0.1, N=60)
    alone = mix_leave_one_out(X, y, None, None, 1e-9)
    np.testing.assert_allclose(found.scores, alone.scores, atol=1e-4)
    assert np.all(np.minimum(found.right, 1 - found.right) < 0.05)


def test_bad_counts_of_kept_labels():
    X, y = samples(20, 3, 2)
    with pytest.raises(BadInput, match="2 x 2"):
        self_fitted_leave_one_out(X, y, np.zeros((3, 3)), 0.1)


@pytest.mark.parametrize("p", [6, 80], ids=["primal", "dual"])
@pytest.mark.parametrize("synthetic", [False, True])
def test_groups_that_are_left_out_together_are_refitted_without(p: int, synthetic: bool) -> None:
    rng = np.random.default_rng(0)
    X, y, groups = rng.standard_normal((24, p)), np.arange(24) % 3, np.repeat(np.arange(8), [1, 2, 3, 4, 2, 5, 3, 4])
    X_s, y_s = (rng.standard_normal((30, p)), np.arange(30) % 3) if synthetic else (None, None)
    found = RidgeMix.of(X, y, X_s, y_s, N=1, groups=groups).path([0.7], 0.4)[0]
    for group in range(8):
        rest, own = groups != group, groups == group
        both, labels, c = X[rest], y[rest], np.ones(rest.sum())
        if synthetic:
            both, labels, c = np.concatenate([both, X_s]), np.append(labels, y_s), np.append(c, np.full(30, 0.4))
        np.testing.assert_allclose(found.scores[own], ridge(both, labels, 3, 0.7, c).scores(X[own]), atol=1e-10)
    alone = RidgeMix.of(X, y, X_s, y_s, N=1).path([0.7], 0.4)[0]
    assert np.abs(alone.scores - found.scores).max() > 0.01
    single = RidgeMix.of(X, y, X_s, y_s, N=1, groups=np.arange(24)).path([0.7], 0.4)[0]
    np.testing.assert_allclose(single.balanced, alone.balanced, atol=1e-12)
    assert single.se == pytest.approx(alone.se) and single.gain(found)[1] == pytest.approx(alone.gain(found)[1])
