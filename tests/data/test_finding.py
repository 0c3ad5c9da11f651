"""Finding data: the order of the places, downloads that break off, and one clear line where a file is missing or damaged.

Public sources are a server on this machine, an npm and a torchvision made up here: nothing touches the network.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import platformdirs
import pytest

from synthmix import cli, data
from synthmix.data import DataFile, DataSet, locate, origins, status
from synthmix.data import find as _find
from synthmix.data.entry import Unavailable
from synthmix.data.hub import Hub
from synthmix.data.origins import Address, NpmPackage, Torchvision, Wheel
from synthmix.data.sets import amazon, digits, mnist
from synthmix.support.errors import BadInput

CONTENT = b"the public file " * 10_000
FILE = DataFile("a.bin", hashlib.sha256(CONTENT).hexdigest())
NOWHERE = Address("http://127.0.0.1:9")  # the port of the discard service: nobody answers


def things(*sources: object, folders: tuple[str, ...] = ("things",), package: tuple[str, str] | None = None) -> DataSet:
    return DataSet("things", "Things", "none", "nobody", (FILE,), folders, package, sources)


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refusal(dataset: DataSet = things(NOWHERE), **options: object) -> str:
    with pytest.raises(BadInput) as caught:
        locate(dataset, **options)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the things in the user's cache, which is empty; the environment variable is not set."""
    monkeypatch.delenv(data.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / data.CACHE_NAME / "things"


class Server(ThreadingHTTPServer):
    """Serves `content` under every name; `ranges` it was asked for; it may break off, ignore ranges or answer an error."""

    content = CONTENT
    breaks_after: int | None = None
    resumes = True
    error: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []
        self.address = Address(f"http://127.0.0.1:{self.server_port}")


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.server.error:
            self.send_error(self.server.error)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and self.server.resumes else 0
        if start and start >= len(self.server.content):
            self.send_error(416)
            return
        rest = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.breaks_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "*")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


# --- the order of the places


@pytest.mark.parametrize("inside", ["things/a.bin", "a.bin", "THINGS/raw/a.bin"])
def test_the_folder_given_comes_first(inside, tmp_path, cache, monkeypatch):
    monkeypatch.setenv(data.FOLDER_VARIABLE, str(put(tmp_path / "env" / "a.bin").parent))
    put(cache / "a.bin")
    mine = put(tmp_path / "mine" / inside)
    assert locate(things(NOWHERE, folders=("things", "THINGS/raw")), tmp_path / "mine") == {"a.bin": mine}


def test_the_environment_names_the_folder_if_no_option_does(tmp_path, cache, monkeypatch):
    monkeypatch.setenv(data.FOLDER_VARIABLE, str(tmp_path / "env"))
    theirs = put(tmp_path / "env" / "things" / "a.bin")
    put(cache / "a.bin")
    assert locate(things(NOWHERE)) == {"a.bin": theirs}


def test_the_cache_comes_next(tmp_path, cache, server):
    assert locate(things(server.address), put(cache / "a.bin").parents[3] / "empty") == {"a.bin": cache / "a.bin"}
    assert not server.ranges


def test_then_an_installed_package_that_carries_the_file(tmp_path, cache, server, monkeypatch):
    package = put(tmp_path / "site" / "carrier" / "__init__.py", b"raise ImportError('only looked for')").parent
    monkeypatch.syspath_prepend(package.parent)
    entry = things(server.address, package=("carrier", "inside"))
    carried = put(package / "inside" / "a.bin.gz", gzip.compress(CONTENT))
    assert locate(entry) == {"a.bin": carried}
    assert "carrier" not in sys.modules and not server.ranges
    assert "the installed absent has none" in refusal(things(package=("absent", "inside")))
    put(cache / "a.bin")
    assert locate(entry) == {"a.bin": cache / "a.bin"}


