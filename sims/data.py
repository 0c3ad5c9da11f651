"""Finding the public data sets: in the user's folder, in the user's cache, else at their public source.

A data set is one `DataSet` entry here; every file is pinned by its sha256, wherever it comes from.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from solvers.errors import BadInput

FOLDER_OPTION = "--data"
FOLDER_VARIABLE = "SYNTHDATA_DIR"
CACHE_NAME = "synthdata-workbench"
CONNECT_SECONDS, READ_SECONDS = 5, 30


@dataclass(frozen=True)
class DataFile:
    """One file: its name, its sha256 (hex), its public address, the folder it lies in within the user's folder."""

    name: str
    sha256: str
    url: str
    folder: str


@dataclass(frozen=True)
class DataSet:
    """A public data set: what may be done with it, whom to cite, and its files."""

    name: str
    licence: str
    citation: str
    files: tuple[DataFile, ...]


_AMAZON_URL = (
    "https://raw.githubusercontent.com/elfirdoussilab1/High-Dimensional-Learning-Noisy-Labels/"
    "b3250e21297fd274411aa0a6f8080ae1948bffb5/datasets/Amazon_review"
)

AMAZON = DataSet(
    name="Amazon reviews",
    licence="none stated; published for research",
    citation=(
        "Blitzer, Dredze, Pereira: Biographies, Bollywood, Boom-boxes and Blenders: Domain Adaptation for Sentiment "
        "Classification (ACL 2007), as preprocessed in elfirdoussilab1/High-Dimensional-Learning-Noisy-Labels"
    ),
    files=tuple(
        DataFile(f"{name}.mat", sha256, f"{_AMAZON_URL}/{name}.mat", "amazon")
        for name, sha256 in (
            ("books", "7a53b54f0c0e81e7ee4774d762a927399cede9a802a2409732ba00cc1c23a17a"),
            ("elec", "f1dd6e01c1eed956d3abe6493a6bb5efc95e6585b8b9b2d856c0c07e12893a35"),
            ("kitchen", "b1f4e5ddfbd7b37ad2638fccbf83bd8558abf63b3e8d69a9d5bca77b1a49fed5"),
        )
    ),
)


def locate(dataset: DataSet, folder: str | os.PathLike[str] | None = None, download: bool = True) -> dict[str, Path]:
    """Return the path of every file of `dataset`, by file name, each with the right sha256.

    folder: where to look first, `<folder>/<file.folder>/<name>` or `<folder>/<name>`; by default the folder that the
        environment variable SYNTHDATA_DIR names. Then the user's cache, then (with `download`) the public source,
        whose files are kept in the cache.

    Raises:
        BadInput: in one line: a file is in none of the three places, or the one in the user's folder is damaged.
    """
    own = folder or os.environ.get(FOLDER_VARIABLE)
    return {file.name: _locate(dataset, file, Path(own) if own else None, download) for file in dataset.files}


def _locate(dataset: DataSet, file: DataFile, own: Path | None, download: bool) -> Path:
    import pooch

    for path in (own / file.folder / file.name, own / file.name) if own else ():
        if path.is_file():
            if not _intact(path, file):
                raise BadInput(
                    f"{path} is damaged (its sha256 is not that of the public file); replace it, or remove it to have "
                    f"it downloaded"
                )
            return path
    cached = Path(pooch.os_cache(CACHE_NAME)) / file.folder / file.name
    damaged = cached.is_file() and not _intact(cached, file)
    if cached.is_file() and not damaged:
        return cached
    failure = _download(file, cached) if download else "was not asked for"
    if failure is None:
        return cached
    tried = f"looked in {own}" if own else f"no folder was named with {FOLDER_OPTION} or {FOLDER_VARIABLE}"
    state = "has a damaged one" if damaged else "has none"
    raise BadInput(
        f"{dataset.name}: {file.name} not found: {tried}, the cache {cached.parent} {state}, and the download from "
        f"{file.url} {failure}; put the file into a folder and name that with {FOLDER_OPTION} or {FOLDER_VARIABLE}"
    )


def _intact(path: Path, file: DataFile) -> bool:
    import pooch

    return pooch.file_hash(str(path)) == file.sha256


def _download(file: DataFile, target: Path) -> str | None:
    """Fetch `file` to `target` (pooch writes beside, checks the sha256, renames); return why it failed, or None."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS)),
        )
    except ValueError:
        return "brought a file with another sha256"
    except OSError as error:  # the errors of requests are OSErrors too
        response = getattr(error, "response", None)
        reason = f"HTTP {response.status_code}" if response is not None else error.strerror or "no connection"
        return f"failed ({reason})"
    return None
