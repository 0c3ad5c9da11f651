"""What is said about a data set: an entry holds facts only, and knows nothing of where its files lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class DataFile:
    """One file. sha256: hex, of its uncompressed content, so that NAME and NAME.gz are the same file.

    None where only the commit that its sources name pins it: the file is then taken as it is.
    """

    name: str
    sha256: str | None


class Unavailable(Exception):
    """A public source did not bring a file; the message says why, as the end of a sentence."""


class Source(Protocol):
    """A public source of a data set's files; str(source) names it."""

    def fetch(self, names: Sequence[str], folder: Path) -> Iterator[Path]:
        """Bring the files into `folder`: each is yielded once it is complete, as NAME.part, and is not yet trusted.

        Raises:
            Unavailable: at the first file that cannot be had.
        """
        ...


@dataclass(frozen=True)
class DataSet:
    """A public data set: what may be done with it, whom to cite, its files and where to find them.

    folders: where the files lie within the user's folder; the first is also their folder in the cache.
    package: an installed Python package that carries the files, and the folder within it.
    sources: the public ones, in order.
    """

    name: str
    title: str
    licence: str
    citation: str
    files: tuple[DataFile, ...]
    folders: tuple[str, ...]
    package: tuple[str, str] | None = None
    sources: tuple[Source, ...] = ()
