"""Figure 8: preference pairs on frozen features, where they are; the same on Gaussian pairs, and the other scales' dispatch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthmix.data import dataset, status
from synthmix.experiments.preferences import PreferenceSettings, curves, differences, measure_split
from synthmix.figures import figure8
from synthmix.figures.figure8 import build
from synthmix.figures.kit.run import Run
from synthmix.figures.kit.scale import ScaleOptions
from synthmix.figures.kit.validate import validate
from synthmix.solvers.problem import Verifier
from synthmix.support.errors import BadInput
from synthmix.support.records import plain

TOY = PreferenceSettings(n=60, m=(0, 60, 240), least_test=100)


def pairs(count: int = 500, p: int = 50) -> np.ndarray:
    rng = np.random.default_rng(1)
    return 0.3 * (np.arange(p) < 5) + rng.standard_normal((count, p)) * np.linspace(0.7, 1.3, p)


def real_pairs() -> np.ndarray:
    pytest.importorskip("sklearn")
    if status(dataset("hh_rlhf")).missing:
        pytest.skip("hh_rlhf is not here: python cli.py data fetch hh_rlhf")
    from synthmix.language.models.features import FeatureSettings, imported, load

    if imported("hh_rlhf", FeatureSettings(), None, "smollm2-135m") is None:
        pytest.skip("the features of hh_rlhf are not here: they are extracted in minutes")
    return differences(load("hh_rlhf").values)


def test_the_theory_is_right_of_gaussian_pairs():
    result = curves(pairs(), 40, design=TOY)
    off = result.predicted("strata") - result.measured()
    assert np.all(np.abs(off.mean) < 0.01 + 4 * off.resampling_se)
    for quantity in ("mean_margin", "variance"):
        off, size = result.predicted("strata", quantity) - result.measured(quantity), result.measured(quantity).mean
        assert np.all(np.abs(off.mean) < 0.06 * size + 4 * off.resampling_se)


def test_margin_form_is_ridge_on_oriented_pairs():
    """Without label noise and pruning the classifier is that of pairs shown in a random order, with labels of the order."""
    X, exact = pairs(), replace(TOY, epsilon=(0.0,), verifiers=(Verifier(),))
    found = measure_split(X, np.random.default_rng(4), exact)
    order = np.random.default_rng(4).permutation(len(X))
    train, test = X[order[:300]], X[order[300:]]
    scale, y = np.sqrt(np.mean(train**2, axis=0)), np.where(np.random.default_rng(0).random(300) < 0.5, -1.0, 1.0)
    Z = y[:, None] * train / scale
    w = np.linalg.solve(Z.T @ Z / 300 + np.eye(X.shape[1]), Z.T @ y / 300)
    assert found.measured.accuracy[0, 0, -1] == np.mean(test / scale @ w > 0)
    assert found.measured.mean_margin[0, 0, -1] == pytest.approx(np.mean(test / scale @ w))


def test_workers_change_nothing():
    one, two = (curves(pairs(), 4, seed=2, jobs=jobs, design=TOY) for jobs in (1, 2))
    np.testing.assert_array_equal(one.measured().values, two.measured().values)
    np.testing.assert_array_equal(one.predicted("strata").values, two.predicted("strata").values)


def test_too_few_pairs_for_the_proportion():
    with pytest.raises(BadInput, match="leave 40 of 500 pairs to test on, 100 are needed"):
        curves(pairs(), 2, design=replace(TOY, m=(0, 400)))
    with pytest.raises(BadInput, match="ascending"):
        PreferenceSettings(m=(10, 5))


def test_real_pairs_quickly():
    real_pairs()
    settings = replace(figure8.QUICK, resamples=6, design=replace(figure8.QUICK.design, m=(0, 1500)))
    built = build(settings, Run(seed=1), ScaleOptions())
    assert len(built.panels) == 7 and len(built.extra["settings"]) == 5
    assert all(abs(row["predicted less measured"]) < 0.04 for row in built.extra["settings"])
    wrong = [claim for claim in built.claims if "wrong theory" in claim.name]
    assert len(wrong) == 2 and all(claim.holds for claim in wrong)
    assert any("lambda = 0" in claim.name for claim in built.claims)
    assert any(panel.title.startswith("fine-tuned") for panel in built.panels)
    json.dumps(plain(built.extra), allow_nan=False)


def test_proportions_are_numbers_of_pairs():
    assert ScaleOptions(proportions=(0.5, 0.0, 0.8)).counts(250, (1,)) == (0, 250, 1000)
    assert ScaleOptions().counts(250, (1, 2)) == (1, 2)
    for bad in ((1.0,), (-0.1,), ()):
        with pytest.raises(BadInput, match="proportion"):
            ScaleOptions(proportions=bad).counts(250, (1,))


def test_options_that_do_not_apply(tmp_path):
    with pytest.raises(BadInput, match="figures 8 and 9, not of figure 1"):
        validate("1", Run(), quick=True, out=tmp_path, options=ScaleOptions(scale="lora"))
    with pytest.raises(BadInput, match="--max-steps is for fine-tuning"):
        validate("8", Run(), quick=True, out=tmp_path, options=ScaleOptions(max_steps=3))
    with pytest.raises(BadInput, match="--repeats is for fine-tuning"):
        validate("8", Run(), quick=True, out=tmp_path, options=ScaleOptions(repeats=2))
    with pytest.raises(BadInput, match="--quick is for --scale features"):
        validate("8", Run(), quick=True, out=tmp_path, options=ScaleOptions(scale="lora"))
    with pytest.raises(BadInput, match="must be one of features, lora, paper"):
        validate("8", Run(), quick=False, out=tmp_path, options=ScaleOptions(scale="huge"))


def test_other_scales_draw_what_the_study_measured(tmp_path, monkeypatch):
    from synthmix.language import tuned_scores
    from synthmix.language.shares import Share

    asked = {}

    def study(scale: str, out: Path, **options: object) -> tuned_scores.TunedScores:
        asked.update(options, scale=scale, out=out)
        accuracy, score = Share.of([True] * 3 + [False] * 2), Share.of([False] * 6)
        points = [tuned_scores.PointScores("small", epsilon, verifier, x, 300, int(300 * x), 10, 1, accuracy, score)
                  for epsilon, verifier, x in ((None, None, 0.0), (0.1, "strong", 0.4), (0.1, "weak", 0.4), (0.5, "strong", 0.4))]
        return tuned_scores.TunedScores(tuple(points), None, out / "folder")

    monkeypatch.setattr(tuned_scores, "safety_scores", study)
    monkeypatch.setattr(figure8, "_frozen", lambda *_: figure8.NOTHING)
    done = validate("8", Run(seed=5), quick=False, out=tmp_path, options=ScaleOptions("lora", (0.0, 0.4), 3))
    assert asked["repeats"] == 1
    assert asked["scale"] == "lora" and asked["max_steps"] == 3 and asked["proportions"] == (0.0, 0.4) and asked["out"] == tmp_path
    assert {path.name for path in done.files} == {f"figure8-lora.{suffix}" for suffix in ("png", "pdf", "json", "csv")}
    assert not done.claims
    record = json.loads((tmp_path / "figure8-lora.json").read_text())
    assert [panel["title"] for panel in record["panels"]] == [
        "measured: small, $\\varepsilon$ = 0.1", "measured: small, $\\varepsilon$ = 0.5"] * 2 + [
        "published: Falcon-11B, $\\varepsilon$ = 0.1", "published: Falcon-11B, $\\varepsilon$ = 0.5"]  # fmt: skip
    assert len(record["extra"]["measured"]) == 4
    low, high = Share.of([False] * 6)[1:]
    assert low == 0 and 0.3 < high < 0.5  # none of six
    assert {"value": 0.0, "low": low, "high": high} == record["extra"]["measured"][0]["score"]


def test_orderings_are_claimed_of_several_runs_and_can_fail():
    """Strong above weak, weak no gain where lambda = 0: with 600 pairs and a difference of 10 points seen, with one of 1 point not."""
    from synthmix.figures.kit.tuned import tuned_claims
    from synthmix.language.gains import gain
    from synthmix.language.tuned_scores import TunedScores

    def claims(strong: float, weak: float, repeats: int) -> list[bool]:
        rng = np.random.default_rng(0)
        level, runs, found = {"strong": strong, "weak": weak, "real": 0.55}, [range(600)] * repeats, []
        right = {name: [rng.random(600) < share for _ in runs] for name, share in level.items()}
        for of, over, signal in (("strong", "weak", 0.35), ("strong", "real", 0.35), ("weak", "real", 0.0)):
            found.append(gain(of, over, list(zip(right[of], right[over], strict=True)), runs, 0.5, signal))
        return [claim.holds for claim in tuned_claims(TunedScores((), None, Path(), tuple(found), repeats))]

    assert claims(0.65, 0.5, 4) == [True, True, True]
    assert claims(0.51, 0.5, 4) == [False, False, True]
    assert claims(0.65, 0.62, 4)[2] is False
    assert claims(0.65, 0.5, 1) == []


def test_the_fine_tuning_that_is_drawn_is_a_record_of_its_configuration():
    """Its claims follow from its numbers, and its numbers of pairs are those of safety-lora."""
    from synthmix.figures.kit.tuned import tuned, tuned_claims
    from synthmix.language.pipeline import config
    from synthmix.language.safety.configuration import Safety

    (scores, frozen), record = tuned("figure8_lora"), json.loads((Path(figure8.__file__).parent / "tuned/figure8_lora.json").read_text())
    assert [(one.name, one.holds) for one in tuned_claims(scores)] == [(one["name"], one["holds"]) for one in record["claims"]]
    assert record["options"]["repeats"] == scores.repeats and record["commit"] and not record["commit"].endswith("+")
    settings = config.read("safety-lora", Safety)
    size = {name: rows[1] - rows[0] for name, rows in (("real", settings.real.rows), ("synthetic", settings.synthetic.rows))}
    assert {(one.real, one.synthetic) for one in scores.points} == {(size["real"], m) for m in (0, size["synthetic"])}
    assert {one.verifier for one in scores.points} == {None, *settings.grid.verifiers}
    assert frozen["accuracy"].keys() == {f"{epsilon:g}" for epsilon in settings.grid.epsilon}
    (panel,) = figure8._tuned(scores, frozen)
    assert [type(one).__name__ for one in panel.marks] == ["Line", "Line", "Points", "Points"]
