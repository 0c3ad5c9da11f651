"""Generators that are not Gaussian: does the theory need more of them than the mean and the covariance of what is kept?

Real digits are mixed with samples of a Gaussian for each class, a mixture of Gaussians, a Gaussian copula, interpolation between neighbours
(SMOTE), a variational autoencoder and an adversarial network, with wrong labels, and with and without a verifier that keeps what its own
score likes by more than a threshold. Each generator is fitted on real samples set apart. What feeds the theory are the laws of the real
classes, estimated from a pool, and mean, covariance and number of the synthetic samples that are kept with each label, measured on many of
them; no trained classifier and no measured accuracy. The classifier is scored on samples of the pool, as in figure real.

Two wrong theories stand beside it: one that gives the synthetic samples the covariance of the real ones, one that takes the moments of all
synthetic samples for those of the kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..experiments.deep_generators import DeepTraining
from ..experiments.generators import GeneratorCase, GeneratorResult, predict_and_measure
from ..experiments.real_data import RealData
from ..sims.monte_carlo import Estimate
from .kit.claims import Claim, agrees, at_least, at_most, falls_outside
from .kit.figure import Built, Figure
from .kit.run import Run
from .real_panels import MARKERS, WITHIN, accuracies, residuals

KINDS = ("Gaussian", "mixture", "copula", "interpolation", "autoencoder", "adversarial network")
SHARE = 0.9
ON_AVERAGE = 0.005  # what the average accuracy may miss besides noise, as a share


@dataclass(frozen=True)
class Settings:
    """cases: data sets with their generators and mixes."""

    cases: tuple[GeneratorCase, ...]


def _pair(one: int, other: int) -> GeneratorCase:
    data = RealData(f"{one}-{other}", "mnist", (one, other), "halved")
    return GeneratorCase(data, KINDS, 500, 50, (0, 125, 250, 500, 1000), (None, 0.3), 80, tested=3000, gamma=0.01)


DIGITS = GeneratorCase(RealData("digits", "digits"), KINDS, 50, 20, (0, 60, 240), (None, 0.1), 48, splits=4,
                       training=DeepTraining(steps=1500))
FULL = Settings((_pair(3, 8), _pair(4, 9), DIGITS))
QUICK = Settings((replace(_pair(3, 8), m=(0, 250, 1000), trials=60, training=DeepTraining(hidden=64, steps=1000)),))


def build(s: Settings, run: Run) -> Built:
    """Fit the generators, predict and measure every mix, judge the share within 1.5 points, list the rest with a cause."""
    seeds = [(run.child_seed(), run.child_seed()) for _ in s.cases]
    results = predict_and_measure(s.cases, seeds, run.data, run.out / "generators", run.jobs, run.progress)
    first = [one for one in results if one.case is s.cases[0]]
    panels = [*(_over_m(first, threshold) for threshold in s.cases[0].thresholds), accuracies(results), residuals(results)]
    return Built(panels, _claims(results), _record(s, results))


FIGURE = Figure("Generators that are not Gaussian, predicted by the moments of what is kept", columns=2, settings=FULL, quick=QUICK,
                build=build)  # fmt: skip


def _claims(results: Sequence[GeneratorResult]) -> list[Claim]:
    within = f"share of settings within {100 * WITHIN:g} points"
    claims = [at_least(within, _share([one.residual for one in results]), SHARE)]
    for name, off in _wrong(results).items():
        claims.append(at_most(f"{within} by a wrong theory, {name}", _share(off), SHARE))
    noise = max(one.accuracy.se for one in results)
    return [*claims, *_on_average(results), at_most("largest standard error of a measured accuracy", noise, WITHIN / 3)]


def _wrong(results: Sequence[GeneratorResult]) -> dict[str, list[float]]:
    """What each wrong theory misses the measured accuracies by."""
    names = dict.fromkeys(name for one in results for name in one.wrong)
    return {name: [one.wrong[name] - one.accuracy.mean for one in results if name in one.wrong] for name in names}


def _share(off: Sequence[float]) -> float:
    return float(np.mean(np.abs(off) <= WITHIN)) if len(off) else 0.0


def _on_average(results: Sequence[GeneratorResult]) -> list[Claim]:
    """Predicted accuracy as a share of the measured one, on average over the settings of a kind of generator, and over all.

    Kinds share splits and test samples: an average is no better known than one of them.
    """
    claims = []
    for name in dict.fromkeys(one.group for one in results):
        claims.append(_average(f"accuracy of a generator on average, {name}", [one for one in results if one.group == name]))
    claims.append(_average("accuracy on average over the generators", results))
    for name in _wrong(results):
        own = [one for one in results if name in one.wrong]
        ratio, error = _ratio(own, [one.wrong[name] for one in own])
        claims.append(falls_outside(f"accuracy on average by a wrong theory, {name}", ratio, Estimate(1.0, error), ON_AVERAGE))
    return claims


def _average(name: str, results: Sequence[GeneratorResult]) -> Claim:
    ratio, error = _ratio(results, [one.predicted for one in results])
    return agrees(name, ratio, Estimate(1.0, error), ON_AVERAGE)


def _ratio(results: Sequence[GeneratorResult], predicted: Sequence[float]) -> tuple[float, float]:
    ratios = [value / one.accuracy.mean for value, one in zip(predicted, results, strict=True)]
    return float(np.mean(ratios)), float(np.sqrt(np.mean([(one.error / one.accuracy.mean) ** 2 for one in results])))


def _record(s: Settings, results: Sequence[GeneratorResult]) -> dict[str, object]:
    misses = sorted((one for one in results if abs(one.residual) > WITHIN), key=lambda one: -abs(one.residual))
    groups = {name: [one for one in results if one.group == name] for name in dict.fromkeys(one.group for one in results)}
    data = {case.data.name: [one for one in results if one.case is case] for case in s.cases}
    return {
        "number of settings": len(results), "within": len(results) - len(misses), "misses": [one.record() for one in misses],
        "by generator": {name: _summary(group) for name, group in groups.items()},
        "by data set": {name: _summary(group) for name, group in data.items()},
        "wrong theories": {name: {"settings": len(off), "within": round(_share(off) * len(off)), "largest": max(off, key=abs)}
                           for name, off in _wrong(results).items()},
        "all": [one.record() for one in results],
    }  # fmt: skip


def _summary(group: Sequence[GeneratorResult]) -> dict[str, object]:
    off = np.array([one.residual for one in group])
    return {"settings": len(group), "within": int(np.sum(np.abs(off) <= WITHIN)), "mean residual": off.mean(),
            "largest residual": off[np.abs(off).argmax()]}


def _over_m(results: Sequence[GeneratorResult], threshold: float | None) -> Panel:
    """Accuracy over the number of synthetic samples, a curve for each generator; the first point, without any, is all of theirs."""
    case = results[0].case
    marks: list[Line | Points] = []
    for color, kind in enumerate(case.kinds, 1):  # 0 is that of no synthetic data in the other panels
        own = [one for one in results if not one.m or (one.kind == kind and one.threshold == threshold)]
        x, seen = np.array([one.m for one in own], dtype=float), [one.accuracy for one in own]
        marks += [Line(kind, x, np.array([one.predicted for one in own]), color),
                  Points("", x, np.array([one.mean for one in seen]), np.array([one.se for one in seen]), color,
                         MARKERS[color % len(MARKERS)])]  # fmt: skip
    verifier = "no verifier" if threshold is None else f"kept if its score is above {threshold:g}"
    return Panel(f"{case.data.name}: {verifier}", "synthetic samples of each class, before pruning", "accuracy", marks,
                 key={"theory": "theory"})  # fmt: skip
