"""Back-test of `advise`: simulated users with hidden test sets.

A `Scenario` says how many samples a user has and how good the generator, its labels and its verifier are. `simulated_user` draws the
samples from a real data set. What an advice is worth is measured by training on these samples and scoring the hidden test set.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from ..advice.advise import advise
from ..advice.plan import Plan
from ..advice.result import Advice
from ..advice.tables import Table
from ..data import dataset, status
from ..data.sets import amazon, digits, xstest
from ..estimators.class_gaussian import ClassGaussian
from ..estimators.leave_one_out import RidgeMix
from ..sims.labels import label_and_prune
from ..solvers.problem import Generator, Verifier
from .real import Split, mnist_split

Source = Literal["mnist", "digits", "books", "elec", "kitchen", "preferences", "completions"]
TEST = {"mnist": 1000, "digits": 60, "books": 300, "elec": 300, "kitchen": 300, "preferences": 350}  # a class
PROMPTS_TEST = 120  # of the 450 prompts of the completions, with all their completions
MODEL = "smollm2-135m"


@dataclass(frozen=True)
class Data:
    """A data set and its features. digits: which of MNIST or of the small ones (none: all). features, size: see `real.mnist_split`."""

    name: str
    source: Source
    digits: tuple[int, ...] = ()
    features: Literal["pixels", "relu", "halved"] = "pixels"
    size: int = 300

    def missing(self, folder: str | os.PathLike[str] | None = None) -> str:
        """Why these data cannot be used here without downloading or computing for long; "" if they can."""
        if self.source in ("preferences", "completions"):
            from ..language.models.features import FeatureSettings, imported

            name: Literal["hh_rlhf", "xstest"] = "hh_rlhf" if self.source == "preferences" else "xstest"
            if status(dataset(name), folder).missing:
                return f"{name} is not here: python cli.py data fetch {name}"
            return "" if imported(name, FeatureSettings(), folder, MODEL) else f"there are no features of {name} in the data folder"
        name = self.source if self.source in ("mnist", "digits") else "amazon"
        return f"{name} is not here: python cli.py data fetch {name}" if status(dataset(name), folder).missing else ""

    def load(self, seed: int, folder: str | os.PathLike[str] | None = None) -> Split:
        """A random split into pool and test set, from `seed`; the data are read once a process.

        Raises:
            BadInput: if they are nowhere to be found.
        """
        X, y, group = _samples(self, None if folder is None else os.fspath(folder))
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(y))
        if group is not None:
            return _grouped(X[order], y[order], group[order], rng)
        tested = np.concatenate([np.flatnonzero(y[order] == k)[: TEST[self.source]] for k in np.unique(y)])
        test = np.zeros(len(y), dtype=bool)
        test[order[tested]] = True
        return _one_scale(X, y, test, self.source)


@dataclass(frozen=True)
class Scenario:
    """n real samples; `budget` generated ones whose labels are wrong with probability epsilon (then any other class's), and a verifier.

    file: whether the user has the generated samples, `audited` of them with true labels, or only plans them.
    generator: independent, n_hat samples a class, or self-fitted. shift: how far the generator's class means are moved, in a random
    direction, in units of the distance between the class means.
    """

    data: Data
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
        """What the user says of the generator and the verifier: the truth."""
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
    """What one user has: the real samples, and the generated ones in the order they come, with verdicts and true classes."""

    real: Table
    synthetic: Table
    truth: np.ndarray

    def audited(self, count: int) -> Table:
        """The synthetic samples as a file, of which the first `count` have been looked at for their true labels."""
        truth = self.truth.astype(str).astype(object)
        truth[count:] = ""
        return replace(self.synthetic, truth=truth.astype(str))

    def trained(self, split: Split, m: int, omega: float, gamma: float) -> np.ndarray:
        """Which test samples (k,) a classifier gets right that is trained on the real samples and the first m generated ones."""
        scores = self._mix(m).scores(split.X_test, [gamma * (len(self.real.y) + m)], omega)
        return scores[0].argmax(axis=1) == split.y_test

    def landscape(self, split: Split, grid: CandidateGrid) -> np.ndarray:
        """Which test samples are right at every point of the grid, (m, omega, ridge, k); m = 0 is the same at every omega."""
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

    def _mix(self, m: int) -> RidgeMix:
        """The real samples and the first m generated ones, for ridges of the sum of squares."""
        return RidgeMix.of(self.real.X, self.real.y, self.synthetic.X[:m], self.synthetic.y[:m], keep=self.synthetic.keep[:m], N=1)


@dataclass(frozen=True)
class CandidateGrid:
    """Where the best setting is looked for by exhaustion: numbers of generated samples, weights, and ridges gamma N / n."""

    m: tuple[int, ...]
    omega: tuple[float, ...]
    ridge: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(m, omega, ridge)."""
        return len(self.m), len(self.omega), len(self.ridge)


@dataclass(frozen=True, eq=False)
class FollowedAdvice:
    """What one user was told, and what came of it on the hidden test set of k samples.

    verdict, m, omega, gamma: the advice. predicted, predicted_gain, gain_se: of its mix. baseline: the predicted accuracy without
    synthetic data. followed, without: (k,), which test samples are right when it is followed, and without synthetic data, with the ridge
    that leave-one-out chooses. landscape: the same at every point of the grid, packed in bits.
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
    landscape: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """The landscape unpacked, (m, omega, ridge, k)."""
        return np.unpackbits(self.landscape, axis=-1, count=len(self.followed)).astype(bool)


def ask_and_follow(
    scenario: Scenario, grid: CandidateGrid, seed: np.random.SeedSequence, folder: str | os.PathLike[str] | None = None
) -> FollowedAdvice:
    """Split the data, draw a user, advise, follow the advice, and see what else could have been done."""
    divided, drawn = seed.generate_state(2)
    split = scenario.data.load(int(divided), folder)
    one = simulated_user(split, scenario, np.random.default_rng(int(drawn)))
    advice: Advice = advise(one.real, scenario.plan, one.audited(scenario.audited) if scenario.file else None, standardise=False,
                            details=False)
    best = advice.best
    return FollowedAdvice(
        advice.verdict, best.m, best.omega, best.gamma, best.accuracy, advice.gain.value, advice.gain.se, advice.baseline.accuracy,
        one.trained(split, round(best.m), best.omega, best.gamma), one.trained(split, 0, 1.0, advice.baseline.gamma),
        np.packbits(one.landscape(split, grid), axis=-1),
    )  # fmt: skip


def simulated_user(split: Split, scenario: Scenario, rng: np.random.Generator) -> SimulatedUser:
    """Draw one: equally many real samples a class, then those that an independent generator is fitted on, then what it generates.

    Raises:
        BadInput: where the pool is too small.
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


@lru_cache(maxsize=4)
def _samples(data: Data, folder: str | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Features X (k, p), classes y (k,) from 0, and which samples belong together (k,), if any do.

    Of the preference pairs of hh-rlhf X is y (phi(chosen) - phi(rejected)), with the order of the two drawn at random; of XSTest y says
    whether a completion complies.
    """
    if data.source == "mnist":  # both parts together: the public test set is the easier one
        split = mnist_split(data.digits, data.features, folder, size=data.size)
        return np.concatenate([split.X, split.X_test]), np.concatenate([split.y, split.y_test]), None
    if data.source == "digits":
        images, y = digits.load(folder)
        chosen = np.isin(y, data.digits or np.unique(y))
        return images[chosen].reshape(int(chosen.sum()), -1).astype(float), np.searchsorted(np.unique(y[chosen]), y[chosen]), None
    if data.source == "preferences":
        from ..language.models.features import preference_features
        from .preferences import differences

        X = differences(preference_features(folder=folder))
        y = np.random.default_rng(0).permutation(np.arange(len(X)) % 2)
        return np.where(y[:, None] == 1, X, -X), y, None
    if data.source == "completions":
        from ..language.models.features import completion_features

        known = xstest.load(folder)
        return (completion_features(folder=folder).astype(float), (known.human == xstest.COMPLIANCE).astype(int),
                np.unique(known.prompts, return_inverse=True)[1])  # fmt: skip
    X, y = amazon.load(data.source, folder)
    return X, (y < 0).astype(int), None


def _grouped(X: np.ndarray, y: np.ndarray, group: np.ndarray, rng: np.random.Generator) -> Split:
    """No group is in pool and test set, and the pool has one sample of each of its groups: those of one group are alike, and
    leave-one-out wants independent ones. As many of both classes are tested."""
    tested = np.isin(group, rng.permutation(group.max() + 1)[:PROMPTS_TEST])
    pool = np.flatnonzero(~tested)
    pool = pool[np.unique(group[pool], return_index=True)[1]]
    least = np.bincount(y[tested]).min()
    test = np.concatenate([np.flatnonzero(tested & (y == k))[:least] for k in np.unique(y)])
    rows = np.concatenate([pool, test])
    return _one_scale(X[rows], y[rows], np.arange(len(rows)) >= len(pool), "completions")


def _one_scale(X: np.ndarray, y: np.ndarray, test: np.ndarray, source: Source) -> Split:
    """Features centred on the pool, and of variance 1 there: each of them, or of images all together."""
    from sklearn.preprocessing import StandardScaler

    images = source in ("mnist", "digits")
    scaler = StandardScaler(with_std=not images).fit(X[~test])
    pool, hidden = scaler.transform(X[~test]), scaler.transform(X[test])
    scale = np.sqrt(pool.var(axis=0).mean()) if images else 1.0
    return Split(pool / scale, y[~test], hidden / scale, y[test], elliptical=not images)


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
