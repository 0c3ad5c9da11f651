r"""Selection of synthetic samples by a score.

The rules of the chapter [before](#input_dependent) have one threshold. Here a verifier keeps $\tilde x$ where its score $k =
v^\top\tilde x$ lies in one of several bands. Bands that are symmetric about 0 do not look at the label: $|v^\top x| < t$ keeps the hard
samples, $|v^\top x| > t$ the easy ones. How good the score is, is the angle of $v$ to $\mu$.

Whether $\tilde x$ is kept is a step function of $k$, so that the probability $Z$ of being kept is the same sum of steps of the
one-sided probabilities, and as all moments are derivatives of $Z$ (Stein's lemma), so are they: the truncated moments of a band are
the differences of those at its ends.

A labeller with an intercept, $\tilde y = \operatorname{sign}(u^\top x + b)$ up to its noise, sees the score $u^\top\tilde x + \tilde
yb$. The classes mirror each other in all but this, and both labels are equally likely to be asked about, so $Z$ is the mean of its
values at the thresholds moved by $b$ and by $-b$.

A fitted generator: its mean $\hat\mu$ and covariance $\hat C$ are those of $\hat n$ samples, on which $v$ does not depend. Then
$v^\top\hat Cv$ and $v^\top\hat\mu$ concentrate, and the coordinates $a$ and $K$ of the kept samples' moments are those of the exact
generator, but in the columns $(\hat\mu, \hat Cu, \hat Cv)$, which do not concentrate as vectors. With $h = \hat\mu^\top w$ and $g =
V^\top\hat Cw$, $V = (u, v)$, the training loss of the kept samples is

$$\tau[w^\top\hat Cw + q(h, g)],\qquad q = E[(1 - \tilde x^\top w)^2\mid\mathrm{kept}] - w^\top\hat Cw,$$

a quadratic form in three numbers. With multipliers $\rho$ and $\kappa$ for the definitions of $h$ and $g$ it is stationary where

$$\tau[w^\top\hat Cw + q + 2\rho(h - \hat\mu^\top w) + 2\kappa^\top(g - V^\top\hat Cw)]$$

is, and this is a sum over the samples that the generator was fitted on: *training on a generator's selected samples is training on the
samples it was fitted on, at a reduced weight, towards the target* $T = \rho + \kappa^\top V^\top\hat x$, *which is linear in the
score.* From there on it is a [family tree](#family_tree): leaving one out reduces the weight, and a sample that trains itself too has
the average of the two targets. $w$ enters through $\mu^\top w$ and $V^\top Cw$ only, so that a linear system of at most nine unknowns
is left, and the variance is the derivative of the stationary value along $w^\top Cw$, for which only the weights need to move.

Not covered: a score that was learnt from the samples of the fit. It is not independent of them: $v^\top\hat Cv$ is then biased.
"""

from __future__ import annotations

import mpmath as mp
import numpy as np
import sympy as sp

from ..model import phi, rho
from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes
from .family_tree import SampleSet, fold
from .input_dependent import (
    DIGITS,
    H_U,
    H_V,
    KEPT_RIGHT,
    KEPT_WRONG,
    PARTS,
    SIGMA_U,
    SIGMA_V,
    T_U,
    T_V,
    Phi,
    R,
    density,
    derivatives,
    kept_moments,
    two_rules,
)

# --- truncated moments ------------------------------------------------------------------------------------------------

LOW, HIGH = sp.symbols("low high", real=True)


def band(h: sp.Expr = H_V, sigma: sp.Expr = SIGMA_V) -> sp.Expr:
    """Return Z of one band: the probability that k ~ N(h, sigma^2) lies between LOW and HIGH."""
    return Phi((h - LOW) / sigma) - Phi((h - HIGH) / sigma)


# --- the training loss of selected samples ----------------------------------------------------------------------------

