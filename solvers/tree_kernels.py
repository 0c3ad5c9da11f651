"""The loops around the generated formulas of a family tree: Newton on the reduced weights, then the response. Compiled.

The map from reduced weights tau to reduced weights is increasing, so plain iteration from above converges; Newton only shortens it.
Array letters: K sets, A laws of real samples, L eigenvalues.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .compiling import njit
from .generated import family_tree
from .kernels import solve_small

_ENOUGH = 4e-16
_STEPS = 500


class Links(NamedTuple):
    """A family tree in numbers.

    Attributes
    ----------
    theta, weight, label : arrays (K,)
        Of every set: kept samples over N, training weight, mean label.
    shares : array (K, K)
        Of row j: the share of each parent in the union that set j was drawn from.
    law : array of int (K,)
        Which law a real set has; -1: drawn from a generator.
    """

    theta: np.ndarray
    weight: np.ndarray
    label: np.ndarray
    shares: np.ndarray
    law: np.ndarray


class Laws(NamedTuple):
    """Covariances that commute, by their eigenvalues.

    Attributes
    ----------
    eigenvalues : array (A + 1, L)
        Of every law, then of the test law.
    h : array (L,)
        Multiplicities over N.
    products : array (A + 1, A + 1, L)
        Products of the means within each eigenvalue.
    """

    eigenvalues: np.ndarray
    h: np.ndarray
    products: np.ndarray


@njit(cache=True, error_model="numpy")
def _traces(laws, gamma, roots, q, pairs):
    """Fill q (A,) and (A, A + 1) the pairs (1/N) tr(C_a B C_b B), the test law's last."""
    A = roots.size
    q[:] = 0.0
    pairs[:] = 0.0
    for i in range(laws.h.size):
        x = gamma
        for a in range(A):
            x += roots[a] * laws.eigenvalues[a, i]
        for a in range(A):
            part = laws.h[i] * laws.eigenvalues[a, i] / x
            q[a] += part
            for b in range(A + 1):
                pairs[a, b] += part * laws.eigenvalues[b, i] / x


@njit(cache=True, error_model="numpy")
def _grams(laws, gamma, roots, d_roots, gram, d_gram):
    """Fill (A + 1, A + 1) the products mu_a^T B mu_b, and their slopes along t, as the roots move with d_roots (A,)."""
    A = roots.size
    gram[:] = 0.0
    d_gram[:] = 0.0
    for i in range(laws.h.size):
        x, along = gamma, laws.eigenvalues[A, i]
        for a in range(A):
            x += roots[a] * laws.eigenvalues[a, i]
            along += d_roots[a] * laws.eigenvalues[a, i]
        for a in range(A + 1):
            for b in range(A + 1):
                part = laws.products[a, b, i] / x
                gram[a, b] += part
                d_gram[a, b] -= part * along / x


@njit(cache=True, error_model="numpy")
def _from_above(links, tau):
    """Fill tau (K,) with what it is for left-out traces of 0."""
    for j in range(tau.size - 1, -1, -1):
        omega = links.weight[j]
        for i in range(j + 1, tau.size):
            omega += links.shares[i, j] * tau[i] / links.theta[j] if links.shares[i, j] > 0 else 0.0
        tau[j] = links.theta[j] * omega


@njit(cache=True, error_model="numpy")
def _roots(links, values, roots):
    """Fill (A,) the sums of `values` (K,) over the real sets of every law."""
    roots[:] = 0.0
    for j in range(values.size):
        if links.law[j] >= 0:
            roots[links.law[j]] += values[j]


