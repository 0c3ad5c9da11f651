"""Amazon product reviews as bags of words: the real data of figure 6."""

from __future__ import annotations

import os
from functools import partial
from typing import Literal, get_args

import numpy as np

from ..entry import DataFile, DataSet
from ..find import locate, opened
from ..origins import Address
from ..tasks import ClassificationTask, Folder, TaskSamples

Part = Literal["books", "elec", "kitchen"]
PARTS: tuple[Part, ...] = get_args(Part)

DATASET = DataSet(
    name="amazon",
    title="Amazon reviews",
    licence="none stated; published for research",
    citation=(
        "Blitzer, Dredze, Pereira: Biographies, Bollywood, Boom-boxes and Blenders: Domain Adaptation for Sentiment "
        "Classification (ACL 2007), as preprocessed in elfirdoussilab1/High-Dimensional-Learning-Noisy-Labels"
    ),
    files=(
        DataFile("books.mat", "7a53b54f0c0e81e7ee4774d762a927399cede9a802a2409732ba00cc1c23a17a"),
        DataFile("elec.mat", "f1dd6e01c1eed956d3abe6493a6bb5efc95e6585b8b9b2d856c0c07e12893a35"),
        DataFile("kitchen.mat", "b1f4e5ddfbd7b37ad2638fccbf83bd8558abf63b3e8d69a9d5bca77b1a49fed5"),
    ),
    folders=("amazon",),
    origins=(
        Address(
            "https://raw.githubusercontent.com/elfirdoussilab1/High-Dimensional-Learning-Noisy-Labels/"
            "b3250e21297fd274411aa0a6f8080ae1948bffb5/datasets/Amazon_review"
        ),
    ),
)


def load(
    part: Part, folder: str | os.PathLike[str] | None = None, download: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Features X (samples, 400), counts as floats, and labels y (samples,), +-1 (label 0 is +1); about 2000 samples.

    Parameters
    ----------
    part : str
        books, elec or kitchen: which product.
    folder, download
        As of `data.locate`.

    Raises
    ------
    BadInput
        If a file is nowhere to be found (see `data.locate`).
    """
    from scipy.io import loadmat
    from scipy.sparse import issparse

    with opened(locate(DATASET, folder, download)[f"{part}.mat"]) as file:
        content = loadmat(file)
    features = content["fts"]
    X = features.toarray() if issparse(features) else features
    return np.asarray(X, dtype=float), 1.0 - 2.0 * content["labels"].ravel()


def _samples(part: Part, folder: Folder) -> TaskSamples:
    X, y = load(part, folder)
    return TaskSamples(X, (y < 0).astype(int))


TASKS = tuple(ClassificationTask(part, "Amazon reviews", DATASET, partial(_samples, part), tested=300, elliptical=True) for part in PARTS)
