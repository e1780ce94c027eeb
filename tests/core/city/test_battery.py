"""Contracts that would let a person in are refused when they load, with the example."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from helpers.core.city import battery
from helpers.core.city.contract import Contract, FieldRule
from tests.fixtures.made_up import ABOUT


def refused(**rule: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        FieldRule(**rule)
    return str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "[A-Z0-9-]{1,20}",  # what the template proposed for an identifier
        "[A-Za-zÀ-ÿ0-9' .-]{2,60}",  # zone names
        "[0-9]{8,20}",  # OFFENSE_ID
        "[0-9]{12}",  # Num_Acc
        "[A-Z][0-9]{4}[A-Z][0-9]{1,9}", "MC-[0-9]{4}-[0-9]{7,9}", "[a-z]+([|][a-z]+)*",
        "[A-Z]?[0-9]{1,7}(-[0-9]{1,3})?", ".*", r"\d{3}", r"\w+", "[^0-9]", "(Dupont|Martin)",
        "(?:Jean|Marie) Dupont", "AB-1[0-9]{2}-CD", "(?i)[a-z]", "(?i:x)",
    ],
)  # fmt: skip
def test_a_pattern_that_is_no_short_list_is_refused(pattern: str) -> None:
    assert "pattern" in refused(type="str", pattern=pattern)


@pytest.mark.parametrize("pattern", ["132[0-9]{4}", "20[0-9]{2}-(0[1-9]|1[0-2])", "[0-9]{1,2}",
                                     "[0-9]{2,3}|2[AB]", "SV-[0-9]{3}", "[A-Z]"])  # fmt: skip
def test_a_short_numbered_form_is_allowed(pattern: str) -> None:
    assert FieldRule(type="str", pattern=pattern).pattern == pattern


def test_a_free_text_can_not_be_written() -> None:
    assert "texte libre" in refused(type="str")
    assert "max_length" in refused(type="str", pattern="[A-Z]", max_length=3)


@pytest.mark.parametrize(
    ("least", "most"),
    [(None, 5), (5, None), (None, None), (0, 700_000_000), (0, 99_999_999), (0, 4_200_000_000),
     (0, 1e19), (0, float("inf")), (float("nan"), 5), (5, 1)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["int", "float"])
def test_a_number_has_bounds_that_no_number_of_a_person_fits(
    kind: str, least: float | None, most: float | None
) -> None:
    refused(type=kind, minimum=least, maximum=most)


def test_a_list_that_holds_a_person_is_refused() -> None:
    assert "AB-123-CD" in refused(type="enum", values=["tapage", "ab-123-cd"])
    assert "0612345678" in refused(type="enum", values=["0612345678"])


@pytest.mark.parametrize("name", ["date_naissance", "age", "age_victime", "nom_requerant", "email",
                                  "victim_age", "telephone", "matricule", "no_rio",
                                  "immat"])  # fmt: skip
def test_fields_that_tell_of_a_person_can_not_be_declared(name: str) -> None:
    base: dict[str, Any] = {
        "source": "s", "title": "S", "kind": "context", **ABOUT, "file": {"format": "csv"},
    }  # fmt: skip
    rule = {"type": "int", "minimum": 0, "maximum": 120}
    with pytest.raises(ValidationError, match="refused"):
        Contract(**base, fields={name: rule})
    with pytest.raises(ValidationError, match="refused"):
        Contract(**base, fields={"x": rule | {"column": name}})
    edition = {"version": "2", "file": {"format": "csv"}, "columns": {"x": name}}
    with pytest.raises(ValidationError, match="refused"):
        Contract(**base, fields={"x": rule}, editions=[edition])
    assert Contract(**base, fields={"effectif": rule})


@pytest.mark.parametrize("name", ["lat", "GEO_LON", "lieu.longitude", "coord_x"])
def test_a_coordinate_is_never_a_mere_number(name: str) -> None:
    """A number is not moved onto the grid: six decimals of a degree are a front door."""
    base: dict[str, Any] = {
        "source": "s", "title": "S", "kind": "context", **ABOUT, "file": {"format": "csv"},
    }  # fmt: skip
    rule = {"type": "float", "minimum": -180, "maximum": 180}
    for fields in ({name.replace(".", "_").lower(): rule}, {"x": rule | {"column": name}}):
        with pytest.raises(ValidationError, match="coordonnée"):
            Contract(**base, fields=fields)
    assert Contract(**base, fields={"plat": rule})


@pytest.mark.parametrize("rule", [
    {"values": [f"{n:02}" for n in range(100)], "separator": " "},  # 06 12 34 56 78
    {"values": ["Jean", "Marie", "Dupont"], "separator": " "},
    {"values": ["J", "D", ""], "separator": "."},
])  # fmt: skip
def test_several_codes_in_a_cell_do_not_make_a_person(rule: dict[str, Any]) -> None:
    assert "la liste" in refused(type="enum", **rule)


@pytest.mark.parametrize("pattern", [r"[A-Z]\.[A-Z]\.", r"(M|Mme)\.? [A-Z]\.?"])
def test_initials_are_a_name(pattern: str) -> None:
    assert "(nom)" in refused(type="str", pattern=pattern)


def test_a_minus_sign_does_not_hide_a_number() -> None:
    assert "intervalle" in refused(type="int", minimum=-799_999_999, maximum=0)


PIECES = {
    "a": "a", "[a-c]": "abc", "[0-9]": "0123456789", "(x|yz)": ("x", "yz"), "b?": ("", "b"),
    "[ab]{2}": ("aa", "ab", "ba", "bb"),
    "(1[0-2]|0[1-9])": [f"{month:02d}" for month in range(1, 13)],
}  # fmt: skip


@given(st.lists(st.sampled_from([*PIECES]), min_size=1, max_size=4))
def test_the_number_of_texts_is_that_of_a_plain_enumeration(pieces: list[str]) -> None:
    texts = ["".join(parts) for parts in product(*(PIECES[piece] for piece in pieces))]
    assert all(re.fullmatch("".join(pieces), text) for text in texts)
    assert battery.number_of_texts("".join(pieces)) == len(texts)
