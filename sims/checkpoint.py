"""Finished trials on disk, so that an interrupted simulation goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import fields, is_dataclass

import numpy as np

from ..support.errors import BadInput, place
from ..support.files import read_arrays, write_arrays

SAVE_EVERY = 5.0  # seconds


def fingerprint(*things: object) -> str:
    """Return a hash of values: dataclasses by their fields, arrays by shape and bytes, anything else by its repr."""
    digest = hashlib.blake2b(digest_size=16)

    def feed(thing: object) -> None:
        if is_dataclass(thing):
            feed((type(thing).__name__, *((f.name, getattr(thing, f.name)) for f in fields(thing))))
        elif isinstance(thing, list | tuple):
            digest.update(b"(%d" % len(thing))
            for part in thing:
                feed(part)
        elif isinstance(thing, np.ndarray):
            array = np.ascontiguousarray(thing, dtype=float)
            digest.update(repr(array.shape).encode() + array.tobytes())
        else:
            digest.update(repr(thing).encode() + b";")

    feed(things)
    return digest.hexdigest()


class Checkpoint:
    """An npz file with the trials drawn so far of each setting, nan where there are none yet.

    The file stays when a simulation is complete: the same call then returns at once, and one with more trials, or a
    finer target, draws only what is missing.

    Parameters
    ----------
    path : path or None
        The file; without one nothing is kept.
    key : str
        The fingerprint of the simulation; a file with another key is refused.
    """

    def __init__(self, path: str | os.PathLike[str] | None, key: str) -> None:
        self.path = None if path is None else place("a checkpoint", path)
        self.key = key
        self._saved = time.monotonic()

    def load(self, count: int) -> list[np.ndarray]:
        """Return the trials so far, an array (trials, 2) for each of `count` settings; empty where the file does not exist yet.

        The file is written at once: that it can be is known before anything is computed.

        Raises
        ------
        BadInput
            Where the file cannot be written, is damaged, or is no checkpoint of this simulation.
        """
        if self.path is None:
            return [np.empty((0, 2)) for _ in range(count)]
        if not os.path.isdir(self.path.parent):
            raise BadInput(f"the folder of the checkpoint {self.path} does not exist; make it first")
        stored = read_arrays(self.path, "a checkpoint")
        draws = [np.empty((0, 2)) for _ in range(count)] if stored is None else self._draws(stored, count)
        self.save(draws, now=True)
        return draws

    def _draws(self, stored: dict[str, np.ndarray], count: int) -> list[np.ndarray]:
        key = stored.get("key", np.empty(0))
        if key.shape != () or key.dtype.kind != "U":
            raise BadInput(f"{self.path} is not a checkpoint; delete it or name another file")
        if str(key) != self.key:
            raise BadInput(f"{self.path} belongs to other settings, seed or sampler; delete it or name another file")
        draws = [stored.get(f"draws_{i}") for i in range(count)]
        if not all(map(_whole, draws)):
            raise BadInput(f"{self.path} is a damaged checkpoint; delete it or name another file")
        return draws

    def save(self, draws: list[np.ndarray], *, now: bool = False) -> None:
        """Write the trials beside the file, which is then replaced.

        Parameters
        ----------
        draws : list of arrays (trials, 2)
            Of every setting.
        now : bool
            False: only where the last time is some seconds ago.

        Raises
        ------
        BadInput
            Where the place cannot be written to.
        Unwritable
            Where the disk is full.
        """
        if self.path is None or not (now or time.monotonic() - self._saved > SAVE_EVERY):
            return
        write_arrays(self.path, {"key": np.array(self.key)} | {f"draws_{i}": values for i, values in enumerate(draws)})
        self._saved = time.monotonic()


def _whole(draws: np.ndarray | None) -> bool:
    """Whether these are mean margins and variances: (trials, 2), either numbers, the variance not below 0, or nan, not drawn yet."""
    if draws is None or draws.dtype != np.float64 or draws.ndim != 2 or draws.shape[1] != 2:
        return False
    missing = np.isnan(draws).all(axis=1)
    return bool(np.isfinite(draws[~missing]).all() and (draws[~missing, 1] >= 0).all())
