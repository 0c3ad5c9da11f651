r"""Model collapse in closed form: lines of generators, from one conserved quantity.

A line of generators is a family tree in which the classifier trains on samples of the last one. Let $D = \mathrm{tr}\,\kappa C (\gamma I +
\kappa C)^{-1}$ be the degrees of freedom of the classifier, where $\kappa$, the root, is the weight that real samples of known law would
have. Weights are handed down from the youngest set to the oldest and left-out traces up, through the same links. So the product
$N\tau\delta$, summed over the sets of a generation, is one and the same number at every generation, and that number is $D$. This solves the
fold.

Replace. Every generator is fitted on $K_t$ samples of the one before: $D = K_t u_t/(1 + u_t)$ with $u_t = \omega_t\delta_t$ for every
set, whence

$$\kappa = \frac{c\,m}{N}\Big(1 - \frac Dm\Big)\prod_t\Big(1 - \frac D{K_t}\Big).$$

Accumulate. Every generator is fitted on all sets so far, $K$ samples each. Here $u_k (k - v_k)$ with $v_k = u_k/(1 + u_k)$ is conserved,
and equals $A = D/K$, so that $v_k$ is the smaller root of $v^2 - (k + A) v + A = 0$ and $\kappa = \frac{c\,m}N(1 - \frac Dm) \prod_{k\le
T}(1 - v_k/k)$. Since $v_k\approx A/k$ the product has a limit for $T\to\infty$, about $\sin(\pi\sqrt A)/(\pi\sqrt A)$: to accumulate
costs a bounded amount, for ever.

That is so with right labels. Where those of every generation have the mean $y = 1 - 2e$, a generation hands down the target $yT_{k+1}$, and
$T_k = T_{k+1}(1 + yg)/(1 + g)$ with $g = (1 - v_{k+1})/k$: what is left of the target at the first, real samples falls as $T^{-(1-y)} =
T^{-2e}$. To accumulate wrong labels is to collapse, if only by a power. No sum over generations is needed for what becomes of the rest: a
set keeps the square of its target times its weight, and only leave-one-out takes some of it away, so that the noise of labels and targets
is $w - AT_1^2 - \sum_kv_kw_kT_k^2$, $w_k$ the weight times q, targets over that of the last generation. In the limit it is $w$ itself.

A fresh share $f$. With the load $w = \omega q$ of a generation and the freedom $A = D/K$ that lies in it and in all before, $w' = w/(1 -
f - A)$ and $A' = A + f w'/(1 + w')$ lead to the next one. Infinitely many generations start at $A = w = 0$; the root is $\kappa = \tau
A/w$ of the last one, where $\tau$ is the weight of the training set. Labels that go wrong in every generation, of mean $y$, multiply what
is handed down: a target $V$ of the younger generation is $y V$ in the older one.

With right labels all this enters by $\kappa = R(D)$ alone. With $S = -R'/R$, $D_2 = \mathrm{tr}\,(\kappa CB)^2$, $g = \mu^\top B\mu$, $h
= \mu^\top BCB\mu$:

$$\frac{m_w^2}{s_w^2} = \frac{\kappa^2g^2}{\kappa' + \kappa^2(1 + \kappa')h},\qquad \kappa' = \frac{SD_2}{1 + S(D - D_2)}.$$

For $C = I$ let $a = \kappa/(\gamma + \kappa)$: the signal is $\mu^4/(\mu^2 + \sigma(1 + a^2\mu^2))$ with $\sigma = Sp/(1 + Spa(1 - a))$.
In a replaced line $S = \sum_t1/(K_t - pa)$, the training set included: without a ridge it grows by $1/(K - p)$ a generation, and the
accuracy falls to 1/2 as $T^{-1/2}$. A ridge of fixed weight slows that a little: $z = pTa/K$ solves $z e^z = \tau pT/(\gamma K)$, and the
signal is about $\mu^4K(1 + z)/(pT)$. Nothing survives; the directions of large eigenvalues fade last.

A heavy ridge leaves the class means, and everything is a geometric series: with a fresh share $f$ and labels of mean $y$ in every
generation the mean of the last generator is $\mu f/(1 - x)$, $x = (1 - f)y$, with the variance $1/(K(1 - x^2))$ in every direction. So
the share and the verifier that keep an accuracy $\Phi(s)$ for ever are $(1 - x)/(1 + x) = Kf^2Z/p$, $Z = \mu^4/s^2 - \mu^2$.
"""

