r"""The potential, which solves the [growth equations](#one_sample), and its fixed point.

With the bulk resolvent $B = (\gamma I + tC_\mathrm{test} + \sum_ks_kC_k)^{-1}$ each source has one unknown, $q_k =
\frac1N\operatorname{tr}(C_kB)$. $\delta_k$ is the leverage of a left-out sample, $\tau_k$ the weight of its second moment,
$\kappa_k$ that with the samples it was fitted on, $s_k$ the weight of $C_k$. Without a fit ($r = 0$) $\delta = q$ and $s = \kappa =
\tau$. The equations of a [fitted generator](#fitted_generator) have a chapter of their own.

The fixed point is where a functional $\Lambda$ is stationary, the limit of $\frac1N\log\det Q^{-1}$; the means do not matter to it,
since they change a trace by a term of order $1/N$. The response is

$$\Psi(t, J) = M^\top\bar QM + \text{noise},\qquad M = \sum_kT_k\bar y_k\mu_k + J\mu_\mathrm{test},\qquad
\bar Q = \left(B^{-1} + \sum_kT_k\mu_k\mu_k^\top\right)^{-1},$$

with the weight $T_k$ of a mean, $s_k$ if the mean is fitted and $\kappa_k$ if it is exact. The noise is what finitely many samples
add. That this solves the growth equations is the check here; that it is the limit of the response at all is checked again, without
them, by counting pairings in the [expansion](#expansion).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from .model import Labels, N, Source, gamma, source, symmetric, t
from .one_sample import logdet_growth, response_growth
from .theorem import CheckResult, Equation, Theorem, check, vanishes

DIGITS = 50
Values = Mapping[sp.Symbol, sp.Expr]


def tau(s: Source) -> sp.Expr:
    """Return the weight of a source's second moment in the resolvent, by leave-one-out."""
    return s.theta * s.c / (1 + s.c * s.delta)


def kappa(s: Source) -> sp.Expr:
    """Return tau, with the weight of the samples the source was fitted on where those train too."""
    return s.b + tau(s)


def effective_weight(s: Source) -> sp.Expr:
    """Return s, the weight of C_k in the bulk resolvent."""
    return kappa(s) / (1 + s.r * kappa(s) * s.q)


def fit_equation(s: Source) -> sp.Expr:
    """Return what is zero where delta is the leverage of a sample of a fitted generator: delta (1 + r kappa q) - q."""
    return s.delta * (1 + s.r * kappa(s) * s.q) - s.q


def signal(s: Source) -> sp.Expr:
    """Return the mean label over all samples that carry the source's mean: its own, and those it was fitted on where they train."""
    return (s.b * s.base_labels.mean + tau(s) * s.labels.mean) / kappa(s)


def mean_weight(s: Source) -> sp.Expr:
    """Return T, the weight of mu mu^T: that of the covariance for a fitted mean, kappa for an exact one."""
    return effective_weight(s) if s.mean_fitted else kappa(s)


def noise(s: Source) -> sp.Expr:
    """Return what finitely many samples add to Psi: those of the source, and those its mean was fitted on."""
    own = s.labels.square * s.theta * s.c**2 * s.delta / (1 + s.c * s.delta)
    if not s.mean_fitted:
        return own
    square = (kappa(s) * signal(s)) ** 2 + s.b**2 * s.base_labels.variance
    return own + s.r * square * s.q / (1 + s.r * kappa(s) * s.q)


@dataclass(frozen=True)
class Block:
    """Equal eigenvalues of all covariances. One block is an isotropic problem, p blocks are any covariances that commute.

    Attributes
    ----------
    h
        The number of eigenvalues over N.
    eigenvalues
        That of every source.
    test
        That of C_test.
    gram
        (K + 1, K + 1): products, within the block, of the means of the sources and, last, of a fresh sample.
    """

    h: sp.Expr
    eigenvalues: tuple[sp.Expr, ...]
    test: sp.Expr
    gram: sp.Matrix

    def resolvent(self, sources: Sequence[Source]) -> sp.Expr:
        """Return B within the block.

        Parameters
        ----------
        sources : sequence of Source
            Those that train.
        """
        loads = (effective_weight(s) * eigenvalue for s, eigenvalue in zip(sources, self.eigenvalues, strict=True))
        return 1 / (gamma + t * self.test + sum(loads))


