"""A JavaScript engine with the page's solver."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from synthmix.explorer.page import solver_script


@pytest.fixture(scope="session")
def run() -> Callable[[str], object]:
    """Evaluates an expression behind the solver's script, to what JSON makes of it."""
    V8 = pytest.importorskip("py_mini_racer", reason="needs mini-racer, which runs JavaScript (pip install -e '.[tests]')")
    context = V8.MiniRacer()
    context.eval(solver_script())
    return lambda expression: json.loads(context.eval(f"JSON.stringify({expression})"))
