"""Generators fitted on wrong labels, any loss.

Generated from derivations/losses/wrong_labels.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def mixed_step(e, mhat_right, s_right, qhat_right, mean_right, variance_right, leverage_right, mhat_wrong, s_wrong, qhat_wrong, mean_wrong, variance_wrong, leverage_wrong):
    """Forces of a base with the share e of wrong labels; mean, variance, leverage that generated samples see.

    Returns mhat, s, qhat, mean, variance, leverage.
    """
    w0 = 1 - e
    return -e*mhat_wrong + mhat_right*w0, e*s_wrong + s_right*w0, e*qhat_wrong + qhat_right*w0, e*mean_wrong + mean_right*w0, e*variance_wrong + e*w0*(mean_right - mean_wrong)**2 + variance_right*w0, e*leverage_wrong + leverage_right*w0
