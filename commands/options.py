"""Options that several commands have, and commands that take a group of options as one dataclass."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ..solvers.problem import Setting


def _seed(seed: int) -> int:
    from ..support.errors import BadInput

    if seed < 0:
        raise BadInput(f"seed must be at least 0, not {seed}")
    return seed


def checked_jobs(jobs: int | None) -> int:
    """Return the number of worker processes, by default one a core.

    Raises
    ------
    BadInput
        For less than 1.
    """
    from ..support.errors import BadInput

    if jobs is not None and jobs < 1:
        raise BadInput(f"jobs must be at least 1, not {jobs}")
    if jobs is not None:
        return jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Seed = Annotated[int, typer.Option("--seed", callback=_seed, help="The same seed gives the same numbers, whatever the number of jobs.")]
Jobs = Annotated[int, typer.Option("--jobs", callback=checked_jobs, help="Worker processes.")]
EveryCore = Annotated[int | None, typer.Option("--jobs", callback=checked_jobs, help="Worker processes (default: one a core).")]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", help="Compute on a Dask cluster: tcp://HOST:PORT of its scheduler, or local:N for N workers here."),
]
DataFolder = Annotated[Path | None, typer.Option("--data", help="Folder to look in first for data sets (or set SYNTHDATA_DIR).")]


@dataclass(frozen=True)
class SettingOptions:
    """The options that say which setting of the model is meant."""

    n: Annotated[int | None, typer.Option("--n", help="Number of real samples.")] = None
    m: Annotated[int | None, typer.Option("--m", help="Number of synthetic samples, before pruning.")] = None
    p: Annotated[int | None, typer.Option("--p", help="Dimension: the number of features.")] = None
    mu: Annotated[float | None, typer.Option("--mu", help="Half the distance of the two classes, N(mu, I) and N(-mu, I): the length of "
                                                          "mu.")] = None
    epsilon: Annotated[float | None, typer.Option("--epsilon", help="Label noise: probability that a synthetic label is wrong.")] = None
    rho: Annotated[float | None, typer.Option("--rho", help="Probability that the verifier keeps a wrongly labelled sample.")] = None
    phi: Annotated[float | None, typer.Option("--phi", help="Probability that the verifier keeps a correctly labelled sample.")] = None
    gamma: Annotated[float | None, typer.Option("--gamma", help="Ridge: gamma times the squared length of the classifier's weights is "
                                                            "added to the loss.")] = None
    beta: Annotated[float, typer.Option("--beta", help="How much of mu the generator's class mean has: it is beta mu + mu_perp.")] = 1.0
    mu_perp: Annotated[float, typer.Option("--mu-perp", help="Length of mu_perp, the part of the generator's class mean orthogonal to "
                                                            "mu.")] = 0.0
    omega: Annotated[float, typer.Option("--omega", help="Weight of a synthetic sample relative to a real one.")] = 1.0
    generator: Annotated[
        Literal["exact", "independent", "self-fitted"],
        typer.Option("--generator", help="exact: draws with the covariance of the real samples; independent: fitted on n-hat "
                                         "samples of its own; self-fitted: fitted on the n real samples."),
    ] = "exact"  # fmt: skip
    n_hat: Annotated[int | None, typer.Option("--n-hat", help="Number of samples that an independent generator was fitted on.")] = None
    estimate_mean: Annotated[bool, typer.Option("--estimate-mean", help="An independent generator has estimated its mean, too, on its "
                                                            "n-hat samples.")] = False
    spectrum: Annotated[
        str,
        typer.Option("--spectrum", help="Eigenvalues of the covariance. flat: the identity; power:ALPHA: i^-ALPHA with mean 1; file:PATH: "
                                        "p numbers. The class mean has equal parts along all eigenvectors."),
    ] = "flat"

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were given, as they are written."""
        return tuple(_option(field.name) for field in fields(self) if getattr(self, field.name) != field.default)

    def setting(self) -> Setting:
        """The setting.

        Raises
        ------
        BadInput
            Where an option is missing, for numbers out of range, or an n-hat that the generator lacks or has no use for.
        """
        from ..solvers.named import named_setting
        from ..support.errors import BadInput

        missing = [_option(name) for name in NEEDED if getattr(self, name) is None]
        if missing:
            raise BadInput(f"a setting needs {', '.join(missing)} too")
        return named_setting(**asdict(self))


NEEDED = ("n", "m", "p", "mu", "epsilon", "rho", "phi", "gamma")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command with every dataclass among its parameters replaced by an option for each field, for Typer to read.

    Called with the options, it makes the dataclasses and calls `command` with them.
    """
    parameters = inspect.signature(command, eval_str=True).parameters
    groups = {name: one.annotation for name, one in parameters.items() if is_dataclass(one.annotation)}
    options = []
    for name, one in parameters.items():
        options += inspect.signature(groups[name], eval_str=True).parameters.values() if name in groups else [one]

    @wraps(command)
    def spread(**given: object) -> None:
        made = {name: group(**{field.name: given.pop(field.name) for field in fields(group)}) for name, group in groups.items()}
        command(**made, **given)

    spread.__signature__ = inspect.Signature([one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in options])
    spread.__annotations__ = {one.name: one.annotation for one in options}
    return spread
