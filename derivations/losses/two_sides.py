r"""Any convex loss: a data side that knows spectra and no loss, a loss side that knows one scalar and no spectrum.

The classifier minimises $\frac1N\sum_i c_i\,\ell(\tilde y_i w^\top x_i) + \frac\gamma2|w|^2$. Stationarity is $\gamma w = \frac1N\sum_i
f_i\,\tilde y_i x_i$ with the forces $f_i = -c_i\,\ell'(\tilde y_i w^\top x_i)$: the classifier responds to forces.

Data side. Source $k$ pulls at the classifier with the mean force $\hat m_k$ along its mean, with the curvature $s_k$ along its
covariance, and with the noise $\hat q_k$. The response to them is one potential,

    Psi(s, mhat, qhat; t, J) = M^T B M + sum_k qhat_k delta_k,   M = sum_k mhat_k mu_k + J mu_test,
    B = (gamma I + t C_test + sum_k s_k C_k)^{-1},   delta_k = (1/N) tr(C_k B),

whose derivatives are what a sample that was left out sees: the mean $m_k = \frac12\partial\Psi/\partial\hat m_k$ of its margin, its
variance $v_k = -\partial\Psi/\partial s_k$, and its leverage $\delta_k = \partial\Psi/\partial\hat q_k$. For a fresh sample they are
$\frac12\partial\Psi/\partial J$ and $-\partial\Psi/\partial t$. No derivative is total: forces, curvatures and noises are held.

Loss side. The left-out margin is $h = y_s m_k + \sqrt{v_k}\,g$, with $y_s = -1$ for the share $e_k$ of wrong labels. Training moves it by
a proximal step to $u = h + \delta f$ (base.py), so that the mean over samples gives back

    mhat_k = theta_k E[y_s f],   s_k = theta_k E[-f'(h)],   qhat_k = theta_k E[f^2].

The loss side is a potential too: with $\Omega = E[\min_u c\,\ell(u) + (u-h)^2/(2\delta)]$ these are $-\theta\,\partial\Omega/\partial m$,
$2\theta\,\partial\Omega/\partial v$ and $-2\theta\,\partial\Omega/\partial\delta$. So the fixed point of both sides is where one
functional is stationary, the training loss at its minimum, $\sum_k\theta_k\Omega_k + \hat m_k m_k - \frac12 s_k v_k + \frac12\hat
q_k\delta_k - \frac12\Psi$.

Ridge is the case that closes by hand. For $\ell = (1-u)^2/2$ the force is linear in $h$, $s_k$ is `tau` of the potential, and the forces
can be eliminated: what is left is the statement of the earlier chapters. The check does so with exact numbers.

A fitted generator hands its force down to the samples it was fitted on, its base. Given the base, a generated sample is an exact source
whose mean and covariance are those of the base, so its linear force, curvature and noise act on the base's margins: each base sample has,
beside its own loss of weight $c_0$ (0 where the base does not train), the quadratic $\frac{rs}2(u - m)^2 - (r\hat m + \sqrt{r\hat
q}\,\xi)u$, with $r = N/\hat n$, $m$ the mean margin of the generated samples, $\xi\sim N(0,1)$. Completing the square makes it the same
proximal step at another Gaussian margin and another leverage. What the generated samples see is the mean, the variance and the response
of the base's margins. So the self-fitted generator, whose base trains, is covered by one formula with the independent one, for every
loss.

A family tree is no more than that, set by set. A base may be generated itself: its total force, curvature and noise are handed down
to the samples that it was drawn from, in the same way. What several children hand down to one sample is a sum of quadratics, and what a
child of several parents sees are the moments of the margins of their union.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from ..derivatives import mean_margin, training_loss, variance
from ..model import RIGHT, J, Labels, Source, gamma, source, t
from ..potential import Block, Statement, effective_weight, tau
from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes
from .base import DELTA, U
from .base import C as WEIGHT

# --- the data side ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forces:
    """The effect of a source on the classifier: mean force, curvature, noise."""

    mean: sp.Expr
    curvature: sp.Expr
    noise: sp.Expr


def forces(k: object) -> Forces:
    """Forces with symbols of their own."""
    return Forces(sp.Symbol(f"mhat_{k}", real=True), sp.Symbol(f"s_{k}", positive=True), sp.Symbol(f"qhat_{k}", positive=True))


def data_potential(sources: Sequence[Forces], blocks: Sequence[Block], j: sp.Expr = sp.Integer(0)) -> sp.Expr:
    """Psi(s, mhat, qhat; t, J = j) of sources with exact laws; the blocks carry the spectrum and the products of the means."""
    pulls = sp.Matrix([*(one.mean for one in sources), j])
    total = sp.Integer(0)
    for block in blocks:
        loads = zip(sources, block.eigenvalues, strict=True)
        noise = block.h * sum(one.noise * eigenvalue for one, eigenvalue in zip(sources, block.eigenvalues, strict=True))
        total += ((pulls.T * block.gram * pulls)[0] + noise) / (gamma + t * block.test + sum(one.curvature * each for one, each in loads))
    return total


@dataclass(frozen=True)
class Seen:
    """The view of a left-out sample of a source: mean and variance of its margin, and its leverage."""

    mean: sp.Expr
    variance: sp.Expr
    leverage: sp.Expr


def seen(potential: sp.Expr, one: Forces) -> Seen:
    """The derivatives of Psi that belong to a source.

    Parameters
    ----------
    potential : expression
        Psi.
    one : Forces
        Of the source.
    """
    return Seen(potential.diff(one.mean) / 2, -potential.diff(one.curvature), potential.diff(one.noise))


H, X, CK, CL = sp.symbols("h x C_k C_l", positive=True)
ALONG_K, ALONG_L, BOTH, PRODUCT = sp.symbols("along_k along_l both product", real=True)


def _pair() -> tuple[sp.Expr, Forces, Forces, dict[sp.Symbol, sp.Expr]]:
    """A block's part of Psi as a function of the forces of two sources, and the symbols for all that does not move.

    along_k: the product of mean k with M = sum_j mhat_j mu_j; both: M^T M + h sum_j qhat_j C_j; x: the eigenvalue of B^{-1}.
    """
    k, l = forces("k"), forces("l")
    rest, x_0, other_k, other_l, own_k, own_l = sp.symbols("rest x_0 other_k other_l own_k own_l", real=True)
    square = own_k * k.mean**2 + own_l * l.mean**2 + 2 * PRODUCT * k.mean * l.mean + 2 * other_k * k.mean + 2 * other_l * l.mean
    noise = H * (k.noise * CK + l.noise * CL)
    part = (rest + square + noise) / (x_0 + k.curvature * CK + l.curvature * CL)
    still = {
        rest: BOTH - square - noise,
        other_k: ALONG_K - own_k * k.mean - PRODUCT * l.mean,
        other_l: ALONG_L - own_l * l.mean - PRODUCT * k.mean,
        x_0: X - k.curvature * CK - l.curvature * CL,
    }
    return part, k, l, still


def data_functions() -> tuple[Function, ...]:
    """The terms that are summed over the spectrum: what source k sees, and how it moves with the forces of source l."""
    part, k, l, still = _pair()
    one = seen(part, k)

    def settled(expression: sp.Expr) -> sp.Expr:
        for symbol, value in still.items():
            expression = expression.subs(symbol, value)
        return sp.simplify(expression)

    results = {"mean": one.mean, "variance": one.variance, "leverage": one.leverage}
    slopes = {"mean_by_force": one.mean.diff(l.mean), "mean_by_curvature": one.mean.diff(l.curvature),
              "variance_by_force": one.variance.diff(l.mean), "variance_by_curvature": one.variance.diff(l.curvature),
              "variance_by_noise": one.variance.diff(l.noise), "leverage_by_curvature": one.leverage.diff(l.curvature)}
    return (
        Function("seen_terms", "One eigenvalue's part of mean, variance and leverage of a left-out margin.", (H, CK, ALONG_K, BOTH, X),
                 {name: settled(value) for name, value in results.items()}),
        Function("seen_slopes", "One eigenvalue's part of their slopes in the forces of source l.",
                 (H, CK, CL, ALONG_K, ALONG_L, PRODUCT, BOTH, X), {name: settled(value) for name, value in slopes.items()}),
    )


@check("data side", "the generated terms and slopes with the derivatives of Psi of three sources in one block")
def data_terms() -> CheckResult:
    sources = [forces(k) for k in (1, 2, 3)]
    C = sp.symbols("C_1:4", positive=True)
    gram = sp.Matrix(4, 4, lambda a, b: sp.Symbol(f"g_{min(a, b)}{max(a, b)}", real=True))
    block = Block(H, C, sp.Integer(0), gram)
    psi = data_potential(sources, [block])
    pulls = sp.Matrix([one.mean for one in sources])
    along = gram[:3, :3] * pulls
    both = (pulls.T * along)[0] + H * sum(one.noise * c for one, c in zip(sources, C, strict=True))
    x = gamma + sum(one.curvature * c for one, c in zip(sources, C, strict=True))
    terms, slopes = data_functions()
    found = []
    for i in range(2):
        here = {CK: C[0], CL: C[i], ALONG_K: along[0], ALONG_L: along[i], PRODUCT: gram[0, i], BOTH: both, X: x}
        one, other = seen(psi, sources[0]), sources[i]
        expected = [one.mean, one.variance, one.leverage, one.mean.diff(other.mean), one.mean.diff(other.curvature),
                    one.variance.diff(other.mean), one.variance.diff(other.curvature), one.variance.diff(other.noise),
                    one.leverage.diff(other.curvature)]
        generated = [*terms.results.values(), *slopes.results.values()]
        found += [a - b.subs(here, simultaneous=True) for a, b in zip(expected, generated, strict=True)]
    return vanishes(*found)


# --- the loss side ---------------------------------------------------------------------------------------------------

MOMENTS = ("f", "df", "f2", "f_df", "f2_df", "df_g", "df_gg", "f_df_g")
SAYS = "E of f, f', f^2, f f', f^2 f', f' g, f' (g^2 - 1), f f' g at a margin h = mean + sd g"
MEAN, SD, G = sp.symbols("mean sd g", real=True)
THETA, E = sp.symbols("theta e", nonnegative=True)
INTERCEPT, SLOPE, I0, I1, I2 = sp.symbols("intercept slope mass first second", real=True)


def moments_of(f: sp.Expr, df: sp.Expr) -> tuple[sp.Expr, ...]:
    """The products whose expectations the loss side needs, in the order of MOMENTS.

    Parameters
    ----------
    f, df : expressions
        The force and its derivative.
    """
    return (f, df, f**2, f * df, f**2 * df, df * G, df * (G**2 - 1), f * df * G)


def linear_step() -> Function:
    """The part of the moments of u - begin of an interval on which u is linear in h."""
    u = INTERCEPT + SLOPE * (MEAN + SD * G)
    powers = (u, u**2)
    moments = [sum(sp.factor(a) * (I0, I1, I2)[i] for i, a in enumerate(reversed(sp.Poly(each, G).all_coeffs()))) for each in powers]
    return Function("linear_step", "E of u', u and u^2 over an interval on which u = intercept + slope h, h = mean + sd g.",
                    (INTERCEPT, SLOPE, MEAN, SD, I0, I1, I2), {"du": SLOPE * I0, "u": moments[0], "u2": moments[1]})


def linear_moments() -> Function:
    """The part of the moments of an interval on which the force is linear, from the Gaussian's moments there."""
    f = INTERCEPT + SLOPE * (MEAN + SD * G)
    partial = (I0, I1, I2)
    results = {}
    for name, product in zip(MOMENTS, moments_of(f, SLOPE), strict=True):
        coefficients = reversed(sp.Poly(product, G).all_coeffs())
        results[name] = sum(sp.factor(a) * partial[power] for power, a in enumerate(coefficients))
    return Function("linear_moments",
                    f"{SAYS}, over an interval on which f = intercept + slope h; mass, first, second: E[1, g, g^2] there.",
                    (INTERCEPT, SLOPE, MEAN, SD, I0, I1, I2), results)


