"""Every round of relabelling in the limit, with the memory that labels have of themselves (derivations/special/relabelling.py).

What `RelabelledMix(alpha, noise=..., fit_intercept=False)` does in its rounds, on isotropic classes and an exact generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from ..support.errors import BadInput, NotConverged, number
from .compiling import njit
from .generated import relabelling as generated
from .limit import isotropic, isotropic_variance
from .problem import Problem, Setting

PATHS, SCRAMBLES = 11, 8  # paths of scores, 2^11 of them in each of so many independent sets, whose spread tells the error
NEW = 1e-7  # share of a score's variance that is not worth averaging over
STEEPEST = 1e3  # slope of the log-odds in a score of mean square 1


@njit(cache=True, error_model="numpy")
def _labels(scores, slope, log_odds):
    """Labels of left-out scores (K, paths) of kinds with these log-odds (K,), and their derivatives in the scores."""
    label, label_score = np.empty_like(scores), np.empty_like(scores)
    for k in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            label[k, i], label_score[k, i] = generated.soft_label(scores[k, i], slope, log_odds[k])
    return label, label_score


@njit(cache=True, error_model="numpy")
def _evidence(scores, slope, log_odds, weight):
    """The derivative of the log-likelihood of all given labels in the slope."""
    total = 0.0
    for k in range(scores.shape[0]):
        mean = 0.0
        for i in range(scores.shape[1]):
            label = generated.soft_label(scores[k, i], slope, log_odds[k])[0]
            mean += generated.evidence(scores[k, i], slope, label)
        total += weight[k] * mean / scores.shape[1]
    return total


@dataclass(frozen=True, eq=False)
class Rounds:
    """Classifiers of all rounds; every array is (rounds + 1,), the first entry that without relabelling.

    Attributes
    ----------
    mean_margin, variance, accuracy
        Of a fresh sample.
    slope
        What a left-out score is multiplied by to give half of the log-odds of its label.
    error
        Standard error of the accuracy, from independent sets of paths (7 degrees of freedom).
    """

    mean_margin: np.ndarray
    variance: np.ndarray
    accuracy: np.ndarray
    slope: np.ndarray
    error: np.ndarray


def predict_relabelling(problem: Setting | Problem, rounds: int, *, memory: bool = True, seed: int = 0) -> Rounds | None:
    """Return the classifiers of every round of relabelling; None where isotropic classes and an exact generator are not given.

    Parameters
    ----------
    problem
        Its samples, ridge and weights; the share of wrong labels is known to the relabelling.
    rounds : int
    memory : bool
        False: with labels that do not remember themselves, which is wrong, and what a check should reject.
    seed : int
        Of the paths over which is averaged (Sobol's points, scrambled).

    Raises
    ------
    BadInput
        For a ridge of 0, or no sample.
    NotConverged
        Where a round has no finite solution in floating point.
    """
    rounds = int(number("rounds", rounds, 0))
    found = isotropic(problem)
    if found is None:
        return None
    problem = problem.problem() if isinstance(problem, Setting) else problem
    noise = isotropic_variance(problem.test)
    if not noise:
        raise BadInput("relabelling is predicted for noisy samples: the covariance must be above 0")
    alpha = problem.ridge.gamma * problem.N / noise
    if not alpha:
        raise BadInput("relabelling needs a ridge gamma above 0")
    weights = np.array([source.weight for source in problem.sources])
    counts, log_odds, mu = found
    kinds = _Kinds.of(counts * problem.p, log_odds, weights)
    found = np.array([_Paths(kinds, alpha, problem.p, mu, rounds + 1, memory, [seed, scramble]).run() for scramble in range(SCRAMBLES)])
    if not np.all(np.isfinite(found)):
        raise NotConverged("the rounds of relabelling were not solved: take a heavier ridge or fewer rounds")
    return Rounds(*found.mean(axis=0), found[:, 2].std(axis=0, ddof=1) / np.sqrt(SCRAMBLES))


@dataclass(frozen=True, eq=False)
class _Kinds:
    """Samples of one source with right, and with wrong labels: numbers, signs, log-odds L of right labels, weights, all (K, 1)."""

    count: np.ndarray
    sign: np.ndarray
    log_odds: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray, log_odds: np.ndarray, weights: np.ndarray) -> _Kinds:
        wrong = 1 / (1 + np.exp(2 * log_odds))
        rows = [(count * share, sign, L, c) for count, L, c, e in zip(counts, log_odds, weights, wrong, strict=True)
                for share, sign in ((1 - e, 1.0), (e, -1.0)) if count * share * c > 0]
        if not rows:
            raise BadInput("there is no training sample with a weight above 0")
        return cls(*np.array(rows).T[:, :, None])


class _Paths:
    """The scores of one sample of every kind along many paths of Gaussians, round after round.

    Arrays are (rounds, K, paths); response is Delta, overlaps Q, forces V and pulls F of the derivation.
    """

    def __init__(self, kinds: _Kinds, alpha: float, p: int, mu: float, rounds: int, memory: bool, seed: list[int]) -> None:
        self.kinds, self.alpha, self.p, self.mu, self.memory = kinds, alpha, p, mu, memory
        uniform = qmc.Sobol(rounds, seed=np.random.default_rng(seed)).random_base2(PATHS)
        self.normal = ndtri(np.clip(uniform, 1e-12, 1 - 1e-12)).T
        self.shape = (len(kinds.count), self.normal.shape[1])
        self.rounds = rounds
        total = (kinds.count * kinds.weight).sum()
        self.delta = brentq(lambda d: d * (alpha + (kinds.count * kinds.weight / (1 + kinds.weight * d)).sum()) - p, 0, p / alpha * 1.01,
                            xtol=1e-300, rtol=1e-14) if total else p / alpha
        self.kappa = kinds.weight / (1 + kinds.weight * self.delta)
        self.weight = kinds.count * self.kappa  # of an average over a kind in F, V and Phi
        self.scores, self.force = np.zeros((2, rounds, *self.shape))
        self.score_slopes, self.force_slopes = np.zeros((2, rounds, rounds, *self.shape))  # [t, r]: along xi_r
        self.response, self.slopes = np.zeros((2, rounds, rounds))
        self.Phi, self.overlaps, self.forces, self.root = np.zeros((4, rounds, rounds))
        self.pulls = np.zeros(rounds)

    def run(self) -> np.ndarray:
        """Return mean margin, variance, accuracy and slope of all rounds, (4, rounds)."""
        found = np.zeros((4, self.rounds))
        label, along = np.broadcast_to(np.tanh(self.kinds.log_odds), self.shape), np.zeros((self.rounds, *self.shape))
        for t in range(self.rounds):
            mean, square = self._round(t, label, along)
            slope = self._slope(self.scores[t])
            found[:, t] = mean, square, ndtr(mean / np.sqrt(square)) if square > 0 else 0.5, slope
            label, label_score = _labels(self.scores[t], slope, self.kinds.log_odds[:, 0])
            along = label_score * self.score_slopes[t]
        return found

    def _mean(self, values: np.ndarray) -> float:
        """The weighted sum over all samples."""
        return float((self.weight * values.mean(axis=-1, keepdims=True)).sum())

    def _round(self, t: int, label: np.ndarray, along: np.ndarray) -> tuple[float, float]:
        """Solve round t, given its labels and their derivatives along xi (rounds, K, paths): its mean margin and variance."""
        sign, delta, past = self.kinds.sign, self.delta, slice(0, t)
        self._respond(t, along)
        memory = self.response[t, past] if self.memory else np.zeros(t)
        target = label - np.tensordot(memory, self.force[past], 1)
        target_slopes = along - np.tensordot(memory, self.force_slopes[past], 1)
        pull = self._mean(np.ones(self.shape))
        mean = generated.mean_margin(self.mu, self.p, delta, self.response[t, past] @ self.pulls[past], pull, self._mean(sign * target))
        self.pulls[t] = self._mean(sign * target) - pull * mean
        own, square = self._overlaps(t, mean, target, target_slopes)
        self.overlaps[t, past] = self.overlaps[past, t] = own
        self.overlaps[t, t] = square
        self._extend_root(t, own, square)
        fresh = np.tensordot(self.root[t, : t + 1], self.normal[: t + 1], 1)
        self.scores[t] = sign * mean + fresh + label - target
        self.force[t] = self.kappa * (label - self.scores[t])
        self.score_slopes[t] = along - target_slopes
        self.score_slopes[t, t] += 1
        self.force_slopes[t] = self.kappa * (along - self.score_slopes[t])
        self.forces[t, t] = self._mean(self.force[t] ** 2 / self.kappa)
        return mean, square

    def _extend_root(self, t: int, own: np.ndarray, square: float) -> None:
        """One more row of the triangular root of Q. Once the rounds have converged, a score says nothing new: its diagonal is then 0."""
        row = self.root[t]
        for r in range(t):
            if self.root[r, r]:
                row[r] = (own[r] - self.root[r, :r] @ row[:r]) / self.root[r, r]
        explained = row @ row
        if square - explained > NEW * square:
            row[t] = np.sqrt(square - explained)
        elif explained:
            row *= np.sqrt(square / explained)

    def _respond(self, t: int, along: np.ndarray) -> None:
        """What round t still feels of the force of every earlier one: the row of Delta, from that of Phi, which depends on it."""
        self.response[t, t] = self.delta
        if not t:
            return
        labels = np.array([self._mean(along[r]) for r in range(t)])
        kept = np.array([[self._mean(self.force_slopes[q, r]) for r in range(t)] for q in range(t)])
        through = self.delta / self.p * self.response[:t, :t]
        # Delta_t = Phi_t Delta delta / p, Phi_t = labels - Delta_t kept
        step = (kept if self.memory else np.zeros((t, t))) @ through
        self.response[t, :t] = np.linalg.solve((np.eye(t) + step).T, labels @ through)

    def _overlaps(self, t: int, mean: float, target: np.ndarray, target_slopes: np.ndarray) -> tuple[np.ndarray, float]:
        """Q_tr for r < t, and Q_tt; the row of V on the way."""
        p, delta, sign, row = self.p, self.delta, self.kinds.sign, self.response[t, :t]
        response, forces, means = self.response[:t, :t], self.forces[:t, :t], self._margins(t)
        scale = self.mu**2 or 1.0
        known = np.array([self._mean((target - sign * mean) * self.force[r]) for r in range(t)])
        stein = np.array([[self._mean(self.force_slopes[r, q]) for q in range(t)] for r in range(t)])
        # V_tr = known_r - sum_q Q_tq stein_rq;  Q_tr = m_t m_r / mu^2 + (row V Delta^T)_r / p + delta / p (V_t Delta^T)_r
        free = mean * means / scale + (row @ forces + delta * known) @ response.T / p
        own = np.linalg.solve(np.eye(t) + delta / p * response @ stein, free) if t else np.zeros(0)
        self.forces[t, :t] = self.forces[:t, t] = known - stein @ own
        cross = row @ (2 * delta * self.forces[t, :t] + forces @ row)
        along = sum(own[q] * target_slopes[q] for q in range(t)) if t else 0.0
        square = self._mean(self.kappa * ((target - sign * mean) ** 2 - 2 * along))
        second = self._mean(self.kappa * np.ones(self.shape))
        return own, generated.variance(self.mu or 1.0, p, delta, mean, cross, second, square)

    def _margins(self, t: int) -> np.ndarray:
        """m_r for r < t."""
        return self.mu**2 / self.p * self.response[:t, :t] @ self.pulls[:t]

    def _slope(self, scores: np.ndarray) -> float:
        """The most likely slope of the log-odds."""
        weight, log_odds = (self.kinds.count * self.kinds.weight)[:, 0], self.kinds.log_odds[:, 0]
        unit = np.sqrt(np.average(np.mean(scores**2, axis=1), weights=weight))
        if not unit > 0 or _evidence(scores / unit, 0.0, log_odds, weight) <= 0:
            return 0.0
        top = 1.0
        while _evidence(scores / unit, top, log_odds, weight) > 0:
            top *= 2
            if top > STEEPEST:
                return STEEPEST / unit
        return brentq(lambda slope: _evidence(scores / unit, slope, log_odds, weight), 0.0, top, rtol=1e-10) / unit
