"""Classifiers without synthetic data that the user may have already: the advice compares with the best of them."""

from __future__ import annotations

import warnings

import numpy as np

from ..estimators.leave_one_out import RidgeMix
from ..support.errors import NotConverged
from .evidence import Evidence
from .result import Rival

MOST_WORK = 2e10  # n p min(n, p) beyond which scikit-learn's search takes too long
STANDARDISED, GIVEN = "RidgeClassifierCV on standardised features", "RidgeClassifierCV on the features as they are"


def rivals(e: Evidence) -> tuple[Rival, ...]:
    """scikit-learn's RidgeClassifierCV with its own grid, on the features that the advice uses, and where it leads on those as given.

    Parameters
    ----------
    e : Evidence
    """
    if not e.scaling.standardised:
        found = [_ridge_cv(e, GIVEN, e.given)]
    else:
        raw = _ridge_cv(e, GIVEN, e.given)
        found = [_ridge_cv(e, STANDARDISED, e.X), raw if raw is not None and raw.better else None]
    return tuple(one for one in found if one is not None)


def _ridge_cv(e: Evidence, name: str, X: np.ndarray) -> Rival | None:
    """Its exact leave-one-out accuracy at the ridge that it chooses; None where it cannot be computed."""
    from sklearn.linear_model import RidgeClassifierCV

    if X.size * min(X.shape) > MOST_WORK:
        return None
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of systems that are singular in the user's units
            alpha = float(RidgeClassifierCV().fit(X, e.codes).alpha_)
            found = RidgeMix.of(X, e.codes, N=1, groups=e.groups).path([alpha], 0.0)[0]
    except (NotConverged, ValueError, np.linalg.LinAlgError):
        return None
    lead, se = found.gain(e.without)
    return Rival(name, alpha, found.accuracy, found.se, lead, se)
