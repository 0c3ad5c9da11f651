"""Ridge classifiers on real samples and on those of generators that are not Gaussian: predicted from moments, and measured.

The pool of a split is divided once more. On one part the generator is fitted, and a classifier that scores its samples for the verifier.
From the other part come the real samples and their laws. Given its part, a generator is a law of its own, not a Gaussian one; the theory
knows no more of it than the mean and the covariance of what is kept with each label, measured on many samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..data.tasks import Folder
from ..estimators.class_gaussian import ClassGaussian
from ..estimators.class_generators import ClassCopulas, ClassInterpolation, ClassMixtures, ClassSampler
from ..estimators.ridge import LinearClassifier, ridge
from ..estimators.statistics import class_laws
from ..sims.labels import label_and_prune
from ..solvers.many_classes import ClassMixture, next_label_noise, predict_classes, predict_on_samples
from ..solvers.problem import NO_SUPERVISION, Law, Ridge
from ..support.errors import BadInput
from ..support.progress import bar
from ..support.threads import one_thread
from ..support.workers import workers
from .compared import Compared, MeasuredAccuracy, measured_accuracy
from .deep_generators import DeepTraining, trained
from .real_data import RealData, Split

FITTED: dict[str, Callable[..., ClassSampler]] = {
    "Gaussian": lambda X, y, seed: ClassGaussian.fit(X, y),
    "mixture": ClassMixtures.fit,
    "copula": ClassCopulas.fit,
    "interpolation": ClassInterpolation.fit,
}  # fmt: skip
NETWORKS = {"autoencoder": "autoencoder", "adversarial network": "adversarial"}
COUNTED = 20_000  # samples of a generator, of all classes, from which moments are measured


@dataclass(frozen=True)
class GeneratorCase:
    """A data set, its generators and its mixes: every m with every verifier.

    Attributes
    ----------
    data : RealData
    kinds : tuple of str
        Of generators: Gaussian, mixture, copula, interpolation, autoencoder, adversarial network.
    n_hat, n : int
        Samples of each class: real ones behind a generator, and other real ones.
    m : tuple of int
        Numbers of synthetic samples of each class before pruning.
    thresholds : tuple of float or None
        A synthetic sample is kept if the verifier's score of its label is more than this above all others; None keeps everything.
    trials, splits : int
        Of each mix in all, and of the data, each with generators of its own.
    tested : int or None
        Samples of each class that are set apart from the pool for the test; None: the split's own test set.
    epsilon, gamma : float
        Share of wrong labels before pruning (the next class's), and the ridge gamma.
    training : DeepTraining
        Of the networks.
    """

    data: RealData
    kinds: tuple[str, ...]
    n_hat: int
    n: int
    m: tuple[int, ...]
    thresholds: tuple[float | None, ...]
    trials: int
    splits: int = 1
    tested: int | None = None
    epsilon: float = 0.3
    gamma: float = 0.1
    training: DeepTraining = DeepTraining()


@dataclass(frozen=True)
class Kept:
    """What is known of the synthetic samples that are kept, by given label.

    Attributes
    ----------
    laws : L laws
        Mean and covariance of the kept samples of a label.
    shares : array (L,)
        Of the samples before pruning, of all labels, that are kept with this label.
    within : array (L, L)
        Which share of a label's samples (row) has each true class (column).
    between : L arrays (p, p)
        The part of a label's covariance that comes from the means of the true classes among its samples.
    """

    laws: tuple[Law, ...]
    shares: np.ndarray
    within: np.ndarray
    between: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, X: np.ndarray, labels: np.ndarray, classes: np.ndarray, drawn: int) -> Kept:
        """Return what kept samples (k, p) with their labels and true classes say, of `drawn` samples before pruning."""
        L = int(classes.max()) + 1
        within = np.array([[np.mean(classes[labels == label] == k) for k in range(L)] for label in range(L)])
        between = []
        for label in range(L):
            own, of = X[labels == label], classes[labels == label]
            there = [k for k in range(L) if within[label, k]]
            means = np.array([own[of == k].mean(axis=0) for k in there]) - own.mean(axis=0)
            between.append((means.T * within[label, there]) @ means)
        return cls(class_laws(X, labels), np.bincount(labels, minlength=L) / drawn, within, tuple(between))

    def with_covariances(self, real: Sequence[Law]) -> Kept:
        """Return the same with the covariance of the real samples of each class in the place of that of its synthetic ones."""
        found = []
        for law, shares, between in zip(self.laws, self.within, self.between, strict=True):
            own = sum(share * np.asarray(one.covariance) for share, one in zip(shares, real, strict=True) if share)
            found.append(replace(law, covariance=between + own))
        return replace(self, laws=tuple(found))


@dataclass(frozen=True, eq=False)
class FittedGenerator:
    """A generator on one split of the data, with the classifier that scores its samples.

    Attributes
    ----------
    split : Split
        Pool and test set, neither of which the generator has seen.
    sampler : ClassSampler
    judge : LinearClassifier
        Trained on what the generator was fitted on, rightly labelled.
    epsilon : float
        Of the labeller.
    """

    split: Split
    sampler: ClassSampler
    judge: LinearClassifier
    epsilon: float

    def kept(self, rng: np.random.Generator, m: int, threshold: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw m samples of each class; return those that are kept, their given labels and their true classes."""
        X, classes = self.sampler.sample(rng, m)
        labels, _ = label_and_prune(rng, classes, next_label_noise(self.split.classes, self.epsilon), NO_SUPERVISION)
        if threshold is None:
            return X, labels, classes
        scores = self.judge.scores(X)
        given = np.take_along_axis(scores, labels[:, None], axis=1)[:, 0]
        np.put_along_axis(scores, labels[:, None], -np.inf, axis=1)
        keep = given - scores.max(axis=1) > threshold
        return X[keep], labels[keep], classes[keep]

    def moments(self, seed: int, threshold: float | None) -> Kept:
        """Return the moments of what is kept, measured on many samples."""
        L = self.split.classes
        found = self.kept(np.random.default_rng(seed), COUNTED // L, threshold)
        return Kept.of(*found, COUNTED // L * L)


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneratorResult(Compared):
    """A mix of a case with one generator, predicted and measured.

    Attributes
    ----------
    case : GeneratorCase
    kind : str
        Of the generator.
    m : int
    threshold : float or None
    share : float
        Of the synthetic samples that is kept.
    wrong : mapping
        Accuracy by wrong theories, by their names; only for the largest m.
    """

    case: GeneratorCase
    kind: str
    m: int
    threshold: float | None
    share: float = 1.0
    wrong: Mapping[str, float] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The kind of its generator."""
        return self.kind if self.m else "no synthetic data"

    def record(self) -> dict[str, object]:
        """The setting, what is kept, and where its residual comes from."""
        verifier = "none" if self.threshold is None else f"margin above {self.threshold:g}"
        return {"data": self.case.data.name, "generator": self.group, "n": self.case.n, "m": self.m, "verifier": verifier,
                "share kept": self.share, **self.comparison()}  # fmt: skip


def fitted(case: GeneratorCase, kind: str, split: Split, seed: int, folder: Path | None = None) -> FittedGenerator:
    """Divide a split's pool, fit a generator on one part, and return it.

    Parameters
    ----------
    case, kind
    split : Split
    seed : int
        Of the division, which is that of every kind, and of the fit.
    folder : path, optional
        Where trained networks are kept.

    Raises
    ------
    BadInput
        For a kind that there is not, or a pool that is too small.
    """
    if kind not in FITTED and kind not in NETWORKS:
        raise BadInput(f"there is no generator {kind!r}; there are {', '.join((*FITTED, *NETWORKS))}")
    least = int(np.bincount(split.y).min())
    others = least - case.n_hat - (case.tested or 0)
    counts = [case.n_hat, others] if case.tested is None else [case.n_hat, others, case.tested]
    (X, y), pool, *test = split.draw(np.random.default_rng(seed), counts)
    rest = Split(*pool, *(test[0] if test else (split.X_test, split.y_test)), split.elliptical)
    sampler = trained(NETWORKS[kind], X, y, case.training, seed, folder) if kind in NETWORKS else FITTED[kind](X, y, seed)
    return FittedGenerator(rest, sampler, ridge(X, y, split.classes, case.gamma * len(X)), case.epsilon)


def mixture(case: GeneratorCase, real: Sequence[Law], m: int, kept: Kept) -> ClassMixture:
    """Return the mix as the theory has it: a generator that knows the laws of what is kept with each label, all of which it believes.

    The theory counts kept samples only; its ridge is that of all samples before pruning.
    """
    L = len(real)
    counts = tuple(kept.shares * m * L)
    N, trained_on = L * (case.n + m), L * case.n + sum(counts)
    return ClassMixture(tuple(real), (case.n,) * L, counts, np.eye(L), generated=kept.laws, ridge=Ridge(case.gamma * N / trained_on))


def trial(case: GeneratorCase, on: FittedGenerator, m: int, threshold: float | None, rng: np.random.Generator) -> MeasuredAccuracy:
    """Train on one random draw and score on the test set."""
    ((X, y),) = on.split.draw(rng, [case.n])
    if m:
        fresh, labels, _ = on.kept(rng, m, threshold)
        X, y = np.concatenate([X, fresh]), np.concatenate([y, labels])
    classifier = ridge(X, y, on.split.classes, case.gamma * on.split.classes * (case.n + m))
    return measured_accuracy(classifier.scores(on.split.X_test), on.split.y_test)


def predict_and_measure(
    cases: Sequence[GeneratorCase], seeds: Sequence[tuple[int, int]], folder: Folder = None, networks: Path | None = None,
    jobs: int = 1, progress: bool = False,
) -> list[GeneratorResult]:  # fmt: skip
    """Predict and measure every mix of every case with every generator, one result each; without synthetic data they are all one.

    Networks are trained first, one after the other; the mixes then go to threads, each with seeds of its own.

    Parameters
    ----------
    cases
    seeds
        Of the splits and of the trials of every case.
    folder
        With data, as for `data.locate`.
    networks
        Folder in which trained networks are kept.
    """
    tasks = []
    with one_thread():
        for case, (dividing, trying) in zip(cases, seeds, strict=True):
            splits = case.data.splits(dividing, case.splits, folder)
            children = iter(np.random.SeedSequence(trying).spawn(1 + len(case.kinds) * len(case.thresholds)))
            for kind in case.kinds:
                on = [fitted(case, kind, split, dividing + i, networks) for i, split in enumerate(splits)]
                if 0 in case.m and kind == case.kinds[0]:
                    tasks.append((case, kind, None, (0,), on, next(children)))
                sizes = tuple(m for m in case.m if m)
                tasks += [(case, kind, threshold, sizes, on, next(children)) for threshold in case.thresholds]
    results: list[GeneratorResult] = []
    with workers(jobs, _results, threads=True) as work, bar("settings", progress) as show:
        for i, ((case, *_), some) in enumerate(zip(tasks, work(tasks), strict=True)):
            results += [replace(one, case=case) for one in some]  # a cluster's worker returns a copy of it
            show(i + 1, len(tasks))
    return results


def _results(
    case: GeneratorCase, kind: str, threshold: float | None, sizes: Sequence[int], on: Sequence[FittedGenerator],
    seed: np.random.SeedSequence,
) -> list[GeneratorResult]:  # fmt: skip
    """All sizes with one generator and verifier; the moments of what is kept are measured once."""
    counting, *children = seed.spawn(1 + len(sizes))
    counted = int(counting.generate_state(1)[0])
    kept = [one.moments(counted, threshold) for one in on]
    results = []
    for m, child in zip(sizes, children, strict=True):
        def predicted(moments: Sequence[Kept], m: int = m) -> float:
            return float(np.mean([predict_on_samples(mixture(case, one.split.laws, m, known), one.split.samples).accuracy
                                  for one, known in zip(on, moments, strict=True)]))

        wrong = {}
        if m and m == max(sizes):
            wrong["the covariance of real samples"] = predicted(
                [known.with_covariances(one.split.laws) for known, one in zip(kept, on, strict=True)])
            if threshold is not None:
                wrong["moments of what is not pruned"] = predicted(
                    [replace(known, laws=one.moments(counted, None).laws) for known, one in zip(kept, on, strict=True)])
        gaussian = [predict_classes(mixture(case, one.split.laws, m, known)).accuracy for one, known in zip(on, kept, strict=True)]
        measured = tuple(trial(case, on[i % len(on)], m, threshold, np.random.default_rng(one))
                         for i, one in enumerate(child.spawn(case.trials)))
        results.append(GeneratorResult(
            case=case, kind=kind, m=m, threshold=threshold, share=float(np.mean([known.shares.sum() for known in kept])) if m else 0.0,
            predicted=predicted(kept), predicted_gaussian=float(np.mean(gaussian)), measured=measured, wrong=wrong,
            tested=len(on[0].split.y_test) if len(on) == 1 else 0))
    return results
