r"""The published pruning formula, kept apart and labelled: it is not the theory of this project.

The published derivation averages the keep/drop variable inside the leave-one-out denominator and has $\delta_S = \frac\alpha
N\operatorname{tr}(\Sigma_\beta\bar Q)$ where a kept sample sees $\frac1N\operatorname{tr}(\Sigma_\beta\bar Q)$: a sample that is in
the sum was kept, so no $\alpha$ belongs there. The fixed point and the weights inherit the slip; the traces of the second moment
are taken without the $\alpha$ at the slipped point. With $\alpha = 1$ (no pruning) nothing differs.
"""

from __future__ import annotations

import sympy as sp

from .derivatives import C_, DELTA, ELL, THETA, Q, R, delta_slope, positive_root, s
from .model import N, Source, alpha, epsilon, eta, gamma, lam, mu, phi, rho
from .potential import fit_equation, tau
from .special import synthetic_only as alone
from .theorem import CheckResult, Equation, Function, Theorem, check, vanishes

SLIP = sp.Symbol("alpha", positive=True)
_PUBLISHED_LETTERS = {alone.A: SLIP, alone.LAM: sp.Symbol("lambda", real=True)}
LAMBDA, DELTA_ = sp.Symbol("lambda", real=True), alone.DELTA


def published_fit_equation(of: Source) -> sp.Expr:
    """delta (1 + r tau q) = alpha q: the alpha that does not belong there.

    Parameters
    ----------
    of : Source
        The synthetic samples.
    """
    return of.delta * (1 + of.r * tau(of) * of.q) - SLIP * of.q


def published_slope() -> sp.Expr:
    """d/dq of the trace that is not multiplied by alpha, at the slipped point: what the published second moment uses."""
    own, rise = sp.Function("tau"), sp.Symbol("rise")
    own_slope = (THETA * C_ / (1 + C_ * DELTA)).diff(DELTA) * rise
    x = Q / (1 + R * own(Q) * Q)
    slope = x.diff(Q).subs(own(Q).diff(Q), own_slope).subs(1 + R * own(Q) * Q, 1 / ELL)
    return sp.factor(sp.solve(sp.Eq(rise, sp.expand(slope)), rise)[0].subs(own(Q), (1 / ELL - 1) / (R * Q)))


def fixed_point_slope(of: Source) -> sp.Expr:
    """The derivative of the published delta in q, which Newton on the published fixed point needs; no published quantity contains it."""
    kept_trace = SLIP / (1 + of.r * tau(of) * of.q)  # delta / q, which is minus the derivative of the equation in q
    return kept_trace / (1 + of.r * of.q * sp.factor((of.delta * tau(of)).diff(of.delta)))


def functions() -> tuple[Function, ...]:
    """The functions in which the published formula differs; every other is that of the theory."""
    unfitted = Source(s.theta, s.c, s.labels, s.q, s.delta, s.r)
    polynomial = sp.Poly(sp.expand(sp.numer(sp.together(published_fit_equation(unfitted)))), DELTA)
    return (
        Function("leave_one_out", "The published delta: alpha times the trace that a kept sample sees.",
                 (THETA, C_, R, Q, SLIP), {"delta": positive_root(*polynomial.all_coeffs())}),
        Function("leave_one_out_slope", "The slope of the trace without the alpha, at the published delta.",
                 (THETA, C_, R, Q, DELTA), {"d_delta": published_slope().subs(ELL, 1 / (1 + R * tau(unfitted) * Q))}),
        Function("fixed_point_slope", "The derivative of the published delta in q, for Newton on the published fixed point.",
                 (THETA, C_, R, Q, DELTA, SLIP), {"d_delta": fixed_point_slope(unfitted)}),
    )


def synthetic_only() -> dict[str, sp.Expr]:
    """The published synthetic-only quantities as functions of their own delta: fixed point, mean margin, variance."""
    delta, signal = DELTA_, LAMBDA
    b = gamma + SLIP / (1 + delta)
    rank_one = b + SLIP * mu**2 / (1 + delta)
    T = eta / (b**2 - SLIP * eta / (1 + delta) ** 2)
    square = (signal / (1 + delta)) ** 2 * mu**2 / rank_one**2
    M = signal * mu**2 / ((1 + delta) * rank_one)
    noise = SLIP * T / (1 + delta) ** 2
    return {
        "fixed_point": delta * b - SLIP * eta,
        "mean_margin": M,
        "variance": noise * (1 - 2 * M * signal / SLIP) + (square + square * mu**2) * (1 + T * SLIP / (1 + delta) ** 2) - M**2,
    }


@check("no pruning = published", r"the published fixed point and slope at $\alpha = 1$ with those re-derived, direct and of "
       "a fitted generator")
