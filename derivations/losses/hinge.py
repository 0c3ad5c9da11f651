"""The hinge loss, for which the classifier is a support vector machine."""

import sympy as sp

from .base import Loss, U

LOSS = Loss("hinge", "hinge", ((1 - U, sp.Integer(1)), (sp.Integer(0), sp.oo)))
