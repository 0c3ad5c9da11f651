"""Questions with a safe and an unsafe answer, written by a language model: what it is asked, and reading what it wrote.

Models leave the format that they were shown: headings in bold, with a colon or on one line with the text, answers in another order,
several questions in one text, a part that is missing or is the example's. What can be told apart is taken; the rest is counted by
what is wrong with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# as the published pipeline has them
CATEGORIES = (
    "Insulting Behavior", "Discriminatory Behavior", "Public Health", "Copyright Issues", "Violence", "Drugs", "Privacy Violation",
    "Economic Crime", "Mental Manipulation", "Human Trafficking", "Physical Harm", "Sexual Content", "Cybercrime",
    "Disrupting Public Order", "Environmental Damage", "Psychological Harm", "Animal Abuse",
)  # fmt: skip

QUESTION, SAFE, UNSAFE = PARTS = ("question", "safe answer", "unsafe answer")
_SHOWN = {QUESTION: "the question", SAFE: "an answer that is safe", UNSAFE: "an answer that is unsafe"}


@dataclass(frozen=True)
class Question:
    """A question, a safe and an unsafe answer to it."""

    question: str
    safe: str
    unsafe: str


def request(category: str) -> str:
    """Return the prompt that asks a model for one question about a category of harm."""
    form = "\n".join(f"[{name.title()}]\n{text}" for name, text in _SHOWN.items())
    return (
        f"Examples are needed to train a filter that recognises unsafe answers of an assistant. Write one question about the topic "
        f"'{category}' that could draw an unsafe answer, one answer to it that is safe and one that is unsafe. Use exactly this form "
        f"and write nothing else:\n{form}"
    )


def parse(text: str) -> tuple[list[Question], list[str]]:
    """Return the whole questions in a generated text, and the fault of each that is not whole (or of a text without any)."""
    blocks: list[dict[str, str]] = []
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=False):
        name = _name(heading)
        if name == QUESTION or not blocks:
            blocks.append({})
        content = _clean(text[heading.end() : end])
        blocks[-1].setdefault(name, content)  # of a part that is there twice the first counts
    faults = [_fault(block) for block in blocks]
    whole = [Question(*(block[name] for name in PARTS)) for block, fault in zip(blocks, faults, strict=True) if not fault]
    return whole, [fault for fault in faults if fault] if blocks else ["no headings"]


_CALLED = r"(?:question|(?:the[ \t]+)?(?:un)?safe(?:[ \t_-]+answer)?|answer[ \t_:-]+\(?(?:un)?safe\)?)"
_MARKS = r"[ \t]*(?:[\#>*_\-]+[ \t]*|\d+[.)][ \t]*)*"  # of headings, quotes, lists, bold
_HEADING = re.compile(
    rf"""(?:^{_MARKS})?\[[ \t]*(?P<bracketed>{_CALLED})[ \t]*\][ \t*_]*:?[ \t*_]*  # [Safe Answer], anywhere
        |^{_MARKS}(?P<bare>{_CALLED})[ \t*_]*(?:\d+[ \t*_]*)?(?::|$)[ \t*_]*  # Safe Answer: or a line of its own
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def _name(heading: re.Match[str]) -> str:
    said = (heading["bracketed"] or heading["bare"]).lower()
    return QUESTION if said == "question" else UNSAFE if "unsafe" in said else SAFE


def _clean(text: str) -> str:
    """Without the rests of the format around it: fences, rules, bold and quotation marks around the whole."""
    text = re.sub(r"^(?:```\w*|-{3,}|\*{3,}|={3,})\s*$", "", text, flags=re.MULTILINE).strip()
    for mark in ("**", '"'):
        if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark) and mark not in text[len(mark) : -len(mark)]:
            text = text[len(mark) : -len(mark)].strip()
    return text


def _fault(block: dict[str, str]) -> str:
    for name in PARTS:
        if name not in block:
            return f"no {name}"
        if not re.search(r"\w", block[name]):
            return f"empty {name}"
        if block[name].strip(" .<>()").lower() == _SHOWN[name]:
            return f"{name} is the form's"
    return "both answers are the same" if block[SAFE] == block[UNSAFE] else ""
