"""Labels of generated samples and a verifier's keep decisions, drawn: by class, or as `solvers.input_dependent` describes them."""

from __future__ import annotations

import numpy as np

from ..solvers.input_dependent import AnyVerifier, Labels, LinearVerifier, MarginLabeller, ScoreVerifier
from ..solvers.problem import Verifier


def label_and_prune(
    rng: np.random.Generator, classes: np.ndarray, noise: np.ndarray, verifier: Verifier
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the labels of synthetic samples, and which samples are kept.

    Parameters
    ----------
    rng : numpy.random.Generator
    classes : array (k,)
        True classes, from 0 to L - 1.
    noise : array (L, L)
        The probability of each label (column) for each class (row).
    verifier : Verifier

    Returns
    -------
    labels : array (k,)
    keep : array (k,)
    """
    steps = np.cumsum(noise, axis=1)[classes]
    labels = np.minimum((rng.random(classes.size)[:, None] >= steps).sum(axis=1), len(noise) - 1)
    keep = rng.random(classes.size) < np.where(labels == classes, verifier.phi, verifier.rho)
    return labels, keep


def give_labels(rng: np.random.Generator, X: np.ndarray, y: np.ndarray, labels: Labels) -> np.ndarray:
    """Draw the labels (k,) = +-1 of samples.

    Parameters
    ----------
    rng : numpy.random.Generator
    X : array (k, p)
    y : array (k,)
        True classes, +-1.
    labels : float or MarginLabeller
        epsilon, the probability of a wrong label, or a labeller.
    """
    if isinstance(labels, MarginLabeller):
        margins = labels.offset + y * (X @ np.asarray(labels.direction, dtype=float) + labels.intercept)
        return np.where(margins + labels.noise * rng.standard_normal(len(y)) > 0, y, -y)
    return np.where(rng.random(len(y)) < labels, -y, y)


def keep_decisions(
    rng: np.random.Generator, X: np.ndarray, y: np.ndarray, labels: np.ndarray, verifier: AnyVerifier
) -> np.ndarray:
    """Draw which samples are kept, (k,).

    Parameters
    ----------
    rng : numpy.random.Generator
    X : array (k, p)
    y, labels : arrays (k,)
        True and given labels, +-1.
    verifier : Verifier, LinearVerifier or ScoreVerifier
    """
    if isinstance(verifier, ScoreVerifier):
        return verifier.keeps(labels * (X @ np.asarray(verifier.direction, dtype=float)))
    if isinstance(verifier, LinearVerifier):
        passes = labels * (X @ np.asarray(verifier.direction, dtype=float)) > verifier.threshold
    else:
        passes = labels == y
    return rng.random(len(y)) < np.where(passes, verifier.phi, verifier.rho)
