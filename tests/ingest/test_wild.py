"""Rows of every kind: the fate that each deserves, whatever its order, and nothing lost."""

from __future__ import annotations

import copy
import csv
import datetime as dt
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers.collect import collect
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.ingest import ingest, words
from tests.fixtures.made_up import (
    CITY,
    FACTS,
    THEMES,
    build_made_up,
    fact,
    hashed,
    middle,
    write_pack,
)
from tests.fixtures.real import COLLECT, INGEST, ROOT, Built, build, read_csv
from tests.ingest.test_ingest import results, rows_of

# --- Wild rows -------------------------------------------------------------------------------

GOOD_MOMENTS = ("2024-02-29T10:15:00", "2024-07-01T12:00:00", "2023-12-31T23:59:59")
BAD_MOMENTS = ("2023-02-29T10:15:00", "01/07/2024", "hier", "2024-13-01T00:00:00", "2024-07-01")
FIRST, LAST = (dt.date.fromisoformat(CITY["period"][end]) for end in ("start", "end"))
KEPT = ("accepted", "hors_periode")  # fates of the version that wins
A_LON, A_LAT = (f"{value:.6f}" for value in middle("A"))
ROW = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", " ", "F1", "F2", "F3", "F4", "F5", " F5 "]),
        "nature": st.sampled_from(["tapage", "depot", "petard", "x", "", "autre", "Tapage"]),
        "debut": st.sampled_from(["", *GOOD_MOMENTS, *BAD_MOMENTS]),
        "fin": st.sampled_from(["", "", "", *GOOD_MOMENTS, *BAD_MOMENTS]),
        "lon": st.sampled_from(["", A_LON, "5,3698", "0", "est", "5.1"]),
        "lat": st.sampled_from(["", A_LAT, "43,2965", "91", "nord"]),
        "carre": st.sampled_from(["", "A", "D", "Z"]),
        "qui": st.sampled_from(["", "habitant", "patrouille", "autre"]),
        "nombre": st.sampled_from(["", "0", "1", "7", "-1", "51", "deux", "1.5"]),
        "temoin": st.just("quelqu'un"),
    }
)


MOMENT, INTERCHANGED = "%Y-%m-%dT%H:%M:%S", "%Y-%d-%mT%H:%M:%S"


def parsed(text: str, form: str = MOMENT) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, form)
    except ValueError:
        return None


def off(text: str) -> bool:
    """Tell whether a moment is one with day and month interchanged alone."""
    return parsed(text) is None and parsed(text, INTERCHANGED) is not None


def refused(rows: list[dict[str, str]]) -> bool:
    """Tell whether a field's days and months are interchanged, for all that its rows say."""
    for name in ("debut", "fin"):
        texts = [row[name].strip() for row in rows]
        days = [moment.day for moment in map(parsed, texts) if moment]
        if sum(map(off, texts)) >= 2 and max(days, default=0) <= 12:
            return True
    return False


def as_float(text: str) -> float | None:
    try:
        return float(text)  # the contract says that decimals are points
    except ValueError:
        return None


