"""A study as its TOML file declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from ..solvers.generated.losses import NAMES as LOSSES
from ..solvers.named import named_setting
from ..solvers.problem import GENERATOR_KINDS, GeneratorKind, Setting
from ..solvers.tree_files import TreeFile
from ..solvers.trees import Tree, generations
from ..support.errors import BadInput
from ..support.typed import Between, Count, Name, Some, read_toml
from .axes import Latin, Range, StudyPoints, points

TREE_AXES = ("p", "mu", "gamma")


@dataclass(frozen=True)
class Base:
    """The parameters that all points share, by the names of the command line; those that an axis gives are left out."""

    n: float | None = None
    m: float | None = None
    p: float | None = None
    mu: float | None = None
    epsilon: float | None = None
    rho: float | None = None
    phi: float | None = None
    gamma: float | None = None
    omega: float = 1.0
    beta: float = 1.0
    mu_perp: float = 0.0
    generator: GeneratorKind = "exact"
    n_hat: float | None = None
    estimate_mean: bool = False
    spectrum: str = "flat"
    generations: float | None = None
    scheme: str = "replace"


AXES = tuple(one.name for one in fields(Base) if one.name not in ("generator", "estimate_mean", "spectrum", "scheme"))


@dataclass(frozen=True)
class Compute:
    """The computations at every point.

    Attributes
    ----------
    formulas
        rederived, published: theory of the square loss.
    losses
        Other losses, in theory.
    trials
        Monte-Carlo trials; 0 for none. With a target error the most there may be.
    target_se
        Standard error of the accuracy at which a point's simulation stops.
    seed
        Of all random numbers; those of a point depend on it and on the point alone.
    limit
        Whether rows of theory say the accuracy that no classifier trained on the same samples can exceed, where it is known.
    """

    formulas: tuple[Literal["rederived", "published"], ...] = ("rederived",)
    losses: tuple[Name, ...] = ()
    trials: Count = 0
    target_se: Annotated[float, Between(0, open_low=True)] | None = None
    seed: Count = 0
    limit: bool = False

    def __post_init__(self) -> None:
        for loss in self.losses:
            if loss not in LOSSES or loss == "square":
                raise BadInput(f"losses are {', '.join(name for name in LOSSES if name != 'square')}, beside the formulas of the square "
                               f"loss; not {loss!r}")  # fmt: skip
        if self.trials == 1:
            raise BadInput("trials must be at least 2, or a standard error is unknown")
        if self.target_se is not None and not self.trials:
            raise BadInput("target_se needs trials, the most that a point may take")
        if not (self.formulas or self.losses or self.trials):
            raise BadInput("a study computes something: give formulas, losses or trials")

    @property
    def kinds(self) -> tuple[tuple[str, str], ...]:
        """The computations, as (kind, loss)."""
        theory = [("theory" if one == "rederived" else "published", "square") for one in self.formulas]
        simulated = [("simulated", loss) for loss in ("square", *self.losses)] if self.trials else []
        return (*theory, *(("theory", loss) for loss in self.losses), *simulated)


@dataclass(frozen=True)
class Study:
    """A declared sweep.

    Attributes
    ----------
    setting, tree
        What all points have in common: a setting, or a TOML file with a family tree.
    values, ranges, latin
        The axes by the name of the parameter: lists, ranges, and a Latin hypercube.
    compute
        What is computed at every point.
    out
        Folder of the Parquet data set.
    """

    setting: Base | None = None
    tree: Name | None = None
    values: Mapping[str, Annotated[tuple[float, ...], Some()]] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    latin: Latin | None = None
    compute: Compute = Compute()
    out: Name | None = None

    def __post_init__(self) -> None:
        if (self.setting is None) == (self.tree is None):
            raise BadInput("a study needs a table [setting], or tree = FILE in its place")
        known = AXES if self.setting else TREE_AXES
        for name in self.points.names:
            if name not in known:
                raise BadInput(f"there is no axis {name}; there are {', '.join(known)}")
        if (self.tree or self.lined) and "published" in self.compute.formulas:
            raise BadInput("the published formula does not cover generators of generators: leave it out")
        if self.setting:
            self._check_setting(self.setting)

    def _check_setting(self, base: Base) -> None:
        for name in ("n", "m", "p", "mu", "epsilon", "rho", "phi", "gamma"):
            if getattr(base, name) is None and name not in self.points.names:
                raise BadInput(f"setting.{name} is missing, and no axis gives it")
            if getattr(base, name) is not None and name in self.points.names:
                raise BadInput(f"{name} is in [setting] and an axis: leave it in one of them")
        if base.generator not in GENERATOR_KINDS:
            raise BadInput(f"setting.generator must be one of {', '.join(GENERATOR_KINDS)}, not {base.generator!r}")

    @property
    def points(self) -> StudyPoints:
        """The points, in order."""
        return points(self.values, self.ranges, self.latin)

    @property
    def lined(self) -> bool:
        """Whether the synthetic samples come from a line of generators."""
        return self.setting is not None and (self.setting.generations is not None or "generations" in self.points.names)

    def problem(self, at: Mapping[str, float]) -> Setting | Tree:
        """Return the setting or tree at the values of the axes.

        Raises
        ------
        BadInput
            For values out of range.
        """
        whole = {name: int(value) if float(value).is_integer() else value for name, value in at.items()}
        if self.tree is not None:
            return replace(read_toml(Path(self.tree), TreeFile), **whole).tree()
        said = asdict(self.setting) | whole
        depth, scheme = said.pop("generations"), said.pop("scheme")
        setting = named_setting(**said)
        return setting if depth is None else generations(setting, int(depth), scheme)

    def columns(self, at: Mapping[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
        """Return all that says what a row is about: numbers (count,) and words, the same in every row where no axis gives them.

        Parameters
        ----------
        at : mapping of arrays (count,)
            Values of the axes by name.
        count : int
            Rows.
        """
        said = asdict(self.setting) if self.setting else {"tree": self.tree}
        words = {name: np.full(count, value) for name, value in said.items() if value is not None and name not in at}
        return {name: values.astype(float) if values.dtype.kind in "iuf" else values for name, values in (words | dict(at)).items()}


def read_study(path: str | Path) -> Study:
    """Return the study that a TOML file declares; a tree's file and the output folder are beside it unless they say otherwise.

    Raises
    ------
    BadInput
        In one line that names the file and the key.
    """
    file = Path(path)
    study = read_toml(file, Study)
    beside = {"out": str(file.parent / (study.out or file.stem))}
    if study.tree is not None:
        beside["tree"] = str(file.parent / study.tree)
        read_toml(Path(beside["tree"]), TreeFile)
    return replace(study, **beside)
