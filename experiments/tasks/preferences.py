"""Preference pairs of hh-rlhf on the features of a small language model: which of two answers was chosen?"""

from __future__ import annotations

import numpy as np

from ...data.sets import hh_rlhf
from ...data.tasks import ClassificationTask, Folder, TaskSamples
from ..preferences import differences


def _samples(folder: Folder) -> TaskSamples:
    """X is y (phi(chosen) - phi(rejected)), with the order y of the two drawn at random."""
    from ...language.models.features import preference_features

    X = differences(preference_features(folder=folder))
    y = np.random.default_rng(0).permutation(np.arange(len(X)) % 2)
    return TaskSamples(np.where(y[:, None] == 1, X, -X), y)


def _obstacle(folder: Folder) -> str:
    from ...language.models.features import obstacle

    return obstacle("hh_rlhf", folder)


TASKS = (ClassificationTask("preferences", "hh-rlhf", hh_rlhf.DATASET, _samples, tested=350, elliptical=True, obstacle=_obstacle),)
