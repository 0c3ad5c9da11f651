"""Workers use the memory of freed arrays again, wherever they run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = 100 * 256  # of a hundred arrays of a megabyte
SCRIPT = """
import resource, sys
import numpy as np
from synthmix.support.cluster import cluster
from synthmix.support.workers import workers

def pages(_):
    "How often a page of memory was asked for, while arrays came and went."
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        np.ones(2**17)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if __name__ == "__main__":
    if sys.argv[1] == "as it is":
        print(pages(0))
    else:
        with cluster(sys.argv[2] if sys.argv[1] == "cluster" else None), workers(int(sys.argv[1] == "processes") + 1, pages) as work:
            print(max(list(work((i,) for i in range(12)))[6:]))
"""


def pages(folder: Path, *way: str) -> int:
    """Pages that tasks ask for, where the C library is told to give back what is freed, as in Dask's workers."""
    (folder / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(folder / "script.py"), *way], capture_output=True, text=True, check=True, timeout=300,
                          env={**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"})  # fmt: skip
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of the C library of Linux")
@pytest.mark.parametrize("way", [("alone",), ("processes",), ("cluster", "local:2")], ids=lambda way: way[0])
def test_freed_memory_is_used_again(tmp_path: Path, way: tuple[str, ...]) -> None:
    if way[0] == "cluster":
        pytest.importorskip("distributed")
    assert pages(tmp_path, *way) < PAGES / 4
    assert pages(tmp_path, "as it is") > PAGES / 2  # the test has power
