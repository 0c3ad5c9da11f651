"""Theory on real data: predicted against measured held-out accuracy of ridge classifiers on images and reviews.

What feeds the theory is the law of every class, mean and covariance, estimated by `estimators.statistics.class_laws` from a pool that the
test set has no part in; the theory then knows n, m, the ridge, the label noise, the verifier and the generator, and no trained
classifier. MNIST: the pool is the public training set, about 6000 images a class. The few real samples of a trial, and those
behind its generator, are drawn from the same pool, a share too small to matter. Digits and Amazon: every random split has a pool of
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

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..experiments.real import MeasuredAccuracy, Mix, Split, amazon_splits, digits_splits, mnist_split, trial
from ..sims.monte_carlo import Estimate
from ..solvers.many_classes import predict_classes, predict_on_samples
from ..solvers.problem import NO_SUPERVISION, ORACLE, Generator, Law, Verifier
from ..support.progress import bar
from .kit.claims import Claim, at_least, at_most
from .kit.figure import Built, Figure
from .kit.run import Run

WITHIN, SHARE = 0.015, 0.9
STRONG = Verifier(rho=0.1, phi=0.9)
SUPERVISION = {ORACLE: "oracle", STRONG: "strong (0.1, 0.9)", NO_SUPERVISION: "no supervision"}
SELF_FITTED = Generator("self-fitted")
TEN = tuple(range(10))


@dataclass(frozen=True)
class Case:
    """One data set and its settings: every m (samples a class) under every supervision and generator; trials of each.

    source: mnist, digits or the name of the reviews; digits: which classes of MNIST; features, size: see `experiments.real.mnist_split`.
    """

    name: str
    source: str
    n: int
    m: tuple[int, ...]
    generators: tuple[Generator, ...]
    trials: int
    digits: tuple[int, ...] = ()
    features: str = "pixels"
    size: int = 300
    splits: int = 1

    def mixes(self) -> list[Mix]:
        """The settings; without generated samples they are all one."""
        found = [Mix(self.n, m, generator if m else self.generators[0], verifier if m else NO_SUPERVISION)
                 for generator in self.generators for m in self.m for verifier in SUPERVISION]
        return list(dict.fromkeys(found))

    def load(self, run: Run) -> list[Split]:
        """Its splits, as many as there are trials where they are random, else one."""
        seed = run.child_seed()
        if self.source == "mnist":
            return [mnist_split(self.digits, self.features, run.data, size=self.size, seed=seed)]
        if self.source == "digits":
            return digits_splits(seed, self.trials, self.features, folder=run.data)
        return amazon_splits(self.source, seed, self.trials, folder=run.data)


def _both(n: int) -> tuple[Generator, ...]:
    return SELF_FITTED, Generator("independent", n_hat=n)


def _pair(one: int, other: int, features: str, **options: object) -> Case:
    name = f"{one}-{other} {'pixels' if features == 'pixels' else 'ReLU'}"
    return Case(name, "mnist", 250, (0, 250, 1250), _both(250), 8, (one, other), features, **options)


def _amazon(name: str) -> Case:
    return Case(name, name, 200, (0, 200, 1000), _both(200), 36, splits=4)


DIGITS = Case("digits pixels", "digits", 50, (0, 50, 250), _both(50), 12)
AS_FIGURE_7 = Case("ten halved, n=50", "mnist", 50, (0, 25, 50, 125, 500, 750), (Generator("independent", n_hat=5000),), 5, TEN, "halved")


@dataclass(frozen=True)
class Settings:
    """curves: the case whose accuracy is drawn over m, as in the left panel of figure 7."""

    cases: tuple[Case, ...]
    curves: Case | None = None


FULL = Settings(
    (
        *(_pair(*pair, features) for features in ("pixels", "relu") for pair in ((3, 8), (4, 9), (0, 1))),
        Case("ten halved", "mnist", 100, (0, 100, 500), _both(100), 4, TEN, "halved"),
        Case("ten ReLU", "mnist", 100, (0, 100, 500), _both(100), 4, TEN, "relu", 200),
        DIGITS,
        replace(DIGITS, name="digits ReLU", features="relu"),
        *map(_amazon, ("books", "elec", "kitchen")),
    ),
    AS_FIGURE_7,
)
QUICK = Settings((replace(_pair(3, 8, "relu"), size=150), replace(_pair(4, 9, "relu"), size=150),
                  replace(_amazon("books"), m=(0, 1000), trials=20, splits=4)))


@dataclass(frozen=True, eq=False)
class Result:
    """One setting of a case: predicted on the pool's samples, and for Gaussian scores, and (where asked for) by wrong theories;
    measured, trial by trial."""

    case: Case
    mix: Mix
    predicted: float
    predicted_gaussian: float
    measured: tuple[MeasuredAccuracy, ...]
    wrong: dict[str, float]

    @property
    def accuracy(self) -> Estimate:
        """MeasuredAccuracy, over the trials."""
        return Estimate.of(np.array([one.accuracy for one in self.measured]))

    @property
    def residual(self) -> float:
        """Predicted less measured."""
        return self.predicted - self.accuracy.mean

    @property
    def of_moments(self) -> float:
        """The part of the residual that there would be, were measured and predicted scores Gaussian."""
        return self.predicted_gaussian - float(np.mean([one.gaussian for one in self.measured]))

    @property
    def of_shape(self) -> float:
        """The rest: the scores are not distributed as the pool's samples say."""
        return self.residual - self.of_moments

    def record(self) -> dict[str, object]:
        """The setting and where its residual comes from."""
        return {
            "data": self.case.name, "generator": self.mix.generator.kind, "n_hat": self.mix.generator.n_hat, "n": self.mix.n,
            "m": self.mix.m, "supervision": SUPERVISION[self.mix.verifier] if self.mix.m else "no synthetic data",
            "predicted": self.predicted, "measured": self.accuracy.mean, "se": self.accuracy.se, "residual": self.residual,
            "residual from moments": self.of_moments, "residual from the shape of the scores": self.of_shape,
            "larger part": "moments" if abs(self.of_moments) > abs(self.of_shape) else "shape of the scores",
        }  # fmt: skip


