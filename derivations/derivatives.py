r"""The two derivatives, and what the solvers need on the way.

The mean margin is $m_w = \frac12\partial\Psi/\partial J$ and the variance $s_w^2 = -\partial\Psi/\partial t$, at $t = J = 0$,
@eq:margin and @eq:variance. The derivative in $t$ is total: $q$, $\delta$ and all weights move with $t$, by implicit
differentiation of the fixed point. Newton's Jacobian and that derivative are made of the same four sums over the spectrum, here
derived for a pair of sources $k$, $l$ with everything that does not move lumped into $x_0$.

The solvers differentiate the training loss $L(t) = \min_w\frac1N\sum_ic_i(\tilde y_i - w^\top x_i)^2 + \gamma|w|^2 + t\,w^\top
C_\mathrm{test}w$ instead of $\Psi$. It is the sum of the weights less $\Psi(t, 0)$, so its slope in $t$ is the variance. Written
with the residuals of the means, $(I + GT)^{-1}\bar y$ with the products $G$ of the means under $B$ and their weights $T$, every
term of it is positive, and nothing cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from .model import J, Labels, Source, eta, gamma, source, symmetric, t
from .potential import (
    Block,
    Statement,
    Values,
    effective_weight,
    fit_equation,
    isotropic,
    kappa,
    mean_weight,
    potential,
    signal,
    tau,
)
from .theorem import CheckResult, Equation, Function, Theorem, check, vanishes


def mean_margin(statement: Statement, at: Values | None = None) -> sp.Expr:
    """Return m_w = (1/2) dPsi/dJ at t = J = 0; `at`: what to put in for symbols.

    Parameters
    ----------
    statement : Statement
    at : mapping, optional
        Values by symbol.
    """
    return (statement.potential(J).diff(J) / 2).subs({J: 0, t: 0}).xreplace(dict(at or {}))


def variance(statement: Statement, at: Values | None = None) -> sp.Expr:
    """Return s_w^2 = -dPsi/dt at t = J = 0, by implicit differentiation of the fixed point; `at` as for the mean margin.

    Parameters
    ----------
    statement : Statement
    at : mapping, optional
        Values by symbol.
    """
    return -statement.total_derivative(statement.potential(), {t: sp.Integer(1)}, {**(at or {}), t: sp.Integer(0)})


def one_source_variance(own: sp.Expr, theta: sp.Expr, label: sp.Expr, spread: sp.Expr, square: sp.Expr, margin: sp.Expr) -> sp.Expr:
    """Return the variance for one direct isotropic source, the way a left-out sample finds it.

    w is the mean force tau (ybar - m) along the mean, and the forces of the samples, which the residuals of left-out margins make. So the
    variance occurs on both sides; this is its solution.

    Parameters
    ----------
    own
        tau.
    theta, label, spread
        theta, mean and variance of the labels.
    square
        mu^T mu.
    margin
        The mean margin.
    """
    x, residual = gamma + own, (label - margin) ** 2
    echo = eta * own**2 / (theta * x**2)
    return (own**2 * residual * square / x**2 + echo * (spread + residual)) / (1 - echo)


@check("variance of one source", r"$-\partial\Psi/\partial t$ of one isotropic source, on the fixed point, with the variance that a "
       "left-out sample finds in itself")
def left_out_variance() -> CheckResult:
    nu = sp.Symbol("mu", positive=True)
    one = replace(source("k"), labels=Labels(*sp.symbols("ybar vtilde", real=True)))
    statement = isotropic(one, h=eta, coordinates=sp.Matrix([nu, nu]))
    own = statement.direct(tau(one))
    stated = one_source_variance(own, one.theta, one.labels.mean, one.labels.variance, nu**2, mean_margin(statement))
    return vanishes((variance(statement) - stated).subs(eta, one.q * (gamma + own)))


# --- the training loss -----------------------------------------------------------------------------------------------

def floor(s: Source) -> sp.Expr:
    """Return what labels that vary leave of the training loss however good w is, term by term positive."""
    apart = s.b * tau(s) * (s.base_labels.mean - s.labels.mean) ** 2 / kappa(s)
    base = s.b * s.base_labels.variance * (1 + s.r * tau(s) * s.q) / (1 + s.r * kappa(s) * s.q)
    return tau(s) * s.labels.variance + apart + base


def training_loss(sources: Sequence[Source], G: sp.Matrix) -> sp.Expr:
    """Return L(t) for means whose products under the bulk resolvent are G, as a sum of positive terms.

    Parameters
    ----------
    sources : sequence of Source
        K sources.
    G : matrix (K, K)
    """
    K = len(sources)
    T = sp.diag(*[mean_weight(s) for s in sources])
    signals = sp.Matrix([signal(s) for s in sources])
    residual = (sp.eye(K) + G[:K, :K] * T).LUsolve(signals)
    return sum(floor(s) for s in sources) + (signals.T * T * residual)[0]


def total_weight(s: Source) -> sp.Expr:
    """Return the sum of c label^2 / N over the source's samples, and over those its mean was fitted on."""
    return s.theta * s.c * s.labels.square + (s.b * s.base_labels.square if s.mean_fitted else 0)


