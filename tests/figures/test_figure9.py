"""Figure 9: real weak labels and verdicts, where the data are; the same on made-up answers, and the other scales' dispatch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthmix.data import dataset, status
from synthmix.data.text import Completions
from synthmix.estimators.strata import strata
from synthmix.experiments.compliance import (
    SUPERVISION,
    AnswerFeatures,
    ComplianceSettings,
    curves,
    independent_samples,
    labelled_answers,
    measure_split,
    predictions,
)
from synthmix.figures import figure9
from synthmix.figures.figure9 import build
from synthmix.figures.kit.run import Run
from synthmix.figures.kit.scale import ScaleOptions
from synthmix.figures.kit.validate import validate
from synthmix.support.errors import BadInput
from synthmix.support.records import plain

TOY = ComplianceSettings(n=40, m=(0, 80, 160), least_test=40)


def made_up(prompts: int = 300, each: int = 3, p: int = 30, like: float = 0.5) -> AnswerFeatures:
    """Answers of one prompt have a part in common; labels are wrong, and verdicts with them, on one side of a feature."""
    rng = np.random.default_rng(0)
    prompt = np.repeat(np.arange(prompts), each)
    common = np.repeat(rng.standard_normal((prompts, p)), each, axis=0)
    z = np.sqrt(like) * common + np.sqrt(1 - like) * rng.standard_normal((prompts * each, p))
    y = np.where(rng.random(prompts * each) < 0.5, -1.0, 1.0)
    X = y[:, None] * 0.5 * (np.arange(p) < 6) + z
    side = z[:, 0] * y < -0.5
    weak = np.where(side & (rng.random(y.size) < 0.6), -y, y)
    return AnswerFeatures(X, y, weak, (weak == y) ^ (side & (rng.random(y.size) < 0.7)), prompt)


def real_answers() -> AnswerFeatures:
    if status(dataset("xstest")).missing:
        pytest.skip("xstest is not here: python cli.py data fetch xstest")
    from synthmix.data.sets import xstest
    from synthmix.language.models.features import FeatureSettings, imported, load

    if imported("xstest", FeatureSettings(), None, "smollm2-135m") is None:
        pytest.skip("the features of xstest are not here: they are extracted in minutes")
    return labelled_answers(xstest.load(), load("xstest").values)


def test_labels_and_verdicts_of_completions():
    full, refusal, partial = "1_full_compliance", "2_full_refusal", "3_partial_refusal"
    rows = Completions(("a",) * 4, ("p", "q", "p", "r"), ("",) * 4, np.array([full, partial, refusal, full]),
                       np.array([full, refusal, full, ""]), np.array([full, refusal, full, refusal]))
    found = labelled_answers(rows, np.zeros((4, 2), dtype=np.float16))
    assert list(found.y) == [1, -1, -1, 1] and list(found.weak) == [1, -1, 1, -1]
    assert list(found.agreed) == [True, True, True, False]  # GPT-4 gave the last one no label
    assert list(found.prompt) == [0, 1, 0, 2] and found.prompts == 3
    assert found.audit().epsilon.share == 0.5 and found.audit().rho.share == 0.5 and found.audit().phi.share == 1


def test_a_mean_of_like_samples_counts_for_fewer():
    data = made_up(like=1.0)
    assert independent_samples(data.X - data.y[:, None] * data.X.mean(), np.arange(len(data.y))) == pytest.approx(len(data.y))
    same = np.repeat(np.random.default_rng(0).standard_normal((50, 4)), 3, axis=0)
    assert independent_samples(same, np.repeat(np.arange(50), 3)) == pytest.approx(50)


def test_groups_have_the_moments_of_what_is_kept():
    """The theory's sources add up to E[ytilde x] and E[x x^T] of the kept samples: what the theorem says is all that matters."""
    data = made_up()
    groups = strata(data.X, data.y, data.weak, data.agreed)
    sources = groups.selected("s", 1.0)
    assert sum(source.count for source in sources) == pytest.approx(data.agreed.mean())
    mean = sum(source.count * (1 - 2 * source.wrong) * source.law.mean for source in sources) / data.agreed.mean()
    np.testing.assert_allclose(mean, (data.weak[:, None] * data.X)[data.agreed].mean(axis=0), atol=1e-12)


