"""Any convex loss: two sides.

Generated from derivations/losses/two_sides.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from numba import njit


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
    """E of f, f', f^2, f f', f^2 f', f' g, f' (g^2 - 1), f f' g at a margin h = mean + sd g, over an interval on which f = intercept + slope h; mass, first, second: E[1, g, g^2; there].

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
def forces(theta, e, sd, f, df, f2, f_df, f2_df, df_g, df_gg, f_df_g, f_wrong, df_wrong, f2_wrong, f_df_wrong, f2_df_wrong, df_g_wrong, df_gg_wrong, f_df_g_wrong):
    """Mean force, curvature and noise of a source, and their slopes in m, v, delta, from E of f, f', f^2, f f', f^2 f', f' g, f' (g^2 - 1), f f' g at a margin h = mean + sd g, right and wrong.

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
def base_step(m, v, q, mhat_g, s_g, qhat_g, m_s, r, fitted, f, df, f2, f_m, f_v, f_d, df_m, df_v, df_d, f2_m, f2_v, f2_d):
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
    w29 = f2 - w13
    w30 = (q*q)
    w31 = w11*w30
    w32 = v/w30 + w17
    w33 = (1.0/(w7*w7*w7))
    w34 = 2*w33
    w35 = df*w34
    w36 = (q*q*q)
    w37 = w32*w36
    w38 = q*w14 + 1
    w39 = w38*w8
    w40 = w25 - w28 + w8
    w41 = f_m*w40
    w42 = f_v*w33
    w43 = w11*w5
    w44 = s_g*w43
    w45 = w11*w6
    w46 = -w45 + w8
    w47 = 2*v*w11
    w48 = w2*w34
    w49 = -2*q*w11*w32 + w30*w32*w48 + w47/q
    w50 = -w49
    w51 = m*w11
    w52 = (r*r)
    w53 = s_g*w11
    w54 = fitted*q
    w55 = (s_g*s_g)
    w56 = w52*w55
    w57 = -fitted*m*q*w11*w52*w55 - fitted*m_s*r*s_g*w8 - fitted*mhat_g*r*w8 - m*r*s_g*w8 + m*r*w26 + m_s*w11*w54*w56 + mhat_g*w52*w53*w54 + q*w51*w56 + w2*w51
    w58 = -w57
    w59 = f_d*w46 + f_m*w58 + f_v*w50
    w60 = f_m*w54
    w61 = r*w31
    w62 = r*w36
    w63 = w42*w62
    w64 = r*w11
    w65 = q*w64
    w66 = w31*w52
    w67 = fitted*w66
    w68 = -fitted*m*s_g*w11*w30*w52 - fitted*m_s*q*r*w8 - m*q*r*w8 + m*s_g*w66 + m*w65 + m_s*s_g*w67 + mhat_g*w67 + r*w21*w54
    w69 = -w68
    w70 = -f_d*w61 + f_m*w69 - 2*w32*w63
    w71 = w12*w40
    w72 = df_m*w71
    w73 = (1.0/(w7*w7*w7*w7))
    w74 = df_v*w73
    w75 = w74*w9
    w76 = df_d*w46 + df_m*w58 + df_v*w50
    w77 = w12*w76
    w78 = w33*w54
    w79 = df_m*w78
    w80 = q*w35
    w81 = w34*w62
    w82 = w32*w81
    w83 = -df_d*w61 + df_m*w69 - df_v*w82
    w84 = w12*w83
    w85 = w30*w74
    w86 = s_g*w79
    w87 = 2*fitted
    w88 = w44*w87
    w89 = 2*w4
    w90 = w12*w89
    w91 = q*w8
    w92 = -2*v*w24 + 2*w17*w91
    w93 = f2_v*w73
    w94 = f_v*w73
    w95 = 2*df
    w96 = w20*w34
    w97 = f2_d*w46 + f2_m*w58 + f2_v*w50
    w98 = f2_m*w78
    w99 = f_m*(fitted*fitted)*q*w3*w34
    w100 = -f2_d*w61 + f2_m*w69 - f2_v*w82
    w101 = w30*w93
    w102 = w30*w94
    w103 = f_m*fitted
    w104 = w31*w40
    w105 = 2*f
    w106 = w105*w31
    w107 = 2*df_v/w7**5
    w108 = df*w33
    w109 = 6*df
    w110 = fitted*w33
    w111 = w110*w62
    w112 = f*w103
    w113 = (q*q*q*q)
    w114 = r*w113
    w115 = w32*w73
    w116 = w114*w115
    w117 = df_m*w87
    w118 = w110*w2*w36
    return mhat_g*(1 - fitted) + w10*w5, -df*w12 + s_g*w8, w12*w20, f*q*w8 + m*w25 - m*w28 + m_s*w28 + q*w0*w22 + w21, w29*w31 + w31*w32 + w35*w37, q*w39, w10*w41 - w26, w42*w9, -w44 + w59*w8*w9, -fitted + w11*w60 + w22 + 1, -q*w43 + w1*w22 + w10*w70, w30*w42, w26 + w53*w60, -w72, -w75, 2*df*s_g*w33 - w55*w64 - w77, -w79, -w45 + w8 + w80 - w84, -w85, -w86, f2_m*w71 + w41*w90 + w72*w92 - w88, w18*w53 + w75*w92 + w89*w9*w94 + w9*w93, -s_g*w96 + w12*w97 + w12*(df*w47*w56 + w17*(w15 - w45*w95)) + w59*w90 + w77*w92, w43*w87 + w79*w92 + w98 + w99, -q*w96 + w100*w12 + w12*(-qhat_g*w66*w95 + r*w1*w5*w87 + r*w19 + v*w2*(r + w65*w95)) + w70*w90 + w84*w92, w101 + w102*w89 + w11*w16 + w85*w92, s_g*w98 + s_g*w99 + w86*w92 + w88, w40 + w41*w91, q*w42, -f*w45 + f*w8 + q*w59*w8 - w57, w103*w61 + w22*w27, -f*w61 + q*w70*w8 - w68, w63, w103*w2*w31 + w28, df_m*w34*w37*w40 + f2_m*w104 - w106*w41, w101 - w102*w105 + w107*w37 + w11 + w80, 6*df*w30*w32*w33 + 2*q*w11*w29 - 4*v*w108 - w106*w59 - w109*w2*w37*w73 + w11*w30*w97 - w29*w30*w48 + 2*w32*w33*w36*w76 - w49, f2_m*w111 - w112*w81 + w116*w117, w100*w11*w30 - w106*w70 - w109*w116 - w29*w81 + 2*w32*w33*w36*w83 - w82, q**5*r*w107*w32 - w105*w114*w94 + w114*w93 + w35*w62 + w61, f2_m*w118 - w112*w36*w48 + w113*w115*w117*w2, df_m*w104, w85, w31*w76 - w38*w45 + w39 + w91*(-df*w45 + df*w8), df_m*w111, -w108*w62 + w11*w30*w83 - w38*w61, w114*w74, df_m*w118
