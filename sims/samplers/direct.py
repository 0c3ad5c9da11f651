"""The `direct` sampler: draw every sample, the way the model is told. Slow, obvious, open to any loss and to non-Gaussian entries."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ...solvers.any_loss import SQUARE, SQUARE_LOSS, Loss
from ...solvers.problem import Problem, Setting
from ...solvers.sample_covariance import SampleCovariance
from ...support.errors import BadInput
from ..minimise import minimiser
from ..trial import Factor, Mixture, TrainingSet, in_space, whole

Entries = Literal["gaussian", "rademacher", "student"]
STUDENT_DOF = 5  # the fewest with a finite fourth moment, which the limit needs
ENTRIES: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "gaussian": lambda rng, shape: rng.standard_normal(shape),
    "rademacher": lambda rng, shape: rng.integers(0, 2, shape) * 2.0 - 1.0,
    "student": lambda rng, shape: rng.standard_t(STUDENT_DOF, shape) * math.sqrt(1 - 2 / STUDENT_DOF),
}


@dataclass(frozen=True, eq=False)
class SampleLaw:
    """Samples x = y mean + L z, with independent entries of z of mean 0 and variance 1.

    Attributes
    ----------
    mean : array (p,)
    factor : Factor
        L.
    entries : str
        The law of the entries of z, a name in ENTRIES.
    """

    mean: np.ndarray
    factor: Factor
    entries: Entries = "gaussian"

    def draw(self, rng: np.random.Generator, y: np.ndarray) -> np.ndarray:
        """Draw one sample for each true label in y (k,): (p, k)."""
        latent = ENTRIES[self.entries](rng, (len(y), self.factor.dims)).T
        return self.factor.times(latent) + np.outer(self.mean, y)

    def fitted(self, folded: np.ndarray, *, mean: bool) -> SampleLaw:
        """Return the law with the covariance, and if asked the mean, estimated on samples.

        Parameters
        ----------
        folded : array (p, k)
            Samples y x.
        mean : bool
            Whether the mean is estimated too.
        """
        count = folded.shape[1]
        centre = folded.mean(axis=1) if mean else self.mean
        root = np.linalg.qr((folded - centre[:, None]).T, mode="r").T / math.sqrt(count)
        return SampleLaw(centre, Factor(root, len(centre)), self.entries)


def labels(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw `count` true labels, +-1 equally likely."""
    return rng.integers(0, 2, count) * 2.0 - 1.0


Part = tuple[np.ndarray, np.ndarray, float]  # samples (p, k), labels (k,), and their weight


def weighted(parts: list[Part]) -> TrainingSet:
    """Return the training set of parts."""
    columns = np.concatenate([math.sqrt(c) * x.T for x, _, c in parts]).T  # samples contiguous: Fortran order
    return TrainingSet(columns, np.concatenate([math.sqrt(c) * y for _, y, c in parts]))


def classifier(parts: list[Part], gamma: float, N: float, loss: Loss) -> np.ndarray:
    """Return the minimiser w (p,) of (1/N) sum_i c_i ell(ytilde_i w^T x_i) + (gamma/2) |w|^2.

    Parameters
    ----------
    parts : list of (samples, labels, weight)
        With all training samples x_i, (p, k) a part.
    gamma : float
        The ridge.
    N : float
        Normalisation of the sum.
    loss : Loss
        ell.

    Raises
    ------
    NotConverged
        Where the precision of `sims.minimise` is not reached.
    """
    if loss.name == SQUARE:
        return weighted(parts).ridge(gamma * N)
    folded = np.concatenate([(x * y).T for x, y, _ in parts]).T
    return minimiser(folded, np.concatenate([np.full(len(y), c / N) for _, y, c in parts]), gamma, loss)


