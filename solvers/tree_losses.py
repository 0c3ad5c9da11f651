"""Family trees for a loss other than the square one: one Gaussian margin for every law of real sets, one for every generated set.

The theory is derived in derivations/losses/two_sides.py: a generated set hands its force, curvature and noise down to the samples that its
generator was fitted on, quadratically, whatever the loss; what is seen goes the other way, from the oldest set to the youngest. Where those
samples have wrong labels they are a mixture (derivations/losses/wrong_labels.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..support.errors import BadInput, NotConverged
from . import convex, data_side, loss_side
from .any_loss import Loss
from .compiling import njit
from .generated import two_sides, wrong_labels
from .tree_kernels import Laws
from .tree_laws import lower_laws
from .trees import SampleSet, SolvedTree, Tree

_FIRST_STEP, _LEAST_STEP = math.log(10.0), 1e-3
_NO_SLOPES = (0.0,) * 9


@njit(cache=True, error_model="numpy")
def _see(side, gamma, pulls, seen, slopes, margins, variances):
    """What left-out and what fresh samples see; arguments as of `data_side`."""
    data_side.see(side, gamma, pulls, seen, slopes)
    data_side.fresh(side, gamma, pulls, margins, variances)


@njit(cache=True, error_model="numpy")
def _sizes(side):
    """Trace over N and squared length of the mean of every law."""
    traces = data_side.load(side)
    squares = np.empty(traces.size)
    for a in range(traces.size):
        squares[a] = data_side.square(side, a)
    return traces, squares


@dataclass(frozen=True, eq=False)
class _Child:
    """A generated set, as a parent knows it: its place, and r = N / n of the union that its generator was fitted on."""

    place: int
    ratio: float


class TreeForces:
    """One round of a family tree: from what left-out samples see to forces, and back.

    The unknowns z (A + G, 3) are mean, variance and leverage of a left-out margin: of real samples of each law, then of each generated set.
    """

    def __init__(self, tree: Tree, loss: Loss) -> None:
        self.sets, self.loss, self.N = tree.ancestors, loss, tree.N
        place = {each.name: j for j, each in enumerate(self.sets)}
        self.parents = [[place[name] for name in each.parents if name in place] for each in self.sets]
        self.children: list[list[_Child]] = [[] for _ in self.sets]
        self.laws = len(tree.laws.different)
        drawn = self.laws - 1 + np.cumsum([bool(parents) for parents in self.parents])
        self.row = [tree.laws.which.get(each.name, drawn[j]) for j, each in enumerate(self.sets)]
        for j, parents in enumerate(self.parents):
            union = sum(self.sets[k].kept for k in parents)
            for k in parents:
                self.children[k].append(_Child(j, self.N / union))
        laws, A = lower_laws(tree), self.laws
        if isinstance(laws, Laws):
            self.side = data_side.Spectral(laws.eigenvalues[:A], laws.eigenvalues[A:], laws.h, laws.products)
        else:
            self.side = data_side.Dense(laws.matrices[:A], laws.matrices[A:], laws.means, np.array([self.N]))
        self.traces, self.squares = _sizes(self.side)
        if not self.traces.min() > 0:
            raise BadInput("a covariance of 0 is covered for the square loss only")
        self._right, self._wrong = np.empty(loss_side.MOMENTS), np.empty(loss_side.MOMENTS)

    @property
    def unknowns(self) -> int:
        """A + G: every law of real samples, and every generated set."""
        return self.laws + sum(bool(parents) for parents in self.parents)

    def _own(self, each: SampleSet, seen: np.ndarray, theta: float, wrong: float, level: int) -> tuple[float, ...]:
        return loss_side.forces(self.loss.kind, self.loss.threshold, theta, each.weight, wrong, np.asarray(seen, dtype=float), level,
                                self._right, self._wrong)  # fmt: skip

    def forces(self, z: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray]:
        """Return forces (K, 3) of every set, and (K, 3) the mean, variance and response of its margins as trained."""
        K = len(self.sets)
        pulls, trained = np.zeros((K, 3)), np.zeros((K, 3))
        for j in range(K - 1, -1, -1):
            each, seen = self.sets[j], z[self.row[j]]
            theta = each.kept / self.N
            if not self.children[j]:
                pulls[j] = self._own(each, seen, theta, (1 - each.label) / 2, level)[:3]
                continue
            step = self._base(j, z, pulls, level)
            pulls[j], trained[j] = theta * np.array(step[:3]), step[3:]
        return pulls, trained

    def _base(self, j: int, z: np.ndarray, pulls: np.ndarray, level: int) -> tuple[float, ...]:
        """Forces of a sample of a set that generators were fitted on, and mean, variance and response of its margin as trained."""
        each, wrong = self.sets[j], (1 - self.sets[j].label) / 2
        handed = np.array([one.ratio * pulls[one.place] for one in self.children[j]])
        centres = np.array([z[self.row[one.place], 0] for one in self.children[j]])
        force, curvature, noise = handed.sum(axis=0)
        centre = float(handed[:, 1] @ centres / curvature) if curvature > 0 else 0.0
        mean, variance, leverage = map(float, z[self.row[j]])

        def step(sign: float) -> tuple[float, ...]:
            moves = (sign * mean, variance, leverage, force, curvature, noise, centre, 1.0, 1.0)
            inside = np.array(two_sides.base_input(*moves))
            f = df = f2 = 0.0
            response, spread = 1.0, inside[1]
            if each.weight > 0:
                f, minus, f2 = self._own(each, inside, 1.0, 0.0, level)[:3]
                df, response, spread = -minus, self._right[8], self._right[9]
            return two_sides.base_step(*moves, f, df, f2, response, spread, *_NO_SLOPES)[:6]

        idle = (0.0,) * 6
        return wrong_labels.mixed_step(wrong, *(step(1.0) if wrong < 1 else idle), *(step(-1.0) if wrong > 0 else idle))

    def _real(self, pulls: np.ndarray) -> np.ndarray:
        """The forces (A, 3) of the real sets of every law."""
        total = np.zeros((self.laws, 3))
        for pull, parents, row in zip(pulls, self.parents, self.row, strict=True):
            if not parents:
                total[row] += pull
        return total

    def _seen(self, gamma: float, pulls: np.ndarray) -> tuple[np.ndarray, float, float]:
        """What a left-out real sample of every law sees (A, 3), and mean and variance of a fresh one's margin."""
        A = self.laws
        seen, slopes, margin, variance = np.empty((A, 3)), np.empty((3 * A, 3 * A)), np.empty(1), np.empty(1)
        _see(self.side, gamma, self._real(pulls), seen, slopes, margin, variance)
        return seen, float(margin[0]), float(variance[0])

    def round(self, z: np.ndarray, gamma: float, level: int) -> np.ndarray:
        """Return what left-out samples see after one round, (A + G, 3)."""
        pulls, trained = self.forces(z, level)
        new = np.empty_like(z)
        new[: self.laws] = self._seen(gamma, pulls)[0]
        for j, parents in enumerate(self.parents):
            if parents:
                share = np.array([self.sets[k].kept for k in parents])
                share = share / share.sum()
                mean, variance, response = trained[parents].T
                centre = share @ mean
                new[self.row[j]] = centre, share @ (variance + mean**2) - centre**2, share @ response
        return new

    def fresh(self, z: np.ndarray, gamma: float) -> tuple[float, float, tuple[float, ...]]:
        """Return mean and variance of the margin of a fresh sample, and the curvature of every law."""
        pulls, _ = self.forces(z, loss_side.FINE)
        _, margin, variance = self._seen(gamma, pulls)
        return margin, variance, tuple(self._real(pulls)[:, 1].tolist())


