"""Exact expectations of polynomials in Gaussian variables.
"""

from __future__ import annotations

import sympy as sp


def expected(polynomial: sp.Expr, *normals: sp.Symbol) -> sp.Expr:
    """Return the expectation of a polynomial in independent standard normal symbols.

    Parameters
    ----------
    polynomial
        An expression that is a polynomial in the normals; other symbols are constants.
    *normals
        The symbols that are N(0, 1).
    """
    if not normals:
        return sp.sympify(polynomial)
    terms = sp.Poly(sp.expand(polynomial), *normals).terms()
    return sum(coefficient * sp.Mul(*map(_moment, powers)) for powers, coefficient in terms)


def _moment(power: int) -> sp.Integer:
    """E[g^power], the number of pairings."""
    return sp.Integer(0) if power % 2 else sp.factorial2(power - 1)
