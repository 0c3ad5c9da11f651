"""The model: sources of training samples, and the one algebraic step that is made with a single sample.

Source k has N_k = theta_k N kept samples x = y mu_k + z, z ~ N(0, C_k), of weight c_k, of whose labels a share e_k is wrong:

    E[ytilde x] = y_k mu_k,    y_k = 1 - 2 e_k,    E[x x^T] = S_k = C_k + mu_k mu_k^T.

A label may be any number with mean y_k and variance v_k given the source; a right or wrong label has v_k = 4 e_k (1 - e_k).

A fitted source does not know C_k: it has the sample covariance of n_hat = N / r samples, which may themselves train, with
weight c_0. b = c_0 / r is their weight in the sum. Independent generator: b = 0. Self-fitted: n_hat = n, c_0 = 1, so b = pi.
A source that is not fitted has r = 0 and b = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from synthmix.derivations.theorem import CheckResult, Equation, Theorem, check, vanishes

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
    """Mean and variance of a source's labels, given the source."""

    mean: sp.Expr
    variance: sp.Expr

    @classmethod
    def wrong(cls, e: sp.Expr) -> Labels:
        """Labels +-1 of which a share e is wrong."""
        return cls(1 - 2 * e, 4 * e * (1 - e))


RIGHT = Labels(sp.Integer(1), sp.Integer(0))


@dataclass(frozen=True)
class Source:
    """A source as symbols or as whatever is substituted for them. q is its unknown, delta its leave-one-out trace.

    labels: those of its samples. base_labels: those of the samples that it was fitted on, where these train too.
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
    """A source with symbols of its own; a share e of its labels is wrong."""
    theta, c, q, delta = sp.symbols(f"theta_{k} c_{k} q_{k} delta_{k}", positive=True)
    e = sp.Symbol(f"e_{k}", nonnegative=True)
    r, b = sp.symbols(f"r_{k} b_{k}", nonnegative=True) if fitted else (sp.Integer(0), sp.Integer(0))
    return Source(theta, c, Labels.wrong(e), q, delta, r, b, mean_fitted)


def real(q: sp.Symbol, delta: sp.Symbol) -> Source:
    """The real samples of the paper: theta = pi, weight 1, no wrong labels."""
    return Source(pi, sp.Integer(1), RIGHT, q, delta)


def synthetic(q: sp.Symbol, delta: sp.Symbol, **fit: object) -> Source:
    """The pruned synthetic samples of the paper: theta = alpha (1 - pi), e = rho epsilon / alpha, weight omega."""
    return Source(alpha * (1 - pi), omega, Labels.wrong(rho * epsilon / alpha), q, delta, **fit)


def _one_sample() -> tuple[sp.Matrix, sp.Matrix, sp.Symbol]:
    inverse = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"a_{min(i, j)}{max(i, j)}"))  # A^{-1}, symmetric
    return inverse, sp.Matrix(sp.symbols("x_0:3")), sp.Symbol("c", positive=True)


@check("leave-one-out", "(A + c x x^T / N)^{-1} from Sherman-Morrison, times A + c x x^T / N, with the identity; "
       "Q x with A^{-1} x / (1 + c d); x^T Q x / N with d / (1 + c d), d = x^T A^{-1} x / N")
def leave_one_out() -> CheckResult:
    inverse, x, c = _one_sample()
    d = (x.T * inverse * x)[0] / N
    Q = inverse - c / N * inverse * x * x.T * inverse / (1 + c * d)
    # A + c x x^T / N in units of A: Q (A + c x x^T / N) = Q A + (c / N) Q x x^T, and Q A uses only A^{-1} A = I
    QA = sp.eye(3) - c / N * inverse * x * x.T / (1 + c * d)
    identity = QA + c / N * Q * x * x.T - sp.eye(3)
    pulled_out = Q * x - inverse * x / (1 + c * d)
    quadratic = (x.T * Q * x)[0] / N - d / (1 + c * d)
    return vanishes(*identity, *pulled_out, quadratic)


def theorem() -> Theorem:
    """The chapter on the model."""
    d, c, x, Q, A = sp.symbols("d c x Q A")
    return Theorem(
        "model",
        "The model and the leave-one-out step",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the kept fraction of the synthetic samples", sp.Eq(sp.Symbol("alpha"), alpha, evaluate=False)),
            Equation("their signal", sp.Eq(sp.Symbol("lambda"), lam, evaluate=False)),
            Equation("their share of wrong labels", sp.Eq(sp.Symbol("e"), rho * epsilon / sp.Symbol("alpha"), evaluate=False)),
            Equation("one sample of weight c leaves the sum: its factor is 1/(1 + c d) with d = x^T A^{-1} x / N, "
                     "where A holds all the others; a sample that is in the sum was kept, so there is no alpha in it",
                     sp.Eq(Q * x, A**-1 * x / (1 + c * d), evaluate=False)),
        ),
        after=None,
    )