THETA, TAU, D, C0 = sp.symbols("theta tau delta c", positive=True)
MEAN, X_U, X_V, SQUARE = sp.symbols("mean x_u x_v square", real=True)
KAPPA, RHO = sp.Matrix(sp.symbols("kappa_u kappa_v", real=True)), sp.Symbol("r", real=True)
H, G = sp.Symbol("h", real=True), sp.Matrix(sp.symbols("g_u g_v", real=True))
A_MU, A_V = sp.Symbol("a_mu", real=True), sp.Matrix(sp.symbols("a_u a_v", real=True))
K_MU = sp.Matrix(sp.symbols("K_mu_u K_mu_v", real=True))
K_UU, K_UV, K_VV = sp.symbols("K_uu K_uv K_vv", real=True)
K_IN = sp.Matrix([[K_UU, K_UV], [K_UV, K_VV]])
S_UU, S_UV, S_VV, M_U, M_V = sp.symbols("s_uu s_uv s_vv h_u h_v", real=True)
SPREAD, SCORE = sp.Matrix([[S_UU, S_UV], [S_UV, S_VV]]), sp.Matrix([M_U, M_V])
X = sp.Matrix([X_U, X_V])
MOMENTS = (A_MU, *A_V, *K_MU, K_UU, K_UV, K_VV)


def residual(h: sp.Expr, g: sp.Matrix) -> sp.Expr:
    """Return q, the mean square of 1 - xtilde^T w among the kept less w^T C w, with h = mean^T w and g = V^T C w."""
    return 1 - 2 * (A_MU * h + (A_V.T * g)[0]) + h**2 + 2 * h * (K_MU.T * g)[0] + (g.T * K_IN * g)[0]


def squared_target(constant: sp.Expr, along: sp.Matrix, mean: sp.Expr, x: sp.Matrix, square: sp.Expr) -> sp.Expr:
    """Return E[(constant + along^T V^T x - x^T w)^2], x ~ N(mu, C), with mean = mu^T w, x = V^T C w, square = w^T C w."""
    return (constant + (along.T * SCORE)[0] - mean) ** 2 + (along.T * SPREAD * along)[0] - 2 * (along.T * x)[0] + square


def reduced(omega: sp.Expr) -> sp.Expr:
    """Return the reduced weight of samples of the weight omega of which one is left out."""
    return THETA * omega / (1 + omega * D)


def exact_loss() -> sp.Expr:
    """Return the loss of samples of an exact generator."""
    return TAU * (SQUARE + residual(MEAN, X))


def known_mean_loss() -> sp.Expr:
    """Return the loss where a generator's covariance is fitted and its mean is exact."""
    weight = reduced(TAU / THETA)
    towards = (KAPPA.T * SPREAD * KAPPA)[0]
    return weight * (SQUARE - 2 * (KAPPA.T * X)[0] + towards) + TAU * (residual(MEAN, G) - towards + 2 * (KAPPA.T * G)[0])


def fitted_loss() -> sp.Expr:
    """Return the loss where mean and covariance are fitted, on samples that train with a weight c themselves."""
    handed = TAU / THETA
    omega = C0 + handed
    fit = reduced(omega) * squared_target((C0 + handed * RHO) / omega, handed * KAPPA / omega, MEAN, X, SQUARE)
    zero = sp.zeros(2, 1)
    apart = THETA * C0 * handed / omega * squared_target(RHO - 1, KAPPA, sp.Integer(0), zero, sp.Integer(0))
    own = -squared_target(RHO, KAPPA, sp.Integer(0), zero, sp.Integer(0)) - H**2 + 2 * H * (KAPPA.T * SCORE)[0]
    return fit + apart + TAU * (own + residual(H, G) + 2 * (KAPPA.T * G)[0] + 2 * RHO * H)


def _function(name: str, doc: str, loss: sp.Expr, arguments: tuple[sp.Symbol, ...], unknown: tuple[sp.Symbol, ...],
              moving: tuple[sp.Symbol, ...]) -> Function:
    """The gradient of a loss in its unknowns, and its slopes in the weights that move."""
    return Function(name, doc, arguments, {f"to_{x.name}": loss.diff(x) for x in (*unknown, *moving)})


