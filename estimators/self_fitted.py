"""Leave-one-out where the generator was fitted on the real samples themselves.

Leaving a sample out of the training set does not take it out of the generator: `estimators.leave_one_out` then measures something between
the accuracy on fresh samples and the one on the training set, and the latter as m grows. For a generator that draws, for every class,
Gaussian samples with the mean and covariance of the class's real samples, the dependence can be corrected without refitting. Given
the real samples, the mix is in expectation the ridge classifier on them alone (derivations/special/self_fitted.py), where every real
sample of the class k has the weight and the soft label

    v_k = 1 + (K_k / n_k) omega / (1 + omega d_k),    (e_k + (v_k - 1) l_k) / v_k,    d_k = tr(S_k Q),

K_k kept synthetic samples of the class with labels l_k on average, S_k the second moment of the class, Q the inverse of the ridge's
matrix. A sample that is left out of this classifier is left out of the generator too. The noise of a finite number of synthetic
samples is Gaussian in every score; its variance is the total derivative of the potential in the direction x_i x_i^T, and the
probability to be right is averaged over it. For any other generator: refit it for every fold.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from ..support.errors import BadInput, NotConverged, number
from .leave_one_out import LeaveOneOut, class_shift

STEPS, TOLERANCE = 500, 1e-8
SUM_TO_ONE = 1e3  # the weight of that condition in a least-squares problem


def self_fitted_leave_one_out(
    X: np.ndarray, y: np.ndarray, kept: np.ndarray, gamma: float, omega: float = 1.0, N: float | None = None
) -> LeaveOneOut:
    """Return the leave-one-out over real samples of a mix with synthetic samples of a generator that was fitted on them.

    A free intercept is fitted. Costs O((n + p) min(n, p)^2) a step. Source: derivations/special/self_fitted.py.

    Parameters
    ----------
    X, y : arrays (n, p) and (n,)
        Real samples and their labels.
    kept : array (L, L)
        How many synthetic samples are kept that were generated for a class (row) and carry a label (column), classes ascending.
    gamma : float
        The ridge gamma.
    omega : float
        Weight of a synthetic sample.
    N : float, optional
        Normalisation of gamma, by default n plus the kept samples.

    Raises
    ------
    BadInput
        For shapes that do not match.
    NotConverged
        Where the fixed point is not reached.
    """
    X, y, kept = np.asarray(X, dtype=float), np.asarray(y), np.asarray(kept, dtype=float)
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    L, n = len(classes), len(X)
    if kept.shape != (L, L) or kept.min() < 0:
        raise BadInput(f"kept must be {L} x {L} counts, one row a class, not of shape {kept.shape}")
    alpha = number("gamma", gamma, 0, open_low=True) * (n + kept.sum() if N is None else N)
    number("omega", omega, 0)
    Z = _few_features(X)
    ridge = np.diag(np.append(np.full(Z.shape[1] - 1, alpha), 0.0))  # none on the intercept
    of_class = [Z[codes == k] for k in range(L)]
    S = [one.T @ one / len(one) for one in of_class]
    K = kept.sum(axis=1)
    d, Q = _fixed_point(S, counts, K, omega, ridge)
    extra = K / counts * omega / (1 + omega * d)
    v = 1 + extra
    labels = np.divide(kept, K[:, None], out=np.eye(L), where=K[:, None] > 0)
    soft = (np.eye(L) + extra[:, None] * labels) / v[:, None]

    turned = Z @ Q
    q = np.einsum("ij,ij->i", turned, Z)
    free = 1 - v[codes] * q
    if free.min() <= 0:
        raise NotConverged("a real sample alone decides its own score, to the last digit: raise gamma")
    fitted = turned @ (Z.T @ (v[:, None] * soft)[codes])
    scores = soft[codes] - (soft[codes] - fitted) / free[:, None]

    u = K * (omega / (1 + omega * d)) ** 2
    B = np.stack([np.einsum("ij,ij->i", turned @ one, turned) for one in S], axis=1)
    B[np.arange(n), codes] -= q**2 / counts[codes]
    halves = [Q @ one for one in S]
    A = np.array([[np.vdot(one, other.T) for other in halves] for one in halves])
    delta = np.linalg.solve(np.eye(L) - A * u, np.maximum(B, 0).T / free**2)  # (L, n)
    residual = [_residual(labels[k], fitted[codes == k]) for k in range(L)]
    noise = np.einsum("kn,k,kij->nij", delta, u, np.array(residual))
    balanced = scores + class_shift(soft, fitted, codes, v[codes], v @ counts)
    return LeaveOneOut(scores, balanced, codes, np.ones(n), _probability(balanced, codes, noise))


def kept_labels(X: np.ndarray, y: np.ndarray, X_s: np.ndarray, y_s: np.ndarray, keep: np.ndarray | None = None) -> np.ndarray:
    """Estimate `kept` (L, L) of `self_fitted_leave_one_out` where the true classes of the synthetic samples are not known.

    The mean of the samples with one label is a mixture of the class means of the generator, which are those of the real samples; its
    shares are found by least squares in the metric of the common covariance.

    Parameters
    ----------
    X, y : arrays (n, p) and (n,)
        Real samples and their labels.
    X_s, y_s : arrays (m, p) and (m,)
        Synthetic samples and the labels they carry.
    keep : array (m,), optional
        Which synthetic samples are kept; by default all.
    """
    from scipy.optimize import nnls

    classes, codes = np.unique(y, return_inverse=True)
    chosen = np.ones(len(y_s), dtype=bool) if keep is None else np.asarray(keep).astype(bool)
    X_s, y_s = np.asarray(X_s, dtype=float)[chosen], np.asarray(y_s)[chosen]
    means = np.array([X[codes == k].mean(axis=0) for k in range(len(classes))])
    shift = means.mean(axis=0)
    _, sizes, directions = np.linalg.svd((X - means[codes]) / np.sqrt(len(X)), full_matrices=False)
    floor = 0.1 * np.mean(sizes**2)  # the metric need not be exact: a tenth of the mean variance is added, beyond the samples' span too

    def whitened(mean: np.ndarray) -> np.ndarray:
        inside = directions @ (mean - shift)
        outside = mean - shift - inside @ directions
        return np.concatenate([inside / np.sqrt(sizes**2 + floor), outside / np.sqrt(floor)])

    left = np.vstack([np.array([whitened(mean) for mean in means]).T, np.full(len(classes), SUM_TO_ONE)])
    kept = np.zeros((len(classes), len(classes)))
    for column, label in enumerate(classes):
        own = X_s[y_s == label]
        if len(own):
            shares, _ = nnls(left, np.append(whitened(own.mean(axis=0)), SUM_TO_ONE))
            kept[:, column] = len(own) * shares / shares.sum()
    return kept


def _few_features(X: np.ndarray) -> np.ndarray:
    """(n, r + 1): centred samples in a basis of the space they span, r at most n, and the constant feature of the intercept."""
    centred = X - X.mean(axis=0)
    if len(X) < X.shape[1]:
        centred = np.linalg.qr(centred.T, mode="r").T
    return np.column_stack([centred, np.ones(len(X))])


def _fixed_point(
    S: list[np.ndarray], counts: np.ndarray, K: np.ndarray, omega: float, ridge: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """d (L,) and Q = (ridge + sum_k v_k n_k S_k)^{-1}, by plain iteration, which is monotone from 0."""
    d = np.zeros(len(S))
    for _ in range(STEPS):
        Q = _inverse(ridge + sum(w * one for w, one in zip(counts + K * omega / (1 + omega * d), S, strict=True)))
        new = np.array([np.vdot(one, Q) for one in S])
        if np.abs(new - d).max() <= TOLERANCE * new.max() or not K.any():
            return new, Q
        d = new
    raise NotConverged("the self-fitted mix: its fixed point was not reached; raise gamma")


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """The inverse of a positive definite matrix, in half the time of a general one."""
    from scipy.linalg.lapack import dpotrf, dpotri

    factor, failed = dpotrf(matrix, lower=1, clean=1)
    if failed:
        raise NotConverged("the self-fitted mix: its matrix is singular to the last digit; raise gamma")
    lower, _ = dpotri(factor, lower=1)
    return lower + np.tril(lower, -1).T


def _residual(labels: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """E (e - W^T x) (e - W^T x)^T (L, L) for a synthetic sample of a class with real scores `fitted`, label e drawn from `labels`."""
    cross = np.outer(labels, fitted.mean(axis=0))
    return np.diag(labels) - cross - cross.T + fitted.T @ fitted / len(fitted)


def _probability(scores: np.ndarray, codes: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(n,), the probability that the true label has the largest noisy score: for two classes exact, else against the closest rival."""
    rows, L = np.arange(len(codes)), scores.shape[1]
    own = noise[rows, codes, codes]
    closest = np.full(len(codes), np.inf)
    for rival in range(L):
        other = codes != rival
        variance = (own + noise[:, rival, rival] - 2 * noise[rows, codes, rival])[other]
        margin = (scores[rows, codes] - scores[:, rival])[other]
        spread = np.sqrt(np.maximum(variance, np.finfo(float).tiny))
        closest[other] = np.minimum(closest[other], margin / spread)
    return ndtr(closest)
