"""The published formula, and where it departs.

Generated from derivations/published.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def leave_one_out(theta, c, r, q, alpha):
    """The published delta: alpha times the trace that a kept sample sees.

    Returns delta.
    """
    w0 = c*q
    w1 = alpha*w0
    w2 = r*theta*w0
    w3 = -w1 + w2 + 1
    w4 = math.sqrt(4*w1 + (w3*w3))
    w5 = w1 - w2
    return ((2*alpha*q/(w3 + w4)) if (w5 < 1) else ((1/2)*(w4 + w5 - 1)/c))


@njit(cache=True, error_model="numpy")
def leave_one_out_slope(theta, c, r, q, delta):
    """The slope of the trace without the alpha, at the published delta.

    Returns d_delta.
    """
    w0 = c*delta
    w1 = w0 + 1
    w2 = r*theta
    w3 = (c*q*w2/w1 + 1)**(-2)
    w4 = (c*c)
    return (w1*w1)*w3/((delta*delta)*w4 - (q*q)*w2*w3*w4 + 2*w0 + 1)


@njit(cache=True, error_model="numpy")
def fixed_point_slope(theta, c, r, q, delta, alpha):
    """The derivative of the published delta in q, for Newton on the published fixed point.

    Returns d_delta.
    """
    w0 = c*delta + 1
    w1 = c*q*r*theta
    return alpha/((1 + w1/(w0*w0))*(1 + w1/w0))
