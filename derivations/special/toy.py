r"""The paper's toy setting: real data with $C = I$, a generator fitted on $\hat n$ independent samples.

The synthetic source is a [fitted generator](#fitted_generator), $r = N/\hat n$. With the exact mean these are the paper's three
scalars. The mean estimated from the same samples, which the paper does not have, adds to the mean a direction of squared length
$\operatorname{tr}(C)/\hat n$.
"""

from __future__ import annotations

import sympy as sp

from ..model import N, Source, eta, gamma, n_hat, omega, p, pi, real, synthetic, t
from ..potential import effective_weight, fit_equation, isotropic, tau
from ..theorem import CheckResult, Equation, Theorem, check, vanishes

D_R, D_S, D_G, Q_S = sp.symbols("d_r d_s d_g q_s", positive=True)


def sources(mean_fitted: bool = False) -> tuple[Source, Source]:
    """Return the real source and the synthetic one, which is fitted on n_hat samples.

    Parameters
    ----------
    mean_fitted : bool
        Whether the mean is that of the same samples.
    """
    return real(D_R, D_R), synthetic(Q_S, D_S, r=N / n_hat, mean_fitted=mean_fitted)


def three_scalars() -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Return the paper's fixed point, each zero."""
    first, second = sources()
    b, s = gamma + tau(first), tau(second)
    return (
        D_G - s / n_hat * p / (b + s / (1 + D_G)),
        D_R - p / N / (b + s / (1 + D_G)),
        D_S - D_R / (1 + D_G),
    )


@check("toy setting", r"the paper's three scalars with the general fixed point, $d_r = q_r$, $d_s = \delta_s$, $d_g = r\tau q_s$")
def toy() -> CheckResult:
    first, second = sources()
    statement = isotropic(first, second, h=p / N, coordinates=sp.zeros(3, 1))
    of_real, of_generator, of_fit = (equation.subs(t, 0) for equation in statement.equations())
    x = gamma + tau(first) + effective_weight(second)
    seen = {D_G: second.r * tau(second) * Q_S}
    d_g, d_r, d_s = (scalar.subs(seen) for scalar in three_scalars())
    both = {Q_S: D_R}  # the two bulk equations are the same: one trace
    return vanishes(
        (of_real - of_generator).subs(both),
        (d_r - of_real).subs(both),
        # d_g is r tau times the bulk equation, d_s that of the fit over (1 + d_g)
        (d_g - second.r * tau(second) * (Q_S - p / N / x)).subs(both),
        (d_s * (1 + seen[D_G]) - fit_equation(second)).subs(both),
        (of_fit - fit_equation(second)),
    )


@check("n_hat -> infinity", r"the fixed point of the toy setting at $r = 0$ with that of two direct sources; $\delta$ with $q$")
def perfect_generator() -> CheckResult:
    first, second = sources()
    fitted = isotropic(first, second, h=eta, coordinates=sp.zeros(3, 1))
    direct = Source(second.theta, second.c, second.labels, second.q, second.delta)
    plain = isotropic(first, direct, h=eta, coordinates=sp.zeros(3, 1))
    many = {1 / n_hat: 0}
    equations = [equation.subs(many) for equation in fitted.equations()]
    found = [a.subs(D_S, Q_S) - b for a, b in zip(equations, plain.equations(), strict=False)]
    return vanishes(*found, equations[2] - (D_S - Q_S))


@check("pi -> 0 and 1", "the fixed point of the mixture with that of the synthetic source alone, and of the real source alone")
def ends() -> CheckResult:
    first, second = sources()
    mixture = isotropic(first, second, h=eta, coordinates=sp.zeros(3, 1)).equations()
    alone_s = isotropic(second, h=eta, coordinates=sp.zeros(2, 1)).equations()
    alone_r = isotropic(first, h=eta, coordinates=sp.zeros(2, 1)).equations()
    return vanishes((mixture[1] - alone_s[0]).subs(pi, 0), (mixture[2] - alone_s[1]).subs(pi, 0),
                    (mixture[0] - alone_r[0]).subs(pi, 1))


def theorem() -> Theorem:
    """Return the chapter on the toy setting."""
    weight, kept = sp.symbols("tau alpha", positive=True)
    g, r, s = (scalar.subs(tau(sources()[1]), weight) for scalar in three_scalars())
    return Theorem(
        "toy",
        "The toy setting: a fitted generator",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the weight of the kept synthetic samples", sp.Eq(weight, kept * omega * (1 - pi) / (1 + omega * D_S))),
            Equation("a sample of the fit", sp.Eq(D_G, D_G - g)),
            Equation("a real sample", sp.Eq(D_R, D_R - r)),
            Equation("a synthetic sample", sp.Eq(D_S, D_S - s)),
        ),
        after="exact_generator",
    )
