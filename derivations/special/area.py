r"""The area under the ROC curve: how often a fresh sample of class $+1$ has a higher score than one of class $-1$.

Given the classifier, the margin of a fresh sample is $N(m_w, s_w^2)$, so that its score is $N(m_w, s_w^2)$ in class $+1$ and
$N(-m_w, s_w^2)$ in class $-1$. The difference of two independent scores is Gaussian too, so that the area @eq:area is the accuracy that
twice the mean and twice the variance would have. No threshold enters, and neither do the shares of the classes.
"""

from __future__ import annotations

import mpmath
import sympy as sp

from ..theorem import CheckResult, Equation, Theorem, check, vanishes

MEAN, SPREAD = sp.Symbol("m_w", real=True), sp.Symbol("s_w", positive=True)
POINTS = ((0.3, 1.0), (1.2, 0.7), (-0.4, 2.0))
DIGITS = 30


def area() -> sp.Expr:
    """Return the area from the mean and the standard deviation of the margin."""
    return cumulative(2 * MEAN / sp.sqrt(2 * SPREAD**2))


def cumulative(x: sp.Expr) -> sp.Expr:
    """Return Phi(x)."""
    return (1 + sp.erf(x / sp.sqrt(2))) / 2


def density(score: sp.Expr) -> sp.Expr:
    """Return the density of the scores of class +1."""
    return sp.exp(-((score - MEAN) ** 2) / (2 * SPREAD**2)) / sp.sqrt(2 * sp.pi * SPREAD**2)


@check("the area's slope", r"the slope in $m_w$ of the chance that one score exceeds another, twice the integral of the product of both "
       r"densities, with that of the area, which is 1/2 at $m_w = 0$")
def area_slope() -> CheckResult:
    u = sp.Symbol("u", real=True)
    overlap = sp.integrate(sp.expand(density(u) * density(-u)).simplify(), (u, -sp.oo, sp.oo))
    return vanishes(sp.simplify(area().diff(MEAN) - 2 * overlap), area().subs(MEAN, 0) - sp.Rational(1, 2))


@check("the area by quadrature", "the area with the integral of the chance that a score of class -1 lies below one of class +1, to 25 "
       "digits; the accuracy in its place is off by more than a thousandth")
def area_by_quadrature() -> CheckResult:
    u, worst, nearest = sp.Symbol("u", real=True), mpmath.mpf(0), mpmath.inf
    integrand = sp.lambdify((u, MEAN, SPREAD), density(u) * cumulative((u + MEAN) / SPREAD), "mpmath")
    closed, accuracy = (sp.lambdify((MEAN, SPREAD), one, "mpmath") for one in (area(), cumulative(MEAN / SPREAD)))
    with mpmath.workdps(DIGITS):
        for mean, spread in (tuple(map(mpmath.mpf, point)) for point in POINTS):
            found = mpmath.quad(lambda x, m=mean, s=spread: integrand(x, m, s), [-mpmath.inf, -spread, 0, spread, mpmath.inf])
            worst = max(worst, abs(found - closed(mean, spread)))
            nearest = min(nearest, abs(found - accuracy(mean, spread)))
    return CheckResult(worst < mpmath.mpf(10) ** (5 - DIGITS) and nearest > 1e-3,
                       f"the largest difference is {float(worst):.1e}, that of the accuracy at least {float(nearest):.1e}")


def theorem() -> Theorem:
    """Return the chapter."""
    return Theorem("area", "The area under the ROC curve", __doc__.partition("\n\n")[2], (
        Equation("The area under the ROC curve, from mean and standard deviation of the margin.", sp.Eq(sp.Symbol("AUC"), area()), "area"),
    ), after="limit")  # fmt: skip
