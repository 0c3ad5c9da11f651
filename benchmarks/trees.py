"""How much faster is a family tree of ten generations than the textbook: p x p matrices and fixed-point iteration?

    python -m benchmarks.trees [--record]

One core for both, and processor time, which other programs hardly change.
"""

from __future__ import annotations

from time import process_time

import numpy as np

from synthmix.solvers.collapse import predict_line
from synthmix.solvers.problem import Generator, Ridge, Setting
from synthmix.solvers.spectra import even_mean, spectrum
from synthmix.solvers.tree_grid import predict_trees
from synthmix.solvers.trees import Tree, generations, predict_tree

from .measure import duration, interleaved, one_core, run, show
from .textbook import Limits, predict_family_tree

P, DEPTH = 500, 10
REPEATS = 3
GRID = 64


def tree(p: int = P, depth: int = DEPTH, scheme: str = "replace") -> Tree:
    """Return a line of generators with p eigenvalues."""
    return generations(setting(p), depth, scheme)


def setting(p: int = P) -> Setting:
    """Return the setting of the line."""
    generator = Generator("independent", round(1.5 * p), estimate_mean=True)
    return Setting(0, 4 * p, p, even_mean(1.5, p), generator=generator, ridge=Ridge(0.1), covariance=spectrum("power:0.5", p))


def check(of: Tree) -> None:
    """Raise unless textbook and workbench agree to 1e-6."""
    one, other = predict_family_tree(of), predict_tree(of)
    found = Limits(other.mean_margin, other.variance, other.accuracy)
    if not np.allclose(one, found, rtol=1e-6):
        raise SystemExit(f"textbook and workbench disagree: {one} against {found}")


def main() -> dict[str, object]:
    """Time both and print the ratios; return seconds, milliseconds and ratios."""
    one_core()
    of, line = tree(), setting()
    check(of)
    times = interleaved(REPEATS, {
        "textbook": (lambda: predict_family_tree(of), 1),
        "predict_tree": (lambda: predict_tree(of), 20),
        "predict_line": (lambda: predict_line(line, "replace", DEPTH), 20),
        f"predict_trees, each of {GRID}": (lambda: predict_trees([of] * GRID), 1),
    }, process_time)  # fmt: skip
    times[f"predict_trees, each of {GRID}"] /= GRID
    rows = [(name, duration(value), f"{times['textbook'] / value:,.0f}") for name, value in times.items()]
    show(f"A family tree of {DEPTH} replaced generations, {P} eigenvalues", ("", "time", "textbook / this"), rows)
    return {"textbook, s": times["textbook"], "ms": {name: 1e3 * time for name, time in times.items()},
            "ratio": {name: times["textbook"] / time for name, time in times.items()}}  # fmt: skip


if __name__ == "__main__":
    run(main)
