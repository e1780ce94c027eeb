"""A role's few numbers as tiles: value, interval, direction, and the last half year drawn small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from helpers.apps.beside import Beside
from helpers.core.base.french import number, percent
from helpers.core.city.city import City
from helpers.trends import words as trends_words
from helpers.trends.indicators import ALL
from helpers.trends.knobs import Knobs

Row = dict[str, Any]
WEEKS = 26  # drawn
WIDTH, HEIGHT = 84, 22  # of the small drawing, in pixels
OWN_SPAN = "Chaque indicateur a sa durée, quelle que soit la période choisie."
ARROWS = {"up": "↗", "down": "↘", "stable": "→", "unclear": "↕", "abstained": "–"}


def tiles(
    rows: Sequence[Row], beside: Beside, city: City, knobs: Knobs,
    reliability: Callable[[str], str], *, elsewhere: bool,
) -> str:  # fmt: skip
    """Return a role's indicators as HTML, what is said of one theme in one tile.

    `reliability`: theme (or nothing) → the link to what its letter means. `elsewhere`: the page is
    about a zone, and these numbers are not.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["theme"] or row["target"], _kind(row)), []).append(row)
    told = [
        _tile(own, beside, city, knobs, reliability, elsewhere=elsewhere) for own in groups.values()
    ]
    return (
        '<section class="app-tiles" aria-label="Indicateurs">'
        f'<h2>Indicateurs</h2><ul tabindex="0" class="app-row">{"".join(told)}</ul></section>'
    )


def _kind(row: Row) -> str:
    return "theme" if row["measure"] in ("level", "change", "week") else row["measure"]


def _tile(
    rows: Sequence[Row], beside: Beside, city: City, knobs: Knobs,
    reliability: Callable[[str], str], *, elsewhere: bool,
) -> str:  # fmt: skip
    first = rows[0]
    drawn, theme = "", ""
    if _kind(first) == "theme" and first["theme"] in city.themes:
        theme = first["theme"]
        title = city.themes[theme].title
        drawn = sparkline(beside.weekly.get(theme, ()))
    else:
        title = trends_words.indicator_title(first, city)
    whole = trends_words.GROUPS[ALL]
    if elsewhere and not title.startswith(whole):
        title = f"{whole}{', ' if ' : ' in title else ' : '}{title}"
    changes = any(row["measure"] == "change" and row["status"] == "ok" for row in rows)
    lines = list(dict.fromkeys(_line(row, knobs, beside) for row in rows))
    if theme and not changes:
        lines.append(f"<p>{_direction(*beside.direction(theme))} en {knobs.window_weeks} sem.</p>")
    grades = [row["reliability"] for row in rows if row["reliability"]]
    badge = ""
    if grades:
        why = escape(reliability(first["theme"] or ""))
        badge = (
            f'<a href="{why}" title="De A, la plus sûre, à D ; voir Confiance">'
            f"fiabilité {escape(max(grades))}</a>"
        )
    return f"<li><h3>{escape(title)}</h3>{''.join(lines)}<p>{badge}{drawn}</p></li>"


def _signed(ratio: float) -> str:
    """Return a ratio as a change in whole per cent: finer than its interval would say too much."""
    told = percent(ratio - 1)
    return told if told.startswith("0") or ratio < 1 else f"+{told}"


def _direction(label: str, told: str) -> str:
    return (
        f'<span class="app-direction app-{label}"><span aria-hidden="true">{ARROWS[label]}'
        f"</span> {told}</span>"
    )


def _line(row: Row, knobs: Knobs, beside: Beside) -> str:
    if row["status"] != "ok":
        why = trends_words.reason(row, knobs.minimum_count)
        return f"<p>abstention : {escape(why)}</p>"
    measure, value, low, high = (row[k] for k in ("measure", "value", "low", "high"))
    if measure == "change":
        span = f"{_signed(low)} à {_signed(high)} en {knobs.window_weeks} sem."
        known = ", corrigé" if row["theme"] in beside.corrected else ""
        direction = _direction(*beside.direction(row["theme"]))
        return f"<p>{direction} {_signed(value)} ({span}{known})</p>"
    if measure in ("rising", "critical"):
        unit = "couples thème-zone" if row["target"] == ALL else "couples"
        span = known = ""
        if measure == "rising":
            known = f" ; {number(high - value)} sans conclusion" if high > value else ""
        else:
            span = f"({number(low)} à {number(high)}) "
            known = (
                f" ; forte : {number(knobs.criticality_thresholds[1])} points et plus (faits par "
                "semaine × gravité × évolution)"
            )
        return f"<p><strong>{number(value)}</strong> {span}sur {number(row['n'])} {unit}{known}</p>"
    if measure == "week":  # with the entries still to come
        per = f"la dernière semaine entière{', estimé' if low != high else ''}"
    else:
        per = f"par {trends_words.STEPS[row['step']]}"
    return f"<p><strong>{number(value)}</strong> {per} ({number(low)} à {number(high)})</p>"


def sparkline(values: Sequence[float | None]) -> str:
    """Return the last weeks as a small SVG line, broken where the source was silent; from zero."""
    last = list(values)[-WEEKS:]
    known = [v for v in last if v is not None]
    if len(known) < 2:
        return ""
    top, step = max(max(known), 1e-9), WIDTH / (len(last) - 1)
    strokes, pen = [], "M"
    for i, value in enumerate(last):
        if value is None:
            pen = "M"
            continue
        strokes.append(f"{pen}{i * step:.1f},{HEIGHT - 2 - (HEIGHT - 4) * value / top:.1f}")
        pen = "L"
    return (
        f'<svg class="app-spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" '
        f'role="img" aria-label="{len(last)} dernières semaines, de {number(min(known))} à '
        f'{number(max(known))}"><path d="{"".join(strokes)}"/></svg>'
    )
