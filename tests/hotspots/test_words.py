"""What stands out, said and drawn: codes of the tables, sentences and colours of the reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from helpers.core.base import store
from helpers.core.stage import figure, params
from helpers.hotspots import concentration, figures, words, zones
from tests.fixtures.made_up import build_made_up, fact, write_pack
from tests.fixtures.real import ROOT, Built

NAMES = {code: f"Carré {code}" for code in "ABCD"}


def row(zone: str, kind: str, rate: float) -> dict[str, Any]:
    return {"theme": "bruit", "zone": zone, "n": 9, "rate": rate, "low": rate / 2,
            "high": rate * 2, "kind": kind, "status": "ok", "reason": ""}  # fmt: skip


ROWS = [
    row("A", "low_among_high", 1.0),
    row("B", "high_among_low", 4.0),
    row("C", "high_among_high", 6.25),
    row("D", "like_neighbours", 9.0),
    {"theme": "depots", "n": 3, "status": "abstained", "reason": zones.TOO_FEW},
]


def test_zones_apart_are_told_from_the_highest_rate_and_like_ones_are_not(tmp_path: Path) -> None:
    city = write_pack(tmp_path)
    told = words.zones(pa.Table.from_pylist(ROWS, zones.SCHEMA), city, NAMES, "habitants", 30)
    assert told == (
        "Taux pour 1\u202f000, l'unité étant : habitants.\n\n"
        "- **Bruit** : 3\u00a0zones à part de leurs voisines, en haut : Carré C (6,2 pour "
        "1\u202f000, de 3,1 à 12,5), Carré B (4,0 pour 1\u202f000, de 2,0 à 8,0) ; 1 en bas.\n"
        "- **Dépôts** : abstention (moins de 30 faits placés dans une zone)."
    )


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("too_few", "moins de 30 faits localisés dans la période"),
        ("no_outline", "le découpage principal n'a pas de contours : aucune maille à comparer"),
    ],
)
def test_a_city_that_abstains_says_why(tmp_path: Path, reason: str, why: str) -> None:
    city = write_pack(tmp_path)
    rows = [{"theme": name, "status": "abstained", "reason": reason} for name in city.themes]
    told = words.concentration(pa.Table.from_pylist(rows, concentration.SCHEMA), city, 30)
    assert told.splitlines()[0] == f"- **Bruit** : abstention ({why})."


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_made_up(tmp_path_factory.mktemp("words"), [fact(1)])


def test_each_zone_is_drawn_in_the_colour_that_its_words_have_in_the_legend(
    built: Built, memory: duckdb.DuckDBPyConnection
) -> None:
    store.view(memory, "zones", built.out / "zones.parquet")
    drawn = figures.zones_apart(memory, pa.Table.from_pylist(ROWS, zones.SCHEMA), built.city)
    spec = figure.complete(drawn.chart)
    scale = next(s for s in scales(spec) if "haut, parmi des hauts" in s["domain"])
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    held = {r["zone"]: r["sens"] for rows in spec["datasets"].values() for r in rows if "sens" in r}
    assert {zone: colours[words] for zone, words in held.items()} == {
        "A": "#7FB2D9", "B": "#F0A868", "C": "#D55E00", "D": "#EEF1F4"
    }  # fmt: skip
    assert "Dépôts" not in json.dumps(spec, ensure_ascii=False)


def scales(spec: Any) -> list[dict[str, Any]]:
    """Return every scale of the specification that names its domain."""
    if isinstance(spec, list):
        return [one for part in spec for one in scales(part)]
    if not isinstance(spec, dict):
        return []
    own = (
        [spec["scale"]] if isinstance(spec.get("scale"), dict) and "range" in spec["scale"] else []
    )
    return own + [one for part in spec.values() for one in scales(part)]


def test_cells_apart_are_told_with_what_limits_them(tmp_path: Path) -> None:
    city = write_pack(tmp_path)
    bruit = {"status": "ok", "reason": "", "n": 400, "cells": 1000, "hot": 12, "inside": 200,
             "in_area": 9, "both_sizes": 7, "again": 8.4, "sized": 0, "for_size": 0,
             "one_place": 1, "before": 10, "kept": 6}  # fmt: skip
    few = {"status": "abstained", "reason": "too_few", "sized": 0}
    knobs = params.knobs("hotspots", ROOT)
    told = words.cells({"bruit": bruit, "depots": few}, city, knobs)
    assert told.startswith(
        "Une maille est à part quand il est établi que ses propres faits dépassent 2 fois la "
        "moyenne du terrain étudié : les mailles à 400 m au plus d'un fait, quel que soit son "
        "thème.\n\n- **Bruit** : 12\u00a0mailles à part, soit 1,2"
    )
    assert (
        "environ 8 encore dans une autre année où rien ne change ; sur 10\u00a0mailles à part la "
        "période d'avant, 6 toujours à part ; 1 du fait d'un seul point." in told
    )
    none = words.cells({"bruit": bruit | {"hot": 0}, "depots": few}, city, knobs)
    assert "**Bruit** : aucune maille ne dépasse 2 fois la moyenne de façon établie." in none
