"""Advice: what it says where the truth is known, what it reads off a file, and the command line."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from shared import mean

from synthmix import cli
from synthmix.advice.advise import advise
from synthmix.advice.calibration import calibrated
from synthmix.advice.combining import combined
from synthmix.advice.evidence import gather
from synthmix.advice.generated_file import GeneratedFile
from synthmix.advice.plan import Plan, UncertainShare, plan_of, uniform_noise
from synthmix.advice.population import Population
from synthmix.advice.result import Advice
from synthmix.advice.tables import Table
from synthmix.estimators.audits import Proportion
from synthmix.estimators.class_gaussian import ClassGaussian
from synthmix.estimators.mix_ridge import SyntheticMixRidge
from synthmix.sims.labels import label_and_prune
from synthmix.solvers.problem import NO_SUPERVISION, Generator, Verifier
from synthmix.support.errors import BadInput

P, N_REAL, SIZE = 40, 60, 1.0  # features, real samples, length of the class mean
EXACT, SELF_FITTED = Generator(), Generator("self-fitted")


@dataclass
class Samples:
    """Samples as `advise` takes them."""

    X: np.ndarray
    y: np.ndarray
    keep: np.ndarray | None = None
    score: np.ndarray | None = None
    truth: np.ndarray | None = None


@dataclass
class World:
    """Gaussian classes: two mirrored, or three."""

    means: np.ndarray
    scale: np.ndarray

    def draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        codes = np.arange(n) % len(self.means)
        return self.means[codes] + rng.standard_normal((n, P)) * self.scale, codes


@cache
def world(classes: int = 2) -> World:
    rng = np.random.default_rng(8)
    means = np.array([mean(rng, P, SIZE) for _ in range(classes)])
    if classes == 2:
        means[1] = -means[0]
    return World(means, np.sqrt(np.linspace(0.4, 1.6, P)))


def real(n: int = N_REAL, classes: int = 2, seed: int = 0) -> Samples:
    return Samples(*world(classes).draw(np.random.default_rng(seed), n))


def generated(m: int, epsilon: float, verifier: Verifier, classes: int = 2, seed: int = 1, fitted_on: Samples | None = None) -> Samples:
    rng = np.random.default_rng(seed)
    if fitted_on is None:
        X, codes = world(classes).draw(rng, m)
    else:
        X, codes = ClassGaussian.fit(fitted_on.X, fitted_on.y).sample(rng, m // classes)
    labels, keep = label_and_prune(rng, codes, uniform_noise(classes, epsilon), verifier)
    truth = np.where(np.arange(len(codes)) % 4 == 0, codes.astype(str), "")
    return Samples(X, labels, keep, None, truth)


@cache
def planned(epsilon: float | None, rho: float | None, phi: float | None, kind: str = "exact", details: bool = False) -> Advice:
    generator = {"exact": EXACT, "self-fitted": SELF_FITTED, "poor": Generator("independent", n_hat=4),
                 "fair": Generator("independent", n_hat=60)}[kind]
    return advise(real(), Plan(1000, epsilon, rho, phi, generator), details=details)


def realised(advice: Advice, synthetic: Samples, draws: int = 12) -> tuple[float, float]:
    """Accuracy without and with synthetic data as advised, on fresh samples, over draws of the real ones."""
    rng, found = np.random.default_rng(3), []
    X, y = world(int(synthetic.y.max()) + 1).draw(rng, 20_000)
    for seed in range(draws):
        own = real(classes=advice.classes, seed=100 + seed)
        alone = SyntheticMixRidge(advice.baseline.gamma * N_REAL, 0.0).fit(own.X, own.y)
        mix = SyntheticMixRidge(advice.best.gamma * (N_REAL + len(synthetic.y)), advice.best.omega)
        mix.fit(own.X, own.y, synthetic.X, synthetic.y, synthetic.keep)
        found.append((alone.score(X, y), mix.score(X, y)))
    return tuple(np.mean(found, axis=0))


def test_an_exact_generator_helps_as_much_as_predicted() -> None:
    advice = planned(0.3, 0.2, 0.9)
    without, mixed = realised(advice, generated(1000, 0.3, Verifier(0.2, 0.9)))
    assert advice.verdict == "helps" and advice.best.m > 900
    assert mixed - without > 0.02
    assert abs(advice.gain.value - (mixed - without)) < 3 * advice.gain.se + 0.02
    assert abs(advice.baseline.accuracy - without) < 3 * advice.baseline.se
    assert advice.gain.value >= advice.plain.value - 1e-3  # omega is best in theory, the ridge by theory and leave-one-out together


def test_useless_labels_do_not_help() -> None:
    advice = planned(0.5, 1.0, 1.0)
    assert advice.verdict in ("hurts", "too close to call")
    assert advice.best.m == 0 and advice.best.gamma == advice.baseline.gamma
    assert advice.plain.value < 0 and np.isnan(advice.worth) and np.isnan(advice.worth_next)


@pytest.mark.parametrize("verifier", [(0.0, 1.0), (0.3, 0.8), (1.0, 1.0)])
def test_no_verifier_makes_a_self_fitted_generator_help(verifier: tuple[float, float]) -> None:
    advice = planned(0.2, *verifier, "self-fitted")
    assert advice.verdict in ("hurts", "too close to call")
    assert advice.gain.value < 0.002 and advice.best.m == 0


def test_a_better_generator_and_verifier_gain_more() -> None:
    gains = [planned(*shares, kind).gain.value for *shares, kind in (
        (0.3, 1.0, 1.0, "poor"), (0.3, 1.0, 1.0, "exact"), (0.3, 0.2, 0.9, "exact"), (0.3, 0.0, 1.0, "exact"), (0.0, 0.0, 1.0, "exact"))]
    assert gains == sorted(gains) and gains[0] >= -1e-6


def test_without_verifier_numbers_it_says_what_is_needed() -> None:
    advice = planned(0.45, None, None, details=True)
    assert advice.verdict == "depends on the verifier"
    assert advice.gain.low < 0 < advice.gain.high
    needed = advice.needed
    assert 0 < needed < 1
    assert f"At 45% wrong labels it may keep at most {100 * needed:.0f}% of them" in advice.reason
    assert planned(0.45, needed * 0.5, 0.9).gain.value > planned(0.45, min(1.0, needed * 1.5), 0.9).gain.value


def test_an_interval_of_the_verifier_widens_the_band() -> None:
    plan = Plan(1000, (0.3, 0.2, 0.4), (0.5, 0.2, 0.9), 0.9, EXACT)
    wide, narrow = advise(real(), plan), planned(0.3, 0.5, 0.9, details=True)
    assert wide.gain.value == pytest.approx(narrow.gain.value)
    assert wide.gain.low < narrow.gain.low and wide.gain.high > narrow.gain.high
    assert all(a.low <= b.low + 1e-12 for a, b in zip(wide.curve, narrow.curve, strict=True))


def test_the_break_even_line_is_where_the_gain_vanishes() -> None:
    advice = planned(0.35, 0.3, 0.9, "fair", details=True)
    even = advice.break_even
    assert even.phi == 0.9 and 0.3 < even.rho_at <= 1
    assert (even.m, even.omega) == (advice.best.m, advice.best.omega)
    for line, row in zip(even.line, even.gain, strict=True):
        assert np.all(row[even.rho < line - 0.1] > 0) and np.all(row[even.rho > line + 0.1] < 0)


def test_where_nothing_is_advised_the_break_even_line_is_that_of_weight_1() -> None:
    advice = planned(0.5, 0.95, 0.9, "fair", details=True)
    even = advice.break_even
    assert advice.best.m == 0 and (even.m, even.omega) == (1000, 1.0)
    there = advise(real(), Plan(1000, 0.5, even.rho_at, 0.9, Generator("independent", n_hat=60)), details=False)
    assert even.rho_at < 0.95 and there.plain.value == pytest.approx(0, abs=1e-3)


def test_what_a_real_sample_is_worth_closes_the_gain() -> None:
    advice = planned(0.3, 0.2, 0.9, details=True)
    more = advice.best.m / advice.worth
    equal = advise(real(), Plan(1000, 0.3, 0.2, 0.9, EXACT))
    assert equal.worth == advice.worth and 1 < advice.worth < 100
    assert 0 < more < 50 * N_REAL


def test_the_same_seed_gives_the_same_advice() -> None:
    plan = Plan(500, 0.3, 0.2, 0.9, EXACT)
    first, second = (advise(real(), plan, seed=4).as_dict() for _ in range(2))
    first.pop("break_even"), second.pop("break_even")  # arrays
    assert first == second and len(first["curve"]) == 10


@pytest.mark.parametrize("apart", [0.5, 30.0], ids=["little to learn", "nothing to choose"])
def test_rounding_does_not_advise(apart: float) -> None:
    """With far fewer samples than features: on a plateau a ridge, and of directions without samples a basis, is anybody's."""
    rng, y, y_s = np.random.default_rng(1), np.arange(40) % 2, np.arange(200) % 2
    X, X_s = (rng.standard_normal((len(labels), 300)) + apart * np.eye(300)[0] * (2 * labels[:, None] - 1) for labels in (y, y_s))
    plan = Plan(200, 0.1, 0.1, 0.9, Generator("independent", n_hat=100))
    for synthetic in (None, Samples(X_s, y_s)):
        found = []
        for size in (0.0, 1e-13):
            near = Samples(X * (1 + size * rng.standard_normal(X.shape)), y)
            one = advise(near, plan, synthetic, details=False)
            found.append((one.best.m, one.best.omega, one.best.gamma, one.baseline.gamma, one.gain.value, one.gain.se))
        np.testing.assert_allclose(found[1], found[0], rtol=1e-6, atol=1e-8)


