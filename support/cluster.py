"""Computing on a cluster: every parallel loop inside `cluster(...)` goes to Dask's workers in place of this machine's processes.

joblib hands the tasks over; queues, retries and workers that come and go are Dask's. The numbers are those of one process: each task has
its own random stream, and every worker computes linear algebra with one thread.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .errors import BadInput, Unreachable, instance
from .threads import one_thread
from .version import build

if TYPE_CHECKING:
    from distributed import Client

ADDRESS = re.compile(r"(tcp|tls|ucx)://\S+:\d+")
PATIENCE, FIRST_WORKER = 10.0, 60.0  # seconds to wait for a scheduler, and for its first worker
QUIET = {  # settings of workers that are started here: nobody reads the dashboard that these looks at the process are for
    "distributed.worker.profile.enabled": False,  # at the stack, every 10 ms
    "distributed.admin.tick.interval": "1s",  # at the event loop, every 20 ms
    "distributed.worker.memory.monitor-interval": "1s",  # at the memory, every 100 ms
    "distributed.admin.system-monitor.interval": "5s",
}

_connected = False


def connected() -> bool:
    """Return whether parallel loops go to a cluster now."""
    return _connected


@contextmanager
def cluster(where: str | None) -> Iterator[None]:
    """Send the parallel loops of the block to a cluster.

    Parameters
    ----------
    where
        tcp://HOST:PORT of a running Dask scheduler; local:N to start N workers on this machine; None for no cluster.

    Raises
    ------
    BadInput
        For another address, without Dask, or with workers that have another version of this package.
    Unreachable
        If the scheduler cannot be reached, has no workers, or is gone in the middle.
    """
    global _connected  # noqa: PLW0603  one program has one cluster
    if where is None:
        yield
        return
    instance("the address of a cluster", where, str)
    client = _client(where)
    try:
        from joblib import parallel_config

        _prepare(client)
        _connected = True
        with parallel_config("dask", client=client, wait_for_workers_timeout=FIRST_WORKER):
            yield
    except Exception as error:
        if client.status != "running" and not isinstance(error, BadInput):  # what joblib raises then depends on what it was about to do
            raise Unreachable(f"the scheduler at {where} is gone: start it, and the same command goes on where it stopped") from error
        raise
    finally:
        _connected = False
        _close(client)


def _client(where: str) -> Client:
    local = re.fullmatch(r"local:([1-9]\d{0,3})", where)
    if not local and not ADDRESS.fullmatch(where):
        raise BadInput(f"a cluster is tcp://HOST:PORT or local:N with a number of workers, not {where!r}")
    try:
        import dask.config
        from distributed import Client, LocalCluster
    except ImportError:
        raise BadInput("a cluster needs Dask: pip install 'dask[distributed]', or the extra `cluster`") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is one line of our own; the import sets another level
    if local:
        dask.config.set(QUIET)
        made = LocalCluster(n_workers=int(local[1]), threads_per_worker=1, dashboard_address=":0")
        return Client(made)
    try:
        return Client(where, timeout=PATIENCE)
    except (OSError, TimeoutError) as error:
        raise Unreachable(f"there is no scheduler at {where}: start one with `dask scheduler`") from error


def _prepare(client: Client) -> None:
    """Wait for a worker, compare versions, and have every worker, late ones too, compute with one thread."""
    from distributed import WorkerPlugin

    class OneThread(WorkerPlugin):
        def setup(self, worker: object) -> None:
            worker.synthmix_limit = one_thread()

    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER)
    except TimeoutError:
        raise Unreachable(f"the scheduler at {client.scheduler.address} has no workers: start some with `dask worker`") from None
    own = build()
    for address, theirs in client.run(build).items():
        if theirs != own:
            raise BadInput(f"the worker at {address} has synthmix {theirs} and this is {own}: install the same on both")
    client.register_plugin(OneThread(), name="synthmix-one-thread")


def _close(client: Client) -> None:
    from contextlib import suppress

    made = client.cluster
    with suppress(Exception):  # a scheduler that is gone says goodbye to nobody
        client.close(timeout=2)
    if made is not None:
        with suppress(Exception):
            made.close(timeout=5)
