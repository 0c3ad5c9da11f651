"""The samplers of family trees. For the square loss every set is drawn by its sufficient statistics, so that a trial costs nothing in the
number of samples; for any loss, sample by sample.

Signed samples ytilde x of a set, n of them with signs s_i = +-1 (right or wrong label), drawn from N(m, S): rotated, they are the sum over
sqrt(n), a column along the part of s that is orthogonal to 1, and n - 2 centred Gaussians, whose Wishart matrix is drawn as it is.
The first column carries the mean, all others are the scatter about it, which is what a generator is fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...solvers.any_loss import SQUARE_LOSS, Loss
from ...solvers.trees import SampleSet, Tree
from ...support.errors import BadInput, NotConverged
from ..trial import Factor, TrainingSet, in_space, whole
from .direct import Part, SampleLaw, classifier
from .sufficient import Cloud

NOTHING_LEFT = "in one trial a verifier dropped every sample that a generator is fitted on; make the sets larger"


def _check(tree: Tree) -> None:
    """Raise unless the sets can be counted."""
    if any(whole(f"count of set {each.name}", each.count) > 2**53 for each in tree.sets):
        raise BadInput("the sets of a family tree must have fewer than 2^53 samples")


def _laws(tree: Tree) -> tuple[tuple[np.ndarray, Factor], ...]:
    """Mean (p,) and root of the covariance of every law of real sets, then of a fresh sample."""
    return tuple((in_space(law.mean, tree.p), Factor.of(law.covariance, tree.p)) for law in (*tree.laws.different, tree.law()))


def _kept(rng: np.random.Generator, each: SampleSet) -> np.ndarray:
    """How many samples of a set are kept with right and with wrong labels, (2,)."""
    right, wrong = each.verifier.phi * (1 - each.epsilon), each.verifier.rho * each.epsilon
    return rng.multinomial(int(each.count), (right, wrong, max(0.0, 1 - right - wrong)))[:2]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The kept samples of a set: their number, mean, and a matrix whose columns carry their scatter about it."""

    count: int
    mean: np.ndarray
    scatter: np.ndarray


