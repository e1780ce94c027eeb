"""Each thing planted, and each left alone, looked up in what the stages published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import numpy as np

from helpers.core.base.french import number, percent, spoken
from helpers.core.city.names import WHOLE
from helpers.core.place_time.territory import WGS84, cell_names, project
from helpers.simulate.base import LOG
from helpers.simulate.published import NOTHING, Published, Row, Said
from helpers.simulate.streams import Floats

ESTABLISHED = 0.05  # a yearly trend at least this large is planted; below, it is a sway
AGENTS = frozenset({"pve"})  # sources of agents' own initiative
MOVED = 1.15  # ratio of agent-hours, from which what they record changes with them
ADMITTED = 0.10  # false changes among those told of zones: what trends' settings admit
WEEK, AFTER = dt.timedelta(days=7), dt.timedelta(weeks=6)
SEEMING, FLOW = "en apparence", "flux"  # how a fall of the count is told to be one of the record
LESS = "less"  # of `reliability/decay`: much less comes than in the past


def themes(run: Published) -> Iterator[Said]:
    """Two themes change over the city; of all others nothing may be told."""
    levels = {r["theme"]: r for r in run.table("trends/levels") if r["zone"] == WHOLE}
    for name, theme in run.city.themes.items():
        if name not in levels:
            continue
        label = levels[name]["label"]
        sentence = run.line("trends", f"**{theme.title}**")
        planted = planted_change(run, name)
        title = {"up": "en hausse", "down": "en baisse", "": "rien de planté"}[planted]
        fades = not planted and not _fading_sources(run).isdisjoint(theme.sources)
        if fades:
            title = "source qui s'éteint : ne pas dire « en baisse » sans réserve"
        right = label == planted if planted else label not in ("up", "down")
        if fades:
            right = right or SEEMING in sentence or FLOW in sentence
        yield Said(f"{theme.title} : {title}", bool(planted), "trends", sentence, right)


def planted_change(run: Published, theme: str) -> str:
    """Return `up`, `down` or nothing: what is planted of a theme over the whole city."""
    trends = [run.settings.kinds[code].trend for code in _kinds(run, theme)]
    if not trends or min(map(abs, trends)) < ESTABLISHED:
        return ""
    return "up" if trends[0] > 0 else "down"


def _kinds(run: Published, theme: str) -> set[str]:
    """Return the kinds of incidents that a theme counts; none if another source counts it."""
    return set(run.city.themes[theme].parts.get(LOG, ()))


def _fading_sources(run: Published) -> set[str]:
    """Return the sources that fade everywhere."""
    fadings = run.settings.sources.fadings
    return {one.source for one in fadings if one.district is None and one.initiator is None}


def zones(run: Published) -> Iterator[Said]:
    """One theme rises in some districts alone; other zones change by chance only."""
    rows = [r for r in run.table("trends/levels") if r["zone"] != WHOLE and r["status"] == "ok"]
    planted: dict[tuple[str, str], str] = {}  # theme, beginning of a zone's code → label
    for rule in run.settings.planted.local:
        if rule.start > run.city.about.period.end - WEEK:
            continue
        for theme in run.city.themes:
            if set(rule.kinds) & _kinds(run, theme):
                planted |= {(theme, place): "up" for place in rule.places}
    for (theme, place), label in planted.items():
        own = [r for r in rows if r["theme"] == theme and r["zone"].startswith(place)]
        found = [r for r in own if r["label"] == label]
        what = f"{run.city.themes[theme].title} en hausse, {run.names.get(place, place)}"
        names = [f"{run.names[r['zone']]} ×{number(r['ratio'], 2)}" for r in found]
        told = ", ".join(names) or f"aucun de ses {len(own)} quartiers jugés"
        yield Said(what, True, "trends, tableau levels", told, bool(found))
    established = [r for r in rows if r["label"] in ("up", "down")]
    false = [r for r in established if not _of_something_planted(run, r, planted)]
    told = ", ".join(
        f"{r['theme']} {run.names.get(r['zone'], r['zone'])} ×{number(r['ratio'], 2)}"
        for r in false[:5]
    )
    # Of those told, one in ten may be false, and one alone may always be.
    admitted = max(1, round(ADMITTED * len(established)))
    what = f"Autres zones : {len(false)} fausses sur {len(established)} dites ({len(rows)} jugées)"
    yield Said(what, False, "trends, tableau levels", told or NOTHING, len(false) <= admitted)


def _of_something_planted(run: Published, row: Row, planted: dict[tuple[str, str], str]) -> bool:
    """Tell whether a zone's change follows from what is planted, in the city or there."""
    theme, zone = row["theme"], row["zone"]
    if any(theme == t and zone.startswith(place) for t, place in planted):
        return True
    if planted_change(run, theme) == row["label"]:
        return True
    followed = _followed(run, theme)
    if any(
        followed & set(r.kinds) and zone.startswith(r.places) for r in run.settings.planted.local
    ):
        return True
    sources = run.city.themes[theme].sources
    if AGENTS.intersection(sources) and zone in run.hours:
        # What agents record follows their presence, which actions move: no false change.
        moved = run.hours[zone]
        if (moved >= MOVED) if row["label"] == "up" else (moved <= 1 / MOVED):
            return True
    fading = [one for one in run.settings.sources.fadings if one.source in sources]
    lost = any(one.district is None or zone.startswith(one.district) for one in fading)
    return lost and row["label"] == "down"


