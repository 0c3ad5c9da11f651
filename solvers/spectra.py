"""Spectra of covariances by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..support.errors import BadInput, numbers

SPECTRA = ("flat", "power:ALPHA", "file:PATH")
MOST_BYTES = 10**8  # of a file of numbers


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


def covariance(name: str, p: int) -> float | np.ndarray:
    """Return a covariance in p dimensions: its eigenvalues as `spectrum` has them, or a matrix.

    Parameters
    ----------
    name
        As of `spectrum`, or matrix:PATH: p rows of p numbers in a text file.
    p
        Dimension.

    Raises
    ------
    BadInput
        As `spectrum`, and for a file without p x p numbers.
    """
    kind, _, text = name.partition(":")
    if kind != "matrix" or not text:
        return spectrum(name, p)
    values = _numbers(Path(text), "a covariance")
    if values.size != p * p:
        raise BadInput(f"{text} has {values.size} numbers, and a covariance in p = {p} dimensions has {p * p}")
    return numbers(f"an entry of {text}", values).reshape(p, p)


def _from_file(path: Path, p: int) -> np.ndarray:
    values = _numbers(path, "eigenvalues")
    if values.size != p:
        raise BadInput(f"{path} has {values.size} eigenvalues, and p = {p}")
    return numbers(f"an eigenvalue in {path}", values, 0)


def _numbers(path: Path, what: str) -> np.ndarray:
    """All numbers in a text file with `what`."""
    try:
        if not path.is_file():
            raise BadInput(f"there is no file {path} with {what}")
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path} is too large for a file of {what}")
        return np.array(path.read_text().split(), dtype=float)
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, UnicodeDecodeError):
        raise BadInput(f"{path} must hold numbers only, with spaces or lines between them") from None


def even_mean(length: float, p: int) -> np.ndarray:
    """Return a class mean (p,) of a given length with equal parts along all eigenvectors."""
    return np.full(p, length / np.sqrt(p))
