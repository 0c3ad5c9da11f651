"""What somebody plans to generate, and the population their real samples come from: from both the mixtures whose accuracy is predicted.

The population has one covariance for all classes, shrunken, and every class its own mean, debiased in all products. In the eigenbasis of
that covariance everything commutes, so that a mix costs its eigenvalues. Where only a few samples are known, covariances for every
class are worse estimates, not better ones; what the common one misses is calibrated on leave-one-out (`advice.evidence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from synthmix.estimators.statistics import Proportion, shrunken_covariance
from synthmix.solvers.best_mix import Family
from synthmix.solvers.many_classes import ClassMixture
from synthmix.solvers.problem import Generator, Law, Verifier
from synthmix.support.errors import BadInput, number

ELLIPTICAL = 5.0  # squared lengths that vary so many times more than those of Gaussian residuals say that only directions count


@dataclass(frozen=True)
class Uncertain:
    """A share and the interval in which it is believed to lie."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, name: str, given: float | tuple[float, float, float] | Proportion | Uncertain | None) -> Uncertain | None:
        """From a number, (value, low, high), a counted proportion, or nothing.

        Raises:
            BadInput: for what is no share between 0 and 1, or an interval that does not hold its value.
        """
        if given is None or isinstance(given, Uncertain):
            return given
        if isinstance(given, Proportion):
            return cls(given.share, given.low, given.high) if given.total else None
        value, low, high = given if np.ndim(given) else (given, given, given)
        for one in (value, low, high):
            number(name, one, 0, 1)
        if not low <= value <= high:
            raise BadInput(f"the interval of {name}, {low:g} to {high:g}, does not hold its value {value:g}")
        return cls(float(value), float(low), float(high))


Share = float | tuple[float, float, float] | Proportion | Uncertain | None


@dataclass(frozen=True)
class Plan:
    """What is to be generated: at most `budget` samples, in the proportions of the real classes, from a generator like `generator`.

    epsilon: the share of wrong labels (each of the other classes equally likely). rho, phi: of the wrongly and of the rightly labelled
    samples, the share that the verifier keeps. Each a number, (value, low, high), a `estimators.statistics.Proportion`, or None: not known.
    generator: independent of these samples and fitted on n_hat others of each class, self-fitted, or exact.

    Raises:
        BadInput: for numbers outside their range.
    """

    budget: int
    epsilon: Share = None
    rho: Share = None
    phi: Share = None
    generator: Generator = field(default_factory=Generator)

    def __post_init__(self) -> None:
        number("the budget", self.budget, 1)
        for name in ("epsilon", "rho", "phi"):
            object.__setattr__(self, name, Uncertain.of(name, getattr(self, name)))
        g = self.generator
        if g.beta != 1 or np.any(g.mu_perp) or g.covariance is not None:
            raise BadInput("a plan's generator is exact, independent (with n-hat) or self-fitted; a file shows what else it does")

    @property
    def known(self) -> bool:
        """Whether the verifier and the noise are known."""
        return None not in (self.epsilon, self.rho, self.phi)

    def noise(self, which: str = "value") -> tuple[float, Verifier]:
        """epsilon and the verifier; `which`: value, best or worst. What is not known is the best or worst there is."""
        ends = {"value": ("value",) * 3, "best": ("low", "low", "high"), "worst": ("high", "high", "low")}[which]
        unknown = {"best": (0.0, 0.0, 1.0), "worst": (0.5, 1.0, 1.0), "value": (0.3, 0.5, 1.0)}[which]
        found = [default if one is None else getattr(one, end)
                 for one, end, default in zip((self.epsilon, self.rho, self.phi), ends, unknown, strict=True)]
        return found[0], Verifier(found[1], found[2])


def plan_of(
    generated: object | None, *, epsilon: str | None = None, rho: str | None = None, phi: str | None = None, n_hat: int | None = None,
    self_fitted: bool = False, exact: bool = False, budget: int | None = None,
) -> Plan:  # fmt: skip
    """A plan from the words of a command line: shares as "0.2" or "0.1:0.3". generated: the samples of a file with `y`, if there is one.

    Raises:
        BadInput: where the generator or the budget are not said, or said twice.
    """
    said = [name for name, given in (("--n-hat", n_hat is not None), ("--self-fitted", self_fitted), ("--exact", exact)) if given]
    if len(said) > 1:
        raise BadInput(f"{said[0]} and {said[1]} are different generators: give one of them")
    if not said and generated is None:
        raise BadInput("say what the generator is: --n-hat K, --self-fitted or --exact, or give its samples with --synthetic FILE")
    if generated is not None and said and not self_fitted:
        raise BadInput(f"{said[0]} does not go with --synthetic: the file shows what its generator is worth")
    if budget is None and generated is None:
        raise BadInput("say how many samples could be generated: --budget M")
    generator = Generator("independent", n_hat=n_hat) if n_hat is not None else Generator("self-fitted" if self_fitted else "exact")
    shares = {name: _share(name, text) for name, text in (("epsilon", epsilon), ("rho", rho), ("phi", phi))}
    return Plan(len(generated.y) if budget is None else budget, **shares, generator=generator)


def _share(name: str, text: str | None) -> tuple[float, float, float] | None:
    if text is None:
        return None
    try:
        ends = [float(part) for part in text.split(":")]
    except ValueError:
        ends = []
    if len(ends) not in (1, 2):
        raise BadInput(f"{name} must be a number such as 0.2 or an interval such as 0.1:0.3, not {text!r}")
    return sum(ends) / len(ends), ends[0], ends[-1]


