"""Was the generator of a file fitted on the user's own real rows?

Such a generator knows nothing that these rows do not say, and leave-one-out takes its rows for better than they are: a real row that is
left out has already shaped them. Four signs give it away:

- Its class means agree with those of the real rows better than the sampling error of the latter allows, in standardised features or in the
  metric of the within-class covariance, whichever says it more precisely. Every generator that reproduces means does, from Gaussians to
  SMOTE.
- Its rows lie nearer to real rows than to each other, and nearer to real rows than those to each other. Independent samples cannot, of
  whatever two laws: half of the squared distances within two samples, added up, never exceeds those between them on average.
- Some of its rows are copies of real rows.
- Its columns end exactly where those of the real rows do: many packages clip what they make to the range of what they were fitted on.

A generator that reproduces nothing well (a GAN after a few hundred steps, one copula for all columns) shows none of them, and no file can
show that its generator saw other rows: it may be as far from the real rows because it is bad. So where the user has not said and no sign is
found, it stays unknown, and the verdict depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .population import trace_of_square

SAME_ROWS = 0.5  # mean distances below this, if known well enough, say that the generator was fitted on the real rows
FLOOR = 1e-1  # of the mean variance, added in the within-class metric
NEAR = 0.5  # the share of comparisons in which rows of independent samples are the nearer ones, at most
SIGMAS = 3.0
COPY, MOST_COPIES = 1e-9, 0.005  # distance of a copy, in standard deviations; the share of copies that is accident
DISTINCT = 0.9  # the share of different values that makes a column continuous: others end alike by accident
ENDS, FEWEST = 0.25, 3  # the share of ends of continuous columns that agree, and their number, that are no accident
MOST_ROWS = 500  # rows compared with each other

FittedOn = Literal["own rows", "unknown"]


@dataclass(frozen=True)
class Provenance:
    """Signs of the rows that a file's generator was fitted on, and the conclusion.

    Attributes
    ----------
    fitted_on
        The conclusion: the user's own real rows, or unknown.
    why
        The reason, as a clause that follows "the generator was fitted on your real rows: ".
    distance, distance_se
        Distance between the generator's class means and those of the real rows, in units of the sampling errors of the latter: about 0 for
        a generator fitted on these rows, 1 or more for any other.
    nearer
        The share of comparisons in which a synthetic row is nearer to its nearest real row than rows of one kind are to each other.
    copies
        The share of synthetic rows that equal a real row.
    ends
        The share of the ends of continuous columns, lowest and highest values, that are the same in both.
    """

    fitted_on: FittedOn
    why: str
    distance: float
    distance_se: float
    nearer: float
    copies: float
    ends: float


@dataclass(frozen=True, eq=False)
class LabelledMeans:
    """Real rows and the kept synthetic rows, by class and by label.

    Attributes
    ----------
    real, codes : arrays (n, p) and (n,)
        Real rows and their classes.
    synthetic, labels : arrays (m, p) and (m,)
        Kept synthetic rows and their labels.
    shares : array (L, L)
        How the synthetic rows with each label (row) divide among the classes (column).
    """

    real: np.ndarray
    codes: np.ndarray
    synthetic: np.ndarray
    labels: np.ndarray
    shares: np.ndarray

    def distance(self) -> tuple[float, float]:
        """`Provenance.distance` and its standard error, in the metric of the features as they are."""
        L = len(self.shares)
        n, m = np.bincount(self.codes, minlength=L), np.bincount(self.labels, minlength=L)
        real_means, means = (np.array([X[which == k].mean(axis=0) for k in range(L)])
                             for X, which in ((self.real, self.codes), (self.synthetic, self.labels)))
        residuals = self.real - real_means[self.codes]
        size = np.mean(np.sum(residuals**2, axis=1)) * len(residuals) / (len(residuals) - L)
        scatter = np.mean(np.sum((self.synthetic - means[self.labels]) ** 2, axis=1)) * len(self.labels) / (len(self.labels) - L)
        expected, noise = size * np.sum(self.shares**2 / n), scatter * np.sum(1 / m)
        distance = (np.sum((means - self.shares @ real_means) ** 2) - noise) / expected
        relative = np.sqrt(2 * max(trace_of_square(residuals), 0.0) / L) / size
        return float(distance), float(relative * (1 + noise / expected))

    def within_metric(self) -> LabelledMeans:
        """Return these rows in the metric of the real rows' within-class covariance."""
        L = len(self.shares)
        means = np.array([self.real[self.codes == k].mean(axis=0) for k in range(L)])
        residuals = self.real - means[self.codes]
        _, sizes, directions = np.linalg.svd(residuals / np.sqrt(len(residuals)), full_matrices=False)
        turn = directions.T / np.sqrt(sizes**2 + FLOOR * np.mean(sizes**2))
        return LabelledMeans(self.real @ turn, self.codes, self.synthetic @ turn, self.labels, self.shares)


