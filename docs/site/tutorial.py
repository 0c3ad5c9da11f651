"""Run the case of docs/advise.md as a reader would, and keep what came out.

    python docs/site/tutorial.py    writes docs/records/advise.json and docs/advise.png

The page's first Python makes the files, its commands advise on them, its last Python carries the advice out; quotes.py puts the numbers
on the page.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from synthmix.figures.kit.record import commit

DOCS = Path(__file__).resolve().parents[1]
PAGE, RECORD, PICTURE = DOCS / "advise.md", DOCS / "records" / "advise.json", DOCS / "advise.png"
COLOURS = 128  # of the picture
KEPT = ("baseline", "best", "enough", "gain", "plain", "worth", "worth_next", "budget")  # of the numbers of an advice


def run(folder: Path) -> dict[str, object]:
    """Return what the page's case gives, computed in a folder: what both commands print, and the accuracies of the last block."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = re.findall(r"^    python cli\.py (advise .*)$", PAGE.read_text(), re.MULTILINE)
    python(blocks[0], folder)
    plan, file = (advised(command, name, folder) for command, name in zip(commands[:2], ("plan", "file"), strict=True))
    images, alone, mix = ast.literal_eval(python(_printed(blocks[-1]), folder))
    return {"seed": 0, "plan": plan, "file": file, "later": {"images": images, "alone": alone, "mix": mix, "gain": mix - alone,
                                                             "fell short": file["numbers"]["baseline"]["accuracy"] - alone}}  # fmt: skip


def _printed(block: str) -> str:
    """The block, whose last line is an expression, printed."""
    *lines, last = block.strip().splitlines()
    return "\n".join(["import numpy as np", *lines, f"print(len(later[\"y\"]), *(float(one) for one in ({last})), sep=\",\")"])


def python(code: str, folder: Path) -> str:
    """Return what a program prints, run in a folder."""
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout


def advised(command: str, name: str, folder: Path) -> dict[str, object]:
    """Return the rows of the table that a command prints, its verdict, and its record; `name` is that of the folder it writes."""
    words = [sys.executable, str(DOCS.parent / "cli.py"), *command.split(), "--out", name]
    wide = {**os.environ, "COLUMNS": "400"}  # no row is broken
    printed = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True, env=wide).stdout
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in printed.splitlines() if line.startswith("│")]
    numbers = json.loads((folder / name / "advice.json").read_text())
    return {
        "rows": [dict(zip(("what", "advice", "symbols"), row, strict=True)) for row in cells],
        "verdict": f"{numbers['verdict'].upper()}. {numbers['reason']}",
        "numbers": {key: numbers[key] for key in KEPT},
    }


def main() -> None:
    """Write the record and the picture."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        record = {**run(Path(folder)), "commit": commit()}
        RECORD.write_text(json.dumps(record, indent=1) + "\n")
        picture = Image.open(Path(folder) / "file" / "advice.png").convert("RGB")
        picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
