"""Did the answer comply with the request? Real weak labels and real keep decisions on frozen features (figure 9, scale features).

XSTest has 450 prompts, each answered by five models. What people say of an answer is the truth, string matching is the weak labeller,
and the verifier keeps a weakly labelled answer where GPT-4 gives it the same label. Comply (+1) is full compliance; partial refusals
count as refusals (-1), as they do where XSTest's authors count exaggerated refusals: string matching knows two labels only, and it is
this count by which it is wrong about 12% of the time. The few answers that GPT-4 declined to label are not kept.

Answers of one prompt are alike. So a split is one of prompts, no prompt is trained and tested on, one random answer of each prompt is
trained on, which leaves the training samples independent, as the theory has them, all five answers of a test prompt are tested on, and
errors count prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..data.sets.xstest import COMPLIANCE, UNLABELLED
from ..data.text import Completions
from ..estimators.audits import Audit, audit
from ..estimators.resampling import Design, MeasuredClassifier, Resamples, resample, through
from ..estimators.ridge import Moments
from ..estimators.strata import Strata, strata
from ..solvers.problem import Ridge, Verifier
from ..support.errors import BadInput


@dataclass(frozen=True, eq=False)
class AnswerFeatures:
    """Answers as features, with true and weak labels.

    Attributes
    ----------
    X : array (k, p)
    y, weak : arrays (k,)
        True and weak labels, +-1.
    agreed : array (k,)
        Whether the verifier agrees with the weak label.
    prompt : array (k,)
        The number of each answer's prompt, from 0.
    """

    X: np.ndarray
    y: np.ndarray
    weak: np.ndarray
    agreed: np.ndarray
    prompt: np.ndarray

    @property
    def prompts(self) -> int:
        """The number of prompts."""
        return int(self.prompt.max()) + 1

    def take(self, rows: np.ndarray) -> AnswerFeatures:
        """Return some answers, by their rows."""
        return AnswerFeatures(self.X[rows], self.y[rows], self.weak[rows], self.agreed[rows], self.prompt[rows])

    def audit(self) -> Audit:
        """Return epsilon of the weak labels, and rho and phi of the verifier."""
        return audit(self.weak, self.y, self.agreed)


# which weakly labelled answers are kept, from true label, weak label, and whether the verifier agrees
Rule = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
SUPERVISION: Mapping[str, Rule] = {
    "oracle": lambda y, weak, agreed: weak == y,
    "GPT-4": lambda y, weak, agreed: agreed,
    "none": lambda y, weak, agreed: np.ones_like(agreed),
}  # fmt: skip


CURVE = 10  # points of a drawn curve: the theory takes a third of a second at each


@dataclass(frozen=True)
class ComplianceSettings(Design):
    """The settings of figure 9: numbers of prompts, n with a true label and m with a weak one; the rest as of `Design`."""

    n: int = 50
    m: tuple[int, ...] = (0, 25, 50, 100, 200, 300)


@dataclass(frozen=True, eq=False)
class SplitResult:
    """Measurements and predictions of one split; arrays (supervision, m).

    Attributes
    ----------
    accuracy
        Measured on the test prompts.
    influence : array (supervision, m, prompts)
        Of the weight of every prompt of the pool on the accuracy.
    dependent, independent
        The theories' accuracies from the statistics of the training prompts, with label noise and keep decisions as they depend on the
        answer, and as if they did not. None where only measurements were asked for.
    filled : dict
        Both by their names at the numbers m of `Design.filled`, on the first split only.
    """

    accuracy: np.ndarray
    influence: np.ndarray
    dependent: np.ndarray | None
    independent: np.ndarray | None
    filled: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Curves:
    """The results of all splits; arrays are (supervision, m), in the order of SUPERVISION.

    Attributes
    ----------
    design : ComplianceSettings
    splits : tuple of SplitResult
    """

    design: ComplianceSettings
    splits: tuple[SplitResult, ...]

    @property
    def measured(self) -> Resamples:
        """The accuracy on test prompts, with the error of the pool of prompts."""
        return Resamples(np.array([one.accuracy for one in self.splits]), np.array([one.influence for one in self.splits]))

    def predicted(self, name: str) -> Resamples:
        """The accuracy by a theory, `dependent` or `independent`; known on fewer splits.

        Parameters
        ----------
        name : str
            dependent or independent.
        """
        return Resamples(np.array([getattr(one, name) for one in self.splits if one.dependent is not None]))

    def drawn(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the proportions and the mean of a theory there as a curve with few corners, (l,) and (supervision, l).

        Parameters
        ----------
        name : str
            dependent or independent.
        """
        filled = self.design.filled(CURVE)
        curve = through(self.design.m, self.predicted(name).mean, filled, self.splits[0].filled[name])
        return replace(self.design, m=filled).proportion, curve


