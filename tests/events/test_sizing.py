"""How many, at what hour: never more than there are; what is lacking is said."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from helpers.core.base import store
from helpers.core.city.about import SLOTS
from helpers.core.city.city import City
from helpers.events import sizing, slot_words
from helpers.events.excess import Hour, Outlook
from helpers.events.known import Event
from helpers.events.means import Means, read_means
from tests.events.conftest import NIGHT, event, rules
from tests.fixtures.simulated import PACK

NOTHING = Outlook([], "too_few_events")
ZONES = ["N", "S"]
FRIDAY = NIGHT.weekday()


def means(each: int, barriers: int | None = 1000) -> Means:
    """Return so many officers in each of two sectors, every slot of every day."""
    officers = {(day, slot, zone): each for day in range(7) for slot in SLOTS for zone in ZONES}
    return Means(officers, barriers, ZONES)


def sized(
    events: list[Event], have: Means, outlooks: dict[str, Outlook] | None = None
) -> sizing.Sized:
    told = {one.id: NOTHING for one in events} | (outlooks or {})
    return sizing.size(events, told, have, rules(), {}, {(FRIDAY, "soir", "N"): 6.0}, SLOTS, 0.95)


def row(events: list[Event], have: Means, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = sized(events, have, **more).sizing.to_pylist()[0]
    return found


def test_a_crowd_asks_for_what_the_rules_say() -> None:
    """4,000 to 6,000 people: 2 to 4 officers and 10 to 20 barriers a thousand, crews of three."""
    one = row([event(1)], means(100))
    assert (one["officers_low"], one["officers_high"]) == (8, 24)
    assert (one["crews_low"], one["crews_high"]) == (3, 8)
    assert (one["barriers_low"], one["barriers_high"]) == (40, 120)
    assert (one["from_at"], one["to_at"]) == (
        NIGHT - dt.timedelta(hours=1), NIGHT + dt.timedelta(hours=4)
    )  # fmt: skip
    assert (one["officers_short"], one["barriers_short"], one["led_by"]) == (0, 0, "crowd")


def test_no_more_is_sent_than_there_is_and_what_is_lacking_is_said() -> None:
    """Half of 2 × 6 officers may go: 6, where 8 at least are wanted; 30 barriers, not 40."""
    one = row([event(1)], means(6, barriers=30))
    assert (one["officers_low"], one["officers_high"], one["officers_short"]) == (6, 6, 2)
    assert (one["wanted_low"], one["wanted_high"]) == (8, 24)
    assert (one["barriers_low"], one["barriers_high"], one["barriers_short"]) == (30, 30, 10)


def test_officers_and_barriers_of_one_time_are_counted_once() -> None:
    both = sized([event(1), event(2)], means(12, barriers=130)).sizing.to_pylist()
    # Both have their least first, 8 officers and 40 barriers each, as far as there are any.
    assert [one["officers_high"] for one in both] == [8, 4]
    assert [one["officers_short"] for one in both] == [0, 4]
    assert [one["barriers_low"] for one in both] == [40, 40]
    assert [one["barriers_high"] for one in both] == [90, 40]
    later = event(2, start=NIGHT + dt.timedelta(days=1), end=NIGHT + dt.timedelta(days=1, hours=3))
    apart = sized([event(1), later], means(12, barriers=130)).sizing.to_pylist()
    assert [one["officers_high"] for one in apart] == [12, 12]
    assert [one["barriers_high"] for one in apart] == [120, 120]


def test_other_material_goes_with_whom_is_sent_and_is_counted_once() -> None:
    """Twelve of 24 may go, to the first: 4 crews; a vehicle a crew, of 5, and two radios each."""
    held = {"source": "s", "kind": "k", "quantity": "q", "barriers": "b", "others": {
        "van": {"title": "véhicule", "per": "crew", "number": 1},
        "radio": {"title": "radio", "per": "officer", "number": 2},
    }}  # fmt: skip
    own, both = rules(material=held), [event(1), event(2)]
    told = {one.id: NOTHING for one in both}
    have = replace(means(12), others={"van": 5})
    found = sizing.size(both, told, have, own, {}, {}, SLOTS, 0.95).sizing.to_pylist()
    assert [(one["crews_low"], one["crews_high"]) for one in found] == [(3, 3), (2, 2)]
    vans, radios = ([one["others"][i] for one in found] for i in range(2))
    assert [(one["low"], one["high"], one["there"]) for one in vans] == [(3, 3, 5), (2, 2, 5)]
    # Nobody told how many radios there are: what is wanted is said, and that nobody told.
    assert [(one["low"], one["high"], one["there"]) for one in radios] == [
        (16, 16, None), (8, 8, None)
    ]  # fmt: skip
    few = sizing.size(both, told, replace(have, others={"van": 4}), own, {}, {}, SLOTS, 0.95)
    assert [one["others"][0]["high"] for one in few.sizing.to_pylist()] == [3, 1]


@pytest.mark.parametrize("each", [0, 1, 2, 3, 7, 20])
def test_whatever_is_asked_sums_stay_within_what_exists(each: int) -> None:
    events = [event(i, start=NIGHT + dt.timedelta(hours=i), expected=500 * i + 100,
                    least=None, most=None, end=NIGHT + dt.timedelta(hours=i + 2))
              for i in range(8)]  # fmt: skip
    found = sized(events, means(each, barriers=60))
    sent: dict[Any, int] = {}
    for shift in found.shifts.to_pylist():
        hour = shift["from_at"]
        while hour < shift["to_at"]:
            sent[hour] = sent.get(hour, 0) + shift["officers_high"]
            hour += dt.timedelta(hours=1)
    assert all(n <= 0.5 * 2 * each for n in sent.values())
    for left in found.thin.to_pylist():
        assert left["left"] >= 1
        assert left["left"] + left["sent"] == left["present"]


def test_who_is_free_again_may_be_sent_again() -> None:
    """An event that is over at 20 h and one that begins at 21 h share a slot, and its officers."""
    first = event(1, start=NIGHT - dt.timedelta(hours=1), end=NIGHT)
    second = event(2, start=NIGHT + dt.timedelta(hours=2), end=NIGHT + dt.timedelta(hours=3))
    found = sized([first, second], means(12)).sizing.to_pylist()
    assert [one["officers_short"] for one in found] == [0, 0]
    assert [one["officers_high"] for one in found] == [12, 12]


def test_what_is_lacking_is_lacking_whatever_others_are_given_beyond_their_least() -> None:
    small = event(1, expected=1500, least=1500, most=3000)  # 3 to 12 officers
    large = event(2, start=NIGHT + dt.timedelta(minutes=30))  # 8 to 24
    found = {one["event"]: one for one in sized([small, large], means(12)).sizing.to_pylist()}
    assert found["E0002"]["officers_short"] == 0
    assert found["E0001"]["officers_high"] + found["E0002"]["officers_high"] == 12


def test_no_more_people_come_in_than_the_place_holds() -> None:
    assert sizing.crowd_of(event(1, expected=5000, least=4000, most=9000, capacity=6000)) == (
        4000, 6000
    )  # fmt: skip


def test_a_crowd_that_nobody_told_is_not_zero() -> None:
    unknown = event(1, expected=None, least=None, most=None)
    one = row([unknown], means(100))
    assert (one["status"], one["reason"], one["officers_high"]) == (
        "abstained", "crowd_unknown", None
    )  # fmt: skip
    hours = [
        Hour(NIGHT + dt.timedelta(hours=i), "during", "A", 10.0, ("rings", "event"), 1.5, 0.1, 0.0)
        for i in range(3)
    ]
    known = row([unknown], means(100), outlooks={"E0001": Outlook(hours)})
    assert (known["status"], known["led_by"]) == ("ok", "facts")
    # 45 facts over the evening's four hours, half an hour to an hour each, give or take a fifth.
    assert known["officers_low"] == pytest.approx(45 / 4 / 2 / 1.2, abs=1)
    assert known["officers_high"] == pytest.approx(45 / 4 * 1.2, abs=1)


def test_a_crowd_of_none_asks_for_nobody() -> None:
    one = row([event(1, expected=0, least=0, most=0)], means(100))
    assert (one["status"], one["officers_high"], one["barriers_high"]) == ("ok", 0, 0)


def test_means_that_nobody_told_are_not_zero() -> None:
    one = row([event(1)], Means({}, None))
    assert (one["officers_high"], one["officers_short"], one["barriers_short"]) == (24, None, None)
    assert one["reason"] == "means_unknown"


def test_a_class_without_rule_abstains() -> None:
    one = row([event(1, kind="marche")], means(100))
    assert (one["status"], one["reason"]) == ("abstained", "no_rule")


def test_what_is_left_elsewhere_is_told() -> None:
    left = sized([event(1)], means(12)).thin.to_pylist()
    evening = {one["zone"]: one for one in left if one["slot"] == "soir"}
    assert {zone: one["left"] for zone, one in evening.items()} == {"N": 6, "S": 6}
    assert evening["N"]["per_officer_before"] == pytest.approx(0.5)
    assert evening["N"]["per_officer_after"] == pytest.approx(1.0)
    assert evening["S"]["per_officer_after"] is None  # nobody told its facts


def test_crews_of_a_sector_add_up_and_a_sector_off_the_list_has_nobody() -> None:
    """Crews of 2 and 3 officers are 5; those of one Monday in three are not counted on."""
    city = City(PACK)
    end = city.about.period.end
    con = store.connect()
    con.execute("CREATE TABLE vacation (date DATE, plage VARCHAR, secteur VARCHAR, "
                "heures_agents DOUBLE)")  # fmt: skip
    mondays = [end - dt.timedelta(days=end.weekday() + 7 * i) for i in range(9)]
    hours = 6.0  # of the afternoon, 13 h to 19 h
    rows = [(day, "apres_midi", "N", hours * n) for day in mondays for n in (2, 3)]
    rows += [(day, "apres_midi", "S", hours * 4) for day in mondays[::3]]
    con.executemany("INSERT INTO vacation VALUES (?, ?, ?, ?)", rows)
    without = rules(material=None)
    found = read_means(con, city, without, 10).officers
    assert found == {(0, "apres_midi", "N"): 5, (0, "apres_midi", "S"): 0}


def test_officers_of_all_sectors_are_never_more_than_their_hours_make() -> None:
    """Three sectors of four and a half officers: thirteen in all, not fifteen."""
    city = City(PACK)
    con = store.connect()
    con.execute("CREATE TABLE vacation (date DATE, plage VARCHAR, secteur VARCHAR, "
                "heures_agents DOUBLE)")  # fmt: skip
    end = city.about.period.end
    monday = end - dt.timedelta(days=end.weekday())
    con.executemany("INSERT INTO vacation VALUES (?, 'apres_midi', ?, 27.0)",
                    [(monday, sector) for sector in "NOS"])  # fmt: skip
    found = read_means(con, city, rules(material=None), 10).officers
    assert sorted(found.values()) == [4, 4, 5]


def test_a_sector_that_the_roster_leaves_out_for_weeks_is_told() -> None:
    """Sixty days of which N is told every one, S the first ten alone: what S has is not known."""
    city = City(PACK)
    con = store.connect()
    con.execute("CREATE TABLE vacation (date DATE, plage VARCHAR, secteur VARCHAR, "
                "heures_agents DOUBLE)")  # fmt: skip
    end = city.about.period.end
    days = [end - dt.timedelta(days=i) for i in range(60)]
    rows = [(day, "apres_midi", "N", 24.0) for day in days]
    rows += [(day, "apres_midi", "S", 12.0) for day in days[50:]]
    con.executemany("INSERT INTO vacation VALUES (?, ?, ?, ?)", rows)
    found = read_means(con, city, rules(material=None), 10)
    assert found.untold == {"S": 50}
    assert Means.of_table(found.table()) == found
    said = slot_words.untold(found.table().to_pylist(), lambda zone: f"secteur {zone}")
    assert "secteur S (50\u00a0jours)" in said
    assert slot_words.untold(Means({}, None).table().to_pylist(), str) == ""
