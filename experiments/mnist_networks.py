"""The experiment of figure 7: networks trained on few real MNIST images and on synthetic ones, of every quality and supervision.

Synthetic images come from a Gaussian a class (`estimators.class_gaussian`), with pixels below 0 set to 0 unless the covariance is the
identity. Of m images a class the last int(epsilon m) get the label of the next class, k + 1 mod 10; then the verifier prunes.
As published, it prunes by position: of all images in the order of their classes, the first int(phi count) with the right label and
the first int(rho count) with the wrong one are kept. So phi = 0.9 drops whole of the last class, and all wrong labels that
rho = 0.1 keeps are those of the first. At random is what the theory means: every image on its own, with probability phi or rho.

The real images are the first of every class, the same for every seed, as published: a published run is one draw of what varies here
over the seeds, which is the initial weights, the synthetic images, the mini-batches and pruning at random. Networks of one seed
share what they can (initial weights, synthetic images, the first m of which are used), so that they compare pairwise.

Training on raw pixels at this rate amplifies rounding: on another machine, or beside other networks, a seed is another draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from logging import getLogger
from pathlib import Path

import numpy as np

from ..estimators.class_gaussian import ClassGaussian
from ..sims.checkpoint import fingerprint
from ..solvers.problem import NO_SUPERVISION, Verifier
from ..support.errors import BadInput
from ..support.files import read_arrays, write_arrays
from ..support.progress import bar
from ..support.workers import workers
from .networks import Network, Training, pytorch, torch_on_one_thread, train

CLASSES = 10


@dataclass(frozen=True)
class Statistics:
    """The images and moments from which a generator is estimated.

    Attributes
    ----------
    per_class : int or None
        Only the first so many images of a class; None: all.
    identity : bool
        Whether the means alone are estimated, with the identity as covariance.
    """

    per_class: int | None = None
    identity: bool = False


@dataclass(frozen=True)
class Synthetic:
    """A kind of synthetic data.

    Attributes
    ----------
    statistics : Statistics
        Of the generator.
    epsilon : float
        Share of wrong labels.
    verifier : Verifier
    at_random : bool
        Whether it prunes at random, or by position as published.
    """

    statistics: Statistics = Statistics()
    epsilon: float = 0.0
    verifier: Verifier = NO_SUPERVISION
    at_random: bool = False

    def training_set(self, m: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return class, place within the class and label, (count,) each, of the images that are kept of m a class."""
        k, place = np.repeat(np.arange(CLASSES), m), np.tile(np.arange(m), CLASSES)
        wrong = place >= m - int(self.epsilon * m)
        keep = np.zeros(k.size, dtype=bool)
        for which, share in ((~wrong, self.verifier.phi), (wrong, self.verifier.rho)):
            members = np.flatnonzero(which)
            keep[members[rng.random(members.size) < share] if self.at_random else members[: int(members.size * share)]] = True
        return k[keep], place[keep], ((k + wrong) % CLASSES)[keep]


