r"""The accuracy that no classifier can beat: isotropic classes, an exact generator with the real mean.

Fold every sample by its label, $x' = \tilde y x = s\mu + z$ with $z\sim N(0, I)$. Then $s = +1$ for a right label and $s = -1$ for a
wrong one. There are $a_rp$ samples with $s = 1$ known (the real ones) and $a_sp$ kept synthetic ones with $P(s = -1) = e$, hidden. Bayes'
classifier of a fresh $x$ is the sign of $\hat\mu^Tx$ for the posterior mean $\hat\mu$ of the direction of $\mu$ (Lelarge and Miolane
2019, for mixtures). What it is worth follows from the overlap $q = \mu^T\hat\mu = |\hat\mu|^2$: mean margin and variance both are $q$.

*The direction.* A large vector of uniform direction has coordinates $u\sim N(0, |\mu|^2)$ (times $1/\sqrt p$). Of each the samples together
are one Gaussian observation of some precision $\nu$. With $z\sim N(0, 1)$ its log-likelihood ratio is $\nu u u_0 + \sqrt\nu uz -
\nu u^2/2$; its mean logarithm is the direction's free energy, whose slope in $\nu$ is $q/2$.

*A label.* Left out of the posterior, the sample sees a score $h = x'^T\hat\mu = sq + \sqrt q g$, so that its label has the log-odds
$2h + 2L$ with $2L = \log\frac{1-e}e$ of the noise, and the posterior mean $\langle s\rangle = \tanh(h + L)$. The score's law is that of
$h = \sqrt qg$ tilted by $\operatorname{sech}L\,e^{-q/2}\cosh(h + L)$, which turns the mean of $1 - \langle s\rangle^2$, the uncertainty,
into one Gaussian integral @eq:uncertainty. A known label has none. A sample's weight in the precision is $\langle s\rangle^2$ on average,
half of it the slope of the label's free energy in $q$.

The two sides meet where the sum of the free energies less $q\nu/2$ is stationary, which is @eq:precision and @eq:overlap. Relabelling
(posterior labels from the classifier, a classifier from the posterior labels, each label from what it has no part in) is the iteration
of these two lines from $q = 0$: after its first step the classifier is the average of the samples weighted by $\langle s\rangle =
1 - 2e$, in the limit of many steps it is Bayes'. Without real samples and at $e = 1/2$ nothing tells $\mu$ from $-\mu$, and the
accuracy is 1/2; any real sample or other $e$ tells, and the iteration leaves $q = 0$ for good where $a_s|\mu|^4 > 1$.
"""

from __future__ import annotations

import mpmath
import sympy as sp

from ..gaussian import expected
from ..model import eta, gamma, mu
from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes
from . import synthetic_only

NU, Q, G = sp.Symbol("nu", nonnegative=True), sp.Symbol("q", nonnegative=True), sp.Symbol("g", real=True)
L, H = sp.Symbol("L", real=True), sp.Symbol("h", real=True)
REAL, KEPT = sp.symbols("a_r a_s", nonnegative=True)  # n / p and kept / p
WRONG = 1 / (1 + sp.exp(2 * L))  # e of the log-odds 2 L
POINTS = ((0.3, 1.5), (1.7, 0.4), (4.0, 0.0))  # (q, L) at which integrals are compared
DIGITS = 30


def overlap() -> sp.Expr:
    """Return q, the squared length of the posterior mean of mu, where the samples determine it to the precision nu."""
    return mu**2 * (mu**2 * NU / (1 + mu**2 * NU))


def direction_free_energy() -> sp.Expr:
    """Return the mean logarithm of the likelihood ratio of a coordinate, observed at precision nu, averaged over N(0, |mu|^2)."""
    u0, z = sp.symbols("u_0 z", real=True)
    log_partition = -sp.log(1 + mu**2 * NU) / 2 + mu**2 * (NU * u0 + sp.sqrt(NU) * z) ** 2 / (2 * (1 + mu**2 * NU))
    quadratic = expected((log_partition + sp.log(1 + mu**2 * NU) / 2).subs(u0, mu * u0), u0, z)
    return sp.simplify(quadratic) - sp.log(1 + mu**2 * NU) / 2


def posterior_label(score: sp.Expr) -> sp.Expr:
    """Return the posterior mean of a hidden label whose left-out score is h."""
    return sp.tanh(score + L)


def tilt(score: sp.Expr) -> sp.Expr:
    """Return the density of the score under hidden labels, relative to N(0, q)."""
    return sp.exp(-Q / 2) * sp.cosh(score + L) / sp.cosh(L)


