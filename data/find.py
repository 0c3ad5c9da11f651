"""Finding a data set: in the user's folder, in the user's cache, in an installed package, else at its public origins."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from ..support.errors import BadInput
from ..support.files import user_cache
from .entry import DataFile, DataSet, Unavailable

FOLDER_OPTION = "--data"
FOLDER_VARIABLE = "SYNTHDATA_DIR"
GZIP_SUFFIX = ".gz"


@dataclass(frozen=True)
class Status:
    """The files of a data set on this machine.

    A damaged file in the user's own folder stands in the way: it counts as missing wherever else it could be had.

    Attributes
    ----------
    found : dict of Path
        By name, the files that are here intact.
    missing : tuple of str
        Names of the files that are not.
    damaged : tuple of Path
    """

    found: Mapping[str, Path]
    missing: tuple[str, ...]
    damaged: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes on disk of the files found."""
        return sum(path.stat().st_size for path in self.found.values())

    @property
    def where(self) -> str:
        """The folders, what is missing and what is damaged, in words."""
        folders = sorted({str(path.parent) for path in self.found.values()})
        damaged = [f"damaged: {path}" for path in self.damaged]
        missing = ["not here" if not self.found else f"missing: {', '.join(self.missing)}"] if self.missing and not damaged else []
        return "; ".join(folders + damaged + missing)


def status(dataset: DataSet, folder: str | os.PathLike[str] | None = None) -> Status:
    """Look for every file of `dataset`, as `locate` does, but download nothing and refuse nothing."""
    own = own_folder(folder)
    looked = {file.name: _look(dataset, file, own) for file in dataset.files}
    return Status(
        found={name: one.path for name, one in looked.items() if one.path},
        missing=tuple(name for name, one in looked.items() if not one.path),
        damaged=tuple(path for one in looked.values() for path in one.damaged),
    )


def locate(dataset: DataSet, folder: str | os.PathLike[str] | None = None, download: bool = True) -> dict[str, Path]:
    """Return the path of every file of a data set, by file name; each is plain or gzip (.gz) and has the right sha256.

    Parameters
    ----------
    dataset : DataSet
    folder : path, optional
        Where to look first, in its `dataset.folders` and then in itself; by default the folder that the environment variable SYNTHDATA_DIR
        names. Then come the user's cache and the installed package that carries the files, if there is one.
    download : bool
        Whether to go on to the public origins in order, whose files are kept in the cache.

    Raises
    ------
    BadInput
        In one line: a file is in none of these places, or the one in the user's folder is damaged.
    """
    own = own_folder(folder)
    looked = {file: _look(dataset, file, own) for file in dataset.files}
    for one in looked.values():
        if one.barred:
            raise BadInput(
                f"{one.damaged[0]} is damaged (its sha256 is not that of the public file); replace it, or remove it to "
                f"have it searched elsewhere"
            )
    missing = [file for file, one in looked.items() if not one.path]
    absent, failures = _download(dataset, missing) if download else (missing, ["downloading was not asked for"])
    if absent:
        raise BadInput(_not_found(dataset, absent, own, [path for file in absent for path in looked[file].damaged], failures))
    cache = _cache(dataset)
    return {file.name: one.path or cache / file.name for file, one in looked.items()}


def opened(path: Path) -> IO[bytes]:
    """A file that `locate` found, opened to be read; gzip is unpacked on the way."""
    return gzip.open(path) if path.suffix == GZIP_SUFFIX else path.open("rb")


@dataclass(frozen=True)
class _Look:
    """Where a file was found, if it was; what is damaged; whether that bars every other place."""

    path: Path | None
    damaged: tuple[Path, ...] = ()
    barred: bool = False


def own_folder(folder: str | os.PathLike[str] | None) -> Path | None:
    """The user's folder with data: the one given, or else the one that the environment names, if it does."""
    own = folder or os.environ.get(FOLDER_VARIABLE)
    try:
        return Path(own).expanduser() if own else None
    except RuntimeError:
        raise BadInput(f"the folder {own} cannot be found: there is no such user") from None


def _cache(dataset: DataSet) -> Path:
    return user_cache() / dataset.folders[0]


def _carried(dataset: DataSet) -> Path | None:
    """The folder of the installed package that carries the files."""
    if dataset.package is None or (package := find_spec(dataset.package[0])) is None or package.origin is None:
        return None
    return Path(package.origin).parent / dataset.package[1]


def _look(dataset: DataSet, file: DataFile, own: Path | None) -> _Look:
    if own:
        for path in _present([own / folder for folder in dataset.folders] + [own], file):
            return _Look(path) if _intact(path, file) else _Look(None, (path,), barred=True)
    damaged = []
    for path in _present([_cache(dataset), _carried(dataset)], file):
        if _intact(path, file):
            return _Look(path)
        damaged.append(path)
    return _Look(None, tuple(damaged))


def _present(folders: list[Path | None], file: DataFile) -> Iterator[Path]:
    for folder in folders:
        for name in (file.name, file.name + GZIP_SUFFIX):
            if folder and (folder / name).is_file():
                yield folder / name


def _intact(path: Path, file: DataFile) -> bool:
    """Whether the content has the right sha256, where one is known; a file that cannot be read or unpacked has not."""
    try:
        with opened(path) as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256 or file.sha256 is None
    except (OSError, EOFError, zlib.error):
        return False


def _download(dataset: DataSet, missing: list[DataFile]) -> tuple[list[DataFile], list[str]]:
    """Fetch files into the cache, from the origins in turn until none is missing; return what still is, and why."""
    cache, wanted, failures = _cache(dataset), {file.name: file for file in missing}, []
    for origin in dataset.origins:
        if not wanted:
            break
        try:
            cache.mkdir(parents=True, exist_ok=True)
            for part in origin.fetch(tuple(wanted), cache):
                file = wanted[part.stem]
                if not _intact(part, file):
                    part.unlink()
                    raise Unavailable(f"brought a {file.name} with another sha256")
                part.replace(cache / file.name)
                del wanted[file.name]
        except Unavailable as reason:
            failures.append(f"{origin} {reason}")
        except OSError as error:
            failures.append(f"{origin} failed ({error.strerror or error})")
    return list(wanted.values()), failures


def _not_found(dataset: DataSet, absent: list[DataFile], own: Path | None, damaged: list[Path], failures: list[str]) -> str:
    names = [file.name for file in absent]
    tried = [f"looked in {own}" if own else f"no folder was named with {FOLDER_OPTION} or {FOLDER_VARIABLE}"]
    tried += [f"the cache {_cache(dataset)} has none"] if not damaged else [f"{path} is damaged" for path in damaged]
    tried += [f"the installed {dataset.package[0]} has none"] if dataset.package else []
    return (
        f"{dataset.title}: {', '.join(names)} not found: {'; '.join(tried + failures)}; put the file{'s' * (len(names) > 1)} "
        f"into a folder and name that with {FOLDER_OPTION} or {FOLDER_VARIABLE}"
    )
