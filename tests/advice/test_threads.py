"""An advice does not depend on the number of threads of linear algebra."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from synthmix.advice.advise import advise
from synthmix.advice.plan import Plan
from synthmix.advice.tables import Table
from synthmix.support.threads import on_one_thread


def test_one_and_two_threads_advise_the_same() -> None:
    rng = np.random.default_rng(3)
    y = np.arange(40) % 2
    table = Table(rng.normal(size=(40, 300)) + 0.15 * y[:, None], y, tuple(map(str, range(300))))
    advices = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            advices.append(advise(table, Plan(100, 0.1, 0.2, 0.9), details=False))
    one, two = advices
    assert (one.best, one.gain, one.baseline) == (two.best, two.gain, two.baseline)


def test_the_limit_is_for_the_call_alone() -> None:
    def most() -> int:
        return max(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")

    with threadpool_limits(2):
        before = most()
        assert on_one_thread(most)() == 1 and most() == before