@dataclass(frozen=True, eq=False)
class MnistImages:
    """Real images with pixels from 0 to 255.

    Attributes
    ----------
    X, y : arrays (n, p) and (n,)
        To train on, and to estimate generators from.
    test_X, test_y : arrays
        To test on.
    """

    X: np.ndarray
    y: np.ndarray
    test_X: np.ndarray
    test_y: np.ndarray

    def first(self, per_class: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the first `per_class` images of every class, with their labels."""
        rows = np.concatenate([np.flatnonzero(self.y == k)[:per_class] for k in range(CLASSES)])
        return self.X[rows], self.y[rows]


NetworkPoint = tuple[Synthetic, int]  # a kind of synthetic data, and m images a class of it


@dataclass(frozen=True)
class NetworkDesign:
    """Networks on real images and, for every point, synthetic ones.

    Attributes
    ----------
    points : tuple of pairs
        A kind of synthetic data, and m images a class of it.
    n : int
        Real images a class.
    seeds : int
        How many networks for each point.
    training : Training
    """

    points: tuple[NetworkPoint, ...]
    n: int = 50
    seeds: int = 10
    training: Training = Training()

    def __post_init__(self) -> None:
        if self.seeds < 2:
            raise BadInput(f"a spread needs at least 2 seeds, not {self.seeds}")


@dataclass(frozen=True, eq=False)
class NetworkScores:
    """The scores of the networks of one point.

    Attributes
    ----------
    by_class : array (seeds, 10)
        Accuracy on the test images of each class.
    accuracy : array (seeds,)
        Accuracy on the test images.
    training : array (seeds,)
        Accuracy on the training labels, wrong ones included.
    live : array (seeds,)
        Hidden units that a training image activates.
    blank : array (seeds,)
        The share of the training images that activate no unit, which the network cannot tell apart.
    """

    by_class: np.ndarray
    accuracy: np.ndarray
    training: np.ndarray
    live: np.ndarray
    blank: np.ndarray


@dataclass(frozen=True)
class Chunk:
    """The networks of one seed and one generator, which are trained together and kept together.

    Attributes
    ----------
    statistics : Statistics
    points : tuple of pairs
        As of `NetworkDesign`.
    seed, index : int
        The seed of the run, and the number of the repetition.
    """

    statistics: Statistics
    points: tuple[NetworkPoint, ...]
    seed: int
    index: int

    def networks(self, few: MnistImages, generator: ClassGaussian) -> tuple[np.ndarray, list[Network]]:
        """Return the images (rows, p) that the networks share, the real ones first, and every network's training set.

        Parameters
        ----------
        few : MnistImages
            The real ones.
        generator : ClassGaussian
            Draws the synthetic ones.
        """
        most = max(1, *(m for _, m in self.points))
        drawing, pruning, training = np.random.SeedSequence([self.seed, self.index]).spawn(3)
        drawn, _ = generator.sample(np.random.default_rng(drawing), most)
        if not self.statistics.identity:
            np.maximum(drawn, 0, out=drawn)
        real, seed, networks = np.arange(len(few.y)), int(training.generate_state(1)[0]), []
        for synthetic, m in self.points:
            k, place, labels = synthetic.training_set(m, np.random.default_rng(pruning))
            networks.append(Network(np.concatenate([real, len(real) + k * most + place]), np.concatenate([few.y, labels]), seed))
        return np.concatenate([few.X, drawn]).astype(np.float32), networks

    def score(self, training: Training, few: MnistImages, generator: ClassGaussian) -> np.ndarray:
        """Train the networks, and return their scores (points, 14), in the order of the attributes of `NetworkScores`."""
        images, networks = self.networks(few, generator)
        trained = train(images, networks, training)
        rows = []
        for i, one in enumerate(networks):
            X = images[one.rows]
            right = trained.predict(i, few.test_X) == few.test_y
            fitted = trained.predict(i, X) == one.labels
            active = trained.activity(i, X) > 0
            by_class = [right[few.test_y == k].mean() for k in range(CLASSES)]
            rows.append([*by_class, right.mean(), fitted.mean(), active.any(axis=0).sum(), 1 - active.any(axis=1).mean()])
        return np.array(rows)


def run(
    design: NetworkDesign, images: MnistImages, seed: int = 0, jobs: int = 1, folder: Path | None = None, progress: bool = False
) -> dict[NetworkPoint, NetworkScores]:
    """Train every network of the design; finished chunks are kept in `folder` and not trained again.

    Parameters
    ----------
    design : NetworkDesign
    images : MnistImages
    seed : int
    jobs : int
        Processes, of one thread each; with a graphics card there is one process. The numbers do not depend on it.
    folder : Path, optional
        For finished chunks.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    BadInput
        Without PyTorch.
    """
    torch = pytorch()
    few = MnistImages(*images.first(design.n), images.test_X.astype(np.float32), images.test_y)
    chunks = list(_chunks(design, seed))
    scores = {chunk: _kept(folder, chunk, design) for chunk in chunks}
    missing = [chunk for chunk in chunks if scores[chunk] is None]
    generator = lru_cache(1)(lambda one: ClassGaussian.fit(images.X, images.y, one.per_class, one.identity))
    tasks = ((chunk, design.training, few, generator(chunk.statistics)) for chunk in missing)
    with bar("networks", progress) as show, workers(1 if torch.cuda.is_available() else jobs, _score, ahead=1) as work:
        done = sum(len(chunk.points) for chunk in chunks) - sum(len(chunk.points) for chunk in missing)
        for chunk, rows in zip(missing, work(tasks), strict=True):
            scores[chunk] = rows
            _keep(folder, chunk, design, rows)
            done += len(chunk.points)
            show(done, len(design.points) * design.seeds)
    return {point: _gather(point, scores) for point in design.points}


def _gather(point: NetworkPoint, scores: dict[Chunk, np.ndarray]) -> NetworkScores:
    rows = np.array([values[chunk.points.index(point)] for chunk, values in scores.items() if point in chunk.points])
    return NetworkScores(rows[:, :CLASSES], *rows[:, CLASSES:].T)


def _chunks(design: NetworkDesign, seed: int) -> Iterator[Chunk]:
    """Generator by generator, the largest chunks first."""
    by_statistics: dict[Statistics, list[NetworkPoint]] = {}
    for point in design.points:
        by_statistics.setdefault(point[0].statistics, []).append(point)
    for statistics, points in sorted(by_statistics.items(), key=lambda item: -len(item[1])):
        yield from (Chunk(statistics, tuple(points), seed, index) for index in range(design.seeds))


def _file(folder: Path, chunk: Chunk, design: NetworkDesign) -> Path:
    return folder / f"networks-{fingerprint(chunk, design.n, design.training)}.npz"


def _kept(folder: Path | None, chunk: Chunk, design: NetworkDesign) -> np.ndarray | None:
    """The chunk's scores of an earlier run, if there are any; a damaged file counts as none, and this is said."""
    if folder is None:
        return None
    path = _file(folder, chunk, design)
    try:
        scores = (read_arrays(path, "a file of scores") or {"scores": None})["scores"]
    except (BadInput, KeyError):
        scores = np.empty(0)
    if scores is None:
        return None
    if scores.shape == (len(chunk.points), CLASSES + 4) and scores.dtype == float and np.isfinite(scores).all():
        return scores
    getLogger(__name__).warning("%s is damaged: its networks are trained again", path)
    return None


def _keep(folder: Path | None, chunk: Chunk, design: NetworkDesign, scores: np.ndarray) -> None:
    if folder is not None:
        write_arrays(_file(folder, chunk, design), {"scores": scores})


def _score(chunk: Chunk, *rest: object) -> np.ndarray:
    with torch_on_one_thread():
        return chunk.score(*rest)