@dataclass(frozen=True)
class Statement:
    """A problem, from which everything else follows.

    Attributes
    ----------
    sources
        The sources.
    blocks
        The spectrum.
    """

    sources: tuple[Source, ...]
    blocks: tuple[Block, ...]

    def fixed_point(self) -> list[sp.Expr]:
        """Return what is zero at the fixed point: one bulk equation a source, one equation of the fit for a fitted generator."""
        bulk = [
            s.q - sum(block.h * block.eigenvalues[k] * block.resolvent(self.sources) for block in self.blocks)
            for k, s in enumerate(self.sources)
        ]
        return bulk + [fit_equation(s) for s in self.sources if s.r != 0]

    def unknowns(self) -> list[sp.Symbol]:
        """Return q of every source, then delta of fitted generators."""
        return [s.q for s in self.sources] + [s.delta for s in self.sources if s.r != 0]

    def gram(self) -> sp.Matrix:
        """Return the products mean_a^T B mean_b."""
        size = len(self.sources) + 1
        return sum((block.gram * block.resolvent(self.sources) for block in self.blocks), sp.zeros(size))

    def direct(self, expression: sp.Expr) -> sp.Expr:
        """Return the expression with delta = q where nothing is fitted."""
        return expression.subs({s.delta: s.q for s in self.sources if s.r == 0})

    def equations(self) -> list[sp.Expr]:
        """Return the fixed point with delta = q put in where nothing is fitted."""
        return [self.direct(equation) for equation in self.fixed_point()]

    def potential(self, j: sp.Expr = sp.Integer(0)) -> sp.Expr:
        """Return Psi(t, J = j)."""
        return self.direct(potential(self.sources, self.gram(), j))

    def functional(self) -> sp.Expr:
        """Return Lambda as a function of the unknowns, stationary at the fixed point; all sources direct."""
        logdet = sum(-block.h * sp.log(block.resolvent(self.sources)) for block in self.blocks)
        return self.direct(logdet + sum(s.theta * sp.log(1 + s.c * s.delta) - tau(s) * s.q for s in self.sources))

    def total_derivative(self, expression: sp.Expr, rates: Mapping[sp.Symbol, sp.Expr], at: Values | None = None) -> sp.Expr:
        """Return how an expression moves along a direction, its unknowns with the fixed point, by implicit differentiation.

        Parameters
        ----------
        expression
            A function of parameters and unknowns.
        rates
            The direction: the rate of each parameter that moves.
        at
            What to put in for symbols before the linear system is solved: exact numbers, or floats of as many digits as are wanted.
        """
        equations, unknowns = sp.Matrix(self.equations()), self.unknowns()

        def along(part: sp.Expr) -> sp.Expr:
            return sum((part.diff(symbol) * rate for symbol, rate in rates.items()), start=part * 0)

        jacobian, moved = _put(equations.jacobian(unknowns), at), _put(along(equations), at)
        speed = -jacobian.LUsolve(moved)
        return _put(along(expression), at) + sum(_put(expression.diff(x), at) * speed[i] for i, x in enumerate(unknowns))


def _put(expression: sp.Basic, at: Values | None) -> sp.Basic:
    return expression if at is None else expression.xreplace(dict(at))


