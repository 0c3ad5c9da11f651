"""Solve the theory of every loss at very many random points, for docs/theory.md.

    python docs/site/losses.py    writes docs/records/losses.json, in about ten minutes
"""

from __future__ import annotations

import json
from pathlib import Path

from synthmix.figures.kit.record import commit
from synthmix.sims import stress

RECORD = Path(__file__).resolve().parents[1] / "records" / "losses.json"
POINTS, SEED = 200_000, 0


def computed() -> dict[str, object]:
    """Return for every loss how many points there were, how many were refused, and the largest residual of the others."""
    found = stress.sweep_losses(POINTS, SEED, threads=1)
    rows = {name: {"points": one.points, "refused": one.unsolved, "residual": one.solved} for name, one in found.items()}
    refused, points = (sum(row[key] for row in rows.values()) for key in ("refused", "points"))
    return {"points": points, "refused": refused, "share": refused / points, "losses": rows,
            "residual": max(row["residual"] for row in rows.values())}  # fmt: skip


if __name__ == "__main__":
    RECORD.write_text(json.dumps({"seed": SEED, **computed(), "commit": commit()}, indent=1) + "\n")
    print("written:", RECORD.name)