def test_public_sources_come_last_in_order_and_fill_the_cache(cache, server):
    entry = things(NOWHERE, server.address)
    assert locate(entry) == {"a.bin": cache / "a.bin"}
    assert (cache / "a.bin").read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == ["a.bin"]
    assert locate(entry, download=False) == {"a.bin": cache / "a.bin"}
    assert len(server.ranges) == 1


def test_a_download_that_was_not_asked_for_is_not_tried(cache, server):
    assert "downloading was not asked for" in refusal(things(server.address), download=False)
    assert not server.ranges


# --- gzip or plain, damaged or truncated


@pytest.mark.parametrize("place", ["mine", "cache"])
def test_gzip_or_plain_is_the_same_file(place, tmp_path, cache):
    folder = cache if place == "cache" else tmp_path / "mine"
    packed = put(folder / "a.bin.gz", gzip.compress(CONTENT))
    assert locate(things(), tmp_path / "mine") == {"a.bin": packed}
    with _find.opened(packed) as file:
        assert file.read() == CONTENT
    plain = put(folder / "a.bin")
    assert locate(things(), tmp_path / "mine") == {"a.bin": plain}


PACKED = gzip.compress(CONTENT)
DAMAGED = {
    "changed": ("a.bin", b"T" + CONTENT[1:]), "longer": ("a.bin", CONTENT + b"!"), "truncated": ("a.bin", CONTENT[:-1]),
    "empty": ("a.bin", b""), "gzip truncated": ("a.bin.gz", PACKED[:-9]), "gzip changed": ("a.bin.gz", PACKED[:40] + b"?" + PACKED[41:]),
    "no gzip": ("a.bin.gz", CONTENT), "gzip of another": ("a.bin.gz", gzip.compress(b"another")),
}  # fmt: skip


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_own_file_is_named_and_never_used(how, tmp_path, cache, server):
    put(cache / "a.bin")
    name, content = DAMAGED[how]
    damaged = put(tmp_path / "mine" / "things" / name, content)
    line = refusal(things(server.address), folder=tmp_path / "mine")
    assert str(damaged) in line and "damaged" in line
    assert not server.ranges
    state = status(things(), tmp_path / "mine")
    assert state.damaged == (damaged,) and state.missing == ("a.bin",) and not state.found
    assert state.where == f"damaged: {damaged}"


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_cached_file_is_fetched_again_or_named(how, cache, server):
    name, content = DAMAGED[how]
    damaged = put(cache / name, content)
    assert f"{damaged} is damaged" in refusal()
    assert locate(things(server.address))["a.bin"].read_bytes() == CONTENT
    assert status(things()).where == str(cache)


def test_a_missing_file_gets_one_line_with_all_places(tmp_path, cache):
    line = refusal(folder=tmp_path / "mine")
    for part in ("Things", "a.bin", tmp_path / "mine", cache, NOWHERE.base, "the connection failed", "--data", "SYNTHDATA_DIR"):
        assert str(part) in line
    assert "no folder was named" in refusal()
    assert status(things()).where == "not here"


def test_what_is_there_is_told_from_what_is_not(tmp_path, cache):
    other = DataFile("b.bin", "0" * 64)
    entry = DataSet("things", "Things", "none", "nobody", (FILE, other), ("things",))
    put(cache / "a.bin")
    state = status(entry)
    assert state.size == len(CONTENT) and state.where == f"{cache}; missing: b.bin"
    assert "b.bin not found" in refusal(entry)


# --- addresses


def test_a_download_that_broke_off_is_resumed(cache, server):
    kept = 4 * origins.BLOCK
    server.breaks_after = kept + 5  # what is less than a block is lost
    assert f"the first {kept} bytes are kept" in refusal(things(server.address))
    assert (cache / "a.bin.part").stat().st_size == kept and not (cache / "a.bin").exists()
    assert f"the first {2 * kept} bytes are kept" in refusal(things(server.address))
    assert locate(things(server.address))["a.bin"].read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={kept}-", f"bytes={2 * kept}-"]
    assert [path.name for path in cache.iterdir()] == ["a.bin"]


