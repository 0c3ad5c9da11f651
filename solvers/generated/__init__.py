"""The generated modules, and where their compiled code is kept.

Numba looks only at the file of a cached function, not at what was inlined into it: after a new derivation, cached loops would go on
with the old formulas. So the cache lives under a key made of every source that takes part, and old keys are removed.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numba

_SOLVERS = Path(__file__).resolve().parent.parent


def _sources_key() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted([*_SOLVERS.glob("*.py"), *_SOLVERS.glob("generated/*.py")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _keep_compiled_code() -> None:
    kept = _SOLVERS / "__pycache__" / f"compiled-{_sources_key()}"
    try:
        if not kept.exists():
            for old in kept.parent.glob("compiled-*"):
                shutil.rmtree(old, ignore_errors=True)
            kept.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only installation: Numba then uses the user's own cache folder
        return
    numba.config.CACHE_DIR = str(kept)


_keep_compiled_code()
