"""The best mix, by gradient.

Generated from derivations/special/optimal_mix.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def leave_one_out_tangent(theta, c, r, b, q, delta, theta_dot, c_dot, r_dot, b_dot, q_dot):
    """How delta moves along a direction, by the equation of the fit.

    Returns delta_dot.
    """
    w0 = c*delta
    w1 = 2*w0
    w2 = b*r
    w3 = q*w2
    w4 = c*theta
    w5 = q*r
    w6 = (delta*delta)
    w7 = (c*c)*w6
    w8 = 1/(w1*w3 + w1 + w3*w7 + w3 + w4*w5 + w7 + 1)
    w9 = delta*w5*w8
    w10 = w0 + 1
    w11 = w10*w8
    return -b_dot*(w10*w10)*w9 - c_dot*theta*w9 - delta*q*r_dot*w11*(b*w0 + b + w4) - q_dot*w11*(c*w2*w6 + delta*w2 + r*theta*w0 - w0 - 1) - theta_dot*w0*w11*w5


@njit(cache=True, error_model="numpy")
def leave_one_out_slope_tangent(theta, c, r, b, q, delta, theta_dot, c_dot, r_dot, b_dot, q_dot, delta_dot):
    """How d_delta of `leave_one_out_slope` moves along a direction.

    Returns d_delta_dot.
    """
    w0 = c*delta
    w1 = w0 + 1
    w2 = 1/w1
    w3 = theta*w2
    w4 = b + c*w3
    w5 = q*r
    w6 = w4*w5 + 1
    w7 = 1/w6
    w8 = b*w5 + 1
    w9 = w7*w8
    w10 = w0*w9 + 1
    w11 = 1/w10
    w12 = (1.0/(w6*w6*w6))
    w13 = 2*w11*w12*w5
    w14 = (1.0/(w10*w10))
    w15 = (c*c)
    w16 = w5*w8
    w17 = delta*w16
    w18 = 2*w1*w11*w12
    w19 = w18*w5
    w20 = (1.0/(w6*w6))
    w21 = w0*w7
    w22 = w0*w16*w20
    w23 = b*w21
    w24 = w11*w20
    w25 = theta/(w1*w1)
    w26 = w1*w14*w20
    w27 = theta*w2 - w0*w25
    return b_dot*(w1*w14*w20*(-w21*w5 + w22) - w19) + c_dot*(delta*w24 - w19*w27 + w26*(-delta*w9 + w22*w27)) + delta_dot*(c*w24 + w13*w15*w3 + w26*(-(c*c*c)*w17*w20*w25 - c*w9)) + q_dot*(-r*w18*w4 + w1*w14*w20*(c*delta*r*w20*w4*w8 - r*w23)) + r_dot*(-q*w18*w4 + w1*w14*w20*(c*delta*q*w20*w4*w8 - q*w23)) + theta_dot*(-c*w13 + w14*w15*w17/(w6*w6*w6*w6))


@njit(cache=True, error_model="numpy")
def second_moment_weight_tangent(theta, c, b, delta, d_delta, theta_dot, c_dot, b_dot, delta_dot, d_delta_dot):
    """How kappa, d_kappa of `second_moment_weight` move along a direction.

    Returns kappa_dot, d_kappa_dot.
    """
    w0 = c*delta
    w1 = w0 + 1
    w2 = 1/w1
    w3 = (c*c)
    w4 = (1.0/(w1*w1))
    w5 = theta*w4
    w6 = w3*w5
    w7 = d_delta*w3
    w8 = 2*d_delta
    w9 = theta/(w1*w1*w1)
    return b_dot + c*theta_dot*w2 + c_dot*(theta*w2 - w0*w5) - delta_dot*w6, (c*c*c)*delta_dot*w8*w9 + c_dot*(-c*w5*w8 + 2*delta*w7*w9) - d_delta_dot*w6 - theta_dot*w4*w7


@njit(cache=True, error_model="numpy")
def covariance_weight_tangent(r, q, kappa, d_kappa, r_dot, q_dot, kappa_dot, d_kappa_dot):
    """How s, d_s of `covariance_weight` move along a direction.

    Returns s_dot, d_s_dot.
    """
    w0 = (kappa*kappa)
    w1 = kappa*r
    w2 = q*w1
    w3 = w2 + 1
    w4 = (1.0/(w3*w3))
    w5 = w0*w4
    w6 = r*w0
    w7 = 2*w1
    w8 = (d_kappa - w6)/(w3*w3*w3)
    w9 = 2*q*w8
    return kappa_dot*(-w2*w4 + 1/w3) - q*r_dot*w5 - q_dot*w4*w6, d_kappa_dot*w4 + kappa_dot*(-r*w9 - w4*w7) - q_dot*w7*w8 + r_dot*(-kappa*w9 - w5)


@njit(cache=True, error_model="numpy")
def fitted_share_tangent(theta, c, b, delta, d_delta, theta_dot, c_dot, b_dot, delta_dot, d_delta_dot):
    """How base_share, d_base_share of `fitted_share` move along a direction.

    Returns base_share_dot, d_base_share_dot.
    """
    w0 = (b == 0)
    w1 = c*delta
    w2 = w1 + 1
    w3 = b*w2
    w4 = c*theta + w3
    w5 = (1.0/(w4*w4))
    w6 = w3*w5
    w7 = c*w6
    w8 = 1/w4
    w9 = (b*b)
    w10 = w5*w9
    w11 = w10*w2
    w12 = ((0) if w0 else (b*c*w8 - c*w11))
    w13 = b*delta
    w14 = -theta - w13
    w15 = -w2
    w16 = (c*c)
    w17 = 2*w16
    w18 = w2/(w4*w4*w4)
    w19 = w18*w9
    w20 = c*w19
    return b_dot*((0) if w0 else (w15*w6 + w2*w8)) + c_dot*((0) if w0 else (w13*w8 + w14*w6)) + delta_dot*w12 + theta_dot*((0) if w0 else (-w7)), b_dot*((0) if w0 else (d_delta*(b*c*w15*w5 + c*w8 - w20*(-2*w1 - 2) - 2*w7))) + c_dot*((0) if w0 else (d_delta*(b*c*w14*w5 + b*w8 - w1*w10 - w11 - w20*(-2*theta - 2*w13)))) + d_delta_dot*w12 + delta_dot*((0) if w0 else (d_delta*((b*b*b)*w17*w18 - w10*w17))) + theta_dot*((0) if w0 else (d_delta*(-b*w16*w5 + w17*w19)))


@njit(cache=True, error_model="numpy")
def signal_tangent(theta, c, r, b, q, delta, d_delta, label, spread, base_label, base_spread, base_share, d_base_share, theta_dot, c_dot, r_dot, b_dot, q_dot, delta_dot, d_delta_dot, label_dot, spread_dot, base_label_dot, base_spread_dot, base_share_dot, d_base_share_dot):
    """How signal, d_signal, d_floor of `signal` move along a direction.

    Returns signal_dot, d_signal_dot, d_floor_dot.
    """
    w0 = base_label - label
    w1 = c*delta
    w2 = w1 + 1
    w3 = (1.0/(w2*w2))
    w4 = (c*c)
    w5 = theta*w4
    w6 = d_delta*w5
    w7 = w3*w6
    w8 = (w0*w0)
    w9 = 1/w2
    w10 = c*theta
    w11 = theta*w8
    w12 = 2*base_label - 2*label
    w13 = base_share*w7
    w14 = -w12
    w15 = q*r
    w16 = b*w15
    w17 = w1*w16 + w10*w15 + w16 + w2
    w18 = (1.0/(w17*w17))
    w19 = 2*w1
    w20 = (delta*delta)
    w21 = (q*q)
    w22 = r*w21*w6
    w23 = w19 + w20*w4 + w22 + 1
    w24 = w18*w23
    w25 = (b*b)
    w26 = r*w25
    w27 = base_share*w8 + spread
    w28 = w27*w3
    w29 = (r*r)
    w30 = base_spread*w18*w25
    w31 = w29*w30
    w32 = 2*b
    w33 = r*w32
    w34 = 2*c
    w35 = theta*w34
    w36 = r*w35
    w37 = b*w19
    w38 = (1.0/(w17*w17*w17))
    w39 = base_spread*w23*w26*w38
    w40 = 2*w15
    w41 = d_delta*w28
    w42 = d_delta*w21
    w43 = d_base_share*w11*w3
    w44 = (1.0/(w2*w2*w2))
    w45 = 2*delta
    w46 = r*w30
    return base_label_dot*base_share + base_share_dot*w0 + label_dot*(1 - base_share), base_label_dot*d_base_share - d_base_share*label_dot + d_base_share_dot*w0, b_dot*(-base_spread*w24*w33 - w39*(-w15*w19 - w40)) + base_label_dot*(c*d_base_share*theta*w12*w9 - w12*w13) - base_share_dot*d_delta*w11*w3*w4 - base_spread_dot*w24*w26 + c_dot*(d_base_share*theta*w8*w9 + 2*d_delta*delta*theta*w27*w4*w44 - w1*w43 - w35*w41 - w39*(-theta*w40 - w16*w45 - w45) - w46*(w20*w34 + w36*w42 + w45)) + d_base_share_dot*w10*w8*w9 + d_delta_dot*(-w21*w31*w5 - w28*w5) + delta_dot*(2*(c*c*c)*d_delta*theta*w27*w44 - w39*(-w16*w34 - w34) - w4*w43 - w46*(w34 + w4*w45)) + label_dot*(c*d_base_share*theta*w14*w9 - w13*w14) + q_dot*(-2*q*w31*w6 - w39*(-r*w37 - w33 - w36)) + r_dot*(-w22*w30 - w23*w30 - w39*(-q*w32 - q*w35 - q*w37)) - spread_dot*w7 + theta_dot*(2*base_spread*c*q*w23*w25*w29*w38 + c*d_base_share*w8*w9 - w31*w4*w42 - w4*w41)


@njit(cache=True, error_model="numpy")
def trace_term_tangent(h, C_k, x, h_dot, C_dot, x_dot):
    """How trace of `trace_term` moves along a direction.

    Returns trace_dot.
    """
    w0 = 1/x
    return C_dot*h*w0 - C_k*h*x_dot/(x*x) + C_k*h_dot*w0


@njit(cache=True, error_model="numpy")
def pair_term_tangent(h, C_k, C_l, x, h_dot, C_dot, C_l_dot, x_dot):
    """How pair of `pair_term` moves along a direction.

    Returns pair_dot.
    """
    w0 = (1.0/(x*x))
    w1 = C_l*w0
    w2 = C_k*h
    return C_dot*h*w1 + C_k*h_dot*w1 - 2*C_l*w2*x_dot/(x*x*x) + C_l_dot*w0*w2


@njit(cache=True, error_model="numpy")
def product_term_tangent(u, x, u_dot, x_dot):
    """How product of `product_term` moves along a direction.

    Returns product_dot.
    """
    return -u*x_dot/(x*x) + u_dot/x


@njit(cache=True, error_model="numpy")
def product_slope_term_tangent(u, C_l, x, u_dot, C_l_dot, x_dot):
    """How slope of `product_slope_term` moves along a direction.

    Returns slope_dot.
    """
    w0 = (1.0/(x*x))
    return -2*C_l*u*x_dot/(x*x*x) + C_l*u_dot*w0 + C_l_dot*u*w0


@njit(cache=True, error_model="numpy")
def loss_slope_term_tangent(residual, T, d_T, d_signal, d_floor, speed, residual_dot, T_dot, d_T_dot, d_signal_dot, d_floor_dot, speed_dot):
    """How term of `loss_slope_term` moves along a direction.

    Returns term_dot.
    """
    w0 = (residual*residual)
    w1 = 2*T
    w2 = 2*residual
    w3 = d_signal*w1
    return T_dot*d_signal*speed*w2 + d_T_dot*speed*w0 + d_floor_dot*speed + d_signal_dot*residual*speed*w1 + residual_dot*speed*(d_T*w2 + w3) + speed_dot*(d_T*w0 + d_floor + residual*w3)


@njit(cache=True, error_model="numpy")
def accuracy_tangent(mean_margin, variance, mean_margin_dot, variance_dot):
    """How accuracy of `accuracy` moves along a direction.

    Returns accuracy_dot.
    """
    w0 = math.sqrt(2)
    w1 = 1/math.sqrt(math.pi)
    w2 = math.exp(-1/2*(mean_margin*mean_margin)/variance)
    return -1/4*mean_margin*variance_dot*w0*w1*w2/variance**(3/2) + (1/2)*mean_margin_dot*w0*w1*w2/math.sqrt(variance)


@njit(cache=True, error_model="numpy")
def rival(mean_margin, variance, z):
    """Phi(sqrt(2) m_w / s_w + z): the probability that one rival of several is beaten, given the common part z of their margins, where any two are correlated by 1/2.

    Returns beaten.
    """
    w0 = math.sqrt(2)
    return (1/2)*math.erfc((1/2)*w0*(-mean_margin*w0/math.sqrt(variance) - z))


@njit(cache=True, error_model="numpy")
def rival_tangent(mean_margin, variance, z, mean_margin_dot, variance_dot, z_dot):
    """How beaten of `rival` moves along a direction.

    Returns beaten_dot.
    """
    w0 = 1/math.sqrt(variance)
    w1 = math.sqrt(2)
    w2 = math.exp(-1/2*(-mean_margin*w0*w1 - z)**2)/math.sqrt(math.pi)
    w3 = (1/2)*w2
    return -mean_margin*variance_dot*w3/variance**(3/2) + mean_margin_dot*w0*w2 + w1*w3*z_dot
