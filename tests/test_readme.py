"""The README says nothing that does not work: its example runs, its links lead somewhere, its commands are two."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_python_example_runs() -> None:
    names: dict[str, object] = {}
    for example in blocks("python"):
        exec(example, names)
    predicted, simulated = names["sm"].predict(names["setting"]), names["sm"].simulate(names["setting"], trials=50)
    assert abs(predicted.accuracy - simulated.accuracy.mean) <= 4 * simulated.accuracy.se + 0.001


def test_there_are_two_commands_to_type_word_for_word() -> None:
    assert [len(block.splitlines()) for block in blocks("sh")] == [1, 1]


def test_links_between_the_pages_lead_somewhere() -> None:
    made = {"derivation.md", "gallery.md", "claims.md", "api.md", "index.md", "changelog.md", "contributing.md", "first-ten-minutes.md",
            "explorer.html"}  # fmt: skip
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists() or target in made, f"{page.name} links to {target}"