def test_where_the_server_cannot_resume_the_download_starts_again(cache, server):
    put(cache / "a.bin.part", CONTENT[:70_000])
    server.resumes = False
    assert locate(things(server.address))["a.bin"].read_bytes() == CONTENT


def test_a_part_that_is_complete_needs_nothing_more(cache, server):
    put(cache / "a.bin.part")
    assert locate(things(server.address))["a.bin"].read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"", b"?" * 100, CONTENT + b"!"])
def test_a_part_of_something_else_is_thrown_away(part, cache, server):
    put(cache / "a.bin.part", part)
    if part:
        assert "brought a a.bin with another sha256" in refusal(things(server.address))
        assert not list(cache.iterdir())
    assert locate(things(server.address))["a.bin"].read_bytes() == CONTENT


def test_a_download_has_a_largest_size_and_a_longest_time(cache, server, monkeypatch):
    monkeypatch.setattr(origins, "MOST_BYTES", len(CONTENT) - 1)
    assert "more than the" in refusal(things(server.address)) and not list(cache.iterdir())
    monkeypatch.setattr(origins, "MOST_BYTES", len(CONTENT))
    monkeypatch.setattr(origins, "DOWNLOAD_SECONDS", -1)
    assert f"the first {origins.BLOCK} bytes are kept" in refusal(things(server.address))
    monkeypatch.undo()


def test_a_public_file_that_changed_is_never_used(cache, server):
    server.content = b"something else"
    assert "another sha256" in refusal(things(server.address))
    assert not list(cache.iterdir())


@pytest.mark.parametrize("code", [404, 500])
def test_a_vanished_public_file_says_so(code, cache, server):
    server.error = code
    assert f"HTTP {code}" in refusal(things(server.address))


def test_a_cache_that_cannot_be_made_is_one_line(cache, server):
    put(cache.parent, b"a file where the folder should be")
    assert "failed (" in refusal(things(server.address))


# --- npm


