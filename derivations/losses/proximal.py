r"""The losses, and their proximal steps.

A loss is one file of `derivations/losses` with a `LOSS`: SymPy expressions of the margin $u$ on consecutive intervals (base.py). Where
$\ell'$ is linear on each of them, the force $f(h) = -c\,\ell'(\mathrm{prox}(h))$ of a left-out margin is linear between the margins that
are generated here, and every Gaussian integral over it closes. A kink of the loss becomes an interval of its own, on which the step ends
at the kink. A smooth loss needs no proximal step to be integrated: $h = u + c\,\delta\,\ell'(u)$ is explicit in $u$.
"""

from __future__ import annotations

import importlib
import pkgutil

import mpmath as mp
import sympy as sp

from .. import losses as folder
from ..theorem import CheckResult, Equation, Switch, Theorem, check, vanishes
from .base import DELTA, THRESHOLD, C, H, Loss, U

DIGITS = 40
VALUES = {C: sp.Rational(7, 5), DELTA: sp.Rational(4, 3), THRESHOLD: sp.Rational(3, 5)}


def losses() -> tuple[Loss, ...]:
    """Every loss, those with a proximal step in closed form first, then by name. The place is the `kind` of the generated functions."""
    modules = (importlib.import_module(f"{folder.__name__}.{found.name}") for found in pkgutil.iter_modules(folder.__path__))
    found = [module.LOSS for module in modules if hasattr(module, "LOSS")]
    return tuple(sorted(found, key=lambda loss: (not loss.closed, loss.name)))


def functions() -> tuple[Switch, ...]:
    """The functions of a loss that solvers and simulations need."""
    found = losses()
    closed = [loss for loss in found if loss.closed]
    intervals = max(len(loss.forces) for loss in closed)

    def padded(loss: Loss) -> dict[str, sp.Expr]:
        forces = loss.forces
        rest = intervals - len(forces)
        ends = [force.end for force in forces[:-1]] + [sp.oo] * rest
        return {f"end_{i}": end for i, end in enumerate(ends)} | lines([(force.intercept, force.slope) for force in forces], rest)

    def lines(pairs: list[tuple[sp.Expr, sp.Expr]], rest: int) -> dict[str, sp.Expr]:
        pairs = pairs + [(sp.Integer(0), sp.Integer(0))] * rest
        return {f"{part}_{i}": value for i, pair in enumerate(pairs) for part, value in zip(("intercept", "slope"), pair, strict=True)}

    return (
        Switch("margin_loss", "A loss at the margin u, its slope (from the right at a kink) and its curvature.", (U, THRESHOLD),
               tuple({"value": loss.value, "slope": loss.slope, "curvature": loss.curvature} for loss in found)),
        Switch("margin_slopes", "Slope and curvature of a loss at the margin u.", (U, THRESHOLD),
               tuple({"slope": loss.slope, "curvature": loss.curvature} for loss in found)),
        Switch("linear_force", "Where the force of a left-out margin bends, then its intercept and slope on every interval.",
               (C, DELTA, THRESHOLD), tuple(padded(loss) for loss in closed)),
        Switch("linear_step", "Intercept and slope of the proximal step u on the same intervals.", (C, DELTA, THRESHOLD),
               tuple(lines([force.step for force in loss.forces], intervals - len(loss.forces)) for loss in closed)),
    )


@check("losses are convex", "values, slopes and, for smooth losses, curvatures of neighbouring intervals at their joint, at 40 digits; "
       "curvatures with numbers that are not negative")
