r"""Relabelling round by round, with the memory that a label has of itself.

The setting of the [limit](#limit): isotropic classes, every sample folded by its given label, $x = s\mu + z$ with $z\sim N(0, I)$ and $s =
-1$ where the label is wrong. Round $t$ trains the ridge with soft labels $a^t_i$ in place of the given ones (which the folding has made 1),

$$w^t = \operatorname{argmin}_w\tfrac12\sum_ic_i(a^t_i - x_i^\top w)^2 + \tfrac\alpha2|w|^2,$$

and gives every synthetic sample the label that its left-out score $h^t_i$ says @eq:soft_label; the first labels are $1 - 2e$. The slope
$\beta_t$ is the most likely one. Real labels stay 1.

*A sample in its round.* The score that leaves it out becomes $h + \delta f$ by training on it, with the force $f$ @eq:force
(Sherman-Morrison).

*A sample in later rounds.* Its force moves the scores of the others, these move their labels, these the classifier of the next round, and
that the sample's own score. Leaving it out of round $t$ does not undo that: the score still holds a share $\Delta_{tr}$ of the force that
the sample had in an earlier round $r$. With $\xi_t$ the score of a classifier in whose history the sample had no part,

$$h^t = sm_t + \xi_t + \sum_{r<t}\Delta_{tr}f^r,\qquad \xi\sim N(0, Q).$$

*A feature.* The stationarity $\alpha w^t = \sum_ix_if^t_i$ holds in every round, and leaving out a feature instead of a sample says in the
same way what its weight does to all forces: $\Phi_{tr} = \sum_iE[\partial f^t_i/\partial\xi_r]$. What is left is Gaussian, so that
$\alpha w = \Phi w + \mu F + g$ for the vector $w$ of a feature's weights in all rounds, with $F_t = \sum_iE[sf^t_i]$ and $g\sim N(0, V)$,
$V_{tr} = \sum_iE[f^t_if^r_i]$. Hence @eq:response, @eq:mean and @eq:overlaps. All matrices are lower triangular: a round depends on
earlier ones only, and as the force is linear in the present score, its own $\delta$, $m_t$ and $Q_{tr}$ follow from linear equations
(Stein's lemma turns $E[\xi_tf^r]$ into derivatives), once the averages over the paths $\xi_0, \dots, \xi_{t-1}$ are known.

*Two idealisations.* Were $\Delta_{tr} = 0$ for $r < t$, every label would be calibrated. Were $\Phi_{tr} = 0$ too, so that a classifier
owes nothing to the one that labelled its samples, rounds of a heavy ridge would be the steps @eq:overlap towards the limit. Both vanish
next to the ridge's own pull only where samples are many; with a light ridge a label remembers itself, and its noise is learnt by heart.

Not covered: an intercept, a share of wrong labels that is estimated in every round, covariances other than the identity.
"""

from __future__ import annotations

from functools import partial

import mpmath
import sympy as sp

from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes
from .limit import posterior_label

RIDGE, DELTA, C0, P, SIZE = sp.symbols("alpha delta c p mu", positive=True)
SCORE, SLOPE, L, LABEL = sp.symbols("h beta L a", real=True)
MEAN, PULL, TARGET, PAST, SQUARE, CROSS, SECOND, S = sp.symbols("m pull target past square cross second Q", real=True)
POINTS = ((1.3, 0.9, 0.4), (0.4, 0.25, 1.1), (2.1, 1.6, 0.1))  # (m, Q, L) at which integrals are compared
DIGITS = 30
ROUNDS = 4  # of linear labels that are compared with counting


def soft_label() -> sp.Expr:
    """Return the label that a left-out score gives a synthetic sample whose given label, 1, has the log-odds 2 L to be right."""
    return sp.tanh(SLOPE * SCORE + L)


def force(target: sp.Expr, score: sp.Expr) -> sp.Expr:
    """Return the force of a sample of the weight c whose score would be `score` without it."""
    return C0 * (target - score) / (1 + C0 * DELTA)


def evidence() -> sp.Expr:
    """Return the derivative in the slope of the log-likelihood of a given label, with the label a that the score gives it."""
    return SCORE * (LABEL - sp.tanh(SLOPE * SCORE))