def _sides() -> tuple[dict[str, sp.Symbol], dict[str, sp.Symbol]]:
    return ({name: sp.Symbol(name, real=True) for name in MOMENTS}, {name: sp.Symbol(f"{name}_wrong", real=True) for name in MOMENTS})


def force_function() -> Function:
    """mhat, s, qhat of a source and their slopes in m, v, delta, from the moments at right labels and at wrong ones.

    Stein's identities put every derivative on f or f' itself: d/dm E[F] = E[F'], d/dv E[F] = E[F''] / 2, E[F'] = E[g F] / sd. The force
    moves with the leverage by df/d delta = f f', which follows from u = h + delta f (checked below).
    """
    right, wrong = _sides()

    def even(name: str) -> sp.Expr:
        return THETA * ((1 - E) * right[name] + E * wrong[name])

    def odd(name: str) -> sp.Expr:
        return THETA * ((1 - E) * right[name] - E * wrong[name])

    results = {
        "mhat": odd("f"), "s": -even("df"), "qhat": even("f2"),
        "mhat_m": even("df"), "mhat_v": odd("df_g") / (2 * SD), "mhat_d": odd("f_df"),
        "s_m": -odd("df_g") / SD, "s_v": -even("df_gg") / (2 * SD**2), "s_d": -even("f_df_g") / SD,
        "qhat_m": 2 * odd("f_df"), "qhat_v": even("f_df_g") / SD, "qhat_d": 2 * even("f2_df"),
    }  # fmt: skip
    return Function("forces", f"Mean force, curvature, noise of a source, and their slopes in m, v, delta, from {SAYS}, right and wrong.",
                    (THETA, E, SD, *right.values(), *wrong.values()), results)


