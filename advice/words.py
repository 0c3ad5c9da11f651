"""Numbers as a reader wants them: points of accuracy and their errors, two digits of anything else."""

from __future__ import annotations


def points(share: float) -> str:
    """Return a difference of accuracies in points with its sign; a difference that rounds to zero is +0.0."""
    return f"{round(100 * share, 1) + 0.0:+.1f}"


def with_error(share: float, se: float) -> str:
    """Return a difference of accuracies in points, with its standard error."""
    return f"{points(share)} +- {100 * se:.1f} points"


def two_digits(value: float) -> str:
    """Return a positive number with two significant digits, large ones without an exponent."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 100 else f"{value:.2g}"