def uncertainty() -> sp.Expr:
    """Return what is averaged over g ~ N(0, 1) in the mean of 1 - <s>^2."""
    return sp.exp(-Q / 2) / (sp.cosh(L) * sp.cosh(sp.sqrt(Q) * G + L))


def uncertainty_slope() -> sp.Expr:
    """Return what is averaged in its derivative in q, minus the mean of (1 - <s>^2)^2."""
    return -sp.exp(-Q / 2) / (sp.cosh(L) * sp.cosh(sp.sqrt(Q) * G + L) ** 3)


def functions() -> tuple[Function, ...]:
    """Return the functions to generate: the overlap and the integrand of a label's uncertainty, with their slopes."""
    q = overlap()
    return (
        Function("overlap", "The overlap of the posterior mean with mu at a precision, and its slope.", (NU, mu),
                 {"overlap": q, "overlap_nu": sp.factor(q.diff(NU))}),
        Function("uncertainty", "A hidden label's uncertainty before the average over g ~ N(0, 1), and the slope's in q.", (Q, L, G),
                 {"uncertainty": uncertainty(), "uncertainty_q": uncertainty_slope()}),
    )


def _mean(integrand: sp.Expr, q: mpmath.mpf, log_odds: mpmath.mpf) -> mpmath.mpf:
    """The average over g ~ N(0, 1) of an expression in q, L and g."""
    f = sp.lambdify((G, Q, L), integrand * sp.exp(-G**2 / 2) / sp.sqrt(2 * sp.pi), "mpmath")
    step = mpmath.mpf(1) / 20  # of an analytic integrand the trapezoidal rule errs by exp(-2 pi d / step), d the distance of its poles
    return step * mpmath.fsum(f(step * i, q, log_odds) for i in range(-340, 341))


@check("the direction's side", r"twice the slope in $\nu$ of its free energy with $q$, and $q$ with the mean square of the posterior mean "
       r"and with its mean product with $u_0$")
def direction_side() -> CheckResult:
    u0, z = sp.symbols("u_0 z", real=True)
    posterior = mu**2 * (NU * mu * u0 + sp.sqrt(NU) * z) / (1 + mu**2 * NU)
    return vanishes(2 * direction_free_energy().diff(NU) - overlap(), expected(posterior**2, u0, z) - overlap(),
                    expected(mu * u0 * posterior, u0, z) - overlap())


@check("a label's posterior", r"the law of the score, $N(q, q)$ with probability $1 - e$ and $N(-q, q)$ with $e$, with the tilted "
       r"$N(0, q)$; Bayes' rule with $\tanh(h + L)$; the tilted mean of $1 - \tanh^2$ with the uncertainty")
def label_side() -> CheckResult:
    right, wrong = (1 - WRONG) * sp.exp(H - Q / 2), WRONG * sp.exp(-H - Q / 2)
    score = sp.sqrt(Q) * G
    exponentials = (expression.rewrite(sp.exp) for expression in (
        tilt(H) - right - wrong, posterior_label(H) - (right - wrong) / (right + wrong),
        tilt(score) * (1 - posterior_label(score) ** 2) - uncertainty(),
        tilt(score) * (1 - posterior_label(score) ** 2) ** 2 + uncertainty_slope()))
    left = [sp.simplify(expression) for expression in exponentials]
    return CheckResult(not any(left), f"{sum(map(bool, left))} of {len(left)} identities left over")


@check("a label's free energy", r"twice the slope in $q$ of the mean logarithm of the tilt with the mean of $\tanh^2$, that of "
       r"$s\tanh$, and the slope of the uncertainty with its own integral, to 25 digits")
def label_free_energy() -> CheckResult:
    score, worst = sp.sqrt(Q) * G, mpmath.mpf(0)
    signed = sp.exp(-Q / 2) * ((1 - WRONG) * sp.exp(score) - WRONG * sp.exp(-score)) * posterior_label(score)
    with mpmath.workdps(2 * DIGITS):
        for q, log_odds in (tuple(map(mpmath.mpf, point)) for point in POINTS):
            square = 1 - _mean(uncertainty(), q, log_odds)
            energy, slope = (mpmath.diff(lambda x, f=f, lo=log_odds: _mean(f, x, lo), q)
                             for f in (tilt(score) * sp.log(tilt(score)), uncertainty()))
            found = (2 * energy - square, _mean(signed, q, log_odds) - square, slope - _mean(uncertainty_slope(), q, log_odds))
            worst = max(worst, *map(abs, found))
    return CheckResult(worst < mpmath.mpf(10) ** (5 - DIGITS), f"the largest difference is {float(worst):.1e}")


