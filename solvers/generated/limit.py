"""The limit that no classifier can beat.

Generated from derivations/special/limit.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def overlap(nu, mu):
    """The overlap of the posterior mean with mu at a precision, and its slope.

    Returns overlap, overlap_nu.
    """
    w0 = (mu*mu*mu*mu)
    w1 = (mu*mu)*nu + 1
    return nu*w0/w1, w0/(w1*w1)


@njit(cache=True, error_model="numpy")
def uncertainty(q, L, g):
    """A hidden label's uncertainty before the average over g ~ N(0, 1), and the slope's in q.

    Returns uncertainty, uncertainty_q.
    """
    w0 = math.cosh(L + g*math.sqrt(q))
    w1 = math.exp(-1/2*q)/math.cosh(L)
    return w1/w0, -w1/(w0*w0*w0)