def convex() -> CheckResult:
    wrong = []
    for loss in losses():
        for i, (expression, end) in enumerate(loss.pieces[:-1]):
            (below, above), (left, right) = (expression, loss.pieces[i + 1][0]), loss.slopes[i : i + 2]
            jumps = [_number(part.subs(U, end)) for part in (above - below, right - left, (right - left).diff(U))]
            joined = abs(jumps[0]) < 1e-15 and jumps[1] > -1e-15
            if not joined or (not loss.closed and max(abs(jumps[1]), abs(jumps[2])) > 1e-15):
                wrong.append(f"{loss.name} at {end}")
        for place in range(-60, 61):
            if _number(loss.curvature.subs(U, sp.Rational(place, 2))) < 0:
                wrong.append(f"{loss.name} at {place / 2}")
    return CheckResult(not wrong, ", ".join(wrong) or f"{len(losses())} losses join and bend upwards")


def _number(expression: sp.Expr) -> mp.mpf:
    return mp.mpf(str(sp.N(expression.subs(VALUES), DIGITS)))


@check("proximal steps in closed form", r"on every interval: stationarity of $c\,\ell(u) + (u - h)^2/(2\delta)$ at $u = h + \delta f$, "
       "or at a kink a force between the slopes there; the step at both sides of every end of an interval, where it stays on its own piece")
def closed_steps() -> CheckResult:
    left, wrong = [], []
    for loss in losses():
        if not loss.closed:
            continue
        begin = None
        for i, force in enumerate(loss.forces):
            if begin is not None:
                left.append((loss.forces[i - 1].prox - force.prox).subs(H, begin))
            middle = _middle(begin, force.end)
            u, pull = (_number(each.subs(H, middle)) for each in (force.prox, force.force))
            ends = [(_number(slope.subs(U, place)), place) for slope, place in _slopes_at(loss, u)]
            slopes = [slope for slope, _ in ends]
            kink = not force.prox.has(H) or sp.simplify(force.prox.diff(H)) == 0
            if kink:
                inside = min(slopes) <= -pull / _number(C) <= max(slopes)
                wrong += [] if inside else [f"{loss.name}: no subgradient at {middle}"]
            else:
                slope = loss.slopes[_piece(loss, u)]
                left.append(C * slope.subs(U, force.prox) + (force.prox - H) / DELTA)
            begin = force.end
    found = vanishes(*left)
    return CheckResult(found.holds and not wrong, "; ".join([found.found, *wrong]))


def _middle(begin: sp.Expr | None, end: sp.Expr) -> sp.Expr:
    """A left-out margin within an interval."""
    if begin is None and end == sp.oo:
        return sp.Integer(0)
    if begin is None:
        return end - 1
    return begin + 1 if end == sp.oo else (begin + end) / 2


def _piece(loss: Loss, u: mp.mpf) -> int:
    """The interval of the loss that holds u."""
    return next(i for i, (_, end) in enumerate(loss.pieces) if end == sp.oo or u < _number(end))


def _slopes_at(loss: Loss, u: mp.mpf) -> list[tuple[sp.Expr, sp.Expr]]:
    """The slopes of the pieces that meet at a kink, as (slope, place)."""
    return [(slope, end) for i, (_, end) in enumerate(loss.pieces[:-1]) if abs(_number(end) - u) < mp.mpf("1e-20")
            for slope in loss.slopes[i : i + 2]] or [(sp.Integer(0), sp.Integer(0))]


def theorem() -> Theorem:
    """The chapter on the losses."""
    found = losses()
    equations = [Equation(f"the {loss.title} loss", sp.Eq(sp.Function("ell")(U), loss.printed)) for loss in found]
    equations += [Equation(f"the force of the {loss.title} loss",
                           sp.Eq(sp.Function("f")(H), sp.Piecewise(*((force.force, True if force.end == sp.oo else force.end > H)
                                                                     for force in loss.forces))))
                  for loss in found if loss.closed]
    return Theorem(
        "losses",
        "The losses and their proximal steps",
        __doc__.split("\n\n", 1)[1],
        tuple(equations),
        functions(),
        constants={"NAMES": tuple(loss.name for loss in found), "CLOSED": sum(loss.closed for loss in found)},
        after="two_sides",
        javascript=True,
    )
