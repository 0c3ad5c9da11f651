"""Somebody's real samples and what they plan or have: the theory of every mix, its calibration on leave-one-out, and both together.

Real features are not Gaussian and a population estimated from few samples looks easier than it is; both change what the theory says
with and without synthetic data alike, so a prediction is read relative to the theory's own baseline (`calibrated`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from synthmix.advice.generated_file import GeneratedFile, Samples, thresholds
from synthmix.advice.plan import Plan, Population
from synthmix.advice.result import Baseline
from synthmix.estimators.candidates import ALPHAS, FEW_ALPHAS, Candidates, mean_scatter
from synthmix.estimators.leave_one_out import LeaveOneOut, RidgeMix, sharpened
from synthmix.estimators.self_fitted import kept_labels, self_fitted_leave_one_out
from synthmix.solvers.best_mix import Family, Optimum, best_mix, settled
from synthmix.solvers.problem import Generator, Verifier
from synthmix.support.errors import BadInput, NotConverged

GROUPS = 8  # of real samples, one of which is left out at a time: the jackknife
GAIN_SPREAD = 0.15  # over sqrt(n): how far gains come out from their prediction, beyond its other errors (docs/advise.md)
LEVEL = 0.0005  # what accuracy may be given away for a weight and a ridge that are not extreme
RIDGE_FACTORS = np.geomspace(1e-2, 1e4, 13)  # of the theory's ridge, that are tried


@dataclass(frozen=True, eq=False)
class Evidence:
    """The real samples, what is planned or given, and the theory of both."""

    X: np.ndarray
    codes: np.ndarray
    classes: np.ndarray
    plan: Plan
    synthetic: Samples | None
    file: GeneratedFile | None
    population: Population
    left_out: tuple[Population, ...]
    n: int
    families: dict[tuple[Population, str], Family] = field(default_factory=dict)  # those found so far

    @classmethod
    def of(cls, real: Samples, plan: Plan, synthetic: Samples | None, seed: int = 0) -> Evidence:
        """From samples as `advice.advise.advise` takes them.

        Raises:
            BadInput: for samples that cannot be used, in one line.
        """
        X, classes, codes = _checked(real)
        n, file = getattr(real, "total", 0) or len(X), None
        if synthetic is not None:
            if synthetic.X.ndim != 2 or synthetic.X.shape[1] != X.shape[1]:
                raise BadInput(f"the synthetic samples have {synthetic.X.shape[-1]} features, the real ones {X.shape[1]}")
            file = GeneratedFile.of(synthetic, X, codes, classes, _best_verdicts(X, classes[codes], synthetic))
        found, debiased = _solved(cls(X, codes, classes, plan, synthetic, file, None, (), n))
        left_out = []
        for group in _groups(codes, np.random.default_rng(seed)):
            rest = np.setdiff1d(np.arange(len(X)), group)
            if np.bincount(codes[rest], minlength=len(classes)).min() >= 2:
                one = Population.of(X[rest], codes[rest], len(classes), debiased=debiased, elliptical=found.population.elliptical)
                left_out.append(replace(one, counts=found.population.counts))  # the mix stays one of all samples
        return replace(found, left_out=tuple(left_out))

    @property
    def self_fitted(self) -> bool:
        """Whether the generator was fitted on the real samples, as it was said or as the file shows."""
        return self.plan.generator.kind == "self-fitted" or (self.file is not None and self.file.self_fitted)

    def family(self, population: Population, which: str = "value") -> Family:
        """The mixes of the plan, or of samples like those of the file."""
        if (population, which) not in self.families:
            self.families[population, which] = self._family(population, which)
        return self.families[population, which]

    def _family(self, population: Population, which: str) -> Family:
        if self.file is not None and not self.self_fitted:
            file = self.file
            return population.family_of(file.laws_in(population), file.label_shares, file.kept, file.n_hat, n=self.n)
        generator = Generator("self-fitted") if self.self_fitted else self.plan.generator
        epsilon, verifier = self.plan_noise(which)
        return population.family(generator, epsilon, verifier, n=self.n)

    def plan_noise(self, which: str = "value") -> tuple[float, Verifier]:
        """epsilon and the verifier, from the audit of the file where there is one."""
        return self.noisy_plan.noise(which)

    @property
    def noisy_plan(self) -> Plan:
        """The plan with what the audit found."""
        found = None if self.file is None else self.file.found
        if found is None:
            return self.plan
        return replace(self.plan, epsilon=found.epsilon, rho=found.rho, phi=found.phi)

    def gains(self, mixes: Sequence[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Predicted gains of mixes (m, omega, gamma), their standard errors, and the gains at the worst and the best verifier."""
        L = len(self.classes)

        def accuracies(population: Population, which: str) -> tuple[np.ndarray, float]:
            family = self.family(population, which)
            without = self.leaning(family, 0.0, 1.0, self.baseline.gamma)
            return np.array([self.leaning(family, *mix) for mix in mixes]), without

        base = self.baseline.accuracy

        def gain(population: Population, which: str = "value") -> tuple[np.ndarray, np.ndarray]:
            """Gains, and how much they depend on the reading and on the baseline."""
            found, without = accuracies(population, which)
            value, doubt = calibrated(found, without, base, L)
            ends = [calibrated(found, without, min(max(end, 1 / L), 1.0), L)[0] - end
                    for end in (base - self.baseline.se, min(base + self.baseline.se, 1.0))]
            return value - base, np.hypot(doubt, (ends[1] - ends[0]) / 2)

        value, doubt = gain(self.population)
        left = []
        for one in self.left_out:
            with suppress(NotConverged):
                left.append(gain(one)[0])
        left, G = np.array(left), len(left)
        noise = (G - 1) / G * ((left - left.mean(axis=0)) ** 2).sum(axis=0) if G > 1 else np.zeros(len(mixes))
        apart = np.array([m > 0 for m, _, _ in mixes]) * GAIN_SPREAD / np.sqrt(self.n)
        se = np.sqrt(noise + doubt**2 + apart**2)
        if self.file is not None:
            return value, se, value, value
        ends = []
        for which in ("worst", "best"):
            try:
                ends.append(gain(self.population, which)[0])
            except NotConverged:
                ends.append(value)
        return value, se, *ends

    @cached_property
    def baseline(self) -> Baseline:
        """Without synthetic data, at the ridge that leave-one-out and theory choose together."""
        return Baseline(self.alone_corrected[0], self.without.se, float(self._alpha / len(self.X)), self.optimum_without.accuracy)

    @cached_property
    def without(self) -> LeaveOneOut:
        """Leave-one-out there."""
        return self.path(np.array([self._alpha]), 0.0)[0]

    @cached_property
    def alone(self) -> Candidates:
        """The ridges without synthetic data."""
        return self.tried(np.zeros(1))

    @cached_property
    def alone_corrected(self) -> tuple[float, float]:
        """The accuracy of the chosen one and the smooth one, as `Candidates.corrected`."""
        return self.alone.corrected()

    @property
    def _alpha(self) -> float:
        return self.alone.alphas[self.alone.choice()]

    def leaning(self, family: Family, m: float, omega: float, gamma: float) -> float:
        """The theory's accuracy of a mix, half way towards leave-one-out: with half of its error without synthetic data, at the same ridge
        in units of all weights."""
        weight = family.n + omega * family.per_m.sum() * m
        ridges, errors = self._errors
        error = np.interp(np.log(gamma * (family.n + m) / weight), ridges, errors)
        return float(np.clip(family.at(m, omega, gamma, slopes=()).accuracy + error, 0, 1))

    @cached_property
    def _errors(self) -> tuple[np.ndarray, np.ndarray]:
        """Half of what leave-one-out says beyond the theory without synthetic data, over the logarithm of the ridge per sample."""
        return np.log(self.alone.alphas / len(self.X)), (sharpened(self.alone.soft @ self.alone.shares) - self.alone.theory) / 2

    def chosen(self, family: Family, one: Optimum) -> Optimum:
        """A mix that is best in theory, with the ridge that leave-one-out and theory choose together."""
        one = settled(family, one, LEVEL)
        found, best = one, -np.inf
        for factor in RIDGE_FACTORS:
            with suppress(NotConverged):
                if (accuracy := self.leaning(family, one.m, one.omega, one.gamma * factor)) > best:
                    found, best = replace(one, gamma=one.gamma * factor, accuracy=accuracy), accuracy
        return found

    @cached_property
    def theory_without(self) -> float:
        """What the same says without synthetic data."""
        return self.leaning(self.family(self.population), 0.0, 1.0, self.baseline.gamma)

    @cached_property
    def optimum_without(self) -> Optimum:
        """The best ridge without synthetic data, and what it is worth, in theory."""
        return best_mix(self.family(self.population), 0)

    def path(self, alphas: np.ndarray, omega: float) -> list[LeaveOneOut]:
        """Leave-one-out at some ridges alpha of the sum of squares and one weight, both in proportion to the real samples at hand."""
        if self.file is not None and self.self_fitted and omega:
            return [self_fitted_leave_one_out(self.X, self.codes, self._kept_labels, alpha, omega, 1) for alpha in alphas]
        return self._ridge_mix.path(alphas, omega)

    @cached_property
    def _ridge_mix(self) -> RidgeMix:
        if self.file is None:
            return RidgeMix.of(self.X, self.codes, N=1)
        return RidgeMix.of(self.X, self.codes, self.file.X, self.file.codes, keep=self.file.keep, N=1)

    @cached_property
    def _kept_labels(self) -> np.ndarray:
        return kept_labels(self.X, self.codes, self.file.X, self.file.codes, self.file.keep)

    def tried(self, weights: np.ndarray) -> Candidates:
        """Classifiers of these weights and of all ridges, by leave-one-out and by theory."""
        family, share = self.family(self.population), len(self.X) / self.n
        alphas = ALPHAS[FEW_ALPHAS if self.self_fitted and weights.any() else slice(None)] * mean_scatter(self.X)
        found = Candidates.none(np.ones(len(self.X)))
        for weight in weights:
            m = float(self.file.m) if weight else 0.0
            theory = np.full(len(alphas), 1 / len(self.classes))
            for i, alpha in enumerate(alphas):
                with suppress(NotConverged):
                    theory[i] = family.at(m, weight / share if weight else 1.0, alpha / (share * (self.n + m)), slopes=()).accuracy
            found = found.and_those(self.path(alphas, weight), alphas, weight, theory)
        return found