@dataclass(frozen=True, eq=False)
class Direct:
    """The direct sampler: trials of a mixture, sample by sample.

    Attributes
    ----------
    mixture : Mixture
    entries : str
        The law of the noise, a name in ENTRIES.
    loss : Loss
        What the classifier minimises.
    """

    mixture: Mixture
    entries: Entries = "gaussian"
    loss: Loss = SQUARE_LOSS

    def __post_init__(self) -> None:
        if self.entries not in ENTRIES:
            raise BadInput(f"entries must be one of {', '.join(ENTRIES)}, not {self.entries!r}")

    @staticmethod
    def doubles(setting: Setting) -> float:
        """Return about how many numbers are held at once while a trial is drawn."""
        samples = setting.n + setting.m + (setting.generator.n_hat or 0)
        return 2.5 * setting.p * samples + 2.0 * min(setting.p, samples) ** 2 + 8.0 * setting.p

    def training_set(self, rng: np.random.Generator) -> TrainingSet:
        """Draw the training set as the square loss sees it."""
        return weighted(self.parts(rng))

    def parts(self, rng: np.random.Generator) -> list[Part]:
        """Draw all real samples and those synthetic ones that the verifier keeps."""
        mix, s = self.mixture, self.mixture.setting
        y = labels(rng, mix.n)
        real = SampleLaw(mix.mu, mix.real, self.entries)
        x = real.draw(rng, y)
        generator = SampleLaw(mix.mu_beta, mix.generated, self.entries)
        if s.generator.kind == "independent":
            fresh = labels(rng, mix.n_hat)
            folded = fresh * generator.draw(rng, fresh)
            generator = generator.fitted(folded, mean=s.generator.estimate_mean)
        elif s.generator.kind == "self-fitted":
            generator = real.fitted(y * x, mean=True)
        truth = labels(rng, mix.m)
        wrong = rng.random(mix.m) < s.epsilon
        kept = rng.random(mix.m) < np.where(wrong, s.verifier.rho, s.verifier.phi)
        truth, given = truth[kept], np.where(wrong, -truth, truth)[kept]
        return [(x, y, 1.0), (generator.draw(rng, truth), given, s.omega)]

    def draws(self, streams: Iterable[np.random.Generator]) -> np.ndarray:
        """Return mean margin and variance of one trial a stream, (trials, 2)."""
        s = self.mixture.setting
        return np.array([self.mixture.margin(classifier(self.parts(rng), s.ridge.gamma, s.N, self.loss)) for rng in streams])


@dataclass(frozen=True, eq=False)
class DirectProblem:
    """The direct sampler of any sources: trials of a general problem, sample by sample.

    A source with a `Fit` is fitted on n_hat fresh samples of its law, which train too, with right labels, where `fit.weight` is above 0.

    Attributes
    ----------
    problem : Problem
    entries : str
        The law of the noise, a name in ENTRIES.
    loss : Loss
        What the classifier minimises.

    Raises
    ------
    BadInput
        Where a count or n_hat is not whole, or the problem does not say what to draw: it has an intercept, estimated laws, or samples
        that are not Gaussian.
    """

    problem: Problem
    entries: Entries = "gaussian"
    loss: Loss = SQUARE_LOSS

    def __post_init__(self) -> None:
        if self.problem.intercept:
            raise BadInput("a problem with an intercept is not simulated: its sources have labels of their own")
        if any(isinstance(law.covariance, SampleCovariance) or law.mean_samples is not None for law in self.problem.laws):
            raise BadInput("a problem of estimated laws is not simulated: give the mean and the covariance that samples are to have")
        if not all(source.gaussian for source in self.problem.sources):
            raise BadInput("a problem with samples that are not Gaussian is not simulated: simulate the Selection that it comes from")
        for source in self.problem.sources:
            whole(f"count of source {source.name}", source.count)
            if source.fit is not None:
                whole("n-hat", source.fit.n_hat)

    @staticmethod
    def doubles(problem: Problem) -> float:
        """Return about how many numbers are held at once while a trial is drawn."""
        samples = sum(source.count + (source.fit.n_hat if source.fit else 0) for source in problem.sources)
        return 2.5 * problem.p * samples + 2.0 * min(problem.p, samples) ** 2 + 8.0 * problem.p

    def parts(self, rng: np.random.Generator) -> list[Part]:
        """Draw every source's kept samples."""
        parts: list[Part] = []
        for source, (mean, factor) in zip(self.problem.sources, self._laws, strict=False):
            population = SampleLaw(mean, factor, self.entries)
            if source.fit is not None:
                y = labels(rng, int(source.fit.n_hat))
                x = population.draw(rng, y)
                population = population.fitted(y * x, mean=source.fit.mean)
                if source.fit.weight:
                    parts.append((x, y, source.fit.weight))
            y = labels(rng, int(source.count))
            wrong = rng.random(len(y)) < source.wrong
            parts.append((population.draw(rng, y), np.where(wrong, -y, y), source.weight))
        return parts

    def draws(self, streams: Iterable[np.random.Generator]) -> np.ndarray:
        """Return mean margin and variance of one trial a stream, (trials, 2)."""
        mean, factor = self._laws[-1]
        ws = (classifier(self.parts(rng), self.problem.ridge.gamma, self.problem.N, self.loss) for rng in streams)
        return np.array([(float(w @ mean), factor.form(w)) for w in ws])

    @cached_property
    def _laws(self) -> list[tuple[np.ndarray, Factor]]:
        """Mean (p,) and root of the covariance of every source, then of a fresh sample."""
        p = self.problem.p
        return [(in_space(law.mean, p), Factor.of(law.covariance, p)) for law in self.problem.laws]
