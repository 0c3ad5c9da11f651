"""SymPy expressions to Numba source: the one place where an expression becomes code.

A generated module carries a header that says from what and by which command it was made. It is never edited.
"""

from __future__ import annotations

import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from synthmix.derivations.theorem import Function, Theorem

COMMAND = "python cli.py derive"
HEADER = '''"""{title}.

Generated from {origin} by `{command}`. Do not edit: change the derivation and run the command.
"""

import math

from numba import njit
'''


class _Printer(PythonCodePrinter):
    """Python source with small whole powers as products, which is what a compiled kernel should do."""

    def _print_Pow(self, expr: sp.Pow, rational: bool = False) -> str:
        exponent = expr.exp
        if expr.base.is_Symbol and exponent.is_Integer and 2 <= abs(exponent) <= 4:
            product = "*".join([expr.base.name] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"(1.0/({product}))"
        return super()._print_Pow(expr, rational=rational)


def function_source(function: Function) -> str:
    """One compiled function: common subexpressions first, then its results in order."""
    printer = _Printer({"fully_qualified_modules": True})
    plain = {symbol: sp.Symbol(name) for symbol, name in zip(function.arguments, argument_names(function), strict=True)}
    results = [sp.sympify(expression).subs(plain, simultaneous=True) for expression in function.results.values()]
    unknown = set().union(*(result.free_symbols for result in results)) - set(plain.values())
    if unknown:
        raise ValueError(f"{function.name} uses {sorted(map(str, unknown))}, which are not among its arguments")
    common, reduced = sp.cse(results, symbols=sp.numbered_symbols("w"), order="canonical")
    lines = [f"    {name} = {printer.doprint(value)}" for name, value in common]
    returned = ", ".join(printer.doprint(value) for value in reduced)
    names = ", ".join(function.results)
    return "\n".join([
        '@njit(cache=True, error_model="numpy")',
        f"def {function.name}({', '.join(argument_names(function))}):",
        f'    """{function.doc}\n\n    Returns {names}.\n    """',
        *lines,
        f"    return {returned}",
    ])


def argument_names(function: Function) -> list[str]:
    """The argument names without the index k of the source, and never a Python keyword."""
    names = []
    for symbol in function.arguments:
        name = symbol.name.removesuffix("_k").rstrip("_")
        names.append(symbol.name if name == "C" else name)
    return names


def module_source(theorem: Theorem, origin: str) -> str:
    """The text of the module generated from a theorem's functions."""
    header = HEADER.format(title=theorem.title, origin=origin, command=COMMAND)
    return header + "\n\n" + "\n\n\n".join(function_source(function) for function in theorem.functions) + "\n"