def as_int(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def faults(row: dict[str, str]) -> list[str]:
    """Say in plain Python what the contract holds against a row, in the order of its fields."""
    found = []
    text = {name: value.strip() for name, value in row.items()}
    # Not the point: a fact whose place cannot be read is still a fact.
    for name in ("id", "nature", "debut", "fin", "nombre"):
        value = text[name]
        if not value:
            if FACTS["fields"][name].get("required"):
                found.append(f"manquant:{name}")
        elif name == "nature" and value not in FACTS["fields"]["nature"]["values"]:
            found.append(f"hors_liste:{name}")
        elif name in ("debut", "fin") and parsed(value) is None:
            found.append(f"{'jour_mois' if off(value) else 'illisible'}:{name}")
        elif name == "nombre":
            number, rule = as_int(value), FACTS["fields"][name]
            if number is None:
                found.append(f"illisible:{name}")
            elif not rule["minimum"] <= number <= rule["maximum"]:
                found.append(f"hors_bornes:{name}")
    start, end = parsed(text["debut"]), parsed(text["fin"])
    if not found and start and end and end < start:
        found.append("incoherent:fin_avant_debut")
    return found


def content(row: dict[str, str]) -> tuple[Any, ...]:
    """Return what a sound row says, in its types."""
    text = {name: value.strip() or None for name, value in row.items()}
    bounds = [
        (FACTS["fields"][n]["minimum"], FACTS["fields"][n]["maximum"]) for n in ("lon", "lat")
    ]
    point = (as_float(text["lon"] or ""), as_float(text["lat"] or ""))
    if not all(v is not None and a <= v <= b for v, (a, b) in zip(point, bounds, strict=True)):
        point = (None, None)
    when = (parsed(text["debut"] or ""), parsed(text["fin"] or ""))
    rest = (as_int(text["nombre"] or ""), text["nature"], text["carre"], text["qui"])
    return (text["id"], *when, *point, *rest)


def check_fates(rows: list[dict[str, str]], fates: list[str]) -> None:
    """One version a record is accepted; the others are its doubles, or contents beside it.

    In one delivery, and without a date of revision, nothing tells which of them is the later one.
    """
    groups: dict[str, list[tuple[str, tuple[Any, ...]]]] = {}
    for row, fate in zip(rows, fates, strict=True):
        fault = faults(row)
        if fault:
            assert fate == fault[0]
        else:
            groups.setdefault(row["id"].strip(), []).append((fate, content(row)))
    for versions in groups.values():
        ((told, kept),) = (one for one in versions if one[0] in KEPT)
        outside = not FIRST <= kept[1].date() <= LAST
        assert told == ("hors_periode" if outside else "accepted")
        others = [one for one in versions if one[0] not in KEPT]
        apart = {True: "duplicate", False: "conflit:cle"}
        assert all(fate == apart[said == kept] for fate, said in others)


def fates_found(built: Built) -> list[str]:
    rows = [(row[0], "accepted") for row in rows_of(built.out / "accepted/faits.parquet")]
    rows += duckdb.sql(
        f"SELECT row_number, reason FROM '{built.out}/quarantined/faits.parquet'"
    ).fetchall()
    return [fate for _, fate in sorted(rows)]


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=25))
@example(rows=[fact(1), fact(1), fact(2, debut="hier"), fact(2), fact(2, qui="patrouille")])
@example(rows=[fact(1, nombre="1.5")])
@example(rows=[fact(n, debut="2024-13-01T00:00:00") for n in (1, 2)])
@example(rows=[fact(1, debut="2024-13-01T00:00:00"), fact(2, debut="2023-12-31T23:59:59")])
def test_every_row_has_the_fate_that_its_faults_deserve(rows: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if refused(rows):
            with pytest.raises(PhareError, match="jour et mois échangés"):
                build_made_up(Path(folder), rows)
            return
        built = build_made_up(Path(folder), rows)
        fates = fates_found(built)
        check_fates(rows, fates)
        assert built.fates["faits"] == dict(Counter(fates))
        accepted = [r for r, fate in zip(rows, fates, strict=True) if fate == "accepted"]
        facts = sum(int(row["nombre"]) for row in accepted)
        found = ingest.totals(built.city, built.out / "cube.parquet")
        assert {sum(row.values()) for row in found.values()} == {facts}
        by_nature: Counter[str] = Counter()
        for row in accepted:
            by_nature[row["nature"].strip()] += int(row["nombre"])
        told = dict(built.rows("SELECT category, CAST(sum(n) AS BIGINT) FROM cube GROUP BY 1"))
        assert told == dict(by_nature)


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(ROW, min_size=2, max_size=25), order=st.randoms(use_true_random=False))
def test_order_of_wild_rows_changes_no_byte(
    rows: list[dict[str, str]], order: random.Random
) -> None:
    """Rows with one key are equal here: which of two that differ is kept is told by the order."""
    same = {row["id"].strip(): row for row in rows if not faults(row)}
    rows = [same.get(row["id"].strip(), row) for row in rows]
    shuffled = list(rows)
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first, second = build_made_up(Path(one), rows), build_made_up(Path(other), shuffled)
        assert results(first.out) == results(second.out)


def test_quarantined_row_keeps_the_trace_of_what_came_and_nothing_refused(tmp_path: Path) -> None:
    built = build_made_up(tmp_path, [fact(1, debut="hier", nombre="99")])
    found = duckdb.sql(f"SELECT * FROM '{built.out}/quarantined/faits.parquet'")
    row = dict(zip(found.columns, found.fetchall()[0], strict=True))
    assert row["debut"] == f"§illisible:{hashed('hier')}"
    assert row["nombre"] == f"§bornes:{hashed('99')}"
    assert row["reason"] == "illisible:debut"
    assert "temoin" not in row


def test_category_without_theme_stays_in_the_cube(tmp_path: Path) -> None:
    built = build_made_up(tmp_path, [fact(1), fact(2, nature="x")])
    assert built.rows("SELECT theme, category, n FROM cube ORDER BY 1") == [
        ("bruit", "tapage", 1),
        ("sans_theme", "x", 1),
    ]


def facts_counted(folder: Path, rows: list[dict[str, str]], **pack: Any) -> int | str:
    """Return how many facts the cube holds, or what the refusal says."""
    try:
        built = build_made_up(folder, rows, **pack)
    except PhareError as error:
        return str(error)
    total: int = built.rows("SELECT CAST(sum(n) AS BIGINT) FROM cube")[0][0]
    return total


def test_category_listed_twice_in_a_theme_counts_once_or_is_refused(tmp_path: Path) -> None:
    themes = copy.deepcopy(THEMES)
    themes["themes"]["bruit"]["categories"] = ["tapage", "petard", "tapage"]
    found = facts_counted(tmp_path, [fact(1)], themes=themes)
    assert found == 1 or "tapage" in str(found)


