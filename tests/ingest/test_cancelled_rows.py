"""A row that counts less than nothing takes another back: what is left is the net, everywhere."""

from __future__ import annotations

import copy
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.base.errors import PhareError
from helpers.core.city.contract import Contract, load_contract
from helpers.ingest import cancelled_rows
from helpers.ingest.cancelled_rows import CANCELLED, CANCELS, NEGATIVE, ORPHAN
from tests.core.city.test_contract import changed, refusal, write
from tests.fixtures.made_up import FACTS, build_made_up, fact, middle
from tests.fixtures.real import Built


def signed(*lists: list[str]) -> dict[str, Any]:
    """Return the made-up contract whose counts are signed, without a key: equal rows are facts."""
    facts = copy.deepcopy(FACTS)
    facts["key"], facts["repeats"] = [], True
    facts["fields"]["nombre"]["minimum"] = -50
    facts["fields"]["id"]["required"] = False
    facts["observation"]["cancels"] = list(lists)
    return facts


def fates(built: Built) -> dict[str, int]:
    return built.fates["faits"]


def test_the_fact_taken_back_leaves_its_own_cell_though_the_taker_has_no_place(
    tmp_path: Path,
) -> None:
    lon, lat = (f"{v:.6f}" for v in middle("D"))
    rows = [
        fact(1),
        fact(2, lon=lon, lat=lat),
        fact(2, lon="", lat="", nombre="-1"),
    ]
    built = build_made_up(tmp_path, rows, facts=signed(["id", "nature", "debut"]))
    assert fates(built) == {"accepted": 1, CANCELS: 1, CANCELLED: 1}
    assert built.rows("SELECT zone_carres, n FROM cube") == [("A", 1)]


def test_lists_are_tried_in_order_and_an_empty_field_agrees_with_none(tmp_path: Path) -> None:
    rows = [
        fact(0, id="", carre="A"), fact(0, id="", carre="B"),
        fact(0, id="", carre="B", nombre="-1"),  # by its square
        fact(0, id="", carre="", nombre="-1"),  # its number is empty as theirs, that says nothing
    ]  # fmt: skip
    one = build_made_up(tmp_path / "one", rows, facts=signed(["id"], ["nature", "carre"]))
    assert fates(one) == {"accepted": 1, CANCELS: 1, CANCELLED: 1, ORPHAN: 1}
    assert one.rows("SELECT count(*) FROM observations WHERE n < 0") == [(0,)]
    squares = duckdb.sql(f"SELECT carre FROM '{one.out / 'accepted/faits.parquet'}'").fetchall()
    assert squares == [("A",)]
    two = build_made_up(tmp_path / "two", rows, facts=signed(["nature", "carre"], ["nature"]))
    assert fates(two) == {CANCELS: 2, CANCELLED: 2}


def test_only_the_opposite_count_is_taken_back(tmp_path: Path) -> None:
    rows = [fact(1, nombre="3"), fact(1, nombre="2"), fact(1, nombre="-2")]
    built = build_made_up(tmp_path, rows, facts=signed(["id"]))
    assert built.rows("SELECT n FROM cube") == [(3,)]


def test_a_negative_count_that_has_no_meaning_is_a_fault(tmp_path: Path) -> None:
    facts = signed()
    built = build_made_up(tmp_path, [fact(1), fact(2, nombre="-1")], facts=facts)
    assert fates(built) == {"accepted": 1, NEGATIVE: 1}


