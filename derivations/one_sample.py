r"""What one sample more does to the response, exactly, and what it does on average.

Let $A = Q^{-1}$ and $u$ be made of all samples but one, the sample $x$ with label $\tilde y$ and weight $c$. Two numbers say how it
meets the others: its left-out margin $h = x^\top A^{-1}u$ and its leverage $d = x^\top A^{-1}x/N$. Adding the sample adds
$cxx^\top/N$ to $A$ and $c\tilde yx/N$ to $u$. By Sherman and Morrison the resolvent is then $Q = A^{-1} - \frac cNA^{-1}xx^\top
A^{-1}/(1 + cd)$, and so $Qx = A^{-1}x/(1 + cd)$. A sample that is in the sum was kept, so there is no kept fraction $\alpha$ in
this factor. The response grows as @eq:one_more says.

$x$ does not depend on $A$ and $u$, and it is Gaussian: $h$ has the mean $y\,m_k$ with $m_k = \mu_k^\top A^{-1}u$, and the variance
$v_k = u^\top A^{-1}C_kA^{-1}u$. The leverage has the mean $\delta_k = \frac1N\operatorname{tr}(C_kA^{-1}) + O(1/N)$, from which it
departs by $O(N^{-1/2})$ only. So on average a sample of source $k$ adds $g_k/N$ to the response, with $g_k$ of @eq:growth, and
$\log(1 + c_k\delta_k)/N$ to $\frac1N\log\det Q^{-1}$.

These averages close. Let $\frac1N\log\det Q^{-1}$ tend to $\Lambda$ and $u^\top Qu$ to $\Psi$, with probes of every source:
$t_kC_k$ added to $Q^{-1}$ and $J_k\mu_k$ to $u$. Then $\delta_k = \partial\Lambda/\partial t_k$, $m_k =
\frac12\partial\Psi/\partial J_k$ and $v_k = -\partial\Psi/\partial t_k$. Adding samples one by one, with $\theta_k$ as the time,

$$\partial_{\theta_k}\Lambda = \log(1 + c_k\,\partial_{t_k}\Lambda),\qquad
\partial_{\theta_k}\Psi = g_k\left(\tfrac12\partial_{J_k}\Psi,\; -\partial_{t_k}\Psi,\; \partial_{t_k}\Lambda\right),$$

from the values without samples, $\Lambda = \frac1N\log\det(\gamma I + tC_\mathrm{test} + \sum_kt_kC_k)$ and $\Psi$ the quadratic
form of $J\mu_\mathrm{test} + \sum_kJ_k\mu_k$ in its inverse. Such equations have one solution, since they give every derivative in
$\theta$ at $\theta = 0$ from what is known there. The [next chapter](#potential) states it, and checks that it solves them.
"""

from __future__ import annotations

import sympy as sp

from .gaussian import expected
from .model import Labels, N, Source, source, symmetric
from .theorem import CheckResult, Equation, Theorem, check, vanishes


def response_gain(c: sp.Expr, label: sp.Expr, h: sp.Expr, d: sp.Expr) -> sp.Expr:
    """Return N times what one sample of this label, left-out margin h and leverage d adds to the response.

    Parameters
    ----------
    c : expression
        Weight of the sample.
    label : expression
        Its label.
    h, d : expressions
        Its left-out margin and leverage.
    """
    return c * (label**2 - (label - h) ** 2 / (1 + c * d))


def response_growth(s: Source, mean: sp.Expr, variance: sp.Expr, leverage: sp.Expr) -> sp.Expr:
    """Return g: the average of `response_gain` over a source.

    Parameters
    ----------
    s
        The source.
    mean, variance
        Those of its left-out margins, mean beside the true sign.
    leverage
        Its mean leverage.
    """
    residual = s.labels.variance + (s.labels.mean - mean) ** 2 + variance
    return s.c * (s.labels.square - residual / (1 + s.c * leverage))


def logdet_growth(s: Source, leverage: sp.Expr) -> sp.Expr:
    """Return N times what a sample of the source adds to (1/N) log det of the inverse resolvent.

    Parameters
    ----------
    s : Source
    leverage : expression
        Of the sample, left out.
    """
    return sp.log(1 + s.c * leverage)


def _one_sample(size: int = 3) -> tuple[sp.Matrix, sp.Matrix, sp.Symbol, sp.Expr]:
    """The resolvent without the sample, the sample, its weight and its leverage."""
    inverse, x, c = symmetric("a", size), sp.Matrix(sp.symbols(f"x_0:{size}")), sp.Symbol("c", positive=True)
    return inverse, x, c, (x.T * inverse * x)[0] / N


@check("leave-one-out", r"the inverse of $A + cxx^\top/N$ from Sherman-Morrison, times $A + cxx^\top/N$, with the identity; $Qx$ with "
       r"$A^{-1}x/(1 + cd)$; $x^\top Qx/N$ with $d/(1 + cd)$")
