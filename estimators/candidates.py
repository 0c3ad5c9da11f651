"""Classifiers of many ridges and weights, and the choice among them.

Leave-one-out knows the features as they are, but from few samples only: at n = p = 50 the ridge that it prefers costs 2 points of
accuracy against the best. The theory varies less from sample to sample, but knows Gaussian classes only: on features of a language
model the ridge that it prefers costs 2 points. The mean of the two accuracies has the flaws of neither (docs/advise.md), so that is
what chooses where there is a theory; without one leave-one-out chooses alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .leave_one_out import LeaveOneOut, sharpened

ALPHAS = np.geomspace(1e-4, 1e4, 33)  # times the mean scatter of a feature of the real samples
SHARES = np.geomspace(1 / 30, 30, 7)  # the weight of all synthetic samples together, in that of all real ones
FEW_ALPHAS, FEW_SHARES = slice(None, None, 4), slice(None, None, 2)  # where every point of the grid costs several factorisations
DRAWS = 100  # random samples of the samples, to take the optimism out of a choice
LEVEL = 0.5  # standard errors of a lead within which a larger ridge is preferred
PLATEAU = 1e-9  # of accuracy: what differs by less is alike, and rounding does not choose


@dataclass(frozen=True, eq=False)
class Candidates:
    """A classifiers of different ridges and weights, as leave-one-out over n real samples and perhaps the theory judge them.

    Attributes
    ----------
    soft, right : arrays (A, n)
        Smooth and plain hits of every classifier on every left-out sample, as in `LeaveOneOut`.
    theory : array (A,)
        Predicted accuracies; nan without a theory.
    alphas, weights : arrays (A,)
        scikit-learn's ridge parameter, and the weight of a synthetic sample.
    shares : array (n,)
        Weights of the real samples; they sum to 1.
    groups : array (n,) or None
        Whole numbers from 0: samples of one group are drawn together.
    """

    soft: np.ndarray
    right: np.ndarray
    theory: np.ndarray
    alphas: np.ndarray
    weights: np.ndarray
    shares: np.ndarray
    groups: np.ndarray | None = None

    @classmethod
    def none(cls, sample_weights: np.ndarray, groups: np.ndarray | None = None) -> Candidates:
        """Return no candidates yet, for real samples.

        Parameters
        ----------
        sample_weights : array (n,)
        groups : array (n,), optional
            Samples of one group were left out together.
        """
        return cls(*np.empty((2, 0, len(sample_weights))), *np.empty((3, 0)), sample_weights / sample_weights.sum(), groups)

    def and_those(self, path: Sequence[LeaveOneOut], alphas: np.ndarray, weight: float, theory: np.ndarray | float = np.nan) -> Candidates:
        """Return these candidates and further ones of one weight.

        Parameters
        ----------
        path : sequence of LeaveOneOut
            Of the further classifiers.
        alphas : array
            Their ridge parameters.
        weight : float
            The weight of a synthetic sample that they share.
        theory : float or array
            Their predicted accuracies.
        """
        return replace(self, soft=np.concatenate([self.soft, [one.soft for one in path]]),
                       right=np.concatenate([self.right, [one.right for one in path]]),
                       theory=np.append(self.theory, np.broadcast_to(theory, len(alphas))), alphas=np.append(self.alphas, alphas),
                       weights=np.append(self.weights, np.full(len(alphas), weight)))

    def choice(self, counts: np.ndarray | None = None) -> int:
        """Return the place of the chosen classifier.

        On a plateau (`preferred`) the smallest weight counts most; then the alpha nearest to the middle of those tried, or without a theory
        the largest one.

        Parameters
        ----------
        counts : array (n,), optional
            How often every real sample is counted, by default once.
        """
        shares = self.shares if counts is None else self.shares * counts / (self.shares @ counts)
        n = self.shares.size if counts is None else counts.sum()
        means = self.soft @ shares
        if not np.isnan(self.theory).any():
            steps = np.log(self.alphas)
            extreme = np.round(np.abs(steps - steps.mean()), 6)  # as far up as down: then the larger alpha
            return preferred(sharpened(means) + self.theory, self.weights, extreme, -self.alphas)
        best = preferred(means, self.weights, -self.alphas)
        alike = np.flatnonzero(self.weights == self.weights[best])
        behind = self.soft[best] - self.soft[alike]
        lead = behind @ shares
        noise = np.sqrt(np.maximum((behind**2) @ shares - lead**2, 0) / (n - 1))
        level = alike[lead <= LEVEL * noise + PLATEAU]
        return int(level[self.alphas[level].argmax()])

    def corrected(self) -> tuple[float, float]:
        """Return accuracy and smooth accuracy of the chosen classifier, without the optimism of the choice on the same samples.

        A random sample of the samples, with replacement, chooses, and the others judge (the bootstrap of Tsamardinos, Greasidou and
        Borboudakis 2018); the mean over such draws.
        """
        groups = np.arange(self.shares.size) if self.groups is None else self.groups
        rng, n, judged = np.random.default_rng(0), int(groups.max()) + 1, []
        for _ in range(DRAWS):
            counts = np.bincount(rng.integers(0, n, n), minlength=n)[groups]
            rest = np.where(counts == 0, self.shares, 0.0)
            if rest.any():
                chosen = self.choice(counts)
                judged.append((self.right[chosen] @ rest / rest.sum(), self.soft[chosen] @ rest / rest.sum()))
        right, soft = np.mean(judged, axis=0)
        return float(right), float(sharpened(soft))


def preferred(criterion: np.ndarray, *preferences: np.ndarray) -> int:
    """Return the place of the best of A candidates.

    Candidates less than PLATEAU behind the best are alike: of them the one is taken for which the first of the `preferences` is smallest,
    then the second, and so on. The largest criterion alone would hang on rounding where it hardly changes, and a ridge chosen on one thread
    be a million times the one chosen on two.

    Parameters
    ----------
    criterion : array (A,)
        Accuracies.
    *preferences : arrays (A,)
    """
    alike = np.flatnonzero(criterion >= criterion.max() - PLATEAU)
    return int(alike[np.lexsort([one[alike] for one in reversed(preferences)])[0]])


def mean_scatter(X: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return sum_i c_i (x_i - mean)^2, averaged over the features: the natural unit of alpha.

    Parameters
    ----------
    X : array (n, p)
    weights : array (n,), optional
        c, by default 1.
    """
    c = np.ones(len(X)) if weights is None else weights
    return float(np.mean(c @ (X - np.average(X, axis=0, weights=c)) ** 2)) or 1.0
