"""SymPy expressions to JavaScript source, for the page in a browser: the second target of the functions that `codegen.py` prints for Numba.

A generated file defines one object with the functions of a chapter. A function with several results returns them in an array.
"""

from __future__ import annotations

import sympy as sp
from sympy.printing.jscode import JavascriptCodePrinter

from .codegen import COMMAND, argument_names, plain
from .theorem import Function, Theorem

HEADER = """// {title}.
//
// Generated from {origin} by `{command}`. Do not edit: change the derivation and run the command.
"""


class _Printer(JavascriptCodePrinter):
    """JavaScript source; erfc, which the language lacks, is a function of the page's own."""

    def _print_erfc(self, expr: sp.erfc) -> str:
        return f"erfc({self._print(expr.args[0])})"

    def _print_erf(self, expr: sp.erf) -> str:
        return f"(1 - erfc({self._print(expr.args[0])}))"


_PRINTER = _Printer()


def function_source(function: Function) -> str:
    """Return one function: common subexpressions first, then its results in order."""
    names, results = argument_names(function), [plain(function, sp.sympify(result)) for result in function.results.values()]
    common, reduced = sp.cse(results, symbols=sp.numbered_symbols("w"), order="canonical")
    returned = [_printed(value) for value in reduced]
    return "\n".join([
        f"  /** {function.doc} Returns {', '.join(function.results)}. */",
        f"  {function.name}({', '.join(names)}) {{",
        *(f"    const {name} = {_printed(value)};" for name, value in common),
        f"    return {returned[0] if len(returned) == 1 else '[' + ', '.join(returned) + ']'};",
        "  },",
    ])


def _printed(value: sp.Basic) -> str:
    """The expression on one line."""
    return " ".join(_PRINTER.doprint(value).split())


def object_source(theorem: Theorem, origin: str) -> str:
    """Return the text of the file generated from a theorem's functions.

    Raises
    ------
    ValueError
        For a theorem with a `Switch`, which only the Numba target has.
    """
    if not all(isinstance(function, Function) for function in theorem.functions):
        raise ValueError(f"{theorem.name}: only plain functions are printed in JavaScript")
    functions = "\n\n".join(function_source(function) for function in theorem.functions)
    return HEADER.format(title=theorem.title, origin=origin, command=COMMAND) + f"\nconst {theorem.name} = {{\n{functions}\n}};\n"
