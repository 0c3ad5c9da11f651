"""Labels and verdicts that depend on the sample, as a source of the theory (derivations/special/input_dependent.py).

With labels +-1 the classifier sees a sample x through xtilde = ytilde x alone. So what a labeller and a verifier leave of m samples is
a source of xtilde of its own: count alpha m, mean E[ytilde x | kept], second moment E[x x^T | kept], no wrong labels. For Gaussian
samples and linear rules these moments are closed forms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..support.errors import BadInput, number, numbers
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
class MarginLabeller:
    """A labeller that is right about a sample x of class y = +-1 with probability Phi((offset + y u^T x) / noise).

    Attributes
    ----------
    direction : array (p,)
        u.
    offset : float
    noise : float
        0: right where y u^T x > -offset, so that without an offset it is the linear labeller ytilde = sign(u^T x).
    """

    direction: np.ndarray
    offset: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        numbers("the direction of a labeller", self.direction)
        number("the offset of a labeller", self.offset)
        number("the noise of a labeller", self.noise, 0)


Labels = float | MarginLabeller


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


def selected(law: Law, labels: Labels, verifier: Verifier | LinearVerifier = NO_SUPERVISION) -> Selected:
    """Return the law of the kept samples, where samples x = y mean + z, z ~ N(0, covariance), y = +-1, are labelled and pruned.

    Both y are equally likely. The covariance that results is a matrix; the other laws of a problem then need matrices too, or multiples of
    the identity.

    Parameters
    ----------
    law : Law
        Mean and covariance of the samples.
    labels : float or MarginLabeller
        epsilon, the share of wrong labels whatever the sample, or a labeller with a direction (p,).
    verifier : Verifier or LinearVerifier
        Keeps all samples by default.

    Raises
    ------
    BadInput
        For shapes that do not match, a rule along which the samples do not vary, a verifier that keeps nothing, or a mean that is an
        estimate.
    """
    from .generated import input_dependent as generated

    mu = np.asarray(law.mean, dtype=float)
    if law.mean_samples:
        raise BadInput("rules on a mean that is an estimate are not supported: measure the moments of the kept samples instead")
    rules = _Rules(law, labels, verifier)
    parts = [rules.right(), rules.wrong()]
    if not parts[0][0] + parts[1][0] > _NOTHING:
        raise BadInput("the verifier keeps nothing: lower its threshold or raise rho or phi")
    alpha, wrong, *rest = generated.kept_moments(*parts[0], *parts[1])
    a = np.array(rest[:3])
    mu_u, mu_v, uu, uv, vv = rest[3:]
    K = np.array([[1.0, mu_u, mu_v], [mu_u, uu, uv], [mu_v, uv, vv]])
    F = np.stack([mu, rules.C_u, rules.C_v], axis=1)
    covariance = _times(law.covariance, np.eye(len(mu))) + F @ (K - np.outer(a, a)) @ F.T
    return Selected(alpha, wrong, rules.epsilon, Law(F @ a, (covariance + covariance.T) / 2))


class _Rules:
    """The two linear rules in terms of the margins of xtilde, and the probabilities that each sign is given and kept."""

    def __init__(self, law: Law, labels: Labels, verifier: Verifier | LinearVerifier) -> None:
        mu, self.labels, self.verifier = np.asarray(law.mean, dtype=float), labels, verifier
        labeller = labels if isinstance(labels, MarginLabeller) else None
        linear = verifier if isinstance(verifier, LinearVerifier) else None
        u, v = (_direction(rule, len(mu)) for rule in (labeller, linear))
        self.C_u, self.C_v = _times(law.covariance, u), _times(law.covariance, v)
        self.h_u, self.h_v = float(u @ mu), float(v @ mu)
        self.sigma_v = math.sqrt(v @ self.C_v)
        if linear and self.sigma_v == 0:
            raise BadInput("the samples do not vary along the direction of the verifier")
        if labeller is None:
            self.epsilon = number("epsilon", labels, 0, 1)
            return
        self.sigma_u = math.hypot(math.sqrt(u @ self.C_u), labeller.noise)
        if self.sigma_u == 0:
            raise BadInput("a labeller without noise needs a direction along which the samples vary")
        self.r = float(u @ self.C_v) / (self.sigma_u * self.sigma_v) if linear else 0.0
        self.epsilon = 0.5 * math.erfc((labeller.offset + self.h_u) / (self.sigma_u * math.sqrt(2)))

    def right(self) -> tuple[float, ...]:
        """Z of right labels, its gradient and its Hessian in (h_u, h_v); xtilde has the mean mu."""
        return self._kept(1.0)

    def wrong(self) -> tuple[float, ...]:
        """Z of wrong labels, its gradient and its Hessian in (h_u, h_v); xtilde has the mean -mu."""
        return self._kept(-1.0)

    def _kept(self, sign: float) -> tuple[float, ...]:
        from .generated import input_dependent as generated

        linear = isinstance(self.verifier, LinearVerifier)
        rate = self.verifier.phi if sign > 0 else self.verifier.rho  # of a verdict that depends on nothing else
        h_v = sign * self.h_v
        if not isinstance(self.labels, MarginLabeller):
            share = 1 - self.epsilon if sign > 0 else self.epsilon
            if not linear:
                return share * rate, 0.0, 0.0, 0.0, 0.0, 0.0
            one = self.verifier
            Z, Z_v, Z_vv = generated.one_rule(h_v, self.sigma_v, one.threshold, share, one.rho, one.phi)
            return Z, 0.0, Z_v, 0.0, 0.0, Z_vv
        h_u, t_u = sign * self.h_u, -sign * self.labels.offset
        if not linear:
            Z, Z_u, Z_uu = generated.one_rule(h_u, self.sigma_u, t_u, 1.0, 0.0, rate)
            return Z, Z_u, 0.0, Z_uu, 0.0, 0.0
        one, r = self.verifier, max(-_CORRELATED, min(_CORRELATED, self.r))
        both = _quadrant((h_u - t_u) / self.sigma_u, (h_v - one.threshold) / self.sigma_v, r)
        return generated.two_rules(h_u, h_v, self.sigma_u, self.sigma_v, r, t_u, one.threshold, one.rho, one.phi, both)


def _quadrant(a: float, b: float, r: float) -> float:
    """The probability that two standard normals of correlation r are below a and below b."""
    from scipy.stats import multivariate_normal

    return float(multivariate_normal([0.0, 0.0], [[1.0, r], [r, 1.0]], allow_singular=True).cdf([a, b]))


def _direction(rule: LinearVerifier | MarginLabeller | None, p: int) -> np.ndarray:
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
