"""Claims: the statements of a figure, and whether the measurements bear them out.

The rule for a number measured with a standard error: it agrees with the theory if |theory - mean| <= 4 SE + b, where b is a
stated finite-size budget, and the check has power only if the SE is bounded too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...sims.monte_carlo import Estimate

SIGMAS = 4.0
Kind = Literal["agrees", "falls outside", "at most", "at least"]


@dataclass(frozen=True)
class Claim:
    """A claim and its evidence.

    Attributes
    ----------
    name : str
        Up to the first comma the family of the claim.
    kind : str
    theory, measured, se : float
    tolerance : float
        How far measured may be from theory; of an inequality the bound.
    holds : bool
    note : str
    """

    name: str
    kind: Kind
    theory: float
    measured: float
    se: float
    tolerance: float
    holds: bool
    note: str = ""


def agrees(name: str, theory: float, measured: Estimate, budget: float, *, se_at_most: float = math.inf) -> Claim:
    """Claim that the theory lies within 4 SE + budget of the measured mean, and that the SE is small enough for that to mean something.

    Parameters
    ----------
    name : str
    theory : float
    measured : Estimate
    budget : float
        For finite sizes.
    se_at_most : float
        The largest standard error with which the claim can hold.
    """
    tolerance = SIGMAS * measured.se + budget
    holds = abs(theory - measured.mean) <= tolerance and measured.se <= se_at_most
    note = "" if measured.se <= se_at_most else f"standard error above {se_at_most:g}: too few trials to judge"
    return Claim(name, "agrees", theory, measured.mean, measured.se, tolerance, holds, note)


def pooled(name: str, claims: Sequence[Claim]) -> Claim:
    """Claim that measured over theory is 1 on average over claims of kind "agrees", so that a bias too small for each of them is seen.

    Noise, which must be independent, averages out; budgets do not: theirs is the average budget. So points with a small budget weigh most.
    """
    theory, measured, se, tolerance = np.array([(one.theory, one.measured, one.se, one.tolerance) for one in claims if one.theory]).T
    size = np.abs(theory)
    noise, budget = se / size, (tolerance - SIGMAS * se) / size
    weights = 1 / (SIGMAS**2 * noise**2 / len(noise) + budget**2)
    weights /= weights.sum()
    mean = Estimate(float(weights @ (measured / theory)), float(np.linalg.norm(weights * noise)))
    return agrees(f"{name} on average", 1.0, mean, float(weights @ budget))


def pooled_by_quantity(claims: Iterable[Claim]) -> list[Claim]:
    """Return a `pooled` claim for every family of claims of kind "agrees" whose theory is not 0 throughout."""
    return [pooled(what, members) for (what, kind), members in families(claims).items()
            if kind == "agrees" and any(one.theory for one in members)]


def falls_outside(name: str, wrong: float, measured: Estimate, budget: float) -> Claim:
    """Claim that a wrong formula is rejected by the rule of `agrees`: the check can fail. What is no number rejects nothing."""
    tolerance = SIGMAS * measured.se + budget
    return Claim(name, "falls outside", wrong, measured.mean, measured.se, tolerance, abs(wrong - measured.mean) > tolerance)


def at_most(name: str, measured: float, bound: float, se: float = 0.0) -> Claim:
    """Claim that a measured number is at most a bound."""
    return Claim(name, "at most", bound, measured, se, bound, measured <= bound)


def at_least(name: str, measured: float, bound: float, se: float = 0.0) -> Claim:
    """Claim that a measured number is at least a bound."""
    return Claim(name, "at least", bound, measured, se, bound, measured >= bound)


@dataclass(frozen=True)
class Budget:
    """How far the limit may be from finite size p, besides noise.

    Attributes
    ----------
    accuracy : float
        Absolute.
    relative : float
        Of mean margin and variance, whose corrections are of order 1/p.
    """

    accuracy: float
    relative: float

    @classmethod
    def at(cls, p: int, *, interpolating: bool = False) -> Budget:
        """Return the budget at dimension p: 0.001 of accuracies and 1/p of mean margin and variance; near interpolation 0.3/p and 10/p."""
        return cls(0.3 / p, 10 / p) if interpolating else cls(0.001, 1 / p)


def summary(claims: Iterable[Claim]) -> list[tuple[str, str, int, float, bool]]:
    """Return for each family of claims: its name, kind, size, the largest share of its tolerance that is used, and whether all hold."""
    return [(what, kind, len(members), max(map(_used, members)), all(claim.holds for claim in members))
            for (what, kind), members in families(claims).items()]


@np.errstate(all="ignore")
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


@np.errstate(all="ignore")  # of settings far out
def _used(claim: Claim) -> float:
    if claim.kind == "agrees":
        return abs(claim.theory - claim.measured) / claim.tolerance if claim.tolerance else float(claim.theory != claim.measured)
    if claim.kind == "falls outside":
        return claim.tolerance / abs(claim.theory - claim.measured) if claim.theory != claim.measured else math.inf
    ratio = claim.measured / claim.tolerance if claim.tolerance else math.nan
    return ratio if claim.kind == "at most" else (1 / ratio if ratio else math.inf)
