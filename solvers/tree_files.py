"""Family trees as TOML files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from ..support.errors import BadInput, place
from ..support.typed import Between, Name, Positive, Some, read_toml
from .problem import NO_SUPERVISION, Ridge, Verifier
from .spectra import covariance, even_mean
from .trees import SampleSet, Tree


@dataclass(frozen=True)
class SetFile:
    """A sample set as a TOML file describes it.

    Attributes
    ----------
    name, count, parents, weight, epsilon, verifier
        As of `SampleSet`; verifier = {rho = .., phi = ..}.
    spectrum, scale
        Of the covariance of a real set, where it is not that of the tree: as of `TreeFile`, and a factor. Without a spectrum the factor
        is that of the identity.
    mu
        Length of the class mean of a real set, where it is not that of the tree.
    """

    name: Name
    count: float
    parents: tuple[str, ...] = ()
    weight: float = 0.0
    epsilon: float = 0.0
    verifier: Verifier = NO_SUPERVISION
    spectrum: Name | None = None
    scale: Annotated[float, Between(0, open_low=True)] | None = None
    mu: Annotated[float, Between(0)] | None = None

    def covariance(self, p: int) -> float | np.ndarray | None:
        """Return the covariance of the set's own law in p dimensions; None: that of the tree."""
        if self.spectrum is None and self.scale is None:
            return None
        return (self.scale or 1.0) * covariance(self.spectrum or "flat", p)


@dataclass(frozen=True)
class TreeFile:
    """A family tree as its TOML file describes it.

    Attributes
    ----------
    p, mu, gamma
        Dimension, length of the class mean (with equal parts along all coordinates), ridge gamma.
    sets
        A table [[sets]] for every sample set, oldest first.
    spectrum
        Of the covariance of fresh samples, and of real sets that have no other: flat, power:ALPHA, file:PATH or matrix:PATH.
    """

    p: Positive
    mu: Annotated[float, Between(0)]
    gamma: Annotated[float, Between(0, open_low=True)]
    sets: Annotated[tuple[SetFile, ...], Some()]
    spectrum: Name = "flat"

    def tree(self) -> Tree:
        """Return the family tree."""
        whole, *own = self._covariances()
        plain = not any(np.ndim(c) for c in (whole, *own) if c is not None)
        means = [None if length is None else length if plain else even_mean(length, self.p) for length in (one.mu for one in self.sets)]
        sets = tuple(SampleSet(one.name, one.count, one.parents, one.weight, one.epsilon, one.verifier, c, mu)
                     for one, c, mu in zip(self.sets, own, means, strict=True))  # fmt: skip
        return Tree(sets, self.p, self.mu if plain else even_mean(self.mu, self.p), Ridge(self.gamma), whole)

    def _covariances(self) -> list[float | np.ndarray | None]:
        """That of the tree, and those of the sets; where one is a matrix, eigenvalues are those of a diagonal one."""
        found = [covariance(self.spectrum, self.p), *(one.covariance(self.p) for one in self.sets)]
        if any(np.ndim(c) == 2 for c in found if c is not None):
            found = [np.diag(c) if np.ndim(c) == 1 else c for c in found]
        return found


def read_tree(path: str | Path) -> Tree:
    """Return the family tree that a TOML file describes.

    Raises
    ------
    BadInput
        In one line that names the file and the key, for a file that cannot be read or does not describe a tree.
    """
    file = place("the file of a tree", path)
    said = read_toml(file, TreeFile)
    try:
        return said.tree()
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from None
