"""Whether synthetic data will help, how many, with what weight and ridge, and how good the verifier must be: from somebody's own data.

The accuracy without synthetic data is measured, by exact leave-one-out over the real samples. What synthetic data add is predicted, by
the theory of the mix for the population that the real samples show, at the best omega, gamma and m (`advice.evidence`).

Where there is a file of generated samples, the mix is measured by leave-one-out too; then the theory only says what other numbers of
them would do. Where the two disagree by more than their errors, this is said, and the measurement is trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthmix.advice.break_even import Exchange
from synthmix.advice.evidence import Evidence, calibrated, curve
from synthmix.advice.generated_file import Samples
from synthmix.advice.plan import Plan
from synthmix.advice.result import SMALLEST, Advice, Baseline, Choice, Gain, Measured, Point, Verdict
from synthmix.estimators.candidates import FEW_SHARES, SHARES
from synthmix.solvers.best_mix import best_mix

CURVE = 9  # numbers of synthetic samples on the curve
SIGMAS = 2.0
ENOUGH = 0.001  # fewer samples are enough if they cost no more accuracy than this


def advise(real: Samples, plan: Plan, synthetic: Samples | None = None, *, details: bool = True, seed: int = 0) -> Advice:
    """Advise whether to add synthetic data to the real samples `real`.

    real, synthetic: anything with X (k, p) and y (k,), such as a `advice.tables.Table`; a synthetic one perhaps with keep, score and truth.
    With it the plan's generator only says whether it was self-fitted, and its epsilon, rho and phi come from the audit where there is one.
    details: whether the curve over m, the break-even line and what a real sample is worth are computed, or the verdict and its mix
    only (nan for the rest). seed: of the jackknife's groups.

    Raises:
        BadInput: for samples that cannot be used, in one line.
    """
    evidence = Evidence.of(real, plan, synthetic, seed)
    return _Adviser(evidence, Exchange(evidence)).advice(details)


@dataclass(frozen=True, eq=False)
class _Adviser:
    """Says what the evidence calls for."""

    evidence: Evidence
    exchange: Exchange

    def advice(self, details: bool) -> Advice:
        """Everything, or without `details` what the verdict needs."""
        e = self.evidence
        budget, family = float(e.plan.budget), e.family(e.population)
        sizes = np.unique(np.round(np.geomspace(max(budget / 100, 1), budget, CURVE))) if details else np.array([budget])
        tuned, plain = ([e.chosen(family, one) for one in curve(family, sizes, omega)] for omega in (None, 1.0))
        joint = e.chosen(family, best_mix(family, budget))
        mixes = [(one.m, one.omega, one.gamma) for one in (*tuned, *plain, joint)]
        value, se, low, high = e.gains(mixes)
        k, base = len(sizes), e.baseline
        ends = np.array([np.minimum(low, value) - SIGMAS * se, np.maximum(high, value) + SIGMAS * se])
        points = [_point(base, 0.0, 1.0, base.gamma, 0.0, (0.0, 0.0), 0.0)]
        points += [_point(base, one.m, one.omega, one.gamma, value[i], ends[:, i], value[k + i]) for i, one in enumerate(tuned)]

        def of(i: int) -> Gain:
            return Gain(float(value[i]), float(se[i]), float(ends[0, i]), float(ends[1, i]))

        gain, plain_gain = of(2 * k), of(2 * k - 1)
        best = Choice(joint.m, joint.omega, joint.gamma, float(base.accuracy + gain.value), float(np.hypot(gain.se, base.se)))
        measured = None
        notes = list(self._notes())
        if e.file is not None:
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
        worth, worth_next = self.exchange.worth(best) if details or not best.m else (float("nan"), float("nan"))
        break_even = self.exchange.break_even() if details and not e.self_fitted else None
        return Advice(verdict, reason, e.n, e.X.shape[1], len(e.classes), e.plan.budget, base, best, float(enough), gain,
                      plain_gain, tuple(points), worth, worth_next, self.exchange.needed if details else float("nan"), break_even, measured,
                      None if e.file is None else e.file.found, tuple(notes), None if e.file is None else e.file.keep)

    def _notes(self) -> list[str]:
        e = self.evidence
        found = []
        generated = (0, 0) if e.file is None else (e.file.m, getattr(e.synthetic, "total", 0))
        for what, used, total in (("real", len(e.X), e.n), ("synthetic", *generated)):
            if used < total:
                found.append(f"Of the {total:,} {what} samples a random {used:,} were used for what is measured here.")
        spread = e.X.std(axis=0)
        moving = spread[spread > 0]
        if moving.max() > 100 * moving.min():
            found.append("The features have very different scales, which a ridge does not forgive: standardise them first.")
        if e.file is not None and e.file.self_fitted and e.plan.generator.kind != "self-fitted":
            found.append("The generator's means are those of these very real samples: it was fitted on them and is treated as self-fitted.")
        if e.file is None and not e.self_fitted and not e.plan.known:
            epsilon, verifier = e.plan_noise()
            found.append(f"Not all of epsilon, rho and phi are given: the advised mix is for epsilon {epsilon:g}, rho {verifier.rho:g} and "
                         f"phi {verifier.phi:g}, its band for anything from the best to the worst.")
        if e.population.counts.min() < 10:
            found.append(f"A class has only {e.population.counts.min()} real samples: everything here is rough.")
        return found

    def _verdict(self, gain: Gain, plain: Gain, measured: Measured | None) -> tuple[Verdict, str]:
        e = self.evidence
        points = f"{100 * gain.value:+.1f} points (standard error {100 * gain.se:.1f})"
        if e.self_fitted and measured is None:
            hurts = plain.value < -max(SMALLEST, plain.se)
            word: Verdict = "hurts" if hurts else "no difference you could measure"
            return word, ("The generator knows no more than the real samples it was fitted on, whatever the verifier keeps: tune the ridge "
                          "instead.")
        stated = "as stated" if e.noisy_plan.known else "with a middling verifier and noise"
        worst, best = gain.low + SIGMAS * gain.se, gain.high - SIGMAS * gain.se
        if gain.value > SMALLEST:
            if worst < SMALLEST and measured is None:
                return "depends on the verifier", f"It gains {points} {stated}, but nothing at the worst that may be{self.exchange.asked()}"
            sure = "" if gain.value > SIGMAS * gain.se else ": likely, not certain" if gain.value > gain.se else ": the better bet, no more"
            return "helps", f"The best mix gains {points}{sure}."
        if measured is None and best > SMALLEST:
            most = f"{100 * best:+.1f} points at the best that may be"
            return "depends on the verifier", f"It gains {most}, {points} {stated}{self.exchange.asked()}"
        if plain.value < -max(SMALLEST, plain.se):
            return "hurts", (f"Added with weight 1 it changes the accuracy by {100 * plain.value:+.1f} points, and no weight "
                             f"gains: {points}.")
        return "no difference you could measure", f"The best mix gains {points}, which cannot be told from nothing."

    def _measured(self) -> Measured:
        """The mix of the whole file that leave-one-out and theory choose together, and what both say of it."""
        e = self.evidence
        m, share = float(e.file.m), len(e.X) / e.n
        shares = SHARES[FEW_SHARES] if e.self_fitted else SHARES
        tried = e.tried(shares * len(e.X) / (m * e.file.kept))
        chosen = tried.choice()
        alpha, weight = tried.alphas[chosen], tried.weights[chosen]
        omega, gamma = float(weight / share), float(alpha / (share * (e.n + m)))
        found = e.path(np.array([alpha]), weight)[0]
        base = e.baseline.accuracy
        gain = float(calibrated(tried.corrected()[1], e.alone_corrected[1], base, len(e.classes))[0]) - base
        _, gain_se = found.gain(e.without)  # that of the smooth gain comes out two to four times too small (docs/advise.md)
        value, se, _, _ = e.gains([(m, omega, gamma)])
        agree = abs(gain - value[0]) <= SIGMAS * np.hypot(gain_se, se[0])
        return Measured(e.file.m, e.file.kept, omega, gamma, found.accuracy, found.se, gain, float(gain_se), float(value[0]),
                        float(se[0]), bool(agree))

    def _corrected(self, measured: Measured, plain: Gain, points: list[Point]) -> tuple[Gain, Gain, Choice, list[Point]]:
        """The theory's gains, moved to go through the measured one: by its error there, in proportion to the gain up to that m."""
        e = self.evidence
        base = e.baseline
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
        best = Choice(float(measured.m), measured.omega, measured.gamma, float(base.accuracy + value), float(np.hypot(base.se, se_there)))
        return gain, plain, best, points


def _point(
    base: Baseline, m: float, omega: float, gamma: float, gain: float, ends: Sequence[float], plain: float
) -> Point:
    """A point of the curve from its gain and the ends of its band; the error of the baseline is added to those in squares."""
    low, high = (gain + np.sign(end - gain) * np.hypot(end - gain, SIGMAS * base.se) if end != gain else gain + side
                 for end, side in zip(ends, (-SIGMAS * base.se, SIGMAS * base.se), strict=True))
    return Point(m, omega, gamma, *map(float, (base.accuracy + gain, max(base.accuracy + low, 0), min(base.accuracy + high, 1), *ends,
                                               base.accuracy + plain)))
