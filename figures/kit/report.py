"""One page of everything that was validated: the pictures and claims of the records in a folder."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ...support.errors import BadInput
from .claims import Claim, families, smallest_caught, summary

STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 1100px; margin: 0 auto; padding: 0 1rem 3rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .15rem .6rem .15rem 0; border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
.failed, .failed a { color: light-dark(#b3261e, #ff8a80); font-weight: 600; }
img { width: 100%; background: white; border-radius: 6px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; font-size: .9rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
"""


@dataclass(frozen=True)
class Recorded:
    """A figure as its record has it.

    Attributes
    ----------
    path
        The record.
    values
        What it holds.
    claims
        The claims in it.
    """

    path: Path
    values: dict[str, object]
    claims: tuple[Claim, ...]

    @property
    def picture(self) -> Path:
        """The picture beside the record."""
        return self.path.with_suffix(".png")

    @property
    def title(self) -> str:
        """The figure's name and title, and whether the run was a quick one."""
        quick = " (quick)" if self.values["quick"] else ""
        return f"Figure {self.values['figure']}: {self.values['title']}{quick}"

    @property
    def anchor(self) -> str:
        """Where on the page the figure is."""
        return self.path.stem


def read_records(folder: Path) -> list[Recorded]:
    """Return the records in a folder, those with a failed claim first, then in the order of their names.

    Raises
    ------
    BadInput
        Where there is none, or a file is no record.
    """
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}; python cli.py validate --all --out {folder} fills it")
    found = [_read(path) for path in sorted(folder.glob("figure*.json"))]
    if not found:
        raise BadInput(f"{folder} holds no record of a figure; python cli.py validate --all --out {folder} writes them")
    return sorted(found, key=lambda one: (all(claim.holds for claim in one.claims), _order(one)))


def _order(one: Recorded) -> tuple[bool, int, str]:
    name = str(one.values["figure"])
    return not name.isdigit(), int(name) if name.isdigit() else 0, one.path.stem


def _read(path: Path) -> Recorded:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        claims = tuple(Claim(**{key: math.nan if value is None else value for key, value in claim.items()}) for claim in values["claims"])
        missing = {"figure", "title", "quick", "settings", "seed", "versions", "commit", "seconds"} - set(values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadInput(f"{path} is no record of a figure: remove it, or run validate again") from None
    if missing:
        raise BadInput(f"{path} is a record without {', '.join(sorted(missing))}: run validate again")
    return Recorded(path, values, claims)


def page(records: Sequence[Recorded], links: dict[str, str]) -> str:
    """Return the page as HTML, pictures included.

    Parameters
    ----------
    records
        As `read_records` gives them.
    links
        Address by text, for the head of the page.
    """
    claims = [claim for one in records for claim in one.claims]
    failed = [(one, claim) for one in records for claim in one.claims if not claim.holds]
    count = f"{len(claims) - len(failed)} of {len(claims)} claims hold, in {len(records)} figure{'s' if len(records) > 1 else ''}."
    head = "".join(f' <a href="{escape(address)}">{escape(text)}</a>' for text, address in links.items())
    parts = [f'<p{" class=failed" if failed else ""}>{count}</p><p>{head}</p>']
    if failed:
        parts.append(f'<h2 class="failed">Claims that fail</h2>{_failures(failed)}')
    parts.append("<ul>" + "".join(f'<li><a href="#{one.anchor}">{escape(one.title)}</a></li>' for one in records) + "</ul>")
    parts += [_section(one) for one in records]
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<title>What was validated</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>\n'
            f"<body><h1>What was validated</h1>\n{chr(10).join(parts)}\n</body></html>\n")  # fmt: skip


def _failures(failed: Sequence[tuple[Recorded, Claim]]) -> str:
    rows = [
        f'<tr class="failed"><td><a href="#{one.anchor}">{escape(str(one.values["figure"]))}</a></td><td>{escape(claim.name)}</td>'
        f"<td>{claim.kind}</td>{_numbers(claim.theory, claim.measured, claim.se, claim.tolerance)}<td>{escape(claim.note)}</td></tr>"
        for one, claim in failed
    ]
    return _table(("figure", "claim", "kind", "theory or bound", "measured", "standard error", "tolerance", ""), rows)


def _section(one: Recorded) -> str:
    shown = "<p>The picture is not beside the record.</p>"
    if one.picture.exists():
        image = base64.b64encode(one.picture.read_bytes()).decode()
        shown = f'<img alt="{escape(one.title)}" src="data:image/png;base64,{image}">'
    rows = []
    for (what, kind, count, used, holds), members in zip(summary(one.claims), families(one.claims).values(), strict=True):
        caught = smallest_caught(members)
        rows.append(
            f"<tr{'' if holds else ' class=failed'}><td>{escape(what)}</td><td>{kind}</td><td>{count}</td>"
            f"<td>{f'{used:.0%}' if 0 <= used < math.inf else '-'}</td>"
            f"<td>{'-' if caught is None else f'{caught:.2%}'}</td><td>{'yes' if holds else 'NO'}</td></tr>"
        )
    values = one.values
    made = {
        "made by": f"validate --figure {values['figure']}{' --quick' if values['quick'] else ''} at seed {values['seed']}, "
                   f"{values['seconds']} s, commit {values['commit'] or 'unknown'}",
        "versions": ", ".join(f"{name} {version}" for name, version in values["versions"].items()),
        "settings": json.dumps(values["settings"], ensure_ascii=False),
    }  # fmt: skip
    facts = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in made.items())
    return (f'<section id="{one.anchor}"><h2>{escape(one.title)}</h2>{shown}'
            + _table(("claim", "kind", "count", "tolerance used", "smallest error caught", "holds"), rows) + f"<dl>{facts}</dl></section>")


def _numbers(*values: float) -> str:
    return "".join(f"<td>{value:.5g}</td>" for value in values)


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    titles = "".join(f"<th>{head}</th>" for head in heads)
    return f'<div class="scroll"><table><thead><tr>{titles}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
