"""Computing on one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import threadpool_limits

P, R = ParamSpec("P"), TypeVar("R")


def one_thread() -> threadpool_limits:
    """Limit linear algebra and OpenMP to one thread, so that the last digits do not depend on the number of cores.

    To be used in a `with` statement, or once for the rest of the process. SciPy has a library of its own, which is loaded first: one that
    comes later would not be limited.
    """
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def on_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function with its linear algebra on one thread: a choice between near-equals must not depend on the number of cores."""

    @wraps(function)
    def limited(*arguments: P.args, **named: P.kwargs) -> R:
        with one_thread():
            return function(*arguments, **named)

    return limited


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
