"""Completions of XSTest on the features of a small language model: does an answer comply? Answers to one prompt are a group."""

from __future__ import annotations

import numpy as np

from ...data.sets import xstest
from ...data.tasks import ClassificationTask, Folder, TaskSamples


def _samples(folder: Folder) -> TaskSamples:
    from ...language.models.features import completion_features

    known = xstest.load(folder)
    complies = (known.human == xstest.COMPLIANCE).astype(int)
    return TaskSamples(completion_features(folder=folder).astype(float), complies, np.unique(known.prompts, return_inverse=True)[1])


def _obstacle(folder: Folder) -> str:
    from ...language.models.features import obstacle

    return obstacle("xstest", folder)


TASKS = (ClassificationTask("completions", "XSTest", xstest.DATASET, _samples, tested=120, elliptical=True, obstacle=_obstacle),)
