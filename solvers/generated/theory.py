"""Two derivatives.

Generated from derivations/derivatives.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def leave_one_out(theta, c, r, b, q):
    """delta, the trace a left-out sample sees: the positive root of the equation of the fit.

    Returns delta.
    """
    w0 = c*q
    w1 = b*r
    w2 = w0*w1
    w3 = q*w1 + r*theta*w0 - w0
    w4 = w3 + 1
    w5 = math.sqrt(q*(4*c + 4*w2) + (w4*w4))
    return ((2*q/(w4 + w5)) if (w3 > -1) else ((-w4 + w5)/(2*c + 2*w2)))


@njit(cache=True, error_model="numpy")
def leave_one_out_slope(theta, c, r, b, q, delta):
    """d delta / dq.

    Returns d_delta.
    """
    w0 = c*delta
    w1 = w0 + 1
    w2 = q*r
    w3 = w2*(b + c*theta/w1) + 1
    return w1/((w3*w3)*(w0*(b*w2 + 1)/w3 + 1))


@njit(cache=True, error_model="numpy")
def second_moment_weight(theta, c, b, delta, d_delta):
    """kappa and d kappa / dq.

    Returns kappa, d_kappa.
    """
    w0 = c*delta + 1
    return b + c*theta/w0, -(c*c)*d_delta*theta/(w0*w0)


@njit(cache=True, error_model="numpy")
def covariance_weight(r, q, kappa, d_kappa):
    """s, the weight of the source's covariance in the resolvent, and ds/dq.

    Returns s, d_s.
    """
    w0 = kappa*q*r + 1
    return kappa/w0, (d_kappa - (kappa*kappa)*r)/(w0*w0)


@njit(cache=True, error_model="numpy")
def fitted_share(theta, c, b, delta, d_delta):
    """b / kappa and its slope in q.

    Returns base_share, d_base_share.
    """
    w0 = (b == 0)
    w1 = c*delta + 1
    w2 = b*w1
    w3 = c*theta + w2
    w4 = 1/w3
    return ((0) if w0 else (w2*w4)), ((0) if w0 else (d_delta*(-(b*b)*c*w1/(w3*w3) + b*c*w4)))


@njit(cache=True, error_model="numpy")
def signal(theta, c, r, b, q, delta, d_delta, label, spread, base_label, base_spread, base_share, d_base_share):
    """The mean label, what varying labels leave of the training loss, and their slopes in q.

    Returns signal, d_signal, d_floor.
    """
    w0 = base_label - label
    w1 = (w0*w0)
    w2 = c*delta
    w3 = w2 + 1
    w4 = (c*c)
    w5 = d_delta*theta*w4
    w6 = q*r
    w7 = b*w6
    return base_share*w0 + label, d_base_share*w0, -(b*b)*base_spread*r*((delta*delta)*w4 + (q*q)*r*w5 + 2*w2 + 1)/(c*theta*w6 + w2*w7 + w3 + w7)**2 + c*d_base_share*theta*w1/w3 - w5*(base_share*w1 + spread)/(w3*w3)


@njit(cache=True, error_model="numpy")
def trace_term(h, C_k, x):
    """One eigenvalue's part of q_k = (1/N) tr(C_k B).

    Returns trace.
    """
    return C_k*h/x


@njit(cache=True, error_model="numpy")
def pair_term(h, C_k, C_l, x):
    """One eigenvalue's part of -dq_k/ds_l = (1/N) tr(C_k B C_l B).

    Returns pair.
    """
    return C_k*C_l*h/(x*x)


@njit(cache=True, error_model="numpy")
def product_term(u, x):
    """One eigenvalue's part of mean_a^T B mean_b, u = mean_a mean_b there.

    Returns product.
    """
    return u/x


@njit(cache=True, error_model="numpy")
def product_slope_term(u, C_l, x):
    """One eigenvalue's part of mean_a^T B C_l B mean_b.

    Returns slope.
    """
    return C_l*u/(x*x)


@njit(cache=True, error_model="numpy")
def isotropic_residual(gamma, eta, q, load, load_slope):
    """q (gamma + sum_k a_k s_k) - eta, increasing and concave in q, and its slope; load = sum_k a_k s_k, load_slope its derivative in q.

    Returns residual, slope.
    """
    w0 = gamma + load
    return -eta + q*w0, load_slope*q + w0


@njit(cache=True, error_model="numpy")
def loss_slope_term(residual, T, d_T, d_signal, d_floor, speed):
    """One source's part of dL/dt, but for that of the products of the means.

    Returns term.
    """
    return speed*(2*T*d_signal*residual + d_T*(residual*residual) + d_floor)


@njit(cache=True, error_model="numpy")
def accuracy(mean_margin, variance):
    """Phi(m_w / s_w), the accuracy of sign(w^T x).

    Returns accuracy.
    """
    return 1 - 1/2*math.erfc((1/2)*math.sqrt(2)*mean_margin/math.sqrt(variance))


@njit(cache=True, error_model="numpy")
def risk(mean_margin, variance):
    """E[(y - w^T x)^2].

    Returns risk.
    """
    return variance + (1 - mean_margin)**2
