"""Relabelling, round by round.

Generated from derivations/special/relabelling.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def soft_label(h, beta, L):
    """The label that a left-out score gives a synthetic sample, and its derivative in the score.

    Returns label, label_score.
    """
    w0 = math.tanh(L + beta*h)
    return w0, beta*(1 - (w0*w0))


@njit(cache=True, error_model="numpy")
def evidence(h, beta, a):
    """The derivative in the slope of the log-likelihood of a given label.

    Returns evidence.
    """
    return h*(a - math.tanh(beta*h))


@njit(cache=True, error_model="numpy")
def mean_margin(mu, p, delta, past, pull, target):
    """The mean margin of a round.

    Returns mean_margin.
    """
    w0 = (mu*mu)
    return w0*(delta*target + past)/(delta*pull*w0 + p)


@njit(cache=True, error_model="numpy")
def variance(mu, p, delta, m, cross, second, square):
    """The variance of the margin in a round.

    Returns variance.
    """
    w0 = (mu*mu)
    w1 = (delta*delta)
    return (cross*w0 + (m*m)*p + square*w0*w1)/(w0*(p - second*w1))
