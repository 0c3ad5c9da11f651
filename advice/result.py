"""The result of `advice.advise.advise`: a verdict, the mix to train, and the predicted and measured gains behind them.

All accuracies and gains are shares of fresh samples (0.02 is two points). se is always a standard error.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from ..estimators.audits import Audit
from .plan import Plan
from .provenance import Provenance
from .thresholds import Threshold

SMALLEST = 0.001  # gains below 0.1 points count as no gain
Verdict = Literal["helps", "hurts", "too close to call", "depends on the verifier", "depends on the generator", "change the model"]


@dataclass(frozen=True)
class Baseline:
    """Accuracy of the best ridge classifier without synthetic data.

    Attributes
    ----------
    model
        "Ridge", or the name of a `Rival` that is better.
    accuracy, se
        Leave-one-out accuracy over the real samples, corrected for having chosen gamma on the same samples.
    gamma
        The ridge, in units of the number of real samples: scikit-learn's alpha is gamma n.
    theory
        The accuracy that the theory alone predicts at the ridge that it prefers.
    """

    accuracy: float
    se: float
    gamma: float
    theory: float
    model: str = "Ridge"


@dataclass(frozen=True)
class Rival:
    """A classifier without synthetic data that the user may have already.

    Attributes
    ----------
    name
        Which one, and on what features.
    alpha
        The ridge that it chose, as scikit-learn writes it; nan for other models.
    accuracy, se
        Leave-one-out accuracy at this ridge; cross-validated for other models.
    lead, lead_se
        Its accuracy less that of the advice's own classifier on the same samples, with the paired standard error.
    said
        What `--model` calls it; "" for a ridge.
    """

    name: str
    alpha: float
    accuracy: float
    se: float
    lead: float
    lead_se: float
    said: str = ""

    @property
    def better(self) -> bool:
        """Whether it leads by more than two standard errors: small leads are what chance gives the best of several classifiers."""
        return self.lead > 2 * self.lead_se


@dataclass(frozen=True)
class Gain:
    """Accuracy with synthetic data less the baseline's.

    Attributes
    ----------
    value, se
        The expected gain and its standard error, at the stated (or audited) noise and verifier.
    low, high
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
    m
        Synthetic samples, counted before pruning; 0: train without synthetic data.
    kept
        How many of them the verifier is expected to keep.
    omega
        Weight of a synthetic sample relative to a real one.
    gamma
        The ridge, in units of n + m samples: scikit-learn's alpha is gamma (n + m).
    accuracy, se
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
    m, omega, gamma
        As in `Choice`.
    accuracy
        The expected accuracy.
    low, high
        Its band: two standard errors, the baseline's included, beyond the worst and the best noise and verifier.
    gain_low, gain_high
        The band of the gain, which does not share the baseline's error.
    plain
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
    """Gain of the advised m at the advised weight, with the best ridge, over label noise epsilon and verifier error rho, at one phi.

    Attributes
    ----------
    m, omega
        The advised number and weight of synthetic samples; the whole budget at weight 1 where none are advised.
    phi
        Share of the correctly labelled samples that the verifier keeps.
    epsilon, rho : arrays (E,) and (R,)
        The grid.
    gain : array (E, R)
        The predicted gain.
    line : array (E,)
        The largest rho without a loss; nan where every rho loses.
    rho_at
        The largest rho without a loss at the user's epsilon; nan where that is unknown. A verifier is as far from the line as its rho is
        from rho_at.
    epsilon_at
        The largest epsilon without a loss at the user's rho; nan where that is unknown.
    """

    m: float
    omega: float
    phi: float
    epsilon: np.ndarray
    rho: np.ndarray
    gain: np.ndarray
    line: np.ndarray
    rho_at: float
    epsilon_at: float

    def agrees(self, verdict: Verdict, plan: Plan) -> bool:
        """Whether the user's own noise and verifier lie on the side of the line that the verdict says.

        A file may do better or worse than the plane, whose wrong labels are independent of the features.

        Parameters
        ----------
        verdict : str
        plan : Plan
            With the user's epsilon, rho and phi.
        """
        if not plan.known or verdict not in ("helps", "hurts"):
            return True
        helps = np.isfinite(self.rho_at) and plan.rho.value <= self.rho_at
        return helps == (verdict == "helps")


