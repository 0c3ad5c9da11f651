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


def content_key(*folders: Path) -> str:
    """Return the hash of the names and contents of all Python files in folders and the folders in them; empty without any."""
    digest, files = hashlib.blake2b(digest_size=8), [(file, folder) for folder in folders for file in sorted(folder.rglob("*.py"))]
    for file, folder in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder.parent).as_posix()} {len(content)} ".encode() + content)
    return digest.hexdigest() if files else ""


def build() -> str:
    """Return the version with a hash of the sources that compute, so that a changed checkout is another one."""
    return f"{version()} ({content_key(*(ROOT / room for room in COMPUTING))})"
