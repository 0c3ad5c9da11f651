"""The gallery: a small picture and the claims of every figure, kept in docs/gallery.

    python docs/site/gallery.py OUT    takes over the figures in OUT, the folder that `validate --out OUT` wrote

Pictures of full runs take an hour and need data, so they are kept rather than made anew with the pages, and none may be out of date: a test
and a strict build fail if a figure has no picture or its settings are no longer those of the picture.
"""

from __future__ import annotations

import inspect
import json
import math
import sys
from pathlib import Path

from synthmix.figures.kit.claims import Claim, families, smallest_caught, summary
from synthmix.figures.kit.registry import load, module_name, names
from synthmix.figures.kit.report import Family, Reported, facts
from synthmix.support.records import plain

FOLDER = Path(__file__).resolve().parents[1] / "gallery"
WIDTH, COLOURS = 1400, 128  # of the small pictures; those that are rare, of marks, are kept too


INTRODUCTION = """# Gallery

Every figure with its claims. Lines are predictions, points are measurements with two standard errors. A claim compares them within a
stated tolerance; *tolerance used* is the share of it that the worst claim of a row used up. [The report](report.html) has all of it on one
page, with the error of the theory that each row would catch, settings, seeds and versions; `python cli.py report` writes it from your own
runs.
"""


def page() -> str:
    """The page: for each figure its picture, what it shows, and a row for each family of claims."""
    parts = [INTRODUCTION]
    for name in names():
        figure, stem = load(name), module_name(name)
        text = inspect.getdoc(inspect.getmodule(figure.build)).removeprefix(f"Figure {name}: ")
        parts.append(f"## {_heading(name)}{figure.title}\n\n{text[0].upper()}{text[1:]}\n")
        if (FOLDER / f"{stem}.json").exists():
            kept = json.loads((FOLDER / f"{stem}.json").read_text())
            parts.append(f"![{figure.title}](gallery/{stem}.png)\n\n{_made(name, kept)}\n\n{_claims(kept['claims'])}\n")
    return "\n".join(parts)


def reported() -> list[Reported]:
    """The figures as the page of everything that was validated has them; an older record lacks what it did not keep."""
    found = []
    for name in names():
        stem, title = module_name(name), load(name).title
        if not (FOLDER / f"{stem}.json").exists():
            continue
        kept = json.loads((FOLDER / f"{stem}.json").read_text())
        caught = kept.get("caught", {})
        rows = tuple(Family(what, kind, count, used, caught.get(what) if kind == "agrees" else None, holds)
                     for what, kind, count, used, holds in kept["claims"])
        failed = tuple(Claim(**claim) for claim in kept.get("failed", ()))
        found.append(Reported(name, title, kept["quick"], FOLDER / f"{stem}.png", rows, failed, facts({"figure": name, **kept})))
    return found


def out_of_date() -> list[str]:
    """What is wrong with the gallery, a sentence for each figure without a picture or with other settings than its picture."""
    found = []
    for name in names():
        figure, path = load(name), FOLDER / f"{module_name(name)}.json"
        kept = json.loads(path.read_text()) if path.exists() else {"quick": True, "settings": None}
        if kept["settings"] != plain(figure.quick if kept["quick"] else figure.settings):
            found.append(f"the gallery has no picture of figure {name} with its present settings: python cli.py validate --figure {name} "
                         "&& python docs/site/gallery.py out")
    return found


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
        stem = module_name(name)
        run = next((run for run in (stem, f"{stem}-quick") if (out / f"{run}.json").exists()), None)
        if run is None:
            continue
        record = json.loads((out / f"{run}.json").read_text())
        kept = _kept(record) | {"synthmix": synthmix.__version__}
        (FOLDER / f"{stem}.json").write_text(json.dumps(kept, indent=1) + "\n")
        picture = Image.open(out / f"{run}.png").convert("RGB")
        picture.thumbnail((WIDTH, WIDTH * 4))
        picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(FOLDER / f"{stem}.png", optimize=True)
        taken.append(run)
    return taken


def _kept(record: dict[str, object]) -> dict[str, object]:
    """What is kept of a record: claims by family with the smallest relative error that they catch, and numbers for the pages."""
    claims = [Claim(**{key: math.nan if value is None else value for key, value in claim.items()}) for claim in record["claims"]]
    compared = {what: smallest_caught(members) for (what, kind), members in families(claims).items() if kind == "agrees"}
    return plain({
        **{key: record[key] for key in ("quick", "settings", "seed", "commit", "seconds", "versions")},
        "failed": [claim for claim in claims if not claim.holds], "claims": summary(claims), "caught": compared, "count": len(claims),
        "values": {one.name: {"theory": one.theory, "measured": one.measured, "se": one.se} for one in claims},
        "extra": {key: value for key, value in record["extra"].items() if key != "all"},
    })  # fmt: skip


def _heading(name: str) -> str:
    return f"Figure {name}: " if name.isdigit() else ""


if __name__ == "__main__":
    print("taken over:", ", ".join(take(Path(sys.argv[1]))))