def _followed(run: Published, theme: str) -> set[str]:
    """Return the kinds of incidents that lead to what a theme counts in another source."""
    codes, rules = set(run.city.themes[theme].categories), run.settings.sources
    fined = {
        kind for name, one in rules.pve.families.items() if name in codes for kind in one.after
    }
    seen = {kind for kind, (_, objects) in rules.signalement.seen.items() if codes & set(objects)}
    towed = set(rules.pve.families["stationnement"].after)
    followed = {"pve": fined, "signalement": seen, "fourriere": towed}
    sources = run.city.themes[theme].sources
    return {kind for source in sources for kind in followed.get(source, set())}


def last_week(run: Published) -> Iterator[Said]:
    """A surge of the last week in one quarter lights an alert; chance alone does not."""
    alerts = [r for r in run.table("situation/alerts") if r["status"] == "ok"]
    end = run.city.about.period.end
    surges = [
        (theme, place, rule.factor)
        for rule in run.settings.planted.local
        if rule.start > end - WEEK
        for theme in run.city.themes
        if set(rule.kinds) & _kinds(run, theme)
        for place in rule.places
    ]
    for theme, place, factor in surges:
        mine = [r for r in alerts if (r["theme"], r["zone"]) == (theme, place)]
        title, name = run.city.themes[theme].title, run.names.get(place, place)
        sentence = run.line("situation", f"**{title}, {name}**")
        right = any(r["alert"] for r in mine)
        yield Said(
            f"{title}, {name} : semaine ×{number(factor)}",
            True,
            "situation, alertes",
            sentence,
            right,
        )

    def planted(row: Row) -> bool:
        # The district that holds the quarter surges with it.
        return any(row["theme"] == t and p.startswith(row["zone"]) for t, p, _ in surges)

    others = [r for r in alerts if not planted(r) and r["n"] > r["expected"]]
    peak = min((r for r in others if r["period_days"] == WEEK.days), key=lambda r: r["p"])
    name = run.names.get(peak["zone"], str(peak["zone"]))
    title = run.city.themes[peak["theme"]].title
    told = f"{peak['n']} faits, {number(peak['expected'], 1)} attendus, p {peak['p']:.2g}"
    what = f"{title}, {name} : la plus forte pointe due au hasard"
    yield Said(what, False, "situation, alertes", told, not peak["alert"])
    lit = [r for r in others if r["alert"]]
    watched = [r for r in others if r["watch"] and not r["alert"]]
    told = ", ".join(f"{r['theme']} {run.names.get(r['zone'], r['zone'])}" for r in lit)
    yield Said("Autres alertes", False, "situation, alertes", told or NOTHING, not lit)
    told = f"{len(watched)} comptes à regarder"
    yield Said("Liste « à regarder »", False, "situation", told, len(watched) <= 3)


