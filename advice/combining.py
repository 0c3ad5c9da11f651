"""The gain of a file to expect, from three sources: theory, leave-one-out, and how large gains are at all.

The mix is the best of many by the theory and the leave-one-out that predict its gain, and both know few samples: where their errors are as
large as gains are, a high prediction is mostly error. So it is pulled towards no gain as far as its error demands: the mean of a normal law
of gains, given the prediction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .result import MeasuredGain

SPREAD = 0.045  # of gains around none: the best of four families of data; any three of them choose 0.03 to 0.055 (docs/advise.md)
LEAST = 1e-9  # no error is exactly 0


@dataclass(frozen=True)
class CombinedGain:
    """A gain from theory and measurement.

    Attributes
    ----------
    value, se
        To expect, and its standard error.
    share
        Of the measurement in what theory and measurement say together.
    pull
        What is left of that once it is pulled towards no gain, 0 to 1.
    """

    value: float
    se: float
    share: float
    pull: float


def combined(measured: MeasuredGain, spread: float = SPREAD) -> CombinedGain:
    """Return the gain to expect of a file: theory and measurement by their errors, or the measurement alone where the two disagree.

    Parameters
    ----------
    measured : MeasuredGain
    spread
        Of gains: the root of their mean square.
    """
    doubt, error = max(measured.predicted_se, LEAST), max(measured.gain_se, LEAST)
    share = doubt**2 / (doubt**2 + error**2) if measured.agree else 1.0
    variance = share * error**2
    pull = spread**2 / (spread**2 + variance)
    together = measured.predicted_gain + share * (measured.gain - measured.predicted_gain)
    return CombinedGain(pull * together, float(np.sqrt(pull * variance)), share, pull)
