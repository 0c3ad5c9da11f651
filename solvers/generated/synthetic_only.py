"""Synthetic data alone.

Generated from derivations/special/synthetic_only.py by `python cli.py derive`. Do not edit: change the derivation and run the command.
"""

import math

from ..compiling import njit


@njit(cache=True, error_model="numpy")
def fixed_point(alpha, eta, gamma):
    """delta of the synthetic-only classifier.

    Returns delta.
    """
    w0 = alpha - eta + gamma
    w1 = math.sqrt(4*eta*gamma + (w0*w0))
    return ((2*eta/(w0 + w1)) if (w0 > 0) else ((1/2)*(-w0 + w1)/gamma))


@njit(cache=True, error_model="numpy")
def mean_margin(alpha, lam, gamma, mu, delta):
    """Its mean margin.

    Returns mean_margin.
    """
    w0 = (mu*mu)
    return lam*w0/(alpha*w0 + alpha + delta*gamma + gamma)


@njit(cache=True, error_model="numpy")
def variance(alpha, lam, eta, gamma, mu, delta):
    """The variance of its margin.

    Returns variance.
    """
    w0 = alpha*eta
    w1 = (gamma*gamma)
    w2 = 2*gamma
    w3 = delta*gamma
    w4 = 2*w3
    w5 = (alpha*alpha) + alpha*w2 + alpha*w4 + (delta*delta)*w1 + 2*delta*w1 + w1
    w6 = 1/(-w0 + w5)
    w7 = (mu*mu)
    return (lam*lam)*w6*w7*(-eta*w2 - eta*w4 - w0*w7 - 2*w0 + w5)/(alpha*w7 + alpha + gamma + w3)**2 + w0*w6


@njit(cache=True, error_model="numpy")
def critical_noise(rho, phi):
    """epsilon*, the label noise at which lambda = 0.

    Returns epsilon.
    """
    return phi/(phi + rho)


@njit(cache=True, error_model="numpy")
def slope_at_critical_noise(rho, phi, alpha, eta, gamma, mu, delta):
    """d accuracy / d epsilon at epsilon*, with alpha and delta taken there.

    Returns slope.
    """
    w0 = (mu*mu)
    w1 = delta*gamma
    w2 = (gamma*gamma)
    w3 = 2*alpha
    return (1/2)*math.sqrt(2)*w0*(-phi - rho)/(math.sqrt(math.pi)*math.sqrt(alpha)*math.sqrt(eta)*(alpha*w0 + alpha + gamma + w1)*math.sqrt(1/((alpha*alpha) - alpha*eta + (delta*delta)*w2 + 2*delta*w2 + gamma*w3 + w1*w3 + w2)))