def functions() -> tuple[Function, ...]:
    """Return the gradients of the losses and their slopes in the weights."""
    seen, duals = (MEAN, X_U, X_V), (*KAPPA, *G)
    score = (S_UU, S_UV, S_VV)
    return (
        _function("exact", "Loss of selected samples of an exact generator: gradient, and slope in tau.", exact_loss(),
                  (*seen, SQUARE, TAU, *MOMENTS), seen, (TAU,)),
        _function("known_mean", "The same of a generator whose covariance is fitted; slopes in tau and delta.", known_mean_loss(),
                  (*seen, *duals, SQUARE, TAU, D, THETA, *score, *MOMENTS), (*seen, *duals), (TAU, D)),
        _function("fitted", "The same where the mean is fitted too, on samples that train with the weight c.", fitted_loss(),
                  (*seen, *duals, RHO, H, SQUARE, TAU, D, THETA, C0, *score, M_U, M_V, *MOMENTS), (*seen, *duals, RHO, H), (TAU, D)),
    )  # fmt: skip


# --- checks -----------------------------------------------------------------------------------------------------------

@check("truncated moments", r"the mean and the variance of $k\sim N(h, \sigma^2)$ between two thresholds, and $\int k^j$ over the normal "
       r"density between them ($j = 0, 1, 2$), with $Z$, $hZ + \sigma^2Z'$ and $(h^2 + \sigma^2)Z + 2h\sigma^2Z' + \sigma^4Z''$ of a band")
def two_sided() -> CheckResult:
    z, a, b = sp.symbols("z a b", real=True)
    powers = [sp.integrate(z**j * density(z), (z, a, b)) for j in range(3)]
    h, s = H_V, SIGMA_V
    direct = [powers[0], h * powers[0] + s * powers[1], h**2 * powers[0] + 2 * h * s * powers[1] + s**2 * powers[2]]
    Z = band()
    first, second = Z.diff(h), Z.diff(h, 2)
    closed = [Z, h * Z + s**2 * first, (h**2 + s**2) * Z + 2 * h * s**2 * first + s**4 * second]
    ends = {LOW: h + s * a, HIGH: h + s * b}
    apart = [one - other.subs(ends) for one, other in zip(direct, closed, strict=True)]
    return vanishes(*(sp.expand(one.rewrite(sp.erfc).rewrite(sp.erf)) for one in apart))


@check("truncated moments of two rules", r"$E[k_vk_u1]$ of a band of $k_v$ and a labeller's threshold on $k_u$, integrated by mpmath over "
       r"the band, with the differences of the derivatives of $\Phi_2$ at its ends")
def two_sided_high_precision() -> CheckResult:
    with mp.workdps(DIGITS):
        h_u, h_v, s_u, s_v, r, t, low, high = map(mp.mpf, ("0.3", "-0.4", "0.8", "1.1", "0.6", "-0.2", "-0.7", "0.5"))
        root = mp.sqrt(1 - r**2)

        def upper(x: mp.mpf, a: mp.mpf, power: int) -> mp.mpf:
            """E[z_u^power 1(z_u > a)] given z_v = x, for standard normals of correlation r."""
            edge = (a - r * x) / root
            if power == 0:
                return mp.ncdf(-edge)
            return r * x * mp.ncdf(-edge) + root * mp.npdf(edge)

        ends, a = [(low - h_v) / s_v, (high - h_v) / s_v], (t - h_u) / s_u
        whole = mp.quad(lambda x: (h_v + s_v * x) * (h_u * upper(x, a, 0) + s_u * upper(x, a, 1)) * mp.npdf(x), ends)
        Z = mp.quad(lambda x: upper(x, a, 0) * mp.npdf(x), ends)
        point = dict(zip((H_U, H_V, SIGMA_U, SIGMA_V, R, T_U), map(sp.Rational, ("0.3", "-0.4", "0.8", "1.1", "0.6", "-0.2")), strict=True))
        slopes = {}
        for name, part in derivatives(two_rules().subs({rho: 0, phi: 1}), H_U, H_V).items():
            if name != "Z":
                ends_of = (sp.N(part.subs(point).subs(T_V, sp.Rational(end)), DIGITS) for end in ("-0.7", "0.5"))
                slopes[name] = mp.mpf(str(next(ends_of) - next(ends_of)))
        C = mp.matrix([[s_u**2, r * s_u * s_v], [r * s_u * s_v, s_v**2]])
        push = C * mp.matrix([slopes["Z_u"], slopes["Z_v"]])
        bend = C * mp.matrix([[slopes["Z_uu"], slopes["Z_uv"]], [slopes["Z_uv"], slopes["Z_vv"]]]) * C
        apart = abs((C[0, 1] + h_u * h_v) * Z + h_u * push[1] + h_v * push[0] + bend[0, 1] - whole)
    return CheckResult(apart < mp.mpf(10) ** (5 - DIGITS), f"they differ by {mp.nstr(apart, 2)}")


