"""The logistic loss log(1 + exp(-u)), for which the classifier is logistic regression."""

import sympy as sp
from sympy.codegen.cfunctions import log1p

from .base import Loss, U

# one function, written so that neither exponential overflows
LOSS = Loss("logistic", "logistic", ((log1p(sp.exp(U)) - U, sp.Integer(0)), (log1p(sp.exp(-U)), sp.oo)))
