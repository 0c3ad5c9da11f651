"""SymPy expressions to JavaScript source: the same functions that `codegen.py` prints for Numba.

A generated file defines one object with the functions and constants of a chapter. A function with several results returns them in an array.
"""

from __future__ import annotations

import json

import sympy as sp
from sympy.codegen.cfunctions import log1p
from sympy.printing.jscode import JavascriptCodePrinter

from .codegen import COMMAND, argument_names, branches, plain
from .theorem import Function, Switch, Theorem

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

    def _print_log1p(self, expr: log1p) -> str:
        return f"Math.log1p({self._print(expr.args[0])})"

    def _print_Infinity(self, expr: sp.Expr) -> str:
        return "Infinity"


_PRINTER = _Printer()


def function_source(function: Function | Switch) -> str:
    """Return one function: common subexpressions first, then its results in order."""
    if isinstance(function, Switch):
        names, results = ["kind", *argument_names(function)], function.cases[0]
        body = []
        for kind, case in enumerate(function.cases):
            body += [f"    if (kind === {kind}) {{", *_lines(function, case, "      "), "    }"]
        body.append(f'    throw new RangeError("{function.name}: there is no such kind");')
    else:
        names, results = argument_names(function), function.results
        body = _lines(function, results, "    ")
    return "\n".join([f"  /** {function.doc} Returns {', '.join(results)}. */", f"  {function.name}({', '.join(names)}) {{", *body, "  },"])


def _lines(function: Function | Switch, formulas: dict[str, sp.Expr], indent: str) -> list[str]:
    """The statements that compute results by name from the arguments."""
    lines = []
    for condition, part in branches(function, formulas):
        inner = indent if condition is None else indent + "  "
        common, reduced = sp.cse([plain(function, result) for result in part], symbols=sp.numbered_symbols("w"), order="canonical")
        returned = ", ".join(_printed(value) for value in reduced)
        found = [*(f"{inner}const {name} = {_printed(value)};" for name, value in common),
                 f"{inner}return {returned if len(reduced) == 1 else f'[{returned}]'};"]  # fmt: skip
        lines += found if condition is None else [f"{indent}if ({_printed(plain(function, condition))}) {{", *found, f"{indent}}}"]
    return lines


def _printed(value: sp.Basic) -> str:
    """The expression on one line."""
    return " ".join(_PRINTER.doprint(value).split())


def object_source(theorem: Theorem, origin: str) -> str:
    """Return the text of the file generated from a theorem's functions and constants.

    Parameters
    ----------
    theorem : Theorem
    origin : str
        Path of the chapter, for the header.
    """
    constants = "".join(f"  {name}: {json.dumps(value)},\n" for name, value in theorem.constants.items())
    functions = "\n\n".join(function_source(function) for function in theorem.functions)
    body = "\n".join(part for part in (constants, functions) if part)
    return HEADER.format(title=theorem.title, origin=origin, command=COMMAND) + f"\nconst {theorem.name} = {{\n{body}\n}};\n"
