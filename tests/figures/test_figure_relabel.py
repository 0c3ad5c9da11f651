"""Figure relabel: its claims on isotropic classes, data with a verifier, labels that are wrong for a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthmix.data.find import status
from synthmix.data.sets import amazon
from synthmix.experiments.compliance import AnswerFeatures
from synthmix.experiments.relabel import METHODS, Accuracies, compared, isotropic, measure, weak_labels, with_slopes
from synthmix.figures import figure_relabel
from synthmix.figures.figure_relabel import FIGURE
from synthmix.figures.kit.run import Run
from synthmix.solvers.problem import Ridge, Setting
from synthmix.solvers.relabelling import predict_relabelling

SMALL = replace(FIGURE.quick, cases=(), rounds=3, trials=30, epsilons=(0.4,), rhos=(0.5,))


def test_claims_on_isotropic_classes_hold_and_a_wrong_theory_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    found = FIGURE.build(SMALL, Run(seed=1))
    assert [claim.name for claim in found.claims if not claim.holds] == []
    kinds = {claim.kind for claim in found.claims}
    assert kinds == {"agrees", "falls outside", "at most", "at least"} and len(found.panels) == 3
    monkeypatch.setattr(figure_relabel, "predict_relabelling", lambda setting, rounds, **_: predict_relabelling(
        setting.with_(epsilon=0.8 * setting.epsilon), rounds))
    wrong = FIGURE.build(SMALL, Run(seed=1))
    assert sum(not claim.holds for claim in wrong.claims) >= 5


def test_a_trial_is_the_same_in_any_number_of_processes() -> None:
    setting = Setting(20, 100, 30, 1.5, 0.3, ridge=Ridge(10.0))
    one, two = (isotropic([setting], (0, 2), 4, 5, jobs)[0] for jobs in (1, 2))
    np.testing.assert_array_equal(one, two)
    slopes = predict_relabelling(setting, 1).slope
    np.testing.assert_array_equal(with_slopes(setting, slopes, 3, 5, 1), with_slopes(setting, slopes, 3, 5, 2))


def draw(rng: np.random.Generator, count: int, p: int = 20) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(count) % 2 * 2 - 1
    return y[:, None] * np.full(p, 1.5 / np.sqrt(p)) + rng.standard_normal((count, p)), y


def test_methods_see_what_their_names_say() -> None:
    rng = np.random.default_rng(0)
    (X, y), (X_s, truth), (X_test, y_test) = draw(rng, 40), draw(rng, 400), draw(rng, 2000)
    given = np.where(rng.random(400) < 0.4, -truth, truth)
    found = dict(zip(METHODS, compared(X, y, X_s, given, given == truth, truth, X_test, y_test), strict=True))
    assert found["prune"] == found["perfect verifier"] and found["relabel"] > found["average"] - 0.01
    nothing = compared(X, y, X_s, given, np.ones(400, dtype=bool), truth, X_test, y_test)
    assert nothing[METHODS.index("prune")] == found["average"] and nothing[METHODS.index("both")] == found["relabel"]


def test_differences_are_paired() -> None:
    values = np.random.default_rng(1).normal(0.8, 0.1, (30, 1)) + np.array([0.0, 0.01, 0.02, 0.03, 0.04])
    gain = Accuracies(values).gain("both")
    assert gain.mean == pytest.approx(0.03) and gain.se < 1e-12 < Accuracies(values).of("both").se


def test_labels_wrong_for_a_reason_are_told_from_chance() -> None:
    """A labeller that looks along another direction: cleaning its labels does harm, cleaning as many wrong ones put by chance does not."""
    rng = np.random.default_rng(2)
    X, y = draw(rng, 600)
    turned = np.where(np.arange(20) < 9, -1.0, 1.0)
    weak = np.where(X @ turned > 0, 1, -1)
    prompt = np.arange(600) // 2
    reason, chance = weak_labels(AnswerFeatures(X, y, weak, rng.random(600) < 0.8, prompt), 40, 4, 0)
    assert reason.gain("relabel").mean < chance.gain("relabel").mean - 0.02
    assert reason.values.shape == (4, len(METHODS))


@pytest.mark.skipif(bool(status(amazon.DATASET, None).missing), reason="the reviews are not here")
def test_reviews_are_measured_on_the_same_splits() -> None:
    case = replace(FIGURE.quick.cases[0], trials=2, m=200, epsilons=(0.0, 0.4))
    clean, noisy = measure(case, 0)
    assert clean.of("perfect verifier").mean == clean.of("average").mean > noisy.of("average").mean - 0.02
