"""Other models and measures: cross-validated gains whose errors hold, and baselines that are better than adding data."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from synthmix.advice.advise import advise
from synthmix.advice.calibration import area
from synthmix.advice.cross_validation import FoldScores, Mix, cross_validated
from synthmix.advice.evidence import gather
from synthmix.advice.modelled import Task, check_task
from synthmix.advice.models import BOOSTING, Model, ridge
from synthmix.advice.plan import Plan
from synthmix.advice.tables import Table
from synthmix.advice.verdict import area_by_theory
from synthmix.estimators.mix_ridge import SyntheticMixRidge
from synthmix.support.errors import BadInput

ROOT = Path(__file__).parents[2]
SEEN: list[tuple[str, np.ndarray]] = []


class Nosy(ClassifierMixin, BaseEstimator):
    """Nearest mean, which tells what it was shown."""

    def fit(self, X, y, sample_weight=None):
        SEEN.append(("fit", np.asarray(X)))
        self.classes_ = np.unique(y)
        self.means_ = np.array([np.average(X[y == k], axis=0, weights=sample_weight[y == k]) for k in self.classes_])
        return self

    def predict(self, X):
        SEEN.append(("predict", np.asarray(X)))
        return self.classes_[((X[:, None] - self.means_) ** 2).sum(axis=2).argmin(axis=1)]


class Unweighted(ClassifierMixin, BaseEstimator):
    """Takes no sample weights."""

    def fit(self, X, y):
        return self


def gaussians(rng: np.random.Generator, n: int, p: int = 5, apart: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(n) % 2
    return rng.standard_normal((n, p)) + apart * (2 * y[:, None] - 1) * np.eye(p)[0], y


def table(X: np.ndarray, y: np.ndarray, **more: np.ndarray) -> Table:
    names = tuple(f"x{i}" for i in range(X.shape[1]))
    return Table(X, y, names, total=len(y), columns=names, **more)


def squares(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes that no linear classifier tells apart, and trees do."""
    X = rng.uniform(-1, 1, (n, 4))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


# ---------------------------------------------------------------- folds


def test_only_training_folds_see_synthetic_rows() -> None:
    rng = np.random.default_rng(0)
    X, y = gaussians(rng, 40)
    made, labels = gaussians(rng, 30)
    model = Model("Nosy", "here", "Nosy()", Nosy())
    SEEN.clear()
    groups = np.arange(40) // 2
    found = cross_validated(X, y, [(model, None), (model, Mix(made, labels, 0.5))], groups=groups)
    assert found.scores.shape == (2, 10)
    own = {tuple(row) for row in X}
    for what, rows in SEEN:
        assert what == "fit" or {tuple(row) for row in rows} <= own
    fitted = [rows for what, rows in SEEN if what == "fit"]
    assert {len(rows) for rows in fitted[1::2]} == {len(rows) + 30 for rows in fitted[::2]}
    tested = [{tuple(row) for row in rows} for what, rows in SEEN if what == "predict"]
    for i, rows in enumerate(tested):
        assert not rows & {tuple(row) for row in fitted[i]}
        assert {tuple(X[j ^ 1]) for j in range(40) if tuple(X[j]) in rows} == rows  # both rows of every group


@pytest.mark.parametrize("model", [Model.of("sklearn.naive_bayes:GaussianNB"), ridge(5.0)], ids=["bayes", "ridge"])
def test_two_corrected_errors_cover_the_realised_gain(model: Model) -> None:
    """And two of the naive errors, s / sqrt(J), do not: the correction is needed."""
    rng = np.random.default_rng(1)
    test, truth = gaussians(rng, 20_000)
    corrected, naive, differences = [], [], []
    for _ in range(120):
        (X, y), (made, labels) = gaussians(rng, 60), gaussians(rng, 120)
        flipped = np.where(rng.random(120) < 0.25, 1 - labels, labels)
        mix = Mix(made, flipped, 0.5)
        found = cross_validated(X, y, [(model, None), (model, mix)])
        gain, se = found.gain(1)
        alone = model.make().fit(X, y).score(test, truth)
        weights = np.append(np.ones(60), np.full(120, 0.5))
        mixed = model.make().fit(np.concatenate([X, made]), np.append(y, flipped), sample_weight=weights).score(test, truth)
        off = abs(gain - (mixed - alone))
        corrected.append(off <= 2 * se)
        naive.append(off <= 2 * se * np.sqrt(0.1 / 0.35))
        differences.append(gain - (mixed - alone))
    assert np.mean(corrected) > 0.9 > np.mean(naive)
    assert abs(np.mean(differences)) < 0.01  # training folds are smaller, so that it is no more than nearly unbiased


