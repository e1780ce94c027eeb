"""The grading of reports can fail: it sees what is said, what is not, and what should not be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.simulate import told_checks
from helpers.simulate.published import NOTHING, Published, Said
from helpers.simulate.settings import load_settings
from tests.fixtures.simulated import PACK


def published(folder: Path, tables: dict[str, list[dict[str, Any]]], report: str = "") -> Published:
    """Return a run that published these tables and, in every report, these lines."""
    for name, rows in tables.items():
        path = folder / "derived" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
    (folder / "reports").mkdir(parents=True, exist_ok=True)
    cell = {"outputs": [{"data": {"text/markdown": [report]}}]}
    for stage in {name.split("/")[0] for name in tables}:
        (folder / "reports" / f"{stage}.ipynb").write_text(json.dumps({"cells": [cell]}))
    zones = {"code": ["1320501", "1320101", "13205"], "name": ["Baille", "Belsunce", "5e"]}
    pq.write_table(pa.table(zones), folder / "zones.parquet")
    return Published(City(PACK), load_settings(PACK), folder)


def right(found: list[Said], what: str) -> bool:
    (one,) = [said for said in found if said.what.startswith(what)]
    return one.right


def level(theme: str, label: str, zone: str = WHOLE) -> dict[str, Any]:
    return {"theme": theme, "zone": zone, "label": label, "ratio": 1.2, "status": "ok"}


def test_a_planted_rise_must_be_said_and_nothing_else(tmp_path: Path) -> None:
    said = [level("rodeos", "up"), level("accidents", "down"), level("bruit", "stable")]
    run = published(tmp_path / "a", {"trends/levels": said}, "- **Bruit** : stable")
    found = list(told_checks.themes(run))
    assert all(one.right for one in found)
    assert [one.sentence for one in found if one.what.startswith("Bruit")] == ["**Bruit** : stable"]
    wrong = [level("rodeos", "unclear"), level("accidents", "up"), level("bruit", "up")]
    found = list(told_checks.themes(published(tmp_path / "b", {"trends/levels": wrong})))
    assert not any(one.right for one in found)
    assert [one.due for one in found] == [False, True, True]


def test_a_rise_in_a_zone_where_nothing_is_planted_is_false(tmp_path: Path) -> None:
    rows = [level("depots_sauvages", "up", "1320101"), level("depots_sauvages", "up", "1320501")]
    found = list(told_checks.zones(published(tmp_path, {"trends/levels": rows})))
    assert right(found, "Dépôts sauvages en hausse, 13201")
    assert not right(found, "Dépôts sauvages en hausse, 13204")
    assert right(found, "Autres zones : 1 fausses sur 2")


def test_what_agents_record_where_their_hours_fell_is_no_false_fall(tmp_path: Path) -> None:
    """Sainte-Marthe: an action ended, and a quarter of the agent-hours went with it."""
    zones = ("1321407", "1320908")
    rows = [level("stationnement_verbalise", "down", zone) for zone in zones]
    rows.append(level("bruit", "down", "1321407"))  # told by inhabitants: hours change nothing
    run = published(tmp_path, {"trends/levels": rows})
    run.__dict__["hours"] = {"1321407": 0.73, "1320908": 1.0}
    found = [one for one in told_checks.zones(run) if one.what.startswith("Autres zones")]
    assert [one.what for one in found] == ["Autres zones : 2 fausses sur 3 dites (3 jugées)"]
    assert not found[0].right


def test_the_surge_must_be_lit_and_chance_must_not(tmp_path: Path) -> None:
    def alert(theme: str, zone: str, lit: bool, p: float) -> dict[str, Any]:
        return {"theme": theme, "zone": zone, "period_days": 7, "n": 9, "expected": 2.0,
                "p": p, "alert": lit, "watch": False, "status": "ok"}  # fmt: skip

    for lit in (True, False):
        rows = [alert("bruit", "1320501", lit, 1e-9), alert("rixes", "1320101", not lit, 1e-4)]
        found = list(
            told_checks.last_week(published(tmp_path / str(lit), {"situation/alerts": rows}))
        )
        assert right(found, "Bruit, Baille") is lit
        assert right(found, "Rixes, Belsunce") is lit
        assert right(found, "Autres alertes") is lit


def test_what_no_report_says_is_told_as_missing(tmp_path: Path) -> None:
    run = published(tmp_path, {"rhythms/days": [{"theme": "bruit", "kind": "weekend"}]})
    found = list(told_checks.heat(run))
    assert found
    assert all(one.sentence == NOTHING and not one.right for one in found)


def test_a_renaming_found_in_a_table_but_told_to_nobody_is_not_said(tmp_path: Path) -> None:
    for n, told in enumerate((True, False)):
        run = published(tmp_path / f"first{n}", {"trends/levels": [level("bruit", "stable")]})
        (rule, *_) = run.settings.sources.renamings
        found = {"source": rule.source, "code": rule.old, "week": rule.start, "kind": "renamed"}
        line = f"- Un code manque : « {rule.old} » serait devenu un autre." if told else "- Rien."
        tables = {"reliability/drift": [found], "trends/levels": [level("bruit", "stable")]}
        run = published(tmp_path / f"then{n}", tables, line)
        assert right(list(told_checks.renamed_codes(run)), f"« {rule.old} » renommé") is told
