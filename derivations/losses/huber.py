"""Huber's loss: the square loss of margins within `threshold` of 1, linear beyond."""

import sympy as sp

from .base import THRESHOLD, Loss, U

LOSS = Loss(
    "huber",
    "Huber's",
    (
        (THRESHOLD * (1 - U) - THRESHOLD**2 / 2, 1 - THRESHOLD),
        ((1 - U) ** 2 / 2, 1 + THRESHOLD),
        (THRESHOLD * (U - 1) - THRESHOLD**2 / 2, sp.oo),
    ),
)
