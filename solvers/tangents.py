"""The loops around the generated tangents: how margins and variances move along a direction, from the solved fixed point. Compiled.

A direction is the rate of everything that a problem is given but its means, covariances and labels: columns of the sources, gamma, and the
logarithm of 1/N. Array letters as in kernels.py; G directions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .compiling import njit
from .generated import optimal_mix, theory
from .kernels import (
    BASE,
    FIT,
    MEAN_FITTED,
    THETA,
    WEIGHT,
    factored_balance,
    mean_weights,
    mirror,
    mix,
    solve_balance,
    solve_small,
    solve_speed,
    source_at,
)


class Rates(NamedTuple):
    """G directions along which a problem moves.

    Attributes
    ----------
    sources : array (G, K, 5)
        Rates of the columns of `kernels.Point.sources`.
    gamma : array (G,)
        Rates of gamma.
    log_h : array (G,)
        Rates of the logarithm of `kernels.Point.h`.
    """

    sources: np.ndarray
    gamma: np.ndarray
    log_h: np.ndarray


@njit(cache=True, error_model="numpy")
def _moved_source(point, k, rate, q, q_dot):
    """delta, d_delta of the k-th source, and the rates of delta, d_delta, kappa, d_kappa, s, d_s along `rate` and q_dot."""
    source = point.sources[k]
    theta, c, r, b = source[THETA], source[WEIGHT], source[FIT], source[BASE]
    theta_dot, c_dot, r_dot, b_dot = rate[THETA], rate[WEIGHT], rate[FIT], rate[BASE]
    delta, d_delta, kappa, d_kappa, _, _ = source_at(point, k, q)
    delta_dot = optimal_mix.leave_one_out_tangent(theta, c, r, b, q, delta, theta_dot, c_dot, r_dot, b_dot, q_dot)
    d_delta_dot = optimal_mix.leave_one_out_slope_tangent(theta, c, r, b, q, delta, theta_dot, c_dot, r_dot, b_dot, q_dot, delta_dot)
    kappa_dot, d_kappa_dot = optimal_mix.second_moment_weight_tangent(theta, c, b, delta, d_delta, theta_dot, c_dot, b_dot, delta_dot,
                                                                      d_delta_dot)
    s_dot, d_s_dot = optimal_mix.covariance_weight_tangent(r, q, kappa, d_kappa, r_dot, q_dot, kappa_dot, d_kappa_dot)
    return delta, d_delta, delta_dot, d_delta_dot, kappa_dot, d_kappa_dot, s_dot, d_s_dot


@njit(cache=True, error_model="numpy")
def moved_weights(point, rates, q, q_dot, s_dot, d_s_dot):
    """Fill the rates of s and ds/dq of every source.

    Parameters
    ----------
    point : kernels.Point
    rates : array (K, 5)
        Of the columns of the sources.
    q, q_dot : arrays (K,)
        The fixed point and its rate.
    s_dot, d_s_dot : arrays (K,)
        Filled.
    """
    for k in range(q.size):
        moved = _moved_source(point, k, rates[k], q[k], q_dot[k])
        s_dot[k], d_s_dot[k] = moved[6], moved[7]


@njit(cache=True, error_model="numpy")
def moved_fixed_point(pairs, d_s, shift, q_dot):
    """Solve (I + pairs diag(ds/dq)) q_dot = shift for the rate q_dot (K,) of the fixed point, in place.

    Parameters
    ----------
    pairs : array (K, K)
        (1/N) tr(C_k B C_l B).
    d_s : array (K,)
        ds/dq.
    shift : array (K,)
        The rate of T(q) where q stands still.
    q_dot : array (K,)
        Filled.
    """
    K = q_dot.size
    A = np.empty((K, K))
    for k in range(K):
        q_dot[k] = shift[k]
        for j in range(K):
            A[k, j] = pairs[k, j] * d_s[j] + (1.0 if k == j else 0.0)
    solve_small(A, q_dot)


@njit(cache=True, error_model="numpy")
def moved_speed(pairs, pairs_dot, d_s, d_s_dot, speed, h_dot, speed_dot):
    """Fill the rate of dq/dt (K,), by differentiating the equation of `kernels.solve_speed` along the direction.

    Parameters
    ----------
    pairs, d_s, speed
        As in `kernels.solve_speed`, solved.
    pairs_dot, d_s_dot, h_dot
        Their rates, and that of h.
    speed_dot : array (K,)
        Filled.
    """
    K = speed.size
    A = np.empty((K, K))
    for k in range(K):
        speed_dot[k] = -h_dot[k]
        for j in range(K):
            A[k, j] = pairs[k, j] * d_s[j] + (1.0 if k == j else 0.0)
            speed_dot[k] -= (pairs_dot[k, j] * d_s[j] + pairs[k, j] * d_s_dot[j]) * speed[j]
    solve_small(A, speed_dot)


@njit(cache=True, error_model="numpy")
def moved_balance(point, rates, labels, q, q_dot, products, products_dot, system):
    """Return the mean classifier of one labelling, as `kernels.balance` does, and its rates.

    Parameters
    ----------
    point : kernels.Point
    rates : array (K, 5)
        Of the columns of the sources.
    labels : array (K, 4)
        The labelling, which does not move.
    q, q_dot : arrays (K,)
        The fixed point and its rate.
    products, products_dot : arrays (B, B)
        mean_a^T B mean_b and its rate.
    system : kernels.Balance
        Of the point.

    Returns
    -------
    now, then : arrays (5, K)
        Rows T, d_T, d_signal, d_floor, residual, and their rates.
    intercept_dot : float
        The rate of the intercept.
    """
    K, sources = q.size, point.sources
    now, then = np.empty((5, K)), np.empty((5, K))
    for k in range(K):
        theta, c, r, b = sources[k, THETA], sources[k, WEIGHT], sources[k, FIT], sources[k, BASE]
        theta_dot, c_dot, r_dot, b_dot = rates[k, THETA], rates[k, WEIGHT], rates[k, FIT], rates[k, BASE]
        _, _, kappa, d_kappa, s, d_s = source_at(point, k, q[k])
        delta, d_delta, delta_dot, d_delta_dot, kappa_dot, d_kappa_dot, s_dot, d_s_dot = _moved_source(point, k, rates[k], q[k], q_dot[k])
        share, d_share = theory.fitted_share(theta, c, b, delta, d_delta)
        share_dot, d_share_dot = optimal_mix.fitted_share_tangent(theta, c, b, delta, d_delta, theta_dot, c_dot, b_dot, delta_dot,
                                                                  d_delta_dot)
        y, v, y0, v0 = labels[k]  # which do not move
        now[4, k], now[2, k], now[3, k] = theory.signal(theta, c, r, b, q[k], delta, d_delta, y, v, y0, v0, share, d_share)
        then[4, k], then[2, k], then[3, k] = optimal_mix.signal_tangent(
            theta, c, r, b, q[k], delta, d_delta, y, v, y0, v0, share, d_share, theta_dot, c_dot, r_dot, b_dot, q_dot[k], delta_dot,
            d_delta_dot, 0.0, 0.0, 0.0, 0.0, share_dot, d_share_dot)
        if sources[k, MEAN_FITTED] > 0:
            now[0, k], now[1, k], then[0, k], then[1, k] = s, d_s, s_dot, d_s_dot
        else:
            now[0, k], now[1, k], then[0, k], then[1, k] = kappa, d_kappa, kappa_dot, d_kappa_dot
    solve_balance(system, now[4], 0.0)
    surplus = 0.0
    for k in range(K):
        surplus -= then[0, k] * now[4, k]
        for j in range(K):
            then[4, k] -= (products_dot[k, j] * now[0, j] + products[k, j] * then[0, j]) * now[4, j]
    intercept_dot = solve_balance(system, then[4], surplus)
    return now, then, intercept_dot


@njit(cache=True, error_model="numpy")
def moved_response(now, then, intercept_dot, speed, speed_dot, products, products_dot, slopes, slopes_dot, test):
    """Return the rates of mean and variance of the margin of one test law.

    Parameters
    ----------
    now, then, intercept_dot
        From `moved_balance`.
    speed, products, slopes, test
        As in `kernels.respond`.
    speed_dot, products_dot, slopes_dot
        Their rates.
    """
    K = speed.size
    margin_dot, variance_dot = intercept_dot, 0.0
    for k in range(K):
        dual, dual_dot = now[0, k] * now[4, k], then[0, k] * now[4, k] + now[0, k] * then[4, k]
        margin_dot += products_dot[test, k] * dual + products[test, k] * dual_dot
        variance_dot += optimal_mix.loss_slope_term_tangent(now[4, k], now[0, k], now[1, k], now[2, k], now[3, k], speed[k], then[4, k],
                                                            then[0, k], then[1, k], then[2, k], then[3, k], speed_dot[k])
        for j in range(K):
            other, other_dot = now[0, j] * now[4, j], then[0, j] * now[4, j] + now[0, j] * then[4, j]
            variance_dot += dual_dot * slopes[k, j] * other + dual * slopes_dot[k, j] * other + dual * slopes[k, j] * other_dot
    return margin_dot, variance_dot


class _Solved(NamedTuple):
    """A solved point on a spectrum: s, ds/dq (K,), the eigenvalues x (L,) of gamma I + sum_k s_k C_k, pairs (K, K)."""

    s: np.ndarray
    d_s: np.ndarray
    x: np.ndarray
    pairs: np.ndarray


class _Moved(NamedTuple):
    """The rates of `_Solved`, and of the fixed point q (K,), along a direction; filled in place."""

    s: np.ndarray
    d_s: np.ndarray
    x: np.ndarray
    pairs: np.ndarray
    q: np.ndarray


class _Response(NamedTuple):
    """A test law's dq/dt (K,) and slopes (B, B), as of `kernels.respond`, and their rates; of T laws with a leading axis."""

    speed: np.ndarray
    slopes: np.ndarray
    speed_dot: np.ndarray
    slopes_dot: np.ndarray


