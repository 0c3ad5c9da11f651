"""A loss at many margins, for minimising it on samples."""

from __future__ import annotations

from .compiling import njit
from .generated import losses


@njit(cache=True, error_model="numpy")
def of_margins(kind, threshold, u, values, slopes, curvatures):
    """Fill values, slopes and curvatures (k,) of a loss at margins u (k,).

    Parameters
    ----------
    kind : int
        Of the loss, a value of `generated.losses.NAMES`.
    threshold : float
        Of Huber's loss.
    u : array (k,)
    values, slopes, curvatures : arrays (k,)
        Filled.
    """
    for i in range(u.size):
        values[i], slopes[i], curvatures[i] = losses.margin_loss(kind, u[i], threshold)


@njit(cache=True, error_model="numpy")
def slope_along(kind, threshold, weights, u, du, t):
    """Return the derivative in t of sum_i b_i ell(u_i + t du_i).

    Parameters
    ----------
    kind : int
        Of the loss, a value of `generated.losses.NAMES`.
    threshold : float
        Of Huber's loss.
    weights : array (k,)
        b.
    u, du : arrays (k,)
        Margins, and how they change.
    t : float
    """
    total = 0.0
    for i in range(u.size):
        total += weights[i] * du[i] * losses.margin_loss(kind, u[i] + t * du[i], threshold)[1]
    return total
