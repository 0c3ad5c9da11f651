"""The derivation as a document: Markdown with LaTeX, and HTML with MathML, every equation printed from the SymPy objects."""

from __future__ import annotations

import html
from collections.abc import Sequence

import sympy as sp
from sympy.printing.mathml import mathml

from synthmix.derivations.chapters import chapters, origin
from synthmix.derivations.derive import Departure
from synthmix.derivations.theorem import Check, CheckResult

TITLE = "Learning with synthetic data: the derivation"
STYLE = """body{font:17px/1.55 Georgia,serif;max-width:56em;margin:3em auto;padding:0 1em;color:#222}
h1,h2{font-weight:600;line-height:1.2}h2{margin-top:2.4em;border-top:1px solid #ccc;padding-top:1em}
math{font-size:1.05em}.equation{margin:.4em 0 1.2em 2em;overflow-x:auto}.says{margin:.8em 0 0}
pre{background:#f6f6f4;padding:.8em 1em;overflow-x:auto}table{border-collapse:collapse;font-size:.9em}
td,th{border-bottom:1px solid #ddd;padding:.35em .7em;text-align:left;vertical-align:top}.fails{color:#b00020}"""

Results = Sequence[tuple[Check, CheckResult]]


def markdown(results: Results, departures: Sequence[Departure]) -> str:
    """The document as Markdown with LaTeX."""
    lines = [f"# {TITLE}", "", "Every equation is printed from the SymPy objects that the solvers are generated from."]
    for module, theorem in chapters():
        lines += ["", f"## {theorem.title}", "", f"*{origin(module)}*", "", *_paragraphs(theorem.text)]
        for equation in theorem.equations:
            lines += ["", f"{equation.says}:", "", f"$${sp.latex(equation.relation)}$$"]
        if theorem.functions:
            names = ", ".join(f"`{function.name}`" for function in theorem.functions)
            lines += ["", f"Generated into `solvers/generated/{theorem.name}.py`: {names}."]
    lines += ["", "## Checks", "", "| check | compares | found | holds |", "|---|---|---|---|"]
    lines += [f"| {check.name} | {_cell(check.compares)} | {_cell(result.found)} | {_word(result)} |" for check, result in results]
    lines += ["", "## Where the published formula departs", "", "| setting | quantity | re-derived | published |", "|---|---|---|---|"]
    lines += [f"| {setting} | {name} | {ours:.4f} | {theirs:.4f} |" for setting, name, ours, theirs in _rows(departures)]
    return "\n".join(lines) + "\n"


def html_page(results: Results, departures: Sequence[Departure]) -> str:
    """The document as one HTML page that needs nothing else."""
    parts = [f"<h1>{TITLE}</h1>", "<p>Every equation is printed from the SymPy objects that the solvers are generated from.</p>"]
    for module, theorem in chapters():
        parts += [f"<h2>{html.escape(theorem.title)}</h2>", f"<p><em>{origin(module)}</em></p>"]
        parts += [_html_paragraph(paragraph) for paragraph in theorem.text.strip().split("\n\n")]
        for equation in theorem.equations:
            formula = mathml(equation.relation, printer="presentation")
            parts += [f'<p class="says">{html.escape(equation.says)}:</p>',
                      f'<div class="equation"><math display="block">{formula}</math></div>']
    head = "<tr><th>check</th><th>compares</th><th>found</th><th>holds</th></tr>"
    rows = [f'<tr class="{"" if result.holds else "fails"}"><td>{html.escape(check.name)}</td><td>{html.escape(check.compares)}</td>'
            f"<td>{html.escape(result.found)}</td><td>{_word(result)}</td></tr>" for check, result in results]
    parts += ["<h2>Checks</h2>", f"<table>{head}{''.join(rows)}</table>"]
    head = "<tr><th>setting</th><th>quantity</th><th>re-derived</th><th>published</th></tr>"
    rows = [f"<tr><td>{setting}</td><td>{name}</td><td>{ours:.4f}</td><td>{theirs:.4f}</td></tr>"
            for setting, name, ours, theirs in _rows(departures)]
    parts += ["<h2>Where the published formula departs</h2>", f"<table>{head}{''.join(rows)}</table>"]
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>\n<style>{STYLE}</style></head>\n' \
           f"<body>\n{body}\n</body></html>\n"


def _paragraphs(text: str) -> list[str]:
    lines = []
    for paragraph in text.strip().split("\n\n"):
        formula = paragraph.startswith("    ")
        lines += [*(["```", paragraph, "```"] if formula else [paragraph]), ""]
    return lines[:-1]


def _html_paragraph(paragraph: str) -> str:
    tag = "pre" if paragraph.startswith("    ") else "p"
    return f"<{tag}>{html.escape(paragraph)}</{tag}>"


def _rows(departures: Sequence[Departure]) -> list[tuple[str, str, float, float]]:
    return [(", ".join(f"{k}={v:g}" for k, v in one.setting.items()), name.replace("_", " "), *values)
            for one in departures for name, values in one.values.items()]


def _word(result: CheckResult) -> str:
    return "yes" if result.holds else "NO"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