def build(s: Settings, run: Run) -> Built:
    """Predict and measure every setting, judge the share within 1.5 points, list the rest with where the residual comes from."""
    cases = [*s.cases, *([s.curves] if s.curves else [])]
    results = _results(cases, run)
    panels = [_scatter(cases, results), _residuals(cases, results)]
    if s.curves:
        panels.append(_curves([one for one in results if one.case is s.curves]))
    panels.append(_reasons(cases, results))
    return Built(panels, _claims(results), _record(cases, results))


FIGURE = Figure("Theory on real data: predicted and measured held-out accuracy", columns=2, settings=FULL, quick=QUICK, build=build)


def _results(cases: Sequence[Case], run: Run) -> list[Result]:
    """Every trial has a seed of its own, from its case and setting: the number of workers changes nothing.

    Threads are the workers, with one thread each for linear algebra: they share the data, and work outside the interpreter's lock.
    """
    from joblib import Parallel, delayed
    from threadpoolctl import threadpool_limits

    splits = {case: case.load(run) for case in cases}
    tasks, keys = [], []
    for case in cases:
        seeds = np.random.SeedSequence(run.child_seed()).spawn(len(case.mixes()))
        for mix, seed in zip(case.mixes(), seeds, strict=True):
            keys.append((case, mix))
            tasks.append(delayed(_result)(case, mix, splits[case], seed))
    results: list[Result] = []
    with threadpool_limits(1), bar("settings", run.progress) as show:
        for one in Parallel(n_jobs=run.jobs, prefer="threads", return_as="generator")(tasks):
            results.append(one)
            show(len(results), len(tasks))
    return results


def _result(case: Case, mix: Mix, splits: Sequence[Split], seed: np.random.SeedSequence) -> Result:
    seen = splits[: case.splits]

    def predicted(of: Mix, change: Callable[[Law], Law] = _same) -> float:
        return float(np.mean([predict_on_samples(of.mixture(tuple(map(change, split.laws))), split.samples).accuracy for split in seen]))

    measured = tuple(trial(splits[i % len(splits)], mix, np.random.default_rng(child)) for i, child in enumerate(seed.spawn(case.trials)))
    gaussian = float(np.mean([predict_classes(mix.mixture(split.laws)).accuracy for split in seen]))
    wrong = {}
    if mix.m and mix.m == max(case.m):
        wrong["isotropic covariances"] = predicted(mix, _isotropic)
        if mix.generator.n_hat is None or mix.generator.n_hat <= mix.n:
            wrong["an exact generator"] = predicted(replace(mix, generator=Generator()))
    return Result(case, mix, predicted(mix), gaussian, measured, wrong)


def _same(law: Law) -> Law:
    return law


def _isotropic(law: Law) -> Law:
    return replace(law, covariance=float(np.trace(law.covariance) / len(law.mean)))


def _claims(results: Sequence[Result]) -> list[Claim]:
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
    return [*claims, at_most("largest standard error of a measured accuracy", noise, WITHIN / 2)]