@check("training loss", r"the sum of weights less $\Psi(t, 0)$ with the sum of positive terms that the solvers differentiate, for a "
       "direct source beside a fitted generator, its mean exact or fitted, with labels of any mean and variance")
def loss_is_the_potential() -> CheckResult:
    G = symmetric("g", 3, positive=True)
    found = []
    for fitted in (False, True):
        labels = {"labels": Labels(*sp.symbols("y v", real=True))}
        if fitted:
            labels["base_labels"] = Labels(*sp.symbols("y_0 v_0", real=True))
        sources = (source(1), replace(source(2, fitted=fitted, mean_fitted=fitted), **labels))
        found.append(sum(total_weight(s) for s in sources) - potential(sources, G) - training_loss(sources, G))
    return vanishes(*found)


# --- one source ------------------------------------------------------------------------------------------------------

LABEL, SPREAD, BASE_LABEL, BASE_SPREAD = sp.symbols("label spread base_label base_spread", real=True)  # means and variances
s = replace(source("k", fitted=True, mean_fitted=True), labels=Labels(LABEL, SPREAD), base_labels=Labels(BASE_LABEL, BASE_SPREAD))
THETA, C_, R, B_, Q, DELTA = s.theta, s.c, s.r, s.b, s.q, s.delta
ELL = sp.Symbol("ell", positive=True)  # delta / q = 1 / (1 + r kappa q), which does not cancel


def delta_polynomial(of: Source) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """The equation of the fit cleared of its denominator, a delta^2 + b delta + c = 0, as (a, b, c)."""
    polynomial = sp.Poly(sp.expand(sp.numer(sp.together(fit_equation(of)))), of.delta)
    return tuple(polynomial.all_coeffs())


def positive_root(a: sp.Expr, b: sp.Expr, c: sp.Expr) -> sp.Expr:
    """The positive root of a x^2 + b x + c with a >= 0 > c, without cancellation whatever the sign of b."""
    root = sp.sqrt(b**2 - 4 * a * c)
    return sp.Piecewise((-2 * c / (b + root), b > 0), ((root - b) / (2 * a), True))


def delta_slope() -> sp.Expr:
    """d delta / d q by implicit differentiation, written with ell so that nothing cancels (checked below)."""
    return ELL**2 * (1 + C_ * DELTA) / (1 + C_ * DELTA * ELL * (1 + R * B_ * Q))


def base_share() -> sp.Expr:
    """b / kappa, the weight of the fitted samples among those that carry the mean; 0 without, also for an empty source (0/0)."""
    left = B_ * (1 + C_ * DELTA)
    return sp.Piecewise((0, sp.Eq(B_, 0)), (left / (left + THETA * C_), True))


def source_functions() -> tuple[Function, ...]:
    """The functions of a source that the solvers need: each depends on its q and on no other source."""
    share, d_share = sp.symbols("base_share d_base_share", nonnegative=True)
    d_delta, k, d_kappa = sp.symbols("d_delta kappa d_kappa")

    def along_q(expression: sp.Expr) -> sp.Expr:
        return expression.diff(Q) + expression.diff(DELTA) * d_delta

    weight = k / (1 + R * k * Q)  # effective_weight(s) with kappa as a symbol: the slope is one fraction, without cancellation
    weight_slope = sp.factor(weight.diff(k)) * d_kappa + sp.factor(weight.diff(Q))
    mixed = LABEL + share * (BASE_LABEL - LABEL)
    # what varying labels leave, as products of one sign; their slopes are factored one by one, since expanded they would cancel
    parts = ((tau(s), SPREAD + share * (BASE_LABEL - LABEL) ** 2), ((1 + R * tau(s) * Q) / (1 + R * kappa(s) * Q), B_ * BASE_SPREAD))
    return (
        Function("leave_one_out", "delta, the trace a left-out sample sees: the positive root of the equation of the fit.",
                 (THETA, C_, R, B_, Q), {"delta": positive_root(*delta_polynomial(s))}),
        Function("leave_one_out_slope", "d delta / dq.", (THETA, C_, R, B_, Q, DELTA),
                 {"d_delta": delta_slope().subs(ELL, 1 / (1 + R * kappa(s) * Q))}),
        Function("second_moment_weight", "kappa and d kappa / dq.", (THETA, C_, B_, DELTA, d_delta),
                 {"kappa": kappa(s), "d_kappa": along_q(kappa(s))}),
        Function("covariance_weight", "s, the weight of the source's covariance in the resolvent, and ds/dq.",
                 (R, Q, k, d_kappa), {"s": weight, "d_s": sp.factor(weight_slope)}),
        Function("fitted_share", "b / kappa and its slope in q.", (THETA, C_, B_, DELTA, d_delta),
                 {"base_share": base_share(),
                  "d_base_share": sp.Piecewise((0, sp.Eq(B_, 0)), (along_q(base_share().args[1][0]), True))}),
        Function("signal", "The mean label, what varying labels leave of the training loss, and their slopes in q.",
                 (THETA, C_, R, B_, Q, DELTA, d_delta, LABEL, SPREAD, BASE_LABEL, BASE_SPREAD, share, d_share),
                 {"signal": mixed, "d_signal": mixed.diff(share) * d_share,
                  "d_floor": sum(sp.factor(along_q(rate)) * height + rate * height.diff(share) * d_share for rate, height in parts)}),
    )


