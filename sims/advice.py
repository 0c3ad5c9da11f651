"""Whether synthetic data will help, how many, with what weight and ridge, and how good the verifier must be: from somebody's own data.

The accuracy without synthetic data is measured, by exact leave-one-out over the real samples. What synthetic data add is predicted, by
the theory of the mix for the population that the real samples show, at the best omega, gamma and m. Real features are not Gaussian and a
population estimated from few samples looks easier than it is; both change what the theory says with and without synthetic data
alike, so the prediction is read relative to the theory's own baseline (`calibrated`).

Where there is a file of generated samples, the mix is measured by leave-one-out too; then the theory only says what other numbers of
them would do. Where the two disagree by more than their errors, this is said, and the measurement is trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from sims.candidates import ALPHAS, FEW_ALPHAS, FEW_SHARES, SHARES, Candidates, mean_scatter
from sims.generated_file import GeneratedFile, Samples, thresholds
from sims.leave_one_out import LeaveOneOut, RidgeMix, sharpened
from sims.planning import Plan, Population
from sims.self_fitted import kept_labels, self_fitted_leave_one_out
from sims.verdict import Advice, Baseline, BreakEven, Choice, Gain, Measured, Point, Verdict
from solvers.errors import BadInput, NotConverged
from solvers.optimise import Family, Optimum, best_mix, settled
from solvers.problem import Generator, Verifier

GROUPS = 8  # of real samples, one of which is left out at a time: the jackknife
CURVE = 9  # numbers of synthetic samples on the curve
GAIN_SPREAD = 0.15  # over sqrt(n): how far gains come out from their prediction, beyond its other errors (docs/advise.md)
SMALLEST = 0.001  # a gain below this is none
SIGMAS = 2.0
LEVEL = 0.0005  # what accuracy may be given away for a weight and a ridge that are not extreme
ENOUGH = 0.001  # fewer samples are enough if they cost no more accuracy than this
RIDGE_FACTORS = np.geomspace(1e-2, 1e4, 13)  # of the theory's ridge, that are tried
PLANE = 13  # values of epsilon and of rho in the plane of the break-even line
MOST_NOISE = 0.5
ASKED_NOISE, ASKED_PHI = 0.4, 0.9  # at which a verifier is asked for where they are not given
MOST_REAL = 100.0  # times n: where the search for an equal number of real samples ends


def advise(real: Samples, plan: Plan, synthetic: Samples | None = None, *, details: bool = True, seed: int = 0) -> Advice:
    """Advise whether to add synthetic data to the real samples `real`.

    real, synthetic: anything with X (k, p) and y (k,), such as a `sims.tables.Table`; a synthetic one perhaps with keep, score and truth.
    With it the plan's generator only says whether it was self-fitted, and its epsilon, rho and phi come from the audit where there is one.
    details: whether the curve over m, the break-even line and what a real sample is worth are computed, or the verdict and its mix
    only (nan for the rest). seed: of the jackknife's groups.

    Raises:
        BadInput: for samples that cannot be used, in one line.
    """
    X, classes, codes = _checked(real)
    situation = _Situation.of(X, codes, classes, plan, synthetic, np.random.default_rng(seed), getattr(real, "total", 0) or len(X))
    return situation.advice(details)


def calibrated(theory: np.ndarray | float, without: np.ndarray | float, measured: float, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """An accuracy predicted with synthetic data, read relative to the theory's `without` and the `measured` one without, and a scale of
    what is left open.

    Half way between two readings: the same gain, and the same ratio of the signal-to-noise ratios. The first is right where some samples
    are hopeless whatever the classifier, the second where all are equally harder than in theory; measurements lie between (docs/advise.md).
    """
    def binary(accuracy: np.ndarray | float) -> np.ndarray:  # chance becomes 1/2
        return np.clip(0.5 + (np.asarray(accuracy, dtype=float) - 1 / classes) / (2 - 2 / classes), 1e-6, 1 - 1e-6)

    def back(accuracy: np.ndarray) -> np.ndarray:
        return 1 / classes + (accuracy - 0.5) * (2 - 2 / classes)

    added = np.clip(np.asarray(theory) - without + measured, 0, 1)
    base, known = binary(without), binary(measured)
    usable = base > 0.55
    ratio = np.where(usable, ndtri(known) / np.where(usable, ndtri(base), 1.0), 0.0)
    scaled = np.where(usable, back(ndtr(ratio * ndtri(binary(theory)))), added)
    return (added + scaled) / 2, np.abs(added - scaled) / 2


def _checked(real: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    X, y = np.asarray(real.X, dtype=float), np.asarray(real.y)
    if X.ndim != 2 or y.shape != (len(X),):
        raise BadInput(f"features (n, p) with n labels are needed, not shapes {X.shape} and {y.shape}")
    if len(X) < 10:
        raise BadInput(f"at least 10 real samples are needed, not {len(X)}")
    if not np.isfinite(X).all():
        raise BadInput("a feature of the real samples is missing or infinite")
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise BadInput("at least two classes are needed, and the real samples have only one label")
    if counts.min() < 2:
        raise BadInput(f"class {classes[counts.argmin()]} has only 1 real sample: each needs at least 2")
    return X, classes, codes


@dataclass(frozen=True, eq=False)
class _Situation:
    """The real samples, what is planned or given, and the theory of both."""

    X: np.ndarray
    codes: np.ndarray
    classes: np.ndarray
    plan: Plan
    synthetic: Samples | None
    file: GeneratedFile | None
    population: Population
    left_out: tuple[Population, ...]
    alone: Candidates  # the ridges without synthetic data
    n: int
    families: dict[tuple[Population, str], Family] = field(default_factory=dict)  # those found so far

    @classmethod
    def of(cls, X: np.ndarray, codes: np.ndarray, classes: np.ndarray, plan: Plan, synthetic: Samples | None, rng: np.random.Generator,
           n: int) -> _Situation:
        file = None
        if synthetic is not None:
            if synthetic.X.ndim != 2 or synthetic.X.shape[1] != X.shape[1]:
                raise BadInput(f"the synthetic samples have {synthetic.X.shape[-1]} features, the real ones {X.shape[1]}")
            file = GeneratedFile.of(synthetic, X, codes, classes, _best_verdicts(X, classes[codes], synthetic))
        found, debiased = _solved(cls(X, codes, classes, plan, synthetic, file, None, (), None, n))
        left_out = []
        for group in _groups(codes, rng):
            rest = np.setdiff1d(np.arange(len(X)), group)
            if np.bincount(codes[rest], minlength=len(classes)).min() >= 2:
                one = Population.of(X[rest], codes[rest], len(classes), debiased=debiased, elliptical=found.population.elliptical)
                left_out.append(replace(one, counts=found.population.counts))  # the mix stays one of all samples
        return replace(found, alone=found.tried(np.zeros(1)), left_out=tuple(left_out))

    # --- theory ------------------------------------------------------------------------------------------------------

    @property
    def self_fitted(self) -> bool:
        """Whether the generator was fitted on the real samples, as it was said or as the file shows."""
        return self.plan.generator.kind == "self-fitted" or (self.file is not None and self.file.self_fitted)

    def family(self, population: Population, which: str = "value") -> Family:
        """The mixes of the plan, or of samples like those of the file."""
        if (population, which) not in self.families:
            self.families[population, which] = self._family(population, which)
        return self.families[population, which]

    def _family(self, population: Population, which: str) -> Family:
        if self.file is not None and not self.self_fitted:
            file = self.file
            return population.family_of(file.laws_in(population), file.label_shares, file.kept, file.n_hat, n=self.n)
        generator = Generator("self-fitted") if self.self_fitted else self.plan.generator
        epsilon, verifier = self.plan_noise(which)
        return population.family(generator, epsilon, verifier, n=self.n)

    def plan_noise(self, which: str = "value") -> tuple[float, Verifier]:
        """epsilon and the verifier, from the audit of the file where there is one."""
        return self.noisy_plan.noise(which)

    @property
    def noisy_plan(self) -> Plan:
        """The plan with what the audit found."""
        found = None if self.file is None else self.file.found
        if found is None:
            return self.plan
        return replace(self.plan, epsilon=found.epsilon, rho=found.rho, phi=found.phi)

    def gains(self, mixes: Sequence[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Predicted gains of mixes (m, omega, gamma), their standard errors, and the gains at the worst and the best verifier."""
        L = len(self.classes)

        def accuracies(population: Population, which: str) -> tuple[np.ndarray, float]:
            family = self.family(population, which)
            without = self.leaning(family, 0.0, 1.0, self.baseline.gamma)
            return np.array([self.leaning(family, *mix) for mix in mixes]), without

        base = self.baseline.accuracy

        def gain(population: Population, which: str = "value") -> tuple[np.ndarray, np.ndarray]:
            """Gains, and how much they depend on the reading and on the baseline."""
            found, without = accuracies(population, which)
            value, doubt = calibrated(found, without, base, L)
            ends = [calibrated(found, without, min(max(end, 1 / L), 1.0), L)[0] - end
                    for end in (base - self.baseline.se, min(base + self.baseline.se, 1.0))]
            return value - base, np.hypot(doubt, (ends[1] - ends[0]) / 2)

        value, doubt = gain(self.population)
        left = []
        for one in self.left_out:
            with suppress(NotConverged):
                left.append(gain(one)[0])
        left, G = np.array(left), len(left)
        noise = (G - 1) / G * ((left - left.mean(axis=0)) ** 2).sum(axis=0) if G > 1 else np.zeros(len(mixes))
        apart = np.array([m > 0 for m, _, _ in mixes]) * GAIN_SPREAD / np.sqrt(self.n)
        se = np.sqrt(noise + doubt**2 + apart**2)
        if self.file is not None:
            return value, se, value, value
        ends = []
        for which in ("worst", "best"):
            try:
                ends.append(gain(self.population, which)[0])
            except NotConverged:
                ends.append(value)
        return value, se, *ends

    @cached_property
    def baseline(self) -> Baseline:
        """Without synthetic data, at the ridge that leave-one-out and theory choose together."""
        gamma = float(self.alone.alphas[self.alone.choice()] / len(self.X))
        accuracy, _ = self.alone.corrected()
        return Baseline(accuracy, self.without.se, gamma, self.optimum_without.accuracy)

    @cached_property
    def without(self) -> LeaveOneOut:
        """Leave-one-out there."""
        return self._path(np.array([self.alone.alphas[self.alone.choice()]]), 0.0)[0]

    def leaning(self, family: Family, m: float, omega: float, gamma: float) -> float:
        """The theory's accuracy of a mix, half way towards leave-one-out: with half of its error without synthetic data, at the same ridge
        in units of all weights."""
        weight = family.n + omega * family.per_m.sum() * m
        ridges, errors = self._errors
        error = np.interp(np.log(gamma * (family.n + m) / weight), ridges, errors)
        return float(np.clip(family.at(m, omega, gamma, slopes=()).accuracy + error, 0, 1))

    @cached_property
    def _errors(self) -> tuple[np.ndarray, np.ndarray]:
        """Half of what leave-one-out says beyond the theory without synthetic data, over the logarithm of the ridge per sample."""
        return np.log(self.alone.alphas / len(self.X)), (sharpened(self.alone.soft @ self.alone.shares) - self.alone.theory) / 2

    def chosen(self, family: Family, one: Optimum) -> Optimum:
        """A mix that is best in theory, with the ridge that leave-one-out and theory choose together."""
        one = settled(family, one, LEVEL)
        found, best = one, -np.inf
        for factor in RIDGE_FACTORS:
            with suppress(NotConverged):
                if (accuracy := self.leaning(family, one.m, one.omega, one.gamma * factor)) > best:
                    found, best = replace(one, gamma=one.gamma * factor, accuracy=accuracy), accuracy
        return found

    @cached_property
    def _theory_without(self) -> float:
        """What the same says without synthetic data."""
        return self.leaning(self.family(self.population), 0.0, 1.0, self.baseline.gamma)

    @cached_property
    def optimum_without(self) -> Optimum:
        """The best ridge without synthetic data, and what it is worth, in theory."""
        return best_mix(self.family(self.population), 0)

    # --- advice ------------------------------------------------------------------------------------------------------

    def advice(self, details: bool) -> Advice:
        """Everything, or without `details` what the verdict needs."""
        budget, family = float(self.plan.budget), self.family(self.population)
        sizes = np.unique(np.round(np.geomspace(max(budget / 100, 1), budget, CURVE))) if details else np.array([budget])
        tuned, plain = ([self.chosen(family, one) for one in _curve(family, sizes, omega)] for omega in (None, 1.0))
        joint = self.chosen(family, best_mix(family, budget))
        mixes = [(one.m, one.omega, one.gamma) for one in (*tuned, *plain, joint)]
        value, se, low, high = self.gains(mixes)
        k, base = len(sizes), self.baseline
        ends = np.array([np.minimum(low, value) - SIGMAS * se, np.maximum(high, value) + SIGMAS * se])
        points = [_point(base, 0.0, 1.0, base.gamma, 0.0, (0.0, 0.0), 0.0)]
        points += [_point(base, one.m, one.omega, one.gamma, value[i], ends[:, i], value[k + i]) for i, one in enumerate(tuned)]

        def of(i: int) -> Gain:
            return Gain(float(value[i]), float(se[i]), float(ends[0, i]), float(ends[1, i]))

        gain, plain_gain = of(2 * k), of(2 * k - 1)
        best = Choice(joint.m, joint.omega, joint.gamma, float(base.accuracy + gain.value), float(np.hypot(gain.se, base.se)))
        measured = None
        notes = list(self._notes())
        if self.file is not None:
            measured = self._measured()
            if not measured.agree:
                notes.append(f"Theory and leave-one-out disagree on the file's gain, {100 * measured.predicted_gain:+.1f} and "
                             f"{100 * measured.gain:+.1f} points (standard errors {100 * measured.predicted_se:.1f} and "
                             f"{100 * measured.gain_se:.1f}): the measurement is trusted.")
            gain, plain_gain, best, points = self._corrected(measured, plain_gain, points)
        verdict, reason = self._verdict(gain, plain_gain, measured)
        if verdict in ("hurts", "no difference you could measure"):
            best = Choice(0.0, 1.0, base.gamma, base.accuracy, base.se)
        enough = next((one.m for one in points if one.accuracy >= best.accuracy - ENOUGH), best.m) if best.m else 0.0
        worth, worth_next = self._worth(best) if details or not best.m else (float("nan"), float("nan"))
        break_even = self._break_even(budget) if details and not self.self_fitted else None
        return Advice(verdict, reason, self.n, self.X.shape[1], len(self.classes), self.plan.budget, base, best, float(enough), gain,
                      plain_gain, tuple(points), worth, worth_next, self.needed if details else float("nan"), break_even, measured,
                      None if self.file is None else self.file.found, tuple(notes), None if self.file is None else self.file.keep)

    def _notes(self) -> list[str]:
        found = []
        generated = (0, 0) if self.file is None else (self.file.m, getattr(self.synthetic, "total", 0))
        for what, used, total in (("real", len(self.X), self.n), ("synthetic", *generated)):
            if used < total:
                found.append(f"Of the {total:,} {what} samples a random {used:,} were used for what is measured here.")
        spread = self.X.std(axis=0)
        moving = spread[spread > 0]
        if moving.max() > 100 * moving.min():
            found.append("The features have very different scales, which a ridge does not forgive: standardise them first.")
        if self.file is not None and self.file.self_fitted and self.plan.generator.kind != "self-fitted":
            found.append("The generator's means are those of these very real samples: it was fitted on them and is treated as self-fitted.")
        if self.file is None and not self.self_fitted and not self.plan.known:
            epsilon, verifier = self.plan_noise()
            found.append(f"Not all of epsilon, rho and phi are given: the advised mix is for epsilon {epsilon:g}, rho {verifier.rho:g} and "
                         f"phi {verifier.phi:g}, its band for anything from the best to the worst.")
        if self.population.counts.min() < 10:
            found.append(f"A class has only {self.population.counts.min()} real samples: everything here is rough.")
        return found

    def _verdict(self, gain: Gain, plain: Gain, measured: Measured | None) -> tuple[Verdict, str]:
        points = f"{100 * gain.value:+.1f} points (standard error {100 * gain.se:.1f})"
        if self.self_fitted and measured is None:
            hurts = plain.value < -max(SMALLEST, plain.se)
            word: Verdict = "hurts" if hurts else "no difference you could measure"
            return word, ("The generator knows no more than the real samples it was fitted on, whatever the verifier keeps: tune the ridge "
                          "instead.")
        stated = "as stated" if self.noisy_plan.known else "with a middling verifier and noise"
        worst, best = gain.low + SIGMAS * gain.se, gain.high - SIGMAS * gain.se
        if gain.value > SMALLEST:
            if worst < SMALLEST and measured is None:
                return "depends on the verifier", f"It gains {points} {stated}, but nothing at the worst that may be" + self._asked()
            sure = "" if gain.value > SIGMAS * gain.se else ": likely, not certain" if gain.value > gain.se else ": the better bet, no more"
            return "helps", f"The best mix gains {points}{sure}."
        if measured is None and best > SMALLEST:
            most = f"{100 * best:+.1f} points at the best that may be"
            return "depends on the verifier", f"It gains {most}, {points} {stated}" + self._asked()
        if plain.value < -max(SMALLEST, plain.se):
            return "hurts", (f"Added with weight 1 it changes the accuracy by {100 * plain.value:+.1f} points, and no weight "
                             f"gains: {points}.")
        return "no difference you could measure", f"The best mix gains {points}, which cannot be told from nothing."

    # --- the file ----------------------------------------------------------------------------------------------------

    def _path(self, alphas: np.ndarray, omega: float) -> list[LeaveOneOut]:
        """Leave-one-out at some ridges alpha of the sum of squares and one weight, both in proportion to the real samples at hand."""
        if self.file is not None and self.self_fitted and omega:
            return [self_fitted_leave_one_out(self.X, self.codes, self._kept_labels, alpha, omega, 1) for alpha in alphas]
        return self._ridge_mix.path(alphas, omega)

    @cached_property
    def _ridge_mix(self) -> RidgeMix:
        if self.file is None:
            return RidgeMix.of(self.X, self.codes, N=1)
        return RidgeMix.of(self.X, self.codes, self.file.X, self.file.codes, keep=self.file.keep, N=1)

    @cached_property
    def _kept_labels(self) -> np.ndarray:
        return kept_labels(self.X, self.codes, self.file.X, self.file.codes, self.file.keep)

    def tried(self, weights: np.ndarray) -> Candidates:
        """Classifiers of these weights and of all ridges, by leave-one-out and by theory."""
        family, share = self.family(self.population), len(self.X) / self.n
        alphas = ALPHAS[FEW_ALPHAS if self.self_fitted and weights.any() else slice(None)] * mean_scatter(self.X)
        found = Candidates.none(np.ones(len(self.X)))
        for weight in weights:
            m = float(self.file.m) if weight else 0.0
            theory = np.full(len(alphas), 1 / len(self.classes))
            for i, alpha in enumerate(alphas):
                with suppress(NotConverged):
                    theory[i] = family.at(m, weight / share if weight else 1.0, alpha / (share * (self.n + m)), slopes=()).accuracy
            found = found.and_those(self._path(alphas, weight), alphas, weight, theory)
        return found

    def _measured(self) -> Measured:
        """The mix of the whole file that leave-one-out and theory choose together, and what both say of it."""
        m, share = float(self.file.m), len(self.X) / self.n
        shares = SHARES[FEW_SHARES] if self.self_fitted else SHARES
        tried = self.tried(shares * len(self.X) / (m * self.file.kept))
        chosen = tried.choice()
        alpha, weight = tried.alphas[chosen], tried.weights[chosen]
        omega, gamma = float(weight / share), float(alpha / (share * (self.n + m)))
        found = self._path(np.array([alpha]), weight)[0]
        base = self.baseline.accuracy
        gain = float(calibrated(tried.corrected()[1], self.alone.corrected()[1], base, len(self.classes))[0]) - base
        _, gain_se = found.gain(self.without)  # that of the smooth gain comes out two to four times too small (docs/advise.md)
        value, se, _, _ = self.gains([(m, omega, gamma)])
        agree = abs(gain - value[0]) <= SIGMAS * np.hypot(gain_se, se[0])
        return Measured(self.file.m, self.file.kept, omega, gamma, found.accuracy, found.se, gain, float(gain_se), float(value[0]),
                        float(se[0]), bool(agree))

    def _corrected(self, measured: Measured, plain: Gain, points: list[Point]) -> tuple[Gain, Gain, Choice, list[Point]]:
        """The theory's gains, moved to go through the measured one: by its error there, in proportion to the gain up to that m."""
        base = self.baseline
        error = measured.gain - measured.predicted_gain
        doubt = max(measured.predicted_se, abs(error) if not measured.agree else 0.0, 1e-9)
        share = doubt**2 / (doubt**2 + measured.gain_se**2) if measured.agree else 1.0
        se_there = float(np.sqrt(share) * measured.gain_se)

        def moved(point: Point) -> Point:
            gain = point.accuracy - base.accuracy + share * error * min(1.0, point.m / measured.m)
            wide = SIGMAS * se_there * (point.m > 0)
            plain = point.plain - point.accuracy + gain
            return _point(base, point.m, point.omega, point.gamma, gain, (gain - wide, gain + wide), plain)

        points = [moved(point) for point in points]
        value = measured.predicted_gain + share * error
        moved_plain = points[-1].plain - base.accuracy - plain.value
        plain = replace(plain, value=plain.value + moved_plain, low=plain.low + moved_plain, high=plain.high + moved_plain)
        gain = Gain(float(value), se_there, float(value - SIGMAS * se_there), float(value + SIGMAS * se_there))
        best = Choice(float(measured.m) if measured.omega else 0.0, measured.omega or 1.0, measured.gamma, float(base.accuracy + value),
                      float(np.hypot(base.se, se_there)))
        return gain, plain, best, points

    # --- verifier and exchange ---------------------------------------------------------------------------------------

    def _planned(self, epsilon: float, verifier: Verifier) -> Family:
        generator = self.plan.generator
        if self.file is not None:
            generator = Generator("independent", n_hat=self.file.n_hat) if np.isfinite(self.file.n_hat) else Generator()
        return self.population.family(generator, epsilon, verifier, n=self.n)

    def _gain_of(
        self, epsilon: float, verifier: Verifier, budget: float, omega: float | None, near: Optimum | None = None
    ) -> tuple[float, Optimum | None]:
        """The predicted gain of the whole budget with its best ridge, and weight 1 or the best one; and that mix. nan: not to be solved."""
        try:
            family = self._planned(epsilon, verifier)
            found = best_mix(family, budget, m=budget, omega=omega, near=near)
            value, _ = calibrated(self.chosen(family, found).accuracy, self._theory_without, self.baseline.accuracy, len(self.classes))
        except NotConverged:
            return float("nan"), near
        return float(value) - self.baseline.accuracy, found

    @property
    def _asked_of(self) -> tuple[float, float]:
        """epsilon and phi of the question how large rho may be: the most noise that was stated, and the phi."""
        plan = self.noisy_plan
        return ASKED_NOISE if plan.epsilon is None else plan.epsilon.high, ASKED_PHI if plan.phi is None else plan.phi.value

    @cached_property
    def needed(self) -> float:
        """The largest rho with a gain that is one; nan: none, and where the generator is self-fitted."""
        if self.self_fitted:
            return float("nan")
        epsilon, phi = self._asked_of
        worth = max(SMALLEST, self.baseline.se / 10)
        return _largest(lambda rho: self._gain_of(epsilon, Verifier(rho, phi), float(self.plan.budget), None)[0] - worth)

    def _asked(self) -> str:
        needed = self.needed
        epsilon, phi = self._asked_of
        noise = f" At {100 * epsilon:.0f}% wrong labels "
        if np.isnan(needed):
            return f".{noise}no verifier is good enough."
        if needed >= 1:
            return f".{noise}none is needed."
        return f".{noise}it may keep at most {100 * needed:.0f}% of them, if it keeps {100 * phi:.0f}% of the right ones."

    def _break_even(self, budget: float) -> BreakEven:
        plan = self.noisy_plan
        phi = self._asked_of[1]
        count = PLANE if len(self.classes) == 2 else PLANE // 2 + 1
        epsilons, rhos = np.linspace(0, MOST_NOISE, count), np.linspace(0, 1, count)
        plain, tuned = np.empty((count, count)), np.empty((count, count))
        for values, omega in ((plain, 1.0), (tuned, None)):
            first = near = None
            for i, epsilon in enumerate(epsilons):
                near = first
                for j, rho in enumerate(rhos):
                    values[i, j], near = self._gain_of(float(epsilon), Verifier(float(rho), phi), budget, omega, near)
                    first = near if j == 0 else first
        line = np.array([_crossing(rhos, row) for row in plain])
        at = [float("nan"), float("nan")]
        if plan.epsilon is not None:
            at[0] = _largest(lambda rho: self._gain_of(plan.epsilon.value, Verifier(rho, phi), budget, 1.0)[0])
        if plan.rho is not None:
            at[1] = _largest(lambda epsilon: self._gain_of(epsilon, Verifier(plan.rho.value, phi), budget, 1.0)[0])
        return BreakEven(phi, epsilons, rhos, plain, tuned, line, *at)

    def _worth(self, best: Choice) -> tuple[float, float]:
        """Synthetic samples that a real one is worth: all of the best mix against so many more real ones, and at the margin."""
        from scipy.optimize import brentq

        if not best.m:
            return float("inf"), float("inf")
        family = self.family(self.population)
        there = family.at(best.m, best.omega, best.gamma)
        ratio = there.d_n / there.d_m if there.d_m > 0 else float("inf")
        accuracy = best_mix(family, best.m, m=best.m).accuracy

        def more(log_times: float) -> float:
            family = self.population.family(Generator(), 0.0, Verifier(), n=self.n * float(np.exp(log_times)))
            return best_mix(family, 0, near=self.optimum_without).accuracy - accuracy

        if accuracy <= self.optimum_without.accuracy + 1e-9:
            return float("inf"), float(ratio)
        top = float(np.log(MOST_REAL))
        try:
            if more(top) < 0:
                return float("nan"), float(ratio)
            equal = self.n * (np.exp(brentq(more, 0.0, top, xtol=1e-3)) - 1)
        except NotConverged:
            return float("nan"), float(ratio)
        return float(best.m / max(equal, 1e-9)), float(ratio)