from __future__ import annotations

import mpmath as mp
import sympy as sp

from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes
from .family_tree import Folded, Q, SampleSet, fold

A, W, F, K, T, P = sp.symbols("A w f K T p", positive=True)
D, S, TAU, Y = sp.symbols("D S tau y", positive=True)
V, K_TH = sp.symbols("v k", positive=True)
ZERO, ONE = sp.Integer(0), sp.Integer(1)
TWO_SETS = sp.symbols("theta theta_s c v_2 delta_1:4", positive=True)


def accumulated(k: sp.Expr) -> sp.Expr:
    """v_k, the smaller root of v^2 - (k + A) v + A = 0, in a form that does not cancel."""
    return 2 * A / (k + A + sp.sqrt((k + A) ** 2 - 4 * A))


def next_load() -> sp.Expr:
    """w of the next generation."""
    return W / (1 - F - A)


def next_freedom() -> sp.Expr:
    """A of the next generation."""
    return A + F * next_load() / (1 + next_load())


def slope_of_root(s: sp.Expr, d: sp.Expr, d2: sp.Expr) -> sp.Expr:
    """kappa', the slope of the root in t."""
    return s * d2 / (1 + s * (d - d2))


def isotropic_signal(mu: sp.Expr, s: sp.Expr, a: sp.Expr) -> sp.Expr:
    """m_w^2 / s_w^2 for C = I; a = kappa / (gamma + kappa)."""
    sigma = s * P / (1 + s * P * a * (1 - a))
    return mu**4 / (mu**2 + sigma * (1 + a**2 * mu**2))


# --- the fold, solved -------------------------------------------------------------------------------------------------


@check("collapse, replace", "the equations of the fold of three replaced generations of different sizes at $u_t = D/(K_t - D)$, and its "
       "root with the product, times q with $D/N$")
def replaced() -> CheckResult:
    d, c = sp.symbols("d c", positive=True)  # D / N
    theta = sp.symbols("theta_1:5", positive=True)
    deltas = sp.symbols("delta_1:5", positive=True)
    names = "abcs"
    sets = [SampleSet(names[i], theta[i], c if i == 3 else ZERO, ONE, deltas[i], (names[i - 1],) if i else ()) for i in range(4)]
    folded = fold(sets)
    at, kept = {}, Q
    for i in range(4):
        at[deltas[i]] = kept
        kept *= 1 - d / theta[i]
    weight = d / ((theta[3] - d) * at[deltas[3]])  # c for which the degrees of freedom are d
    at[c] = weight
    root = folded.root.subs(at)
    product = theta[3] * weight * sp.Mul(*(1 - d / each for each in theta))
    return vanishes(*(equation.subs(at) for equation in folded.equations), root * Q - d, root - product)


@check("collapse, accumulate", "$u_k(k - v_k)$ of a set and of the next one, by the rules that hand weights down and traces up")
def accumulates() -> CheckResult:
    k, omega, delta, u, after = sp.symbols("k omega delta u_k u_next", positive=True)
    v, v_after = u / (1 + u), after / (1 + after)
    younger = omega / (1 + (1 - v_after) / k)  # the weight of set k is that of set k + 1 and what k + 1 hands down
    later = delta * (1 - v / k)
    # with omega delta = u these define u_next
    condition = sp.numer(sp.together((younger * later).subs(delta, u / omega) - after))
    return vanishes(u * (k - v) - after * (k + 1 - v_after), modulo=(condition, after))


