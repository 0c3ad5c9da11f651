r"""The derivation as a document: Markdown with LaTeX, and from it one HTML page with MathML. Every equation is printed from SymPy
objects.

Texts of chapters, equations and checks are Markdown with formulas between dollar signs. `@eq:label` becomes a link to the equation
that has this label, and `[words](#name)` links to the chapter of this name.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from types import ModuleType

import sympy as sp
from sympy.printing.latex import LatexPrinter

from .chapters import chapters, origin
from .derive import Checked, Departure
from .theorem import Theorem

TITLE = "Learning with synthetic data: the derivation"
LONG = 75  # characters on a line of a displayed sum, as `_width` counts them
STYLE = """body{font:17px/1.6 Georgia,serif;max-width:54em;margin:2.5em auto;padding:0 1.2em;color:#222;background:#fff}
h1,h2{font-weight:600;line-height:1.25}h2{margin-top:2.8em;border-top:1px solid #ccc;padding-top:1em}
a{color:#14507a;text-decoration:none}a:hover{text-decoration:underline}math{font-size:1.06em}
.equation{display:flex;align-items:center;gap:1em;margin:.5em 0 1.1em 1.5em}
.equation .formula{flex:1;min-width:0;overflow-x:auto;overflow-y:hidden;padding:.35em 0}
.equation .number{color:#666;font-size:.9em}.equation:target,h2:target{background:#fff6d6}
mtd{padding:.3em .5em}mtable[displaystyle] mtd{padding:.25em .15em;text-align:left}mtable[displaystyle] mtd:first-child{text-align:right}
pre{background:#f6f6f4;padding:.7em 1em;overflow-x:auto;font-size:.85em}
table{border-collapse:collapse;font-size:.88em;line-height:1.45;margin:1em 0}
td,th{border-bottom:1px solid #ddd;padding:.4em .8em .4em 0;text-align:left;vertical-align:top}
td:first-child{min-width:9em}.fails{color:#b00020;font-weight:600}"""


def markdown(results: Sequence[Checked], departures: Sequence[Departure]) -> str:
    """Return the document as Markdown with LaTeX.

    Parameters
    ----------
    results
        The checks that were run; each is listed in its chapter.
    departures
        Where the published formula departs.
    """
    book = chapters()
    numbers = _equation_numbers(book)
    failing = [each.check.name for each in results if not each.result.holds]
    summary = f"{len(failing)} of {len(results)} checks fail: {', '.join(failing)}." if failing else f"All {len(results)} checks hold."
    lines = [f"# {TITLE}", "", f"Every equation is printed from the SymPy objects that the solvers are generated from. {summary}", ""]
    lines += [f"{i}. [{theorem.title}](#{theorem.name})" for i, (_, theorem) in enumerate(book, start=1)]
    rest = [each for each in results if each.check.module not in {module.__name__ for module, _ in book}]
    last = [("evaluation", "Checks by evaluation")] * bool(rest) + [("departures", "Where the published formula departs, in numbers")]
    lines += [f"{i}. [{title}](#{name})" for i, (name, title) in enumerate(last, start=len(book) + 1)]
    for i, (module, theorem) in enumerate(book, start=1):
        lines += _chapter(i, module, theorem, numbers, [each for each in results if each.check.module == module.__name__])
    for i, (name, title) in enumerate(last, start=len(book) + 1):
        lines += ["", *_heading(i, name, title), ""]
        lines += _check_table(rest, numbers) if name == "evaluation" else _departure_table(departures)
    return "\n".join(lines) + "\n"


def html_page(results: Sequence[Checked], departures: Sequence[Departure]) -> str:
    """Return the document as one HTML page that needs nothing else; parameters as for `markdown`."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": True}).enable("table").use(dollarmath_plugin, renderer=_mathml)
    body = parser.render(markdown(results, departures))
    # the plugin wraps a displayed formula in a box of its own
    body = re.sub(r'<div class="math block">\s*(.*?)\s*</div>\n', r"\1\n", body, flags=re.DOTALL)
    body = re.sub(r'<span class="math inline">(.*?)</span>', r"\1", body, flags=re.DOTALL)
    body = re.sub(r'<a id="([\w:-]+)"></a>\s*(?:</p>)?\s*<(h2)>', r'<\2 id="\1">', body)
    body = body.replace("<td>NO</td>", '<td class="fails">NO</td>').replace("<p><h2", "<h2")
    return f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">' \
           f"<title>{TITLE}</title>\n<style>{STYLE}</style></head>\n<body>\n{body}</body></html>\n"


def without_tex(text: str) -> str:
    """Return a text with its formulas as plain characters, for the terminal."""

    def plain(found: re.Match[str]) -> str:
        formula = re.sub(r"\\(bar|hat|tilde|dot)\s*\{?(\\?\w+)\}?", r"\2\1", found[1])
        formula = re.sub(r"\\[td]?frac\{?(\w+)\}?\{?(\w)\}?", r"\1/\2", formula)
        formula = re.sub(r"\\(mathrm|operatorname|text|left|right)(?![a-z])|\\[,;! ]", "", formula.replace("\\top", "T "))
        return re.sub(r"[\\{}]", "", formula).replace("T )", "T)")

    return re.sub(r"\$([^$]*)\$", plain, text)


# --- Markdown --------------------------------------------------------------------------------------------------------

def _chapter(number: int, module: ModuleType, theorem: Theorem, numbers: dict[str, str], results: Sequence[Checked]) -> list[str]:
    lines = ["", *_heading(number, theorem.name, theorem.title), "", f"`{origin(module)}`", "", _linked(theorem.text.strip(), numbers)]
    for i, equation in enumerate(theorem.equations, start=1):
        says = _linked(equation.says, numbers)
        lines += ["", f"{says[0].upper()}{says[1:]}:", "", f"$${displayed(equation.relation)} \\tag{{{number}.{i}}}$$"]
    if theorem.functions:
        names = ", ".join(f"`{function.name}`" for function in theorem.functions)
        lines += ["", f"Generated into `solvers/generated/{theorem.name}.py`: {names}."]
    return [*lines, "", *_check_table(results, numbers)] if results else lines


def _heading(number: int, name: str, title: str) -> list[str]:
    return [f'<a id="{name}"></a>', "", f"## {number}. {title}"]


def _check_table(results: Iterable[Checked], numbers: dict[str, str]) -> list[str]:
    rows = (f"| {each.check.name} | {_cell(_linked(each.check.compares, numbers))} | {_cell(html.escape(each.result.found, quote=False))} "
            f"| {'yes' if each.result.holds else 'NO'} |" for each in results)
    return ["| check | compares | found | holds |", "|---|---|---|---|", *rows]


def _departure_table(departures: Iterable[Departure]) -> list[str]:
    rows = (f"| {', '.join(f'{k}={v:g}' for k, v in each.setting.items())} | {name.replace('_', ' ')} | {ours:.4f} | {theirs:.4f} |"
            for each in departures for name, (ours, theirs) in each.values.items())
    return ["| setting | quantity | re-derived | published |", "|---|---|---|---|", *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _equation_numbers(book: Iterable[tuple[ModuleType, Theorem]]) -> dict[str, str]:
    """The numbers of the equations that have a label, by label."""
    return {equation.label: f"{i}.{j}" for i, (_, theorem) in enumerate(book, start=1)
            for j, equation in enumerate(theorem.equations, start=1) if equation.label}


def _linked(text: str, numbers: dict[str, str]) -> str:
    """The text with references to equations as links.

    Raises
    ------
    KeyError
        Where no equation has the label.
    """
    return re.sub(r"@eq:(\w+)", lambda found: f"[({numbers[found[1]]})](#eq-{numbers[found[1]]})", text)


# --- LaTeX -----------------------------------------------------------------------------------------------------------

class _Printer(LatexPrinter):
    """LaTeX with 1 + x rather than x + 1, accents for names like n_hat and Tdot, and names of several letters upright."""

    def _as_ordered_terms(self, expr: sp.Add, order: str | None = None) -> list[sp.Expr]:
        """Numbers first, negative terms last."""
        return sorted(super()._as_ordered_terms(expr, order), key=lambda term: (term.could_extract_minus_sign(), not term.is_number))

    def _print_Symbol(self, expr: sp.Symbol, style: str = "plain") -> str:
        name = re.sub(r"_(dot|hat|bar|tilde)(?=_|$)", r"\1", expr.name)
        text = super()._print_Symbol(sp.Symbol(name), style)
        text = re.sub(r"(?<![\\A-Za-z])([A-Za-z]{3,})", r"\\mathrm{\1}", text)
        return f"{text}\\," if re.match(r"\\mathrm\{\w+\}$", text) else text  # apart from the next factor


def displayed(relation: sp.Basic) -> str:
    """Return the LaTeX of an equation; a sum that is too long for a line has its terms in lines of their own.

    Parameters
    ----------
    relation : expression
        The equation.
    """
    printer = _Printer()
    if isinstance(relation, sp.Equality) and isinstance(relation.rhs, sp.Add) and _width(printer.doprint(relation)) > LONG:
        lines = [printer.doprint(relation.lhs) + " & ="]
        for i, term in enumerate(printer._as_ordered_terms(relation.rhs)):
            text = printer.doprint(term)
            text = text if i == 0 or text.startswith("-") else f"+ {text}"
            if i > 0 and _width(lines[-1] + text) > LONG:
                lines.append("&")
            lines[-1] += f" {text}"
        return "\\begin{aligned} " + " \\\\ ".join(lines) + " \\end{aligned}"
    return printer.doprint(relation)


def _width(latex: str) -> int:
    """About how many characters wide a formula is: commands count one, and of a fraction the wider part."""
    text = re.sub(r"\\[A-Za-z]+", "x", re.sub(r"\\(left|right|mathrm|operatorname|sqrt)(?![a-z])|[_^ ]", "", latex.replace("\\frac", "/")))
    while (inner := re.search(r"/\{([^{}]*)\}\{([^{}]*)\}|\{([^{}]*)\}", text)) is not None:
        part = inner[3] if inner[3] is not None else max(inner[1], inner[2], key=len)
        text = text[: inner.start()] + part + text[inner.end() :]
    return len(text)


# --- HTML ------------------------------------------------------------------------------------------------------------

def _mathml(latex: str, options: dict[str, bool]) -> str:
    """MathML of a formula; a displayed one stands in a box with its number."""
    from latex2mathml.converter import convert

    tag = re.search(r"\\tag\{([\d.]+)\}", latex)
    formula = latex.replace(tag[0], "") if tag else latex
    display = options["display_mode"]
    formula = convert(re.sub(r"\{aligned\}", "{align*}", formula.strip()), display="block" if display else "inline")
    if not display:
        return formula
    number = f'<a class="number" href="#eq-{tag[1]}">({tag[1]})</a>' if tag else ""
    anchor = f' id="eq-{tag[1]}"' if tag else ""
    return f'<div class="equation"{anchor}><div class="formula">{formula}</div>{number}</div>'
