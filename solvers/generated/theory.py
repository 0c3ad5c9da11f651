"""Two derivatives.

Generated from derivations/derivatives.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from numba import njit


@njit(cache=True, error_model="numpy")
def leave_one_out(theta, c, r, b, q):
    """delta, the trace a left-out sample sees: the positive root of the layer's equation.

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
def layer_slope(theta, c, r, b, q, delta):
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
    w1 = c*delta
    w2 = w1 + 1
    w3 = c*theta
    w4 = q*r
    w5 = b*w4
    w6 = (b*b)
    w7 = base_spread*w6
    w8 = r*w7
    w9 = (c*c)
    w10 = d_delta*theta
    w11 = w10*w9
    w12 = spread*w11
    w13 = 4*w8
    w14 = spread*w10
    w15 = (c*c*c)
    w16 = 2*w15
    w17 = delta*w16
    w18 = w14*w17
    w19 = (base_label*base_label)
    w20 = base_share*w11
    w21 = w19*w20
    w22 = (label*label)
    w23 = w20*w22
    w24 = (c*c*c*c)
    w25 = (delta*delta)
    w26 = w24*w25
    w27 = w14*w26
    w28 = base_label*label
    w29 = 2*w28
    w30 = w20*w29
    w31 = 2*w5
    w32 = 4*w28
    w33 = w15*w32
    w34 = base_share*w10
    w35 = delta*w34
    w36 = w33*w35
    w37 = w17*w34
    w38 = w19*w37
    w39 = w22*w37
    w40 = (theta*theta)
    w41 = w4*w40
    w42 = d_delta*spread
    w43 = w16*w42
    w44 = w15*w5
    w45 = 4*w44
    w46 = w26*w34
    w47 = w19*w46
    w48 = w22*w46
    w49 = w29*w46
    w50 = delta*w41
    w51 = w24*w42
    w52 = 2*w51
    w53 = w32*w5
    w54 = base_share*d_delta
    w55 = w33*w54
    w56 = (q*q)*(r*r)
    w57 = (theta*theta*theta)*w56
    w58 = w19*w54
    w59 = w16*w41
    w60 = w22*w54
    w61 = w35*w45
    w62 = w24*w50
    w63 = w32*w54
    w64 = w56*w7
    w65 = w56*w6
    w66 = 2*w62
    w67 = b*w40*w56
    w68 = w24*w57
    w69 = delta*w67
    w70 = w10*w64
    w71 = w16*w67
    w72 = w24*w69
    w73 = 2*w72
    return base_share*w0 + label, d_base_share*w0, d_base_share*(w0*w0)*w3/w2 - ((delta*delta*delta*delta)*w24*w8 + (delta*delta*delta)*w13*w15 + delta*w14*w45 + w1*w13 + w11*w64 + w12*w31 + w12*w65 + w12 + w17*w70 + w18*w65 + w18 + w19*w61 - w20*w53 + w21*w31 + w21*w65 + w21 + w22*w61 + w23*w31 + w23*w65 + w23 + 6*w25*w8*w9 + w26*w70 + w27*w31 + w27*w65 + w27 - 8*w28*w35*w44 - w29*w54*w68 - w30*w65 - w30 + w31*w47 + w31*w48 - w36*w65 - w36 + w38*w65 + w38 + w39*w65 + w39 + w41*w43 - w41*w55 + w43*w67 - w46*w53 + w47*w65 + w47 + w48*w65 + w48 - w49*w65 - w49 + w50*w52 + w51*w57 + w52*w69 - w55*w67 + w58*w59 + w58*w66 + w58*w68 + w58*w71 + w58*w73 + w59*w60 + w60*w66 + w60*w68 + w60*w71 + w60*w73 - w62*w63 - w63*w72 + w8)/((w2*w2)*(w1*w5 + w2 + w3*w4 + w5)**2)


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
