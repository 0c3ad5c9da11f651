r"""A fitted generator: training on its samples is training on the samples it was fitted on, at a reduced weight.

A generator is fitted on $\hat n = N/r$ samples $x_i$, its base. Write $\tilde x_i = y_ix_i$. Its mean is $\hat\mu = \frac1{\hat
n}\sum_i\tilde x_i$ and its covariance $\hat C = \frac1{\hat n}\sum_i(\tilde x_i - \hat\mu)(\tilde x_i - \hat\mu)^\top$. Given the
base, its samples are a source with an exact law, to which the [growth equations](#one_sample) apply as they stand: in the response
a generated source is the quadratic

$$\tau\left[(\bar y - \hat\mu^\top w)^2 + w^\top\hat Cw\right] = \frac1N\sum_i r\tau(\bar y - \tilde x_i^\top w)^2,$$

exactly, since mean and covariance are those of the base. So the base trains, each of its samples with the weight $r\tau$ and the
label $\bar y$. Where a base sample also trains itself, with weight $c_0 = rb$ and its own label $y_0$, the two are one sample of
weight $r\kappa = r(b + \tau)$ and of label $(by_0 + \tau\bar y)/\kappa$, and what the labels differ by is left over. That is a
direct source with $\theta = 1/r$, so the base can be left out sample by sample in its turn: the weight of its second moment is
@eq:weight, and its noise is the second term of @eq:fit_noise.

What a left-out generated sample sees is $\delta = \frac1N\operatorname{tr}(\hat CQ)$, the mean over the base of $\tilde x_i^\top
Q\tilde x_i/N$, and each of these is $q/(1 + r\kappa q)$ by [leave-one-out](#one_sample): @eq:fit.

A covariance that is fitted around an exact mean has the base $z_i = x_i - y_i\mu$, which carries no mean and so no label: it has
the weight $r\tau$ and the label 0, and $\mu\mu^\top$ keeps the weight $\tau$.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from .model import Labels, N, Source, source, symmetric
from .potential import effective_weight, fit_equation, kappa, mean_weight, noise, potential, signal, tau
from .theorem import CheckResult, Equation, Theorem, check, vanishes


def base(s: Source) -> Source:
    """Return the base of a fitted source as the direct source that takes the place of both: theta = 1/r, its leverage q."""
    if not s.mean_fitted:
        return Source(1 / s.r, s.r * kappa(s), Labels(sp.Integer(0), sp.Integer(0)), s.q, s.q)
    spread = (s.b / kappa(s)) ** 2 * s.base_labels.variance
    return Source(1 / s.r, s.r * kappa(s), Labels(signal(s), spread), s.q, s.q)


def _any_source(*, mean_fitted: bool) -> Source:
    """A fitted source with labels of any mean and variance; its base trains where its mean is fitted too."""
    y, v, y_0, v_0 = sp.symbols("y vtilde y_0 vtilde_0", real=True)
    s = replace(source("k", fitted=True, mean_fitted=mean_fitted), labels=Labels(y, v), base_labels=Labels(y_0, v_0))
    return s if mean_fitted else replace(s, b=sp.Integer(0))


@check("generated samples are the base", r"for a base of three samples in two dimensions and any $w$: $\tau[(\bar y - \hat\mu^\top "
       r"w)^2 + w^\top\hat Cw]$ with the sum over the base at the weight $r\tau$")
def generated_is_base() -> CheckResult:
    own, label, r, size = *sp.symbols("tau ybar r", positive=True), 3
    rows = [sp.Matrix(sp.symbols(f"x_{i}0 x_{i}1", real=True)) for i in range(size)]
    w = sp.Matrix(sp.symbols("w_0 w_1", real=True))
    mean = sum(rows, sp.zeros(2, 1)) / size
    covariance = sum(((x - mean) * (x - mean).T for x in rows), sp.zeros(2)) / size
    generated = own * ((label - (mean.T * w)[0]) ** 2 + (w.T * covariance * w)[0])
    trained = sum(r * own * (label - (x.T * w)[0]) ** 2 for x in rows) / (r * size)  # N = r n_hat
    return vanishes(generated - trained)


@check("base that trains", r"the losses of a base sample, $c_0(y_0 - u)^2 + r\tau(\bar y - u)^2$, with $r\kappa(\hat y - u)^2$ and "
       r"what does not depend on $u$; mean and variance of $\hat y$ with those of the source that takes the place of both")
def one_label() -> CheckResult:
    s = _any_source(mean_fitted=True)
    u, y_0, own = sp.symbols("u y_own tau", real=True)
    weight = s.b + own
    mixed = (s.b * y_0 + own * s.labels.mean) / weight
    both = s.r * s.b * (y_0 - u) ** 2 + s.r * own * (s.labels.mean - u) ** 2
    left = s.r * s.b * own / weight * (y_0 - s.labels.mean) ** 2
    labels, at = base(s).labels, {own: tau(s)}
    return vanishes(both - s.r * weight * (mixed - u) ** 2 - left,
                    mixed.subs(y_0, s.base_labels.mean).subs(at) - labels.mean,
                    (mixed.diff(y_0) ** 2 * s.base_labels.variance).subs(at) - labels.variance,
                    s.r * weight.subs(at) - base(s).c)


@check("leverage of a generated sample", r"$\frac1N\operatorname{tr}(\hat CQ)$ of a base of three samples in two dimensions that "
       r"train at the weight $r\kappa$, as the mean of $d_i/(1 + r\kappa d_i)$ over the base, $d_i$ the leverage without sample $i$; at "
       r"equal $d_i = q$ the equation of the fit")
def generated_leverage() -> CheckResult:
    weight, size, s = sp.Symbol("w", positive=True), 3, _any_source(mean_fitted=True)
    rows = [sp.Matrix([1, 2]), sp.Matrix([-1, 3]), sp.Matrix([2, 1])]
    rest = symmetric("a", 2).subs(dict(zip(sp.symbols("a_00 a_01 a_11"), (3, 1, 2), strict=True)))
    count = size * sp.Symbol("r", positive=True)  # N
    whole = rest + weight / count * sum((x * x.T for x in rows), sp.zeros(2))
    trace = sum((x.T * whole.inv() * x)[0] for x in rows) / size / count
    left_out = [(x.T * (whole - weight / count * x * x.T).inv() * x)[0] / count for x in rows]
    seen = s.q / (1 + s.r * kappa(s) * s.q)
    return vanishes(trace - sum(d / (1 + weight * d) for d in left_out) / size, fit_equation(s) - (s.delta / seen - 1) * s.q)


@check("base left out", "of a fitted source, its mean exact or fitted, its base training or not: weight of the covariance, weight and "
       "signal of the mean, and noise, with those of a direct source in the place of its base")
def base_as_source() -> CheckResult:
    found = []
    for mean_fitted in (False, True):
        s = _any_source(mean_fitted=mean_fitted)
        direct = base(s)
        own = noise(replace(s, r=sp.Integer(0), b=sp.Integer(0), mean_fitted=False))
        found += [effective_weight(s) - tau(direct), noise(s) - own - noise(direct)]
        if mean_fitted:
            found += [mean_weight(s) - mean_weight(direct), signal(s) - signal(direct)]
        else:
            found += [mean_weight(s) - tau(s), signal(s) - s.labels.mean]
    return vanishes(*found)


@check("estimated mean", r"$\Psi$ with a mean that is fitted, and with an exact mean that has an orthogonal error of squared length "
       r"$\operatorname{tr}(C)/\hat n$: $rq$ in the products of the resolvent")
def estimated_mean() -> CheckResult:
    G, j = symmetric("g", 2, positive=True), sp.Symbol("J")
    fitted = replace(source("s", fitted=True, mean_fitted=True), b=sp.Integer(0))
    exact = replace(fitted, mean_fitted=False)
    # compare at J = 0 and the term linear in J, which is the mean margin; the square of J only tells of mu_test
    difference = potential((exact,), G + sp.diag(fitted.r * fitted.q, 0), j) - potential((fitted,), G, j)
    return vanishes(difference.subs(j, 0), difference.diff(j).subs(j, 0))


def theorem() -> Theorem:
    """Return the chapter on fitted generators."""
    K, own, q, r, label, b, y_0 = sp.symbols("kappa_k tau_k q_k r_k ybar_k b_k y_0")
    inner, trace, C, Q = sp.Function("tr"), sp.Symbol("delta_k"), sp.Symbol("Chat_k", commutative=False), sp.Symbol("Q", commutative=False)
    return Theorem(
        "fitted_generator",
        "A fitted generator",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the weight of a base sample, over $r$", sp.Eq(K, b + own)),
            Equation("its label", sp.Eq(sp.Symbol("yhat_k"), (b * y_0 + own * label) / K)),
            Equation("the weight of its second moment, as that of a direct source with $\\theta = 1/r$ and $c = r\\kappa$",
                     sp.Eq(sp.Symbol("s_k"), tau(Source(1 / r, r * K, Labels(label, sp.Integer(0)), q, q)))),
            Equation("what a left-out generated sample sees", sp.Eq(trace, inner(C * Q) / N)),
        ),
        after="potential",
    )
