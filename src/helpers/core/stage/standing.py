"""How far a result stands: badge of reliability, themes in force, what is left out, caveats."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import duckdb
import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.french import change, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.code_names import renaming, spoken_code
from helpers.core.city.theme import Theme
from helpers.core.stage.run import Run

# Periods compared are of a year at most: what came before two has no part in them.
LATELY = dt.timedelta(weeks=2 * 53)
ABSENT = {
    "vanished": "{code} ne vient plus depuis la semaine du {week}",
    "new": "{code} ne vient qu'à partir de la semaine du {week}",
    "away": "{code} ne vient pas de la semaine du {week} à celle du {until}",
}
HELD_OF_TEN = 9  # weeks in ten of a window that must hold its grade
MOST = 0.5  # share of the records beyond which agents carry a count


def grade_of(
    con: duckdb.DuckDBPyConnection, sources: Sequence[str], start: dt.date, end: dt.date
) -> str:
    """Return the worst grade of the sources over the days `start` to `end`, both inclusive.

    The grade of a source is the one that nine of its weeks in ten hold, of those that it covers; a
    source without weeks there keeps that of its whole period. Views `weeks` (as written) and
    `grades`.
    """
    return max(_of_source(con, source, start, end) for source in sources)


def _of_source(con: duckdb.DuckDBPyConnection, source: str, start: dt.date, end: dt.date) -> str:
    weeks = (
        "SELECT grade FROM weeks WHERE source = ? AND week <= ? AND week + 6 >= ? "
        "AND grade IS NOT NULL ORDER BY ALL"
    )
    letters = [row[0] for row in con.execute(weeks, [source, end, start]).fetchall()]
    if letters:
        return str(letters[-(-len(letters) * HELD_OF_TEN // 10) - 1])
    whole = "SELECT grade FROM grades WHERE source = ?"
    return str(con.execute(whole, [source]).fetchall()[0][0])


def badge(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[str],
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> str:
    """Return the worst grade of the sources, as printed on a figure.

    With `start` and `end` (inclusive), that of the window which the figure shows (views `weeks`
    and `grades`); without, that of the whole period (view `grades`). Nothing without sources.
    """
    if not sources:
        return ""
    if start is not None and end is not None:
        return f"fiabilité {grade_of(con, sources, start, end)}"
    listed = ", ".join(store.literal(name) for name in sources)
    rows = con.execute(f"SELECT max(grade) FROM grades WHERE source IN ({listed})").fetchall()
    return f"fiabilité {rows[0][0]}"


State = Literal["not_yet", "pilot", "active", "suspended"]


TITLES: dict[State, str] = {
    "active": "en service",
    "pilot": "pilote",
    "suspended": "suspendu",
    "not_yet": "pas encore",
}


IN_FORCE: tuple[State, ...] = ("active", "pilot")


def in_force(run: Run, *, totals: bool = False) -> City:
    """Return the city with the themes in force only; with `totals`, without samples.

    Nothing of another theme is computed by who works on this city. Reads `derived/waves`.
    """
    con = run.view("derived/waves/states.parquet")
    rows = store.records(con, "SELECT theme, state, sample FROM states")
    return restricted(
        run.city,
        {r["theme"] for r in rows if r["state"] in IN_FORCE and not (totals and r["sample"])},
    )


def restricted(city: City, names: set[str]) -> City:
    """Return the city with these themes alone, in the pack's order."""
    found = copy.copy(city)
    found.__dict__["themes"] = {n: theme for n, theme in city.themes.items() if n in names}
    return found


def reasons_left_out(con: duckdb.DuckDBPyConnection, city: City, kept: City) -> list[str]:
    """Return, in Markdown, a sentence for each theme not computed: which, why. View `states`."""
    rows = {row["theme"]: row for row in store.records(con, "SELECT * FROM states")}
    lines = []
    for name, theme in city.themes.items():
        if name not in kept.themes:
            row = rows[name]
            told = why(row, city) if row["state"] not in IN_FORCE else "échantillon, sans total"
            lines.append(f"**{plain(theme.title)}** ({TITLES[row['state']]}) : {plain(told)}.")
    return lines


def why(row: Mapping[str, Any], city: City) -> str:
    """Return why a theme is in its state, from its row of `states`."""
    return " ; ".join(_of_need(one, city) for one in row["reasons"])


def _of_need(one: Mapping[str, Any], city: City) -> str:
    contract = city.contracts.get(one["source"])
    source = f"« {contract.title if contract else one['source']} »"
    match one["reason"]:
        case "nothing_received":
            return f"rien n'est encore entré de {source}"
        case "mute":
            return f"{source} se tait depuis le {spoken(one['mute_since'])}"
        case "below_need":
            return f"{source} est notée {one['grade']}, il faut {one['needed_grade']}"
        case "sample":
            return f"{source} est un échantillon : ni total, ni évolution"
        case "few_weeks":
            held = plural(one["weeks"], "semaine reçue")
            return f"{source} : {held}, il en faut {one['needed_weeks']}"
        case _:
            return f"{source} est notée {one['grade']}"


