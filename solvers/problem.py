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

from ..support.errors import BadInput, instance, instances, number, numbers, one_of
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
    """Return the values of a parameter as an array of floats.

    Parameters
    ----------
    name : str
        A name in RANGES; messages spell it as the command line does.
    values
        A number or an array.

    Raises
    ------
    BadInput
        For a value outside the range.
    """
    low, high, open_low = RANGES[name]
    return numbers(name.replace("_", "-"), values, low, high, open_low=open_low)


def check_covariance(covariance: object, p: int | None = None) -> None:
    """Raise unless a covariance is a number, p eigenvalues, or a symmetric p x p matrix, finite and not negative.

    Parameters
    ----------
    covariance
        The candidate.
    p : int, optional
        Dimension; None: any.

    Raises
    ------
    BadInput
        For any other value.
    """
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
    """Return the kept fraction, the signal, and the share of wrong labels among the kept samples.

    Parameters
    ----------
    epsilon : float or array
        Share of wrong labels before pruning.
    rho, phi : float or array
        Shares of the wrongly and of the rightly labelled samples that the verifier keeps.

    Returns
    -------
    alpha
        phi (1 - epsilon) + rho epsilon.
    lam
        phi (1 - epsilon) - rho epsilon.
    wrong
        rho epsilon / alpha; 0 where nothing is kept.
    """
    right, wrong = phi * (1 - epsilon), rho * epsilon
    alpha = right + wrong
    share = np.divide(wrong, alpha, out=np.zeros(np.shape(alpha)), where=np.asarray(alpha) > 0)
    return alpha, right - wrong, share if np.ndim(share) else float(share)


@dataclass(frozen=True)
class Verifier:
    """A verifier that prunes synthetic samples by their labels, independently of the samples.

    Attributes
    ----------
    rho : float
        The probability that it keeps a wrongly labelled sample.
    phi : float
        The probability that it keeps a rightly labelled sample.
    """

    rho: float = 1.0
    phi: float = 1.0

    def __post_init__(self) -> None:
        _ranged(self, "rho", "phi")

    def alpha(self, epsilon: float) -> float:
        """Return the kept fraction, phi (1 - epsilon) + rho epsilon."""
        return kept_labels(epsilon, self.rho, self.phi)[0]

    def lam(self, epsilon: float) -> float:
        """Return the signal lambda, phi (1 - epsilon) - rho epsilon."""
        return kept_labels(epsilon, self.rho, self.phi)[1]

    def wrong(self, epsilon: float) -> float:
        """Return the share of wrong labels among the kept samples, rho epsilon / alpha (0 where nothing is kept)."""
        return kept_labels(epsilon, self.rho, self.phi)[2]


ORACLE = Verifier(rho=0.0, phi=1.0)
NO_SUPERVISION = Verifier(rho=1.0, phi=1.0)


@dataclass(frozen=True)
class Ridge:
    """The classifier w = (1/N sum c_i x_i x_i^T + gamma I)^{-1} (1/N) sum c_i ytilde_i x_i.

    Attributes
    ----------
    gamma : float
        The regulariser, above 0.
    """

    gamma: float = 1.0

    def __post_init__(self) -> None:
        _ranged(self, "gamma")


@dataclass(frozen=True)
class Generator:
    """The source of the synthetic samples, whose mean is y (beta mu + mu_perp).

    Attributes
    ----------
    kind : str
        exact: their covariance is `covariance`. independent: the sample covariance of `n_hat` fresh samples of covariance `covariance`.
        self-fitted: mean and covariance of the n real samples that are trained on.
    n_hat : float
        How many samples an independent generator was fitted on.
    estimate_mean : bool
        Of an independent generator: whether its mean is that of the same fresh samples; it is exact otherwise.
    beta : float
        How much of mu the mean has.
    mu_perp : float or array (p,)
        The part of the mean orthogonal to mu: its length, or a vector where mu is one.
    covariance : float, array (p,) or array (p, p), optional
        By default that of the real samples.

    Raises
    ------
    BadInput
        For a combination that the kind does not have.
    """

    kind: GeneratorKind = "exact"
    n_hat: float | None = None
    estimate_mean: bool = False
    beta: float = 1.0
    mu_perp: float | np.ndarray = 0.0
    covariance: Covariance | None = None

    def __post_init__(self) -> None:
        one_of("generator", self.kind, GENERATOR_KINDS)
        numbers("mu-perp", self.mu_perp)
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

    Attributes
    ----------
    mean : array (p,)
        Entries that are missing at the end are 0.
    covariance : float, array (p,), array (p, p) or SampleCovariance
    mean_samples : float, optional
        Where the mean is an estimate: of how many samples, so that its products with itself are debiased.
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
    """The fit of a generator whose covariance is estimated: the sample covariance of n_hat samples.

    Attributes
    ----------
    n_hat : float
        How many samples.
    weight : float
        The weight c with which those samples themselves train (0: they do not; self-fitted: 1).
    mean : bool
        Whether the source's mean is that of the same samples too.
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
        instance("the name of a source", self.name, str)
        instance(f"the law of source {self.name}", self.law, Law)
        instance(f"the fit of source {self.name}", self.fit, Fit, type(None))
        number(f"count of source {self.name}", self.count, 0)
        number(f"share of wrong labels of source {self.name}", self.wrong, 0, 1)
        number(f"weight of source {self.name}", self.weight, 0, open_low=True)
        if self.fit and self.fit.weight > 0 and not self.fit.mean:
            raise BadInput(f"source {self.name}: samples of its fit train, so its mean must be theirs too (Fit(mean=True))")

    @property
    def numbers(self) -> SourceNumbers:
        """Everything of the source but its law."""
        fit = (self.fit.n_hat, self.fit.weight, self.fit.mean) if self.fit else ()
        return SourceNumbers(self.name, self.count, self.wrong, self.weight, self.synthetic, *fit)


class SourceNumbers(NamedTuple):
    """A source without its law: each attribute is a number, or an array with one number for every point of a grid.

    Attributes
    ----------
    name, count, wrong, weight, synthetic
        As of `Source`.
    n_hat, fit_weight, mean_fitted
        n_hat, weight and mean of its `Fit`; n_hat is None without one.
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
        """Return the source of these numbers and a law."""
        fit = None if self.n_hat is None else Fit(self.n_hat, self.fit_weight, self.mean_fitted)
        return Source(self.name, self.count, law, self.wrong, self.weight, fit, self.synthetic)


