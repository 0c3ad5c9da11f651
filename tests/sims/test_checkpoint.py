"""Damaged checkpoints, full disks, settings beyond floating point or memory, workers without a parent: one line each, and no result."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synthmix import cli
from synthmix.sims.monte_carlo import simulate
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier
from synthmix.support import files, memory
from synthmix.support.errors import BadInput, NotConverged, Unwritable

SETTING = Setting(30, 50, 12, 0.8, 0.2, Verifier(0.3, 0.8), Generator("independent", 20), Ridge(0.1))
GIVEN = {"n": 30, "m": 50, "p": 12, "mu": 0.8, "epsilon": 0.2, "rho": 0.3, "phi": 0.8, "gamma": 0.1, "n-hat": 20, "trials": 20}
OPTIONS = ["--generator", "independent", "--json", *(word for name, value in GIVEN.items() for word in (f"--{name}", str(value)))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The checkpoint of 20 trials."""
    simulate(SETTING, trials=20, checkpoint=tmp_path / "run.npz")
    return tmp_path / "run.npz"


def changed(draws: Callable[[np.ndarray], object], **others: object) -> Callable[[Path], None]:
    """Rewrite a checkpoint with other draws."""

    def change(path: Path) -> None:
        with np.load(path) as stored:
            arrays = dict(stored)
        arrays["draws_0"] = draws(arrays["draws_0"])
        np.savez(path, **arrays | others)

    return change


def one(value: float, place: tuple[int, int]) -> Callable[[np.ndarray], np.ndarray]:
    def change(draws: np.ndarray) -> np.ndarray:
        draws[place] = value
        return draws

    return change


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def flipped(path: Path) -> None:
    """Some bytes of the data changed: the archive's checksum tells."""
    content = bytearray(path.read_bytes())
    for i in range(200, 260):
        content[i] ^= 0xFF
    path.write_bytes(content)