def leave_one_out() -> CheckResult:
    inverse, x, c, d = _one_sample()
    Q = inverse - c / N * inverse * x * x.T * inverse / (1 + c * d)
    # A + c x x^T / N in units of A: Q (A + c x x^T / N) = Q A + (c / N) Q x x^T, and Q A uses only A^{-1} A = I
    QA = sp.eye(3) - c / N * inverse * x * x.T / (1 + c * d)
    identity = QA + c / N * Q * x * x.T - sp.eye(3)
    pulled_out = Q * x - inverse * x / (1 + c * d)
    quadratic = (x.T * Q * x)[0] / N - d / (1 + c * d)
    return vanishes(*identity, *pulled_out, quadratic)


@check("one sample more", r"$u^\top Qu$ with a sample less that without it, in three dimensions, with the stated gain; $\det Q^{-1}$ "
       r"with the sample over that without it, with $1 + cd$")
def one_more() -> CheckResult:
    inverse, x, c, d = _one_sample()
    label, u = sp.Symbol("label", real=True), sp.Matrix(sp.symbols("u_0:3"))
    Q = inverse - c / N * inverse * x * x.T * inverse / (1 + c * d)
    moved = u + c * label * x / N
    gain = (moved.T * Q * moved)[0] - (u.T * inverse * u)[0]
    ratio = (sp.eye(3) + c / N * inverse * x * x.T).det()
    s = Source(sp.Symbol("theta"), c, Labels(label, sp.Integer(0)), sp.Symbol("q"), sp.Symbol("q"))
    return vanishes(gain - response_gain(c, label, (x.T * inverse * u)[0], d) / N, ratio - sp.exp(logdet_growth(s, d)))


@check("average sample", r"moments of $x = y\mu + z$ in two dimensions, $z = Lg$ with any $L$ and $C = LL^\top$: $E[h]$ and $E[h^2]$ "
       r"with $y\,m$ and $m^2 + v$; mean and variance of $d$ with traces over $N$ and $N^2$; the mean gain at the mean leverage with "
       r"$g$")
def average() -> CheckResult:
    inverse, normals = symmetric("a", 2), sp.symbols("g_0:2")
    root = sp.Matrix([[sp.Symbol("l_00"), 0], [sp.Symbol("l_10"), sp.Symbol("l_11")]])
    mean, u, C = sp.Matrix(sp.symbols("mu_0:2")), sp.Matrix(sp.symbols("u_0:2")), root * root.T
    m, v = (mean.T * inverse * u)[0], (u.T * inverse * C * inverse * u)[0]
    s, leverage, sign = source("k"), sp.Symbol("delta", positive=True), sp.Symbol("y")
    x = sign * mean + root * sp.Matrix(normals)
    h, d = (x.T * inverse * u)[0], (x.T * inverse * x)[0] / N

    def over_sign(expression: sp.Expr) -> sp.Expr:
        return (expression.subs(sign, 1) + expression.subs(sign, -1)) / 2

    mean_d = expected(d, *normals)
    spread_d = expected(d**2, *normals) - mean_d**2
    # label times true sign has the mean of the source's labels, whatever the sign
    label = sp.Symbol("label")
    gain = expected(response_gain(s.c, sign * label, h, leverage), *normals)
    gain = sp.expand(over_sign(gain)).subs({label**2: s.labels.square}).subs(label, s.labels.mean)
    return vanishes(
        expected(h, *normals) - sign * m,
        over_sign(expected(h**2, *normals)) - m**2 - v,
        over_sign(mean_d) - ((C * inverse).trace() + (mean.T * inverse * mean)[0]) / N,
        over_sign(spread_d) - (2 * (C * inverse * C * inverse).trace() + 4 * (mean.T * inverse * C * inverse * mean)[0]) / N**2,
        gain - response_growth(s, m, v, leverage),
    )


def theorem() -> Theorem:
    """Return the chapter on one sample more."""
    c, d, h, label = sp.symbols("c d h ytilde", positive=True)
    mean, spread, leverage, y, v = sp.symbols("m_k v_k delta_k ybar_k vtilde_k", positive=True)
    s = Source(sp.Symbol("theta_k"), sp.Symbol("c_k", positive=True), Labels(y, v), leverage, leverage)
    residual = s.labels.variance + (y - mean) ** 2 + spread
    return Theorem(
        "one_sample",
        "One sample more",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("what a sample adds to the response, $N$ times $u^\\top Qu$ with it less $u^\\top A^{-1}u$",
                     sp.Eq(sp.Symbol("Delta"), response_gain(c, label, h, d), evaluate=False), "one_more"),
            Equation("what a sample of source $k$ adds on average, times $N$, for labels of mean $\\bar y_k$ and variance $\\tilde v_k$",
                     sp.Eq(sp.Symbol("g_k"), s.c * (s.labels.square - residual / (1 + s.c * leverage)), evaluate=False), "growth"),
        ),
        after="model",
    )