def _gaussian(polynomial: sp.Expr, *normals: sp.Symbol) -> sp.Expr:
    """The expectation of a polynomial in independent standard normal symbols."""
    for normal in normals:
        terms = sp.Poly(sp.expand(polynomial), normal).terms()
        polynomial = sum(a * (sp.factorial2(power - 1) if power % 2 == 0 else 0) for (power,), a in terms)
    return sp.expand(polynomial)


@check("proximal step", r"for any smooth loss, $u = h + \delta f$, $f = -c\,\ell'(u)$: the derivatives of $\min_uc\,\ell(u) + "
       r"(u - h)^2/(2\delta)$ in $h$ and $\delta$ with $-f$ and $-f^2/2$; $df/d\delta$ with $ff'$; $f'$ with "
       r"$-c\,\ell''/(1 + c\,\delta\,\ell'')$")
def proximal_step() -> CheckResult:
    ell = sp.Function("ell")
    slope, curve = ell(U).diff(U), ell(U).diff(U, 2)
    left = U + WEIGHT * DELTA * slope  # the h that is moved to u: everything is a function of u and delta
    along_h = 1 / left.diff(U)  # du/dh at fixed delta
    along_delta = -left.diff(DELTA) * along_h  # du/d delta at fixed h
    f = -WEIGHT * slope
    envelope = WEIGHT * ell(U) + (U - left) ** 2 / (2 * DELTA)
    h_symbol = sp.Symbol("h")
    at_h = (WEIGHT * ell(U) + (U - h_symbol) ** 2 / (2 * DELTA))
    total_h = at_h.diff(h_symbol) + at_h.diff(U) * along_h
    total_delta = at_h.diff(DELTA) + at_h.diff(U) * along_delta
    found = [
        (total_h + f).subs(h_symbol, left), (total_delta + f**2 / 2).subs(h_symbol, left), envelope - WEIGHT * ell(U) - DELTA * f**2 / 2,
        f.diff(U) * along_delta - f * f.diff(U) * along_h, f.diff(U) * along_h + WEIGHT * curve / (1 + WEIGHT * DELTA * curve),
    ]
    plain = {slope: sp.Symbol("l_1"), curve: sp.Symbol("l_2"), ell(U): sp.Symbol("l_0")}
    return vanishes(*(each.doit().subs(curve, plain[curve]).subs(slope, plain[slope]).subs(ell(U), plain[ell(U)]) for each in found))


