"""Configuration files: TOML, read into frozen dataclasses. A mistake is one line that names the file and the key."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from ...support.typed import read_toml

T = TypeVar("T")
PACKAGED = Path(__file__).parent.parent / "configs"


def packaged() -> list[str]:
    """Return the names of the configurations that come with the project."""
    return sorted(path.stem for path in PACKAGED.glob("*.toml"))


def read(file: str | Path, kind: type[T]) -> T:
    """Read a configuration.

    Parameters
    ----------
    file : path or str
        A TOML file, or the name of a packaged one (`safety-toy`).
    kind : type
        The dataclass that it describes.

    Raises
    ------
    BadInput
        In one line, for a file that cannot be read, an unknown or missing key, a wrong type, a value out of its range.
    """
    path = Path(file)
    if str(file) in packaged() and not path.exists():
        path = PACKAGED / f"{file}.toml"
    return read_toml(path, kind, f"; name a file, or one of {', '.join(packaged())}")