def renamed_codes(run: Published) -> Iterator[Said]:
    """A code is renamed, strays and all; no other is."""
    drift = [r for r in run.table("reliability/drift") if r["kind"] == "renamed"]
    rules = run.settings.sources.renamings
    for rule in rules:
        found = [r for r in drift if (r["source"], r["code"]) == (rule.source, rule.old)]
        right = any(abs((r["week"] - rule.start).days) <= WEEK.days for r in found)
        sentence = run.line("trends", f"« {rule.old} » serait devenu")
        right = right and sentence != NOTHING
        yield Said(f"« {rule.old} » renommé le {spoken(rule.start)}", True, "reliability, trends",
                   sentence, right)  # fmt: skip
    others = [r for r in drift if r["code"] not in {rule.old for rule in rules}]
    told = ", ".join(f"{r['source']} {r['code']}" for r in others)
    yield Said("Autres codes renommés", False, "reliability", told or NOTHING, not others)


def breaks(run: Published) -> Iterator[Said]:
    """A tool changes once, which is a step; a slope, a sway, a lost part are none."""
    rows = run.table("trends/breaks")
    steps = [e for e in run.settings.time.episodes if e.recording and e.end is None]
    for step in steps:
        mine = [r for r in rows if r["source"] == step.source and not r["theme"]]
        near = [r for r in mine if r["first"] <= step.start <= r["last"] + WEEK]
        told = ", ".join(_dated(r) for r in mine) or NOTHING
        yield Said(f"{step.title}, {spoken(step.start)}", True, "trends, ruptures", told,
                   bool(near))  # fmt: skip
    dates = [e.start for e in run.settings.time.episodes]
    feeds = run.settings.sources
    dates += [one.start for one in feeds.renamings] + [one.start for one in feeds.outages]
    dates += [one.start for one in feeds.fadings]
    dates += [one.start for one in run.city.about.milestones]
    dates += [d + AFTER for d in dates]
    for name, theme in run.city.themes.items():
        if planted_change(run, name):
            own = [r for r in rows if r["theme"] == name]
            told = ", ".join(_dated(r) for r in own) or NOTHING
            right = all(_near(r, dates) for r in own)
            yield Said(f"{theme.title} : une pente, non une marche", False, "trends, ruptures",
                       told, right)  # fmt: skip
    false = [r for r in rows if not r["explanations"] and not _near(r, dates)]
    told = ", ".join(f"{r['theme'] or r['source']} {_dated(r)}" for r in false)
    yield Said("Ruptures sans cause plantée", False, "trends, ruptures", told or NOTHING, not false)


def _near(row: Row, dates: list[dt.date]) -> bool:
    return any(row["first"] - WEEK <= date <= row["last"] + WEEK for date in dates)


def _dated(row: Row) -> str:
    return f"{spoken(row['week'])} ({percent(row['ratio'] - 1, 1)})"


def fading(run: Published) -> Iterator[Said]:
    """A source dies slowly, and a district's citizens fall silent; the other sources live."""
    decay = {r["source"]: r for r in run.table("reliability/decay")}
    dying = _fading_sources(run)
    for source, row in decay.items():
        if row["status"] == "abstained":
            continue
        title = run.city.contracts[source].title
        falls = row["status"] == LESS
        sentence = run.line("reliability", title, "aux mêmes semaines")
        sentence = sentence if sentence != NOTHING else f"×{number(row['ratio'], 2)}"
        state = "s'éteint" if source in dying else "continue"
        yield Said(f"{title} : {state}", source in dying, "reliability, decay", sentence,
                   falls == (source in dying))  # fmt: skip
    for rule in run.settings.sources.fadings:
        if rule.district is None:
            continue
        where = run.names.get(rule.district, rule.district)
        rows = run.table("reliability/breaks")
        own = [r for r in rows if r["source"] == rule.source and r["zone"]
               and r["zone"].startswith(rule.district) and r["status"] == "ok"]  # fmt: skip
        near = [r for r in own if _near(r, [rule.start, rule.start + AFTER])]
        sentence = run.line("reliability", where)
        told = sentence if sentence != NOTHING else ", ".join(_dated(r) for r in own) or NOTHING
        yield Said(rule.title, True, "reliability, breaks", told, bool(near))


