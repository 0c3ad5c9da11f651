"""Covariances known by samples only.

Generated from derivations/special/sample_covariance.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def from_sample(kappa, trace, per_sample):
    """Weight and trace of a law's covariance from those of its sample covariance, and their derivatives in kappa and in the trace.

    Returns weight, population_trace, weight_kappa, weight_trace, population_trace_kappa, population_trace_trace.
    """
    w0 = kappa*per_sample*trace
    w1 = w0 - 1
    w2 = -w1
    w3 = (1.0/(w1*w1))
    return kappa*w2, trace/w2, 1 - 2*w0, -(kappa*kappa)*per_sample, per_sample*(trace*trace)*w3, w3
