"""Accuracy of any mix on the user's data: measured by leave-one-out over the real samples, predicted by the theory, and both together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..estimators.candidates import ALPHAS, FEW_ALPHAS, FEW_SHARES, PLATEAU, SHARES, Candidates, mean_scatter, preferred
from ..estimators.leave_one_out import LeaveOneOut, RidgeMix, sharpened
from ..solvers.best_mix import Family, Optimum, best_mix, settled
from ..solvers.problem import Generator
from ..support.errors import BadInput, NotConverged
from ..support.progress import stage
from .calibration import calibrated
from .generated_file import GeneratedFile, Kept, Samples, thresholds
from .leakage import GaussianLeak
from .plan import Plan
from .population import Population
from .result import Baseline, MeasuredGain
from .scaling import Scaling, synthetic_features
from .thresholds import Threshold

GROUPS = 8  # of real samples, one of which is left out at a time: the jackknife
GAIN_SPREAD = 0.15  # over sqrt(n): how far gains come out from their prediction, beyond its other errors (docs/advise.md)
LEVEL = 0.0005  # accuracy that may be given away for a weight and a ridge that are not extreme
RIDGE_FACTORS = np.geomspace(1e-2, 1e4, 13)  # multiples of the theory's ridge that are tried
DEBIASED = (1.0, 0.75, 0.5, 0.25)  # how far the means are debiased, tried in this order until the theory can be solved
SIGMAS = 2.0


@dataclass(frozen=True, eq=False)
class PredictedGains:
    """Gains over the baseline of several mixes, arrays of one length.

    Attributes
    ----------
    value, se
        At the stated noise and verifier, with standard errors.
    worst, best
        At the worst and the best noise and verifier within their intervals.
    """

    value: np.ndarray
    se: np.ndarray
    worst: np.ndarray
    best: np.ndarray

    @property
    def ends(self) -> np.ndarray:
        """(2, k): the band, two standard errors below the lowest and above the highest of the three."""
        return np.array([np.minimum(self.worst, self.value) - SIGMAS * self.se, np.maximum(self.best, self.value) + SIGMAS * self.se])


@dataclass(frozen=True, eq=False)
class Evidence:
    """The real samples, the plan or the file, and the population behind the theory; made by `gather`.

    Attributes
    ----------
    given : array (k, p)
        Features of the real samples as they were given: of all of them, or of a random subset of a very large file.
    scaling : Scaling
        The change of units; all other features here are in the new ones, and so are all ridges.
    X, codes : arrays (k, p) and (k,)
        Scaled features and class indices.
    classes : array (L,)
        The label of each class index.
    n : int
        Real samples in the file, at least k.
    plan : Plan
        With the noise and the verifier of the audit, where the file has one.
    file : GeneratedFile or None
        The synthetic samples.
    columns_left_out : tuple of pairs
        Columns of the real samples' file that are no features, and why.
    remarks : tuple of str
        How both files were read, a sentence each.
    groups : array (k,) or None
        Real samples of one group belong together; whole numbers from 0.
    file_rows : int
        Rows of the synthetic file, of which `file` may hold a part.
    population : Population
        Estimated from all k samples.
    left_out : tuple of Population
        Each estimated without one group of samples.
    debiased : float
        How much of the squared error of the means is taken off their squares: below 1 where the theory could not be solved otherwise.
    """

    given: np.ndarray
    scaling: Scaling
    X: np.ndarray
    codes: np.ndarray
    classes: np.ndarray
    n: int
    plan: Plan
    file: GeneratedFile | None
    columns_left_out: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    groups: np.ndarray | None
    file_rows: int
    population: Population
    left_out: tuple[Population, ...]
    debiased: float = 1.0

    # ------------------------------------------------------------ theory

    @property
    def self_fitted(self) -> bool:
        """Whether the generator was fitted on the real samples, because the user said so or because the file shows it."""
        return _self_fitted(self.plan, self.file)

    @cached_property
    def family(self) -> Family:
        """All mixes of the plan or of samples like those of the file."""
        return _family(self.population, self.plan, self.file, self.n)

    @cached_property
    def _families_left_out(self) -> tuple[Family, ...]:
        return tuple(_family(one, self.plan, self.file, self.n) for one in self.left_out)

    @cached_property
    def _families_at_ends(self) -> tuple[Family, Family]:
        """At the worst and at the best noise and verifier."""
        return tuple(_family(self.population, self.plan, None, self.n, which) for which in ("worst", "best"))

    @cached_property
    def optimum_without(self) -> Optimum:
        """The best ridge without synthetic data, in theory."""
        return best_mix(self.family, 0)

    @cached_property
    def expected_without(self) -> float:
        """The expected accuracy without synthetic data at the baseline's ridge."""
        return self.expected(self.family, 0.0, 1.0, self.baseline.gamma)

    def expected(self, family: Family, m: float, omega: float, gamma: float) -> float:
        """Return the expected accuracy of a mix: theory + (leave-one-out - theory)/2, the difference measured without synthetic data.

        The difference is taken at the same ridge relative to the sum of all sample weights.

        Parameters
        ----------
        family : Family
        m, omega, gamma : float
            The mix.
        """
        weight = family.n + omega * family.per_m.sum() * m
        ridges, corrections = self._corrections
        correction = np.interp(np.log(gamma * (family.n + m) / weight), ridges, corrections)
        return float(np.clip(family.at(m, omega, gamma, slopes=()).accuracy + correction, 0, 1))

    @cached_property
    def _corrections(self) -> tuple[np.ndarray, np.ndarray]:
        """Half of leave-one-out less theory without synthetic data, over the logarithm of the ridge per sample."""
        tried = self.candidates_without
        return np.log(tried.alphas / len(self.X)), (sharpened(tried.soft @ tried.shares) - tried.theory) / 2

    def with_best_ridge(self, family: Family, mix: Optimum, *, nearest: bool = False) -> Optimum:
        """Return a mix of the theory with the ridge of the highest expected accuracy at its m and omega.

        Parameters
        ----------
        family : Family
            Of mixes of the user's data.
        mix : Optimum
            Where m and omega are taken from.
        nearest : bool
            Whether the nearest ridge from which all steps lead down will do: a third of the work, for the many points of a plane.
        """
        mix = settled(family, mix, LEVEL)
        accuracies = np.full(len(RIDGE_FACTORS), np.nan)

        def accuracy(i: int) -> float:
            if not 0 <= i < len(RIDGE_FACTORS):
                return -np.inf
            if np.isnan(accuracies[i]):
                accuracies[i] = -np.inf
                with suppress(NotConverged):
                    accuracies[i] = self.expected(family, mix.m, mix.omega, mix.gamma * RIDGE_FACTORS[i])
            return accuracies[i]

        if nearest:
            at = int(np.abs(np.log(RIDGE_FACTORS)).argmin())
            while (step := max((at - 1, at + 1), key=accuracy)) != at and accuracy(step) > accuracy(at) + PLATEAU:
                at = step
            accuracies[np.isnan(accuracies)] = -np.inf
        else:
            for i in range(len(RIDGE_FACTORS)):
                accuracy(i)
        if np.isinf(accuracies).all():
            return mix
        best = preferred(accuracies, np.round(np.abs(np.log(RIDGE_FACTORS)), 6), -RIDGE_FACTORS)  # on a plateau next to the theory's
        return replace(mix, gamma=mix.gamma * RIDGE_FACTORS[best], accuracy=accuracies[best])

    def gains(self, mixes: Sequence[tuple[float, float, float]]) -> PredictedGains:
        """Return the predicted gains of mixes (m, omega, gamma)."""
        value, doubt = self._gain(self.family, mixes)
        left = []
        for family in self._families_left_out:
            with suppress(NotConverged):
                left.append(self._gain(family, mixes)[0])
        groups = len(left)
        noise = (groups - 1) / groups * np.sum((left - np.mean(left, axis=0)) ** 2, axis=0) if groups > 1 else np.zeros(len(mixes))
        spread = np.array([m > 0 for m, _, _ in mixes]) * GAIN_SPREAD / np.sqrt(self.n)
        se = np.sqrt(noise + doubt**2 + spread**2)
        if self.file is not None:
            return PredictedGains(value, se, value, value)
        ends = []
        for family in self._families_at_ends:
            try:
                ends.append(self._gain(family, mixes)[0])
            except NotConverged:
                ends.append(value)
        return PredictedGains(value, se, *ends)

    def _gain(self, family: Family, mixes: Sequence[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray]:
        """Gains, and how much they depend on the reading of the theory and on the baseline's error."""
        base, L = self.baseline, len(self.classes)
        found = np.array([self.expected(family, *mix) for mix in mixes])
        without = self.expected(family, 0.0, 1.0, base.gamma)
        value, doubt = calibrated(found, without, base.accuracy, L)
        ends = [calibrated(found, without, min(max(end, 1 / L), 1.0), L)[0] - end
                for end in (base.accuracy - base.se, min(base.accuracy + base.se, 1.0))]
        return value - base.accuracy, np.hypot(doubt, (ends[1] - ends[0]) / 2)

    # ------------------------------------------------------------ measurements

    @cached_property
    def baseline(self) -> Baseline:
        """Without synthetic data, at the ridge that leave-one-out and theory choose together."""
        gamma = self._alpha_without / len(self.X)
        return Baseline(self.corrected_without[0], self.without.se, float(gamma), self.optimum_without.accuracy)

    @cached_property
    def without(self) -> LeaveOneOut:
        """Leave-one-out of the baseline."""
        return self.leave_one_out(np.array([self._alpha_without]), 0.0)[0]

    @cached_property
    def candidates_without(self) -> Candidates:
        """All ridges without synthetic data."""
        return self.candidates(np.zeros(1))

    @cached_property
    def corrected_without(self) -> tuple[float, float]:
        """Accuracy and smooth accuracy of the chosen ridge, without the optimism of the choice."""
        return self.candidates_without.corrected()

    @property
    def _alpha_without(self) -> float:
        return self.candidates_without.alphas[self.candidates_without.choice()]

    def candidates(self, weights: np.ndarray) -> Candidates:
        """Return mixes of the whole file with these weights (0: without it) and all ridges, by leave-one-out and by theory."""
        share = len(self.X) / self.n
        few = self.self_fitted and weights.any()
        alphas = ALPHAS[FEW_ALPHAS if few else slice(None)] * mean_scatter(self.X)
        found = Candidates.none(np.ones(len(self.X)), self.groups)
        for weight in weights:
            m = float(self.file.m) if weight else 0.0
            theory = np.full(len(alphas), 1 / len(self.classes))
            for i, alpha in enumerate(alphas):
                with suppress(NotConverged):
                    omega, gamma = weight / share if weight else 1.0, alpha / (share * (self.n + m))
                    theory[i] = self.family.at(m, omega, gamma, slopes=()).accuracy
            found = found.and_those(self.leave_one_out(alphas, weight), alphas, weight, theory)
        return found

    def leave_one_out(self, alphas: np.ndarray, weight: float) -> list[LeaveOneOut]:
        """Return the leave-one-out of the k real samples with the file.

        Parameters
        ----------
        alphas : sequence of float
            Ridges of the sum of squares.
        weight : float
            Of a synthetic sample; 0: without the file.
        """
        found = self._ridge_mix.path(alphas, weight)
        if self.file is None or not self.self_fitted or not weight:
            return found
        return self._leak.taken_off(found, alphas, weight)

    @cached_property
    def _ridge_mix(self) -> RidgeMix:
        if self.file is None:
            return RidgeMix.of(self.X, self.codes, N=1, groups=self.groups)
        return RidgeMix.of(self.X, self.codes, self.file.X, self.file.codes, keep=self.file.keep, N=1, groups=self.groups)

    @cached_property
    def _leak(self) -> GaussianLeak:
        return GaussianLeak.of(self.X, self.codes, self.file.kept_labels)

    @cached_property
    def measured(self) -> MeasuredGain:
        """The mix of the whole file that leave-one-out and theory choose together, and the file at weight 1."""
        shares = SHARES[FEW_SHARES] if self.self_fitted else SHARES
        gain, se, alpha, weight, found = self._measured(shares * len(self.X) / (self.file.m * self.file.kept))
        plain, plain_se, *_ = self._measured(np.array([len(self.X) / self.n]))
        m, share = float(self.file.m), len(self.X) / self.n
        omega, gamma = float(weight / share), float(alpha / (share * (self.n + m)))
        predicted = self.gains([(m, omega, gamma)])
        agree = abs(gain - predicted.value[0]) <= SIGMAS * np.hypot(se, predicted.se[0])
        return MeasuredGain(self.file.m, self.file.kept, omega, gamma, found.accuracy, found.se, gain, se, plain, plain_se,
                            float(predicted.value[0]), float(predicted.se[0]), bool(agree))

    @property
    def units(self) -> np.ndarray:
        """What the measured mix gains in every real row, or in the mean of every group."""
        one, share = self.measured, len(self.X) / self.n
        found = self.leave_one_out(np.array([one.gamma * share * (self.n + one.m)]), one.omega * share)[0]
        gains = found.right - self.without.right
        return gains if self.groups is None else np.bincount(self.groups, gains) / np.bincount(self.groups)

    def _measured(self, weights: np.ndarray) -> tuple[float, float, float, float, LeaveOneOut]:
        """The gain of the whole file with the best of these weights and its standard error, alpha, weight, and leave-one-out there."""
        tried = self.candidates(weights)
        chosen = tried.choice()
        alpha, weight = float(tried.alphas[chosen]), float(tried.weights[chosen])
        found = self.leave_one_out(np.array([alpha]), weight)[0]
        base = self.baseline.accuracy
        gain = float(calibrated(tried.corrected()[1], self.corrected_without[1], base, len(self.classes))[0]) - base
        _, se = found.gain(self.without)  # the smooth gain's own error is two to four times too small (docs/advise.md)
        return gain, float(se), alpha, weight, found

    def gain_if_self_fitted(self) -> float:
        """Return the measured gain of the file, less the leak that it would have if its generator had been fitted on the real samples."""
        one, share = self.measured, len(self.X) / self.n
        right, _ = self._leak.at([one.gamma * share * (self.n + one.m)], one.omega * share)[0]
        return one.gain - float(right.mean())


def gather(real: Samples, plan: Plan, synthetic: Samples | None, *, standardise: bool = True, seed: int = 0) -> Evidence:
    """Gather the evidence; arguments as of `advice.advise.advise`.

    Raises
    ------
    BadInput
        For samples that cannot be used, in one line.
    """
    stage("the population behind the samples")
    given, classes, codes = _checked(real)
    scaling, remarks = Scaling.of(given, standardise), (*getattr(real, "remarks", ()), *getattr(synthetic, "remarks", ()))
    X, n, file, rows = scaling(given), getattr(real, "total", 0) or len(given), None, 0
    if synthetic is not None:
        rows, made = getattr(synthetic, "total", 0), np.asarray(synthetic.X, dtype=float)
        if made.ndim != 2 or made.shape[1] != X.shape[1]:
            raise BadInput(f"the synthetic samples have {made.shape[-1]} features, the real ones {X.shape[1]}")
        synthetic = _Scaled(synthetic_features(made, scaling), np.asarray(synthetic.y), synthetic.keep, synthetic.score, synthetic.truth)
        file = GeneratedFile.of(synthetic, X, codes, classes, _best_kept(X, classes[codes], synthetic, getattr(real, "groups", None)))
        if file.audit is not None:
            plan = replace(plan, epsilon=file.audit.epsilon, rho=file.audit.rho, phi=file.audit.phi)
    population, debiased = _solvable(X, codes, len(classes), plan, file, n)
    left_out, groups = [], getattr(real, "groups", None)
    for group in _parts(codes, groups, np.random.default_rng(seed)):
        rest = np.setdiff1d(np.arange(len(X)), group)
        if np.bincount(codes[rest], minlength=len(classes)).min() >= 2:
            one = Population.of(X[rest], codes[rest], len(classes), debiased=debiased, elliptical=population.elliptical)
            left_out.append(replace(one, counts=population.counts))  # predicts a mix with all samples
    return Evidence(given, scaling, X, codes, classes, n, plan, file, getattr(real, "left_out", ()), remarks, groups, rows, population,
                    tuple(left_out), debiased)


@dataclass(frozen=True, eq=False)
class _Scaled:
    """`Samples` with scaled features."""

    X: np.ndarray
    y: np.ndarray
    keep: np.ndarray | None
    score: np.ndarray | None
    truth: np.ndarray | None


def curve(family: Family, sizes: np.ndarray, omega: float | None) -> list[Optimum]:
    """Return the best mix of each number of synthetic samples.

    Parameters
    ----------
    family : Family
    sizes : sequence of float
        Numbers m, ascending.
    omega : float or None
        The weight to keep; None: the best.
    """
    found: list[Optimum] = []
    for done, m in enumerate(sizes[::-1]):  # the largest first: each search starts at the mix before
        stage("the best mix of each number of samples" if omega is None else "the best ridge at weight 1", done, len(sizes))
        found.insert(0, best_mix(family, m, m=m, omega=omega, near=found[0] if found else None))
    return found


def _self_fitted(plan: Plan, file: GeneratedFile | None) -> bool:
    if plan.self_fitted is not None or file is None:
        return bool(plan.self_fitted)
    return file.provenance.fitted_on == "own rows"


def _family(population: Population, plan: Plan, file: GeneratedFile | None, n: int, which: str = "value") -> Family:
    """The mixes of a file whose generator saw other samples, else those of the plan."""
    own = _self_fitted(plan, file)
    if file is not None and not own:
        return population.family_of(file.laws_in(population), file.label_shares, file.kept, file.n_hat, n=n)
    epsilon, verifier = plan.noise(which)
    return population.family(Generator("self-fitted") if own else plan.generator, epsilon, verifier, n=n)


def _checked(real: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, classes and class indices."""
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


def _solvable(
    X: np.ndarray, codes: np.ndarray, classes: int, plan: Plan, file: GeneratedFile | None, n: int
) -> tuple[Population, float]:
    """The population whose means are debiased as far as the theory can be solved for, and how far that is."""
    for debiased in DEBIASED:
        population = Population.of(X, codes, classes, debiased=debiased)
        try:
            family, m = _family(population, plan, file, n), float(plan.budget)
            best_mix(family, m)
            curve(family, np.array([m]), 1.0)
        except NotConverged:
            continue
        return population, debiased
    return Population.of(X, codes, classes, debiased=0.0), 0.0


def _parts(codes: np.ndarray, groups: np.ndarray | None, rng: np.random.Generator) -> list[np.ndarray]:
    """GROUPS disjoint parts of the samples: every class spread evenly over them, or where samples have groups whole ones."""
    if groups is None:
        order = np.concatenate([rng.permutation(np.flatnonzero(codes == k)) for k in np.unique(codes)])
        return [order[g::GROUPS] for g in range(GROUPS)]
    part = rng.permutation(int(groups.max()) + 1)[groups] % GROUPS
    return [np.flatnonzero(part == g) for g in range(GROUPS) if (part == g).any()]


def _best_kept(X: np.ndarray, y: np.ndarray, synthetic: Samples, groups: np.ndarray | None) -> Kept:
    """Which synthetic samples are kept; where the file has only scores, those above the threshold of the best leave-one-out accuracy."""
    from ..estimators.mix_ridge import SyntheticMixRidge

    tried = thresholds(synthetic)
    if len(tried) == 1:
        return tried[0]
    mix = SyntheticMixRidge("auto", "auto")
    found = [mix.fit(X, y, synthetic.X, synthetic.y, keep=one.keep, groups=groups).leave_one_out_.smooth for one in tried]
    chosen = tried[preferred(np.array(found), np.arange(len(tried)))]
    compared = tuple(Threshold(one.threshold, float(one.keep.mean()), float(sharpened(smooth)))
                     for one, smooth in zip(tried, found, strict=True))
    return replace(chosen, tried=compared)
