r"""The model: sources of training samples, and the classifier that is trained on them.

Source $k$ has $N_k = \theta_k N$ kept samples $x = y\mu_k + z$, $z\sim N(0, C_k)$, of weight $c_k$, with labels $\tilde y = \pm1$
of which a share $e_k$ is wrong:

$$E[\tilde y x] = \bar y_k\mu_k,\qquad \bar y_k = 1 - 2e_k,\qquad E[xx^\top] = S_k = C_k + \mu_k\mu_k^\top.$$

A label may be any number that has mean $\bar y_k$ and variance $\tilde v_k$ beside the true sign; a right or wrong label has
$\tilde v_k = 4e_k(1-e_k)$.

A fitted source does not know $C_k$: it has the sample covariance of $\hat n = N/r$ samples, which may themselves train, with weight
$c_0$. Then $b = c_0/r$ is their weight in the sum. Independent generator: $b = 0$. Self-fitted: $\hat n = n$ and $c_0 = 1$, so $b =
\pi$. A source that is not fitted has $r = 0$ and $b = 0$.

The classifier is ridge, $w = Qu$ with

$$u = \frac1N\sum_i c_i\tilde y_ix_i,\qquad Q = \left(\gamma I + \frac1N\sum_i c_ix_ix_i^\top\right)^{-1},$$

and it decides by the sign of $w^\top x$. What is wanted of it, for a fresh sample, are the mean $m_w = \mu_\mathrm{test}^\top w$
and the variance $s_w^2 = w^\top C_\mathrm{test}w$ of its margin. Both are derivatives of one number, $u^\top Qu$ with
$J\mu_\mathrm{test}$ added to $u$ and $tC_\mathrm{test}$ added to $Q^{-1}$. Its limit $\Psi(t, J)$ is all that has to be found.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .theorem import CheckResult, Equation, Theorem, check, vanishes

gamma, N, t = sp.symbols("gamma N t", positive=True)
J = sp.Symbol("J", real=True)

# the paper's letters
n, m, p, mu, n_hat, omega = sp.symbols("n m p mu n_hat omega", positive=True)
epsilon, rho, phi = sp.symbols("epsilon rho phi", nonnegative=True)
beta, mu_perp = sp.symbols("beta mu_perp", real=True)
pi, eta = sp.symbols("pi eta", positive=True)
alpha = phi * (1 - epsilon) + rho * epsilon
lam = phi * (1 - epsilon) - rho * epsilon


@dataclass(frozen=True)
class Labels:
    """The labels of a source, as seen beside the true sign of each sample.

    Attributes
    ----------
    mean, variance
        Mean and variance of label times true sign.
    """

    mean: sp.Expr
    variance: sp.Expr

    @classmethod
    def wrong(cls, e: sp.Expr) -> Labels:
        """Return labels +-1 of which a share e is wrong."""
        return cls(1 - 2 * e, 4 * e * (1 - e))

    @property
    def square(self) -> sp.Expr:
        """Second moment of a label."""
        return self.variance + self.mean**2


RIGHT = Labels(sp.Integer(1), sp.Integer(0))


@dataclass(frozen=True)
class Source:
    """A source of training samples, as symbols or as whatever is substituted for them.

    Attributes
    ----------
    theta
        Number of kept samples over N.
    c
        Weight of a sample.
    labels
        Labels of its samples.
    q
        Unknown of the fixed point, (1/N) tr(C B).
    delta
        Leverage of a left-out sample; the symbol q where nothing is fitted.
    r
        N / n_hat for a source fitted on n_hat samples, 0 for an exact one.
    b
        Weight in the sum of the samples that it was fitted on, 0 where these do not train.
    mean_fitted
        Whether its mean is that of the n_hat samples too.
    base_labels
        Labels of the samples that it was fitted on, where these train.
    """

    theta: sp.Expr
    c: sp.Expr
    labels: Labels
    q: sp.Symbol
    delta: sp.Symbol
    r: sp.Expr = sp.Integer(0)
    b: sp.Expr = sp.Integer(0)
    mean_fitted: bool = False
    base_labels: Labels = RIGHT


def source(k: object, *, fitted: bool = False, mean_fitted: bool = False) -> Source:
    """Return a source with symbols of its own; a share e of its labels is wrong.

    Parameters
    ----------
    k : object
        The index of all its symbols.
    fitted : bool
        Whether its generator is fitted.
    mean_fitted : bool
        Whether the mean is that of the same samples.
    """
    theta, c, q, delta = sp.symbols(f"theta_{k} c_{k} q_{k} delta_{k}", positive=True)
    e = sp.Symbol(f"e_{k}", nonnegative=True)
    r, b = sp.symbols(f"r_{k} b_{k}", nonnegative=True) if fitted else (sp.Integer(0), sp.Integer(0))
    return Source(theta, c, Labels.wrong(e), q, delta, r, b, mean_fitted)


def real(q: sp.Symbol, delta: sp.Symbol) -> Source:
    """Return the real samples of the paper: theta = pi, weight 1, no wrong labels.

    Parameters
    ----------
    q, delta : symbols
        Trace and leverage.
    """
    return Source(pi, sp.Integer(1), RIGHT, q, delta)


def synthetic(q: sp.Symbol, delta: sp.Symbol, **fit: object) -> Source:
    """Return the pruned synthetic samples of the paper: theta = alpha (1 - pi), e = rho epsilon / alpha, weight omega.

    Parameters
    ----------
    q, delta : symbols
        Trace and leverage.
    fit : expressions
        Fields of `Source` that say what its generator is fitted on.
    """
    return Source(alpha * (1 - pi), omega, Labels.wrong(rho * epsilon / alpha), q, delta, **fit)


def symmetric(name: str, size: int, **assumptions: bool) -> sp.Matrix:
    """Return a symmetric matrix of symbols name_ij, i <= j.

    Parameters
    ----------
    name : str
        Of the symbols.
    size : int
        Rows.
    assumptions : bool
        Of the symbols, as SymPy takes them.
    """
    return sp.Matrix(size, size, lambda i, j: sp.Symbol(f"{name}_{min(i, j)}{max(i, j)}", **assumptions))


@check("two derivatives", r"for any $2\times2$ resolvent: $\frac12\partial/\partial J$ of $u^\top Qu$ at $t = J = 0$ with "
       r"$\mu^\top Qu$, and $-\partial/\partial t$ with $u^\top QC_\mathrm{test}Qu$")
def margin_is_a_derivative() -> CheckResult:
    inverse, test = symmetric("a", 2), symmetric("C", 2)
    u, mean = sp.Matrix(sp.symbols("u_0:2")), sp.Matrix(sp.symbols("mu_0:2"))
    Q = (inverse + t * test).inv()
    moved = u + J * mean
    response = (moved.T * Q * moved)[0]
    w = (Q * u).subs(t, 0)
    at_rest = {J: 0, t: 0}
    return vanishes(response.diff(J).subs(at_rest) / 2 - (mean.T * w)[0], response.diff(t).subs(at_rest) + (w.T * test * w)[0])


def theorem() -> Theorem:
    """Return the chapter on the model."""
    psi = sp.Function("Psi")(t, J)
    return Theorem(
        "model",
        "The model",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the kept fraction of the synthetic samples", sp.Eq(sp.Symbol("alpha"), alpha, evaluate=False)),
            Equation("their signal", sp.Eq(sp.Symbol("lambda"), lam, evaluate=False)),
            Equation("their share of wrong labels", sp.Eq(sp.Symbol("e"), rho * epsilon / sp.Symbol("alpha"), evaluate=False)),
            Equation("the mean margin, at $t = J = 0$", sp.Eq(2 * sp.Symbol("m_w"), psi.diff(J), evaluate=False), "margin"),
            Equation("the variance of the margin, at $t = J = 0$", sp.Eq(sp.Symbol("s_w^2"), -psi.diff(t), evaluate=False), "variance"),
        ),
        after=None,
    )
