"""What is going on, said and drawn: codes of the tables in, the reader's sentences out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from helpers.core.base.markup import to_html
from helpers.core.city.city import City
from helpers.core.place_time import places
from helpers.core.stage import figure, params
from helpers.situation import alerts, figures, levels, words
from helpers.situation.agenda import Today
from helpers.situation.reflex_sheets import Opened, Reason, Sheet
from tests.fixtures.made_up import THEMES, write_pack
from tests.fixtures.real import ROOT

NAMES = {code: f"Carré {code}" for code in "ABCD"}
DAY = dt.date(2024, 12, 31)
THIN, FIXED = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
TRAP = "<b>x</b> [a](javascript:b) *y*"


def row(zone: str, n: int | None, level: str = "usual", **more: Any) -> dict[str, Any]:
    """Return a row of levels: 10 to 20 were expected."""
    return {"theme": "bruit", "period_days": 7, "division": "carres", "zone": zone, "n": n,
            "expected": 15.0, "low": 10.0, "high": 20.0, "references": 8, "level": level,
            "aside_days": 0, "aside_n": 0, "remarks": [], "status": "ok", "reason": "",
            **more}  # fmt: skip


SILENT = {"n": None, "expected": None, "low": None, "high": None, "level": "abstained",
          "status": "missing", "reason": "silent"}  # fmt: skip
ROWS = [
    row("ville", 1412, "above"),
    row("A", 14),
    row("B", 25, "above"),
    row("C", 90, "above"),
    row("D", 24, "above"),
]


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path)


def of_levels(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, levels.SCHEMA)


def test_the_week_is_told_with_its_days_and_the_zones_farthest_above_first(city: City) -> None:
    end = city.about.period.model_copy(update={"end": DAY})
    city.about = city.about.model_copy(update={"period": end})
    other = row("A", 1, "below", division="moities")
    told = words.levels(of_levels([*ROWS, other]), city, NAMES, [7])
    assert told == (
        "**7 derniers jours** (du 25 décembre 2024 au 31 décembre 2024) :\n\n"
        f"- **Bruit** : 1{THIN}412{FIXED}faits, plus que d'habitude (on en attendait entre 10 et "
        "20) ; au-dessus de leur habitude : Carré C, Carré B, Carré D."
    )


def test_what_no_theme_can_say_is_said_once(city: City) -> None:
    mute = {**SILENT, "period_days": 7}
    rows = [row("ville", 12) | mute, row("ville", 12) | mute | {"theme": "depots"}]
    told = words.levels(of_levels(rows), city, NAMES, [7])
    assert told.endswith(" 2024) : aucun thème ne se compare (source muette).")
    spoken = [rows[0], row("ville", 12) | {"theme": "depots"}]
    assert words.levels(of_levels(spoken), city, NAMES, [7]).count("- **") == 2


def test_a_fourth_zone_above_is_counted_and_none_is_said(city: City) -> None:
    fourth = [*ROWS[:1], row("A", 22, "above"), *ROWS[2:]]
    assert words.sentence(fourth, NAMES).endswith(f"Carré C, Carré B, Carré D et 1{FIXED}autre.")
    calm = words.sentence([row("ville", 12), row("A", 14)], NAMES)
    assert calm.endswith("; aucune zone au-dessus de son habitude.")


def test_a_zone_is_told_by_itself_and_the_word_habit_is_heard_once() -> None:
    told = words.told_alone(row("A", 0, "below"))
    assert told == f"0{FIXED}fait, moins que d'habitude (on en attendait entre 10 et 20)"
    for level in ("above", "usual", "below"):
        assert words.told_alone(row("A", 9, level)).count("habitude") == 1


def test_what_is_to_be_known_is_told_beside_the_level() -> None:
    """A code that no longer comes, days kept aside, an interval that says nothing."""
    gone = {"kind": "codes_changed", "what": "squat", "other": "", "gone": True}
    late = {"kind": "late_entries", "what": "", "other": "", "gone": False}
    told = words.sentence([row("ville", 9, "below", remarks=[gone, late])], NAMES)
    assert told.endswith("À savoir : « squat » n'arrive plus : le compte peut en être abaissé.")
    apart = words.told_alone(row("ville", 115, aside_days=1, aside_n=100))
    assert apart.startswith(
        f"115{FIXED}faits, dont 100 en 1{FIXED}jour hors de l'ordinaire, mis à part, comme"
    )
    wide = row("ville", 12291, low=1596.0, high=12765.0, expected=7000.0)
    assert words.told_alone(wide).endswith(
        "faits, sans que l'on puisse dire si c'est l'habitude (on en attendait entre "
        f"1{THIN}596 et 12{THIN}765)"
    )
    assert "comme d'habitude" in words.told_alone(row("ville", 14))


def test_an_alert_of_the_whole_city_is_recalled_where_its_period_is_told(city: City) -> None:
    """Otherwise one report says « as usual » and « alert » of the same count."""
    rows = [row("ville", 14), row("ville", 14, period_days=28), row("A", 12)]
    lit = [{"theme": "bruit", "zone": "ville", "period_days": 7},
           {"theme": "bruit", "zone": "A", "period_days": 28}]  # fmt: skip
    week, month = words.levels(of_levels(rows), city, NAMES, [7, 28], lit).split("\n\n**28")
    told = "(on en attendait entre 10 et 20) ; **en alerte, au regard des mêmes jours des semaines"
    assert told in week
    assert "alerte" not in month


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("silent", "source muette"),
        ("too_few_references", "pas assez de périodes passées comparables"),
        ("too_few_weeks", "moins de 8 semaines comparables"),
    ],
)
def test_who_abstains_says_why(code: str, why: str) -> None:
    silent = row("ville", 12) | SILENT | {"reason": code}
    assert words.told_alone(silent) == f"abstention ({why})"
    assert words.sentence([silent, row("A", 30, "above")], NAMES) == f"abstention ({why})."


def test_texts_of_the_city_and_of_its_deliveries_do_nothing(tmp_path: Path) -> None:
    """Titles, zones, events, orders, warnings, sheets: read as written, in whatever says them."""
    themes = {**THEMES, "themes": {n: {**t, "title": TRAP} for n, t in THEMES["themes"].items()}}
    city = write_pack(tmp_path, themes=themes)
    agenda = {name: {} for name in ("events", "closures", "warnings")}
    city.about.__dict__["agenda"] = city.about.agenda.model_construct(**agenda)
    names = {"A": TRAP}
    event = {"id": "E", "kind": TRAP, "size": 3, "status": "", "zone": "A", "end_at": None}
    closed = {"id": TRAP, "kind": TRAP, "radius_m": 5, "event": TRAP, "zone": "A",
              "end_at": dt.datetime(2024, 12, 31, 20)}  # fmt: skip
    lit = {"theme": "bruit", "period_days": 1, "zone": "A", "n": 9, "expected": 1.0, "low": 0.0,
           "high": 4.0, "p": 0.0, "q": 0.0, "alert": True, "watch": False,
           "limit": 0.001, "dispersion": 0.0, "status": "ok",
           "reason": ""}  # fmt: skip
    reasons = (Reason("bruit", "A"), Reason(warning=TRAP))
    knobs = params.knobs("situation", ROOT)
    said = {
        "levels": words.levels(of_levels([row("ville", 25), row("A", 25, "above")]), city, names,
                               [7]),
        "alerts": words.alerts(pa.Table.from_pylist([lit], alerts.SCHEMA), city, names, [event],
                               knobs),
        "day": words.day(city, Today(DAY, [event], [closed], [{"level": TRAP}]), names),
        "sheets": words.sheets([Opened(Sheet("f", TRAP, "Texte."), reasons)], city, names),
    }  # fmt: skip
    times = {"levels": 2, "alerts": 3, "day": 6, "sheets": 4}
    for name, text in said.items():
        page = to_html(text)
        shown = "&lt;b&gt;x&lt;/b&gt; [a](javascript:b) *y*"
        assert page.count(shown) == times[name], (name, page)
        assert "<b>" not in page
        assert "<a " not in page
        assert "<em>" not in page


def test_counts_least_expected_come_first_and_alerts_are_told_apart(city: City) -> None:
    base = {"theme": "bruit", "division": "carres", "expected": 1.0, "low": 0.0, "high": 4.0,
            "status": "ok", "reason": ""}  # fmt: skip
    rows = [{**base, "period_days": 7, "zone": "ville", "n": 3, "p": 0.2, "alert": False},
            {**base, "period_days": 1, "zone": "A", "n": 9, "p": 0.001, "alert": True}]  # fmt: skip
    drawn = figures.unexpected(pa.Table.from_pylist(rows, alerts.SCHEMA), city, NAMES)
    (told,) = figure.complete(drawn.chart)["datasets"].values()
    assert [(one["quoi"], one["sens"]) for one in told] == [
        ("Bruit · Carré A · dernier jour", "alerte"),
        ("Bruit · toute la ville · 7 derniers jours", "dans le hasard"),
    ]


def test_a_district_is_told_by_its_name_and_a_shared_code_by_that_of_the_main_division(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    memory.execute("CREATE TABLE zones (division VARCHAR, code VARCHAR, name VARCHAR)")
    for one in (("carres", "A", "Carré A"), ("moities", "ouest", "Ouest"), ("moities", "A", "?")):
        memory.execute("INSERT INTO zones VALUES (?, ?, ?)", list(one))
    assert places.zone_names(memory, city) == {"A": "Carré A"}
    assert places.zone_names(memory, city, every=True) == {"A": "Carré A", "ouest": "Ouest"}


def test_a_code_off_the_list_is_told_by_its_number() -> None:
    """Its word is never written; nor is the mark that stands for it."""
    renamed = {"kind": "codes_changed", "what": "squat", "other": "\u00a73", "gone": True}
    assert words.remark(renamed) == "« squat » est peut-être devenu un code nouveau n° 3"
