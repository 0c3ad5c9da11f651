"""What cleaning the labels of a synthetic file would add to the advised mix, cross-validated on the real samples."""

from __future__ import annotations

import numpy as np
from scipy.special import log_expit

from ..estimators.candidates import mean_scatter
from ..estimators.leave_one_out import LeaveOneOut
from ..estimators.relabelled_mix import cross_fitted
from .evidence import Evidence
from .result import RelabelledGain

RIDGES = (0.3, 3.0, 30.0)  # alpha over the mean squared length of all samples along a feature
FOLDS, ROUNDS = 5, 8
MOST_ROWS = 2000  # of the file, that are used
MOST_WORK = 1.5e9  # rows times the square of the features, beyond which it takes too long


def relabelled(e: Evidence, seed: int = 0) -> RelabelledGain | None:
    """Return what `RelabelledMix` on the kept rows would gain on the better of the file's best mix and no synthetic data.

    None where that is not measured: without a file, with more than two classes, for a generator that saw the real samples, and for files
    that would take long. The samples that are left out had no part in any round. Their classifiers have a fifth fewer real samples than
    those of leave-one-out, so that the gain is rather too low.

    Parameters
    ----------
    e : Evidence
    seed : int
        Of the folds, and of the rows that are taken of a large file.
    """
    if e.file is None or e.self_fitted or len(e.classes) != 2 or np.bincount(e.codes).min() < FOLDS:
        return None
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(e.file.keep)
    kept = rng.permutation(kept)[:MOST_ROWS]
    real, p = e.X.shape
    if not len(kept) or (real + len(kept)) * min(p, real + len(kept)) ** 2 > MOST_WORK:
        return None
    X, codes = np.concatenate([e.X, e.file.X[kept]]), np.concatenate([e.codes, e.file.codes[kept]])
    alphas, weights = mean_scatter(X) * np.array(RIDGES), np.ones(len(X))
    given = 2.0 * codes - 1
    margins = cross_fitted(X, given, weights, real, alphas, _folds(e, rng), rounds=ROUNDS)
    best = int(np.argmax(log_expit(2 * margins).sum(axis=1)))
    scores = np.stack([-margins[best] * given[:real], margins[best] * given[:real]], axis=1)
    found, one, share = LeaveOneOut.of(scores, e.codes, groups=e.groups), e.measured, real / e.n
    mix = e.without
    if one.gain > 0:
        mix = e.leave_one_out(np.array([one.gamma * share * (e.n + one.m)]), one.omega * share)[0]
    gain, se = found.gain(mix)
    return RelabelledGain(float(alphas[best]), len(kept), found.accuracy, found.se, gain, se)


def _folds(e: Evidence, rng: np.random.Generator) -> list[np.ndarray]:
    """Rows to leave out together: as many of each class in every fold, or whole groups."""
    if e.groups is not None:
        part = rng.permutation(int(e.groups.max()) + 1)[e.groups] % FOLDS
    else:
        part = np.empty(len(e.codes), dtype=int)
        for k in range(2):
            rows = rng.permutation(np.flatnonzero(e.codes == k))
            part[rows] = np.arange(len(rows)) % FOLDS
    return [np.flatnonzero(part == fold) for fold in range(FOLDS) if (part == fold).any()]
