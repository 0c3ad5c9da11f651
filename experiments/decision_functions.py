"""The decision function of a ridge classifier, sample by sample: margins y w^T x of fresh samples over many training sets."""

from __future__ import annotations

import numpy as np

from ..sims.samplers import trial_streams
from ..sims.samplers.direct import Direct, Entries, SampleLaw, classifier
from ..sims.trial import Mixture
from ..solvers.problem import Setting
from ..support.threads import one_thread


def drawn_margins(setting: Setting, trials: int, fresh: int, seed: int, entries: Entries = "gaussian") -> np.ndarray:
    """Return the margins (trials, fresh) of fresh samples, each row under a classifier of its own.

    Parameters
    ----------
    setting : Setting
    trials, fresh : int
        Training sets, and fresh samples for each.
    seed : int
    entries : str
        The law of the noise of all samples, those that are trained on and the fresh ones.
    """
    direct = Direct(Mixture.of(setting), entries)
    law = SampleLaw(direct.mixture.mu, direct.mixture.real, entries)
    margins = np.empty((trials, fresh))
    with one_thread():
        for row, rng in zip(margins, trial_streams(seed, 0, 0, trials), strict=True):
            w = classifier(direct.parts(rng), setting.ridge.gamma, setting.N, direct.loss)
            row[:] = w @ law.draw(rng, np.ones(fresh))
    return margins


def distance_to_gaussian(values: np.ndarray, mean: float, variance: float) -> float:
    """Return the Kolmogorov-Smirnov distance of values to a Gaussian: the largest gap between the two distribution functions."""
    from scipy.stats import ks_1samp, norm

    return float(ks_1samp(values.ravel(), norm(mean, np.sqrt(variance)).cdf, method="asymp").statistic)
