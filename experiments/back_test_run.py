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
from ..support.threads import one_thread
from ..support.workers import workers
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
    grids = [CandidateGrid((0, case.budget // 8, case.budget // 2, case.budget), WEIGHTS, RIDGES) for case, _ in scenarios]
    users = [(scenario, grid, np.random.SeedSequence(seed, spawn_key=(number, draw)))
             for number, ((case, scenario), grid) in enumerate(zip(scenarios, grids, strict=True))
             for draw in range(case.draws)]  # fmt: skip
    features = {case.data: case.data.redivided(0, folder).X.shape[1] for case, _ in scenarios}  # whatever is checked is checked here, once
    advices = [_finished(kept, *user) for user in users]
    missing = [i for i, advice in enumerate(advices) if advice is None]
    with workers(jobs, _advised) as run, bar("users", progress) as show:
        for done, (i, advice) in enumerate(zip(missing, run((*users[i], folder) for i in missing), strict=True), 1):
            advices[i] = advice
            _keep(kept, *users[i], advice)
            show(len(users) - len(missing) + done, len(users))
    results = []
    for (case, scenario), grid in zip(scenarios, grids, strict=True):
        own, advices = advices[: case.draws], advices[case.draws :]
        results.append(ScenarioResult(scenario, grid, features[scenario.data], tuple(own)))
    return results


def _advised(scenario: Scenario, grid: CandidateGrid, seed: np.random.SeedSequence, data: Folder) -> FollowedAdvice:
    """The advice to one user, and what came of it."""
    with one_thread():
        return ask_and_follow(scenario, grid, seed, data)


def _file(folder: Path, scenario: Scenario, grid: CandidateGrid, seed: np.random.SeedSequence) -> Path:
    return folder / f"{fingerprint(scenario, grid, seed.entropy, seed.spawn_key)}.npz"


def _finished(folder: Path | None, *user: object) -> FollowedAdvice | None:
    """The advice to a user who was finished before."""
    if folder is None or not (path := _file(folder, *user)).is_file():
        return None
    with np.load(path) as kept:
        if set(kept.files) != set(FollowedAdvice.__dataclass_fields__):  # of another version
            return None
        return FollowedAdvice(**{name: kept[name] if kept[name].ndim else kept[name].item() for name in kept.files})


def _keep(folder: Path | None, scenario: Scenario, grid: CandidateGrid, seed: np.random.SeedSequence, advice: FollowedAdvice) -> None:
    """Keep the advice to a user; by the process that asked for it, since a worker may be another machine."""
    if folder is not None:
        with replacing(_file(folder, scenario, grid, seed)) as beside, beside.open("wb") as file:
            np.savez(file, **{name: getattr(advice, name) for name in FollowedAdvice.__dataclass_fields__})
