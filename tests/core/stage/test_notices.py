"""What a run ends with: counts that equal those of the tables, and of what was delivered."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from helpers.core.city import remark
from helpers.core.city.city import City
from helpers.core.city.remark import Remark
from helpers.core.stage import notices, params, reasons
from helpers.core.stage.notices import NOTHING, Counts
from helpers.ingest import remarks
from helpers.reliability import delays, pile_ups, silence
from tests.fixtures import made_up
from tests.fixtures.made_up import CITY, FACTS, THEMES, build_made_up, fact, middle
from tests.fixtures.real import ROOT, Built

PERIOD = {"start": "2024-01-01", "end": "2024-01-28"}
SILENT = (10, 11, 12)  # of January, when nothing comes in
NUMBER = re.compile(r"(?<![\w.])\d[\d\u202f]*")


def fine(squares: str = "ABCD") -> list[dict[str, str]]:
    """Return forty facts a day of the period, in each of the squares in turn."""
    rows = []
    for day in range(1, 29):
        for i in range(40):
            lon, lat = middle(squares[i % len(squares)])
            lon, lat = lon + i % 7 / 10_000, lat + i % 11 / 10_000  # no point comes back enough
            when = f"2024-01-{day:02d}T{i % 20 + 2:02d}:{i:02d}:00"
            rows.append(
                fact(day * 1000 + i, debut=when, lon=f"{lon:.6f}", lat=f"{lat:.6f}",
                     nature=("tapage", "petard", "depot")[i % 3])
            )  # fmt: skip
    return rows


def wrong() -> list[dict[str, str]]:
    """Return those, with a known number of each thing that a person must know."""
    rows = [row for row in fine() if int(row["debut"][8:10]) not in SILENT]
    day = "2024-01-20T12:00:00"
    some = [row | {"id": f"Z{i}", "debut": day} for i, row in enumerate(rows[:70])]
    more = [row | {"id": f"Y{i}", "debut": day} for i, row in enumerate(rows[:60])]
    parts = [
        [row | {"nature": "inconnu"} for row in some[:7]],  # off the list
        [row | {"debut": "hier"} for row in some[7:12]],  # not read
        [row | {"nombre": "99"} for row in some[12:15]],  # out of bounds
        [row | {"qui": "autrui"} for row in some[15:17]],  # off another list
        [row | {"nature": "x", "nombre": "2"} for row in some[20:31]],  # 11 rows, 22 facts
        [row | {"lon": "", "lat": ""} for row in some[31:35]],  # 4 without place
        [row | {"lon": "5.100000"} for row in some[35:41]],  # 6 outside
        [row | {"lon": "5.361111", "lat": "43.291111"} for row in more],  # 60 at a default point
        rows[:9],  # in double
        [row | {"debut": "2023-12-31T12:00:00"} for row in some[41:54]],  # 13 before the period
    ]
    return [*rows, *(row for part in parts for row in part)]


def made(folder: Path, rows: list[dict[str, str]]) -> Built:
    """Return the city taken in, counted, and its days judged, as the stages do."""
    city = copy.deepcopy(CITY) | {"period": PERIOD}
    themes = copy.deepcopy(THEMES)
    built = build_made_up(folder, rows, city=city, themes=themes, facts=copy.deepcopy(FACTS))
    knobs = params.knobs("reliability", ROOT)
    con = built.connect()
    delays.read_delays(con, built.city, knobs)
    curves = delays.day_curves(con, built.city, {}, knobs)
    days, _ = silence.find(con, built.city, knobs, curves)
    con.register("days", days)
    for stage in ("ingest", "reliability"):
        (built.out / "derived" / stage).mkdir(parents=True)
    con.execute(f"COPY days TO '{built.out}/derived/reliability/days.parquet' (FORMAT parquet)")
    piled = pile_ups.find(con, built.city)
    pq.write_table(piled, built.out / "derived/reliability/pile_ups.parquet")
    kept = remark.table(remarks.remarks(built.city, built.out))
    pq.write_table(kept, built.out / "derived/ingest/remarks.parquet")
    con.close()
    return built


def numbers(text: str) -> list[int]:
    return [int(one.replace("\u202f", "")) for one in NUMBER.findall(text)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Counts]:
    built = made(tmp_path_factory.mktemp("wrong"), wrong())
    return built, notices.count(built.city, built.out)


def test_counts_are_those_of_what_was_delivered(told: tuple[Built, Counts]) -> None:
    _, counts = told
    assert dict(counts.set_aside) == {
        ("faits", "hors_liste:nature"): 7, ("faits", "illisible:debut"): 5,
        ("faits", "hors_bornes:nombre"): 3, ("faits", "hors_liste:qui"): 2,
    }  # fmt: skip
    assert counts.rows == len(wrong()) + 4  # the squares
    assert counts.doubles == 9
    assert dict(counts.beyond) == {"faits": 13}
    assert dict(counts.unthemed) == {("faits", "x"): 22}
    assert (counts.no_place, counts.defaulted, counts.outside) == (64, 60, 6)
    assert dict(counts.missing_days) == {"faits": len(SILENT)}
    assert dict(counts.days) == {"faits": 28}
    # `temoin` is refused, not forgotten; the squares have `nom` and `maire`, that nobody names.
    assert counts.not_named == 2


def test_sums_told_are_those_of_the_tables(told: tuple[Built, Counts]) -> None:
    """Asked again of the files by plain DuckDB, and of the receipts."""
    built, counts = told
    con = duckdb.connect()

    def asked(query: str) -> Any:
        return con.execute(query.replace("@", str(built.out))).fetchall()[0][0]

    aside = asked("SELECT count(*) FROM '@/quarantined/*.parquet'")
    apart = counts.doubles + sum(counts.beyond.values())
    assert sum(counts.set_aside.values()) + apart == aside
    accepted = asked("SELECT count(*) FROM '@/accepted/faits.parquet'") + 4
    assert counts.rows == aside + accepted
    assert counts.facts == asked("SELECT sum(n) FROM '@/cube.parquet'")
    for zone, n in (("no_place", counts.no_place), ("outside", counts.outside)):
        assert n == asked(
            f"SELECT sum(n) FROM '@/observations.parquet' WHERE zone_carres = '{zone}'"
        )
    assert sum(counts.unthemed.values()) == asked(
        "SELECT sum(n) FROM '@/observations.parquet' WHERE category NOT IN ('tapage', 'petard', "
        "'depot')"
    )
    assert counts.rows == sum(one["rows"] for one in built.receipts.values())


def test_lines_tell_these_counts_and_where_to_see_more(told: tuple[Built, Counts]) -> None:
    built, counts = told
    lines = notices.lines(built.city, counts)
    assert len(lines) == 5
    rows, where, themes, silent, door = (line.split(" → ") for line in lines)
    total, of, *parts = numbers(rows[0].split(" ; ")[0])
    assert (total, of) == (17, counts.rows)
    assert sum(parts) == total
    assert "hors de la liste (nature) : 7" in rows[0]
    assert "autres : 2" in rows[0]
    assert "13\u00a0lignes hors période, dans aucun résultat (Faits inventés : 13)" in rows[0]
    assert rows[1] == "data/essai/reports/ingest.html ; make codes CITY=essai SOURCE=faits"
    assert numbers(where[0]) == [64, counts.facts, 60, counts.facts, 6, counts.facts]
    assert numbers(themes[0]) == [22, counts.facts, 1, 22]
    assert numbers(silent[0])[:2] == [3, 28]
    assert "2\u00a0colonnes laissées de côté" in door[0]


def test_run_with_nothing_to_tell_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    squares = made_up.squares()
    for one in squares["features"]:
        del one["properties"]["nom"], one["properties"]["maire"]
    monkeypatch.setattr(made_up, "squares", lambda: squares)
    built = made(tmp_path, fine())
    assert notices.lines(built.city, notices.count(built.city, built.out)) == [NOTHING]


def test_zones_without_outline_and_without_fact_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    squares = made_up.squares()
    squares["features"] = [o for o in squares["features"] if o["properties"]["code"] != "C"]
    monkeypatch.setattr(made_up, "squares", lambda: squares)
    built = made(tmp_path, fine("AB"))
    counts = notices.count(built.city, built.out)
    assert counts.unshaped == ("C",)
    assert counts.empty_zones == ("D",)
    where = notices.lines(built.city, counts)[0]
    assert "1\u00a0zone de « Carrés » sans contour reçu (C)" in where
    assert "1\u00a0zone de « Carrés » sans aucun fait (D)" in where


def test_delivered_files_that_nobody_names_are_counted(tmp_path: Path) -> None:
    built = made(tmp_path, fine())
    inbox = built.city.pack / "livraison"
    inbox.mkdir()
    for name in ("faits.csv", "faits (2).csv", "DUPONT Jean.csv"):
        (inbox / name).write_text("x", encoding="utf-8")
    counts = notices.count(built.city, built.out)
    assert counts.not_read == 2
    assert "DUPONT" not in "".join(notices.lines(built.city, counts))


def test_sums_hold_where_several_sources_have_many(told: tuple[Built, Counts]) -> None:
    """Three are named, the others summed: what is told adds up to the whole."""
    built, _ = told
    aside = {(source, f"hors_bornes:{name}"): n
             for source, first in (("faits", 100), ("carres", 10))
             for n, name in enumerate("abc", first)}  # fmt: skip
    counts = Counts(rows=1000, set_aside=aside, facts=10)
    (line,) = notices.lines(built.city, counts)
    total, of, *parts = numbers(line.split(" → ")[0])
    assert (total, of, sum(parts)) == (336, 1000, 336)
    assert "Faits inventés, hors des bornes (c) : 102" in line
    assert "autres : 33" in line


@pytest.mark.parametrize(
    ("reason", "said"),
    [("hors_liste:type_n2", "hors de la liste (type n2)"), ("annule", "faits annulés"),
     ("donnee_personnelle:téléphone:lieu", "donnée personnelle (téléphone, lieu)"),
     ("du_futur", "du futur"), ("tout_neuf:champ", "tout neuf (champ)")],
)  # fmt: skip
def test_new_reasons_are_told_by_their_own_code(reason: str, said: str) -> None:
    assert reasons.title(reason) == said


def test_codes_of_sources_and_divisions_are_told_by_their_titles() -> None:
    city = City(ROOT / "data/cities/denver")
    odd = Counts(remarks=(
        Remark("unknown_zones", "neighborhoods", "crime", field="x", names=("Z",), n=3),
    ))  # fmt: skip
    line = notices.lines(city, odd)[0]
    assert f"source « {city.contracts['crime'].title} »" in line.replace("Source", "source")
    assert f"le découpage « {city.about.divisions['neighborhoods'].title} »" in line
    assert "crime" not in line.split(" → ")[0]


def test_what_is_odd_in_the_zones_is_told_first_and_the_others_counted() -> None:
    """As the notebook of `ingest` kept it, in its order."""
    odd = Counts(
        facts=9,
        no_place=4,
        remarks=(Remark("rows_united", "d", "s", names=("B",), sizes=(2.0,)),) * 3,
    )
    line = next(iter(notices.lines(City(ROOT / "data/cities/denver"), odd)))
    told = (
        "Découpage « d », source « s » : zones livrées en plusieurs lignes, réunies : "
        "« B » (2\xa0lignes)"
    )
    assert line.startswith(f"{told} (et 2\xa0autres remarques) ; 4\xa0faits sans")
