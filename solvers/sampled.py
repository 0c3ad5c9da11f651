"""The backend for covariances that differ and are known by samples: the formulas of the dense one, on sample covariances.

The unknowns are the weights kappa of the sample covariances; see derivations/special/sample_covariance.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..support.errors import BadInput, NotConverged
from . import kernels
from .generated.sample_covariance import from_sample
from .kernels import Found, Point
from .lowering import Matrices
from .problem import Covariance
from .sample_covariance import SampleCovariance

STEPS = 200


def sampled_point(point: Point, form: Matrices, found: Found) -> float:
    """Solve one problem some of whose covariances are sample covariances into `found`.

    Parameters
    ----------
    point : kernels.Point
    form : Matrices
    found : kernels.Found

    Returns
    -------
    float
        The relative residual of the fixed point.

    Raises
    ------
    BadInput
        For the published formula.
    NotConverged
        Where no weights are found: fewer residuals than features, and too small a ridge for them.
    """
    if not isinstance(point, Point):
        raise BadInput("the published formula needs covariances, not samples: use --formula rederived")
    laws = _Laws(form)
    K, p = len(form.covariances), form.directions.shape[1]
    s, d_s, response = np.empty((3, K))
    which = laws.of_source

    def at(kappa: np.ndarray) -> tuple[_Sums, np.ndarray, np.ndarray]:
        sums = laws.sums(kappa, point.gamma, p)
        kernels.weights(point, sums.traces[which] * point.h, s, d_s, response)
        wanted, slope = np.bincount(which, s, laws.count), np.bincount(which, d_s, laws.count) * point.h
        return sums, sums.weights - wanted, sums.weights_kappa - slope[:, None] * sums.traces_kappa

    try:
        sums, relative = _solved(at, laws)
    except np.linalg.LinAlgError:  # the weights grow without bound
        relative = np.inf
    if not relative <= kernels.TOLERANCE:
        raise NotConverged("the weights of the sample covariances were not found: there are too few samples for so small a gamma")

    found.q[:] = sums.traces[which] * point.h
    kernels.weights(point, found.q, s, d_s, response)
    _respond(point, laws, sums, response, found)
    return relative


def _solved(at: Callable[[np.ndarray], tuple[_Sums, np.ndarray, np.ndarray]], laws: _Laws) -> tuple[_Sums, float]:
    """The sums at the weights that solve the fixed point, and its relative residual; `at` returns sums, residuals and Jacobian."""
    kappa, best = np.zeros(laws.count), np.inf
    sums, residual, jacobian = at(kappa)
    for _ in range(STEPS):
        # the safeguard: the map itself, which rises from kappa = 0 towards the solution
        moved = (sums.weights - residual) * (1 + kappa * sums.traces * laws.per_sample)
        relative = float(np.max(np.abs(residual) / np.where(moved > 0, sums.weights - residual, 1.0)))
        if relative <= kernels.ENOUGH or (relative <= kernels.TOLERANCE * 0.01 and relative >= 0.5 * best):
            break
        if relative < best:
            newton = kappa - np.linalg.solve(jacobian, residual)
            moved = newton if np.all(newton >= 0) else moved
        if not np.all(np.isfinite(moved)):  # the map rises without end: no weights solve it
            break
        kappa, best = moved, min(best, relative)
        sums, residual, jacobian = at(kappa)
    return sums, relative


def _respond(point: Point, laws: _Laws, sums: _Sums, d_s: np.ndarray, found: Found) -> None:
    """Mean margins and variances from the solved fixed point, into `found`."""
    which, speed = laws.of_source, np.empty(found.q.size)
    traces_weight, products_weight = sums.traces_weight, sums.products_weight
    pairs = np.ascontiguousarray(-traces_weight[np.ix_(which, which)] * point.h)
    products = _symmetric(point.mixing @ sums.products @ point.mixing.T)
    for i, test in enumerate(laws.of_test):
        h = np.ascontiguousarray(-traces_weight[which, test] * point.h)
        kernels.solve_speed(d_s, pairs, h, speed)
        along = np.bincount(which, d_s * speed, laws.count)
        along[test] += 1.0
        slopes = _symmetric(point.mixing @ (-products_weight @ along) @ point.mixing.T)
        for a, labelling in enumerate(point.labels):
            found.margins[i, a], found.variances[i, a] = kernels.respond(point, labelling, found.q, speed, products, slopes,
                                                                         found.q.size + i)


class _Sums:
    """Sums over the sample covariances, of weights kappa (C,), that stand for those over the populations' covariances.

    weights (C,): of the populations' covariances; traces (C,): of each with B; products (D, D): of the directions with B. With the suffix
    kappa or weight: their derivatives, one more axis (C,), in the weights of the sample covariances or of the populations' own.
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

    def __init__(self, form: Matrices) -> None:
        every = [*form.covariances, *form.tests, *(one[0] for one in form.estimates if one)]
        different = list({id(one): one for one in every}.values())
        place = {id(one): i for i, one in enumerate(different)}
        self.count, self.directions = len(different), form.directions
        self.matrices = [_matrix(one, self.directions.shape[1]) for one in different]
        self.per_sample = np.array([1 / one.samples if isinstance(one, SampleCovariance) else 0.0 for one in different])
        self.of_source = np.array([place[id(one)] for one in form.covariances])
        self.of_test = [place[id(one)] for one in form.tests]
        self.errors = np.zeros((len(self.directions), self.count))
        for d, estimate in enumerate(form.estimates):
            if estimate:
                self.errors[d, place[id(estimate[0])]] = 1 / estimate[1]

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
