"""Claims: what a figure says, and the statistical verdict on it.

The rule for a number measured with a standard error: it agrees with the theory if |theory - mean| <= 4 SE + b, where b is a
stated finite-size budget, and the check has power only if the SE is bounded too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ...sims.monte_carlo import Estimate

SIGMAS = 4.0
Kind = Literal["agrees", "falls outside", "at most", "at least"]


@dataclass(frozen=True)
class Claim:
    """One claim and its evidence. tolerance: how far measured may be from theory (or the bound of an inequality)."""

    name: str
    kind: Kind
    theory: float
    measured: float
    se: float
    tolerance: float
    holds: bool
    note: str = ""


def agrees(name: str, theory: float, measured: Estimate, budget: float, *, se_at_most: float = math.inf) -> Claim:
    """The theory lies within 4 SE + budget of the measured mean, and the SE is small enough for that to mean something."""
    tolerance = SIGMAS * measured.se + budget
    holds = abs(theory - measured.mean) <= tolerance and measured.se <= se_at_most
    note = "" if measured.se <= se_at_most else f"standard error above {se_at_most:g}: too few trials to judge"
    return Claim(name, "agrees", theory, measured.mean, measured.se, tolerance, holds, note)


def falls_outside(name: str, wrong: float, measured: Estimate, budget: float) -> Claim:
    """A wrong formula is rejected by the same rule: the check can fail."""
    tolerance = SIGMAS * measured.se + budget
    return Claim(name, "falls outside", wrong, measured.mean, measured.se, tolerance, not abs(wrong - measured.mean) <= tolerance)


def at_most(name: str, measured: float, bound: float, se: float = 0.0) -> Claim:
    """A measured number is at most its bound."""
    return Claim(name, "at most", bound, measured, se, bound, measured <= bound)


def at_least(name: str, measured: float, bound: float, se: float = 0.0) -> Claim:
    """A measured number is at least its bound."""
    return Claim(name, "at least", bound, measured, se, bound, measured >= bound)


@dataclass(frozen=True)
class Budget:
    """The finite-size budget at dimension p: what the limit is allowed to miss besides noise.

    accuracy: absolute. relative: for mean margin and variance, whose corrections are of order 1/p.
    """

    accuracy: float
    relative: float

    @classmethod
    def at(cls, p: int, *, interpolating: bool = False) -> Budget:
        """0.001 for accuracies away from interpolation, 0.3/p near it; 1/p of mean margin and variance, or 10/p."""
        return cls(0.3 / p, 10 / p) if interpolating else cls(0.001, 1 / p)


def summary(claims: Iterable[Claim]) -> list[tuple[str, str, int, float, bool]]:
    """Claims by what they are about: (what, kind, how many, the largest share of its tolerance that is used, whether all hold)."""
    return [(what, kind, len(members), max(map(_used, members)), all(claim.holds for claim in members))
            for (what, kind), members in families(claims).items()]


def smallest_caught(claims: Iterable[Claim]) -> float | None:
    """Return the smallest relative error of the theory that the claims catch, whichever its sign; None where no number is compared.

    With every theory value multiplied by 1 + x, some claim of kind "agrees" fails for all |x| above the value returned.
    """
    compared = [claim for claim in claims if claim.kind == "agrees" and claim.theory]
    if not compared:
        return None
    gaps = [(claim.tolerance, (claim.theory - claim.measured) * math.copysign(1, claim.theory), abs(claim.theory)) for claim in compared]
    return max(max(0.0, min((tolerance - sign * gap) / size for tolerance, gap, size in gaps)) for sign in (1, -1))


def families(claims: Iterable[Claim]) -> dict[tuple[str, str], list[Claim]]:
    """Return claims by (what they are about, kind), in order."""
    found: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        found.setdefault((claim.name.split(",")[0], claim.kind), []).append(claim)
    return found


def _used(claim: Claim) -> float:
    if claim.kind == "agrees":
        return abs(claim.theory - claim.measured) / claim.tolerance if claim.tolerance else float(claim.theory != claim.measured)
    if claim.kind == "falls outside":
        return claim.tolerance / abs(claim.theory - claim.measured) if claim.theory != claim.measured else math.inf
    ratio = claim.measured / claim.tolerance if claim.tolerance else math.nan
    return ratio if claim.kind == "at most" else (1 / ratio if ratio else math.inf)