def mean_margin() -> sp.Expr:
    """Return m_t: past = sum_{r < t} Delta_tr F_r, pull = sum_i c/(1 + c delta), target = sum_i c/(1 + c delta) E[s b_i]."""
    return sp.solve(sp.Eq(MEAN, SIZE**2 / P * (PAST + DELTA * (TARGET - PULL * MEAN))), MEAN)[0]


def variance() -> sp.Expr:
    """Return Q_tt: second = sum_i (c/(1 + c delta))^2, square = the same sum of E[(b_i - s m_t)^2 - 2 b_i xi_t], cross = sum_{r < t}
    Delta_tr (2 delta V_tr + sum_q Delta_tq V_qr)."""
    return sp.solve(sp.Eq(S, MEAN**2 / SIZE**2 + (CROSS + DELTA**2 * (SQUARE + SECOND * S)) / P), S)[0]


def functions() -> tuple[Function, ...]:
    """Return the functions to generate: the label and its calibration, and the linear equations of a round, solved."""
    return (
        Function("soft_label", "The label that a left-out score gives a synthetic sample, and its derivative in the score.",
                 (SCORE, SLOPE, L), {"label": soft_label(), "label_score": SLOPE * (1 - soft_label() ** 2)}),
        Function("evidence", "The derivative in the slope of the log-likelihood of a given label.", (SCORE, SLOPE, LABEL),
                 {"evidence": evidence()}),
        Function("mean_margin", "The mean margin of a round.", (SIZE, P, DELTA, PAST, PULL, TARGET), {"mean_margin": mean_margin()}),
        Function("variance", "The variance of the margin in a round.", (SIZE, P, DELTA, MEAN, CROSS, SECOND, SQUARE),
                 {"variance": variance()}),
    )  # fmt: skip


# --- checks -----------------------------------------------------------------------------------------------------------


@check("a sample in its round", "the ridge with a sample less the one without it, on two features, with its force along the inverse, and "
       r"the score with $h + \delta f$")
def in_its_round() -> CheckResult:
    a, b, d, x1, x2, v1, v2 = sp.symbols("A_11 A_12 A_22 x_1 x_2 v_1 v_2")
    A, x, v = sp.Matrix([[a, b], [b, d]]), sp.Matrix([x1, x2]), sp.Matrix([v1, v2])
    without, full = A.inv() * v, (A + C0 * x * x.T).inv() * (v + C0 * LABEL * x)
    moved = {DELTA: (x.T * A.inv() * x)[0]}
    pushed = force(LABEL, (x.T * without)[0]).subs(moved)
    return vanishes(*(full - without - A.inv() * x * pushed), (x.T * (full - without))[0] - moved[DELTA] * pushed)


@check("the linear equations of a round", r"$m_t$ and $Q_{tt}$ with @eq:mean and @eq:overlaps of the second of two rounds, the inverse "
       "taken as a matrix")
def linear_equations() -> CheckResult:
    d0, d10, f0, f1, v00, v10, v11 = sp.symbols("delta_0 Delta_10 F_0 F_1 V_00 V_10 V_11")
    phi10 = P * d10 / (DELTA * d0)  # from (alpha I - Phi) Delta = p I
    system = sp.Matrix([[P / d0, 0], [-phi10, P / DELTA]]).inv()
    F, V = sp.Matrix([f0, f1]), sp.Matrix([[v00, v10], [v10, v11]])
    margins, overlaps = SIZE**2 * system * F, system * (SIZE**2 * F * F.T + P * V) * system.T
    mean = mean_margin().subs({PAST: d10 * f0, TARGET: f1 + PULL * margins[1]})
    square = variance().subs({MEAN: margins[1], CROSS: d10 * (2 * DELTA * v10 + d10 * v00), SQUARE: v11 - SECOND * overlaps[1, 1]})
    return vanishes(system[1, 0] - d10 / P, mean - margins[1], square - overlaps[1, 1])


