"""The samplers by name, and the random stream of every trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol, get_args

import numpy as np

from ...solvers.any_loss import SQUARE, SQUARE_LOSS, Loss
from ...solvers.problem import Problem, Setting
from ...solvers.selection import Selection
from ...solvers.trees import Tree
from ...support.errors import BadInput, one_of
from ...support.memory import must_fit
from ..trial import Mixture
from .banded import Banded
from .direct import Direct, DirectProblem, Entries
from .family_tree import DirectTree, FamilyTree
from .selection import DirectSelection
from .sufficient import Sufficient

SamplerName = Literal["sufficient", "direct"]
SAMPLERS: tuple[SamplerName, ...] = ("sufficient", "direct")


Drawable = Setting | Problem | Tree | Selection  # what trials can be drawn of


class Sampler(Protocol):
    """The contract of a sampler, which draws trials of one setting, problem, family tree or selection."""

    @staticmethod
    def doubles(setting: Drawable) -> float:
        """Return about how many numbers are held at once while a trial is drawn."""

    def draws(self, streams: Iterable[np.random.Generator]) -> np.ndarray:
        """Return mean margin and variance of one trial a stream, (trials, 2)."""


def default_sampler(loss: Loss) -> SamplerName:
    """Return the fastest sampler of a loss: only the square one sees no more of the samples than their Gram matrix and label moment."""
    return "sufficient" if loss.name == SQUARE else "direct"


def sampler_for(
    setting: Drawable, name: SamplerName = "sufficient", entries: Entries = "gaussian", jobs: int = 1,
    loss: Loss = SQUARE_LOSS,
) -> Sampler:
    """Return a sampler, ready to draw; `sufficient` takes its banded path by itself where that applies.

    Parameters
    ----------
    setting : Setting, Problem, Tree or Selection
    name : str
        A name in SAMPLERS.
    entries : str
        Of the noise; other than gaussian for the direct sampler only.
    jobs : int
        How many processes will draw at once.
    loss : Loss
        What the classifier minimises; other than square for the direct sampler only.

    Raises
    ------
    BadInput
        For an unknown name, entries the sampler cannot draw, or a setting that cannot be simulated, because a count is not whole or a trial
        does not fit into the memory that is free.
    """
    one_of("entries", entries, get_args(Entries))
    if loss.name != SQUARE and isinstance(setting, Selection):
        raise BadInput("selections are covered for the square loss only: use --loss square")
    if loss.name != SQUARE and name == "sufficient":
        raise BadInput(f"the sufficient sampler draws what the square loss sees of samples; use the direct one for the {loss.name} loss")
    kind = sampler_kind(setting, name)
    if kind in (FamilyTree, DirectTree, DirectSelection) and entries != "gaussian":
        raise BadInput(f"{'selections' if kind is DirectSelection else 'family trees'} are simulated with gaussian entries only")
    if name == "sufficient" and entries != "gaussian":
        raise BadInput(f"the sufficient sampler is exact for gaussian entries only; use the direct one for {entries!r}")
    trial = "a trial" if jobs == 1 else f"a trial in each of {jobs} processes"
    lower = "p" if kind is Banded else "p or the numbers of samples"
    must_fit(f"{trial} with p = {setting.p:,}", 8.0 * jobs * kind.doubles(setting), f"lower {lower}{'' if jobs == 1 else ', or jobs'}")
    if kind is FamilyTree:
        return FamilyTree(setting)
    if kind is DirectTree:
        return DirectTree(setting, loss)
    if kind is DirectSelection:
        return DirectSelection(setting)
    if kind is DirectProblem:
        return DirectProblem(setting, entries, loss)
    return Direct(Mixture.of(setting), entries, loss) if kind is Direct else kind(Mixture.of(setting))


def sampler_kind(setting: Drawable, name: SamplerName) -> type[Sampler]:
    """Return the class that draws trials.

    Raises
    ------
    BadInput
        For a name that is not in SAMPLERS.
    """
    one_of("sampler", name, SAMPLERS)
    if isinstance(setting, Tree):
        return DirectTree if name == "direct" else FamilyTree
    if isinstance(setting, Selection):
        return DirectSelection
    if isinstance(setting, Problem):
        return DirectProblem
    if name == "direct":
        return Direct
    return Banded if Banded.applies(setting) else Sufficient


def trial_streams(seed: int, setting_index: int, start: int, stop: int) -> Iterator[np.random.Generator]:
    """Yield the random streams of the trials start..stop-1 of one setting; each is used up before the next is asked for.

    A Philox generator keyed by the seed and the setting, whose 256-bit counter starts at trial * 2^192: a trial's
    numbers depend on (seed, setting_index, trial) alone, whatever the block, process or run it is drawn in, and to
    set a counter costs a tenth of making a generator.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(setting_index,))
    bits = np.random.Philox(sequence)
    rng, state = np.random.Generator(bits), bits.state
    for trial in range(start, stop):
        state["state"]["counter"][:] = (0, 0, 0, trial)
        bits.state = state
        yield rng
