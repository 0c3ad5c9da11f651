"""The gains to expect: of the best mix, of everything at weight 1, and along the curve over m; moved to what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..solvers.best_mix import Optimum, best_mix
from .combining import combined
from .evidence import SIGMAS, Evidence, curve
from .result import Baseline, Choice, CurvePoint, Gain, MeasuredGain, Rival

SIZES = 9  # numbers of synthetic samples on the curve


@dataclass(frozen=True, eq=False)
class Outlook:
    """Expected accuracies and gains.

    Attributes
    ----------
    baseline : Baseline
    best : Choice
        The best mix.
    gain : Gain
        Of the best mix.
    plain : Gain
        Of the whole budget at weight 1.
    curve : tuple of CurvePoint
        From m = 0 to the budget.
    """

    baseline: Baseline
    best: Choice
    gain: Gain
    plain: Gain
    curve: tuple[CurvePoint, ...]


def predicted(e: Evidence, details: bool) -> Outlook:
    """Return the outlook by theory, calibrated on leave-one-out.

    Parameters
    ----------
    e : Evidence
    details : bool
        False: the curve has the points 0 and budget only.
    """
    budget, base = float(e.plan.budget), e.baseline
    sizes = np.unique(np.round(np.geomspace(max(budget / 100, 1), budget, SIZES))) if details else np.array([budget])
    tuned, plain = ([e.with_best_ridge(e.family, mix) for mix in curve(e.family, sizes, omega)] for omega in (None, 1.0))
    nothing = Optimum(0.0, 1.0, base.gamma, base.accuracy, 0)
    best = e.with_best_ridge(e.family, best_mix(e.family, budget))
    best = replace(best, m=float(round(best.m))) if round(best.m) else nothing
    tuned_gains, plain_gains, best_gains = (e.gains([(mix.m, mix.omega, mix.gamma) for mix in mixes]) for mixes in (tuned, plain, [best]))
    points = [_point(base, nothing, 0.0, (0.0, 0.0), 0.0)]
    points += [_point(base, mix, *rest) for mix, *rest in zip(tuned, tuned_gains.value, tuned_gains.ends.T, plain_gains.value, strict=True)]
    gain, at_weight_1 = (Gain(*map(float, (one.value[-1], one.se[-1], *one.ends[:, -1]))) for one in (best_gains, plain_gains))
    kept = float(best.m * e.family.per_m.sum())
    choice = Choice(best.m, kept, best.omega, best.gamma, float(base.accuracy + gain.value), float(np.hypot(gain.se, base.se)))
    return Outlook(base, choice, gain, at_weight_1, tuple(points))


def corrected(outlook: Outlook, measured: MeasuredGain) -> Outlook:
    """Return the outlook with its gains moved towards the measured one, and the measured mix as the best.

    At the file's m they become the combined gain (`advice.combining`); below it they move in proportion to m. The gain at weight 1 is the
    measured one, unless the budget is larger than the file.
    """
    base, both = outlook.baseline, combined(measured)
    error, se = both.share * (measured.gain - measured.predicted_gain), both.se

    def moved(point: CurvePoint) -> CurvePoint:
        gain = both.pull * (point.accuracy - base.accuracy + error * min(1.0, point.m / measured.m))
        wide = SIGMAS * se * (point.m > 0)
        mix = Optimum(point.m, point.omega, point.gamma, base.accuracy + gain, 0)
        return _point(base, mix, gain, (gain - wide, gain + wide), point.plain - point.accuracy + gain)

    points = [moved(point) for point in outlook.curve]
    plain = _gain(measured.plain, measured.plain_se)
    if points[-1].m > measured.m:
        step = points[-1].plain - base.accuracy - outlook.plain.value
        plain = replace(outlook.plain, value=outlook.plain.value + step, low=outlook.plain.low + step, high=outlook.plain.high + step)
    best = Choice(float(measured.m), measured.m * measured.kept, measured.omega, measured.gamma, float(base.accuracy + both.value),
                  float(np.hypot(base.se, se)))
    return Outlook(base, best, _gain(both.value, se), plain, tuple(points))


def against(outlook: Outlook, rival: Rival, gamma: float) -> Outlook:
    """Return the outlook with a rival, of ridge gamma, as the baseline: all gains are smaller by its lead."""
    base = replace(outlook.baseline, accuracy=min(outlook.baseline.accuracy + rival.lead, 1.0), gamma=gamma, model=rival.name)
    lead = base.accuracy - outlook.baseline.accuracy

    def behind(gain: Gain) -> Gain:
        se = float(np.hypot(gain.se, rival.lead_se))
        wider = SIGMAS * (se - gain.se)
        return Gain(gain.value - lead, se, gain.low - lead - wider, gain.high - lead + wider)

    first = _point(base, Optimum(0.0, 1.0, base.gamma, base.accuracy, 0), 0.0, (0.0, 0.0), 0.0)
    rest = [replace(point, gain_low=point.gain_low - lead, gain_high=point.gain_high - lead) for point in outlook.curve[1:]]
    return Outlook(base, outlook.best, behind(outlook.gain), behind(outlook.plain), (first, *rest))


def _gain(value: float, se: float) -> Gain:
    return Gain(float(value), se, float(value - SIGMAS * se), float(value + SIGMAS * se))


def _point(base: Baseline, mix: Optimum, gain: float, ends: Sequence[float], plain: float) -> CurvePoint:
    """A point from its gain, the ends of the gain's band, and the gain at weight 1; the accuracy's band adds the baseline's error."""
    low, high = (gain + np.sign(end - gain) * np.hypot(end - gain, SIGMAS * base.se) if end != gain else gain + side
                 for end, side in zip(ends, (-SIGMAS * base.se, SIGMAS * base.se), strict=True))
    return CurvePoint(mix.m, mix.omega, mix.gamma, *map(float, (base.accuracy + gain, max(base.accuracy + low, 0),
                                                                min(base.accuracy + high, 1), *ends, base.accuracy + plain)))