def test_no_prompt_is_trained_and_tested_on():
    data, e = made_up(), TOY
    found = measure_split(data, np.random.default_rng(0), e)
    touched = found.influence[:, -1] != 0
    assert found.accuracy.shape == (3, 3) and found.dependent.shape == found.independent.shape == (3, 3)
    np.testing.assert_array_equal(found.accuracy[:, 0], found.accuracy[0, 0])  # without weak labels supervision does not matter
    trained = e.n + e.m[-1]
    assert np.all(touched.sum(axis=1) <= data.prompts) and np.all(touched.sum(axis=1) >= data.prompts - trained)


def test_the_theory_of_made_up_answers():
    result = curves(made_up(), 60, 10, design=TOY)
    dependent, independent = (result.predicted(name).mean - result.measured.mean for name in ("dependent", "independent"))
    assert np.abs(dependent).max() < 0.02 + 4 * result.measured.resampling_se.max()
    verified = list(SUPERVISION).index("GPT-4")
    assert independent[verified, -1] > dependent[verified, -1] + 0.01  # verdicts that follow the labeller's errors are worth less
    np.testing.assert_allclose(independent[0, 0], dependent[0, 0])  # nothing but the weak labels differs


def test_independent_labels_are_what_they_say():
    """Where labels and verdicts fall on all answers alike, the two theories agree."""
    data, rng = made_up(prompts=2000, each=1), np.random.default_rng(3)
    weak = np.where(rng.random(data.y.size) < 0.2, -data.y, data.y)
    dependent, independent = predictions(replace(data, weak=weak, agreed=rng.random(data.y.size) < np.where(weak == data.y, 0.8, 0.4)), TOY)
    np.testing.assert_allclose(dependent, independent, atol=0.01)


def test_too_few_prompts():
    with pytest.raises(BadInput, match="leave 10 of 300 prompts to test on, 40 are needed"):
        curves(made_up(), 2, 1, design=replace(TOY, m=(0, 250)))


def test_real_answers_quickly():
    audit = real_answers().audit()
    assert audit.epsilon.share == pytest.approx(0.1156, abs=1e-4)
    assert audit.rho.share == pytest.approx(0.619, abs=1e-3) and audit.phi.share == pytest.approx(0.879, abs=1e-3)
    ends = replace(figure9.QUICK.design, m=(0, 300))
    built = build(replace(figure9.QUICK, resamples=12, predictions=2, design=ends), Run(seed=1), ScaleOptions())
    assert len(built.panels) == 6 and len(built.extra["settings"]) == 4
    assert all(abs(row["miss, labels depend on the answer"]) < 0.035 for row in built.extra["settings"])
    assert next(claim for claim in built.claims if claim.kind == "falls outside").holds
    json.dumps(plain(built.extra), allow_nan=False)


def test_other_scales_draw_what_the_study_measured(tmp_path, monkeypatch):
    from synthmix.language import tuned_scores
    from synthmix.language.shares import Share

    def study(scale: str, out: Path, **options: object) -> tuned_scores.TunedScores:
        accuracy = Share.of([True] * 4 + [False])
        points = [tuned_scores.PointScores("small", None, verifier, x, 200, int(200 * x), 10, 1, accuracy, recall=0.7, f1=0.7)
                  for verifier, x in ((None, 0.0), ("oracle", 0.4), ("gpt4", 0.4))]
        return tuned_scores.TunedScores(tuple(points), None, out / "folder")

    monkeypatch.setattr(tuned_scores, "qa_scores", study)
    validate("9", Run(), quick=False, out=tmp_path, options=ScaleOptions("paper"))
    record = json.loads((tmp_path / "figure9-paper.json").read_text())
    assert [panel["title"] for panel in record["panels"]] == [
        "measured: small", "published: Llama-3.1-8B-Instruct", "published: Gemma-2-2B-it"]  # fmt: skip
