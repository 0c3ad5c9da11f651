"""Theory on real data: predicted against measured held-out accuracy of ridge classifiers on images and reviews.

What feeds the theory is the law of every class, mean and covariance, estimated by `estimators.statistics.class_laws` from a pool that the
test set has no part in; the theory then knows n, m, the ridge, the label noise, the verifier and the generator, and no trained
classifier. MNIST: its training and test images are divided anew at random, since its test images are easier than its training images;
the pool has about 6000 images a class. The few real samples of a trial, and those behind its generator, are drawn from the same pool, a
share too small to matter. Digits and Amazon: every random split has a pool of
its own of some hundred samples a class, from which its real samples are drawn too; the prediction is the mean over some splits.

The classifier is predicted as a vector with Gaussian fluctuations around it (`predict_on_samples`), and scored on samples of the
pool: features are not Gaussian, and in some directions their scores are not either. The same theory with Gaussian scores is kept
beside it.

A miss has a reason that can be measured: what the measured test scores would be worth were they Gaussian with the mean and covariance
that they have in each class. What the Gaussian prediction misses of that is due to moments (a limit in place of finite numbers,
estimated statistics), the rest of the residual to the shape of the scores' distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from ..experiments.real import MixCase, MixResult, predict_and_measure
from ..sims.monte_carlo import Estimate
from ..solvers.problem import NO_SUPERVISION, ORACLE, Generator
from ..support.typed import Some
from .kit.claims import SIGMAS, Claim, agrees, at_least, at_most, falls_outside
from .kit.figure import Built, Figure
from .kit.run import Run
from .real_panels import WITHIN, accuracies, curves, reasons, residuals

SHARE = 0.9
ON_AVERAGE = 0.005  # what the average accuracy may miss besides noise, as a share
SELF_FITTED = Generator("self-fitted")
TEN = tuple(range(10))


def _both(n: int) -> tuple[Generator, ...]:
    return SELF_FITTED, Generator("independent", n_hat=n)


def _pair(one: int, other: int, features: str, **options: object) -> MixCase:
    name = f"{one}-{other} {'pixels' if features == 'pixels' else 'ReLU'}"
    return MixCase(name, "mnist", 250, (0, 250, 1250), _both(250), 8, (one, other), features, **options)


def _amazon(name: str) -> MixCase:
    return MixCase(name, name, 200, (0, 200, 1000), _both(200), 36, splits=12)


DIGITS = MixCase("digits pixels", "digits", 50, (0, 50, 250), _both(50), 12)
AS_FIGURE_7 = MixCase("ten halved, n=50", "mnist", 50, (0, 25, 50, 125, 500, 750), (Generator("independent", n_hat=5000),), 5, TEN,
                      "halved")


@dataclass(frozen=True)
class Settings:
    """curves: the case whose accuracy is drawn over m, as in the left panel of figure 7."""

    cases: Annotated[tuple[MixCase, ...], Some()]
    curves: MixCase | None = None


FULL = Settings(
    (
        *(_pair(*pair, features) for features in ("pixels", "relu") for pair in ((3, 8), (4, 9), (0, 1))),
        MixCase("ten halved", "mnist", 100, (0, 100, 500), _both(100), 4, TEN, "halved"),
        MixCase("ten ReLU", "mnist", 100, (0, 100, 500), _both(100), 4, TEN, "relu", 200),
        DIGITS,
        replace(DIGITS, name="digits ReLU", features="relu", size=200),
        *map(_amazon, ("books", "elec", "kitchen")),
    ),
    AS_FIGURE_7,
)
QUICK = Settings((replace(_pair(3, 8, "relu"), size=150), replace(_pair(4, 9, "relu"), size=150),
                  replace(_amazon("books"), m=(0, 1000), trials=20, splits=4)))


def build(s: Settings, run: Run) -> Built:
    """Predict and measure every setting, judge the share within 1.5 points, list the rest with where the residual comes from."""
    cases = [*s.cases, *([s.curves] if s.curves else [])]
    dividing, trying = ([run.child_seed() for _ in cases] for _ in range(2))
    results = predict_and_measure(cases, list(zip(dividing, trying, strict=True)), run.data, run.jobs, run.progress)
    panels = [accuracies(results), residuals(results)]
    if s.curves:
        panels.append(curves([one for one in results if one.case is s.curves]))
    panels.append(reasons(results))
    return Built(panels, _claims(results), _record(cases, results))


FIGURE = Figure("Theory on real data: predicted and measured held-out accuracy", columns=2, settings=FULL, quick=QUICK, build=build)


def _claims(results: Sequence[MixResult]) -> list[Claim]:
    def share(residuals: Sequence[float]) -> float:
        return float(np.mean(np.abs(residuals) <= WITHIN)) if len(residuals) else 0.0

    claims = [at_least(f"share of settings within {100 * WITHIN:g} points", share([one.residual for one in results]), SHARE)]
    for name in dict.fromkeys(name for one in results for name in one.wrong):
        off = [one.wrong[name] - one.accuracy.mean for one in results if name in one.wrong]
        claims.append(at_most(f"share of settings within {100 * WITHIN:g} points by a wrong theory, {name}", share(off), SHARE))
    own = {(one.case, one.mix): one.predicted for one in results}
    off = [own[one.case, replace(one.mix, verifier=ORACLE)] - one.accuracy.mean for one in results
           if one.mix.m and one.mix.verifier == NO_SUPERVISION]
    claims.append(at_most(f"share of settings within {100 * WITHIN:g} points by a wrong theory, an oracle in place of no supervision",
                          share(off), SHARE))
    noise = max(one.accuracy.se for one in results)
    return [*claims, *_on_average(results), at_most("largest standard error of a measured accuracy", noise, WITHIN / 2)]


def _on_average(results: Sequence[MixResult]) -> list[Claim]:
    """Predicted accuracy as a share of the measured one, on average over each data set's settings and over all; Gaussian scores fail.

    The settings of a data set share splits and test samples: their average is no better known than one of them.
    """
    by_data = [(case.name, [one for one in results if one.case is case]) for case in dict.fromkeys(one.case for one in results)]
    errors = np.array([np.sqrt(np.mean([(one.error / one.accuracy.mean) ** 2 for one in group])) for _, group in by_data])

    def shares(predicted: Callable[[MixResult], float]) -> np.ndarray:
        return np.array([np.mean([predicted(one) / one.accuracy.mean for one in group]) for _, group in by_data])

    ours, gaussian = shares(lambda one: one.predicted), shares(lambda one: one.predicted_gaussian)
    bad = int(np.argmax(np.abs(gaussian - 1) / (SIGMAS * errors + ON_AVERAGE)))
    error = float(np.linalg.norm(errors)) / len(errors)
    return [
        *(agrees(f"accuracy of a data set on average, {name}", share, Estimate(1.0, se), ON_AVERAGE)
          for (name, _), share, se in zip(by_data, ours, errors, strict=True)),
        agrees("accuracy on average over the data sets", float(ours.mean()), Estimate(1.0, error), ON_AVERAGE),
        falls_outside(f"Gaussian scores, accuracy on average, {by_data[bad][0]}", gaussian[bad], Estimate(1.0, errors[bad]), ON_AVERAGE),
    ]  # fmt: skip


def _record(cases: Sequence[MixCase], results: Sequence[MixResult]) -> dict[str, object]:
    misses = sorted((one for one in results if abs(one.residual) > WITHIN), key=lambda one: -abs(one.residual))
    own = {case.name: [one for one in results if one.case is case] for case in cases}
    return {
        "statistics": "class means (their products debiased) and shrunken class covariances, of the pool alone, the part of a random "
                      "split that is not tested on, from which the few real samples are drawn too; for digits and Amazon averaged over the "
                      "splits that the theory looks at; the scores of the pool's samples",
        "settings": len(results),
        "within": len(results) - len(misses),
        "within, with Gaussian scores": sum(abs(one.predicted_gaussian - one.accuracy.mean) <= WITHIN for one in results),
        "misses": [one.record() for one in misses],
        "by data set": {name: _summary(group) for name, group in own.items()},
        "all": [one.record() for one in results],
        "right by parts that cancel": sum(abs(one.residual) <= WITHIN < abs(one.of_moments) for one in results),
    }


def _summary(group: Sequence[MixResult]) -> dict[str, object]:
    residuals = np.array([one.residual for one in group])
    return {"settings": len(group), "within": int(np.sum(np.abs(residuals) <= WITHIN)), "mean residual": residuals.mean(),
            "largest residual": residuals[np.abs(residuals).argmax()],
            "mean residual from moments": np.mean([one.of_moments for one in group]),
            "mean residual from the shape of the scores": np.mean([one.of_shape for one in group])}
