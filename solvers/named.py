"""A setting from the names and numbers of the command line."""

from __future__ import annotations

from ..support.errors import BadInput, number
from .problem import Generator, GeneratorKind, Ridge, Setting, Verifier
from .spectra import even_mean
from .spectra import spectrum as named_spectrum


def named_setting(
    *, n: float, m: float, p: int, mu: float, epsilon: float, rho: float, phi: float, gamma: float, omega: float = 1.0, beta: float = 1.0,
    mu_perp: float = 0.0, generator: GeneratorKind = "exact", n_hat: float | None = None, estimate_mean: bool = False,
    spectrum: str = "flat",
) -> Setting:  # fmt: skip
    """Return the setting that these names say.

    Parameters
    ----------
    n, m, p, mu, epsilon, rho, phi, gamma, omega
        As of `Setting`, `Verifier` and `Ridge`; mu is the length of the class mean.
    beta, mu_perp, generator, n_hat, estimate_mean
        As of `Generator`.
    spectrum
        Eigenvalues of the covariance by name, as of `spectra.spectrum`. The class mean has equal parts along all eigenvectors.

    Raises
    ------
    BadInput
        For numbers out of range, an n-hat that the generator lacks or has no use for, or a mu-perp beside a spectrum.
    """
    source, covariance, mean = Generator(generator, n_hat, estimate_mean, beta, mu_perp), 1.0, mu
    if spectrum != "flat":
        if mu_perp:
            raise BadInput("mu-perp is a length in the plane of the means, which a spectrum does not have: leave one of them out")
        p = int(number("p", p, 1, 10**7))
        covariance, mean = named_spectrum(spectrum, p), even_mean(number("mu", mu, 0), p)
        source = Generator(generator, n_hat, estimate_mean, beta, 0 * mean)
    return Setting(n, m, p, mean, epsilon, Verifier(rho, phi), source, Ridge(gamma), omega, covariance)