def _two_sets(y: sp.Expr) -> tuple[Folded, dict[sp.Expr, sp.Expr], sp.Expr]:
    """The fold of a generator fitted on a real set and on samples, labels of mean y, of a generator fitted on that set; its solution; A."""
    theta, theta_s, c, v, base, second, last = TWO_SETS
    sets = [SampleSet("a", theta, ZERO, ONE, base), SampleSet("b", theta, ZERO, y, second, ("a",)),
            SampleSet("s", theta_s, c, ONE, last, ("a", "b"))]
    share = v * (2 - v) / (1 - v)  # A for which v_2 is v
    at = {base: Q, second: Q * (1 - share), last: Q * (1 - share) * (1 - v / 2)}
    at[c] = share * theta / ((theta_s - share * theta) * at[last])
    return fold(sets), at, share


@check("collapse, accumulate, two sets", "the fold of a generator fitted on a real set and on samples of a generator fitted on that set, "
       "of K samples each, with the product $(1 - v_1)(1 - v_2/2)(1 - D/m)$")
def accumulated_fold() -> CheckResult:
    theta, theta_s, c, v, *_ = TWO_SETS
    folded, at, share = _two_sets(ONE)
    d = share * theta
    root = folded.root.subs(at)
    product = theta_s * at[c] * (1 - d / theta_s) * (1 - share) * (1 - v / 2)
    return vanishes(*(equation.subs(at) for equation in folded.equations), root * Q - d, root - product,
                    v**2 - (2 + share) * v + share)  # fmt: skip


def step_of_labels() -> dict[str, sp.Expr]:
    """Weight (times q) of the next accumulated generation, and its target over that of this one; v is that of the next."""
    g = (1 - V) / K_TH
    return {"load": W / (1 + g), "growth": (1 + g) / (1 + Y * g)}


def label_noise(load: sp.Expr, second: sp.Expr, lost: sp.Expr) -> sp.Expr:
    """What is left of the training loss for labels and targets that differ: all but the root's part and what leave-one-out takes."""
    return load - second - lost


@check("collapse, accumulate, wrong labels", "target and noise of a generator fitted on a real set and on samples with labels of mean y "
       "of a generator fitted on that set, in the fold, with the step and the balance of what is lost")
def accumulated_labels() -> CheckResult:
    theta, _, _, v, *_ = TWO_SETS
    folded, at, share = _two_sets(Y)
    weight = share / (1 - share)
    step = {name: value.subs({W: weight, V: v, K_TH: 1}) for name, value in step_of_labels().items()}
    target = 1 / step["growth"]
    lost = share * weight * target**2 + v * step["load"]
    noise = label_noise(2 * step["load"], share * target**2, lost)
    return vanishes(*(folded.equations[i].subs(at) for i in range(3)), folded.target.subs(at) - target,
                    folded.irreducible.subs(at) - theta / Q * noise)  # fmt: skip


@check("collapse, accumulate, wrong labels at 30 digits", "target and noise of five accumulated generations, labels of mean y in all but "
       "the first, solved as a system, with the steps")
def accumulated_labels_digits() -> CheckResult:
    with mp.workdps(30):
        depth, theta, freedom, y = 5, sp.Rational(3, 4), mp.mpf("0.4"), sp.Rational(3, 5)
        v = [sp.lambdify(A, accumulated(sp.Integer(k)), "mpmath")(freedom) for k in range(1, depth + 1)]
        run = sp.lambdify((W, V, K_TH), [each.subs(Y, y) for each in step_of_labels().values()], "mpmath")
        weights, targets = [freedom / (1 - freedom)], [mp.mpf(1)]
        for k in range(1, depth):
            load, growth = run(weights[-1], v[k], k)
            weights.append(load)
            targets.append(targets[-1] * growth)
        targets = [each / targets[-1] for each in targets]
        lost = sum(a * b * t**2 for a, b, t in zip(v, weights, targets, strict=True))
        noise = label_noise(depth * weights[-1], freedom * targets[0] ** 2, lost)
        deltas = [mp.mpf(1) / 3]
        for k in range(1, depth + 1):
            deltas.append(deltas[-1] * (1 - v[k - 1] / k))
        symbols = sp.symbols(f"d_1:{depth + 2}", positive=True)
        names = [f"k{i}" for i in range(depth)]
        sets = [SampleSet(names[i], theta, ZERO, y if i else ONE, symbols[i], tuple(names[:i])) for i in range(depth)]
        c = sp.Symbol("c", positive=True)
        folded = fold([*sets, SampleSet("s", ONE, c, ONE, symbols[-1], tuple(names))])
        weight = freedom * theta / ((1 - freedom * theta) * deltas[-1])
        found = sp.lambdify((Q, c, *symbols), [folded.target, folded.irreducible * Q / theta, *folded.equations], "mpmath", cse=True)
        target, rest, *apart = found(deltas[0], weight, *deltas)
        worst = max(abs(target / targets[0] - 1), abs(rest / noise - 1), *map(abs, apart))
        return CheckResult(bool(worst < mp.mpf("1e-25")), f"largest difference {mp.nstr(worst, 3)}")


