"""One Monte-Carlo trial: a setting made ready to draw from, a training set, its ridge classifier and the outcome.

No test sample is ever drawn: given w, a fresh sample has y w^T x ~ N(w^T mu, w^T C w), so the accuracy and the risk
of w are known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, blas, lapack
from scipy.special import ndtr

from ..solvers.problem import Covariance, Setting
from ..support.errors import BadInput, NotConverged, number

MOST = 2**53  # samples that can be counted in floating point


def whole(name: str, value: float) -> int:
    """Return `value` as an integer; a simulation counts samples, unlike the theory. Messages call it `name`.

    Raises
    ------
    BadInput
        Where it is not a whole number, or a larger one than can be counted.
    """
    if value != int(value):
        raise BadInput(f"{name} must be a whole number to be simulated, not {value:g}")
    number(name, value, high=MOST)
    return int(value)


def in_space(mean: np.ndarray, p: int) -> np.ndarray:
    """Return a mean given by its first coordinates as a vector of R^p.

    Raises
    ------
    BadInput
        Where it has further coordinates than p that are not 0.
    """
    mean = np.asarray(mean, dtype=float)
    if np.any(mean[p:]):
        raise BadInput(f"a mean has {mean.size} coordinates where p = {p}")
    vector = np.zeros(p)
    vector[: mean.size] = mean[:p]
    return vector


LEAST, LARGEST = 1e-70, 1e70  # of a score, whose fourth power is within the numbers that there are: errors of variances need it


@dataclass(frozen=True)
class Outcome:
    """The margin of fresh samples under one trial's classifier: numbers, or arrays with one entry a trial.

    Attributes
    ----------
    mean_margin : float or array
        m_w = w^T mu.
    variance : float or array
        s_w^2 = w^T C w.
    """

    mean_margin: float | np.ndarray
    variance: float | np.ndarray

    @property
    def accuracy(self) -> float | np.ndarray:
        """Phi(m_w / s_w); 1/2 for w = 0, which has learnt nothing. Below 1/2 where the labels mislead."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.divide(self.mean_margin, np.sqrt(self.variance))
        return ndtr(np.where(np.isnan(ratio), 0.0, ratio))[()]

    @property
    def usable(self) -> bool | np.ndarray:
        """Whether both are numbers whose squares floating point can tell."""
        size = np.maximum(np.abs(self.mean_margin), np.sqrt(self.variance))
        return (size == 0) | ((size > LEAST) & (size < LARGEST))  # false for nan

    @property
    def risk(self) -> float | np.ndarray:
        """E (y - w^T x)^2 = s_w^2 + m_w^2 + 1 - 2 m_w."""
        return self.variance + (self.mean_margin - 1) ** 2


