"""IPO on frozen features, by going down its gradient: the bridge from fine-tuning to the ridge classifier of the theory.

A policy whose log-probabilities are linear in fixed features of an answer, log pi = theta^T phi(answer) + the reference's + what
depends on the prompt alone, has for the pair x = phi(chosen) - phi(rejected) the margin theta^T x. The loss of IPO (Azar et al.
2024, equation 17) with an L2 penalty gamma is then

    (1/N) sum_i c_i (theta^T x_i - 1/(2 beta))^2 + gamma |theta|^2

whose minimum is theta = w / (2 beta), with the paper's ridge classifier w = ((1/N) sum_i c_i x_i x_i^T + gamma I)^{-1} (1/N) sum_i c_i x_i
of the samples ytilde x at the same gamma. So beta scales the margins and changes no decision, and the L2 penalty is the gamma of the
theory, exactly. A pair whose label was flipped, its answers swapped, is the sample -x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthmix.support.errors import BadInput, NotConverged, number

STEPS = 20_000  # of one round
ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Frozen:
    """The minimum of the loss of IPO on frozen features.

    Attributes
    ----------
    theta : array (p,)
    loss : float
        At theta, with the penalty.
    steps : int
        Of the optimiser.
    """

    theta: np.ndarray
    loss: float
    steps: int


def ipo(
    X: np.ndarray,
    beta: float,
    gamma: float,
    *,
    weights: np.ndarray | None = None,
    N: float | None = None,
    tolerance: float = 1e-9,
) -> Frozen:
    """Minimise the loss of IPO (see the module) by L-BFGS from theta = 0, which is the reference model.

    L-BFGS sees by how much the loss changes, from where its last round ended: the loss itself has too few digits to end at the minimum.

    Parameters
    ----------
    X : array (k, p)
        phi(chosen) - phi(rejected) of every kept pair, as labelled.
    beta : float
        Of IPO: the margin aimed at is 1 / (2 beta).
    gamma : float
        The regulariser.
    weights : array (k,), optional
        c, by default 1.
    N : float, optional
        The number of pairs before pruning, by default k.
    tolerance : float
        Of the gradient's length, relative to that at 0.

    Raises
    ------
    BadInput
        For shapes that do not match, no pairs, or numbers out of range.
    NotConverged
        Where the gradient stays above the tolerance.
    """
    from scipy.optimize import minimize

    number("beta", beta, 0, open_low=True)
    number("gamma", gamma, 0, open_low=True)
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or not X.size:
        raise BadInput(f"feature differences (pairs, features) are needed, not shape {X.shape}")
    c = np.ones(len(X)) if weights is None else np.asarray(weights, dtype=float)
    if c.shape != (len(X),):
        raise BadInput(f"{len(X)} pairs need as many weights, not shape {c.shape}")
    share = c / (len(X) if N is None else number("N", N, 0, open_low=True))
    target = 1 / (2 * beta)

    def gradient(theta: np.ndarray) -> np.ndarray:
        return 2 * (X.T @ (share * (X @ theta - target)) + gamma * theta)

    theta, steps = np.zeros(X.shape[1]), 0
    steepest = np.linalg.norm(gradient(theta))
    enough = tolerance * steepest
    options = {"maxiter": STEPS, "maxfun": 2 * STEPS, "maxcor": 30, "ftol": 0.0, "gtol": 0.1 * enough / np.sqrt(len(theta))}
    for _ in range(ROUNDS):
        slope = gradient(theta)
        if np.linalg.norm(slope) <= enough:
            break

        def change(step: np.ndarray, slope: np.ndarray = slope) -> tuple[float, np.ndarray]:
            pull = X.T @ (share * (X @ step)) + gamma * step
            return slope @ step + step @ pull, slope + 2 * pull

        found = minimize(change, np.zeros_like(theta), jac=True, method="L-BFGS-B", options=options)
        theta, steps = theta + found.x, steps + int(found.nit)
    else:
        raise NotConverged(f"IPO on frozen features: after {steps} steps the gradient is above {tolerance:g} of the first")
    return Frozen(theta, float(share @ (X @ theta - target) ** 2 + gamma * theta @ theta), steps)