@njit(cache=True, error_model="numpy")
def _spectral_state(point, spectrum, q):
    """The solved point at the fixed point q (K,)."""
    eigenvalues = spectrum.eigenvalues
    K, L = eigenvalues.shape
    s, d_s, x, pairs = np.empty(K), np.empty(K), np.empty(L), np.zeros((K, K))
    for k in range(K):
        _, _, _, _, s[k], d_s[k] = source_at(point, k, q[k])
    for j in range(L):
        x[j] = point.gamma
        for k in range(K):
            x[j] += s[k] * eigenvalues[k, j]
        for k in range(K):
            for i in range(K):
                pairs[k, i] += theory.pair_term(point.h, eigenvalues[k, j], eigenvalues[i, j], x[j])
    return _Solved(s, d_s, x, pairs)


@njit(cache=True, error_model="numpy")
def _move_fixed_point(point, spectrum, q, solved, rates, gamma_dot, h_dot, moved):
    """Fill `moved` along one direction: rates (K, 5) of the columns, and those of gamma and h."""
    eigenvalues, h = spectrum.eigenvalues, point.h
    K, L = eigenvalues.shape
    shift = np.zeros(K)
    moved.q[:] = 0.0
    moved_weights(point, rates, q, moved.q, moved.s, moved.d_s)
    for j in range(L):
        drift = gamma_dot
        for k in range(K):
            drift += moved.s[k] * eigenvalues[k, j]
        for k in range(K):
            shift[k] += optimal_mix.trace_term_tangent(h, eigenvalues[k, j], solved.x[j], h_dot, 0.0, drift)
    moved_fixed_point(solved.pairs, solved.d_s, shift, moved.q)
    moved_weights(point, rates, q, moved.q, moved.s, moved.d_s)
    moved.pairs[:] = 0.0
    for j in range(L):
        moved.x[j] = gamma_dot
        for k in range(K):
            moved.x[j] += moved.s[k] * eigenvalues[k, j]
        for k in range(K):
            for i in range(K):
                moved.pairs[k, i] += optimal_mix.pair_term_tangent(h, eigenvalues[k, j], eigenvalues[i, j], solved.x[j], h_dot, 0.0, 0.0,
                                                                   moved.x[j])