def test_rows_without_a_key_are_not_each_others_duplicates(tmp_path: Path) -> None:
    """Two rows that give no number are two facts; or a key must be a required field."""
    facts = copy.deepcopy(FACTS)
    facts["fields"]["id"]["required"] = False
    rows = [fact(1, id=""), fact(2, id="", debut="2024-05-02T11:00:00")]
    found = facts_counted(tmp_path, rows, facts=facts)
    assert found == 2 or "id" in str(found)


@pytest.mark.parametrize("dropped", ["fin", "lon", "carre", "qui"])
def test_column_of_the_observation_absent_from_the_file_is_told_or_stated(
    dropped: str, tmp_path: Path
) -> None:
    """A whole file without one: a sentence, unless the contract says that an edition has none."""
    city = build_made_up(tmp_path, [fact(1)]).city
    path = tmp_path / "livraison/faits.csv"
    rows = [{k: v for k, v in row.items() if k != dropped} for row in read_csv(path, delimiter=";")]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(PhareError, match=f"colonne absente : {dropped}"):
        build(city, tmp_path, tmp_path / "encore")
    without = {"version": "sans", "file": FACTS["file"], "absent": [dropped]}
    city = write_pack(tmp_path, facts={**FACTS, "editions": [without]})
    built = build(city, tmp_path, tmp_path / "enfin")
    assert built.fates["faits"] == {"accepted": 1}
    assert built.rows("SELECT CAST(sum(n) AS BIGINT) FROM cube") == [(1,)]


@pytest.mark.parametrize(
    ("month", "day", "hhmm"), [("2", "31", "1000"), ("4", "31", "0"), ("1", "1", "1275")]
)
def test_date_in_parts_that_does_not_exist_is_set_aside(
    month: str, day: str, hhmm: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("quartiers.geojson", "population.csv", "meteo_marignane_1980_2024.csv",
                 "om_domicile.csv", "om_affluence_2022_23.csv",
                 "faits_par_service_2012_2020.csv"):  # fmt: skip
        shutil.copy(shared / "marseille" / name, tmp_path / name)
    rows = [
        f"1,2013,{month},{day},{hhmm},1,1,1,1,2,13211,43.28314,5.50554,complet",
        "2,2013,4,9,1600,1,1,1,1,2,13211,43.28314,5.50554,complet",
    ]
    header = "Num_Acc,annee,mois,jour,hrmn,lum,agg,int,atm,col,insee,lat,lon,echantillon"
    text = "\n".join([header, *rows]) + "\n"
    (tmp_path / "accidents_2013_2015_2020.csv").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PHARE_FROM", str(tmp_path))
    city = City(ROOT / "data/cities/marseille_ouvert")
    collect.collect(city, ROOT, tmp_path / "raw", COLLECT)
    fates = ingest.ingest(city, tmp_path / "raw", tmp_path / "out", INGEST)["accidents"]
    assert fates.pop("accepted") == 1
    assert sum(fates.values()) == 1


def test_theme_severity_follows_the_fact(tmp_path: Path) -> None:
    built = build_made_up(tmp_path, [fact(1), fact(2, nature="depot")])
    found = built.rows("SELECT theme, severity FROM observations ORDER BY 1")
    assert found == [("bruit", 2), ("depots", 1)]


def test_zones_file_has_every_zone_of_every_division(open_marseille: Built) -> None:
    found = dict(open_marseille.rows("SELECT division, count(*) FROM zones GROUP BY 1"))
    assert found == {"quartiers": 111, "arrondissements": 16, "services": 3}
    drawn = open_marseille.rows(
        "SELECT DISTINCT division FROM zones WHERE geometry IS NULL OR area_km2 IS NULL"
    )
    assert drawn == [("services",)]


def test_city_without_observations_is_refused(tmp_path: Path) -> None:
    built = build_made_up(tmp_path, [fact(1)])
    pack = built.city.pack
    about = yaml.safe_load((pack / "city.yaml").read_text(encoding="utf-8"))
    del about["sources"]["faits"]
    (pack / "city.yaml").write_text(yaml.safe_dump(about), encoding="utf-8")
    (pack / "themes.yaml").write_text("themes: {}\n", encoding="utf-8")
    with pytest.raises(PhareError, match="observations"):
        ingest.ingest(City(pack), built.raw, tmp_path / "rien", INGEST)


def test_tables_for_people_tell_the_same_numbers(tmp_path: Path) -> None:
    rows = [fact(1), fact(1), fact(2, debut="hier"), fact(3, lon="", lat="")]
    built = build_made_up(tmp_path, rows)
    line = words.fates(built.city, built.fates).splitlines()[-1]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == ["Faits inventés", "4", "2", "1", "0", "0", "0", "illisible:debut : 1"]
    found = ingest.totals(built.city, built.out / "cube.parquet")
    assert found["cell"] == {"inside": 1, "outside": 0, "no_place": 1}
    told = words.answer(built.fates, found).replace("\xa0", " ")  # the four squares count too
    assert "6 acceptées + 1 écartée + 1 en double" in told