@dataclass(frozen=True, eq=False)
class Factor:
    """A root L of a p x p covariance L L^T.

    Attributes
    ----------
    root : float, array (p,) or array (p, k)
        L: a number (times I), its diagonal, or the matrix.
    p : int
    """

    root: np.ndarray
    p: int

    @classmethod
    def of(cls, covariance: Covariance, p: int) -> Factor:
        """Return the root of a covariance in the shape it is given in: number, p eigenvalues, or matrix (Cholesky).

        Raises
        ------
        BadInput
            Where it does not fit p or is no covariance.
        """
        c = np.asarray(covariance, dtype=float)
        if c.shape not in ((), (p,), (p, p)):
            raise BadInput(f"a covariance is a number, p eigenvalues or p x p; p = {p} and its shape is {c.shape}")
        refused = BadInput("a covariance must be finite, symmetric and without negative eigenvalues")
        if not np.all(np.isfinite(c)) or (c.ndim < 2 and np.any(c < 0)) or (c.ndim == 2 and not np.allclose(c, c.T)):
            raise refused
        if c.ndim < 2:
            return cls(np.sqrt(c), p)
        try:
            return cls(np.linalg.cholesky(c), p)
        except LinAlgError:  # singular, or no covariance at all
            values, vectors = np.linalg.eigh(c)
            if values[0] < -1e-10 * abs(values[-1]):
                raise refused from None
            return cls(vectors * np.sqrt(np.maximum(values, 0)), p)

    @property
    def dims(self) -> int:
        """The number of coordinates that L is multiplied with."""
        return self.root.shape[1] if self.root.ndim == 2 else self.p

    @property
    def diagonal(self) -> bool:
        """Whether L is diagonal, so that it keeps triangular matrices triangular."""
        return self.root.ndim < 2

    def times(self, latent: np.ndarray) -> np.ndarray:
        """Return L @ latent, for a vector or a matrix, which may be overwritten."""
        if self.root.ndim == 2:
            return self.root @ latent
        if np.any(self.root != 1):
            latent *= self.root if self.root.ndim == 0 or latent.ndim == 1 else self.root[:, None]
        return latent

    def form(self, w: np.ndarray) -> float:
        """Return w^T L L^T w."""
        z = w @ self.root if self.root.ndim == 2 else self.root * w
        return float(z @ z)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Weighted samples, up to a rotation of the sample space, which the ridge classifier cannot see.

    Attributes
    ----------
    columns : array (p, q)
        Samples sqrt(c_i) x_i.
    labels : array (q,)
        Their labels sqrt(c_i) ytilde_i.
    scatter : tuple of arrays (p, k)
        Further samples, whose labels are all 0: to rotate the samples so that few of them carry the labels is what makes a trial cheap.
    triangular : bool
        Whether those blocks of `scatter` that are square are upper triangular.
    """

    columns: np.ndarray
    labels: np.ndarray
    scatter: tuple[np.ndarray, ...] = ()
    triangular: bool = False

    def gram(self, gamma_N: float) -> np.ndarray:
        """Return sum_i c_i x_i x_i^T + gamma_N I, (p, p), in Fortran order; only its upper triangle is defined."""
        p = len(self.columns)
        gram = np.zeros((p, p), order="F")
        for block in self.scatter:
            if self.triangular and block.shape == (p, p):
                gram += lapack.dlauum(block, lower=0)[0]  # a third of the work of dsyrk
            elif block.size:
                gram = blas.dsyrk(1.0, block, beta=1.0, c=gram, overwrite_c=1)
        if self.columns.size:
            gram = blas.dsyrk(1.0, self.columns, beta=1.0, c=gram, overwrite_c=1)
        np.einsum("ii->i", gram)[...] += gamma_N
        return gram

    def ridge(self, gamma_N: float) -> np.ndarray:
        """Return w = (sum_i c_i x_i x_i^T + gamma_N I)^{-1} sum_i c_i ytilde_i x_i, by this system or its dual, if smaller.

        Raises
        ------
        NotConverged
            Where the system is singular in floating point.
        """
        p, q = len(self.columns), sum(block.shape[1] for block in (self.columns, *self.scatter))
        if q >= p:
            return _solve(self.gram(gamma_N), self.columns @ self.labels)
        dual = TrainingSet(np.concatenate([self.columns, *self.scatter], axis=1).T, np.empty(0))
        labels = np.zeros(q)
        labels[: self.labels.size] = self.labels
        return dual.columns.T @ _solve(dual.gram(gamma_N), labels) if self.labels.size else np.zeros(p)


def check_finite(diagonal: np.ndarray, moment: np.ndarray) -> None:
    """Check the diagonal of a Gram matrix with its ridge, which bounds all of it, and the right side of its system.

    Parameters
    ----------
    diagonal : array (p,)
    moment : array (p,)
        The right side.

    Raises
    ------
    NotConverged
        Where floating point overflowed, which solvers of linear systems may answer with w = 0.
    """
    if not (np.isfinite(diagonal).all() and np.isfinite(moment).all()):
        raise NotConverged("the Gram matrix of the training set is beyond floating point: take less extreme values of mu, gamma, omega or "
                           "the covariances")


def _solve(gram: np.ndarray, right: np.ndarray) -> np.ndarray:
    """gram^{-1} right, from the upper triangle of `gram`, which is overwritten."""
    check_finite(np.einsum("ii->i", gram), right)
    _, solution, info = lapack.dposv(gram, right, lower=0, overwrite_a=1)
    if info:
        raise NotConverged("the Gram matrix of the training set is singular in floating point; raise gamma")
    return solution


@dataclass(frozen=True, eq=False)
class Mixture:
    """A `Setting` made ready to draw from.

    Attributes
    ----------
    setting : Setting
    n, m, n_hat : int
        Real samples, synthetic samples before pruning, and the samples that an independent generator is fitted on (else 0).
    mu, mu_beta : arrays (p,)
        The means of the real data and of the generator (or of the samples it is fitted on).
    real, generated : Factor
        Roots of their covariances.
    """

    setting: Setting
    n: int
    m: int
    n_hat: int
    mu: np.ndarray
    mu_beta: np.ndarray
    real: Factor
    generated: Factor

    @classmethod
    def of(cls, setting: Setting) -> Mixture:
        """Make a setting ready to draw from.

        Raises
        ------
        BadInput
            Where a count is not whole or a covariance does not fit.
        """
        p, g = setting.p, setting.generator
        counts = (whole(name, value) for name, value in (("n", setting.n), ("m", setting.m), ("n-hat", g.n_hat or 0)))
        real = Factor.of(setting.covariance, p)
        generated = real if g.covariance is None else Factor.of(g.covariance, p)
        return cls(setting, *counts, *(in_space(mean, p) for mean in setting.means), real, generated)

    @property
    def fates(self) -> tuple[float, float, float]:
        """The probabilities that a synthetic sample is kept with the right label, kept with a wrong one, dropped."""
        s = self.setting
        right, wrong = s.verifier.phi * (1 - s.epsilon), s.verifier.rho * s.epsilon
        return right, wrong, max(0.0, 1 - right - wrong)

    @property
    def keeps(self) -> bool:
        """Whether there can be synthetic samples in the training set at all."""
        return self.m > 0 and self.fates[0] + self.fates[1] > 0

    def outcome(self, data: TrainingSet) -> tuple[float, float]:
        """Return mean margin and variance of the ridge classifier trained on `data`."""
        return self.margin(data.ridge(self.setting.ridge.gamma * self.setting.N))

    def margin(self, w: np.ndarray) -> tuple[float, float]:
        """Return mean and variance of a fresh sample's margin under a classifier w (p,)."""
        return float(w @ self.mu), self.real.form(w)
