"""The theory of class mixtures against their direct simulation, and against the binary theory where the two meet.

Rule: every number agrees if |theory - mean| <= z SE + budget, z for a familywise error of 1e-4 over the numbers of one case
(Bonferroni), the budget BUDGET / p of the case's largest number of the kind: what the limit may miss in finite dimension.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm
from shared import mean, wishart

from synthmix.estimators.ridge import LinearClassifier, ridge
from synthmix.sims.labels import label_and_prune
from synthmix.sims.trial import Factor, whole
from synthmix.solvers.many_classes import ClassMixture, Scores, next_label_noise, predict_classes, predict_on_samples
from synthmix.solvers.predict import predict_tests
from synthmix.solvers.problem import Fit, Generator, Law, Problem, Ridge, Source, Verifier
from synthmix.support.errors import BadInput

P, TRIALS, FAMILYWISE, BUDGET, ACCURACY_BUDGET = 60, 240, 1e-4, 1.0, 0.1
VERIFIER = Verifier(0.4, 0.8)
GENERATORS = {"exact": Generator(), "independent": Generator("independent", n_hat=90), "self-fitted": Generator("self-fitted")}
CASES = [(kind, L, intercept) for kind, L in (("exact", 2), ("independent", 3), ("self-fitted", 3)) for intercept in (True, False)]
CASES += [("independent", 2, True), ("self-fitted", 4, True)]


@cache
def laws(classes: int) -> tuple[Law, ...]:
    """Means off the origin; covariances of different sizes that do not commute."""
    rng = np.random.default_rng(classes)
    center = mean(rng, P, 1.5)
    return tuple(Law(center + mean(rng, P, 1.7), (0.5 + 0.5 * k) * wishart(rng, P)) for k in range(classes))


def mixture(kind: str, classes: int, intercept: bool) -> ClassMixture:
    n, m = (100, 60, 80, 90)[:classes], (150, 200, 90, 120)[:classes]
    return ClassMixture(laws(classes), n, m, next_label_noise(classes, 0.3), VERIFIER, GENERATORS[kind], ridge=Ridge(0.05), omega=0.7,
                        intercept=intercept)


def numbers(scores: tuple[Scores, ...], accuracy: np.ndarray) -> dict[str, np.ndarray]:
    """Score means, score covariances and accuracies, class by class."""
    upper = np.triu_indices(len(scores))
    return {
        "means": np.concatenate([one.mean for one in scores]),
        "covariances": np.concatenate([one.covariance[upper] for one in scores]),
        "accuracy": accuracy,
    }


@dataclass(frozen=True, eq=False)
class LabelledSamples:
    """Training samples with labels and weights.

    Attributes
    ----------
    X : array (k, p)
    labels : array (k,)
        From 0 to L - 1.
    weights : array (k,)
    """

    X: np.ndarray
    labels: np.ndarray
    weights: np.ndarray

    @classmethod
    def joined(cls, parts: list[LabelledSamples]) -> LabelledSamples:
        """Return all the parts, one after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "labels", "weights")))


def training_samples(mixture: ClassMixture, rng: np.random.Generator) -> LabelledSamples:
    """Draw the real samples of every class, fit the generators, and draw, label and prune synthetic samples."""
    parts = []
    for k, law in enumerate(mixture.laws):
        n, m = whole("n of a class", mixture.n[k]), whole("m of a class", mixture.m[k])
        real = _draw(rng, law, n)
        parts.append(LabelledSamples(real, np.full(n, k), np.ones(n)))
        generated = _generated(rng, mixture, k, real, m)
        labels, keep = label_and_prune(rng, np.full(m, k), np.asarray(mixture.noise, dtype=float), mixture.verifier)
        parts.append(LabelledSamples(generated[keep], labels[keep], np.full(int(keep.sum()), mixture.omega)))
    return LabelledSamples.joined(parts)


def _draw(rng: np.random.Generator, law: Law, count: int) -> np.ndarray:
    factor = Factor.of(law.covariance, len(law.mean))
    return law.mean + factor.times(rng.standard_normal((factor.dims, count))).T


