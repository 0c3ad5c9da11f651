"""Training samples of the class mixtures of `solvers.many_classes`, drawn one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..solvers.many_classes import ClassMixture
from ..solvers.problem import Law
from .labels import label_and_prune
from .trial import Factor, whole


@dataclass(frozen=True, eq=False)
class LabelledSamples:
    """Training samples with labels and weights.

    Attributes
    ----------
    X : array (k, p)
    labels : array (k,)
        From 0 to L - 1.
    weights : array (k,)
    """

    X: np.ndarray
    labels: np.ndarray
    weights: np.ndarray

    @classmethod
    def joined(cls, parts: list[LabelledSamples]) -> LabelledSamples:
        """Return all the parts, one after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "labels", "weights")))


def training_samples(mixture: ClassMixture, rng: np.random.Generator) -> LabelledSamples:
    """Draw the real samples of every class, fit the generators, and draw, label and prune synthetic samples.

    Parameters
    ----------
    mixture : ClassMixture
    rng : numpy.random.Generator

    Raises
    ------
    BadInput
        For numbers of samples that are not whole.
    """
    parts = []
    for k, law in enumerate(mixture.laws):
        n, m = whole("n of a class", mixture.n[k]), whole("m of a class", mixture.m[k])
        real = _draw(rng, law, n)
        parts.append(LabelledSamples(real, np.full(n, k), np.ones(n)))
        generated = _generated(rng, mixture, k, real, m)
        labels, keep = label_and_prune(rng, np.full(m, k), np.asarray(mixture.noise, dtype=float), mixture.verifier)
        parts.append(LabelledSamples(generated[keep], labels[keep], np.full(int(keep.sum()), mixture.omega)))
    return LabelledSamples.joined(parts)


def _draw(rng: np.random.Generator, law: Law, count: int) -> np.ndarray:
    factor = Factor.of(law.covariance, len(law.mean))
    return law.mean + factor.times(rng.standard_normal((factor.dims, count))).T


def _generated(rng: np.random.Generator, mixture: ClassMixture, k: int, real: np.ndarray, m: int) -> np.ndarray:
    """m samples of the generator of class k; `real` (n, p) are the class's real samples."""
    law = mixture.laws[k] if mixture.generated is None else mixture.generated[k]
    if mixture.generator.kind == "exact":
        return _draw(rng, law, m)
    self_fitted = mixture.generator.kind == "self-fitted"
    seen = real if self_fitted else _draw(rng, law, whole("n-hat", mixture.generator.n_hat))
    mean = seen.mean(axis=0)
    return mean + rng.standard_normal((m, len(seen))) @ (seen - mean) / np.sqrt(len(seen))
