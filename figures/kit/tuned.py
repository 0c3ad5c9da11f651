"""What is claimed of fine-tuning."""

from __future__ import annotations

from ...language.tuned_scores import REAL, TunedScores
from .claims import Claim, at_least, at_most


def tuned_claims(scores: TunedScores) -> list[Claim]:
    """Claim the orderings, where there was more than one run: a single one is a measurement.

    The first of two verifiers is the better; it gains on real data alone, unless the labels that it keeps carry no signal (lambda = 0).

    Parameters
    ----------
    scores : TunedScores
    """
    if scores.repeats == 1:
        return []
    claims = []
    for one in scores.gains:
        noise = "" if one.epsilon is None else f", epsilon={one.epsilon:g}"
        if one.over != REAL:
            claims.append(at_least(f"{one.of} above {one.over} by two standard errors{noise}", one.mean, 2 * one.se, one.se))
        elif one.signal == 0:
            claims.append(at_most(f"no gain within two standard errors where lambda = 0{noise}, {one.of}", one.mean, 2 * one.se, one.se))
        else:
            claims.append(at_least(f"a gain above two standard errors{noise}, {one.of}", one.mean, 2 * one.se, one.se))
    return claims
