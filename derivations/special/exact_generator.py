"""An exact generator, C = I and mu_beta = mu: real and kept synthetic samples are one source with more wrong labels."""

from __future__ import annotations

import sympy as sp

from derivations.model import Source, alpha, eta, lam, mu, pi, real, omega, synthetic
from derivations.potential import isotropic
from derivations.theorem import Equation, Theorem, Verdict, check, vanishes

Q, THETA = sp.Symbol("q", positive=True), pi + alpha * (1 - pi)
MERGED = Source(THETA, sp.Integer(1), (1 - (pi + lam * (1 - pi)) / THETA) / 2, Q, Q)


@check("exact generator", "fixed point and Psi(t, J) of real beside exact synthetic samples with those of one source of "
       "theta = pi + alpha (1 - pi) and signal pi + lambda (1 - pi)")
def one_source() -> Verdict:
    j = sp.Symbol("J")
    two = isotropic(real(Q, Q), synthetic(Q, Q), h=eta, coordinates=sp.Matrix([mu, mu, mu]))
    one = isotropic(MERGED, h=eta, coordinates=sp.Matrix([mu, mu]))
    unweighted = {omega: 1}
    differences = [equation.subs(unweighted) - one.equations()[0] for equation in two.equations()]
    return vanishes(*differences, two.potential(j).subs(unweighted) - one.potential(j))


def theorem() -> Theorem:
    """The chapter on the exact generator."""
    return Theorem(
        "exact_generator", "An exact generator", __doc__,
        (Equation("the number of samples that count", sp.Eq(sp.Symbol("theta"), THETA)),
         Equation("the share of wrong labels", sp.Eq(sp.Symbol("e"), sp.factor(MERGED.e)))),
    )
