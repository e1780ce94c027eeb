"""Another key makes other hashes, and nothing else: what is counted and found is the same.

The small city's deliveries pass the door with the key that its name gives, and with another one;
what follows is the same, and so is each result, identifiers apart.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.collect import collect, gate
from helpers.core.base import store
from helpers.core.city import key
from helpers.core.city.city import City
from helpers.core.city.episode_rules import read_rules
from helpers.core.city.names import SPOT
from helpers.core.place_time import points
from helpers.core.stage import params
from helpers.core.stage.receipts import RECEIPTS
from helpers.episodes import episodes
from helpers.hotspots import cells
from helpers.ingest import ingest
from helpers.ingest.sort_rows import sort_rows
from helpers.reliability import drift
from helpers.repeats import knox
from tests.fixtures.real import COLLECT, INGEST
from tests.fixtures.simulated import Made

LINKED = ("main_courante", "intervention", "signalement", "vsi_alerte_agregee")
OTHER = key.public("une autre ville")
NAMED = ("record", "record_a", "record_b", SPOT)  # columns that hold hashes, beside identifiers


@dataclass(frozen=True)
class Both:
    """The city by its own key and by another: receipts, fates, and what is made of them."""

    city: City
    receipts: tuple[dict[str, Any], dict[str, Any]]
    fates: tuple[dict[str, Any], dict[str, Any]]
    raw: tuple[Path, Path]
    out: tuple[Path, Path]


@pytest.fixture(scope="module")
def both(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """The city taken in again by another key; of both, four sources of facts counted."""
    folder = tmp_path_factory.mktemp("other_key")
    raw = folder / "raw"
    raw.mkdir()
    door = gate.Gate(OTHER, COLLECT.place_step_m)
    receipts, fates = {}, {}
    for name, contract in made.city.contracts.items():
        files = collect.received([made.delivered], made.city.about.sources[name].file)
        receipts[name] = gate.take_in(door, contract, files, raw)
        fates[name] = sort_rows(
            store.connect(), contract, raw / f"{name}.parquet", folder, made.city.about.timezone
        )
    door.con.close()
    (raw / RECEIPTS).write_text((made.raw / RECEIPTS).read_text("utf-8"), encoding="utf-8")
    city = copy.copy(made.city)
    wanted = {"quartiers", *LINKED}
    city.__dict__["contracts"] = {n: c for n, c in made.city.contracts.items() if n in wanted}
    city.__dict__["themes"] = {
        n: t for n, t in made.city.themes.items() if wanted.issuperset(t.sources)
    }
    counted = (folder / "own", folder / "other")
    for given, out in zip((made.raw, raw), counted, strict=True):
        ingest.ingest(city, given, out, INGEST)
    return Both(city, (made.receipts, receipts), (made.fates, fates), (made.raw, raw), counted)


def plain(table: pa.Table, hidden: Collection[str]) -> pa.Table:
    """Return the table without the columns that hold hashes."""
    return table.drop_columns([name for name in table.column_names if name in hidden])


def hashes(receipt: Any) -> Any:
    """Return a receipt with a mark in the place of what the key makes."""
    if isinstance(receipt, dict):
        return {hashes(name): hashes(one) for name, one in receipt.items() if name != "key"}
    if isinstance(receipt, list):
        return [hashes(one) for one in receipt]
    return "§" if isinstance(receipt, str) and receipt.startswith("§") else receipt


def test_every_count_of_the_door_is_the_same(both: Both) -> None:
    own, other = both.receipts
    assert hashes(own) == hashes(other)
    assert both.fates[0] == both.fates[1]
    assert sum(fate.get("accepted", 0) for fate in both.fates[0].values()) > 50_000


def test_what_the_door_writes_differs_by_its_hashes_alone(made: Made, both: Both) -> None:
    """Of each source, line by line: in identifiers, in signs of points, in what is off."""
    differ = 0
    for name, contract in made.city.contracts.items():
        own, other = (pq.read_table(raw / f"{name}.parquet") for raw in both.raw)
        assert own.column_names == other.column_names
        for column in own.column_names:
            rule = contract.fields.get(column)
            is_id = rule is not None and rule.type == "id" and not rule.hashed
            hidden = is_id or column == SPOT
            changed, told, gone, odd = _compared(own, other, column, hidden=hidden)
            assert (gone, odd) == (0, 0), (name, column)
            assert not is_id or changed == told, (name, column)
            differ += changed
    assert differ > 10_000


def _compared(own: pa.Table, other: pa.Table, column: str, *, hidden: bool) -> tuple[int, ...]:
    """Return cells changed, told, told on one side alone, and changed otherwise than a hash may."""
    pairs = pa.table({"a": own[column], "b": other[column]})
    with duckdb.connect() as con:
        con.register("pairs", pairs)
        rule = "regexp_replace(CAST({} AS VARCHAR), '^(§[^:]+):.*', '\\1')"
        odd = f"{rule.format('a')} != {rule.format('b')}" if not hidden else "false"
        row = con.execute(
            "SELECT count(*) FILTER (a != b), count(a), count(*) FILTER ((a IS NULL) != "
            f"(b IS NULL)), count(*) FILTER ({odd}) FROM pairs"
        ).fetchall()[0]
    return tuple(map(int, row))


def test_points_that_many_share_are_the_same_ones(made: Made, both: Both) -> None:
    """The sign of a point is its key's: which points have the same, and how many, is not."""
    for source in LINKED[:3]:
        about = made.city.contracts[source]
        assert about.point is not None
        lon, lat = about.point
        own, other = (
            duckdb.sql(
                f"SELECT {lon}, {lat}, count(*) FROM '{raw}/{source}.parquet' "
                f"GROUP BY {lon}, {lat}, {SPOT} ORDER BY ALL"
            ).fetchall()
            for raw in both.raw
        )
        assert own == other


