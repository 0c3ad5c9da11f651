"""Family trees as TOML files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from synthmix.solvers.problem import Ridge
from synthmix.solvers.spectra import even_mean, spectrum
from synthmix.solvers.trees import SampleSet, Tree
from synthmix.support.errors import BadInput
from synthmix.support.typed import Between, Name, Positive, Some, typed

MOST_BYTES = 10**6


@dataclass(frozen=True)
class TreeFile:
    """What a file says.

    Attributes
    ----------
    p, mu, gamma
        Dimension, length of the class mean (with equal parts along all eigenvectors), regulariser.
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
        """The family tree."""
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
    file = Path(path)
    try:
        if not file.is_file():
            raise BadInput(f"there is no file {file} with a family tree")
        if file.stat().st_size > MOST_BYTES:
            raise BadInput(f"{file} is too large for a family tree")
        table = tomllib.loads(file.read_text())
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise BadInput(f"cannot read {file}: it is no text") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        raise BadInput(f"{file} is not TOML: {error}") from None
    try:
        return typed(TreeFile, table).tree()
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from None
