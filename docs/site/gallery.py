"""The gallery: a small picture and the claims of every figure, kept in docs/gallery.

    python docs/site/gallery.py OUT    takes over the figures in OUT, the folder that `validate --out OUT` wrote

Pictures of full runs take an hour to make, so they are kept, and none may be out of date: `page` warns, and a strict build fails, if a
figure has no picture or its settings are no longer those of the picture.
"""

from __future__ import annotations

import inspect
import json
import logging
import math
import sys
from pathlib import Path

from synthmix.figures.kit.claims import Claim
from synthmix.figures.kit.validate import load, names, summary
from synthmix.support.records import plain

FOLDER = Path(__file__).resolve().parents[1] / "gallery"
WIDTH, COLOURS = 1400, 128  # of the small pictures
log = logging.getLogger("mkdocs.hooks.gallery")


INTRODUCTION = """# Gallery

Every figure with its claims. Lines are predictions, points are measurements with two standard errors. A claim compares them within a
stated tolerance; *tolerance used* is the share of it that the worst claim of a row used up.
"""


def page() -> str:
    """The page: for each figure its picture, what it shows, and a row for each family of claims."""
    parts = [INTRODUCTION]
    for name in names():
        module, stem = load(name), _stem(name)
        text = inspect.cleandoc(module.__doc__).removeprefix(f"Figure {name}: ")
        parts.append(f"## {_heading(name)}: {module.TITLE}\n\n{text[0].upper()}{text[1:]}\n")
        if not (FOLDER / f"{stem}.json").exists():
            log.warning("docs/gallery has no picture of figure %s: validate it and run docs/site/gallery.py", name)
            continue
        kept = json.loads((FOLDER / f"{stem}.json").read_text())
        if kept["settings"] != plain(module.QUICK if kept["quick"] else module.FULL):
            log.warning("the picture of figure %s in docs/gallery has other settings than the figure: validate it again", name)
        parts.append(f"![{module.TITLE}](gallery/{stem}.png)\n\n{_made(name, kept)}\n\n{_claims(kept['claims'])}\n")
    return "\n".join(parts)


def _made(name: str, kept: dict[str, object]) -> str:
    quick = " --quick" if kept["quick"] else ""
    return f"`python cli.py validate --figure {name}{quick}` with synthmix {kept['synthmix']} at seed {kept['seed']}:"


def _claims(rows: list[list[object]]) -> str:
    lines = ["| claim | kind | count | tolerance used | holds |", "|---|---|---|---|---|"]
    for what, kind, count, used, holds in rows:
        lines.append(f"| {what} | {kind} | {count} | {'-' if used is None else f'{used:.0%}'} | {'yes' if holds else '**no**'} |")
    return "\n".join(lines)


def take(out: Path) -> list[str]:
    """Take over the figures of a folder, full runs before quick ones; return their names."""
    from PIL import Image

    import synthmix

    FOLDER.mkdir(exist_ok=True)
    taken = []
    for name in names():
        stem = next((stem for stem in (_stem(name), f"{_stem(name)}-quick") if (out / f"{stem}.json").exists()), None)
        if stem is None:
            continue
        record = json.loads((out / f"{stem}.json").read_text())
        claims = [Claim(**{key: math.nan if value is None else value for key, value in claim.items()}) for claim in record["claims"]]
        kept = {key: record[key] for key in ("quick", "settings", "seed")}
        kept |= {"synthmix": synthmix.__version__, "claims": [plain(row) for row in summary(claims)]}
        (FOLDER / f"{_stem(name)}.json").write_text(json.dumps(kept, indent=1) + "\n")
        picture = Image.open(out / f"{stem}.png").convert("RGB")
        picture.thumbnail((WIDTH, WIDTH * 4))
        picture.quantize(COLOURS).save(FOLDER / f"{_stem(name)}.png", optimize=True)
        taken.append(stem)
    return taken


def _stem(name: str) -> str:
    return f"figure{name}" if name.isdigit() else f"figure_{name}"


def _heading(name: str) -> str:
    return f"Figure {name}" if name.isdigit() else name.capitalize()


if __name__ == "__main__":
    print("taken over:", ", ".join(take(Path(sys.argv[1]))))