@njit(cache=True, error_model="numpy")
def _move_products(mixing, means, solved, moved, products, products_dot):
    """Fill the products (B, B) of the means with B, and their rates."""
    D = mixing.shape[1]
    base, base_dot = np.zeros((D, D)), np.zeros((D, D))
    for j in range(solved.x.size):
        for d in range(D):
            for b in range(d + 1):
                base[d, b] += theory.product_term(means[d, b, j], solved.x[j])
                base_dot[d, b] += optimal_mix.product_term_tangent(means[d, b, j], solved.x[j], 0.0, moved.x[j])
    mirror(base)
    mirror(base_dot)
    mix(mixing, base, products)
    mix(mixing, base_dot, products_dot)


@njit(cache=True, error_model="numpy")
def _move_speed(point, eigenvalues, test, solved, moved, h_dot, speed, speed_dot):
    """Fill dq/dt (K,) of a test law with eigenvalues `test` (L,), and its rate."""
    K, L = eigenvalues.shape
    hs, hs_dot = np.zeros(K), np.zeros(K)
    for j in range(L):
        for k in range(K):
            hs[k] += theory.pair_term(point.h, eigenvalues[k, j], test[j], solved.x[j])
            hs_dot[k] += optimal_mix.pair_term_tangent(point.h, eigenvalues[k, j], test[j], solved.x[j], h_dot, 0.0, 0.0, moved.x[j])
    solve_speed(solved.d_s, solved.pairs, hs, speed)
    moved_speed(solved.pairs, moved.pairs, solved.d_s, moved.d_s, speed, hs_dot, speed_dot)


