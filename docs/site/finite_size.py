"""Measure how far theory and simulation of three replaced generations are apart at finite p, for docs/generations.md.

    python docs/site/finite_size.py    writes docs/records/finite_size.json, in about three minutes
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import synthmix as sm
from synthmix.figures.kit.record import commit
from synthmix.solvers.spectra import even_mean

RECORD = Path(__file__).resolve().parents[1] / "records" / "finite_size.json"
TRIALS = {20: 40000, 40: 40000, 80: 20000, 160: 10000, 320: 2500, 640: 600}
SEED = 0


def replaced(p: int) -> sm.Tree:
    """Return three replaced generations of 1.5 p samples, the last of 4.5 p trained on."""
    few, many = 1.5 * p, 4.5 * p
    sets = (sm.SampleSet("a", few), sm.SampleSet("b", few, ("a",)), sm.SampleSet("c", few, ("b",)), sm.SampleSet("d", many, ("c",), 1.0))
    return sm.Tree(sets, p, even_mean(1.5, p), sm.Ridge(0.1), np.linspace(0.4, 2.5, p))


def row(p: int) -> dict[str, float]:
    """Return theory less simulation, accuracy in points, mean margin and variance in percent of the theory's, with standard errors."""
    theory, seen = sm.predict_tree(replaced(p)), sm.simulate(replaced(p), trials=TRIALS[p], seed=SEED)
    found: dict[str, float] = {"trials": TRIALS[p]}
    for name, unit in (("accuracy", 1.0), ("mean_margin", theory.mean_margin), ("variance", theory.variance)):
        one = getattr(seen, name)
        found |= {name: 100 * (getattr(theory, name) - one.mean) / unit, f"{name} se": 100 * one.se / unit}
    return found


def times_p(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return the number a of the law a / p that fits the rows, by their standard errors, for each quantity."""
    found = {}
    for name in ("accuracy", "mean_margin", "variance"):
        p, off, se = (np.array(each) for each in zip(*((float(p), one[name], one[f"{name} se"]) for p, one in rows.items()), strict=True))
        found[name] = float(np.sum(off / p / se**2) / np.sum(1 / (p * se) ** 2))
    return found


if __name__ == "__main__":
    made_from = commit()
    rows = {str(p): row(p) for p in TRIALS}
    RECORD.write_text(json.dumps({"rows": rows, "times p": times_p(rows), "seed": SEED, "commit": made_from}, indent=1) + "\n")
    print("written:", RECORD.name)
