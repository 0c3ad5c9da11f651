"""Finished trials on disk, so that an interrupted simulation goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np

from synthmix.support.errors import BadInput
from synthmix.support.files import replacing

SAVE_EVERY = 5.0  # seconds


def fingerprint(*things: object) -> str:
    """A hash of values: dataclasses by their fields, arrays by shape and bytes, anything else by its repr."""
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
    finer target, draws only what is missing. Without a path nothing is kept.
    """

    def __init__(self, path: str | os.PathLike[str] | None, key: str) -> None:
        self.path = None if path is None else Path(path)
        if self.path is not None and not self.path.parent.is_dir():
            raise BadInput(f"the folder of the checkpoint {self.path} does not exist; make it first")
        self.key = key
        self._saved = time.monotonic()

    def load(self, count: int) -> list[np.ndarray]:
        """An array trials x 2 for each of `count` settings, empty where the file does not exist yet.

        Raises:
            BadInput: where the file is not a checkpoint of this simulation.
        """
        if self.path is None or not self.path.exists():
            return [np.empty((0, 2)) for _ in range(count)]
        try:
            with np.load(self.path) as stored:
                if str(stored["key"]) == self.key:
                    return [stored[f"draws_{i}"] for i in range(count)]
        except (OSError, ValueError, KeyError):
            raise BadInput(f"{self.path} is not a checkpoint; delete it or name another file") from None
        raise BadInput(f"{self.path} belongs to other settings, seed or sampler; delete it or name another file")

    def save(self, draws: list[np.ndarray], *, now: bool = False) -> None:
        """Write what there is, beside the file and then renamed; unless `now`, only every few seconds."""
        if self.path is None or not (now or time.monotonic() - self._saved > SAVE_EVERY):
            return
        with replacing(self.path) as beside, beside.open("wb") as file:
            np.savez(file, key=self.key, **{f"draws_{i}": values for i, values in enumerate(draws)})
        self._saved = time.monotonic()