@check("slopes of the forces", "mean force, curvature and noise of any cubic force, differentiated in m, v and delta, with the slopes "
       "generated from its moments")
def force_slopes() -> CheckResult:
    a = sp.symbols("a_0:4", real=True)
    h, m, v, move = sp.symbols("h m v move", positive=True)
    cubic = sum(each * h**i for i, each in enumerate(a))
    f = cubic + move * cubic * cubic.diff(h)  # to first order in the change of delta
    root = sp.sqrt(v)

    def expected(product: sp.Expr, sign: int) -> sp.Expr:
        return _gaussian(product.subs(h, sign * m + root * G), G)

    def both(product: sp.Expr, sign: int) -> sp.Expr:
        return THETA * ((1 - E) * expected(product, 1) + sign * E * expected(product, -1))

    mhat, s, qhat = both(f, -1), -both(f.diff(h), 1), both(f**2, 1)
    at_rest = {}
    for sign, names in zip((1, -1), _sides(), strict=True):
        rest = cubic.subs(h, sign * m + root * G), cubic.diff(h).subs(h, sign * m + root * G)
        at_rest |= {symbol: _gaussian(product, G) for symbol, product in zip(names.values(), moments_of(*rest), strict=True)}
    generated = force_function().results
    found = []
    for name, whole in (("mhat", mhat), ("s", s), ("qhat", qhat)):
        for suffix, derivative in (("", whole), ("_m", whole.diff(m)), ("_v", whole.diff(v)), ("_d", whole.diff(move))):
            found.append(derivative.subs(move, 0) - generated[name + suffix].subs(SD, root).subs(at_rest, simultaneous=True))
    return vanishes(*(sp.expand(each) for each in found))


# --- a fitted generator and its base ---------------------------------------------------------------------------------

M, V, Q, M_S, R = sp.symbols("m v q m_s r", positive=True)
OWN = forces("g")  # those of the generated samples
FITTED = sp.Symbol("fitted", nonnegative=True)  # 1 where the mean is that of the base too, 0 where it is exact
F, DF, F2 = sp.symbols("f df f2", real=True)  # of the base's own loss, at the margin and leverage that base_input returns
RESPONSE, SPREAD = sp.symbols("response spread", positive=True)  # E[u'] and the variance of u there
SLOPES = {f"{name}_{along}": sp.Symbol(f"{name}_{along}", real=True) for name in ("f", "df", "f2") for along in "mvd"}
MOVES = (M, V, Q, OWN.mean, OWN.curvature, OWN.noise, M_S)  # what a base step depends on


def base_input() -> dict[str, sp.Expr]:
    """Mean and variance of the Gaussian margin, and the leverage, of the base's proximal step with the square completed."""
    leverage = Q / (1 + R * OWN.curvature * Q)
    centre = M / Q + R * OWN.curvature * (FITTED * M_S + (1 - FITTED) * M) + FITTED * R * OWN.mean
    return {"mean": sp.expand(leverage * centre), "variance": leverage**2 * (V / Q**2 + R * OWN.noise), "leverage": leverage}


def base_step() -> dict[str, sp.Expr]:
    """The forces of the base, generated samples' included, and what the generated samples see; all in M, V, Q, OWN, M_S, R.

    RESPONSE and SPREAD follow from the moments of the force, but are small where these cancel: `step_moments` has them in F, DF, F2.
    """
    inside = base_input()
    mean, leverage = inside["mean"], inside["leverage"]
    share = 1 / (1 + R * OWN.curvature * Q)
    handed = FITTED * (R * OWN.mean + R * OWN.curvature * (M_S - M))
    varies = F2 - F**2 + R * OWN.noise * (1 + 2 * leverage * DF) + R * OWN.curvature * V * (R * OWN.curvature - 2 * DF * share)
    return {
        "mhat": share * (handed + F) / R + (1 - FITTED) * OWN.mean,
        "s": OWN.curvature * share - DF * share**2 / R,
        "qhat": share**2 / R * ((F + handed) ** 2 + varies),
        "mean": mean + leverage * F,
        "variance": SPREAD,
        "leverage": leverage * RESPONSE,
    }


