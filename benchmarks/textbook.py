"""The textbook way, to measure against: p x p matrices for the theory, every sample drawn for a trial.

Written from the random-matrix argument itself (deterministic equivalents of Q and of Q C Q), not from the potential, so
that the two are also a check of each other. Weight omega = 1, mean of the generator exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from synthmix.sims.trial import in_space
from synthmix.solvers.problem import Setting
from synthmix.solvers.trees import Tree


class Limits(NamedTuple):
    """The limits of the mean margin, the variance and the accuracy."""

    mean_margin: float
    variance: float
    accuracy: float


def predict(setting: Setting, tolerance: float = 1e-10) -> Limits:
    """The theorem for general covariances as one would type it: real N(y mu, C), synthetic N(y mu_beta, Sigma_beta).

    setting: an exact generator whose covariance, and that of the real data, is a p x p matrix. delta and delta_S are
    traces without the rank-one means, which do not matter in the limit.
    """
    N, gamma = setting.N, setting.ridge.gamma
    C, Sigma, identity = setting.covariance, setting.generator.covariance, np.eye(setting.p)
    mu, mu_beta = setting.means
    theta, theta_S = setting.n / N, setting.alpha * setting.m / N

    delta = delta_S = 0.0
    while True:
        Q = np.linalg.solve(gamma * identity + theta / (1 + delta) * C + theta_S / (1 + delta_S) * Sigma, identity)
        new, new_S = np.sum(C * Q) / N, np.sum(Sigma * Q) / N
        moved = max(abs(new - delta) / new, abs(new_S - delta_S) / new_S)
        delta, delta_S = new, new_S
        if moved < tolerance:
            break
    tau, tau_S = theta / (1 + delta), theta_S / (1 + delta_S)

    # Q C Q: the traces of its equivalent solve a 2 x 2 system
    CQ, SQ = C @ Q, Sigma @ Q
    CC, CS, SS = np.trace(CQ @ CQ) / N, np.trace(CQ @ SQ) / N, np.trace(SQ @ SQ) / N
    slope, slope_S = theta / (1 + delta) ** 2, theta_S / (1 + delta_S) ** 2
    system = np.array([[1 - slope * CC, -slope_S * CS], [-slope * CS, 1 - slope_S * SS]])
    g, g_S = np.array([slope, slope_S]) * np.linalg.solve(system, [CC, CS])

    # the means come in as p x p matrices of rank one
    second, second_S = C + np.outer(mu, mu), Sigma + np.outer(mu_beta, mu_beta)
    Q = np.linalg.solve(gamma * identity + tau * second + tau_S * second_S, identity)
    QCQ = Q @ C @ Q + g * Q @ second @ Q + g_S * Q @ second_S @ Q
    a, a_S = mu, mu_beta * setting.lam / setting.alpha
    M = tau * a + tau_S * a_S
    mean_margin = mu @ Q @ M
    variance = M @ QCQ @ M + g * (1 - 2 * a @ Q @ M) + g_S * (1 - 2 * a_S @ Q @ M)
    accuracy, _ = quad(density, -math.inf, mean_margin / math.sqrt(variance))
    return Limits(float(mean_margin), float(variance), accuracy)


def predict_logistic(setting: Setting, damping: float = 0.7, tolerance: float = 1e-8) -> Limits:
    """The logistic loss as one would type it: the proximal step by minimisation, expectations by quadrature, damped iteration.

    setting: an exact generator with the law of the real samples, all covariances I. Mean force, its square and its slope (by Stein's lemma)
    of right and wrong labels make the next round.
    """
    theta_s, e = setting.alpha * setting.m / setting.N, setting.verifier.wrong(setting.epsilon)
    groups = [(setting.n / setting.N, 1.0, 1.0), (theta_s * (1 - e), setting.omega, 1.0), (theta_s * e, setting.omega, -1.0)]
    eta, mu2, gamma = setting.p / setting.N, setting.mu**2, setting.ridge.gamma
    force, curvature, noise = 0.0, 0.0, 0.0
    while True:
        b = 1 / (gamma + curvature)
        margin, delta = mu2 * b * force, eta * b
        sd = math.sqrt(mu2 * b * b * force * force + eta * b * b * noise) or 1e-3

        def pull(h: float, c: float, delta: float = delta) -> float:
            step = minimize_scalar(lambda u: c * delta * np.logaddexp(0, -u) + (u - h) ** 2 / 2, bracket=(h, h + c * delta), tol=1e-11)
            return (step.x - h) / delta

        new = np.zeros(3)
        for weight, c, sign in groups:
            def expected(of: Callable[[float, float], float], c: float = c, mean: float = sign * margin, sd: float = sd) -> float:
                return quad(lambda g: density(g) * of(g, pull(mean + sd * g, c)), -9, 9, epsabs=1e-9, epsrel=1e-9)[0]

            if weight > 0:
                new += weight * np.array([sign * expected(lambda g, f: f), -expected(lambda g, f: g * f) / sd,
                                          expected(lambda g, f: f * f)])  # fmt: skip
        moved = max(abs(new - [force, curvature, noise]) / new)
        force, curvature, noise = np.array([force, curvature, noise]) * (1 - damping) + damping * new if curvature else new
        if moved < tolerance:
            accuracy, _ = quad(density, -math.inf, margin / sd)
            return Limits(float(margin), float(sd * sd), accuracy)


def density(x: float) -> float:
    """The standard normal density."""
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def trial(setting: Setting, rng: np.random.Generator, tests: int = 10_000) -> float:
    """A Monte-Carlo trial: draw the data, train the ridge classifier, score it on a drawn test set. All covariances are I.

    Returns:
        The share of the test samples that are classified correctly.
    """
    n, m, p, N = int(setting.n), int(setting.m), setting.p, setting.N
    verifier, generator = setting.verifier, setting.generator
    mu, mu_beta = (in_space(mean, p) for mean in setting.means)

    def signs(count: int) -> np.ndarray:
        return rng.choice([-1.0, 1.0], count)

    y = signs(n)
    X = np.outer(y, mu) + rng.standard_normal((n, p))
    truth = signs(m)
    Z = rng.standard_normal((m, p))
    if generator.kind == "independent":
        fresh = rng.standard_normal((int(generator.n_hat), p))
        Z = Z @ np.linalg.cholesky(fresh.T @ fresh / generator.n_hat).T
    synthetic = np.outer(truth, mu_beta) + Z
    wrong = rng.random(m) < setting.epsilon
    kept = rng.random(m) < np.where(wrong, verifier.rho, verifier.phi)
    samples = np.concatenate([X, synthetic[kept]])
    labels = np.concatenate([y, np.where(wrong, -truth, truth)[kept]])
    w = np.linalg.solve(samples.T @ samples / N + setting.ridge.gamma * np.eye(p), samples.T @ labels / N)

    y = signs(tests)
    X = np.outer(y, mu) + rng.standard_normal((tests, p))
    return float(np.mean(np.sign(X @ w) == y))


def predict_family_tree(tree: Tree, tolerance: float = 1e-12, step: float = 1e-4) -> Limits:
    """A family tree of rightly labelled sets as one would type it: plain iteration on left-out traces with the p x p resolvent.

    The variance is the derivative of the training loss in t, by a central difference: two more fixed points.
    """
    C, N, p = np.diag(tree.covariance), tree.N, tree.p
    sets = {each.name: each for each in tree.sets}

    def solved(t: float) -> tuple[float, float]:
        """Training loss and mean margin with t w^T C w added to the loss."""
        delta = dict.fromkeys(sets, 0.0)
        while True:
            handed, tau, omega = dict.fromkeys(sets, 0.0), {}, {}
            for each in reversed(tree.sets):
                omega[each.name] = each.weight + N * handed[each.name] / each.count
                tau[each.name] = each.count / N * omega[each.name] / (1 + omega[each.name] * delta[each.name])
                union = sum(sets[name].count for name in each.parents)
                for name in each.parents:
                    handed[name] += sets[name].count / union * tau[each.name]
            root = sum(tau[each.name] for each in tree.sets if not each.parents)
            B = np.linalg.solve(tree.ridge.gamma * np.eye(p) + (t + root) * C, np.eye(p))
            q, new = np.trace(C @ B) / N, {}
            for each in tree.sets:
                union = sum(sets[name].count for name in each.parents)
                new[each.name] = sum(sets[name].count / union * new[name] / (1 + omega[name] * new[name]) for name in each.parents) \
                    if each.parents else q  # fmt: skip
            moved = max(abs(new[name] - delta[name]) / new[name] for name in sets)
            delta = new
            if moved < tolerance:
                break
        product = tree.mu @ B @ tree.mu
        return root / (1 + root * product), root * product / (1 + root * product)

    margin = solved(0.0)[1]
    scale = step * tree.ridge.gamma
    variance = (solved(scale)[0] - solved(-scale)[0]) / (2 * scale)
    return Limits(margin, variance, 0.5 * math.erfc(-margin / math.sqrt(2 * variance)))
