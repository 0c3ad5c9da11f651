"""What the user says about data that is to be generated: how many samples, from what generator, with what label noise and verifier."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass, field

import numpy as np

from ..estimators.audits import Proportion
from ..solvers.problem import Generator, Verifier
from ..support.errors import BadInput, instance, number, numbers, shown

# noise and verifier where the user knows nothing: in the middle, at their best, at their worst (epsilon, rho, phi)
UNKNOWN = {"value": (0.3, 0.5, 1.0), "best": (0.0, 0.0, 1.0), "worst": (0.5, 1.0, 1.0)}
ENDS = {"value": ("value", "value", "value"), "best": ("low", "low", "high"), "worst": ("high", "high", "low")}


@dataclass(frozen=True)
class UncertainShare:
    """A share and the interval in which it is believed to lie.

    Attributes
    ----------
    value, low, high : float
        Between 0 and 1.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, name: str, given: Share) -> UncertainShare | None:
        """Return a share from a number, from (value, low, high), or from a counted proportion; None where nothing is known.

        Parameters
        ----------
        name : str
            Of the share, in messages.
        given : float, tuple, Proportion, UncertainShare or None
            The number, the triple or the proportion; an UncertainShare is returned as it is.

        Raises
        ------
        BadInput
            For a number outside [0, 1], or an interval that does not hold its value. Messages call the share `name`.
        """
        if given is None or isinstance(given, UncertainShare):
            return given
        if isinstance(given, Proportion):
            return cls(given.share, given.low, given.high) if given.total else None
        ends = numbers(name, given, 0, 1).ravel()
        if ends.size not in (1, 3):
            raise BadInput(f"{name} must be a share or (value, low, high), not {shown(given)}")
        value, low, high = ends if ends.size == 3 else np.repeat(ends, 3)
        if not low <= value <= high:
            raise BadInput(f"the interval of {name}, {low:g} to {high:g}, does not hold its value {value:g}")
        return cls(float(value), float(low), float(high))


Share = float | tuple[float, float, float] | Proportion | UncertainShare | None


@dataclass(frozen=True)
class Plan:
    """Synthetic data that could be generated, with the class proportions of the real samples.

    Attributes
    ----------
    budget
        The most samples to generate.
    epsilon
        Share of wrong labels; a wrong label is any of the other classes, equally likely.
    rho, phi
        Shares of the wrongly and of the correctly labelled samples that the verifier keeps.
    generator
        Exact (the law of the real samples), independent (fitted on n_hat other samples of each class), or self-fitted (fitted on the real
        samples).
    self_fitted
        Whether the generator of a synthetic file was fitted on the real samples; None: unknown, the file is searched for signs of it.

    A `Share` is a number, (value, low, high), a `estimators.audits.Proportion`, or None where it is unknown.

    Raises
    ------
    BadInput
        For numbers outside their range.
    """

    budget: int
    epsilon: Share = None
    rho: Share = None
    phi: Share = None
    generator: Generator = field(default_factory=Generator)
    self_fitted: bool | None = None

    def __post_init__(self) -> None:
        number("the budget", self.budget, 1)
        instance("the generator of a plan", self.generator, Generator)
        if self.generator.kind == "self-fitted":
            object.__setattr__(self, "self_fitted", True)
        for name in ("epsilon", "rho", "phi"):
            object.__setattr__(self, name, UncertainShare.of(name, getattr(self, name)))
        g = self.generator
        if g.beta != 1 or np.any(g.mu_perp) or g.covariance is not None:
            raise BadInput("a plan's generator is exact, independent (with n-hat) or self-fitted; a file shows what else it does")

    @property
    def known(self) -> bool:
        """Whether epsilon, rho and phi are all known."""
        return None not in (self.epsilon, self.rho, self.phi)

    def noise(self, which: str = "value") -> tuple[float, Verifier]:
        """epsilon and the verifier: their values, or with `which` "best" or "worst" the ends of their intervals."""
        found = [default if share is None else getattr(share, end)
                 for share, end, default in zip((self.epsilon, self.rho, self.phi), ENDS[which], UNKNOWN[which], strict=True)]
        return found[0], Verifier(found[1], found[2])


def check_said(
    *, real: bool, file: bool, n_hat: int | None = None, self_fitted: bool | None = None, exact: bool = False, budget: int | None = None
) -> None:
    """Check that the options of the command line say all that is needed, before any file is read.

    Parameters
    ----------
    real, file
        Whether a file of real and one of synthetic samples is given.
    n_hat, self_fitted, exact, budget
        As in `plan_of`.

    Raises
    ------
    BadInput
        With everything that is missing, or for options that contradict each other.
    """
    said = [name for name, given in (("--n-hat", n_hat is not None), ("--self-fitted", self_fitted), ("--exact", exact)) if given]
    missing = [] if real else ["your labelled samples (--real FILE)"]
    if not file and not said:
        missing.append("what the generator is (--n-hat K, --self-fitted or --exact, or its samples with --synthetic FILE)")
    if not file and budget is None:
        missing.append("how many samples could be generated (--budget M)")
    if missing:
        raise BadInput(f"say {', '.join(missing[:-1]) + ' and ' if missing[1:] else ''}{missing[-1]}")
    if len(said) > 1:
        raise BadInput(f"{said[0]} and {said[1]} are different generators: give one of them")
    if file and said and not self_fitted:
        raise BadInput(f"{said[0]} does not go with --synthetic: the file shows what its generator is worth")


def plan_of(
    labels: Sized | None, *, epsilon: str | None = None, rho: str | None = None, phi: str | None = None, n_hat: int | None = None,
    self_fitted: bool | None = None, exact: bool = False, budget: int | None = None,
) -> Plan:  # fmt: skip
    """Return the plan that the options of the command line describe.

    Parameters
    ----------
    labels : array (m,) or None
        The labels of a synthetic file, if there is one: the budget is m by default, and the generator need not be named.
    epsilon, rho, phi : str or None
        "0.2", or an interval "0.1:0.3".
    n_hat, self_fitted, exact
        Which generator: at most one of them. With a file only self_fitted may be given, also as False.
    budget : int or None
        The most samples to generate.

    Raises
    ------
    BadInput
        As `check_said`, and for shares that are no shares.
    """
    check_said(real=True, file=labels is not None, n_hat=n_hat, self_fitted=self_fitted, exact=exact, budget=budget)
    generator = Generator("independent", n_hat=n_hat) if n_hat is not None else Generator("self-fitted" if self_fitted else "exact")
    shares = {name: _share(name, text) for name, text in (("epsilon", epsilon), ("rho", rho), ("phi", phi))}
    return Plan(len(labels) if budget is None else budget, **shares, generator=generator, self_fitted=self_fitted)


def uniform_noise(classes: int, epsilon: float) -> np.ndarray:
    """Return the probability of each label (column) for each class (row), (L, L): wrong with probability epsilon, then any other.

    Parameters
    ----------
    classes : int
        L.
    epsilon : float
        Probability of a wrong label.
    """
    return (1 - epsilon) * np.eye(classes) + epsilon / (classes - 1) * (1 - np.eye(classes))


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
