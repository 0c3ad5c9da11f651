"""Generations of ten-class generators, and a small network trained on samples of the last one: what carries over from the theory of ridge?

Every class has a Gaussian of its own, fitted on samples of that class; the classes of samples are never wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data.tasks import Folder
from ..estimators.class_gaussian import ClassGaussian
from ..sims.monte_carlo import Estimate
from ..solvers.problem import Generator, Setting
from ..solvers.trees import SampleSet, generations
from ..support.progress import bar
from .networks import Network, Training, one_thread, train
from .real_data import RealData, Split
from .real_trees import grown, parts_of


@dataclass(frozen=True)
class NetworkCase:
    """A data set, lines of generators on it, and the networks.

    Attributes
    ----------
    data : RealData
    n_hat, m : int
        Samples of each class behind every generator, and samples of each class of the last one, on which a network is trained.
    seeds : int
        Networks of every line.
    training : Training
    """

    data: RealData
    n_hat: int = 100
    m: int = 200
    seeds: int = 6
    training: Training = Training(steps=1000, warmup=100, rate=0.1)


@dataclass(frozen=True)
class Place:
    """A line of generators.

    Attributes
    ----------
    scheme : str
        As of `solvers.trees.generations`.
    depth : int
    divided : int
        Into how many parts n_hat is divided: each generator is fitted on so many times fewer samples.
    """

    scheme: str
    depth: int
    divided: int = 1


def samples(split: Split, case: NetworkCase, place: Place, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return samples (k, p) and classes (k,) of the last generator of a line on the pool."""
    L, n_hat = split.classes, case.n_hat // place.divided
    generator = Generator("independent", L * n_hat, estimate_mean=True)
    tree = generations(Setting(0, L * case.m, split.X.shape[1], 1.0, 0.0, generator=generator), place.depth, place.scheme)
    part = parts_of(split, tree, rng)

    def generated(each: SampleSet, parents: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
        X, y = (np.concatenate(parts) for parts in zip(*parents, strict=True))
        return ClassGaussian.fit(X, y).sample(rng, round(each.count / L))

    return grown(tree, lambda each: part(each.name), generated)["s"]


def measure(
    case: NetworkCase, places: Sequence[Place], seed: int, folder: Folder = None, progress: bool = False
) -> dict[Place, np.ndarray]:
    """Train networks on every line of generators, and return their test accuracies (seeds,); networks of one seed start alike.

    Raises
    ------
    BadInput
        Without PyTorch or the data.
    """
    split = case.data.published(folder=folder)
    X_test, found = split.X_test.astype(np.float32), np.empty((case.seeds, len(places)))
    with bar("networks", progress) as show, one_thread():
        for i, child in enumerate(np.random.SeedSequence(seed).spawn(case.seeds)):
            drawn = [samples(split, case, place, np.random.default_rng(one))
                     for place, one in zip(places, child.spawn(len(places)), strict=True)]
            ends = np.cumsum([0, *(len(y) for _, y in drawn)])
            networks = [Network(np.arange(ends[j], ends[j + 1]), y, int(child.generate_state(1)[0])) for j, (_, y) in enumerate(drawn)]
            trained = train(np.concatenate([X for X, _ in drawn]).astype(np.float32), networks, case.training)
            found[i] = [np.mean(trained.predict(j, X_test) == split.y_test) for j in range(len(places))]
            show((i + 1) * len(places), found.size)
    return dict(zip(places, found.T, strict=True))


def difference(better: np.ndarray, worse: np.ndarray) -> Estimate:
    """Return the paired difference of accuracies (seeds,)."""
    return Estimate.of(better - worse)