@check("collapse, accumulate, power law", "the growth of the target without any load with that of "
       r"$\Gamma(1 + y)\Gamma(k + 1)/\Gamma(k + y)$, and this at $10^3$ to $10^5$ with $\Gamma(1 + y)k^{1-y}$")
def power_of_labels() -> CheckResult:
    growth = step_of_labels()["growth"].subs(V, 0)

    def whole(k: sp.Expr, y: sp.Expr) -> sp.Expr:
        return sp.gamma(1 + y) * sp.gamma(k + 1) / sp.gamma(k + y)

    same = vanishes(sp.gammasimp(whole(K_TH + 1, Y) / whole(K_TH, Y)) - growth, whole(ONE, Y) - 1)
    y = sp.Rational(3, 5)
    gaps = [abs(sp.N(sp.exp(sp.loggamma(k + 1) - sp.loggamma(k + y)) / sp.Integer(k) ** (1 - y)) - 1) for k in (10**3, 10**4, 10**5)]
    return CheckResult(bool(same.holds and gaps[2] < gaps[1] < gaps[0] < sp.Rational(1, 1000)),
                       f"{same.found}; relative differences {', '.join(str(sp.N(gap, 2)) for gap in gaps)}")  # fmt: skip


@check("collapse, fresh share", "the fold of two generations with a fresh share with the steps of load and freedom, fold's equations and "
       "root included")
def fresh_fold() -> CheckResult:
    theta, theta_s, c, w = sp.symbols("theta theta_s c w_1", positive=True)
    base, new, second, last = sp.symbols("delta_1:5", positive=True)
    first = w / (1 + w)
    later = next_load().subs({W: w, A: first})
    total = next_freedom().subs({W: w, A: first})
    sets = [SampleSet("a", theta, ZERO, ONE, base), SampleSet("fresh", F * theta, ZERO, ONE, new),
            SampleSet("b", (1 - F) * theta, ZERO, ONE, second, ("a",)), SampleSet("s", theta_s, c, ONE, last, ("b", "fresh"))]
    folded = fold(sets)
    at = {base: Q, new: Q, second: Q / (1 + w)}
    tau = theta * later / Q  # N tau q / K is the load of the last generation
    at[last] = F * Q / (1 + later) + (1 - F) * at[second] / (1 + later / (1 + w))
    at[c] = tau / (theta_s - tau * at[last])
    root = folded.root.subs(at)
    return vanishes(*(equation.subs(at) for equation in folded.equations), folded.tau["s"].subs(at) - tau, root * Q - total * theta,
                    theta * at[last] * tau - theta * theta * total)  # fmt: skip


@check("collapse, at 30 digits", "root and traces of five accumulated generations, solved as a system, with the product over $v_k$")
def accumulated_digits() -> CheckResult:
    with mp.workdps(30):
        generations, gamma, p, count, m = 5, mp.mpf("0.3"), 40, 60, 90
        c = [mp.mpf(1) / (i + 1) ** mp.mpf("0.5") for i in range(p)]
        symbols = sp.symbols(f"d_1:{generations + 2}", positive=True)
        names = [f"k{i}" for i in range(generations)]
        sets = [SampleSet(names[i], sp.Rational(count, m), ZERO, ONE, symbols[i], tuple(names[:i])) for i in range(generations)]
        folded = fold([*sets, SampleSet("s", ONE, ONE, ONE, symbols[-1], tuple(names))])
        run = sp.lambdify((Q, *symbols), [folded.root, *folded.equations], "mpmath", cse=True)
        q = mp.mpf(1) / 2
        deltas = [q] * (generations + 1)
        for _ in range(150):  # plain iteration, from the fold alone
            root, *apart = run(q, *deltas)
            deltas = [one - gap for one, gap in zip(deltas, apart, strict=True)]
            q = sum(each / (gamma + root * each) for each in c) / m
        root = run(q, *deltas)[0]
        freedom = m * root * q
        product = 1 - freedom / m
        share = freedom / count
        for k in range(1, generations + 1):
            product *= 1 - sp.lambdify(A, accumulated(sp.Integer(k)), "mpmath")(share) / k
        apart = abs(product / root - 1)
        return CheckResult(bool(apart < mp.mpf("1e-25")), f"relative difference {mp.nstr(apart, 3)}")


