"""RelabelledMix: scikit-learn's checks, leave-one-out, the simulated facts, the noise that it finds, real reviews."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr
from sklearn.linear_model import RidgeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthmix.estimators.loss_samples import LossSamples
from synthmix.estimators.relabelled_mix import Calibration, RelabelledMix, WeightedSamples
from synthmix.solvers.any_loss import Loss
from synthmix.solvers.generated.losses import NAMES
from synthmix.solvers.limit import limit, relabelling
from synthmix.solvers.problem import ORACLE, Setting
from synthmix.support.errors import BadInput

FLAT = 1e6  # an alpha at which the ridge is the average of the samples, best for isotropic classes


CHECKED = [RelabelledMix(), RelabelledMix(alpha=1.0, fit_intercept=False), RelabelledMix(1.0, loss="logistic", rounds=3)]


@parametrize_with_checks(CHECKED)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def draw(rng: np.random.Generator, count: int, mean: np.ndarray, wrong: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples, given labels and true labels, +-1."""
    y = rng.permutation(np.where(np.arange(count) % 2, 1, -1))
    return y[:, None] * mean + rng.standard_normal((count, len(mean))), np.where(rng.random(count) < wrong, -y, y), y


def trial(setting: Setting, seed: int, **options: object) -> tuple[RelabelledMix, float]:
    """A fitted estimator on one draw of a setting without pruning, and its exact accuracy."""
    rng = np.random.default_rng(seed)
    mean = rng.standard_normal(setting.p)
    mean *= setting.mu / np.linalg.norm(mean)
    X, y, _ = draw(rng, int(setting.n), mean)
    X_s, y_s, _ = draw(rng, int(setting.m), mean, setting.epsilon)
    found = RelabelledMix(**({"alpha": FLAT, "noise": setting.epsilon, "fit_intercept": False} | options)).fit(X, y, X_s, y_s)
    w = found.coef_[0]
    margins = (w @ mean + np.array([1, -1]) * found.intercept_) / np.linalg.norm(w)
    return found, float(ndtr(margins).mean())


@pytest.mark.parametrize(("setting", "average", "perfect"), [
    (Setting(100, 2000, 500, 1.5, 0.4), 0.844, 0.917), (Setting(100, 4000, 500, 1.2, 0.45), 0.747, None),
])
def test_it_reaches_the_limit_where_pruning_and_weights_do_not(setting: Setting, average: float, perfect: float | None) -> None:
    """Within four standard errors and a budget for p = 500: 0.0005 where the noise is known, 0.0025 where it is estimated."""
    cleaned, estimated, raw = ([trial(setting, seed, **options)[1] for seed in range(6)]
                               for options in ({}, {"noise": "auto", "fit_intercept": True}, {"rounds": 0}))
    se = np.std(cleaned, ddof=1) / np.sqrt(6)
    assert se < 0.0005 and abs(np.mean(cleaned) - limit(setting)) < 4 * se + 0.0005
    assert abs(np.mean(estimated) - limit(setting)) < 4 * se + 0.0025
    spread = np.std(raw, ddof=1) / np.sqrt(6)
    assert abs(np.mean(raw) - average) < 4 * spread and abs(np.mean(raw) - relabelling(setting, 0)[0]) < 4 * spread
    assert np.mean(cleaned) > np.mean(raw) + 0.05
    if perfect:
        pruned = limit(setting.with_(verifier=ORACLE))
        assert pruned == pytest.approx(perfect, abs=0.001) and np.mean(cleaned) > pruned + 0.002


def noisy_draw(seed: int) -> tuple[RelabelledMix, np.ndarray, np.ndarray]:
    """A fitted estimator, and given and true labels of its 4000 synthetic samples, of which 35% are wrong."""
    rng = np.random.default_rng(seed)
    mean = np.full(100, 0.15)
    (X, y, _), (X_s, y_s, truth) = draw(rng, 200, mean), draw(rng, 4000, mean, 0.35)
    return RelabelledMix(FLAT).fit(X, y, X_s, y_s), y_s, truth


def test_the_noise_is_found_and_the_posteriors_are_right_as_often_as_they_say() -> None:
    """On average over 40 draws within 4 standard errors, of which the largest is below .01: within .04 in every bin."""
    bins, noise = ((0.0, 0.1), (0.1, 0.4), (0.6, 0.9), (0.9, 1.0)), []
    excess = np.empty((40, len(bins)))
    for seed in range(len(excess)):
        found, given_labels, truth = noisy_draw(seed)
        noise.append(found.noise_)
        for column, (low, high) in enumerate(bins):
            inside = (found.posterior_ >= low) & (found.posterior_ <= high)
            excess[seed, column] = np.mean(truth[inside] > 0) - found.posterior_[inside].mean()
        assert np.mean((found.posterior_ > 0.5) == (truth > 0)) > np.mean(given_labels == truth) + 0.2
    se = excess.std(axis=0, ddof=1) / np.sqrt(len(excess))
    assert np.all(se < 0.01) and np.all(np.abs(excess.mean(axis=0)) < 4 * se)
    assert np.mean(noise) == pytest.approx(0.35, abs=4 * np.std(noise, ddof=1) / np.sqrt(len(noise))) and np.std(noise) < 0.012