def _kept(mean: np.ndarray, C: np.ndarray, u: np.ndarray, v: np.ndarray, *, offset: float, noise: float, intercept: float,
          bands: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Share kept, E[xtilde 1_kept] and E[xtilde xtilde^T 1_kept] in a row, from the closed forms."""
    arguments = (H_U, H_V, SIGMA_U, SIGMA_V, R, T_U, T_V)
    parts = derivatives(two_rules().subs({rho: 0, phi: 1}), H_U, H_V)
    slopes = sp.lambdify(arguments, [parts[name].rewrite(sp.erfc) for name in PARTS[1:]], "math")
    s_u, s_v = float(np.sqrt(u @ C @ u + noise**2)), float(np.sqrt(v @ C @ v))
    r = float(u @ C @ v) / (s_u * s_v)

    def both(a: float, b: float) -> float:
        return float(mp.quad(lambda x: mp.npdf(x) * mp.ncdf((b - r * x) / mp.sqrt(1 - r * r)), [-mp.inf, a]))

    signs = []
    for sign in (1, -1):
        h_u, h_v, found = sign * float(u @ mean), sign * float(v @ mean), np.zeros(6)
        for t_u in (-sign * offset - intercept, -sign * offset + intercept):
            for end, step in ((end, step) for band_ in bands for end, step in zip(band_, (1, -1), strict=True)):
                Z = both((h_u - t_u) / s_u, (h_v - end) / s_v)
                found += step / 2 * np.array([Z, *slopes(h_u, h_v, s_u, s_v, r, t_u, end)])
        signs += [*found]
    alpha, a, K = (np.array(each, dtype=float) for each in sp.lambdify((*KEPT_RIGHT, *KEPT_WRONG), kept_moments(), "numpy")(*signs))
    F = np.stack([mean, C @ u, C @ v], axis=1)
    return float(alpha) * np.concatenate([[1.0], F @ a.ravel(), (C + F @ K @ F.T).ravel()])


SAMPLES, SEED = 400_000, 0


@check("selected samples by Monte-Carlo", rf"{SAMPLES:,} samples in three dimensions, labelled with noise and an intercept and kept in two "
       r"bands: share kept, mean and second moment of $\tilde x$ with the closed forms, within 4.5 standard errors each; without the "
       "intercept, or with one of the two bands alone, they are rejected by the same rule")
def monte_carlo() -> CheckResult:
    rng, mean, v = np.random.default_rng(SEED), np.array([1.0, 0.2, -0.3]), np.array([0.5, -0.6, 0.8])
    root = np.array([[1.0, 0, 0], [0.3, 0.8, 0], [-0.2, 0.4, 1.2]])
    C, u, b, bands = root @ root.T, np.array([0.8, 0.5, 0.2]), 0.6, ((-1.1, -0.2), (0.5, 1.4))
    y = rng.choice([-1.0, 1.0], SAMPLES)
    x = y[:, None] * mean + rng.standard_normal((SAMPLES, 3)) @ root.T
    label = np.where(0.2 + y * (x @ u + b) + 0.5 * rng.standard_normal(SAMPLES) > 0, y, -y)
    seen, score = label[:, None] * x, label * (x @ v)
    kept = np.any([(low < score) & (score < high) for low, high in bands], axis=0)[:, None]
    parts = np.concatenate([kept, kept * seen, kept * (seen[:, :, None] * seen[:, None, :]).reshape(SAMPLES, 9)], axis=1)
    measured, error = parts.mean(axis=0), parts.std(axis=0) / SAMPLES**0.5

    def worst(intercept: float, of: tuple[tuple[float, float], ...]) -> float:
        closed = _kept(mean, C, u, v, offset=0.2, noise=0.5, intercept=intercept, bands=of)
        return float((np.abs(measured - closed) / error).max())

    right, wrong = worst(b, bands), (worst(0.0, bands), worst(b, bands[:1]))
    return CheckResult(right < 4.5 < min(wrong), f"at most {right:.1f} standard errors; the wrong ones {wrong[0]:.0f} and {wrong[1]:.0f}")


@check("selected samples of a fit", r"$w^\top\hat Cw + 2\rho(h - \hat\mu^\top w) + 2\kappa^\top(g - V^\top\hat Cw)$ of three samples in "
       r"two dimensions with the average of $(T - \hat x^\top w)^2 - T^2$ over them and what is left of $h$ and $g$; and a sample that "
       "also trains itself with one square at the averaged target and the spread of the two")
def completed_square() -> CheckResult:
    w = sp.Matrix(sp.symbols("w_0:2"))
    V = sp.Matrix(2, 2, sp.symbols("v_0:4"))
    x = [sp.Matrix(sp.symbols(f"x_{i}0 x_{i}1")) for i in range(3)]
    mean = sum(x, sp.zeros(2, 1)) / 3
    C = sum(((one - mean) * (one - mean).T for one in x), sp.zeros(2)) / 3
    h = (mean.T * w)[0]
    whole = (w.T * C * w)[0] + 2 * RHO * (H - h) + 2 * (KAPPA.T * (G - V.T * C * w))[0]
    targets = [RHO + (KAPPA.T * V.T * one)[0] for one in x]
    squares = sum((T - (one.T * w)[0]) ** 2 - T**2 for T, one in zip(targets, x, strict=True)) / 3
    left = -(h**2) + 2 * h * (KAPPA.T * V.T * mean)[0] + 2 * RHO * H + 2 * (KAPPA.T * G)[0]
    u, T, f, c = sp.symbols("u T f c")
    target = (c + f * T) / (c + f)
    both = c * (1 - u) ** 2 + f * (T - u) ** 2 - (c + f) * (target - u) ** 2 - c * f / (c + f) * (1 - T) ** 2
    return vanishes(whole - squares - left, both)


@check("selection, mean square", r"$E[(c + k^\top V^\top x - x^\top w)^2]$ for $x\sim N(\mu, C)$ from the moments of $x$ (two dimensions), "
       "with the form in three products of $w$")
def expected_square() -> CheckResult:
    w, mean = sp.Matrix(sp.symbols("w_0:2")), sp.Matrix(sp.symbols("mu_0:2"))
    V, C = sp.Matrix(2, 2, sp.symbols("v_0:4")), sp.Matrix(2, 2, sp.symbols("C_0 C_1 C_1 C_2"))
    c, along = sp.Symbol("c"), KAPPA
    line = V * along - w
    direct = c**2 + 2 * c * (line.T * mean)[0] + (line.T * (C + mean * mean.T) * line)[0]
    spread = V.T * C * V
    at = dict(zip((S_UU, S_UV, S_VV, M_U, M_V), (spread[0, 0], spread[0, 1], spread[1, 1], *(V.T * mean)), strict=True))
    return vanishes(direct - squared_target(c, along, (mean.T * w)[0], V.T * C * w, (w.T * C * w)[0]).subs(at))


def _stationary(loss: sp.Expr, unknown: tuple[sp.Symbol, ...]) -> sp.Expr:
    """A quadratic expression at its stationary point."""
    return loss.subs(sp.solve([loss.diff(x) for x in unknown], unknown, dict=True)[0])


@check("selection, many samples of the fit", r"the stationary value of the loss with a fitted generator, whose samples do not train and "
       r"are infinitely many ($\theta\to\infty$), and of the one with an exact mean, with the loss of the exact generator")
def exact_limit() -> CheckResult:
    numbers = {symbol: sp.Rational(i + 2, 2 * i + 5) for i, symbol in enumerate((*MOMENTS, S_UU, S_UV, S_VV, M_U, M_V, TAU, D))}
    numbers[S_UU], numbers[S_VV] = sp.Integer(2), sp.Integer(3)
    losses = sp.expand(fitted_loss().subs(C0, 0)), known_mean_loss()
    fitted, known = (sp.limit(loss.subs(numbers), THETA, sp.oo) for loss in losses)
    at_mean = _stationary(fitted, (*KAPPA, *G, RHO, H))
    at_known = _stationary(known, (*KAPPA, *G))
    exact = exact_loss().subs(numbers)
    return vanishes(sp.expand(at_mean - exact), sp.expand(at_known - exact))


@check("selection, no rule", r"with $K = 0$ and $a = (y, 0, 0)$, the stationary value of the loss with a fitted generator, its samples "
       "training or not, minimised over $w$, with that of the family tree of two sets, one drawn from a generator fitted on the other")
def no_rule() -> CheckResult:
    theta_s, weight, y = sp.symbols("theta_s c_s y", positive=True)
    plain = dict.fromkeys(MOMENTS, sp.Integer(0)) | {A_MU: y}
    found = []
    for trains in (0, 1):
        loss = _stationary(fitted_loss().subs(plain).subs(C0, trains), (*KAPPA, *G, RHO, H))
        product = sp.Symbol("g", positive=True)
        base = SampleSet("fit", THETA, sp.Integer(trains), sp.Integer(1), D)
        tree = fold([base, SampleSet("s", theta_s, weight, y, sp.Symbol("d"), ("fit",))])
        # gamma |w|^2 + root w^T C w = s^2 / product at the minimum with mu^T w = s, and loss holds root w^T C w already
        root = sp.expand(loss).coeff(SQUARE)
        at = _stationary(loss.subs(SQUARE, 0) + MEAN**2 / product, (MEAN,)).subs(TAU, tree.tau["s"])
        found += [root.subs(TAU, tree.tau["s"]) - tree.root, at - tree.loss(product)]
    return vanishes(*found)


def theorem() -> Theorem:
    """Return the chapter on selection by a score."""
    Z = sp.Function("Z")(H_V)
    short = {symbol: sp.Symbol(name) for symbol, name in ((A_MU, "a_mu"),)}
    q, T = sp.Symbol("q"), sp.Symbol("T")
    return Theorem(
        "selection", "Selection by a score", __doc__.split("\n\n", 1)[1],
        (
            Equation("the probability that the score of $\\tilde x$ lies in a band", sp.Eq(Z, band())),
            Equation("its slope", sp.Eq(Z.diff(H_V), band().diff(H_V))),
            Equation("its curvature, of which the truncated second moment is made", sp.Eq(Z.diff(H_V, 2), band().diff(H_V, 2))),
            Equation("the loss of kept samples beside $w^\\top\\hat Cw$", sp.Eq(q, residual(H, G).subs(short))),
            Equation("the target of a sample of the fit that does not train itself, of score $k_v$ under the verifier alone",
                     sp.Eq(T, RHO + KAPPA[1] * sp.Symbol("k_v"))),
        ),
        functions(),
        after="input_dependent",
    )  # fmt: skip
