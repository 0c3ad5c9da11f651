"""Numba's `njit` for the solvers, and where their compiled code is kept.

A compiled function holds the code of all functions it calls, but Numba recompiles it only when its own file changes: after a new
derivation, kept loops would go on with the old formulas. Compiled code is therefore kept in a folder named after the content of every
source file of the solvers. Where nothing can be kept (a read-only installation, a full disk, a damaged file), code is compiled anew.
"""

from __future__ import annotations

import hashlib
import pickle
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature

from ..support.errors import BadInput
from ..support.files import user_cache
from ..support.version import content_key

SOLVERS = Path(__file__).resolve().parent
PREFIX = "compiled-"
OTHERS = 3  # folders of other contents that stay: of other branches, or other versions that share the place


def choose_folder(places: list[Path], key: str) -> Path | None:
    """Return the folder of compiled code with this key in the first of the places that can be written to.

    Where none can, the first that holds such a folder already, which is then read only; None without any. In a place that gets a new
    folder, all but the last `OTHERS` of older keys are removed.
    """
    folders = [place / f"{PREFIX}{key}" for place in places if key and place.is_absolute()]
    for folder in folders:
        try:
            new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        if new:
            _remove_old(folder)
        return folder
    return next((folder for folder in folders if folder.is_dir()), None)


def _remove_old(new: Path) -> None:
    with suppress(OSError):  # another process removes them too
        others = [folder for folder in new.parent.glob(f"{PREFIX}*") if folder != new]
        for folder in sorted(others, key=lambda one: one.stat().st_mtime)[:-OTHERS]:
            shutil.rmtree(folder, ignore_errors=True)


def _places() -> list[Path]:
    """Where compiled code may be kept: NUMBA_CACHE_DIR, or else beside the sources, or else among what is kept for this user."""
    if numba.config.CACHE_DIR:
        return [Path(numba.config.CACHE_DIR).absolute()]
    return [SOLVERS / "__pycache__", user_cache()]


def _kept_in() -> Path | None:
    try:
        return choose_folder(_places(), content_key(SOLVERS))
    except OSError:  # the sources are in an archive, or cannot be read
        return None


FOLDER = _kept_in()


class _Locator(InTreeCacheLocator):
    """Places the files of a function in `FOLDER`."""

    def __init__(self, function: Callable, file: str) -> None:
        super().__init__(function, file)
        self._cache_path = str(FOLDER / Path(file).parent.name)

    def ensure_cache_path(self) -> None:
        Path(self._cache_path).mkdir(parents=True, exist_ok=True)

    @classmethod
    def from_function(cls, function: Callable, file: str) -> _Locator:
        return cls(function, file)


class _Checked(CompileResultCacheImpl):
    """Writes compiled code with its hash, since damaged machine code would crash the process."""

    _locator_classes = (_Locator,)

    def reduce(self, compiled: Any) -> tuple[bytes, bytes]:
        content = dumps(super().reduce(compiled))
        return hashlib.sha256(content).digest(), content

    def rebuild(self, context: Any, kept: tuple[bytes, bytes]) -> Any:
        digest, content = kept
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("damaged")
        return super().rebuild(context, pickle.loads(content))


class _Cache(FunctionCache):
    """Numba's files of a function, where whatever goes wrong with them costs a compilation and nothing else."""

    _impl_class = _Checked

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            kept = super().load_overload(sig, target_context)
        except Exception:  # a damaged pickle may raise anything
            with suppress(OSError):
                self.flush()
            return None
        # two processes that compile at once may leave an index of the one and code of the other
        return kept if kept is not None and tuple(kept.signature.args) == tuple(normalize_signature(sig)[0]) else None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(Exception):  # a full disk, a folder that cannot be written to, a damaged index
            super().save_overload(sig, data)


def njit(*, cache: bool = False, **options: Any) -> Callable[[Callable], Callable]:
    """Return Numba's decorator of this name; with `cache`, compiled code is kept in `FOLDER`, if there is one.

    Raises
    ------
    BadInput
        If NUMBA_DISABLE_JIT is set: the types of compiled arguments choose the formulas.
    """
    if numba.config.DISABLE_JIT:
        raise BadInput("the solvers run as compiled code only: unset NUMBA_DISABLE_JIT")

    def decorate(function: Callable) -> Callable:
        compiled = numba.njit(**options)(function)
        if cache and FOLDER is not None:
            compiled._cache = _Cache(function)
        return compiled

    return decorate
