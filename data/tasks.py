"""A data set as a classification task: what figures and the back-test of the advice need to know to run on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .entry import DataSet
from .find import status

Folder = str | os.PathLike[str] | None  # of the user's data, as for `data.locate`


@dataclass(frozen=True, eq=False)
class TaskSamples:
    """Samples of a task as its files have them.

    Attributes
    ----------
    X : array (k, p) or (k, height, width)
        Features, or images.
    y : array (k,)
        Classes.
    group : array of int (k,), optional
        Samples of one group are alike, such as answers to one prompt, and are never divided between training and test. None: samples
        are independent.
    test
        The public test set, where there is one.
    """

    X: np.ndarray
    y: np.ndarray
    group: np.ndarray | None = None
    test: TaskSamples | None = None


def _nothing(folder: Folder) -> str:
    return ""


@dataclass(frozen=True)
class ClassificationTask:
    """A data set as a classification task: how it is loaded, split and scaled wherever classifiers are trained on real data.

    Attributes
    ----------
    name
        Its name in settings.
    title
        Its name in legends; tasks of one title are drawn as one group.
    data_set
        Whose files it is made from.
    load
        From the user's folder to all samples.
    tested
        In a random split, how many samples of every class are the test set, or how many groups where samples have groups.
    classes
        Number of classes.
    scale
        each: every feature is brought to variance 1; together: all of them to mean variance 1, as is usual for images.
    white
        The value of a white pixel, by which images are divided.
    elliptical
        The residuals of a class have very different lengths, as those of texts do: covariances are estimated from their directions
        (`estimators.statistics.class_laws`).
    obstacle
        Why the task cannot be had without computing for long although its files are here; "" if it can.
    """

    name: str
    title: str
    data_set: DataSet
    load: Callable[[Folder], TaskSamples]
    tested: int
    classes: int = 2
    scale: Literal["each", "together"] = "each"
    white: float = 1.0
    elliptical: bool = False
    obstacle: Callable[[Folder], str] = _nothing

    def missing(self, folder: Folder = None) -> str:
        """Why the task cannot be used here without downloading or computing for long; "" if it can."""
        name = self.data_set.name
        if status(self.data_set, folder).missing:
            return f"{name} is not here: python cli.py data fetch {name}"
        return self.obstacle(folder)
