"""What is planted at the counters, looked up in what `traffic` and `situation` published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from helpers.core.base.french import number, percent
from helpers.simulate.published import NOTHING, Published, Row, Said
from helpers.simulate.settings_counting import Counting

OPEN = ("more", "less")


def _rules(run: Published) -> Counting:
    return run.settings.sources.comptage


def closures(run: Published) -> Iterator[Said]:
    """A closure moves what is planted to the roads named; one that moves nothing is said so."""
    rows = run.table("traffic/closures")
    for one in _rules(run).closed:
        own = [r for r in rows if r["site"] == one.site and r["role"] == "closed"]
        share = sum(one.moved.values())
        row = own[0] if own else {}
        held = row.get("moved") is not None and row["moved_low"] <= share <= row["moved_high"]
        said = held and (row["moved_low"] > 0) == (share > 0)
        sentence = run.line("traffic", f"**{one.title}**", "du trafic perdu")
        yield Said(f"{one.title}, report de {percent(share)}", bool(share), "traffic, closures",
                   sentence, bool(said))  # fmt: skip


def fluidity(run: Published) -> Iterator[Said]:
    """Roads whose flow changed for good are told, and no other."""
    end = run.city.about.period.end
    rows = [r for r in run.table("traffic/fluidity") if r["measure"] == "flow"]
    changed = {
        one.site for one in _rules(run).changed
        if not one.machine and end - dt.timedelta(days=60) <= one.start <= end
    }  # fmt: skip
    found = {r["site"] for r in rows if r["level"] in OPEN}
    for site in sorted(changed):
        own = [r for r in rows if r["site"] == site and r["level"] in OPEN]
        told = ", ".join(f"{r['slot']} ×{number(r['ratio'], 2)}" for r in own) or NOTHING
        yield Said(f"Trafic changé pour de bon, {site}", True, "traffic, fluidity", told,
                   site in found)  # fmt: skip
    others = sorted(found - changed)
    yield Said("Autres voies comptées", False, "traffic, fluidity", ", ".join(others) or NOTHING,
               not others)  # fmt: skip


def gatherings(run: Published) -> Iterator[Said]:
    """A gathering of the last day is an alert; what is dead, announced or ordinary is none."""
    last = run.city.about.period.end
    rows = run.table("situation/gatherings")
    planted = [one for one in _rules(run).gatherings if one.start.date() == last]
    alerts = [r for r in rows if r["alert"]]
    for one in planted:
        own = [r for r in alerts if r["site"] == one.site and _during(r, one.start.hour)]
        sentence = run.line("situation", "passages", "attendus")
        yield Said(one.title, True, "situation, gatherings", sentence, bool(own))
    sites = {one.site for one in planted}
    others = sorted({r["name"] for r in alerts if r["site"] not in sites})
    yield Said("Autres compteurs de piétons", False, "situation, gatherings",
               ", ".join(others) or NOTHING, not others)  # fmt: skip
    for dead in _rules(run).dead:
        own = [r for r in rows if r["site"] == dead.site]
        if dead.start <= last <= dead.end and own:
            silent = all(r["status"] == "missing" for r in own)
            yield Said(f"Compteur muet, {own[0]['name']}", False, "situation, gatherings",
                       own[0]["reason"], silent)  # fmt: skip


def _during(row: Row, hour: int) -> bool:
    return bool(row["hour"] <= hour < row["hour"] + row["hours"])


ALL = (closures, fluidity, gatherings)
