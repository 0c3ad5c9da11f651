"""The best omega, gamma and m of a mixture: ascent of the predicted accuracy along its generated gradient.

A `Family` is the problems that differ in omega, gamma and m only. It is lowered to eigenvalues once; every evaluation is then one
compiled solve and one compiled push along the directions log omega, log gamma, m and n (derivations/special/optimal_mix.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from synthmix.solvers import kernels, tangents
from synthmix.solvers.many_classes import ClassMixture
from synthmix.solvers.predict import _mixture_spectrum, _Spectrum, _spectrum, distinct_means, problem_columns, wrong_labels
from synthmix.solvers.problem import Law, Problem, Setting
from synthmix.support.errors import BadInput, NotConverged, number

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(24)  # of the integral over what the rivals of a class share
WEIGHTS = WEIGHTS / WEIGHTS.sum()
DIRECTIONS = ("log_omega", "log_gamma", "m", "n")
WIDEST = math.log(1e5)  # how far omega, and the ridge from the size of the features, are searched
STARTS_OMEGA, STARTS_RIDGE = (-5.0, -2.5, 0.0, 2.5), (-5.0, -2.5, 0.0, 2.5)  # logarithms, screened before the ascent
HEAVY_RIDGE = (4.0, 6.0, 8.0)
ASCENTS = 2
ALIKE = 1e-7  # what an ascent no longer looks for, in standard deviations
SLOPE, STEPS = 1e-6, 60  # of an ascent: where it is level, and where it ends
NEVER = 100.0  # what no mix is as bad as, in standard deviations
NEARLY = 1e-15  # how close to 0 or 1 an accuracy is told from it


@dataclass(frozen=True)
class Value:
    """Predicted accuracy at one omega, gamma, m, and its slopes (nan: not asked for)."""

    accuracy: float
    d_log_omega: float = math.nan
    d_log_gamma: float = math.nan
    d_m: float = math.nan
    d_n: float = math.nan


@dataclass(frozen=True)
class Optimum:
    """The best mix found; evaluations: how many times value and gradient were computed."""

    m: float
    omega: float
    gamma: float
    accuracy: float
    evaluations: int


@dataclass(frozen=True, eq=False)
class Family:
    """All mixtures of n real samples and m generated ones of given laws, over omega, gamma and m.

    problem: one of them, with all its sources. real, per_m (K,): kept samples of each source, and how many more with each generated one;
    generated (K,): which sources carry the weight omega. labels (A, K, 4): the labellings as in `solvers.predict.solve_problem`.
    rivals: for each test law the pairs (labelling, sign) whose margins must all be positive for a right answer; shares (T,): how
    often a fresh sample is of each law. n: real samples. form: the spectrum with the mixing of the means, found once.

    balance (A,): where an intercept is fitted, the variance of a generated sample's label. How many of them have which label is random,
    and the intercept follows: a term of order 1/N, which decides where the ridge is so large that nothing else is left of the scores.

    With more than one rival their margins are taken to be correlated by 1/2 (derivations/special/optimal_mix.py); for two classes the
    accuracy is exact.
    """

    problem: Problem
    real: np.ndarray
    per_m: np.ndarray
    generated: np.ndarray
    labels: np.ndarray
    rivals: tuple[tuple[tuple[int, float], ...], ...]
    shares: np.ndarray
    n: float
    form: tuple[_Spectrum, np.ndarray]
    balance: np.ndarray | None = None

    @classmethod
    def of_setting(cls, setting: Setting) -> Family:
        """The two classes of the paper; the setting's own m, omega and gamma do not matter.

        Raises:
            BadInput: for covariances that do not commute (their eigenvalues are needed).
        """
        whole = replace(setting, m=max(setting.m, 1.0))
        problem = whole.problem()
        own = setting.generator.kind == "self-fitted"
        flat = {name: np.array([value], dtype=float) for name, value in (
            ("n", whole.n), ("mu", 1.0 if np.ndim(whole.mu) else whole.mu), ("beta", whole.generator.beta),
            ("mu_perp", 1.0 if np.ndim(whole.mu) else whole.generator.mu_perp))}
        spectrum, mixing = _mixture_spectrum(whole, flat, len(problem.sources))
        labels = np.array([[wrong_labels(source.wrong) for source in problem.sources]])
        real, per_m = ([0.0], [whole.alpha]) if own else ([whole.n, 0.0], [0.0, whole.alpha])
        generated = np.array([True] if own else [False, True])
        return cls(problem, np.array(real), np.array(per_m), generated, labels, (((0, 1.0),),), np.ones(1), whole.n,
                   (spectrum, mixing[0]))

    @classmethod
    def of_classes(cls, mixture: ClassMixture, tests: Sequence[Law] | None = None, shares: Sequence[float] | None = None) -> Family:
        """Any number of classes; m is divided among them as in the mixture. shares: of fresh samples (equal by default).

        Raises:
            BadInput: for covariances that do not commute, or no generated samples to take the shares of the classes from.
        """
        if sum(mixture.m) == 0:
            raise BadInput("the mixture has no generated samples, so it does not say how m is divided among the classes")
        problem, means, spreads = mixture.problem()
        L = len(mixture.laws)
        pairs = [(i, j) for i in range(L) for j in range(i + 1, L)]
        contrasts = np.array([np.eye(L)[i] - np.eye(L)[j] for i, j in pairs])
        label = np.einsum("al,ktl->akt", contrasts, means)
        spread = np.einsum("al,ktlm,am->akt", contrasts, spreads, contrasts)
        labels = np.stack([label[..., 0], spread[..., 0], label[..., 1], spread[..., 1]], axis=-1)
        generated = np.array([source.name.startswith("s") for source in problem.sources])
        counts = np.array([source.count for source in problem.sources])
        rivals = tuple(tuple((row, 1.0 if i == k else -1.0) for row, (i, j) in enumerate(pairs) if k in (i, j)) for k in range(L))
        tests = tests or mixture.laws
        directions, mixing, errors = distinct_means([*(source.law for source in problem.sources), *tests], problem.center)
        spectrum, basis = _spectrum([source.law.covariance for source in problem.sources], [law.covariance for law in tests], directions,
                                    np.eye(len(directions)), problem.p, errors=errors)
        balance = None
        if mixture.intercept:
            label_shares = counts[generated] @ means[generated, 0] / counts[generated].sum()
            balance = contrasts**2 @ label_shares - (contrasts @ label_shares) ** 2
        weights = np.full(L, 1 / L) if shares is None else np.asarray(shares, dtype=float) / np.sum(shares)
        return cls(problem, np.where(generated, 0.0, counts), np.where(generated, counts, 0.0) / sum(mixture.m), generated, labels, rivals,
                   weights, float(sum(mixture.n)), (spectrum, mixing @ basis), balance)

    def __post_init__(self) -> None:
        if self.form[0].directions is not None:
            raise BadInput("the best mix is found on eigenvalues: give covariances that commute, as vectors in one basis")

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, ...]:
        """eigenvalues (K, L), those of the tests (T, L), their multiplicities (L,), products of the directions (D, D, L), mixing."""
        spectrum, mixing = self.form
        p = float(self.problem.p)
        if spectrum.means is None:  # isotropic: one eigenvalue, p times
            alike = (np.reshape(one, (-1, 1)) for one in (spectrum.covariances, spectrum.tests))
            return *(np.array(one, dtype=float) for one in alike), np.array([p]), np.eye(mixing.shape[1])[:, :, None], mixing
        return (np.array(spectrum.covariances), np.array(spectrum.tests), np.ones(spectrum.means.shape[2]),
                np.ascontiguousarray(spectrum.means), mixing)

    @cached_property
    def _wanted(self) -> np.ndarray:
        """(T, A): which labellings matter to which test."""
        wanted = np.zeros((len(self.rivals), len(self.labels)), dtype=bool)
        for test, rivals in enumerate(self.rivals):
            wanted[test, [row for row, _ in rivals]] = True
        return wanted

    @cached_property
    def size(self) -> float:
        """The mean eigenvalue of what is tested on: the scale that the ridge is searched around."""
        _, tests, multiplicity, _, _ = self._arrays
        return float(np.sum(tests * multiplicity) / (np.sum(multiplicity) * len(tests)))

    @property
    def n_or_one(self) -> float:
        """The number of real samples, or 1 without any."""
        return self.n or 1.0

    def at(self, m: float, omega: float, gamma: float, *, slopes: Sequence[str] = DIRECTIONS) -> Value:
        """The predicted accuracy there, and its slopes along some of DIRECTIONS.

        Raises:
            BadInput: for numbers outside their range.
            NotConverged: if the fixed point was not solved.
        """
        number("m", m, 0)
        number("omega", omega, 0, open_low=True)
        number("gamma", gamma, 0, open_low=True)
        eigenvalues, tests, multiplicity, means, mixing = self._arrays
        N = self.n + m
        number("the number of samples", N, 0, open_low=True)
        columns, rates = self._columns(m, omega, N)
        wanted = [DIRECTIONS.index(name) for name in slopes]
        K, A, T, G = len(columns), len(self.labels), len(tests), len(wanted)
        q, margins, variances = np.empty(K), np.empty((T, A)), np.empty((T, A))
        margin_rates, variance_rates = np.zeros((G, T, A)), np.zeros((G, T, A))
        common = (columns, self.labels, gamma, eigenvalues, tests, multiplicity / N, means, mixing, q, margins, variances,
                  self.problem.intercept)
        relative = kernels.spectral_point(*common)
        if not relative <= kernels.TOLERANCE or not (np.isfinite(margins).all() and np.all(variances >= 0)):
            raise NotConverged(f"the mix at m={m:g}, omega={omega:g}, gamma={gamma:g} was not solved: relative residual {relative:.1e}")
        if wanted:
            gamma_rates, h_rates = np.array([0.0, gamma, 0.0, 0.0])[wanted], np.array([0.0, 0.0, -1 / N, -1 / N])[wanted]
            still = np.zeros((G, *self.labels.shape))
            tangents.spectral_slopes(columns, rates[wanted], self.labels, still, gamma, gamma_rates, eigenvalues, tests, multiplicity / N,
                                     h_rates, means, mixing, q, self._wanted, margin_rates, variance_rates, self.problem.intercept)
        self._unbalance(m, omega, variances, variance_rates, wanted)
        accuracy, gradient = self._accuracy(margins, variances, margin_rates, variance_rates)
        return Value(accuracy, **{f"d_{name}": float(slope) for name, slope in zip(slopes, gradient, strict=True)})

    def _columns(self, m: float, omega: float, N: float) -> tuple[np.ndarray, np.ndarray]:
        """The columns of the sources (K, 6) and their rates (G, K, 6)."""
        columns = problem_columns(self.problem)
        scale = self.problem.N / N  # FIT and BASE are per sample of the family's own problem
        columns[:, kernels.FIT] /= scale
        columns[:, kernels.BASE] *= scale
        columns[:, kernels.THETA] = (self.real + self.per_m * m) / N
        columns[:, kernels.WEIGHT] = np.where(self.generated, omega, 1.0)
        rates = np.zeros((len(DIRECTIONS), *columns.shape))
        rates[0, :, kernels.WEIGHT] = np.where(self.generated, omega, 0.0)
        for row, counts in ((2, self.per_m), (3, self.real / max(self.n, 1e-300))):
            rates[row, :, kernels.THETA] = (counts - columns[:, kernels.THETA]) / N
            rates[row, :, kernels.FIT] = columns[:, kernels.FIT] / N
            rates[row, :, kernels.BASE] = -columns[:, kernels.BASE] / N
        train = columns[:, kernels.BASE] > 0  # fitted on the real samples that train: n_hat grows with n
        rates[3, train, kernels.FIT] -= columns[train, kernels.FIT] / self.n
        rates[3, train, kernels.BASE] += columns[train, kernels.BASE] / self.n
        return columns, rates

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


def best_mix(
    family: Family, budget: float, *, m: float | None = None, omega: float | None = None, gamma: float | None = None,
    near: Optimum | None = None,
) -> Optimum:  # fmt: skip
    """The m up to `budget`, omega and gamma of the best predicted accuracy; what is given stays as it is.

    The ascent (L-BFGS-B) is in log omega, the logarithm of the ridge of the sums, gamma N, and m, from the best of a screened grid of
    starting points, since the accuracy need not be concave; near: from there alone. What ascends is the accuracy in standard deviations,
    which does not saturate. At m = 0 omega does not matter and is returned as 1.

    Raises:
        BadInput: for a negative budget, or no samples at all.
        NotConverged: if no mix was solved.
    """
    from scipy.optimize import minimize
    from scipy.special import ndtri

    number("the budget", budget, 0)
    if m is None and budget == 0:
        m = 0.0
    if m is not None and m == 0:
        omega = 1.0
    free = [name for name, given in (("omega", omega), ("ridge", gamma), ("m", m)) if given is None]
    asked = tuple({"omega": "log_omega", "ridge": "log_gamma", "m": "m"}[name] for name in free)
    calls = 0

    def mix(x: Sequence[float]) -> tuple[float, float, float]:
        put = dict(zip(free, x, strict=True))
        many = put["m"] * budget if "m" in put else m
        weight = math.exp(put["omega"]) if "omega" in put else omega
        ridge = math.exp(put["ridge"]) * family.size * family.n_or_one / (family.n + many) if "ridge" in put else gamma
        return many, weight, ridge

    def value(x: Sequence[float]) -> tuple[float, np.ndarray]:
        nonlocal calls
        calls += 1
        many, weight, ridge = mix(x)
        try:
            found = family.at(many, weight, ridge, slopes=asked)
        except NotConverged:  # a corner that arithmetic does not reach: nothing to look for there
            return NEVER, np.zeros(len(free))
        along_m = found.d_m - (found.d_log_gamma / (family.n + many) if "ridge" in free else 0.0)  # at one ridge of the sums
        slopes = {"omega": found.d_log_omega, "ridge": found.d_log_gamma, "m": budget * along_m}
        z = float(ndtri(min(max(found.accuracy, NEARLY), 1 - NEARLY)))
        return -z, -np.array([slopes[name] for name in free]) * math.sqrt(2 * math.pi) * math.exp(z * z / 2)

    def screened(x: Sequence[float]) -> float:
        try:
            return -family.at(*mix(x), slopes=()).accuracy
        except NotConverged:
            return NEVER

    starts = [[]]
    for name in free:
        tried = {"omega": STARTS_OMEGA, "ridge": STARTS_RIDGE, "m": (0.1, 1.0)}[name]
        if near is not None:
            tried = {"omega": (math.log(near.omega),), "m": (near.m / (budget or 1.0),), "ridge": (
                math.log(near.gamma * (family.n + near.m) / (family.size * family.n_or_one)),)}[name]
        starts = [[*start, one] for start in starts for one in tried]
    if len(starts) > 1:
        starts.sort(key=screened)
        calls += len(starts)
    bounds = [(0.0, 1.0) if name == "m" else (-WIDEST, WIDEST) for name in free]
    best: tuple[float, Sequence[float]] | None = None
    for start in starts[:ASCENTS]:
        x = np.clip(start, *zip(*bounds, strict=True)) if free else start
        ascended = x
        if free:
            ascended = minimize(value, x, jac=True, method="L-BFGS-B", bounds=bounds,
                                options={"ftol": ALIKE, "gtol": SLOPE, "maxiter": STEPS}).x  # fmt: skip
        for end in (ascended, x):  # an ascent may end where nothing is solved
            if (accuracy := -screened(end)) > (best[0] if best else -NEVER):
                best = accuracy, end
    if best is None and near is not None:  # the neighbour's mix is in a corner here: look everywhere
        return best_mix(family, budget, m=m, omega=omega, gamma=gamma)
    if best is None and "ridge" in free:  # where nothing else is solved, a heavy ridge is
        heavier = [[heavy if name == "ridge" else one for name, one in zip(free, starts[0], strict=True)] for heavy in HEAVY_RIDGE]
        best = max((-screened(start), start) for start in heavier)
    if best is None or best[0] == -NEVER:
        family.at(*mix(starts[0]), slopes=())  # says why
        raise NotConverged("no mix was solved")
    many, weight, ridge = mix(best[1])
    return Optimum(float(many), float(weight) if many else 1.0, float(ridge), best[0], calls)


def settled(family: Family, found: Optimum, loss: float) -> Optimum:
    """The same mix with a weight nearer 1 and a smaller ridge, at most `loss` less accurate.

    Where the synthetic samples are all that counts, or the ridge outweighs every direction, the accuracy is level, and the limit knows no
    reason to stop. Finite samples do: there the intercept and whatever else the limit neglects are felt.
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