def labelled_answers(completions: Completions, features: np.ndarray) -> AnswerFeatures:
    """Return XSTest's completions as labelled answers with features (k, p)."""
    labels = {by: np.where(getattr(completions, by) == COMPLIANCE, 1.0, -1.0) for by in ("human", "gpt4", "strmatch")}
    agreed = (labels["gpt4"] == labels["strmatch"]) & (completions.gpt4 != UNLABELLED)
    prompt = np.unique(completions.prompts, return_inverse=True)[1]
    return AnswerFeatures(features.astype(float), labels["human"], labels["strmatch"], agreed, prompt)


def curves(
    answers: AnswerFeatures, resamples: int, predictions: int, seed: int = 0, jobs: int = 1,
    design: ComplianceSettings = ComplianceSettings(), progress: bool = False,
) -> Curves:  # fmt: skip
    """Measure on random splits of the prompts, and predict on the first of them.

    Parameters
    ----------
    answers : AnswerFeatures
    resamples, predictions : int
        How many splits are measured, and on how many of them the theory is asked.
    seed : int
    jobs : int
        Worker threads.
    design : ComplianceSettings
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    BadInput
        If there are too few prompts for n, the largest m and a test set.
    """
    left = answers.prompts - design.trained_on
    if left < design.least_test:
        raise BadInput(f"n = {design.n} and m = {design.m[-1]} leave {max(left, 0)} of {answers.prompts} prompts to test on, "
                       f"{design.least_test} are needed: lower the proportion of weakly labelled data")
    done = resample(lambda rng, r: measure_split(answers, rng, design, predict=r < predictions, fill=r == 0), resamples,
                    seed=seed, jobs=jobs, progress=progress)
    return Curves(design, tuple(done))


def measure_split(
    answers: AnswerFeatures, rng: np.random.Generator, e: ComplianceSettings, *, predict: bool = True, fill: bool = False
) -> SplitResult:
    """Measure one split of the prompts: n with true labels, the next m with weak ones, those beyond the largest m to test on.

    Features are standardised on the answers of the prompts that may be trained on, and the theory's statistics are those of these answers.

    Parameters
    ----------
    answers : AnswerFeatures
    rng : numpy.random.Generator
    e : ComplianceSettings
    predict, fill : bool
        Whether the theory is asked too, and between the numbers m as well.
    """
    order = rng.permutation(answers.prompts)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    seen = place[answers.prompt] < e.trained_on
    center, scale = answers.X[seen].mean(axis=0), answers.X[seen].std(axis=0)
    standard = replace(answers, X=(answers.X - center) / np.where(scale > 0, scale, 1.0))
    picked = _one_of_each(rng, answers.prompt)[order[: e.trained_on]]
    accuracy, influence = _measured(standard.take(picked), standard.take(np.flatnonzero(~seen)), e, answers.prompts)
    if not predict:
        return SplitResult(accuracy, influence, None, None)
    filled = e.filled(CURVE) if fill else e.m
    found = predictions(standard.take(np.flatnonzero(seen)), replace(e, m=filled))
    here = np.searchsorted(filled, e.m)
    return SplitResult(accuracy, influence, *(one[:, here] for one in found), dict(zip(("dependent", "independent"), found, strict=True)))


def _one_of_each(rng: np.random.Generator, groups: np.ndarray) -> np.ndarray:
    """A random row of every group, in the order of the groups."""
    shuffled = rng.permutation(groups.size)
    return shuffled[np.unique(groups[shuffled], return_index=True)[1]]