def step_moments() -> dict[sp.Symbol, sp.Expr]:
    """E[u'] and the variance of u = h + delta f from the moments of the force, by Stein's identity for E[(h - E h) f]."""
    inside = base_input()
    spread, leverage = inside["variance"], inside["leverage"]
    return {RESPONSE: 1 + leverage * DF, SPREAD: spread + 2 * leverage * spread * DF + leverage**2 * (F2 - F**2)}


def base_functions() -> tuple[Function, ...]:
    """The base step and its slopes."""
    inside = base_input()
    arguments = (*MOVES, R, FITTED)

    def along(expression: sp.Expr, move: sp.Symbol) -> sp.Expr:
        expression = expression.subs(step_moments())
        total = expression.diff(move)
        for symbol, name in ((F, "f"), (DF, "df"), (F2, "f2")):
            speed = sum(SLOPES[f"{name}_{letter}"] * inside[part].diff(move)
                        for letter, part in (("m", "mean"), ("v", "variance"), ("d", "leverage")))
            total += expression.diff(symbol) * speed
        return total

    results = base_step()
    slopes = {f"{name}_by_{move.name}": along(value, move) for name, value in results.items() for move in MOVES}
    return (
        Function("base_input", "Mean, variance and leverage at which the base of a fitted generator takes its own proximal step.",
                 arguments, inside),
        Function("base_step", "Forces of the base with those of the generated samples handed down; mean, variance and leverage that "
                 "the generated samples see; then the slopes of each in " + ", ".join(move.name for move in MOVES) + ".",
                 (*arguments, F, DF, F2, RESPONSE, SPREAD, *SLOPES.values()), {**results, **slopes}),
    )


# --- generated samples that gather on a kink of the loss ---------------------------------------------------------------

GIVEN, HELD = sp.symbols("given held", positive=True)  # leverage over q, which is 1 / (1 + r s q), and what it lacks to 1
STUCK = sp.Symbol("stuck", nonnegative=True)  # share of base samples on the kink: -df leverage


def gathered_step() -> dict[str, sp.Expr]:
    """The base step where s is large, mean_s near the kink and variance and leverage near 0, in numbers that stay finite.

    The mean of the base's own margin, less m_s, and the change of m_s are in units of the leverage; variances are in units of its square.
    """
    handed = FITTED * (R * OWN.mean * GIVEN + HELD * (M_S - M) / Q)  # by a share 1 / (1 + r s q) of what base_step calls so
    drawn = FITTED * (R * OWN.mean + (M - M_S) / Q)
    own = F2 - F**2 + R * OWN.noise * (1 - 2 * STUCK)
    return {
        "drawn": drawn,
        "square": R * OWN.noise + V / Q**2,
        "mhat": (handed + GIVEN * F) / R + (1 - FITTED) * OWN.mean,
        "s": (HELD + STUCK * GIVEN) / (R * Q),
        "qhat": ((GIVEN * F + handed) ** 2 + GIVEN**2 * own + V * HELD * (HELD + 2 * STUCK * GIVEN) / Q**2) / R,
        "change": drawn + F,
    }


@check("gathering on a kink", "the base step in numbers that stay finite, with the base step, symbolically, for a mean that is "
       "fitted and one that is exact")
def gathering() -> CheckResult:
    share = 1 / (1 + R * OWN.curvature * Q)
    leverage, at = Q * share, {GIVEN: share, HELD: 1 - share, STUCK: -DF * Q * share}
    found = []
    for fitted in (0, 1):
        inside, step, gathered = ({name: value.subs(at).subs(FITTED, fitted) for name, value in each.items()}
                                  for each in (base_input(), base_step(), gathered_step()))
        start = M_S if fitted else M
        found += [inside["mean"] - start - leverage * gathered["drawn"], inside["variance"] - leverage ** 2 * gathered["square"],
                  step["mean"] - start - leverage * gathered["change"]]
        found += [step[name] - gathered[name] for name in ("mhat", "s", "qhat")]
    return vanishes(*found)


def gathered_function() -> Function:
    """The gathered step."""
    return Function("gathered_step", "The base step of samples that gather on a kink: mean less m_s and variance at which the base "
                    "takes its own step, in units of the leverage; forces of the base; how far the mean of the generated samples moves.",
                    (M, V, Q, OWN.mean, OWN.noise, M_S, R, FITTED, GIVEN, HELD, STUCK, F, F2), gathered_step())


@check("handing down", "mean, response and second moment of the force on a base sample, and mean, variance and response of its margin, "
       "integrated over both Gaussians for any cubic force of its own, with the formulas that are generated")
