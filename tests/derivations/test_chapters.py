"""Chapters are found by their `theorem`, stand behind the chapter that they name, and refuse what is no place."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from synthmix.derivations import chapters as book
from synthmix.derivations.theorem import Theorem
from synthmix.support.errors import BadInput


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ModuleType]]:
    """The modules that are looked through, to be filled by the test."""
    found: list[ModuleType] = []
    monkeypatch.setattr(book, "_modules", lambda: found)
    book.chapters.cache_clear()
    yield found
    book.chapters.cache_clear()


def chapter(name: str, after: str | None) -> ModuleType:
    module = ModuleType(f"synthmix.derivations.{name}_file")
    module.theorem = lambda: Theorem(name, name.title(), "", (), after=after)
    return module


def names() -> list[str]:
    return [theorem.name for _, theorem in book.chapters()]


def test_the_general_theorem_comes_before_its_special_cases() -> None:
    found = names()
    assert found[0] == "model" and found[-1] == "published"
    for case in ("general_covariance", "exact_generator", "toy", "self_fitted", "synthetic_only", "many_classes"):
        assert found.index("potential") < found.index("theory") < found.index(case)
    assert found.index("general_covariance") < found.index("exact_generator")


def test_checks_come_in_the_order_of_the_chapters() -> None:
    order = [module.__name__ for module, _ in book.chapters()]
    places = [order.index(check.module) if check.module in order else len(order) for check in book.checks()]
    assert places == sorted(places) and places[0] == 0


def test_a_chapter_stands_behind_the_one_it_names(modules: list[ModuleType]) -> None:
    modules += [chapter("a", "c"), chapter("b", "d"), chapter("c", "d"), chapter("d", None), ModuleType("no chapter")]
    assert names() == ["d", "b", "c", "a"]


@pytest.mark.parametrize(("places", "message"), [
    ({"a": None, "b": "nowhere"}, "chapter b is to come after nowhere, which is no chapter; there are a, b"),
    ({"a": None, "b": "c", "c": "b"}, "chapters b, c come after one another in a circle"),
])
def test_a_place_that_is_none_is_refused(modules: list[ModuleType], places: dict[str, str | None], message: str) -> None:
    modules += [chapter(name, after) for name, after in places.items()]
    with pytest.raises(BadInput, match=message):
        book.chapters()


def test_two_chapters_of_one_name_and_a_theorem_of_the_wrong_type_are_refused(modules: list[ModuleType]) -> None:
    modules += [chapter("a", None), chapter("a", "a")]
    with pytest.raises(BadInput, match="are both named a"):
        book.chapters()
    modules[1:] = [ModuleType("synthmix.derivations.special.wrong")]
    modules[1].theorem = lambda: {"title": "a dictionary"}
    with pytest.raises(BadInput, match=r"^derivations/special/wrong.py: theorem\(\) returns a dict, it has to return a Theorem$"):
        book.chapters()