def provenance(rows: LabelledMeans) -> Provenance:
    """Find out from the rows of a file which rows its generator was fitted on."""
    distance, se = min(rows.distance(), rows.within_metric().distance(), key=lambda one: one[1])
    nearer, error, copies = _nearest(rows.real, rows.synthetic)
    ends, enough = _common_ends(rows.real, rows.synthetic)
    signs = (
        (copies > MOST_COPIES, f"{100 * copies:.0f}% of its rows are copies of real rows"),
        (ends > ENDS and enough, f"{100 * ends:.0f}% of its columns' lowest and highest values are exactly those of your rows"),
        (nearer > NEAR + SIGMAS * error, "its rows lie nearer to real rows than independent rows could"),
        (distance < min(SAME_ROWS, 1 - 2 * se), "its class means agree with those of your rows better than those of other rows could"),
    )
    why = next((why for found, why in signs if found), "")
    return Provenance("own rows" if why else "unknown", why, distance, se, nearer, copies, ends)


def _common_ends(real: np.ndarray, synthetic: np.ndarray) -> tuple[float, bool]:
    """`Provenance.ends`, and whether so many of them agree that it is no accident of few columns."""
    continuous = np.array([len(np.unique(column)) >= DISTINCT * len(real) for column in real.T])
    if not continuous.any():
        return 0.0, False
    real, synthetic = real[:, continuous], synthetic[:, continuous]
    near = COPY * real.std(axis=0)
    same = [np.abs(end(real, axis=0) - end(synthetic, axis=0)) <= near for end in (np.min, np.max)]
    return float(np.mean(same)), int(np.sum(same)) >= FEWEST


def _nearest(real: np.ndarray, synthetic: np.ndarray) -> tuple[float, float, float]:
    """`Provenance.nearer` with its standard error, and `Provenance.copies`.

    Each synthetic row's distance to the nearest of n real rows is compared with the distances of real rows to the nearest of the n - 1
    others, and of synthetic rows to the nearest of n - 1 others: the smaller of the two shares in which it is the nearer.
    """
    rng = np.random.default_rng(0)
    real = real[rng.permutation(len(real))[:MOST_ROWS]]
    made = synthetic[rng.permutation(len(synthetic))[: 2 * MOST_ROWS]]
    asked = made[: max(len(made) // 2, 1)]
    to_real = _distances(asked, real).min(axis=1)
    among_real = _distances(real, real)
    np.fill_diagonal(among_real, np.inf)
    among_real = among_real.min(axis=1)
    rest = made[len(asked) :][: len(real) - 1]
    size = len(rest)
    if size < 2:
        return 0.0, 1.0, _copies(to_real, among_real)
    to_few_real = to_real if size >= len(real) - 1 else _distances(asked, real[:size]).min(axis=1)
    among_made = _distances(asked, rest).min(axis=1)
    nearer = min(_share_below(to_real, among_real), _share_below(to_few_real, among_made))
    return nearer, float(np.sqrt(0.25 / min(len(real), len(asked)))), _copies(to_real, among_real)


def _copies(to_real: np.ndarray, among_real: np.ndarray) -> float:
    """The share of copies beyond what duplicates among the real rows make natural, with the error of their share where there are any."""
    n, alike = len(among_real), float(np.mean(among_real < COPY))
    accident = alike + SIGMAS * np.sqrt(alike * (1 - alike) * (1 / n + 1 / len(to_real)))
    return max(float(np.mean(to_real < COPY)) - float(accident), 0.0)


def _share_below(low: np.ndarray, high: np.ndarray) -> float:
    """The probability that an entry of `low` is below one of `high`; ties count half."""
    order = np.sort(high)
    below = len(high) - np.searchsorted(order, low, side="right")
    ties = np.searchsorted(order, low, side="right") - np.searchsorted(order, low, side="left")
    return float(np.mean(below + ties / 2) / len(high))


def _distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return cdist(left, right)
