"""The engine: known results, and numbers that depend on settings, seed and sampler alone."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import synthmix.sims.monte_carlo as engine
from synthmix.sims.checkpoint import fingerprint
from synthmix.sims.monte_carlo import Estimate, simulate, simulate_many
from synthmix.sims.samplers.sufficient import Sufficient
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier, synthetic_only
from synthmix.support.errors import BadInput

MIXED = Setting(200, 800, 300, 0.7, 0.4, Verifier(0.3, 0.5), Generator("independent", 400), Ridge(0.1))
SMALL = Setting(30, 50, 12, 0.8, 0.2, Verifier(0.3, 0.8), Generator("independent", 20), Ridge(0.1))
BANDED = synthetic_only(60, 20, 1.0, 0.3, Verifier(0.1, 0.8), 0.1)


def agree(estimate: Estimate, mean: float, se: float) -> bool:
    """Whether an independent Monte-Carlo result with its standard error is the same number."""
    return abs(estimate.mean - mean) <= 4 * math.hypot(estimate.se, se)


@pytest.mark.parametrize(
    ("setting", "margin", "second_moment"),
    [
        (synthetic_only(1000, 500, 1.0, 0.3, Verifier(0.1, 0.8), 0.1), (0.3637, 0.0036), (0.7108, 0.0040)),
        (synthetic_only(1000, 1000, 1.0, 0.5, Verifier(0.0, 1.0), 0.01), (0.3288, 0.0027), (0.7445, 0.0083)),
        (synthetic_only(1000, 1000, 1.5, 0.2, Verifier(0.2, 0.4), 0.1), (0.3194, 0.0031), (0.3914, 0.0035)),
    ],
)
def test_synthetic_only(setting: Setting, margin: tuple[float, float], second_moment: tuple[float, float]) -> None:
    drawn = simulate(setting, trials=400)
    assert agree(drawn.mean_margin, *margin)
    m, v = drawn.mean_margin, drawn.variance
    assert agree(Estimate(v.mean + m.mean**2, v.se + 2 * m.mean * m.se), *second_moment)


@pytest.mark.parametrize(("omega", "variance"), [(1.0, (0.4855, 0.0039)), (0.3, (0.3463, 0.0017))])
def test_real_and_synthetic(omega: float, variance: tuple[float, float]) -> None:
    assert agree(simulate(MIXED.with_(omega=omega), trials=200).variance, *variance)


def test_self_fitted() -> None:
    setting = Setting(400, 6000, 200, 1.0, 0.3, Verifier(0.2, 0.6), Generator("self-fitted"), Ridge(0.01))
    assert agree(simulate(setting, trials=200).accuracy, 0.7128, 0.0018)


def test_label_noise_beyond_the_critical_one() -> None:
    weak = Verifier(0.3, 0.8)
    assert agree(simulate(synthetic_only(100, 100, 1.0, 0.7, weak, 1.0), trials=2000).variance, 0.0971, 2e-4)
    assert simulate(synthetic_only(1000, 100, 1.0, 0.95, weak, 1.0)).accuracy.mean < 0.5


def test_the_standard_error_is_that_of_the_mean() -> None:
    runs = [simulate(BANDED, trials=50, seed=seed).accuracy for seed in range(200)]
    spread = np.std([run.mean for run in runs], ddof=1)
    assert spread == pytest.approx(np.mean([run.se for run in runs]), rel=0.2)
    assert Estimate.of(np.array([1.0, 2.0, 4.0])) == pytest.approx((7 / 3, np.std([1, 2, 4], ddof=1) / math.sqrt(3)))


def test_the_numbers_do_not_depend_on_jobs_or_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [SMALL, BANDED, MIXED]
    one = simulate_many(settings, trials=40, seed=7)
    assert simulate_many(settings, trials=40, seed=7, jobs=2) == one
    monkeypatch.setattr(engine, "BLOCK", 7)
    monkeypatch.setattr(engine, "BANDED_BLOCK", 3)
    assert simulate_many(settings, trials=40, seed=7) == one
    assert simulate_many(settings, trials=40, seed=8) != one


def test_settings_have_their_own_numbers() -> None:
    a, b = simulate_many([SMALL, SMALL], trials=20)
    assert a.accuracy != b.accuracy and a == simulate(SMALL, trials=20)


def test_samplers_agree() -> None:
    fast, slow = simulate(SMALL, trials=1000), simulate(SMALL, trials=1000, seed=1, sampler="direct")
    assert (fast.sampler, slow.sampler) == ("sufficient", "direct")
    for quantity in ("mean_margin", "variance", "accuracy", "risk"):
        assert agree(getattr(fast, quantity), *getattr(slow, quantity))


def test_a_target_is_reached_with_no_more_trials_than_needed() -> None:
    loose, fine = (simulate(BANDED, trials=100_000, target_se=target) for target in (0.01, 0.001))
    assert loose.trials == engine.FIRST_LOOK
    assert 0.0009 < fine.accuracy.se <= 0.001
    assert simulate(BANDED, trials=fine.trials) == fine
    assert simulate(BANDED, trials=100, target_se=1e-9).trials == 100


class Interrupted(Exception):
    """Stands for a crash."""


@pytest.mark.parametrize("blow", [KeyboardInterrupt, Interrupted])
@pytest.mark.parametrize("options", [{"trials": 100}, {"trials": 5000, "target_se": 0.004}])
def test_an_interrupted_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blow: type[BaseException], options: dict[str, object]
) -> None:
    whole = simulate_many([SMALL, SMALL.with_(mu=2)], **options)
    path, draws, calls = tmp_path / "run.npz", Sufficient.draws, []

    def failing(sampler: Sufficient, streams: object) -> np.ndarray:
        calls.append(1)
        if len(calls) == 6:
            raise blow
        return draws(sampler, streams)

    monkeypatch.setattr(Sufficient, "draws", failing)
    with pytest.raises(blow):
        simulate_many([SMALL, SMALL.with_(mu=2)], checkpoint=path, **options)
    simulate_many([SMALL, SMALL.with_(mu=2)], **options)
    in_full = len(calls) - 6
    calls.clear()
    calls.extend([0] * 10)  # past the sixth
    assert simulate_many([SMALL, SMALL.with_(mu=2)], checkpoint=path, **options) == whole
    assert len(calls) - 10 == in_full - 5
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


def test_a_finished_checkpoint_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.npz"
    few, many = simulate(SMALL, trials=20), simulate(SMALL, trials=50)
    assert simulate(SMALL, trials=20, checkpoint=path) == few
    assert simulate(SMALL, trials=50, checkpoint=path) == many
    monkeypatch.setattr(Sufficient, "draws", None)  # nothing is left to draw
    assert simulate(SMALL, trials=50, checkpoint=path) == many
    assert simulate(SMALL, trials=20, checkpoint=path) == few


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    simulate(SMALL, trials=5, checkpoint=path)
    for changed in ({"seed": 1}, {"sampler": "direct"}):
        with pytest.raises(BadInput, match="belongs to other"):
            simulate(SMALL, trials=5, checkpoint=path, **changed)
    with pytest.raises(BadInput, match="belongs to other"):
        simulate(SMALL.with_(gamma=0.2), trials=5, checkpoint=path)
    with pytest.raises(BadInput, match="folder"):
        simulate(SMALL, trials=5, checkpoint=tmp_path / "missing" / "run.npz")
    path.write_text("not a checkpoint")
    with pytest.raises(BadInput, match="not a checkpoint"):
        simulate(SMALL, trials=5, checkpoint=path)


def test_fingerprints_see_every_part() -> None:
    mu = np.linspace(0, 1, 12)
    prints = {fingerprint(SMALL), fingerprint(SMALL.with_(mu=mu)), fingerprint(SMALL.with_(mu=mu[::-1]))}
    assert len(prints) == 3
    assert fingerprint([1, [2]]) != fingerprint([1, 2]) and fingerprint(SMALL) == fingerprint(SMALL.with_())


@pytest.mark.parametrize("bad", [{"trials": 1}, {"jobs": 0}, {"seed": -1}, {"target_se": 0.0}, {"trials": 2.5}])
def test_bad_options(bad: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=next(iter(bad)).replace("_", "-")):
        simulate(SMALL, **bad)


def test_no_settings() -> None:
    assert simulate_many([]) == []
