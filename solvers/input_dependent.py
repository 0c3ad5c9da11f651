"""Labels and keep decisions that depend on the sample, as a source of the theory (derivations/special/input_dependent.py).

With labels +-1 the classifier sees a sample x through xtilde = ytilde x alone. So what a labeller and a verifier leave of m samples is
a source of xtilde of its own: count alpha m, mean E[ytilde x | kept], second moment E[x x^T | kept], no wrong labels. For Gaussian
samples and linear rules these moments are closed forms.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from ..support.errors import BadInput, number, numbers, shown
from .problem import NO_SUPERVISION, Covariance, Law, Source, Verifier

# rules in one direction have the correlation 1, where the formulas divide 0 by 0: taken as noise of 1e-7 of the margin's spread
_CORRELATED = 1 - 1e-14
_NOTHING = 1e-9  # a kept share below it: the probability that two rules hold is known to 1e-16, and the moments are divided by it


@dataclass(frozen=True, eq=False)
class LinearVerifier:
    """A verifier that passes a sample x of label ytilde where ytilde v^T x > threshold (Feng et al. 2024).

    Attributes
    ----------
    direction : array (p,)
        v.
    threshold : float
    rho, phi : float
        The share of the samples that do not pass, and of those that pass, which it keeps; by default it keeps exactly those that pass.
    """

    direction: np.ndarray
    threshold: float = 0.0
    rho: float = 0.0
    phi: float = 1.0

    def __post_init__(self) -> None:
        numbers("the direction of a verifier", self.direction)
        number("the threshold of a verifier", self.threshold)
        number("rho", self.rho, 0, 1)
        number("phi", self.phi, 0, 1)


@dataclass(frozen=True, eq=False)
class ScoreVerifier:
    """A verifier that keeps a sample x of label ytilde where ytilde v^T x lies in one of several bands.

    Bands that are symmetric about 0 do not look at the label: ((-t, t),) keeps the hard samples, |v^T x| < t, and
    ((-inf, -t), (t, inf)) the easy ones.

    Attributes
    ----------
    direction : array (p,)
        v.
    bands : tuple of pairs
        (low, high) of each band, in order and apart from one another; ends may be infinite.
    """

    direction: np.ndarray
    bands: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        numbers("the direction of a verifier", self.direction)
        try:
            ends = [float(end) for low, high in self.bands for end in (low, high)]
        except (TypeError, ValueError, OverflowError):
            ends = []
        if not ends or any(math.isnan(end) for end in ends) or any(b <= a for a, b in itertools.pairwise(ends)):
            raise BadInput(f"the bands of a verifier must be (low, high) pairs in ascending order, not {shown(self.bands)}")

    def keeps(self, scores: np.ndarray) -> np.ndarray:
        """Return which samples are kept, by their scores ytilde v^T x (k,)."""
        return np.any([(low < scores) & (scores < high) for low, high in self.bands], axis=0)


@dataclass(frozen=True, eq=False)
class MarginLabeller:
    """A labeller that is right about a sample x of class y = +-1 with probability Phi((offset + y score) / noise), score = u^T x.

    Attributes
    ----------
    direction : array (p,)
        u.
    offset : float
    noise : float
        0: right where y u^T x > -offset, so that without an offset it is the linear labeller ytilde = sign(u^T x).
    intercept : float
        Of the labeller's score, u^T x + intercept in the place of u^T x: it prefers one class.
    """

    direction: np.ndarray
    offset: float = 0.0
    noise: float = 0.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        numbers("the direction of a labeller", self.direction)
        number("the offset of a labeller", self.offset)
        number("the intercept of a labeller", self.intercept)
        number("the noise of a labeller", self.noise, 0)


Labels = float | MarginLabeller
AnyVerifier = Verifier | LinearVerifier | ScoreVerifier


@dataclass(frozen=True, eq=False)
class Selected:
    """The kept samples of a population after labelling and pruning.

    Attributes
    ----------
    alpha : float
        Kept fraction.
    wrong : float
        Share of wrong labels among the kept samples.
    epsilon : float
        Share of wrong labels before pruning.
    law : Law
        Of xtilde = ytilde x among the kept samples: mean (p,) and covariance (p, p).
    """

    alpha: float
    wrong: float
    epsilon: float
    law: Law

    @property
    def verifier(self) -> Verifier:
        """The verifier that keeps wrong and right labels at the same rates, but independently of the sample."""
        rho = self.alpha * self.wrong / self.epsilon if self.epsilon > 0 else 1.0
        phi = self.alpha * (1 - self.wrong) / (1 - self.epsilon) if self.epsilon < 1 else 1.0
        return Verifier(min(rho, 1.0), min(phi, 1.0))

    def source(self, name: str, m: float, weight: float = 1.0) -> Source:
        """Return the kept ones of m samples as a source.

        Parameters
        ----------
        name : str
        m : float
            Samples before pruning.
        weight : float
            omega, the weight of a sample in training.
        """
        return Source(name, self.alpha * m, self.law, weight=weight, gaussian=False)


@dataclass(frozen=True, eq=False)
class Moments:
    """Kept samples in the columns F = (mu, C u, C v): E[xtilde] = F a and E[xtilde xtilde^T] = C + F K F^T.

    Attributes
    ----------
    alpha, wrong, epsilon : float
        As of `Selected`.
    a : array (3,)
    K : array (3, 3)
    u, v : arrays (p,)
        Directions of the labeller and of the verifier; zeros where there is none.
    """

    alpha: float
    wrong: float
    epsilon: float
    a: np.ndarray
    K: np.ndarray
    u: np.ndarray
    v: np.ndarray


def moments(law: Law, labels: Labels, verifier: AnyVerifier = NO_SUPERVISION) -> Moments:
    """Return the moments of the kept samples; parameters and errors as of `selected`."""
    from .generated import input_dependent as generated

    if law.mean_samples:
        raise BadInput("rules on a mean that is an estimate are not supported: measure the moments of the kept samples instead")
    rules = _Rules(law, labels, verifier)
    parts = [rules.right(), rules.wrong()]
    if not parts[0][0] + parts[1][0] > _NOTHING:
        raise BadInput("the verifier keeps nothing: lower its threshold or raise rho or phi")
    alpha, wrong, *rest = generated.kept_moments(*parts[0], *parts[1])
    mu_u, mu_v, uu, uv, vv = rest[3:]
    K = np.array([[1.0, mu_u, mu_v], [mu_u, uu, uv], [mu_v, uv, vv]])
    return Moments(alpha, wrong, rules.epsilon, np.array(rest[:3]), K, rules.u, rules.v)


def selected(law: Law, labels: Labels, verifier: AnyVerifier = NO_SUPERVISION) -> Selected:
    """Return the law of the kept samples, where samples x = y mean + z, z ~ N(0, covariance), y = +-1, are labelled and pruned.

    Both y are equally likely. The covariance that results is a matrix; the other laws of a problem then need matrices too, or multiples of
    the identity.

    Parameters
    ----------
    law : Law
        Mean and covariance of the samples.
    labels : float or MarginLabeller
        epsilon, the share of wrong labels whatever the sample, or a labeller with a direction (p,).
    verifier : Verifier, LinearVerifier or ScoreVerifier
        Keeps all samples by default.

    Raises
    ------
    BadInput
        For shapes that do not match, a rule along which the samples do not vary, a verifier that keeps nothing, or a mean that is an
        estimate.
    """
    kept, mu = moments(law, labels, verifier), np.asarray(law.mean, dtype=float)
    F = np.stack([mu, _times(law.covariance, kept.u), _times(law.covariance, kept.v)], axis=1)
    covariance = _times(law.covariance, np.eye(len(mu))) + F @ (kept.K - np.outer(kept.a, kept.a)) @ F.T
    return Selected(kept.alpha, kept.wrong, kept.epsilon, Law(F @ kept.a, (covariance + covariance.T) / 2))


def kept_share(law: Law, labels: Labels, verifier: AnyVerifier) -> float:
    """Return alpha, the share of samples that a verifier keeps; parameters as of `selected`."""
    rules = _Rules(law, labels, verifier)
    return rules.right()[0] + rules.wrong()[0]


class _Rules:
    """The two linear rules in terms of the margins of xtilde, and the probabilities that each sign is given and kept."""

    def __init__(self, law: Law, labels: Labels, verifier: AnyVerifier) -> None:
        mu, self.labels, self.verifier = np.asarray(law.mean, dtype=float), labels, verifier
        labeller = labels if isinstance(labels, MarginLabeller) else None
        linear = None if isinstance(verifier, Verifier) else verifier
        self.u, self.v = (_direction(rule, len(mu)) for rule in (labeller, linear))
        C_u, C_v = _times(law.covariance, self.u), _times(law.covariance, self.v)
        self.h_u, self.h_v = float(self.u @ mu), float(self.v @ mu)
        self.sigma_v = math.sqrt(self.v @ C_v)
        if linear and self.sigma_v == 0:
            raise BadInput("the samples do not vary along the direction of the verifier")
        if labeller is None:
            self.epsilon = number("epsilon", labels, 0, 1)
            return
        self.sigma_u = math.hypot(math.sqrt(self.u @ C_u), labeller.noise)
        if self.sigma_u == 0:
            raise BadInput("a labeller without noise needs a direction along which the samples vary")
        self.r = float(self.u @ C_v) / (self.sigma_u * self.sigma_v) if linear else 0.0
        self.epsilon = sum(_normal(-(labeller.offset + self.h_u + b) / self.sigma_u) for b in self._intercepts) / 2

    @property
    def _intercepts(self) -> tuple[float, ...]:
        """The intercept's part of the score ytilde u^T x, for either label."""
        b = self.labels.intercept
        return (b, -b)

    def right(self) -> tuple[float, ...]:
        """Z of right labels, its gradient and its Hessian in (h_u, h_v); xtilde has the mean mu."""
        return self._kept(1.0)

    def wrong(self) -> tuple[float, ...]:
        """Z of wrong labels, its gradient and its Hessian in (h_u, h_v); xtilde has the mean -mu."""
        return self._kept(-1.0)

    def _steps(self, sign: float) -> tuple[float, list[tuple[float, float]]]:
        """The probability that a sample is kept, as a function of k = v^T xtilde: its value far below, and (threshold, step) upwards."""
        one = self.verifier
        if isinstance(one, Verifier):
            return (one.phi if sign > 0 else one.rho), []
        if isinstance(one, LinearVerifier):
            return one.rho, [(one.threshold, one.phi - one.rho)]
        ends = [(float(end), step) for band in one.bands for end, step in zip(band, (1.0, -1.0), strict=True)]
        return (1.0 if ends[0][0] == -math.inf else 0.0), [(end, step) for end, step in ends if math.isfinite(end)]

    def _kept(self, sign: float) -> tuple[float, ...]:
        from .generated import input_dependent as generated

        base, steps = self._steps(sign)
        h_v, found = sign * self.h_v, np.zeros(6)
        if not isinstance(self.labels, MarginLabeller):
            share = 1 - self.epsilon if sign > 0 else self.epsilon
            found[0] = base * share
            for threshold, step in steps:
                found[[0, 2, 5]] += generated.one_rule(h_v, self.sigma_v, threshold, share, 0.0, step)
            return tuple(found)
        h_u, r = sign * self.h_u, max(-_CORRELATED, min(_CORRELATED, self.r))
        for b in self._intercepts:
            t_u = -sign * self.labels.offset - b
            found[[0, 1, 3]] += np.array(generated.one_rule(h_u, self.sigma_u, t_u, 0.5, 0.0, base))
            for threshold, step in steps:
                both = _quadrant((h_u - t_u) / self.sigma_u, (h_v - threshold) / self.sigma_v, r)
                found += 0.5 * np.array(generated.two_rules(h_u, h_v, self.sigma_u, self.sigma_v, r, t_u, threshold, 0.0, step, both))
        return tuple(found)


def _normal(x: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2))


def _quadrant(a: float, b: float, r: float) -> float:
    """The probability that two standard normals of correlation r are below a and below b."""
    from scipy.stats import multivariate_normal

    return float(multivariate_normal([0.0, 0.0], [[1.0, r], [r, 1.0]], allow_singular=True).cdf([a, b]))


def _direction(rule: LinearVerifier | ScoreVerifier | MarginLabeller | None, p: int) -> np.ndarray:
    if rule is None:
        return np.zeros(p)
    direction = np.asarray(rule.direction, dtype=float)
    if direction.shape != (p,):
        raise BadInput(f"the direction of a rule must have {p} entries as the mean has, not the shape {direction.shape}")
    return direction


def _times(covariance: Covariance, x: np.ndarray) -> np.ndarray:
    """The covariance times a vector (p,), or times a diagonal matrix (p, p)."""
    c = np.asarray(covariance, dtype=float)
    return c @ x if c.ndim == 2 else c * x
