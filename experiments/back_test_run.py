"""Which users are simulated, and letting them ask for advice and follow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data.tasks import Folder
from ..sims.checkpoint import fingerprint
from ..solvers.problem import Generator, Verifier
from ..support.files import replacing
from ..support.progress import bar
from .back_test import CandidateGrid, FollowedAdvice, Scenario, ask_and_follow
from .back_test_result import ScenarioResult
from .real_data import RealData

WEIGHTS, RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0), tuple(np.geomspace(1e-3, 1e2, 11).tolist())


@dataclass(frozen=True)
class ScenarioKind:
    """A generator, its labels and a verifier, whatever the data.

    Attributes
    ----------
    generator
        good: fitted on `UserCase.most` samples a class, as many as the data set has; fair: on as many as the user has; poor: on a fifth
        of them; own: self-fitted.
    epsilon, verifier, shift
        As of `Scenario`.
    file
        Whether there is a file of samples.
    """

    generator: str
    epsilon: float
    verifier: Verifier
    file: bool
    shift: float = 0.0


@dataclass(frozen=True)
class UserCase:
    """Users of one data set.

    Attributes
    ----------
    data
        The data set.
    n
        Real samples of a user.
    classes
        Of the data.
    most
        Samples a class of the best generator.
    kinds
        How many kinds of scenarios are dealt out to it.
    draws
        Users of each.
    budget
        Generated samples of a user.
    """

    data: RealData
    n: int
    classes: int
    most: int
    kinds: int
    draws: int
    budget: int

    def scenarios(self, kinds: Iterator[ScenarioKind]) -> list[Scenario]:
        """The scenarios of the next kinds."""
        return [self._scenario(next(kinds)) for _ in range(self.kinds)]

    def _scenario(self, kind: ScenarioKind) -> Scenario:
        own = self.n // self.classes
        count = {"good": self.most, "fair": own, "poor": max(own // 5, 3)}.get(kind.generator)
        generator = Generator("self-fitted") if count is None else Generator("independent", n_hat=min(count, self.most))
        return Scenario(self.data, self.n, self.budget, kind.epsilon, kind.verifier, generator, kind.file, shift=kind.shift)


def back_test(
    scenarios: Sequence[tuple[UserCase, Scenario]],
    seed: int,
    folder: Folder = None,
    *,
    jobs: int = 1,
    kept: Path | None = None,
    progress: bool = False,
) -> list[ScenarioResult]:
    """Let the users of every scenario ask for advice and follow it; one result a scenario.

    Every user has a seed of its own: neither workers nor interruptions change anything.

    Parameters
    ----------
    seed
        Of all users.
    folder
        With data, as for `data.locate`.
    kept
        Folder where users that are finished are kept, and not asked again.
    """
    from joblib import Parallel, delayed

    tasks, grids = [], []
    for number, (case, scenario) in enumerate(scenarios):
        grids.append(CandidateGrid((0, case.budget // 8, case.budget // 2, case.budget), WEIGHTS, RIDGES))
        for draw in range(case.draws):
            child = np.random.SeedSequence(seed, spawn_key=(number, draw))
            tasks.append(delayed(_trial)(scenario, grids[-1], child, folder, kept))
    features = {case.data: case.data.redivided(0, folder).X.shape[1] for case, _ in scenarios}  # whatever is checked is checked here, once
    outcomes: list[FollowedAdvice] = []
    with bar("users", progress) as show:
        for one in Parallel(n_jobs=jobs, return_as="generator")(tasks):
            outcomes.append(one)
            show(len(outcomes), len(tasks))
    results = []
    for (case, scenario), grid in zip(scenarios, grids, strict=True):
        own, outcomes = outcomes[: case.draws], outcomes[case.draws :]
        results.append(ScenarioResult(scenario, grid, features[scenario.data], tuple(own)))
    return results


def _trial(scenario: Scenario, grid: CandidateGrid, seed: np.random.SeedSequence, data: Folder, folder: Path | None) -> FollowedAdvice:
    """The outcome of one user, from the disk if it is there."""
    from threadpoolctl import threadpool_limits

    path = None
    if folder is not None:
        path = folder / f"{fingerprint(scenario, grid, seed.entropy, seed.spawn_key)}.npz"
        if path.is_file():
            with np.load(path) as kept:
                return FollowedAdvice(**{name: kept[name] if kept[name].ndim else kept[name].item() for name in kept.files})
    with threadpool_limits(1):
        outcome = ask_and_follow(scenario, grid, seed, data)
    if path is not None:
        with replacing(path) as beside, beside.open("wb") as file:
            np.savez(file, **{name: getattr(outcome, name) for name in FollowedAdvice.__dataclass_fields__})
    return outcome
