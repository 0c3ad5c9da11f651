"""What came of the advice that the users of a scenario followed: predicted and realised accuracy, right and wrong verdicts, regret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .back_test import CandidateGrid, FollowedAdvice, Scenario

SIGMAS = 2.0  # beyond which a gain counts
UNDECIDED = "too close to call"  # an advice that claims nothing


@dataclass(frozen=True, eq=False)
class ScenarioResult:
    """The advices to the users of one scenario, and what came of them.

    Places of the grid are (m, omega, ridge), by number.

    Attributes
    ----------
    scenario, grid
        The scenario, and the settings of the exhaustive search.
    p
        Features of its data.
    advices
        One a user.
    """

    scenario: Scenario
    grid: CandidateGrid
    p: int
    advices: tuple[FollowedAdvice, ...]

    @cached_property
    def predicted(self) -> float:
        """The accuracy of the advised mix, as predicted."""
        return float(np.mean([one.predicted for one in self.advices]))

    @cached_property
    def realised(self) -> float:
        """The accuracy of the advised mix on the test set."""
        return float(np.mean([one.followed.mean() for one in self.advices]))

    @property
    def residual(self) -> float:
        """Predicted less realised."""
        return self.predicted - self.realised

    @cached_property
    def residual_se(self) -> float:
        """Standard error of the residual, over the draws."""
        return standard_error([one.predicted - one.followed.mean() for one in self.advices])

    @cached_property
    def accuracies(self) -> np.ndarray:
        """Accuracy (m, omega, ridge) on average over the draws."""
        return np.mean([one.right.mean(axis=-1) for one in self.advices], axis=0)

    @cached_property
    def best(self) -> tuple[int, int, int]:
        """Place of the best accuracy on the grid."""
        return tuple(int(i) for i in np.unravel_index(self.accuracies.argmax(), self.accuracies.shape))

    @cached_property
    def best_alone(self) -> tuple[int, int, int]:
        """Place of the best accuracy without synthetic data."""
        return 0, 0, int(self.accuracies[0, 0].argmax())

    @cached_property
    def best_mix(self) -> tuple[int, int, int]:
        """Place of the best accuracy with synthetic data."""
        i, j, k = np.unravel_index(self.accuracies[1:].argmax(), self.accuracies[1:].shape)
        return int(i) + 1, int(j), int(k)

    @cached_property
    def best_everything(self) -> tuple[int, int, int]:
        """Place of the best accuracy with the whole budget and weight 1."""
        i, j = len(self.grid.m) - 1, self.grid.omega.index(1.0)
        return i, j, int(self.accuracies[i, j].argmax())

    @property
    def regret(self) -> float:
        """The best of the grid, which is also the best without synthetic data where that is better, less what following the advice gave."""
        return float(self.accuracies[self.best]) - self.realised

    @cached_property
    def regret_of_cross_validation(self) -> float:
        """The regret, had the users chosen weight and ridge by cross-validation."""
        return float(self.accuracies[self.best] - np.mean([one.cross_validated.mean() for one in self.advices]))

    @cached_property
    def covered(self) -> list[bool]:
        """Of the users who are advised to mix, whether the realised gain is within two standard errors, that of the test included."""
        mixed = [(one.predicted_gain, one.gain_se, *self.gain(one)) for one in self.advices if one.m]
        return [abs(predicted - gain) <= SIGMAS * np.hypot(own, se) for predicted, own, gain, se in mixed]

    @cached_property
    def change(self) -> tuple[float, float]:
        """Following the advice less using no synthetic data, with its standard error."""
        return self._difference([(one.followed, one.without) for one in self.advices])

    @cached_property
    def everything(self) -> tuple[float, float]:
        """Using the whole budget with weight 1, less no synthetic data, both at their best ridge: what is done without advice."""
        return self._difference([self._against_alone(one, self.best_everything) for one in self.advices])

    def _difference(self, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
        """Mean and standard error of a paired difference in accuracy over the draws, each of which has a test set of its own."""
        means = [float(np.mean(better) - np.mean(worse)) for better, worse in pairs]
        return float(np.mean(means)), standard_error(means)

    def gain(self, one: FollowedAdvice, *, strict: bool = False) -> tuple[float, float]:
        """The realised gain that a user's verdict is about, and its standard error on the test set.

        Where the advice is to leave synthetic data away, that is the gain of all of them with weight 1; strict: of the best mix of the
        grid.

        Parameters
        ----------
        one : FollowedAdvice
            Of the user.
        strict : bool
            Whether it is that over the best mix of the grid.
        """
        if one.m:
            return _paired(one.followed, one.without)
        return _paired(*self._against_alone(one, self.best_mix if strict else self.best_everything))

    @cached_property
    def verdicts(self) -> list[tuple[str, float, bool]]:
        """Of the users with a verdict whose gain is beyond two standard errors: verdict, gain, and whether the verdict is right."""
        return self._judged(strict=False)

    @cached_property
    def strict_verdicts(self) -> list[tuple[str, float, bool]]:
        """The verdicts as in `verdicts`, judged against the best mix of the grid."""
        return self._judged(strict=True)

    @cached_property
    def undiscerning(self) -> list[bool]:
        """Of the users for whom everything with weight 1 changes more than two standard errors, whether it helps."""
        gains = [_paired(*self._against_alone(one, self.best_everything)) for one in self.advices]
        return [gain > 0 for gain, se in gains if abs(gain) > SIGMAS * se]

    def _against_alone(self, one: FollowedAdvice, place: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Which test samples (k,) are right at a place of the grid, and which without synthetic data at their best ridge."""
        right = one.right
        return right[place], right[self.best_alone]

    @property
    def declined(self) -> int:
        """Users whose gain is beyond two standard errors, but to whom the advice was that it is too close to call."""
        gains = [(one.verdict, *self.gain(one)) for one in self.advices]
        return sum(word == UNDECIDED and abs(gain) > SIGMAS * se for word, gain, se in gains)

    def _judged(self, *, strict: bool) -> list[tuple[str, float, bool]]:
        gains = [(one.verdict, *self.gain(one, strict=strict)) for one in self.advices]
        return [(word, gain, (word == "helps") == (gain > 0)) for word, gain, se in gains
                if abs(gain) > SIGMAS * se and word != UNDECIDED]


def _paired(better: np.ndarray, worse: np.ndarray) -> tuple[float, float]:
    """Difference in accuracy and its standard error, from which of the same test samples are right."""
    difference = better.astype(float) - worse
    return float(difference.mean()), float(difference.std() / np.sqrt(difference.size))


def standard_error(values: Sequence[float]) -> float:
    """Standard error of a mean; nan of a single value."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
