"""Back-test of `advise`: simulated users with hidden test sets.

A `Scenario` says how many samples a user has and how good the generator, its labels and its verifier are. `simulated_user` draws the
samples from a real data set. What an advice is worth is measured by training on these samples and scoring the hidden test set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..advice.advise import advise
from ..advice.plan import Plan
from ..advice.result import Advice
from ..advice.tables import Table
from ..data.tasks import Folder
from ..estimators.class_gaussian import ClassGaussian
from ..estimators.leave_one_out import RidgeMix
from ..sims.labels import label_and_prune
from ..solvers.problem import Generator, Verifier
from .competitors import cross_validated_choice
from .real_data import RealData, Split


@dataclass(frozen=True)
class Scenario:
    """A kind of user, whose data, generator and verifier are known to the back-test.

    Attributes
    ----------
    data : RealData
    n : int
        Real samples.
    budget : int
        Synthetic samples.
    epsilon : float
        Share of wrong labels; a wrong label is any of the other classes.
    verifier : Verifier
    generator : Generator
        Independent, with n_hat samples a class, or self-fitted.
    file : bool
        Whether the user has the synthetic samples, or only plans them.
    audited : int
        How many samples of the file have true labels.
    shift : float
        How far the generator's class means are moved, in a random direction, in units of the distance between the class means.
    """

    data: RealData
    n: int
    budget: int
    epsilon: float
    verifier: Verifier
    generator: Generator
    file: bool = False
    audited: int = 200
    shift: float = 0.0

    @property
    def plan(self) -> Plan:
        """The plan that the user states; generator and verifier are told truly."""
        return Plan(self.budget, self.epsilon, self.verifier.rho, self.verifier.phi, self.generator, self.generator.kind == "self-fitted")

    @property
    def name(self) -> str:
        """In words, for a table."""
        kind = "self-fitted" if self.generator.kind == "self-fitted" else f"n-hat {self.generator.n_hat:g}"
        shifted = f" shifted {self.shift:g}" if self.shift else ""
        return (f"{self.data.name}, n={self.n}, {'file' if self.file else 'plan'}, {kind}{shifted}, epsilon {self.epsilon:g}, "
                f"verifier ({self.verifier.rho:g}, {self.verifier.phi:g})")


@dataclass(frozen=True, eq=False)
class SimulatedUser:
    """The samples of a simulated user.

    Attributes
    ----------
    real : Table
    synthetic : Table
        In the order they come, with the verifier's keep decisions.
    truth : array
        True classes of the synthetic samples.
    """

    real: Table
    synthetic: Table
    truth: np.ndarray

    def audited(self, count: int) -> Table:
        """Return the synthetic samples as a file, the first `count` of them with true labels."""
        truth = self.truth.astype(str).astype(object)
        truth[count:] = ""
        return replace(self.synthetic, truth=truth.astype(str))

    def trained(self, split: Split, m: int, omega: float, gamma: float) -> np.ndarray:
        """Return which test samples are classified right after training on the real samples and the first m synthetic ones, (k,).

        Parameters
        ----------
        split : Split
            With the k test samples.
        m : int
            Synthetic samples, the first ones.
        omega, gamma : float
            Weight of a synthetic sample, and the ridge.
        """
        scores = self._mix(m).scores(split.X_test, [gamma * (len(self.real.y) + m)], omega)
        return scores[0].argmax(axis=1) == split.y_test

    def landscape(self, split: Split, grid: CandidateGrid) -> np.ndarray:
        """Return which test samples are right at every point of the grid, (m, omega, ridge, k); m = 0 is the same at every omega.

        Parameters
        ----------
        split : Split
            With the k test samples.
        grid : CandidateGrid
            Values of m, omega and the ridge.
        """
        alphas = np.array(grid.ridge) * len(self.real.y)
        right = np.empty((*grid.shape, len(split.y_test)), dtype=bool)
        for i, m in enumerate(grid.m):
            mix = self._mix(m)
            for j, omega in enumerate(grid.omega):
                if m or not j:
                    right[i, j] = [scores.argmax(axis=1) == split.y_test for scores in mix.scores(split.X_test, alphas, omega)]
                else:
                    right[i, j] = right[i, 0]
        return right

    def cross_validated(self, split: Split, grid: CandidateGrid, rng: np.random.Generator) -> np.ndarray:
        """Return which test samples are right with all synthetic samples, weight and ridge chosen by cross-validation, (k,).

        Parameters
        ----------
        split : Split
            With the k test samples.
        grid : CandidateGrid
            The weights and ridges that are tried.
        rng : numpy.random.Generator
            Divides the real samples into folds.
        """
        s, alphas = self.synthetic, np.array(grid.ridge) * len(self.real.y)
        omega, alpha = cross_validated_choice(self.real.X, self.real.y, s.X[s.keep], s.y[s.keep], grid.omega, alphas, rng)
        scores = self._mix(len(s.y)).scores(split.X_test, [alpha], omega)
        return scores[0].argmax(axis=1) == split.y_test

    def _mix(self, m: int) -> RidgeMix:
        """The real samples and the first m generated ones, for ridges of the sum of squares."""
        return RidgeMix.of(self.real.X, self.real.y, self.synthetic.X[:m], self.synthetic.y[:m], keep=self.synthetic.keep[:m], N=1)


@dataclass(frozen=True)
class CandidateGrid:
    """The settings among which the best is found by exhaustive search.

    Attributes
    ----------
    m : tuple of int
        Numbers of synthetic samples.
    omega : tuple of float
        Weights of a synthetic sample.
    ridge : tuple of float
        gamma N / n.
    """

    m: tuple[int, ...]
    omega: tuple[float, ...]
    ridge: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(m, omega, ridge)."""
        return len(self.m), len(self.omega), len(self.ridge)


