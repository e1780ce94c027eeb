"""What a reader sees: nothing unknown is filled, the panel is short, foreign names do nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from string import Template
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from helpers.core.city import event_rules
from helpers.core.city.about import SLOTS, Agenda
from helpers.core.city.city import City
from helpers.events import (
    briefing,
    clashes,
    page_words,
    plan,
    ratios,
    retex,
    score_words,
    sizing,
    slot_words,
    words,
)
from helpers.events.checklist import checklist
from helpers.events.excess import Outlook, by_slot, summary
from helpers.events.known import calendar
from helpers.events.means import Means
from helpers.events.plan import Tables
from helpers.events.words import Names
from tests.events.conftest import CRS, NIGHT, event, moved, order, rules
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import ROOT

TODAY = NIGHT - dt.timedelta(days=2)
MEANS = Means({(d, s, "N"): 10 for d in range(7) for s in ("soir", "nuit")}, 50, ["N"])


@pytest.fixture
def names(tmp_path: Path) -> Names:
    city: City = write_pack(tmp_path)
    told = SimpleNamespace(titles={"concert": "Concert"})
    city.about.__dict__["agenda"] = Agenda.model_construct(events=told)  # type: ignore[arg-type]
    (city.pack / event_rules.FILE).write_text("", encoding="utf-8")
    return Names(city, {"A": "Le <b>Port</b> [ici](x)"})


def tables(*events: Any, orders: Any = (), means: Means = MEANS) -> Tables:
    """Return the tables of some events to come, nothing being learnt from the past."""
    own, held = rules(), list(events)
    outlooks = {one.id: Outlook([], "too_few_events") for one in held}
    slots = SLOTS
    sized = sizing.size(held, outlooks, means, own, {}, {}, slots, 0.95)
    made = {name: schema.empty_table() for name, schema in plan.SCHEMAS.items()}
    return made | {
        "calendar": calendar(held, TODAY.date()),
        "clashes": clashes.table(clashes.find(held, list(orders), own, CRS), own),
        "checklist": checklist(held, own, TODAY),
        "excess": by_slot(outlooks, slots, 0.95), "foreseen": summary(outlooks, 0.95),
        "sizing": sized.sizing, "shifts": sized.shifts, "thin": sized.thin,
    }  # fmt: skip


def plain_text(text: str) -> str:
    return text.replace("\u202f", " ").replace("\xa0", " ")


def test_the_answer_says_how_many_how_many_barriers_at_what_hour(names: Names) -> None:
    told = plain_text(words.answer(tables(event(1)), names, 42))
    assert "1 événement connu" in told
    assert "1 sans arrêté signé" in told
    assert (
        "5 agents de 19 h à 0 h (2 équipes ; **3 à 19 agents manquent**), au lieu de 8 à 24 "
        "d'après les hypothèses ; 40 à 50 barrières, au lieu de 40 à 120 d'après les hypothèses ; "
        "jusqu'à 2 fermetures de voie"
    ) in told


def test_closures_and_other_material_are_told_and_what_lacks_of_it() -> None:
    one = {"title": "véhicule", "low": 2, "high": 3, "wanted_low": 4, "wanted_high": 6, "there": 3}
    (row,) = tables(event(1))["sizing"].to_pylist()
    shifts = tables(event(1))["shifts"].to_pylist()
    row |= {"closures_low": 1, "closures_high": 1, "others": [one, one | {"wanted_high": 0}]}
    told = plain_text(words.in_need(row, shifts))
    assert told.endswith(" ; 1 fermeture de voie ; 2 à 3 véhicules (**2 à 3 manquent**)")
    none = words.in_need(row | {"closures_low": 0, "closures_high": 0, "others": []}, shifts)
    assert "fermeture" not in none


def test_a_peak_is_said_of_its_own_hours_and_what_the_night_is_given_beside(names: Names) -> None:
    """Thirty officers in the evening and twelve at night, of whom half may go: 15, then 6."""
    have = {(d, s, "N"): n for d in range(7) for s, n in (("soir", 30), ("nuit", 12))}
    late = event(1, end=NIGHT + dt.timedelta(hours=5))  # 20 h to 1 h; officers an hour around
    made = tables(late, means=Means(have, 50, ["N"]))
    (row,) = made["sizing"].to_pylist()
    assert (row["officers_low"], row["officers_high"]) == (8, 15)
    page = page_words.page(made, names, "E0001", 120)
    for text in (words.answer(made, names, 42), words.needs(made, names), page["answer"],
                 page["partners"]):  # fmt: skip
        told = plain_text(text)
        assert (
            "8 à 15 agents au plus fort, de 19 h à 23 h (3 à 5 équipes) ; 6 de 23 h à 2 h (**2 "
            "à 18 manquent**), au lieu de 8 à 24 à toute heure d'après les hypothèses ;"
        ) in told
        assert "de 19 h à 2 h" not in told
    assert "soir, de 19 h à 23 h : 8 à 15 agents" in plain_text(page["shifts"])
    assert "nuit, de 23 h à 2 h : 6 agents" in plain_text(page["shifts"])


def test_many_hours_are_told_by_the_most_and_by_what_the_others_have() -> None:
    """Days of an event that lasts; the least and the most of the others leave the fullest out."""
    start, half = dt.datetime(2024, 6, 14, 8), dt.timedelta(hours=12)
    given = [(2, 4), (3, 5), (9, 20), (2, 6)]
    rows = [
        {"from_at": start + half * i, "to_at": start + half * (i + 1),
         "officers_low": low, "officers_high": high, "wanted_low": low + i,
         "wanted_high": high + i}
        for i, (low, high) in enumerate(given)
    ]  # fmt: skip
    told = plain_text(slot_words.officers(rows, "7 équipes"))
    assert told == (
        "9 à 20 agents au plus fort, de samedi 8 h à samedi 20 h (7 équipes ; **2 agents "
        "manquent**), au lieu de 11 à 22 d'après les hypothèses ; 2 à 6 aux autres heures (à "
        "certaines, moins que d'après les hypothèses) ; **3 agents manquent** de samedi "
        "20 h à dimanche 8 h, au pire"
    )


def test_an_event_without_a_decree_says_so_and_one_with_names_it(names: Names) -> None:
    bare, held = event(1), event(2, orders=(order(event="E0002"),), x=3_960_000.0)
    lines = words.calendar(tables(bare, held), names).splitlines()
    assert "sans arrêté signé" in lines[0]
    assert "arrêtés signés : circulation" in lines[1]


def test_a_crowd_that_nobody_told_reads_as_unknown_never_as_none(names: Names) -> None:
    one = tables(event(1, expected=None, least=None, most=None))
    told = words.calendar(one, names) + words.needs(one, names) + words.answer(one, names, 42)
    assert "affluence non renseignée" in told
    assert "abstention" in told
    assert "0 personne" not in plain_text(told)


def test_each_incompatibility_is_one_sentence_and_who_is_told(names: Names) -> None:
    found = tables(event(1), event(2), orders=[order(kind="occupation")])
    lines = plain_text(words.clashes(found, names)).splitlines()
    assert len(lines) == 3  # the two events, and the order that takes the place of each
    for line in lines:
        assert line.count(". ") == 1
        assert ". Prévenir : Service " in line


def test_a_setup_that_falls_on_another_event_is_not_said_to_be_at_the_same_time(
    names: Names,
) -> None:
    """The first ends at 23 h and is taken down by 1 h; the second begins at 0 h, set up at 22 h."""
    later = moved(event(2), hours=4)
    line = plain_text(words.clashes(tables(event(1), later), names))
    assert "même moment" not in line
    assert "le montage ou le démontage de l'un tombe sur l'autre, dès 22 h. Prévenir" in line


def test_the_panel_keeps_to_its_length_whatever_the_name(names: Names) -> None:
    row = words.by_event(tables(event(1)), "calendar")["E0001"]
    for length in (40, 60, 120, 200):
        assert len(page_words.panel(row, names, length)) <= length
    long = Names(names.city, {"A": "Saint-" * 60})
    assert len(page_words.panel(row, long, 40)) <= 40


def test_a_page_is_filled_and_no_foreign_name_does_anything(names: Names) -> None:
    template = Template((ROOT / briefing.TEMPLATE).read_text(encoding="utf-8"))
    page = briefing.filled(template, tables(event(1)), names, "E0001", 120)
    assert "$" not in page
    assert "<b>Port</b>" not in page
    assert "href" not in page
    assert "<script" not in page
    assert "données simulées" in page
    assert "aucun arrêté n" in page  # residents are not told of an order that nobody signed


def test_a_sheet_names_its_event_at_its_head_and_not_on_every_measure(names: Names) -> None:
    """On every line it took a second page for two lines, of six sheets out of ten."""
    told = tables(event(1, measures={}))
    own = page_words.page(told, names, "E0001", 120)
    assert own["measures"].count("Concert") == 0
    assert words.measures(told, names).count("Concert") == 2


def scored(error: tuple[float, float], deviance: tuple[float, float]) -> Tables:
    """Return the scores of concerts: what ours spares beside both rivals, in both measures."""
    row: dict[str, Any] = {
        "kind": "concert", "events": 25, "error": 0.41, "error_usual": 0.38,
        "error_last_time": 0.6, "deviance": 0.93, "deviance_usual": 0.91,
        "deviance_last_time": 1.3, "within": 1.0, "status": "ok", "reason": "",
    }  # fmt: skip
    for rival in ("last_time", "usual"):
        for measure, ends in (("error", error), ("deviance", deviance)):
            row |= dict(zip((f"spared_{measure}_{rival}_low", f"spared_{measure}_{rival}_high"),
                            ends, strict=True))  # fmt: skip
    return {"scores": pa.Table.from_pylist([row], schema=retex.SCORES)}


@pytest.mark.parametrize(
    ("error", "deviance", "claim"),
    [
        ((0.1, 0.4), (0.1, 0.6), " : mieux que « comme la dernière fois »"),
        ((-0.4, -0.1), (-0.6, -0.1), " : moins bien que « comme la dernière fois »"),
        ((-0.1, 0.4), (-0.1, 0.6), " : pas établi mieux que « comme la dernière fois »"),
        ((0.004, 0.4), (-0.1, 0.6), " : pas établi mieux que « comme la dernière fois »"),
        ((-0.01, 0.41), (0.1, 0.64), " : rien d'établi face à « comme la dernière fois »"),
        ((0.1, 0.4), (-0.6, -0.1), " : rien d'établi face à « comme la dernière fois »"),
    ],
)
def test_better_is_said_where_both_printed_intervals_bear_it(
    names: Names, error: tuple[float, float], deviance: tuple[float, float], claim: str
) -> None:
    told = plain_text(score_words.scores(scored(error, deviance), names))
    assert claim in told
    both = "les deux mesures ne s'accordant pas : déviance 0,93 au lieu de 1,30" in told
    assert both == ("rien d'établi" in claim)
    assert "0,41 fait" in told


def test_a_difference_is_printed_as_ours_less_theirs(names: Names) -> None:
    told = plain_text(score_words.scores(scored((-0.01, 0.41), (0.1, 0.64)), names))
    assert "(0,60, différence de −0,41 à +0,01)" in told
    assert "(0,38, différence entre −0,41 et +0,01)" in told
    assert "déviance 0,93 au lieu de 1,30, différence de −0,64 à −0,10" in told


def found(theme: str, ratio: float, low: float, high: float) -> dict[str, Any]:
    return {"kind": "concert", "theme": theme, "area": "rings", "phase": "event", "events": 130,
            "places": 1, "n": 200, "ratio": ratio, "low": low, "high": high, "status": "ok",
            "reason": ""}  # fmt: skip


def test_no_effect_of_all_themes_does_not_deny_what_one_theme_shows(names: Names) -> None:
    names.city.__dict__["themes"] = {
        "bruit": SimpleNamespace(title="Bruit"), "rixes": SimpleNamespace(title="Rixes")
    }  # fmt: skip
    whole, rixes = found("all", 1.13, 0.97, 1.32), found("rixes", 0.96, 0.73, 1.25)
    rows = [whole, found("bruit", 1.25, 1.01, 1.55), rixes]
    shown = {"ratios": pa.Table.from_pylist(rows, schema=ratios.RATIOS)}
    told = plain_text(words.effects(shown, names, 0.95))
    assert "tous thèmes ensemble, pas d'effet établi (de −3,0 % à +32,0 %)" in told
    assert "thème par thème, bruit +25,0 % (de +1,0 % à +55,0 %)." in told
    assert "2 intervalles à 95 %, chacun lu seul : même sans aucun effet" in told
    assert "le hasard en éloignerait de zéro 0,1 en moyenne" in told
    quiet = {"ratios": pa.Table.from_pylist([whole, rixes], schema=ratios.RATIOS)}
    assert "thème par thème, aucun ne ressort." in words.effects(quiet, names, 0.95)


def test_without_events_nothing_is_made_up(names: Names) -> None:
    none = {name: schema.empty_table() for name, schema in plan.SCHEMAS.items()}
    assert "Aucun événement connu" in words.answer(none, names, 42)
    (names.city.pack / event_rules.FILE).unlink()
    assert "pas de `events.yaml`" in words.answer(none, names, 42)
    for part in (words.calendar, words.clashes, words.measures, words.needs, words.thin,
                 score_words.scores):  # fmt: skip
        assert part(none, names).startswith("Auc")
    assert words.effects(none, names, 0.95).startswith("Auc")
    assert briefing.chosen(none, 10) == []
