"""The transition in label noise of a classifier trained on synthetic data alone, from the generated closed forms."""

from __future__ import annotations

import numpy as np

from ..support.errors import BadInput, instance
from .problem import Setting, Verifier


def critical_noise(verifier: Verifier) -> float:
    """Return the label noise epsilon* = 1 / (1 + rho / phi), where lambda = 0 and the accuracy is 1/2.

    Raises
    ------
    BadInput
        If the verifier keeps nothing.
    """
    from .generated import synthetic_only

    instance("the verifier", verifier, Verifier)
    if verifier.rho + verifier.phi == 0:
        raise BadInput("the verifier keeps nothing (rho = phi = 0): there is no critical noise")
    return synthetic_only.critical_noise(verifier.rho, verifier.phi)


def slope_at_critical_noise(setting: Setting) -> float:
    """Return d accuracy / d epsilon at epsilon*, for a setting without real data and an exact isotropic generator.

    Raises
    ------
    BadInput
        For any other setting, or a verifier with rho = 0 or phi = 0 (nothing is kept at epsilon*).
    """
    from .generated import synthetic_only

    generator = setting.generator
    if setting.n or generator.kind != "exact" or generator.beta != 1 or np.any(generator.mu_perp) or setting.omega != 1:
        raise BadInput("the slope at epsilon* is known for n = 0 and an exact generator with beta = 1, mu-perp = 0 and omega = 1")
    if np.ndim(setting.mu) or np.ndim(setting.covariance) or setting.covariance != 1 or generator.covariance is not None:
        raise BadInput("the slope at epsilon* is known for the identity covariance and mu given by its length")
    rho, phi, gamma = setting.verifier.rho, setting.verifier.phi, setting.ridge.gamma
    alpha = setting.verifier.alpha(critical_noise(setting.verifier))
    if alpha == 0:
        raise BadInput("a verifier with rho = 0 or phi = 0 keeps nothing at epsilon*: the transition has no slope there")
    eta = setting.p / setting.m
    delta = synthetic_only.fixed_point(alpha, eta, gamma)
    return synthetic_only.slope_at_critical_noise(rho, phi, alpha, eta, gamma, setting.mu, delta)
