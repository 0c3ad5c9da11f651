"""Data sets of the Hugging Face hub, brought through the `datasets` library and kept as one JSON object a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from sys import stderr
from tempfile import TemporaryDirectory

from .entry import Unavailable
from .origins import CONNECT_SECONDS, PART, within_limits

PUBLIC = "https://huggingface.co"


def reachable() -> bool:
    """Whether the hub answers; its own library tries for most of a minute before it gives up."""
    import requests

    if os.environ.get("HF_HUB_OFFLINE", "0") not in {"", "0"}:
        return False
    try:
        requests.head(os.environ.get("HF_ENDPOINT", PUBLIC), timeout=CONNECT_SECONDS)
    except requests.RequestException:
        return False
    return True


@dataclass(frozen=True)
class Hub:
    """Splits of a data set of the hub, as files with the named columns only.

    revision: the commit, 40 hex digits: it pins the content where a file has no sha256.
    splits: of each file name, the split. config, folder: the configuration and the folder within the repository, if any.
    """

    repository: str
    revision: str
    splits: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    config: str | None = None
    folder: str | None = None

    def __str__(self) -> str:
        return f"{self.repository} from the hub through the datasets library"

    def fetch(self, names: Sequence[str], folder: Path) -> Iterator[Path]:
        """Let the library download into a folder of its own, which is removed afterwards; write the rows as JSON lines."""
        if find_spec("datasets") is None:
            raise Unavailable("needs that library (pip install '.[download]')")
        if not reachable():
            raise Unavailable("failed (the connection failed)")
        splits = dict(self.splits)
        for name in names:
            part = folder / (name + PART)
            with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as cache:
                try:
                    with redirect_stdout(stderr):
                        within_limits(lambda part=part, name=name, cache=cache: self._write(part, splits[name], cache), Path(cache))
                except Unavailable:
                    raise
                except Exception as error:  # the library and those below it raise errors of many kinds, all for the same reason
                    first = next(iter(str(error).splitlines()), "")
                    raise Unavailable(f"failed ({type(error).__name__}{': ' * bool(first)}{first})") from None
            yield part

    def _write(self, part: Path, split: str, cache: str) -> None:
        from datasets import load_dataset

        rows = load_dataset(
            self.repository, self.config, data_dir=self.folder, split=split, revision=self.revision, cache_dir=cache
        )
        with part.open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                file.write(json.dumps({column: row[column] for column in self.columns}, ensure_ascii=False) + "\n")
