"""Measured numbers in the pages are those of the records."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "site" / "quotes.py"
RECORD = {"seed": 3, "commit": "0123456789abc+", "quick": True,
          "extra": {"within": 172, "users": 1628, "off": -0.00649, "by set": {"a": {"n": 1}, "b": {"n": 2}}, "all": [{"x": 0.5}],
                    "power:1": {"n": 4}, "seeds": [1, 2, 6],
                    "gaps": {"a": {"predicted": 0.5, "measured": [0.47, 0.01]}, "b": {"predicted": 0.1, "measured": [0.11, 0.01]}}}}


def module(name: str = "quotes") -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPT.parent / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture
def quotes(tmp_path: Path) -> ModuleType:
    found = module()
    (tmp_path / "made.json").write_text(json.dumps(RECORD))
    found.RECORDS = (tmp_path,)
    return found


def test_no_page_is_older_than_what_it_quotes() -> None:
    assert list(module().out_of_date()) == []


def test_a_quote_is_written_from_its_record(quotes: ModuleType) -> None:
    old = ("<!-- made: {within} of {users} -->?<!-- --> at <!-- made: {made} --><!-- -->, "
           "<!-- made: {off:+.1p} ({all / 0 / x:.2f}) -->1<!-- -->")
    new = quotes.rewritten(old)
    assert quotes.QUOTE.sub(lambda found: found["text"], new) == "172 of 1,628 at quick run, seed 3, commit 012345678+, -0.6 (0.50)"
    assert quotes.rewritten(new) == new


def test_a_quote_has_steps_with_colons_means_and_gaps(quotes: ModuleType) -> None:
    new = quotes.rewritten("<!-- made: {[power:1] / n} {seeds!m:.1f} {gaps!g:.1p} -->?<!-- -->")
    assert quotes.QUOTE.sub(lambda found: found["text"], new) == "4 3.0 3.0"


def test_a_table_keeps_its_head(quotes: ModuleType) -> None:
    old = "<!-- made, rows of by set: | {key} | {n} | -->\n\n| set | n |\n|---|---|\n| old | 7 |\n\n<!-- -->\nafter"
    new = quotes.rewritten(old)
    assert new.splitlines()[2:6] == ["| set | n |", "|---|---|", "| a | 1 |", "| b | 2 |"] and new.endswith("\n\n<!-- -->\nafter")
    assert quotes.rewritten(new) == new


def test_a_page_that_is_out_of_date_is_told(quotes: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    quotes.PAGES = (page,)
    for text, told in (("<!-- made: {within} -->171<!-- -->", "page.md is older than what it quotes"),
                       ("<!-- made: {without} -->171<!-- -->", "page.md: there is no 'without' in the record"),
                       ("<!-- made: {by set} -->171<!-- -->", "page.md: a quote is a part of the record"),
                       ("<!-- none: {within} -->171<!-- -->", "page.md: there is no record none")):  # fmt: skip
        page.write_text(text)
        (line,) = quotes.out_of_date()
        assert line.startswith(told)
    page.write_text("<!-- made: {within} -->172<!-- -->")
    assert list(quotes.out_of_date()) == []


def test_the_tutorial_prints_what_its_record_says(tmp_path: Path) -> None:
    tutorial = module("tutorial")
    kept, now = json.loads(tutorial.RECORD.read_text()), tutorial.run(tmp_path)
    for name in ("plan", "file"):
        assert kept[name]["verdict"] == now[name]["verdict"] and kept[name]["rows"] == now[name]["rows"]
    assert kept["later"] == pytest.approx(now["later"])


def test_the_theory_says_of_lines_of_generators_what_the_record_says() -> None:
    kept, now = json.loads(module("collapse").RECORD.read_text()), module("collapse").computed()
    for name in ("lines", "wrong lines"):
        for scheme, line in now.pop(name).items():
            assert kept[name][scheme] == pytest.approx(line, abs=1e-9)
    assert {name: kept[name] for name in now} == pytest.approx(now, rel=1e-6)
