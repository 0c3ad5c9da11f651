"""Leave-one-out with rows of a generator that was fitted on the real rows themselves.

A real row that is left out has already shaped such a generator, so plain leave-one-out is too good. A ridge classifier sees the rows of a
file through their means and their second moment only, so its leak is about that of a Gaussian generator with the same label mix, for which
it is known: leave-one-out with rows drawn from Gaussians fitted on the real rows, less `estimators.self_fitted`, which leaves a
row out of the generator too. What is measured with the file, less this leak, is still measured on the file: bad rows still hurt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..estimators.class_gaussian import ClassGaussian
from ..estimators.leave_one_out import LeaveOneOut, RidgeMix
from ..estimators.self_fitted import self_fitted_leave_one_out

MOST_DRAWS, DRAWN_VALUES = 8, 4_000_000  # files drawn from the Gaussian generator, and the numbers in all of them


@dataclass(frozen=True, eq=False)
class LeakFree(LeaveOneOut):
    """Leave-one-out less a leak; single rows may come out below 0 or above 1, only averages have a meaning.

    Attributes
    ----------
    leak : array (n,)
        Taken off each smooth hit.
    """

    leak: np.ndarray

    @cached_property
    def soft(self) -> np.ndarray:
        """(n,), the smooth hit or miss of each row, less its leak."""
        return super().soft - self.leak


@dataclass(frozen=True, eq=False)
class GaussianLeak:
    """The leak of a Gaussian generator fitted on real rows.

    Attributes
    ----------
    X, codes : arrays (n, p) and (n,)
        The real rows and their classes.
    kept : array (L, L)
        Kept synthetic rows of each class (row) with each label (column).
    files
        The real rows with one file each that was drawn from the generator.
    """

    X: np.ndarray
    codes: np.ndarray
    kept: np.ndarray
    files: tuple[RidgeMix, ...]

    @classmethod
    def of(cls, X: np.ndarray, codes: np.ndarray, kept: np.ndarray) -> GaussianLeak:
        """Draw the files of the generator.

        Parameters
        ----------
        X, codes : arrays (n, p) and (n,)
            The real rows and their classes.
        kept : array (L, L)
            Kept synthetic rows of each class (row) with each label (column).
        """
        counts = np.round(kept).astype(int)
        per_class = counts.sum(axis=1)
        labels = np.concatenate([np.repeat(np.arange(len(counts)), row) for row in counts])
        generator, rng = ClassGaussian.fit(X, codes), np.random.default_rng(0)
        draws = int(np.clip(DRAWN_VALUES // max(len(labels) * X.shape[1], 1), 2, MOST_DRAWS))
        files = []
        for _ in range(draws):
            made, classes = generator.sample(rng, int(per_class.max()))
            rows = np.concatenate([np.flatnonzero(classes == k)[:count] for k, count in enumerate(per_class)])
            files.append(RidgeMix.of(X, codes, made[rows], labels, N=1))
        return cls(X, codes, counts.astype(float), tuple(files))

    def at(self, alphas: Sequence[float], weight: float) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return for every alpha how far plain leave-one-out overstates every hit and every smooth hit, (n,) each.

        Under heavy label noise plain leave-one-out understates; a file that only looks like it is not to gain from that: 0 then.

        Parameters
        ----------
        alphas : sequence of float
            Ridges, as scikit-learn's alpha.
        weight : float
            Of a synthetic sample.
        """
        found = []
        for alpha, *plain in zip(alphas, *(one.path(alphas, weight) for one in self.files), strict=True):
            honest = self_fitted_leave_one_out(self.X, self.codes, self.kept, alpha, weight, 1)
            right = np.mean([one.right for one in plain], axis=0) - honest.right
            soft = np.mean([one.soft for one in plain], axis=0) - honest.soft
            found.append(tuple(leak if leak.mean() > 0 else np.zeros(len(leak)) for leak in (right, soft)))
        return found

    def taken_off(self, found: Sequence[LeaveOneOut], alphas: Sequence[float], weight: float) -> list[LeakFree]:
        """Return the leave-one-out of a real file at every alpha, less the leak at its weight.

        Parameters
        ----------
        found : sequence of LeaveOneOut
            Plain leave-one-out of the real file, one entry an alpha.
        alphas : sequence of float
            Ridges, as scikit-learn's alpha.
        weight : float
            Of a synthetic sample.
        """
        return [LeakFree(one.scores, one.balanced, one.codes, one.weights, one.right - right, soft, groups=one.groups)
                for one, (right, soft) in zip(found, self.at(alphas, weight), strict=True)]
