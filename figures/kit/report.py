"""One page of everything that was validated: the pictures and claims of the records in a folder."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
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
READING = """<i>Tolerance used</i> is the share of its tolerance that the worst claim of a row uses up. <i>Smallest error caught</i>:
were the theory wrong by this much, at least one claim of the row would fail."""


@dataclass(frozen=True)
class Family:
    """Claims of one kind about one thing.

    Attributes
    ----------
    what, kind
        What they are about, and how it is compared.
    count
        How many there are.
    used
        The share of its tolerance that the worst of them uses; None where there is no such share.
    caught
        The smallest relative error of the theory at which one of them would fail; None where theory is not compared.
    holds
        Whether all of them do.
    """

    what: str
    kind: str
    count: int
    used: float | None
    caught: float | None
    holds: bool


@dataclass(frozen=True)
class Reported:
    """A figure on the page.

    Attributes
    ----------
    figure
        Its name.
    title
        Its title.
    quick
        Whether the run was a quick one.
    picture
        Its picture, which need not be there.
    families
        Its claims.
    failed
        Those of them that fail.
    facts
        What else is known of the run, by name.
    """

    figure: str
    title: str
    quick: bool
    picture: Path
    families: tuple[Family, ...]
    failed: tuple[Claim, ...]
    facts: Mapping[str, str]

    @property
    def heading(self) -> str:
        """The figure's name and title, and whether the run was a quick one."""
        return f"Figure {self.figure}: {self.title}{' (quick)' if self.quick else ''}"

    @property
    def anchor(self) -> str:
        """Where on the page the figure is."""
        return self.picture.stem

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return all(family.holds for family in self.families)


def read_records(folder: Path) -> list[Reported]:
    """Return the figures whose records are in a folder.

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
    return found


def _read(path: Path) -> Reported:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        claims = [Claim(**{key: math.nan if value is None else value for key, value in claim.items()}) for claim in values["claims"]]
        missing = {"figure", "title", "quick", "settings", "seed", "versions", "commit", "seconds"} - set(values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadInput(f"{path} is no record of a figure: remove it, or run validate again") from None
    if missing:
        raise BadInput(f"{path} is a record without {', '.join(sorted(missing))}: run validate again")
    rows = zip(summary(claims), families(claims).values(), strict=True)
    return Reported(values["figure"], values["title"], values["quick"], path.with_suffix(".png"),
                    tuple(Family(*row[:4], smallest_caught(members), row[4]) for row, members in rows),
                    tuple(claim for claim in claims if not claim.holds), facts(values))  # fmt: skip


def facts(values: Mapping[str, object]) -> dict[str, str]:
    """Return what a record, or what is kept of one, says of its run."""
    seconds, versions = values.get("seconds"), values.get("versions")
    return {
        "made by": f"validate --figure {values['figure']}{' --quick' if values['quick'] else ''} at seed {values['seed']}",
        "took": "not recorded" if seconds is None else f"{seconds} s",
        "commit": str(values.get("commit") or "not recorded"),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()) if versions else "not recorded",
        "settings": json.dumps(values["settings"], ensure_ascii=False),
    }


def page(figures: Sequence[Reported], links: Mapping[str, str], settings: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page as HTML, pictures included; figures with a failed claim come first.

    Parameters
    ----------
    figures
        What is reported.
    links
        Address by text, for the head of the page.
    settings
        By the name of a figure, address by text: its curves in the explorer.
    """
    ordered = sorted(figures, key=lambda one: (one.holds, not one.figure.isdigit(), one.figure, one.anchor))
    total = sum(family.count for one in ordered for family in one.families)
    failed = [(one, claim) for one in ordered for claim in one.failed]
    count = f"{total - len(failed)} of {total} claims hold, in {len(ordered)} figure{'s' if len(ordered) > 1 else ''}."
    parts = [f'<p{" class=failed" if failed else ""}>{count}</p><p>{_links(links)}</p>']
    if failed:
        parts.append(f'<h2 class="failed">Claims that fail</h2>{_failures(failed)}')
    parts.append(f"<p>{READING}</p>")
    parts.append("<ul>" + "".join(f'<li><a href="#{one.anchor}">{escape(one.heading)}</a></li>' for one in ordered) + "</ul>")
    parts += [_section(one, settings.get(one.figure, {})) for one in ordered]
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<title>What was validated</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>\n'
            f"<body><h1>What was validated</h1>\n{chr(10).join(parts)}\n</body></html>\n")  # fmt: skip


def _links(links: Mapping[str, str]) -> str:
    return " · ".join(f'<a href="{escape(address)}">{escape(text)}</a>' for text, address in links.items())


def _failures(failed: Sequence[tuple[Reported, Claim]]) -> str:
    rows = [
        f'<tr class="failed"><td><a href="#{one.anchor}">{escape(one.figure)}</a></td><td>{escape(claim.name)}</td>'
        f"<td>{claim.kind}</td>{_numbers(claim.theory, claim.measured, claim.se, claim.tolerance)}<td>{escape(claim.note)}</td></tr>"
        for one, claim in failed
    ]
    return _table(("figure", "claim", "kind", "theory or bound", "measured", "standard error", "tolerance", ""), rows)


def _section(one: Reported, explored: Mapping[str, str]) -> str:
    shown = "<p>The picture is not beside the record.</p>"
    if one.picture.exists():
        image = base64.b64encode(one.picture.read_bytes()).decode()
        shown = f'<img alt="{escape(one.heading)}" src="data:image/png;base64,{image}">'
    rows = [
        f"<tr{'' if family.holds else ' class=failed'}><td>{escape(family.what)}</td><td>{family.kind}</td><td>{family.count}</td>"
        f"<td>{f'{family.used:.0%}' if family.used is not None and 0 <= family.used < math.inf else '-'}</td>"
        f"<td>{'-' if family.caught is None else f'{family.caught:.2%}'}</td><td>{'yes' if family.holds else 'NO'}</td></tr>"
        for family in one.families
    ]
    explorer = f"<p>In the explorer: {_links(explored)}</p>" if explored else ""
    known = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in one.facts.items())
    return (f'<section id="{one.anchor}"><h2>{escape(one.heading)}</h2>{shown}{explorer}'
            + _table(("claim", "kind", "count", "tolerance used", "smallest error caught", "holds"), rows) + f"<dl>{known}</dl></section>")


def _numbers(*values: float) -> str:
    return "".join(f"<td>{value:.5g}</td>" for value in values)


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    titles = "".join(f"<th>{head}</th>" for head in heads)
    return f'<div class="scroll"><table><thead><tr>{titles}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
