"""The three fixed-point scalars of the toy setting, measured on simulated matrices (figure 2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from threadpoolctl import threadpool_limits

from sims.monte_carlo import Estimate
from sims.samplers import trial_streams
from sims.sufficient import Sufficient
from sims.trial import Mixture
from solvers.errors import BadInput
from solvers.problem import Setting


@dataclass(frozen=True)
class Traces:
    """d_r, d_s and d_g of an independent generator: means over trials with standard errors."""

    d_r: Estimate
    d_s: Estimate
    d_g: Estimate


def measure_traces(setting: Setting, *, trials: int = 20, seed: int = 0) -> Traces:
    """Measure the scalars by their random-matrix definitions, with Q the resolvent of the kept weighted samples.

    d_r = (1/N) tr(C Q); d_s = (1/N) tr(Sigma_beta Q). The generator is a source seen through a layer: its n_hat samples
    v_j train with weight s = alpha (1 - pi) omega / (1 + omega d_s), and by Sherman-Morrison the mean over them of
    (s / n_hat) v_j^T Q v_j is h = d_g / (1 + d_g), so d_g = h / (1 - h).

    Raises:
        BadInput: where the generator is not independent, or trials is below 2.
    """
    if setting.generator.kind != "independent":
        raise BadInput("d_g belongs to an independent generator; use --generator independent")
    if trials < 2:
        raise BadInput("a standard error needs at least 2 trials")
    sampler = Sufficient(Mixture.of(setting))
    with threadpool_limits(1, user_api="blas"):
        values = [_traces(sampler, rng) for rng in trial_streams(seed, 0, 0, trials)]
    return Traces(*(Estimate.of(column) for column in np.array(values).T))


def _traces(sampler: Sufficient, rng: np.random.Generator) -> tuple[float, float, float]:
    """d_r, d_s and d_g of one draw. With N Q^{-1} = U^T U and C = L L^T, tr(C Q) = N |U^{-T} L|^2."""
    s, real = sampler.mixture.setting, sampler.mixture.real
    data, generator = sampler.training_set(rng)
    upper = cholesky(data.gram(s.ridge.gamma * s.N), overwrite_a=True, check_finite=False)
    d_r, d_s = (
        float(np.sum(solve_triangular(upper, factor.times(np.eye(factor.dims)), trans=1, check_finite=False) ** 2))
        for factor in (real, generator.factor)
    )
    strength = s.alpha * (1 - s.pi) * s.omega / (1 + s.omega * d_s)
    h = strength * s.N * d_s / sampler.mixture.n_hat  # the n_hat samples v_j make up n_hat Sigma_beta
    return d_r, d_s, h / (1 - h)
