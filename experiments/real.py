"""Ridge classifiers on real data: predicted from the pool's statistics, and measured on the test set.

A trial draws real samples from the pool of a `Split`, fits the generator, generates, prunes, trains, and scores the test set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..data.tasks import Folder
from ..estimators.class_gaussian import ClassGaussian
from ..estimators.ridge import ridge
from ..sims.labels import label_and_prune
from ..solvers.many_classes import ClassMixture, next_label_noise, predict_classes, predict_on_samples
from ..solvers.problem import NO_SUPERVISION, ORACLE, Generator, Law, Ridge, Verifier
from ..support.errors import BadInput
from ..support.progress import bar
from ..support.workers import workers
from .compared import Compared, MeasuredAccuracy, measured_accuracy
from .real_data import WORDS, Features, RealData, Split

SUPERVISION = {ORACLE: "oracle", Verifier(rho=0.1, phi=0.9): "strong (0.1, 0.9)", NO_SUPERVISION: "no supervision"}


@dataclass(frozen=True)
class Mix:
    """The numbers of one setting; wrong labels are the next class's.

    Attributes
    ----------
    n, m : int
        Real samples, and synthetic samples before pruning, of each class.
    generator : Generator
    verifier : Verifier
    epsilon : float
        Share of wrong labels before pruning.
    gamma : float
        The ridge gamma.
    """

    n: int
    m: int
    generator: Generator
    verifier: Verifier = NO_SUPERVISION
    epsilon: float = 0.3
    gamma: float = 0.1

    def mixture(self, laws: tuple[Law, ...]) -> ClassMixture:
        """Return the setting as the theory has it, with the laws of the classes."""
        L = len(laws)
        noise = next_label_noise(L, self.epsilon)
        return ClassMixture(laws, (self.n,) * L, (self.m,) * L, noise, self.verifier, self.generator, ridge=Ridge(self.gamma))


def trial(split: Split, mix: Mix, rng: np.random.Generator) -> MeasuredAccuracy:
    """Train on one random draw and score on the test set.

    Parameters
    ----------
    split : Split
    mix : Mix
    rng : numpy.random.Generator

    Raises
    ------
    BadInput
        For a pool that is too small, or an exact generator, which real data do not have.
    """
    if mix.generator.kind == "exact":
        raise BadInput("the law of real data is not known: use an independent or a self-fitted generator")
    self_fitted = mix.generator.kind == "self-fitted"
    (X, y), *others = split.draw(rng, [mix.n] if self_fitted or not mix.m else [mix.n, int(mix.generator.n_hat)])
    samples, y_train = [X], [y]
    if mix.m:
        fresh, classes = ClassGaussian.fit(*(others[0] if others else (X, y))).sample(rng, mix.m)
        labels, keep = label_and_prune(rng, classes, next_label_noise(split.classes, mix.epsilon), mix.verifier)
        samples.append(fresh[keep])
        y_train.append(labels[keep])
    N = split.classes * (mix.n + mix.m)
    classifier = ridge(np.concatenate(samples), np.concatenate(y_train), split.classes, mix.gamma * N)
    return measured_accuracy(classifier.scores(split.X_test), split.y_test)


@dataclass(frozen=True)
class MixCase:
    """A data set and its mixes: every m under every supervision and generator.

    Attributes
    ----------
    name, source, digits, features, size
        As of `RealData`.
    n, m
        Real samples a class, and the numbers of generated ones.
    generators
        Those that are tried.
    trials
        Of each mix.
    splits
        On how many of the splits the theory is asked, where they are random.
    """

    name: str
    source: str
    n: int
    m: tuple[int, ...]
    generators: tuple[Generator, ...]
    trials: int
    digits: tuple[int, ...] = ()
    features: Features = "pixels"
    size: int = 300
    splits: int = 1

    @property
    def data(self) -> RealData:
        """The data set, its classes and features."""
        return RealData(self.name, self.source, self.digits, self.features, self.size)

    @property
    def group(self) -> str:
        """The name of its data in legends: with features where it is a pair of more classes, else with the number of classes."""
        task, words = self.data.task, {2: "two", 10: "ten"}
        if self.data.pair:
            return f"{task.title} pairs, {WORDS[self.features]}"
        classes = len(self.digits) or task.classes
        return task.title if classes == 2 else f"{task.title}, {words.get(classes, classes)} classes"

    def mixes(self) -> list[Mix]:
        """The mixes; without generated samples they are all one."""
        found = [Mix(self.n, m, generator if m else self.generators[0], verifier if m else NO_SUPERVISION)
                 for generator in self.generators for m in self.m for verifier in SUPERVISION]
        return list(dict.fromkeys(found))


@dataclass(frozen=True, eq=False, kw_only=True)
class MixResult(Compared):
    """A mix of a case, predicted and measured.

    Attributes
    ----------
    wrong
        Accuracy by wrong theories, by their names; only for the largest m.
    """

    case: MixCase
    mix: Mix
    wrong: Mapping[str, float]

    @property
    def group(self) -> str:
        """The name of its data in legends."""
        return self.case.group

    def record(self) -> dict[str, object]:
        """The setting and where its residual comes from."""
        return {
            "data": self.case.name, "generator": self.mix.generator.kind, "n_hat": self.mix.generator.n_hat, "n": self.mix.n,
            "m": self.mix.m, "supervision": SUPERVISION[self.mix.verifier] if self.mix.m else "no synthetic data",
            **self.comparison(),
        }  # fmt: skip


def predict_and_measure(
    cases: Sequence[MixCase], seeds: Sequence[tuple[int, int]], folder: Folder = None, jobs: int = 1, progress: bool = False
) -> list[MixResult]:
    """Predict and measure every mix of every case, one result each.

    Every trial has a seed of its own, from its case and mix: the number of workers changes nothing. Threads are the workers, with one
    thread each for linear algebra: they share the data, and work outside the interpreter's lock.

    Parameters
    ----------
    seeds
        Of the splits and of the trials of every case.
    folder
        With data, as for `data.locate`.
    """
    tasks = []
    for case, (dividing, trying) in zip(cases, seeds, strict=True):
        splits, mixes = case.data.splits(dividing, case.trials, folder), case.mixes()
        children = np.random.SeedSequence(trying).spawn(len(mixes))
        tasks += [(case, mix, splits, child) for mix, child in zip(mixes, children, strict=True)]
    results: list[MixResult] = []
    with workers(jobs, _result, threads=True) as work, bar("settings", progress) as show:
        for (case, *_), one in zip(tasks, work(tasks), strict=True):
            results.append(replace(one, case=case))  # a cluster's worker returns a copy of it
            show(len(results), len(tasks))
    return results


def _result(case: MixCase, mix: Mix, splits: Sequence[Split], seed: np.random.SeedSequence) -> MixResult:
    seen = splits[: case.splits]

    def predicted(of: Mix, change: Callable[[Law], Law] = _same) -> float:
        return float(np.mean([predict_on_samples(of.mixture(tuple(map(change, split.laws))), split.samples).accuracy for split in seen]))

    measured = tuple(trial(splits[i % len(splits)], mix, np.random.default_rng(child)) for i, child in enumerate(seed.spawn(case.trials)))
    gaussian = float(np.mean([predict_classes(mix.mixture(split.laws)).accuracy for split in seen]))
    wrong = {}
    if mix.m and mix.m == max(case.m):
        wrong["isotropic covariances"] = predicted(mix, _isotropic)
        if mix.generator.n_hat is None or mix.generator.n_hat <= mix.n:
            wrong["an exact generator"] = predicted(replace(mix, generator=Generator()))
    return MixResult(case=case, mix=mix, predicted=predicted(mix), predicted_gaussian=gaussian, measured=measured, wrong=wrong,
                     tested=len(splits[0].y_test) if len(splits) == 1 else 0)


def _same(law: Law) -> Law:
    return law


def _isotropic(law: Law) -> Law:
    return replace(law, covariance=float(np.trace(law.covariance) / len(law.mean)))
