r"""An exact generator, $C = I$ and $\mu_\beta = \mu$.

Real samples and kept synthetic ones then have one law. In the potential they are one source of $\theta = \pi + \alpha(1-\pi)$, with
more wrong labels than the real ones.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from ..model import Labels, Source, eta, mu, pi, real, synthetic
from ..potential import isotropic
from ..theorem import CheckResult, Equation, Theorem, check, vanishes

Q = sp.Symbol("q", positive=True)
A, LAM = sp.symbols("alpha lambda", positive=True)  # as letters: the identity needs nothing of what they are made of
THETA, WRONG = pi + A * (1 - pi), (1 - (pi + LAM * (1 - pi)) / (pi + A * (1 - pi))) / 2


@check("exact generator", r"fixed point and $\Psi(t, J)$ of real beside exact synthetic samples with those of one source of "
       r"$\theta = \pi + \alpha(1-\pi)$ and signal $\pi + \lambda(1-\pi)$")
def one_source() -> CheckResult:
    j = sp.Symbol("J")
    generated = replace(synthetic(Q, Q), theta=A * (1 - pi), c=sp.Integer(1), labels=Labels.wrong((1 - LAM / A) / 2))
    two = isotropic(real(Q, Q), generated, h=eta, coordinates=sp.Matrix([mu, mu, mu]))
    one = isotropic(Source(THETA, sp.Integer(1), Labels.wrong(WRONG), Q, Q), h=eta, coordinates=sp.Matrix([mu, mu]))
    differences = [equation - one.equations()[0] for equation in two.equations()]
    return vanishes(*differences, two.potential(j) - one.potential(j))


def theorem() -> Theorem:
    """Return the chapter on the exact generator."""
    return Theorem(
        "exact_generator", "An exact generator", __doc__.split("\n\n", 1)[1],
        (Equation("the number of samples that count", sp.Eq(sp.Symbol("theta"), THETA)),
         Equation("the share of wrong labels", sp.Eq(sp.Symbol("e"), (1 - (pi + LAM * (1 - pi)) / sp.Symbol("theta")) / 2))),
        after="general_covariance",
    )