def _measured(training: AnswerFeatures, test: AnswerFeatures, e: ComplianceSettings, prompts: int) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy (supervision, m), and the influence on it of every prompt (supervision, m, prompts)."""
    X, real = training.X, np.arange(len(training.X)) < e.n
    labels = np.where(real, training.y, training.weak)
    codes = (labels > 0).astype(int)
    accuracy = np.empty((len(SUPERVISION), len(e.m)))
    influence = np.zeros((*accuracy.shape, prompts))
    for i, rule in enumerate(SUPERVISION.values()):
        keep = real | rule(training.y, training.weak, training.agreed)
        for k, m in enumerate(e.m):
            rows = np.flatnonzero(keep[: e.n + m])
            solved = Moments.of(X[rows], codes[rows], 2).centred().solved(e.gamma * (e.n + m))
            fitted = MeasuredClassifier.of(solved, X[rows], labels[rows], test.X, test.y)
            accuracy[i, k] = fitted.accuracy
            np.add.at(influence[i, k], training.prompt[rows], fitted.on_training)
            np.add.at(influence[i, k], test.prompt, fitted.on_test)
    return accuracy, influence


def predictions(seen: AnswerFeatures, e: ComplianceSettings) -> tuple[np.ndarray, np.ndarray]:
    """Return the theory's accuracy with labels and keep decisions as they depend on the answer, and as if they did not.

    The population is that of `estimators.strata.strata`: groups of one true label, one weak label and one keep decision.
    Independent labels and decisions, of the same epsilon, rho and phi, fall on all groups alike: that is the only difference.

    Parameters
    ----------
    seen : AnswerFeatures
        From which the population is estimated.
    e : ComplianceSettings

    Returns
    -------
    dependent, independent : arrays (supervision, m)
    """
    groups = _strata(seen)
    found = np.empty((2, len(SUPERVISION), len(e.m)))
    for i, rule in enumerate(SUPERVISION.values()):
        kept = replace(groups, keep=rule(groups.y, groups.labels, groups.keep))
        rates = audit(seen.weak, seen.y, rule(seen.y, seen.weak, seen.agreed))
        epsilon, verifier = rates.epsilon.share, Verifier(rates.rho.share, rates.phi.share)
        flipped = replace(groups, labels=-groups.y, keep=np.ones_like(groups.keep))
        for k, m in enumerate(e.m):
            true = groups.trusted("r", e.n)
            independent = (*groups.trusted("s", m * verifier.phi * (1 - epsilon)),
                           *flipped.selected("w", m * verifier.rho * epsilon))  # fmt: skip
            for j, weak in enumerate((kept.selected("s", m), independent)):
                found[j, i, k] = groups.predict((*true, *weak), Ridge(e.gamma), e.n + m).accuracy
    return found[0], found[1]


def _strata(seen: AnswerFeatures) -> Strata:
    """Groups whose means count as many samples as there are independent ones: answers of one prompt are alike."""
    groups = strata(seen.X, seen.y, seen.weak, seen.agreed, intercept=True, equal_lengths=True)
    laws = []
    for law, y, weak, agreed in zip(groups.laws, groups.y, groups.labels, groups.keep, strict=True):
        own = seen.take(np.flatnonzero((seen.y == y) & (seen.weak == weak) & (seen.agreed == agreed)))
        laws.append(replace(law, mean_samples=independent_samples(own.X, own.prompt)))
    return replace(groups, laws=tuple(laws))


def independent_samples(X: np.ndarray, groups: np.ndarray) -> float:
    """Return the number of independent samples whose mean would be as precise as that of X, where samples of a group are alike.

    The variance of the mean, summed over the features, is that of sums over groups; k where every group is one sample.

    Parameters
    ----------
    X : array (k, p)
    groups : array (k,)
        The group of each sample.
    """
    residuals = X - X.mean(axis=0)
    sums = np.zeros((int(groups.max()) + 1, X.shape[1]))
    np.add.at(sums, groups, residuals)
    between = np.sum(sums**2)
    return float(len(X) * np.sum(residuals**2) / between) if between > 0 else float(len(X))