@njit(cache=True, error_model="numpy")
def _evaluate(links, tau, q, pairs, omega, delta, new, slopes, moved):
    """At tau: omega, delta and the new tau (K,), its Jacobian `slopes` (K, K), and `moved` (K,), its slope in t. Returns the residual.

    q (A,) and pairs (A, A + 1): as of `_traces`.
    """
    K, A = tau.size, q.size
    shares, law = links.shares, links.law
    d_omega, d_delta = np.zeros((K, K)), np.zeros((K, K))
    delta_t = np.zeros(K)
    relative = 0.0
    for j in range(K):
        omega[j] = links.weight[j]
        for i in range(K):
            if shares[i, j] > 0:
                omega[j] += shares[i, j] * tau[i] / links.theta[j]
                d_omega[j, i] = shares[i, j] / links.theta[j]
    for j in range(K):
        if law[j] >= 0:
            delta[j], delta_t[j] = q[law[j]], -pairs[law[j], A]
            for i in range(K):
                if law[i] >= 0:
                    d_delta[j, i] = -pairs[law[j], law[i]]
        else:
            delta[j] = 0.0
            for k in range(j):
                if shares[j, k] > 0:
                    trace, trace_omega, trace_delta = family_tree.seen_trace(omega[k], delta[k])
                    delta[j] += shares[j, k] * trace
                    delta_t[j] += shares[j, k] * trace_delta * delta_t[k]
                    for i in range(K):
                        d_delta[j, i] += shares[j, k] * (trace_omega * d_omega[k, i] + trace_delta * d_delta[k, i])
        new[j], tau_omega, tau_delta = family_tree.reduced_weight(links.theta[j], omega[j], delta[j])
        moved[j] = tau_delta * delta_t[j]
        relative = max(relative, abs(new[j] - tau[j]) / tau[j])
        for i in range(K):
            slopes[j, i] = tau_omega * d_omega[j, i] + tau_delta * d_delta[j, i]
    return relative


@njit(cache=True, error_model="numpy")
def _solved(slopes, right):
    """Solve (I - slopes) x = right (K,), in place."""
    A = -slopes
    for j in range(right.size):
        A[j, j] += 1.0
    solve_small(A, right)


@njit(cache=True, error_model="numpy")
def _step(tau, new, slopes):
    """Move tau (K,) by Newton's step, or to the new tau where that would leave the positive numbers: the safeguard is the map itself."""
    step = new - tau
    _solved(slopes, step)
    tau[:] = tau + step if np.all(tau + step > 0.0) else new


@njit(cache=True, error_model="numpy")
def _hand_down(links, tau, d_tau, omega, goal, d_goal):
    """Fill what every set hands down as a target, goal (K,), and its slope along d_tau, youngest set first.

    Returns the slope of the training loss that is irreducible within the sets.
    """
    K, loss = tau.size, 0.0
    for j in range(K - 1, -1, -1):
        total, d_total, target, d_target = omega[j], 0.0, links.weight[j], 0.0
        for i in range(j + 1, K):
            if links.shares[i, j] > 0:
                share = links.shares[i, j] / links.theta[j]
                f, d_f = share * tau[i], share * d_tau[i]
                d_total += d_f
                target += f * goal[i]
                d_target += d_f * goal[i] + f * d_goal[i]
        target /= total
        d_target = (d_target - target * d_total) / total
        for i in range(j + 1, K):
            if links.shares[i, j] > 0:
                apart = goal[i] - target
                share = links.shares[i, j]
                loss += share * (d_tau[i] * apart * apart + 2 * tau[i] * apart * d_goal[i])
        label = links.label[j]
        loss += (1 - label * label) * (d_tau[j] * target * target + 2 * tau[j] * target * d_target)
        goal[j], d_goal[j] = label * target, label * d_target
    return loss


@njit(cache=True, error_model="numpy")
def _response(links, tau, d_tau, omega, gram, d_gram):
    """Mean margin, and the slope of the training loss along d_tau and d_gram, which is the variance."""
    K, A = tau.size, gram.shape[0] - 1
    goal, d_goal = np.zeros(K), np.zeros(K)
    loss = _hand_down(links, tau, d_tau, omega, goal, d_goal)
    roots, d_roots, targets, d_targets = np.empty(A), np.empty(A), np.empty(A), np.empty(A)
    _roots(links, tau, roots)
    _roots(links, d_tau, d_roots)
    _roots(links, tau * goal, targets)
    _roots(links, d_tau * goal + tau * d_goal, d_targets)
    targets /= roots
    d_targets = (d_targets - targets * d_roots) / roots
    for j in range(K):
        if links.law[j] >= 0:
            apart = goal[j] - targets[links.law[j]]
            loss += d_tau[j] * apart * apart + 2 * tau[j] * apart * d_goal[j]
    gaps, system, forces, margin = targets.copy(), np.empty((A, A)), np.empty(A), 0.0
    for a in range(A):
        for b in range(A):
            system[a, b] = (1.0 if a == b else 0.0) + gram[a, b] * roots[b]
    solve_small(system, gaps)
    for a in range(A):
        forces[a], loss_root, loss_target = family_tree.law_response(roots[a], gaps[a])
        margin += gram[A, a] * forces[a]
        loss += loss_root * d_roots[a] + loss_target * d_targets[a]
    for a in range(A):
        for b in range(A):
            loss += family_tree.pair_response(forces[a], forces[b]) * d_gram[a, b]
    return margin, loss


