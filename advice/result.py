"""What an advice says: the verdict, and the numbers that it rests on (how they come about: `advice.advise`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from synthmix.estimators.statistics import Audit

SMALLEST = 0.001  # a gain below this is none
Verdict = Literal["helps", "hurts", "no difference you could measure", "depends on the verifier"]


@dataclass(frozen=True)
class Baseline:
    """Without synthetic data: accuracy by leave-one-out with its standard error, the ridge, and what the theory says by itself."""

    accuracy: float
    se: float
    gamma: float
    theory: float


@dataclass(frozen=True)
class Gain:
    """Accuracy with synthetic data less the best without; low, high: two standard errors beyond what the verifier's intervals say."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True)
class Choice:
    """A mix, and the accuracy it is predicted to have with its standard error, that of the baseline included."""

    m: float
    omega: float
    gamma: float
    accuracy: float
    se: float


@dataclass(frozen=True)
class Point:
    """The best mix of m synthetic samples; low, high: its band, two standard errors beyond the verifier's intervals. gain_low, gain_high:
    that of its gain, which does not share the baseline's error. plain: the accuracy with all weights 1."""

    m: float
    omega: float
    gamma: float
    accuracy: float
    low: float
    high: float
    gain_low: float
    gain_high: float
    plain: float


@dataclass(frozen=True, eq=False)
class BreakEven:
    """Where the budget, with all weights 1 and its best ridge, neither helps nor hurts, at one phi.

    epsilon (E,), rho (R,); plain (E, R): its predicted gain; tuned (E, R): that of the best weight. line (E,): the largest rho that does
    not hurt (nan: every one hurts). rho_at: the same at the user's epsilon, epsilon_at: the largest epsilon at the user's rho; nan where
    the user's are not known. A verifier is as far from the line as its rho from rho_at.
    """

    phi: float
    epsilon: np.ndarray
    rho: np.ndarray
    plain: np.ndarray
    tuned: np.ndarray
    line: np.ndarray
    rho_at: float
    epsilon_at: float


@dataclass(frozen=True)
class Measured:
    """The best mix of the file, by leave-one-out: gain over the baseline on the same samples with its paired standard error; what the
    theory predicted for this very mix with its own; whether the two agree within two standard errors of their difference."""

    m: int
    kept: float
    omega: float
    gamma: float
    accuracy: float
    se: float
    gain: float
    gain_se: float
    predicted_gain: float
    predicted_se: float
    agree: bool


@dataclass(frozen=True, eq=False)
class Advice:
    """What to do, and what it rests on.

    best: the mix to train, m = 0 where synthetic data should be left away. enough: fewer samples that do as well. gain: of the best mix.
    plain: of the whole budget with weights 1. worth: synthetic samples that one more real sample is worth, on average over all of the best
    mix (inf: synthetic ones add nothing; nan: a hundred times the real samples would not reach it); worth_next: at the margin. needed:
    the largest rho of a verifier that leaves a gain, at the most noise that was stated and the phi (0.4 and 0.9 where they are not; nan:
    none does). keep: which samples of the file to train on.
    """

    verdict: Verdict
    reason: str
    n: int
    p: int
    classes: int
    budget: int
    baseline: Baseline
    best: Choice
    enough: float
    gain: Gain
    plain: Gain
    curve: tuple[Point, ...]
    worth: float
    worth_next: float
    needed: float
    break_even: BreakEven | None
    measured: Measured | None
    audit: Audit | None
    notes: tuple[str, ...]
    keep: np.ndarray | None = None

    def as_dict(self) -> dict[str, object]:
        """Numbers and words only, but for `keep`."""
        return {name: value for name, value in asdict(self).items() if name != "keep"}
