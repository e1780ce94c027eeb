"""Of every pack at hand: each row has one fate, and what a run ends with adds up to the tables.

Asked again of the files written, and of the receipts, by plain DuckDB.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from helpers.core.city import remark
from helpers.core.city.city import City
from helpers.core.stage import notices, params
from helpers.core.stage.notices import Counts
from helpers.core.stage.receipts import read_receipts
from helpers.ingest import ingest, remarks
from helpers.reliability import pile_ups, silence
from tests.fixtures.once import once
from tests.fixtures.real import INGEST, ROOT, Built, build
from tests.fixtures.simulated import Made

BUILT = {"denver": "denver", "marseille_ouvert": "open_marseille"}  # made once for other tests too
PACKS = ("denver", "marseille_ouvert", "france", "paris", "stlouis", "marseille")


def _judged(city: City, out: Path) -> None:
    """Write what `notices` reads of the stages that follow: the days, and what is odd."""
    con = duckdb.connect()
    for name in ("cube", "observations", "zones"):
        con.execute(f"CREATE VIEW {name} AS SELECT * FROM '{out}/{name}.parquet'")
    for stage in ("ingest", "reliability"):
        (out / "derived" / stage).mkdir(parents=True, exist_ok=True)
    days, _ = silence.find(con, city, params.knobs("reliability", ROOT))
    pq.write_table(pile_ups.find(con, city), out / "derived/reliability/pile_ups.parquet")
    con.close()
    pq.write_table(days, out / "derived/reliability/days.parquet")
    pq.write_table(remark.table(remarks.remarks(city, out)), out / "derived/ingest/remarks.parquet")


@pytest.fixture(scope="module", params=PACKS)
def told(
    request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[City, Path, Counts]:
    name = request.param
    assert shared.is_dir()
    if name == "marseille":
        made: Made = request.getfixturevalue("made")
        city, out = made.city, tmp_path_factory.mktemp("marseille")
        ingest.ingest(city, made.raw, out, INGEST)
        (out / "raw").symlink_to(made.raw)
    elif name in BUILT:
        built: Built = request.getfixturevalue(BUILT[name])
        city, out = built.city, tmp_path_factory.mktemp(name)
        for path in built.out.iterdir():
            (out / path.name).symlink_to(path)
    else:
        city = City(ROOT / "data/cities" / name)
        out = once(tmp_path_factory, name, lambda folder: build(city, ROOT, folder) and None)
    _judged(city, out)
    return city, out, notices.count(city, out)


def _asked(out: Path, query: str) -> list[tuple[Any, ...]]:
    return duckdb.sql(query.replace("@", str(out))).fetchall()


def test_every_row_received_has_one_fate(told: tuple[City, Path, Counts]) -> None:
    city, out, counts = told
    whole = 0
    for source, receipt in read_receipts(out / "raw").items():
        ((accepted,),) = _asked(out, f"SELECT count(*) FROM '@/accepted/{source}.parquet'")
        ((aside,),) = _asked(out, f"SELECT count(*) FROM '@/quarantined/{source}.parquet'")
        assert accepted + aside == receipt["rows"], source
        assert receipt["rows"] == sum(one["rows"] for one in receipt["files"])
        whole += aside
    assert sum(counts.set_aside.values()) + counts.doubles + sum(counts.beyond.values()) == whole
    assert set(city.contracts) == set(read_receipts(out / "raw"))


def test_facts_are_in_a_zone_outside_of_all_or_without_place(
    told: tuple[City, Path, Counts],
) -> None:
    """In every division the same facts, and no more than were accepted."""
    city, out, counts = told
    ((facts,),) = _asked(out, "SELECT coalesce(sum(n), 0) FROM '@/cube.parquet'")
    assert counts.facts == facts
    for division in city.about.divisions:
        found = _asked(out, f"SELECT zone_{division}, sum(n) FROM '@/cube.parquet' GROUP BY 1")
        held: Counter[str] = Counter({zone or "no_place": int(n) for zone, n in found})
        assert sum(held.values()) == facts, division
        if division == city.about.main_division:
            assert (held["no_place"], held["outside"]) == (counts.no_place, counts.outside)


def test_lines_add_up_to_the_counts(told: tuple[City, Path, Counts]) -> None:
    """Read in the sentences: a total, out of how many, and parts that make the total."""
    city, out, counts = told
    lines = notices.lines(city, counts)
    assert 1 <= len(lines) <= 5
    text = "\n".join(lines)
    total = sum(counts.set_aside.values())
    if total:
        first = r"([\d\u202f]+)\u00a0lignes? écartées? sur ([\d\u202f]+) \((.*?)\)(?= ; | →)"
        said = re.search(first, text)
        assert said
        parts = [_number(one) for one in re.findall(r" : ([\d\u202f]+)(?=,|$)", said[3])]
        assert (sum(parts), _number(said[2])) == (total, counts.rows)
        assert _number(said[1]) == total
    unthemed = sum(counts.unthemed.values())
    if unthemed:
        said = re.search(r"d'aucun thème : .*? \((.*)\) → themes", text)
        assert said
        parts = [_number(one) for one in re.findall(r" : ([\d\u202f]+)(?=,|$)", said[1])]
        assert sum(parts) == unthemed
    ((missing,),) = _asked(
        out, "SELECT count(*) FROM '@/derived/reliability/days.parquet' WHERE division = 'ville' "
        "AND status = 'missing'",
    )  # fmt: skip
    days = re.findall(r"([\d\u202f]+)\u00a0jours? manquants?", text)
    assert sum(map(_number, days)) == missing == sum(counts.missing_days.values())


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text))