def no_pruning() -> CheckResult:
    unfitted = Source(s.theta, s.c, s.labels, s.q, s.delta, s.r)
    rederived = delta_slope().subs(s.b, 0)
    # at alpha = 1 the equation of the fit holds: ell = delta / q
    own = fit_equation(unfitted)
    polynomial = sp.expand(sp.numer(sp.together(own)))
    slope = (published_slope() - rederived).subs(ELL, DELTA / Q)
    found = vanishes(published_fit_equation(unfitted).subs(SLIP, 1) - own)
    slopes = vanishes(slope, modulo=(polynomial, DELTA))
    return CheckResult(found.holds and slopes.holds, f"fixed point: {found.found}; slope: {slopes.found}")


@check("published fixed point", "the slope that Newton takes with implicit differentiation of the published equation of the fit, on its "
       "solutions")
def newton_slope() -> CheckResult:
    unfitted = Source(s.theta, s.c, s.labels, s.q, s.delta, s.r)
    equation = published_fit_equation(unfitted)
    polynomial = sp.expand(sp.numer(sp.together(equation)))
    return vanishes(fixed_point_slope(unfitted) + equation.diff(Q) / equation.diff(DELTA), modulo=(polynomial, DELTA))


@check("published second moment", "the published synthetic-only variance as its code assembles it with the potential evaluated at the "
       "slipped delta with slopes of the trace without alpha; margin and variance with the re-derived functions of delta")
def published_is_the_slip() -> CheckResult:
    delta, a, signal, nu = DELTA_, SLIP, LAMBDA, mu
    published = synthetic_only()
    b = gamma + a / (1 + delta)
    # dq/dt with the slope of s taken as if delta were q
    s_slope = -a / (1 + delta) ** 2
    speed = -(eta / b**2) / (1 + eta / b**2 * s_slope)
    weight, clean = a / (1 + delta), signal / a
    residual = clean / (1 + weight * nu**2 / b)
    floor_slope = s_slope * (1 - clean**2)
    load_slope = 1 + s_slope * speed
    variance = speed * (floor_slope + residual**2 * s_slope) + (weight * residual) ** 2 * nu**2 / b**2 * load_slope
    rederived = {name: form.subs(_PUBLISHED_LETTERS) for name, form in alone.closed_forms().items()}
    return vanishes(variance - published["variance"], *(published[name] - form for name, form in rederived.items()))


def departure(setting: dict[str, float]) -> dict[str, tuple[float, float]]:
    """(re-derived, published) mean margin and variance of the synthetic-only classifier.

    setting: m, p, mu, epsilon, rho, phi, gamma.
    """
    letters = {epsilon: setting["epsilon"], rho: setting["rho"], phi: setting["phi"]}
    kept, signal = float(alpha.subs(letters)), float(lam.subs(letters))
    at = {SLIP: kept, alone.A: kept, LAMBDA: signal, alone.LAM: signal, eta: setting["p"] / setting["m"],
          gamma: setting["gamma"], mu: setting["mu"]}
    slipped = sp.Poly(sp.numer(sp.together(synthetic_only()["fixed_point"].subs(at))), DELTA_).nroots()
    deltas = float(alone.root().subs(at)), float(max(sp.re(root) for root in slipped))
    forms = alone.closed_forms(), synthetic_only()
    return {name: tuple(float(form[name].subs({**at, DELTA_: delta})) for form, delta in zip(forms, deltas, strict=True))
            for name in ("mean_margin", "variance")}


# settings of theory and figure 4 at which the two are printed side by side by `derive`
DEPARTURES = (
    {"m": 1000, "p": 500, "mu": 1, "epsilon": 0.3, "rho": 0.1, "phi": 0.8, "gamma": 0.1},
    {"m": 1000, "p": 1000, "mu": 1, "epsilon": 0.5, "rho": 0, "phi": 1, "gamma": 0.01},
    {"m": 1000, "p": 1000, "mu": 1.5, "epsilon": 0.2, "rho": 0.2, "phi": 0.4, "gamma": 0.1},
    {"m": 100, "p": 100, "mu": 1, "epsilon": 0.7, "rho": 0.3, "phi": 0.8, "gamma": 1},
)


def theorem() -> Theorem:
    """Return the chapter on the published formula."""
    trace = sp.Function("tr")(sp.Symbol("Sigma_beta") * sp.Symbol("Qbar")) / N
    delta = sp.Symbol("delta_S")
    short = {name: form.subs(_PUBLISHED_LETTERS) for name, form in alone.written_out().items()}
    return Theorem(
        "published",
        "The published formula, and where it departs",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("re-derived, the leverage of a kept sample", sp.Eq(delta, trace)),
            Equation("published", sp.Eq(delta, SLIP * trace)),
            Equation("the published fixed point, synthetic data alone", sp.Eq(synthetic_only()["fixed_point"], 0)),
            Equation("the mean margin there, the same function of $\\delta$ as [re-derived](#synthetic_only)",
                     sp.Eq(sp.Symbol("m_w"), short["mean_margin"])),
            Equation("the variance there, the same function too", sp.Eq(sp.Symbol("s_w^2"), short["variance"])),
        ),
        functions(),
        after="relabelling",
        javascript=True,
    )
