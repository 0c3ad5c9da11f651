"""Several files of synthetic samples: the best of them, without the optimism of choosing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .advise import advise
from .combining import combined
from .cross_validation import optimism
from .generated_file import Samples
from .plan import Plan
from .result import SMALLEST, Advice, Candidate, Choice, Gain
from .snippet import snippet
from .words import points, with_error


def advise_among(real: Samples, files: Sequence[tuple[str, Plan, Samples]], **options: object) -> tuple[Advice, int]:
    """Return the advice on the best of several files, and its place.

    Each file is judged alone, at its own best mix. The one with the highest gain looks better than it is because it was chosen: a random
    half of the real rows (or of the folds) chooses, the other half judges, and what it loses between the two is taken off.

    Parameters
    ----------
    real : Samples
    files : sequence of (name, Plan, Samples)
    **options
        As of `advise`.

    Raises
    ------
    BadInput
        As `advise`.
    """
    if len(files) == 1:
        name, plan, made = files[0]
        advice = advise(real, plan, made, **options)
        return replace(advice, candidates=(_candidate(name, advice, 0.0, True),)), 0
    quick = {**options, "details": False, "compare": False}
    alone = [advise(real, plan, made, **quick) for _, plan, made in files]
    chosen = int(np.argmax([one.gain.value for one in alone]))
    name, plan, made = files[chosen]
    best = alone[chosen]
    too_good = _measured_share(best) * optimism(np.array([one.units for one in alone]))
    advice = _less(advise(real, plan, made, **options), too_good, name, len(files))
    candidates = tuple(_candidate(files[i][0], one, too_good if i == chosen else 0.0, i == chosen) for i, one in enumerate(alone))
    return replace(advice, candidates=candidates, snippet=snippet(advice, real, made)), chosen


def _measured_share(advice: Advice) -> float:
    """How far a gain moves with the measurement of the file."""
    if (advice.model, advice.metric) != ("ridge", "accuracy"):
        return 1.0
    both = combined(advice.measured)
    return both.pull * both.share


def _candidate(name: str, advice: Advice, too_good: float, chosen: bool) -> Candidate:
    return Candidate(name, advice.verdict, advice.gain.value - too_good, advice.gain.se, advice.best.m, advice.best.omega, chosen)


def _less(advice: Advice, too_good: float, name: str, count: int) -> Advice:
    """The advice with a gain that is smaller by the optimism of the choice among `count` files."""
    gain = advice.gain
    gain = Gain(gain.value - too_good, gain.se, gain.low - too_good, gain.high - too_good)
    verdict, best = advice.verdict, advice.best
    if verdict in ("helps", "depends on the generator") and gain.value <= max(SMALLEST, gain.se):
        verdict = "too close to call"
    if gain.value <= SMALLEST and best.m:
        base = advice.baseline
        best = Choice(0.0, 0.0, 1.0, base.gamma, base.accuracy, base.se)
    elif best.m:
        best = replace(best, accuracy=best.accuracy - too_good)
    reason = (f"{name} is the best of {count} files: it gains {with_error(gain.value, gain.se)}, once the {points(too_good)} points that "
              f"it looks too good by because it was chosen are taken off. {advice.reason}")
    return replace(advice, verdict=verdict, best=best, gain=gain, reason=reason)
