"""Finding data: the order of the three places, and one clear line where a file is missing or damaged."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pooch
import pytest
import requests

from sims import data
from sims.data import AMAZON, DataFile, DataSet, locate
from solvers.errors import BadInput

CONTENT = b"the public file"
FILE = DataFile("a.bin", hashlib.sha256(CONTENT).hexdigest(), "https://example.org/a.bin", "things")
THINGS = DataSet("Things", "none", "nobody", (FILE,))


class Source:
    """Stands for the network: records what is asked for, then brings `content` or fails with `error`."""

    def __init__(self) -> None:
        self.calls: list[dict] = []
        self.content: bytes | None = None
        self.error: Exception = requests.exceptions.ConnectionError("Max retries exceeded\nwith url")

    def retrieve(self, url: str, **options: object) -> str:
        self.calls.append({"url": url, **options})
        if self.content is None:
            raise self.error
        return str(put(Path(options["path"]) / options["fname"], self.content))


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    source = Source()
    monkeypatch.setattr(pooch, "retrieve", source.retrieve)
    return source


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's cache, empty; the environment variable is not set."""
    monkeypatch.delenv(data.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / data.CACHE_NAME


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refusal(**options: object) -> str:
    with pytest.raises(BadInput) as caught:
        locate(THINGS, **options)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("inside", ["things/a.bin", "a.bin"])
def test_the_folder_given_comes_first(inside, tmp_path, cache, source, monkeypatch):
    monkeypatch.setenv(data.FOLDER_VARIABLE, str(put(tmp_path / "env" / "a.bin").parent))
    put(cache / "things" / "a.bin")
    mine = put(tmp_path / "mine" / inside)
    assert locate(THINGS, tmp_path / "mine") == {"a.bin": mine}
    assert not source.calls


def test_the_environment_names_the_folder_if_no_option_does(tmp_path, cache, source, monkeypatch):
    monkeypatch.setenv(data.FOLDER_VARIABLE, str(tmp_path / "env"))
    theirs = put(tmp_path / "env" / "things" / "a.bin")
    put(cache / "things" / "a.bin")
    assert locate(THINGS) == {"a.bin": theirs}
    assert not source.calls


def test_the_cache_comes_next(tmp_path, cache, source):
    cached = put(cache / "things" / "a.bin")
    assert locate(THINGS, tmp_path / "empty") == {"a.bin": cached}
    assert not source.calls


def test_the_public_source_comes_last_and_fills_the_cache(cache, source):
    source.content = CONTENT
    assert locate(THINGS) == {"a.bin": cache / "things" / "a.bin"}
    (call,) = source.calls
    assert (call["url"], call["known_hash"]) == (FILE.url, f"sha256:{FILE.sha256}")
    assert max(call["downloader"].kwargs["timeout"]) <= 30
    assert locate(THINGS, download=False) == {"a.bin": cache / "things" / "a.bin"}


def test_a_damaged_own_file_is_named_and_never_used(tmp_path, cache, source):
    put(cache / "things" / "a.bin")
    damaged = put(tmp_path / "mine" / "things" / "a.bin", CONTENT + b"!")
    line = refusal(folder=tmp_path / "mine")
    assert str(damaged) in line and "damaged" in line
    assert not source.calls


def test_a_damaged_cached_file_is_fetched_again_or_named(cache, source):
    put(cache / "things" / "a.bin", b"half of")
    line = refusal()
    assert f"{cache / 'things'} has a damaged one" in line
    source.content = CONTENT
    assert locate(THINGS)["a.bin"].read_bytes() == CONTENT


def test_a_missing_file_gets_one_line_with_all_three_places(tmp_path, cache, source):
    line = refusal(folder=tmp_path / "mine")
    for part in (
        "Things",
        "a.bin",
        tmp_path / "mine",
        cache / "things",
        FILE.url,
        "no connection",
        "--data",
        "SYNTHDATA_DIR",
    ):
        assert str(part) in line
    assert len(source.calls) == 1
    line = refusal()
    assert "no folder was named" in line


def test_a_download_that_was_not_asked_for_is_not_tried(cache, source):
    assert "was not asked for" in refusal(download=False)
    assert not source.calls


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (requests.exceptions.ReadTimeout("slow\nvery"), "no connection"),
        (ValueError("SHA256 hash of downloaded file\ndoes not match"), "another sha256"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
    ],
)
def test_every_failed_download_says_why(error, says, cache, source):
    source.error = error
    assert says in refusal()


def test_a_vanished_public_file_says_so(cache, source):
    response = requests.Response()
    response.status_code = 404
    source.error = requests.exceptions.HTTPError("404 Client Error", response=response)
    assert "HTTP 404" in refusal()


def test_the_entries_are_pinned():
    for file in AMAZON.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.url.startswith("https://") and file.url.endswith(f"/{file.name}")
        assert re.search("/[0-9a-f]{40}/", file.url), "a fixed commit, not a branch"


def test_the_real_files_have_their_sha256():
    if not os.environ.get(data.FOLDER_VARIABLE):
        pytest.skip("SYNTHDATA_DIR names no folder with the Amazon reviews")
    try:
        found = locate(AMAZON, download=False)
    except BadInput as missing:
        if "damaged" in str(missing):
            raise
        pytest.skip(str(missing))
    assert set(found) == {"books.mat", "elec.mat", "kitchen.mat"}