class Evil:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "one byte": lambda path: path.write_bytes(b"P"),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-50]),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "flipped bytes": flipped,
    "a text": lambda path: path.write_text("not a checkpoint"),
    "an array": lambda path: np.save(path.open("wb"), np.zeros(3)),
    "a folder": folder,
    "a pickle": lambda path: path.write_bytes(pickle.dumps(Evil(path.with_name("evil")))),
    "pickled draws": changed(lambda draws: np.array([Evil(Path("evil"))], dtype=object)),
    "three columns": changed(lambda draws: np.column_stack([draws, draws[:, 0]])),
    "one row": changed(lambda draws: draws[0]),
    "a number": changed(lambda draws: 1.0),
    "whole numbers": changed(lambda draws: np.ones(draws.shape, dtype=int)),
    "complex": changed(lambda draws: draws + 0j),
    "words": changed(lambda draws: draws.astype(str)),
    "infinity": changed(one(np.inf, (3, 0))),
    "half a trial": changed(one(np.nan, (3, 1))),
    "a negative variance": changed(one(-0.1, (3, 1))),
    "no draws": lambda path: np.savez(path, key=dict(np.load(path))["key"]),
    "no key": lambda path: np.savez(path, draws_0=dict(np.load(path))["draws_0"]),
    "a key of numbers": changed(lambda draws: draws, key=np.arange(3)),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_one_line_that_names_it(name: str, path: Path, monkeypatch: pytest.MonkeyPatch,
                                                        capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    DAMAGES[name](path)
    with pytest.raises(BadInput, match=r"run\.npz") as caught:
        simulate(SETTING, trials=20, checkpoint=path)
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(sys, "argv", ["cli.py", "simulate", *OPTIONS, "--checkpoint", str(path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 2 and not said.out and said.err.startswith("error: ") and said.err.count("\n") == 1
    assert not path.with_name("evil").exists()


def test_trials_not_drawn_yet_are_no_damage(path: Path) -> None:
    whole = simulate(SETTING, trials=20)
    changed(lambda draws: np.where(np.arange(20)[:, None] < 7, draws, np.nan))(path)
    assert simulate(SETTING, trials=20, checkpoint=path) == whole


@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_is_one_line_and_leaves_the_old_file(there: bool, path: Path, monkeypatch: pytest.MonkeyPatch,
                                                         capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    before = path.read_bytes()
    if not there:
        path.unlink()

    def full(file: object, **arrays: object) -> None:
        file.write(b"half a fi")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.np, "savez", full)
    with pytest.raises(Unwritable, match=r"run.npz: No space left on device"):
        simulate(SETTING, trials=40, checkpoint=path)
    monkeypatch.setattr(sys, "argv", ["cli.py", "simulate", *OPTIONS, "--checkpoint", str(path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 1 and not said.out and said.err.count("\n") == 1 and "No space left" in said.err
    assert [file.name for file in path.parent.iterdir()] == ["run.npz"] * there
    assert not there or path.read_bytes() == before


def test_an_unwritable_place_is_known_before_anything_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthmix.sims.monte_carlo._run_block", None)
    for place in (tmp_path / "no" / "run.npz", Path("/proc/run.npz"), tmp_path / ("a" * 300), Path("/dev/full"), Path("~nobody/run.npz")):
        with pytest.raises(BadInput, match=place.name[:20]):
            simulate(SETTING, trials=20, checkpoint=place)


def test_an_early_end_of_a_file_is_no_interruption(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def ended(*_: object, **__: object) -> None:
        raise EOFError("No data left in file")

    monkeypatch.setattr("synthmix.sims.monte_carlo.simulate", ended)
    monkeypatch.setattr(sys, "argv", ["cli.py", "simulate", *OPTIONS])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2 and "a file ended too early" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"mu": 1e200, "gamma": 100.0}, {"gamma": 1e300}])
def test_beyond_floating_point_there_are_no_numbers(change: dict[str, float], recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(NotConverged, match="floating point"):
        simulate(Setting(5, 1, 10, 1.0, 0.5, Verifier(0, 0.9)).with_(**change), trials=5)
    assert not recwarn


@pytest.mark.parametrize("gamma", [1e-14, 1e-17, 1e-320])
def test_with_next_to_no_ridge_it_is_the_least_norm_classifier(gamma: float) -> None:
    """More features than samples: the Gram matrix of the banded path would be singular in floating point."""
    setting = Setting(20, 10, 40, 1.0, 0.2, Verifier(0.5, 0.9), ridge=Ridge(1e-8))
    expected, found = simulate(setting, trials=400), simulate(setting.with_(gamma=gamma), trials=400)
    assert abs(found.variance.mean - expected.variance.mean) < 4 * np.hypot(found.variance.se, expected.variance.se)
    assert abs(found.accuracy.mean - expected.accuracy.mean) < 4 * np.hypot(found.accuracy.se, expected.accuracy.se)


@pytest.mark.parametrize("change, options, message", [
    ({"p": 3_000_000, "omega": 2.0}, {}, "a trial with p = 3,000,000 needs about .* GB of memory, and .* lower p or the numbers"),
    ({"p": 10**12}, {}, "lower p"),
    ({"p": 300_000, "n": 10_000}, {"sampler": "direct"}, "numbers of samples"),
    ({}, {"trials": 10**14}, "fewer trials"),
    ({"p": 30_000, "omega": 2.0}, {"jobs": 50}, "each of 50 processes .* or jobs"),
])  # fmt: skip
def test_what_does_not_fit_into_the_memory_is_refused(
    change: dict[str, float], options: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 8e9)
    with pytest.raises(BadInput, match=message):
        simulate(Setting(1000, 1000, 10, 1.0, 0.2).with_(**change), **{"trials": 1000, **options})


def test_there_is_some_free_memory() -> None:
    assert 1e8 < memory.free_memory() < 1e15


@pytest.mark.parametrize("change", [{"m": 10**20}, {"n": 10**20}, {"n": 2**53 + 2}])
def test_more_samples_than_can_be_counted(change: dict[str, int]) -> None:
    with pytest.raises(BadInput, match="at most"):
        simulate(Setting(10, 10, 10, 1.0, 0.2).with_(**change), trials=2)


LONG = """
import sys
from synthmix.sims.monte_carlo import simulate
from synthmix.solvers.problem import Setting
if __name__ == "__main__":
    simulate(Setting(2000, 2000, 300, 1.0, 0.2, omega=0.5), trials=10**6, jobs=2, target_se=1e-9)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for children in /proc")
def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text(LONG)
    parent = subprocess.Popen([sys.executable, script], stderr=subprocess.DEVNULL)
    try:
        children = wait_for(lambda: busy(parent.pid), 60)
        assert len(children) >= 2
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert wait_for(lambda: not any(alive(child) for child in children), 10)


def busy(pid: int) -> list[int]:
    """The children of a process, once two of them have computed for half a second."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]
    ticks = [sum(map(int, Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) for child in children]
    return children if sum(tick > 0.5 * os.sysconf("SC_CLK_TCK") for tick in ticks) >= 2 else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], object], seconds: float) -> object:
    """What the condition returns once it is true, or at the end of the time."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.2)
    return found