def test_three_classes() -> None:
    own = real(90, classes=3)
    advice = advise(own, Plan(900, 0.3, 0.1, 0.9, EXACT), details=False)
    assert advice.classes == 3 and advice.verdict == "helps" and advice.gain.value > 0.01


# ---------------------------------------------------------------- files


def test_a_file_is_measured_and_its_verifier_audited() -> None:
    synthetic = generated(1200, 0.3, Verifier(0.2, 0.9))
    unsaid, advice = (advise(real(), Plan(1200, self_fitted=said), synthetic, details=False) for said in (None, False))
    assert unsaid.verdict == "depends on the generator" and unsaid.gain == advice.gain
    assert advice.verdict == "helps" and advice.measured.agree
    assert advice.audit.epsilon.low < 0.3 < advice.audit.epsilon.high
    assert advice.audit.rho.low < 0.2 < advice.audit.rho.high and advice.audit.phi.low < 0.9 < advice.audit.phi.high
    without, mixed = realised(advice, synthetic)
    assert abs(advice.gain.value - (mixed - without)) < 3 * advice.gain.se + 0.02
    assert advice.best.m == 1200


def test_the_curve_goes_towards_the_measurement() -> None:
    synthetic = generated(1200, 0.3, Verifier(0.2, 0.9))
    advice = advise(real(), Plan(3000), synthetic, details=False)
    one = advice.measured
    lowest, highest = sorted((one.gain, one.predicted_gain))
    pull = combined(one).pull
    assert 0 < pull < 1 and pull * lowest - 1e-9 <= advice.gain.value <= pull * highest + 1e-9


