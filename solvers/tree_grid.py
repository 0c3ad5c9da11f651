"""Many family trees at once: those of one shape are solved as one compiled batch, in parallel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import prange

from ..support.errors import NotConverged, instances
from . import kernels
from .compiling import njit
from .predict import PredictionGrid
from .tree_kernels import Laws, Links, tree_point
from .tree_laws import links, lower_laws
from .trees import Tree, solve_tree

_BATCH = 256  # trees whose numbers are held at once


@njit(cache=True, error_model="numpy", parallel=True)
def _batch(hang, laws, gamma, deltas, found):
    """Fill deltas (P, K) and found (P, 3), mean margin, variance and residual; links, laws and gamma have a leading axis (P,)."""
    for i in prange(gamma.size):
        one = Links(hang.theta[i], hang.weight[i], hang.label[i], hang.shares[i], hang.law[i])
        law = Laws(laws.eigenvalues[i], laws.h[i], laws.products[i])
        found[i, 0], found[i, 1], found[i, 2] = tree_point(one, law, gamma[i], np.empty(deltas.shape[1]), deltas[i])


def predict_trees(trees: Sequence[Tree]) -> PredictionGrid:
    """Predict the classifiers trained on many family trees, by the square loss.

    Parameters
    ----------
    trees : sequence of P trees
        Of any shapes; those of one shape, as over an axis of a study, are fastest.

    Returns
    -------
    PredictionGrid
        Arrays (P,). `delta` has every name of a set, with nan where a tree does not need one.

    Raises
    ------
    BadInput
        As `predict_tree`.
    NotConverged
        If one of the trees was not solved.
    """
    trees = instances("what is predicted", trees, Tree)
    found = np.full((len(trees), 3), np.nan)
    delta = {each.name: np.full(len(trees), np.nan) for tree in trees for each in tree.ancestors}
    shapes: dict[tuple[int, ...], list[tuple[int, Links, Laws]]] = {}
    for start in range(0, len(trees), _BATCH):
        shapes.clear()
        for i in range(start, min(start + _BATCH, len(trees))):
            hang, laws = links(trees[i]), lower_laws(trees[i])
            if isinstance(laws, Laws):
                shapes.setdefault((hang.theta.size, *laws.eigenvalues.shape), []).append((i, hang, laws))
            else:
                solved = solve_tree(trees[i])
                found[i] = solved.mean_margin, solved.variance, solved.residual
                _note(delta, i, trees[i], list(solved.delta.values()))
        for same in shapes.values():
            rows, every_link, every_law = zip(*same, strict=True)
            hang, laws = (form(*map(np.array, zip(*parts, strict=True))) for form, parts in ((Links, every_link), (Laws, every_law)))
            deltas, results = np.empty(hang.theta.shape), np.empty((len(rows), 3))
            _batch(hang, laws, np.array([trees[i].ridge.gamma for i in rows]), deltas, results)
            found[list(rows)] = results
            for i, row in zip(rows, deltas, strict=True):
                _note(delta, i, trees[i], row)
    return _named(trees, found, delta)


def _note(delta: dict[str, np.ndarray], i: int, tree: Tree, values: Sequence[float]) -> None:
    for each, value in zip(tree.ancestors, values, strict=True):
        delta[each.name][i] = value


def _named(trees: Sequence[Tree], found: np.ndarray, delta: dict[str, np.ndarray]) -> PredictionGrid:
    margins, variances, residual = np.ascontiguousarray(found.T)
    good = (residual <= kernels.TOLERANCE) & np.isfinite(margins) & (variances >= 0)
    if not good.all():
        raise NotConverged(f"{int((~good).sum())} of {len(trees)} family trees were not solved")
    accuracy, risk = np.empty(len(trees)), np.empty(len(trees))
    kernels.outcomes(margins, variances, accuracy, risk)
    alpha, lam = (np.array([getattr(tree, name) for tree in trees]) for name in ("alpha", "lam"))
    return PredictionGrid(margins, variances, accuracy, risk, alpha, lam, delta, residual)
