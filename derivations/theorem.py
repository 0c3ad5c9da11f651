"""The parts of a chapter: equations to print, functions to generate, checks to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy as sp


@dataclass(frozen=True)
class Equation:
    """A displayed equation.

    Attributes
    ----------
    says
        What the equation states, in words; formulas between dollar signs.
    relation
        The SymPy object that is printed.
    label
        Name by which texts refer to the equation, as in `@eq:label`.
    """

    says: str
    relation: sp.Basic
    label: str = ""


@dataclass(frozen=True)
class Function:
    """A function to generate.

    Attributes
    ----------
    name, doc
        Its name and the first line of its docstring.
    arguments
        Its arguments, in order.
    results
        Its results by name, in order, as expressions of the arguments.
    """

    name: str
    doc: str
    arguments: tuple[sp.Symbol, ...]
    results: Mapping[str, sp.Expr]


@dataclass(frozen=True)
class Switch:
    """A function to generate that has one set of formulas for each value of its first argument, the whole number `kind`.

    Attributes
    ----------
    name, doc
        Its name and the first line of its docstring.
    arguments
        Its arguments behind `kind`, in order.
    cases
        For kind = 0, 1, ...: its results by name, in order. Results that are `Piecewise` with the same conditions become branches.
    """

    name: str
    doc: str
    arguments: tuple[sp.Symbol, ...]
    cases: tuple[Mapping[str, sp.Expr], ...]


@dataclass(frozen=True)
class Theorem:
    """A chapter of the report, and the generated module of its functions.

    Attributes
    ----------
    name
        Name of the chapter, and of the module in `solvers/generated` if there are functions.
    title
        Heading in the report.
    text
        Paragraphs in Markdown, formulas between dollar signs.
    equations
        The displayed equations, in order.
    functions
        The functions to generate.
    constants
        Values to generate beside them, by name.
    after
        Name of the chapter that this one comes behind; None for the first.
    javascript
        Whether the functions are generated in JavaScript too, for the page in a browser.
    """

    name: str
    title: str
    text: str
    equations: tuple[Equation, ...]
    functions: tuple[Function | Switch, ...] = ()
    constants: Mapping[str, object] = field(default_factory=dict, kw_only=True)
    after: str | None = field(kw_only=True)
    javascript: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class CheckResult:
    """The outcome of a check.

    Attributes
    ----------
    holds
        Whether the check passes.
    found
        The evidence, one line.
    """

    holds: bool
    found: str


@dataclass(frozen=True)
class Check:
    """A named check.

    Attributes
    ----------
    name
        Its name.
    compares
        The two sides that are compared, in words; formulas between dollar signs.
    run
        The function that compares them.
    """

    name: str
    compares: str
    run: Callable[[], CheckResult] = field(repr=False)

    @property
    def module(self) -> str:
        """Name of the module that holds the check."""
        return self.run.__module__


CHECKS: list[Check] = []


def check(name: str, compares: str) -> Callable[[Callable[[], CheckResult]], Callable[[], CheckResult]]:
    """Register the decorated function as a check that `derive` runs.

    Parameters
    ----------
    name : str
        By which `derive --only` finds it.
    compares : str
        What is compared with what, for the report; formulas in dollar signs.
    """

    def register(run: Callable[[], CheckResult]) -> Callable[[], CheckResult]:
        CHECKS.append(Check(name, compares, run))
        return run

    return register


def _differs(numerator: sp.Expr) -> bool:
    """Whether the polynomial is not 0 at some rational point, which settles quickly that it does not vanish."""
    point = {symbol: sp.Rational(2 * i + 3, 3 * i + 7) for i, symbol in enumerate(sorted(numerator.free_symbols, key=str))}
    value = numerator.xreplace(point).evalf(30)
    return bool(value.is_number and abs(value) > sp.Float("1e-15"))


def _expanded(numerator: sp.Expr) -> sp.Expr:
    """The numerator multiplied out; where it is a polynomial over the rationals by polynomial arithmetic, which is much faster."""
    symbols = sorted(numerator.free_symbols, key=str)
    try:
        return sp.ring(symbols, sp.QQ)[0].from_expr(numerator).as_expr()
    except ValueError:
        return sp.expand(numerator)


def vanishes(*expressions: sp.Expr, modulo: tuple[sp.Expr, sp.Symbol] | None = None) -> CheckResult:
    """Check that every expression is identically zero, as a rational function.

    Parameters
    ----------
    *expressions
        What is to vanish.
    modulo
        (polynomial, symbol): the expressions need to vanish only where this polynomial in the symbol does, on the fixed point.
    """
    left = []
    for expression in expressions:
        numerator = _expanded(sp.numer(sp.together(expression)))
        if modulo is not None and numerator != 0:
            numerator = sp.expand(sp.rem(numerator, sp.expand(modulo[0]), modulo[1]))
        if numerator != 0 and (_differs(numerator) or sp.simplify(numerator) != 0):
            left.append(numerator)
    count = f"{len(expressions)} difference{'s' if len(expressions) != 1 else ''}"
    if left:
        return CheckResult(False, f"{len(left)} of {count} left over, the first {str(left[0])[:120]}")
    return CheckResult(True, f"{count} reduce{'s' if len(expressions) == 1 else ''} to 0")
