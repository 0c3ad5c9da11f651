"""Memory: how much is free, so that what cannot fit is refused in words before the system kills it, and what becomes of freed arrays."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from .errors import BadInput

CGROUP = Path("/sys/fs/cgroup")
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names of settings in the C library's malloc.h
SMALL = 2**25  # bytes, the largest that the C library itself arrives at


@cache
def keep_freed() -> None:
    """Have this process use the memory of freed arrays for the next ones: to ask the system for it anew is up to half of a trial's time.

    The C library of Linux does so by itself in the end, but not where MALLOC_TRIM_THRESHOLD_ is set, as it is in Dask's workers. Other
    libraries are left as they are.
    """
    with suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(MMAP_THRESHOLD, SMALL)
        library.mallopt(TRIM_THRESHOLD, 2 * SMALL)


def free_memory() -> float:
    """Return the bytes that this process may still ask for, by the system, its control group and its own limit; inf if unknown."""
    return min(_of_the_system(), _of_the_group(), _of_the_process())


def must_fit(what: str, size: float, advice: str) -> None:
    """Raise unless a number of bytes is free.

    Parameters
    ----------
    what : str
        For the message: what needs so much memory.
    size : float
        Bytes.
    advice : str
        For the message: what to do.

    Raises
    ------
    BadInput
        With what needs so much, how much is free, and the advice.
    """
    free = free_memory()
    if size > free:
        raise BadInput(f"{what} needs about {_gigabytes(size)} of memory, and {_gigabytes(free)} are free: {advice}")


def _of_the_system() -> float:
    with suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    with suppress(AttributeError, OSError, ValueError):
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return float("inf")


def _of_the_group() -> float:
    left = float("inf")
    for limit, used in (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")):
        with suppress(OSError, ValueError):  # absent, or the word max
            left = min(left, float(int((CGROUP / limit).read_text()) - int((CGROUP / used).read_text())))
    return left


def _of_the_process() -> float:
    with suppress(ImportError, OSError, ValueError):  # Windows has no module resource
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            return float(limit - pages * resource.getpagesize())
    return float("inf")


def _gigabytes(size: float) -> str:
    return f"{max(size, 0) / 1e9:,.1f} GB"
