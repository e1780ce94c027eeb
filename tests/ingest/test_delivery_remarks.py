"""Deliveries beside one another: what is counted twice, still counted, or no longer, is told."""

from __future__ import annotations

import copy
import csv
import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city import remark
from helpers.core.city.remark import Remark
from helpers.core.stage import remark_words
from helpers.ingest import delivery_remarks
from tests.fixtures.made_up import CITY, COLUMNS, FACTS, deliver, fact, write_pack
from tests.fixtures.real import Built, build

Rows = list[dict[str, str]]
START = dt.datetime(2024, 1, 2, 10)


def facts(first: int, after: int, every_h: int = 7, **changes: str) -> Rows:
    """Return facts of these numbers, one every so many hours."""
    return [
        fact(i, debut=(START + dt.timedelta(hours=every_h * i)).isoformat(), **changes)
        for i in range(first, after)
    ]


def delivered(folder: Path, files: Sequence[Rows], **contract: Any) -> Built:
    """Take in these files, in the order in which they came; a key of None is taken away."""
    city = copy.deepcopy(CITY)
    city["sources"]["faits"] = {"file": "faits_*.csv"}
    told = {k: v for k, v in (FACTS | contract).items() if v is not None}
    pack = write_pack(folder, city, facts=told)
    deliver(folder, [])
    (folder / "livraison/faits.csv").unlink()
    for number, rows in enumerate(files, start=1):
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
        (folder / f"livraison/faits_{number}.csv").write_text(text.getvalue(), encoding="utf-8")
    return build(pack, folder, folder / "out")


def odd(built: Built) -> dict[str, Remark]:
    found = delivery_remarks.remarks(built.city, built.out, built.raw)
    assert len({one.code for one in found}) == len(found)
    return {one.code: one for one in found}


def said(one: Remark) -> str:
    return remark_words.sentence(one).replace("\u00a0", " ")


def without_number(**more: Any) -> dict[str, Any]:
    fields = {name: rule for name, rule in FACTS["fields"].items() if name != "id"}
    return {"key": None, "fields": fields, "refused": {"id": "rien n'en est lu"}, **more}


# --- Records that a later delivery no longer gives -------------------------------------------


def test_a_fact_that_a_whole_delivery_no_longer_gives_is_told(tmp_path: Path) -> None:
    kept = [row for i, row in enumerate(facts(0, 100)) if i % 9 != 5]  # 11 taken away
    built = delivered(tmp_path, [facts(0, 100), kept + facts(100, 140)])
    assert built.fates["faits"] == {"accepted": 140, "duplicate": 89}
    told = odd(built)
    assert told.keys() == {remark.DROPPED}
    assert told[remark.DROPPED].n == 11
    assert "11 enregistrements qu'une livraison plus récente ne donne plus" in said(
        told[remark.DROPPED]
    )


@pytest.mark.parametrize(
    "then",
    [
        facts(100, 140),  # an increment
        facts(90, 140),  # with some days given again
        facts(0, 5, nature="depot") + facts(100, 140),  # with a few corrections
        facts(0, 100, nature="depot"),  # all corrected
    ],
    ids=["increment", "again", "corrections", "corrected"],
)
def test_a_delivery_that_adds_or_corrects_takes_nothing_away(then: Rows, tmp_path: Path) -> None:
    assert odd(delivered(tmp_path, [facts(0, 100), then])) == {}


def test_a_lone_date_far_away_does_not_hide_what_is_no_longer_given(tmp_path: Path) -> None:
    before = facts(0, 900, every_h=6)
    late = [row for row in before[600:] if row["id"] != "F700"]
    lone = fact(5000, debut="2024-01-01T00:30:00")
    told = odd(delivered(tmp_path, [before, [lone, *late]]))
    assert told[remark.DROPPED].n == 1


def test_without_a_key_a_corrected_fact_may_count_twice_and_that_is_told(tmp_path: Path) -> None:
    again = [
        row | {"nature": "depot"} if i % 10 == 5 else row for i, row in enumerate(facts(0, 100))
    ]
    built = delivered(tmp_path, [facts(0, 100), again], **without_number())
    assert built.fates["faits"] == {"accepted": 110, "duplicate": 90}
    told = odd(built)[remark.DROPPED]
    assert told.n == 10
    assert "corrigés, et alors comptés deux fois" in said(told)


# --- Rows given twice ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "twice"),
    [(facts(0, 100), 100), (facts(60, 140), 40), (facts(100, 140), 0)],
    ids=["same", "overlap", "increment"],
)
def test_rows_that_repeat_and_come_in_two_deliveries_are_told(
    then: Rows, twice: int, tmp_path: Path
) -> None:
    built = delivered(tmp_path, [facts(0, 100), then], **without_number(repeats=True))
    assert built.fates["faits"] == {"accepted": 100 + len(then)}
    told = odd(built)
    assert [one.n for one in told.values()] == ([twice] if twice else [])
    assert told.keys() <= {remark.TWICE}


def test_rows_without_their_number_that_come_twice_are_told(tmp_path: Path) -> None:
    fields = FACTS["fields"] | {"id": {"type": "id"}}
    rows = [row | {"id": ""} for row in facts(0, 100)]
    built = delivered(tmp_path, [rows, rows], fields=fields)
    assert built.fates["faits"] == {"accepted": 200}
    assert odd(built)[remark.TWICE].n == 100


