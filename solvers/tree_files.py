"""Family trees as TOML files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from ..support.errors import BadInput, place
from ..support.typed import Between, Name, Positive, Some, read_toml
from .problem import Ridge
from .spectra import even_mean, spectrum
from .trees import SampleSet, Tree


@dataclass(frozen=True)
class TreeFile:
    """A family tree as its TOML file describes it.

    Attributes
    ----------
    p, mu, gamma
        Dimension, length of the class mean (with equal parts along all eigenvectors), ridge gamma.
    sets
        A table [[sets]] for every sample set, oldest first: the attributes of `SampleSet`, verifier = {rho = .., phi = ..}.
    spectrum
        Of the covariance: flat, power:ALPHA or file:PATH.
    """

    p: Positive
    mu: Annotated[float, Between(0)]
    gamma: Annotated[float, Between(0, open_low=True)]
    sets: Annotated[tuple[SampleSet, ...], Some()]
    spectrum: Name = "flat"

    def tree(self) -> Tree:
        """Return the family tree."""
        covariance = spectrum(self.spectrum, self.p)
        mu = even_mean(self.mu, self.p) if np.ndim(covariance) else self.mu
        return Tree(self.sets, self.p, mu, Ridge(self.gamma), covariance)


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