def test_the_optimism_of_choosing_among_equal_mixes_is_taken_off() -> None:
    rng = np.random.default_rng(0)
    raw, honest = [], []
    for _ in range(300):
        found = FoldScores(np.concatenate([np.zeros((1, 10)), rng.standard_normal((5, 10))]), 0.25, 100)
        gain = found.gain(found.best)[0]
        raw.append(gain)
        honest.append(gain - found.optimism())
    assert np.mean(raw) > 0.3 and abs(np.mean(honest)) < 0.12
    assert FoldScores(rng.standard_normal((2, 10)), 0.25, 100).optimism() == 0


# ---------------------------------------------------------------- names

WRONG = {
    "forest": "must be ridge, logistic or MODULE:CLASS",
    "no.such.module:Class": "cannot be imported",
    "sklearn.linear_model:Nothing": "has no class Nothing",
    "sklearn.linear_model:Ridge": "is no classifier",
    "sklearn.neighbors:KNeighborsClassifier": "takes no sample weights",
    "sklearn.ensemble:VotingClassifier": "cannot be made without arguments",
}


@pytest.mark.parametrize("said", WRONG)
def test_models_that_cannot_be_used(said: str) -> None:
    with pytest.raises(BadInput, match=WRONG[said]) as caught:
        check_task(Task(said), file=True)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_measured() -> None:
    with pytest.raises(BadInput, match="--model logistic is measured on synthetic rows"):
        check_task(Task("logistic"), file=False)
    with pytest.raises(BadInput, match="--metric auc is measured on synthetic rows"):
        check_task(Task(metric="auc"), file=False)
    with pytest.raises(BadInput, match="the metric must be accuracy, balanced, auc, f1, log-loss"):
        Task(metric="kappa")
    rng = np.random.default_rng(0)
    real, made = table(*gaussians(rng, 40)), table(*gaussians(rng, 40))
    with pytest.raises(BadInput, match="RidgeClassifier has no log-loss"):
        advise(real, Plan(40, self_fitted=False), made, metric="log-loss", details=False)


# ---------------------------------------------------------------- advice


@pytest.mark.parametrize("said, metric", [("logistic", "accuracy"), ("logistic", "log-loss"), ("ridge", "auc"), ("ridge", "f1"),
                                          ("sklearn.naive_bayes:GaussianNB", "balanced")])
def test_a_good_file_helps_and_noise_hurts_every_model(said: str, metric: str) -> None:
    rng = np.random.default_rng(3)
    X, y = gaussians(rng, 60, p=60, apart=0.8)
    real, good = table(X, y), table(*gaussians(rng, 1500, p=60, apart=0.8))
    bad = table(gaussians(rng, 1500, p=60)[0], rng.integers(0, 2, 1500))
    helped, hurt = (advise(real, Plan(1500, self_fitted=False), one, model=said, metric=metric) for one in (good, bad))
    assert helped.verdict == "helps" and helped.best.m and helped.model == said and helped.metric == metric
    assert hurt.gain.value < helped.gain.value
    if metric != "log-loss":  # noise makes a classifier less sure of itself, which log-loss rewards
        assert hurt.gain.value < 2 * hurt.gain.se
    assert len(helped.curve) == 2 and any("Nadeau" in note for note in helped.notes)


def test_a_file_of_the_users_own_rows_never_helps_another_model() -> None:
    rng = np.random.default_rng(0)
    X, y = gaussians(rng, 60)
    advice = advise(table(X, y), Plan(600), table(np.tile(X, (10, 1)), np.tile(y, 10)), model="logistic", details=False)
    assert advice.verdict in ("too close to call", "hurts") and not advice.best.m


def test_nobody_is_told_to_add_data_where_another_model_gains_more() -> None:
    rng = np.random.default_rng(0)
    real, made = table(*squares(rng, 200)), table(*squares(rng, 400))
    advice = advise(real, Plan(400, self_fitted=False), made, details=False, compare=True)
    assert advice.verdict == "change the model" and advice.train == BOOSTING and not advice.best.m
    assert f"--model {BOOSTING}" in advice.reason and f"--model {BOOSTING}" in advice.next
    assert "HistGradientBoostingClassifier(random_state=0)" in advice.snippet
    linear = advise(table(*gaussians(rng, 60)), Plan(400, 0.1, 0.1, 0.9), details=False, compare=True)
    assert linear.verdict != "change the model" and len(linear.rivals) >= 3 and linear.train == "ridge"


