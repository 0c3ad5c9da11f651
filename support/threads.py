"""Computing on one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import threadpool_limits


def one_thread() -> threadpool_limits:
    """Limit linear algebra and OpenMP to one thread, so that the last digits do not depend on the number of cores.

    To be used in a `with` statement, or once for the rest of the process. SciPy has a library of its own, which is loaded first: one that
    comes later would not be limited.
    """
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


@contextmanager
def compiled_on_one_thread() -> Iterator[None]:
    """Limit compiled loops to one thread, for a worker beside others of its machine."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)
