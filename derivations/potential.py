"""One potential, and the fixed point it is evaluated at.

Fixed point. With the bulk resolvent B = (gamma I + t C_test + sum_k s_k C_k)^{-1} each source has one unknown,

    q_k = (1/N) tr(C_k B).

delta_k is what a left-out sample of source k sees of the resolvent, tau_k the weight of its second moment, kappa_k that with
the samples it was fitted on, s_k the weight of C_k. Without a fit (r = 0) delta = q and s = kappa = tau.

    delta (1 + r kappa q) = q,   tau = theta c / (1 + c delta),   kappa = b + tau,   s = kappa / (1 + r kappa q)

This is where the functional (1/N) logdet B^{-1} - sum_k s_k q_k + sum_k [theta log(1 + c delta) - tau delta
+ (1/r) log(1 + r kappa q)] is stationary.

Potential. The limit of u^T Q u, u = (1/N) sum_i c_i ytilde_i x_i + J mu_test, is

    Psi(t, J) = M^T Qbar M + noise,   M = sum_k v_k mu_k + J mu_test,   Qbar = (B^{-1} + sum_k T_k mu_k mu_k^T)^{-1},

and with it (derivatives.py) the mean margin is (1/2) dPsi/dJ and the variance is -dPsi/dt at t = J = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy as sp

from synthmix.derivations.model import RIGHT, Labels, N, Source, gamma, source, t
from synthmix.derivations.theorem import CheckResult, Equation, Theorem, check, vanishes


def tau(s: Source) -> sp.Expr:
    """The weight of a source's second moment in the resolvent, by leave-one-out."""
    return s.theta * s.c / (1 + s.c * s.delta)


def kappa(s: Source) -> sp.Expr:
    """tau, with the weight of the samples the source was fitted on where those train too."""
    return s.b + tau(s)


def effective_weight(s: Source) -> sp.Expr:
    """s: the weight of C_k in the bulk resolvent."""
    return kappa(s) / (1 + s.r * kappa(s) * s.q)


def fit_equation(s: Source) -> sp.Expr:
    """Zero where delta is what a sample of a fitted generator sees of the trace: delta (1 + r kappa q) = q."""
    return s.delta * (1 + s.r * kappa(s) * s.q) - s.q


def signal(s: Source) -> sp.Expr:
    """The mean label over all samples that carry the source's mean: its own, and those it was fitted on where they train."""
    return (s.b * s.base_labels.mean + tau(s) * s.labels.mean) / kappa(s)


def mean_weight(s: Source) -> sp.Expr:
    """T: the weight of mu mu^T. That of the covariance for a fitted mean, kappa for an exact one."""
    return effective_weight(s) if s.mean_fitted else kappa(s)


def noise(s: Source) -> sp.Expr:
    """What finitely many samples add to Psi: those of the source, and those its mean was fitted on."""
    own = _square(s.labels) * s.theta * s.c**2 * s.delta / (1 + s.c * s.delta)
    if not s.mean_fitted:
        return own
    square = (kappa(s) * signal(s)) ** 2 + s.b**2 * s.base_labels.variance
    return own + s.r * square * s.q / (1 + s.r * kappa(s) * s.q)


def floor(s: Source) -> sp.Expr:
    """What labels that vary leave of the training loss however good w is, term by term positive."""
    apart = s.b * tau(s) * (s.base_labels.mean - s.labels.mean) ** 2 / kappa(s)
    base = s.b * s.base_labels.variance * (1 + s.r * tau(s) * s.q) / (1 + s.r * kappa(s) * s.q)
    return tau(s) * s.labels.variance + apart + base


def _square(labels: Labels) -> sp.Expr:
    return labels.variance + labels.mean**2


@dataclass(frozen=True)
class Block:
    """`multiplicity` / N = h equal eigenvalues: one a source, one of C_test, and the products of the means within it.

    One block is an isotropic problem; p blocks of multiplicity 1 are any covariances that commute.
    gram: (K + 1) x (K + 1), the means of the sources, then of a fresh sample.
    """

    h: sp.Expr
    eigenvalues: tuple[sp.Expr, ...]
    test: sp.Expr
    gram: sp.Matrix

    def resolvent(self, sources: Sequence[Source]) -> sp.Expr:
        """B within the block."""
        loads = (effective_weight(s) * eigenvalue for s, eigenvalue in zip(sources, self.eigenvalues, strict=True))
        return 1 / (gamma + t * self.test + sum(loads))


