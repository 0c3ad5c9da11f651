"""Selection by a score.

Generated from derivations/special/selection.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def exact(mean, x_u, x_v, square, tau, a_mu, a_u, a_v, K_mu_u, K_mu_v, K_uu, K_uv, K_vv):
    """Loss of selected samples of an exact generator: gradient, and slope in tau.

    Returns to_mean, to_x_u, to_x_v, to_tau.
    """
    w0 = 2*a_mu
    w1 = 2*mean
    w2 = K_mu_u*x_u
    w3 = K_mu_v*x_v
    w4 = 2*a_u
    w5 = K_uu*x_u
    w6 = K_uv*x_v
    w7 = 2*a_v
    w8 = K_uv*x_u
    w9 = K_vv*x_v
    return tau*(-w0 + w1 + 2*w2 + 2*w3), tau*(K_mu_u*w1 - w4 + 2*w5 + 2*w6), tau*(K_mu_v*w1 - w7 + 2*w8 + 2*w9), (mean*mean) - mean*w0 + square + w1*(w2 + w3) - w4*x_u - w7*x_v + x_u*(w5 + w6) + x_v*(w8 + w9) + 1


@njit(cache=True, error_model="numpy")
def known_mean(mean, x_u, x_v, kappa_u, kappa_v, g_u, g_v, square, tau, delta, theta, s_uu, s_uv, s_vv, a_mu, a_u, a_v, K_mu_u, K_mu_v, K_uu, K_uv, K_vv):
    """The same of a generator whose covariance is fitted; slopes in tau and delta.

    Returns to_mean, to_x_u, to_x_v, to_kappa_u, to_kappa_v, to_g_u, to_g_v, to_tau, to_delta.
    """
    w0 = 2*a_mu
    w1 = 2*mean
    w2 = 2*g_u
    w3 = 2*g_v
    w4 = 2*kappa_u
    w5 = 1/theta
    w6 = delta*tau*w5
    w7 = w6 + 1
    w8 = 1/w7
    w9 = tau*w8
    w10 = 2*kappa_v
    w11 = s_uu*w4 + s_uv*w10
    w12 = 2*x_u
    w13 = s_uv*w4 + s_vv*w10
    w14 = 2*x_v
    w15 = kappa_u*(kappa_u*s_uu + kappa_v*s_uv)
    w16 = kappa_v*(kappa_u*s_uv + kappa_v*s_vv)
    w17 = -kappa_u*w12 - kappa_v*w14 + square + w15 + w16
    w18 = w17/(w7*w7)
    return tau*(K_mu_u*w2 + K_mu_v*w3 - w0 + w1), -w4*w9, -w10*w9, tau*(2*g_u - w11) + w9*(w11 - w12), tau*(2*g_v - w13) + w9*(w13 - w14), tau*(K_mu_u*w1 + K_uu*w2 + K_uv*w3 - 2*a_u + w4), tau*(K_mu_v*w1 + K_uv*w2 + K_vv*w3 - 2*a_v + w10), -a_u*w2 - a_v*w3 + g_u*(K_uu*g_u + K_uv*g_v) + g_v*(K_uv*g_u + K_vv*g_v) + kappa_u*w2 + kappa_v*w3 + (mean*mean) - mean*w0 + w1*(K_mu_u*g_u + K_mu_v*g_v) - w15 - w16 + w17*w8 - w18*w6 + 1, -(tau*tau)*w18*w5


@njit(cache=True, error_model="numpy")
def fitted(mean, x_u, x_v, kappa_u, kappa_v, g_u, g_v, r, h, square, tau, delta, theta, c, s_uu, s_uv, s_vv, h_u, h_v, a_mu, a_u, a_v, K_mu_u, K_mu_v, K_uu, K_uv, K_vv):
    """The same where the mean is fitted too, on samples that train with the weight c.

    Returns to_mean, to_x_u, to_x_v, to_kappa_u, to_kappa_v, to_g_u, to_g_v, to_r, to_h, to_tau, to_delta.
    """
    w0 = h_u*kappa_u
    w1 = 2*w0
    w2 = 1/theta
    w3 = tau*w2
    w4 = c + w3
    w5 = 1/w4
    w6 = w3*w5
    w7 = h_v*kappa_v
    w8 = 2*w7
    w9 = c + r*w3
    w10 = w5*w9
    w11 = delta*w4
    w12 = w11 + 1
    w13 = 1/w12
    w14 = theta*w4
    w15 = w13*w14
    w16 = 2*kappa_u
    w17 = tau*w13
    w18 = 2*kappa_v
    w19 = w0 + w7
    w20 = r + w19
    w21 = 2*h_u
    w22 = s_uu*w16 + s_uv*w18
    w23 = w20 - 1
    w24 = c*w5
    w25 = tau*w24
    w26 = 2*w6
    w27 = kappa_u*s_uu
    w28 = (1.0/(w4*w4))
    w29 = w28/(theta*theta)
    w30 = (tau*tau)*w29
    w31 = kappa_v*s_uv
    w32 = w27*w6 + w31*w6
    w33 = w32*w6
    w34 = -mean + w0*w6 + w10 + w6*w7
    w35 = w34*w6
    w36 = 2*h_v
    w37 = s_uv*w16 + s_vv*w18
    w38 = kappa_u*s_uv
    w39 = kappa_v*s_vv
    w40 = w38*w6 + w39*w6
    w41 = w40*w6
    w42 = 2*h
    w43 = 2*g_u
    w44 = 2*g_v
    w45 = 2*r
    w46 = w1 + w45 + w8
    w47 = kappa_u*(w27 + w31)
    w48 = kappa_v*(w38 + w39)
    w49 = (w23*w23) + w47 + w48
    w50 = w16*x_u
    w51 = w18*x_v
    w52 = kappa_u*w33 + kappa_v*w41 + square + (w34*w34) - w50*w6 - w51*w6
    w53 = w52/(w12*w12)
    w54 = w2*w5
    w55 = tau*w29
    w56 = kappa_u*w32
    w57 = kappa_v*w40
    return w15*(2*mean - w1*w6 - 2*w10 - w6*w8), -w16*w17, -w17*w18, tau*(2*g_u + 2*h*h_u - w20*w21 - w22) + w15*(w21*w35 - w26*x_u + w27*w30 + w30*w31 + w33) + w25*(w21*w23 + w22), tau*(2*g_v + 2*h*h_v - w20*w36 - w37) + w15*(-w26*x_v + w30*w38 + w30*w39 + w35*w36 + w41) + w25*(w23*w36 + w37), tau*(K_mu_u*w42 + K_uu*w43 + K_uv*w44 - 2*a_u + w16), tau*(K_mu_v*w42 + K_uv*w43 + K_vv*w44 - 2*a_v + w18), tau*(2*h - w46) + 2*w17*w34 + w25*(w46 - 2), tau*(K_mu_u*w43 + K_mu_v*w44 - 2*a_mu + w46), -a_mu*w42 - a_u*w43 - a_v*w44 - c*w28*w3*w49 + g_u*(K_uu*g_u + K_uv*g_v) + g_v*(K_uv*g_u + K_vv*g_v) + h*w45 + kappa_u*w43 + kappa_v*w44 - w11*w53 + w13*w52 + w15*(kappa_u*w6*(kappa_u*s_uu*w2*w5 + kappa_v*s_uv*w2*w5 - w27*w55 - w31*w55) + kappa_v*w6*(kappa_u*s_uv*w2*w5 + kappa_v*s_vv*w2*w5 - w38*w55 - w39*w55) + w34*(2*h_u*kappa_u*w2*w5 + 2*h_v*kappa_v*w2*w5 + 2*r*w2*w5 - w1*w55 - 2*w2*w28*w9 - w55*w8) - w50*w54 + w50*w55 - w51*w54 + w51*w55 + w54*w56 + w54*w57 - w55*w56 - w55*w57) + w19*w42 - (w20*w20) + w24*w49 + w42*(K_mu_u*g_u + K_mu_v*g_v) - w47 - w48 + 1, -w14*w4*w53