def _generated(rng: np.random.Generator, mixture: ClassMixture, k: int, real: np.ndarray, m: int) -> np.ndarray:
    """m samples of the generator of class k; `real` (n, p) are the class's real samples."""
    law = mixture.laws[k] if mixture.generated is None else mixture.generated[k]
    if mixture.generator.kind == "exact":
        return _draw(rng, law, m)
    self_fitted = mixture.generator.kind == "self-fitted"
    seen = real if self_fitted else _draw(rng, law, whole("n-hat", mixture.generator.n_hat))
    mean = seen.mean(axis=0)
    return mean + rng.standard_normal((m, len(seen))) @ (seen - mean) / np.sqrt(len(seen))


def train(case: ClassMixture, rng: np.random.Generator) -> LinearClassifier:
    """The classifier of one draw of the training samples."""
    drawn = training_samples(case, rng)
    return ridge(drawn.X, drawn.labels, len(case.laws), case.ridge.gamma * case.N, drawn.weights, intercept=case.intercept)


def on(law: Law, classifier: LinearClassifier) -> Scores:
    """The law of the scores of a fresh Gaussian sample, which is known without drawing one."""
    return Scores(classifier.scores(law.mean), classifier.weights.T @ law.covariance @ classifier.weights)


def predicted(case: ClassMixture) -> dict[str, np.ndarray]:
    prediction = predict_classes(case)
    return numbers(prediction.scores, prediction.by_class)


@cache
def simulated(kind: str, classes: int, intercept: bool) -> dict[str, np.ndarray]:
    """The numbers of every trial, (TRIALS, ...). The accuracy of a trial is that of 2000 draws of its scores: an orthant probability
    for every trial takes long, and their mean needs none of its digits."""
    case, rng = mixture(kind, classes, intercept), np.random.default_rng(7)
    trials = []
    for _ in range(TRIALS):
        classifier = train(case, rng)
        scores = tuple(on(law, classifier) for law in case.laws)
        drawn = [one.mean + Factor.of(one.covariance, classes).times(rng.standard_normal((classes, 2000))).T for one in scores]
        trials.append(numbers(scores, np.array([np.mean(one.argmax(axis=1) == k) for k, one in enumerate(drawn)])))
    return {name: np.array([one[name] for one in trials]) for name in trials[0]}


def misses(theory: dict[str, np.ndarray], draws: dict[str, np.ndarray]) -> list[str]:
    """Which numbers break the rule."""
    z = norm.isf(FAMILYWISE / 2 / sum(one.size for one in theory.values()))
    found = []
    for name, values in theory.items():
        measured, se = draws[name].mean(axis=0), draws[name].std(axis=0, ddof=1) / np.sqrt(TRIALS)
        budget = (ACCURACY_BUDGET if name == "accuracy" else BUDGET * np.abs(values).max()) / P
        found += [f"{name} {i}: {values[i]:.5f}, measured {measured[i]:.5f} +- {se[i]:.5f}"
                  for i in np.flatnonzero(np.abs(values - measured) > z * se + budget)]
    return found


@pytest.mark.parametrize(("kind", "classes", "intercept"), CASES)
def test_theory_is_what_is_simulated(kind, classes, intercept):
    theory = predicted(mixture(kind, classes, intercept))
    draws = simulated(kind, classes, intercept)
    assert misses(theory, draws) == []
    assert max(draws["accuracy"].std(axis=0, ddof=1)) / np.sqrt(TRIALS) < 0.003  # or agreement would mean little


@pytest.mark.parametrize(("kind", "classes"), [("exact", 2), ("independent", 3), ("self-fitted", 4)])
def test_a_wrong_theory_is_rejected(kind, classes):
    case, draws = mixture(kind, classes, True), simulated(kind, classes, True)
    average = np.mean([law.covariance for law in case.laws], axis=0)
    pooled = replace(case, laws=tuple(replace(law, covariance=average) for law in case.laws))
    noiseless = replace(case, noise=np.eye(classes))
    wrong = [pooled, noiseless]
    if kind != "exact":
        wrong.append(replace(case, generator=Generator()))
    for one in wrong:
        assert len(misses(predicted(one), draws)) > 3


