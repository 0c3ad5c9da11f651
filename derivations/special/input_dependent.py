r"""Label noise and pruning that depend on the sample, which the paper does not have.

With $\tilde y = \pm1$ the classifier sees a sample through $\tilde x = \tilde yx$ alone: $w = (\frac1N\sum c\tilde x\tilde x^\top +
\gamma I)^{-1}\frac1N\sum c\tilde x$. So whatever flips labels and drops samples, what is kept is a source of $\tilde x$ with no
wrong labels,

$$a = E[\tilde yx\mid\mathrm{kept}],\qquad S = E[xx^\top\mid\mathrm{kept}],$$

in the same potential. Noise that does not depend on the sample is the case $a = (1 - 2e)\mu$, $S = C + \mu\mu^\top$.

Linear rules. $x = yg$ with $g\sim N(\mu, C)$, so $\tilde x$ is $g$ or $-g$: a right label is $\tilde x\sim N(\mu, C)$, a wrong one
$N(-\mu, C)$. A labeller is right where $\mathrm{offset} + u^\top g + \mathrm{noise}\,\xi > 0$, $\xi\sim N(0, 1)$: with noise 0 the
linear labeller $\tilde y = \operatorname{sign}(u^\top x)$, else a flip probability $\Phi(-(\mathrm{offset} + u^\top
g)/\mathrm{noise})$ that depends on the margin. A verifier (Feng et al. 2024) passes a sample where $\tilde yv^\top x > t$; it keeps
a share $\phi$ of what passes and $\rho$ of the rest. In terms of $\tilde x$ both are linear rules. Let $Z(\nu)$ be the probability
that $\tilde x$ is kept as a function of its mean $\nu$. Then by Stein's lemma

$$E[\tilde x\,1_\mathrm{kept}] = \nu Z + C\,\nabla Z,$$

$$E[\tilde x\tilde x^\top1_\mathrm{kept}] = (C + \nu\nu^\top)Z + \nu(C\nabla Z)^\top + C\nabla Z\,\nu^\top + C\,\nabla\nabla Z\,C,$$

and $Z$ depends on the mean through $h_u = u^\top\nu$ and $h_v = v^\top\nu$. So all moments are derivatives of one closed form, and
$S - C$ has a rank of at most 2 for a verifier, in the span of $\mu$ and $Cv$, and of at most 3 with a labeller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import mpmath as mp
import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from ..model import RIGHT, J, N, gamma, phi, rho, source
from ..potential import potential, tau
from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes

DIGITS = 25


class Phi(sp.Function):
    """The standard normal distribution function, printed so that its tail keeps its digits."""

    nargs = 1

    @classmethod
    def eval(cls, x: sp.Expr) -> sp.Expr | None:
        """Its limits and its value at 0."""
        return {sp.oo: sp.Integer(1), -sp.oo: sp.Integer(0), sp.Integer(0): sp.Rational(1, 2)}.get(x)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """The normal density."""
        return density(self.args[0])

    def _eval_rewrite_as_erfc(self, x: sp.Expr, **_: object) -> sp.Expr:
        return sp.erfc(-x / sp.sqrt(2)) / 2

    def _eval_evalf(self, prec: int) -> sp.Expr:
        return self.rewrite(sp.erfc)._eval_evalf(prec)

    def _pythoncode(self, printer: PythonCodePrinter, *_: object) -> str:
        return f"(0.5*math.erfc({printer._print(-self.args[0] * sp.sqrt(2) / 2)}))"


class Phi2(sp.Function):
    """Phi2(a, b, r): the probability that two standard normals of correlation r are below a and below b."""

    nargs = 3

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """In a or b: the density of the one times the conditional distribution of the other."""
        a, b, r = self.args
        x, other = (a, b) if argindex == 1 else (b, a)
        return density(x) * Phi((other - r * x) / sp.sqrt(1 - r**2))


def density(x: sp.Expr) -> sp.Expr:
    """The standard normal density."""
    return sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)


# --- the probability that a sample is kept, as a function of its mean -------------------------------------------------

H_U, H_V, T_U, T_V = sp.symbols("h_u h_v t_u t_v", real=True)
SIGMA_U, SIGMA_V = sp.symbols("sigma_u sigma_v", positive=True)
R, SHARE, BOTH = sp.symbols("r share both", real=True)
A, B = (H_U - T_U) / SIGMA_U, (H_V - T_V) / SIGMA_V


def one_rule() -> sp.Expr:
    """Z where a share of the labels has this sign whatever the sample: v^T xtilde ~ N(h_v, sigma_v^2) is to exceed t_v."""
    return SHARE * (rho + (phi - rho) * Phi(B))


def two_rules() -> sp.Expr:
    """Z where a labeller gives this sign, u^T xtilde (+ noise) ~ N(h_u, sigma_u^2) exceeding t_u; r: the correlation of the two."""
    return rho * Phi(A) + (phi - rho) * Phi2(A, B, R)


def noisy_spread(sigma: sp.Expr, noise: sp.Expr) -> sp.Expr:
    """Return sigma_u of a labeller whose margin, of standard deviation sigma, has noise of its own."""
    return sp.sqrt(sigma**2 + noise**2)


def derivatives(Z: sp.Expr, *along: sp.Symbol) -> dict[str, sp.Expr]:
    """Return Z, its gradient and its Hessian, by name."""
    first = {f"Z_{_letter(h)}": Z.diff(h) for h in along}
    second = {f"Z_{_letter(g)}{_letter(h)}": Z.diff(g, h) for i, g in enumerate(along) for h in along[i:]}
    return {"Z": Z, **first, **second}


def _letter(h: sp.Symbol) -> str:
    return h.name[-1]


# --- the moments of what is kept --------------------------------------------------------------------------------------

PARTS = ("Z", "Z_u", "Z_v", "Z_uu", "Z_uv", "Z_vv")
KEPT_RIGHT, KEPT_WRONG = (sp.symbols([f"{which}_{part}" for part in PARTS], real=True) for which in ("right", "wrong"))


def _gradient(parts: tuple[sp.Symbol, ...]) -> sp.Matrix:
    return sp.Matrix(parts[1:3])


def _hessian(parts: tuple[sp.Symbol, ...]) -> sp.Matrix:
    return sp.Matrix([[parts[3], parts[4]], [parts[4], parts[5]]])


def kept_moments() -> tuple[sp.Expr, sp.Matrix, sp.Matrix]:
    """alpha, and a = F coordinates and S = C + F K F^T in the columns F = (mu, C u, C v).

    The right ones have the mean mu, the wrong ones -mu; the derivatives of each are in its own mean.
    """
    alpha = KEPT_RIGHT[0] + KEPT_WRONG[0]
    coordinates = sp.Matrix([KEPT_RIGHT[0] - KEPT_WRONG[0], *(_gradient(KEPT_RIGHT) + _gradient(KEPT_WRONG))])
    K = sp.zeros(3)
    K[0, 0] = alpha
    K[1:, 0] = _gradient(KEPT_RIGHT) - _gradient(KEPT_WRONG)
    K[0, 1:] = K[1:, 0].T
    K[1:, 1:] = _hessian(KEPT_RIGHT) + _hessian(KEPT_WRONG)
    return alpha, coordinates / alpha, K / alpha


def functions() -> tuple[Function, ...]:
    """Z with its derivatives under one rule and under two, and what they make of the samples that are kept."""
    alpha, a, K = kept_moments()
    both = {name: part.subs(Phi2(A, B, R), BOTH) for name, part in derivatives(two_rules(), H_U, H_V).items()}
    return (
        Function("one_rule", "The probability that xtilde has this sign and is kept, and its derivatives in h_v.",
                 (H_V, SIGMA_V, T_V, SHARE, rho, phi), derivatives(one_rule(), H_V)),
        Function("two_rules", "The same with a labeller; both: the probability that both rules hold.",
                 (H_U, H_V, SIGMA_U, SIGMA_V, R, T_U, T_V, rho, phi, BOTH), both),
        Function("kept_moments", "alpha, the share of wrong labels, a and S - C in the columns (mu, C u, C v).",
                 (*KEPT_RIGHT, *KEPT_WRONG),
                 {"alpha": alpha, "wrong": KEPT_WRONG[0] / alpha, "a_mu": a[0], "a_u": a[1], "a_v": a[2],
                  "K_mu_u": K[0, 1], "K_mu_v": K[0, 2], "K_uu": K[1, 1], "K_uv": K[1, 2], "K_vv": K[2, 2]}),
    )


# --- checks -----------------------------------------------------------------------------------------------------------

@check("source of ytilde x", r"$\Psi(t, J)$ of a source with a share $e$ of wrong labels, beside another (rational weights), with "
       r"that of $\tilde x$: mean $(1 - 2e)\mu$, covariance $C + 4e(1 - e)\mu\mu^\top$ (Sherman-Morrison), no wrong labels; the change "
       r"of $\delta$ with a term over $N$")
def independent_noise() -> CheckResult:
    noisy, other = source(1), source(2)
    spread, label = noisy.labels.variance, noisy.labels.mean
    seen = replace(noisy, labels=RIGHT)
    G = sp.Matrix(3, 3, lambda i, k: sp.Symbol(f"g_{min(i, k)}{max(i, k)}", positive=True))
    wider = G - tau(noisy) * spread * G[:, 0] * G[0, :] / (1 + tau(noisy) * spread * G[0, 0])
    turned = sp.diag(label, 1, 1) * wider * sp.diag(label, 1, 1)
    difference = potential((noisy, other), G, J) - potential((seen, other), turned, J)
    kept = {J, *label.free_symbols}
    at = {symbol: sp.Rational(i + 2, 2 * i + 3) for i, symbol in enumerate(sorted(difference.free_symbols - kept, key=str))}
    same_potential = vanishes(difference.subs(at))
    # (1/N) tr(C B) with matrices: N times the change is made of quadratic forms in mu, there is no N left in it
    C, m = sp.Matrix(2, 2, sp.symbols("C_1 C_2 C_2 C_3")), sp.Matrix(sp.symbols("mu_1 mu_2", real=True))
    weight, v = sp.symbols("tau v", positive=True)
    bulk = gamma * sp.eye(2) + weight * C
    wide = C + v * m * m.T
    change = ((wide * (bulk + weight * v * m * m.T).inv()).trace() - (C * bulk.inv()).trace()) / N
    g, moved = (m.T * bulk.inv() * m)[0], (m.T * bulk.inv() * C * bulk.inv() * m)[0]
    same_trace = vanishes(change - v * (g - weight * moved) / (1 + weight * v * g) / N)
    return CheckResult(same_potential.holds and same_trace.holds, f"{same_potential.found}; traces: {same_trace.found}")


@check("moments of one rule", r"$E[\tilde x1]$, $E[\tilde x\tilde x^\top1]$ of $N(\mathrm{mean}, C)$ where $v^\top\tilde x > t$, from "
       r"integrals of $z^j$ over the normal density and the regression on $v^\top\tilde x$ (two dimensions, any $C$ and $v$), with the "
       r"formulas of the text")
def stein() -> CheckResult:
    z, b = sp.symbols("z b", real=True)
    power = [sp.integrate(z**j * density(z), (z, b, sp.oo)) for j in range(3)]
    mean, v = sp.Matrix(sp.symbols("m_1 m_2", real=True)), sp.Matrix(sp.symbols("v_1 v_2", real=True))
    C = sp.Matrix(2, 2, sp.symbols("C_1 C_2 C_2 C_3", real=True))
    square = (v.T * C * v)[0]
    # xtilde = mean + C v / sigma z + a remainder that is independent of z
    slope = C * v / SIGMA_V
    first = mean * power[0] + slope * power[1]
    second = (mean * mean.T + C - slope * slope.T) * power[0] + (mean * slope.T + slope * mean.T) * power[1] + slope * slope.T * power[2]
    only_rule = {SHARE: 1, rho: 0, phi: 1}
    Z, Z_v, Z_vv = (part.subs(only_rule) for part in derivatives(one_rule(), H_V).values())
    push = C * v * Z_v
    by_stein = (C + mean * mean.T) * Z + mean * push.T + push * mean.T + C * v * Z_vv * (C * v).T
    found = [*(mean * Z + push - first), *(by_stein - second)]
    plain = [one.subs(H_V, T_V - b * SIGMA_V).rewrite(sp.erfc).rewrite(sp.erf) for one in found]
    return vanishes(*(sp.expand(one.subs(SIGMA_V, sp.sqrt(square))) for one in plain))


@check("two rules", r"the mixed derivative of $\Phi_2$ with the bivariate normal density, both ways, and its slopes at $-\infty$ with "
       r"0: so they are those of the probability; $Z$ of two rules without a correlation with that of one rule and a share $\Phi$")
def bivariate() -> CheckResult:
    a, b = sp.symbols("a b", real=True)
    r = sp.sin(sp.Symbol("theta", real=True))
    normal = sp.exp(-(a**2 - 2 * r * a * b + b**2) / (2 * (1 - r**2))) / (2 * sp.pi * sp.sqrt(1 - r**2))
    quadrant = Phi2(a, b, r)
    mixed = [sp.simplify(sp.powsimp(quadrant.diff(*pair) / normal) - 1) for pair in ((a, b), (b, a))]
    ends = [quadrant.diff(a).subs(Phi((b - r * a) / sp.sqrt(1 - r**2)), Phi(-sp.oo)),
            quadrant.diff(b).subs(Phi((a - r * b) / sp.sqrt(1 - r**2)), Phi(-sp.oo))]
    apart = two_rules().diff(H_V).subs(R, 0) - one_rule().diff(H_V).subs(SHARE, Phi(A))
    return vanishes(*mixed, *ends, apart)


@check("labeller with noise", r"$E[\Phi((k - t)/\mathrm{noise})]$ for $k\sim N(h, \sigma^2)$: its derivative in $t$, an integral of "
       r"two normal densities, with that of $\Phi((h - t)/\sqrt{\sigma^2 + \mathrm{noise}^2})$; both tend to 1 as $t\to-\infty$")
def probit() -> CheckResult:
    k, t = sp.symbols("k t", real=True)
    noise = sp.Symbol("noise", positive=True)
    flips = sp.integrate(sp.expand(sp.diff(Phi((k - t) / noise), t) * density((k - H_V) / SIGMA_V) / SIGMA_V), (k, -sp.oo, sp.oo),
                         conds="none")
    closed = Phi((H_V - t) / noisy_spread(SIGMA_V, noise)).diff(t)
    return vanishes(sp.simplify(sp.powsimp(sp.simplify(flips / closed), force=True)) - 1)


@check("limits of the rules", r"$t\to-\infty$: what is kept with all labels times $\phi$, $a = (1 - 2e)\mu$, $S = C + \mu\mu^\top$; "
       r"$\rho = \phi$ the same; a verifier orthogonal to $\mu$ at $t = 0$ keeps half of the right and half of the wrong ones, yet $a$ "
       r"has a part along $Cv$")
def limits() -> CheckResult:
    e = sp.Symbol("e", positive=True)
    alpha, a, K = kept_moments()

    def kept(at: dict[sp.Symbol, sp.Expr]) -> dict[sp.Symbol, sp.Expr]:
        """The parts of the right ones, of mean margin h_v, and of the wrong ones, of mean margin -h_v."""
        values = {}
        for names, own, share in ((KEPT_RIGHT, H_V, 1 - e), (KEPT_WRONG, -H_V, e)):
            found = derivatives(one_rule(), H_V)
            parts = {"Z": found["Z"], "Z_v": found["Z_v"], "Z_vv": found["Z_vv"]}
            for symbol, part in zip(names, PARTS, strict=True):
                value = parts.get(part, sp.Integer(0))
                values[symbol] = value.subs({SHARE: share, H_V: own}, simultaneous=True).subs(at)
        return values

    x = sp.Symbol("x", positive=True)
    far = {symbol: sp.limit(part.rewrite(sp.erfc), x, sp.oo) for symbol, part in kept({T_V: -x}).items()}
    same = kept({phi: rho})
    half = kept({H_V: 0, T_V: 0, rho: 0, phi: 1})
    tilt = a[2].subs(half)
    unpruned = [expression for at, rate in ((far, phi), (same, rho))
                for expression in (alpha.subs(at) - rate, a[0].subs(at) - (1 - 2 * e), a[2].subs(at), K[0, 2].subs(at), K[2, 2].subs(at))]
    halves = vanishes(*unpruned, half[KEPT_RIGHT[0]] - (1 - e) / 2, half[KEPT_WRONG[0]] - e / 2, tilt - sp.sqrt(2 / sp.pi) / SIGMA_V)
    return CheckResult(halves.holds and tilt != 0, f"{halves.found}; the part of a along C v is {tilt}")


@check("low rank", r"$\alpha a$ and $\alpha S$ summed over right and wrong labels by the formula of the text, with vectors in four "
       r"dimensions, with $F$ coordinates and $C + FKF^\top$; the rank of $S - C$ at a rational point: 2 with a verifier, 3 with a "
       r"labeller too")
def low_rank() -> CheckResult:
    mean, u, v = sp.Matrix([1, 2, 0, 1]), sp.Matrix([0, 1, 3, -2]), sp.Matrix([2, -1, 1, 5])
    C = sp.Matrix([[3, 1, 0, 1], [1, 4, 1, 0], [0, 1, 5, 2], [1, 0, 2, 6]])
    along, F = C * u.row_join(v), mean.row_join(C * u).row_join(C * v)
    alpha, a, K = kept_moments()
    first, second = sp.zeros(4, 1), sp.zeros(4)
    for sign, parts in ((1, KEPT_RIGHT), (-1, KEPT_WRONG)):
        push = along * _gradient(parts)
        first += sign * mean * parts[0] + push
        second += (C + mean * mean.T) * parts[0] + sign * (mean * push.T + push * mean.T) + along * _hessian(parts) * along.T
    sums = vanishes(*(first - alpha * F * a), *(second - alpha * (C + F * K * F.T)))
    point = {symbol: sp.Rational(2 * i + 3, 3 * i + 7) for i, symbol in enumerate((*KEPT_RIGHT, *KEPT_WRONG))}
    no_labeller = {symbol: 0 for parts in (KEPT_RIGHT, KEPT_WRONG) for symbol in (parts[1], parts[3], parts[4])}
    ranks = tuple((second / alpha - C).subs(at).subs(point).rank() for at in (no_labeller, {}))
    return CheckResult(sums.holds and ranks == (2, 3), f"{sums.found}; ranks {ranks[0]} and {ranks[1]}")


@check("truncated moments at 25 digits", "a polynomial of two correlated margins integrated by mpmath over the region where both rules "
       r"hold, at two points, with the same combination of $Z$ and its derivatives")
def high_precision() -> CheckResult:
    worst = mp.mpf(0)
    weights = mp.matrix(["0.7", "-0.4"]), mp.matrix([["1.1", "0.3"], ["0.3", "-0.6"]])
    with mp.workdps(DIGITS):
        for point in (("0.3", "0.5", "0.8", "1.1", "0.6", "-0.2", "0.4"), ("-0.7", "0.2", "1.3", "0.6", "-0.45", "0.1", "-0.5")):
            h_u, h_v, s_u, s_v, r, t_u, t_v = map(mp.mpf, point)
            C = mp.matrix([[s_u**2, r * s_u * s_v], [r * s_u * s_v, s_v**2]])
            at = dict(zip((H_U, H_V, SIGMA_U, SIGMA_V, R, T_U, T_V), (sp.Rational(x) for x in point), strict=True))
            parts = derivatives(two_rules().subs({rho: 0, phi: 1}), H_U, H_V)
            Z = _integral(C, (h_u, t_u), (h_v, t_v), lambda x: mp.mpf(1))
            _, *rest = (mp.mpf(str(sp.N(part.subs(at), DIGITS))) if name != "Z" else Z for name, part in parts.items())
            push, bend = C * mp.matrix(rest[:2]), C * Z + C * mp.matrix([[rest[2], rest[3]], [rest[3], rest[4]]]) * C
            closed = (weights[0].T * push)[0] + sum(weights[1][i, j] * bend[i, j] for i in range(2) for j in range(2))
            whole = _integral(C, (h_u, t_u), (h_v, t_v), lambda x: (weights[0].T * x + x.T * weights[1] * x)[0])
            worst = max(worst, abs(closed - whole))
    return CheckResult(worst < mp.mpf(10) ** (5 - DIGITS), f"they differ by at most {mp.nstr(worst, 2)}")


def _integral(C: mp.matrix, first: tuple[mp.mpf, mp.mpf], second: tuple[mp.mpf, mp.mpf], of: Callable[[mp.matrix], mp.mpf]) -> mp.mpf:
    """The integral of a function of the deviations from the means; first and second: mean and threshold of each margin."""
    inverse, norm = C**-1, 2 * mp.pi * mp.sqrt(mp.det(C))

    def inside(a: mp.mpf, b: mp.mpf) -> mp.mpf:
        x = mp.matrix([a, b])
        return of(x) * mp.exp(-(x.T * inverse * x)[0] / 2) / norm

    far = [[t - h, 12 * mp.sqrt(C[i, i])] for i, (h, t) in enumerate((first, second))]
    return mp.quad(inside, *far, method="gauss-legendre")


def theorem() -> Theorem:
    """Return the chapter on noise and pruning that depend on the sample."""
    S, C, F, K = sp.symbols("S C F K", commutative=False)
    one, two = sp.Function("Z")(H_V), sp.Function("Z")(H_U, H_V)
    short = {symbol: sp.Symbol(f"Z^{sign}{part[1:]}") for sign, names in (("+", KEPT_RIGHT), ("-", KEPT_WRONG))
             for symbol, part in zip(names, PARTS, strict=True)}
    kept, of_mean, of_second = kept_moments()
    coordinates, inner = ((kept * each).applyfunc(sp.simplify).subs(short) for each in (of_mean, of_second))
    return Theorem(
        "input_dependent", "Label noise and pruning that depend on the sample", __doc__.split("\n\n", 1)[1],
        (
            Equation("the probability that $\\tilde x$ is kept under one rule, with its mean margin $h_v$", sp.Eq(one, one_rule())),
            Equation("its slope", sp.Eq(one.diff(H_V), one_rule().diff(H_V))),
            Equation("under two rules, a labeller and a verifier", sp.Eq(two, two_rules())),
            Equation("its slope in the labeller's margin", sp.Eq(two.diff(H_U), two_rules().diff(H_U))),
            Equation("the second moment of what is kept, with the columns $F = (\\mu, Cu, Cv)$",
                     sp.Eq(S, C + F * K * sp.Symbol("F^T", commutative=False), evaluate=False)),
            Equation("with $K$, of the parts of right labels ($Z^+$) and of wrong ones ($Z^-$)",
                     sp.Eq(sp.Symbol("alpha") * K, inner, evaluate=False)),
            Equation("and the mean $a$ in these columns", sp.Eq(sp.Symbol("alpha") * sp.Symbol("a"), coordinates, evaluate=False)),
        ),
        functions(),
        after="synthetic_only",
    )
