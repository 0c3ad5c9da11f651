"""The probit loss -log Phi(u): a label is right with probability Phi(u)."""

from __future__ import annotations

import sympy as sp
from sympy.codegen.cfunctions import log1p
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.pycode import PythonCodePrinter

from .base import Loss, U


class Phi(sp.Function):
    """The normal distribution function, generated as erfc(-u / sqrt 2) / 2, which SymPy's own erfc would turn round and cancel."""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """The density."""
        return sp.exp(-(self.args[0] ** 2) / 2) / sp.sqrt(2 * sp.pi)

    def _eval_evalf(self, precision: int) -> sp.Expr:
        return (sp.erfc(-self.args[0] / sp.sqrt(2)) / 2)._eval_evalf(precision)

    def _pythoncode(self, printer: PythonCodePrinter) -> str:
        return f"(0.5*math.erfc(-math.sqrt(0.5)*({printer._print(self.args[0])})))"

    def _javascript(self, printer: JavascriptCodePrinter) -> str:
        return f"(0.5*erfc(-Math.sqrt(0.5)*({printer._print(self.args[0])})))"

    def _latex(self, printer: sp.printing.latex.LatexPrinter) -> str:
        return rf"\Phi\left({printer._print(self.args[0])}\right)"


FAR = sp.Integer(-10)  # below it -u Phi(u) / density(u) is its asymptotic series, whose first term left out is below 1e-17
TERMS = 20


def series() -> sp.Expr:
    """1 - z (1 - 3 z (1 - 5 z ...)) at z = 1 / u^2."""
    nested = sp.Integer(1)
    for k in range(TERMS - 1, 0, -1):
        nested = 1 - (2 * k - 1) * nested / U**2
    return nested


LOSS = Loss(
    "probit",
    "probit",
    (
        (U**2 / 2 + sp.log(2 * sp.pi) / 2 + sp.log(-U) - sp.log(series()), FAR),
        (-sp.log(Phi(U)), sp.Integer(0)),
        (-log1p(-Phi(-U)), sp.oo),
    ),
)