def _solved(situation: _Situation) -> tuple[_Situation, float]:
    """With a population whose mixes the theory can solve, and how far its means are debiased."""
    X, codes, L = situation.X, situation.codes, len(situation.classes)
    for debiased in (1.0, 0.75, 0.5, 0.25):
        found = replace(situation, population=Population.of(X, codes, L, debiased=debiased))
        try:
            family, m = found.family(found.population), float(found.plan.budget)
            best_mix(family, m)
            _curve(family, np.array([m]), 1.0)
        except NotConverged:
            continue
        return found, debiased
    return replace(situation, population=Population.of(X, codes, L, debiased=0.0)), 0.0


def _curve(family: Family, sizes: np.ndarray, omega: float | None) -> list[Optimum]:
    """The best mix of every number of samples, the largest first, each from the one before."""
    found: list[Optimum] = []
    for m in sizes[::-1]:
        found.insert(0, best_mix(family, m, m=m, omega=omega, near=found[0] if found else None))
    return found


def _point(
    base: Baseline, m: float, omega: float, gamma: float, gain: float, ends: Sequence[float], plain: float
) -> Point:
    """A point of the curve from its gain and the ends of its band; the error of the baseline is added to those in squares."""
    low, high = (gain + np.sign(end - gain) * np.hypot(end - gain, SIGMAS * base.se) if end != gain else gain + side
                 for end, side in zip(ends, (-SIGMAS * base.se, SIGMAS * base.se), strict=True))
    return Point(m, omega, gamma, *map(float, (base.accuracy + gain, max(base.accuracy + low, 0), min(base.accuracy + high, 1), *ends,
                                               base.accuracy + plain)))


