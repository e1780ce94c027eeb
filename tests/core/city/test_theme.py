"""A theme of several sources: what may be written, what is refused, and what is told of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city.episode_rules import FILE, read_rules
from helpers.core.stage import notices, standing
from helpers.reliability import decay, drift
from helpers.waves import states
from helpers.waves.knobs import Knobs
from tests.fixtures import split
from tests.fixtures.made_up import FACTS, THEMES, write_pack

PERIOD = {"start": "2024-01-01", "end": "2024-12-31"}
MONTH = {**FACTS["fields"], "debut": {"type": "date", "required": True, "format": "%Y-%m"}}


def one_source(**changes: Any) -> dict[str, Any]:
    return {"themes": {"bruit": {**THEMES["themes"]["bruit"], **changes}}}


def fault(folder: Path, themes: dict[str, Any], **of_calls: Any) -> PhareError:
    with pytest.raises(PhareError) as caught:
        _ = split.pack(folder, themes, PERIOD, **of_calls).themes
    assert caught.value.where == "essai/themes.yaml"
    assert str(caught.value).count("Erreur") == 1
    return caught.value


@pytest.mark.parametrize(
    ("themes", "said"),
    [
        (one_source(source=["faits", "appels"]), "`source` nomme une seule source"),
        (one_source(parts=split.PARTS), "donner `source` et `categories`, ou bien `parts`"),
        (split.joined(parts={"faits": ["tapage"]}, distinct=None), "s'écrit `source` et"),
        (split.joined(parts=None, source="faits", distinct=None), "clé manquante : `categories`"),
        (one_source(categories=[]), "`categories` : au moins une"),
        (one_source(distinct="jamais"), "`distinct` va avec plusieurs sources"),
        (split.joined(parts={"faits": [], "appels": ["x"]}), "au moins un élément"),
        (split.joined(parts={"faits": ["x"], "apels": ["x"]}), "themes.bruit.parts nomme « apels"),
        (split.joined(parts={"faits": ["x"], "appels": ["zut"]}), "parts.appels nomme « zut »"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_key(
    themes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    told = fault(tmp_path, themes)
    assert said in told.what
    assert "themes.bruit" in told.what


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ({"unit": "victime"}, "unités de compte différentes (faits : appel, appels : victime)"),
        ({"unit": ""}, "l'unité de compte n'est pas dite (appels)"),
        ({"fields": MONTH, "observation": {**FACTS["observation"], "ended_at": None}},
         "(faits : jour, appels : mois)"),
    ],
)  # fmt: skip
def test_sources_that_do_not_add_up_are_refused_with_the_reason(
    calls: dict[str, Any], said: str, tmp_path: Path
) -> None:
    assert said in fault(tmp_path, split.joined(), **calls).what


def test_a_category_of_another_source_is_not_the_same(tmp_path: Path) -> None:
    themes = split.joined(parts={"faits": ["tapage"], "appels": ["petard"]})
    themes["themes"]["autre"] = {**THEMES["themes"]["bruit"], "source": "appels",
                                 "categories": ["tapage"]}  # fmt: skip
    city = split.pack(tmp_path, themes, PERIOD)
    assert city.themes["bruit"].sources == ("faits", "appels")
    themes["themes"]["autre"]["categories"] = ["petard"]
    with pytest.raises(PhareError, match="« petard » est dans deux thèmes"):
        _ = split.pack(tmp_path, themes, PERIOD).themes


def test_both_ways_to_write_one_source_read_the_same(tmp_path: Path) -> None:
    theme = write_pack(tmp_path).themes["bruit"]
    assert theme.parts == {"faits": ("tapage", "petard")}
    assert (theme.sources, theme.categories) == (("faits",), ("tapage", "petard"))
    assert not theme.may_double


WHY = "un seul numéro par fait"


def test_facts_that_may_be_counted_twice_are_told_and_distinct_ones_are_not(tmp_path: Path) -> None:
    by_agents = pa.Table.from_pylist([{"theme": "bruit", "driven": False}])
    none = drift.DRIFT.empty_table(), decay.DECAY.empty_table()
    said = {}
    for name, distinct in (("twice", None), ("apart", f"{WHY}.")):
        folder = tmp_path / name
        folder.mkdir()
        city = split.pack(folder, split.joined(distinct=distinct), PERIOD)
        told = standing.caveats(by_agents, *none, city).get("bruit", "")
        lines = " ".join(notices.lines(city, notices.Counts()))
        assert standing.doubled_words(city.themes["bruit"], city).replace("\u00a0", " ") == (
            "un même fait peut être dans « Faits inventés » et « Appels inventés », et compté "
            "deux fois"
        )  # fmt: skip
        every = (told, standing.caveat(by_agents, city), standing.twice(city))
        said[name] = [[word in one for one in (*every, lines)] for word in ("deux fois", WHY)]
    assert said == {
        "twice": [[True] * 4, [False] * 4],
        "apart": [[False] * 4, [True] * 3 + [False]],
    }
    assert standing.distinct_words(city.themes["bruit"], city).replace("\u00a0", " ") == (
        "la ville dit qu'aucun fait n'est à la fois dans « Faits inventés » et « Appels "
        f"inventés » : {WHY}"
    )


@pytest.mark.parametrize("distinct", ["oui", "true", "-", "1 2", "x y", " ", "a priori\n\n# Non"])
def test_sources_are_distinct_for_a_reason_in_words(distinct: str, tmp_path: Path) -> None:
    error = fault(tmp_path, split.joined(distinct=distinct))
    assert "themes.bruit" in error.what
    assert "essai/themes.yaml" in error.where


RULES = """facts: {{bruit: {{faits: [tapage], appels: [{other}]}}}}
sources: {{faits: {{several: false}}, appels: {{several: false}}}}
pairs: [{{first: faits, second: appels, max_gap_min: 60}}]
"""


def test_sources_said_distinct_and_linked_contradict_each_other(tmp_path: Path) -> None:
    city = split.pack(tmp_path, split.joined(), PERIOD)
    (city.pack / FILE).write_text(RULES.format(other="tapage"), encoding="utf-8")
    with pytest.raises(PhareError, match="que le thème « bruit » dit distinctes"):
        read_rules(city)
    (city.pack / FILE).write_text(RULES.format(other="depot"), encoding="utf-8")
    assert read_rules(city)


def faded(source: str) -> pa.Table:
    row = {"source": source, "first": dt.date(2025, 9, 29), "last": dt.date(2025, 12, 22),
           "against": dt.date(2024, 9, 30), "ratio": 0.3, "low": 0.27, "high": 0.34,
           "status": "less", "reason": ""}  # fmt: skip
    return pa.Table.from_pylist([row], schema=decay.DECAY)


def test_a_part_that_fades_casts_doubt_under_its_own_name(tmp_path: Path) -> None:
    city = split.pack(tmp_path, split.joined(), PERIOD)
    (told,) = standing.doubted(drift.DRIFT.empty_table(), faded("appels"), city).values()
    # The days compared, not a day on which the feed would have begun to fade.
    assert told.replace("\u202f", " ").startswith(
        "« Appels inventés » : du 29 septembre au 28 décembre 2025, la source n'a apporté que 30 %"
    )
    assert told.endswith("aux mêmes semaines de 2024 : un flux qui se perd, ou une vraie baisse")


def test_the_worst_part_decides_of_the_grade_and_of_the_state(
    tmp_path: Path, memory: duckdb.DuckDBPyConnection
) -> None:
    city = split.pack(tmp_path, split.joined(), PERIOD)
    rows = [{"source": "faits", "grade": "A", "accepted": 9, "mute_since": None},
            {"source": "appels", "grade": "D", "accepted": 9, "mute_since": None}]  # fmt: skip
    memory.register("grades", pa.Table.from_pylist(rows))
    memory.register("weeks", pa.table({"source": ["faits", "appels"] * 20, "status": ["ok"] * 40}))
    (row,) = states.states(memory, city, Knobs(default_grade="C", pilot_weeks=10)).to_pylist()
    assert row["state"] == "suspended"
    assert standing.why(row, city).replace("\u00a0", " ") == (
        "« Appels inventés » est notée D, il faut C"
    )
    assert standing.badge(memory, city.themes["bruit"].sources) == "fiabilité D"


def test_a_sample_in_a_theme_makes_it_a_sample(
    tmp_path: Path, memory: duckdb.DuckDBPyConnection
) -> None:
    city = split.pack(tmp_path, split.joined(), PERIOD, coverage="sample")
    rows = [{"source": one, "grade": "A", "accepted": 9, "mute_since": dt.date(2024, 1, 1)}
            for one in ("faits", "appels")]  # fmt: skip
    memory.register("grades", pa.Table.from_pylist(rows))
    memory.register("weeks", pa.table({"source": ["faits"], "status": ["ok"]}))
    (row,) = states.states(memory, city, Knobs(default_grade="C", pilot_weeks=10)).to_pylist()
    assert row["sample"]
