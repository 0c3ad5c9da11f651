"""The derivation in order. A chapter is a module of this package, or of a package below it, with a function `theorem`.

A chapter says behind which other chapter it comes, so a new theorem is one new file: nothing has to be registered.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType

from .. import derivations
from ..support.errors import BadInput
from .theorem import CHECKS, Check, Theorem


@functools.cache
def chapters() -> tuple[tuple[ModuleType, Theorem], ...]:
    """Return every chapter as (module, theorem), each behind the one that it names, those behind the same one by name.

    Raises
    ------
    BadInput
        Where `theorem` does not return a `Theorem`, two chapters have one name, or a place is not that of a chapter.
    """
    found = {}
    for module in _modules():
        if hasattr(module, "theorem"):
            theorem = module.theorem()
            if not isinstance(theorem, Theorem):
                raise BadInput(f"{origin(module)}: theorem() returns a {type(theorem).__name__}, it has to return a Theorem")
            if theorem.name in found:
                raise BadInput(f"{origin(module)} and {origin(found[theorem.name][0])} are both named {theorem.name}")
            found[theorem.name] = module, theorem
    return tuple(found[name] for name in _order({name: theorem.after for name, (_, theorem) in found.items()}))


def _modules() -> list[ModuleType]:
    """Every module of the derivation, imported."""
    names = (each.name for each in pkgutil.walk_packages(derivations.__path__, f"{derivations.__name__}."))
    return [importlib.import_module(name) for name in names]


def _order(after: dict[str, str | None]) -> list[str]:
    """The names of the chapters in order, from the name that each comes behind (None: the first chapter)."""
    for name, place in after.items():
        if place is not None and place not in after:
            raise BadInput(f"chapter {name} is to come after {place}, which is no chapter; there are {', '.join(sorted(after))}")

    def branch(name: str | None) -> list[str]:
        return [found for each in sorted(after) if after[each] == name for found in (each, *branch(each))]

    ordered = branch(None)
    if len(ordered) < len(after):
        raise BadInput(f"chapters {', '.join(sorted(set(after) - set(ordered)))} come after one another in a circle")
    return ordered


def checks() -> list[Check]:
    """Return every registered check in the order of the chapters; the checks of other modules come last."""
    order = [module.__name__ for module, _ in chapters()]
    return sorted(CHECKS, key=lambda each: order.index(each.module) if each.module in order else len(order))


def origin(module: ModuleType) -> str:
    """Return the path of a chapter within the project.

    Parameters
    ----------
    module : module
        The chapter.
    """
    return module.__name__.removeprefix("synthmix.").replace(".", "/") + ".py"
