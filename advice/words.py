"""Numbers as a reader wants them: points of accuracy and their errors, two digits of anything else."""

from __future__ import annotations


def points(share: float) -> str:
    """Return a difference of accuracies in points with its sign; a difference that rounds to zero is +0.0.

    Parameters
    ----------
    share : float
        The difference, as a share: 0.02 is two points.
    """
    return f"{round(100 * share, 1) + 0.0:+.1f}"


def with_error(share: float, se: float) -> str:
    """Return a difference of accuracies in points, with its standard error.

    Parameters
    ----------
    share, se : float
        The difference and its standard error, as shares.
    """
    return f"{points(share)} +- {100 * se:.1f} points"


def two_digits(value: float) -> str:
    """Return a positive number with two significant digits, large ones without an exponent.

    Parameters
    ----------
    value : float
        Above 0.
    """
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 100 else f"{value:.2g}"
