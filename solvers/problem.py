"""The problem objects that travel from the command line to the generated code.

Two levels. `Setting` is the paper's mixture in the paper's letters: n real samples and m generated ones whose
labels are wrong with probability epsilon and which a `Verifier` prunes. It lowers to a `Problem`: any number of
`Source`s of training samples under a `Ridge`, which is what the theory is about.

Covariances come in three shapes, and the shape chooses the backend: a number c (c times the identity), a vector
(eigenvalues in one basis shared by every covariance of the problem, in which the means are given too), a p x p matrix.
A `Law` whose covariance is not known has a `SampleCovariance` in its place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

from ..support.errors import BadInput, number, numbers
from .sample_covariance import SampleCovariance

Covariance = float | np.ndarray | SampleCovariance
GeneratorKind = Literal["exact", "independent", "self-fitted"]
GENERATOR_KINDS: tuple[GeneratorKind, ...] = ("exact", "independent", "self-fitted")

# what each number may be: lowest, highest, whether the lowest itself is excluded
RANGES: dict[str, tuple[float, float, bool]] = {
    "n": (0, math.inf, False),
    "m": (0, math.inf, False),
    "p": (1, math.inf, False),
    "mu": (0, math.inf, False),
    "epsilon": (0, 1, False),
    "rho": (0, 1, False),
    "phi": (0, 1, False),
    "gamma": (0, math.inf, True),
    "omega": (0, math.inf, True),
    "n_hat": (1, math.inf, False),
    "beta": (-math.inf, math.inf, False),
    "mu_perp": (-math.inf, math.inf, False),
}


def in_range(name: str, values: object) -> np.ndarray:
    """The parameter's values as floats, checked against its range; the command line's spelling is used in the message."""
    low, high, open_low = RANGES[name]
    return numbers(name.replace("_", "-"), values, low, high, open_low=open_low)


def check_covariance(covariance: object, p: int | None = None) -> None:
    """Refuse what is no covariance in p dimensions: a number, p eigenvalues, or a symmetric p x p matrix, finite, not negative."""
    if isinstance(covariance, SampleCovariance):
        covariance = covariance.matrix
    c = numbers("a covariance", covariance)
    if p is not None and c.shape not in ((), (p,), (p, p)):
        raise BadInput(f"a covariance must be a number, {p} eigenvalues or a {p} x {p} matrix, not of shape {c.shape}")
    tiny = 1e-10 * np.abs(c).max(initial=0.0)
    if c.ndim == 2 and (c.shape[0] != c.shape[1] or np.abs(c - c.T).max() > tiny):
        raise BadInput("a covariance matrix is not symmetric")
    lowest = np.diag(c).min() if c.ndim == 2 else c.min(initial=0.0)
    if lowest < -tiny:
        raise BadInput(f"a covariance has a negative eigenvalue or variance, {lowest:g}")


def _ranged(owner: object, *names: str) -> None:
    for name in names:
        value = in_range(name, getattr(owner, name))
        if value.ndim:
            raise BadInput(f"{name.replace('_', '-')} must be one number, not an array of shape {value.shape}")
        object.__setattr__(owner, name, float(value))


def kept_labels(
    epsilon: float | np.ndarray, rho: float | np.ndarray, phi: float | np.ndarray
) -> tuple[float | np.ndarray, float | np.ndarray, float | np.ndarray]:
    """Return alpha = phi (1 - epsilon) + rho epsilon, lambda (the difference), and the share of wrong labels among the kept samples.

    That share is 0 where nothing is kept. Numbers, or arrays of one shape.
    """
    right, wrong = phi * (1 - epsilon), rho * epsilon
    alpha = right + wrong
    share = np.divide(wrong, alpha, out=np.zeros(np.shape(alpha)), where=np.asarray(alpha) > 0)
    return alpha, right - wrong, share if np.ndim(share) else float(share)


@dataclass(frozen=True)
class Verifier:
    """Keeps a wrongly labelled sample with probability rho, a correctly labelled one with probability phi."""

    rho: float = 1.0
    phi: float = 1.0

    def __post_init__(self) -> None:
        _ranged(self, "rho", "phi")

    def alpha(self, epsilon: float) -> float:
        """The kept fraction, phi (1 - epsilon) + rho epsilon."""
        return kept_labels(epsilon, self.rho, self.phi)[0]

    def lam(self, epsilon: float) -> float:
        """The signal lambda, phi (1 - epsilon) - rho epsilon."""
        return kept_labels(epsilon, self.rho, self.phi)[1]

    def wrong(self, epsilon: float) -> float:
        """The share of wrong labels among the kept samples, rho epsilon / alpha (0 where nothing is kept)."""
        return kept_labels(epsilon, self.rho, self.phi)[2]


ORACLE = Verifier(rho=0.0, phi=1.0)
NO_SUPERVISION = Verifier(rho=1.0, phi=1.0)


@dataclass(frozen=True)
class Ridge:
    """The classifier w = (1/N sum c_i x_i x_i^T + gamma I)^{-1} (1/N) sum c_i ytilde_i x_i."""

    gamma: float = 1.0

    def __post_init__(self) -> None:
        _ranged(self, "gamma")


@dataclass(frozen=True)
class Generator:
    """Where the synthetic samples come from; they have mean y (beta mu + mu_perp).

    kind:
        exact: their covariance is `covariance` (that of the real data by default).
        independent: the sample covariance of `n_hat` fresh samples of covariance `covariance`; the mean is exact
            unless `estimate_mean`, then it is the mean of the same fresh samples.
        self-fitted: mean and covariance of the n real samples that are trained on.
    mu_perp: the length of the part orthogonal to mu (a vector where mu is one).
    """

    kind: GeneratorKind = "exact"
    n_hat: float | None = None
    estimate_mean: bool = False
    beta: float = 1.0
    mu_perp: float | np.ndarray = 0.0
    covariance: Covariance | None = None

    def __post_init__(self) -> None:
        if self.kind not in GENERATOR_KINDS:
            raise BadInput(f"generator must be one of {', '.join(GENERATOR_KINDS)}, not {self.kind!r}")
        if self.kind == "independent":
            if self.n_hat is None:
                raise BadInput("an independent generator needs n-hat, the number of samples it was fitted on")
            _ranged(self, "n_hat")
        elif self.n_hat is not None:
            raise BadInput(f"n-hat does not apply to the {self.kind} generator; use --generator independent")
        elif self.estimate_mean:
            raise BadInput(f"estimate-mean does not apply to the {self.kind} generator; use --generator independent")
        _ranged(self, "beta", *(("mu_perp",) if np.ndim(self.mu_perp) == 0 else ()))
        if self.kind == "self-fitted" and (self.beta != 1 or np.any(self.mu_perp) or self.covariance is not None):
            raise BadInput(
                "the self-fitted generator takes its mean and covariance from the real samples; "
                "leave beta, mu-perp and its covariance alone"
            )


@dataclass(frozen=True)
class Law:
    """A Gaussian law: x = mean + z (or, where classes mirror each other, x = y mean + z), z ~ N(0, covariance).

    mean_samples: where the mean is itself the mean of that many samples, so that its products with itself are debiased.
    """

    mean: np.ndarray
    covariance: Covariance = 1.0
    mean_samples: float | None = None

    def __post_init__(self) -> None:
        numbers("a mean", self.mean)
        check_covariance(self.covariance)
        if self.mean_samples is not None:
            number("the samples of a mean", self.mean_samples, 0, open_low=True)


@dataclass(frozen=True)
class Fit:
    """How a generator was fitted: its covariance is the sample covariance of n_hat samples.

    weight: the weight c with which those n_hat samples themselves train (0: they do not; self-fitted: 1).
    mean: whether the source's mean is that of the same samples too.
    """

    n_hat: float
    weight: float = 0.0
    mean: bool = False

    def __post_init__(self) -> None:
        number("n-hat", self.n_hat, 0, open_low=True)
        number("the weight of the fitted samples", self.weight, 0)


@dataclass(frozen=True)
class Source:
    """Training samples of one law.

    Attributes
    ----------
    name : str
        Names the source's delta in a prediction.
    count : float
        How many samples are kept.
    law : Law
        Of one sample.
    wrong : float
        e, the share of wrong labels.
    weight : float
        c, of a sample in the training loss.
    fit : Fit or None
        Of the generator that the samples come from, where its covariance is estimated.
    synthetic : bool
        Whether a generator made the samples; omega is the weight of these.
    gaussian : bool
        False where the law has the mean and the covariance of samples that are not Gaussian: enough for the square loss only.
    """

    name: str
    count: float
    law: Law
    wrong: float = 0.0
    weight: float = 1.0
    fit: Fit | None = None
    synthetic: bool = False
    gaussian: bool = True

    def __post_init__(self) -> None:
        number(f"count of source {self.name}", self.count, 0)
        number(f"share of wrong labels of source {self.name}", self.wrong, 0, 1)
        number(f"weight of source {self.name}", self.weight, 0, open_low=True)
        if self.fit and self.fit.weight > 0 and not self.fit.mean:
            raise BadInput(f"source {self.name}: samples of its fit train, so its mean must be theirs too (Fit(mean=True))")

    @property
    def numbers(self) -> SourceNumbers:
        """Everything but its law."""
        fit = (self.fit.n_hat, self.fit.weight, self.fit.mean) if self.fit else ()
        return SourceNumbers(self.name, self.count, self.wrong, self.weight, self.synthetic, *fit)


class SourceNumbers(NamedTuple):
    """A source without its law: each a number, or an array with one number for every point of a grid.

    Attributes as of `Source`, those of its `Fit` by the names n_hat (None: no fit), fit_weight and mean_fitted.
    """

    name: str
    count: float | np.ndarray
    wrong: float | np.ndarray
    weight: float | np.ndarray
    synthetic: bool
    n_hat: float | np.ndarray | None = None
    fit_weight: float = 0.0
    mean_fitted: bool = False

    def source(self, law: Law) -> Source:
        """The source of these numbers and a law."""
        fit = None if self.n_hat is None else Fit(self.n_hat, self.fit_weight, self.mean_fitted)
        return Source(self.name, self.count, law, self.wrong, self.weight, fit, self.synthetic)


@dataclass(frozen=True)
class Problem:
    """Sources of training samples, the ridge, N (the normalisation of the sums) and the law of a fresh sample.

    intercept: whether one is fitted, without a ridge; the sources are then those of x as it is, not of y x.
    """

    sources: tuple[Source, ...]
    ridge: Ridge
    N: float
    p: int
    test: Law
    intercept: bool = False

    def __post_init__(self) -> None:
        if not self.sources:
            raise BadInput("a problem needs at least one source of training samples")
        number("N", self.N, 0, open_low=True)
        number("p", self.p, 1)
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise BadInput(f"the names of the sources must differ, not {', '.join(names)}")
        for law in self.laws:
            check_covariance(law.covariance, self.p)
            if np.any(np.atleast_1d(law.mean)[int(self.p) :]):
                raise BadInput(f"a mean has {np.size(law.mean)} entries, more than p = {self.p}")

    @property
    def laws(self) -> tuple[Law, ...]:
        """The laws of the sources in order, then that of a fresh sample."""
        return (*(source.law for source in self.sources), self.test)

    @property
    def center(self) -> np.ndarray:
        """The average of the sources' means by their counts and weights (zeros without an intercept), which is taken off all features.

        An intercept makes the predictions independent of the origin, so that it may be where rounding is least.
        """
        means = [np.atleast_1d(np.asarray(source.law.mean, dtype=float)) for source in self.sources]
        center = np.zeros(max(mean.size for mean in means))
        weights = np.array([source.count * source.weight for source in self.sources])
        if self.intercept and weights.any():
            for mean, weight in zip(means, weights / weights.sum(), strict=True):
                center[: mean.size] += weight * mean
        return center


@dataclass(frozen=True)
class Setting:
    """The paper's mixture: n real samples, m generated ones, p dimensions, |mu|, label noise epsilon.

    mu: the length of the class mean, or the vector itself (needed where a covariance is not a multiple of I).
    omega: the weight of the synthetic samples. covariance: that of the real data and of a fresh sample.
    mean_squares: unbiased estimates of mu**2, entry by entry, used in the products of the means in place of mu**2
    where mu is itself estimated (entries may be negative). n and m count before pruning; N = n + m.

    Raises:
        BadInput: for anything outside its range, in one line.
    """

    n: float
    m: float
    p: int
    mu: float | np.ndarray
    epsilon: float = 0.0
    verifier: Verifier = NO_SUPERVISION
    generator: Generator = field(default_factory=Generator)
    ridge: Ridge = field(default_factory=Ridge)
    omega: float = 1.0
    covariance: Covariance = 1.0
    mean_squares: np.ndarray | None = None

    def __post_init__(self) -> None:
        _ranged(self, "n", "m", "p", "epsilon", "omega", *(("mu",) if np.ndim(self.mu) == 0 else ()))
        if self.p != int(self.p):
            raise BadInput(f"p must be a whole number, not {self.p:g}")
        object.__setattr__(self, "p", int(self.p))
        if self.n + self.m == 0:
            raise BadInput("n and m are both 0: there is nothing to train on")
        if np.ndim(self.mu) and (np.shape(self.mu) != (self.p,) or not np.all(np.isfinite(self.mu))):
            raise BadInput(f"mu as a vector must have p = {self.p} finite entries")
        if self.generator.kind == "self-fitted" and self.n == 0:
            raise BadInput("the self-fitted generator needs real samples to be fitted on: n must be above 0")
        if np.any(self.generator.mu_perp) and self.p < 2:
            raise BadInput("mu-perp needs a second dimension: p must be at least 2")
        if np.any(self.generator.mu_perp) and np.shape(self.generator.mu_perp) != np.shape(self.mu):
            raise BadInput("mu-perp must be a length where mu is one, and a vector of the same size where mu is a vector")
        check_covariance(self.covariance, self.p)
        if self.generator.covariance is not None:
            check_covariance(self.generator.covariance, self.p)
        if (np.ndim(self.covariance) or np.ndim(self.generator.covariance)) and np.ndim(self.mu) == 0:
            raise BadInput("with a covariance that is not a multiple of the identity give mu as a vector")
        if self.mean_squares is not None and np.shape(self.mean_squares) != (self.p,):
            raise BadInput(f"mean_squares must have p = {self.p} entries")
        if self.mean_squares is not None and np.ndim(self.mu) == 0:
            raise BadInput("mean_squares are the squares of the entries of mu: give mu as a vector")
        if self.mean_squares is not None and 2 in (np.ndim(self.covariance), np.ndim(self.generator.covariance)):
            raise BadInput("mean_squares are taken in the eigenbasis: give the covariances as eigenvalues, not as matrices")

    @property
    def N(self) -> float:
        """All samples, before pruning."""
        return self.n + self.m

    @property
    def pi(self) -> float:
        """The share of real samples, n / N."""
        return self.n / self.N

    @property
    def alpha(self) -> float:
        """The kept fraction of the synthetic samples."""
        return self.verifier.alpha(self.epsilon)

    @property
    def lam(self) -> float:
        """The signal lambda of the synthetic samples."""
        return self.verifier.lam(self.epsilon)

    @property
    def directions(self) -> np.ndarray:
        """(2, p), the rows of which the means are combinations: mu and mu_perp, or, where these are lengths, the axes of their plane."""
        if np.ndim(self.mu) == 0:
            return np.eye(2)
        return np.stack([self.mu, np.broadcast_to(np.asarray(self.generator.mu_perp, dtype=float), (self.p,))])

    @property
    def numbers(self) -> dict[str, float]:
        """All numbers of the setting by name. Where mu is a vector, mu and mu_perp are 1: how much of the directions there is."""
        lengths, generator = np.ndim(self.mu) == 0, self.generator
        return {
            "n": self.n, "m": self.m, "p": self.p, "mu": self.mu if lengths else 1.0, "epsilon": self.epsilon,
            "rho": self.verifier.rho, "phi": self.verifier.phi, "gamma": self.ridge.gamma, "omega": self.omega,
            "n_hat": 1.0 if generator.n_hat is None else generator.n_hat, "beta": generator.beta,
            "mu_perp": generator.mu_perp if lengths else 1.0,
        }  # fmt: skip

    def sources(self, at: Mapping[str, float | np.ndarray]) -> tuple[SourceNumbers, ...]:
        """The sources where the numbers are `at`, each a number or an array (P,). A self-fitted generator and its real samples are one."""
        alpha, _, wrong = kept_labels(at["epsilon"], at["rho"], at["phi"])
        synthetic = SourceNumbers("s", alpha * at["m"], wrong, at["omega"], True)
        if self.generator.kind == "self-fitted":
            return (synthetic._replace(n_hat=at["n"], fit_weight=1.0, mean_fitted=True),)
        if self.generator.kind == "independent":
            synthetic = synthetic._replace(n_hat=at["n_hat"], mean_fitted=self.generator.estimate_mean)
        return SourceNumbers("r", at["n"], 0.0, 1.0, False), synthetic

    @staticmethod
    def coordinates(at: Mapping[str, float | np.ndarray]) -> tuple[tuple[float | np.ndarray, ...], tuple[float | np.ndarray, ...]]:
        """The means of a real and of a synthetic sample in the directions, where the numbers are `at`."""
        return (at["mu"], 0.0 * at["mu"]), (at["beta"] * at["mu"], at["mu_perp"])

    @property
    def covariances(self) -> tuple[Covariance, Covariance]:
        """Those of the real and of the synthetic samples."""
        return self.covariance, self.covariance if self.generator.covariance is None else self.generator.covariance

    @property
    def real(self) -> Law:
        """The law of the real data and of a fresh sample."""
        return Law(self.means[0], self.covariance)

    @property
    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """mu and mu_beta as vectors: in R^p, or, where only lengths are given, in the plane they span."""
        first, second = self.directions
        real, synthetic = self.coordinates(self.numbers)
        return real[0] * first + real[1] * second, synthetic[0] * first + synthetic[1] * second

    def problem(self) -> Problem:
        """The sources this setting consists of, as a general problem.

        Raises
        ------
        BadInput
            Where the setting has mean_squares, which the means of a problem cannot express.
        """
        if self.mean_squares is not None:
            raise BadInput("a problem has no mean_squares: give its laws mean_samples, or predict the setting")
        real, generated = (Law(mean, covariance) for mean, covariance in zip(self.means, self.covariances, strict=True))
        sources = tuple(one.source(generated if one.synthetic else real) for one in self.sources(self.numbers))
        return Problem(sources, self.ridge, self.N, self.p, real)

    def with_(self, **changes: object) -> Setting:
        """A copy with some fields replaced; rho, phi, gamma, n_hat, beta and the like reach into their objects."""
        inner = {"verifier": {}, "generator": {}, "ridge": {}}
        outer = {}
        for name, value in changes.items():
            for part, kind in (("verifier", Verifier), ("generator", Generator), ("ridge", Ridge)):
                if name in kind.__dataclass_fields__ and name != "covariance":
                    inner[part][name] = value
                    break
            else:
                outer[name] = value
        parts = {part: replace(getattr(self, part), **values) for part, values in inner.items() if values}
        return replace(self, **parts, **outer)


def synthetic_only(m: float, p: int, mu: float, epsilon: float, verifier: Verifier, gamma: float) -> Setting:
    """The paper's section on training on synthetic data alone: n = 0 and an exact generator."""
    return Setting(0, m, p, mu, epsilon, verifier, Generator(), Ridge(gamma))
