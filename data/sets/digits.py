"""Small handwritten digits that come with scikit-learn: everything can be tried with nothing downloaded."""

from __future__ import annotations

import os

import numpy as np

from ..entry import DataFile, DataSet
from ..find import locate, opened
from ..tasks import ClassificationTask, Folder, TaskSamples

SIDE = 8

DATASET = DataSet(
    name="digits",
    title="Digits of scikit-learn",
    licence="CC BY 4.0",
    citation="Alpaydin, Kaynak: Optical Recognition of Handwritten Digits (UCI Machine Learning Repository, 1998), its test set",
    files=(DataFile("digits.csv", "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"),),
    folders=("digits",),
    package=("sklearn", "datasets/data"),
)


def load(folder: str | os.PathLike[str] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Images (1797, 8, 8) uint8, 0 to 16, and labels (1797,) uint8, 0 to 9.

    Raises
    ------
    BadInput
        If scikit-learn does not carry the file any more and it is nowhere else (see `data.locate`).
    """
    with opened(locate(DATASET, folder)["digits.csv"]) as file:
        table = np.loadtxt(file, dtype=np.uint8, delimiter=",")
    return table[:, :-1].reshape(-1, SIDE, SIDE), table[:, -1]


def _samples(folder: Folder) -> TaskSamples:
    return TaskSamples(*load(folder))


TASKS = (ClassificationTask("digits", "digits", DATASET, _samples, tested=60, classes=10, scale="together", white=16.0),)