def extraordinary(run: Published) -> Iterator[Said]:
    """One day is out of the ordinary, and the known nights; no other."""
    rows = run.table("reliability/extraordinary")
    planted = [e for e in run.settings.time.episodes if not e.recording and e.end is not None]
    days = {r["day"] for r in rows}
    for episode in planted:
        assert episode.end is not None
        span = [d for d in days if episode.start <= d <= episode.end + dt.timedelta(days=1)]
        sentence = run.line("reliability", f"**{spoken(episode.start)}**")
        yield Said(episode.title, True, "reliability", sentence, episode.start in span)
    known = [(e.start, e.end + dt.timedelta(days=1)) for e in planted if e.end is not None]
    others = sorted(d for d in days if not any(a <= d <= b for a, b in known))
    told = ", ".join(spoken(d) for d in others)
    yield Said(
        "Autres jours hors de l'ordinaire", False, "reliability", told or NOTHING, not others
    )


def holidays(run: Published) -> Iterator[Said]:
    """School holidays move two themes, and what follows from them; no other."""
    planted = run.settings.planted.school_holidays
    for row in run.table("rhythms/days"):
        if row["kind"] != "school_holidays":
            continue
        theme = run.city.themes[row["theme"]]
        factors = [1.0, *(planted.get(code, 1.0) for code in _kinds(run, row["theme"]))]
        due = min(factors) < 1 or max(factors) > 1
        told = "tu"
        if row["found"]:
            told = f"{percent(row['ratio'] - 1, 1)} ({run.line('rhythms', 'Vacances scolaires')})"
        follows = bool(_followed(run, row["theme"]) & set(planted))
        agrees = row["found"] and (row["ratio"] > 1) == (max(factors) > 1)
        yield Said(f"Vacances, {theme.title}", due, "rhythms, days", told,
                   agrees if due else follows or not row["found"])  # fmt: skip


def heat(run: Published) -> Iterator[Said]:
    """Hot days move two themes."""
    climate = run.settings.world.climate
    for name in climate.violence:
        sentence = run.line("rhythms", "chaleur")
        yield Said(f"Chaleur, {name} (×{climate.hot_violence})", True, "aucune étape", sentence,
                   sentence != NOTHING)  # fmt: skip


def addresses(run: Published) -> Iterator[Said]:
    """An address comes again and again: its cell is told as the deed of one point."""
    cells = [r for r in run.table("hotspots/cells") if r["status"] == "ok" and r["hot"]]
    step = run.settings.shapes.cell_m
    for rule in run.settings.planted.addresses:
        x, y = _metres(rule.longitude, rule.latitude, run.city.about.crs)
        cell = cell_names(x, y, run.city.about.crs, step)[0].as_py()
        theme = next(n for n in run.city.themes if rule.kind in _kinds(run, n))
        own = [r for r in cells if (r["theme"], r["cell"]) == (theme, cell)]
        told = f"maille {cell} : {'à part' if own else 'non dite'}"
        told += ", du fait d'un seul point" if own and own[0]["one_place"] else ""
        yield Said(rule.title, True, "hotspots, cells", told, bool(own and own[0]["one_place"]))


def _metres(longitude: float, latitude: float, crs: str) -> tuple[Floats, Floats]:
    return project(np.array([longitude]), np.array([latitude]), crs, WGS84)


ALL: tuple[Callable[[Published], Iterator[Said]], ...] = (
    themes, zones, last_week, renamed_codes, breaks, fading, extraordinary, holidays, heat,
    addresses,
)  # fmt: skip
