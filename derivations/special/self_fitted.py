r"""The self-fitted generator, new here: its mean and covariance are those of the $n$ real samples that are trained on.

The samples of the fit train themselves: $r = N/n$ and $b = \pi$. Given the data, real and synthetic samples share one second
moment, so the mix is ridge on the real data alone at $\gamma/\kappa$, plus the sampling noise of a finite $m$. No verifier adds
information.
"""

from __future__ import annotations

import sympy as sp

from ..model import RIGHT, Source, eta, mu, omega, pi, synthetic
from ..potential import effective_weight, fit_equation, isotropic, kappa, noise, signal, tau
from ..theorem import CheckResult, Equation, Theorem, check, vanishes

Q, D_S = sp.symbols("q d_s", positive=True)
MIX = synthetic(Q, D_S, r=1 / pi, b=pi, mean_fitted=True)
RIDGE = Source(pi, kappa(MIX) / pi, RIGHT, Q, Q)  # the real samples alone, each of weight kappa / pi


@check("self-fitted generator", r"weight of $C$, leverage of a synthetic sample and $\Psi$ with those of ridge on the real data alone "
       r"at $\gamma/\kappa$: $(g/\kappa)^2\Psi_\mathrm{real} + \alpha(1-\pi)d_s/(1 + d_s)$, and the mean margin with $g/\kappa$ times "
       r"the real one")
def ridge_on_real_data() -> CheckResult:
    j = sp.Symbol("J")
    mix = isotropic(MIX, h=eta, coordinates=sp.Matrix([mu, mu]))
    alone = isotropic(RIDGE, h=eta, coordinates=sp.Matrix([mu, mu]))
    share = signal(MIX)  # g / kappa
    own = MIX.theta * MIX.c**2 * D_S / (1 + MIX.c * D_S)
    whole, part = mix.potential(j), alone.potential(j)
    seen = Q / (1 + RIDGE.c * Q)  # (1/N) tr(S Qbar) by leave-one-out of a real sample
    return vanishes(
        effective_weight(MIX) - tau(RIDGE),
        fit_equation(MIX) - (D_S / seen - 1) * Q,
        whole.subs(j, 0) - share**2 * part.subs(j, 0) - own,
        whole.diff(j).subs(j, 0) - share * part.diff(j).subs(j, 0),
    )


@check("self-fitted, no synthetic data", r"$\kappa$, signal and noise at $m = 0$ with those of the real data alone")
def no_synthetic_data() -> CheckResult:
    alone = Source(pi, sp.Integer(1), RIGHT, Q, Q)
    empty = Source(sp.Integer(0), omega, MIX.labels, Q, D_S, 1 / pi, pi, True)
    return vanishes(effective_weight(empty) - tau(alone), signal(empty) - 1, noise(empty) - noise(alone))


def theorem() -> Theorem:
    """Return the chapter on the self-fitted generator."""
    k, g, kept, lam = sp.symbols("kappa g alpha lambda")
    share = (1 - pi) / (1 + D_S)
    return Theorem(
        "self_fitted", "The self-fitted generator", __doc__.split("\n\n", 1)[1],
        (
            Equation("the weight of the real data", sp.Eq(k, pi + kept * share)),
            Equation("the leverage of a synthetic sample", sp.Eq(D_S, Q / (1 + k * Q / pi))),
            Equation("the signal, with the labels that the verifier lets pass", sp.Eq(g, pi + lam * share)),
        ),
        after="toy",
    )
