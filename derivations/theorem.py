"""What a derivation hands on: equations to print, functions to generate, checks to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import sympy as sp


@dataclass(frozen=True)
class Equation:
    """One line of the derivation: what it says in words, and the SymPy object that is printed."""

    says: str
    relation: sp.Basic


@dataclass(frozen=True)
class Function:
    """A function to generate: its arguments in order and its named results, as SymPy expressions of the arguments."""

    name: str
    doc: str
    arguments: tuple[sp.Symbol, ...]
    results: dict[str, sp.Expr]


@dataclass(frozen=True)
class Theorem:
    """A chapter of the report and, if it has functions, one generated module of its own."""

    name: str
    title: str
    text: str
    equations: tuple[Equation, ...]
    functions: tuple[Function, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What a check found: whether it holds, and the evidence in one line."""

    holds: bool
    found: str


@dataclass(frozen=True)
class Check:
    """A named check, with what it compares."""

    name: str
    compares: str
    run: Callable[[], Verdict] = field(repr=False)


CHECKS: list[Check] = []


def check(name: str, compares: str) -> Callable[[Callable[[], Verdict]], Callable[[], Verdict]]:
    """Register a function as a check that `derive` runs."""

    def register(run: Callable[[], Verdict]) -> Callable[[], Verdict]:
        CHECKS.append(Check(name, compares, run))
        return run

    return register


def _differs(numerator: sp.Expr) -> bool:
    """Whether it is not 0 at some point of rational numbers: a quick no before a slow search for a yes."""
    point = {symbol: sp.Rational(2 * i + 3, 3 * i + 7) for i, symbol in enumerate(sorted(numerator.free_symbols, key=str))}
    value = numerator.xreplace(point).evalf(30)
    return bool(value.is_number and abs(value) > sp.Float("1e-15"))


def vanishes(*expressions: sp.Expr, modulo: tuple[sp.Expr, sp.Symbol] | None = None) -> Verdict:
    """Whether every expression is identically zero, as a rational function.

    modulo: (polynomial, symbol): zero only where the polynomial in the symbol is zero, that is on the fixed point.
    """
    left = []
    for expression in expressions:
        numerator = sp.expand(sp.numer(sp.together(expression)))
        if modulo is not None and numerator != 0:
            numerator = sp.expand(sp.rem(numerator, sp.expand(modulo[0]), modulo[1]))
        if numerator != 0 and (_differs(numerator) or sp.simplify(numerator) != 0):
            left.append(numerator)
    count = f"{len(expressions)} difference{'s' if len(expressions) != 1 else ''}"
    if left:
        return Verdict(False, f"{len(left)} of {count} left over, the first {str(left[0])[:120]}")
    return Verdict(True, f"{count} reduce{'s' if len(expressions) == 1 else ''} to 0")
