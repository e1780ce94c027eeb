"""What a city calls its fields is its own affair: a name of ours is no hindrance, or is told."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import duckdb
import pytest

from helpers.core.base.errors import PhareError
from helpers.core.stage import params
from helpers.ingest import ingest, remarks
from helpers.reliability import drift, grades, silence, weekly_grades
from tests.fixtures.made_up import FACTS, build_made_up, fact, write_pack
from tests.fixtures.real import ROOT, Built

ROLES = ("id", "nature", "debut", "fin", "lon", "lat", "carre", "qui", "nombre", "libre")
KNOBS = params.knobs("reliability", ROOT)


def facts(names: tuple[str, ...] = ROLES) -> dict[str, Any]:
    """Return the contract with its fields called so, each read in its usual column."""
    called = dict(zip(ROLES, names, strict=True))
    told = copy.deepcopy(FACTS)
    held = told["fields"] | {"libre": {"type": "enum", "values": ["habitant"], "column": "qui"}}
    told["fields"] = {called[n]: {"column": n, **rule} for n, rule in held.items()}
    # A field that tells another column beside would set rows aside: it only stands there.
    told["fields"][called["libre"]]["values"] = ["habitant", "patrouille", "autre"]
    told["key"], told["revised_at"] = [called["id"]], called["debut"]
    rule = told["observation"]
    for key in ("category", "started_at", "ended_at", "longitude", "latitude", "count"):
        rule[key] = called[rule[key]]
    for part in (rule["declared_zone"], rule["origin"]):
        part["field"] = called[part["field"]]
    rule["cancels"] = [[called["nature"], called["debut"]]]
    told["fields"][called["nombre"]]["minimum"] = -50
    return told


def rows() -> list[dict[str, str]]:
    found = [fact(i, carre="B" if i % 3 else "", fin="2024-07-01T13:00:00") for i in range(60)]
    found += [fact(1, nature="petard"), fact(2), fact(3, debut="2024-08-01T12:00:00")]
    found += [fact(98, debut="2020-07-01T12:00:00"), fact(99, nature="zz")]
    return [*found, fact(97, nombre="-1", debut="2024-07-01T12:00:00"), fact(96, lon="", lat="")]


def told_of(built: Built) -> tuple[Any, ...]:
    """Return all that the rooms that read rows by their fields say of the city."""
    con = built.connect()
    city, out = built.city, built.out
    days, _ = silence.find(con, city, KNOBS)
    con.register("days", days)
    con.register("weeks", grades.weeks(con, city, days))
    weekly_grades.read_faults(con, city, out)
    observed = duckdb.sql(f"SELECT * FROM '{out}/observations.parquet' ORDER BY ALL").fetchall()
    found = (
        observed, grades.accounts(city, out)[1]["accepted"], remarks.remarks(city, out),
        ingest.default_points(city, out), con.execute("SELECT * FROM faults").fetchall(),
        [drift.weekly_texts(con, city.contracts["faits"], out, "Europe/Paris", name)
         for name in (city.contracts["faits"].observation.category,)],
    )  # fmt: skip
    con.close()
    return found


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    return told_of(build_made_up(tmp_path_factory.mktemp("usual"), rows(), facts=facts()))


@pytest.mark.parametrize(
    "names",
    [
        ("rank", "content", "revised", "ended", "level", "began", "source", "origin", "n", "size"),
        ("source", "theme", "started", "hour", "lat", "lon", "zone", "place", "count", "slot"),
        ("place_precision", "code", "began", "recorded", "cell", "record_", "category", "level",
         "size", "date"),
        ("last_rank", "fate", "code", "hour_end", "x", "y", "zone_carres", "raw", "losers", "sums"),
        ("select", "severity", "accepted", "working_day", "group", "order", "told", "index", "v",
         "winner"),
    ],
)  # fmt: skip
def test_a_name_of_ours_changes_nothing(
    names: tuple[str, ...], usual: tuple[Any, ...], tmp_path: Path
) -> None:
    assert told_of(build_made_up(tmp_path, rows(), facts=facts(names))) == usual
    assert len(usual[0]) >= 55


@pytest.mark.parametrize(
    "name",
    ["reason", "REASON", "record", "remark", "row_number", "delivery", "fault", "geometry",
     "spot_sign", "@rank", "Nature"],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused_with_its_file_and_key(name: str, tmp_path: Path) -> None:
    with pytest.raises(PhareError) as error:
        write_pack(tmp_path, facts=facts((*ROLES[:-1], name))).contracts  # noqa: B018
    assert f"`fields.{name}`" in error.value.what
    assert "faits.yaml" in error.value.where
    assert "`column: qui`" in error.value.what
