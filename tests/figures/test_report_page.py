"""The page of everything that was validated, and the smallest error that claims catch."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from synthmix.figures.kit.claims import Claim, agrees, at_most, smallest_caught
from synthmix.figures.kit.report import page, read_records
from synthmix.sims.monte_carlo import Estimate
from synthmix.support.errors import BadInput
from synthmix.support.records import plain


def record(folder: Path, name: str, *claims: Claim) -> None:
    values = {"figure": name, "title": f"<title of {name}>", "quick": True, "settings": {"p": 3}, "seed": 0, "versions": {"numpy": "2"},
              "commit": None, "seconds": 1.5, "claims": claims}  # fmt: skip
    (folder / f"figure{name}-quick.json").write_text(json.dumps(plain(values)))


GOOD = agrees("accuracy, m=1", 0.8, Estimate(0.801, 0.001), 0.001)


def test_failed_claims_come_first(tmp_path: Path) -> None:
    record(tmp_path, "1", GOOD)
    record(tmp_path, "2", GOOD, agrees("accuracy <of> m=2", 0.9, Estimate(0.8, 0.001), 0.001))
    text = page(read_records(tmp_path), {"play": "explorer.html"}, {"2": {"a curve": "explorer.html#n=3"}})
    assert text.index("Claims that fail") < text.index("accuracy &lt;of&gt; m=2") < text.index("<section")
    assert re.findall(r'<section id="(.+?)"', text) == ["figure2-quick", "figure1-quick"]
    assert "2 of 3 claims hold" in text
    assert "<title of" not in text
    assert text.index('id="figure2-quick"') < text.index('href="explorer.html#n=3"') < text.index('id="figure1-quick"')


def test_a_page_says_all_that_its_records_do(tmp_path: Path) -> None:
    record(tmp_path, "1", GOOD)
    text = page(read_records(tmp_path), {"the derivation": "derivation.html", "the explorer": "explorer.html"}, {})
    for said in ("seed 0", "1.5 s", "numpy 2", "not recorded", "&quot;p&quot;: 3", "derivation.html", "explorer.html", "tolerance used",
                 "smallest error caught"):  # fmt: skip
        assert said in text


def test_without_failures_nothing_is_red(tmp_path: Path) -> None:
    record(tmp_path, "1", GOOD)
    text = page(read_records(tmp_path), {}, {})
    assert "class=failed" not in text and 'class="failed"' not in text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"claims": []}', '{"claims": [{"name": 1}]}'])
def test_a_file_that_is_no_record_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "figure4.json").write_text(text)
    with pytest.raises(BadInput, match=r"figure4\.json"):
        read_records(tmp_path)


def test_a_folder_without_records_says_how_to_fill_it(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadInput, match="validate --all"):
            read_records(folder)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_smallest_error_caught_is_where_a_claim_begins_to_fail(sign: int) -> None:
    claims = [GOOD, agrees("accuracy, m=2", 0.5, Estimate(0.497, 0.001), 0.002), at_most("other", 1.0, 2.0)]
    caught = smallest_caught(claims)

    def any_fails(x: float) -> bool:
        return any(abs(claim.theory * (1 + x) - claim.measured) > claim.tolerance for claim in claims if claim.kind == "agrees")

    assert any_fails(sign * caught * 1.001)
    assert not (any_fails(caught * 0.999) and any_fails(-caught * 0.999))
    assert smallest_caught([replace(claims[2])]) is None
