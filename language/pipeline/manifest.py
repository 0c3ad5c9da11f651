"""The record beside what a step of a pipeline wrote: from what, with which settings, how much, and the sha256 of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

from ...support.errors import BadInput
from ...support.files import write_text

FILE = "manifest.json"
PACKAGES = ("datasets", "torch", "transformers", "trl", "peft")


@dataclass(frozen=True)
class Manifest:
    """The record of how a step's folder was made.

    Attributes
    ----------
    step : str
    settings : dict
    inputs : dict
        By role, the digest of every folder that was read.
    counts : dict
        The numbers that the step counted, as plain JSON.
    files : dict
        By path within the folder, sha256 and bytes.
    made : dict
        Versions and seconds, on which the content of the folder does not depend.
    """

    step: str
    settings: Mapping[str, object]
    inputs: Mapping[str, str]
    counts: Mapping[str, object]
    files: Mapping[str, Mapping[str, object]]
    made: Mapping[str, object] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A hash of the content of the folder: of the names and hashes of its files."""
        content = json.dumps({name: file["sha256"] for name, file in self.files.items()}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def agrees(self, settings: dict[str, object], inputs: dict[str, str]) -> bool:
        """Return whether the folder was made with these settings from these inputs."""
        return self.settings == settings and self.inputs == inputs


def plain(values: object) -> dict[str, object]:
    """Return settings or counts as they are read back from JSON: a dataclass as a dict, tuples as lists.

    Parameters
    ----------
    values : object
        Of dataclasses, mappings, sequences, numbers and texts.
    """
    return json.loads(json.dumps(values, default=asdict))


def read(folder: Path) -> Manifest | None:
    """Return the manifest of a folder, or None where there is none, it cannot be read, or a file that it names is not there in full."""
    try:
        manifest = Manifest(**json.loads((folder / FILE).read_text()))
        whole = all((folder / name).stat().st_size == file["bytes"] for name, file in manifest.files.items())
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return manifest if whole else None


def write(folder: Path, step: str, settings: dict[str, object], inputs: dict[str, str], counts: dict[str, object], seconds: float) -> None:
    """Write the manifest of a folder in which everything else is.

    Parameters
    ----------
    folder : Path
    step, settings, inputs, counts
        As in `Manifest`.
    seconds : float
        How long the step took.
    """
    made = {"seconds": round(seconds, 2), "versions": {name: version for name in PACKAGES if (version := _version(name))}}
    manifest = Manifest(step, settings, inputs, plain(counts), _files(folder), made)
    write_text(folder / FILE, json.dumps(asdict(manifest), indent=1, allow_nan=False) + "\n")


def check(folder: Path) -> None:
    """Hash every file of a folder that is about to be read.

    Raises
    ------
    BadInput
        If one is not what the manifest says.
    """
    manifest = read(folder)
    found = None if manifest is None else _files(folder)
    if manifest is None or found != manifest.files:
        names = [] if manifest is None else [name for name in manifest.files | found if manifest.files.get(name) != found.get(name)]
        raise BadInput(f"{folder} was changed after it was written ({', '.join(sorted(names)) or FILE}); remove it and run its step again")


def _files(folder: Path) -> dict[str, dict[str, object]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / FILE)
    return {path.relative_to(folder).as_posix(): {"sha256": _sha256(path), "bytes": path.stat().st_size} for path in paths}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
