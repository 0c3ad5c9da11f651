"""Worker processes: they end with the process that started them, however that ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

START = """
import time
from synthmix.support.workers import workers
with workers(2, time.sleep) as work:
    list(work((seconds,) for seconds in (0.0, 0.0, 300.0, 300.0)))
"""
PATIENCE = 60.0  # seconds on a busy machine; an idle worker of joblib stays for 300


def descendants(process: int) -> set[int]:
    """The processes that a process started, and those that these started."""
    found = set()
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        found |= {int(child), *descendants(int(child))}
    return found


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks at the processes of Linux")
def test_workers_end_soon_after_their_parent_was_killed() -> None:
    started = subprocess.Popen([sys.executable, "-c", START])
    end = time.monotonic() + PATIENCE
    workers: set[int] = set()
    while time.monotonic() < end and len(workers) < 4:  # two of them, and the trackers of joblib and of multiprocessing
        time.sleep(0.2)
        workers = descendants(started.pid)
    time.sleep(2)  # in the long tasks
    started.kill()
    started.wait()
    assert workers
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and any(map(alive, workers)):
        time.sleep(0.2)
    assert not any(map(alive, workers))


GROW = """
import time
held = []
def grow(megabytes):
    held[:] = [b"1" * (megabytes * 10**6)]
    time.sleep(1.1)  # loky looks once a second
    return megabytes
"""
TWICE = """
from growing import grow
from synthmix.support.workers import workers
for megabytes in (1, 400):
    with workers(2, grow) as work:
        assert list(work([(megabytes,)] * 6)) == [megabytes] * 6
"""


def test_workers_may_hold_more_than_after_their_first_task(tmp_path: Path) -> None:
    pytest.importorskip("psutil", reason="loky looks at the memory of its workers with psutil")
    (tmp_path / "growing.py").write_text(GROW)
    done = subprocess.run([sys.executable, "-c", TWICE], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