def _groups(codes: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """GROUPS disjoint groups of samples with every class spread evenly over them."""
    order = np.concatenate([rng.permutation(np.flatnonzero(codes == k)) for k in np.unique(codes)])
    return [order[g::GROUPS] for g in range(GROUPS)]


def _best_verdicts(X: np.ndarray, y: np.ndarray, synthetic: Samples) -> np.ndarray:
    """Which generated samples are kept: where the file has only scores, above the threshold of the best leave-one-out accuracy."""
    from sims.mix_ridge import SyntheticMixRidge

    tried = thresholds(synthetic)
    if len(tried) == 1:
        return tried[0]
    found = [SyntheticMixRidge("auto", "auto").fit(X, y, synthetic.X, synthetic.y, keep=keep).leave_one_out_.smooth for keep in tried]
    return tried[int(np.argmax(found))]


def _crossing(x: np.ndarray, values: np.ndarray) -> float:
    """The largest x up to which values stay above 0, between two points by interpolation; nan where they start below."""
    below = np.flatnonzero(values < 0)
    if not below.size:
        return float(x[-1])
    i = below[0]
    if i == 0:
        return float("nan")
    return float(x[i - 1] + (x[i] - x[i - 1]) * values[i - 1] / (values[i - 1] - values[i]))


def _largest(gain: Callable[[float], float], most: float = 1.0) -> float:
    """The largest argument in [0, most] with a gain that is not negative, where it falls; nan where there is none."""
    from scipy.optimize import brentq

    ends = gain(0.0), gain(most)
    if np.isnan(ends).any() or ends[0] < 0:
        return float("nan")
    return most if ends[1] >= 0 else float(brentq(gain, 0.0, most, xtol=1e-3))
