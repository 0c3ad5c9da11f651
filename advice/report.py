"""An advice as one page that needs nothing else: no network, no script; it reads the same on a phone and in the dark."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from ..support.files import write_text
from ..support.records import plain
from .charts import accuracy_chart, gain_chart, plane, threshold_chart
from .plan import Plan
from .result import Advice
from .table import HEAD, table

STYLE = Path(__file__).with_name("report.css")
CAVEATS = (
    "A standard error is about the rows that you gave: other rows, of another time or place, may behave differently.",
    "Accuracies are those of fresh rows that come in the same proportions as yours.",
    "Curves beyond the file's rows, exchange rates and the break-even line are theory, for wrong labels that do not hang on features.",
)


def page(advice: Advice, plan: Plan) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    advice : Advice
    plan : Plan
        What the user said of noise and verifier.
    """
    record = json.dumps(plain(advice.as_dict()), allow_nan=False).replace("</", "<\\/")
    parts = [
        f"<h1 data-key='verdict'>{escape(advice.verdict[0].upper() + advice.verdict[1:])}</h1>",
        f"<p class='reason' data-key='reason'>{escape(advice.reason)}</p>",
        f"<p data-key='next'><b>Next.</b> {escape(advice.next)}</p>",
        "<h2>In numbers</h2>", _table(HEAD, table(advice)),
        "<h2>How many rows</h2>", _key(), "<div class='charts'>",
        _figure(accuracy_chart(advice), "On fresh rows; the band is two standard errors."),
        _figure(gain_chart(advice), "Over no synthetic rows, which is known better than the level."), "</div>",
        *_verifier(advice), *_break_even(advice, plan), *_candidates(advice),
        "<h2>Train it</h2>", f"<pre data-key='snippet'>{escape(advice.snippet)}</pre>",
        "<h2>Your data, and what to keep in mind</h2>", *(f"<p>{escape(note)}</p>" for note in (*advice.notes, *CAVEATS)),
    ]  # fmt: skip
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<link rel='icon' href='data:,'><title>Advice: {escape(advice.verdict)}</title>"
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body>{''.join(parts)}<script type='application/json' id='record'>{record}</script></body></html>\n"
    )


def write(advice: Advice, plan: Plan, path: Path) -> None:
    """Write the page to a file, or leave the old one; arguments as of `page`."""
    write_text(path, page(advice, plan))


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cells = "".join(f"<tr><th scope='row'>{escape(row[0])}</th><td>{escape(row[1])}</td><td class='symbols'>{escape(row[2])}</td></tr>"
                    for row in rows)  # fmt: skip
    names = "".join(f"<th scope='col'>{escape(one)}</th>" for one in head)
    return f"<div class='wide'><table><thead><tr>{names}</tr></thead><tbody>{cells}</tbody></table></div>"


def _key() -> str:
    lines = (("best", "best weight and ridge"), ("plain", "weight 1"), ("now", "without synthetic rows"),
             ("measured", "measured on your rows"))
    return "<ul class='key'>" + "".join(f"<li style='--c: var(--{name})'>{text}</li>" for name, text in lines) + "</ul>"


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _break_even(advice: Advice, plan: Plan) -> list[str]:
    even = advice.break_even
    if even is None:
        return []
    shares = (plan.epsilon, plan.rho) if advice.audit is None else (advice.audit.epsilon, advice.audit.rho)
    values = [None if one is None else getattr(one, "value", getattr(one, "share", None)) for one in shares]
    yours = None if None in values else (float(values[0]), float(values[1]))
    caption = (f"Gain of {even.m:,.0f} rows at weight {even.omega:.2g} where the verifier keeps {100 * even.phi:.0f}% of the right labels. "
               "Blue helps, red hurts; on the line the gain vanishes.")
    return ["<h2>How good labels and verifier must be</h2><div class='charts'>", _figure(plane(even, yours), caption), "</div>"]


def _verifier(advice: Advice) -> list[str]:
    if len(advice.thresholds) < 2:
        return []
    caption = ("The best mix with the rows at or above each score that was tried, by leave-one-out on your rows; chosen: "
               f"{advice.threshold:.4g}. That it was chosen by this makes it look a little too good.")
    return ["<h2>Which rows the verifier is to keep</h2><div class='charts'>", _figure(threshold_chart(advice), caption), "</div>"]


def _candidates(advice: Advice) -> list[str]:
    if len(advice.candidates) < 2:
        return []
    rows = [(f"{one.name}{' (chosen)' if one.chosen else ''}", f"{one.verdict}: {100 * one.gain:+.1f} +- {100 * one.gain_se:.1f} points",
             f"omega = {one.omega:.2g}, m = {one.m:.0f}") for one in advice.candidates]  # fmt: skip
    return ["<h2>Candidates</h2>", _table(("file", "gain", "in symbols"), rows)]
