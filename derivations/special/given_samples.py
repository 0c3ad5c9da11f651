r"""Given samples: the accuracy on samples of any law, from the law of the classifier.

A fresh sample need not be Gaussian for the theory to hold: only the training samples enter the classifier. $-\partial\Psi/\partial t$
is linear in $C_\mathrm{test}$, so that it knows the second moment of $w$ as a matrix, and $\partial\Psi/\partial J$ knows the mean as a
vector:

$$E[w] = B\sum_ka_k\mu_k,\quad a_k = T_k(\bar y_k - \mu_k^\top E[w]),\qquad \operatorname{Cov}(w) = \frac1N\sum_k\hat q_kBC_kB,$$

with the noises $\hat q_k$ of [left-out margins](#reference): every sample pulls at $w$ with a force of its own, and $\hat q_k$ is
$\theta_k$ times the mean squared force. They are one linear system, the transposed one of that for the speeds $\partial q/\partial t$,
$\hat q_k + \frac{\partial s_k}{\partial q_k}\sum_l\frac1N\operatorname{tr}(C_kBC_lB)\,\hat q_l = \partial\Psi/\partial q_k$.
The fluctuations are a sum of many small independent pulls, and Gaussian. So, *given* a sample $x$ that is not trained on, its score is
Gaussian whatever the law of $x$,

$$w^\top x\mid x\ \sim\ N\Big(x^\top E[w],\ \frac1N\sum_k\hat q_k\,z^\top BC_kBz\Big),\qquad z = x - E[x\mid y],$$

(the fluctuation along the mean is of the order $1/N$), and the accuracy is the average of $\Phi(y\,x^\top E[w]/\text{spread}(x))$ over
samples of the population. Gaussian samples give $\Phi(m_w/s_w)$ back.

Statistics that are estimates. In the place of $\mu_k$ there is the mean $\hat\mu_k$ of $n_k$ samples. What it errs by moves the
computed mean classifier by a Gaussian of the covariance $\sum_ka_k^2BC_kB/n_k$, of the very shape of the fluctuations, which therefore
have to be drawn with so much less. A sample that is scored and that statistics were made of, or a group $Z$ of such (rows, less their
mean), is left out of them: of its mean by $(n\hat\mu - \sum x)/(n - |Z|)$, and of the resolvent $Q = (\gamma I + \kappa S)^{-1}$ of a
[sample covariance](#sample_covariance) by

$$ZQ_-v = \Big(I - \frac{\kappa}{n}ZQZ^\top\Big)^{-1}ZQv.$$
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import mpmath as mp
import sympy as sp

from .. import reference
from ..derivatives import variance
from ..model import Labels, N, gamma, source, t
from ..potential import Statement, general, mean_weight, signal
from ..theorem import CheckResult, Equation, Theorem, check, vanishes

Numbers = dict[sp.Symbol, sp.Expr]
DIGITS = 25


def noises(statement: Statement, at: Numbers) -> sp.Matrix:
    """Return qhat (K,): the transposed linear system of the fixed point, with the slopes of Psi in the unknowns on its right side.

    Parameters
    ----------
    statement : Statement
    at : dict
        Numbers for all symbols but those of the test law.
    """
    unknowns, still = statement.unknowns(), {**at, t: sp.Integer(0)}
    jacobian = sp.Matrix(statement.equations()).jacobian(unknowns).xreplace(still)
    slopes = sp.Matrix([statement.potential().diff(x) for x in unknowns]).xreplace(still)
    return jacobian.T.LUsolve(slopes)[: len(statement.sources), 0]


def pulls(statement: Statement) -> tuple[sp.Matrix, sp.Matrix]:
    """Return a (K,), the coefficients of the mean classifier in B mu_k, and the products mean_k^T B mean_l (K, K)."""
    K = len(statement.sources)
    G = statement.direct(statement.gram()[:K, :K]).subs(t, 0)
    T = [statement.direct(mean_weight(s)) for s in statement.sources]
    labels = sp.Matrix([statement.direct(signal(s)) for s in statement.sources])
    residuals = (sp.eye(K) + G * sp.diag(*T)).LUsolve(labels)
    return sp.Matrix([weight * residual for weight, residual in zip(T, residuals, strict=True)]), G


def variance_by_law(statement: Statement, at: Numbers, qhat: sp.Matrix) -> sp.Expr:
    """Return the mean of w^T C_test w by the law of w.

    Parameters
    ----------
    statement : Statement
    at : dict
        As in `noises`.
    qhat : matrix (K,)
    """
    a, K, found = pulls(statement)[0], len(statement.sources), sp.Integer(0)
    for block in statement.blocks:
        B = block.resolvent(statement.sources).subs(t, 0)
        along = (a.T * block.gram[:K, :K] * a)[0] + block.h * sum(qhat[k] * block.eigenvalues[k] for k in range(K))
        found += block.test * B**2 * along
    return statement.direct(found).xreplace(at)


def _point(statement: Statement, draw: random.Random) -> Numbers:
    """Rational numbers for everything but the test law, on the fixed point: it is linear in the multiplicities and in r."""
    h, tests = [block.h for block in statement.blocks], {block.test for block in statement.blocks}
    fitted = [s for s in statement.sources if s.r != 0]
    equations = [one.subs(t, 0) for one in statement.equations()]
    symbols = set().union(*(one.free_symbols for one in (*equations, statement.potential()))) - tests - {t} - set(h)
    while True:
        at = {x: sp.Rational(draw.randint(4, 80), 40) for x in sorted(symbols, key=str)}
        for s in fitted:
            at[s.q] = at[s.delta] * 2  # the leverage of a sample of a fitted generator is below q
            del at[s.r]
            at[s.r] = sp.solve(equations[-1].xreplace(at), s.r)[0]
        bulk = sp.Matrix([one.xreplace(at) for one in equations[: len(statement.sources)]])
        solved = bulk.jacobian(h).LUsolve(-bulk.subs(dict.fromkeys(h, 0)))
        if min(solved) > 0:
            return at | dict(zip(h, solved, strict=True))


def _statements() -> tuple[Statement, ...]:
    labels = Labels(*sp.symbols("y vtilde", real=True))
    direct = replace(source(1), labels=labels)
    return tuple(general(sources, len(sources)) for sources in
                 ((direct,), (direct, source(2)), (direct, source(2, fitted=True, mean_fitted=True)), (direct, source(2, fitted=True))))


@check("law of the classifier", r"$-\partial\Psi/\partial t$ in any $C_\mathrm{test}$, with the fixed point moving, with $E[w]^\top "
       r"C_\mathrm{test}E[w] + \frac1N\sum_k\hat q_k\operatorname{tr}(C_\mathrm{test}BC_kB)$: one source, two, one fitted with its "
       r"mean, one fitted without, at a rational point each; an isotropic fluctuation of the same trace must differ")
def law_of_classifier() -> CheckResult:
    draw, found, apart = random.Random(3), [], []
    for statement in _statements():
        at = _point(statement, draw)
        qhat = noises(statement, at)
        found.append(variance(statement, at) - variance_by_law(statement, at, qhat))
        if len(statement.blocks) > 1:
            apart.append(_isotropic_error(statement, at, qhat))
    result = vanishes(*found)
    return CheckResult(result.holds and min(apart) > sp.Rational(1, 20),
                       f"{result.found}; isotropic fluctuations are off by {float(min(apart)):.0%} and more along an eigenvector")


def _isotropic_error(statement: Statement, at: Numbers, qhat: sp.Matrix) -> sp.Expr:
    """How far B, in the place of sum_k qhat_k B C_k B and with the same trace, is off along an eigenvector, as a share."""
    own, plain, h = [], [], []
    for block in statement.blocks:
        B = statement.direct(block.resolvent(statement.sources)).subs(t, 0).xreplace(at)
        own.append(B**2 * sum(q * c for q, c in zip(qhat, block.eigenvalues, strict=True)).xreplace(at))
        plain.append(sp.Integer(1))
        h.append(block.h.xreplace(at))
    level = sum(x * y for x, y in zip(h, own, strict=True)) / sum(x * y for x, y in zip(h, plain, strict=True))
    return max(abs(level * y / x - 1) for x, y in zip(own, plain, strict=True))


@check("noise of a direct source", r"$\hat q_k$ of the transposed system with $\theta_k(c_k/(1 + c_k\delta_k))^2[\tilde v_k + (\bar y_k - "
       r"m_k)^2 + v_k]$, $v_k = -\partial\Psi/\partial t$ for $C_\mathrm{test} = C_k$: one source, and two, at a rational point each")
def noise_is_squared_force() -> CheckResult:
    draw, found = random.Random(4), []
    for statement in _statements()[:2]:
        at = _point(statement, draw)
        qhat, (a, G) = noises(statement, at), pulls(statement)
        margins = G * a
        for k, s in enumerate(statement.sources):
            own = {block.test: block.eigenvalues[k].xreplace(at) for block in statement.blocks}
            square = s.labels.variance + (s.labels.mean - margins[k]) ** 2 + variance(statement, at).subs(own)
            force = statement.direct(s.theta * (s.c / (1 + s.c * s.delta)) ** 2)
            found.append(qhat[k] - (force * square).xreplace(at))
    return vanishes(*found)


@check("law of the classifier at 50 digits", r"the second moment of $w$ along each axis from the potential (commuting covariances, "
       r"$p = 3$, one source direct, one fitted) with that from left-out margins with matrices, at 2 random points")
def fifty_digits() -> CheckResult:
    draw, worst = random.Random(5), mp.mpf(0)
    for _ in range(2):
        point = reference.random_point(draw, commuting=True)
        with mp.workdps(reference.DIGITS):
            solved = reference.fixed_point(point)
            law = reference.classifier_law(point, solved[0::2], solved[1::2])
            moment = law.mean * law.mean.T + law.fluctuation(point)
            for axis in range(law.mean.rows):
                only = tuple(tuple(float(i == j == axis) for j in range(law.mean.rows)) for i in range(law.mean.rows))
                statement, at = reference.symbolic(replace(point, test_covariance=only))
                seen = mp.mpf(sp.Float(variance(statement, at), reference.DIGITS))
                worst = max(worst, abs(seen / moment[axis, axis] - 1))
    return CheckResult(worst < mp.mpf(10) ** -40, f"largest relative difference {mp.nstr(worst, 3)}")


@check("average over samples", r"$E_x\Phi(x^\top E[w]/\sigma)$, integrated by mpmath, with $\Phi(m/\sqrt{v + \sigma^2})$ for Gaussian "
       r"margins $x^\top E[w]$ and with its average over the two parts of a mixture, 25 digits; a Gaussian of the moments of the mixture, "
       "and samples without fluctuations, must differ")
def averages() -> CheckResult:
    with mp.workdps(DIGITS):
        share, sigma = mp.mpf("0.8"), mp.mpf("0.6")
        parts = [(share, mp.mpf("0.9"), mp.mpf("0.3")), (1 - share, mp.mpf("-0.5"), mp.mpf("0.7"))]

        def right(noise: mp.mpf) -> mp.mpf:
            return sum(weight * mp.ncdf(m / mp.sqrt(s**2 + noise**2)) for weight, m, s in parts)

        worst = mp.mpf(0)
        for _, m, s in parts:
            over = mp.quad(lambda u, m=m, s=s: mp.ncdf((m + s * u) / sigma) * mp.npdf(u), [-15, -5, 0, 5, 15])
            worst = max(worst, abs(over - mp.ncdf(m / mp.sqrt(s**2 + sigma**2))))
        mean = sum(weight * m for weight, m, _ in parts)
        spread = sum(weight * (s**2 + (m - mean) ** 2) for weight, m, s in parts)
        gaussian = mp.ncdf(mean / mp.sqrt(spread + sigma**2))
        off = [abs(one - right(sigma)) for one in (gaussian, right(mp.mpf(0)))]
    return CheckResult(worst < mp.mpf(10) ** (5 - DIGITS) and min(off) > 0.02,
                       f"they differ by at most {mp.nstr(worst, 2)}; the wrong ones by {mp.nstr(100 * off[0], 3)} and "
                       f"{mp.nstr(100 * off[1], 3)} points")


@check("statistics of the samples scored", r"$E[(z^\top B(\hat\mu - \mu))^2]$ over the signs of a root of $C$ with $z^\top BCBz/n$; the "
       r"products with $\hat\mu$ without a sample; and $ZQ_-v$ with the resolvent without the rows of $Z$ (two rows, two dimensions)")
def left_out() -> CheckResult:
    n, kappa = sp.symbols("n kappa", positive=True)
    root, B = sp.Matrix(2, 2, sp.symbols("l_1:5", real=True)), sp.Matrix(2, 2, sp.symbols("b_1 b_2 b_2 b_3", real=True))
    z, v, other = (sp.Matrix(sp.symbols(f"{name}_1:3", real=True)) for name in "zvm")
    signs = [root * sp.Matrix(pair) / sp.sqrt(n) for pair in itertools.product((1, -1), repeat=2)]
    noise = sum(((z.T * B * error)[0]) ** 2 for error in signs) / 4 - (z.T * B * root * root.T * B * z)[0] / n
    mean = ((n - 1) * other + z) / n  # of z and n - 1 others
    product = (n * (z.T * B * mean)[0] - (z.T * B * z)[0]) / (n - 1) - (z.T * B * other)[0]
    Z, rest = sp.Matrix([[1, 2], [3, -1]]), sp.Matrix(2, 2, [4, 1, 1, 3])
    without = gamma * sp.eye(2) + kappa / n * rest
    Q = (without + kappa / n * Z.T * Z).inv()
    turned = (sp.eye(2) - kappa / n * Z * Q * Z.T).LUsolve(Z * Q * v) - Z * without.LUsolve(v)
    return vanishes(noise, product, *turned)


def theorem() -> Theorem:
    """Return the chapter on given samples."""
    own, length, qhat = source("k"), sp.Symbol("z^T B C_k B z"), sp.Symbol("qhat_k")
    residual = sp.Symbol("vtilde_k") + (sp.Symbol("ybar_k") - sp.Symbol("m_k")) ** 2 + sp.Symbol("v_k")
    every = (sp.Symbol("k"), 1, sp.Symbol("K"))
    return Theorem(
        "given_samples", "Given samples: scores that are not Gaussian", __doc__.split("\n\n", 1)[1],
        (
            Equation("the variance of the score of a given sample",
                     sp.Eq(sp.Symbol("sigma") ** 2, sp.Sum(qhat * length, every) / N, evaluate=False)),
            Equation("the noise of a direct source, its labels with the mean $\\bar y_k$ and the variance $\\tilde v_k$",
                     sp.Eq(qhat, own.theta * (own.c / (1 + own.c * own.delta)) ** 2 * residual)),
        ),
        after="sample_covariance",
    )
