"""The options that put a family tree of generators in the place of one generator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import SettingOptions

if TYPE_CHECKING:
    from ..solvers.problem import Setting
    from ..solvers.trees import Tree


@dataclass(frozen=True)
class TreeOptions:
    """The options of a family tree."""

    generations: Annotated[
        int | None,
        typer.Option("--generations", help="The synthetic samples come from the last of so many generators, each fitted on samples of "
                                           "earlier ones; generator 1 is fitted on n-hat real samples of its own."),
    ] = None
    scheme: Annotated[
        str | None,
        typer.Option("--scheme", help="What a later generator is fitted on. replace (default): samples of the one before; accumulate: all "
                                      "sets so far; fresh:SHARE: a share of new real samples, the rest from the one before."),
    ] = None
    tree: Annotated[Path | None, typer.Option("--tree", help="TOML file with a whole family tree, in place of a setting.")] = None

    def problem(self, options: SettingOptions) -> Setting | Tree:
        """The tree that is meant, or the setting where none is.

        Raises
        ------
        BadInput
            For a file that is no tree, a scheme without generations, or a setting that has no generations.
        """
        from ..support.errors import BadInput

        if self.tree is not None:
            from ..solvers.tree_files import read_tree

            if options.given or self.generations is not None or self.scheme is not None:
                raise BadInput(f"--tree FILE says everything: leave {', '.join(options.given) or '--generations and --scheme'} out")
            return read_tree(self.tree)
        if self.generations is None:
            if self.scheme is not None:
                raise BadInput("--scheme needs --generations, the number of generators")
            return options.setting()
        from ..solvers.trees import generations

        return generations(options.setting(), self.generations, self.scheme or "replace")