@njit(cache=True, error_model="numpy")
def _move_slopes(mixing, spectrum, test, solved, moved, speed, speed_dot, slopes, slopes_dot):
    """Fill the slopes (B, B) of the products in t for a test law with eigenvalues `test` (L,), and their rates."""
    eigenvalues, means, D = spectrum.eigenvalues, spectrum.means, mixing.shape[1]
    K, L = eigenvalues.shape
    base, base_dot = np.zeros((D, D)), np.zeros((D, D))
    for j in range(L):
        along, along_dot = test[j], 0.0
        for k in range(K):
            along += solved.d_s[k] * speed[k] * eigenvalues[k, j]
            along_dot += (moved.d_s[k] * speed[k] + solved.d_s[k] * speed_dot[k]) * eigenvalues[k, j]
        for d in range(D):
            for b in range(d + 1):
                u = means[d, b, j]
                base[d, b] += theory.product_slope_term(u, along, solved.x[j])
                base_dot[d, b] += optimal_mix.product_slope_term_tangent(u, along, solved.x[j], 0.0, along_dot, moved.x[j])
    mirror(base)
    mirror(base_dot)
    mix(mixing, base, slopes)
    mix(mixing, base_dot, slopes_dot)


@njit(cache=True, error_model="numpy")
def _move_responses(point, spectrum, solved, moved, h_dot, found):
    """Fill the `_Response` of every test law."""
    tests = spectrum.tests
    for test in range(tests.shape[0]):
        if test > 0 and np.all(tests[test] == tests[test - 1]):  # another mean, the same covariance
            found.speed[test], found.speed_dot[test] = found.speed[test - 1], found.speed_dot[test - 1]
            found.slopes[test], found.slopes_dot[test] = found.slopes[test - 1], found.slopes_dot[test - 1]
            continue
        speed, speed_dot = found.speed[test], found.speed_dot[test]
        _move_speed(point, spectrum.eigenvalues, tests[test], solved, moved, h_dot, speed, speed_dot)
        _move_slopes(point.mixing, spectrum, tests[test], solved, moved, speed, speed_dot, found.slopes[test], found.slopes_dot[test])


