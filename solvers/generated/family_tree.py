"""Family trees of generators.

Generated from derivations/special/family_tree.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def reduced_weight(theta, omega, delta):
    """tau of a set, and its slopes in omega and delta.

    Returns tau, tau_omega, tau_delta.
    """
    w0 = delta*omega + 1
    w1 = theta/(w0*w0)
    return omega*theta/w0, w1, -(omega*omega)*w1


@njit(cache=True, error_model="numpy")
def seen_trace(omega, delta):
    """The trace of a fitted set's covariance, and its slopes in omega and delta.

    Returns trace, trace_omega, trace_delta.
    """
    w0 = delta*omega + 1
    w1 = (1.0/(w0*w0))
    return delta/w0, -(delta*delta)*w1, w1


@njit(cache=True, error_model="numpy")
def root_response(root, target, product):
    """Mean margin, and the slopes of the training loss in root, target and mu^T B mu.

    Returns mean_margin, loss_root, loss_target, loss_product.
    """
    w0 = product*root
    w1 = w0 + 1
    w2 = target/w1
    w3 = (target*target)/(w1*w1)
    return w0*w2, w3, 2*root*w2, -(root*root)*w3
