"""Compute the numbers of docs/generations.md, which the theory says in a moment.

    python docs/site/collapse.py    writes docs/records/collapse.json
"""

from __future__ import annotations

import json
from pathlib import Path

import synthmix as sm
from synthmix.figures.kit.record import commit

RECORD = Path(__file__).resolve().parents[1] / "records" / "collapse.json"
SCHEMES, DEPTHS = ("replace", "accumulate", "fresh:0.1", "fresh:0.5"), (1, 2, 5, 10, 100, 1000)
WRONG = 0.1  # of the labels of every generation


def computed() -> dict[str, object]:
    """Return the accuracies of lines of generators, infinite ones included, and what keeps an accuracy for ever."""
    alone = sm.Setting(n=0, m=2000, p=200, mu=1.5, ridge=sm.Ridge(1.0),
                       generator=sm.Generator("independent", n_hat=300, estimate_mean=True))  # fmt: skip
    lines = {scheme: {str(depth): sm.predict_line(alone, scheme, depth).accuracy for depth in DEPTHS}
             | {"infinity": sm.predict_line(alone, scheme).accuracy} for scheme in SCHEMES}  # fmt: skip
    wrong = {scheme: {str(depth): sm.predict_line(alone.with_(epsilon=WRONG), scheme, depth, label=1 - 2 * WRONG).accuracy
                      for depth in DEPTHS} | {"infinity": sm.predict_line(alone.with_(epsilon=WRONG), scheme, label=1 - 2 * WRONG).accuracy}
             for scheme in SCHEMES}  # fmt: skip
    return {"lines": lines, "wrong lines": wrong, "wrong": WRONG,
            "share for 0.85": sm.smallest_fresh_share(alone, 0.85), "share for 0.80": sm.smallest_fresh_share(alone, 0.80),
            "rho": sm.weakest_verifier(alone.with_(epsilon=0.2), 0.83, 0.3).rho}  # fmt: skip


if __name__ == "__main__":
    RECORD.write_text(json.dumps({**computed(), "commit": commit()}, indent=1) + "\n")
    print("written:", RECORD.name)