def linear_rounds(rounds: int, memory: bool = True) -> tuple[list[sp.Expr], sp.Matrix]:
    """Return m and Q of rounds with labels a^{t+1} = b h^t instead of soft ones, a heavy ridge (alpha = 1 by scaling b), right labels."""
    b, count = sp.symbols("b N", positive=True)
    response, Phi = sp.zeros(rounds, rounds), sp.zeros(rounds, rounds)
    means: list[sp.Expr] = []
    labels = [(sp.Integer(1), sp.zeros(1, rounds))]  # mean of a^t, and its coefficients along xi
    Q = sp.zeros(rounds, rounds)
    for t in range(rounds):
        constant, along = labels[t]
        for r in range(t):
            Phi[t, r] = count * along[r]
        response = (sp.eye(rounds) - Phi).inv()
        sums = [count * labels[q][0] for q in range(t + 1)]
        known = Q.copy()
        products = [[count * (labels[q][0] * labels[r][0] + (labels[q][1] * known * labels[r][1].T)[0]) for r in range(t + 1)]
                    for q in range(t + 1)]
        means.append(sp.expand(SIZE**2 * sum(response[t, r] * sums[r] for r in range(t + 1))))
        for r in range(t + 1):
            Q[t, r] = Q[r, t] = sp.expand(sum(
                response[t, q] * response[r, u] * (SIZE**2 * sums[q] * sums[u] + P * products[q][u])
                for q in range(t + 1) for u in range(r + 1)))
        own = [P * response[t, r] if memory else 0 for r in range(t)]
        constant = means[t] + sum(own[r] * labels[r][0] for r in range(t))
        along = sp.zeros(1, rounds)
        along[t] = 1
        for r in range(t):
            along += own[r] * labels[r][1]
        labels.append((sp.expand(b * constant), (b * along).expand()))
    return means, Q


def counted_rounds(rounds: int) -> tuple[list[sp.Expr], sp.Matrix]:
    """Return the same by counting: the labels are a polynomial in X X^T, whose moments are Narayana's numbers.

    X = u e^T + Z with e along mu, u = |mu| 1 + noise of its own, Z independent of u: forms u^T (Z Z^T)^j 1 are the product of u^T 1 and the
    mean eigenvalue power.
    """
    b, count = sp.symbols("b N", positive=True)
    x = sp.Symbol("x")
    top = 2 * rounds + 1
    moments = [sp.Integer(1)] + [sum(sp.binomial(j, i) * sp.binomial(j, i - 1) * P**i * count ** (j - i) for i in range(1, j + 1)) / j
                                 for j in range(1, top + 1)]

    def power(polynomial: sp.Expr) -> sp.Expr:
        return sum(c * moments[k] for (k,), c in sp.Poly(polynomial, x).terms())

    gram = {("1", "1"): count, ("1", "u"): SIZE * count, ("u", "u"): count * (SIZE**2 + 1)}

    def form(one: dict[str, sp.Expr], polynomial: sp.Expr, other: dict[str, sp.Expr]) -> sp.Expr:
        return sum(gram[tuple(sorted((i, j)))] * power(sp.expand(one[i] * other[j] * polynomial)) for i in one for j in other)

    vectors, at = [{"1": sp.Integer(1), "u": sp.Integer(0)}], {"1": sp.Integer(0), "u": sp.Integer(1)}
    for _ in range(rounds - 1):
        last = vectors[-1]
        overlap = form(at, sp.Integer(1), last)
        vectors.append({"1": sp.expand(b * (x - P) * last["1"]), "u": sp.expand(b * ((x - P) * last["u"] + overlap))})
    means = [sp.expand(SIZE * form(at, sp.Integer(1), one)) for one in vectors]
    Q = sp.Matrix(rounds, rounds, lambda t, r: sp.expand(
        form(vectors[t], x, vectors[r]) + form(at, sp.Integer(1), vectors[t]) * form(at, sp.Integer(1), vectors[r])))
    return means, Q


@check("linear labels by counting", "mean margins and overlaps of four rounds with the moments of Wishart matrices; that "
       "without memory differs from them in its third round")
def linear_labels() -> CheckResult:
    means, Q = linear_rounds(ROUNDS)
    counted, overlaps = counted_rounds(ROUNDS)
    off = [sp.expand(one - other) for one, other in zip([*means, *Q], [*counted, *overlaps], strict=True)]
    forgetful = sp.expand(linear_rounds(ROUNDS, memory=False)[0][2] - counted[2])
    left = sum(one != 0 for one in off)
    return CheckResult(not left and forgetful != 0, f"{left} of {len(off)} differences left over; without memory the third margin is "
                       f"{'right' if forgetful == 0 else 'off by ' + str(forgetful)}")