@dataclass(frozen=True)
class MeasuredGain:
    """The best mix of a whole synthetic file, measured by leave-one-out over the real samples.

    Attributes
    ----------
    m
        Rows of the file.
    kept
        The share of them that is trained on.
    omega, gamma
        As in `Choice`.
    accuracy, se
        Leave-one-out accuracy of this mix.
    gain, gain_se
        Its accuracy less the baseline's on the same real samples, with the paired standard error.
    plain, plain_se
        The gain of the whole file at weight 1 with the ridge that is best for it, and its standard error.
    predicted_gain, predicted_se
        What the theory predicts for the same mix.
    agree
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
    plain: float
    plain_se: float
    predicted_gain: float
    predicted_se: float
    agree: bool


@dataclass(frozen=True)
class RelabelledGain:
    """Cleaning the labels of a synthetic file (`RelabelledMix`), measured on real samples that had no part in it.

    Attributes
    ----------
    alpha
        Its ridge, as scikit-learn writes it.
    rows
        Kept rows of the file that were used.
    accuracy, se
        Of the real samples, each left out.
    gain, gain_se
        Its accuracy less that of the best mix of the file, or, where this gains nothing, of no synthetic data; the error is paired.
    """

    alpha: float
    rows: int
    accuracy: float
    se: float
    gain: float
    gain_se: float

    @property
    def recommended(self) -> bool:
        """Whether it gains more than two standard errors."""
        return self.gain > max(SMALLEST, 2 * self.gain_se)

    @property
    def harmful(self) -> bool:
        """Whether it loses more than two standard errors: the labels are wrong for a reason that lies in the samples, or right."""
        return self.gain < -max(SMALLEST, 2 * self.gain_se)


@dataclass(frozen=True)
class Candidate:
    """One of several synthetic files.

    Attributes
    ----------
    name
        Of the file.
    verdict
        On this file alone.
    gain, gain_se
        Of its best mix; that of the chosen one without the optimism of having been chosen.
    m, omega
        As in `Choice`.
    chosen
        Whether the advice is about this one.
    """

    name: str
    verdict: Verdict
    gain: float
    gain_se: float
    m: float
    omega: float
    chosen: bool


@dataclass(frozen=True)
class Purchase:
    """Rows to buy, and what they are expected to be worth.

    Attributes
    ----------
    kind
        "real rows", "synthetic rows" (and perhaps real ones), or "checked synthetic rows", of which a person throws the wrong ones away.
    real, synthetic
        How many: real ones besides those that there are, synthetic ones before pruning.
    cost
        Of all of them.
    accuracy, se
        Expected on fresh rows with the best mix; the error includes that of the accuracy now.
    gain, gain_se
        The accuracy less that without any purchase.
    omega, gamma
        As in `Choice`.
    """

    kind: str
    real: float
    synthetic: float
    cost: float
    accuracy: float
    se: float
    gain: float
    gain_se: float
    omega: float
    gamma: float


@dataclass(frozen=True, eq=False)
class Advice:
    """An advice on synthetic data: the verdict, the mix to train, and the numbers behind them.

    Attributes
    ----------
    verdict
        The conclusion.
    reason
        The conclusion in a sentence or two, with its numbers.
    n, p, classes
        Real samples, features and classes.
    budget
        The most synthetic samples that are considered.
    baseline
        Without synthetic data.
    best
        The mix to train; m = 0 where synthetic data should be left out.
    enough
        A smaller m that costs at most 0.1 points.
    gain
        Of the best mix.
    plain
        Of the whole budget at weight 1.
    curve
        From m = 0 to the budget.
    worth
        Synthetic samples that replace one more real sample, on average over all of the best mix; nan where the mix gains nothing that real
        samples could be exchanged for.
    worth_next
        Synthetic samples that replace the next real sample.
    needed
        The largest rho of a verifier that still leaves a gain, at the most label noise that was stated and the stated phi (0.4 and 0.9
        where they are not stated); nan: no verifier does.
    break_even
        None without details, for self-fitted generators, and where it contradicts what was measured.
    rivals
        Other classifiers without synthetic data.
    measured
        None without a synthetic file.
    relabelled
        What cleaning the labels adds; None without a synthetic file, without details, and where it is not measured.
    audit
        Label noise and verifier as counted on the rows of the file whose true label is known.
    provenance
        Which rows the generator of the file was fitted on, by what the file shows.
    threshold
        The lowest score to keep, where the file has scores instead of verdicts.
    thresholds
        The scores that were tried as the lowest to keep.
    standardised
        Whether the features are to be standardised, by mean and standard deviation of the real samples, before training.
    notes
        What the user should know about the data, a sentence each.
    next
        What to measure next to be surer.
    model, metric
        The classifier and the measure that the advice is about. With another metric all accuracies and gains are in it; log-loss is
        negative, so that more is better.
    train
        The classifier to train: another one where changing the model gains more than synthetic data.
    snippet
        Python that trains the advised classifier with scikit-learn alone.
    candidates
        The files among which the best one was chosen, where there are several.
    purchases
        The best one, and the best of another kind, where prices were given; none where no purchase reaches the target.
    units : array or None
        What the mix of the file gains in every real row, group of rows, or fold.
    keep : bool array (m,) or None
        The rows of the file to train on.
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
    rivals: tuple[Rival, ...]
    measured: MeasuredGain | None
    relabelled: RelabelledGain | None
    audit: Audit | None
    provenance: Provenance | None
    threshold: float | None
    thresholds: tuple[Threshold, ...]
    standardised: bool
    notes: tuple[str, ...]
    next: str
    model: str = "ridge"
    metric: str = "accuracy"
    train: str = "ridge"
    snippet: str = ""
    candidates: tuple[Candidate, ...] = ()
    purchases: tuple[Purchase, ...] = ()
    units: np.ndarray | None = None
    keep: np.ndarray | None = None

    def as_dict(self) -> dict[str, object]:
        """All fields except `keep` and `units`, as nested dictionaries of numbers, words and arrays."""
        return {name: value for name, value in asdict(self).items() if name not in ("keep", "units")}
