"""Reading a predicted accuracy relative to a measured baseline.

A population estimated from few samples looks easier than it is, and real features are not Gaussian. Both move what the theory says with
and without synthetic data alike, so its accuracy with synthetic data is read relative to its own accuracy without.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

TINY = 1e-6  # how close to 0 or 1 an accuracy may come
USABLE = 0.55  # below this the theory's own baseline is too close to chance for a ratio


def calibrated(theory: np.ndarray | float, without: np.ndarray | float, measured: float, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The expected accuracy with synthetic data, and half the distance between the two readings that it is the mean of.

    The readings are: the theory's gain added to the measured baseline, and the theory's ratio of signal to noise (with over without
    synthetic data) applied to the baseline's. The first is right where some samples are hopeless for every classifier, the second where
    all samples are equally harder than in theory; measurements lie between (docs/advise.md).

    Parameters
    ----------
    theory
        Predicted accuracies with synthetic data.
    without
        Predicted accuracy without.
    measured
        Measured accuracy without.
    classes
        Number of classes: chance is 1 / classes.
    """
    added = np.clip(np.asarray(theory) - without + measured, 0, 1)
    base, known = _binary(without, classes), _binary(measured, classes)
    usable = base > USABLE
    ratio = np.where(usable, ndtri(known) / np.where(usable, ndtri(base), 1.0), 0.0)
    scaled = np.where(usable, 1 / classes + (ndtr(ratio * ndtri(_binary(theory, classes))) - 0.5) * (2 - 2 / classes), added)
    return (added + scaled) / 2, np.abs(added - scaled) / 2


def area(accuracy: np.ndarray | float) -> np.ndarray:
    """Return the area under the ROC curve from an accuracy on two classes of equal size with Gaussian scores of one variance.

    Twice the mean over the square root of twice the variance takes the place of their ratio. Source: derivations/special/area.py.

    Parameters
    ----------
    accuracy : float or array
    """
    return ndtr(np.sqrt(2) * ndtri(np.clip(accuracy, TINY, 1 - TINY)))


def _binary(accuracy: np.ndarray | float, classes: int) -> np.ndarray:
    """Accuracies on the scale where chance is 1/2."""
    return np.clip(0.5 + (np.asarray(accuracy, dtype=float) - 1 / classes) / (2 - 2 / classes), TINY, 1 - TINY)