def left_out(con: duckdb.DuckDBPyConnection, city: City, kept: City) -> str:
    """Return `reasons_left_out` as Markdown to put after an answer; nothing where all are in."""
    lines = [f"- {line}" for line in reasons_left_out(con, city, kept)]
    return "\n".join(["\n\nThèmes non calculés :", "", *lines]) if lines else ""


def set_aside(con: duckdb.DuckDBPyConnection, city: City, source: str | None) -> str:
    """Return, as Markdown put after an answer, how many rows of a source are not in it; or nothing.

    Those that the door or the contract refused, and those of a key written twice. View `grades`.
    """
    rows = con.execute(
        "SELECT CAST(sum(quarantined) AS BIGINT), CAST(sum(duplicates) AS BIGINT) FROM grades "
        "WHERE source = ?", [source],
    ).fetchall()  # fmt: skip
    aside, twice = (n or 0 for n in rows[0])
    parts = [f"{plural(aside, 'ligne écartée')}"] if aside else []
    parts += [f"{plural(twice, 'ligne')} en double"] if twice else []
    if not parts or source is None:
        return ""
    return (f"\n\n**Hors de ce compte** : {', '.join(parts)} de « "
            f"{plain(city.contracts[source].title)} » ; pourquoi est dans le rapport `ingest`."
            )  # fmt: skip


def driven(table: pa.Table) -> dict[str, str]:
    """Return, for each theme whose count follows agents' activity, its caveat in words.

    `table`: the themes of `patrol`, one row each.
    """
    return {row["theme"]: driven_words(row) for row in table.to_pylist() if row["driven"]}


def renamed(drift: pa.Table, city: City) -> dict[str, str]:
    """Return, for each theme that loses rows to a code of another name, its caveat in words.

    `drift`: rows of `reliability`'s. It stands until the code is in its contract and its theme.
    """
    found: dict[str, list[str]] = {}
    for row in drift.to_pylist():
        if row["kind"] != "renamed" or not row["counted"] or row["mapped"]:
            continue
        told = (
            f"{renaming(row['code'], row['other'])} : depuis la semaine du {spoken(row['week'])}, "
            "ces faits manquent au compte"
        )
        for name, theme in city.themes.items():
            if row["code"] in theme.parts.get(row["source"], ()):
                found.setdefault(name, []).append(_of_part(theme, row["source"], told, city))
    return {name: " ; ".join(told) for name, told in found.items()}


def absent(drift: pa.Table, city: City) -> dict[str, str]:
    """Return, for each theme of which a steady category does not come for a time, its caveat.

    `drift`: rows of `reliability`'s. Nothing came, or the source did not tell it: nobody has said
    so, as `covers` of its contract would. Of what may lie in the periods compared (LATELY).
    """
    since, found = city.about.period.end - LATELY, dict[str, list[str]]()
    for row in drift.to_pylist():
        rule = city.contracts[row["source"]].observation
        of_category = rule is not None and row["field"] == rule.category
        if row["kind"] not in ABSENT or not of_category or (row["until"] or row["week"]) < since:
            continue
        told = ABSENT[row["kind"]].format(
            code=spoken_code(row["code"]), week=spoken(row["week"]),
            until=spoken(row["until"]) if row["until"] else "",
        )  # fmt: skip
        told += ", alors que le reste vient : rien n'est arrivé, ou la source ne la disait pas"
        for name, theme in city.themes.items():
            if row["code"] in theme.parts.get(row["source"], ()):
                found.setdefault(name, []).append(_of_part(theme, row["source"], told, city))
    return {name: " ; ".join(told) for name, told in found.items()}


def faded_words(row: dict[str, Any]) -> str:
    """Return that a source brings far less than it did, from a row of `reliability`'s decay.

    The days told are those compared: the feed may have begun to fade long before.
    """
    first, last = row["first"], row["last"] + dt.timedelta(days=6)
    start, against = spoken(first), f"à partir du {spoken(row['against'])}"
    if first.year == last.year:
        start, against = start.rsplit(" ", 1)[0], f"de {row['against'].year}"
    return (
        f"du {start} au {spoken(last)}, la source n'a apporté que {percent(row['ratio'])} "
        f"({percent(row['low'])} à {percent(row['high'])}) de ce qui entrait aux mêmes semaines "
        f"{against} : un flux qui se perd, ou une vraie baisse"
    )


