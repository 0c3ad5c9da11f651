"""Values from outside as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from synthmix.support.errors import BadInput
from synthmix.support.typed import Positive, Share, Some, typed


@dataclass(frozen=True)
class Inner:
    share: Share = 0.5
    name: Literal["a", "b"] = "a"


@dataclass(frozen=True)
class Outer:
    sizes: Annotated[tuple[Positive, ...], Some()]
    pairs: tuple[tuple[int, float], ...] = ()
    inner: Inner = Inner()
    most: int | None = None


def test_nested_values() -> None:
    made = typed(Outer, {"sizes": [1, 2], "pairs": [[3, 4]], "inner": {"share": 1}, "most": 7})
    assert made == Outer((1, 2), ((3, 4.0),), Inner(1.0), 7)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "sizes is missing"),
        ({"sizes": []}, "sizes must not be empty"),
        ({"sizes": [1, 0]}, r"sizes\[1\] must be at least 1"),
        ({"sizes": 3}, "sizes must be a list"),
        ({"sizes": [1.5]}, "a whole number"),
        ({"sizes": [True]}, "a whole number"),
        ({"sizes": [1], "size": 2}, "no key size; known there are sizes, pairs"),
        ({"sizes": [1], "pairs": [[1]]}, "2 entries"),
        ({"sizes": [1], "inner": {"share": 2}}, "inner.share must be at least 0 and at most 1"),
        ({"sizes": [1], "inner": {"share": float("nan")}}, "inner.share must be a finite number"),
        ({"sizes": [1], "inner": {"share": 10**400}}, "below 1.8e308"),
        ({"sizes": [1], "inner": {"name": "c"}}, "one of a, b"),
        ({"sizes": [1], "inner": 3}, "inner must be a table"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(table: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        typed(Outer, table)
    assert "\n" not in str(refused.value)