@dataclass(frozen=True)
class Statement:
    """A problem: sources and spectrum. Everything else follows."""

    sources: tuple[Source, ...]
    blocks: tuple[Block, ...]

    def fixed_point(self) -> list[sp.Expr]:
        """Zero at the fixed point: one bulk equation a source, one equation of the fit for a fitted generator."""
        bulk = [
            s.q - sum(block.h * block.eigenvalues[k] * block.resolvent(self.sources) for block in self.blocks)
            for k, s in enumerate(self.sources)
        ]
        return bulk + [fit_equation(s) for s in self.sources if s.r != 0]

    def unknowns(self) -> list[sp.Symbol]:
        """q of every source, then delta of fitted generators."""
        return [s.q for s in self.sources] + [s.delta for s in self.sources if s.r != 0]

    def gram(self) -> sp.Matrix:
        """mean_a^T B mean_b."""
        size = len(self.sources) + 1
        return sum((block.gram * block.resolvent(self.sources) for block in self.blocks), sp.zeros(size))

    def _direct(self, expression: sp.Expr) -> sp.Expr:
        return expression.subs({s.delta: s.q for s in self.sources if s.r == 0})

    def equations(self) -> list[sp.Expr]:
        """The fixed point with delta = q put in where nothing is fitted."""
        return [self._direct(equation) for equation in self.fixed_point()]

    def potential(self, j: sp.Expr = sp.Integer(0)) -> sp.Expr:
        """Psi(t, J = j)."""
        return self._direct(potential(self.sources, self.gram(), j))

    def training_loss(self) -> sp.Expr:
        """L(t), the sum of the weights less Psi(t, 0)."""
        return self._direct(training_loss(self.sources, self.gram()))


def potential(sources: Sequence[Source], G: sp.Matrix, j: sp.Expr = sp.Integer(0)) -> sp.Expr:
    """Psi for means whose products under the bulk resolvent are G: Woodbury in the span of the means, and the noise."""
    T = sp.diag(*[mean_weight(s) for s in sources], 0)
    v = sp.Matrix([mean_weight(s) * signal(s) for s in sources] + [j])
    H = (sp.eye(len(sources) + 1) + G * T).LUsolve(G)
    return (v.T * H * v)[0] + sum(noise(s) for s in sources)


def training_loss(sources: Sequence[Source], G: sp.Matrix) -> sp.Expr:
    """L(t) = min_w (1/N) sum c (ytilde - w^T x)^2 + gamma |w|^2 + t w^T C_test w, a sum of positive terms.

    Since it is a minimum, its derivative in t is w^T C_test w. Written with the residuals of the means, (I + G T)^{-1} signal,
    nothing cancels in it, so it is what the solvers differentiate.
    """
    K = len(sources)
    T = sp.diag(*[mean_weight(s) for s in sources])
    signals = sp.Matrix([signal(s) for s in sources])
    residual = (sp.eye(K) + G[:K, :K] * T).LUsolve(signals)
    return sum(floor(s) for s in sources) + (signals.T * T * residual)[0]


def isotropic(*sources: Source, h: sp.Expr, coordinates: sp.Matrix) -> Statement:
    """Every covariance the identity; coordinates: (K + 1) x d, the means of the sources, then of a fresh sample."""
    ones = (sp.Integer(1),) * len(sources)
    return Statement(sources, (Block(h, ones, sp.Integer(1), coordinates * coordinates.T),))


def total_weight(s: Source) -> sp.Expr:
    """sum c_i ytilde_i^2 / N over the source's samples and those it was fitted on."""
    return s.theta * s.c * _square(s.labels) + (s.b * _square(s.base_labels) if s.mean_fitted else 0)


@check("stationarity, one source", "derivatives of the log-determinant functional in q, s, delta, tau with the fixed point, "
       "direct and of a fitted generator")
def stationary_point() -> CheckResult:
    found = []
    for fitted in (False, True):
        s = source("k", fitted=fitted)
        weight, own, C1, C2, h = sp.symbols("s tau C_1 C_2 h", positive=True)
        logdet = h * sp.log(gamma + weight * C1) + h * sp.log(gamma + weight * C2)
        k = s.b + own
        last = sp.log(1 + s.r * k * s.q) / s.r if fitted else k * s.q
        functional = logdet - weight * s.q + s.theta * sp.log(1 + s.c * s.delta) - own * s.delta + last
        at = {weight: effective_weight(s), own: tau(s)}
        bulk = h * C1 / (gamma + weight * C1) + h * C2 / (gamma + weight * C2)
        found.append(functional.diff(weight) - (bulk - s.q))
        found.append(functional.diff(s.delta).subs(at))
        found.append(functional.diff(s.q).subs(at))
        seen = functional.diff(own) * (1 + s.r * k * s.q)
        found.append(seen.subs(at) + fit_equation(s))
    return vanishes(*found)


@check("stationarity, two commuting sources", "gradient of the functional in both q, with s eliminated, with the fixed point "
       "of the general statement (two eigenvalues, two sources)")