def _apart(z: np.ndarray, new: np.ndarray) -> np.ndarray:
    """How far a round moves z, relative; means in units of the second moment of the margin."""
    with np.errstate(all="ignore"):
        mean = (new[:, 0] - z[:, 0]) / np.sqrt(z[:, 1] + z[:, 0] ** 2)
        gap = np.stack([mean, np.log(new[:, 1] / z[:, 1]), np.log(new[:, 2] / z[:, 2])], axis=1)
    return np.where(np.isfinite(gap), gap, 10.0)


def _solved(forces: TreeForces, z: np.ndarray, gamma: float, level: int) -> tuple[np.ndarray, float]:
    """The fixed point from z, and the largest relative difference that a round makes there."""
    from scipy.optimize import root

    def unpacked(x: np.ndarray) -> np.ndarray:
        x = x.reshape(-1, 3)
        return np.stack([x[:, 0], np.exp(np.clip(x[:, 1], -200, 200)), np.exp(np.clip(x[:, 2], -200, 200))], 1)

    def gap(x: np.ndarray) -> np.ndarray:
        at = unpacked(x)
        return _apart(at, forces.round(at, gamma, level)).ravel()

    start = np.stack([z[:, 0], np.log(z[:, 1]), np.log(z[:, 2])], 1).ravel()
    found = unpacked(root(gap, start, method="hybr", options={"xtol": 1e-13}).x)
    return found, float(np.abs(_apart(found, forces.round(found, gamma, level))).max())


def _begin(forces: TreeForces, gamma: float) -> np.ndarray:
    """Rounds from a point near w = 0, at a ridge so heavy that they settle."""
    trace = forces.traces.max() / gamma
    z = np.tile([0.0, 1e-4, trace], (forces.unknowns, 1))
    for _ in range(60):
        z = forces.round(z, gamma, loss_side.ROUGH)
    return z


@np.errstate(all="ignore")  # what overflows leaves a residual
def solve_tree_loss(tree: Tree, loss: Loss) -> SolvedTree:
    """Solve the theory of a family tree for a loss other than the square one.

    Raises
    ------
    NotConverged
        If the fixed point was not solved to 1e-9.
    """
    forces = TreeForces(tree, loss)
    weight = sum(each.kept * each.weight for each in forces.sets) / forces.N
    load = weight * (forces.traces.max() + forces.squares.max())
    at = 10 * max(tree.ridge.gamma, load)
    z, step, target = _begin(forces, at), _FIRST_STEP, tree.ridge.gamma
    while at > target:
        to = max(target, at * math.exp(-step))
        found, residual = _solved(forces, z, to, loss_side.FINE)
        if residual <= 1e-6:
            z, at = found, to
        else:
            step /= 3
            if step < _LEAST_STEP:
                break
    residual = float(np.abs(_apart(z, forces.round(z, target, loss_side.FINE))).max()) if at == target else math.inf
    margin, variance, roots = forces.fresh(z, target)
    if not (residual <= convex.TOLERANCE and math.isfinite(margin) and variance >= 0):
        raise NotConverged(f"the family tree was not solved for the {loss.name} loss: residual {residual:.1e} where "
                           f"{convex.TOLERANCE:.0e} is wanted")  # fmt: skip
    delta = {each.name: float(z[row, 2]) for each, row in zip(forces.sets, forces.row, strict=True)}
    return SolvedTree(margin, variance, roots, delta, residual)
