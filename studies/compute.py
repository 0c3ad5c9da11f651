"""A block of points, computed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..sims.monte_carlo import simulate
from ..solvers.any_loss import SQUARE
from ..solvers.limit import limit
from ..solvers.predict import predict, predict_grid
from ..solvers.problem import Setting
from ..solvers.tree_grid import predict_trees
from ..solvers.trees import Tree, predict_tree
from ..support.errors import BadInput, NotConverged
from .file import Study

QUANTITIES = ("mean_margin", "variance", "accuracy", "risk")
RESULTS = (*QUANTITIES, *(f"{name}_se" for name in QUANTITIES), "trials", "limit")


def compute_block(study: Study, kind: str, loss: str, at: Mapping[str, np.ndarray], keys: np.ndarray) -> dict[str, np.ndarray]:
    """Return the results of a block, a column (P,) by each name in `RESULTS`, and `note`: why a point has none.

    Parameters
    ----------
    study
        Whose points they are.
    kind, loss
        What is computed: theory, published or simulated.
    at
        The axes' values (P,) by the name of the parameter.
    keys
        Of the points (P,), whole numbers; the random numbers of a simulated point follow from its key.
    """
    found = {name: np.full(keys.size, np.nan) for name in RESULTS} | {"note": np.full(keys.size, None, dtype=object)}
    limited = study.compute.limit and kind == "theory"
    if kind != "simulated" and not limited:
        done = _on_grid(study, kind, loss, at)
        if done is not None:
            return found | done
    for i in range(keys.size):
        try:
            problem = study.problem({name: float(column[i]) for name, column in at.items()})
            values = _simulated(study, problem, loss, int(keys[i])) if kind == "simulated" else _predicted(problem, kind, loss)
            if limited and isinstance(problem, Setting) and (most := limit(problem)) is not None:
                values |= {"limit": most}
            for name, value in values.items():
                found[name][i] = value
        except (BadInput, NotConverged) as error:
            found["note"][i] = str(error)
    return found


def _on_grid(study: Study, kind: str, loss: str, at: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """The block on a compiled grid; None where it has to be taken point by point, to see which of them has no solution."""
    try:
        if study.tree is not None or study.lined:
            return _trees(study, at) if loss == SQUARE and at else None
        if not at:
            return None
        first = study.problem({name: float(values[0]) for name, values in at.items()})
        grid = predict_grid(first, formula="rederived" if kind == "theory" else kind, loss=loss, **at)
    except (BadInput, NotConverged):
        return None
    return {name: np.array(getattr(grid, name)) for name in QUANTITIES}


def _trees(study: Study, at: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The block of a study of family trees."""
    points = len(next(iter(at.values())))
    grid = predict_trees([study.problem({name: float(column[i]) for name, column in at.items()}) for i in range(points)])
    return {name: np.array(getattr(grid, name)) for name in QUANTITIES}


def _predicted(problem: Setting | Tree, kind: str, loss: str) -> dict[str, float]:
    if isinstance(problem, Tree):
        found = predict_tree(problem, loss=loss)
    else:
        found = predict(problem, formula="rederived" if kind == "theory" else kind, loss=loss)
    return {name: getattr(found, name) for name in QUANTITIES}


def _simulated(study: Study, problem: Setting | Tree, loss: str, key: int) -> dict[str, float]:
    asked = study.compute
    seed = int(np.random.SeedSequence([asked.seed, key]).generate_state(1, np.uint64)[0] >> 11)
    done = simulate(problem, trials=asked.trials, target_se=asked.target_se, seed=seed, loss=loss)
    means = {name: getattr(done, name).mean for name in QUANTITIES}
    return means | {f"{name}_se": getattr(done, name).se for name in QUANTITIES} | {"trials": float(done.trials)}
