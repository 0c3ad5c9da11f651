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
def law_response(root, gap):
    """The force of a law of real samples, and the slopes of the training loss in its root and target.

    Returns force, loss_root, loss_target.
    """
    w0 = gap*root
    return w0, (gap*gap), 2*w0


@njit(cache=True, error_model="numpy")
def pair_response(force, other):
    """The slope of the training loss in mu_a^T B mu_b, from the forces of both laws.

    Returns loss_product.
    """
    return -force*other
