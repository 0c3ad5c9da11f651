r"""Covariances that are known by samples only: no estimate of a covariance is needed.

Of the law $k$ there are $n_k$ residuals with sample covariance $S_k$ and mean $\hat\mu_k$. The theory asks for functions of $B =
(\gamma I + \sum_k w_k C_k)^{-1}$. A sample covariance is a source like any other: with $Q = (\gamma I + \sum_k \kappa_k S_k)^{-1}$
leaving out one residual gives $z^T Q z = z^T Q_- z / (1 + \kappa_k T_k / n_k)$, $T_k = \mathrm{tr}(C_k B)$. So $Q$ has the limit
$B$ where

$$w_k = \kappa_k(1 - a_k),\qquad T_k = \frac{\operatorname{tr}(S_kQ)}{1 - a_k},\qquad a_k = \frac{\kappa_k}{n_k}\operatorname{tr}(S_kQ).$$

Weights $\kappa_k$ that give the wanted $w_k$ are found by Newton's method; then $T_k$ and, since the mean of a law does not depend
on its residuals, $\mu_i^T B \mu_j = \hat\mu_i^T Q \hat\mu_j - [i = j]\, T_i / n_i$ are known. The second kind of sums that the
theory asks for, $\mathrm{tr}(C_k B C_l B)$ and $\mu_i^T B C_l B \mu_j$, are minus their derivatives in $w_l$.

With fewer residuals than features $w$ stays below a limit, the reach. Where all laws share one $C$ there is a way around it. As a
function of $z = -1/\kappa$ (at $\gamma = 1$) the weight is $w = (1/n) \sum_j 1/(d_j - z)$, $d_j$ the eigenvalues of $S$, and for
every complex $z$

$$\sum_g\frac{h_g\lambda_g}{1 + w\lambda_g} = n\left(z + \frac1w\right),$$

which is linear in the multiplicities $h_g$ of the population's eigenvalues $\lambda_g$: nonnegative least squares finds them (El
Karoui 2008), and any spectrum that fits gives the same sums within the reach. An eigenvector of $S$ with eigenvalue $d$ has the
squared overlap $\lambda / (n d |1 + w \lambda|^2)$ with each population eigenvector, at $z = d + i0$ (Ledoit and Peche 2011), which
says where a mean of no special direction lies.
"""

from __future__ import annotations

import sympy as sp

from ..model import N, Source, gamma
from ..potential import effective_weight
from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes

KAPPA, TRACE = sp.symbols("kappa trace", positive=True)
PER_SAMPLE = sp.Symbol("per_sample", nonnegative=True)  # 1 / n_k; 0 for a covariance that is known


def share() -> sp.Expr:
    """Return a, what the residuals of a law see of their own weight."""
    return KAPPA * TRACE * PER_SAMPLE


def weight() -> sp.Expr:
    """Return w, the weight of the population's covariance where its sample covariance has the weight kappa."""
    return KAPPA * (1 - share())


def population_trace() -> sp.Expr:
    """Return T = tr(C B) from tr(S Q)."""
    return TRACE / (1 - share())


def functions() -> tuple[Function, ...]:
    """Return the function to generate: weight and trace of the population, and their slopes."""
    w, big = weight(), population_trace()
    results = {"weight": w, "population_trace": big, "weight_kappa": w.diff(KAPPA), "weight_trace": w.diff(TRACE),
               "population_trace_kappa": sp.factor(big.diff(KAPPA)), "population_trace_trace": sp.factor(big.diff(TRACE))}
    doc = "Weight and trace of a law's covariance from those of its sample covariance, and their derivatives in kappa and in the trace."
    return (Function("from_sample", doc, (KAPPA, TRACE, PER_SAMPLE), results),)


@check("sample covariance as a fit", r"$w$ and $\operatorname{tr}(SQ)$ with the weight of $C$ and the leverage of a source fitted on "
       r"$n_k$ samples, $q = T/N$")
def as_a_fit() -> CheckResult:
    q, delta, T = sp.symbols("q delta T", positive=True)
    source = Source(sp.Integer(0), sp.Integer(1), None, q, delta, N * PER_SAMPLE, KAPPA)
    seen = T / (1 + KAPPA * T * PER_SAMPLE)
    return vanishes(effective_weight(source).subs(q, T / N) - weight().subs(TRACE, seen), population_trace().subs(TRACE, seen) - T)


@check("moments of a sample covariance", r"the traces of $S^2$ and $S^3$ in $\operatorname{tr}(SQ) = \operatorname{tr}S - "
       r"\kappa\operatorname{tr}S^2 + \kappa^2\operatorname{tr}S^3$ with $c_2 + c_1^2/n$ and $c_3 + 3c_1c_2/n + c_1^3/n^2$, $c_j = "
       r"\operatorname{tr}C^j$; and $\operatorname{tr}(S_1S_2)$ of two laws with $\operatorname{tr}(C_1C_2)$")
