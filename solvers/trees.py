"""Family trees of generators: sample sets that are real, or drawn from generators fitted on earlier sets, to any depth.

The theory is derived in derivations/special/family_tree.py: fold from the youngest set to the oldest. Real sets may have laws of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..support.errors import BadInput, NotConverged, instance, instances, number, numbers
from . import kernels, tree_kernels
from .predict import Prediction
from .problem import NO_SUPERVISION, Covariance, Law, Ridge, Setting, Verifier, check_covariance
from .sample_covariance import SampleCovariance
from .tree_kernels import Laws
from .tree_laws import links, lower_laws

SCHEMES = ("replace", "accumulate", "fresh:SHARE")


@dataclass(frozen=True)
class SampleSet:
    """A set of samples in a family tree.

    Attributes
    ----------
    name
        What its children call it.
    count
        Number of samples before pruning.
    parents
        Names of the earlier sets whose kept samples its generator was fitted on, mean and covariance; none for real samples.
    weight
        Weight of a sample in the training of the classifier; 0 where the classifier does not train on the set.
    epsilon
        Probability that a label is wrong; generators fitted on the set, and the classifier, see the same labels.
    verifier
        Prunes the set.
    covariance, mu
        Covariance and class mean of a real set, where they are not those of the tree, which are of fresh samples; given in the same way.
    """

    name: str
    count: float
    parents: tuple[str, ...] = ()
    weight: float = 0.0
    epsilon: float = 0.0
    verifier: Verifier = NO_SUPERVISION
    covariance: Covariance | None = None
    mu: float | np.ndarray | None = None

    def __post_init__(self) -> None:
        instance("the name of a set", self.name, str)
        instance(f"the verifier of set {self.name}", self.verifier, Verifier)
        number(f"count of set {self.name}", self.count, 0)
        number(f"weight of set {self.name}", self.weight, 0)
        number(f"epsilon of set {self.name}", self.epsilon, 0, 1)
        object.__setattr__(self, "parents", instances(f"a parent of set {self.name}", self.parents, str))
        if self.parents and not (self.covariance is None and self.mu is None):
            raise BadInput(f"set {self.name} has the mean and the covariance of its parents: leave its own out")

    @property
    def kept(self) -> float:
        """Expected number of samples that the verifier keeps."""
        return self.count * self.verifier.alpha(self.epsilon)

    @property
    def label(self) -> float:
        """Mean of the kept labels, given the truth: 1 - 2 e."""
        return 1 - 2 * self.verifier.wrong(self.epsilon)


@dataclass(frozen=True, eq=False)
class RealLaws:
    """The laws of the real sets of a tree.

    Attributes
    ----------
    different
        Each of them once.
    which
        Place among these of the law of every real set, by name.
    """

    different: tuple[Law, ...]
    which: dict[str, int]


@dataclass(frozen=True)
class Tree:
    """A family tree of sample sets, and the classifier that trains on some of them.

    Attributes
    ----------
    sets
        The sets in the order in which they came to be: parents before children.
    p
        Dimension.
    mu
        Length of the class mean, or the vector itself (needed where the covariance is not a multiple of the identity).
    ridge
        The classifier.
    covariance
        Covariance of fresh samples, and of real sets without their own: a number (times the identity), p eigenvalues, or a p x p matrix.
    alpha, lam
        Kept fraction and signal of the synthetic samples trained on, for the record; nan where there are several such sets.
    mean_squares
        Estimates (p,) of the squares of mu's coordinates, in place of mu, as of `Setting`; beside p eigenvalues.

    Raises
    ------
    BadInput
        For two sets of one name, a parent that is no earlier set, a parent without kept samples, or nothing to train on.
    """

    sets: tuple[SampleSet, ...]
    p: int
    mu: float | np.ndarray
    ridge: Ridge = Ridge()
    covariance: Covariance = 1.0
    alpha: float = math.nan
    lam: float = math.nan
    mean_squares: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "sets", instances("a set of a tree", self.sets, SampleSet))
        instance("the ridge of a tree", self.ridge, Ridge)
        if number("p", self.p, 1) != int(self.p):
            raise BadInput(f"p must be a whole number, not {self.p:g}")
        self._check_laws()
        self._check_sets()

    def _check_laws(self) -> None:
        own = {f" of set {each.name}": (each.covariance, each.mu) for each in self.sets}
        for owner, (covariance, mu) in {"": (self.covariance, self.mu), **own}.items():
            if isinstance(covariance, SampleCovariance):
                raise BadInput("a family tree needs covariances as they are, no sample covariance")
            if covariance is not None:
                check_covariance(covariance, self.p)
            if mu is None:
                continue
            if np.ndim(mu) and numbers(f"mu{owner}", mu).shape != (self.p,):
                raise BadInput(f"mu{owner} as a vector must have p = {self.p} entries")
            if np.ndim(mu) == 0:
                number(f"mu{owner}", mu, 0)
            if np.ndim(mu) != np.ndim(self.mu):
                raise BadInput(f"mu{owner} must be a vector where that of the tree is one, and a length where it is a length")
        if np.ndim(self.mu) == 0 and any(np.ndim(c) for c in (self.covariance, *(c for c, _ in own.values() if c is not None))):
            raise BadInput("with a covariance that is not a multiple of the identity give mu as a vector")
        if self.mean_squares is not None and not (np.ndim(self.covariance) == 1 and np.shape(self.mean_squares) == (self.p,)):
            raise BadInput("mean-squares need p eigenvalues as the covariance, and p entries")

    def _check_sets(self) -> None:
        names = [each.name for each in self.sets]
        kept = {}
        for each in self.sets:
            if each.name in kept:
                raise BadInput(f"two sets are named {each.name}: every set needs a name of its own")
            if len(set(each.parents)) < len(each.parents):
                raise BadInput(f"set {each.name} names a parent twice")
            for parent in each.parents:
                if parent not in names:
                    raise BadInput(f"set {each.name} has the parent {parent}, which is no set; there are {', '.join(names)}")
                if parent not in kept:
                    raise BadInput(f"set {each.name} has the parent {parent}, which does not come before it: sets stand in the order in "
                                   "which they came to be, without circles")  # fmt: skip
            if each.parents and sum(kept[parent] for parent in each.parents) < 2:
                raise BadInput(f"the generator of set {each.name} is fitted on fewer than 2 kept samples")
            kept[each.name] = each.kept
        if not any(each.weight > 0 and each.kept > 0 for each in self.sets):
            raise BadInput("the classifier trains on no set: give one a weight above 0 and samples that are kept")

    @property
    def N(self) -> float:
        """Samples of the sets trained on, before pruning: the normalisation of the training sum."""
        return sum(each.count for each in self.sets if each.weight > 0)

    @cached_property
    def ancestors(self) -> tuple[SampleSet, ...]:
        """The sets with kept samples that are trained on, or have a descendant that is, in order."""
        needed: set[str] = set()
        for each in reversed(self.sets):
            if each.kept > 0 and (each.weight > 0 or each.name in needed):
                needed |= {each.name, *each.parents}
        return tuple(each for each in self.sets if each.name in needed and each.kept > 0)

    def law(self, each: SampleSet | None = None) -> Law:
        """Return the law of a real set, or that of a fresh sample."""
        mu = self.mu if each is None or each.mu is None else each.mu
        covariance = self.covariance if each is None or each.covariance is None else each.covariance
        return Law(np.atleast_1d(np.asarray(mu, dtype=float)), covariance)

    @cached_property
    def laws(self) -> RealLaws:
        """The different laws of those real sets that matter."""
        different: list[Law] = []
        which = {}
        for each in self.ancestors:
            if not each.parents:
                law = self.law(each)
                place = next((i for i, other in enumerate(different) if _same(law, other)), len(different))
                different += [law] if place == len(different) else []
                which[each.name] = place
        return RealLaws(tuple(different), which)


def _same(one: Law, other: Law) -> bool:
    return np.array_equal(one.mean, other.mean) and np.array_equal(one.covariance, other.covariance)


@dataclass(frozen=True)
class SolvedTree:
    """The theory of a family tree, solved.

    Attributes
    ----------
    mean_margin, variance
        Of the margin of a fresh sample.
    roots
        Weight in the resolvent of the covariance of every law, as `Tree.laws` has them: what training on the whole tree is worth as
        training on real samples of known law.
    delta
        Left-out trace of every set that matters, by name.
    residual
        Relative, of the fixed point.
    """

    mean_margin: float
    variance: float
    roots: tuple[float, ...]
    delta: dict[str, float]
    residual: float


@np.errstate(over="ignore", invalid="ignore")  # what is beyond floating point is said
def solve_tree(tree: Tree) -> SolvedTree:
    """Solve the theory of a family tree.

    Raises
    ------
    NotConverged
        If the fixed point was not solved to 1e-12.
    """
    instance("what is predicted", tree, Tree)
    hang, laws, gamma = links(tree), lower_laws(tree), tree.ridge.gamma
    tau, delta = np.empty(len(tree.ancestors)), np.empty(len(tree.ancestors))
    if isinstance(laws, Laws):
        margin, variance, relative = tree_kernels.tree_point(hang, laws, gamma, tau, delta)
    else:
        margin, variance, relative = tree_kernels.dense_tree_point(hang, laws.matrices, laws.means, tree.N, gamma, tau, delta)
    if not (math.isfinite(margin) and math.isfinite(variance) and variance >= 0):
        raise NotConverged("the family tree is beyond floating point: take less extreme values of mu, gamma, weights or the covariances")
    if not relative <= kernels.TOLERANCE:
        raise NotConverged(f"the family tree was not solved: relative residual {relative:.1e} where {kernels.TOLERANCE:.0e} is wanted")
    roots = tuple(float(tau[hang.law == a].sum()) for a in range(len(tree.laws.different)))
    return SolvedTree(margin, variance, roots, {each.name: float(d) for each, d in zip(tree.ancestors, delta, strict=True)}, relative)


def predict_tree(tree: Tree, *, loss: str = "square", huber_threshold: float | None = None) -> Prediction:
    """Predict mean margin, variance, accuracy and risk of the classifier trained on a family tree.

    Parameters
    ----------
    tree : Tree
    loss : str
        What the classifier minimises, a name in `solvers.generated.losses.NAMES`.
    huber_threshold : float, optional
        Where Huber's loss becomes linear, 1 by default.

    Returns
    -------
    Prediction
        `fixed_point` holds the left-out trace `delta_NAME` of every set that matters, and the relative residual.

    Raises
    ------
    NotConverged
        If the fixed point was not solved to 1e-12 (square loss) or 1e-9 (any other).
    """
    from .any_loss import SQUARE, Loss

    instance("what is predicted", tree, Tree)
    chosen = Loss.of(loss, huber_threshold)
    if chosen.name == SQUARE:
        solved = solve_tree(tree)
    else:
        from .tree_losses import solve_tree_loss

        solved = solve_tree_loss(tree, chosen)
    margins, variances = np.array([solved.mean_margin]), np.array([solved.variance])
    accuracy, risk = np.empty(1), np.empty(1)
    kernels.outcomes(margins, variances, accuracy, risk)
    fixed_point = {f"delta_{name}": value for name, value in solved.delta.items()}
    return Prediction(solved.mean_margin, solved.variance, float(accuracy[0]), float(risk[0]), tree.alpha, tree.lam,
                      {**fixed_point, "residual": solved.residual})  # fmt: skip


def generations(setting: Setting, depth: int, scheme: str) -> Tree:
    """The tree in which the synthetic samples of a setting come from the last of a line of generators.

    Parameters
    ----------
    setting
        Its generator is independent with an estimated mean: generator 1 is fitted on n_hat real samples of its own.
    depth
        Number of generators T; 1 is the setting itself.
    scheme
        What generator t is fitted on. replace: n_hat samples of generator t - 1. accumulate: all sets so far, those first n_hat real
        samples included, n_hat samples of them from generator t - 1. fresh:SHARE: round(SHARE n_hat) new real samples, the rest from
        generator t - 1.

    Raises
    ------
    BadInput
        For another generator, a depth that is no whole number from 1, or another scheme.
    """
    instance("the setting of generations", setting, Setting)
    instance("scheme", scheme, str)
    generator = setting.generator
    if generator.kind != "independent" or not generator.estimate_mean or generator.beta != 1 or np.any(generator.mu_perp) \
            or generator.covariance is not None:  # fmt: skip
        raise BadInput("generations need --generator independent with --n-hat and --estimate-mean, beta = 1 and mu-perp = 0")
    if number("generations", depth, 1, 1000) != int(depth):
        raise BadInput(f"generations must be a whole number, not {depth:g}")
    name, _, text = scheme.partition(":")
    if name not in ("replace", "accumulate", "fresh") or (name == "fresh") != bool(text):
        raise BadInput(f"scheme must be one of {', '.join(SCHEMES)}, not {scheme!r}")
    share = _share(text) if text else 0.0
    K = generator.n_hat
    fresh = float(round(share * K))
    sets = [SampleSet("fit1", K)]
    parents: tuple[str, ...] = ("fit1",)
    for t in range(2, int(depth) + 1):
        drawn = SampleSet(f"fit{t}", K - fresh, parents)
        if name == "fresh":
            new = [SampleSet(f"fresh{t}", fresh)] if fresh else []
            sets += [*new, drawn] if drawn.count else new
            parents = tuple(each.name for each in (*new, drawn) if each.count)
        else:
            sets.append(drawn)
            parents = (drawn.name,) if name == "replace" else (*parents, drawn.name)
    synthetic = SampleSet("s", setting.m, parents, setting.omega, setting.epsilon, setting.verifier)
    real = [SampleSet("r", setting.n, weight=1.0)] if setting.n else []
    return Tree((*real, *sets, *([synthetic] if setting.m else [])), setting.p, setting.mu, setting.ridge, setting.covariance,
                setting.alpha, setting.lam, setting.mean_squares)  # fmt: skip


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise BadInput(f"the fresh share must be a number from 0 to 1, such as fresh:0.2, not {text!r}")
    return share

