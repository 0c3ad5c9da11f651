"""The best omega, gamma and m of a mixture: ascent of the predicted accuracy along its generated gradient.

A `Family` is the problems that differ in omega, gamma and m only. It is lowered to eigenvalues once; every evaluation is then one
compiled solve and one compiled push along the directions log omega, log gamma, m and n (derivations/special/optimal_mix.py).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ..support.errors import BadInput, NotConverged, instance, number
from . import kernels, tangents
from .lowering import Lowered, Matrices, lower_problem, lower_setting, source_columns
from .many_classes import ClassMixture
from .problem import Fit, Law, Setting, SourceNumbers

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(24)  # of the integral over what the rivals of a class share
WEIGHTS = WEIGHTS / WEIGHTS.sum()
DIRECTIONS = ("log_omega", "log_gamma", "m", "n")
WIDEST = math.log(1e5)  # how far omega, and the ridge from the size of the features, are searched
STARTS_OMEGA, STARTS_RIDGE = (-5.0, -2.5, 0.0, 2.5), (-5.0, -2.5, 0.0, 2.5)  # logarithms, screened before the ascent
HEAVY_RIDGE = (4.0, 6.0, 8.0)
ASCENTS = 2
ALIKE = 1e-7  # what an ascent no longer looks for, in standard deviations
SLOPE, STEPS = 1e-6, 60  # of an ascent: where it is level, and where it ends
UNSOLVED = 100.0  # penalty for unsolved points, in standard deviations
NEARLY = 1e-15  # how close to 0 or 1 an accuracy is told from it


@dataclass(frozen=True)
class Value:
    """Predicted accuracy at one omega, gamma and m, with its slopes.

    Attributes
    ----------
    accuracy : float
    d_log_omega, d_log_gamma, d_m, d_n : float
        Derivatives of the accuracy in log omega, log gamma, m and n; nan where they were not asked for.
    """

    accuracy: float
    d_log_omega: float = math.nan
    d_log_gamma: float = math.nan
    d_m: float = math.nan
    d_n: float = math.nan


@dataclass(frozen=True)
class Optimum:
    """The mix of the best predicted accuracy.

    Attributes
    ----------
    m : float
        Synthetic samples before pruning.
    omega : float
        Weight of a synthetic sample in training, where a real one has 1; 1 where m = 0.
    gamma : float
        Ridge gamma.
    accuracy : float
        Predicted for a fresh sample.
    evaluations : int
        How many times the accuracy was computed, with or without its gradient.
    """

    m: float
    omega: float
    gamma: float
    accuracy: float
    evaluations: int


class MixFamily(ABC):
    """All mixtures of n real samples and of synthetic ones, over omega, gamma and m.

    Attributes
    ----------
    n : float
        Real samples.
    """

    n: float

    @property
    @abstractmethod
    def size(self) -> float:
        """The mean eigenvalue of what is tested on: the scale that the ridge is searched around."""

    @property
    def n_or_one(self) -> float:
        """The number of real samples, or 1 without any."""
        return self.n or 1.0

    def at(self, m: float, omega: float, gamma: float, *, slopes: Sequence[str] = DIRECTIONS) -> Value:
        """Return the predicted accuracy at m, omega and gamma.

        Parameters
        ----------
        m : float
            Synthetic samples before pruning.
        omega : float
            Weight of a synthetic sample.
        gamma : float
            Ridge gamma.
        slopes
            Which slopes to compute too, names in DIRECTIONS.

        Raises
        ------
        BadInput
            For numbers outside their range.
        NotConverged
            If the fixed point was not solved.
        """
        number("m", m, 0)
        number("omega", omega, 0, open_low=True)
        number("gamma", gamma, 0, open_low=True)
        return self._value(float(m), float(omega), float(gamma), slopes)

    @abstractmethod
    def _value(self, m: float, omega: float, gamma: float, slopes: Sequence[str]) -> Value:
        """`at`, for numbers in their range."""


@dataclass(frozen=True, eq=False)
class Family(MixFamily):
    """All mixtures of n real and m synthetic samples of given laws, over omega, gamma and m.

    With more than one rival their margins are taken to be correlated by 1/2 (derivations/special/optimal_mix.py); for two classes the
    accuracy is exact.

    Attributes
    ----------
    n : float
        Real samples.
    columns : array (K, 5)
        Of the sources, as `kernels.Point` has them, where N = 1.
    real, per_m : arrays (K,)
        Kept samples of each source, and how many more with each synthetic sample.
    synthetic : array (K,)
        Which sources have the weight omega.
    labels : array (A, K, 4)
        Labellings of the same samples, as `kernels.Point` has them.
    spectrum : kernels.Spectrum
    times : float
        How often each eigenvalue occurs.
    mixing : array (B, D)
        The means of sources and tests in the directions of the spectrum.
    rivals : tuples of (labelling, sign), one for each test law
        The margins that must all be positive for a right answer.
    shares : array (T,)
        How often a fresh sample is of each test law.
    intercept : bool
        Whether one is fitted.
    balance : array (A,) or None
        With an intercept: the variance of a synthetic sample's label. How many of them have which label is random, and the intercept
        follows: a term of order 1/N, which decides where the ridge is so large that nothing else is left of the scores.
    """

    n: float
    columns: np.ndarray
    real: np.ndarray
    per_m: np.ndarray
    synthetic: np.ndarray
    labels: np.ndarray
    spectrum: kernels.Spectrum
    times: float
    mixing: np.ndarray
    rivals: tuple[tuple[tuple[int, float], ...], ...]
    shares: np.ndarray
    intercept: bool = False
    balance: np.ndarray | None = None

    @classmethod
    def of_setting(cls, setting: Setting) -> Family:
        """The two classes of the paper; the setting's own m, omega and gamma do not matter.

        Raises
        ------
        BadInput
            For covariances that do not commute (their eigenvalues are needed).
        """
        some = replace(setting, m=max(setting.m, 1.0))
        lowered = lower_setting(some, {name: np.array([value], dtype=float) for name, value in some.numbers.items()})
        numbers = some.sources(some.numbers)
        real = np.array([0.0 if one.synthetic else some.n for one in numbers])
        per_m = np.array([some.alpha if one.synthetic else 0.0 for one in numbers])
        return cls(some.n, real=real, per_m=per_m, rivals=(((0, 1.0),),), shares=np.ones(1), **_lowered(lowered, numbers, some.p))

    @classmethod
    def of_classes(
        cls, mixture: ClassMixture, tests: Sequence[Law] | None = None, shares: Sequence[float] | None = None, *, fit: Fit | None = None
    ) -> Family:
        """Any number of classes.

        Parameters
        ----------
        mixture
            Its m are the shares of the classes among synthetic samples; its omega and gamma do not matter.
        tests
            The laws of fresh samples of each class, by default those of the real ones.
        shares
            Of the classes among fresh samples, equal by default.
        fit
            Of the generators, in place of those of the mixture.

        Raises
        ------
        BadInput
            For covariances that do not commute, or no synthetic samples to take the shares of the classes from.
        """
        if sum(mixture.m) == 0:
            raise BadInput("the mixture has no generated samples, so it does not say how m is divided among the classes")
        L = len(mixture.laws)
        pairs = [(i, j) for i in range(L) for j in range(i + 1, L)]
        contrasts = np.array([np.eye(L)[i] - np.eye(L)[j] for i, j in pairs])
        problem = mixture.problem()
        if fit is not None:
            problem = replace(problem, sources=tuple(replace(one, fit=fit) if one.synthetic else one for one in problem.sources))
        numbers = [source.numbers for source in problem.sources]
        real = np.array([0.0 if one.synthetic else one.count for one in numbers])
        per_m = np.array([one.count if one.synthetic else 0.0 for one in numbers]) / sum(mixture.m)
        rivals = tuple(tuple((row, 1.0 if i == k else -1.0) for row, (i, j) in enumerate(pairs) if k in (i, j)) for k in range(L))
        balance = None
        if mixture.intercept:
            label_shares = np.asarray(mixture.m) @ mixture.kept()
            label_shares = label_shares / label_shares.sum() if label_shares.any() else label_shares
            balance = contrasts**2 @ label_shares - (contrasts @ label_shares) ** 2
        lowered = lower_problem(problem, tests or mixture.laws, mixture.labels(contrasts))
        weights = np.full(L, 1 / L) if shares is None else np.asarray(shares, dtype=float) / np.sum(shares)
        return cls(float(sum(mixture.n)), real=real, per_m=per_m, rivals=rivals, shares=weights, intercept=mixture.intercept,
                   balance=balance, **_lowered(lowered, numbers, problem.p))  # fmt: skip

    @property
    def size(self) -> float:
        return float(np.mean(self.spectrum.tests))

    def _value(self, m: float, omega: float, gamma: float, slopes: Sequence[str]) -> Value:
        N = self.n + m
        number("the number of samples", N, 0, open_low=True)
        columns, rates = self._columns(m, omega, N)
        wanted = [DIRECTIONS.index(name) for name in slopes]
        (A, K, _), T, G = self.labels.shape, len(self.rivals), len(wanted)
        found = kernels.Found(np.empty(K), np.empty((T, A)), np.empty((T, A)))
        point = kernels.Point(columns, self.labels, gamma, self.times / N, self.mixing, self.intercept)
        residual = kernels.spectral_point(point, self.spectrum, found)
        if not residual <= kernels.TOLERANCE or not (np.isfinite(found.margins).all() and np.all(found.variances >= 0)):
            raise NotConverged(f"the mix at m={m:g}, omega={omega:g}, gamma={gamma:g} was not solved: relative residual {residual:.1e}")
        margin_rates, variance_rates = np.zeros((G, T, A)), np.zeros((G, T, A))
        if wanted:
            directions = tangents.Rates(rates[wanted], np.array([0.0, gamma, 0.0, 0.0])[wanted],
                                        np.array([0.0, 0.0, -1 / N, -1 / N])[wanted])  # fmt: skip
            tangents.spectral_slopes(point, directions, self.spectrum, found.q, self._wanted(), margin_rates, variance_rates)
        self._unbalance(m, omega, found.variances, variance_rates, wanted)
        accuracy, gradient = self._accuracy(found.margins, found.variances, margin_rates, variance_rates)
        return Value(accuracy, **{f"d_{name}": float(slope) for name, slope in zip(slopes, gradient, strict=True)})

    def _columns(self, m: float, omega: float, N: float) -> tuple[np.ndarray, np.ndarray]:
        """The columns of the sources (K, 5) and their rates (G, K, 5)."""
        columns = self.columns.copy()
        columns[:, kernels.THETA] = (self.real + self.per_m * m) / N
        columns[:, kernels.WEIGHT] = np.where(self.synthetic, omega, 1.0)
        columns[:, kernels.FIT] *= N
        columns[:, kernels.BASE] /= N
        rates = np.zeros((len(DIRECTIONS), *columns.shape))
        rates[0, :, kernels.WEIGHT] = np.where(self.synthetic, omega, 0.0)
        for row, counts in ((2, self.per_m), (3, self.real / max(self.n, 1e-300))):
            rates[row, :, kernels.THETA] = (counts - columns[:, kernels.THETA]) / N
            rates[row, :, kernels.FIT] = columns[:, kernels.FIT] / N
            rates[row, :, kernels.BASE] = -columns[:, kernels.BASE] / N
        train = columns[:, kernels.BASE] > 0  # fitted on the real samples that train: n_hat grows with n
        rates[3, train, kernels.FIT] -= columns[train, kernels.FIT] / self.n
        rates[3, train, kernels.BASE] += columns[train, kernels.BASE] / self.n
        return columns, rates

    def _wanted(self) -> np.ndarray:
        """(T, A): which labellings matter to which test."""
        wanted = np.zeros((len(self.rivals), len(self.labels)), dtype=bool)
        for test, rivals in enumerate(self.rivals):
            wanted[test, [row for row, _ in rivals]] = True
        return wanted

    def _unbalance(self, m: float, omega: float, variances: np.ndarray, rates: np.ndarray, wanted: Sequence[int]) -> None:
        """Add the variance of the intercept to those of the margins, and its rates to theirs, in place."""
        kept = self.per_m.sum() * m
        if self.balance is None or not kept:
            return
        total = self.n + omega * kept
        share = omega * kept / total
        one = self.balance * share**2 / kept
        variances += one
        slopes = (2 * (1 - share), 0.0, (1 - 2 * share) / m, -2 / total)
        for row, direction in enumerate(wanted):
            rates[row] += slopes[direction] * one

    def _accuracy(self, margins: np.ndarray, variances: np.ndarray, d_margins: np.ndarray, d_variances: np.ndarray
                  ) -> tuple[float, np.ndarray]:
        """The share of right answers, and its gradient (G,)."""
        accuracy, gradient = 0.0, np.zeros(len(d_margins))
        for test, (share, rivals) in enumerate(zip(self.shares, self.rivals, strict=True)):
            rows = [row for row, _ in rivals]
            signs = np.array([sign for _, sign in rivals])
            value, slopes = tangents.right(signs * margins[test, rows], variances[test, rows], signs * d_margins[:, test, rows],
                                           d_variances[:, test, rows], NODES, WEIGHTS)
            accuracy += share * value
            gradient += share * slopes
        return float(accuracy), gradient


def _lowered(lowered: Lowered, numbers: Sequence[SourceNumbers], p: int) -> dict[str, object]:
    """The attributes that a family takes from one lowered problem."""
    if isinstance(lowered.form, Matrices):
        raise BadInput("the best mix is found on eigenvalues: give covariances that commute, as vectors in one basis")
    return {
        "columns": source_columns(numbers, np.ones(1))[0],
        "synthetic": np.array([one.synthetic for one in numbers]),
        "labels": lowered.grid.labels[0],
        "spectrum": lowered.form,
        "times": float(p) if lowered.isotropic else 1.0,
        "mixing": lowered.grid.mixing[0],
    }


class _Search:
    """The search for the best mix in the coordinates that are free: log omega, the logarithm of the ridge of the sums, and m / budget.

    The ridge of the sums is gamma N over size and n: what it does to the real samples depends little on m. A coordinate that is not free
    has the value given.
    """

    def __init__(self, family: MixFamily, budget: float, m: float | None, omega: float | None, gamma: float | None) -> None:
        self.family, self.budget, self.m, self.omega, self.gamma = family, budget, m, omega, gamma
        self.free = [name for name, given in (("omega", omega), ("ridge", gamma), ("m", m)) if given is None]
        self.evaluations = 0

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Of every free coordinate."""
        return [(0.0, 1.0) if name == "m" else (-WIDEST, WIDEST) for name in self.free]

    def mix(self, x: Sequence[float]) -> tuple[float, float, float]:
        """m, omega and gamma at the coordinates x."""
        family, put = self.family, dict(zip(self.free, x, strict=True))
        m = put["m"] * self.budget if "m" in put else self.m
        omega = math.exp(put["omega"]) if "omega" in put else self.omega
        gamma = math.exp(put["ridge"]) * family.size * family.n_or_one / (family.n + m) if "ridge" in put else self.gamma
        return m, omega, gamma

    def starts(self, near: Optimum | None) -> list[list[float]]:
        """Coordinates to ascend from, the best first: those of `near`, or of a grid."""
        family, budget = self.family, self.budget
        tried = {"omega": STARTS_OMEGA, "ridge": STARTS_RIDGE, "m": (0.1, 1.0)}
        if near is not None:
            ridge = near.gamma * (family.n + near.m) / (family.size * family.n_or_one)
            tried = {"omega": (math.log(near.omega),), "m": (near.m / (budget or 1.0),), "ridge": (math.log(ridge),)}
        starts = [list(start) for start in product(*(tried[name] for name in self.free))]
        if len(starts) > 1:
            starts.sort(key=self.loss)
            self.evaluations += len(starts)
        return starts

    def loss(self, x: Sequence[float]) -> float:
        """Minus the accuracy at x, or UNSOLVED."""
        try:
            return -self.family.at(*self.mix(x), slopes=()).accuracy
        except NotConverged:
            return UNSOLVED

    def loss_and_gradient(self, x: Sequence[float]) -> tuple[float, np.ndarray]:
        """Minus the accuracy in standard deviations at x, which does not saturate, and its gradient."""
        from scipy.special import ndtri

        self.evaluations += 1
        m, omega, gamma = self.mix(x)
        along = {"omega": "log_omega", "ridge": "log_gamma", "m": "m"}
        try:
            found = self.family.at(m, omega, gamma, slopes=[along[name] for name in self.free])
        except NotConverged:  # a corner that arithmetic does not reach: nothing to look for there
            return UNSOLVED, np.zeros(len(self.free))
        along_m = found.d_m - (found.d_log_gamma / (self.family.n + m) if "ridge" in self.free else 0.0)  # at one ridge of the sums
        slopes = {"omega": found.d_log_omega, "ridge": found.d_log_gamma, "m": self.budget * along_m}
        z = float(ndtri(min(max(found.accuracy, NEARLY), 1 - NEARLY)))
        return -z, -np.array([slopes[name] for name in self.free]) * math.sqrt(2 * math.pi) * math.exp(z * z / 2)

    def ascent(self, start: Sequence[float]) -> list[Sequence[float]]:
        """The end of the ascent (L-BFGS-B) from a start, and the start itself: an ascent may end where nothing is solved."""
        from scipy.optimize import minimize

        if not self.free:
            return [start]
        x = np.clip(start, *zip(*self.bounds, strict=True))
        return [minimize(self.loss_and_gradient, x, jac=True, method="L-BFGS-B", bounds=self.bounds,
                         options={"ftol": ALIKE, "gtol": SLOPE, "maxiter": STEPS}).x, x]  # fmt: skip


