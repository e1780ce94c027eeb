"""Numbers as French readers write them: decimal comma, narrow spaces that do not break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.base.french import change, number, percent, plural, trimmed

THIN, FIXED = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (0, 0, "0"),
        (999, 0, "999"),
        (1000, 0, f"1{THIN}000"),
        (1234567, 0, f"1{THIN}234{THIN}567"),
        (1234.5, 2, f"1{THIN}234,50"),
        (-12.25, 1, "−12,2"),
        (0.05, 2, "0,05"),
    ],
)
def test_number(value: float, digits: int, said: str) -> None:
    assert number(value, digits) == said


@given(st.integers(-(10**12), 10**12))
def test_number_can_be_read_back(value: int) -> None:
    said = number(value)
    assert int(said.replace(THIN, "").replace("−", "-")) == value
    groups = said.lstrip("−").split(THIN)
    assert all(len(group) == 3 for group in groups[1:])
    assert 1 <= len(groups[0]) <= 3
    assert not set(said) & {" ", ",", ".", "-"}


@pytest.mark.parametrize(
    ("share", "digits", "said"),
    [(0.25, 0, f"25{THIN}%"), (0.123, 1, f"12,3{THIN}%"), (1, 0, f"100{THIN}%")],
)
def test_percent(share: float, digits: int, said: str) -> None:
    assert percent(share, digits) == said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (1.25, f"+25,0{THIN}%"),
        (0.5, f"−50,0{THIN}%"),
        (2, f"+100,0{THIN}%"),
        (1, f"+0,0{THIN}%"),
    ],
)
def test_change(ratio: float, said: str) -> None:
    assert change(ratio) == said


@pytest.mark.parametrize("value", [-0.0, -0.04, -1e-9])
def test_zero_has_no_minus_sign(value: float) -> None:
    assert number(value) == "0"
    assert not change(1 + value / 1000).startswith("−0,0")


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 fait"), (1, "1 fait"), (2, "2 faits"), (1500, f"1{THIN}500 faits")],
)
def test_plural_begins_with_two(count: int, said: str) -> None:
    assert plural(count, "fait") == said.replace(" ", FIXED)


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [(2.0, 2, "2"), (1.5, 2, "1,5"), (1.25, 2, "1,25"), (1.234, 2, "1,23"), (0.3, 1, "0,3"),
     (100 * 0.07, 2, "7")],
)  # fmt: skip
def test_trimmed_has_the_digits_that_it_needs(value: float, digits: int, said: str) -> None:
    assert trimmed(value, digits) == said