def stationary_point_of_two() -> CheckResult:
    sources = tuple(source(k) for k in (1, 2))
    C = sp.Matrix(2, 2, lambda k, j: sp.Symbol(f"C_{k + 1}{j + 1}", positive=True))
    h = sp.Symbol("h", positive=True)
    blocks = tuple(Block(h, (C[0, j], C[1, j]), sp.Integer(0), sp.zeros(3)) for j in range(2))
    direct = {s.delta: s.q for s in sources}
    functional = sum(h * sp.log(1 / block.resolvent(sources).subs(direct)) for block in blocks)
    for s in sources:
        functional += s.theta * sp.log(1 + s.c * s.q) - effective_weight(s).subs(direct) * s.q
    equations = Statement(sources, blocks).equations()
    slopes = [effective_weight(s).subs(direct).diff(s.q) for s in sources]
    return vanishes(*(functional.diff(s.q) + equation * slope
                      for s, equation, slope in zip(sources, equations, slopes, strict=True)))


@check("training loss", "sum of weights - Psi(t, 0) with the sum of positive terms that the solvers differentiate, for a "
       "direct source beside a fitted generator, its mean exact or fitted, with labels of any mean and variance")
def loss_is_the_potential() -> CheckResult:
    G = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"g_{min(i, j)}{max(i, j)}", positive=True))
    found = []
    for fitted in (False, True):
        any_labels = {"labels": _any_labels("y v"), "base_labels": _any_labels("y_0 v_0") if fitted else RIGHT}
        sources = (source(1), replace(source(2, fitted=fitted, mean_fitted=fitted), **any_labels))
        weights = sum(total_weight(s) for s in sources)
        found.append(weights - potential(sources, G) - training_loss(sources, G))
    return vanishes(*found)


def _any_labels(names: str) -> Labels:
    return Labels(*sp.symbols(names, real=True))


def theorem() -> Theorem:
    """The chapter on the potential, printed for one fitted generator and for two direct ones."""
    s = source("k", fitted=True, mean_fitted=True)
    B, C, P, K, L = sp.symbols("B C_k Psi kappa_k L")
    two = tuple(source(k) for k in (1, 2))
    g = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"g_{min(i, j)}{max(i, j)}"))
    statement = Statement(two, (Block(sp.Symbol("h"), sp.symbols("C_1 C_2"), sp.Symbol("C_test"), g),))
    weights = sp.Function("logdet")(B**-1) / N - sp.Symbol("s_k") * s.q
    own = s.theta * sp.log(1 + s.c * s.delta) - sp.Symbol("tau_k") * s.delta
    functional = weights + own + sp.log(1 + s.r * K * s.q) / s.r
    return Theorem(
        "potential",
        "One potential, one fixed point",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the trace of a source", sp.Eq(s.q, sp.Function("tr")(C * B) / N)),
            Equation("its weight by leave-one-out", sp.Eq(sp.Symbol("tau_k"), tau(s))),
            Equation("with the samples it was fitted on", sp.Eq(K, s.b + sp.Symbol("tau_k"))),
            Equation("what a sample of a fitted generator sees of the trace", sp.Eq(s.delta * (1 + s.r * K * s.q), s.q)),
            Equation("the weight of its covariance", sp.Eq(sp.Symbol("s_k"), K / (1 + s.r * K * s.q))),
            Equation("the functional that is stationary there (the terms of one source)", functional),
            Equation("the mean label of the samples that carry the source's mean",
                     sp.Eq(sp.Symbol("ybar_k"), (s.b + sp.Symbol("tau_k") * s.labels.mean) / K)),
            Equation("what finitely many samples add to the potential (labels 1 at the samples of the fit)",
                     s.theta * s.c**2 * s.delta / (1 + s.c * s.delta) + s.r * (K * sp.Symbol("ybar_k")) ** 2 * s.q / (1 + s.r * K * s.q)),
            Equation("the fixed point of two direct sources, each zero (h: one eigenvalue's share of the trace)",
                     sp.Matrix(statement.equations())),
            Equation("the potential of one direct source at t = J = 0",
                     sp.Eq(P, sp.simplify(Statement((two[0],), (Block(sp.Symbol("h"), (sp.Symbol("C_1"),), sp.Symbol("C_test"),
                                                                     g[:2, :2]),)).potential().subs(t, 0)))),
            Equation("the same as a training loss, every term positive",
                     sp.Eq(L, sp.simplify(Statement((two[0],), (Block(sp.Symbol("h"), (sp.Symbol("C_1"),), sp.Symbol("C_test"),
                                                                     g[:2, :2]),)).training_loss().subs(t, 0)))),
        ),
        after="model",
    )
