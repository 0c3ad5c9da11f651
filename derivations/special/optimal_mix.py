r"""The best mix: how the response moves with $\omega$, $\gamma$, $m$ and anything else the solvers are given.

Every generated function $f(x)$ gets its tangent, $\sum_i\dot x_i\,\partial f/\partial x_i$, by SymPy. Pushed along a direction
$\dot x$, say that of $\log\omega$, the steps that solve for mean margin and variance give the slopes of both, with two implicit
differentiations on the way. The fixed point $q = T(q)$ moves as in @eq:moved_trace, with $\dot T$ at fixed $q$ and $G_{kl} =
\frac1N\operatorname{tr}(C_kBC_lB)\,ds_l/dq_l$. The speed $dq/dt$ is such a solution itself, and moves as in @eq:moved_speed. The
leverage moves by the equation of the fit, $F = 0$: $\dot\delta = -\sum_iF_i\dot x_i/F_\delta$. The accuracy is $\Phi(m_w/s_w)$, so
its gradient follows, and the best $\omega$, $\gamma$ and $m$ by ascent.

With more classes a sample is right if its score beats every rival's. The margins over the rivals share the right class's score:
were the scores independent and equally spread, any two would be correlated by 1/2. With that correlation the probability is a
single integral, $E_z\prod_j\Phi(\sqrt2\,m_j/s_j + z)$, which is $\Phi(m_w/s_w)$ for one rival.
"""

from __future__ import annotations

import random
from dataclasses import replace

import mpmath as mp
import sympy as sp

from .. import reference
from ..derivatives import (
    DELTA,
    mean_margin,
    response_functions,
    s,
    source_functions,
    spectrum_functions,
    variance,
)
from ..model import Source, gamma, source, t
from ..potential import effective_weight, fit_equation, isotropic
from ..reference import DIGITS
from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes


def dot(symbol: sp.Symbol) -> sp.Symbol:
    """The rate of change of a symbol along the direction."""
    return sp.Symbol(f"{symbol.name.removesuffix('_k').rstrip('_')}_dot", real=True)


def along(expression: sp.Expr, moving: tuple[sp.Symbol, ...]) -> sp.Expr:
    """Return sum_i d expression / d x_i times the rate of x_i, over the symbols that move.

    Parameters
    ----------
    expression : expression
    moving : tuple of symbols
        The x_i.
    """
    return sum(expression.diff(symbol) * dot(symbol) for symbol in moving)


def tangent(function: Function) -> Function:
    """The tangent of a generated function: its arguments, their rates, and from these the rates of its results."""
    arguments = function.arguments
    results = {f"{name}_dot": along(sp.sympify(result), arguments) for name, result in function.results.items()}
    doc = f"How {', '.join(function.results)} of `{function.name}` move{'s' if len(results) == 1 else ''} along a direction."
    return Function(f"{function.name}_tangent", doc, (*arguments, *map(dot, arguments)), results)


MARGIN, VARIANCE, Z = sp.symbols("mean_margin variance z", real=True)
PARAMETERS = (s.theta, s.c, s.r, s.b, s.q)


def trace_rate() -> sp.Expr:
    """deltadot by implicit differentiation of the equation of the fit."""
    equation = fit_equation(s)
    slopes = (sp.factor(-equation.diff(symbol) / equation.diff(DELTA)) * dot(symbol) for symbol in PARAMETERS)
    return sum(slopes)


def functions() -> tuple[Function, ...]:
    """The tangents of everything between the parameters and the accuracy."""
    root, *others = source_functions()
    arguments = (*root.arguments, DELTA)
    traced = Function("leave_one_out_tangent", "How delta moves along a direction, by the equation of the fit.",
                      (*arguments, *map(dot, root.arguments)), {"delta_dot": trace_rate()})
    rival = Function("rival", "Phi(sqrt(2) m_w / s_w + z): the probability that one rival of several is beaten, given the common part z of "
                     "their margins, where any two are correlated by 1/2.", (MARGIN, VARIANCE, Z),
                     {"beaten": sp.erfc(-(sp.sqrt(2) * MARGIN / sp.sqrt(VARIANCE) + Z) / sp.sqrt(2)) / 2})
    return (traced, *map(tangent, (*others, *spectrum_functions(), *response_functions()[:2])), rival, tangent(rival))


@check("tangent of the left-out trace", r"the generated rate of $\delta$ along each parameter with the derivative of the positive root "
       "that the solvers use (both branches), and along $q$ with the slope that they use")
