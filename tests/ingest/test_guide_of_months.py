"""The guide's own blocks of YAML, run: months, wide files, coverage, editions, deliveries."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pyproj
import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city import coverage
from tests.fixtures.made_up import CITY, COLUMNS, FACTS, deliver, fact, middle, write_pack
from tests.fixtures.real import ROOT, build

GUIDE = (ROOT / "docs/guides/compter-au-mois.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)]
MONTH, WIDE, COVERS, EDITIONS, SWAPPED, OTHER_SHAPES, ORDER = BLOCKS
THEMES = {
    "themes": {
        "bruit": {"title": "Bruit", "axis": "delinquance", "source": "faits",
                  "categories": ["tapage"], "severity": 2},
        "depots": {"title": "Dépôts", "axis": "domaine_public", "source": "faits",
                   "categories": ["depot"], "severity": 1},
    }
}  # fmt: skip


def made(folder: Path, files: dict[str, str], facts: dict[str, Any], **city: Any) -> Any:
    """Take in the made-up city with these files of facts."""
    pack = write_pack(folder, {**copy.deepcopy(CITY), **city}, THEMES, facts)
    deliver(folder, [])
    (folder / "livraison/faits.csv").unlink()
    for name, text in files.items():
        (folder / "livraison" / name).write_text(text, encoding="utf-8")
    return build(pack, folder, folder / "out")


def monthly(**more: Any) -> dict[str, Any]:
    base = {k: v for k, v in FACTS.items() if k != "refused"}
    return {**base, "key": ["carre", "nature", "mois"], **MONTH, **more}


def test_counts_a_month_and_a_zone(tmp_path: Path) -> None:
    text = "mois;carre;nature;nombre\n2024-01;A;tapage;3\n2024-02;A;tapage;0\n"
    one = made(tmp_path, {"faits.csv": text}, monthly())
    assert one.rows("SELECT month(hour), month(hour_end), n FROM cube ORDER BY 1") == [
        (1, 1, 3), (2, 2, 0),
    ]  # fmt: skip


def test_wide_file(tmp_path: Path) -> None:
    text = "carre;nature;2024-01;2024-02\nA;tapage;3;\n"
    one = made(tmp_path, {"faits.csv": text}, monthly(**WIDE))
    assert one.fates["faits"] == {"accepted": 1, "cellule_vide": 1}


def test_covers(tmp_path: Path) -> None:
    text = "mois;carre;nature;nombre\n2024-01;A;tapage;3\n"
    one = made(tmp_path, {"faits.csv": text}, monthly(**COVERS))
    noise, waste = (coverage.of_theme(one.city, t, "carres") for t in ("bruit", "depots"))
    assert (len(noise.everywhere), len(waste.everywhere), len(noise.of("D"))) == (31, 91, 62)


@pytest.mark.parametrize(("columns", "edition"), [(COLUMNS, "complète"),
                                                  (["fin"], "sans la fin")])  # fmt: skip
def test_editions(columns: list[str], edition: str, tmp_path: Path) -> None:
    kept = COLUMNS if columns is COLUMNS else [c for c in COLUMNS if c not in columns]
    row = fact(1)
    text = ";".join(kept) + "\n" + ";".join(row[c] for c in kept) + "\n"
    one = made(tmp_path, {"faits.csv": text}, {**FACTS, **EDITIONS})
    assert one.receipts["faits"]["files"][0]["edition"] == edition
    assert one.fates["faits"] == {"accepted": 1}


@pytest.mark.parametrize("turned", [False, True])
def test_edition_of_swapped_columns(turned: bool, tmp_path: Path) -> None:
    row = fact(1)
    right = {**row, "temoin": "Vu"}
    wrong = {**row, "id": "F2", "lon": row["lat"], "lat": row["lon"]}
    del wrong["temoin"]
    files = {
        f"faits_{i}.csv": ";".join(one) + "\n" + ";".join(one.values()) + "\n"
        for i, one in enumerate((right, wrong))
    }
    city = {"sources": {**CITY["sources"], "faits": {"file": "faits_*.csv"}}}
    base = {k: v for k, v in FACTS.items() if k != "refused"}
    told = {**base, "fields": {**FACTS["fields"], **SWAPPED["fields"]}}
    # Whichever is written first: the one that says a column `absent` lacks nothing of the file.
    editions = SWAPPED["editions"][:: -1 if turned else 1]
    one = made(tmp_path, files, {**told, "editions": editions}, **city)
    assert one.fates["faits"] == {"accepted": 2}
    assert one.rows("SELECT zone_carres, sum(n) FROM cube GROUP BY 1") == [("A", 2)]


def test_editions_of_which_one_is_never_taken_are_refused(tmp_path: Path) -> None:
    """The same columns, each the other's: the first would read every file."""
    first, second = copy.deepcopy(SWAPPED["editions"])
    del first["absent"]
    for encoding, earlier in (("cp1252", "utf-8"), ("utf-8", "utf-8")):
        editions = [{**first, "file": {**first["file"], "encoding": encoding}},
                    {**second, "file": {**second["file"], "encoding": earlier}}]  # fmt: skip
        with pytest.raises(PhareError, match="l'édition « 2024 » ne sera jamais prise"):
            _ = write_pack(tmp_path, CITY, THEMES, {**FACTS, "editions": editions}).contracts


def test_editions_of_other_shapes(tmp_path: Path) -> None:
    """The month in two columns, then one; a point in one reference system, then another."""
    metres = {"unit": "mètres", "minimum": 0, "maximum": 9e6}
    fields = {
        "an": {"type": "year", "required": True},
        "mois": {"type": "int", "required": True, "minimum": 1, "maximum": 12},
        "nature": {"type": "enum", "required": True, "values": ["tapage", "depot"]},
        "x": {**metres, "type": "longitude"}, "y": {**metres, "type": "latitude"},
    }  # fmt: skip
    rule = {
        "category": "nature", "started_at": {"year": "an", "month": "mois"},
        "longitude": "x", "latitude": "y", "coordinates_crs": "EPSG:23031",
        "origin": {"value": "unknown"},
    }  # fmt: skip
    base = {k: v for k, v in FACTS.items() if k not in ("refused", "key")}
    contract = {**base, "fields": fields, "observation": rule, **OTHER_SHAPES}
    at = {
        system: "{:.1f};{:.1f}".format(*move(*middle("D")))
        for system in (23031, 25831)
        for move in [pyproj.Transformer.from_crs(4326, system, always_xy=True).transform]
    }
    files = {
        "f1.csv": f"an;mois;nature;x;y\n2024;4;tapage;{at[23031]}\n",
        "f2.csv": f"periode;nature;x;y\n2024-05;tapage;{at[25831]}\n",
    }
    city = {"sources": {**CITY["sources"], "faits": {"files": list(files)}}}
    one = made(tmp_path, files, contract, **city)
    assert one.rows("SELECT month(hour), zone_carres FROM cube ORDER BY 1") == [(4, "D"), (5, "D")]
    assert at[23031] != at[25831]


def test_order_of_deliveries(tmp_path: Path) -> None:
    head = ";".join(COLUMNS)
    files = {
        f"faits_{number}.csv": f"{head}\n{';'.join(fact(1, nombre=str(number)).values())}\n"
        for number in (1, 2)
    }
    one = made(tmp_path, files, FACTS, **ORDER)
    assert one.rows("SELECT n FROM cube") == [(1,)]
    assert one.receipts["faits"]["order"] == "listed"