def test_the_snippet_trains_the_other_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    X, y = gaussians(rng, 40, p=20, apart=0.7)
    made, labels = gaussians(rng, 300, p=20, apart=0.7)
    advice = advise(table(X, y), Plan(300, self_fitted=False), table(made, labels), model="logistic", details=False)
    assert advice.best.m
    found = {"real": {"X": X, "y": y}, "made": {"X": made, "y": labels}}
    exec(advice.snippet, found)
    mean, spread = X.mean(axis=0), X.std(axis=0)
    both = (np.concatenate([X, made[advice.keep]]) - mean) / spread
    weights = np.append(np.ones(40), np.full(advice.keep.sum(), advice.best.omega))
    model = LogisticRegression(max_iter=1000).fit(both, np.append(y, labels[advice.keep]), sample_weight=weights)
    np.testing.assert_allclose(found["model"].coef_, model.coef_, rtol=1e-3, atol=1e-4)


def test_on_the_command_line(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, n in (("real", 60), ("made", 200)):
        X, y = gaussians(rng, n, p=8, apart=0.8)
        np.savez(tmp_path / f"{name}.npz", X=X, y=y)
    command = [sys.executable, str(ROOT / "cli.py"), "advise", "--real", "real.npz", "--synthetic", "made.npz", "--not-self-fitted"]
    done = subprocess.run([*command, "--model", "logistic", "--metric", "log-loss", "--json"], cwd=tmp_path, capture_output=True, text=True,
                          check=True)  # fmt: skip
    found = json.loads(done.stdout)
    assert found["baseline"]["model"] == "LogisticRegression" and found["metric"] == "log-loss" and found["baseline"]["accuracy"] < 0
    assert [one["name"] for one in found["rivals"]] == ["gradient boosting (HistGradientBoosting)"]
    done = subprocess.run([*command, "--model", "forest"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


def test_the_area_under_the_curve_is_that_of_gaussian_scores() -> None:
    """By Monte-Carlo within four standard errors; the accuracy itself, or twice the ratio of mean and spread, is far outside."""
    rng = np.random.default_rng(0)
    for accuracy in (0.6, 0.8, 0.95):
        scores = rng.standard_normal((2, 200_000)) + ndtri(accuracy)
        above = scores[0] > -scores[1]
        error = above.std() / above.size**0.5
        assert abs(area(accuracy) - above.mean()) < 4 * error
        assert abs(accuracy - above.mean()) > 20 * error < abs(ndtr(2 * ndtri(accuracy)) - above.mean())
    assert area(0.5) == pytest.approx(0.5) and area(1.0) <= 1.0


def test_theory_says_the_area_of_ridge() -> None:
    """Its mean over 20 users is that on fresh samples, without the file and with it; the accuracy in its place is not."""
    off = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        (X, y), (X_s, y_s), (fresh, truth) = (gaussians(rng, n, p=10, apart=0.6) for n in (200, 600, 5000))
        e = gather(table(X, y), Plan(600, self_fitted=False), table(X_s, y_s))
        said = [float(one) for one in re.findall(r"(0\.\d{3}) \+-", area_by_theory(e))]
        mix, row = e.measured, []
        for area_said, omega, gamma, rows in ((said[0], 0.0, e.baseline.gamma, 200), (said[1], mix.omega, mix.gamma, 800)):
            model = SyntheticMixRidge(gamma * rows, omega).fit(e.X, y, e.file.X, y_s)
            found = model.decision_function(e.scaling(fresh))
            row += [area_said - roc_auc_score(truth, found), np.mean((found > 0) == truth) - roc_auc_score(truth, found)]
        off.append(row)
    mean, se = np.mean(off, axis=0), np.std(off, axis=0, ddof=1) / 20**0.5
    assert np.all(np.abs(mean[::2]) < 4 * se[::2]) and np.all(se[::2] < 0.015)
    assert np.all(mean[1::2] < -4 * se[::2])


def test_the_note_on_the_area_is_given() -> None:
    rng = np.random.default_rng(4)
    (X, y), (X_s, y_s) = (gaussians(rng, n) for n in (60, 200))
    notes = [advise(table(X, y), Plan(200, self_fitted=False), table(X_s, y_s), metric=metric, details=False).notes
             for metric in ("auc", "f1")]  # fmt: skip
    assert [sum(note.startswith("By theory") for note in one) for one in notes] == [1, 0]
