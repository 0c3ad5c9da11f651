"""Values from outside (TOML, the command line) as typed values: numbers, texts, tuples and dataclasses.

The dataclasses say what is allowed: their fields' types, `Annotated[float, Between(0, 1)]` for a range, and what they refuse
themselves. A key that no field is called is refused, so that a slip of the pen is no silent default.
"""

from __future__ import annotations

import math
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import BadInput, number

T = TypeVar("T")
MOST_BYTES = 10**6  # of a file of settings


@dataclass(frozen=True)
class Between:
    """A range of numbers, closed unless `open_low`; of anything that has entries, a range for each.

    Attributes
    ----------
    low, high : float
    open_low : bool
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False


@dataclass(frozen=True)
class Some:
    """A text, tuple or mapping that must not be empty."""


Share = Annotated[float, Between(0, 1)]
Count = Annotated[int, Between(0)]
Positive = Annotated[int, Between(1)]
Name = Annotated[str, Some()]


def typed(kind: Any, value: object, key: str = "") -> Any:
    """Return `value`, made of what TOML knows, as the type `kind`.

    Parameters
    ----------
    kind
        int, float, str, bool, Literal, a tuple, dict or dataclass of these, any of them annotated or optional.
    value
        Numbers, texts, lists and mappings.
    key
        Where the value stands, such as `tuning.steps`, for messages.

    Raises
    ------
    BadInput
        In one line with the key, for an unknown or missing key, a wrong type, a value out of its range.
    """
    if get_origin(kind) is Annotated:
        inner, *rules = get_args(kind)
        made = typed(inner, value, key)
        for rule in rules:
            _obey(rule, made, key)
        return made
    if get_origin(kind) in (Union, types.UnionType):
        return typed(next(one for one in get_args(kind) if one is not type(None)), value, key)
    if is_dataclass(kind):
        return _dataclass(kind, value, key)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), value, key)
    if get_origin(kind) in (dict, Mapping):
        return {name: typed(get_args(kind)[1], one, _join(key, name)) for name, one in _table(value, key).items()}
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise BadInput(f"{key} must be one of {', '.join(map(str, get_args(kind)))}, not {value!r}")
        return value
    if kind is float and type(value) in (int, float):
        return number(key, value)
    if type(value) is not kind:  # a bool is no whole number here
        raise BadInput(f"{key} must be {_WORDS.get(kind, kind.__name__)}, not {value!r}")
    return value


def read_toml(path: Path, kind: type[T], hint: str = "") -> T:
    """Return what a TOML file says as the dataclass `kind`.

    Parameters
    ----------
    path
        The file.
    kind
        As for `typed`.
    hint
        What to do about a file that cannot be read, as the end of the message.

    Raises
    ------
    BadInput
        In one line that names the file and the key, for a file that cannot be read, or is not what `kind` says.
    """
    try:
        if path.exists() and not path.is_file():
            raise BadInput(f"cannot read {path}: it is no file{hint}")
        if path.exists() and path.stat().st_size > MOST_BYTES:
            raise BadInput(f"cannot read {path}: it is too large for a file of settings{hint}")
        text = path.read_text()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}{hint}") from None
    except UnicodeDecodeError:
        raise BadInput(f"cannot read {path}: it is no text{hint}") from None
    try:
        table = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a whole number of over 4,300 digits
        raise BadInput(f"{path} is not TOML: {error}") from None
    except RecursionError:
        raise BadInput(f"{path} is nested too deeply: no configuration has tables within tables within tables") from None
    try:
        return typed(kind, table)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None


def _dataclass(kind: Any, value: object, key: str) -> Any:
    table, hints = _table(value, key), get_type_hints(kind, include_extras=True)
    known = {field.name: field for field in fields(kind) if field.init}
    for name in table:
        if name not in known:
            raise BadInput(f"there is no key {_join(key, name)}; known there are {', '.join(known)}")
    for name, field in known.items():
        if name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise BadInput(f"{_join(key, name)} is missing")
    values = {name: typed(hints[name], one, _join(key, name)) for name, one in table.items()}
    try:
        return kind(**values)
    except BadInput as error:
        raise BadInput(f"{key}: {error}" if key else str(error)) from None


def _tuple(kinds: tuple, value: object, key: str) -> tuple:
    if not isinstance(value, list):
        raise BadInput(f"{key} must be a list, not {value!r}")
    if kinds[-1] is not Ellipsis and len(value) != len(kinds):
        raise BadInput(f"{key} must have {len(kinds)} entries, not {len(value)}")
    each = [kinds[0]] * len(value) if kinds[-1] is Ellipsis else kinds
    return tuple(typed(kind, one, f"{key}[{i}]") for i, (kind, one) in enumerate(zip(each, value, strict=True)))


def _table(value: object, key: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise BadInput(f"{key} must be a table, not {value!r}")
    return value


def _obey(rule: object, value: object, key: str) -> None:
    if isinstance(rule, Some) and not value:
        raise BadInput(f"{key} must not be empty")
    if isinstance(rule, Between):
        for one in value if isinstance(value, tuple) else () if value is None else (value,):
            number(key, one, rule.low, rule.high, open_low=rule.open_low)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
