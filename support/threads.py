"""Linear algebra on one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import threadpool_limits


def one_thread() -> threadpool_limits:
    """Limit linear algebra to one thread, so that the last digits do not depend on the number of cores; to be used in a `with` statement.

    SciPy has a library of its own, which is loaded first: one that comes later would not be limited.
    """
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")