@pytest.mark.parametrize("kind", GENERATORS)
def test_two_classes_are_the_binary_problem(kind):
    """One-hot labels are (1 +- y) / 2: without an intercept and with means +-mu the difference of the scores is w^T x, with labels
    +-1. Class 1 is folded onto class 0: x -> -x."""
    rng = np.random.default_rng(0)
    mu, C = mean(rng, P), wishart(rng, P)
    epsilon, gamma, n, m = 0.3, 0.2, 120, 200
    generator = Generator(kind, n_hat=45 if kind == "independent" else None)
    case = ClassMixture((Law(mu, C), Law(-mu, C)), (n / 2,) * 2, (m / 2,) * 2, next_label_noise(2, epsilon), VERIFIER, generator,
                        ridge=Ridge(gamma), intercept=False)
    prediction = predict_classes(case)
    contrast = np.array([1.0, -1.0])

    # the classes are fitted one by one, so there are two generated sources, each with a fit of its own
    fit = {"exact": None, "independent": Fit(45, mean=True), "self-fitted": Fit(n / 2, weight=1.0, mean=True)}[kind]
    law, count, wrong = Law(mu, C), VERIFIER.alpha(epsilon) * m / 2, VERIFIER.wrong(epsilon)
    sources = [Source(f"s{k}", count, law, wrong, fit=fit) for k in range(2)]
    if kind != "self-fitted":
        sources.append(Source("r", n, law))
    binary = predict_tests(Problem(tuple(sources), Ridge(gamma), n + m, P, law), [law])[0]

    for k, sign in enumerate((1.0, -1.0)):
        scores = prediction.scores[k]
        assert sign * contrast @ scores.mean == pytest.approx(binary.mean_margin, rel=1e-9)
        assert contrast @ scores.covariance @ contrast == pytest.approx(binary.variance, rel=1e-8)
        assert prediction.by_class[k] == pytest.approx(binary.accuracy, abs=1e-9)


@pytest.mark.parametrize("classes", [2, 3, 5, 10])
def test_the_largest_score_by_plain_draws(classes):
    rng = np.random.default_rng(classes)
    scores = Scores(0.7 * rng.standard_normal(classes), wishart(rng, classes))
    draws = rng.multivariate_normal(scores.mean, scores.covariance, size=200_000).argmax(axis=1)
    probabilities = [scores.probability_of_largest(k) for k in range(classes)]
    assert sum(probabilities) == pytest.approx(1, abs=1e-3)
    for k, probability in enumerate(probabilities):
        assert abs(np.mean(draws == k) - probability) < 5 * np.sqrt(probability * (1 - probability) / len(draws)) + 1e-4


def test_scores_that_are_bound_to_each_other():
    """With one-hot labels and an intercept the scores sum to 1: their covariance is singular."""
    scores = predict_classes(mixture("exact", 3, True)).scores[0]
    assert scores.mean.sum() == pytest.approx(1, abs=1e-13)
    assert np.abs(scores.covariance.sum(axis=0)).max() < 1e-13 * np.trace(scores.covariance)


def test_classes_of_which_nothing_is_kept():
    nothing = replace(mixture("exact", 3, True), n=(0, 0, 0), verifier=Verifier(0.0, 0.0))
    prediction = predict_classes(nothing)
    assert not prediction.scores[0].mean.any() and not prediction.scores[0].covariance.any()
    np.testing.assert_allclose(prediction.by_class, 1 / 3)


def test_scores_that_do_not_vary():
    """Against the same scores that hardly vary."""
    for means in ((0.3, 0.1, 0.2), (0.1, 0.3, 0.2), (0.2, 0.2, 0.1), (0.2, 0.2, 0.2)):
        values = [Scores(np.array(means), np.diag([1.0, 1.0, 1.0]) * s + np.ones((3, 3))).probability_of_largest(0) for s in (0.0, 1e-20)]
        assert values[0] == pytest.approx(values[1], abs=1e-4)
    mixed = [Scores(np.array([0.2, 0.1, 0.0]), np.diag([0.0, s, 1.0])).probability_of_largest(0) for s in (0.0, 1e-20)]
    assert mixed[0] == pytest.approx(mixed[1], abs=1e-6)


def test_other_laws_to_be_tested_on():
    case = mixture("exact", 3, True)
    moved = tuple(replace(law, covariance=2 * law.covariance) for law in case.laws)
    own, other = predict_classes(case), predict_classes(case, moved)
    for a, b in zip(own.scores, other.scores, strict=True):
        np.testing.assert_allclose(b.mean, a.mean, rtol=1e-9)
        np.testing.assert_allclose(np.diag(b.covariance), 2 * np.diag(a.covariance), rtol=1e-6)
    assert other.accuracy < own.accuracy


