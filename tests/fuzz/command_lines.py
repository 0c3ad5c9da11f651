"""Random command lines: every command with options in and out of range, missing, doubled, and of the wrong type."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import oracle

WORDS = st.sampled_from([
    "", "nan", "inf", "-inf", "0", "-0", "-1", "1e400", "1e-400", "9" * 400, "0x10", "1_0", "1,2", "é", "--", "-", "~nobody", "/dev/full",
    "/proc/nowhere", "x" * 300, "[1]", "None", "1:0", "0.2:0.1", "a=b", "=", "p=", "p=1,x",
])  # fmt: skip
WHOLE = st.one_of(st.integers(0, 300), st.integers(-3, 10**6), st.sampled_from([10**19, 10**400]))
REAL = st.one_of(st.floats(0, 3), st.floats(allow_nan=False), st.sampled_from([1e200, 1e-320, 1e308]))
SHARE = st.one_of(st.floats(0, 1), st.sampled_from([0, 1]), REAL)


def option(name: str, values: st.SearchStrategy[object], odd: float = 0.03) -> st.SearchStrategy[list[str]]:
    """`name VALUE`, with a word that is no such value now and then."""
    usual = values.map(lambda value: [name, str(value)])
    return st.one_of(*[usual] * round(1 / odd), WORDS.map(lambda word: [name, word])) if odd else usual


def joined(*parts: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    """The parts one after the other."""
    return st.tuples(*parts).map(lambda lists: [word for words in lists for word in words])


def perhaps(part: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    """The part, or nothing."""
    return st.one_of(st.just([]), part)


SETTING = joined(
    option("--n", WHOLE), option("--m", WHOLE), option("--p", WHOLE), option("--mu", REAL), option("--epsilon", SHARE),
    option("--rho", SHARE), option("--phi", SHARE), option("--gamma", REAL), perhaps(option("--beta", REAL)),
    perhaps(option("--mu-perp", REAL)), perhaps(option("--omega", REAL)),
    perhaps(joined(option("--generator", st.sampled_from(["exact", "independent", "self-fitted"])), perhaps(option("--n-hat", WHOLE)),
                   perhaps(st.just(["--estimate-mean"])))),
    perhaps(st.just(["--json"])),
)  # fmt: skip
RARE = st.one_of(*[st.just([])] * 4, joined(
    perhaps(option("--loss", st.sampled_from(["square", "logistic", "hinge", "squared-hinge", "huber", "probit"]))),
    perhaps(option("--huber-threshold", REAL)), perhaps(option("--generations", st.integers(-1, 12))),
    perhaps(option("--scheme", st.sampled_from(["replace", "accumulate", "fresh:0.3", "fresh:", "fresh:nan"]))),
    perhaps(option("--spectrum", st.sampled_from(["flat", "power:1", "power:-700", "power:", "file:/dev/null", "file:/nowhere"]))),
))  # fmt: skip
SMALL = joined(
    option("--n", st.integers(0, 60)), option("--m", st.integers(0, 60)), option("--p", st.integers(1, 40)), option("--mu", REAL),
    option("--epsilon", SHARE), option("--rho", SHARE), option("--phi", SHARE), option("--gamma", REAL), perhaps(option("--omega", REAL)),
    perhaps(option("--generator", st.sampled_from(["exact", "self-fitted"]))), option("--trials", st.integers(-1, 4), 0),
    perhaps(option("--sampler", st.sampled_from(["sufficient", "direct"]))), perhaps(option("--seed", st.integers(-2, 5))),
    perhaps(st.just(["--json"])),
)  # fmt: skip
NAMES = st.one_of(st.sampled_from(["amazon", "mnist", "digits", "xstest", "nothing"]), WORDS)


@given(joined(st.just(["predict"]), SETTING, RARE, perhaps(option("--formula", st.sampled_from(["rederived", "published"])))))
def predict(arguments: list[str]) -> None:
    """The theory of any setting."""
    oracle.command(arguments)


@given(joined(st.just(["simulate"]), SMALL, RARE))
def simulate(arguments: list[str]) -> None:
    """Monte-Carlo of small settings."""
    oracle.command(arguments)


@given(st.one_of(
    joined(st.just(["data"]), st.sampled_from([["path"], ["list"], ["list", "--json"]]), perhaps(NAMES.map(lambda name: [name])),
           st.just(["--data", "/nonexistent"])),
    joined(st.just(["validate", "--quick"]), option("--figure", st.one_of(WORDS, st.just("4")), 0), *(
        perhaps(option(name, WORDS, 0)) for name in ("--out", "--seed", "--set", "--scale", "--jobs", "--max-steps", "--proportions"))),
    joined(st.just(["sweep"]), option("--points", st.integers(-2, 50))),
    joined(st.just(["explore", "--out"]), st.sampled_from(["/dev/full", "/proc/nowhere", "/dev/null/x", "x" * 300, "~nobody/x"]).map(
        lambda place: [place])),
    joined(st.just(["report"]), st.sampled_from(["/proc", "/dev/null", "~nobody", ""]).map(lambda place: [place])),
    joined(st.just(["llm"]), st.sampled_from([["safety"], ["qa"], ["features"]]), perhaps(option("--config", WORDS, 0)),
           st.just(["--list"])),
    joined(st.just(["derive", "--only"]), WORDS.filter(lambda word: len(word) > 1).map(lambda word: [f"no such check {word}"])),
    st.lists(WORDS, max_size=4),
))  # fmt: skip
def other(arguments: list[str]) -> None:
    """Every other command, with arguments that it refuses or that cost little."""
    oracle.command(arguments)


PROPERTIES = (predict, simulate, other)
