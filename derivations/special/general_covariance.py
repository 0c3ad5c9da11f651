r"""Any covariances and any $\mu_\beta$: the paper's general theorem is the statement with two sources.

The means enter through their products under the bulk resolvent only (Woodbury). So covariances that commute need their eigenvalues
and a $K\times K$ system; covariances that do not commute need the same products from a dense inverse.
"""

from __future__ import annotations

import sympy as sp

from ..model import J, gamma, source, t
from ..potential import Block, Statement, effective_weight, mean_weight, noise, potential, signal
from ..theorem import CheckResult, Equation, Theorem, check, vanishes


@check("general covariance", r"$M^\top\bar QM$ and noise with $\bar Q$ inverted as a $2\times2$ matrix (two sources that do not commute, "
       r"$C_\mathrm{test}$, three means, at rational weights) with the potential by Woodbury")
def woodbury() -> CheckResult:
    sources = tuple(source(k) for k in (1, 2))
    direct = {one.delta: one.q for one in sources}
    C = (sp.Matrix([[2, 1], [1, 3]]), sp.Matrix([[5, -2], [-2, 1]]))
    test = sp.Matrix([[1, sp.Rational(1, 3)], [sp.Rational(1, 3), 2]])
    means = (sp.Matrix([1, 2]), sp.Matrix([-3, 1]), sp.Matrix([2, 5]))
    bulk = gamma * sp.eye(2) + t * test
    for one, covariance in zip(sources, C, strict=True):
        bulk += effective_weight(one).subs(direct) * covariance
    full = bulk
    for one, mean in zip(sources, means, strict=False):
        full += mean_weight(one).subs(direct) * mean * mean.T
    M = J * means[2]
    for one, mean in zip(sources, means, strict=False):
        M += (mean_weight(one) * signal(one)).subs(direct) * mean
    explicit = (M.T * full.inv() * M)[0] + sum(noise(one).subs(direct) for one in sources)
    B = bulk.inv()
    G = sp.Matrix(3, 3, lambda a, b: (means[a].T * B * means[b])[0])
    difference = explicit - potential(sources, G, J).subs(direct)
    return vanishes(difference.subs(_rational(difference)))


def _rational(expression: sp.Expr) -> dict[sp.Symbol, sp.Rational]:
    """Exact numbers for every weight: J alone stays a symbol, since these polynomials are large in all of them."""
    return {symbol: sp.Rational(i + 2, 2 * i + 3) for i, symbol in enumerate(sorted(expression.free_symbols - {J}, key=str))}


@check("commuting covariances", "the fixed point of two sources in $p$ eigenvalues with the traces of the matrices, $p = 3$, at "
       "rational weights")
def eigenvalues() -> CheckResult:
    sources = tuple(source(k) for k in (1, 2))
    direct = {one.delta: one.q for one in sources}
    h = sp.Symbol("h", positive=True)
    values = ((1, 2, 5), (3, 1, 4))
    blocks = tuple(Block(h, (values[0][j], values[1][j]), sp.Integer(1), sp.zeros(3)) for j in range(3))
    rotation = sp.Matrix([[2, -2, 1], [1, 2, 2], [2, 1, -2]]) / 3
    C = [rotation * sp.diag(*value) * rotation.T for value in values]
    bulk = (gamma + t) * sp.eye(3)
    for one, covariance in zip(sources, C, strict=True):
        bulk += effective_weight(one).subs(direct) * covariance
    B = bulk.inv()
    found = [one.q - h * (covariance * B).trace() - equation
             for one, covariance, equation in zip(sources, C, Statement(sources, blocks).equations(), strict=True)]
    return vanishes(*(difference.subs(_rational(difference)) for difference in found))


def theorem() -> Theorem:
    """Return the chapter on general covariances."""
    Q, C, S = sp.symbols("Qbar C_test S_k", commutative=False)
    inverse = gamma + t * C + sp.Sum(sp.Symbol("tau_k") * S, (sp.Symbol("k"), 1, sp.Symbol("K")))
    return Theorem(
        "general_covariance", "General covariances", __doc__.split("\n\n", 1)[1],
        (Equation("the resolvent, summed over the sources", sp.Eq(Q**-1, inverse, evaluate=False)),),
        after="reference",
    )
