"""The mixtures of two classes over omega, gamma and m under any loss, for `best_mix`: slopes by differences of solved accuracies.

The square loss has slopes in closed form (`best_mix.Family`). For another loss the fixed point is solved at the point and on both sides of
it along every direction, at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..support.errors import instance
from .any_loss import Loss
from .best_mix import MixFamily, Value
from .predict import predict_grid
from .problem import Setting

STEP = 1e-3  # of logarithms, and of m and n in units of all samples: the error of a slope is about its square


@dataclass(frozen=True)
class LossFamily(MixFamily):
    """All mixtures of n real and m synthetic samples of a setting, over omega, gamma and m, under a loss.

    Attributes
    ----------
    setting : Setting
        Its own m, omega and gamma do not matter.
    loss : str
        What the classifier minimises, as in `predict`.
    huber_threshold : float, optional
        Of Huber's loss.

    Raises
    ------
    BadInput
        For what is no setting, an unknown loss, or a threshold that it does not have.
    """

    setting: Setting
    loss: str
    huber_threshold: float | None = None

    def __post_init__(self) -> None:
        instance("what the mixtures are of", self.setting, Setting)
        Loss.of(self.loss, self.huber_threshold)

    @property
    def n(self) -> float:
        """Real samples."""
        return float(self.setting.n)

    @property
    def size(self) -> float:
        covariance = np.asarray(self.setting.covariance, dtype=float)
        return float(np.trace(covariance) / len(covariance) if covariance.ndim == 2 else covariance.mean())

    def _value(self, m: float, omega: float, gamma: float, slopes: Sequence[str]) -> Value:
        here = {"n": self.n, "m": m, "omega": omega, "gamma": gamma}
        sides = [self._beside(name, here) for name in slopes]
        points = [here, *(here | one for pair, _ in sides for one in pair)]
        found = predict_grid(self.setting, loss=self.loss, huber_threshold=self.huber_threshold,
                             **{name: np.array([point[name] for point in points]) for name in here}).accuracy  # fmt: skip
        rise = (found[2::2] - found[1::2]) / np.array([away for _, away in sides]) if sides else ()
        return Value(float(found[0]), **{f"d_{name}": float(slope) for name, slope in zip(slopes, rise, strict=True)})

    def _beside(self, name: str, here: dict[str, float]) -> tuple[tuple[dict[str, float], dict[str, float]], float]:
        """What differs on both sides of a point along a direction, and how far apart they are."""
        if name.startswith("log_"):
            own = name.removeprefix("log_")
            return tuple({own: here[own] * math.exp(sign * STEP)} for sign in (-1, 1)), 2 * STEP
        step = STEP * (here["n"] + here["m"])
        low, high = max(here[name] - step, 0.0), here[name] + step
        return ({name: low}, {name: high}), high - low