def potential(sources: Sequence[Source], G: sp.Matrix, j: sp.Expr = sp.Integer(0)) -> sp.Expr:
    """Return Psi for means whose products under the bulk resolvent are G: Woodbury in the span of the means, and the noise.

    Parameters
    ----------
    sources : sequence of Source
        K sources.
    G : matrix (K, K)
    j : expression
        The field J.
    """
    T = sp.diag(*[mean_weight(s) for s in sources], 0)
    v = sp.Matrix([mean_weight(s) * signal(s) for s in sources] + [j])
    H = (sp.eye(len(sources) + 1) + G * T).LUsolve(G)
    return (v.T * H * v)[0] + sum(noise(s) for s in sources)


def isotropic(*sources: Source, h: sp.Expr, coordinates: sp.Matrix) -> Statement:
    """Return the statement with the identity for every covariance.

    Parameters
    ----------
    *sources
        K sources.
    h
        p / N.
    coordinates
        (K + 1, d): the means of the sources, then of a fresh sample.
    """
    ones = (sp.Integer(1),) * len(sources)
    return Statement(sources, (Block(h, ones, sp.Integer(1), coordinates * coordinates.T),))


def general(sources: tuple[Source, ...], blocks: int) -> Statement:
    """Return a statement whose spectrum, fields and means are symbols of their own.

    Parameters
    ----------
    sources : tuple of K sources
    blocks : int
        How many different eigenvalues.
    """
    K = len(sources)
    return Statement(sources, tuple(
        Block(sp.Symbol(f"h_{b}", positive=True), tuple(sp.Symbol(f"C_{k}{b}", positive=True) for k in range(K)),
              sp.Symbol(f"field_{b}", positive=True), symmetric(f"g{b}", K + 1, real=True)) for b in range(blocks)))


def _directions(statement: Statement, k: int) -> tuple[dict[sp.Symbol, sp.Expr], dict[sp.Symbol, sp.Expr]]:
    """The probes of source k: J_k mu_k beside the field of the label moment, and t_k C_k beside that of the resolvent."""
    last = len(statement.sources)
    push = {}
    for block in statement.blocks:
        push |= {block.gram[a, last]: block.gram[a, k] for a in range(last)}
        push[block.gram[last, last]] = 2 * block.gram[k, last]
    return push, {block.test: block.eigenvalues[k] / t for block in statement.blocks}


@check("growth of the determinant", r"for two sources and two eigenvalues: the gradient of $\Lambda$ in both $q_k$, its slope in "
       r"$\theta_k$ less $\log(1 + c_kq_k)$, and its slope in $t_k$ less $q_k$, each with a multiple of an equation of the fixed point")
def determinant_grows() -> CheckResult:
    statement = general(tuple(source(k) for k in (1, 2)), 2)
    functional, equations = statement.functional(), statement.equations()
    found = []
    for k, s in enumerate(statement.sources):
        weight = statement.direct(tau(s))
        probe = _directions(statement, k)[1]
        found += [
            functional.diff(s.q) + equations[k] * weight.diff(s.q),
            functional.diff(s.theta) - statement.direct(logdet_growth(s, s.q)) + equations[k] * weight.diff(s.theta),
            sum(functional.diff(field) * rate for field, rate in probe.items()) - s.q + equations[k],
        ]
    return vanishes(*found)


@check("growth of the response", r"on the fixed point: $\partial_{\theta_k}\Psi$ with $g_k$ of what the probes $J_k$ and $t_k$ show, "
       r"in any fields $tC_\mathrm{test}$ and $\mu_\mathrm{test}$; one source symbolically, two with two eigenvalues at a rational "
       r"point each; $\Psi$ without samples")
