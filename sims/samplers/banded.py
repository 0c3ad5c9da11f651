"""The fast path of the `sufficient` sampler: where one isotropic Wishart matrix is involved, a trial is O(p).

Only d <= 5 directions matter then: the means, and the label-carrying sum of each group of samples (see
`sims.samplers.sufficient`). Let them span the first d coordinates. The scatter Z^T Z of the other samples is invariant under
rotations of the samples and of the coordinates beyond the d-th, so that, as in Golub-Kahan bidiagonalisation but
stopped d columns to the right, Z may be replaced by an upper-banded R: a reflection of the samples clears column i
below row i and leaves a chi variable there, then one of the coordinates clears row i right of column i + d and
leaves another chi variable there, and everything between is still standard normal. The Gram matrix is R^T R plus a
block in the first d coordinates, a band; many trials are factorised together, one row at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from ...solvers.problem import Setting
from ..trial import Mixture, check_finite

DOUBLES = 1 << 20  # of one array of bands; more trials than fit are factorised in turns
MOST_DIRECTIONS = 5
FAINT = 1e-10  # times the size of the Gram matrix, the ridge below which rounding decides a singular one


@dataclass(frozen=True)
class Group:
    """Samples that share mean and label.

    Attributes
    ----------
    always : int
        How many there are in every trial.
    fate : int or None
        The synthetic samples of this fate (its place in `Mixture.fates`) belong to the group too.
    label : float
    mean : array (2,)
        In the plane of the means.
    """

    always: int
    fate: int | None
    label: float
    mean: np.ndarray


@dataclass(frozen=True, eq=False)
class Banded:
    """The fast path of the sufficient sampler: trials of a mixture with one isotropic Wishart matrix.

    Attributes
    ----------
    mixture : Mixture
        One for whose setting `applies` is true.
    """

    mixture: Mixture

    @staticmethod
    def applies(s: Setting) -> bool:
        """Return whether one isotropic Wishart matrix is all there is, because one source is alone or both are alike.

        Not where there may be fewer samples than features and next to no ridge: the band is then singular in floating point, and
        the dual system of `Sufficient` is not.
        """
        if s.p <= MOST_DIRECTIONS or np.ndim(s.covariance) or np.ndim(s.generator.covariance):
            return False
        real, kept = float(s.covariance), s.m * s.verifier.alpha(s.epsilon)
        generated = real if s.generator.covariance is None else float(s.generator.covariance)
        if s.n + kept < 2 * s.p and s.ridge.gamma * s.N < FAINT * (s.n * real + s.omega * kept * generated):
            return False
        if not kept:
            return s.n > 0
        return s.generator.kind == "exact" and (s.n == 0 or (generated == real and s.omega == 1))

    @staticmethod
    def doubles(setting: Setting) -> float:
        """Return about how many numbers are held at once while trials are drawn."""
        return 6.0 * max(DOUBLES, setting.p * (MOST_DIRECTIONS + 1))

    @cached_property
    def plane(self) -> np.ndarray:
        """Coordinates of mu and mu_beta (its columns) in the plane they span, 2 x 2 and upper triangular."""
        return np.linalg.qr(np.stack([self.mixture.mu, self.mixture.mu_beta], axis=1), mode="r")

    @cached_property
    def mean_directions(self) -> int:
        """1, or 2 where mu_beta is not along mu."""
        return 1 + bool(abs(self.plane[1, 1]) > 1e-12 * np.abs(self.plane).max())

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups that can have samples; where real and synthetic means agree, those of right labels are one."""
        mix, (mu, mu_beta) = self.mixture, self.plane.T
        right, wrong = (mix.keeps and mix.fates[fate] > 0 for fate in (0, 1))
        merged = mix.n > 0 and right and np.array_equal(mix.mu, mix.mu_beta)
        groups = []
        if mix.n:
            groups.append(Group(mix.n, 0 if merged else None, 1.0, mu))
        if right and not merged:
            groups.append(Group(0, 0, 1.0, mu_beta))
        if wrong:
            groups.append(Group(0, 1, -1.0, mu_beta))
        return tuple(groups)

    @cached_property
    def directions(self) -> int:
        """d, the number of directions that matter."""
        return self.mean_directions + len(self.groups)

    def draws(self, streams: Iterable[np.random.Generator]) -> np.ndarray:
        """Return mean margin and variance of one trial a stream, (trials, 2)."""
        at_once = max(1, DOUBLES // (self.mixture.setting.p * (self.directions + 1)))
        streams, results = iter(streams), []
        while drawn := [self._draw(rng) for rng in islice(streams, at_once)]:
            results.append(self._solve(*(np.stack(part, axis=-1) for part in zip(*drawn, strict=False))))
        return np.concatenate(results)

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The random numbers of one trial: counts of the groups, squared chi variables over 2, standard normals."""
        mix, g, p, d = self.mixture, len(self.groups), self.mixture.setting.p, self.directions
        fates = rng.multinomial(mix.m, mix.fates).tolist() if mix.m else []
        counts = [group.always + (0 if group.fate is None else fates[group.fate]) for group in self.groups]
        dof = sum(max(count - 1, 0) for count in counts)
        shapes = self._shapes.copy()
        shapes[:p] += dof / 2
        np.maximum(shapes, 0, out=shapes)  # no rows beyond the dof-th
        return np.array(counts), rng.standard_gamma(shapes), rng.standard_normal(g * d + p * (d - 1))

    @cached_property
    def _shapes(self) -> np.ndarray:
        """Half the degrees of freedom of the p diagonal and p outermost entries of R and of the groups' own entries."""
        p = self.mixture.setting.p
        steps = np.arange(p)
        own = p - self.mean_directions - np.arange(len(self.groups))
        return np.concatenate([-steps, p - self.directions - steps, own]) / 2

    def _solve(self, counts: np.ndarray, gammas: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(mean margin, variance) of the classifiers of many trials, which are the last axis throughout."""
        mix, s = self.mixture, self.mixture.setting
        p, d, q, g = s.p, self.directions, self.mean_directions, len(self.groups)
        root, weight = (mix.real.root, 1.0) if mix.n else (mix.generated.root, s.omega)
        chis = np.sqrt(2 * gammas)
        rows = np.empty((p, d + 1, counts.shape[1]))
        rows[:, 0], rows[:, 1:d], rows[:, d] = chis[:p], normals[g * d :].reshape(p, d - 1, -1), chis[p : 2 * p]
        rows *= (chis[:p] > 0)[:, None]
        band = gram_band(rows) * (weight * root**2)
        band[:, 0] += s.ridge.gamma * s.N
        moment = np.zeros((d, counts.shape[1]))
        for i, (group, count) in enumerate(zip(self.groups, counts, strict=False)):
            total = root * normals[i * d : (i + 1) * d]  # in the i-th group's Bartlett column q + i entries are not 0
            total[q + i], total[q + i + 1 :] = root * chis[2 * p + i], 0
            total[:q] += np.outer(group.mean[:q], np.sqrt(count))
            total *= count > 0
            moment += weight * group.label * np.sqrt(count) * total
            for a in range(d):
                band[a, : a + 1] += weight * total[a] * total[a::-1]
        check_finite(band[:, 0], moment)
        w = solve_band(band, moment)
        margin = sum(self.plane[a, 0] * w[a] for a in range(q))
        norm = sum(row * row for row in w)  # np.sum would order the terms, and so round, by the number of trials
        return np.stack([margin, mix.real.root**2 * norm], axis=1)


def gram_band(rows: np.ndarray) -> np.ndarray:
    """Return R^T R of an upper-banded R: band[j, s] = (R^T R)[j - s, j] from rows[i, s] = R[i, i + s].

    Both are (p, d + 1, trials); entries outside R are not looked at.
    """
    p, width, _ = rows.shape
    band = np.zeros_like(rows)
    for a in range(width):
        for s in range(width - a):
            band[a + s :, s] += rows[: p - a - s, a] * rows[: p - a - s, a + s]
    return band


def solve_band(band: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Solve T w = (moment, 0, ..., 0) for positive definite banded T, as U U^T w: w is (p, trials).

    Elimination starts from the last row, so that the right side stays in the first d.

    Parameters
    ----------
    band : array (p, d + 1, trials)
        T[j - s, j] at [j, s]; becomes U[j - s, j].
    moment : array (d, trials)
    """
    p, d = band.shape[0], band.shape[1] - 1
    for j in reversed(range(p)):
        column = band[j]
        column[0] = np.sqrt(column[0])
        column[1:] /= column[0]
        for s in range(1, min(d, j) + 1):
            band[j - s, : d + 1 - s] -= column[s] * column[s:]
    w = np.zeros((p, band.shape[2]))
    for j in reversed(range(d)):
        w[j] = (moment[j] - sum(band[k, k - j] * w[k] for k in range(j + 1, d))) / band[j, 0]
    for j in range(p):
        for s in range(1, min(d, j) + 1):
            w[j] -= band[j, s] * w[j - s]
        w[j] /= band[j, 0]
    return w
