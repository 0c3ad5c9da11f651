"""The loops around the generated formulas of a family tree: Newton on the reduced weights, then the response. Compiled.

The map from reduced weights tau to reduced weights is increasing, so plain iteration from above converges; Newton only shortens it.
"""

from __future__ import annotations

import math

import numpy as np

from .compiling import njit
from .generated import family_tree
from .kernels import solve_small

_ENOUGH = 4e-16
_STEPS = 500


@njit(cache=True, error_model="numpy")
def _resolvent(gamma, root, eigenvalues, multiplicity, squares):
    """q, its slopes in root and t (C_test = C), mu^T B mu and its slopes, from one sum over the spectrum."""
    q = q_root = product = product_root = 0.0
    for i in range(eigenvalues.size):
        c = eigenvalues[i]
        b = 1.0 / (gamma + root * c)
        q += multiplicity[i] * c * b
        q_root -= multiplicity[i] * c * c * b * b
        product += squares[i] * b
        product_root -= squares[i] * c * b * b
    return q, q_root, product, product_root


@njit(cache=True, error_model="numpy")
def _evaluate(theta, weight, shares, tau, q, q_root, omega, delta, new, slopes, moved):
    """omega, delta and the new tau (K,) at tau; the Jacobian `slopes` (K, K) of the new tau; `moved` (K,): its slope in q.

    shares (K, K): of row j, the share of each parent in the union that set j was drawn from; a row of zeros is a real set.
    """
    K = tau.size
    d_omega, d_delta = np.zeros((K, K)), np.zeros((K, K))
    q_delta = np.zeros(K)
    for j in range(K):
        omega[j] = weight[j]
        for i in range(K):
            if shares[i, j] > 0:
                omega[j] += shares[i, j] * tau[i] / theta[j]
                d_omega[j, i] = shares[i, j] / theta[j]
    for j in range(K):
        delta[j] = 0.0
        real = True
        for k in range(j):
            if shares[j, k] > 0:
                real = False
                trace, trace_omega, trace_delta = family_tree.seen_trace(omega[k], delta[k])
                delta[j] += shares[j, k] * trace
                q_delta[j] += shares[j, k] * trace_delta * q_delta[k]
                for i in range(K):
                    d_delta[j, i] += shares[j, k] * (trace_omega * d_omega[k, i] + trace_delta * d_delta[k, i])
        if real:
            delta[j], q_delta[j] = q, 1.0
            for i in range(K):
                if np.all(shares[i] == 0.0):
                    d_delta[j, i] = q_root
        new[j], tau_omega, tau_delta = family_tree.reduced_weight(theta[j], omega[j], delta[j])
        moved[j] = tau_delta * q_delta[j]
        for i in range(K):
            slopes[j, i] = tau_omega * d_omega[j, i] + tau_delta * d_delta[j, i]


@njit(cache=True, error_model="numpy")
def _root(shares, tau):
    root = 0.0
    for j in range(tau.size):
        if np.all(shares[j] == 0.0):
            root += tau[j]
    return root


@njit(cache=True, error_model="numpy")
def _response(theta, weight, label, shares, tau, d_tau, omega, product, d_product):
    """Mean margin, and the slope of the training loss along d_tau and d_product: targets are handed down, youngest set first."""
    K = tau.size
    goal, d_goal = np.zeros(K), np.zeros(K)
    loss = root = d_root = mean = d_mean = 0.0
    for j in range(K - 1, -1, -1):
        total, d_total, target, d_target = omega[j], 0.0, weight[j], 0.0
        for i in range(j + 1, K):
            if shares[i, j] > 0:
                f, d_f = shares[i, j] * tau[i] / theta[j], shares[i, j] * d_tau[i] / theta[j]
                d_total += d_f
                target += f * goal[i]
                d_target += d_f * goal[i] + f * d_goal[i]
        target /= total
        d_target = (d_target - target * d_total) / total
        for i in range(j + 1, K):
            if shares[i, j] > 0:
                apart = goal[i] - target
                f, d_f = shares[i, j] * tau[i] / theta[j], shares[i, j] * d_tau[i] / theta[j]
                loss += theta[j] * (d_f * apart * apart + 2 * f * apart * d_goal[i])
        loss += (1 - label[j] * label[j]) * (d_tau[j] * target * target + 2 * tau[j] * target * d_target)
        goal[j], d_goal[j] = label[j] * target, label[j] * d_target
        if np.all(shares[j] == 0.0):
            root += tau[j]
            d_root += d_tau[j]
            mean += tau[j] * goal[j]
            d_mean += d_tau[j] * goal[j] + tau[j] * d_goal[j]
    mean /= root
    d_mean = (d_mean - mean * d_root) / root
    for j in range(K):
        if np.all(shares[j] == 0.0):
            apart = goal[j] - mean
            loss += d_tau[j] * apart * apart + 2 * tau[j] * apart * d_goal[j]
    margin, loss_root, loss_target, loss_product = family_tree.root_response(root, mean, product)
    return margin, loss + loss_root * d_root + loss_target * d_mean + loss_product * d_product


@njit(cache=True, error_model="numpy")
def tree_point(theta, weight, label, shares, gamma, eigenvalues, multiplicity, squares, tau, delta):
    """Solve one family tree: fills tau and delta, and returns mean margin, variance and the relative residual.

    Parameters
    ----------
    theta, weight, label : arrays (K,)
        Of every set: kept samples over N, training weight, mean label.
    shares : array (K, K)
        Of row j: the share of each parent in the union that set j was drawn from; a row of zeros is a real set.
    gamma : float
    eigenvalues, multiplicity, squares : arrays (L,)
        Of the covariance: eigenvalues, how often each occurs over N, and mu^2 within each.
    tau, delta : arrays (K,)
        Reduced weights and left-out traces, filled.
    """
    K = tau.size
    omega, new, moved = np.empty(K), np.empty(K), np.empty(K)
    slopes, A, step = np.empty((K, K)), np.empty((K, K)), np.empty(K)
    for j in range(K - 1, -1, -1):  # from above: left-out traces of 0
        omega[j] = weight[j]
        for i in range(j + 1, K):
            omega[j] += shares[i, j] * tau[i] / theta[j] if shares[i, j] > 0 else 0.0
        tau[j] = theta[j] * omega[j]
    relative, previous = math.inf, math.inf
    for _ in range(_STEPS):
        root = _root(shares, tau)
        q, q_root, product, product_root = _resolvent(gamma, root, eigenvalues, multiplicity, squares)
        _evaluate(theta, weight, shares, tau, q, q_root, omega, delta, new, slopes, moved)
        relative = 0.0
        for j in range(K):
            step[j] = new[j] - tau[j]
            relative = max(relative, abs(step[j]) / tau[j])
            for i in range(K):
                A[j, i] = (1.0 if i == j else 0.0) - slopes[j, i]
        if relative <= _ENOUGH or (relative >= previous and relative <= 1e-14):
            break
        previous = relative
        solve_small(A, step)
        safe = True
        for j in range(K):
            if not tau[j] + step[j] > 0.0:
                safe = False
        for j in range(K):
            tau[j] = tau[j] + step[j] if safe else new[j]  # the safeguard: the map itself
    d_tau = moved * q_root  # with C_test = C the resolvent moves in t as in the root
    for j in range(K):
        for i in range(K):
            A[j, i] = (1.0 if i == j else 0.0) - slopes[j, i]
    solve_small(A, d_tau)
    d_root = _root(shares, d_tau)
    margin, variance = _response(theta, weight, label, shares, tau, d_tau, omega, product, product_root * (1.0 + d_root))
    return margin, variance, relative
