"""The deputy mayor's chair: is it covered, how many barriers at what hour; said as the tables say.

The tables are read in plain SQL: nothing of ours.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml

from helpers.apps.events import Events
from helpers.apps.shell import Shell
from helpers.core.city.city import City
from tests.fixtures.browser import needs_chromium, open_page
from tests.journeys.people.pages import (
    SCREEN,
    SMALL,
    Clicks,
    bottom,
    plain,
    rows_of,
    settle,
    taken,
)
from tests.journeys.place import CITY, Place

if TYPE_CHECKING:
    from playwright.sync_api import Page

DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
SAID = "#rendered_cells .app-words"


def match(built: Place) -> dict[str, Any]:
    """Return a match to come, of a Saturday where there is one, that is sized."""
    (row, *_) = built.results(
"events", "SELECT c.*, s.* EXCLUDE (event) FROM {calendar} c JOIN {sizing} s USING (event) "
        "WHERE kind = 'sportif' AND s.status = 'ok' "
        "ORDER BY isodow(start_at) = 6 DESC, start_at, event",
    )  # fmt: skip
    return row


def clock(at: Any) -> str:
    return f"{at.hour} h" + (f" {at.minute:02d}" if at.minute else "")


def spread(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} à {high}"


def fullest(built: Place, event: str) -> dict[str, Any]:
    """Return the slot of an event with the most officers: the first of them."""
    (row, *_) = built.results(
        "events", "SELECT * FROM {shifts} WHERE event = ? "
        "ORDER BY officers_high DESC, officers_low DESC, from_at", event,
    )  # fmt: skip
    return row


def pick(hand: Clicks, row: dict[str, Any]) -> str:
    """Choose an event in the list, as its day, hour and class name it; return what is said."""
    at = row["start_at"]
    select = hand.page.get_by_label("Événement", exact=True)
    select.wait_for()  # a click may return before the page that it leads to is there
    settle(hand.page)
    labels = [plain(one) for one in select.locator("option").all_text_contents()]
    head = f"{DAYS[at.weekday()]} {'1er' if at.day == 1 else at.day} "
    tail = f", {clock(at)} · Événement sportif"
    index = next(i for i, one in enumerate(labels) if one.startswith(head) and tail in one)
    select.select_option(index=index)
    hand.n += 1
    hand.page.wait_for_function(
        "(id) => document.querySelector('#rendered_cells .app-heading').dataset.query.includes(id)",
        arg=row["event"],
    )
    return plain(hand.page.locator(SAID).inner_text())


def arrive(page: Page) -> Clicks:
    hand = Clicks(page)
    hand.on(page.get_by_role("link", name=re.compile("^Événements")))
    return hand


def test_an_answer_does_not_depend_on_what_was_answered_before(
    built: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(built.root)
    ready, new = Shell(CITY, Events), Shell(CITY, Events)
    assert ready.page is not None
    assert new.page is not None
    for _ in ready.prepare():
        pass
    (count,) = built.results("events", "SELECT count(*) AS n FROM {calendar}")
    assert len(ready.prepared) == count["n"] + 1
    for choice, told in reversed(ready.prepared.items()):
        assert [put[2] for put in new.page.answer(choice)] == [put[2] for put in told], choice


@needs_chromium
def test_whether_a_match_is_covered_in_three_clicks(built: Place, url: str) -> None:
    row = match(built)
    own = built.results("events", "SELECT * FROM {checklist} WHERE event = ?", row["event"])
    missing = [one for one in own if one["state"] != "taken"]
    met = built.results("events", "SELECT * FROM {clashes} WHERE event = ? OR other = ?",
               row["event"], row["event"])  # fmt: skip
    lacking = bool(row["officers_short"] or row["barriers_short"])
    with open_page(url) as (page, log):
        hand = arrive(page)
        said = pick(hand, row)
        assert f"{row['expected']} personnes attendues" in said
        assert ("pas entièrement couvert" in said) == bool(missing or met or lacking)
        assert ("couvert d'après les sources" in said) == (not (missing or met or lacking))
        assert (f"{len(missing)} des {len(own)} mesures attendues" in said) == bool(missing)
        assert ("les moyens ne suffisent pas" in said) == lacking
        assert hand.n <= 3
        settled = plain(page.locator("#rendered_cells .app-cards").inner_text())
        first = min(missing, key=lambda one: one["rank"], default=None)
        if missing or met:
            points = len(missing) + len(met)
            assert f"À régler : {points} point" in settled
        if first and not met:
            assert settled.index(first["measure"]) == min(
                settled.index(one["measure"]) for one in missing if one["measure"] in settled
            )
            assert first["owner"] in settled
        for one in met:
            assert all(who in settled for who in one["tell"])
    assert (log.blocked, log.errors) == ([], [])


@needs_chromium
@pytest.mark.parametrize("size", [SCREEN, SMALL])
def test_how_many_barriers_and_at_what_hour_in_three_clicks(
    built: Place, url: str, size: tuple[int, int]
) -> None:
    """The answer is in the first fold, whatever the screen; the map has the place and its zone."""
    row = match(built)
    with open_page(url, size) as (page, log):
        hand = arrive(page)
        said = pick(hand, row)
        assert f"{spread(row['barriers_low'], row['barriers_high'])} barrière" in said
        assert f"{spread(row['officers_low'], row['officers_high'])} agent" in said
        top = fullest(built, row["event"])
        assert f"de {clock(top['from_at'])} à " in said
        assert hand.n <= 3
        frame = ".app-wide" if size == SCREEN else ".app-narrow"
        parts = (SAID, ".app-tiles strong", ".app-cards h2")
        for part in (*parts, *([f"{frame} svg.map", ".app-tiles"] if size == SCREEN else [])):
            assert bottom(page, part) <= size[1], part
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        tile = page.locator("#rendered_cells .app-tiles li", has_text="Barrières").first
        told = plain(tile.inner_text())
        assert f"{row['barriers_there']} en stock" in told
        assert clock(row["setup_at"]) in told
        assert clock(row["teardown_at"]) in told
        assert page.locator(f"#rendered_cells {frame} .map-mark").count() == 1
        assert page.locator(f"#rendered_cells {frame} .map-label").count() >= 1
    assert (log.blocked, log.errors) == ([], [])


@needs_chromium
def test_what_is_expected_and_what_came_before_is_what_the_tables_say(
    built: Place, url: str
) -> None:
    row = match(built)
    (seen,) = built.results("events", "SELECT * FROM {foreseen} WHERE event = ?", row["event"])
    before = built.results(
        "events", "SELECT * FROM {similar} WHERE event = ? ORDER BY rank", row["event"]
    )
    slots = built.results(
        "events", "SELECT * FROM {shifts} WHERE event = ? ORDER BY from_at", row["event"]
    )
    with open_page(f"{url}voila/render/evenements.ipynb?evenement={row['event']}") as (page, log):
        settle(page)
        page.locator(SAID, has_text="Événement sportif").wait_for()
        tile = plain(page.locator("#rendered_cells .app-tiles li", has_text="autour").inner_text())
        if seen["status"] == "ok":
            assert spread(seen["count_low"], seen["count_high"]) in tile
            ends = [f"{seen[name]:.1f}".replace(".", ",").replace("-", "−")
                    for name in ("usual", "low", "high")]  # fmt: skip
            assert all(one.replace("−0,0", "0,0") in tile for one in ends), (tile, ends)
        else:
            assert "abstention" in tile
        listed = page.locator("#rendered_cells .app-table", has_text="Les plus semblables")
        lines = [plain(one) for one in listed.locator("li").all_inner_texts()]
        assert len(lines) == len(before)
        for line, one in zip(lines, before, strict=True):
            assert str(one["start_at"].year) in line
            assert one["seen"] is None or f"{one['seen']} personne" in line
            assert one["n"] is None or f"{one['n']} fait" in line
        _, text = taken(page, page.locator("#rendered_cells .app-needs .app-keep a"))
        kept = rows_of(text)
        assert [(one["demandés au moins"], one["demandés au plus"]) for one in kept] == [
            (str(one["wanted_low"]), str(one["wanted_high"])) for one in slots
        ]
    log.assert_clean()


@needs_chromium
def test_other_assumptions_are_counted_again_and_stay_within_what_exists(
    built: Place, url: str
) -> None:
    """By the keyboard; the most barriers of a crowd, by hand: people by thousand, times so many."""
    row = match(built)
    stock = row["barriers_there"]
    with open_page(f"{url}voila/render/evenements.ipynb?evenement={row['event']}") as (page, log):
        settle(page)
        told = page.locator("#rendered_cells .app-resized")
        told.wait_for()
        before = plain(told.inner_text())
        assert f"{spread(row['barriers_low'], row['barriers_high'])} barrière" in before
        least = page.get_by_role("slider", name=re.compile("^Barrières pour.*au moins"))
        for key in ("Home", "ArrowRight", "ArrowRight", "End"):
            old = told.inner_text()
            least.press(key)
            page.wait_for_function(
                "(old) => document.querySelector('#rendered_cells .app-resized').innerText !== old",
                arg=old,
            )
            said = plain(told.inner_text())
            found = re.search(r"([\d,]+)(?: à ([\d,]+))? barrières pour 1000", said)
            asked = re.search(r"(\d+)(?: à (\d+))? barrières?,", said)
            assert found
            assert asked
            per = float(found[1].replace(",", "."))
            wanted = math.ceil(round((row["least"] or row["expected"]) / 1000 * per, 6))
            assert int(asked[1]) == min(wanted, stock), said
            assert int(asked[2] or asked[1]) <= stock
        assert "La ville suppose" in said
        most = page.get_by_role("slider", name=re.compile("^Barrières pour.*au plus"))
        most.press("End")
        far = re.compile(r"à (\d+)\u00a0barrières \(réglable de 0 à \1\)")
        page.get_by_text(far).wait_for()
    log.assert_clean()


@needs_chromium
def test_an_accident_now_is_answered_within_what_there_is(built: Place, url: str) -> None:
    """In three clicks: what, where, at what hour; the most that may come is told by plain SQL."""
    rules = yaml.safe_load((built.root / f"data/cities/{CITY}/events.yaml").read_text("utf-8"))
    rule = rules["sudden"]["accident_grave"]
    with open_page(f"{url}voila/render/evenements.ipynb") as (page, log):
        settle(page)
        part = page.locator("#rendered_cells .app-sudden")
        part.locator(".app-happened").wait_for()
        zone = built.results("events", "SELECT max(zone) AS zone FROM {means}")[0]["zone"]
        for label, value in (("Quoi", "Accident grave"), ("Où", None), ("À quelle heure", "18 h")):
            select = part.get_by_label(label, exact=True)
            options = [plain(one) for one in select.locator("option").all_text_contents()]
            select.select_option(index=options.index(value) if value else len(options) - 1)
        part.locator(".app-happened", has_text=re.compile("à 18.h, pour")).wait_for()
        said = plain(part.locator(".app-happened").inner_text())
        day = part.get_by_label("Quel jour", exact=True).locator("option").first.text_content()
    log.assert_clean()
    assert f"{rule['closures'][0]} à {rule['closures'][1]} fermetures de voie" in said
    assert all(one in said for one in rule["tell"])
    slot = [n for n, one in City(built.root / f"data/cities/{CITY}").about.slots.items()
            if one.start_h <= 18][-1]  # fmt: skip
    weekday = DAYS.index((day or "")[:4])
    (row,) = built.results(
        "events", "SELECT sum(number)::INT AS n, sum(greatest(number - ?, 0))::INT AS spare "
        "FROM {means} WHERE means = 'officers' AND weekday = ? AND slot = ?",
        rules["least_left"], weekday, slot,
    )  # fmt: skip
    most = min(rule["officers"][1], int(rule["shared_out"] * row["n"]), row["spare"])
    found = re.search(r"(?:(\d+) à )?(\d+) agents?", said)
    assert found
    assert int(found[2]) == most, (said, row, zone)


@needs_chromium
def test_the_briefing_is_taken_away_as_it_is_or_made_where_there_is_none(
    built: Place, url: str
) -> None:
    folder = built.data / "derived/events/fiches"
    written = {path.read_bytes(): path.name for path in folder.glob("*.html")}
    crowds = built.results("events", "SELECT event, expected FROM {calendar} "
                  "ORDER BY coalesce(expected, 0) DESC, start_at, event")  # fmt: skip
    for event, prepared in ((crowds[0]["event"], True), (crowds[-1]["event"], False)):
        address = f"{url}voila/render/evenements.ipynb?evenement={event}"
        with open_page(address) as (page, log):
            settle(page)
            link = page.locator("#rendered_cells .app-sheet a").first
            link.wait_for()
            (pdf,) = page.locator("#rendered_cells .app-sheet a[download$='.pdf']").all()
            _, sheet = taken(page, pdf)
            assert sheet.startswith(b"%PDF-1.7")
            assert (sheet in {one.read_bytes() for one in folder.glob("*.pdf")}) == prepared
            name, content = taken(page, link)
            assert name.endswith(".html")
            assert (content in written) == prepared
            if prepared:
                assert name.endswith(written[content])
            text = content.decode("utf-8")
            assert "<h2>Pour les riverains</h2>" in text
            assert "<script" not in text
        log.assert_clean()
    assert len(crowds) > len(written)


@needs_chromium
def test_a_link_to_an_event_that_is_not_there_is_refused(built: Place, url: str) -> None:
    (count,) = built.results("events", "SELECT count(*) AS n FROM {calendar}")
    bad = "evenement=%3Cimg%20src=x%20onerror=alert(1)%3E"
    with open_page(f"{url}voila/render/evenements.ipynb?{bad}") as (page, log):
        settle(page)
        page.get_by_text("Le lien demandait ce qui n'existe pas (événement)").wait_for()
        assert page.locator(".app-page img").count() == 0
        said = plain(page.locator(SAID).inner_text())
        assert said.startswith(f"{count['n']} événements connus")
        assert page.get_by_label("Événement", exact=True).locator("option").count() == (
            count["n"] + 1
        )
    log.assert_clean()


@needs_chromium
def test_tomorrow_is_one_line_of_today(built: Place, url: str) -> None:
    path = built.data / "derived/forecast/forecasts.parquet"
    told = duckdb.sql(
        f"SELECT mean, q10, q90 FROM '{path}' WHERE horizon = 'day' AND zone = 'ville' AND "
        "part = 'day' AND status = 'ok' AND kind <> 'activity' ORDER BY mean DESC, theme LIMIT 3"
    ).fetchall()
    with open_page(f"{url}voila/render/situation.ipynb") as (page, log):
        settle(page)
        line = page.locator("#rendered_cells .app-morrow")
        assert line.count() == bool(told)
        if told:
            said = plain(line.inner_text())
            assert said.startswith("Demain, ")
            assert re.findall(r"\((\d+) à (\d+)\)", said) == [(str(a), str(b)) for _, a, b in told]
            assert line.locator("a").count() == 0
            page.evaluate(
                "document.querySelector('#rendered_cells .app-morrow').dataset.expires = "
                "'2020-01-01T00:00:00+01:00'"
            )
            page.get_by_label("Thème", exact=True).select_option(index=1)
            page.locator("#rendered_cells .app-morrow[data-expires]").wait_for(state="detached")
    log.assert_clean()