@njit(cache=True, error_model="numpy")
def spectral_slopes(point, rates, spectrum, q, wanted, margin_rates, variance_rates):
    """Fill how the margins of one solved problem on a spectrum move along G directions.

    Parameters
    ----------
    point : kernels.Point
    rates : Rates
        The directions.
    spectrum : kernels.Spectrum
    q : array (K,)
        The solved fixed point.
    wanted : array (T, A)
        The test laws and labellings whose rates are filled.
    margin_rates, variance_rates : arrays (G, T, A)
        Of mean and variance of the margin.
    """
    K, L = spectrum.eigenvalues.shape
    T, B, labels = spectrum.tests.shape[0], point.mixing.shape[0], point.labels
    solved = _spectral_state(point, spectrum, q)
    moved = _Moved(np.empty(K), np.empty(K), np.empty(L), np.empty((K, K)), np.empty(K))
    tested = _Response(np.empty((T, K)), np.empty((T, B, B)), np.empty((T, K)), np.empty((T, B, B)))
    products, products_dot = np.empty((B, B)), np.empty((B, B))
    for g in range(rates.gamma.size):
        along, h_dot = rates.sources[g], point.h * rates.log_h[g]
        _move_fixed_point(point, spectrum, q, solved, along, rates.gamma[g], h_dot, moved)
        _move_products(point.mixing, spectrum.means, solved, moved, products, products_dot)
        _move_responses(point, spectrum, solved, moved, h_dot, tested)
        system = factored_balance(products, mean_weights(point, q)[0], point.intercept)
        for a in range(labels.shape[0]):
            now, then, intercept_dot = moved_balance(point, along, labels[a], q, moved.q, products, products_dot, system)
            for test in range(T):
                if wanted[test, a]:
                    margin_rates[g, test, a], variance_rates[g, test, a] = moved_response(
                        now, then, intercept_dot, tested.speed[test], tested.speed_dot[test], products, products_dot, tested.slopes[test],
                        tested.slopes_dot[test], K + test)


@njit(cache=True, error_model="numpy")
def right(margins, variances, margin_rates, variance_rates, nodes, weights):
    """Return the probability that all R margins are positive, and its rates (G,).

    Without variance the sign decides.

    Parameters
    ----------
    margins, variances : arrays (R,)
        Means and variances of the margins.
    margin_rates, variance_rates : arrays (G, R)
        Their rates.
    nodes, weights : arrays
        Of the integral over the noise that several margins share; not needed for one margin.
    """
    R, G = margins.size, margin_rates.shape[0]
    rates = np.zeros(G)
    if variances.min() <= 0.0:
        value = 1.0
        for i in range(R):
            value *= 0.5 + 0.5 * np.sign(margins[i]) if variances[i] == 0.0 else theory.accuracy(margins[i], variances[i])
        return value, rates
    if R == 1:
        for g in range(G):
            rates[g] = optimal_mix.accuracy_tangent(margins[0], variances[0], margin_rates[g, 0], variance_rates[g, 0])
        return theory.accuracy(margins[0], variances[0]), rates
    value = 0.0
    beaten = np.empty(R)
    for node in range(nodes.size):
        product = weights[node]
        for i in range(R):
            beaten[i] = optimal_mix.rival(margins[i], variances[i], nodes[node])
            product *= beaten[i]
        value += product
        for i in range(R):
            if beaten[i] > 0.0:
                for g in range(G):
                    rates[g] += product / beaten[i] * optimal_mix.rival_tangent(margins[i], variances[i], nodes[node], margin_rates[g, i],
                                                                                variance_rates[g, i], 0.0)
    return value, rates
