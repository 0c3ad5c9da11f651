"""The derivation in order. Every module of derivations/special is a chapter: a new theorem is one new file there."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from synthmix.derivations import derivatives, model, potential, published, reference, special
from synthmix.derivations.theorem import CHECKS, Check, Theorem


def chapters() -> list[tuple[ModuleType, Theorem]]:
    """(module, theorem) of every chapter: the model, the potential, its derivatives, the special cases, the published formula."""
    cases = [importlib.import_module(f"{special.__name__}.{found.name}") for found in pkgutil.iter_modules(special.__path__)]
    return [(module, module.theorem()) for module in (model, potential, derivatives, *cases, published)]


def checks() -> list[Check]:
    """Every registered check, in the order of the chapters, the 50-digit evaluation last."""
    order = [module.__name__ for module, _ in chapters()] + [reference.__name__]
    return sorted(CHECKS, key=lambda one: order.index(one.run.__module__))


def origin(module: ModuleType) -> str:
    """The path of a chapter within the project."""
    return module.__name__.removeprefix("synthmix.").replace(".", "/") + ".py"
