r"""Expectations of products of Gaussian samples by counting: Wick's theorem, in the order that survives for large $N$.

A product of quadratic forms in samples is a graph. Each sample that occurs has slots, which the product joins by edges. Wick's
theorem pairs slots of the same sample, with its covariance between them, or leaves a slot to the sample's mean. Following edges and
pairs in turn gives closed loops, each a trace of covariances and so of order $N$, and paths from mean to mean, each of order 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Slot = Hashable
Insertions = tuple[Hashable, ...]


@dataclass(frozen=True)
class Edge:
    """Two slots that a product joins.

    Attributes
    ----------
    ends
        The slots.
    insertions
        The matrices between them, in order from the first slot to the second.
    """

    ends: tuple[Slot, Slot]
    insertions: Insertions = ()


@dataclass(frozen=True)
class Diagram:
    """The products and traces that a way of pairing leaves.

    Attributes
    ----------
    loops
        The matrices around each closed loop.
    paths
        (mean, matrices, mean) of each open path.
    """

    loops: tuple[Insertions, ...]
    paths: tuple[tuple[Hashable, Insertions, Hashable], ...]


def partitions(items: Sequence[Hashable]) -> Iterator[tuple[tuple[Hashable, ...], ...]]:
    """Yield every partition of the items into blocks: which of them are the same sample."""
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    for size in range(len(rest) + 1):
        for others in itertools.combinations(rest, size):
            left = [item for item in rest if item not in others]
            for blocks in partitions(left):
                yield ((first, *others), *blocks)


def contractions(slots: Sequence[Slot], *, centred: bool = False) -> Iterator[tuple[tuple[tuple[Slot, Slot], ...], tuple[Slot, ...]]]:
    """Yield every way to pair slots of a sample, as (pairs, slots that are left to its mean); none is left to the mean of a centred one."""
    if not slots:
        yield (), ()
        return
    first, rest = slots[0], slots[1:]
    if not centred:
        for pairs, single in contractions(rest):
            yield pairs, (first, *single)
    for i, partner in enumerate(rest):
        for pairs, single in contractions([*rest[:i], *rest[i + 1 :]], centred=centred):
            yield ((first, partner), *pairs), single


def follow(edges: Sequence[Edge], pairs: Mapping[Slot, tuple[Slot, Hashable]], means: Mapping[Slot, Hashable]) -> Diagram:
    """Return the loops and paths that edges and pairs make.

    Parameters
    ----------
    edges
        Each slot is the end of one edge.
    pairs
        The partner of each slot that is paired, and the covariance between them; both directions.
    means
        The mean of each slot that is not.
    """
    along = {}
    for edge in edges:
        a, b = edge.ends
        along[a], along[b] = (b, edge.insertions), (a, edge.insertions[::-1])
    left, loops, paths = dict.fromkeys(along), [], []

    def walk(slot: Slot) -> tuple[Insertions, Slot]:
        """The matrices from a slot to the end of its path, or around its loop."""
        matrices, start = (), slot
        while True:
            other, between = along[slot]
            left.pop(slot, None)
            left.pop(other, None)
            matrices += between
            if other in means:
                return matrices, other
            slot, covariance = pairs[other]
            matrices += (covariance,)
            if slot == start:
                return matrices, start

    for slot in means:
        if slot in left:
            matrices, end = walk(slot)
            paths.append((means[slot], matrices, means[end]))
    while left:
        loops.append(walk(next(iter(left)))[0])
    return Diagram(tuple(loops), tuple(paths))
