"""Numbers in the words of a reader: points of accuracy and their errors."""

from __future__ import annotations


def points(share: float) -> str:
    """A difference of accuracies in points with its sign; what rounds to zero is +0.0."""
    return f"{round(100 * share, 1) + 0.0:+.1f}"


def with_error(share: float, se: float) -> str:
    """The same with its standard error."""
    return f"{points(share)} +- {100 * se:.1f} points"