@pytest.mark.parametrize("name", ["cube", "zones", "observations"])
def test_what_is_counted_is_the_same(both: Both, name: str) -> None:
    own, other = (_sorted(out / f"{name}.parquet") for out in both.out)
    assert own.equals(other)
    assert own.num_rows > 100


def _sorted(path: Path) -> pa.Table:
    table = plain(pq.read_table(path), NAMED)
    with duckdb.connect() as con:
        con.register("told", table)
        return con.execute("SELECT * FROM told ORDER BY ALL").to_arrow_table()


def found(city: City, out: Path) -> dict[str, Any]:
    """Return what is found in the city counted in `out`: every table, identifiers apart."""
    con = store.connect()
    for name in ("observations", "cube", "zones"):
        store.view(con, name, out / f"{name}.parquet")
    rules = read_rules(city)
    assert rules is not None
    files = {name: out / f"accepted/{name}.parquet" for name in rules.sources}
    episodes.register_places(con, city, rules, files)
    knobs = params.knobs("episodes")
    fitted = episodes.find(con, city, rules, knobs)
    told: dict[str, Any] = {"summary": episodes.summary(con)}
    for name in ("links", "episodes", "weights"):
        con.register("told", plain(con.execute(f"SELECT * FROM {name}").to_arrow_table(), NAMED))
        told[name] = con.execute("SELECT * FROM told ORDER BY ALL").fetchall()
        con.unregister("told")
    told["counts"] = episodes.count(con, fitted, knobs).to_pylist()
    told["combinations"] = episodes.combinations(con)
    shown = episodes.example(con) or {}
    told["example"] = {name: one for name, one in shown.items() if name not in NAMED}
    repeats = params.knobs("repeats").model_copy(
        update={"permutations": 19, "maximum_pairs": 50, "minimum_count": 30}
    )
    told["bands"], told["risk"] = (
        one.to_pylist() for one in knox.find(con, city, files, repeats, 1)
    )
    hot = params.knobs("hotspots").model_copy(update={"draws": 9})
    facts = points.by_theme(con, city, files, hot.window_days)
    told["hot"] = cells.find(con, city, hot, 1, points=facts).to_pylist()
    con.close()
    return told


def test_what_is_found_is_the_same(both: Both) -> None:
    """Links, repeats (of a part of the facts, drawn), hot cells: no draw and no tie by a hash."""
    own, other = (found(both.city, out) for out in both.out)
    assert own.keys() == other.keys()
    for name, one in own.items():
        assert one == other[name], name
    assert len(own["links"]) > 1000
    assert any(row["drawn"] is not None and row["drawn"] < 1 for row in own["bands"])


def test_new_codes_are_numbered_alike() -> None:
    """By when they came, then by how often and when: two codes of one day, whatever their hash."""
    days = [dt.date(2024, 1, 1) + dt.timedelta(weeks=week) for week in range(2)]
    told = ({days[0]: 500}, {days[0]: 400, days[1]: 300}, {days[1]: 900})
    numbers = []
    for one in (key.public("essai"), OTHER):
        codes = [f"§liste:{one.hash(word)}" for word in ("bruit", "rixe", "dépôt")]
        given = drift.numbered(dict(zip(codes, told, strict=True)))
        numbers.append([given[code] for code in codes])
    assert numbers[0] == numbers[1]
    assert numbers[0][2] == "§3"
