"""How much easier is the public test set of MNIST? Classifiers of ten classes on it, and on training images that they have not seen.

    python -m benchmarks.mnist_test_set [--draws 40]    writes docs/records/mnist_test_set.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from synthmix.estimators.ridge import ridge
from synthmix.experiments.real import Mix
from synthmix.experiments.real_data import RealData, Split
from synthmix.figures.kit.record import commit
from synthmix.sims.monte_carlo import Estimate
from synthmix.solvers.many_classes import predict_on_samples
from synthmix.solvers.problem import Generator

RECORD = Path(__file__).resolve().parents[1] / "docs" / "records" / "mnist_test_set.json"
TEN = RealData("ten halved", "mnist", tuple(range(10)), "halved")
MIX = Mix(100, 0, Generator("self-fitted"))


def measured(draws: int, seed: int = 0) -> dict[str, object]:
    """Return the mean accuracies over draws of 100 images a class, with their standard errors, and the theory's."""
    split = TEN.published()
    right = [_accuracies(split, np.random.default_rng([seed, i])) for i in range(draws)]
    (easy, easy_se), (unseen, unseen_se) = (Estimate.of(np.array(one)) for one in zip(*right, strict=True))
    mixture = MIX.mixture(split.laws)

    def predicted(start: int, stop: int) -> float:
        return predict_on_samples(mixture, [samples[start:stop] for samples in split.samples]).accuracy

    return {"seed": seed, "draws": draws, "public": easy, "public se": easy_se, "held out": unseen, "held out se": unseen_se,
            "predicted": predicted(0, len(split.y)), "predicted on the first 1000": predicted(0, 1000),
            "predicted on the next 1000": predicted(1000, 2000), "commit": commit()}  # fmt: skip


def _accuracies(split: Split, rng: np.random.Generator) -> tuple[float, float]:
    """On the test set, and on the pool's images that were not trained on, averaged over the classes."""
    order = rng.permutation(len(split.y))
    rows = np.concatenate([order[split.y[order] == k][: MIX.n] for k in range(split.classes)])
    classifier = ridge(split.X[rows], split.y[rows], split.classes, MIX.gamma * len(rows))
    unseen = np.setdiff1d(order, rows)

    def accuracy(X: np.ndarray, y: np.ndarray) -> float:
        right = classifier.scores(X).argmax(axis=1) == y
        return float(np.mean([right[y == k].mean() for k in range(split.classes)]))

    return accuracy(split.X_test, split.y_test), accuracy(split.X[unseen], split.y[unseen])


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=40)
    found = measured(parser.parse_args().draws)
    RECORD.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