def handing_down() -> CheckResult:
    a = sp.symbols("a_0:4", real=True)
    xi, root, noise = sp.symbols("xi root_v root_n", real=True)  # sqrt(v), sqrt(r qhat)
    inside = {name: value.subs(FITTED, 1) for name, value in base_input().items()}
    leverage = inside["leverage"]
    shift = root * G / Q + noise * xi
    h, centre = M + root * G, inside["mean"] + leverage * shift
    force = sum(each * centre**i for i, each in enumerate(a))
    curve = sum(i * each * centre ** (i - 1) for i, each in enumerate(a) if i)
    u = centre + leverage * force
    pull = (u - h) / Q
    response = (1 + leverage * curve) * leverage / Q  # du/dh
    squares = {V: root**2, OWN.noise: noise**2 / R}
    numbers = {M: 2, Q: sp.Rational(3, 2), OWN.mean: sp.Rational(1, 3), OWN.curvature: sp.Rational(2, 5), M_S: sp.Rational(7, 4), R: 3}

    def expected(product: sp.Expr) -> sp.Expr:
        return _gaussian(product.subs(numbers), G, xi)

    at = {F: expected(force), DF: expected(curve), F2: expected(force**2)}
    generated = {name: value.subs(step_moments()).subs(FITTED, 1).subs(squares).subs(numbers).subs(at)
                 for name, value in base_step().items()}
    whole = {"mhat": expected(pull) / 3, "s": expected(1 - response) / Q.subs(numbers) / 3, "qhat": expected(pull**2) / 3,
             "mean": expected(u), "variance": expected(u**2) - expected(u) ** 2, "leverage": expected(response * Q)}
    return vanishes(*(sp.expand(whole[name] - generated[name]) for name in whole))


def fitted_potential(one: Forces, block: Block, r: sp.Symbol, q: sp.Symbol, *, mean_fitted: bool, j: sp.Expr = sp.Integer(0)) -> sp.Expr:
    """Psi of one fitted source whose base does not train, at its bulk trace q: the base eliminated.

    Parameters
    ----------
    one : Forces
        Of the source.
    block : Block
        Of the covariance that all laws share.
    r, q : symbols
        N / n_hat and the bulk trace.
    mean_fitted : bool
        Whether the mean is that of the same samples.
    j : expression
        The field J.
    """
    share = 1 / (1 + r * one.curvature * q)
    pulls = sp.Matrix([one.mean, j])
    x = gamma + t * block.test + one.curvature * share * block.eigenvalues[0]
    own = one.mean**2 * r * q if mean_fitted else 0
    return (pulls.T * block.gram * pulls)[0] / x + one.noise * q * share + own


@check("fit without training", "mean, variance and leverage that a fitted source sees, from the base step, with the derivatives of "
       r"$\Psi = M^\top BM + \hat q\delta + [\mathrm{mean\ fitted}]\,\hat m^2rq$, $\delta = q/(1 + rsq)$, $q$ moving with $s$")
def fit_without_training() -> CheckResult:
    one = OWN
    g, eigenvalue = sp.symbols("g_00 C", positive=True)
    block = Block(H, (eigenvalue,), sp.Integer(0), sp.Matrix([[g, 0], [0, 0]]))
    still = {F: 0, DF: 0, F2: 0}
    found = []
    for mean_fitted in (False, True):
        psi = fitted_potential(one, block, R, Q, mean_fitted=mean_fitted)
        share = 1 / (1 + R * one.curvature * Q)
        x = gamma + one.curvature * share * eigenvalue
        bulk = Q - H * eigenvalue / x
        speed = -bulk.diff(one.curvature) / bulk.diff(Q)
        expected = Seen(psi.diff(one.mean) / 2, -(psi.diff(one.curvature) + psi.diff(Q) * speed), psi.diff(one.noise))
        base = forces("b")
        exact = seen(data_potential([base], [block]), base)
        down = {name: value.subs(step_moments()).subs(still).subs(FITTED, int(mean_fitted)) for name, value in base_step().items()}
        own_mean = sp.solve(sp.numer(sp.together(down["mean"] - M_S)), M_S)[0] if mean_fitted else down["mean"]
        down = {name: value.subs(M_S, own_mean) for name, value in down.items()}
        passed = {base.mean: down["mhat"], base.curvature: down["s"], base.noise: down["qhat"]}
        sees = {M: exact.mean.subs(base.mean, one.mean).subs(base.curvature, down["s"]), V: exact.variance}
        at = {name: value.subs(V, sees[V]) for name, value in down.items()}
        # the base's variance is linear in itself, through its noise: it is solved for
        own_variance = sp.solve(sp.numer(sp.together(V - exact.variance.subs(passed))), V)[0]
        at = {name: value.subs(V, own_variance).subs(M, sees[M]) for name, value in down.items()}
        solved = {H: Q * x / eigenvalue}  # the bulk equation
        found += [((expected.mean - at["mean"]).subs(solved)), ((expected.leverage - at["leverage"]).subs(solved)),
                  ((expected.variance - at["variance"]).subs(solved))]
    return vanishes(*found)