# --- what follows -----------------------------------------------------------------------------------------------------


@check("collapse, signal", "the slope of the root in t and the variance of $L = \\kappa/(1 + \\kappa g)$, by implicit derivatives (two "
       "eigenvalues), with the closed forms; $C = I$ by substitution")
def signal() -> CheckResult:
    gamma, kappa, slope, mu = sp.symbols("gamma kappa slope mu", positive=True)
    c, m, h = sp.symbols("c_0:2", positive=True), sp.symbols("m_0:2", positive=True), sp.symbols("h_0:2", positive=True)
    b = [1 / (gamma + kappa * each) for each in c]
    trace, trace2 = (sum(x * each**i * y**i for x, each, y in zip(h, c, b, strict=True)) for i in (1, 2))
    g, gb = sum(x * y for x, y in zip(m, b, strict=True)), sum(x * each * y**2 for x, each, y in zip(m, c, b, strict=True))
    freedom, freedom2 = kappa * trace, kappa**2 * trace2
    moved = slope * trace - kappa * (1 + slope) * trace2  # dD/dt, where B moves with kappa + t
    found = slope_of_root(S, freedom, freedom2)
    by_hand = sp.solve(sp.Eq(slope / kappa, -S * moved), slope)[0]
    variance = (slope - kappa**2 * (-(1 + slope) * gb)) / (1 + kappa * g) ** 2
    margin = kappa * g / (1 + kappa * g)
    general = kappa**2 * g**2 / (slope + kappa**2 * (1 + slope) * gb)
    a = kappa / (gamma + kappa)
    flat = {c[0]: 1, c[1]: 1, h[0]: P, h[1]: 0, m[0]: mu**2, m[1]: 0}
    isotropic = general.subs(slope, found).subs(flat)
    return vanishes(by_hand - found, margin**2 / variance - general, isotropic - isotropic_signal(mu, S, a))


@check("collapse, no ridge", "the signal of T replaced generations of K samples and a training set of m, $a\\to1$, with "
       "$\\mu^4/(\\mu^2 + (1 + \\mu^2)\\,p\\,(T/(K - p) + 1/(m - p)))$")
def no_ridge() -> CheckResult:
    mu, m, a = sp.symbols("mu m a", positive=True)
    s = T / (K - P * a) + 1 / (m - P * a)
    closed = mu**4 / (mu**2 + (1 + mu**2) * P * (T / (K - P) + 1 / (m - P)))
    return vanishes(isotropic_signal(mu, s, a).subs(a, 1) - closed)


@check("collapse, many generations", "the signal times $pT/(\\mu^4K(1 + z))$ at $10^4$ to $10^{12}$ generations, solved at 30 digits, "
       "which tends to 1")
def many_generations() -> CheckResult:
    with mp.workdps(30):
        mu, p, k, gamma, tau = mp.mpf("1.5"), mp.mpf(200), mp.mpf(300), mp.mpf("0.1"), mp.mpf(1)
        gaps = []
        for power in (4, 8, 12):
            t = mp.mpf(10) ** power
            z = mp.lambertw(tau * p * t / (gamma * k)).real
            guess = z * k / (p * t)
            a = mp.findroot(lambda a, t=t: mp.log(gamma * a / (1 - a)) - mp.log(tau) - t * mp.log(1 - p * a / k), guess)
            exact = sp.lambdify(P, isotropic_signal(sp.Symbol("mu"), S, sp.Symbol("a")).subs({"mu": mu, S: t / (k - p * a), "a": a}),
                                "mpmath")(p)
            gaps.append(abs(exact * p * t / (mu**4 * k * (1 + z)) - 1))
        return CheckResult(bool(gaps[2] < gaps[1] < gaps[0] < mp.mpf("0.1") and gaps[2] < mp.mpf("1e-8")),
                           "relative differences " + ", ".join(mp.nstr(gap, 2) for gap in gaps))  # fmt: skip


