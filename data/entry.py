"""What is said about a data set: an entry holds facts only, and knows nothing of where its files lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class DataFile:
    """A file of a data set.

    Attributes
    ----------
    name
        Of the file; NAME.gz is taken as well.
    sha256
        In hex, of the uncompressed content. None where only the commit that its origin names pins it: the file is then taken as it is.
    """

    name: str
    sha256: str | None


class Unavailable(Exception):
    """A public origin did not bring a file; the message says why, as the end of a sentence."""


class Origin(Protocol):
    """A public origin of a data set's files; str(origin) names it."""

    def fetch(self, names: Sequence[str], folder: Path) -> Iterator[Path]:
        """Bring the files into `folder`: each is yielded once it is complete, as NAME.part, and is not yet trusted.

        Raises
        ------
        Unavailable
            At the first file that cannot be had.
        """
        ...


@dataclass(frozen=True)
class DataSet:
    """A public data set: what may be done with it, whom to cite, its files and where to find them.

    Attributes
    ----------
    name
        Its name in commands.
    title, licence, citation
        For people.
    files
        The files that are needed.
    folders
        Where the files lie within the user's folder; the first is also their folder in the cache.
    package
        An installed Python package that carries the files, and the folder within it.
    origins
        Where the files can be downloaded, in order.
    """

    name: str
    title: str
    licence: str
    citation: str
    files: tuple[DataFile, ...]
    folders: tuple[str, ...]
    package: tuple[str, str] | None = None
    origins: tuple[Origin, ...] = ()

    @property
    def checked_by(self) -> str:
        """What says that the files are those of the publisher: the sha256 of each, or only the commit that a download asks for."""
        return "sha256" if all(file.sha256 for file in self.files) else "commit only"