# --- ridge: the loss side eliminated ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ridge:
    """A problem of the earlier chapters at a fixed point in exact numbers, and its two sides for the square loss.

    kinds: of each source, "exact", "fitted" (exact mean), "mean fitted", or "trains" (the base of its generator trains too).
    """

    statement: Statement
    at: Mapping[sp.Symbol, sp.Expr]
    kinds: tuple[str, ...]

    @classmethod
    def draw(cls, kinds: tuple[str, ...], seed: int) -> Ridge:
        """Random weights, traces and eigenvalues; the multiplicities are what makes them a fixed point.

        Parameters
        ----------
        kinds : tuple of str
            What each source is.
        seed : int
            Of the random numbers.
        """
        rng = random.Random(seed)

        def number() -> sp.Rational:
            return sp.Rational(rng.randint(10, 99), 50)

        symbols = tuple(source(k, fitted=kind != "exact", mean_fitted=kind in ("mean fitted", "trains")) for k, kind in enumerate(kinds))
        at: dict[sp.Symbol, sp.Expr] = {gamma: number()}
        for one, kind in zip(symbols, kinds, strict=True):
            at |= {one.theta: number(), one.c: number(), one.q: number(), sp.Symbol(f"e_{one.q.name[2:]}", nonnegative=True): number() / 4}
            at[one.delta] = at[one.q]
            if kind != "exact":
                weight, extra = number() if kind == "trains" else sp.Integer(0), number()
                at[one.delta] = at[one.q] / (1 + weight * at[one.q] + extra)
                at[one.r] = extra / (tau(one).subs(at) * at[one.q])
                at[one.b] = weight / at[one.r]
        eigenvalues = [[number() for _ in kinds] for _ in kinds]
        coordinates = [sp.Matrix([[number(), number() - 1] for _ in range(len(kinds) + 1)]) for _ in kinds]
        x = [at[gamma] + sum(effective_weight(one).subs(at) * c for one, c in zip(symbols, row, strict=True)) for row in eigenvalues]
        system = sp.Matrix(len(kinds), len(kinds), lambda k, b: eigenvalues[b][k] / x[b])
        h = system.LUsolve(sp.Matrix([at[one.q] for one in symbols]))
        blocks = tuple(Block(h[b], tuple(row), number(), coordinates[b] * coordinates[b].T) for b, row in enumerate(eigenvalues))
        return cls(Statement(symbols, blocks), at, kinds)

    @property
    def sources(self) -> list[Source]:
        """The sources with numbers for their symbols."""
        return [_at(one, self.at) for one in self.statement.sources]

    def solved(self) -> tuple[dict[str, sp.Expr], CheckResult]:
        """Mean margin, variance and training loss of the two sides, and whether the fixed point is theirs too."""
        means = sp.symbols(f"m_0:{len(self.kinds)}", real=True)
        spreads = sp.symbols(f"v_0:{len(self.kinds)}", real=True)
        own_means, own_spreads = sp.symbols(f"o_0:{len(self.kinds)}", real=True), sp.symbols(f"w_0:{len(self.kinds)}", real=True)
        pulls, unknown, equations, spread_equations, spread_unknown, checks = [], list(means), [], [], list(spreads), []
        for k, (one, kind) in enumerate(zip(self.sources, self.kinds, strict=True)):
            if kind == "exact":
                pulls.append(square_forces(one, means[k], spreads[k]))
                continue
            unknown.append(own_means[k])
            spread_unknown.append(own_spreads[k])
            passed = square_forces(one, own_means[k], own_spreads[k])
            where = {M: means[k], V: spreads[k], Q: one.q, OWN.mean: passed.mean, OWN.curvature: passed.curvature, OWN.noise: passed.noise,
                     M_S: own_means[k], R: one.r, FITTED: int(one.mean_fitted)}
            inside = {name: value.subs(where, simultaneous=True) for name, value in base_input().items()}
            base = Source(sp.Integer(1), one.b * one.r, RIGHT, one.q, inside["leverage"])
            own = square_forces(base, inside["mean"], inside["variance"])
            where |= {F: own.mean, DF: -own.curvature, F2: own.noise}
            found = {name: value.subs(step_moments()).subs(where, simultaneous=True) for name, value in base_step().items()}
            pulls.append(Forces(found["mhat"], found["s"], found["qhat"]))
            equations.append(found["mean"] - own_means[k])
            spread_equations.append(found["variance"] - own_spreads[k])
            checks += [found["leverage"] - one.delta, found["s"] - effective_weight(one)]
        symbols = [forces(k) for k in range(len(self.kinds))]
        psi = data_potential(symbols, self.statement.blocks, J).subs(gamma, self.at[gamma])
        put = {symbol: value for one, pull in zip(symbols, pulls, strict=True)
               for symbol, value in ((one.mean, pull.mean), (one.curvature, pull.curvature), (one.noise, pull.noise))}

        def at_rest(expression: sp.Expr) -> sp.Expr:
            return expression.subs({J: 0, t: 0}).subs(put, simultaneous=True)

        left_out = [seen(psi, one) for one in symbols]
        checks += [at_rest(one.leverage) - self.at[source_.q] for one, source_ in zip(left_out, self.statement.sources, strict=True)]
        equations += [at_rest(one.mean) - m for one, m in zip(left_out, means, strict=True)]
        spread_equations += [at_rest(one.variance) - v for one, v in zip(left_out, spreads, strict=True)]
        solution = sp.solve([sp.expand(each) for each in equations], unknown, dict=True)[0]
        solution |= sp.solve([sp.expand(each.subs(solution)) for each in spread_equations], spread_unknown, dict=True)[0]
        margin, variance_ = (sp.nsimplify(at_rest(each).subs(solution)) for each in (psi.diff(J) / 2, -psi.diff(t)))
        values = {"mean_margin": margin, "variance": variance_}
        if set(self.kinds) == {"exact"}:
            loss = -at_rest(psi) / 2
            for k, one in enumerate(self.sources):
                envelope = one.theta * one.c * (1 - 2 * one.labels.mean * means[k] + means[k] ** 2 + spreads[k]) / (2 * (1 + one.c * one.q))
                pull = pulls[k]
                loss += envelope + pull.mean * means[k] - pull.curvature * spreads[k] / 2 + pull.noise * one.q / 2
            values["training_loss"] = sp.nsimplify(loss.subs(solution))
        return values, vanishes(*(each.subs(solution) for each in checks))


