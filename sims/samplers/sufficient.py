"""The `sufficient` sampler: the exact law of the trained classifier without drawing the samples.

A ridge classifier sees its training set through the Gram matrix and the label moment only. Rotate the samples of one
law that share one label, N of them: the first becomes their sum over sqrt(N), with law sqrt(N) mean + N(0, C), and
carries all of the label; the N - 1 others are centred Gaussians with label 0, so only their Wishart matrix counts, and
Bartlett's decomposition draws it with p(p+1)/2 numbers. A trial thus costs nothing in m.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import blas

from ...solvers.problem import Setting
from ..trial import Factor, Mixture, TrainingSet


def bartlett(rng: np.random.Generator, p: int, dof: int) -> np.ndarray:
    """Draw a factor A (p, min(p, dof)) of a standard Wishart matrix: A A^T ~ W_p(I, dof), singular where dof < p.

    Bartlett's decomposition, counted from the last coordinate: upper triangular (below a dense block where dof < p),
    because LAPACK has a cheap product of an upper triangle with its transpose. Fortran order.
    """
    k = min(p, dof)
    a = np.zeros((p, k), order="F")
    for j in range(k):
        rng.standard_normal(out=a[: p - k + j, j])
    a[np.arange(p - k, p), np.arange(k)] = np.sqrt(rng.chisquare(np.arange(dof - k + 1, dof + 1)))
    return a


@dataclass(frozen=True, eq=False)
class Cloud:
    """A Gaussian law N(mean, L L^T) from which many samples are summed up in few.

    Attributes
    ----------
    mean : array (p,)
    factor : Factor
        L.
    """

    mean: np.ndarray
    factor: Factor

    def total(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draw the sum of `count` samples over sqrt(count), (p,)."""
        return math.sqrt(count) * self.mean + self.factor.times(rng.standard_normal(self.factor.dims))

    def scatter(self, rng: np.random.Generator, dof: int) -> np.ndarray:
        """Draw S (p, min(dims, dof)) such that S S^T has the law of the sum of z z^T over `dof` centred samples."""
        root, latent = self.factor.root, bartlett(rng, self.factor.dims, dof)
        if root.ndim == 2 and latent.size and latent.shape[0] == latent.shape[1]:
            return blas.dtrmm(1.0, latent, root, side=1, lower=0)
        return self.factor.times(latent)

    def fitted(self, mean: np.ndarray, scatter: np.ndarray, count: int) -> Cloud:
        """Return the law of a mean (p,) and of the covariance that `count` samples of a scatter (p, k) have."""
        return Cloud(mean, Factor(scatter / math.sqrt(count), len(mean)))


@dataclass(frozen=True, eq=False)
class Sufficient:
    """The sufficient sampler: trials of a mixture from the joint law of their Gram matrix and label moment.

    Attributes
    ----------
    mixture : Mixture
    """

    mixture: Mixture

    def training_set(self, rng: np.random.Generator) -> tuple[TrainingSet, Cloud]:
        """Draw the rotated training set of one trial; returns it and the law that its generator had."""
        mix, s = self.mixture, self.mixture.setting
        columns, labels, scatter = [], [], []
        real, generator = Cloud(mix.mu, mix.real), Cloud(mix.mu_beta, mix.generated)
        if mix.n:
            columns.append(real.total(rng, mix.n))
            labels.append(math.sqrt(mix.n))
            scatter.append(real.scatter(rng, mix.n - 1))
        if s.generator.kind == "independent":
            estimated = s.generator.estimate_mean
            mean = generator.total(rng, mix.n_hat) / math.sqrt(mix.n_hat) if estimated else generator.mean
            generator = generator.fitted(mean, generator.scatter(rng, mix.n_hat - estimated), mix.n_hat)
        elif s.generator.kind == "self-fitted":
            generator = real.fitted(columns[0] / math.sqrt(mix.n), scatter[0], mix.n)
        dof, root = 0, math.sqrt(s.omega)
        for count, sign in zip(rng.multinomial(mix.m, mix.fates).tolist(), (1, -1), strict=False):  # not the dropped ones
            if count:
                columns.append(root * generator.total(rng, count))
                labels.append(sign * root * math.sqrt(count))
                dof += count - 1
        scatter.append(generator.scatter(rng, dof))
        scatter[-1] *= root
        samples = np.array(columns).reshape(len(columns), s.p).T
        triangular = mix.real.diagonal and mix.generated.diagonal
        return TrainingSet(samples, np.array(labels), tuple(scatter), triangular), generator

    @staticmethod
    def doubles(setting: Setting) -> float:
        """Return about how many numbers are held at once while a trial is drawn."""
        counts = setting.n, setting.m * setting.verifier.alpha(setting.epsilon), setting.generator.n_hat or 0
        samples = sum(min(setting.p, count) for count in counts)
        return 3.0 * setting.p * samples + 2.0 * min(setting.p, samples) ** 2 + 8.0 * setting.p

    def draws(self, streams: Iterable[np.random.Generator]) -> np.ndarray:
        """Return mean margin and variance of one trial a stream, (trials, 2)."""
        return np.array([self.mixture.outcome(self.training_set(rng)[0]) for rng in streams])
