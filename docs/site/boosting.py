"""Run the case of docs/boosting.md as a reader would, and keep what came out.

    python docs/site/boosting.py    writes docs/records/boosting.json, in about two minutes; needs ctgan and statsmodels
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
from pathlib import Path

from tutorial import DOCS, advised, python

from synthmix.figures.kit.record import commit

PAGE, RECORD = DOCS / "boosting.md", DOCS / "records" / "boosting.json"


def run(folder: Path) -> dict[str, object]:
    """Return what the page's case gives, computed in a folder."""
    making, judging = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (command,) = re.findall(r"^    python cli\.py (advise .*)$", PAGE.read_text(), re.MULTILINE)
    women = int(python(f"{making}\nprint(len(table))", folder))
    advice = advised(command, "advice", folder)
    start, _, result = judging.rpartition("\n[")
    later, *found = ast.literal_eval(python(f"{start}\nprint([float(one) for one in [{result.strip()}])", folder))
    names = ("boosting", "boosting with all", "logistic", "logistic with all")
    return {"seed": 0, "women": women, "later": int(later), "advice": advice, **dict(zip(names, found, strict=True))}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        RECORD.write_text(json.dumps({**run(Path(place)), "commit": commit()}, indent=1) + "\n")
    print("written:", RECORD.name)