def _at(one: Source, at: dict[sp.Symbol, sp.Expr]) -> Source:
    """The source with numbers for its symbols."""
    labels = Labels(one.labels.mean.subs(at), one.labels.variance.subs(at))
    return replace(one, theta=one.theta.subs(at), c=one.c.subs(at), labels=labels, q=at[one.q], delta=at[one.delta],
                   r=sp.sympify(one.r).subs(at), b=sp.sympify(one.b).subs(at))


def square_forces(one: Source, m: sp.Expr, v: sp.Expr) -> Forces:
    """Mean force, curvature and noise of a source under the square loss, f = c (1 - h) / (1 + c delta).

    Parameters
    ----------
    one : Source
    m, v : expressions
        Mean and variance of the left-out margin.
    """
    rate = one.c / (1 + one.c * one.delta)
    return Forces(one.theta * rate * (one.labels.mean - m), one.theta * rate,
                  one.theta * rate**2 * (one.labels.variance + one.labels.mean**2 - 2 * one.labels.mean * m + m**2 + v))


KINDS = (("exact", "exact"), ("exact", "fitted"), ("exact", "mean fitted"), ("trains",), ("exact", "trains"))


@check("ridge is the square loss", "mean margin and variance of the two sides with forces eliminated, as rational numbers, with those of "
       "the statement by implicit differentiation; traces, leverages and curvatures with its fixed point: two exact sources, and with each "
       "kind of fitted generator")
def ridge_closes() -> CheckResult:
    worst, fixed = sp.Integer(0), True
    for seed, kinds in enumerate(KINDS):
        one = Ridge.draw(kinds, seed)
        values, same = one.solved()
        fixed = fixed and same.holds
        for name, derive in (("mean_margin", mean_margin), ("variance", variance)):
            worst = max(worst, abs(values[name] / derive(one.statement, one.at) - 1))
    holds = fixed and worst < sp.Float("1e-40")
    return CheckResult(bool(holds), f"fixed point {'the same' if fixed else 'differs'}; largest relative difference {sp.N(worst, 2)}")


@check("training loss of two sides", "the stationary functional of the square loss, in rational numbers, with half of the training loss L "
       "of the potential")
def functional() -> CheckResult:
    one = Ridge.draw(("exact", "exact"), 11)
    values, _ = one.solved()
    loss = one.statement.direct(training_loss(one.statement.sources, one.statement.gram()))
    return vanishes(values["training_loss"] - loss.subs(t, 0).subs(one.at) / 2)


def theorem() -> Theorem:
    """The chapter on the two sides, with what the solvers need of both."""
    psi, omega = sp.Function("Psi"), sp.Function("Omega")
    one = forces("k")
    m, v, d, theta = sp.Symbol("m_k"), sp.Symbol("v_k"), sp.Symbol("delta_k"), sp.Symbol("theta_k")
    potential = psi(one.curvature, one.mean, one.noise)
    envelope = omega(m, v, d)
    return Theorem(
        "two_sides",
        "Any convex loss: two sides",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the mean of a left-out margin", sp.Eq(m, potential.diff(one.mean) / 2)),
            Equation("its variance", sp.Eq(v, -potential.diff(one.curvature))),
            Equation("its leverage", sp.Eq(d, potential.diff(one.noise))),
            Equation("the mean force", sp.Eq(one.mean, -theta * envelope.diff(m))),
            Equation("the curvature", sp.Eq(one.curvature, 2 * theta * envelope.diff(v))),
            Equation("the noise", sp.Eq(one.noise, -2 * theta * envelope.diff(d))),
            Equation("leverage of the proximal step of a fitted generator's base", sp.Eq(sp.Symbol("delta_b"), base_input()["leverage"])),
            Equation("curvature of the base, its own and what is handed down", sp.Eq(sp.Symbol("s_b"), base_step()["s"])),
            Equation("leverage that a generated sample sees", sp.Eq(sp.Symbol("delta_g"), base_step()["leverage"])),
        ),
        (*data_functions(), linear_moments(), linear_step(), force_function(), *base_functions(), gathered_function()),
        after="family_tree",
        javascript=True,
    )
