r"""The potential again, by counting: the moments of the samples in place of leave-one-out.

$u^\top Qu$ is a power series in $1/\gamma$,

$$u^\top Qu = \sum_{k\ge0}\frac{(-1)^k}{\gamma^{k+1}}\,u^\top\left(tC_\mathrm{test} + \frac1N\sum_ic_ix_ix_i^\top\right)^ku,$$

and the expectation of each term is a sum over samples of products of Gaussians. Which of the indices are equal is a partition;
within each of its blocks Wick's theorem pairs the factors, with a covariance for each pair and a mean for each factor that is left
over (pairings.py). Source $k$ gives a block $\theta_kN$ values, and each closed loop of matrices is a trace, $N$ times a sum over
the spectrum. Of the sum over $\ell$ indices divided by $N^\ell$ survive the diagrams that have $\ell$ blocks and loops together.
All of them are counted, without a resolvent, a fixed point or a sample left out, and compared with the expansion of the stated
$\Psi(t, J)$ up to $\gamma^{-5}$. A kept fraction $\alpha$ in the leverage, as in the [published formula](#published), fails in the
first order already.

A fitted generator is counted twice. Given its base, a pair of factors of one of its samples has the covariance $\hat C$ between
them, and a factor left over has the mean $\hat\mu$. Both are sums over the base: $\hat C = \frac1{\hat n}\sum_jz_jz_j^\top$ over
$\hat n$ independent directions (less one, which does not matter to leading order), and $\hat\mu = \mu + z_0/\sqrt{\hat n}$ with one
more direction $z_0$, independent of those. A base that trains with right labels adds $b(\hat C + \hat\mu\hat\mu^\top)$ to the sum
of second moments and $b\hat\mu$ to $u$.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import sympy as sp
from sympy.polys.ring_series import rs_mul, rs_series_inversion
from sympy.polys.rings import PolyElement

from .model import J, Labels, Source, gamma, source, t
from .pairings import Diagram, Edge, Insertions, Slot, contractions, follow, partitions
from .potential import Block, Statement
from .theorem import CheckResult, Equation, Theorem, check

ORDERS = 5  # gamma^-1 to gamma^-5
TEST, PUSH, HAT = "t C_test", "J mu_test", "base"  # what diagrams name beside the sources
Fields = Mapping[sp.Symbol, sp.Expr]
RATIONAL = {t: sp.Rational(3, 4), J: sp.Rational(2, 3)}


@dataclass(frozen=True)
class Term:
    """A term of the expansion, shared by many diagrams of one order.

    Attributes
    ----------
    blocks
        For every distinct sample: how often it occurs in the sum of second moments, and how often in u.
    diagram
        Matrices and means, named by the block that they belong to, or TEST, PUSH and HAT.
    bases
        How often something of a base that trains was inserted.
    """

    blocks: tuple[tuple[int, int], ...]
    diagram: Diagram
    bases: int


@functools.cache
def terms(k: int, trains: bool) -> Counter[Term]:
    """Count the diagrams of u^T (sum of second moments)^k u that are of the leading order; trains: whether a base does."""
    found: Counter[Term] = Counter()
    ends = ("sample", PUSH, *(["base"] if trains else []))
    middles = ("sample", TEST, *(["base covariance", "base mean"] if trains else []))
    for places in itertools.product(ends, *[middles] * k, ends):
        edges, means = _chain(places)
        bases = sum(place.startswith("base") for place in places)
        for blocks in partitions([i for i, place in enumerate(places) if place == "sample"]):
            seen = tuple((sum(0 < i <= k for i in block), sum(i in (0, k + 1) for i in block)) for block in blocks)
            for diagram in _survivors(edges, means, blocks, k + 1):
                found[Term(seen, diagram, bases)] += 1
    return found


def _chain(places: Sequence[str]) -> tuple[list[Edge], dict[Slot, str]]:
    """The edges of the product, between slots (position, side), and the slots that hold a given vector."""
    vector = {PUSH: PUSH, "base": HAT, "base mean": HAT}
    edges, means, start, between = [], {}, (0, "right"), ()
    for i, place in enumerate(places):
        if place in (TEST, "base covariance"):
            between += (TEST if place == TEST else HAT,)
            continue
        if i > 0:
            edges.append(Edge((start, (i, "left")), between))
        sides = (["left"] if i > 0 else []) + (["right"] if i < len(places) - 1 else [])
        if place in vector:
            means |= {(i, side): vector[place] for side in sides}
        start, between = (i, "right"), ()
    return edges, means


def _survivors(edges: Sequence[Edge], means: dict[Slot, str], blocks: Sequence[tuple[int, ...]], last: int) -> Iterator[Diagram]:
    """The diagrams of a partition that are of the leading order, as many blocks and loops together as samples."""
    wanted = sum(map(len, blocks)) - len(blocks)
    outer = ((0, "left"), (last, "right"))  # the ends have one factor
    slots = [[(i, side) for i in block for side in ("left", "right") if (i, side) not in outer] for block in blocks]
    for choice in itertools.product(*(list(contractions(each)) for each in slots)):
        if sum(len(paired) for paired, _ in choice) < wanted:
            continue  # a loop takes a pair at least
        pairs, held = {}, dict(means)
        for block, (paired, single) in enumerate(choice):
            for a, b in paired:
                pairs[a], pairs[b] = (b, block), (a, block)
            held |= dict.fromkeys(single, block)
        diagram = follow(edges, pairs, held)
        if len(diagram.loops) == wanted:
            yield diagram


# --- the base of a fitted generator ----------------------------------------------------------------------------------

@functools.cache
def base_average(diagram: Diagram, base: int) -> Counter[tuple[Diagram, int]]:
    """Average a diagram over the base of a fitted source, to leading order.

    Parameters
    ----------
    diagram
        Its matrices and means that are those of the generator are named HAT.
    base
        What their expectations are named.

    Returns
    -------
    Counter
        How often each (diagram without HAT, power of r) occurs. An index of the base has N/r values, and each HAT matrix and each pair of
        the mean's own direction the factor r/N.
    """
    edges, means, hats, directions, closed = _open(diagram)
    means = {slot: base if name == HAT else name for slot, name in means.items()}
    found: Counter[tuple[Diagram, int]] = Counter()
    for blocks in partitions(hats):
        slots = [[(hat, side) for hat in block for side in ("left", "right")] for block in blocks]
        choices = [list(contractions(each, centred=True)) for each in slots]
        for own, *choice in itertools.product(list(contractions(directions)), *choices):
            power = len(hats) + len(own[0]) - len(blocks)
            paired = [pair for each in (own, *choice) for pair in each[0]]
            pairs = {a: (b, base) for pair in paired for a, b in (pair, pair[::-1])}
            left = {slot: name for slot, name in means.items() if slot not in pairs}
            averaged = follow(edges, pairs, left)
            if len(averaged.loops) + len(closed) == len(diagram.loops) + power:
                found[Diagram((*averaged.loops, *closed), averaged.paths), power] += 1
    return found


def _open(diagram: Diagram) -> tuple[list[Edge], dict[Slot, Hashable], list[tuple[int, int]], list[Slot], list[Insertions]]:
    """A diagram cut at its HAT matrices: edges, means at the ends of paths, the cuts, the slots with the mean HAT, loops without a cut."""
    edges, means, hats, directions, closed = [], {}, [], [], []
    for number, loop in enumerate(diagram.loops):
        if HAT not in loop:
            closed.append(loop)
            continue
        first = loop.index(HAT)
        parts = _split((*loop[first + 1 :], *loop[:first]))
        cuts = [(number, i) for i in range(len(parts))]
        hats += cuts
        edges += [Edge(((cut, "right"), (following, "left")), part) for cut, following, part in
                  zip(cuts, [*cuts[1:], cuts[0]], parts, strict=True)]
    for number, (a, between, b) in enumerate(diagram.paths, start=len(diagram.loops)):
        parts = _split(between)
        stops = [(number, i) for i in range(len(parts) + 1)]
        hats += stops[1:-1]
        edges += [Edge(((stops[i], "right"), (stops[i + 1], "left")), part) for i, part in enumerate(parts)]
        ends = {(stops[0], "right"): a, (stops[-1], "left"): b}
        means |= ends
        directions += [slot for slot, name in ends.items() if name == HAT]
    return edges, means, hats, directions, closed


def _split(between: Insertions) -> list[Insertions]:
    """The matrices between one HAT and the next."""
    cuts = [-1, *(i for i, matrix in enumerate(between) if matrix == HAT), len(between)]
    return [between[a + 1 : b] for a, b in itertools.pairwise(cuts)]


# --- numbers ---------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Numbers:
    """A statement as elements of a polynomial ring, which multiply fast.

    Attributes
    ----------
    weights
        Of each source: theta c^(inside + outside) times the moment of the labels, by (inside, outside).
    h
        Of each block, the multiplicity.
    matrices
        Of each block, the eigenvalues by source, and t C_test by TEST.
    gram
        Of each block, the products of the means by (source or PUSH) pairs, J included.
    r, b
        Of the last source.
    """

    weights: tuple[Callable[[int, int], PolyElement], ...]
    h: tuple[PolyElement, ...]
    matrices: tuple[Mapping[Hashable, PolyElement], ...]
    gram: tuple[Mapping[tuple[Hashable, Hashable], PolyElement], ...]
    r: PolyElement
    b: PolyElement

    @classmethod
    def of(cls, statement: Statement, fields: Fields) -> Numbers:
        """Convert a statement; fields: numbers for t and J."""
        ring = sp.ring(sorted(set().union({t, J}, *(sp.sympify(each).free_symbols for each in _parts(statement))), key=str), sp.QQ)[0]

        def element(expression: sp.Expr) -> PolyElement:
            return ring.from_expr(sp.sympify(expression).subs(fields))

        def weight(s: Source) -> Callable[[int, int], PolyElement]:
            theta, c, *labels = map(element, (s.theta, s.c, sp.Integer(1), s.labels.mean, s.labels.square))
            return lambda inside, outside: theta * c ** (inside + outside) * labels[outside]

        names = [*range(len(statement.sources)), PUSH]
        pushes = {name: J if name == PUSH else sp.Integer(1) for name in names}
        gram = ({(a, b): element(pushes[a] * pushes[b] * block.gram[x, y]) for x, a in enumerate(names) for y, b in enumerate(names)}
                for block in statement.blocks)
        matrices = ({TEST: element(t * block.test), **dict(enumerate(map(element, block.eigenvalues)))} for block in statement.blocks)
        last = statement.sources[-1]
        h = tuple(element(block.h) for block in statement.blocks)
        return cls(tuple(map(weight, statement.sources)), h, tuple(matrices), tuple(gram), element(last.r), element(last.b))

    def value(self, diagram: Diagram) -> PolyElement:
        """Return the product of traces over N around the loops and of products of means along the paths.

        Parameters
        ----------
        diagram : Diagram
        """
        total = self.r.ring.one
        for loop in diagram.loops:
            total *= sum(h * self._product(block, loop) for h, block in zip(self.h, self.matrices, strict=True))
        for a, between, b in diagram.paths:
            total *= sum(gram[a, b] * self._product(block, between) for gram, block in zip(self.gram, self.matrices, strict=True))
        return total

    def _product(self, block: dict[Hashable, PolyElement], matrices: Insertions) -> PolyElement:
        return prod((block[name] for name in matrices), start=self.r.ring.one)


def _parts(statement: Statement) -> Iterator[sp.Expr]:
    """Every number of a statement."""
    for s in statement.sources:
        yield from (s.theta, s.c, s.labels.mean, s.labels.variance, s.r, s.b)
    for block in statement.blocks:
        yield from (block.h, *block.eigenvalues, block.test, *block.gram)


def counted(statement: Statement, k: int, fields: Fields | None = None) -> sp.Expr:
    """Return the coefficient of gamma^-(k + 1) of u^T Q u by counting.

    Parameters
    ----------
    statement
        The problem; at most one source is fitted, the last, and its base has right labels where it trains.
    k
        The power of the sum of second moments.
    fields
        Numbers for t and J, where they are not to stay symbols.
    """
    sources = statement.sources
    last = len(sources) - 1
    numbers = Numbers.of(statement, dict(fields or {}))
    values: dict[Diagram, PolyElement] = {}

    def power(base: PolyElement, exponent: int) -> PolyElement:
        return base**exponent if exponent else base.ring.one  # 0**0 is an error there

    def value(diagram: Diagram) -> PolyElement:
        if diagram not in values:
            averaged = base_average(diagram, last).items() if sources[last].r != 0 else [((diagram, 0), 1)]
            values[diagram] = sum(count * power(numbers.r, hats) * numbers.value(plain) for (plain, hats), count in averaged)
        return values[diagram]

    total = 0
    for term, count in terms(k, bool(sources[last].b != 0)).items():
        for owners in itertools.product(range(len(sources)), repeat=len(term.blocks)):
            weights = (numbers.weights[owner](*seen) for owner, seen in zip(owners, term.blocks, strict=True))
            total += count * prod(weights, start=power(numbers.b, term.bases)) * value(_named(term.diagram, owners, sources))
    return (-1) ** k * total.as_expr()


def _named(diagram: Diagram, owners: Sequence[int], sources: Sequence[Source]) -> Diagram:
    """The diagram with sources in the place of blocks, and HAT for what is the generator's; in one order, so that equal ones are equal."""

    def matrix(name: Hashable) -> Hashable:
        return name if isinstance(name, str) else HAT if sources[owners[name]].r != 0 else owners[name]

    def mean(name: Hashable) -> Hashable:
        return name if isinstance(name, str) else HAT if sources[owners[name]].mean_fitted else owners[name]

    loops = (tuple(map(matrix, loop)) for loop in diagram.loops)
    paths = ((mean(a), tuple(map(matrix, between)), mean(b)) for a, between, b in diagram.paths)
    return Diagram(tuple(sorted(loops, key=str)), tuple(sorted(paths, key=str)))