def test_one_draw_is_calibrated_as_well_as_its_labels_fix_the_slope() -> None:
    """The bins of one draw are off by more than counting explains because noisy labels fix the slope to 15% only, as their information
    says; with the slope of the true labels they are not."""
    rng, ratios, deviations = np.random.default_rng(0), [], []
    q, e, real, m = 2.2, 0.35, 200, 4000
    for _ in range(60):
        y = rng.choice([-1.0, 1.0], real + m)
        scores = q * y + np.sqrt(q) * rng.standard_normal(real + m)
        given_labels = np.where((rng.random(real + m) < e) & (np.arange(real + m) >= real), -y, y)
        known = Calibration.of(scores, y, np.ones(real + m), real + m, None)
        ratios.append(Calibration.of(scores, given_labels, np.ones(real + m), real, None).slope)
        right = (1 + np.tanh(known.slope * scores + known.offset)) / 2
        inside = (right > 0.1) & (right < 0.4)
        counting = np.sqrt(np.mean(right[inside] * (1 - right[inside])) / inside.sum())
        deviations.append((np.mean(y[inside] > 0) - right[inside].mean()) / counting)
    assert np.std(deviations) < 1.3
    # the information of a label about the slope (1 is the truth): the mean of score^2 times the squared slope of its probability
    h = q + np.sqrt(q) * rng.standard_normal(400_000)
    h = np.where(rng.random(len(h)) < 0.5, h, -h)
    right = (1 + np.tanh(h)) / 2
    given_plus = e + (1 - 2 * e) * right
    slope = 2 * h * right * (1 - right)
    of_noisy = np.mean(((1 - 2 * e) * slope) ** 2 / (given_plus * (1 - given_plus)))
    information = real * np.mean(slope**2 / (right * (1 - right))) + m * of_noisy
    assert np.std(ratios, ddof=1) * np.sqrt(information) == pytest.approx(1, abs=0.4)
    assert np.mean(ratios) == pytest.approx(1, abs=0.08) and np.std(ratios) > 0.1


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("p", [5, 60])
def test_left_out_scores_are_those_of_classifiers_without_the_sample(p: int, intercept: bool) -> None:
    rng = np.random.default_rng(1)
    X, labels, c = rng.standard_normal((30, p)) + 0.3, rng.uniform(-1, 1, 30), rng.uniform(0.2, 2, 30)
    scores = WeightedSamples.of(X, c, intercept).ridge(labels, 2.0)[1]
    for i in range(0, 30, 7):
        rest = np.arange(30) != i
        other = WeightedSamples.of(X[rest], c[rest], intercept).ridge(labels[rest], 2.0)[0]
        assert scores[i] == pytest.approx((X[i] - other.center) @ other.weights[:, 0], rel=1e-8)


def soft_samples(loss: str, intercept: bool) -> tuple[LossSamples, np.ndarray, np.ndarray]:
    """Eighty samples of forty features, soft labels, and the rows that are left out in turn."""
    rng = np.random.default_rng(1)
    X, labels, c = rng.standard_normal((80, 40)) + 0.3, rng.uniform(-1, 1, 80), rng.uniform(0.2, 2, 80)
    return LossSamples.of(X, c, intercept, Loss.of(loss)), labels, np.arange(0, 80, 4)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("loss", [name for name in NAMES if name != "hinge"])
def test_left_out_scores_of_other_losses(loss: str, intercept: bool) -> None:
    """To first order: nearer to the classifier without the sample than a fifth of what the sample moves; exact for the square loss."""
    samples, labels, held = soft_samples(loss, intercept)
    classifier, scores = samples.trainer(5.0)(labels)
    without = np.empty(len(held))
    for place, i in enumerate(held):
        w = samples._minimised(np.setdiff1d(np.arange(80), i), labels, 5.0)
        rest = np.arange(80) != i
        center = np.average(samples.X[rest, :40], axis=0, weights=samples.weights[rest]) if intercept else 0.0
        without[place] = (samples.X[i, :40] - center) @ w[:40]
    trained = samples.X[held, :40] @ classifier.weights[:, 0]
    moved = np.sqrt(np.mean((trained - without) ** 2))
    assert moved > 0.05 and np.sqrt(np.mean((scores[held] - without) ** 2)) < (1e-6 if loss == "square" else 0.2 * moved)