def moments() -> CheckResult:
    first, second, third, cross, other, u1, u2 = sp.symbols("c_1 c_2 c_3 c_12 kappa_2 u_1 u_2", positive=True)
    # tr(S Q) = T / (1 + kappa T / n) with T = c_1 - w c_2 + w^2 c_3 and w = kappa (1 - kappa tr(S Q) / n), order by order
    seen = first - KAPPA * u1 + KAPPA**2 * u2
    w = weight().subs(TRACE, seen)
    T = first - w * second + w**2 * third - other * cross
    left = sp.series(sp.expand(population_trace().subs(TRACE, seen) * (1 - share().subs(TRACE, seen))
                               - T * (1 - share().subs(TRACE, seen))), KAPPA, 0, 3).removeO()
    alone = sp.Poly(sp.expand(left.subs(other, 0)), KAPPA)
    solved = {u1: sp.solve(alone.coeff_monomial(KAPPA), u1)[0]}
    solved[u2] = sp.solve(alone.coeff_monomial(KAPPA**2).subs(solved), u2)[0]
    return vanishes(solved[u1] - second - first**2 * PER_SAMPLE,
                    solved[u2] - third - 3 * first * second * PER_SAMPLE - first**3 * PER_SAMPLE**2,
                    sp.expand(left).coeff(KAPPA, 0).coeff(other, 1) - cross)


@check("products of means that are estimates", r"$\sum_g(\mu_g^2 + h_g\lambda_g/n)B_g - T/n$ with $\sum_g\mu_g^2B_g$, "
       r"and its derivative in $w$")
def means() -> CheckResult:
    w, per = sp.symbols("w r", positive=True)
    h, eigenvalues, mu = (sp.symbols(f"{name}_1:3", positive=True) for name in ("h", "lambda", "mu"))
    blocks = list(zip(h, eigenvalues, mu, strict=True))
    T = sum(m * c / (gamma + w * c) for m, c, _ in blocks)
    seen = sum((u**2 + m * c * per) / (gamma + w * c) for m, c, u in blocks)
    found = seen - per * T
    return vanishes(found - sum(u**2 / (gamma + w * c) for _, c, u in blocks),
                    found.diff(w) + sum(u**2 * c / (gamma + w * c) ** 2 for _, c, u in blocks))


@check("the companion transform", r"$w = \kappa(1 - a)$ at $z = -1/\kappa$, for eigenvalues $d_1$, $d_2$ of $S$ and $n - 2$ zeros of "
       r"the Gram matrix, with $\frac1n\sum_j1/(d_j - z)$; and $n(z + 1/w)$ with $T$")
def companion() -> CheckResult:
    d, n = sp.symbols("d_1:3", positive=True), sp.Symbol("n", positive=True)
    trace = sum(one / (1 + KAPPA * one) for one in d)
    at = {TRACE: trace, PER_SAMPLE: 1 / n}
    z = -1 / KAPPA
    transform = (sum(1 / (one - z) for one in d) - (n - 2) / z) / n
    return vanishes(weight().subs(at) - transform, population_trace().subs(at) - n * (z + 1 / transform))


@check("overlaps", r"$\sum_gh_g\lambda_g/(nd\,\lvert1 + w\lambda_g\rvert^2)$ with 1, where the imaginary part of $dw = -1 + "
       r"\frac1n\sum_gh_g\lambda_gw/(1 + w\lambda_g)$ vanishes, $w = u + iv$")
def overlaps() -> CheckResult:
    u, n, d = sp.symbols("u n d", real=True)
    v = sp.Symbol("v", positive=True)
    h, eigenvalues = (sp.symbols(f"{name}_1:3", positive=True) for name in ("h", "lambda"))
    w = u + sp.I * v

    def squared(c: sp.Symbol) -> sp.Expr:
        return (1 + u * c) ** 2 + (v * c) ** 2

    # w / (1 + w lambda) with a real denominator
    terms = [m * c * sp.expand(w * (1 + (u - sp.I * v) * c)) / squared(c) for m, c in zip(h, eigenvalues, strict=True)]
    imaginary = d * v - sum(sp.im(sp.expand(sp.numer(term))) / sp.denom(term) for term in terms) / n
    total = sum(m * c / (n * d * squared(c)) for m, c in zip(h, eigenvalues, strict=True))
    return vanishes(imaginary / (d * v) - (1 - total))


def theorem() -> Theorem:
    """Return the chapter on sample covariances."""
    w, T, a, u, lam, m, z = sp.symbols("w_k T_k a_k u_k lambda_g h_g z")
    n, count, whole = sp.symbols("n_k n w")
    return Theorem(
        "sample_covariance", "Covariances known by samples only", __doc__.split("\n\n", 1)[1],
        (
            Equation("the share that a residual has in its own trace ($u_k = \\mathrm{tr}(S_k Q)$)", sp.Eq(a, KAPPA * u / n)),
            Equation("the weight of the covariance itself", sp.Eq(w, KAPPA * (1 - a))),
            Equation("its trace", sp.Eq(T, u / (1 - a))),
            Equation("the population's spectrum, at any complex $z$",
                     sp.Eq(sp.Sum(m * lam / (1 + whole * lam), (sp.Symbol("g"), 1, sp.Symbol("G"))), count * (z + 1 / whole))),
        ),
        functions(),
        after="exact_generator",
    )
