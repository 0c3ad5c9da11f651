"""The backend for covariances that differ and are known by samples: the formulas of the dense one, on sample covariances.

The unknowns are the weights kappa of the sample covariances; see derivations/special/sample_covariance.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from synthmix.solvers import kernels
from synthmix.solvers.generated.sample_covariance import from_sample
from synthmix.solvers.problem import Covariance
from synthmix.solvers.sample_covariance import SampleCovariance
from synthmix.support.errors import NotConverged

STEPS = 200


def sampled_point(
    sources: np.ndarray,
    labels: np.ndarray,
    gamma: float,
    N: float,
    covariances: Sequence[Covariance],
    tests: Sequence[Covariance],
    directions: np.ndarray,
    mixing: np.ndarray,
    errors: Sequence[tuple[Covariance, float] | None],
    intercept: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Solve one problem some of whose covariances are sample covariances.

    Parameters
    ----------
    sources, labels
        (K, 6) and (A, K, 4), as `solvers/kernels.py` names their columns.
    gamma, N
        The ridge, and the normalisation of the sums.
    covariances, tests
        Those of the K sources and T tests: (p, p), numbers or sample covariances. What is the same object is one law.
    directions, mixing
        (D, p), the means that differ, and (K + T, D), which of them every law has.
    errors
        For a direction that is a mean of samples, their covariance and number.
    intercept
        Whether one is fitted.

    Returns
    -------
    tuple
        q (K,), mean margins (T, A), variances (T, A) and the relative residual of the fixed point.

    Raises
    ------
    NotConverged
        Where no weights are found: fewer residuals than features, and too small a ridge for them.
    """
    laws = _Laws(covariances, tests, directions, errors)
    K, p = len(covariances), directions.shape[1]
    s, d_s = np.empty(K), np.empty(K)
    which = laws.of_source

    def at(kappa: np.ndarray) -> tuple[_Sums, np.ndarray, np.ndarray]:
        found = laws.sums(kappa, gamma, p)
        kernels.weights(sources, found.traces[which] / N, s, d_s)
        wanted, slope = np.bincount(which, s, laws.count), np.bincount(which, d_s, laws.count) / N
        return found, found.weights - wanted, found.weights_kappa - slope[:, None] * found.traces_kappa

    kappa, best = np.zeros(laws.count), np.inf
    found, residual, jacobian = at(kappa)
    for _ in range(STEPS):
        # the safeguard: the map itself, which rises from kappa = 0 towards the solution
        moved = (found.weights - residual) * (1 + kappa * found.traces * laws.per_sample)
        relative = float(np.max(np.abs(residual) / np.where(moved > 0, found.weights - residual, 1.0)))
        if relative <= kernels._ENOUGH or (relative <= kernels.TOLERANCE * 0.01 and relative >= 0.5 * best):
            break
        if relative < best:
            newton = kappa - np.linalg.solve(jacobian, residual)
            moved = newton if np.all(newton >= 0) else moved
        if not np.all(np.isfinite(moved)):  # the map rises without end: no weights solve it
            break
        kappa, best = moved, min(best, relative)
        found, residual, jacobian = at(kappa)
    if not relative <= kernels.TOLERANCE:
        raise NotConverged("the weights of the sample covariances were not found: there are too few samples for so small a gamma")

    q = found.traces[which] / N
    kernels.weights(sources, q, s, d_s)
    pairs = np.ascontiguousarray(-found.traces_weight[np.ix_(which, which)] / N)
    products = _symmetric(mixing @ found.products @ mixing.T)
    margins, variances, speed = np.empty((len(tests), len(labels))), np.empty((len(tests), len(labels))), np.empty(K)
    for i, test in enumerate(laws.of_test):
        h = np.ascontiguousarray(-found.traces_weight[which, test] / N)
        kernels.dq_dt(sources, q, pairs, h, speed)
        along = np.bincount(which, d_s * speed, laws.count)
        along[test] += 1.0
        slopes = _symmetric(mixing @ (-found.products_weight @ along) @ mixing.T)
        for a, labelling in enumerate(labels):
            margins[i, a], variances[i, a] = kernels.respond(sources, labelling, q, speed, products, slopes, K + i, intercept)
    return q, margins, variances, relative


class _Sums:
    """What the theory asks for at weights kappa (C,) of the sample covariances.

    weights (C,): those of the populations' covariances; traces (C,): of each with B; products (D, D): of the directions with B. With the
    suffix kappa or weight: their derivatives, one more axis (C,), in the weights of the sample covariances or of the populations' own.
    """

    def __init__(self, laws: _Laws, kappa: np.ndarray, Q: np.ndarray) -> None:
        turned = [Q @ one for one in laws.matrices]
        seen = np.array([np.trace(one) for one in turned])
        seen_kappa = -np.array([[np.vdot(one, other.T) for other in turned] for one in turned])
        w, traces, w_kappa, w_seen, traces_kappa, traces_seen = from_sample(kappa, seen, laws.per_sample)
        self.weights, self.traces = w, traces
        self.weights_kappa = np.diag(w_kappa) + w_seen[:, None] * seen_kappa
        self.traces_kappa = np.diag(traces_kappa) + traces_seen[:, None] * seen_kappa
        half = Q @ laws.directions.T
        self.products = laws.directions @ half
        products_kappa = -np.stack([half.T @ one @ half for one in laws.matrices], axis=-1)
        for d, error in enumerate(laws.errors):
            self.products[d, d] -= error @ traces
            products_kappa[d, d] -= error @ self.traces_kappa
        self._products_kappa = products_kappa

    @property
    def traces_weight(self) -> np.ndarray:
        return np.linalg.solve(self.weights_kappa.T, self.traces_kappa.T).T

    @property
    def products_weight(self) -> np.ndarray:
        return self._products_kappa @ np.linalg.inv(self.weights_kappa)


class _Laws:
    """The different covariances (C of them) of a problem, which of them every source and test has, the errors of the directions."""

    def __init__(
        self, covariances: Sequence[Covariance], tests: Sequence[Covariance], directions: np.ndarray,
        errors: Sequence[tuple[Covariance, float] | None],
    ) -> None:  # fmt: skip
        every = [*covariances, *tests, *(error[0] for error in errors if error)]
        different = list({id(one): one for one in every}.values())
        place = {id(one): i for i, one in enumerate(different)}
        self.count, self.directions = len(different), directions
        self.matrices = [_matrix(one, directions.shape[1]) for one in different]
        self.per_sample = np.array([1 / one.samples if isinstance(one, SampleCovariance) else 0.0 for one in different])
        self.of_source = np.array([place[id(one)] for one in covariances])
        self.of_test = [place[id(one)] for one in tests]
        self.errors = np.zeros((len(directions), self.count))
        for d, error in enumerate(errors):
            if error:
                self.errors[d, place[id(error[0])]] = 1 / error[1]

    def sums(self, kappa: np.ndarray, gamma: float, p: int) -> _Sums:
        loaded = gamma * np.eye(p)
        for weight, one in zip(kappa, self.matrices, strict=True):
            loaded += weight * one
        return _Sums(self, kappa, cho_solve(cho_factor(loaded, lower=True, overwrite_a=True), np.eye(p), overwrite_b=True))


def _matrix(covariance: Covariance, p: int) -> np.ndarray:
    if isinstance(covariance, SampleCovariance):
        return covariance.matrix
    c = np.asarray(covariance, dtype=float)
    return c if c.ndim == 2 else c * np.eye(p)


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((matrix + matrix.T) / 2)
