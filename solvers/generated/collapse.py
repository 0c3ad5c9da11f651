"""Model collapse in closed form.

Generated from derivations/special/collapse.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def accumulated(k, A):
    """v_k of accumulated generations, and its slope in A.

    Returns v, v_freedom.
    """
    w0 = 4*A
    w1 = A + k
    w2 = math.sqrt(-w0 + (w1*w1))
    w3 = w1 + w2
    return 2*A/w3, (-A + k + w2)/(-w0 + w1*w3)


@njit(cache=True, error_model="numpy")
def label_step(w, v, k, y):
    """Weight (times q) and target (over this one's) of the next accumulated generation, and their slopes.

    Returns load, growth, load_load, load_v, growth_v.
    """
    w0 = v - 1
    w1 = -w0/k
    w2 = w1 + 1
    w3 = 1/w2
    w4 = k - v + 1
    w5 = w0*y
    return w*w3, w2/(w1*y + 1), w3, k*w/(w4*w4), (-k + w4*y + w5)/(k - w5)**2


@njit(cache=True, error_model="numpy")
def fresh_step(w, A, f):
    """Load and freedom of the next generation, and their slopes in load and freedom.

    Returns load, freedom, load_load, load_freedom, freedom_load, freedom_freedom.
    """
    w0 = A + f - 1
    w1 = -w0
    w2 = 1/w1
    w3 = w*w2
    w4 = w - w0
    w5 = (w4*w4)
    w6 = 1/w5
    return w3, A + f*w3/(w3 + 1), w2, w/(w1*w1), f*w1*w6, w6*(f*(w*w) - f*w*w4 + w0*w5)/w0


@njit(cache=True, error_model="numpy")
def line_response(real, scale, label, A, w, first, second, noise, product):
    """Mean margin of a classifier trained on a line, and the slopes of its training loss.

    Returns mean_margin, loss_real, loss_scale, loss_freedom, loss_load, loss_first, loss_second, loss_noise, loss_product.
    """
    w0 = first*label
    w1 = scale*w0
    w2 = real + w1
    w3 = A*scale
    w4 = real + w3
    w5 = product*w4
    w6 = w5 + 1
    w7 = product*w2/w6
    w8 = (product*product)
    w9 = 2*product
    w10 = (scale*scale)*w8
    w11 = (A*A)*w10 + w3*w9 + 1
    w12 = (label*label)
    w13 = 2*w0
    w14 = (w4*w4)
    w15 = 1/w14
    w16 = (w6*w6)
    w17 = 1/w16
    w18 = (w2*w2)
    w19 = A*w18
    w20 = w12 - 1
    w21 = w17*w18
    w22 = scale*w12
    return w7, (-A*w10*w13 + (first*first)*w10*w12 - w1*w9 + w11)/((real*real)*w8 + 2*real*w3*w8 + real*w9 + w11), w15*w17*(A*w16*w18 + 2*first*label*w2*w4*w6 - w13*w16*w2*w4 + w14*w16*(-w*w20 + w12*(noise + second)) - w19*w5 - w19*w6), scale*w15*w21*(w16 - 2*w5 - 1), -scale*w20, -2*label*scale*w7, w22, w22, -w21


@njit(cache=True, error_model="numpy")
def weakest_labels(Z, p, K, f):
    """The mean label of every generation that keeps p variance / mean^2 at z, with a heavy ridge.

    Returns label.
    """
    w0 = K*Z*(f*f)/p
    return (1 - w0)/((1 - f)*(w0 + 1))


@njit(cache=True, error_model="numpy")
def least_share(Z, p, K):
    """The share of fresh samples with right labels that keeps p variance / mean^2 at z, with a heavy ridge.

    Returns share.
    """
    return 1 - math.sqrt(1 - p/(K*Z))


@njit(cache=True, error_model="numpy")
def isotropic_signal(mu, S, a, p):
    """m_w^2 / s_w^2 for C = I.

    Returns signal.
    """
    w0 = (mu*mu)
    w1 = S*p
    return (mu*mu*mu*mu)/(w0 + w1*((a*a)*w0 + 1)/(a*w1*(1 - a) + 1))
