"""The packages that language models need are an extra: what is missing is said in one line."""

from __future__ import annotations

from importlib.util import find_spec

from ...support.errors import BadInput

EXTRA = "pip install '.[language]'"


def missing(*modules: str) -> tuple[str, ...]:
    """Those of these modules that are not installed; none is imported."""
    return tuple(module for module in modules if find_spec(module) is None)


def require(*modules: str) -> None:
    """Go on only where all of these modules are installed.

    Raises
    ------
    BadInput
        Naming those that are not, and the extra to install.
    """
    if absent := missing(*modules):
        raise BadInput(f"language models need {', '.join(absent)}, which {'are' if len(absent) > 1 else 'is'} not installed: {EXTRA}")