@check("right labels", r"$q$ at $e = 0$ with $m_w^2/s_w^2$ of the ridge as $\gamma\to\infty$: the average of the samples is then Bayes' "
       r"classifier")
def right_labels() -> CheckResult:
    delta, lam, a = synthetic_only.DELTA, synthetic_only.LAM, synthetic_only.A
    forms, x = synthetic_only.closed_forms(), sp.Symbol("x", positive=True)
    ratio = (forms["mean_margin"] ** 2 / forms["variance"]).subs(delta, eta / gamma).subs({gamma: 1 / x, lam: a})
    return vanishes(sp.cancel(sp.together(ratio)).subs(x, 0) - overlap().subs(NU, a / eta))


@check("nothing beats it", r"$m_w^2/s_w^2$ of the ridge on synthetic samples with $q$, at 24 points of label noise, $p/m$, $|\mu|$ and "
       r"$\gamma$: below it, and where labels are right and $\gamma$ is large equal to within 0.1%")
def nothing_beats_it() -> CheckResult:
    forms, highest, tight = synthetic_only.closed_forms(), 0.0, 0.0
    for e in (0.0, 0.1, 0.4):
        for h, size in ((0.25, 1.0), (2.0, 1.5)):
            bayes = _solved(size, 0.0, 1 / h, e)
            for g in (0.01, 0.3, 3.0, 1e4):
                at = {synthetic_only.A: 1, synthetic_only.LAM: 1 - 2 * sp.Float(e), eta: h, gamma: g, mu: size}
                at[synthetic_only.DELTA] = synthetic_only.root().subs(at)
                share = float((forms["mean_margin"] ** 2 / forms["variance"]).subs(at)) / bayes
                highest, tight = max(highest, share), min(tight, share - 1) if e == 0 and g == 1e4 else tight
    return CheckResult(highest <= 1 + 1e-9 and tight > -1e-3, f"the highest share of q is {highest:.6f}, short by {-tight:.1e} at e = 0")


@check("the transition at e = 1/2", r"the slope at $q = 0$ of one step, without real samples, with $a_s|\mu|^4$: above 1 the samples have "
       r"two clusters that can be found without any label")
def transition() -> CheckResult:
    q = sp.Symbol("q", positive=True)
    # 1 - <s>^2 to first order in q: exp(-q / 2) (1 - q g^2 / 2), averaged over g
    hidden = sp.series(uncertainty().subs({L: 0, Q: q}), q, 0, 2).removeO()
    precision = KEPT * (1 - expected(hidden, G))
    return vanishes(overlap().subs(NU, precision).diff(q).subs(q, 0) - KEPT * mu**4)


def _solved(size: float, real: float, kept: float, e: float) -> float:
    """The overlap by plain iteration, for numbers."""
    if e == 0:
        return float(overlap().subs({mu: size, NU: real + kept}))
    q, log_odds = mpmath.mpf(0), mpmath.log((1 - e) / e) / 2
    for _ in range(200):
        hidden = mpmath.quad(lambda g, q=q: mpmath.npdf(g) * mpmath.sech(mpmath.sqrt(q) * g + log_odds), mpmath.linspace(-9, 9, 7))
        nu = real + kept * (1 - mpmath.exp(-q / 2) * mpmath.sech(log_odds) * hidden)
        q, before = mpmath.mpf(size) ** 4 * nu / (1 + mpmath.mpf(size) ** 2 * nu), q
        if abs(q - before) < 1e-12:
            break
    return float(q)


def theorem() -> Theorem:
    """Return the chapter on the limit."""
    e, hidden, mean = sp.Symbol("e"), sp.Symbol("u"), sp.Function("E")
    return Theorem(
        "limit", "The limit that no classifier can beat", __doc__.split("\n\n", 1)[1],
        (
            Equation("the log-odds of the noise", sp.Eq(2 * L, sp.log((1 - e) / e))),
            Equation("the mean uncertainty of a hidden label, $g\\sim N(0, 1)$", sp.Eq(hidden, mean(uncertainty())), "uncertainty"),
            Equation("the precision to which the samples determine the direction", sp.Eq(NU, REAL + KEPT * (1 - hidden)), "precision"),
            Equation("the overlap", sp.Eq(Q, overlap()), "overlap"),
            Equation("the accuracy of Bayes' classifier", sp.Eq(sp.Symbol("acc"), sp.Function("Phi")(sp.sqrt(Q)))),
        ),
        functions(),
        after="synthetic_only",
    )