def test_a_part_of_many_samples_measures_in_their_proportion() -> None:
    whole, synthetic = real(1600), generated(1600, 0.3, Verifier(0.2, 0.9))
    part = Table(whole.X[:400], whole.y[:400], tuple(map(str, range(P))), total=1600)
    one, other = advise(part, Plan(1600), synthetic, details=False), advise(whole, Plan(1600), synthetic, details=False)
    assert one.n == other.n == 1600 and one.verdict == other.verdict
    assert any("random 400" in note for note in one.notes) and not any("random" in note for note in other.notes)
    assert one.measured.omega == pytest.approx(other.measured.omega, rel=3.5)
    assert abs(one.gain.value - other.gain.value) < 2 * np.hypot(one.gain.se, other.gain.se)
    assert abs(one.baseline.accuracy - other.baseline.accuracy) < 3 * one.baseline.se


def test_a_generator_that_saw_the_samples_is_found_out() -> None:
    own = real(200)
    synthetic = generated(2000, 0.2, Verifier(0.2, 0.9), fitted_on=own)
    advice = advise(own, Plan(2000), synthetic, details=False)
    assert any("fitted on" in note for note in advice.notes) and advice.provenance.fitted_on == "own rows"
    assert advice.verdict in ("hurts", "too close to call")
    others = generated(2000, 0.2, Verifier(0.2, 0.9), fitted_on=real(200, seed=9))
    assert not any("fitted on" in note for note in advise(own, Plan(2000), others, details=False).notes)


@pytest.mark.parametrize("n_hat", [30, 100, None])
def test_the_worth_of_a_generator_is_read_off_its_samples(n_hat: int | None) -> None:
    own = real(300)
    fitted_on = None if n_hat is None else real(2 * n_hat, seed=7)
    found = _read(generated(6000, 0.0, NO_SUPERVISION, fitted_on=fitted_on), own)
    if n_hat is None:
        assert found.n_hat > 1000
    else:
        # two generators of n_hat samples each, whose average noise is that of 2 n_hat
        assert n_hat < found.n_hat < 4 * n_hat
    assert found.provenance.fitted_on == "unknown"


