"""The three fixed-point scalars of the toy setting, measured on simulated matrices (figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from ..solvers.problem import Setting
from ..support.errors import BadInput
from ..support.threads import one_thread
from .monte_carlo import Estimate
from .samplers import trial_streams
from .samplers.sufficient import Sufficient
from .trial import Factor, Mixture, TrainingSet


@dataclass(frozen=True)
class Traces:
    """The scalars of an independent generator, as means over trials with standard errors.

    Attributes
    ----------
    d_r, d_s, d_g : Estimate
        delta of the real samples, of the synthetic ones, and of the generator's fit.
    """

    d_r: Estimate
    d_s: Estimate
    d_g: Estimate


def measure_traces(setting: Setting, *, trials: int = 20, seed: int = 0) -> Traces:
    """Measure the scalars by their random-matrix definitions, with Q the resolvent of the kept weighted samples.

    d_r = (1/N) tr(C Q); d_s = (1/N) tr(Sigma_beta Q). Training on the generator is training on its n_hat samples: these
    v_j train with weight s = theta omega / (1 + omega d_s), where theta N of the m were kept, and by Sherman-Morrison the
    mean over them of (s / n_hat) v_j^T Q v_j is h = d_g / (1 + d_g), so d_g = h / (1 - h).

    Parameters
    ----------
    setting : Setting
        Its generator is independent.
    trials : int
        At least 2.
    seed : int

    Raises
    ------
    BadInput
        For another generator, or fewer than 2 trials.
    """
    if setting.generator.kind != "independent":
        raise BadInput("d_g belongs to an independent generator; use --generator independent")
    if trials < 2:
        raise BadInput("a standard error needs at least 2 trials")
    sampler = Sufficient(Mixture.of(setting))
    with one_thread():
        values = [_traces(sampler, rng) for rng in trial_streams(seed, 0, 0, trials)]
    return Traces(*(Estimate.of(column) for column in np.array(values).T))


def _traces(sampler: Sufficient, rng: np.random.Generator) -> tuple[float, float, float]:
    """d_r, d_s and d_g of one draw."""
    s, real = sampler.mixture.setting, sampler.mixture.real
    data, generator = sampler.training_set(rng)
    d_r, d_s = _resolvent_traces(data, s.ridge.gamma * s.N, (real, generator.factor))
    kept = data.labels @ data.labels - s.n  # omega theta N: up to a rotation the labels are +-sqrt(c_i)
    strength = kept / s.N / (1 + s.omega * d_s)
    h = strength * s.N * d_s / sampler.mixture.n_hat  # the n_hat samples v_j make up n_hat Sigma_beta
    return d_r, d_s, h / (1 - h)


def _resolvent_traces(data: TrainingSet, gamma_N: float, factors: Sequence[Factor]) -> list[float]:
    """tr(L L^T (X X^T + gamma_N I)^{-1}) for each root L, X being the samples: by the smaller of X X^T and X^T X.

    With U^T U the one, the trace is |U^{-T} L|^2; with the other it is (|L|^2 - |U^{-T} X^T L|^2) / gamma_N, by Woodbury.
    """
    p, q = len(data.columns), sum(block.shape[1] for block in (data.columns, *data.scatter))
    if q >= p:
        upper = cholesky(data.gram(gamma_N), overwrite_a=True, check_finite=False)
        return [_whitened_square(upper, factor.times(np.eye(factor.dims))) for factor in factors]
    samples = np.concatenate([data.columns, *data.scatter], axis=1)
    upper = cholesky(TrainingSet(samples.T, np.empty(0)).gram(gamma_N), overwrite_a=True, check_finite=False)
    traces = []
    for factor in factors:
        root = np.broadcast_to(factor.root, (p,)) if factor.diagonal else factor.root
        seen = samples.T * root if factor.diagonal else samples.T @ root
        traces.append((float(np.sum(root**2)) - _whitened_square(upper, seen)) / gamma_N)
    return traces


def _whitened_square(upper: np.ndarray, columns: np.ndarray) -> float:
    """|U^{-T} columns|^2; `columns` may be overwritten."""
    return float(np.sum(solve_triangular(upper, columns, trans=1, overwrite_b=True, check_finite=False) ** 2))
