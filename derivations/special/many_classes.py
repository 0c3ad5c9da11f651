r"""Many classes, class-conditional covariances and an intercept: nothing new is needed.

A class is a source (of real samples, and one of synthetic ones), with its own mean and covariance; its labels are vectors, one-hot
where the classifier has a score for every class. Any combination $a$ of the scores is the classifier trained on the labels
$a^\top\tilde y$, which have mean $a^\top y_k$ and variance $a^\top V_ka$ given the class. So $\Psi$ is a quadratic form in $a$, and
by polarisation the scores of a fresh sample are jointly Gaussian with means $\mu_\mathrm{test}^\top\bar QM$ and the covariance
$-\partial\Psi/\partial t$, where $M$ has one column a score.

An intercept is a feature without variance that is the same for every sample. Where the ridge does not touch it, its equation says
that the residuals balance: $(I + GT)\zeta + \mathrm{intercept} = \mathrm{labels}$ with $\sum_kT_k\zeta_k = 0$, $T$ the weights of
the means. That is the ridge on means and labels less their $T$-weighted averages, so that no large number takes part, and the
origin of the features does not matter.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from ..model import Labels, source
from ..potential import mean_weight, potential, tau
from ..theorem import CheckResult, Equation, Theorem, check, vanishes


@check("many scores", r"$\Psi$ for the labels $a^\top\tilde y$ of two classes and two scores, as a quadratic form in $a$, with "
       r"$M^\top\bar QM + \sum_k\theta c^2\delta/(1 + c\delta)\,E[\tilde y\tilde y^\top]$ entry by entry")
def polarisation() -> CheckResult:
    a = sp.Matrix(sp.symbols("a_1 a_2", real=True))
    means = [sp.Matrix(sp.symbols(f"y_{k}1 y_{k}2", real=True)) for k in (1, 2)]
    spreads = [sp.Matrix(2, 2, lambda i, j, k=k: sp.Symbol(f"v_{k}{min(i, j)}{max(i, j)}", real=True)) for k in (1, 2)]
    classes = tuple(
        replace(source(k), labels=Labels((a.T * mean)[0], (a.T * spread * a)[0]))
        for k, (mean, spread) in enumerate(zip(means, spreads, strict=True), start=1)
    )
    G = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"g_{min(i, j)}{max(i, j)}", positive=True))
    scalar = potential(classes, G)
    T = sp.diag(*[mean_weight(one) for one in classes])
    products = (sp.eye(2) + G[:2, :2] * T).LUsolve(G[:2, :2])
    M = sp.Matrix([[mean_weight(one) * y for y in mean] for one, mean in zip(classes, means, strict=True)])
    matrix = M.T * products * M
    for one, mean, spread in zip(classes, means, spreads, strict=True):
        matrix += tau(one) * one.c * one.delta * (spread + mean * mean.T)
    return vanishes(*(scalar.diff(a[i]).diff(a[j]) / 2 - matrix[i, j] for i in range(2) for j in range(2)))


@check("intercept", r"the balance of the residuals, $\sum_k\zeta_ku_k$, of two classes with a constant feature $u$ as its ridge goes to "
       "0, with 0")
def intercept() -> CheckResult:
    ridge = sp.Symbol("gamma_0", positive=True)
    u = sp.Matrix(sp.symbols("u_1 u_2", real=True))
    G = sp.Matrix(2, 2, lambda i, j: sp.Symbol(f"g_{min(i, j)}{max(i, j)}", positive=True)) + u * u.T / ridge
    T, labels = sp.diag(*sp.symbols("T_1 T_2", positive=True)), sp.Matrix(sp.symbols("y_1 y_2", real=True))
    zeta = T * (sp.eye(2) + G * T).LUsolve(labels)
    return vanishes(sp.cancel(sp.together((u.T * zeta)[0])).subs(ridge, 0))


@check("exact intercept", "the residuals of two classes as the ridge of the constant feature goes to 0, with those of means and labels "
       "less their $T$-weighted averages; the intercept, with what the labels then lack")
def exact_intercept() -> CheckResult:
    ridge = sp.Symbol("gamma_0", positive=True)
    G = sp.Matrix(2, 2, lambda i, j: sp.Symbol(f"g_{min(i, j)}{max(i, j)}", positive=True))
    T, labels, one = sp.diag(*sp.symbols("T_1 T_2", positive=True)), sp.Matrix(sp.symbols("y_1 y_2", real=True)), sp.ones(2, 1)
    zeta = (sp.eye(2) + (G + one * one.T / ridge) * T).LUsolve(labels)
    constant = sp.cancel(sp.together((one.T * T * zeta)[0] / ridge)).subs(ridge, 0)
    zeta = zeta.applyfunc(lambda entry: sp.cancel(sp.together(entry)).subs(ridge, 0))
    less = sp.eye(2) - one * one.T * T / sp.trace(T)  # takes off the weighted average
    centered = (sp.eye(2) + less * G * less.T * T).LUsolve(less * labels)
    return vanishes(*(zeta - centered), *((sp.eye(2) + G * T) * zeta + constant * one - labels))


def theorem() -> Theorem:
    """Return the chapter on many classes."""
    psi, one, other = sp.Function("Psi"), *sp.symbols("e_k e_l")
    half = sp.Rational(1, 2)
    return Theorem(
        "many_classes", "Many classes, class-conditional covariances, an intercept", __doc__.split("\n\n", 1)[1],
        (Equation("the joint response of two scores from that of their sum, with the labels $e_k^\\top\\tilde y$ of score $k$", sp.Eq(
            sp.Symbol("Psi_kl"), half * (psi(one + other) - psi(one) - psi(other)), evaluate=False)),),
        after="selection",
    )
