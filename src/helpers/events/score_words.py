"""What our own forecasts of events were worth, told in French."""

from __future__ import annotations

from helpers.core.base.french import number, percent, plural
from helpers.core.base.markup import plain
from helpers.events import retex
from helpers.events.plan import Tables
from helpers.events.slot_words import Row
from helpers.events.words import REASONS, Names, mean_facts

RIVALS = {  # told apart in one line
    "last_time": ("que ", "« comme la dernière fois »", "différence de {} à {}"),
    "usual": ("qu'", "un jour ordinaire", "différence entre {} et {}"),
}
NEARER = {-1: "plus près", 0: "rien d'établi", 1: "moins près"}
VERDICTS = {-1: "mieux", 0: "pas établi mieux", 1: "moins bien"}
SCORED = (
    "La différence est la nôtre moins l'autre : en dessous de zéro, la nôtre est plus près des "
    "faits. « Mieux » n'est dit que si l'écart moyen et la déviance (l'écart, pesé selon ce qui "
    "était attendu) l'établissent tous deux ; chaque intervalle est pris seul. Les agents sont "
    "comptés avant et après sous les mêmes hypothèses : d'après l'affluence annoncée, puis "
    "d'après la foule venue et les faits comptés."
)


def scores(tables: Tables, names: Names) -> str:
    """Return what our forecasts of facts were worth over the past year, beside two others.

    Better, or worse, is said where both measures have an interval that bears it, as printed.
    """
    lines = []
    for row in tables["scores"].to_pylist():
        title = plain(names.kind(row["kind"]))
        if row["status"] != "ok":
            lines.append(f"- **{title}** : abstention ({REASONS[row['reason']]}).")
            continue
        lines.append(
            f"- **{title}** ({plural(row['events'], 'événement')}, écart moyen de la prévision : "
            f"{mean_facts(row['error'], 2)}) : {' ; '.join(_beside_rivals(row))} ; intervalles "
            f"tenus : {percent(row['within'])}{_sized(row)}."
        )
    if not lines:
        return "Aucun événement passé à confronter."
    if any(row["status"] == "ok" for row in tables["scores"].to_pylist()):
        lines += ["", SCORED]
    return "\n".join(lines)


def _sized(row: Row) -> str:
    """Return what the officers asked for beforehand were worth; nothing where nobody can say."""
    if row["sized"] is None:
        return ""
    low, high = round(-row["sized_spared_high"], 2), round(-row["sized_spared_low"], 2)
    verdict = NEARER[-1 if high < 0 else 1 if low > 0 else 0]
    return (
        f" ; agents, à {number(row['sized_error'], 1)} en moyenne de ce que la foule venue "
        f"demandait ({plural(row['sized'], 'événement')}), contre "
        f"{number(row['sized_error_last_time'], 1)} en reprenant l'événement d'avant : {verdict} "
        f"(de {_signed(low)} à {_signed(high)}) ; {_missed(row)}"
    )


def _missed(row: Row) -> str:
    """Return how often all that was asked for was too few, or too many."""
    told = [f"{word} {number(row[name])} fois"
            for name, word in (("too_few", "trop peu"), ("too_many", "trop")) if row[name]
            ]  # fmt: skip
    return ", ".join(told) or "jamais hors de la fourchette"


def _beside_rivals(row: Row) -> list[str]:
    """Return whether our forecast was better than each rival, from a row of `scores`."""
    said = []
    for rival, (than, title, apart) in RIVALS.items():
        ends = [_less(row, measure, rival) for measure in retex.MEASURES]
        found = [-1 if high < 0 else 1 if low > 0 else 0 for low, high in ends]
        told = [apart.format(_signed(low), _signed(high)) for low, high in ends]
        beside = f"{title} ({number(row[f'error_{rival}'], 2)}, {told[0]})"
        if found[0] == found[1]:
            said.append(f"{VERDICTS[found[0]]} {than}{beside}")
        else:
            said.append(
                f"rien d'établi face à {beside}, les deux mesures ne s'accordant pas : déviance "
                f"{number(row['deviance'], 2)} au lieu de {number(row[f'deviance_{rival}'], 2)}, "
                f"{told[1]}"
            )
    return said


def _less(row: Row, measure: str, rival: str) -> tuple[float, float]:
    """Return the interval of ours less a rival's, as printed: below none where ours is better."""
    low, high = (row[f"spared_{measure}_{rival}_{end}"] for end in ("low", "high"))
    return round(-high, 2), round(-low, 2)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(value, 2)}"
