r"""Training on synthetic data alone: $n = 0$, an exact generator, $C = I$.

This is the general statement with one source, $\theta = \alpha$, $c = 1$, $e = \rho\epsilon/\alpha$. The fixed point is a
quadratic, so margin and variance and everything about the transition in label noise are closed forms. The transition is smooth: at
$\epsilon^*$ the accuracy is exactly 1/2, and its slope there tends to infinity only as $p/m\to0$, where the step of Feng et al.
(2024) is the limit.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from ..derivatives import mean_margin, positive_root, variance
from ..model import Labels, alpha, epsilon, eta, gamma, lam, mu, phi, rho, source
from ..potential import Statement, isotropic
from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes

A, LAM, DELTA = sp.Symbol("alpha", nonnegative=True), sp.Symbol("lam", real=True), sp.Symbol("delta", positive=True)
QUADRATIC = gamma * DELTA**2 + (gamma + A - eta) * DELTA - eta


def statement() -> tuple[Statement, dict[sp.Symbol, sp.Expr]]:
    """The general statement for one isotropic source, and what is substituted in it."""
    e = sp.Symbol("e", nonnegative=True)
    one = replace(source("s"), labels=Labels.wrong(e))
    general = isotropic(one, h=eta, coordinates=sp.Matrix([mu, mu]))
    return general, {one.theta: A, one.c: 1, e: (1 - LAM / A) / 2, one.q: DELTA}


def closed_forms() -> dict[str, sp.Expr]:
    """Mean margin and variance as functions of delta, by substitution in the general derivatives."""
    general, at = statement()
    spread = sp.Poly(sp.numer(sp.together(variance(general).subs(at))), LAM), sp.denom(sp.together(variance(general).subs(at)))
    by_signal = sum(sp.factor(coefficient / spread[1]) * LAM**power for (power,), coefficient in spread[0].terms())
    return {"mean_margin": sp.factor(mean_margin(general).subs(at)), "variance": by_signal}


def root() -> sp.Expr:
    """delta in closed form."""
    return positive_root(*sp.Poly(QUADRATIC, DELTA).all_coeffs())


def critical_noise() -> sp.Expr:
    """epsilon*, where lambda = 0."""
    return sp.solve(lam, epsilon)[0]


def slope_at_critical_noise() -> sp.Expr:
    """d accuracy / d epsilon at epsilon*, in alpha and delta there: m_w is 0, so only its slope counts."""
    forms = closed_forms()
    rise = forms["mean_margin"].diff(LAM).subs(LAM, 0) * lam.diff(epsilon)
    spread = sp.factor(forms["variance"].subs(LAM, 0))
    return rise / sp.sqrt(2 * sp.pi * spread)


def small_delta() -> sp.Expr:
    """delta to first order in p/m: what the quadratic leaves when delta is proportional to p/m -> 0."""
    k = sp.Symbol("k", positive=True)
    return eta * sp.solve(sp.limit(sp.expand(QUADRATIC.subs(DELTA, eta * k) / eta), eta, 0), k)[0]


D, E = sp.symbols("D E", positive=True)
D_FORM, E_FORM = (gamma * (1 + DELTA) + A) ** 2 - A * eta, gamma * (1 + DELTA) + A * (1 + mu**2)


def written_out() -> dict[str, sp.Expr]:
    """Return mean margin, variance and slope at epsilon* with D and E for two of their parts, for the report."""
    bias = LAM**2 * mu**2 * (D - eta * (2 * gamma * (1 + DELTA) + A * (1 + mu**2))) / E**2
    return {"mean_margin": LAM * mu**2 / E, "variance": (A * eta + bias) / D,
            "slope": -(phi + rho) * mu**2 / E * sp.sqrt(D / (2 * sp.pi * A * eta))}


def functions() -> tuple[Function, ...]:
    """Closed forms: delta, margin and variance; epsilon* and the slope there."""
    forms = closed_forms()
    return (
        Function("fixed_point", "delta of the synthetic-only classifier.", (A, eta, gamma), {"delta": root()}),
        Function("mean_margin", "Its mean margin.", (A, LAM, gamma, mu, DELTA), {"mean_margin": forms["mean_margin"]}),
        Function("variance", "The variance of its margin.", (A, LAM, eta, gamma, mu, DELTA), {"variance": forms["variance"]}),
        Function("critical_noise", "epsilon*, the label noise at which lambda = 0.", (rho, phi), {"epsilon": critical_noise()}),
        Function("slope_at_critical_noise", "d accuracy / d epsilon at epsilon*, with alpha and delta taken there.",
                 (rho, phi, A, eta, gamma, mu, DELTA), {"slope": slope_at_critical_noise()}),
    )


@check("synthetic only", r"$\gamma\delta^2 + (\gamma + \alpha - \eta)\delta - \eta$, $\eta = p/m$, with the general fixed point; the "
       r"closed-form root with the quadratic; margin, variance and slope as written out with those derived")
def quadratic() -> CheckResult:
    general, at = statement()
    t = sp.Symbol("t", positive=True)
    short, forms, parts = written_out(), closed_forms(), {D: D_FORM, E: E_FORM}
    found = [short[name].subs(parts) - forms[name] for name in ("mean_margin", "variance")]
    found.append((short["slope"] ** 2).subs(parts) - slope_at_critical_noise() ** 2)
    found += [sp.numer(sp.together(general.equations()[0].subs(at).subs(t, 0))) - QUADRATIC]
    branches = [piece for piece, _ in positive_root(gamma, sp.Symbol("b", real=True), -eta).args]
    b = sp.Symbol("b", real=True)
    found += [sp.radsimp(gamma * piece**2 + b * piece - eta) for piece in branches]
    return vanishes(*found)


@check("critical noise", r"$\epsilon^*$ with $1/(1 + \rho/\phi)$; the mean margin there with 0, so the accuracy with 1/2; the "
       r"closed-form slope with the derivative of $\Phi(m_w/s_w)$ in $\epsilon$ at rational points")
def critical() -> CheckResult:
    forms = closed_forms()
    at_zero = forms["mean_margin"].subs(LAM, 0)
    found = [critical_noise() - 1 / (1 + rho / phi), at_zero]
    accuracy = sp.erfc(-forms["mean_margin"] / sp.sqrt(2 * forms["variance"])) / 2
    # delta moves with alpha, which moves with epsilon: the slope must not feel it
    d_delta = -QUADRATIC.diff(A) / QUADRATIC.diff(DELTA) * alpha.diff(epsilon)
    total = accuracy.diff(LAM) * lam.diff(epsilon) + accuracy.diff(A) * alpha.diff(epsilon) + accuracy.diff(DELTA) * d_delta
    worst = sp.Integer(0)
    for r, f, g, h, u in ((0.3, 0.8, 1, 1, 1), (0.1, 0.9, 0.01, 0.5, 2), (0.5, 0.5, 3, 0.1, 0.7)):
        numbers = {rho: sp.Rational(str(r)), phi: sp.Rational(str(f)), gamma: sp.Rational(str(g)), eta: sp.Rational(str(h)),
                   mu: sp.Rational(str(u))}
        numbers[epsilon] = critical_noise().subs(numbers)
        numbers[A], numbers[LAM] = alpha.subs(numbers), sp.Integer(0)
        numbers[DELTA] = root().subs(numbers)
        worst = max(worst, abs(sp.N((total - slope_at_critical_noise()).subs(numbers), 30)))
    algebra = vanishes(*found)
    return CheckResult(algebra.holds and worst < sp.Float("1e-25"), f"{algebra.found}; slopes differ by at most {float(worst):.1e}")


@check("m -> infinity", r"the limit of $m_w^2/s_w^2$ as $p/m\to0$ with $\mu^2$: $\Phi(\mu\operatorname{sign}\lambda)$, the step of "
       r"Feng et al. (2024); and the slope at $\epsilon^*$ growing as $(p/m)^{-1/2}$")
def step() -> CheckResult:
    forms = closed_forms()
    ratio = (forms["mean_margin"] ** 2 / forms["variance"]).subs(DELTA, small_delta())
    step_found = vanishes(sp.together(ratio).subs(eta, 0) - mu**2)
    growth = sp.simplify(sp.together(slope_at_critical_noise() ** 2 * eta).subs(DELTA, small_delta())).subs(eta, 0)
    return CheckResult(step_found.holds and growth.is_finite is not False and growth != 0,
                   f"step: {step_found.found}; slope^2 p/m -> {sp.factor(growth)}")


@check("gamma -> 0 and infinity", r"$\delta$ as $\gamma\to0$ with $\eta/(\alpha - \eta)$ below interpolation; $\gamma m_w$ as "
       r"$\gamma\to\infty$ with $\lambda\mu^2$, $\gamma^2s_w^2$ with $\lambda^2\mu^2 + \alpha\eta$ (the classifier is then the label "
       r"moment)")
def ridge_limits() -> CheckResult:
    forms = closed_forms()
    below = {A: sp.Rational(3, 4), eta: sp.Rational(1, 4)}
    ridgeless = root().args[0][0].subs(below).subs(gamma, 0) - sp.Rational(1, 2)
    large, far = sp.Symbol("x", positive=True), {DELTA: eta / gamma}  # gamma = 1/x, x -> 0

    def limit(expression: sp.Expr) -> sp.Expr:
        return sp.cancel(sp.together(expression.subs(far).subs(gamma, 1 / large))).subs(large, 0)

    m_far = limit(gamma * forms["mean_margin"]) - LAM * mu**2
    v_far = limit(gamma**2 * forms["variance"]) - (LAM**2 * mu**2 + A * eta)
    return vanishes(ridgeless, m_far, v_far)


def theorem() -> Theorem:
    """The chapter on synthetic data alone."""
    forms = {name: form.subs(LAM, sp.Symbol("lambda", real=True)) for name, form in written_out().items()}
    return Theorem(
        "synthetic_only",
        "Synthetic data alone",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the fixed point", sp.Eq(QUADRATIC, 0)),
            Equation("the mean margin", sp.Eq(sp.Symbol("m_w"), forms["mean_margin"])),
            Equation("the variance", sp.Eq(sp.Symbol("s_w^2"), forms["variance"])),
            Equation("two of its parts", sp.Eq(D, D_FORM)),
            Equation("and", sp.Eq(E, E_FORM)),
            Equation("the critical noise", sp.Eq(sp.Symbol("epsilon^*"), critical_noise())),
            Equation("the slope of the accuracy there, the inverse width of the transition",
                     sp.Eq(sp.Derivative(sp.Symbol("acc"), epsilon), forms["slope"])),
        ),
        functions(),
        after="self_fitted",
        javascript=True,
    )