def test_scores_without_verdicts_are_cut_where_leave_one_out_is_best() -> None:
    synthetic = generated(1200, 0.4, NO_SUPERVISION)
    right = synthetic.y == world().draw(np.random.default_rng(1), 1200)[1]
    score = right + 0.3 * np.random.default_rng(5).standard_normal(1200)
    cut = advise(real(), Plan(1200), Samples(synthetic.X, synthetic.y, None, score), details=False)
    assert right[cut.keep].mean() > 0.7


def test_the_threshold_is_chosen_with_groups_left_out_together() -> None:
    synthetic, own = generated(600, 0.4, NO_SUPERVISION), real(60)
    score = np.random.default_rng(5).standard_normal(600)
    made = Samples(synthetic.X, synthetic.y, None, score + 0.3 * (synthetic.y == world().draw(np.random.default_rng(1), 600)[1]))
    X, y = (np.repeat(one, 3, axis=0) for one in (own.X, own.y))
    thrice = Table(X, y, tuple(map(str, range(P))), total=180, groups=np.repeat(np.arange(60), 3))
    once, copies, grouped = (gather(one, Plan(600, self_fitted=False), made).file for one in (own, replace(thrice, groups=None), thrice))
    assert grouped.threshold == once.threshold != copies.threshold


def _read(synthetic: Samples, own: Samples) -> GeneratedFile:
    return GeneratedFile.of(synthetic, own.X, own.y, np.unique(own.y))


# ---------------------------------------------------------------- parts


def test_calibration_leaves_the_baseline_where_it_was_measured() -> None:
    value, doubt = calibrated(0.9, 0.9, 0.8)
    assert value == pytest.approx(0.8) and doubt == pytest.approx(0)
    rising = [calibrated(x, 0.9, 0.8)[0] for x in np.linspace(0.5, 0.999, 30)]
    assert np.all(np.diff(rising) > 0)
    assert calibrated(np.array([0.95]), 0.9, 0.9)[0] == pytest.approx(0.95)
    assert 0 <= calibrated(1.0, 0.6, 0.95, 10)[0] <= 1
    assert calibrated(0.6, 0.5, 0.5)[0] == pytest.approx(0.6)  # a theory that is no better than chance only adds


def test_a_population_brings_lengths_together_only_where_they_vary() -> None:
    X, y = world().draw(np.random.default_rng(0), 400)
    lengths = np.exp(np.random.default_rng(1).standard_normal((400, 1)))
    assert not Population.of(X, y, 2).elliptical
    assert Population.of(lengths * X, y, 2).elliptical
    assert Population.of(X[:20], y[:20], 2).laws[0].mean.shape == (P,)


def test_uncertain_shares() -> None:
    assert UncertainShare.of("rho", 0.3) == UncertainShare(0.3, 0.3, 0.3)
    counted = Proportion.of(np.array([True, False, False]), 0.95)
    assert UncertainShare.of("rho", counted).low == counted.low
    assert UncertainShare.of("rho", Proportion.of(np.array([]), 0.95)) is None
    with pytest.raises(BadInput, match="does not hold its value"):
        Plan(10, epsilon=(0.5, 0.6, 0.7))
    with pytest.raises(BadInput, match="phi must be at least 0 and at most 1"):
        Plan(10, phi=1.5)


BAD_PLANS = {
    "no generator": ({"budget": 10}, "--n-hat K, --self-fitted or --exact"),
    "two generators": ({"budget": 10, "exact": True, "self_fitted": True}, "different generators"),
    "no budget": ({"exact": True}, "--budget M"),
    "no number": ({"budget": 10, "exact": True, "rho": "few"}, "rho must be a number"),
    "an interval upside down": ({"budget": 10, "exact": True, "rho": "0.5:0.2"}, "does not hold"),
    "no budget at all": ({"budget": 0, "exact": True}, "budget must be at least 1"),
}


@pytest.mark.parametrize("name", BAD_PLANS)
def test_bad_plans_are_one_line(name: str) -> None:
    options, words = BAD_PLANS[name]
    with pytest.raises(BadInput, match=words):
        plan_of(None, **options)


BAD_SAMPLES = {
    "few": (Samples(np.ones((5, 2)), np.arange(5) % 2), "at least 10"),
    "one class": (Samples(np.eye(12), np.zeros(12)), "only one label"),
    "nan": (Samples(np.where(np.eye(12) > 0, np.nan, 1.0), np.arange(12) % 2), "missing or infinite"),
    "rare": (Samples(np.eye(12), np.arange(12) == 3), "only 1 real sample"),
    "constant": (Samples(np.ones((12, 3)), np.arange(12) % 2), "do not vary"),
    "shapes": (Samples(np.eye(12), np.arange(11) % 2), "shapes"),
}


