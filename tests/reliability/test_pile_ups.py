"""Pile-ups: told where the publisher writes a moment for what it does not know, and only there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa

from helpers.reliability import pile_up_words, pile_ups
from tests.fixtures.cases import build_template, case, csv_of, template_contract
from tests.fixtures.real import Built

COLUMNS = ("id", "nature", "debut", "longitude", "latitude", "origine", "commentaire")


def piles(built: Built) -> tuple[pa.Table, set[tuple[str, str]]]:
    """Return the table, and the category and kind of those told."""
    con = duckdb.connect()
    con.execute(f"CREATE VIEW observations AS FROM '{built.out}/observations.parquet'")
    table = pile_ups.find(con, built.city)
    return table, {(r["category"], r["kind"]) for r in table.to_pylist() if r["told"]}


def rows_of(moments: list[dt.datetime], nature: str = "depot") -> list[tuple[str, ...]]:
    """Return facts over ninety points, each more than ten metres from all others."""
    return [
        (f"{nature}{i}", nature, at.isoformat(), f"{5.361 + i % 30 * 3e-4:.4f}",
         f"{43.294 + i // 30 % 3 * 3e-4:.4f}", "habitant", "x")
        for i, at in enumerate(moments)
    ]  # fmt: skip


def random_moments(n: int, seed: int = 3) -> list[dt.datetime]:
    """Return moments spread over 2024 and 2025, to the minute."""
    minutes = np.random.default_rng(seed).integers(0, 731 * 24 * 60, n)
    return [dt.datetime(2024, 1, 1) + dt.timedelta(minutes=int(m)) for m in minutes]


def test_midnight_of_the_case_is_measured_and_told(tmp_path: Path) -> None:
    rows = (case("08-midnight-means-unknown-hour") / "livraison/faits.csv").read_bytes()
    built = build_template(tmp_path / "a", rows, template_contract())
    table, told = piles(built)
    row = next(r for r in table.to_pylist() if (r["category"], r["kind"]) == ("", "midnight"))
    assert (row["n"], row["rows"], row["share"]) == (20, 50, 0.4)
    assert told == {("", "midnight"), ("depot", "midnight")}
    words = pile_up_words.pile_ups(table, built.city)
    assert "à 0 h 00 juste" in words
    assert words.count('unknown_hour: ["00:00"]') == 1
    declared = build_template(tmp_path / "b", rows, template_contract(unknown_hour=["00:00"]))
    assert piles(declared)[1] == set()


def test_chance_and_rounded_hours_are_no_pile_ups(tmp_path: Path) -> None:
    plain = random_moments(4000)
    rounded = [at.replace(minute=0) for at in random_moments(4000, 5)]
    for name, moments in (("plain", plain), ("rounded", rounded)):
        built = build_template(tmp_path / name, csv_of(COLUMNS, rows_of(moments)),
                               template_contract())  # fmt: skip
        assert piles(built)[1] == set()


def test_each_pile_up_is_told_of_what_it_is(tmp_path: Path) -> None:
    moments = random_moments(3000)
    noon = [at.replace(hour=12, minute=0) for at in moments[:200]]
    first = [at.replace(day=1) for at in moments[200:500]]
    new_year = [at.replace(month=1, day=1, minute=7) for at in moments[500:600]]
    built = build_template(
        tmp_path, csv_of(COLUMNS, rows_of(noon + first + new_year + moments[600:])),
        template_contract(),
    )  # fmt: skip
    told = {kind for category, kind in piles(built)[1] if not category}
    assert told == {"noon", "month_start", "year_start"}


def test_one_category_among_others_is_told_by_its_name(tmp_path: Path) -> None:
    rows = rows_of(random_moments(6000), "tapage")
    rows += rows_of([at.replace(hour=0, minute=0) for at in random_moments(40, 8)], "autre")
    built = build_template(tmp_path, csv_of(COLUMNS, rows), template_contract())
    assert ("autre", "midnight") in piles(built)[1]
    assert ("tapage", "midnight") not in piles(built)[1]


def test_two_time_zones_are_told(tmp_path: Path) -> None:
    contract = template_contract()
    contract["timezone"] = "Indian/Reunion"
    built = build_template(tmp_path, csv_of(COLUMNS, rows_of(random_moments(60))), contract)
    words = pile_up_words.pile_ups(piles(built)[0], built.city)
    assert "Indian/Reunion" in words
    assert "Europe/Paris" in words
    # What is told is what is done: 11 h 30 in La Réunion is 8 h 30 or 9 h 30 in Paris.
    assert "comptées à l'heure de la ville" in words
    first = min(random_moments(60))
    there = first.replace(tzinfo=ZoneInfo("Indian/Reunion")).astimezone(ZoneInfo("Europe/Paris"))
    hour = duckdb.sql(f"SELECT min(hour) FROM '{built.out}/observations.parquet'").fetchall()[0][0]
    assert hour == there.replace(minute=0, tzinfo=None)


def test_days_alone_are_of_no_time_zone(tmp_path: Path) -> None:
    contract = template_contract(time_precision="day")
    contract["timezone"] = "Indian/Reunion"
    built = build_template(tmp_path, csv_of(COLUMNS, rows_of(random_moments(60))), contract)
    assert "Indian/Reunion" not in pile_up_words.pile_ups(piles(built)[0], built.city)