def left(told: list[tuple[str, str, int]], contract: Contract) -> dict[int, str]:
    """Return row → fate of rows (number, nature, count) that nothing else is wrong with."""
    con = duckdb.connect()
    columns = ", ".join(
        f"CAST(NULL AS VARCHAR) AS {name}"
        for name in contract.fields
        if name not in ("id", "nature", "nombre")
    )
    values = ", ".join(
        f"({i}, '{n}', '{kind}', {count})" for i, (n, kind, count) in enumerate(told)
    )
    con.execute(
        f"CREATE TABLE judged AS SELECT *, {columns}, NULL AS reason FROM "
        f"(VALUES {values}) AS t(row_number, id, nature, nombre)"
    )
    con.execute("CREATE TABLE losers (row_number BIGINT, fate VARCHAR)")
    cancelled_rows.find_cancelled(con, contract)
    found = con.execute("SELECT * FROM losers").fetchall()
    con.close()
    assert len({row for row, _ in found}) == len(found), "a row has one fate"
    return dict(found)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from(["tapage", "depot"]), st.sampled_from([1, -1, 2])
        ),
        min_size=1,
        max_size=14,
    )
)
def test_what_is_left_is_the_net_of_each_key(told: list[tuple[str, str, int]]) -> None:
    """Against a plain count: of each key and size, as many are left as were not taken back."""
    contract = Contract.model_validate(signed(["id", "nature"]))
    fate = left(told, contract)
    many = Counter(told)
    expected = {
        key: count - min(count, many[key[0], key[1], -key[2]])
        for key, count in many.items()
        if key[2] > 0
    }
    kept = Counter(row for i, row in enumerate(told) if i not in fate)
    assert kept == +Counter(expected)
    assert sum(1 for f in fate.values() if f == ORPHAN) == sum(
        count - min(count, many[i, nature, -n]) for (i, nature, n), count in many.items() if n < 0
    )
    assert Counter(fate.values())[CANCELS] == Counter(fate.values())[CANCELLED]


def test_order_of_rows_has_no_part_in_it(tmp_path: Path) -> None:
    rows = [fact(1), fact(1), fact(1, carre="B"), fact(1, nombre="-1")]
    seen = {
        tuple(
            build_made_up(tmp_path / f"{i}", list(order), facts=signed(["id"])).rows(
                "SELECT record, zone_carres, n FROM observations ORDER BY ALL"
            )
        )
        for i, order in enumerate(list(permutations(rows))[::5])
    }
    assert len(seen) == 1


def test_rows_that_say_the_same_are_each_a_record(tmp_path: Path) -> None:
    built = build_made_up(tmp_path, [fact(1)] * 3, facts=signed())
    assert built.rows("SELECT count(*), count(DISTINCT record) FROM observations") == [(3, 3)]


def test_several_divisions_are_declared_and_a_month_ends_on_its_last_day(tmp_path: Path) -> None:
    facts = signed()
    facts["fields"]["mois"] = {
        "type": "date", "format": "%Y-%m", "column": "qui", "month_end": True
    }  # fmt: skip
    facts["fields"]["id"] = {"type": "enum", "values": ["est", "ouest"]}
    rule = facts["observation"]
    rule["declared_zone"] = [
        {"division": "carres", "field": "carre"}, {"division": "moities", "field": "id"}
    ]  # fmt: skip
    rule |= {"recorded_at": "mois", "origin": {"value": "unknown"}}
    del facts["fields"]["qui"]
    row = fact(0, id="est", carre="A", lon="", lat="", qui="2024-02")
    nowhere = fact(0, id="", carre="", lon="", lat="", qui="2024-12")
    built = build_made_up(tmp_path, [row, nowhere], facts=facts)
    assert built.rows(
        "SELECT zone_carres, zone_moities, CAST(recorded_at AS VARCHAR) FROM observations "
        "ORDER BY recorded_at"
    ) == [
        ("A", "est", "2024-02-29 22:59:59"),  # Paris is an hour before UTC
        ("no_place", "no_place", "2024-12-31 22:59:59"),
    ]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("observation", "cancels"), [[]]),
        (("observation", "cancels"), [["numero"]]),
        (("observation", "declared_zone"), [{"division": "carres", "field": "carre"}] * 2),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(
    where: tuple[str, ...], value: Any, tmp_path: Path
) -> None:
    refusal(tmp_path, changed(*where, value=value))


def test_cancels_need_a_count(tmp_path: Path) -> None:
    facts = signed(["id"])
    del facts["observation"]["count"]
    with pytest.raises(PhareError):
        load_contract(write(tmp_path, facts))
