"""Whatever is passed to a public name, the refusal is BadInput in one line, and never an error from the inside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest

import synthmix as sm

SETTING = sm.Setting(10, 20, 5, 1.0, 0.2, sm.Verifier(0.2, 0.9), sm.Generator("independent", 50, True))
LAW, RIDGE = sm.Law(np.ones(3)), sm.Ridge(1.0)
SOURCE, PAIR, EVEN = (sm.Source("a", 5, LAW),), (LAW, LAW), np.eye(2)
TABLE = sm.Table(np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2, ("a", "b", "c"))
ODD = (
    None, np.eye(2), 1j, object, b"x", [1], {}, "x", float("nan"), -1, True, 10**400, np.asmatrix(np.eye(2)), [[1], [1, 2]], np.float64,
    lambda x: x,
)  # fmt: skip
CALLS: tuple[Callable[[object], object], ...] = (
    lambda odd: sm.generations(SETTING, 2, odd),
    lambda odd: sm.generations(SETTING, odd, "replace"),
    lambda odd: sm.generations(odd, 2, "replace"),
    sm.predict,
    lambda odd: sm.predict(SETTING, formula=odd),
    lambda odd: sm.predict(SETTING, loss=odd),
    lambda odd: sm.predict(SETTING, loss="huber", huber_threshold=odd),
    lambda odd: sm.predict_grid(odd, gamma=[1.0]),
    lambda odd: sm.predict_grid(SETTING, gamma=[1.0, 2.0], threads=odd),
    sm.predict_tree,
    lambda odd: sm.predict_line(odd, "replace"),
    lambda odd: sm.predict_line(SETTING, odd),
    lambda odd: sm.predict_line(SETTING, "fresh:0.2", odd),
    lambda odd: sm.predict_line(SETTING, "fresh:0.2", 3, label=odd),
    lambda odd: sm.smallest_fresh_share(odd, 0.6),
    lambda odd: sm.smallest_fresh_share(SETTING, odd),
    lambda odd: sm.weakest_verifier(odd, 0.6, 0.2),
    lambda odd: sm.weakest_verifier(SETTING, odd, 0.2),
    lambda odd: sm.weakest_verifier(SETTING, 0.6, odd),
    sm.predict_classes,
    sm.predict_selection,
    sm.critical_noise,
    lambda odd: sm.best_mix(odd, 10),
    lambda odd: sm.LossFamily(odd, "huber"),
    lambda odd: sm.LossFamily(SETTING, odd),
    sm.simulate,
    sm.simulate_many,
    lambda odd: sm.simulate(SETTING, trials=odd),
    lambda odd: sm.simulate(SETTING, trials=2, seed=odd),
    lambda odd: sm.simulate(SETTING, trials=2, jobs=odd),
    lambda odd: sm.simulate(SETTING, trials=2, loss=odd),
    lambda odd: sm.simulate(SETTING, trials=2, sampler=odd),
    lambda odd: sm.simulate(SETTING, trials=2, entries=odd),
    lambda odd: sm.simulate(SETTING, trials=2, target_se=odd),
    sm.read,
    sm.read_tree,
    sm.study,
    lambda odd: sm.cluster(odd).__enter__(),
    lambda odd: sm.advise(odd, sm.Plan(10)),
    lambda odd: sm.advise(TABLE, odd),
    sm.Plan,
    lambda odd: sm.Plan(10, odd),
    lambda odd: sm.Plan(10, 0.1, 0.1, 0.9, odd),
    lambda odd: sm.Setting(10, 20, 5, 1.0, 0.2, odd),
    lambda odd: sm.Setting(10, 20, 5, 1.0, 0.2, generator=odd),
    lambda odd: sm.Setting(10, 20, 5, 1.0, 0.2, ridge=odd),
    lambda odd: sm.Setting(10, 20, 5, np.ones(5), mean_squares=odd),
    sm.Generator,
    lambda odd: sm.Generator("independent", odd),
    lambda odd: sm.Generator(mu_perp=odd),
    sm.Verifier,
    sm.Ridge,
    sm.Fit,
    sm.Law,
    lambda odd: sm.Law(np.ones(2), odd),
    lambda odd: sm.Source(odd, 5, LAW),
    lambda odd: sm.Source("a", 5, odd),
    lambda odd: sm.Source("a", 5, LAW, fit=odd),
    lambda odd: sm.Problem(odd, RIDGE, 10.0, 3, LAW),
    lambda odd: sm.Problem(SOURCE, odd, 10.0, 3, LAW),
    lambda odd: sm.Problem(SOURCE, RIDGE, 10.0, 3, odd),
    lambda odd: sm.ClassMixture(odd, (1, 1), (1, 1), EVEN),
    lambda odd: sm.ClassMixture(PAIR, odd, (1, 1), EVEN),
    lambda odd: sm.ClassMixture(PAIR, (1, 1), (1, 1), odd),
    lambda odd: sm.ClassMixture(PAIR, (1, 1), (1, 1), EVEN, generated=odd),
    lambda odd: sm.Tree(odd, 5, 1.0),
    lambda odd: sm.Tree((sm.SampleSet("a", 5), sm.SampleSet("b", 5, ("a",), 1.0)), 5, 1.0, odd),
    lambda odd: sm.SampleSet(odd, 5),
    lambda odd: sm.SampleSet("a", odd),
    lambda odd: sm.SampleSet("a", 5, odd),
    lambda odd: sm.SampleSet("a", 5, (), 0, 0, odd),
    sm.LinearVerifier,
    sm.MarginLabeller,
    lambda odd: sm.ScoreVerifier(odd, ((0, 1),)),
    lambda odd: sm.ScoreVerifier(np.ones(5), odd),
    sm.Selection,
    lambda odd: sm.Selection(SETTING, odd),
    lambda odd: sm.Selection(SETTING, None, odd),
    lambda odd: sm.score_direction(odd, 30),
    lambda odd: sm.score_direction(SETTING, 30, odd),
    lambda odd: sm.keep_share(odd, 0.5, SETTING, np.ones(5)),
    lambda odd: sm.keep_share("hard", 0.5, odd, np.ones(5)),
    lambda odd: sm.keep_share("hard", 0.5, SETTING, odd),
)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_odd_arguments_are_refused_in_one_line(call: Callable[[object], object], tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for odd in ODD:
        with suppress(sm.NotConverged):
            try:
                call(odd)
            except sm.BadInput as refusal:
                assert len(str(refusal)) < 400 and len(str(refusal).splitlines()) == 1


@pytest.mark.parametrize("call", [
    lambda: sm.predict("no setting"), lambda: sm.Setting(10, 20, 5, 1.0, 0.2, "oracle"), lambda: sm.Tree([1], 5, 1.0),
    lambda: sm.Plan(10, [0.1, 0.2]), lambda: sm.keep_share("hard", 0.5, SETTING, np.zeros(5)), lambda: sm.generations(SETTING, 2, None),
    lambda: sm.Setting(10, 20, 5, 1.0, mean_squares=1.0), lambda: sm.Setting(10, 20, 5, np.ones(5), mean_squares=1.0),
])  # fmt: skip
def test_what_is_wrong_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(sm.BadInput):
        call()
