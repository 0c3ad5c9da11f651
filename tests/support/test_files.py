"""Writing files: what cannot be written is known before, and what was there before stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from synthmix.support.errors import BadInput, Unwritable
from synthmix.support.files import check_writable, replacing, write_text


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place in (pipe, Path("/dev/null")):
        for write in (check_writable, lambda path: write_text(path, "text")):
            with pytest.raises(BadInput, match="no regular file"):
                write(place)
    assert pipe.is_fifo() and Path("/dev/null").is_char_device()


@pytest.mark.parametrize("place", ["folder", "/proc/nowhere/file", "file/name", "x" * 300, "~nobody_here/name", "a\0b"])
def test_a_place_that_cannot_be_written_is_known_before(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").write_text("old")
    with pytest.raises(BadInput) as refused:
        check_writable(place)
    assert str(refused.value).startswith("cannot write") and len(str(refused.value).splitlines()) == 1
    assert str(refused.value).count("cannot write") == 1
    assert sorted(os.listdir()) == ["file", "folder"] and Path("file").read_text() == "old"


def test_trying_leaves_no_folder(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b" / "c.txt", tmp_path / "d" / "e.txt")
    assert not os.listdir(tmp_path)


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    longest = tmp_path / ("x" * 251 + ".txt")
    check_writable(longest)
    assert not longest.exists()
    write_text(longest, "text")
    assert longest.read_text() == "text"


def test_what_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(Unwritable), replacing(path) as beside:
        beside.write_text("half")
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == ["file"] and path.read_text() == "old"