def calibrated(theory: np.ndarray | float, without: np.ndarray | float, measured: float, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """An accuracy predicted with synthetic data, read relative to the theory's `without` and the `measured` one without, and a scale of
    what is left open.

    Half way between two readings: the same gain, and the same ratio of the signal-to-noise ratios. The first is right where some samples
    are hopeless whatever the classifier, the second where all are equally harder than in theory; measurements lie between (docs/advise.md).
    """
    def binary(accuracy: np.ndarray | float) -> np.ndarray:  # chance becomes 1/2
        return np.clip(0.5 + (np.asarray(accuracy, dtype=float) - 1 / classes) / (2 - 2 / classes), 1e-6, 1 - 1e-6)

    def back(accuracy: np.ndarray) -> np.ndarray:
        return 1 / classes + (accuracy - 0.5) * (2 - 2 / classes)

    added = np.clip(np.asarray(theory) - without + measured, 0, 1)
    base, known = binary(without), binary(measured)
    usable = base > 0.55
    ratio = np.where(usable, ndtri(known) / np.where(usable, ndtri(base), 1.0), 0.0)
    scaled = np.where(usable, back(ndtr(ratio * ndtri(binary(theory)))), added)
    return (added + scaled) / 2, np.abs(added - scaled) / 2


def _checked(real: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    X, y = np.asarray(real.X, dtype=float), np.asarray(real.y)
    if X.ndim != 2 or y.shape != (len(X),):
        raise BadInput(f"features (n, p) with n labels are needed, not shapes {X.shape} and {y.shape}")
    if len(X) < 10:
        raise BadInput(f"at least 10 real samples are needed, not {len(X)}")
    if not np.isfinite(X).all():
        raise BadInput("a feature of the real samples is missing or infinite")
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise BadInput("at least two classes are needed, and the real samples have only one label")
    if counts.min() < 2:
        raise BadInput(f"class {classes[counts.argmin()]} has only 1 real sample: each needs at least 2")
    return X, classes, codes


def _solved(evidence: Evidence) -> tuple[Evidence, float]:
    """With a population whose mixes the theory can solve, and how far its means are debiased."""
    X, codes, L = evidence.X, evidence.codes, len(evidence.classes)
    for debiased in (1.0, 0.75, 0.5, 0.25):
        found = replace(evidence, population=Population.of(X, codes, L, debiased=debiased))
        try:
            family, m = found.family(found.population), float(found.plan.budget)
            best_mix(family, m)
            curve(family, np.array([m]), 1.0)
        except NotConverged:
            continue
        return found, debiased
    return replace(evidence, population=Population.of(X, codes, L, debiased=0.0)), 0.0


def curve(family: Family, sizes: np.ndarray, omega: float | None) -> list[Optimum]:
    """The best mix of every number of samples, the largest first, each from the one before."""
    found: list[Optimum] = []
    for m in sizes[::-1]:
        found.insert(0, best_mix(family, m, m=m, omega=omega, near=found[0] if found else None))
    return found


def _groups(codes: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """GROUPS disjoint groups of samples with every class spread evenly over them."""
    order = np.concatenate([rng.permutation(np.flatnonzero(codes == k)) for k in np.unique(codes)])
    return [order[g::GROUPS] for g in range(GROUPS)]


def _best_verdicts(X: np.ndarray, y: np.ndarray, synthetic: Samples) -> np.ndarray:
    """Which generated samples are kept: where the file has only scores, above the threshold of the best leave-one-out accuracy."""
    from synthmix.estimators.mix_ridge import SyntheticMixRidge

    tried = thresholds(synthetic)
    if len(tried) == 1:
        return tried[0]
    found = [SyntheticMixRidge("auto", "auto").fit(X, y, synthetic.X, synthetic.y, keep=keep).leave_one_out_.smooth for keep in tried]
    return tried[int(np.argmax(found))]