# --- Numbers that begin again, and an order that dates deny -----------------------------------


def test_numbers_that_begin_again_are_no_corrections(tmp_path: Path) -> None:
    year_after = [
        row | {"id": f"F{i}"} for i, row in enumerate(facts(400, 500))
    ]  # four months later
    built = delivered(tmp_path, [facts(0, 100), year_after])
    assert built.fates["faits"] == {"accepted": 100, "replaced": 100}
    told = odd(built)
    assert told.keys() == {remark.REUSED}
    assert (told[remark.REUSED].n, told[remark.REUSED].of) == (100, 100)


def test_facts_corrected_to_the_day_after_are_corrections(tmp_path: Path) -> None:
    moved = [
        row | {"debut": (START + dt.timedelta(hours=7 * i + 24)).isoformat()}
        for i, row in enumerate(facts(0, 100))
    ]
    built = delivered(tmp_path, [facts(0, 100), moved])
    assert built.fates["faits"] == {"accepted": 100, "replaced": 100}
    assert odd(built) == {}


def test_names_that_put_the_older_delivery_last_are_told(tmp_path: Path) -> None:
    later = facts(0, 100, nature="depot") + facts(100, 300)
    built = delivered(tmp_path, [later, facts(0, 100)])
    assert built.fates["faits"] == {"accepted": 300, "replaced": 100}
    told = odd(built)[remark.ORDER_DENIED]
    assert (told.n, told.of) == (100, 100)
    assert odd(delivered(tmp_path / "right", [facts(0, 100), later])) == {}


# --- Days and months, hours of twelve: delivery by delivery ----------------------------------

DAYS = [dt.date(2024, 1, 3) + dt.timedelta(days=2 * i) for i in range(170)]


def dates(form: str, days: Sequence[dt.date] = tuple(DAYS), first: int = 0) -> Rows:
    return [fact(first + i, debut=day.strftime(form)) for i, day in enumerate(days)]


def day_first() -> dict[str, Any]:
    return {"fields": FACTS["fields"] | {"debut": {"type": "date", "required": True,
                                                   "format": "%d/%m/%Y"}}}  # fmt: skip


def test_a_delivery_whose_months_come_first_is_refused(tmp_path: Path) -> None:
    files = [dates("%d/%m/%Y"), dates("%m/%d/%Y", first=500)]
    with pytest.raises(PhareError, match="livraison n° 2") as told:
        delivered(tmp_path, files, **day_first())
    assert 'écrire `format: "%m/%d/%Y"`' in str(told.value)


def test_dates_of_both_orders_in_a_delivery_are_told_with_those_that_may_be_wrong(
    tmp_path: Path,
) -> None:
    mixed = dates("%d/%m/%Y", DAYS[::2]) + dates("%m/%d/%Y", DAYS[1::2], first=500)
    built = delivered(tmp_path, [mixed], **day_first())
    unread = sum(day.day > 12 for day in DAYS[1::2])
    doubtful = sum(day.day <= 12 and day.day != day.month for day in DAYS)
    assert built.fates["faits"]["jour_mois:debut"] == unread
    told = odd(built)[remark.MIXED_DATES]
    assert (told.n, told.of) == (unread, doubtful)
    assert f"{unread} lignes écartées, dont la date ne se lit que jour et mois échangés" in said(
        told
    )


def test_a_slip_of_the_pen_among_many_dates_is_only_set_aside(tmp_path: Path) -> None:
    built = delivered(
        tmp_path, [[*dates("%d/%m/%Y"), fact(999, debut="05/13/2024")]], **day_first()
    )
    assert built.fates["faits"] == {"accepted": len(DAYS), "jour_mois:debut": 1}
    assert odd(built) == {}


def test_a_month_that_a_spreadsheet_read_month_first_is_told(tmp_path: Path) -> None:
    """It turns the dates that it can read, and leaves the others: July falls into every month."""
    july = [dt.date(2024, 7, 1 + i % 31) for i in range(31 * 12)]
    turned = [
        fact(i, debut=day.strftime("%m/%d/%Y" if day.day <= 12 else "%d/%m/%Y"))
        for i, day in enumerate(july)
    ]
    told = odd(delivered(tmp_path / "a", [turned], **day_first()))
    # Those of 12 July went to 7 December, the last month; those of 7 July have not moved.
    assert told[remark.DAY_OR_MONTH].n == 10 * 12
    right = [fact(i, debut=day.strftime("%d/%m/%Y")) for i, day in enumerate(july)]
    assert odd(delivered(tmp_path / "b", [right], **day_first())) == {}


def test_hours_of_twelve_of_one_delivery_are_told_with_its_number(tmp_path: Path) -> None:
    whole, twelve = (
        [
            fact(first + i, debut=dt.datetime(2024, month, 1 + i % 28, h(i)).isoformat())
            for i in range(120)
        ]
        for first, month, h in ((0, 3, lambda i: i % 24), (500, 6, lambda i: i % 12 + 1))
    )
    told = odd(delivered(tmp_path, [whole, twelve]))[remark.TWELVE_HOURS]
    assert (told.n, told.sizes) == (120, (2.0,))
    assert "les 120 heures connues (la livraison n° 2)" in said(told)
