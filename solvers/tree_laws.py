"""A family tree in numbers: how its sets hang together, and the laws of its real sets in the form that their covariances allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .lowering import Matrices, lower_problem
from .problem import Problem, Source
from .tree_kernels import Laws, Links

if TYPE_CHECKING:
    from .trees import Tree


class DenseLaws(NamedTuple):
    """Covariances that do not commute.

    Attributes
    ----------
    matrices : array (A + 1, p, p)
        Of every law, then of the test law.
    means : array (A + 1, p)
    """

    matrices: np.ndarray
    means: np.ndarray


def links(tree: Tree) -> Links:
    """Return how the ancestors of a tree hang together."""
    sets, N = tree.ancestors, tree.N
    place = {each.name: i for i, each in enumerate(sets)}
    shares = np.zeros((len(sets), len(sets)))
    for i, each in enumerate(sets):
        parents = [place[parent] for parent in each.parents if parent in place]
        union = sum(sets[j].kept for j in parents)
        for j in parents:
            shares[i, j] = sets[j].kept / union
    theta, weight, label = (np.array(values, dtype=float) for values in zip(*((s.kept / N, s.weight, s.label) for s in sets), strict=True))
    return Links(theta, weight, label, shares, np.array([tree.laws.which.get(each.name, -1) for each in sets]))


def lower_laws(tree: Tree) -> Laws | DenseLaws:
    """Return the laws of a tree's real sets and of a fresh sample: eigenvalues where all covariances commute, otherwise matrices.

    Raises
    ------
    BadInput
        For covariances of shapes that do not go together, or a negative eigenvalue.
    """
    sources = tuple(Source(str(a), 1.0, law) for a, law in enumerate(tree.laws.different))
    problem = Problem(sources, tree.ridge, tree.N, tree.p, tree.law())
    lowered = lower_problem(problem, [problem.test])
    form, which = lowered.form, lowered.grid.mixing[0]
    if isinstance(form, Matrices):
        return DenseLaws(np.array([*form.covariances, *form.tests]), which @ form.directions)
    means = form.means
    if tree.mean_squares is not None:
        own = int(which[-1].argmax())
        means = means.copy()
        means[own, own] = tree.mean_squares
    eigenvalues = np.concatenate([form.eigenvalues, form.tests])
    h = np.full(eigenvalues.shape[1], lowered.grid.h[0])
    return Laws(eigenvalues, h, np.ascontiguousarray(np.einsum("ad,del,be->abl", which, means, which)))
