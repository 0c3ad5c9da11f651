"""The page claims.md: the smallest error of the theory that the claims of each figure catch, from the records in docs/gallery."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from synthmix.figures.kit.registry import module_name, names

DOCS = Path(__file__).resolve().parents[1]
INTRODUCTION = """# What the claims catch

How wrong could the theory be without a claim that fails? For every figure and quantity, what the theory says is multiplied by 1 + x,
in the record of the run that is in the [gallery](gallery.md); the table has the largest x, of either sign, at which all claims of that
quantity still hold. Anything worse is caught. *On average* are claims on all points at once, in which noise
averages out but what a finite size leaves does not. The rule for tolerances is in [theory](theory.md#when-a-claim-holds).
"""


def page() -> str:
    """Return the page."""
    parts = [INTRODUCTION, "## Numbers that are compared", "| figure | quantity | claims | an error that is caught |\n|---|---|---|---|"]
    rejected, others = [], []
    for name in names():
        path = DOCS / "gallery" / f"{module_name(name)}.json"
        record = json.loads(path.read_text())
        shown = f"{name}, quick" if record["quick"] else name
        parts += _compared(shown, record)
        rejected += [f"| {shown} | {what} | {count} |" for what, kind, count, *_ in record["claims"] if kind == "falls outside"]
        others += [f"| {shown} | {what} | {count} |" for what, kind, count, *_ in record["claims"] if kind.startswith("at ")]
    parts += ["\n## Wrong theories that must be rejected, and are", "| figure | wrong theory | claims |\n|---|---|---|", *rejected,
              "\n## Bounds", "A number on its own side of a stated bound.\n", "| figure | what | claims |\n|---|---|---|", *others]
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def _compared(shown: str, record: dict[str, object]) -> Iterator[str]:
    """Rows of the quantities that are compared with the theory."""
    counts = {what: count for what, kind, count, *_ in record["claims"] if kind == "agrees"}
    for what, least in record.get("caught", {}).items():
        yield f"| {shown} | {what} | {counts[what]} | {'-' if least is None else _share(least)} |"


def _share(least: float) -> str:
    return f"{100 * least:.2f}%" if least < 0.1 else f"{100 * least:.0f}%"
