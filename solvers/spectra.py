"""Spectra of covariances by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..support.errors import BadInput, numbers

SPECTRA = ("flat", "power:ALPHA", "file:PATH")
MOST_BYTES = 10**8  # of a file of eigenvalues


def spectrum(name: str, p: int) -> float | np.ndarray:
    """Return the eigenvalues of a covariance in p dimensions.

    Parameters
    ----------
    name
        flat: the identity. power:ALPHA: i^-ALPHA for i = 1..p, scaled to mean 1. file:PATH: p numbers in a text file, as they are.
    p
        Dimension.

    Returns
    -------
    float or (p,) array
        1.0 for the identity.

    Raises
    ------
    BadInput
        For another name, an exponent that is no number, or a file without p eigenvalues of which none is negative.
    """
    kind, _, text = name.partition(":")
    if name == "flat":
        return 1.0
    if kind == "power" and text:
        try:
            alpha = float(text)
        except ValueError:
            raise BadInput(f"spectrum power:ALPHA needs a number, not {text!r}") from None
        numbers("the exponent of the spectrum", alpha, 0, 20)
        values = np.arange(1.0, p + 1) ** -alpha
        return values / values.mean()
    if kind == "file" and text:
        return _from_file(Path(text), p)
    raise BadInput(f"spectrum must be one of {', '.join(SPECTRA)}, not {name!r}")


def _from_file(path: Path, p: int) -> np.ndarray:
    try:
        if not path.is_file():
            raise BadInput(f"there is no file {path} with eigenvalues")
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path} is too large for a file of eigenvalues")
        values = np.array(path.read_text().split(), dtype=float)
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, UnicodeDecodeError):
        raise BadInput(f"{path} must hold numbers only, with spaces or lines between them") from None
    if values.size != p:
        raise BadInput(f"{path} has {values.size} eigenvalues, and p = {p}")
    return numbers(f"an eigenvalue in {path}", values, 0)


def even_mean(length: float, p: int) -> np.ndarray:
    """Return a class mean (p,) of a given length with equal parts along all eigenvectors."""
    return np.full(p, length / np.sqrt(p))