def _record(cases: Sequence[Case], results: Sequence[Result]) -> dict[str, object]:
    misses = sorted((one for one in results if abs(one.residual) > WITHIN), key=lambda one: -abs(one.residual))
    own = {case.name: [one for one in results if one.case is case] for case in cases}
    return {
        "statistics": "class means (their products debiased) and shrunken class covariances, of the pool alone: MNIST's public training "
                      "set, from which the few real samples are drawn too; for digits and Amazon the part of a random split that is not "
                      "tested on, averaged over the splits that the theory looks at; the scores of the pool's samples",
        "settings": len(results),
        "within": len(results) - len(misses),
        "within, with Gaussian scores": sum(abs(one.predicted_gaussian - one.accuracy.mean) <= WITHIN for one in results),
        "misses": [one.record() for one in misses],
        "by data set": {name: _summary(group) for name, group in own.items()},
        "all": [one.record() for one in results],
        "right by parts that cancel": sum(abs(one.residual) <= WITHIN < abs(one.of_moments) for one in results),
    }


def _summary(group: Sequence[Result]) -> dict[str, object]:
    residuals = np.array([one.residual for one in group])
    return {"settings": len(group), "within": int(np.sum(np.abs(residuals) <= WITHIN)), "mean residual": residuals.mean(),
            "largest residual": residuals[np.abs(residuals).argmax()],
            "mean residual from moments": np.mean([one.of_moments for one in group]),
            "mean residual from the shape of the scores": np.mean([one.of_shape for one in group])}


def _kinds(cases: Sequence[Case]) -> list[tuple[str, Callable[[Case], bool]]]:
    kinds = [("MNIST pairs, pixels", lambda case: len(case.digits) == 2 and case.features == "pixels"),
             ("MNIST pairs, ReLU features", lambda case: len(case.digits) == 2 and case.features == "relu"),
             ("MNIST, ten classes", lambda case: len(case.digits) == 10), ("digits, ten classes", lambda case: case.source == "digits"),
             ("Amazon reviews", lambda case: case.source not in ("mnist", "digits"))]  # fmt: skip
    return [(name, member) for name, member in kinds if any(map(member, cases))]


MARKERS = ("o", "s", "D", "^", "v")


def _scatter(cases: Sequence[Case], results: Sequence[Result]) -> Panel:
    everything = [value for one in results for value in (one.predicted, one.accuracy.mean)]
    ends = np.array([min(everything) - 0.01, max(everything) + 0.01])
    marks = [Line("", ends, ends, 5), *(Line("", ends, ends + shift, 5, "guide") for shift in (-WITHIN, WITHIN))]
    for color, (name, member) in enumerate(_kinds(cases)):
        group = [one for one in results if member(one.case)]
        measured = [one.accuracy for one in group]
        marks.append(Points(name, np.array([one.predicted for one in group]), np.array([one.mean for one in measured]),
                            np.array([one.se for one in measured]), color, MARKERS[color]))
    return Panel(f"{len(results)} settings; dotted: {100 * WITHIN:g} points", "predicted accuracy", "measured held-out accuracy", marks)


def _residuals(cases: Sequence[Case], results: Sequence[Result]) -> Panel:
    ends = np.array([0, len(results)])
    marks = [Line("", ends, np.full(2, shift), 5, "guide" if shift else "theory") for shift in (-100 * WITHIN, 0.0, 100 * WITHIN)]
    for color, (name, member) in enumerate(_kinds(cases)):
        place = np.array([i for i, one in enumerate(results) if member(one.case)])
        group = [results[i] for i in place]
        marks.append(Points(name, place + 0.5, np.array([100 * one.residual for one in group]),
                            np.array([100 * one.accuracy.se for one in group]), color, MARKERS[color]))
    return Panel("residuals", "setting, data set after data set", "predicted less measured, points", marks, legend=False)


def _reasons(cases: Sequence[Case], results: Sequence[Result]) -> Panel:
    largest = 100 * max(max(abs(one.of_shape), abs(one.residual)) for one in results)
    ends = np.array([-largest, largest])
    marks = [Line("all of it: the shape of the scores", ends, ends, 5, "guide"), Line("", ends, np.zeros(2), 5, "guide")]
    for color, (_, member) in enumerate(_kinds(cases)):
        group = [one for one in results if member(one.case)]
        marks.append(Points("", np.array([100 * one.of_shape for one in group]), np.array([100 * one.residual for one in group]),
                            np.zeros(len(group)), color, MARKERS[color]))
    return Panel("where residuals come from", "part from the shape of the scores, points", "predicted less measured, points", marks)


def _curves(results: Sequence[Result]) -> Panel:
    marks = []
    for color, (verifier, name) in enumerate(SUPERVISION.items()):
        group = [one for one in results if one.mix.verifier == verifier or not one.mix.m]
        x = np.array([one.mix.m / (one.mix.n + one.mix.m) for one in group])
        measured = [one.accuracy for one in group]
        marks += [Line("", x, np.array([one.predicted for one in group]), color),
                  Points(name, x, np.array([one.mean for one in measured]), np.array([one.se for one in measured]), color)]
    return Panel("ten classes, settings of figure 7 (left): theory and ridge", "proportion of synthetic data", "test accuracy", marks)