@check("collapse, replaced against fewer", "$T$ generations of $K$ samples with one of $K/T$: the root $(1 - D/K)^T$ and the noise "
       "$T/(K - D)$ are never worse ($T$ up to 6)")
def fewer() -> CheckResult:
    x = sp.Symbol("x", positive=True)  # D / K, below 1 / T
    holds = []
    for t in range(2, 7):
        gap = sp.Poly(sp.expand((1 - x) ** t - (1 - t * x)), x)
        noise = sp.simplify(t / (1 - t * x) - t / (1 - x) - t * (t - 1) * x / ((1 - t * x) * (1 - x)))
        holds.append(gap.count_roots(sp.Rational(1, 10**6), sp.Rational(1, t)) == 0 and gap.eval(sp.Rational(1, 2 * t)) > 0 and noise == 0)
    return CheckResult(all(holds), f"{len(holds)} values of T")


def lasting_mean() -> dict[str, sp.Expr]:
    """Mean (over mu) and variance (times K) of the last generator's mean in a line with a fresh share and labels of mean y."""
    x = (1 - F) * Y
    return {"mean": F / (1 - x), "variance": 1 / (1 - x**2)}


def weakest_labels(z: sp.Expr) -> sp.Expr:
    """The mean label y in every generation at which p variance / mean^2 is z, with a heavy ridge."""
    r = K * F**2 * z / P
    return (1 - r) / ((1 + r) * (1 - F))


def least_share(z: sp.Expr) -> sp.Expr:
    """The fresh share at which p variance / mean^2 is z, with right labels and a heavy ridge."""
    return 1 - sp.sqrt(1 - P / (K * z))


@check("collapse, heavy ridge", "mean and variance of the last generator's mean with what the next generation makes of them; the weakest "
       "labels and the smallest share with the noise that they allow")
def heavy_ridge() -> CheckResult:
    found, z = lasting_mean(), sp.Symbol("z", positive=True)
    mean = F + (1 - F) * Y * found["mean"]
    # a fresh share of f K samples and (1 - f) K of the last generator, whose labels have the mean y
    variance = F**2 / F + (1 - F) ** 2 * (Y**2 * found["variance"] + 1 / (1 - F))
    noise = P * found["variance"] / (K * found["mean"] ** 2)
    right = noise.subs(Y, 1)
    return vanishes(mean - found["mean"], sp.simplify(variance - found["variance"]), noise.subs(Y, weakest_labels(z)) - z,
                    sp.simplify(right.subs(F, least_share(z)) - z))  # fmt: skip


# --- functions --------------------------------------------------------------------------------------------------------

KEPT, PRODUCT, REAL, SCALE, LABEL = sp.symbols("kept product real scale label", positive=True)
R1, R2, NOISE = sp.symbols("first second noise", real=True)


def line_loss() -> sp.Expr:
    """Training loss of the samples of a line, beside real ones.

    With scale = K/(N q): scale w and scale A are the weight of the training set and the root of the line; first and second are the sums
    over the line of its real sets' freedom times target and its square, noise that of label variances; real is the root of the real samples
    trained on.
    """
    kappa, target = REAL + SCALE * A, (REAL + SCALE * LABEL * R1) / (REAL + SCALE * A)
    spread = REAL + SCALE * LABEL**2 * (R2 + NOISE) - kappa * target**2
    return SCALE * W * (1 - LABEL**2) + spread + kappa * target**2 / (1 + kappa * PRODUCT)


