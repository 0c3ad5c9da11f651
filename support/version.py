"""The version of this package, and a hash of its sources."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# the rooms that numbers come from
COMPUTING = ("support", "data", "solvers", "sims", "estimators", "advice", "language", "studies", "experiments", "figures")


def version() -> str:
    """Return the version of this package."""
    return sys.modules[__name__.partition(".")[0]].__version__


def build() -> str:
    """Return the version with a hash of the sources that compute, so that a changed checkout is another one."""
    digest = hashlib.blake2b(digest_size=4)
    for path in sorted(path for room in COMPUTING for path in (ROOT / room).rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return f"{version()} ({digest.hexdigest()})"