def test_the_square_loss_goes_either_way() -> None:
    """The ridge with its own leave-one-out, and the square loss among all losses; the intercept is penalised by a millionth there."""
    rng = np.random.default_rng(7)
    X, labels, c = rng.standard_normal((60, 10)) + 0.3, rng.uniform(-1, 1, 60), rng.uniform(0.2, 2, 60)
    for intercept, tolerance in ((False, 1e-9), (True, 1e-4)):
        one = WeightedSamples.of(X, c, intercept).trainer(2.0)(labels)
        other = LossSamples.of(X, c, intercept, Loss.of("square")).trainer(2.0)(labels)
        np.testing.assert_allclose(one[0].weights, other[0].weights, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(one[1], other[1], atol=tolerance)


def test_every_loss_cleans_labels() -> None:
    """Far above the same classifier on the labels as they are, and as far below the limit as a round or two leave."""
    setting = Setting(60, 600, 100, 1.5, 0.35)
    for loss in NAMES:
        options = {"noise": 0.35, "fit_intercept": True, "loss": loss, "rounds": 5}
        cleaned = [trial(setting, seed, **options, alpha=300.0)[1] for seed in range(3)]
        raw = [trial(setting, seed, **options | {"rounds": 0}, alpha=300.0)[1] for seed in range(3)]
        assert np.mean(cleaned) > np.mean(raw) + 0.03 and np.mean(cleaned) > limit(setting) - 0.02, loss


def test_without_synthetic_samples_it_is_ridge() -> None:
    X, y, _ = draw(np.random.default_rng(2), 60, np.full(8, 0.5))
    np.testing.assert_allclose(RelabelledMix(2.0).fit(X, y).coef_, RidgeClassifier(2.0).fit(X, y).coef_[None])
    alone = RelabelledMix(2.0, weight=0.0).fit(X, y, X, -y)
    np.testing.assert_allclose(alone.coef_, RidgeClassifier(2.0).fit(X, y).coef_[None])
    assert np.isnan(alone.noise_) and alone.n_synthetic_ == 0


def test_the_verifiers_weights_are_kept() -> None:
    rng = np.random.default_rng(3)
    mean = np.full(20, 0.3)
    (X, y, _), (X_s, y_s, _) = draw(rng, 50, mean), draw(rng, 300, mean, 0.3)
    keep = rng.integers(0, 2, 300)
    pruned = RelabelledMix(5.0).fit(X, y, X_s, y_s, keep=keep)
    cut = RelabelledMix(5.0).fit(X, y, X_s[keep > 0], y_s[keep > 0])
    np.testing.assert_allclose(pruned.coef_, cut.coef_)
    assert len(pruned.posterior_) == keep.sum()
    half = RelabelledMix(5.0, weight=1.0).fit(X, y, X_s, y_s, keep=np.full(300, 0.5))
    np.testing.assert_allclose(half.coef_, RelabelledMix(5.0, weight=0.5).fit(X, y, X_s, y_s).coef_)


def test_known_right_labels_stay_as_they_are() -> None:
    rng = np.random.default_rng(4)
    mean = np.full(20, 0.3)
    (X, y, _), (X_s, y_s, _) = draw(rng, 50, mean), draw(rng, 300, mean)
    found = RelabelledMix(5.0, noise=0.0).fit(X, y, X_s, y_s)
    np.testing.assert_array_equal(found.posterior_, (y_s > 0).astype(float))


def test_the_gradient_of_the_calibration_leads_to_its_maximum() -> None:
    rng = np.random.default_rng(5)
    y = rng.choice([-1.0, 1.0], 200000)
    scores, labels = 3 * (0.8 * y + 0.3) + 3 * rng.standard_normal(200000), np.where(rng.random(200000) < 0.25, -y, y)
    labels[:5000] = y[:5000]
    found = Calibration.of(scores, labels, np.ones(200000), 5000, None)
    assert (found.slope, found.offset, found.wrong) == pytest.approx((0.8 / 3, -0.24, 0.25), abs=0.03)


BAD = {
    "three classes": (lambda X, y: RelabelledMix().fit(X, np.arange(len(y)) % 3), "exactly two classes"),
    "noise": (lambda X, y: RelabelledMix(noise=1.5).fit(X, y), "noise must be at least 0 and at most 1"),
    "word": (lambda X, y: RelabelledMix(noise="known").fit(X, y), "noise must be"),
    "loss": (lambda X, y: RelabelledMix(loss="ridge").fit(X, y), "loss must be one of hinge"),
    "threshold": (lambda X, y: RelabelledMix(huber_threshold=1.0).fit(X, y), "the square loss has none"),
    "alpha": (lambda X, y: RelabelledMix(alpha=0).fit(X, y), "alpha must be a finite number above 0"),
    "keep": (lambda X, y: RelabelledMix().fit(X, y, X, y, keep=np.full(len(y), 2.0)), "keep must be from 0 to 1"),
    "labels": (lambda X, y: RelabelledMix().fit(X, y, X, 3 * y), "no real sample has the synthetic label"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case: str) -> None:
    X, y, _ = draw(np.random.default_rng(6), 20, np.full(4, 0.5))
    call, message = BAD[case]
    with pytest.raises(BadInput, match=message) as raised:
        call(X, y)
    assert "\n" not in str(raised.value)
