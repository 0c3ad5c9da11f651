r"""Family trees: sample sets that are real, or drawn from generators fitted on earlier sets, to any depth.

Set $j$ has $n_j = \theta_j N$ kept samples, written as $\tilde x = \tilde y x$, whose labels have mean $y_j = 1 - 2 e_j$. It is
real, or a generator drew it, whose mean and covariance are those of the samples $\tilde x$ of the union of earlier sets, its
parents. The classifier trains on set $j$ with weight $c_j$ (0: not on this one).

Training on the samples of a generator is training on the samples that it was fitted on, at a reduced weight. Seen from the
classifier, the samples of set $j$ with weight $\omega_j$ and target $v_j$ are worth $\tau_j [(V_j - m^T w)^2 + w^T S w]$, where $m$
and $S$ are the mean and the covariance that they were drawn with, $\tau_j = \theta_j \omega_j/(1 + \omega_j \delta_j)$ by
leave-one-out, and $V_j = v_j y_j$. With the mean and the covariance of a union this is $\tau_j$ times the average of $(V_j - \tilde
x^T w)^2$ over the union. So it is handed down: fold from the youngest set to the oldest. What the descendants hand down to a sample
adds to its own weight, and shifts its target.

The left-out trace of a set goes the other way, from the oldest to the youngest: $\delta_j = q = \mathrm{tr}(C B)/N$ for a real set,
and the average of $\delta_k/(1 + \omega_k \delta_k)$ over the samples of the union for a generated one, with
$B = (\gamma I + t C_\mathrm{test} + \tau C)^{-1}$ and the root $\tau$, the sum over the real sets.

Real sets may follow laws of their own. The union of two laws has, beside the average of their covariances, the direction between their
means, $s(1-s)(\mu_a-\mu_b)(\mu_a-\mu_b)^\top$. It need not be kept apart: what is handed down to a sample does not ask for its law, and
one direction is nothing to a trace. So the fold ends with one root $R_a$, the sum of $\tau$ over the real sets of the law $a$, one target
$T_a$ and one trace $q_a = \mathrm{tr}(C_aB)/N$ for every law, $B = (\gamma I + tC_\mathrm{test} + \sum_a R_aC_a)^{-1}$. With $G_{ab} =
\mu_a^\top B\mu_b$ and the gaps $g = (I + GR)^{-1}T$, what the classifier lacks to every target,

$$L = \sum_a R_aT_ag_a,\qquad dL = \sum_a g_a^2\,dR_a + 2R_ag_a\,dT_a - \sum_{ab} R_ag_aR_bg_b\,dG_{ab},\qquad m_w = \sum_a
\mu_\mathrm{test}^\top B\mu_a\,R_ag_a.$$
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from ..derivatives import training_loss
from ..model import RIGHT, Labels, Source
from ..potential import effective_weight, fit_equation
from ..potential import tau as weight_of
from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes

THETA, OMEGA, DELTA, ROOT, TARGET, G = sp.symbols("theta omega delta root target product", positive=True)
Q = sp.Symbol("q", positive=True)


@dataclass(frozen=True)
class SampleSet:
    """A set of a family tree, in symbols.

    Attributes
    ----------
    name
        What its children call it.
    theta
        Kept samples over N.
    c
        Training weight of a sample, 0 where the classifier does not train on the set.
    label
        Mean y of its labels, given the truth.
    delta
        Symbol of its left-out trace.
    parents
        Names of the sets that its generator was fitted on; none for a real set.
    trace
        Of a real set: (1/N) tr(C B) for the covariance of its law, by which laws are told apart.
    """

    name: str
    theta: sp.Expr
    c: sp.Expr
    label: sp.Expr
    delta: sp.Symbol
    parents: tuple[str, ...] = ()
    trace: sp.Symbol = Q


@dataclass(frozen=True)
class Folded:
    """The training problem on real sets alone, after every generated set has handed down its weight.

    Attributes
    ----------
    tau
        tau of every set, by name.
    omega
        Weight of a sample of every set, its own and the one handed down to it.
    equations
        Zero at the fixed point: one equation for the left-out trace of every set.
    roots, targets
        Of every law of real samples, by its trace: weight of its covariance in the resolvent, and target of its mean.
    irreducible
        Training loss that is left however good w is.
    """

    tau: Mapping[str, sp.Expr]
    omega: Mapping[str, sp.Expr]
    equations: tuple[sp.Expr, ...]
    roots: Mapping[sp.Symbol, sp.Expr]
    targets: Mapping[sp.Symbol, sp.Expr]
    irreducible: sp.Expr

    @property
    def root(self) -> sp.Expr:
        """The root, where all real samples have one law."""
        (root,) = self.roots.values()
        return root

    @property
    def target(self) -> sp.Expr:
        """The target, where all real samples have one law."""
        (target,) = self.targets.values()
        return target

    def loss(self, product: sp.Expr) -> sp.Expr:
        """Return the training loss L(t) of one law; product: mu^T B mu."""
        return self.irreducible + root_loss(self.root, self.target, product)

    def loss_of_laws(self, gram: sp.Matrix) -> sp.Expr:
        """Return the training loss L(t); gram: mu_a^T B mu_b, laws in the order of `roots`."""
        roots, targets = list(self.roots.values()), list(self.targets.values())
        return self.irreducible + laws_loss(roots, targets, gram)


def reduced(theta: sp.Expr, omega: sp.Expr, delta: sp.Expr) -> sp.Expr:
    """Return tau, the reduced weight of a set, by leave-one-out of one of its samples.

    Parameters
    ----------
    theta, omega, delta : expressions
        Share of all samples, weight and leverage of the set.
    """
    return theta * omega / (1 + omega * delta)


def seen(omega: sp.Expr, delta: sp.Expr) -> sp.Expr:
    """Return the left-out trace of the covariance of fitted samples, each of which is in the resolvent itself.

    Parameters
    ----------
    omega, delta : expressions
        Weight and leverage of the set.
    """
    return delta / (1 + omega * delta)


def root_loss(root: sp.Expr, target: sp.Expr, product: sp.Expr) -> sp.Expr:
    """Return min over w of root [(target - mu^T w)^2 + w^T C w] + gamma |w|^2 + t w^T C_test w; product: mu^T B mu."""
    return root * target**2 / (1 + root * product)


def mean_margin(root: sp.Expr, target: sp.Expr, product: sp.Expr) -> sp.Expr:
    """Return mu^T w at the minimum of `root_loss`.

    Parameters
    ----------
    root, target, product : expressions
        As of `root_loss`.
    """
    return root * target * product / (1 + root * product)


def gaps(roots: Sequence[sp.Expr], targets: Sequence[sp.Expr], gram: sp.Matrix) -> sp.Matrix:
    """Return what the classifier lacks to the target of every law, T_a - mu_a^T w, at the minimum of `laws_loss`.

    Parameters
    ----------
    roots, targets : sequences of expressions
        Of every law.
    gram : matrix
        mu_a^T B mu_b.
    """
    return (sp.eye(len(roots)) + gram * sp.diag(*roots)).LUsolve(sp.Matrix(targets))


def laws_loss(roots: Sequence[sp.Expr], targets: Sequence[sp.Expr], gram: sp.Matrix) -> sp.Expr:
    """Return min over w of sum_a R_a [(T_a - mu_a^T w)^2 + w^T C_a w] + gamma |w|^2 + t w^T C_test w; arguments as of `gaps`."""
    return sum(root * target * gap for root, target, gap in zip(roots, targets, gaps(roots, targets, gram), strict=True))


def fold(sets: Sequence[SampleSet]) -> Folded:
    """Hand down the weights of `sets`, which stand in the order in which they came to be."""
    theta = {each.name: each.theta for each in sets}
    # (weight, target) of a sample: its own, then what each descendant hands down
    handed: dict[str, list[tuple[sp.Expr, sp.Expr]]] = {each.name: [(each.c, sp.Integer(1))] for each in sets}
    tau, omega, targets, irreducible = {}, {}, {}, sp.Integer(0)
    for each in reversed(sets):
        weights = handed[each.name]
        omega[each.name] = total = sum(weight for weight, _ in weights)
        if total == 0:
            raise ValueError(f"no descendant of {each.name} is trained on")
        target = sum(weight * goal for weight, goal in weights) / total
        tau[each.name] = reduced(each.theta, total, each.delta)
        targets[each.name] = target * each.label
        irreducible += each.theta * sum(weight * (goal - target) ** 2 for weight, goal in weights)
        irreducible += tau[each.name] * target**2 * (1 - each.label**2)
        union = sum(theta[name] for name in each.parents)
        for name in each.parents:
            handed[name].append((tau[each.name] / union, targets[each.name]))
    roots, goals = {}, {}
    for trace in dict.fromkeys(each.trace for each in sets if not each.parents):
        real = [each.name for each in sets if not each.parents and each.trace == trace]
        roots[trace] = sum(tau[name] for name in real)
        goals[trace] = target = sum(tau[name] * targets[name] for name in real) / roots[trace]
        irreducible += sum(tau[name] * (targets[name] - target) ** 2 for name in real)
    equations = []
    delta = {each.name: each.delta for each in sets}
    for each in sets:
        union = sum(theta[name] for name in each.parents)
        trace = sum(theta[name] / union * seen(omega[name], delta[name]) for name in each.parents) if each.parents else each.trace
        equations.append(each.delta - trace)
    return Folded(tau, omega, tuple(equations), roots, goals, irreducible)


@check("family tree, handing down", "$\\tau [(v - m^T w)^2 + w^T S w]$ with mean and covariance of the union of two sets of different "
       "label means, with $\\tau$ times the average of $(v - \\tilde x^T w)^2$ over the union (three and two samples, two dimensions)")
def handed_down() -> CheckResult:
    samples = [sp.Matrix(sp.symbols(f"x_{k}:2")) for k in ("a", "b", "c", "d", "e")]  # three of one set, two of another
    w, v, weight = sp.Matrix(sp.symbols("w_0:2")), sp.Symbol("v"), sp.Symbol("tau")
    count = sp.Integer(len(samples))
    mean = sum(samples, sp.zeros(2, 1)) / count
    covariance = sum(((x - mean) * (x - mean).T for x in samples), sp.zeros(2)) / count
    whole = weight * ((v - (mean.T * w)[0]) ** 2 + (w.T * covariance * w)[0])
    parts = [weight * len(part) / count * sum((v - (x.T * w)[0]) ** 2 for x in part) / len(part) for part in (samples[:3], samples[3:])]
    return vanishes(whole - sum(parts))


@check("family tree, targets", r"$c (1 - u)^2 + f_1 (v_1 - u)^2 + f_2 (v_2 - u)^2$ with one square at the mean target and the spread "
       r"of the targets; the average over labels $\pm 1$ of mean $y$ with one square and the variance of the labels")
def merged_targets() -> CheckResult:
    c, f, g, v, z, u, y = sp.symbols("c f_1 f_2 v_1 v_2 u y")
    total = c + f + g
    target = (c + f * v + g * z) / total
    spread = c * (1 - target) ** 2 + f * (v - target) ** 2 + g * (z - target) ** 2
    several = c * (1 - u) ** 2 + f * (v - u) ** 2 + g * (z - u) ** 2
    share = (1 + y) / 2  # of labels +1
    noisy = share * (v - u) ** 2 + (1 - share) * (-v - u) ** 2
    return vanishes(several - total * (target - u) ** 2 - spread, noisy - (v * y - u) ** 2 - v**2 * (1 - y**2))


@check("family tree, wrong labels", "samples times their labels of mean y: mean and covariance of the mixture with the shrunken mean "
       "$y\\mu$ and the gained direction, $C + (1 - y^2)\\mu\\mu^\\top$; the loss with such a generator with that of the fold (two "
       "dimensions)")
def wrong_labels() -> CheckResult:
    y, v, share = sp.Symbol("y"), sp.Symbol("v"), (1 + sp.Symbol("y")) / 2
    mean, w, C = sp.Matrix(sp.symbols("mu_0:2")), sp.Matrix(sp.symbols("w_0:2")), sp.diag(*sp.symbols("C_0:2"))
    mixed = share * mean + (1 - share) * (-mean)
    second = C + mean * mean.T  # of either kind
    covariance = second - mixed * mixed.T
    u = (mean.T * w)[0]
    generated = (v - (mixed.T * w)[0]) ** 2 + (w.T * covariance * w)[0]
    folded = (v * y - u) ** 2 + (w.T * C * w)[0] + v**2 * (1 - y**2)
    return vanishes(*(mixed - y * mean), *(covariance - C - (1 - y**2) * mean * mean.T), generated - folded)


@check("family tree, minimum", r"the gradient of $root [(target - \mu^T w)^2 + w^T C w] + \gamma |w|^2$ at the minimum, the loss and "
       r"the margin there, with the closed forms (two eigenvalues)")
def closed_minimum() -> CheckResult:
    gamma, w = sp.Symbol("gamma", positive=True), sp.Matrix(sp.symbols("w_0:2"))
    C, mean = sp.diag(*sp.symbols("C_0:2", positive=True)), sp.Matrix(sp.symbols("mu_0:2"))
    product = sum(mean[i] ** 2 / (gamma + ROOT * C[i, i]) for i in range(2))
    at = {w[i]: ROOT * TARGET * mean[i] / (gamma + ROOT * C[i, i]) / (1 + ROOT * product) for i in range(2)}
    loss = ROOT * ((TARGET - (mean.T * w)[0]) ** 2 + (w.T * C * w)[0]) + gamma * (w.T * w)[0]
    gradient = [loss.diff(each).subs(at) for each in w]
    return vanishes(*gradient, loss.subs(at) - root_loss(ROOT, TARGET, product),
                    (mean.T * w)[0].subs(at) - mean_margin(ROOT, TARGET, product))  # fmt: skip


@check("family tree, one generator", "root, left-out trace and training loss of the trees of the independent generator (alone, and "
       "beside real samples) and of the self-fitted one, with the general statement of a source with a fit")
def one_generator() -> CheckResult:
    pi, c, theta, y, r = sp.symbols("pi c theta y r", positive=True)
    d, base = sp.symbols("delta_s delta_0", positive=True)
    labels = Labels(y, 1 - y**2)
    synthetic = SampleSet("s", theta, c, y, d, ("fitted",))
    found = []
    for trains in (0, 1):  # independent: n_hat = N / r samples of their own; self-fitted: the samples of the fit train
        folded = fold([SampleSet("fitted", 1 / r, sp.Integer(trains), sp.Integer(1), base), synthetic])
        source = Source(theta, c, labels, Q, d, r, trains / r, True)
        at = {base: Q}
        found += [
            folded.root.subs(at) - effective_weight(source),
            folded.equations[1].subs(at) * (1 + folded.omega["fitted"] * Q) - fit_equation(source),
            folded.loss(G).subs(at) - training_loss((source,), sp.Matrix([[G, G], [G, G]])),
        ]
    source = Source(theta, c, labels, Q, d, r, sp.Integer(0), True)
    base_set = SampleSet("fitted", 1 / r, sp.Integer(0), sp.Integer(1), base)
    beside = fold([SampleSet("real", pi, sp.Integer(1), sp.Integer(1), Q), base_set, synthetic])
    real = Source(pi, sp.Integer(1), RIGHT, Q, Q)
    found += [
        beside.root.subs(base, Q) - weight_of(real) - effective_weight(source),
        beside.loss(G).subs(base, Q) - training_loss((real, source), sp.ones(3) * G),
    ]
    return vanishes(*found)


@check("family tree, union", "root, loss and trace with a generator fitted on two sets of one label mean, with those of one fitted on "
       "their union as one set")
def union_is_one_set() -> CheckResult:
    a, b, theta, c, y, z = sp.symbols("theta_a theta_b theta c y z", positive=True)
    d, base = sp.symbols("delta_s delta_0", positive=True)
    zero = sp.Integer(0)
    child = SampleSet("s", theta, c, y, d, ("a", "b"))
    two = fold([SampleSet("a", a, zero, z, base), SampleSet("b", b, zero, z, base), child])
    one = fold([SampleSet("a", a + b, zero, z, base), SampleSet("s", theta, c, y, d, ("a",))])
    return vanishes(two.root - one.root, two.loss(G) - one.loss(G), two.equations[2] - one.equations[1])


@check("family tree, union of two laws", "$(V - m^\\top w)^2 + w^\\top Sw$ with mean and covariance of the union of two laws, the "
       "direction between their means included, with the average over both laws (two dimensions); without that direction it differs")
def union_of_laws() -> CheckResult:
    s, v = sp.symbols("s v")
    w, a, b = (sp.Matrix(sp.symbols(f"{name}_0:2")) for name in ("w", "a", "b"))
    C, D = (sp.Matrix(2, 2, lambda i, j, name=name: sp.Symbol(f"{name}_{min(i, j)}{max(i, j)}")) for name in ("C", "D"))
    mean, averaged = s * a + (1 - s) * b, s * C + (1 - s) * D
    apart = [(v - (mean.T * w)[0]) ** 2 + (w.T * (averaged + between) * w)[0]
             - s * ((v - (a.T * w)[0]) ** 2 + (w.T * C * w)[0]) - (1 - s) * ((v - (b.T * w)[0]) ** 2 + (w.T * D * w)[0])
             for between in (s * (1 - s) * (a - b) * (a - b).T, sp.zeros(2))]  # fmt: skip
    whole = vanishes(apart[0])
    return CheckResult(whole.holds and not vanishes(apart[1]).holds, whole.found)


R_A, R_B, T_A, T_B = sp.symbols("R_a R_b T_a T_b", positive=True)
GRAM = sp.Matrix(2, 2, lambda i, j: sp.Symbol(f"G_{min(i, j)}{max(i, j)}", positive=True))
GAP, FORCE, OTHER = sp.symbols("gap force other", real=True)


@check("family tree, several laws", "the gradient of $\\sum_aR_a[(T_a - \\mu_a^\\top w)^2 + w^\\top C_aw] + \\gamma|w|^2$ at $w = \\sum_a "
       "R_ag_aB\\mu_a$ and the loss there (two laws that do not commute, rational numbers); slopes of $L$ with those generated; one law by "
       "substitution")
def several_laws() -> CheckResult:
    gamma = sp.Rational(1, 2)
    C = (sp.Matrix([[2, 1], [1, 3]]), sp.Matrix([[5, -2], [-2, 1]]))
    mu = (sp.Matrix([1, 2]), sp.Matrix([-3, 1]))
    roots, targets = [sp.Rational(2, 3), sp.Rational(5, 7)], [sp.Rational(4, 5), sp.Rational(1, 3)]
    B = (gamma * sp.eye(2) + roots[0] * C[0] + roots[1] * C[1]).inv()
    gram = sp.Matrix(2, 2, lambda i, j: (mu[i].T * B * mu[j])[0])
    found = gaps(roots, targets, gram)
    at = sum((root * gap * B * mean for root, gap, mean in zip(roots, found, mu, strict=True)), sp.zeros(2, 1))
    w = sp.Matrix(sp.symbols("w_0:2"))
    loss = gamma * (w.T * w)[0] + sum(root * ((target - (mean.T * w)[0]) ** 2 + (w.T * covariance * w)[0])
                                      for root, target, mean, covariance in zip(roots, targets, mu, C, strict=True))  # fmt: skip
    here = dict(zip(w, at, strict=True))
    minimum = [*(loss.diff(each).subs(here) for each in w), loss.subs(here) - laws_loss(roots, targets, gram)]
    minimum += [target - (mean.T * at)[0] - gap for target, mean, gap in zip(targets, mu, found, strict=True)]
    L, gap = laws_loss([R_A, R_B], [T_A, T_B], GRAM), gaps([R_A, R_B], [T_A, T_B], GRAM)
    one, other = ({name: value.subs({ROOT: root, GAP: lack}) for name, value in law_response().items()}
                  for root, lack in zip((R_A, R_B), gap, strict=True))  # fmt: skip
    pair = pair_response()["loss_product"]
    slopes = [L.diff(R_A) - one["loss_root"], L.diff(T_B) - other["loss_target"],
              L.diff(GRAM[0, 0]) - pair.subs({FORCE: one["force"], OTHER: one["force"]}),
              L.diff(GRAM[0, 1]) - 2 * pair.subs({FORCE: one["force"], OTHER: other["force"]})]  # fmt: skip
    alone = [laws_loss([R_A], [T_A], GRAM[:1, :1]) - root_loss(R_A, T_A, GRAM[0, 0])]
    return vanishes(*minimum, *slopes, *alone)


@check("family tree, real sets of several laws", "roots, traces and training loss of two real sets of different laws and labels with the "
       "statement of two sources")
def laws_without_generators() -> CheckResult:
    theta, c, y, q = (sp.symbols(f"{name}_1:3", positive=True) for name in ("theta", "c", "y", "q"))
    folded = fold([SampleSet(str(k), theta[k], c[k], y[k], q[k], trace=q[k]) for k in range(2)])
    sources = tuple(Source(theta[k], c[k], Labels(y[k], 1 - y[k] ** 2), q[k], q[k]) for k in range(2))
    gram = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"G_{min(i, j)}{max(i, j)}", positive=True))
    return vanishes(*(folded.roots[q[k]] - effective_weight(sources[k]) for k in range(2)), *folded.equations,
                    folded.loss_of_laws(gram[:2, :2]) - training_loss(sources, gram))  # fmt: skip


@check("family tree, exact generator of two laws", "the fold of a generator fitted on infinitely many samples of two laws with one source "
       "of the mean and the covariance of their union, the direction between the means included (Sherman-Morrison)")
def exact_union() -> CheckResult:
    s, theta, c, y, n = sp.symbols("s theta c y n", positive=True)
    a, b, d, q_a, q_b = sp.symbols("delta_a delta_b delta_s q_a q_b", positive=True)
    zero, one = sp.Integer(0), sp.Integer(1)
    sets = [SampleSet("a", s * n, zero, one, a, trace=q_a), SampleSet("b", (1 - s) * n, zero, one, b, trace=q_b),
            SampleSet("s", theta, c, y, d, ("a", "b"))]  # fmt: skip
    folded = fold(sets)
    tau = reduced(theta, c, d)
    apart = sp.Matrix([1, -1])  # mu_a - mu_b in the two means
    B = GRAM - tau * s * (1 - s) * (GRAM * apart) * (GRAM * apart).T / (1 + tau * s * (1 - s) * (apart.T * GRAM * apart)[0])
    mean = sp.Matrix([s, 1 - s])
    exact = root_loss(tau, y, (mean.T * B * mean)[0]) + tau * (1 - y**2)
    limit = folded.loss_of_laws(GRAM)
    trace = folded.equations[2].subs({a: q_a, b: q_b})
    return vanishes(*(sp.limit(one, n, sp.oo) for one in (folded.roots[q_a].subs(a, q_a) - s * tau, trace - (d - s * q_a - (1 - s) * q_b))),
                    sp.simplify(limit.subs({a: 0, b: 0}) - exact))  # fmt: skip


def law_response() -> dict[str, sp.Expr]:
    """The force of a law, and the slopes of the training loss in its root and target, from its gap."""
    return {"force": ROOT * GAP, "loss_root": GAP**2, "loss_target": 2 * ROOT * GAP}


def pair_response() -> dict[str, sp.Expr]:
    """The slope of the training loss in the product mu_a^T B mu_b, from both forces; the products ab and ba count each."""
    return {"loss_product": -FORCE * OTHER}


def theorem() -> Theorem:
    """The chapter on family trees."""
    omega_k, delta_k, share = sp.Symbol("omega_k"), sp.Symbol("delta_k"), sp.Symbol("n_k") / sp.Symbol("n_P")
    tau_j, tau = sp.Symbol("tau_j"), reduced(THETA, OMEGA, DELTA)
    trace = seen(OMEGA, DELTA)
    loss, margin = root_loss(ROOT, TARGET, G), mean_margin(ROOT, TARGET, G)
    return Theorem(
        "family_tree", "Family trees of generators", __doc__.split("\n\n", 1)[1],
        (
            Equation("the reduced weight of a set", sp.Eq(tau_j, tau.subs({THETA: sp.Symbol("theta_j"), OMEGA: sp.Symbol("omega_j"),
                                                                          DELTA: sp.Symbol("delta_j")}))),
            Equation("what set $j$ hands down to a sample of the parent $k$, all parents having $n_P$ samples",
                     sp.Eq(sp.Symbol("f_kj"), sp.Symbol("N") * share * tau_j / sp.Symbol("n_k"))),
            Equation("the part of the parent $k$ in the left-out trace of a generated set",
                     sp.Eq(sp.Symbol("delta_jk"), share * seen(omega_k, delta_k))),
            Equation("the training loss but for what is irreducible", sp.Eq(sp.Symbol("L"), loss)),
            Equation("the mean margin", sp.Eq(sp.Symbol("m_w"), margin)),
        ),
        (
            Function("reduced_weight", "tau of a set, and its slopes in omega and delta.", (THETA, OMEGA, DELTA),
                     {"tau": tau, "tau_omega": sp.factor(tau.diff(OMEGA)), "tau_delta": sp.factor(tau.diff(DELTA))}),
            Function("seen_trace", "The trace of a fitted set's covariance, and its slopes in omega and delta.", (OMEGA, DELTA),
                     {"trace": trace, "trace_omega": sp.factor(trace.diff(OMEGA)), "trace_delta": sp.factor(trace.diff(DELTA))}),
            Function("law_response", "The force of a law of real samples, and the slopes of the training loss in its root and target.",
                     (ROOT, GAP), law_response()),
            Function("pair_response", "The slope of the training loss in mu_a^T B mu_b, from the forces of both laws.", (FORCE, OTHER),
                     pair_response()),
        ),
        after="self_fitted",
        javascript=True,
    )  # fmt: skip
