"""Writing files so that nothing is ever half-written (beside, then renamed), and reading arrays from files that may be damaged."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from .errors import BadInput, Unwritable

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
STEM = 40  # characters of a file's name in that of the temporary file beside it: names have an end
CACHE_NAME = "synthdata-workbench"


def user_cache() -> Path:
    """Return the folder of everything that is kept for this user; it need not exist."""
    import platformdirs

    return platformdirs.user_cache_path(CACHE_NAME)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the same folder (same suffix); on success it becomes `path`, otherwise it is removed.

    Raises
    ------
    BadInput
        If the folder cannot be made or written to.
    Unwritable
        If the disk is full, or fails. What `path` held before is still there.
    """
    target = Path(path)
    beside = _beside(target)
    try:
        yield beside
        beside.chmod(0o666 & ~_umask())
        beside.replace(target)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)  # Arrow's own words are longer
        raise Unwritable(f"cannot write {target}: {why}; nothing there was changed") from error
    finally:
        beside.unlink(missing_ok=True)


def check_writable(*paths: str | os.PathLike[str]) -> None:
    """Do nothing if files can be written later: an empty one is written for a moment beside each, in a folder that is made if need be.

    Raises
    ------
    BadInput
        If the folder cannot be made or written to.
    Unwritable
        If the disk is full.
    """
    for target in map(Path, paths):
        made = [folder for folder in target.parents if not _exists(folder)]
        try:
            _beside(target).unlink()
        finally:
            with suppress(OSError):
                for folder in made:
                    folder.rmdir()


def _exists(folder: Path) -> bool:
    try:
        return folder.exists()
    except (OSError, ValueError):  # a name that no folder can have
        return False


def _beside(target: Path) -> Path:
    """A new empty file in the folder of `target`, which is made."""
    if str(target).startswith("~"):
        raise BadInput(f"cannot write {target}: write out the folder that ~ means, or ./~ for a folder of this name")
    try:
        mode = target.stat().st_mode if target.exists() else stat.S_IFREG
        if not stat.S_ISREG(mode):  # a device would be replaced by a file where the user may do that
            raise BadInput(f"cannot write {target}: it is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}; choose another name")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem[:STEM]}-", suffix=target.suffix)
    except BadInput:
        raise
    except FileExistsError:
        raise BadInput(f"cannot write {target}: a file is where its folder should be; choose another place") from None
    except ValueError as error:  # a null character
        raise BadInput(f"cannot write {str(target)!r}: {error}; choose another name") from None
    except OSError as error:
        kind = Unwritable if error.errno in FULL else BadInput
        raise kind(f"cannot write {target}: {error.strerror or error}; choose another place") from None
    os.close(handle)
    return Path(name)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file, or leave the old one."""
    with replacing(path) as beside:
        beside.write_text(text)


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write an npz file, or leave the old one.

    Parameters
    ----------
    path : path
        Of the file.
    arrays : mapping of arrays
        By name.
    """
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)


def read_arrays(path: str | os.PathLike[str], what: str) -> dict[str, np.ndarray] | None:
    """Return all arrays of an npz file; None where there is no file. Nothing is unpickled.

    Parameters
    ----------
    path : path
    what : str
        The name of such a file in messages, such as "a checkpoint".

    Raises
    ------
    BadInput
        In one line, for anything but a file that is whole: it may be cut off, damaged, or something else altogether.
    """
    refused = f"{path} is not {what} or is damaged; delete it or name another file"
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot read {path}: {getattr(error, 'strerror', None) or error}; name another file") from None
    if not stat.S_ISREG(mode):
        raise BadInput(f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}; name a file")
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except PermissionError:
        raise BadInput(f"cannot read {path}: permission denied; name another file") from None
    except Exception:  # zipfile, zlib and NumPy raise some twenty kinds of exceptions, EOFError among them, for what is damaged
        raise BadInput(refused) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