def trace_tangent() -> CheckResult:
    root, slope = source_functions()[0].results["delta"], source_functions()[1].results["d_delta"]
    draw, worst = random.Random(3), sp.Float(0)
    for branch in range(2):
        for symbol in PARAMETERS:
            point = {one: sp.Rational(draw.randint(1, 40), 20) for one in PARAMETERS}
            point[s.r] = sp.Rational(draw.randint(1, 9), 100 if branch == 0 else 1)
            held = {one: value for one, value in point.items() if one != symbol}
            with_root = {DELTA: root.subs(point).evalf(DIGITS)}
            rate = trace_rate().subs({dot(one): int(one == symbol) for one in PARAMETERS}).subs(point).subs(with_root)
            found = [rate - root.subs(held).diff(symbol).subs(point)]
            if symbol == s.q:
                found.append(rate - slope.subs(point).subs(with_root))
            worst = max(worst, *(abs(one.evalf(DIGITS)) for one in found))
    return CheckResult(worst < sp.Float("1e-40"), f"largest difference {sp.N(worst, 2)}")


def _pushed(one: Source, h: sp.Expr, nu: sp.Symbol, parameter: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    """The slopes of margin and variance of one direct isotropic source by the chain of tangents that the solvers run."""
    run = {function.name: function for function in (*source_functions(), *spectrum_functions(), *response_functions(), *functions())}

    def call(name: str, *values: sp.Expr) -> list[sp.Expr]:
        function = run[name]
        put = dict(zip(function.arguments, values, strict=True))
        return [sp.sympify(result).subs(put, simultaneous=True) for result in function.results.values()]

    q, e = one.q, 1 - one.labels.mean
    own, zero = (one.theta, one.c, sp.Integer(0), sp.Integer(0)), sp.Integer(0)
    rates = tuple(value.diff(parameter) for value in own)
    ridge_dot = gamma.diff(parameter)
    label, spread = 1 - e, one.labels.variance

    def weights(q_dot: sp.Expr) -> tuple[list[sp.Expr], list[sp.Expr]]:
        delta, (d_delta,) = q, call("leave_one_out_slope", *own, q, q)
        (delta_dot,) = call("leave_one_out_tangent", *own, q, delta, *rates, q_dot)
        (d_delta_dot,) = call("leave_one_out_slope_tangent", *own, q, delta, *rates, q_dot, delta_dot)
        theta, c, r, b = own
        k, d_k = call("second_moment_weight", theta, c, b, delta, d_delta)
        k_dot, d_k_dot = call("second_moment_weight_tangent", theta, c, b, delta, d_delta, rates[0], rates[1], rates[3], delta_dot,
                              d_delta_dot)
        weight, slope = call("covariance_weight", r, q, k, d_k)
        moved = call("covariance_weight_tangent", r, q, k, d_k, rates[2], q_dot, k_dot, d_k_dot)
        seen = (*own, q, delta, d_delta, label, spread, 1, 0, zero, zero)
        return [delta, weight, slope, k, d_k, *call("signal", *seen)], [
            delta_dot, *moved, k_dot, d_k_dot, *call("signal_tangent", *seen, *rates, q_dot, delta_dot, d_delta_dot, 0, 0, 0, 0, 0, 0)]

    at_rest, (_, still, *_) = weights(zero)
    _, weight, slope, T, d_T, y, d_y, d_floor = at_rest
    x = gamma + weight
    pair, (trace_dot,) = call("pair_term", h, 1, 1, x)[0], call("trace_term_tangent", h, 1, x, 0, 0, ridge_dot + still)
    q_dot = trace_dot / (1 + pair * slope)
    _, (_, weight_dot, slope_dot, T_dot, d_T_dot, y_dot, d_y_dot, d_floor_dot) = weights(q_dot)
    x_dot = ridge_dot + weight_dot
    (pair_dot,) = call("pair_term_tangent", h, 1, 1, x, 0, 0, 0, x_dot)
    speed = -pair / (1 + pair * slope)
    speed_dot = (-pair_dot - (pair_dot * slope + pair * slope_dot) * speed) / (1 + pair * slope)
    reach, reach_dot = 1 + slope * speed, slope_dot * speed + slope * speed_dot
    (g,), (g_dot,) = call("product_term", nu**2, x), call("product_term_tangent", nu**2, x, 0, x_dot)
    (v,), (v_dot,) = (call("product_slope_term", nu**2, reach, x),
                      call("product_slope_term_tangent", nu**2, reach, x, 0, reach_dot, x_dot))
    left = y / (1 + g * T)
    left_dot = (y_dot - (g_dot * T + g * T_dot) * left) / (1 + g * T)
    margin_dot = g_dot * T * left + g * T_dot * left + g * T * left_dot
    (term_dot,) = call("loss_slope_term_tangent", left, T, d_T, d_y, d_floor, speed, left_dot, T_dot, d_T_dot, d_y_dot, d_floor_dot,
                       speed_dot)
    dual, dual_dot = T * left, T_dot * left + T * left_dot
    return margin_dot, term_dot + 2 * dual * dual_dot * v + dual**2 * v_dot


@check("one rival", r"the probability to beat one rival, averaged over the common part $z\sim N(0, 1)$, with $\Phi(m_w/s_w)$, by "
       r"50-digit integration")
def one_rival() -> CheckResult:
    beaten = next(function for function in functions() if function.name == "rival").results["beaten"]
    found = []
    for m, v in ((1, 2), (-2, 3), (4, 1)):
        with mp.workdps(DIGITS):
            at = sp.lambdify(Z, beaten.subs({MARGIN: m, VARIANCE: v}), "mpmath")
            mean = mp.quad(lambda z, at=at: mp.npdf(z) * at(z), [-mp.inf, -4, 0, 4, mp.inf])
            found.append(abs(mean - mp.ncdf(m / mp.sqrt(v))))
    return CheckResult(max(found) < mp.mpf(10) ** -20, f"largest difference {mp.nstr(max(found), 2)}")


@check("tangents of the response", r"slopes of mean margin and variance of one isotropic source in $\gamma$, its weight $c$ and its "
       r"count $\theta$ by the chain of generated tangents, with the total derivatives of the closed forms, on the fixed point")
def response_tangents() -> CheckResult:
    one = source("k")
    h, nu = sp.symbols("h nu", positive=True)
    statement = isotropic(one, h=h, coordinates=sp.Matrix([nu, nu]))
    margin, spread = mean_margin(statement), variance(statement)
    draw, found = random.Random(5), []
    for parameter in (gamma, one.c, one.theta):
        pushed = _pushed(one, h, nu, parameter)
        whole = [statement.total_derivative(expression, {parameter: sp.Integer(1)}, {t: sp.Integer(0)}) for expression in (margin, spread)]
        for _ in range(3):
            point = {symbol: sp.Rational(draw.randint(1, 99), 50) for symbol in (one.c, one.theta, one.q, h, nu)}
            point[sp.Symbol("e_k", nonnegative=True)] = sp.Rational(draw.randint(0, 40), 100)
            # gamma such that q is the fixed point
            point[gamma] = (h / one.q - effective_weight(one).subs(one.delta, one.q)).subs(point)
            found += [(a - b).subs(one.delta, one.q).subs(point) for a, b in zip(pushed, whole, strict=True)]
    return vanishes(*(sp.sympify(difference) for difference in found))


@check("gradient at 50 digits", r"slopes of the mean margin in $\gamma$ and in a weight by implicit differentiation of the symbolic "
       r"statement (two sources, one of a fitted generator, $p = 2$) with difference quotients of the left-out margins")
def gradient_at_fifty_digits() -> CheckResult:
    point, worst = reference.random_point(random.Random(11), commuting=True, p=2), mp.mpf(0)
    statement, at = reference.symbolic(point)
    still = {**at, t: sp.Integer(0)}

    def shifted(by: mp.mpf, parameter: sp.Symbol) -> mp.mpf:
        if parameter == gamma:
            return reference.evaluate(replace(point, gamma=point.gamma + by))["mean_margin"]
        first, (theta, c, *rest) = point.sources
        return reference.evaluate(replace(point, sources=(first, (theta, c + by, *rest))))["mean_margin"]

    for parameter in (gamma, statement.sources[1].c):
        slope = statement.total_derivative(mean_margin(statement), {parameter: sp.Integer(1)}, still)
        with mp.workdps(DIGITS):
            step = mp.mpf(10) ** -12
            expected = (shifted(step, parameter) - shifted(-step, parameter)) / (2 * step)
            worst = max(worst, abs(mp.mpf(sp.Float(slope, DIGITS)) / expected - 1))
    return CheckResult(worst < mp.mpf(10) ** -18, f"largest relative difference {mp.nstr(worst, 3)}")


def theorem() -> Theorem:
    """Return the chapter on the best mix."""
    q, moved, speed, speed_dot, h_dot, G, G_dot = (
        sp.Symbol(name, commutative=False) for name in ("qdot", "Tdot", "z", "zdot", "hdot", "G", "Gdot"))
    inverse = (1 + G) ** -1
    m_w, s_w = sp.symbols("m_w s_w", positive=True)
    return Theorem(
        "optimal_mix", "The best mix, by gradient", __doc__.split("\n\n", 1)[1],
        (
            *(Equation(f"the rate of the leverage along ${name}$", sp.Eq(
                dot(DELTA), sp.factor(-fit_equation(s).diff(symbol) / fit_equation(s).diff(DELTA)) * dot(symbol)))
              for name, symbol in zip(("\\theta", "c", "r", "b", "q"), PARAMETERS, strict=True)),
            Equation("the rate of the traces", sp.Eq(q, inverse * moved), "moved_trace"),
            Equation("the rate of the speed $z = dq/dt$, with $h_k = \\frac1N\\operatorname{tr}(C_kBC_\\mathrm{test}B)$",
                     sp.Eq(speed_dot, -inverse * (h_dot + G_dot * speed), evaluate=False), "moved_speed"),
            *(Equation(f"the slope of the accuracy in ${symbol}$", sp.Eq(sp.Derivative(sp.Symbol("acc"), symbol), (
                sp.erfc(-m_w / (sp.sqrt(2) * s_w)) / 2).diff(symbol))) for symbol in (m_w, s_w)),
        ),
        functions(),
        after="many_classes",
    )
