"""The few numbers of « Actions », as tiles: value, interval and direction, nulls like the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from helpers.actions import power
from helpers.actions import words as action_words
from helpers.apps import actions_read as read
from helpers.apps import actions_words as said
from helpers.core.base.french import change, number, percent, plural
from helpers.core.stage.action_words import STATES, VERDICTS, least, planned
from helpers.impact import beside_words
from helpers.impact import words as impact_words
from helpers.problems import words as problem_words
from helpers.register import rules

WHOLE = "Toute la ville"
ARROWS = {"down": "↘", "up": "↗", "unclear": "↕"}


def _tile(title: str, value: str, *details: str, way: str = "") -> str:
    arrow = ""
    if way:
        arrow = (f'<span class="app-direction app-{way}"><span aria-hidden="true">{ARROWS[way]}'
                 f"</span> {beside_words.WAYS[way]}</span>")  # fmt: skip
    told = " ; ".join(escape(one) for one in details if one)
    return (f'<li><h3>{escape(title)}</h3><p class="app-figure"><strong>{escape(value)}</strong> '
            f"{arrow}</p><p>{told}</p></li>")  # fmt: skip


def _row_of(items: Iterable[str], title: str) -> str:
    return (f'<section class="app-tiles" aria-label="{title}"><h2>{title}</h2>'
            f'<ul tabindex="0" class="app-row">{"".join(items)}</ul></section>')  # fmt: skip


def tiles(shown: Sequence[read.One], found: read.Found, *, chosen: bool) -> str:
    """Return the few numbers of a choice as HTML: verdicts, tiers, hours, all actions together.

    `chosen`: the choice leaves some out, and the numbers of the whole city say that they do not.
    """
    if not found.actions:
        return ""
    own = {code: [one for one in shown if one.verdict == code]
           for code in (*VERDICTS, read.NO_VERDICT)}  # fmt: skip
    of = f"sur {number(len(shown))}"
    numbers = [] if not shown else [
        _tile("Effet", number(len(own["effet"])), of, _names(own["effet"])),
        _tile("Pas d'effet démontré", number(len(own["pas_d_effet_demontre"])), of,
              _names(own["pas_d_effet_demontre"])),
        _tile("Non concluant", number(len(own["non_concluant"])), of,
              _why_unclear(own["non_concluant"])),
        _tile("Pas de verdict", number(len(own[read.NO_VERDICT])), of,
              _why_none(own[read.NO_VERDICT])),
    ]  # fmt: skip
    of_city = [_together(found), _moved(found), _shares(found), _hours(found)]
    if chosen:
        of_city = [tile.replace("<h3>", f"<h3>{WHOLE} : ") for tile in of_city]
    first, second, *others = of_city
    return _row_of([first, second, *numbers, *others], "Les actions en chiffres")


def _names(own: Sequence[read.One]) -> str:
    told = [f"{one.name} ({said.MARK})" if one.exploratory else one.name
            for one in own]  # fmt: skip
    return ", ".join(told[:3]) + (" …" if told[3:] else "")


def _why_unclear(own: Sequence[read.One]) -> str:
    few = sum(bool(one.effect and one.effect["reason"]) for one in own)
    parts = [f"{number(few)} sans chiffre, la liste dit pourquoi"] if few else []
    if wide := len(own) - few:
        parts.append(f"{number(wide)} dont l'intervalle est trop large")
    return ", ".join(parts)


def _why_none(own: Sequence[read.One]) -> str:
    begun = sum(read.begun(one) for one in own)
    parts = [f"{number(len(own) - begun)} pas menées"] if len(own) > begun else []
    parts += [f"{number(begun)} hors de la source des actions"] if begun else []
    return ", ".join(parts)


def _together(found: read.Found) -> str:
    title, row = "Toutes les actions ensemble", found.pooled.get("all")
    if row is None:
        return _tile(title, "non mesuré", "aucune action commencée dans la source")
    if row["reason"]:
        return _tile(title, VERDICTS["non_concluant"], impact_words.why(row, found.impact),
                     said.MARK)  # fmt: skip
    return _tile(title, change(row["ratio"]), f"{said.interval(row)} de faits après les actions",
                 VERDICTS[row["verdict"]], said.MARK, way=beside_words.way(row))  # fmt: skip


def _moved(found: read.Found) -> str:
    title, row = "Report autour des lieux", found.pooled.get("all")
    if row is None or row["moved"] is None:
        return _tile(title, "non mesuré", "aucun effet d'ensemble à reporter")
    ends = f"de {percent(row['moved_low'])} à {percent(row['moved_high'])} des faits évités"
    value = percent(row["moved"]) if row["moved_low"] > 0 else "non établi"
    if row["moved_high"] < 1 and row["moved_low"] <= 0:
        ends += " ; un report complet est écarté"
    return _tile(title, value, ends, said.MARK)


def _shares(found: read.Found) -> str:
    whole = [row for row in found.tables["tiers"].to_pylist() if row["quarter"] is None]
    rows = sorted(whole, key=lambda row: [*action_words.TIERS].index(row["tier"]))
    title = "Paliers des actions menées"
    if not rows or rows[0]["status"] != "ok":
        told = ", ".join(f"{action_words.TIERS[r['tier']]} {number(r['actions'])}" for r in rows)
        return _tile(title, "trop peu", told or "aucune action menée")
    first, *others = [
        (action_words.TIERS[r["tier"]],
         f"{percent(r['share'])} (de {percent(r['low'])} à {percent(r['high'])})") for r in rows
    ]  # fmt: skip
    return _tile(title, f"{first[0]} {first[1].partition(' ')[0]}", first[1].partition(" ")[2],
                 *(f"{name} {share}" for name, share in others))  # fmt: skip


def _hours(found: read.Found) -> str:
    row = found.tables["sums"].to_pylist()[0]
    title = "Heures d'agents, compte rendu"
    if not row["actions"]:
        return _tile(title, "aucune", "aucune action menée sur la période")
    done = "non connues" if row["done"] is None else f"{number(row['done'])} h faites"
    planned = "non connues" if row["planned"] is None else f"{number(row['planned'])} h prévues"
    days = " au ".join(f"{day:%d/%m/%Y}" for day in found.result.period)
    lost = f"sans mesure pour {plural(row['unmeasured'], 'action')}" if row["unmeasured"] else ""
    ends = ("" if row["done"] is None
            else f"de {number(row['done_low'])} à {number(row['done_high'])} h faites")  # fmt: skip
    return _tile(title, done, ends, f"{planned} du {days}", lost)


def tiles_of(one: read.One, found: read.Found) -> str:
    """Return the few numbers of one action as HTML."""
    row, dose = one.row, one.dose
    items = [_effect_tile(one, found)]
    if dose["reason"]:
        done = _tile("Dose faite", "non mesurée", action_words.NO_DOSE[dose["reason"]])
    else:
        done = _tile("Dose faite", f"{number(dose['done_h'])} h",
                     f"de {number(dose['done_low'])} à {number(dose['done_high'])} h par semaine",
                     f"sur {number(dose['existing_h'])} h du secteur à ces plages")  # fmt: skip
    items += [_dose_tile(row), done]
    if row["least_effect"] is None:
        items.append(_tile("Effet demandé", "aucun but inscrit"))
    else:
        items.append(_tile("Effet demandé", f"−{percent(row['least_effect'])}",
                           _sure(one.power)))  # fmt: skip
    items.append(_tile("Accords", f"{row['approvals'] or 0} sur {rules.NEEDED}",
                       STATES[row["state"]], action_words.gate(row)))  # fmt: skip
    items.append(_facts_tile(one, found))
    return _row_of(items, "L'action en chiffres")


def _dose_tile(row: read.Row) -> str:
    own, told = row["planned_h"], row["told_planned_h"]
    if own is None:
        return _tile("Dose prévue", "non dite")
    more = planned(own, told) if told not in (None, own) else "par semaine"
    return _tile("Dose prévue", f"{number(own)} h", more)


def _sure(asked: read.Row) -> str:
    """Return how sure the effect asked for was to be seen, in few words, from a row of POWERS."""
    if asked["reason"] == power.TOO_FEW:
        return "trop peu de faits avant pour la juger seule"
    if asked["reason"]:
        return f"sans calcul possible : {action_words.NO_POWER[asked['reason']]}"
    sure = f"d'être vu ({percent(asked['power'])} des cas)"
    if asked["seen"]:
        return f"assez sûr {sure}"
    return f"pas assez sûr {sure} : il faudrait −{least(asked['detectable'])}"


def _effect_tile(one: read.One, found: read.Found) -> str:
    effect, mark = one.effect, said.exploratory(one)
    if effect is None:
        return _tile("Effet", "aucun verdict", said.effect_words(one, found))
    if effect["reason"]:
        return _tile("Effet", VERDICTS[one.verdict], said.effect_words(one, found))
    return _tile("Effet", change(effect["ratio"]), said.interval(effect), VERDICTS[one.verdict],
                 mark, way=beside_words.way(effect))  # fmt: skip


def _facts_tile(one: read.One, found: read.Found) -> str:
    problem = one.problem
    if problem is None:
        return _tile("Faits du problème", "non dits", "aucun problème inscrit")
    told = problem_words.facts(problem, found.problem)
    value, _, rest = told.partition(",")
    return _tile("Faits du problème", value, rest.strip())
