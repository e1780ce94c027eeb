"""k-anonymity held against a plain count of the same rows."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.core.city.city import City
from helpers.uniqueness import figures, k_anonymity, words
from helpers.uniqueness.knobs import Knobs
from tests.fixtures.made_up import write_pack

KNOBS = Knobs(smallest_group=3, tolerated_share=0.01)
ROW = st.tuples(
    st.sampled_from(["bruit", "depot"]),
    st.sampled_from([(5.371, 43.291), (5.372, 43.291), (5.39, 43.30), None]),
    st.sampled_from([dt.datetime(2024, 5, day, hour, 10) for day in (1, 2) for hour in (8, 9)]),
)


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path)


def lay(con: duckdb.DuckDBPyConnection, city: City, folder: Path, rows: list[tuple]) -> Path:  # type: ignore[type-arg]
    """Make view `observations` and the accepted file of rows (category, point, moment)."""
    rule = city.contracts["faits"].observation
    assert rule is not None
    assert rule.longitude
    assert rule.latitude
    points = [point or (None, None) for _, point, _ in rows]
    accepted = pa.table(
        {
            "record": pa.array(range(len(rows)), pa.uint64()),
            rule.longitude: pa.array([p[0] for p in points], pa.float64()),
            rule.latitude: pa.array([p[1] for p in points], pa.float64()),
        }
    )
    pq.write_table(accepted, folder / "faits.parquet")
    placed = [None if p is None else ("west" if p[0] < 5.38 else "east") for _, p, _ in rows]
    told = {
        "record": pa.array(range(len(rows)), pa.uint64()),
        "source": ["faits"] * len(rows),
        "category": [category for category, _, _ in rows],
        "started_at": pa.array([when for _, _, when in rows], pa.timestamp("us")),
        "ended_at": pa.array([when for _, _, when in rows], pa.timestamp("us")),
        "hour": pa.array([when.replace(minute=0) for _, _, when in rows], pa.timestamp("us")),
        "hour_end": pa.array([when.replace(minute=0) for _, _, when in rows], pa.timestamp("us")),
        "cell": pa.array(placed, pa.string()),
    }
    zones = pa.array([zone or "west" for zone in placed])  # declared, where there is no point
    told |= {f"zone_{name}": zones for name in city.about.divisions}
    con.register("observations", pa.table(told))
    return folder / "faits.parquet"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=40))
def test_each_grain_is_a_plain_count(
    city: City,
    memory: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    rows: list[tuple],  # type: ignore[type-arg]
) -> None:
    path = lay(memory, city, tmp_path, rows)
    found = {
        (row["place"], row["time"]): row
        for row in k_anonymity.measure(memory, city, {"faits": path}, KNOBS).to_pylist()
    }
    coarse = {None: "west"} | {p: "west" if p[0] < 5.38 else "east" for _, p, _ in rows if p}
    exact = {p: (p, zone) for p, zone in coarse.items()}
    cells = {p: (p is None, zone) for p, zone in coarse.items()}
    for place, where in {"point": exact, "cell": cells, "zone": coarse}.items():
        for time, when in {
            "moment": lambda t: t,
            "day": lambda t: t.date(),
            "month": lambda t: (t.year, t.month),
        }.items():
            groups = Counter((c, where[p], when(t)) for c, p, t in rows)  # type: ignore[no-untyped-call]
            row = found[place, time]
            assert row["n"] == len(rows)
            assert row["alone"] == sum(k == 1 for k in groups.values())
            assert row["few"] == sum(k for k in groups.values() if k < KNOBS.smallest_group)


def test_coarser_never_singles_out_more(
    city: City, memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = [
        ("bruit", (5.30 + i % 7 / 100, 43.3), dt.datetime(2024, 1 + i % 3, 1 + i % 20, i % 24))
        for i in range(200)
    ]
    path = lay(memory, city, tmp_path, rows)
    table = k_anonymity.measure(memory, city, {"faits": path}, KNOBS).to_pylist()
    alone = {(row["place"], row["time"]): row["alone"] for row in table}
    for place in k_anonymity.PLACES:
        counts = [alone[place, time] for time in k_anonymity.TIMES]
        assert counts == sorted(counts, reverse=True)
    assert alone["point", "moment"] > alone["zone", "month"] == 0


def test_words_tell_the_first_grain_that_is_enough(
    city: City, memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    day = dt.datetime(2024, 5, 1)
    rows = [("bruit", (5.30 + i / 1000, 43.3), day + dt.timedelta(minutes=i)) for i in range(40)]
    table = k_anonymity.measure(memory, city, {"faits": lay(memory, city, tmp_path, rows)}, KNOBS)
    said = words.in_words(table, city, KNOBS).replace("\u202f", " ").replace("\xa0", " ")
    assert "au point et à l'instant, 100,0 % des lignes n'ont pas leur pareille (40 lignes)" in said
    assert "à la maille et au jour, 0,0 % sont moins de 3 à se ressembler" in said
    assert figures.alone(table, city).chart.to_dict()["layer"]


def test_words_say_so_when_no_grain_is_enough(
    city: City, memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = [("bruit", (5.30, 43.3), dt.datetime(2024, 5, 1))]
    table = k_anonymity.measure(memory, city, {"faits": lay(memory, city, tmp_path, rows)}, KNOBS)
    assert "encore à la zone et au mois, 100,0\u202f% sont moins de 3" in words.in_words(
        table, city, KNOBS
    )


@pytest.mark.parametrize(
    ("count", "total", "said"),
    [(1, 5000, "moins de 0,1 %"), (4999, 5000, "plus de 99,9 %"), (0, 5000, "0,0 %"),
     (5, 5000, "0,1 %"), (0, 0, "sans objet")],
)  # fmt: skip
def test_share_is_never_rounded_to_none_or_all(count: int, total: int, said: str) -> None:
    assert words.share(count, total).replace("\u202f", " ").replace("\xa0", " ") == said