@check("the most likely slope", "the derivative of the log-likelihood with @eq:evidence, and the label with that of the limit at "
       r"$\beta = m/Q$")
def most_likely() -> CheckResult:
    wrong = 1 / (1 + sp.exp(2 * L))
    right = 1 / (1 + sp.exp(-2 * SLOPE * SCORE))
    slope = sp.diff(sp.log(wrong + (1 - 2 * wrong) * right), SLOPE)
    left = [sp.simplify(one.rewrite(sp.exp)) for one in (
        slope - evidence().subs(LABEL, soft_label()),
        soft_label().subs(SLOPE, MEAN / S) - posterior_label(SCORE * MEAN / S).subs(sp.Symbol("L", real=True), L),
        sp.diff(soft_label(), SCORE) - SLOPE * (1 - soft_label() ** 2))]
    return CheckResult(not any(left), f"{sum(map(bool, left))} of {len(left)} identities left over")


@check("calibrated without memory", r"the evidence at $\beta = m/Q$ where $h\sim N(sm, Q)$ with 0, that of a score which remembers its own "
       r"force with something else, and $E[\xi a]$ with $QE[a']$ (Stein), to 25 digits")
def calibrated() -> CheckResult:
    worst, biased = mpmath.mpf(0), mpmath.inf
    with mpmath.workdps(2 * DIGITS):
        for m, q, log_odds in (tuple(map(mpmath.mpf, map(str, point))) for point in POINTS):
            wrong, beta = 1 / (1 + mpmath.exp(2 * log_odds)), m / q

            def mean(f, m=m, q=q, wrong=wrong):
                step = mpmath.mpf(1) / 20
                return step * mpmath.fsum(mpmath.npdf(step * i) * ((1 - wrong) * f(m, mpmath.sqrt(q) * step * i)
                                          + wrong * f(-m, mpmath.sqrt(q) * step * i)) for i in range(-340, 341))

            label, along, pull = (partial(sp.lambdify((SLOPE, L, SCORE), one, "mpmath"), beta, log_odds) for one in (
                soft_label(), soft_label().diff(SCORE), evidence().subs(LABEL, soft_label())))
            stein = mean(lambda sm, xi, f=label: xi * f(sm + xi)) - q * mean(lambda sm, xi, f=along: f(sm + xi))
            worst = max(worst, abs(mean(lambda sm, xi, f=pull: f(sm + xi))), abs(stein))
            biased = min(biased, abs(mean(lambda sm, xi, f=pull: f(sm + xi + mpmath.mpf("0.3")))))
    return CheckResult(worst < mpmath.mpf(10) ** (5 - DIGITS) and biased > 1e-4,
                       f"the largest difference is {float(worst):.1e}, with memory at least {float(biased):.1e}")


def theorem() -> Theorem:
    """Return the chapter on the rounds of relabelling."""
    f, Delta, m, Q, F, V = sp.symbols("f Delta m Q F V", commutative=False)
    A = sp.Symbol(r"(\alpha I - \Phi)^{-1}", commutative=False)
    after, spread = sp.Symbol("a'"), SIZE**2 * F * sp.Symbol(r"F^\top", commutative=False) + P * V
    transposed = sp.Symbol(r"(\alpha I - \Phi)^{-\top}", commutative=False)
    return Theorem(
        "relabelling", "Relabelling, round by round", __doc__.split("\n\n", 1)[1],
        (
            Equation("the label of the next round", sp.Eq(after, soft_label()), "soft_label"),
            Equation("where the slope is most likely this averages to 0 over all samples", evidence(), "evidence"),
            Equation("a sample's force", sp.Eq(f, force(LABEL, SCORE)), "force"),
            Equation("the response of later rounds to a force", sp.Eq(Delta, P * A), "response"),
            Equation("the mean margins of all rounds", sp.Eq(m, SIZE**2 * A * F), "mean"),
            Equation("the overlaps of the classifiers", sp.Eq(Q, A * spread * transposed), "overlaps"),
        ),
        functions(),
        after="limit",
    )  # fmt: skip
