"""The report: every equation is printed, numbered and linked; formulas in texts are typeset; the page is well-formed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import sympy as sp

from synthmix.derivations.chapters import chapters, checks
from synthmix.derivations.derive import Checked, Departure
from synthmix.derivations.report import displayed, html_page, markdown, without_tex
from synthmix.derivations.theorem import Check, CheckResult

DEPARTURES = [Departure({"m": 1}, {"variance": (0.5, 0.25)})]


@pytest.fixture(scope="module")
def documents() -> tuple[str, str]:
    """Markdown and HTML, with one check that fails beside those of the chapters."""
    results = [Checked(check, CheckResult(True, "fine"), 0.0) for check in checks()]
    results.append(Checked(Check("a check", "$a_k$ | b", test_terminal_texts_have_no_tex), CheckResult(False, "found < this"), 1.0))
    return markdown(results, DEPARTURES), html_page(results, DEPARTURES)


class _Ids(HTMLParser):
    """Collects the targets and the links of a page, and which elements are open."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if tag == "a" and "href" in named else []
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_equation_is_printed_and_numbered(documents: tuple[str, str]) -> None:
    text, page = documents
    numbers = [f"{i}.{j}" for i, (_, theorem) in enumerate(chapters(), start=1) for j, _ in enumerate(theorem.equations, start=1)]
    assert re.findall(r"\\tag\{([\d.]+)\}", text) == numbers
    assert re.findall(r'<div class="equation" id="eq-([\d.]+)">', page) == numbers
    assert page.count('display="block"') >= len(numbers)
    assert not any(equation.relation in (sp.true, sp.false) for _, theorem in chapters() for equation in theorem.equations)


def test_checks_stand_in_the_document(documents: tuple[str, str]) -> None:
    text, page = documents
    for document in documents:
        assert "1 of" in document and "checks fail: a check" in document
        assert "0.2500" in document and all(title in document for title in (theorem.title for _, theorem in chapters()))
    assert "$a_k$ \\| b" in text and "<td>found &lt; this</td>" in page and '<td class="fails">NO</td>' in page


def test_links_lead_somewhere_and_elements_are_closed(documents: tuple[str, str]) -> None:
    page = _Ids()
    page.feed(documents[1])
    page.close()
    assert page.open == [] and len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert {theorem.name for _, theorem in chapters()} <= set(page.ids)


def test_no_formula_is_left_as_text(documents: tuple[str, str]) -> None:
    """TeX in the page means that a dollar sign is missing; a name of several letters is upright, so it is no product."""
    prose = re.sub(r"<(style|code|pre|math)\b.*?</\1>", "", documents[1], flags=re.DOTALL)
    assert not re.search(r"\\[a-zA-Z]+|\$|\^", prose), re.findall(r".{30}(?:\\[a-zA-Z]+|\$|\^).{30}", prose)[:5]


@pytest.mark.parametrize(("expression", "printed"), [
    (sp.Symbol("Tdot"), r"\dot{T}"),
    (sp.Symbol("theta_dot"), r"\dot{\theta}"),
    (sp.Symbol("n_hat") * sp.Symbol("C_test"), r"C_{\mathrm{test}} \hat{n}"),
    (1 / (1 + sp.Symbol("c") * sp.Symbol("delta")), r"\frac{1}{1 + c \delta}"),
    (sp.Symbol("share") * sp.Symbol("mu_1"), r"\mu_{1} \mathrm{share}\,"),
    (sp.Symbol("x_2") - 1 - sp.Symbol("x_1"), r"x_{2} - 1 - x_{1}"),
])
def test_names_are_typeset(expression: sp.Expr, printed: str) -> None:
    assert displayed(expression) == printed


def test_a_long_sum_is_broken_between_its_terms() -> None:
    terms = sp.symbols("alpha_1:9")
    long = sp.Eq(sp.Symbol("x"), sum(a * (1 + a) * sp.Symbol("omega") for a in terms))
    assert displayed(long).count(r"\\ & +") == 1 and displayed(long).startswith(r"\begin{aligned} x & = ")
    assert "aligned" not in displayed(sp.Eq(sp.Symbol("x"), sum(terms)))


def test_terminal_texts_have_no_tex() -> None:
    text = r"$\Psi(t, J)$ at $\frac1N \operatorname{tr}(C_k \bar Q)$, $M^\top\hat n$"
    assert without_tex(text) == "Psi(t, J) at 1/N tr(C_k Qbar), M^T nhat"
