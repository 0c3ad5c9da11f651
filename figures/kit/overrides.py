"""Settings from the command line: `--set p=100,400 --set verifier.rho=0.2`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from hashlib import sha256
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from ...support.errors import BadInput
from ...support.typed import typed

S = TypeVar("S")
LONGEST = 60  # of what assignments add to a file's name


def overridden(settings: S, assignments: Sequence[str]) -> S:
    """Return settings with some of their fields changed.

    Parameters
    ----------
    settings
        A dataclass.
    assignments
        Each NAME=VALUE. NAME is a field, or a field of a field (`verifier.rho`); VALUE is a value of TOML, where a list may do without
        brackets (`p=100,400`) and a text without quotes.

    Raises
    ------
    BadInput
        In one line, for a name that there is not, a value of the wrong type or out of its range.
    """
    tree: dict[str, Any] = {}
    for assignment in assignments:
        name, found, text = assignment.partition("=")
        if not found or not name.strip():
            raise BadInput(f"--set takes NAME=VALUE, such as --set gamma=0.1, not {assignment!r}")
        *path, last = (part.strip() for part in name.split("."))
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
            if not isinstance(branch, dict):
                raise BadInput(f"--set {name.strip()} and one of its own parts: set the one or the other")
        if isinstance(branch.get(last), dict):
            raise BadInput(f"--set {name.strip()} and one of its own parts: set the one or the other")
        branch[last] = text.strip()
    return _changed(settings, tree, "")


def file_suffix(assignments: Sequence[str]) -> str:
    """Return the part of a figure's file names that tells changed settings: the assignments, or a hash of them where they are long."""
    text = "".join(f"-{''.join(assignment.split())}" for assignment in assignments)
    if len(text) <= LONGEST and re.fullmatch(r"[\w.,=+-]*", text):
        return text
    return f"-set-{sha256(text.encode()).hexdigest()[:12]}"


def _changed(settings: Any, tree: dict[str, Any], where: str) -> Any:
    hints, known = get_type_hints(type(settings), include_extras=True), [field.name for field in fields(settings)]
    values = {}
    for name, value in tree.items():
        key = f"{where}{name}"
        if name not in known:
            raise BadInput(f"there is no setting {key}; there are {', '.join(f'{where}{one}' for one in known)}")
        if isinstance(value, dict):
            inner = getattr(settings, name)
            if not is_dataclass(inner):
                raise BadInput(f"the setting {key} has no parts: there is no {key}.{next(iter(value))}")
            values[name] = _changed(inner, value, f"{key}.")
        else:
            values[name] = typed(hints[name], _parsed(hints[name], value, key), key)
    return replace(settings, **values)


def _parsed(kind: Any, text: str, key: str) -> object:
    """The value of TOML that a text stands for where `kind` is wanted."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    tries = [text]
    if get_origin(kind) is tuple:
        tries = [text, f"[{text}]"] if text.startswith("[") else [f"[{text}]"]  # [1,2],[3,4] starts like a list
    elif is_dataclass(kind) and not text.startswith("{"):
        tries = [f"{{{text}}}"]
    for one in tries:
        try:
            table = tomllib.loads(f"value = {one}")
        except (ValueError, RecursionError):
            continue
        if set(table) != {"value"}:
            raise BadInput(f"the value of {key} must be one line, not {text!r}")
        return table["value"]
    return text
