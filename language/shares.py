"""Shares counted on a few answers, each with an interval: none of six is no certain nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..estimators.audits import Proportion

CONFIDENCE = 0.95  # of the intervals


class Share(NamedTuple):
    """A counted share and the Wilson interval that covers the true one with a confidence of 95%.

    Attributes
    ----------
    value, low, high
        Between 0 and 1.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, hits: Sequence[bool] | np.ndarray) -> Share:
        """Return the share of true entries of `hits` (k,)."""
        counted = Proportion.of(np.asarray(hits, dtype=bool), CONFIDENCE)
        return cls(counted.share, counted.low, counted.high)

    @classmethod
    def read(cls, row: Mapping[str, object], name: str) -> Share:
        """Return the share that `columns` wrote into a row.

        Parameters
        ----------
        row : mapping
            With the columns NAME, NAME_low and NAME_high.
        name : str
            NAME.
        """
        return cls(*(row[column] for column in _names(name)))

    def columns(self, name: str) -> dict[str, float]:
        """Return the share as the columns NAME, NAME_low and NAME_high of a row.

        Parameters
        ----------
        name : str
            NAME.
        """
        return dict(zip(_names(name), self, strict=True))

    def record(self) -> dict[str, float]:
        """Return the share as a record has it."""
        return self._asdict()

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"


def _names(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"