@dataclass(frozen=True, eq=False)
class FamilyTree:
    """The sampler of a family tree.

    Attributes
    ----------
    tree : Tree
    """

    tree: Tree

    def __post_init__(self) -> None:
        _check(self.tree)

    @staticmethod
    def doubles(tree: Tree) -> float:
        """Return about how many numbers are held at once while a trial is drawn."""
        samples = sum(min(tree.p, each.count) for each in tree.sets)
        return 3.0 * tree.p * samples + 2.0 * min(tree.p, samples) ** 2 + 8.0 * tree.p

    @cached_property
    def _clouds(self) -> tuple[Cloud, ...]:
        return tuple(Cloud(*law) for law in _laws(self.tree))

    def _draw(self, rng: np.random.Generator, each: SampleSet, cloud: Cloud) -> _Drawn:
        """The kept samples of a set that `cloud` draws."""
        kept = _kept(rng, each)
        n = int(kept.sum())
        if n == 0:
            return _Drawn(0, np.zeros(self.tree.p), np.zeros((self.tree.p, 0)))
        balance = (kept[0] - kept[1]) / n
        mean = balance * cloud.mean + cloud.factor.times(rng.standard_normal(cloud.factor.dims)) / math.sqrt(n)
        spread = math.sqrt(max(n - n * balance**2, 0.0))  # length of the part of the signs that is orthogonal to 1
        blocks = []
        if spread:
            blocks.append((spread * cloud.mean + cloud.factor.times(rng.standard_normal(cloud.factor.dims)))[:, None])
        blocks.append(cloud.scatter(rng, n - 1 - len(blocks)))
        return _Drawn(n, mean, np.concatenate(blocks, axis=1))

    def _fitted(self, parents: list[_Drawn]) -> Cloud:
        """The generator fitted on the union of sets."""
        count = sum(each.count for each in parents)
        if count == 0:
            raise NotConverged(NOTHING_LEFT)
        mean = sum(each.count * each.mean for each in parents) / count
        columns = [each.scatter for each in parents]
        if len(parents) > 1:
            columns += [math.sqrt(each.count) * (each.mean - mean)[:, None] for each in parents]
        root = np.concatenate(columns, axis=1) / math.sqrt(count)
        if root.shape[1] > root.shape[0]:  # as many columns as dimensions will do
            root = np.linalg.qr(root.T, mode="r").T
        return Cloud(mean, Factor(root, self.tree.p))

    def trial(self, rng: np.random.Generator) -> tuple[float, float]:
        """Return mean margin and variance of the classifier trained on one draw of the tree."""
        drawn: dict[str, _Drawn] = {}
        which, fresh = self.tree.laws.which, self._clouds[-1]
        columns, labels, scatter = [], [], []
        for each in self.tree.ancestors:
            parents = [drawn[parent] for parent in each.parents if parent in drawn]
            drawn[each.name] = one = self._draw(rng, each, self._fitted(parents) if parents else self._clouds[which[each.name]])
            if each.weight > 0 and one.count:
                root = math.sqrt(each.weight)
                columns.append(root * math.sqrt(one.count) * one.mean)
                labels.append(root * math.sqrt(one.count))
                scatter.append(root * one.scatter)
        p = self.tree.p
        training = TrainingSet(np.array(columns).reshape(len(columns), p).T, np.array(labels), tuple(scatter))
        w = training.ridge(self.tree.ridge.gamma * self.tree.N)
        return float(w @ fresh.mean), fresh.factor.form(w)

    def draws(self, streams: Iterable[np.random.Generator]) -> np.ndarray:
        """Return mean margin and variance of one trial a stream, (trials, 2)."""
        return np.array([self.trial(rng) for rng in streams])


@dataclass(frozen=True, eq=False)
class DirectTree:
    """The direct sampler of a family tree: every sample of every set.

    Attributes
    ----------
    tree : Tree
    loss : Loss
        What the classifier minimises.
    """

    tree: Tree
    loss: Loss = SQUARE_LOSS

    def __post_init__(self) -> None:
        _check(self.tree)

    @staticmethod
    def doubles(tree: Tree) -> float:
        """Return about how many numbers are held at once while a trial is drawn."""
        samples = sum(each.count for each in tree.sets)
        return 3.0 * tree.p * samples + 2.0 * min(tree.p, samples) ** 2 + 8.0 * tree.p

    @cached_property
    def _populations(self) -> tuple[SampleLaw, ...]:
        return tuple(SampleLaw(*law) for law in _laws(self.tree))

    def parts(self, rng: np.random.Generator) -> list[Part]:
        """Draw the kept samples of the sets that are trained on, times their labels."""
        drawn: dict[str, np.ndarray] = {}
        for each in self.tree.ancestors:
            parents = [drawn[parent] for parent in each.parents if parent in drawn]
            if parents:
                union = np.concatenate(parents, axis=1)
                if not union.size:
                    raise NotConverged(NOTHING_LEFT)
                population = self._populations[-1].fitted(union, mean=True)
            else:
                population = self._populations[self.tree.laws.which[each.name]]
            drawn[each.name] = population.draw(rng, np.repeat([1.0, -1.0], _kept(rng, each)))
        return [(drawn[each.name], np.ones(drawn[each.name].shape[1]), each.weight) for each in self.tree.ancestors if each.weight > 0]

    def draws(self, streams: Iterable[np.random.Generator]) -> np.ndarray:
        """Return mean margin and variance of one trial a stream, (trials, 2)."""
        found, fresh = [], self._populations[-1]
        for rng in streams:
            w = classifier(self.parts(rng), self.tree.ridge.gamma, self.tree.N, self.loss)
            found.append((float(w @ fresh.mean), fresh.factor.form(w)))
        return np.array(found)
