"""The result of `advice.advise.advise`: a verdict, the mix to train, and the predicted and measured gains behind them.

All accuracies and gains are shares of fresh samples (0.02 is two points). se is always a standard error.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from synthmix.estimators.audits import Audit

SMALLEST = 0.001  # gains below 0.1 points count as no gain
Verdict = Literal["helps", "hurts", "no difference you could measure", "depends on the verifier"]


@dataclass(frozen=True)
class Baseline:
    """Accuracy of the best ridge classifier without synthetic data.

    Attributes
    ----------
    accuracy, se : float
        Leave-one-out accuracy over the real samples, corrected for having chosen gamma on the same samples.
    gamma : float
        The ridge, in units of the number of real samples: scikit-learn's alpha is gamma n.
    theory : float
        The accuracy that the theory alone predicts at the ridge that it prefers.
    """

    accuracy: float
    se: float
    gamma: float
    theory: float


@dataclass(frozen=True)
class Gain:
    """Accuracy with synthetic data less the baseline's.

    Attributes
    ----------
    value, se : float
        The expected gain and its standard error, at the stated (or audited) noise and verifier.
    low, high : float
        Two standard errors below the gain at the worst noise and verifier within their intervals, and above the gain at the best.
    """

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True)
class Choice:
    """The mix to train.

    Attributes
    ----------
    m : float
        Synthetic samples, counted before pruning; 0: train without synthetic data.
    kept : float
        How many of them the verifier is expected to keep.
    omega : float
        Weight of a synthetic sample relative to a real one.
    gamma : float
        The ridge, in units of n + m samples: scikit-learn's alpha is gamma (n + m).
    accuracy, se : float
        The expected accuracy; the standard error includes the baseline's.
    """

    m: float
    kept: float
    omega: float
    gamma: float
    accuracy: float
    se: float


@dataclass(frozen=True)
class CurvePoint:
    """The best mix with exactly m synthetic samples: one point of the curve of accuracy over m.

    Attributes
    ----------
    m, omega, gamma : float
        As in `Choice`.
    accuracy : float
        The expected accuracy.
    low, high : float
        Its band: two standard errors, the baseline's included, beyond the worst and the best noise and verifier.
    gain_low, gain_high : float
        The same band for the gain, which does not share the baseline's error.
    plain : float
        The accuracy of m synthetic samples at weight 1 with the ridge that is best for them.
    """

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
    """Gain of the whole budget at weight 1, with the best ridge, over label noise epsilon and verifier error rho, at one phi.

    Attributes
    ----------
    phi : float
        Share of the correctly labelled samples that the verifier keeps.
    epsilon, rho : arrays (E,) and (R,)
        The grid.
    plain, tuned : arrays (E, R)
        The predicted gain at weight 1, and at the best weight.
    line : array (E,)
        The largest rho at which weight 1 does not lose accuracy; nan where it loses at every rho.
    rho_at : float
        The same at the user's epsilon; nan where that is unknown. A verifier is as far from the line as its rho is from rho_at.
    epsilon_at : float
        The largest epsilon without a loss at the user's rho; nan where that is unknown.
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
class MeasuredGain:
    """The best mix of a whole synthetic file, measured by leave-one-out over the real samples.

    Attributes
    ----------
    m : int
        Rows of the file.
    kept : float
        The share of them that is trained on.
    omega, gamma : float
        As in `Choice`.
    accuracy, se : float
        Leave-one-out accuracy of this mix.
    gain, gain_se : float
        Its accuracy less the baseline's on the same real samples, with the paired standard error.
    predicted_gain, predicted_se : float
        What the theory predicts for the same mix.
    agree : bool
        Whether the two gains are within two standard errors of their difference.
    """

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
    """What to do with the synthetic data, and the numbers behind it.

    Attributes
    ----------
    verdict : Verdict
        The conclusion.
    reason : str
        The conclusion in a sentence or two, with its numbers.
    n, p, classes : int
        Real samples, features and classes.
    budget : int
        The most synthetic samples that are considered.
    baseline : Baseline
        Without synthetic data.
    best : Choice
        The mix to train; m = 0 where synthetic data should be left out.
    enough : float
        A smaller m that costs at most 0.1 points.
    gain : Gain
        Of the best mix.
    plain : Gain
        Of the whole budget at weight 1.
    curve : tuple of CurvePoint
        From m = 0 to the budget.
    worth : float
        Synthetic samples that replace one more real sample, on average over all of the best mix. inf: synthetic samples add nothing;
        nan: a hundred times the real samples would not reach the mix.
    worth_next : float
        The same at the margin: for the next real sample.
    needed : float
        The largest rho of a verifier that still leaves a gain, at the most label noise that was stated and the stated phi (0.4 and 0.9
        where they are not stated); nan: no verifier does.
    break_even : BreakEven or None
        None without details and for self-fitted generators.
    measured : MeasuredGain or None
        None without a synthetic file.
    audit : Audit or None
        Label noise and verifier as counted on the rows of the file whose true label is known.
    notes : tuple of str
        What the user should know about the data, a sentence each.
    keep : array (m,) of bool, or None
        Which rows of the file to train on.
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
    curve: tuple[CurvePoint, ...]
    worth: float
    worth_next: float
    needed: float
    break_even: BreakEven | None
    measured: MeasuredGain | None
    audit: Audit | None
    notes: tuple[str, ...]
    keep: np.ndarray | None = None

    def as_dict(self) -> dict[str, object]:
        """All fields except `keep`, as nested dictionaries of numbers, words and arrays."""
        return {name: value for name, value in asdict(self).items() if name != "keep"}
