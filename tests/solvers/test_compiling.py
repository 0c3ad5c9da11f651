"""Compiled code follows every formula that it holds, and is made anew wherever it cannot be kept or read."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from synthmix.solvers import compiling
from synthmix.support.version import content_key

ROOT = Path(compiling.__file__).parent.parent
HEAD = "from synthmix.solvers.compiling import njit\n\n\n@njit(cache=True)\n"
FORMULA = HEAD + "def formula(x):\n    return {} * x\n"
LOOP = "from formulas import formula\n" + HEAD + "def loop(x):\n    return formula(x) + 1\n"

Load = Callable[[], ModuleType]


@pytest.fixture
def loops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Imports, as a new process would, a loop that calls a formula in another file; their code is kept in tmp_path/kept."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "loops.py").write_text(LOOP)
    (sources / "formulas.py").write_text(FORMULA.format(2))

    def load() -> ModuleType:
        monkeypatch.setattr(compiling, "FOLDER", compiling.choose_folder([tmp_path / "kept"], content_key(sources)))
        for name in ("formulas", "loops"):
            specification = importlib.util.spec_from_file_location(name, sources / f"{name}.py")
            module = importlib.util.module_from_spec(specification)
            monkeypatch.setitem(sys.modules, name, module)
            source = (sources / f"{name}.py").read_text()  # read anew: a module's bytecode is kept by the second of its change
            exec(compile(source, specification.origin, "exec"), module.__dict__)
        return module

    return load


def hits(module: ModuleType) -> int:
    return sum(module.loop.stats.cache_hits.values())


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_changed_formula_changes_the_loops_that_hold_it(loops: Load, tmp_path: Path) -> None:
    first = loops()
    assert first.loop(3.0) == 7 and hits(first) == 0
    again = loops()
    assert again.loop(3.0) == 7 and hits(again) == 1
    (tmp_path / "sources" / "formulas.py").write_text(FORMULA.format(5))
    changed = loops()
    assert changed.loop(3.0) == 16 and hits(changed) == 0


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


DAMAGE = {"empty": lambda content: b"", "cut off": lambda content: content[: len(content) // 2], "a byte is wrong": _flip,
          "something else": lambda content: b"no such thing\n" * 99}  # fmt: skip


@pytest.mark.parametrize("kind", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_made_anew(loops: Load, tmp_path: Path, kind: str, damage: str) -> None:
    loops().loop(3.0)
    for path in (tmp_path / "kept").rglob(kind):
        path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert loops().loop(3.0) == 7
    whole = loops()
    assert whole.loop(3.0) == 7 and hits(whole) == 1


def test_code_of_another_signature_is_not_taken(loops: Load, tmp_path: Path) -> None:
    """What two processes leave that write at once: an index of the one and the code of the other."""
    loops().loop(3.0)
    index, code = (next((tmp_path / "kept").rglob(f"loop*.{end}")) for end in ("nbi", "nbc"))
    of_a_float = code.read_bytes()
    index.unlink()
    loops().loop(3)
    code.write_bytes(of_a_float)
    mixed = loops()
    assert mixed.loop(3) == 7 and hits(mixed) == 0


@pytest.mark.parametrize("where", ["the folder of a function", "the folder of all"])
def test_no_place_to_write(loops: Load, tmp_path: Path, where: str) -> None:
    """A file stands where a folder should be, as good as a full disk or a read-only folder to those who may write anywhere."""
    if where == "the folder of all":
        (tmp_path / "kept").write_text("")
    else:
        folder = compiling.choose_folder([tmp_path / "kept"], content_key(tmp_path / "sources"))
        (folder / "sources").write_text("")
    assert loops().loop(3.0) == 7


def test_the_first_place_that_can_be_written_or_else_read(tmp_path: Path) -> None:
    barred, free = tmp_path / "barred", tmp_path / "free"
    barred.write_text("")
    assert compiling.choose_folder([barred, free], "a") == free / "compiled-a"
    assert compiling.choose_folder([barred], "a") is None
    assert compiling.choose_folder([free], "") is None
    assert compiling.choose_folder([Path("relative")], "a") is None


def test_old_folders_go(tmp_path: Path) -> None:
    for age in range(6):
        folder = compiling.choose_folder([tmp_path], str(age))
        os.utime(folder, (age, age))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"compiled-2", "compiled-3", "compiled-4", "compiled-5"}


@pytest.mark.parametrize("disabled", ["0", "1"])
def test_settings_of_numba(tmp_path: Path, disabled: str) -> None:
    """NUMBA_CACHE_DIR says where code is kept; with NUMBA_DISABLE_JIT one line says what to do."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_DISABLE_JIT": disabled}
    command = (sys.executable, ROOT / "cli.py", "predict", "--n", "9", "--m", "0", "--p", "2", "--mu", "0", "--epsilon", "0", "--rho", "1",
               "--phi", "1", "--gamma", "1", "--loss", "nothing")  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert ("unset NUMBA_DISABLE_JIT" in done.stderr) == (disabled == "1")
    assert [path.name[:9] for path in tmp_path.iterdir()] == ["compiled-"]


def test_only_solvers_are_compiled() -> None:
    """The key of the kept code is made of their files only."""
    users = [path for path in ROOT.rglob("*.py") if ".venv" not in path.parts and "njit(" in path.read_text()]
    assert {path.relative_to(ROOT).parts[0] for path in users} <= {"solvers", "derivations", "tests"}
