"""The accuracy that no classifier can beat (derivations/special/limit.py), and that of every round of relabelling on the way to it.

Known where the classes are isotropic and every sample, real or synthetic, has the law of a fresh one.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from ..support.errors import NotConverged
from .compiling import njit
from .generated import limit as generated
from .problem import Law, Problem, Setting

STEP, ENDS = 0.1, 9.0  # of the trapezoidal rule over g ~ N(0, 1), which errs by less than 1e-13 whatever q and e
MOST = 200
LARGEST = 1e60  # |mu| / noise beyond which floating point could not square the overlap


@njit(cache=True, error_model="numpy")
def mean_uncertainty(q, log_odds):
    """Return the mean of 1 - <s>^2 over hidden labels whose scores have the overlap q, and its slope in q.

    The labels are wrong with log-odds -2 `log_odds`.
    """
    value = slope = 0.0
    for i in range(round(2 * ENDS / STEP) + 1):
        g = STEP * i - ENDS
        weight = STEP * np.exp(-g * g / 2) / np.sqrt(2 * np.pi)
        here, here_q = generated.uncertainty(q, log_odds, g)
        value += weight * here
        slope += weight * here_q
    return value, slope


@njit(cache=True, error_model="numpy")
def _round(q, counts, log_odds, mu):
    """The overlap after one more round of relabelling at the overlap q, and the slope in q. counts (K,): samples per feature."""
    precision = slope = 0.0
    for k in range(len(counts)):
        hidden, hidden_q = mean_uncertainty(q, log_odds[k])
        precision += counts[k] * (1 - hidden)
        slope -= counts[k] * hidden_q
    overlap, overlap_nu = generated.overlap(max(precision, 0.0), mu)
    return overlap, overlap_nu * slope


@njit(cache=True, error_model="numpy")
def _fixed_point(counts, log_odds, mu):
    """The overlap that a round leaves as it is, by Newton's method within an interval that holds it; nan if there is no end to it."""
    low, high = _round(0.0, counts, log_odds, mu)[0], generated.overlap(counts.sum(), mu)[0]
    q = high
    for _ in range(MOST):
        if not high - low > 4e-16 * high:
            return low
        after, slope = _round(q, counts, log_odds, mu)
        if after >= q:
            low = q
        else:
            high = q
        if abs(after - q) <= 1e-15 * q:
            return q
        step = q + (after - q) / (1 - slope)
        q = step if low < step < high else (low + high) / 2
    return np.nan


def limit(problem: Setting | Problem) -> float | None:
    """Return the highest accuracy that any classifier trained on the real and the kept samples can have, or None where it is not known.

    It is known where all covariances are one multiple of the identity and all samples have the law of a fresh one: an exact generator with
    beta = 1 and mu_perp = 0. Without real samples, and where half of the labels are wrong, it is 1/2: the samples have two clusters, but
    no label says which is which.

    Raises
    ------
    NotConverged
        If the fixed point is not found.
    """
    found = isotropic(problem)
    if found is None:
        return None
    counts, log_odds, _ = found
    if not counts[log_odds > 0].any():
        return 0.5
    overlap = _fixed_point(*found)
    if not np.isfinite(overlap):
        raise NotConverged("the limit that no classifier can beat was not solved: take less extreme values of mu or of the counts")
    return float(ndtr(np.sqrt(overlap)))


def relabelling(problem: Setting | Problem, rounds: int) -> np.ndarray | None:
    """Return the accuracies (rounds + 1,) of ideal relabelling, in which no label has a part in its own posterior; None as in `limit`.

    The first is that without relabelling, of the average of the samples with labels weighted by 1 - 2e; then one for each round.
    """
    found = isotropic(problem)
    if found is None:
        return None
    overlaps = [_round(0.0, *found)[0]]
    for _ in range(rounds):
        overlaps.append(_round(overlaps[-1], *found)[0])
    return ndtr(np.sqrt(overlaps))


def isotropic(problem: Setting | Problem) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Return samples per feature (K,) and half the log-odds of right labels (K,) of the sources, |mu| in units of the noise; None where the
    limit is not known. Labels that are wrong more often than right are taken to be turned round."""
    if isinstance(problem, Setting):
        if problem.mean_squares is not None or problem.generator.kind != "exact":  # before the problem is built: a fit has no limit
            return None
        problem = problem.problem()
    if problem.intercept or not all(source.gaussian and source.fit is None for source in problem.sources):
        return None
    noise = isotropic_variance(problem.test)
    if noise is None or any(isotropic_variance(law) != noise or not _same(law.mean, problem.test.mean) for law in problem.laws):
        return None
    length = float(np.linalg.norm(problem.test.mean))
    mu = min(length / np.sqrt(noise), LARGEST) if noise else LARGEST * (length > 0)
    counts = np.array([source.count / problem.p for source in problem.sources])
    wrong = np.array([source.wrong for source in problem.sources])
    with np.errstate(divide="ignore"):
        return counts, np.abs(np.log1p(-wrong) - np.log(wrong)) / 2, mu


def isotropic_variance(law: Law) -> float | None:
    """Return the variance of an isotropic law's noise; None for any other law."""
    covariance = law.covariance
    if law.mean_samples is not None or not isinstance(covariance, float | int | np.ndarray) or np.ndim(covariance) > 1:
        return None
    values = np.atleast_1d(covariance)
    return float(values[0]) if np.all(values == values[0]) else None


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    size = max(np.size(one), np.size(other))
    padded = (np.pad(np.atleast_1d(mean), (0, size - np.size(mean))) for mean in (one, other))
    return np.array_equal(*padded)
