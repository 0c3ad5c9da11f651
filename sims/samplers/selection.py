"""The sampler of selections: every sample is drawn, labelled, and kept or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...solvers.selection import Selection
from ..labels import give_labels, keep_decisions
from ..trial import Mixture, TrainingSet
from .direct import Direct, SampleLaw, labels, weighted


@dataclass(frozen=True, eq=False)
class DirectSelection:
    """Draws trials of a selection.

    Attributes
    ----------
    selection : Selection
    """

    selection: Selection

    @staticmethod
    def doubles(selection: Selection) -> float:
        """Return about how many numbers are held at once while a trial is drawn."""
        return 2.0 * Direct.doubles(selection.setting)

    @cached_property
    def _mixture(self) -> Mixture:
        return Mixture.of(self.selection.setting)

    def training_set(self, rng: np.random.Generator) -> TrainingSet:
        """Draw all real samples and those synthetic ones that are kept."""
        mix, s = self._mixture, self.selection.setting
        real = SampleLaw(mix.mu, mix.real)
        y = labels(rng, mix.n)
        x = real.draw(rng, y)
        generator = real
        if s.generator.kind == "independent":
            fresh = labels(rng, mix.n_hat)
            generator = real.fitted(fresh * real.draw(rng, fresh), mean=s.generator.estimate_mean)
        elif s.generator.kind == "self-fitted":
            generator = real.fitted(y * x, mean=True)
        truth = labels(rng, mix.m)
        drawn = generator.draw(rng, truth)
        given = give_labels(rng, drawn.T, truth, self.selection.labels)
        kept = keep_decisions(rng, drawn.T, truth, given, self.selection.verifier)
        return weighted([(x, y, 1.0), (drawn[:, kept], given[kept], s.omega)])

    def draws(self, streams: Iterable[np.random.Generator]) -> np.ndarray:
        """Return mean margin and variance of one trial a stream, (trials, 2)."""
        return np.array([self._mixture.outcome(self.training_set(rng)) for rng in streams])
