"""The squared hinge loss: the square loss of margins below 1."""

import sympy as sp

from .base import Loss, U

LOSS = Loss("squared-hinge", "squared hinge", (((1 - U) ** 2 / 2, sp.Integer(1)), (sp.Integer(0), sp.oo)))