@pytest.mark.parametrize("name", BAD_SAMPLES)
def test_bad_samples_are_one_line(name: str) -> None:
    samples, words = BAD_SAMPLES[name]
    with pytest.raises(BadInput, match=words):
        advise(samples, Plan(100, 0.1, 0.1, 0.9))


def test_files_that_do_not_match() -> None:
    own = real()
    with pytest.raises(BadInput, match="have 3 features, the real ones 40"):
        advise(own, Plan(10), Samples(np.ones((9, 3)), np.arange(9) % 2))
    with pytest.raises(BadInput, match="label that no real sample has"):
        advise(own, Plan(10), Samples(np.ones((9, P)), np.arange(9)))
    with pytest.raises(BadInput, match="at least 2 are needed"):
        advise(own, Plan(10), Samples(np.random.default_rng(0).standard_normal((9, P)), np.zeros(9, dtype=int)))


# ---------------------------------------------------------------- the command line


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["cli.py", "advise", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out, printed.err


def test_advise_writes_a_picture_and_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    own, synthetic = real(), generated(300, 0.2, Verifier(0.2, 0.9))
    np.savez(tmp_path / "real.npz", X=own.X, y=own.y)
    np.savez(tmp_path / "synthetic.npz", X=synthetic.X, y=synthetic.y, keep=synthetic.keep, truth=synthetic.truth)
    files = ("--real", str(tmp_path / "real.npz"), "--synthetic", str(tmp_path / "synthetic.npz"), "--out", str(tmp_path / "out"))
    code, out, err = run(monkeypatch, capsys, *files, "--not-self-fitted", "--json")
    assert code == 0, err
    record = json.loads(out)
    assert record["verdict"] == "helps" and record["budget"] == 300 and record["measured"]["m"] == 300
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["advice.json", "advice.pdf", "advice.png"]
    written = json.loads((tmp_path / "out" / "advice.json").read_text())
    assert written["gain"] == record["gain"] and len(written["curve"]) == len(record["curve"])


def test_advise_prints_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    own = real()
    np.savez(tmp_path / "real.npz", X=own.X, y=own.y)
    code, out, _ = run(monkeypatch, capsys, "--real", str(tmp_path / "real.npz"), "--self-fitted", "--epsilon", "0.1", "--rho", "0.1:0.3",
                       "--phi", "0.9", "--budget", "200", "--out", str(tmp_path))
    assert code == 0
    assert "no synthetic data" in out and "gain of the best mix" in out
    assert "TOO CLOSE TO CALL." in out or "HURTS." in out


def test_bad_use_of_advise_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    own = real()
    np.savez(tmp_path / "real.npz", X=own.X, y=own.y)
    base = ("--real", str(tmp_path / "real.npz"), "--out", str(tmp_path))
    for arguments, words in ((base, "--n-hat K"), ((*base, "--exact"), "--budget M"),
                             (("--real", str(tmp_path / "none.npz"), "--exact", "--budget", "9"), "none.npz"),
                             ((), "your labelled samples (--real FILE), what the generator is (--n-hat K, --self-fitted or --exact, or"),
                             ((), "and how many samples could be generated (--budget M)"),
                             ((*base, "--synthetic", "a.npz", "--synthetic", "b.npz"), "there is no file a.npz"),
                             ((*base, "--exact", "--budget", "9", "--label", "kind"), "kind"),
                             ((*base, "--n-hat", "0", "--budget", "9"), "n-hat must be at least 1"),
                             ((*base, "--exact", "--budget", "9", "--phi", "x"), "phi must be a number")):
        code, out, err = run(monkeypatch, capsys, *arguments)
        assert code == 2 and out == "" and err.startswith("error: ") and err.count("\n") == 1 and words in err


def test_a_debiasing_that_was_lowered_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the theory cannot be solved with unbiased means, the user is told what was done instead."""
    from synthmix.advice import evidence
    from synthmix.support.errors import NotConverged

    X, codes = world().draw(np.random.default_rng(1), N_REAL)
    plan = Plan(200, 0.2, 0.1, 0.9, EXACT)
    assert not any("noise in the class means" in note for note in advise(Samples(X, codes), plan, details=False).notes)
    tried, honest = [], evidence.best_mix

    def fails_at_first(*args: object, **options: object) -> object:
        tried.append(args)
        if len(tried) == 1:
            raise NotConverged("not solved")
        return honest(*args, **options)

    monkeypatch.setattr(evidence, "best_mix", fails_at_first)
    assert any("Only 75% of the noise" in note for note in advise(Samples(X, codes), plan, details=False).notes)
