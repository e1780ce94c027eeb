"""Default points, true hot places, snapped points: none is lost in silence."""

from __future__ import annotations

from pathlib import Path

import duckdb

from helpers.ingest import ingest, words
from helpers.reliability import grades
from tests.fixtures.cases import build_template, case, csv_of, template_contract
from tests.fixtures.made_up import build_made_up, fact
from tests.fixtures.real import Built

COLUMNS = ("id", "nature", "debut", "longitude", "latitude", "origine", "commentaire")


def placed(built: Built) -> list[tuple[object, ...]]:
    return built.rows(
        "SELECT place_precision, zone_secteurs, cell IS NULL, CAST(sum(n) AS BIGINT) "
        "FROM observations GROUP BY ALL ORDER BY ALL"
    )


def test_points_taken_for_default_ones_are_told(tmp_path: Path) -> None:
    rows = (case("09-snapped-points-all-lost") / "livraison/faits.csv").read_bytes()
    built = build_template(tmp_path, rows, template_contract())
    found = ingest.default_points(built.city, built.out)
    assert found == {"faits": {"points": 1, "rows": 50, "located": 50, "snapped": False}}
    told = words.default_points(built.city, found)
    assert "1\xa0point pris pour un point par défaut, avec 50\xa0faits" in told
    assert "`snapped_points: true`" in told


def test_snapped_points_keep_their_zone_and_no_cell(tmp_path: Path) -> None:
    rows = (case("09-snapped-points-all-lost") / "livraison/faits.csv").read_bytes()
    built = build_template(tmp_path, rows, template_contract(snapped_points=True))
    assert placed(built) == [("snapped", "S1", True, 50)]
    found = ingest.default_points(built.city, built.out)
    assert found["faits"] == {"points": 0, "rows": 0, "located": 50, "snapped": True}
    assert "jamais la maille" in words.default_points(built.city, found)
    con = duckdb.connect()
    con.execute(f"CREATE VIEW observations AS FROM '{built.out}/observations.parquet'")
    assert grades._measured(con, built.city)["faits"]["located"] == 1.0


def test_snapped_points_of_several_crossings(tmp_path: Path) -> None:
    """Three crossings of sixty facts each, as a source that snaps all its points would give."""
    rows = [
        (f"F{i}", "depot", "2025-03-05T10:00:00", f"{5.365 + (i % 3) * 0.002:.4f}", "43.294",
         "habitant", "x") for i in range(180)
    ]  # fmt: skip
    text = csv_of(COLUMNS, rows)
    lost = build_template(tmp_path / "a", text, template_contract())
    assert ingest.default_points(lost.city, lost.out)["faits"]["points"] == 3
    kept = build_template(tmp_path / "b", text, template_contract(snapped_points=True))
    assert {row[0] for row in placed(kept)} == {"snapped"}
    assert sum(int(str(row[3])) for row in placed(kept) if row[1] == "S1") == 180


def test_a_market_is_no_default_point(tmp_path: Path) -> None:
    """Sixty facts within ten metres, each at its own place, among three thousand."""
    rows = [fact(i, lon=f"{5.366 + i * 4e-7:.7f}", lat="43.294") for i in range(60)]
    rows += [
        fact(100 + i, lon=f"{5.361 + (i % 60) * 2e-4:.6f}", lat=f"{43.291 + i // 60 * 1e-4:.6f}")
        for i in range(2940)
    ]
    built = build_made_up(tmp_path, rows)
    assert ingest.default_points(built.city, built.out)["faits"]["points"] == 0
    cells = built.rows("SELECT count(*) FROM observations WHERE place_precision = 'point'")
    assert cells == [(3000,)]


def test_a_default_point_beside_houses_takes_few_of_them(tmp_path: Path) -> None:
    """Eighty facts at the town hall exactly, forty in the houses ten metres round it."""
    rows = [fact(i, lon="5.366000", lat="43.294000") for i in range(80)]
    rows += [fact(100 + i, lon=f"{5.366 + i * 4e-7:.7f}", lat="43.294") for i in range(1, 41)]
    built = build_made_up(tmp_path, rows)
    found = dict(built.rows("SELECT place_precision, count(*) FROM observations GROUP BY 1"))
    assert 80 <= found["default"] <= 80 + 40 / 16 * 4
    assert found["point"] + found["default"] == 120
