"""How long do networks of figure 7 take to train together, and how long one after the other?

Run from the project root: python -m benchmarks.networks [--data FOLDER] [--repeats 3]

One after the other is a loop over nn.Module models and torch.optim.SGD that takes its mini-batches from images in memory: a DataLoader
would only make it slower. Both sides get the same number of threads, first one, then all. A test compares their weights.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from itertools import product

import numpy as np

from benchmarks.measure import duration, interleaved, show
from synthmix.data.sets import mnist
from synthmix.estimators.class_gaussian import ClassGaussian
from synthmix.experiments.mnist_networks import Chunk, MnistImages, Statistics, Synthetic
from synthmix.experiments.networks import Network, Trained, Training, batches, torch_on_one_thread, train
from synthmix.solvers.problem import NO_SUPERVISION, ORACLE

N, M, EPSILON = 50, (25, 50, 125, 500, 750), 0.3
TRAINING = Training()  # that of the figure


def one_after_the_other(images: np.ndarray, networks: Sequence[Network], training: Training) -> Trained:
    """The training of `experiments.networks.train`, as one would write it for a single network."""
    import torch

    trained = []
    for one in networks:
        X, y = torch.from_numpy(images[one.rows]), torch.from_numpy(np.asarray(one.labels, dtype=np.int64))
        torch.manual_seed(one.seed)
        layers = torch.nn.Linear(X.shape[1], training.hidden), torch.nn.ReLU(), torch.nn.Linear(training.hidden, training.classes)
        model = torch.nn.Sequential(*layers).to(X.dtype)
        optimizer = torch.optim.SGD(model.parameters(), lr=training.rate, weight_decay=training.weight_decay)
        loss = torch.nn.CrossEntropyLoss()
        for rate, batch in zip(training.rates.tolist(), batches(len(y), training, one.seed), strict=True):
            optimizer.param_groups[0]["lr"] = rate
            chosen = torch.from_numpy(batch)
            optimizer.zero_grad()
            loss(model(X[chosen]), y[chosen]).backward()
            optimizer.step()
        trained.append([parameter.detach().numpy().T for parameter in model.parameters()])
    return Trained(*map(np.stack, zip(*trained, strict=True)))


def workload(folder: str | None) -> tuple[np.ndarray, list[Network]]:
    """Ten networks of one seed: the oracle's and the unsupervised ones at every m."""
    X, y = mnist.load("train", folder)
    images = MnistImages(X.reshape(len(X), -1), y, X[:0], y[:0])
    verifiers = ORACLE, NO_SUPERVISION
    points = tuple((Synthetic(epsilon=EPSILON, verifier=verifier), m) for verifier, m in product(verifiers, M))
    few = MnistImages(*images.first(N), images.test_X, images.test_y)
    return Chunk(Statistics(), points, seed=0, index=0).networks(few, ClassGaussian.fit(images.X, images.y))


def together(images: np.ndarray, networks: list[Network], processes: int) -> None:
    """The networks as one batched model, in each of so many processes: figure 7 gives every process a seed of its own."""
    if processes == 1:
        train(images, networks, TRAINING, device="cpu")
        return
    from joblib import Parallel, delayed

    Parallel(processes, backend="loky")(delayed(_alone)(images, networks) for _ in range(processes))


def _alone(images: np.ndarray, networks: list[Network]) -> None:
    with torch_on_one_thread():
        train(images, networks, TRAINING, device="cpu")


def main() -> None:
    """Measure, print."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with data sets (or set SYNTHDATA_DIR)")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    images, networks = workload(options.data)
    cores, rows = os.cpu_count() or 1, []
    for threads, processes in sorted({(1, 1), (cores, 1), (1, cores)}):
        torch.set_num_threads(threads * processes)  # one after the other has every thread that both together have
        times = interleaved(options.repeats, {
            "together": (lambda processes=processes: together(images, networks, processes), 1),
            "one after the other": (lambda: one_after_the_other(images, networks, TRAINING), 1),
        })  # fmt: skip
        each = times["together"] / (len(networks) * processes), times["one after the other"] / len(networks)
        rows.append((f"{processes} x {threads}", *map(duration, each), f"{each[1] / each[0]:.1f}"))
    title = f"One of {len(networks)} networks of figure 7, {TRAINING.steps} steps"
    show(title, ("processes x threads", "together", "one after the other", "one after the other / together"), rows)


if __name__ == "__main__":
    main()
