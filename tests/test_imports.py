"""Which room imports which: the contracts of pyproject.toml, checked by import-linter."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_rooms_import_only_what_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    linter = pytest.importorskip("importlinter.cli", reason="import-linter is not installed: pip install -e '.[tests]'")
    monkeypatch.setattr(sys, "path", sys.path.copy())  # the linter adds to it
    assert linter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == linter.EXIT_STATUS_SUCCESS