TWO = (Law(np.ones(3)), Law(-np.ones(3)))
GOOD = {"laws": TWO, "n": (5, 5), "m": (5, 5), "noise": np.eye(2)}


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"laws": TWO[:1]}, "two classes"),
        ({"laws": (TWO[0], Law(np.ones(4)))}, "length"),
        ({"laws": (Law(np.array(1.0)), Law(np.array(2.0)))}, "vectors"),
        ({"n": (5,)}, "entries"),
        ({"n": (5, -1)}, "n of a class"),
        ({"m": (5, np.nan)}, "m of a class"),
        ({"n": (0, 0), "m": (0, 0)}, "nothing to train on"),
        ({"generated": TWO[:1]}, "entries"),
        ({"noise": np.eye(3)}, "noise"),
        ({"noise": np.array([[1.2, -0.2], [0, 1]])}, "noise"),
        ({"noise": np.array([[0.5, 0.4], [0, 1]])}, "sum to 1"),
        ({"omega": 0}, "omega"),
        ({"n": (5, 0), "generator": Generator("self-fitted")}, "every class"),
    ],
)
def test_what_is_no_mixture_is_refused_in_one_line(changes, about):
    with pytest.raises(BadInput, match=about) as refused:
        ClassMixture(**{**GOOD, **changes})
    assert "\n" not in str(refused.value)


def test_a_simulation_counts_samples():
    with pytest.raises(BadInput, match="whole number"):
        train(ClassMixture(**{**GOOD, "n": (5.5, 5)}), np.random.default_rng(0))


def test_gaussian_samples_give_the_gaussian_accuracy():
    case = mixture("independent", 3, True)
    rng = np.random.default_rng(0)
    samples = [law.mean + rng.standard_normal((3000, P)) @ np.linalg.cholesky(law.covariance).T for law in case.laws]
    on_samples, gaussian = predict_on_samples(case, samples), predict_classes(case)
    np.testing.assert_allclose(on_samples.by_class, gaussian.by_class, atol=4 * 0.5 / np.sqrt(3000))


def test_samples_that_are_not_gaussian():
    """Bimodal along the direction that tells the classes apart: Gaussian scores of the same moments are worth something else."""
    rng, p, apart = np.random.default_rng(1), 40, 1.2
    direction = np.zeros(p)
    direction[0] = apart

    def draw(sign: float, count: int) -> np.ndarray:
        X = rng.standard_normal((count, p))
        X[:, 0] = 0.2 * X[:, 0] + 1.5 * np.where(rng.random(count) < 0.9, 1.0, -9.0) / np.sqrt(9)
        return X + sign * direction

    pool = [draw(sign, 4000) for sign in (1.0, -1.0)]
    laws_ = tuple(Law(X.mean(axis=0), np.cov(X.T), mean_samples=len(X)) for X in pool)
    case = ClassMixture(laws_, (60, 60), (60, 60), next_label_noise(2, 0.2), Verifier(0.5, 0.9), Generator("self-fitted"), ridge=Ridge(0.1))
    accuracy = []
    for _ in range(60):
        real = [draw(sign, 60) for sign in (1.0, -1.0)]
        parts = []
        for k, X in enumerate(real):
            parts.append(LabelledSamples(X, np.full(60, k), np.ones(60)))
            fresh = X.mean(axis=0) + rng.standard_normal((60, 60)) @ (X - X.mean(axis=0)) / np.sqrt(60)
            labels, keep = label_and_prune(rng, np.full(60, k), case.noise, case.verifier)
            parts.append(LabelledSamples(fresh[keep], labels[keep], np.ones(int(keep.sum()))))
        drawn = LabelledSamples.joined(parts)
        classifier = ridge(drawn.X, drawn.labels, 2, 0.1 * case.N)
        accuracy.append(np.mean([np.mean(classifier.scores(X).argmax(axis=1) == k) for k, X in enumerate(pool)]))
    error = np.std(accuracy, ddof=1) / np.sqrt(len(accuracy))
    assert abs(predict_on_samples(case, pool).accuracy - np.mean(accuracy)) < 4 * error + 0.5 / p
    assert abs(predict_classes(case).accuracy - np.mean(accuracy)) > 4 * error + 0.5 / p
