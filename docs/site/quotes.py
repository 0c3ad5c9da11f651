"""Numbers of the pages that a run measured, written from the record of that run.

    python docs/site/quotes.py            writes every quote anew
    python docs/site/quotes.py --check    says which pages are older than what they quote; exit code 1

In a page a quote lies between two comments, the first of which names the record and how it is put into words:

    <!-- figure_real: {within} of {extra / settings} -->172 of 185<!-- -->

`figure_real` is docs/gallery/figure_real.json, or in docs/records or figures/tuned. In braces is a place in the record, or in its part
`extra`, with " / " between the steps (`{values / accuracy, m=0 / measured}`; in brackets where a step has a colon), and a format of Python,
to which `p` adds points: 100 times the number. `!m` takes the mean of a list, `!g` the largest gap between `predicted` and the first number
of `measured` in a table. What `extra` has under a name of the record itself is `{extra / settings}`. `{made}` is the seed and the commit of
the run (+: with changes). A table is written row by row, under the two lines of its head:

    <!-- figure_real, rows of by data set: | {key} | {settings} | -->
"""

from __future__ import annotations

import json
import re
import statistics
import string
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
PAGES = (DOCS.parent / "README.md", *sorted(DOCS.glob("*.md")))
RECORDS = (DOCS / "gallery", DOCS / "records", DOCS.parent / "figures" / "tuned")
QUOTE = re.compile(r"(?P<head><!-- (?P<record>\w+)(?:, rows of (?P<rows>[^:]+))?: (?P<words>.+?) -->)"
                   r"(?P<text>.*?)(?P<tail><!-- -->)", re.DOTALL)


class Places(string.Formatter):
    """Fields are places in nested records, and the format of a share may end with p: points."""

    def get_field(self, field_name: str, args: object, kwargs: Mapping[str, object]) -> tuple[object, str]:
        """Return what is at a place.

        Raises
        ------
        LookupError
            If nothing is there.
        """
        found: object = kwargs
        for step in (each.removeprefix("[").removesuffix("]") for each in field_name.split(" / ")):
            try:
                found = found[int(step)] if isinstance(found, list) else found[step]
            except (KeyError, IndexError, ValueError, TypeError):
                raise LookupError(f"there is no {field_name!r} in the record") from None
        return found, field_name

    def convert_field(self, value: object, conversion: str | None) -> object:
        """Return the mean of a list (m), or the largest gap in a table (g)."""
        if conversion == "m":
            return statistics.fmean(value)
        if conversion == "g":
            return max(abs(row["predicted"] - row["measured"][0]) for row in value.values())
        return super().convert_field(value, conversion)

    def format_field(self, value: object, format_spec: str) -> str:
        """Return a value in words; whole thousands are set apart by commas.

        Raises
        ------
        LookupError
            For a part of the record instead of a number or a word in it.
        """
        if isinstance(value, Mapping | list):
            raise LookupError(f"a quote is a part of the record, not a value: {str(value)[:60]}")
        if format_spec.endswith("p"):
            return format(100 * value, f"{format_spec[:-1]}f")
        return format(value, format_spec or ("," if isinstance(value, int) and not isinstance(value, bool) else ""))


def read(name: str) -> dict[str, object]:
    """Return a record, the numbers of its part `extra` beside the others.

    Raises
    ------
    LookupError
        If there is none.
    """
    path = next((folder / f"{name}.json" for folder in RECORDS if (folder / f"{name}.json").exists()), None)
    if path is None:
        raise LookupError(f"there is no record {name}")
    record = json.loads(path.read_text())
    commit = record.get("commit") or "unknown"
    made = f"{'quick run, ' if record.get('quick') else ''}seed {record.get('seed', 0)}, commit {commit[:9]}{'+' * commit.endswith('+')}"
    return {**record.get("extra", {}), **record, "made": made}


def rewritten(text: str) -> str:
    """Return a page with every quote as its record has it now.

    Raises
    ------
    LookupError
        Where a record, or a number in it, is missing.
    """
    return QUOTE.sub(lambda found: found["head"] + _quoted(found) + found["tail"], text)


def _quoted(found: re.Match[str]) -> str:
    record, words = read(found["record"]), " ".join(found["words"].split())
    if found["rows"] is None:
        return Places().vformat(words, (), record)
    rows, _ = Places().get_field(found["rows"], (), record)
    head = found["text"].strip().splitlines()[:2]
    items = rows.items() if isinstance(rows, dict) else enumerate(rows, 1)
    lines = [Places().vformat(words, (), {**row, "key": key}) for key, row in items]
    return "\n".join(["", "", *head, *lines, "", ""])


def out_of_date() -> Iterator[str]:
    """Say what is wrong with the quotes, a sentence for each page."""
    for page in PAGES:
        text = page.read_text()
        try:
            if rewritten(text) != text:
                yield f"{page.name} is older than what it quotes: python docs/site/quotes.py"
        except LookupError as error:
            yield f"{page.name}: {error.args[0]}"


def main() -> None:
    """Write every page anew, or check them all."""
    if "--check" in sys.argv[1:]:
        wrong = list(out_of_date())
        print(*wrong, sep="\n", end="\n" if wrong else "")
        sys.exit(bool(wrong))
    for page in PAGES:
        text = page.read_text()
        try:
            new = rewritten(text)
        except LookupError as error:
            sys.exit(f"{page.name}: {error.args[0]}")
        if new != text:
            page.write_text(new)
            print("written:", page.name)


if __name__ == "__main__":
    main()