@check("collapse, loss of a line", "with right labels $L = \\kappa/(1 + \\kappa g)$ for the root of real samples and line together")
def right_loss() -> CheckResult:
    kappa = REAL + SCALE * A
    return vanishes(line_loss().subs({LABEL: 1, R1: A, R2: A, NOISE: 0}) - kappa / (1 + kappa * PRODUCT))


def theorem() -> Theorem:
    """The chapter on model collapse."""
    k, kappa, mu, a = sp.Symbol("k", positive=True), sp.Symbol("kappa"), sp.Symbol("mu", positive=True), sp.Symbol("a", positive=True)
    v, load, freedom, loss = accumulated(k), next_load(), next_freedom(), line_loss()
    pulled = (REAL + SCALE * LABEL * R1) * PRODUCT / (1 + (REAL + SCALE * A) * PRODUCT)
    slopes = {f"loss_{name}": sp.simplify(loss.diff(symbol)) for name, symbol in
              (("real", REAL), ("scale", SCALE), ("freedom", A), ("load", W), ("first", R1), ("second", R2), ("noise", NOISE),
               ("product", PRODUCT))}  # fmt: skip
    z, labels = sp.Symbol("Z", positive=True), step_of_labels()
    return Theorem(
        "collapse", "Model collapse in closed form", __doc__.split("\n\n", 1)[1],
        (
            Equation("the root of T replaced generations of K samples each, of a training set of weight $\\tau$ by its degrees of freedom",
                     sp.Eq(kappa, TAU * (1 - D / K) ** T)),
            Equation("$v_k$ of accumulated generations", sp.Eq(sp.Symbol("v_k"), v)),
            Equation("the target of the next accumulated generation over that of this one, labels of mean y",
                     sp.Eq(sp.Symbol("T_k+1") / sp.Symbol("T_k"), labels["growth"].subs(V, sp.Symbol("v_k+1")))),
            Equation("the load of the next generation with a fresh share", sp.Eq(sp.Symbol("w'"), load)),
            Equation("the freedom in it", sp.Eq(sp.Symbol("A'"), freedom)),
            Equation("the signal for $C = I$", sp.Eq(sp.Symbol("m_w") ** 2 / sp.Symbol("s_w") ** 2, isotropic_signal(mu, S, a))),
            Equation("the mean label of every generation that keeps an accuracy for ever, heavy ridge", sp.Eq(Y, weakest_labels(z))),
            Equation("the smallest share of fresh samples with right labels", sp.Eq(F, least_share(z))),
        ),
        (
            Function("accumulated", "v_k of accumulated generations, and its slope in A.", (k, A),
                     {"v": v, "v_freedom": sp.simplify(-(v - 1) / (k + A - 2 * v))}),
            Function("label_step", "Weight (times q) and target (over this one's) of the next accumulated generation, and their slopes.",
                     (W, V, K_TH, Y), {**labels, "load_load": labels["load"].diff(W), "load_v": sp.simplify(labels["load"].diff(V)),
                                       "growth_v": sp.simplify(labels["growth"].diff(V))}),
            Function("fresh_step", "Load and freedom of the next generation, and their slopes in load and freedom.", (W, A, F),
                     {"load": load, "freedom": freedom, "load_load": load.diff(W), "load_freedom": load.diff(A),
                      "freedom_load": sp.simplify(freedom.diff(W)), "freedom_freedom": sp.simplify(freedom.diff(A))}),
            Function("line_response", "Mean margin of a classifier trained on a line, and the slopes of its training loss.",
                     (REAL, SCALE, LABEL, A, W, R1, R2, NOISE, PRODUCT), {"mean_margin": pulled, **slopes}),
            Function("weakest_labels", "The mean label of every generation that keeps p variance / mean^2 at z, with a heavy ridge.",
                     (z, P, K, F), {"label": weakest_labels(z)}),
            Function("least_share", "The share of fresh samples with right labels that keeps p variance / mean^2 at z, with a heavy ridge.",
                     (z, P, K), {"share": least_share(z)}),
            Function("isotropic_signal", "m_w^2 / s_w^2 for C = I.", (mu, S, a, P), {"signal": isotropic_signal(mu, S, a)}),
        ),
        after="family_tree",
    )  # fmt: skip
