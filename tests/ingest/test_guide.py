"""The guide of dates, hours and points: each of its blocks is a contract that does what it says."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures.cases import build_template, csv_of, template_contract
from tests.fixtures.real import ROOT

GUIDE = ROOT / "docs/guides/ecrire-dates-heures-et-points.md"
BLOCK = re.compile(r"```yaml\n# essai: (\w+)\n(.*?)```", re.DOTALL)
Row = tuple[object, ...]
# block → the fields of time of rows, and of each its hours and how well they are known.
TRIED: dict[str, list[tuple[Row, str, str, str]]] = {
    "date_en_colonnes": [
        (("2024", 3, 5), "2024-03-05T00", "2024-03-05T23", "day"),
        (("2024", 4, ""), "2024-04-01T00", "2024-04-30T23", "month"),
    ],
    "date_et_heure": [
        (("05/03/2024", "14h30"), "2024-03-05T14", "2024-03-05T14", "minute"),
        (("06/03/2024", ""), "2024-03-06T00", "2024-03-06T23", "day"),
    ],
    "heure_seule": [
        (("05/03/2024", 14), "2024-03-05T14", "2024-03-05T14", "hour"),
        (("06/03/2024", 99), "2024-03-06T00", "2024-03-06T23", "day"),
        (("07/03/2024", 24), "2024-03-07T00", "2024-03-07T23", "day"),
    ],
    "valeurs_inconnues": [
        (("2024-01-01 00:00",), "2024-01-01T00", "2024-12-31T23", "year"),
        (("2024-03-05 00:00",), "2024-03-05T00", "2024-03-05T23", "day"),
        (("2024-03-06 09:10",), "2024-03-06T09", "2024-03-06T09", "minute"),
    ],
    "points_ramenes": [(("2024-03-06 09:10",), "2024-03-06T09", "2024-03-06T09", "minute")],
}


def blocks() -> dict[str, dict[str, Any]]:
    """Return name → the part of a contract, of each block of the guide."""
    return {name: yaml.safe_load(text) for name, text in BLOCK.findall(GUIDE.read_text("utf-8"))}


def test_every_block_is_tried() -> None:
    assert set(blocks()) == set(TRIED)


@pytest.mark.parametrize("name", TRIED)
def test_block_does_what_the_guide_says(name: str, tmp_path: Path) -> None:
    told = blocks()[name]
    contract = template_contract(**told["observation"])
    own = contract["fields"]
    contract["fields"] = {k: v for k, v in own.items() if k != "debut"} | told["fields"]
    columns = ["id", "nature", "longitude", "latitude", "origine", *told["fields"]]
    rows = [
        (f"F{i}", "depot", "5.365", "43.295", "habitant", *row)
        for i, (row, *_) in enumerate(TRIED[name])
    ]
    built = build_template(tmp_path, csv_of(columns, rows), contract)
    assert built.fates["faits"] == {"accepted": len(rows)}
    found = built.rows("SELECT hour, hour_end, time_precision FROM observations ORDER BY 1, 2 DESC")
    at = dt.datetime.fromisoformat
    assert found == [(at(first), at(last), known) for _, first, last, known in TRIED[name]]
    places = built.rows("SELECT DISTINCT place_precision FROM observations")
    assert places == [("snapped" if name == "points_ramenes" else "point",)]
