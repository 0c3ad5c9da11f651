"""Configuration files: TOML, read into frozen dataclasses. A mistake is one line that names the file and the key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from synthmix.support.errors import BadInput
from synthmix.support.typed import typed

T = TypeVar("T")
PACKAGED = Path(__file__).parent.parent / "configs"


def packaged() -> list[str]:
    """The names of the configurations that come with the project."""
    return sorted(path.stem for path in PACKAGED.glob("*.toml"))


def read(file: str | Path, kind: type[T]) -> T:
    """The configuration in a file, or the packaged one of that name (`safety-toy`), as the dataclass `kind`.

    Raises:
        BadInput: in one line, for a file that cannot be read, an unknown or missing key, a wrong type, a value out of its range.
    """
    path = Path(file)
    if not path.exists() and str(file) in packaged():
        path = PACKAGED / f"{file}.toml"
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise BadInput(f"cannot read {file}: {reason}; name a file, or one of {', '.join(packaged())}") from None
    except ValueError as error:  # TOMLDecodeError, or a whole number of over 4,300 digits
        raise BadInput(f"{path} is not TOML: {error}") from None
    except RecursionError:
        raise BadInput(f"{path} is nested too deeply: no configuration has tables within tables within tables") from None
    try:
        return typed(kind, table)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None
