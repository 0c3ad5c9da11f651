"""Solve the theory of every loss at very many random points, for docs/theory.md.

    python docs/site/losses.py [LOSS [POINTS]]    writes docs/records/losses.json, or the part of one loss

All but the hinge loss take a minute together, that one some minutes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from synthmix.figures.kit.record import commit
from synthmix.sims import stress

RECORD = Path(__file__).resolve().parents[1] / "records" / "losses.json"
POINTS, SEED = 200_000, 0


def solved(name: str, points: int) -> dict[str, object]:
    """Return how many points of a loss there were, how many were refused, and the largest residual of the others."""
    found = stress.sweep_losses(points, SEED, threads=1, losses=(name,))[name]
    return {"points": found.points, "refused": found.unsolved, "residual": found.solved}


def main(names: tuple[str, ...], points: int) -> None:
    """Solve that many points of each of these losses, and put them into the record."""
    rows = json.loads(RECORD.read_text())["losses"] if RECORD.exists() else {}
    for name in names:
        rows[name] = solved(name, points)
        totals = {key: sum(row[key] for row in rows.values()) for key in ("points", "refused")}
        RECORD.write_text(json.dumps({"seed": SEED, **totals, "losses": dict(sorted(rows.items())), "commit": commit()}, indent=1) + "\n")
        print("solved:", name, rows[name], flush=True)


if __name__ == "__main__":
    main(tuple(sys.argv[1:2]) or stress.LOSSES, int(sys.argv[2]) if len(sys.argv) > 2 else POINTS // len(stress.LOSSES))
