"""Any convex loss: two sides.

Generated from derivations/losses/two_sides.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def seen_terms(h, C_k, along, both, x):
    """One eigenvalue's part of mean, variance and leverage of a left-out margin.

    Returns mean, variance, leverage.
    """
    w0 = 1/x
    return along*w0, C_k*both/(x*x), C_k*h*w0


@njit(cache=True, error_model="numpy")
def seen_slopes(h, C_k, C_l, along, along_l, product, both, x):
    """One eigenvalue's part of their slopes in the forces of source l.

    Returns mean_by_force, mean_by_curvature, variance_by_force, variance_by_curvature, variance_by_noise, leverage_by_curvature.
    """
    w0 = (1.0/(x*x))
    w1 = C_l*w0
    w2 = 2*C_k
    w3 = C_k*h*w1
    return product/x, -along*w1, along_l*w0*w2, -C_l*both*w2/(x*x*x), w3, -w3


@njit(cache=True, error_model="numpy")
def linear_moments(intercept, slope, mean, sd, mass, first, second):
    """E of f, f', f^2, f f', f^2 f', f' g, f' (g^2 - 1), f f' g at a margin h = mean + sd g, over an interval on which f = intercept + slope h; mass, first, second: E[1, g, g^2] there.

    Returns f, df, f2, f_df, f2_df, df_g, df_gg, f_df_g.
    """
    w0 = first*slope
    w1 = sd*w0
    w2 = intercept + mean*slope
    w3 = mass*w2
    w4 = mass*slope
    w5 = (slope*slope)
    w6 = (sd*sd)*second
    w7 = (w2*w2)
    w8 = 2*w2
    w9 = sd*w5
    w10 = first*w9
    return w1 + w3, w4, mass*w7 + w1*w8 + w5*w6, slope*w3 + w10, (slope*slope*slope)*w6 + w10*w8 + w4*w7, w0, second*slope - w4, second*w9 + w0*w2


@njit(cache=True, error_model="numpy")
def linear_step(intercept, slope, mean, sd, mass, first, second):
    """E of u', u and u^2 over an interval on which u = intercept + slope h, h = mean + sd g.

    Returns du, u, u2.
    """
    w0 = first*sd*slope
    w1 = intercept + mean*slope
    return mass*slope, mass*w1 + w0, mass*(w1*w1) + (sd*sd)*second*(slope*slope) + 2*w0*w1


@njit(cache=True, error_model="numpy")
def forces(theta, e, sd, f, df, f2, f_df, f2_df, df_g, df_gg, f_df_g, f_wrong, df_wrong, f2_wrong, f_df_wrong, f2_df_wrong, df_g_wrong, df_gg_wrong, f_df_g_wrong):
    """Mean force, curvature, noise of a source, and their slopes in m, v, delta, from E of f, f', f^2, f f', f^2 f', f' g, f' (g^2 - 1), f f' g at a margin h = mean + sd g, right and wrong.

    Returns mhat, s, qhat, mhat_m, mhat_v, mhat_d, s_m, s_v, s_d, qhat_m, qhat_v, qhat_d.
    """
    w0 = 1 - e
    w1 = theta*(df*w0 + df_wrong*e)
    w2 = theta/sd
    w3 = w2*(df_g*w0 - df_g_wrong*e)
    w4 = theta*(-e*f_df_wrong + f_df*w0)
    w5 = w2*(e*f_df_g_wrong + f_df_g*w0)
    return theta*(-e*f_wrong + f*w0), -w1, theta*(e*f2_wrong + f2*w0), w1, (1/2)*w3, w4, -w3, -1/2*theta*(df_gg*w0 + df_gg_wrong*e)/(sd*sd), -w5, 2*w4, w5, 2*theta*(e*f2_df_wrong + f2_df*w0)


@njit(cache=True, error_model="numpy")
def base_input(m, v, q, mhat_g, s_g, qhat_g, m_s, r, fitted):
    """Mean, variance and leverage at which the base of a fitted generator takes its own proximal step.

    Returns mean, variance, leverage.
    """
    w0 = r*s_g
    w1 = q*w0
    w2 = w1 + 1
    w3 = 1/w2
    w4 = m*w3
    w5 = q*w3
    w6 = fitted*w5
    w7 = w1*w4
    w8 = (q*q)
    return -fitted*w7 + m_s*w0*w6 + mhat_g*r*w6 + w4 + w7, w8*(qhat_g*r + v/w8)/(w2*w2), w5


@njit(cache=True, error_model="numpy")
def base_step(m, v, q, mhat_g, s_g, qhat_g, m_s, r, fitted, f, df, f2, response, spread, f_m, f_v, f_d, df_m, df_v, df_d, f2_m, f2_v, f2_d):
    """Forces of the base with those of the generated samples handed down; mean, variance and leverage that the generated samples see; then the slopes of each in m, v, q, mhat_g, s_g, qhat_g, m_s.

    Returns mhat, s, qhat, mean, variance, leverage, mhat_by_m, mhat_by_v, mhat_by_q, mhat_by_mhat_g, mhat_by_s_g, mhat_by_qhat_g, mhat_by_m_s, s_by_m, s_by_v, s_by_q, s_by_mhat_g, s_by_s_g, s_by_qhat_g, s_by_m_s, qhat_by_m, qhat_by_v, qhat_by_q, qhat_by_mhat_g, qhat_by_s_g, qhat_by_qhat_g, qhat_by_m_s, mean_by_m, mean_by_v, mean_by_q, mean_by_mhat_g, mean_by_s_g, mean_by_qhat_g, mean_by_m_s, variance_by_m, variance_by_v, variance_by_q, variance_by_mhat_g, variance_by_s_g, variance_by_qhat_g, variance_by_m_s, leverage_by_m, leverage_by_v, leverage_by_q, leverage_by_mhat_g, leverage_by_s_g, leverage_by_qhat_g, leverage_by_m_s.
    """
    w0 = mhat_g*r
    w1 = -m + m_s
    w2 = r*s_g
    w3 = w0 + w1*w2
    w4 = fitted*w3
    w5 = f + w4
    w6 = q*w2
    w7 = w6 + 1
    w8 = 1/w7
    w9 = 1/r
    w10 = w8*w9
    w11 = (1.0/(w7*w7))
    w12 = w11*w9
    w13 = (f*f)
    w14 = df*w8
    w15 = 2*w14
    w16 = q*w15 + 1
    w17 = qhat_g*r
    w18 = r*s_g - w15
    w19 = v*w18
    w20 = f2 - w13 + w16*w17 + w19*w2 + (w5*w5)
    w21 = m*w8
    w22 = fitted*w8
    w23 = s_g*w8
    w24 = r*w23
    w25 = q*w24
    w26 = fitted*w23
    w27 = q*r
    w28 = w26*w27
    w29 = q*w8
    w30 = w25 - w28 + w8
    w31 = f_m*w30
    w32 = (1.0/(w7*w7*w7))
    w33 = f_v*w32
    w34 = w11*w5
    w35 = s_g*w34
    w36 = w11*w6
    w37 = -w36 + w8
    w38 = 2*v*w11
    w39 = (q*q)
    w40 = v/w39 + w17
    w41 = 2*w32
    w42 = w2*w41
    w43 = -2*q*w11*w40 + w39*w40*w42 + w38/q
    w44 = -w43
    w45 = m*w11
    w46 = s_g*w11
    w47 = fitted*q
    w48 = (r*r)
    w49 = mhat_g*w48
    w50 = (s_g*s_g)
    w51 = w48*w50
    w52 = -fitted*m*q*w11*w48*w50 - fitted*m_s*r*s_g*w8 - fitted*mhat_g*r*w8 - m*r*s_g*w8 + m*r*w26 + m_s*w11*w47*w51 + q*w45*w51 + w2*w45 + w46*w47*w49
    w53 = -w52
    w54 = f_d*w37 + f_m*w53 + f_v*w44
    w55 = f_m*w47
    w56 = r*w11
    w57 = w39*w56
    w58 = (q*q*q)
    w59 = r*w58
    w60 = w33*w59
    w61 = q*w56
    w62 = w11*w39
    w63 = fitted*w62
    w64 = w39*w46*w48
    w65 = -fitted*m*s_g*w11*w39*w48 - fitted*m_s*q*r*w8 + fitted*m_s*w64 - m*q*r*w8 + m*w61 + m*w64 + r*w21*w47 + w49*w63
    w66 = -w65
    w67 = -f_d*w57 + f_m*w66 - 2*w40*w60
    w68 = w12*w30
    w69 = df_m*w68
    w70 = (1.0/(w7*w7*w7*w7))
    w71 = df_v*w70
    w72 = w71*w9
    w73 = df_d*w37 + df_m*w53 + df_v*w44
    w74 = w12*w73
    w75 = w32*w47
    w76 = df_m*w75
    w77 = df*w41
    w78 = q*w77
    w79 = w41*w59
    w80 = w40*w79
    w81 = -df_d*w57 + df_m*w66 - df_v*w80
    w82 = w12*w81
    w83 = w39*w71
    w84 = s_g*w76
    w85 = 2*fitted
    w86 = w35*w85
    w87 = 2*w4
    w88 = w12*w87
    w89 = -2*v*w24 + 2*w17*w29
    w90 = f2_v*w70
    w91 = f_v*w70
    w92 = 2*df
    w93 = w20*w41
    w94 = f2_d*w37 + f2_m*w53 + f2_v*w44
    w95 = f2_m*w75
    w96 = f_m*(fitted*fitted)*q*w3*w41
    w97 = -f2_d*w57 + f2_m*w66 - f2_v*w80
    w98 = w39*w90
    w99 = w39*w91
    w100 = f_m*fitted
    w101 = w30*w62
    w102 = 2*f
    w103 = w102*w62
    w104 = w40*w58
    w105 = 2*df_v/w7**5
    w106 = f2 - w13
    w107 = df*w32
    w108 = 6*df
    w109 = fitted*w32
    w110 = w109*w59
    w111 = f*w100
    w112 = (q*q*q*q)
    w113 = r*w112
    w114 = w40*w70
    w115 = w113*w114
    w116 = df_m*w85
    w117 = w109*w2*w58
    w118 = q*w14 + 1
    return mhat_g*(1 - fitted) + w10*w5, -df*w12 + s_g*w8, w12*w20, f*q*w8 + m*w25 - m*w28 + m_s*w28 + q*w0*w22 + w21, spread, response*w29, w10*w31 - w26, w33*w9, -w35 + w54*w8*w9, -fitted + w11*w55 + w22 + 1, -q*w34 + w1*w22 + w10*w67, w33*w39, w26 + w46*w55, -w69, -w72, 2*df*s_g*w32 - w50*w56 - w74, -w76, -w36 + w78 + w8 - w82, -w83, -w84, f2_m*w68 + w31*w88 + w69*w89 - w86, w18*w46 + w72*w89 + w87*w9*w91 + w9*w90, -s_g*w93 + w12*w94 + w12*(df*w38*w51 + w17*(w15 - w36*w92)) + w54*w88 + w74*w89, w34*w85 + w76*w89 + w95 + w96, -q*w93 + w12*w97 + w12*(-qhat_g*w48*w62*w92 + r*w1*w5*w85 + r*w19 + v*w2*(r + w61*w92)) + w67*w88 + w82*w89, w11*w16 + w83*w89 + w87*w99 + w98, s_g*w95 + s_g*w96 + w84*w89 + w86, w29*w31 + w30, q*w33, -f*w36 + f*w8 + q*w54*w8 - w52, w100*w57 + w22*w27, -f*w57 + q*w67*w8 - w65, w60, f_m*w2*w63 + w28, df_m*w104*w30*w41 + f2_m*w101 - w103*w31, -w102*w99 + w104*w105 + w11 + w78 + w98, 6*df*w32*w39*w40 + 2*q*w106*w11 - 4*v*w107 - w103*w54 - w104*w108*w2*w70 - w106*w39*w42 + w11*w39*w94 + 2*w32*w40*w58*w73 - w43, f2_m*w110 - w111*w79 + w115*w116, -w103*w67 - w106*w79 - w108*w115 + w11*w39*w97 + 2*w32*w40*w58*w81 - w80, q**5*r*w105*w40 - w102*w113*w91 + w113*w90 + w57 + w59*w77, f2_m*w117 - w111*w42*w58 + w112*w114*w116*w2, df_m*w101, w83, -w118*w36 + w118*w8 + w29*(-df*w36 + df*w8) + w62*w73, df_m*w110, -w107*w59 + w11*w39*w81 - w118*w57, w113*w71, df_m*w117


@njit(cache=True, error_model="numpy")
def gathered_step(m, v, q, mhat_g, qhat_g, m_s, r, fitted, given, held, stuck, f, f2):
    """The base step of samples that gather on a kink: mean less m_s and variance at which the base takes its own step, in units of the leverage; forces of the base; how far the mean of the generated samples moves.

    Returns drawn, square, mhat, s, qhat, change.
    """
    w0 = mhat_g*r
    w1 = 1/q
    w2 = m - m_s
    w3 = fitted*(w0 + w1*w2)
    w4 = qhat_g*r
    w5 = v/(q*q)
    w6 = 1/r
    w7 = f*given + fitted*(given*w0 - held*w1*w2)
    w8 = given*stuck
    return w3, w4 + w5, mhat_g*(1 - fitted) + w6*w7, w1*w6*(held + w8), w6*((given*given)*(-(f*f) + f2 + w4*(1 - 2*stuck)) + held*w5*(held + 2*w8) + (w7*w7)), f + w3
