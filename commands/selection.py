"""The options that keep synthetic samples by a score, in the place of a verifier that does not look at them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .options import SettingOptions
from .trees import TreeOptions

if TYPE_CHECKING:
    from ..solvers.problem import Setting
    from ..solvers.selection import Selection
    from ..solvers.trees import Tree


@dataclass(frozen=True)
class SelectionOptions:
    """The options of a selection by a score."""

    keep: Annotated[
        Literal["hard", "easy", "middle", "top", "random"] | None,
        typer.Option("--keep", help="Keep a share of the synthetic samples by their scores, in place of --rho and --phi. hard: the "
                                    "smallest in size; easy: the largest; middle: a band between; top: where score and label agree "
                                    "most; random: any."),
    ] = None
    keep_share: Annotated[float | None, typer.Option("--keep-share", help="The share that is kept, from 1e-9 to 1.")] = None
    score_angle: Annotated[
        float | None, typer.Option("--score-angle", help="Angle in degrees between the score's direction and the truth: 0 is the best.")
    ] = None

    def problem(self, options: SettingOptions, family: TreeOptions) -> Setting | Tree | Selection:
        """The selection that is meant, or the tree or setting where none is.

        Raises
        ------
        BadInput
            For a share or an angle without a rule or the other way round, a verifier beside them, or a family tree.
        """
        from ..support.errors import BadInput

        extras = {"--keep-share": self.keep_share, "--score-angle": self.score_angle}
        if self.keep is None:
            if given := [name for name, value in extras.items() if value is not None]:
                raise BadInput(f"{' and '.join(given)} needs --keep: hard, easy, middle, top or random")
            return family.problem(options)
        if family != TreeOptions():
            raise BadInput("--keep is for one generator: leave --generations, --scheme and --tree out")
        if missing := [name for name, value in extras.items() if value is None]:
            raise BadInput(f"--keep needs {' and '.join(missing)}")
        if options.rho is not None or options.phi is not None:
            raise BadInput("--keep takes the place of --rho and --phi: leave them out")
        from ..solvers.selection import Selection, keep_share, score_direction

        setting = replace(options, rho=1.0, phi=1.0).setting()
        return Selection(setting, keep_share(self.keep, self.keep_share, setting, score_direction(setting, self.score_angle)))
