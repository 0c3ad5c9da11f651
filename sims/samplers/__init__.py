"""The samplers by name, and the random stream of every trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

import numpy as np

from synthmix.sims.samplers.banded import Banded
from synthmix.sims.samplers.direct import Direct, Entries
from synthmix.sims.samplers.family_tree import FamilyTree
from synthmix.sims.samplers.sufficient import Sufficient
from synthmix.sims.trial import Mixture
from synthmix.solvers.problem import Setting
from synthmix.solvers.trees import Tree
from synthmix.support.errors import BadInput

SamplerName = Literal["sufficient", "direct"]
SAMPLERS: tuple[SamplerName, ...] = ("sufficient", "direct")


class Sampler(Protocol):
    """Draws trials of one setting."""

    def draws(self, streams: Iterable[np.random.Generator]) -> np.ndarray:
        """(mean margin, variance) of one trial a stream, an array trials x 2."""


def sampler_for(setting: Setting | Tree, name: SamplerName = "sufficient", entries: Entries = "gaussian") -> Sampler:
    """The sampler of that name, ready to draw; `sufficient` takes its banded path by itself where that applies.

    Raises:
        BadInput: for an unknown name, entries the sampler cannot draw, or a setting that cannot be simulated.
    """
    if name not in SAMPLERS:
        raise BadInput(f"sampler must be one of {', '.join(SAMPLERS)}, not {name!r}")
    if isinstance(setting, Tree):
        if name == "direct" or entries != "gaussian":
            raise BadInput("family trees are simulated by the sufficient sampler, with gaussian entries, only")
        return FamilyTree(setting)
    mixture = Mixture.of(setting)
    if name == "direct":
        return Direct(mixture, entries)
    if entries != "gaussian":
        raise BadInput(f"the sufficient sampler is exact for gaussian entries only; use the direct one for {entries!r}")
    return Banded(mixture) if Banded.applies(mixture) else Sufficient(mixture)


def trial_streams(seed: int, setting_index: int, start: int, stop: int) -> Iterator[np.random.Generator]:
    """The random streams of the trials start..stop-1 of one setting; each is used up before the next is asked for.

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