def archive(content: bytes = CONTENT, name: str = "package/data/a.bin") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        file.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Puts an npm on the PATH that keeps what it was asked for and packs the archive it is given, or fails."""

    def install(content: bytes | None, stderr: str = "", code: int = 0) -> Path:
        folder = tmp_path / "bin"
        tarball = put(folder / "archive", content or b"")
        script = [f"#!{sys.executable}", "import pathlib, shutil, sys"]
        script += [f"pathlib.Path({str(folder / 'asked')!r}).write_text(repr(sys.argv[1:]))"]
        script += [f"shutil.copy({str(tarball)!r}, 'things-1.0.0.tgz')"] if content is not None else []
        script += [f"sys.stderr.write({stderr!r})", f"sys.exit({code})"]
        put(folder / "npm", "\n".join(script).encode()).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        return folder / "asked"

    return install


PACKAGE = NpmPackage("things@1.0.0", "package/data")


@pytest.mark.skipif(os.name == "nt", reason="the made-up npm is a script with a first line that names Python")
def test_a_file_of_an_npm_package(npm, cache):
    asked = npm(archive())
    assert locate(things(NOWHERE, PACKAGE))["a.bin"].read_bytes() == CONTENT
    assert asked.read_text() == "['pack', 'things@1.0.0', '--silent']"
    assert {path.name for path in cache.iterdir()} == {"a.bin"}


@pytest.mark.skipif(os.name == "nt", reason="the made-up npm is a script with a first line that names Python")
@pytest.mark.parametrize(
    ("content", "stderr", "code", "says"),
    [
        (archive(b"another"), "", 0, "another sha256"),
        (archive(name="package/b.bin"), "", 0, "no archive with these files"),
        (archive()[:-40], "", 0, "no archive with these files"),
        (b"not an archive", "", 0, "no archive with these files"),
        (None, "", 0, "no archive with these files"),
        (None, "\nnpm error code E404\nnpm error more", 1, "npm error code E404"),
        (None, "", 3, "it ended with 3"),
    ],
)
def test_an_npm_that_fails_says_why_and_leaves_nothing(content, stderr, code, says, npm, cache):
    npm(content, stderr, code)
    assert f"the npm package things@1.0.0 {'brought' if code == 0 else 'failed'}" in (line := refusal(things(PACKAGE)))
    assert says in line
    assert not [path for path in cache.iterdir() if path.name != "a.bin.part"]


def test_without_npm_it_says_so(cache, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "needs npm, which is not installed" in refusal(things(PACKAGE))


# --- torchvision


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch):
    """Puts a torchvision in place whose data set writes `content`, or fails."""

    def install(content: bytes | None = None, error: Exception | None = None) -> None:
        def download(root: str, download: bool) -> None:
            assert download
            print("torchvision speaks")
            if error:
                raise error
            put(Path(root) / "Things" / "raw" / ("a.bin" if content else "b.bin"), content or b"")

        module = ModuleType("torchvision")
        module.datasets = SimpleNamespace(Things=download)
        monkeypatch.setitem(sys.modules, "torchvision", module)
        monkeypatch.setattr(origins, "find_spec", lambda name: module)

    return install


def test_a_file_of_torchvision(torchvision, cache, capsys):
    torchvision(CONTENT)
    assert locate(things(Torchvision("Things")))["a.bin"].read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == ["a.bin"]
    assert not capsys.readouterr().out, "what it says is no output of ours"


@pytest.mark.parametrize("limit, says", [("DOWNLOAD_SECONDS", "not done within"), ("MOST_BYTES", "went on beyond")])
def test_what_a_library_downloads_has_an_end(limit, says, monkeypatch, tmp_path):
    over = threading.Event()

    def download() -> None:
        (tmp_path / "part").write_bytes(bytes(1000))
        over.wait(30)

    monkeypatch.setattr(origins, limit, 0 if limit == "DOWNLOAD_SECONDS" else 999)
    monkeypatch.setattr(origins, "LOOK", 0.05)
    with pytest.raises(Unavailable, match=says):
        origins.within_limits(download, tmp_path)
    over.set()


def test_what_a_library_raises_is_raised(tmp_path):
    def fails() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        origins.within_limits(fails, tmp_path)
    origins.within_limits(lambda: None, tmp_path)


@pytest.mark.parametrize("error", [RuntimeError("Error downloading a.bin:\nTried"), OSError("no route"), ImportError("needs torch")])
def test_a_torchvision_that_fails_says_why(error, torchvision, cache):
    torchvision(error=error)
    assert f"torchvision failed ({str(error).splitlines()[0]})" in refusal(things(Torchvision("Things")))
    torchvision(None)
    assert "torchvision brought no a.bin" in refusal(things(Torchvision("Things")))


def test_without_torchvision_it_says_what_to_install(cache, monkeypatch):
    monkeypatch.setattr(origins, "find_spec", lambda name: None)
    assert "pip install torchvision" in refusal(things(Torchvision("Things")))


# --- the entries


def test_every_entry_is_complete_and_pinned():
    assert {"amazon", "digits", "mnist"} <= set(data.names())
    for name in data.names():
        entry = data.dataset(name)
        assert entry.name == name and all((entry.title, entry.licence, entry.citation, entry.files, entry.folders))
        assert entry.origins or entry.package
        for file in entry.files:
            if file.sha256 is None:
                assert all(isinstance(source, Hub) for source in entry.origins), "pinned by the commit"
            else:
                assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        for source in entry.origins:
            if isinstance(source, Address):
                assert source.base.startswith("https://") and re.search("/[0-9a-f]{40}(/|$)", source.base), "a commit, not a branch"
            if isinstance(source, Hub):
                assert re.fullmatch("[0-9a-f]{40}", source.revision), "a commit, not a branch"
            if isinstance(source, NpmPackage | Wheel):
                assert re.fullmatch(r"[\w-]+(@|==)\d+\.\d+\.\d+", source.package)


def test_an_unknown_data_set_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match=r"there are .*amazon.* digits.* mnist"):
        data.dataset("_find")


def idx(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape) + values.tobytes()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist_is_read_gzip_or_plain(suffix, tmp_path, cache, monkeypatch):
    rng = np.random.default_rng(0)
    parts = {}
    for part, count in (("train", 5), ("t10k", 3)):
        parts[f"{part}-{mnist.IMAGES}"] = rng.integers(0, 256, (count, 28, 28), np.uint8)
        parts[f"{part}-{mnist.LABELS}"] = rng.integers(0, 10, count, np.uint8)
    for name, values in parts.items():
        put(tmp_path / "mnist" / (name + suffix), gzip.compress(idx(values)) if suffix else idx(values))
    files = tuple(DataFile(name, hashlib.sha256(idx(values)).hexdigest()) for name, values in parts.items())
    monkeypatch.setattr(mnist, "DATASET", DataSet("mnist", "MNIST", "none", "nobody", files, ("mnist",)))
    for part, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = mnist.load(part, tmp_path)
        np.testing.assert_array_equal(images, parts[f"{prefix}-{mnist.IMAGES}"])
        np.testing.assert_array_equal(labels, parts[f"{prefix}-{mnist.LABELS}"])


def test_digits_need_no_download(cache):
    from sklearn.datasets import load_digits

    images, labels = digits.load()
    bundled = load_digits()
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(images, bundled.images)
    np.testing.assert_array_equal(labels, bundled.target)


def here(entry: DataSet) -> dict[str, Path]:
    """The real files; the test is skipped where they are not on this machine."""
    try:
        return locate(entry, download=False)
    except BadInput as missing:
        if "is damaged" in str(missing):
            raise
        pytest.skip(str(missing))


def test_the_real_mnist_is_as_documented():
    here(mnist.DATASET)
    for part, count, first in (("train", 60_000, [5, 0, 4, 1, 9]), ("test", 10_000, [7, 2, 1, 0, 4])):
        images, labels = mnist.load(part, download=False)
        assert images.shape == (count, 28, 28) and images.dtype == np.uint8
        assert labels.shape == (count,) and list(labels[:5]) == first and set(labels) == set(range(10))


def test_the_real_reviews_are_found():
    assert set(here(amazon.DATASET)) == {"books.mat", "elec.mat", "kitchen.mat"}


# --- the command line


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["cli.py", "data", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_list_fetch_and_path(cache, monkeypatch, capsys):
    monkeypatch.setattr(amazon, "DATASET", things(NOWHERE))
    monkeypatch.setattr(mnist, "DATASET", things(NOWHERE))
    monkeypatch.setattr(data, "names", lambda: ["amazon", "digits", "mnist"])
    assert run(monkeypatch, "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["amazon"]["missing"] == ["a.bin"] and listed["digits"]["bytes"] > 0
    assert run(monkeypatch, "list") == 0
    assert "not here" in capsys.readouterr().out

    assert run(monkeypatch, "fetch", "--all") == 2
    output = capsys.readouterr()
    assert output.out.startswith("digits: ") and output.err.count("error: Things: a.bin not found") == 2
    assert output.err.count("\n") == 2
    put(cache / "a.bin")
    assert run(monkeypatch, "fetch", "amazon") == 0
    assert capsys.readouterr().out == f"amazon: {cache}\n"
    assert run(monkeypatch, "path", "amazon") == 0
    assert capsys.readouterr().out == f"{cache / 'a.bin'}\n"


@pytest.mark.parametrize("arguments", [("fetch",), ("fetch", "mnist", "--all"), ("fetch", "nothing"), ("path", "nothing"), ("path",)])
def test_bad_use_is_one_line(arguments, monkeypatch, capsys):
    assert run(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_of_an_unknown_user_is_refused_in_one_line() -> None:
    with pytest.raises(BadInput, match="no such user"):
        data.own_folder("~nosuchuser/data")
