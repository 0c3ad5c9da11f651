"""The square loss, for which the classifier is ridge."""

import sympy as sp

from .base import Loss, U

LOSS = Loss("square", "square", (((1 - U) ** 2 / 2, sp.oo),))
