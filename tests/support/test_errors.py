"""What is accepted as a number, and the one line that refuses everything else."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.support.errors import BadInput, number, numbers

NO_NUMBERS = (
    "3", b"3", None, object(), 1j, [1, 2], [], {}, np.asmatrix(np.eye(2)), np.datetime64("2020-01-01"), 10**400, 10**5000, float("nan"),
    float("inf"), np.array(["a"]), [10**400],
)  # fmt: skip


@pytest.mark.parametrize("value", NO_NUMBERS, ids=range(len(NO_NUMBERS)))
def test_refused_in_one_short_line(value: object) -> None:
    with pytest.raises(BadInput) as refused:
        number("mu", value)
    line = str(refused.value)
    assert line.startswith("mu must be") and len(line.splitlines()) == 1 and len(line) < 150


@pytest.mark.parametrize("value", [3, 3.0, np.float32(3), np.int64(3), np.array(3.0), True + 2])
def test_numbers_of_every_type(value: object) -> None:
    assert number("mu", value) == 3.0 and type(number("mu", value)) is float


def test_whole_numbers_beyond_64_bits_are_numbers() -> None:
    assert number("m", 10**20) == 1e20
    np.testing.assert_array_equal(numbers("m", [10**20, 1]), [1e20, 1.0])


def test_the_range_is_named() -> None:
    with pytest.raises(BadInput, match="rho must be at least 0 and at most 1, not 2"):
        numbers("rho", [0.5, 2.0], 0, 1)
    with pytest.raises(BadInput, match="gamma must be above 0, not 0"):
        number("gamma", 0, 0, open_low=True)
