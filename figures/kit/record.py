"""The JSON record of a figure: settings, points and claims, and what they were made with."""

from __future__ import annotations

import platform
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

PACKAGES = ("numpy", "scipy", "numba", "sympy", "matplotlib", "scikit-learn", "torch", "transformers", "trl", "peft")
ROOT = Path(__file__).parents[2]


def versions() -> dict[str, str]:
    """The versions of Python and of those of PACKAGES that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def commit() -> str | None:
    """The git commit of the checkout, with '+' behind it if a tracked file was changed; None outside a checkout."""
    if not (ROOT / ".git").exists():  # installed: a repository further up is somebody else's
        return None
    try:
        asked = [subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True, timeout=10).stdout.strip()
                 for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))]
    except (OSError, subprocess.SubprocessError):
        return None
    return asked[0] + ("+" if asked[1] else "")
