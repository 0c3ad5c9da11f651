"""The units that all features are brought to before anything is computed: no result depends on the user's units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..support.errors import BadInput

LARGEST = 1e150  # whose square is still a number
FARTHEST = 1e6  # standard deviations of a synthetic feature from the real mean


@dataclass(frozen=True, eq=False)
class Scaling:
    """Maps features x to (x - center) / scale.

    Attributes
    ----------
    center : array (p,)
        The mean of the real samples.
    scale : array (p,)
        Their standard deviations if `standardised`, else the root mean square of these for every feature.
    standardised
        Whether each feature has a scale of its own, as of scikit-learn's StandardScaler.
    """

    center: np.ndarray
    scale: np.ndarray
    standardised: bool

    @classmethod
    def of(cls, X: np.ndarray, standardise: bool) -> Scaling:
        """Return the scaling of real samples X (n, p); features that do not vary keep their scale.

        Parameters
        ----------
        X : array (n, p)
        standardise : bool
            Whether features are brought to mean 0 and variance 1; otherwise they stay as they are.

        Raises
        ------
        BadInput
            For a feature too large to be squared.
        """
        largest = np.abs(X).max(axis=0)
        if largest.max() > LARGEST:
            raise BadInput(f"a feature of the real samples reaches {largest.max():.1e}: rescale it")
        unit = np.where(largest > 0, largest, 1.0)  # so that nothing overflows and no digits are lost on the way
        shares = X / unit
        moving = np.ptp(X, axis=0) > 0
        center = np.where(moving, shares.mean(axis=0) * unit, X[0])
        scale = np.where(moving, shares.std(axis=0) * unit, 1.0)
        if not standardise:
            scale = np.full_like(scale, np.sqrt(np.mean(scale[moving] ** 2)) if moving.any() else 1.0)
        return cls(center, scale, standardise)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Features (k, p) in these units."""
        return (X - self.center) / self.scale

    @property
    def ridge_unit(self) -> float:
        """A ridge in these units times this is the ridge of the features that are to be trained on: standardised, or as they were given."""
        return 1.0 if self.standardised else float(self.scale[0] ** 2)


def synthetic_features(X: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Return features (m, p) of synthetic samples in the units of the real ones.

    Parameters
    ----------
    X : array (m, p)
        Features as their file has them.
    scaling : Scaling
        Of the real samples.

    Raises
    ------
    BadInput
        For a feature that is not finite, or so far from the real ones that its unit must be another.
    """
    if not np.isfinite(X).all():
        raise BadInput("a feature of the synthetic samples is missing or infinite")
    with np.errstate(over="ignore"):
        scaled = scaling(X)
    far = np.abs(scaled).max(axis=0)
    if far.max() > FARTHEST:
        raise BadInput(f"feature {int(far.argmax())} of the synthetic samples lies {far.max():.0e} standard deviations from the real mean: "
                       "check its unit")
    return scaled