def faded(decay: pa.Table, city: City) -> dict[str, str]:
    """Return, for each theme of a source that brings far less than it did, its caveat in words."""
    less = {row["source"]: faded_words(row) for row in decay.to_pylist() if row["status"] == "less"}
    told = {
        name: [_of_part(theme, one, less[one], city) for one in theme.sources if one in less]
        for name, theme in city.themes.items()
    }
    return {name: " ; ".join(said) for name, said in told.items() if said}


def _of_part(theme: Theme, source: str, told: str, city: City) -> str:
    """Return what is told of a source; of a theme that counts several, with its name."""
    return f"« {city.contracts[source].title} » : {told}" if len(theme.parts) > 1 else told


def doubled_words(theme: Theme, city: City) -> str:
    """Return that a theme's sources may hold the same fact, which is then counted twice."""
    return f"un même fait peut être dans {_titles(theme, city)}, et compté deux fois"


def distinct_words(theme: Theme, city: City) -> str:
    """Return that no fact is in two of a theme's sources, and why: the city's word, not ours."""
    why = theme.distinct.rstrip(".")
    return f"la ville dit qu'aucun fait n'est à la fois dans {_titles(theme, city)} : {why}"


def _titles(theme: Theme, city: City) -> str:
    return " et ".join(f"« {city.contracts[one].title} »" for one in theme.sources)


def doubled(city: City) -> dict[str, str]:
    """Return, for each theme whose sources may hold the same fact, its caveat in words."""
    return {n: doubled_words(theme, city) for n, theme in city.themes.items() if theme.may_double}


def distinct(city: City) -> dict[str, str]:
    """Return, for each theme whose sources are said not to hold the same fact, why, in words."""
    return {n: distinct_words(theme, city) for n, theme in city.themes.items() if theme.distinct}


def twice(kept: City) -> str:
    """Return, as Markdown put after an answer, which counts may hold a fact twice; or nothing.

    Of those that the city says hold each once, why.
    """
    told = ""
    for head, themes in (("Comptés deux fois, peut-être", doubled(kept)),
                         ("Comptés une fois, selon la ville", distinct(kept))):  # fmt: skip
        lines = [f"- **{plain(kept.themes[name].title)}** : {plain(said)}."
                 for name, said in themes.items()]  # fmt: skip
        told += "\n".join([f"\n\n{head} :", "", *lines]) if lines else ""
    return told


def doubted(drift: pa.Table, decay: pa.Table, city: City) -> dict[str, str]:
    """Return, for each theme whose count may lack rows, why: what it does only seems so."""
    return _joined(city, renamed(drift, city), absent(drift, city), faded(decay, city))


def caveats(themes: pa.Table, drift: pa.Table, decay: pa.Table, city: City) -> dict[str, str]:
    """Return theme → all that its count is to be read with: what casts doubt, adds up, drives."""
    added = {**doubled(city), **distinct(city)}
    return _joined(city, doubted(drift, decay, city), added, driven(themes))


def _joined(city: City, *told: dict[str, str]) -> dict[str, str]:
    names = [name for name in city.themes if any(name in one for one in told)]
    return {name: " ; ".join(one[name] for one in told if name in one) for name in names}


def driven_words(row: dict[str, Any]) -> str:
    """Return the caveat of one theme of `patrol` whose count follows agents' activity.

    It is carried by them where they surely start most records; else it answers to their hours.
    """
    word = "porté par" if row["share_low"] > MOST else "sensible à"
    told = f"{word} l'activité des agents ({percent(row['share'])} des enregistrements d'origine "
    told += "connue"
    if row["effect"] is not None:
        low, high = change(row["effect_low"]), change(row["effect_high"])
        told += (
            f" ; avec 10 % d'heures de plus, {change(row['effect'])} de relevés d'agents "
            f"(de {low} à {high})"
        )
    return told + ")"


def caveat(table: pa.Table, city: City) -> str:
    """Return paragraphs of Markdown: the themes that may count twice, those driven by agents.

    Of those that the city says count each fact once, why.
    """
    told = driven(table)
    titles = [plain(theme.title) for name, theme in city.themes.items() if name in told]
    said = ""
    for head, themes in (("Doubles possibles", doubled(city)), ("Sans double", distinct(city))):
        lines = [f"{plain(city.themes[n].title)}, {plain(one)}" for n, one in themes.items()]
        said += f"\n\n**{head}** : {' ; '.join(lines)}." if lines else ""
    if not titles:
        return said
    return said + (
        f"\n\n**Sensibles à l'activité des agents** : {' ; '.join(titles)}. Ces comptes suivent, "
        "en tout ou partie, où et quand les agents passent ; leurs bornes sont dans le carnet "
        "`patrol`."
    )