@check("leverage", "the root that is generated (both branches) and its slope with the equation of the fit and its "
       "implicit derivative; the generated weight, share, signal and floor with those of the potential")
def source_functions_agree() -> CheckResult:
    a, b, c = delta_polynomial(s)
    polynomial = a * DELTA**2 + b * DELTA + c
    slope = -polynomial.diff(Q) / polynomial.diff(DELTA)
    quadratic = vanishes(delta_slope().subs(ELL, DELTA / Q) - slope, modulo=(polynomial, DELTA))
    a_, c_ = sp.symbols("a c", positive=True)
    b_ = sp.Symbol("b", real=True)
    branches = [piece for piece, _ in positive_root(a_, b_, -c_).args]
    roots = vanishes(*(sp.radsimp(a_ * piece**2 + b_ * piece - c_) for piece in branches))
    general = base_share().args[1][0]
    share, d_share, d_delta, k = sp.symbols("base_share d_base_share d_delta kappa", nonnegative=True)
    generated = {function.name: function.results for function in source_functions()}
    plain = {symbol: sp.Symbol(symbol.name, nonnegative=True) for symbol in sp.symbols("d_delta kappa d_kappa")}
    slope_of = {share: general, d_share: general.diff(DELTA) * d_delta}
    whole = floor(s)
    others = vanishes(
        generated["covariance_weight"]["s"].subs(plain).subs(k, kappa(s)) - effective_weight(s),
        general - B_ / kappa(s),
        generated["signal"]["signal"].subs(slope_of) - signal(s),
        generated["signal"]["d_floor"].subs(plain).subs(slope_of) - whole.diff(Q) - whole.diff(DELTA) * d_delta,
    )
    return CheckResult(quadratic.holds and roots.holds and others.holds,
                   f"slope: {quadratic.found}; branches: {roots.found}; weight, share, signal, floor: {others.found}")


# --- the spectrum ----------------------------------------------------------------------------------------------------

H, CK, CL, X, X0, SL, U = sp.symbols("h C_k C_l x x_0 s_l u", positive=True)


def spectrum_functions() -> tuple[Function, ...]:
    """The four terms that are summed over the spectrum; x = gamma + sum_k s_k C_k is one eigenvalue of B^{-1}."""
    load = X0 + SL * CL

    def moved(expression: sp.Expr) -> sp.Expr:
        return sp.simplify(-expression.diff(SL)).subs(X0, X - SL * CL)

    trace, product = H * CK / load, U / load
    at = {X0: X - SL * CL}
    return (
        Function("trace_term", "One eigenvalue's part of q_k = (1/N) tr(C_k B).", (H, CK, X), {"trace": trace.subs(at)}),
        Function("pair_term", "One eigenvalue's part of -dq_k/ds_l = (1/N) tr(C_k B C_l B).", (H, CK, CL, X),
                 {"pair": moved(trace)}),
        Function("product_term", "One eigenvalue's part of mean_a^T B mean_b, u = mean_a mean_b there.", (U, X),
                 {"product": product.subs(at)}),
        Function("product_slope_term", "One eigenvalue's part of mean_a^T B C_l B mean_b.", (U, CL, X),
                 {"slope": moved(product)}),
    )


def isotropic_functions() -> tuple[Function, ...]:
    """With every covariance a multiple a_k of the identity one scalar q = eta / x is left, q_k = a_k q."""
    q, eta, load, slope = sp.symbols("q eta load load_slope", positive=True)
    weight = sp.Function("s")
    residual = q * (gamma + weight(q)) - eta
    return (
        Function("isotropic_residual", "q (gamma + sum_k a_k s_k) - eta, increasing and concave in q, and its slope; load = "
                 "sum_k a_k s_k, load_slope its derivative in q.", (gamma, eta, q, load, slope),
                 {"residual": residual.subs(weight(q), load),
                  "slope": residual.diff(q).subs(weight(q).diff(q), slope).subs(weight(q), load)}),
    )


