"""The contract of a loss, and what follows from it: proximal step, force and curvature.

A loss ell(u) of the margin u is convex, given by SymPy expressions on consecutive intervals. Training moves the left-out margin h of a
sample of weight c and leverage delta to

    u = prox(h) = argmin_u c ell(u) + (u - h)^2 / (2 delta),      force f(h) = (u - h) / delta,      f = -c ell'(u) where ell is smooth.

Where ell' is linear on every interval (square, hinge, squared hinge, Huber), SymPy solves for u and the force is linear in h, interval by
interval. Any other loss is smooth and has its force by h = u + c delta ell'(u), which needs no solution (solvers/loss_side.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

U, H = sp.symbols("u h", real=True)
C, DELTA, THRESHOLD = sp.symbols("c delta threshold", positive=True)


@dataclass(frozen=True)
class LinearForce:
    """The force intercept + slope h of a left-out margin h up to `end`."""

    end: sp.Expr
    intercept: sp.Expr
    slope: sp.Expr

    @property
    def force(self) -> sp.Expr:
        """f(h)."""
        return self.intercept + self.slope * H

    @property
    def step(self) -> tuple[sp.Expr, sp.Expr]:
        """Intercept and slope of u = h + delta f."""
        return sp.factor(DELTA * self.intercept), sp.factor(1 + DELTA * self.slope)

    @property
    def prox(self) -> sp.Expr:
        """u."""
        return self.step[0] + self.step[1] * H


@dataclass(frozen=True)
class Loss:
    """A convex loss of the margin.

    Attributes
    ----------
    name
        As the command line spells it.
    title
        What it is called in the report.
    pieces
        Pairs (expression in U and THRESHOLD, upper end) of consecutive intervals, the last end oo. Pieces may be one function written in
        different ways, so that it can be evaluated without overflow.
    """

    name: str
    title: str
    pieces: tuple[tuple[sp.Expr, sp.Expr], ...]

    @property
    def value(self) -> sp.Expr:
        """ell(u)."""
        return self._joined([expression for expression, _ in self.pieces])

    @property
    def slope(self) -> sp.Expr:
        """ell'(u), from the right at a kink."""
        return self._joined(self.slopes)

    @property
    def curvature(self) -> sp.Expr:
        """ell''(u), without the mass that a kink carries."""
        return self._joined([_in_one_exponential(slope.diff(U)) for slope in self.slopes])

    @cached_property
    def slopes(self) -> list[sp.Expr]:
        """ell' on each interval."""
        return [_in_one_exponential(expression.diff(U)) for expression, _ in self.pieces]

    @property
    def printed(self) -> sp.Expr:
        """ell(u) for the report: pieces that are one smooth function by the last of them."""
        return self.value if self.closed else self.pieces[-1][0]

    @property
    def closed(self) -> bool:
        """Whether the proximal step is solved in closed form: ell' is linear on every interval."""
        return all(not slope.diff(U).has(U) for slope in self.slopes)

    @cached_property
    def forces(self) -> tuple[LinearForce, ...]:
        """The force as a function of the left-out margin, interval by interval; a kink of the loss becomes an interval too.

        Raises
        ------
        ValueError
            Where the loss is not closed.
        """
        if not self.closed:
            raise ValueError(f"the {self.name} loss has no proximal step in closed form")
        found, ends = [], [end for _, end in self.pieces]
        for i, (slope, end) in enumerate(zip(self.slopes, ends, strict=True)):
            (u,) = sp.solve(U + C * DELTA * slope - H, U)
            found.append(_linear(u, sp.oo if end == sp.oo else _left_out(end, slope)))
            if end != sp.oo and sp.simplify((self.slopes[i + 1] - slope).subs(U, end)) != 0:
                found.append(_linear(end, _left_out(end, self.slopes[i + 1])))
        return tuple(found)

    def _joined(self, expressions: list[sp.Expr]) -> sp.Expr:
        if len(expressions) == 1:
            return expressions[0]
        conditions = [end > U for _, end in self.pieces[:-1]]
        return sp.Piecewise(*zip(expressions, [*conditions, True], strict=True))


def _in_one_exponential(expression: sp.Expr) -> sp.Expr:
    """The expression in lowest terms where it is rational in exp(u) or in exp(-u), whichever it has: one exponential to compute."""
    if not expression.has(sp.exp) or expression.atoms(sp.Function) - expression.atoms(sp.exp):
        return expression
    sign = 1 if all(each.args[0].coeff(U) > 0 for each in expression.atoms(sp.exp)) else -1
    unit = sp.Symbol("unit", positive=True)
    rational = expression.replace(lambda each: isinstance(each, sp.exp), lambda each: unit ** (sign * each.args[0].coeff(U)))
    return sp.factor(rational).subs(unit, sp.exp(sign * U))


def _left_out(u: sp.Expr, slope: sp.Expr) -> sp.Expr:
    """The left-out margin that is moved to u."""
    return sp.simplify(u + C * DELTA * slope.subs(U, u))


def _linear(u: sp.Expr, end: sp.Expr) -> LinearForce:
    force = sp.Poly(sp.together((u - H) / DELTA), H)
    return LinearForce(end, sp.simplify(force.coeff_monomial(1)), sp.simplify(force.coeff_monomial(H)))
