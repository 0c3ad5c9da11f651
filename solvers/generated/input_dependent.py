"""Label noise and pruning that depend on the sample.

Generated from derivations/special/input_dependent.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def one_rule(h_v, sigma_v, t_v, share, rho, phi):
    """The probability that xtilde has this sign and is kept, and its derivatives in h_v.

    Returns Z, Z_v, Z_vv.
    """
    w0 = phi - rho
    w1 = 1/sigma_v
    w2 = h_v - t_v
    w3 = (1/2)*math.sqrt(2)*share*w0*math.exp(-1/2*(w2*w2)/(sigma_v*sigma_v))/math.sqrt(math.pi)
    return share*(rho + w0*(0.5*math.erfc(-1/2*math.sqrt(2)*w1*w2))), w1*w3, -w2*w3/(sigma_v*sigma_v*sigma_v)


@njit(cache=True, error_model="numpy")
def two_rules(h_u, h_v, sigma_u, sigma_v, r, t_u, t_v, rho, phi, both):
    """The same with a labeller; both: the probability that both rules hold.

    Returns Z, Z_u, Z_v, Z_uu, Z_uv, Z_vv.
    """
    w0 = phi - rho
    w1 = 1/sigma_u
    w2 = h_u - t_u
    w3 = w1*w2
    w4 = math.sqrt(2)/math.sqrt(math.pi)
    w5 = rho*w4
    w6 = (1/2)/(sigma_u*sigma_u)
    w7 = math.exp(-(w2*w2)*w6)
    w8 = (1/2)*w1*w7
    w9 = (r*r) - 1
    w10 = 1/math.sqrt(-w9)
    w11 = 1/sigma_v
    w12 = h_v - t_v
    w13 = r*w3 - w11*w12
    w14 = w0*w4
    w15 = w11*w12
    w16 = r*w15 - w1*w2
    w17 = (1/2)/(sigma_v*sigma_v)
    w18 = w0*math.exp(-(w12*w12)*w17)
    w19 = w10/math.pi
    w20 = r*w19
    w21 = (1/2)/w9
    w22 = w0*math.exp((w13*w13)*w21)
    return both*w0 + rho*(0.5*math.erfc(-1/2*math.sqrt(2)*w3)), w14*w8*(0.5*math.erfc((1/2)*math.sqrt(2)*w10*w13)) + w5*w8, (1/2)*w11*w18*w4*(0.5*math.erfc((1/2)*math.sqrt(2)*w10*w16)), -w6*w7*(w14*w3*(0.5*math.erfc((1/2)*math.sqrt(2)*w10*w13)) + w20*w22 + w3*w5), w11*w19*w22*w8, -w17*w18*(w15*w4*(0.5*math.erfc((1/2)*math.sqrt(2)*w10*w16)) + w20*math.exp((w16*w16)*w21))


@njit(cache=True, error_model="numpy")
def kept_moments(right_Z, right_Z_u, right_Z_v, right_Z_uu, right_Z_uv, right_Z_vv, wrong_Z, wrong_Z_u, wrong_Z_v, wrong_Z_uu, wrong_Z_uv, wrong_Z_vv):
    """alpha, the share of wrong labels, a and S - C in the columns (mu, C u, C v).

    Returns alpha, wrong, a_mu, a_u, a_v, K_mu_u, K_mu_v, K_uu, K_uv, K_vv.
    """
    w0 = right_Z + wrong_Z
    w1 = 1/w0
    return w0, w1*wrong_Z, w1*(right_Z - wrong_Z), w1*(right_Z_u + wrong_Z_u), w1*(right_Z_v + wrong_Z_v), w1*(right_Z_u - wrong_Z_u), w1*(right_Z_v - wrong_Z_v), w1*(right_Z_uu + wrong_Z_uu), w1*(right_Z_uv + wrong_Z_uv), w1*(right_Z_vv + wrong_Z_vv)