def best_mix(
    family: MixFamily, budget: float, *, m: float | None = None, omega: float | None = None, gamma: float | None = None,
    near: Optimum | None = None,
) -> Optimum:  # fmt: skip
    """Return the mix of the best predicted accuracy.

    The accuracy need not be concave: the ascent starts from the best points of a screened grid. At m = 0 omega does not matter and is
    returned as 1.

    Parameters
    ----------
    family : MixFamily
        What to choose from: a `Family`, or a `LossFamily` for any loss.
    budget : float
        The largest m, synthetic samples before pruning.
    m, omega, gamma : float, optional
        Values to keep; what is not given is searched.
    near : Optimum, optional
        The best mix of a similar family, to ascend from alone.

    Raises
    ------
    BadInput
        For a negative budget, or no samples at all.
    NotConverged
        If no mix was solved.
    """
    instance("what is searched", family, MixFamily)
    number("the budget", budget, 0)
    if m is None and budget == 0:
        m = 0.0
    if m is not None and m == 0:
        omega = 1.0
    search = _Search(family, budget, m, omega, gamma)
    starts = search.starts(near)
    best, lowest = starts[0], UNSOLVED
    for start in starts[:ASCENTS]:
        for end in search.ascent(start):
            if (loss := search.loss(end)) < lowest:
                best, lowest = end, loss
    if lowest == UNSOLVED and near is not None:  # the neighbour's mix is in a corner here: look everywhere
        return best_mix(family, budget, m=m, omega=omega, gamma=gamma)
    if lowest == UNSOLVED and "ridge" in search.free:  # where nothing else is solved, a heavy ridge is
        heavier = [[heavy if name == "ridge" else one for name, one in zip(search.free, starts[0], strict=True)] for heavy in HEAVY_RIDGE]
        best = min(heavier, key=search.loss)
        lowest = search.loss(best)
    if lowest == UNSOLVED:
        family.at(*search.mix(starts[0]), slopes=())  # says why
        raise NotConverged("no mix was solved")
    many, weight, ridge = search.mix(best)
    return Optimum(float(many), float(weight) if many else 1.0, float(ridge), -lowest, search.evaluations)


def settled(family: MixFamily, found: Optimum, loss: float) -> Optimum:
    """Return the mix with its weight nearer 1 and its ridge smaller, as far as the accuracy allows.

    Where the synthetic samples are all that counts, or the ridge outweighs every direction, the accuracy is level, and the limit knows no
    reason to stop. Finite samples do: there the intercept and whatever else the limit neglects are felt.

    Parameters
    ----------
    family : MixFamily
    found : Optimum
        The best mix of the family.
    loss : float
        How much accuracy may be given up.
    """
    lowest = found.accuracy - loss

    def lowered(one: Optimum, omega: float, gamma: float) -> Optimum | None:
        try:
            accuracy = family.at(one.m, omega, gamma, slopes=()).accuracy
        except NotConverged:
            return None
        return replace(one, omega=omega, gamma=gamma, accuracy=accuracy) if accuracy >= lowest else None

    while found.omega > 2 and (one := lowered(found, found.omega / 2, found.gamma / 2)):
        found = one
    while found.gamma * (family.n + found.m) > family.size * family.n_or_one and (one := lowered(found, found.omega, found.gamma / 2)):
        found = one
    return found
