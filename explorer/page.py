"""The page: its parts put into one file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..support.version import version
from .presets import Preset

HERE = Path(__file__).parent
GENERATED = HERE.parent / "solvers" / "generated"
FORMULAS = ("theory", "published", "family_tree", "synthetic_only", "losses", "two_sides")
SOLVER = (*(GENERATED / f"{name}.js" for name in FORMULAS),
          *(HERE / f"{name}.js" for name in ("numbers", "predict", "generations", "any_loss", "gathered")))  # fmt: skip
PAGE = (HERE / "state.js", HERE / "chart.js", HERE / "map.js", HERE / "app.js")


def solver_script() -> str:
    """Return the JavaScript that defines `predict`, which needs no page."""
    return "\n".join(path.read_text(encoding="utf-8") for path in SOLVER)


def page(presets: Sequence[Preset]) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    presets
        Settings to start from, in the order of the list.
    """
    text = (HERE / "page.html").read_text(encoding="utf-8")
    parts = {
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "script": "\n".join([solver_script(), *(path.read_text(encoding="utf-8") for path in PAGE)]),
        "presets": json.dumps([asdict(preset) for preset in presets], ensure_ascii=False).replace("</", "<\\/"),
        "command": "python cli.py derive",
        "version": version(),
    }
    for name, part in parts.items():
        text = text.replace("{{" + name + "}}", part, 1)
    return text