@dataclass(frozen=True, eq=False)
class FollowedAdvice:
    """An advice to one user, and what came of it on the hidden test set of k samples.

    Attributes
    ----------
    verdict, m, omega, gamma
        The advice.
    predicted, predicted_gain, gain_se : float
        Of its mix.
    baseline : float
        The predicted accuracy without synthetic data.
    followed, without : bool arrays (k,)
        Which test samples are right when the advice is followed, and without synthetic data, with the ridge that leave-one-out chooses.
    cross_validated : bool array (k,)
        Which are right with all synthetic samples at the weight and the ridge that cross-validation chooses
        (`experiments.competitors`), of those of the grid.
    landscape : array
        Which test samples are right at every point of the grid, packed in bits.
    """

    verdict: str
    m: float
    omega: float
    gamma: float
    predicted: float
    predicted_gain: float
    gain_se: float
    baseline: float
    followed: np.ndarray
    without: np.ndarray
    cross_validated: np.ndarray
    landscape: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """The landscape unpacked, (m, omega, ridge, k)."""
        return np.unpackbits(self.landscape, axis=-1, count=len(self.followed)).astype(bool)


def ask_and_follow(
    scenario: Scenario, grid: CandidateGrid, seed: np.random.SeedSequence, folder: Folder = None
) -> FollowedAdvice:
    """Split the data, draw a user, advise, follow the advice, and see what else could have been done.

    Parameters
    ----------
    scenario : Scenario
    grid : CandidateGrid
        What else is tried.
    seed : SeedSequence
        Of the user.
    folder : path, optional
        With data, as for `data.locate`.
    """
    divided, drawn = seed.generate_state(2)
    split = scenario.data.redivided(int(divided), folder)
    one = simulated_user(split, scenario, np.random.default_rng(int(drawn)))
    advice: Advice = advise(one.real, scenario.plan, one.audited(scenario.audited) if scenario.file else None, standardise=False,
                            details=False)
    best = advice.best
    return FollowedAdvice(
        advice.verdict, best.m, best.omega, best.gamma, best.accuracy, advice.gain.value, advice.gain.se, advice.baseline.accuracy,
        one.trained(split, round(best.m), best.omega, best.gamma), one.trained(split, 0, 1.0, advice.baseline.gamma),
        one.cross_validated(split, grid, np.random.default_rng(int(drawn))),
        np.packbits(one.landscape(split, grid), axis=-1),
    )  # fmt: skip


def simulated_user(split: Split, scenario: Scenario, rng: np.random.Generator) -> SimulatedUser:
    """Draw one: equally many real samples a class, then those that an independent generator is fitted on, then what it generates.

    Parameters
    ----------
    split : Split
        What is drawn from.
    scenario : Scenario
        How many samples, and which generator.
    rng : numpy.random.Generator

    Raises
    ------
    BadInput
        Where the pool is too small.
    """
    L = split.classes
    own = scenario.generator.kind == "self-fitted"
    counts = [scenario.n // L] if own else [scenario.n // L, int(scenario.generator.n_hat)]
    (X, y), *others = split.draw(rng, counts)
    fitted = ClassGaussian.fit(*(others[0] if others else (X, y)))
    if scenario.shift:
        fitted = _shifted(fitted, scenario.shift, rng)
    fresh, truth = fitted.sample(rng, -(-scenario.budget // L))
    order = rng.permutation(len(truth))[: scenario.budget]  # the classes mixed, so that the first m are a fair share
    fresh, truth = fresh[order], truth[order]
    labels, keep = label_and_prune(rng, truth, _noise(L, scenario.epsilon), scenario.verifier)
    names = tuple(f"x{i}" for i in range(X.shape[1]))
    order = rng.permutation(len(y))
    real = Table(X[order], y[order], names, total=len(y), columns=names)
    return SimulatedUser(real, Table(fresh, labels, names, keep=keep, total=len(labels), columns=names), truth)


def _noise(L: int, epsilon: float) -> np.ndarray:
    """(L, L): a wrong label is any of the others."""
    return np.where(np.eye(L, dtype=bool), 1 - epsilon, epsilon / (L - 1))


def _shifted(fitted: ClassGaussian, shift: float, rng: np.random.Generator) -> ClassGaussian:
    between = fitted.means[:, None] - fitted.means[None]
    L, p = fitted.means.shape
    distance = np.sqrt(np.sum(between**2) / (L * (L - 1)))
    step = rng.standard_normal((L, p))
    step -= step.mean(axis=0)
    step *= shift * distance / np.linalg.norm(step, axis=1, keepdims=True)
    return replace(fitted, means=fitted.means + step)