def response_grows() -> CheckResult:
    labels = Labels(*sp.symbols("y vtilde", real=True))
    found, draw = [], random.Random(2)
    for K in (1, 2):
        statement = general(tuple(replace(source(k), labels=labels) if k == 0 else source(k) for k in range(K)), K)
        psi, h = statement.potential(sp.Integer(1)), [block.h for block in statement.blocks]
        fixed = sp.solve(statement.equations(), h, dict=True)[0]  # linear in the multiplicities
        symbols = sorted(psi.free_symbols | set().union(*(value.free_symbols for value in fixed.values())), key=str)
        for k, s in enumerate(statement.sources):
            point = {} if K == 1 else {x: sp.Rational(draw.randint(1, 60), 20) for x in symbols if x not in h}
            at = point | {x: value.xreplace(point) for x, value in fixed.items()}
            grows, pushed, probed = (statement.total_derivative(psi, rates, at)
                                     for rates in ({s.theta: sp.Integer(1)}, *_directions(statement, k)))
            found.append(grows - response_growth(s, pushed / 2, -probed, s.q).xreplace(at))
        empty = psi.subs({s.theta: 0 for s in statement.sources})
        found.append(empty - sum(block.gram[K, K] / (gamma + t * block.test) for block in statement.blocks))
    return vanishes(*found)


def theorem() -> Theorem:
    """Return the chapter on the potential."""
    s = source("k", fitted=True, mean_fitted=True)
    B, C, L = sp.symbols("B C_k Lambda")
    K, own, weight, y, v = sp.symbols("kappa_k tau_k s_k ybar_k vtilde_k")
    M, MT, Q = sp.symbols("M M^T Qbar", commutative=False)
    inverse = sp.Symbol("B", commutative=False) ** -1
    every = (sp.Symbol("k"), 1, sp.Symbol("K"))
    q, r = s.q, s.r
    labels = y**2 + v
    return Theorem(
        "potential",
        "One potential, one fixed point",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the trace of a source", sp.Eq(q, sp.Function("tr")(C * B) / N), "trace"),
            Equation("the weight of its second moment, by leave-one-out", sp.Eq(own, tau(s)), "tau"),
            Equation("that with the samples it was fitted on", sp.Eq(K, s.b + own)),
            Equation("the leverage of a sample of a fitted generator", sp.Eq(s.delta * (1 + r * K * q), q), "fit"),
            Equation("the weight of its covariance", sp.Eq(weight, K / (1 + r * K * q)), "weight"),
            Equation("the functional, of direct sources", sp.Eq(L, sp.Function("logdet")(inverse) / N + sp.Sum(
                s.theta * sp.log(1 + s.c * q) - own * q, every), evaluate=False), "functional"),
            Equation("the mean label of the samples that carry the source's mean, where those of the fit have right labels",
                     sp.Eq(sp.Symbol("yhat_k"), (s.b + own * y) / K)),
            Equation("the noise of a direct source, of labels with mean $\\bar y_k$ and variance $\\tilde v_k$",
                     sp.Eq(sp.Symbol("noise_k"), s.theta * s.c**2 * q * labels / (1 + s.c * q)), "noise"),
            Equation("that of a source whose mean was fitted", sp.Eq(
                sp.Symbol("noise_k"), s.theta * s.c**2 * s.delta * labels / (1 + s.c * s.delta)
                + r * (K * sp.Symbol("yhat_k")) ** 2 * q / (1 + r * K * q)), "fit_noise"),
            Equation("the response", sp.Eq(sp.Symbol("Psi"), MT * Q * M + sp.Sum(sp.Symbol("noise_k"), every), evaluate=False), "response"),
            Equation("for one direct source with one eigenvalue $C_1$ and $g = \\mu^\\top\\mu$, at $t = J = 0$", _one_source()),
        ),
        after="one_sample",
    )


def _one_source() -> sp.Eq:
    """The response of one direct source, in tau."""
    g, C, own, y, v = sp.symbols("g C_1 tau_1 ybar_1 vtilde_1", positive=True)
    s = replace(source(1), labels=Labels(y, v))
    response, noisy = potential((s,), sp.diag(g / (gamma + own * C), 0)) - noise(s), noise(s).subs(s.delta, s.q)
    return sp.Eq(sp.Symbol("Psi"), sp.factor(response.subs(s.theta, own * (1 + s.c * s.delta) / s.c)) + noisy, evaluate=False)