@njit(cache=True, error_model="numpy")
def tree_point(links, laws, gamma, tau, delta):
    """Solve one family tree: fills tau and delta, and returns mean margin, variance and the relative residual.

    Parameters
    ----------
    links : Links
    laws : Laws
    gamma : float
    tau, delta : arrays (K,)
        Reduced weights and left-out traces, filled.
    """
    K, A = tau.size, laws.eigenvalues.shape[0] - 1
    omega, new, moved, slopes = np.empty(K), np.empty(K), np.empty(K), np.empty((K, K))
    q, pairs, roots, d_roots = np.empty(A), np.empty((A, A + 1)), np.empty(A), np.empty(A)
    gram, d_gram = np.empty((A + 1, A + 1)), np.empty((A + 1, A + 1))
    _from_above(links, tau)
    relative, previous = math.inf, math.inf
    for _ in range(_STEPS):
        _roots(links, tau, roots)
        _traces(laws, gamma, roots, q, pairs)
        relative = _evaluate(links, tau, q, pairs, omega, delta, new, slopes, moved)
        if relative <= _ENOUGH or (relative >= previous and relative <= 1e-14):
            break
        previous = relative
        _step(tau, new, slopes)
    d_tau = moved
    _solved(slopes, d_tau)
    _roots(links, d_tau, d_roots)
    _grams(laws, gamma, roots, d_roots, gram, d_gram)
    margin, variance = _response(links, tau, d_tau, omega, gram, d_gram)
    return margin, variance, relative


def dense_tree_point(links: Links, matrices: np.ndarray, means: np.ndarray, N: float, gamma: float, tau: np.ndarray,
                     delta: np.ndarray) -> tuple[float, float, float]:  # fmt: skip
    """Solve one family tree with covariances that do not commute; otherwise as `tree_point`.

    Parameters
    ----------
    links : Links
    matrices : array (A + 1, p, p)
        Covariances of the laws, then of the test law.
    means : array (A + 1, p)
    N, gamma : float
    tau, delta : arrays (K,)
        Filled.
    """
    K, A, p = tau.size, len(matrices) - 1, means.shape[1]
    omega, new, moved, slopes, roots = np.empty(K), np.empty(K), np.empty(K), np.empty((K, K)), np.empty(A)
    _from_above(links, tau)
    relative, previous = math.inf, math.inf
    for _ in range(_STEPS):
        _roots(links, tau, roots)
        B = np.linalg.inv(gamma * np.eye(p) + np.tensordot(roots, matrices[:A], 1))
        loaded = B @ matrices
        pairs = np.array([[np.vdot(one, other.T) for other in loaded] for one in loaded[:A]]) / N
        q = np.trace(loaded[:A], axis1=1, axis2=2) / N
        relative = _evaluate(links, tau, q, pairs, omega, delta, new, slopes, moved)
        # a trace of p eigenvalues is known to about p roundings, so the step that no longer helps is the last
        if relative <= _ENOUGH or (relative >= previous and relative <= 1e-13):
            break
        previous = relative
        _step(tau, new, slopes)
    d_tau = moved
    _solved(slopes, d_tau)
    d_roots = np.empty(A)
    _roots(links, d_tau, d_roots)
    reach = means @ B
    along = matrices[A] + np.tensordot(d_roots, matrices[:A], 1)
    margin, variance = _response(links, tau, d_tau, omega, reach @ means.T, -reach @ along @ reach.T)
    return float(margin), float(variance), float(relative)
