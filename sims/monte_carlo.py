"""The Monte-Carlo engine: trials of many settings in blocks, over worker processes, with checkpoints.

The numbers depend on the settings, the seed and the sampler alone: every trial has its own random stream, and a
precision target is looked at only after numbers of trials that follow from the trials before. The number of workers,
an interruption and what a checkpoint already holds change nothing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, get_args

import numpy as np

from ..solvers.any_loss import SQUARE, Loss
from ..support.errors import NotConverged, instances, number
from ..support.memory import must_fit
from ..support.progress import bar
from ..support.workers import workers
from .checkpoint import Checkpoint, fingerprint
from .samplers import Drawable, Sampler, SamplerName, default_sampler, sampler_for, sampler_kind, trial_streams
from .samplers.banded import Banded
from .samplers.direct import Entries
from .trial import Outcome, whole

BLOCK = 16  # trials a worker draws before it reports
BANDED_BLOCK = 256  # the same where they take microseconds
STAY = 1e7  # banded trials times dimensions, some seconds of work, below which starting workers costs more than it saves
MOST_JOBS = 1000
FIRST_LOOK = 64  # trials before a precision target is looked at; fewer say too little about the standard error


class Estimate(NamedTuple):
    """A Monte-Carlo mean and its standard error.

    Attributes
    ----------
    mean : float
    se : float
    """

    mean: float
    se: float

    @classmethod
    def of(cls, values: np.ndarray) -> Estimate:
        """Return the estimate from independent values, at least 2."""
        return cls(float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values))))


@dataclass(frozen=True)
class Simulation:
    """Monte-Carlo means over the training sets of one setting.

    Attributes
    ----------
    mean_margin, variance, accuracy, risk : Estimate
        Of the quantities of `solvers.predict.Prediction`.
    trials : int
        How many training sets were drawn.
    seed : int
    sampler : str
    """

    mean_margin: Estimate
    variance: Estimate
    accuracy: Estimate
    risk: Estimate
    trials: int
    seed: int
    sampler: SamplerName

    @classmethod
    def of(cls, draws: np.ndarray, seed: int, sampler: SamplerName) -> Simulation:
        """Return the simulation from mean margins and variances (trials, 2).

        Parameters
        ----------
        draws : array (trials, 2)
        seed : int
            Which they were drawn with.
        sampler : str
            That drew them.
        """
        outcome = Outcome(*draws.T)
        values = (outcome.mean_margin, outcome.variance, outcome.accuracy, outcome.risk)
        return cls(*map(Estimate.of, values), trials=len(draws), seed=seed, sampler=sampler)


class TrialBlock(NamedTuple):
    """The trials start..stop-1 of a setting.

    Attributes
    ----------
    index : int
        The place of the setting in the list.
    start, stop : int
    """

    index: int
    start: int
    stop: int


def simulate(setting: Drawable, **options: object) -> Simulation:
    """Simulate one setting, problem, family tree or selection; options as of `simulate_many`."""
    return simulate_many([setting], **options)[0]


def simulate_many(
    settings: Sequence[Drawable],
    *,
    trials: int = 100,
    seed: int = 0,
    jobs: int = 1,
    sampler: SamplerName | None = None,
    loss: str = SQUARE,
    huber_threshold: float | None = None,
    target_se: float | None = None,
    entries: Entries = "gaussian",
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
) -> list[Simulation]:
    """Simulate settings, sharing one pool of workers and one progress bar.

    Parameters
    ----------
    settings : sequence of Setting, Problem, Tree or Selection
        Their random numbers depend on their places in this sequence.
    trials : int
        Trials a setting, at least 2; the most there may be where `target_se` is given.
    seed : int
        Of all random numbers.
    jobs : int
        Worker processes; 1 stays in this one.
    sampler : str, optional
        `sufficient` (exact and fast; the default for the square loss) or `direct` (draws every sample; for any loss). Problems and
        selections are drawn sample by sample whatever it says.
    loss : str
        What the classifier minimises, a name in `solvers.generated.losses.NAMES`.
    huber_threshold : float, optional
        Where Huber's loss becomes linear, 1 by default.
    target_se : float, optional
        Stop a setting once the standard error of its mean accuracy is at most this.
    entries : str
        Of the noise, for the direct sampler: gaussian, rademacher or student (5 degrees of freedom).
    progress : bool
        Show a bar with the time left, where standard error is a terminal.
    checkpoint : path, optional
        File that keeps the trials drawn so far; see `Checkpoint`.

    Returns
    -------
    list of Simulation
        One a setting, in order.

    Raises
    ------
    BadInput
        For options or settings that cannot be simulated, or a checkpoint of something else.
    """
    trials, seed, jobs = (
        whole(name, number(name, value, least, most))
        for name, value, least, most in (("trials", trials, 2, 2**53), ("seed", seed, 0, 2**53), ("jobs", jobs, 1, MOST_JOBS))
    )
    settings = instances("a setting that is simulated", settings, *get_args(Drawable))
    chosen = Loss.of(loss, huber_threshold)
    sampler = default_sampler(chosen) if sampler is None else sampler
    if target_se is not None:
        number("target-se", target_se, 0, open_low=True)
    goals = [trials if target_se is None else min(trials, FIRST_LOOK)] * len(settings)
    must_fit(f"{sum(goals):,} trials", 64.0 * sum(goals), "ask for fewer trials, or for a target-se")
    if all(sampler_kind(one, sampler) is Banded for one in settings) and trials * sum(one.p for one in settings) < STAY:
        jobs = 1
    jobs = min(jobs, max(1, len(settings) * math.ceil(trials / BLOCK)))
    samplers = [sampler_for(setting, sampler, entries, jobs, chosen) for setting in settings]
    trained = () if loss == SQUARE else (chosen,)
    store = Checkpoint(checkpoint, fingerprint(list(settings), seed, sampler, entries, *trained))
    more = partial(_next_goal, trials=trials, target_se=target_se)
    return [Simulation.of(draws, seed, sampler) for draws in _drawn(samplers, store, goals, more, seed, jobs, progress)]


def _drawn(
    samplers: list[Sampler], store: Checkpoint, goals: list[int], more: Callable[[np.ndarray], int], seed: int, jobs: int, progress: bool
) -> list[np.ndarray]:
    """The trials (count, 2) of every setting, drawn until `more` asks for no more than there are; kept in the checkpoint meanwhile."""
    draws = store.load(len(samplers))
    pending = list(range(len(samplers)))
    with workers(jobs, _run_block, ordered=False) as run, bar("trials", progress) as show:
        try:
            while pending:
                for i in pending:
                    missing = np.full((max(0, goals[i] - len(draws[i])), 2), np.nan)
                    draws[i] = np.concatenate([draws[i], missing])
                blocks = [block for i in pending for block in _missing(i, draws[i][: goals[i]], samplers[i])]
                done, total = sum(goals) - sum(block.stop - block.start for block in blocks), sum(goals)
                show(done, total)
                for block, values in run((samplers[block.index], seed, block) for block in blocks):
                    draws[block.index][block.start : block.stop] = values
                    done += block.stop - block.start
                    show(done, total)
                    store.save(draws)
                wanted = [more(values[:goal]) for values, goal in zip(draws, goals, strict=False)]
                pending = [i for i in pending if wanted[i] > goals[i]]
                goals = wanted
        finally:
            store.save(draws, now=True)
    return [values[:goal] for values, goal in zip(draws, goals, strict=False)]


def _missing(index: int, draws: np.ndarray, sampler: Sampler) -> Iterator[TrialBlock]:
    """The blocks of a setting that have trials still to be drawn."""
    size = BANDED_BLOCK if isinstance(sampler, Banded) else BLOCK
    for start in range(0, len(draws), size):
        stop = min(start + size, len(draws))
        if np.isnan(draws[start:stop]).any():
            yield TrialBlock(index, start, stop)


def _next_goal(draws: np.ndarray, trials: int, target_se: float | None) -> int:
    """How many trials a setting needs, judging by those it has; what it has where they are enough."""
    count = len(draws)
    if target_se is None or count >= trials:
        return count
    se = Estimate.of(Outcome(*draws.T).accuracy).se
    if se <= target_se:
        return count
    needed = 1.02 * count * min(4.0, (se / target_se) ** 2)  # the first estimates of the error are rough
    return min(trials, max(count + BLOCK, math.ceil(needed)))


def _run_block(sampler: Sampler, seed: int, block: TrialBlock) -> tuple[TrialBlock, np.ndarray]:
    """Draw the trials of one block.

    Raises
    ------
    NotConverged
        Where one of them is beyond floating point.
    """
    with np.errstate(all="ignore"):
        draws = sampler.draws(trial_streams(seed, *block))
        usable = Outcome(*draws.T).usable
    if not np.all(usable):
        margin, variance = draws[~usable][0]
        raise NotConverged(f"a trial has the mean margin {margin:g} and the variance {variance:g}, which floating point cannot tell: "
                           f"take less extreme values of mu, gamma, omega or the covariances")
    return block, draws
