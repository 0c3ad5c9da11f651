"""One problem of any loss, as its compiled solvers hand it about."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import data_side, kernels
from .compiling import njit


class Case(NamedTuple):
    """A problem and its loss.

    Every source has a node: its own samples, or, for a fitted generator, the samples it was fitted on (the base); the generated samples
    of a fitted source are a node more. J nodes: K, then one for each fitted source.

    Attributes
    ----------
    kind : int
        The loss.
    threshold : float
        Of Huber's loss.
    sources : array (K, 5)
        The columns of `kernels.Point`.
    wrong : array (K,)
        Shares of wrong labels.
    child : array (K,)
        The node of the generated samples of each source, or -1 where its law is exact.
    side : Spectral or Dense
        As in `data_side`.
    """

    kind: int
    threshold: float
    sources: np.ndarray
    wrong: np.ndarray
    child: np.ndarray
    side: object


@njit(cache=True, error_model="numpy")
def posed(kind, threshold, sources, wrong, side):
    """Return the case, and the number of its nodes.

    Parameters
    ----------
    kind, threshold, sources, wrong, side
        As of `Case`.
    """
    K = sources.shape[0]
    child = np.full(K, -1)
    J = K
    for k in range(K):
        if sources[k, kernels.FIT] > 0:
            child[k] = J
            J += 1
    return Case(kind, threshold, sources, wrong, child, side), J


@njit(cache=True, error_model="numpy")
def weight(case):
    """Return the weight of all samples that train, over N; 0 where none does."""
    total = 0.0
    for k in range(case.sources.shape[0]):
        total += case.sources[k, kernels.THETA] * case.sources[k, kernels.WEIGHT] + case.sources[k, kernels.BASE]
    return total


@njit(cache=True, error_model="numpy")
def heavy(case, gamma):
    """Return a ridge so heavy that every margin is small.

    Parameters
    ----------
    case : Case
    gamma : float
        The ridge is ten times this, or more.
    """
    load, traces = 0.0, data_side.load(case.side)
    for k in range(case.sources.shape[0]):
        load += (case.sources[k, kernels.THETA] * case.sources[k, kernels.WEIGHT] + case.sources[k, kernels.BASE]) * (
            traces[k] + data_side.square(case.side, k))
    return 10 * max(gamma, load)