# --- the response ----------------------------------------------------------------------------------------------------

def response_functions() -> tuple[Function, ...]:
    """The terms that are summed over the sources once the residuals of the means and the speeds dq/dt are known."""
    residual, weight, d_weight, d_signal, d_floor, speed = sp.symbols("residual T d_T d_signal d_floor speed", real=True)
    m, v = sp.symbols("mean_margin variance", real=True)
    return (
        Function("loss_slope_term", "One source's part of dL/dt, but for that of the products of the means.",
                 (residual, weight, d_weight, d_signal, d_floor, speed),
                 {"term": speed * (d_floor + 2 * residual * weight * d_signal + residual**2 * d_weight)}),
        Function("accuracy", "Phi(m_w / s_w), the accuracy of sign(w^T x).", (m, v),
                 {"accuracy": sp.erfc(-m / sp.sqrt(2 * v)) / 2}),
        Function("risk", "E[(y - w^T x)^2].", (m, v), {"risk": v + (1 - m) ** 2}),
    )


@check("response", r"$dL/dt$ of two sources along arbitrary speeds, differentiated as a whole, with the terms that are generated")
def response_terms() -> CheckResult:
    x = sp.Symbol("x")
    move = lambda name: sp.Symbol(name) + x * sp.Symbol(f"d_{name}")  # noqa: E731
    G = sp.Matrix(2, 2, lambda i, j: move(f"g_{min(i, j)}{max(i, j)}"))
    T, signals = sp.diag(move("T_0"), move("T_1")), sp.Matrix([move("y_0"), move("y_1")])
    residual = (sp.eye(2) + G * T).LUsolve(signals)
    whole = ((signals.T * T * residual)[0]).diff(x).subs(x, 0)
    at_rest = residual.subs(x, 0)
    term = response_functions()[0]
    parts = sum(
        term.results["term"].subs(dict(zip(term.arguments, (at_rest[k], sp.Symbol(f"T_{k}"), sp.Symbol(f"d_T_{k}"),
                                                            sp.Symbol(f"d_y_{k}"), 0, 1), strict=True)))
        for k in range(2)
    )
    zeta = sp.Matrix([sp.Symbol(f"T_{k}") * at_rest[k] for k in range(2)])
    return vanishes(whole - parts + (zeta.T * G.diff(x) * zeta)[0])


@check("Jacobian", r"the Jacobian of the fixed point of two sources with two eigenvalues, by SymPy, with $I + G$, "
       r"$G_{kl} = \frac1N\operatorname{tr}(C_kBC_lB)\,ds_l/dq_l$")
def jacobian() -> CheckResult:
    sources = tuple(source(k) for k in (1, 2))
    C = sp.Matrix(2, 2, lambda k, j: sp.Symbol(f"C_{k + 1}{j + 1}", positive=True))
    h = sp.Symbol("h", positive=True)
    blocks = tuple(Block(h, (C[0, j], C[1, j]), sp.Integer(0), sp.zeros(3)) for j in range(2))
    statement = Statement(sources, blocks)
    whole = sp.Matrix(statement.equations()).jacobian(statement.unknowns())
    direct = {one.delta: one.q for one in sources}
    pair = spectrum_functions()[1].results["pair"]
    found = []
    for k in range(2):
        for i, other in enumerate(sources):
            sums = sum(pair.subs({H: h, CK: C[k, j], CL: C[i, j], X: 1 / blocks[j].resolvent(sources).subs(direct)},
                                 simultaneous=True) for j in range(2))
            slope = effective_weight(other).subs(direct).diff(other.q)
            found.append(whole[k, i] - int(k == i) - sums * slope)
    return vanishes(*found)


def theorem() -> Theorem:
    """Return the chapter on the derivatives: general margins, and those of one isotropic source written out."""
    m_w, s_w, K, own, y, spread = sp.symbols("m_w s_w^2 kappa_k tau_k ybar_k vtilde_k")
    square = sp.Symbol("mu", positive=True) ** 2
    weight = effective_weight(s).subs(kappa(s), K)
    functions = (*source_functions(), *spectrum_functions(), *isotropic_functions(), *response_functions())
    return Theorem(
        "theory",
        "Two derivatives",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the slope of the leverage, $\\ell = \\delta/q$", sp.Eq(sp.Derivative(DELTA, Q), delta_slope())),
            Equation("the weight of a mean", sp.Eq(sp.Symbol("T_k"), weight)),
            Equation("the mean margin of one direct isotropic source", sp.Eq(m_w, own * square * y / (gamma + own * (1 + square)))),
            Equation("its variance", sp.Eq(s_w, one_source_variance(own, THETA, y, spread, square, m_w))),
        ),
        functions,
        after="expansion",
        javascript=True,
    )