@dataclass(frozen=True)
class Problem:
    """Training samples, classifier and test law: all that the theory needs to know.

    Attributes
    ----------
    sources : tuple of sources
        Of training samples; with an intercept those of x as it is, else of y x.
    ridge : Ridge
    N : float
        Normalisation of the training sums.
    p : int
        Dimension.
    test : Law
        Of a fresh sample.
    intercept : bool
        Whether one is fitted, without a ridge.

    Raises
    ------
    BadInput
        For no sources, two of one name, or laws that do not fit the dimension.
    """

    sources: tuple[Source, ...]
    ridge: Ridge
    N: float
    p: int
    test: Law
    intercept: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", instances("a source of a problem", self.sources, Source))
        instance("the ridge of a problem", self.ridge, Ridge)
        instance("the test law of a problem", self.test, Law)
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
    """The paper's mixture: n real and m synthetic samples in p dimensions, whose labels are wrong with probability epsilon before pruning.

    Attributes
    ----------
    n, m : float
        Real samples, and synthetic samples before pruning; N = n + m.
    p : int
        Dimension.
    mu : float or array (p,)
        Half the difference of the class means: its length, or the vector (needed where a covariance is not a multiple of I).
    epsilon : float
        Share of wrong labels among synthetic samples before pruning.
    verifier : Verifier
        Prunes them.
    generator : Generator
    ridge : Ridge
    omega : float
        Weight of a synthetic sample in training, where a real one has 1.
    covariance : float, array (p,) or array (p, p)
        Of the real data and of a fresh sample.
    mean_squares : array (p,), optional
        Unbiased estimates of mu**2, entry by entry, where mu is itself estimated; used in the products of the means in place of mu**2.
        Entries may be negative.

    Raises
    ------
    BadInput
        For anything outside its range, in one line.
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
        instance("the verifier of a setting", self.verifier, Verifier)
        instance("the generator of a setting", self.generator, Generator)
        instance("the ridge of a setting", self.ridge, Ridge)
        _ranged(self, "n", "m", "p", "epsilon", "omega", *(("mu",) if np.ndim(self.mu) == 0 else ()))
        if self.p != int(self.p):
            raise BadInput(f"p must be a whole number, not {self.p:g}")
        object.__setattr__(self, "p", int(self.p))
        if self.n + self.m == 0:
            raise BadInput("n and m are both 0: there is nothing to train on")
        if np.ndim(self.mu) and numbers("mu", self.mu).shape != (self.p,):
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
        if self.mean_squares is not None and numbers("mean_squares", self.mean_squares).shape != (self.p,):
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
        """Return the sources where the numbers are `at`, each a number or an array (P,).

        A self-fitted generator and its real samples are one source.
        """
        alpha, _, wrong = kept_labels(at["epsilon"], at["rho"], at["phi"])
        synthetic = SourceNumbers("s", alpha * at["m"], wrong, at["omega"], True)
        if self.generator.kind == "self-fitted":
            return (synthetic._replace(n_hat=at["n"], fit_weight=1.0, mean_fitted=True),)
        if self.generator.kind == "independent":
            synthetic = synthetic._replace(n_hat=at["n_hat"], mean_fitted=self.generator.estimate_mean)
        return SourceNumbers("r", at["n"], 0.0, 1.0, False), synthetic

    @staticmethod
    def coordinates(at: Mapping[str, float | np.ndarray]) -> tuple[tuple[float | np.ndarray, ...], tuple[float | np.ndarray, ...]]:
        """Return the means of a real and of a synthetic sample in the two directions, where the numbers are `at`."""
        with np.errstate(over="ignore"):  # the solver refuses an infinity, and says what to do
            return (at["mu"], 0.0 * at["mu"]), (at["beta"] * at["mu"], at["mu_perp"])

    @property
    def covariances(self) -> tuple[Covariance, Covariance]:
        """The covariances of the real and of the synthetic samples."""
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
        """Return the setting as a general problem.

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
        """Return a copy with some fields replaced; rho, phi, gamma, n_hat, beta and the like reach into their objects."""
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
    """Return the setting of the paper's section on training on synthetic data alone: n = 0 and an exact generator.

    Parameters
    ----------
    m : float
        Synthetic samples before pruning.
    p : int
        Dimension.
    mu : float
        Length of the class mean.
    epsilon : float
        Share of wrong labels.
    verifier : Verifier
    gamma : float
        The ridge.
    """
    return Setting(0, m, p, mu, epsilon, verifier, Generator(), Ridge(gamma))
