"""SymPy expressions to Numba source.

A generated module carries a header that says from what and by which command it was made. It is never edited.
"""

from __future__ import annotations

import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from .theorem import Function, Switch, Theorem

COMMAND = "python cli.py derive"
HEADER = '''"""{title}.

Generated from {origin} by `{command}`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit
'''


class _Printer(PythonCodePrinter):
    """Python source with small whole powers as products, which is what a compiled kernel should do."""

    def _print_Pow(self, expr: sp.Pow, rational: bool = False) -> str:
        exponent = expr.exp
        if expr.base.is_Symbol and exponent.is_Integer and 2 <= abs(exponent) <= 4:
            product = "*".join([expr.base.name] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"(1.0/({product}))"
        return super()._print_Pow(expr, rational=rational)


_PRINTER = _Printer({"fully_qualified_modules": True})


def function_source(function: Function | Switch) -> str:
    """The source of a compiled function: common subexpressions first, then its results in order."""
    if isinstance(function, Switch):
        branches = [[f"    if kind == {kind}:", *_lines(function, case, "        ")] for kind, case in enumerate(function.cases)]
        body = [line for branch in branches for line in branch] + [f'    raise ValueError("{function.name}: there is no such kind")']
        names, results = ["kind", *argument_names(function)], function.cases[0]
    else:
        body, names, results = _lines(function, function.results, "    "), argument_names(function), function.results
    returned = ", ".join(results)
    return "\n".join([
        '@njit(cache=True, error_model="numpy")',
        f"def {function.name}({', '.join(names)}):",
        f'    """{function.doc}\n\n    Returns {returned}.\n    """',
        *body,
    ])


def _lines(function: Function | Switch, formulas: dict[str, sp.Expr], indent: str) -> list[str]:
    """The statements that compute results by name from the arguments."""
    lines = []
    for condition, part in branches(function, formulas):
        inner = indent if condition is None else indent + "    "
        lines += [] if condition is None else [f"{indent}if {_PRINTER.doprint(plain(function, condition))}:"]
        common, reduced = sp.cse([plain(function, result) for result in part], symbols=sp.numbered_symbols("w"), order="canonical")
        returned = ", ".join(f"{value}.0" if value.is_Integer else _PRINTER.doprint(value) for value in reduced)
        lines += [*(f"{inner}{name} = {_PRINTER.doprint(value)}" for name, value in common), f"{inner}return {returned}"]
    return lines


def branches(function: Function | Switch, formulas: dict[str, sp.Expr]) -> list[tuple[sp.Basic | None, list[sp.Expr]]]:
    """Return where a function branches, as (condition, results there), the last condition None; a `Switch` does where its formulas do."""
    results = [sp.sympify(expression) for expression in formulas.values()]
    conditions = {tuple(condition for _, condition in result.args) for result in results if isinstance(result, sp.Piecewise)}
    if not isinstance(function, Switch) or not conditions:
        return [(None, results)]
    (shared,) = conditions
    return [(None if condition == sp.true else condition,
             [result.args[i][0] if isinstance(result, sp.Piecewise) else result for result in results])
            for i, condition in enumerate(shared)]  # fmt: skip


def plain(function: Function | Switch, expression: sp.Basic) -> sp.Basic:
    """Return the expression in the names of the generated arguments.

    Raises
    ------
    ValueError
        Where it uses a symbol that is not among them.
    """
    plain = {symbol: sp.Symbol(name) for symbol, name in zip(function.arguments, argument_names(function), strict=True)}
    found = expression.subs(plain, simultaneous=True)
    unknown = found.free_symbols - set(plain.values())
    if unknown:
        raise ValueError(f"{function.name} uses {sorted(map(str, unknown))}, which are not among its arguments")
    return found


def argument_names(function: Function | Switch) -> list[str]:
    """The argument names without the index k of the source, and never a Python keyword.

    Parameters
    ----------
    function : Function or Switch
    """
    names = []
    for symbol in function.arguments:
        name = symbol.name.removesuffix("_k").rstrip("_")
        names.append(symbol.name if name == "C" else name)
    return names


def module_source(theorem: Theorem, origin: str) -> str:
    """The text of the module generated from a theorem's functions.

    Parameters
    ----------
    theorem : Theorem
    origin : str
        Path of the chapter, for the header.
    """
    header = HEADER.format(title=theorem.title, origin=origin, command=COMMAND)
    constants = "".join(f"\n{name} = {value!r}" for name, value in theorem.constants.items())
    functions = "\n\n\n".join(function_source(function) for function in theorem.functions)
    return header + (f"{constants}\n" if constants else "") + f"\n\n{functions}\n"
