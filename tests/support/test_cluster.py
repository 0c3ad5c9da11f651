"""Parallel loops on a Dask cluster: a real scheduler and real worker processes on the loopback address."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthmix.data.sets import digits, mnist
from synthmix.estimators.resampling import resample
from synthmix.experiments import generators, real_trees
from synthmix.experiments.back_test_run import UserCase
from synthmix.experiments.generators import GeneratorCase
from synthmix.experiments.real import MixCase, predict_and_measure
from synthmix.experiments.real_data import RealData
from synthmix.experiments.real_trees import ChainCase
from synthmix.figures import figure2, figure5, figure_advise, figure_real
from synthmix.figures.kit.run import Run
from synthmix.sims.monte_carlo import simulate_many
from synthmix.sims.stress import sweep
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier
from synthmix.support.cluster import cluster
from synthmix.support.errors import BadInput, Unreachable
from synthmix.support.records import plain

pytest.importorskip("distributed", reason="needs Dask (pip install -e '.[cluster]')")

SETTINGS = [Setting(200, m, 150, 1.5, 0.2, Verifier(0.2, 0.9), Generator("independent", 300), Ridge(1.0)) for m in (100, 400)]
TRIALS = 96


def process(*words: str) -> subprocess.Popen:
    """Start a command of Dask's in a session of its own."""
    return subprocess.Popen([sys.executable, "-m", "dask", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen]:
    """A process that is ended with all it started."""
    started = process(*words)
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        started.stdout.close()


def worker(address: str, *words: str) -> tuple[str, ...]:
    return ("worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard", *words)


@pytest.fixture
def scheduler() -> Iterator[tuple[str, subprocess.Popen]]:
    """The address of a scheduler, and its process."""
    with running("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard") as started:
        address = next(found[0] for line in started.stdout if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
        yield address, started


def numbers(jobs: int = 1, checkpoint: Path | None = None) -> np.ndarray:
    done = simulate_many(SETTINGS, trials=TRIALS, seed=3, jobs=jobs, checkpoint=checkpoint)
    return np.array([[one.mean_margin, one.variance, one.accuracy, one.risk] for one in done])


@pytest.fixture(scope="module")
def alone() -> np.ndarray:
    """What one process finds."""
    return numbers()


def test_two_workers_find_what_one_process_finds(scheduler: tuple[str, subprocess.Popen], alone: np.ndarray) -> None:
    address, _ = scheduler
    with running(*worker(address)), running(*worker(address)), cluster(address):
        assert numbers().tobytes() == alone.tobytes()


def test_a_worker_killed_and_one_that_joins_late_change_nothing(scheduler: tuple[str, subprocess.Popen], alone: np.ndarray) -> None:
    address, _ = scheduler
    late: list[subprocess.Popen] = []
    with running(*worker(address)) as first, running(*worker(address)), cluster(address):
        timers = [threading.Timer(0.4, first.kill), threading.Timer(0.6, lambda: late.append(process(*worker(address))))]
        for timer in timers:
            timer.start()
        found = [numbers() for _ in range(3)]
        for timer in timers:
            timer.join()
    for one in late:
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()
        one.stdout.close()
    assert first.poll() == -signal.SIGKILL
    assert all(one.tobytes() == alone.tobytes() for one in found)


def test_without_the_scheduler_it_stops_with_one_line_and_goes_on_later(
    scheduler: tuple[str, subprocess.Popen], alone: np.ndarray, tmp_path: Path
) -> None:  # fmt: skip
    address, started = scheduler
    kept = tmp_path / "kept.npz"
    gone = r"^the scheduler at tcp://127\.0\.0\.1:\d+ is gone: [^\n]*$"
    with running(*worker(address)), pytest.raises(Unreachable, match=gone), cluster(address):
        threading.Timer(0.5, started.kill).start()
        for _ in range(100):
            simulate_many(SETTINGS, trials=TRIALS * 20, seed=3, checkpoint=kept)
    assert numbers(checkpoint=kept).tobytes() == alone.tobytes()


def test_another_version_on_a_worker_is_named(scheduler: tuple[str, subprocess.Popen], tmp_path: Path) -> None:
    address, _ = scheduler
    preload = tmp_path / "older.py"
    preload.write_text("import synthmix\nsynthmix.__version__ = '0.0.1'\n")
    named = r"the worker at tcp://\S+ has synthmix 0\.0\.1"
    with running(*worker(address, "--preload", str(preload))), pytest.raises(BadInput, match=named), cluster(address):
        pass


def test_no_scheduler_and_no_workers_are_one_line(scheduler: tuple[str, subprocess.Popen], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATIENCE", "FIRST_WORKER"):
        monkeypatch.setattr(f"synthmix.support.cluster.{name}", 1.0)
    address, _ = scheduler
    with pytest.raises(Unreachable, match="has no workers"), cluster(address):
        pass
    with pytest.raises(Unreachable, match="there is no scheduler at"), cluster("tcp://127.0.0.1:1"):
        pass


@pytest.mark.parametrize("where", ["", "local", "local:0", "local:-1", "local:x", "127.0.0.1:8786", "tcp://host", "http://host:1"])
def test_another_address_is_one_line(where: str) -> None:
    with pytest.raises(BadInput, match="a cluster is"), cluster(where):
        pass


def test_a_sweep_is_that_of_one_process() -> None:
    alone = sweep(4_000, seed=2, threads=1)
    with cluster("local:2"):
        shared = sweep(4_000, seed=2)
        with pytest.raises(BadInput, match="one thread each"):
            sweep(4_000, threads=1)
    for one, other in zip((alone.isotropic, alone.spectral), (shared.isotropic, shared.spectral), strict=True):
        assert (one.points, one.unsolved, one.residual) == (other.points, other.unsolved, other.residual)
        assert repr(one.worst) == repr(other.worst)


def test_the_back_test_of_the_advice_is_that_of_one_process(tmp_path: Path) -> None:
    """By one process, by joblib's and by Dask's; every user is kept by the process that asked."""
    digits = RealData("digits 3-8", "digits", (3, 8))
    settings = figure_advise.Settings((UserCase(digits, 40, 2, 80, 2, 2, 200),))

    def users(folder: str, jobs: int) -> dict[str, bytes]:
        figure_advise.build(settings, Run(seed=1, jobs=jobs, checkpoints=tmp_path / folder))
        return {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}

    alone = users("alone", 1)
    assert len(alone) == 4
    assert users("processes", 2) == alone
    with cluster("local:2"):
        assert users("cluster", 1) == alone


@pytest.mark.parametrize("name", ["figure 2", "figure 5", "real data", "family trees", "generators", "resamples"])
def test_what_threads_or_processes_measure_is_that_of_one_process(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where arrays and functions without a name in a module travel to the workers."""
    monkeypatch.setattr(mnist, "load", lambda part, folder: digits.load())
    pair, X = RealData("digits 3-8", "digits", (3, 8)), np.random.default_rng(0).standard_normal((40, 30))
    measure = {
        "figure 2": lambda jobs: figure2.build(replace(figure2.QUICK, n=100, measured=((50, 4), (80, 4))), Run(seed=3, jobs=jobs)).claims,
        "figure 5": lambda jobs: figure5.build(figure5.Settings((figure5.ALL, figure5.IDENTITY), 50, 3, 3), Run(seed=3, jobs=jobs)).extra,
        "real data": lambda jobs: predict_and_measure(
            [MixCase("digits", "digits", 20, (0, 40), (Generator("self-fitted"),), 2, (3, 8))], [(1, 2)], jobs=jobs),
        "family trees": lambda jobs: real_trees.predict_and_measure(
            ChainCase(pair, 60, 80, trials=2, splits=2), [("replace", 1), ("replace", 2)], 3, jobs=jobs)[0].values(),
        "generators": lambda jobs: generators.predict_and_measure(
            [GeneratorCase(RealData("digits", "digits"), ("Gaussian",), 40, 20, (0, 60), (0.1,), 2)], [(0, 1)], jobs=jobs),
        "resamples": lambda jobs: resample(lambda rng, r: r * X @ rng.standard_normal(30), 6, seed=4, jobs=jobs),
    }[name]  # fmt: skip
    alone = json.dumps(plain(measure(1)))
    assert json.dumps(plain(measure(2))) == alone
    with cluster("local:2"):
        assert json.dumps(plain(measure(1))) == alone


def test_figure_real_knows_its_cases_again() -> None:
    """Those of its results, which have been to another process."""
    cases = tuple(MixCase(name, "digits", 20, (0, 40), (Generator("self-fitted"),), 2, (3, 8)) for name in ("one", "other"))
    alone = figure_real.build(figure_real.Settings(cases, None), Run(seed=3))
    with cluster("local:2"):
        shared = figure_real.build(figure_real.Settings(cases, None), Run(seed=3))
    assert shared.claims == alone.claims
    assert json.dumps(plain(shared.extra)) == json.dumps(plain(alone.extra))


def test_workers_of_this_machine(alone: np.ndarray) -> None:
    with cluster("local:2"):
        assert numbers().tobytes() == alone.tobytes()