def uniform_noise(classes: int, epsilon: float) -> np.ndarray:
    """(L, L): a label is wrong with probability epsilon, then any of the others."""
    return (1 - epsilon) * np.eye(classes) + epsilon / (classes - 1) * (1 - np.eye(classes))


@dataclass(frozen=True, eq=False)
class Population:
    """The law of every class as estimated from real samples, in the eigenbasis of the common covariance.

    laws: means (p,) in that basis and eigenvalues (p,). basis (p, p), as columns. center (p,): what was subtracted from the features.
    counts (L,): the real samples of each class. elliptical: whether residuals were brought to one length.
    """

    laws: tuple[Law, ...]
    basis: np.ndarray
    center: np.ndarray
    counts: np.ndarray
    elliptical: bool

    @classmethod
    def of(
        cls, X: np.ndarray, codes: np.ndarray, classes: int, *, elliptical: bool | None = None, debiased: float = 1.0
    ) -> Population:
        """From samples X (n, p) of classes `codes` (n,), 0 to classes - 1.

        elliptical: by default as the lengths of the residuals say. debiased: how much of what the errors of the means add to their
        squares is taken off; all of it is unbiased, but with many classes of few samples it may leave means that are no vectors'.

        Raises:
            BadInput: for a class without two samples, or features that do not vary within the classes.
        """
        counts = np.bincount(codes, minlength=classes)
        if counts.min() < 2:
            raise BadInput("every class needs at least 2 real samples")
        center = X.mean(axis=0)
        means = np.array([X[codes == k].mean(axis=0) for k in range(classes)]) - center
        residuals = X - center - means[codes]
        if not residuals.any() or len(X) <= classes:
            raise BadInput("the features do not vary within the classes: there is no covariance to estimate")
        if elliptical is None:
            elliptical = _elliptical(residuals)
        C, _ = shrunken_covariance(residuals, equal_lengths=elliptical, means=classes)
        eigenvalues, basis = np.linalg.eigh(C)
        eigenvalues = np.maximum(eigenvalues, 0)
        laws = tuple(Law(mean @ basis, eigenvalues, mean_samples=float(count) / debiased if debiased else None)
                     for mean, count in zip(means, counts, strict=True))
        return cls(laws, basis, center, counts, elliptical)

    @property
    def classes(self) -> int:
        """How many classes, L."""
        return len(self.laws)

    @property
    def n(self) -> int:
        """The real samples of all classes."""
        return int(self.counts.sum())

    @property
    def shares(self) -> np.ndarray:
        """(L,): of the classes among the real samples, taken for those among fresh ones."""
        return self.counts / self.n

    def family(self, generator: Generator, epsilon: float, verifier: Verifier, *, n: float | None = None) -> Family:
        """The mixes with a planned generator; n: another number of real samples than there are."""
        counts = self.shares * (self.n if n is None else n)
        mixture = ClassMixture(self.laws, tuple(counts), tuple(self.shares * self.n), uniform_noise(self.classes, epsilon), verifier,
                               generator)
        return Family.of_classes(mixture, shares=self.shares)

    def family_of(
        self, generated: Sequence[Law], label_shares: np.ndarray, kept: float, n_hat: float, *, n: float | None = None
    ) -> Family:
        """The mixes with samples as in a file: `generated` are the laws of the kept samples with each label, in this basis, label_shares
        (L,) how they divide among the labels, `kept` their share of all; n_hat: the samples that the noise in their covariance
        is worth (inf: none); n: as above."""
        from synthmix.solvers.problem import Fit

        many = tuple(label_shares * kept * self.n)
        counts = tuple(self.shares * (self.n if n is None else n))
        mixture = ClassMixture(self.laws, counts, many, np.eye(self.classes), generated=tuple(generated))
        family = Family.of_classes(mixture, shares=self.shares)
        scale = kept  # of the mixture's m, all are kept: m counts before pruning here
        family = replace(family, per_m=family.per_m * scale)
        if not np.isfinite(n_hat):
            return family
        sources = tuple(replace(source, fit=Fit(n_hat)) if source.name.startswith("s") else source for source in family.problem.sources)
        return replace(family, problem=replace(family.problem, sources=sources))


def squared_length_variation(residuals: np.ndarray) -> tuple[float, float]:
    """Variance over squared mean of the squared lengths of residuals (n, p), and what it would be for Gaussian ones."""
    lengths = np.einsum("ij,ij->i", residuals, residuals)
    return float(lengths.var() / lengths.mean() ** 2), 2 * trace_of_square(residuals) / float(lengths.mean()) ** 2


def trace_of_square(residuals: np.ndarray) -> float:
    """tr C^2 without bias from residuals (n, p): the products of different samples, squared."""
    n, p = residuals.shape
    gram = residuals @ residuals.T if n <= p else residuals.T @ residuals
    lengths = np.einsum("ij,ij->i", residuals, residuals)
    return float((np.vdot(gram, gram) - np.sum(lengths**2)) / (n * (n - 1)))


def _elliptical(residuals: np.ndarray) -> bool:
    found, gaussian = squared_length_variation(residuals)
    return found > ELLIPTICAL * gaussian