def expanded(statement: Statement, orders: int = ORDERS, fields: Fields | None = None) -> list[sp.Expr]:
    """Return the coefficients of gamma^-1, gamma^-2, ... of the stated Psi(t, J), its fixed point solved order by order.

    Parameters
    ----------
    statement
        The problem.
    orders
        How many coefficients.
    fields
        Numbers for t and J, where they are not to stay symbols.
    """
    x, fields = sp.Symbol("x"), dict(fields or {})
    unknowns = statement.unknowns()
    equations = zip(unknowns, statement.equations(), strict=True)
    steps = [(unknown - equation).subs(fields).subs(gamma, 1 / x) for unknown, equation in equations]
    point = dict.fromkeys(unknowns, sp.Integer(0))
    for step in range(2 * orders):  # two steps are right to one order more, one for q and one for delta
        point = {unknown: sp.Add(*(a * x**i for i, a in enumerate(_series(map_.subs(point), x, step // 2 + 1))))
                 for unknown, map_ in zip(unknowns, steps, strict=True)}
    return _series(statement.potential(J).subs(fields).subs(gamma, 1 / x).subs(point), x, orders)[1:]


def _series(expression: sp.Expr, x: sp.Symbol, orders: int) -> list[sp.Expr]:
    """The coefficients of x^0 to x^orders of a rational function that is finite at x = 0."""
    parts = sp.fraction(sp.together(expression))
    ring, *_ = sp.ring([x, *sorted(set().union(*(part.free_symbols for part in parts)) - {x}, key=str)], sp.QQ)
    above, below = (ring.from_expr(part) for part in parts)
    lowest = min(powers[0] for powers in below)
    above, below = (ring.from_dict({(a - lowest, *rest): value for (a, *rest), value in part.items()}) for part in (above, below))
    quotient = rs_mul(above, rs_series_inversion(below, ring.gens[0], orders + 1), ring.gens[0], orders + 1)
    return [ring.from_dict({(0, *rest): value for (a, *rest), value in quotient.items() if a == i}).as_expr() for i in range(orders + 1)]


def compare(statement: Statement, fields: Fields | None = None, orders: int = ORDERS) -> CheckResult:
    """Compare counting with the stated Psi, order by order.

    Parameters
    ----------
    statement : Statement
    fields : mapping, optional
        Numbers for t and J, which otherwise stay symbols.
    orders : int
        How many orders of the expansion.
    """
    stated = expanded(statement, orders, fields)
    for k in range(orders):
        if sp.expand(counted(statement, k, fields) - stated[k]) != 0:
            return CheckResult(False, f"they differ at gamma^-{k + 1}")
    return CheckResult(True, f"gamma^-1 to gamma^-{orders} agree")


def _at_random(sources: tuple[Source, ...], seed: int, blocks: int = 2) -> Statement:
    """A statement with rational numbers for everything but the unknowns, gamma, t and J."""
    draw = random.Random(seed)
    size = len(sources) + 1

    def number() -> sp.Rational:
        return sp.Rational(draw.randint(1, 12), draw.randint(2, 6))

    def numbers(s: Source) -> Source:
        fit = {"r": number() if s.r != 0 else s.r, "b": number() if s.b != 0 else s.b}
        return replace(s, theta=number(), c=number(), labels=Labels(number() - 1, number()), **fit)

    def block() -> Block:
        vectors = sp.Matrix(size, size, lambda i, k: number() - 1)
        return Block(number(), tuple(number() for _ in sources), number(), vectors * vectors.T)

    return Statement(tuple(map(numbers, sources)), tuple(block() for _ in range(blocks)))


def _one_source() -> Statement:
    """A direct source with one eigenvalue, all in symbols."""
    h, C, test, own, cross, fresh = sp.symbols("h C C_test g g_x g_test", positive=True)
    s = replace(source("k"), labels=Labels(*sp.symbols("ybar vtilde", real=True)))
    return Statement((s,), (Block(h, (C,), test, sp.Matrix([[own, cross], [cross, fresh]])),))


@check("expansion, one source", r"the coefficients of $\gamma^{-1}$ to $\gamma^{-5}$ of $u^\top Qu$ by counting with those of "
       r"$\Psi(t, J)$: one eigenvalue, all in symbols")
def one_source() -> CheckResult:
    return compare(_one_source())


@check("expansion, two sources", r"the same for two sources with two eigenvalues, at rational numbers")
def two_sources() -> CheckResult:
    return compare(_at_random((source(1), source(2)), 1), RATIONAL)


@check("expansion, a fitted generator", "the same for a direct source beside a generator whose covariance is fitted, and one whose "
       "mean is fitted too")
def fitted_generator() -> CheckResult:
    found = []
    for mean_fitted in (False, True):
        generator = replace(source(2, fitted=True, mean_fitted=mean_fitted), b=sp.Integer(0))
        found.append(compare(_at_random((source(1), generator), 2), RATIONAL))
    return CheckResult(all(each.holds for each in found), "; ".join(each.found for each in found))


@check("expansion, self-fitted", r"the same for a generator beside its own base, which trains with right labels")
def self_fitted() -> CheckResult:
    return compare(_at_random((source(1, fitted=True, mean_fitted=True),), 3), RATIONAL)


def theorem() -> Theorem:
    """Return the chapter on the expansion."""
    statement = _one_source()
    still = {t: 0, J: 0}
    psi, x = sp.Symbol("Psi"), sp.Symbol("gamma")
    orders = [sp.factor(counted(statement, k).subs(still)) for k in range(2)]
    return Theorem(
        "expansion",
        "The potential again, by counting",
        __doc__.split("\n\n", 1)[1],
        (Equation("the first two orders for one source with one eigenvalue, at $t = J = 0$",
                  sp.Eq(psi, sum(order / x ** (k + 1) for k, order in enumerate(orders)), evaluate=False)),),
        after="fitted_generator",
    )
