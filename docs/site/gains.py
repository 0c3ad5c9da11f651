"""Measure the gains of files against what `advise` expected of them, family by family of data, for docs/advise.md.

    python docs/site/gains.py [USERS]    writes docs/records/gains.json from so many users of every kind, in about ten minutes
    python docs/site/gains.py 0          sums up anew the users whom the record has

Users are drawn as in figure advise, with a seed of their own. For every family of data the spread of gains (`advice.combining`) is set on
the other families: the one that makes the mean square error smallest. The record has what was expected with and without it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from synthmix.advice.combining import SPREAD, combined
from synthmix.advice.evidence import gather
from synthmix.advice.result import MeasuredGain
from synthmix.experiments.back_test import Scenario, simulated_user
from synthmix.experiments.real_data import RealData
from synthmix.figures.figure_advise import STRONG
from synthmix.figures.kit.record import commit
from synthmix.solvers.problem import NO_SUPERVISION, ORACLE, Generator, Verifier
from synthmix.support.threads import one_thread

RECORD = Path(__file__).resolve().parents[1] / "records" / "gains.json"
SEED, BUDGET, LARGE = 11, 1000, 0.08
SPREADS = np.round(np.arange(0.02, 0.151, 0.005), 3)
KINDS: tuple[tuple[float, float, Verifier, float], ...] = (  # n_hat in real samples of a class, wrong labels, verifier, shift
    (5.0, 0.2, STRONG, 0.0), (1.0, 0.3, NO_SUPERVISION, 0.0), (5.0, 0.3, ORACLE, 0.0), (0.2, 0.0, NO_SUPERVISION, 0.0),
    (5.0, 0.2, STRONG, 0.5), (5.0, 0.5, NO_SUPERVISION, 0.0))  # fmt: skip
FAMILIES = {
    "reviews": ((RealData("books", "books"), RealData("elec", "elec"), RealData("kitchen", "kitchen")), (60, 120, 300, 600), 250),
    "MNIST pairs": ((RealData("4-9", "mnist", (4, 9), "relu", 50), RealData("3-8", "mnist", (3, 8), "relu", 50)), (50, 100, 200), 2000),
    "language features": ((RealData("hh-rlhf", "preferences"),), (100, 200), 300),
    "small digits": ((RealData("3-8", "digits", (3, 8)), RealData("4-9", "digits", (4, 9))), (40, 80), 60),
}


@dataclass(frozen=True)
class Case:
    """A user's file: what was measured and predicted of it, and what it gained on test samples, with the error of the test."""

    family: str
    n: int
    measured: MeasuredGain
    realised: float
    error: float


def case(family: str, n: int, kind: int, user: int) -> Case:
    """Return what came of one file."""
    datas, _, most = FAMILIES[family]
    data = datas[(kind + user) % len(datas)]
    seen, epsilon, verifier, shift = KINDS[kind]
    n_hat = int(np.clip(seen * n / 2, 3, most))
    scenario = Scenario(data, n, max(BUDGET, 3 * n), epsilon, verifier, Generator("independent", n_hat=n_hat), file=True, shift=shift)
    drawn = np.random.SeedSequence(SEED, spawn_key=(list(FAMILIES).index(family), n, kind, user)).generate_state(2)
    split = data.redivided(int(drawn[0]))
    one = simulated_user(split, scenario, np.random.default_rng(int(drawn[1])))
    e = gather(one.real, scenario.plan, one.audited(scenario.audited), standardise=False)
    mix = e.measured
    better = one.trained(split, mix.m, mix.omega, mix.gamma).astype(float) - one.trained(split, 0, 1.0, e.baseline.gamma)
    return Case(family, n, mix, float(better.mean()), float(better.std() / len(better) ** 0.5))


def expected(cases: list[Case], spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return gains to expect, their errors, test errors included, and what they are off by."""
    both = [combined(one.measured, spread) for one in cases]
    value = np.array([one.value for one in both])
    error = np.hypot([one.se for one in both], [one.error for one in cases])
    return value, error, value - [one.realised for one in cases]


def best_spread(cases: list[Case]) -> float:
    """Return the spread of gains with the smallest mean square error."""
    return float(min(SPREADS, key=lambda spread: np.mean(expected(cases, spread)[2] ** 2)))


def row(cases: list[Case], spread: float) -> dict[str, float]:
    """Return gains expected and realised, the root mean square error and the share within two errors, before and after the pull."""
    found: dict[str, float] = {"files": len(cases), "realised": float(np.mean([one.realised for one in cases]))}
    for name, at in (("before", np.inf), ("after", spread)):
        value, error, off = expected(cases, min(at, 1e6))
        found |= {name: float(value.mean()), f"error {name}": float(np.sqrt(np.mean(off**2))),
                  f"within {name}": float(np.mean(np.abs(off) <= 2 * error)), f"ratio {name}": float(np.sqrt(np.mean((off / error) ** 2)))}
    return found


def main(users: int) -> None:
    """Measure and write the record."""
    cases: list[Case] = []
    if not users:
        kept = json.loads(RECORD.read_text())
        cases = [Case(**{**one, "measured": MeasuredGain(**one["measured"])}) for one in kept["cases"]]
        write(cases, kept["users"])
    with one_thread():
        for user in range(users):
            for family, (_, sizes, _) in FAMILIES.items():
                cases += [case(family, n, kind, user) for n in sizes for kind in range(len(KINDS))]
            write(cases, user + 1)


def write(cases: list[Case], users: int) -> None:
    """Write the record of the cases so far."""
    rows, families = {}, {}
    for family, (_, sizes, _) in FAMILIES.items():
        own, others = ([one for one in cases if (one.family == family) == same] for same in (True, False))
        spread = best_spread(others)
        families[family] = {"spread of the others": spread, **row(own, spread)}
        rows |= {f"{family}, n = {n}": row([one for one in own if one.n == n], SPREAD) for n in sizes}
    before = expected(cases, 1e6)[0]
    large = [one for one, value in zip(cases, before, strict=True) if value > LARGE]
    record = {"rows": rows, "families": families, "all": row(cases, SPREAD), "large": row(large, SPREAD), "spread": SPREAD,
              "best spread": best_spread(cases), "users": users, "cases": [asdict(one) for one in cases], "seed": SEED, "commit": commit()}
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
