"""What is odd in what came in, in words (`core.city.remark`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from helpers.core.base.french import number, percent, plural, spoken
from helpers.core.city import remark
from helpers.core.city.remark import Remark
from helpers.core.place_time.calendar import SCHOOL_KNOWN
from helpers.core.place_time.partition import SLIVER_M, listed

LISTED = 5  # places of columns told; the others are counted


def sentence(one: Remark) -> str:
    """Return the remark as it is told: where, then what."""
    return f"{_where(one)} : {SAID[one.code](one)}"


def _where(one: Remark) -> str:
    if one.code in OF_CALENDAR:
        return "jours fériés et vacances (« holidays » de city.yaml)"
    if one.grouping_of:
        return f"découpage « {one.division} », qui groupe « {one.grouping_of} »"
    if one.code in OF_ZONES:
        return f"découpage « {one.division} », source « {one.source} »"
    field = f", champ « {one.field} »" if one.field else ""
    return f"source « {one.source} »{field}"


def _km2(square_metres: float) -> str:
    return number(square_metres / 1e6, 4)


def _mended(one: Remark) -> str:
    before, after = map(_km2, one.sizes)
    return (
        f"zone « {one.names[0]} » : contour qui se recoupe, réparé "
        f"({before} km² avant, {after} km² après)"
    )


def _united(one: Remark) -> str:
    rows = [plural(int(n), "ligne") for n in one.sizes]
    told = listed(one.names, [f" ({n})" for n in rows])
    return f"zones livrées en plusieurs lignes, réunies : {told}"


def _slivers(one: Remark) -> str:
    return (
        f"{plural(one.n, 'recouvrement')} de moins de {SLIVER_M:.0f} m entre zones voisines : un "
        "fait qui y tombe compte dans la zone du plus petit code"
    )


def _without_name(one: Remark) -> str:
    return f"{plural(len(one.names), 'zone')} sans nom dans la liste : {listed(one.names)}"


def _without_zone(one: Remark) -> str:
    return f"{plural(len(one.names), 'nom')} de la liste sans zone : {listed(one.names)}"


def _unknown_zones(one: Remark) -> str:
    return (
        f"{plural(one.n, 'fait')} d'une zone que le découpage « {one.division} » n'a pas "
        f"({listed(one.names)})"
    )


def _written_otherwise(one: Remark) -> str:
    return f"{_unknown_zones(one)} : mêmes codes écrits autrement (zéro de tête, « .0 », casse) ?"


def _mostly_outside(one: Remark) -> str:
    return (
        f"{percent(one.n / one.of)} des faits placés sont hors territoire "
        f"({number(one.n)} sur {number(one.of)})"
    )


def _no_readable_place(one: Remark) -> str:
    return (
        f"{plural(one.n, 'fait')} sur {number(one.of)} dont le point ne se lit pas, ou sort des "
        "bornes du contrat : le fait est compté, son point est inconnu (décimale, unité, repère ?)"
    )


def _day_or_month(one: Remark) -> str:
    return (
        f"aucune des {number(one.n)} dates d'une livraison, ou de plusieurs de ses mois, ne tombe "
        "après le 12 du mois : jour et mois sont-ils intervertis ? Vérifier l'ordre que dit "
        "`format`, et qu'aucun tableur n'a relu le fichier"
    )


def _mixed_dates(one: Remark) -> str:
    others = (
        f" ; {plural(one.of, 'autre ligne')} des mêmes livraisons se lisent dans les deux sens, et "
        "sont peut-être à un autre jour"
        if one.of
        else ""
    )
    return (
        f"{plural(one.n, 'ligne écartée')}, dont la date ne se lit que jour et mois échangés"
        f"{others}. Demander à l'éditeur un seul ordre"
    )


def _twelve_hours(one: Remark) -> str:
    told = "la livraison n° " if len(one.sizes) == 1 else "les livraisons n° "
    which = ", ".join(number(int(size)) for size in one.sizes)
    return (
        f"les {number(one.n)} heures connues{f' ({told}{which})' if which else ''} vont de 1 à 12, "
        "sans aucune au-delà : le matin et le soir y sont-ils confondus ? Vérifier `format` (`%I` "
        "avec `%p`), ou demander les heures de 0 à 23"
    )


def _twice(one: Remark) -> str:
    return (
        f"{plural(one.n, 'ligne')} mot pour mot dans une livraison d'avant, et comptées deux "
        "fois : rien ne dit que c'est le même fait. Ôter la livraison reçue deux fois, ou donner "
        "une `key` qui distingue les faits"
    )


def _dropped(one: Remark) -> str:
    why = "retirés par l'éditeur"
    if not one.field:
        why += ", ou corrigés, et alors comptés deux fois (une `key` le dirait)"
    return (
        f"{plural(one.n, 'enregistrement')} qu'une livraison plus récente ne donne plus, alors "
        f"qu'elle redonne leurs dates : {why} ? Ils restent comptés. Si chaque livraison remplace "
        "tout, ne nommer que la dernière (`files` de city.yaml)"
    )


def _reused(one: Remark) -> str:
    return (
        f"{number(one.n)} des {plural(one.of, 'ligne remplacée')} par une autre de même numéro en "
        "sont à plus d'un mois : le numéro recommence-t-il d'une livraison à l'autre ? Ces faits "
        "ne sont alors pas comptés : ajouter à `key` ce qui les distingue (l'année)"
    )


def _order_denied(one: Remark) -> str:
    return (
        f"{number(one.n)} des {plural(one.of, 'remplacement')} suivent l'ordre des noms, mais la "
        "livraison tenue pour la plus récente finit avant l'autre : laquelle corrige ? Les lister "
        "dans `files` (city.yaml), de la plus ancienne à la plus récente"
    )


def _few_points(one: Remark) -> str:
    year = f" de {one.names[0]}" if one.names else ""
    return (
        f"les {number(one.n)} faits placés{year} tiennent en {plural(one.of, 'point')}, à "
        f"{number(one.sizes[0])} m les uns des autres : ramenés à des carrefours, ou arrondis ? "
        "L'écrire (`snapped_points: true`) : leur zone est gardée, les méthodes par maille "
        "s'abstiennent. Si ce sont de vrais lieux, ne rien changer"
    )


def _heap(one: Remark) -> str:
    return (
        f"un point parmi ceux que l'éditeur ramène porte {plural(one.n, 'fait')} "
        f"({percent(one.n / one.of)}), qui comptent dans la zone de ce point. Si l'éditeur y met "
        "les faits dont il ne sait pas le lieu, l'écrire (`null_values` de sa longitude) : ils "
        "comptent alors sans lieu"
    )


def _on_edge(one: Remark) -> str:
    return (
        f"{plural(one.n, 'fait')} sur {number(one.of)} (points ramenés) à moins de "
        f"{number(one.sizes[0])} m d'une limite du découpage « {one.division} » : leur zone n'est "
        "pas sûre. Si la source dit la zone, l'écrire (`declared_zone`) : c'est elle qui compte"
    )


def _said_otherwise(one: Remark) -> str:
    return (
        f"{plural(one.n, 'fait')} sur {number(one.of)} dont le point n'est pas dans la zone que la "
        f"source dit (découpage « {one.division} ») : c'est le point qui compte. Contours ou "
        "repère d'une autre année, ou points déplacés (`snapped_points` : la zone dite compte) ?"
    )


def _not_covered(one: Remark) -> str:
    counts = [f" ({plural(int(n), 'fait')})" for n in one.sizes]
    return (
        f"{plural(one.n, 'fait')} là où `covers` dit que la source ne couvre pas : "
        f"{listed(one.names, counts)} ; ces dates restent manquantes. Corriger `covers`, ou "
        "demander d'où ces faits viennent"
    )


def _own_totals(one: Remark) -> str:
    return (
        f"{plural(one.n, 'ligne')} sans zone, dont le compte est la somme des zones de la même "
        f"date et de la même nature ({plural(one.of, 'fait')}) : des totaux, comptés deux fois "
        "dans la ville ? Les écarter (`required` sur le champ de la zone)"
    )


def _cumulated(one: Remark) -> str:
    return (
        f"{number(one.n)} des {plural(one.of, 'suite')} de comptes mensuels (une nature, une zone, "
        "une année) ne font que croître : sont-ils cumulés depuis janvier ? Un fait y compte alors "
        "autant de fois qu'il reste de mois. Demander à l'éditeur les comptes de chaque mois"
    )


def _gone(one: Remark, unit: str) -> str:
    spans = [f" ({number(int(n))} {unit})" for n in one.sizes]
    return (
        f"catégorie régulière qui ne vient plus à la fin de la période, alors que le reste de la "
        f"source vient : {listed(one.names, spans)} ; rien n'est arrivé, ou la source ne la dit "
        "plus ? Dans ce cas, l'écrire dans `covers` : son zéro est alors un manque"
    )


def _gone_by_week(one: Remark) -> str:
    return _gone(one, "semaines")


def _gone_by_month(one: Remark) -> str:
    return _gone(one, "mois")


def _between(one: Remark) -> str:
    """Return when what is absent is: up to a day, or from a day to the one before another."""
    since, again = one.names[:2]
    day = dt.timedelta(days=1)
    until = spoken(dt.date.fromisoformat(again) - day) if again else ""
    if not since:
        return f"jusqu'au {until}"
    start = spoken(dt.date.fromisoformat(since))
    return f"du {start} au {until}" if again else f"depuis le {start}"


def _away(one: Remark) -> str:
    return (
        f"« {one.names[2]} », régulière le reste du temps, ne vient pas {_between(one)}, alors que "
        "le reste de la source vient : rien n'est arrivé, ou la source ne la disait pas ? Dans ce "
        "cas, l'écrire dans `covers` : son zéro est alors un manque"
    )


def _in_part(one: Remark) -> str:
    return (
        f"{plural(one.n, 'jour')} sur {number(one.of)} n'apportent presque rien, parmi des jours "
        "entiers : la source vient-elle par morceaux ? Aucun jour, aucune semaine n'est comparé à "
        "l'habitude, et un total est un minimum. Demander les jours entiers ; si ces jours sont "
        "vraiment calmes (des opérations, certains jours), écrire `quiet_days: true`"
    )


def _hours_away(one: Remark) -> str:
    spans: list[list[int]] = []
    for part in map(int, one.names[2:]):
        if spans and spans[-1][1] == 3 * part:
            spans[-1][1] = 3 * part + 3
        else:
            spans.append([3 * part, 3 * part + 3])
    told = ", ".join(f"de {start} h à {end} h" for start, end in spans)
    return (
        f"aucun fait {told} {_between(one)}, alors qu'il en vient le reste du temps : la source "
        "n'y dit-elle qu'une partie de la journée ? Dans ce cas, écrire ces jours hors de "
        "`covers` : leur compte est alors un manque, non une baisse"
    )


def _columns_absent(one: Remark) -> str:
    places = [
        f" (la colonne {number(int(place))} du fichier, que le contrat ne nomme pas, lui ressemble)"
        if place
        else ""
        for place in one.sizes
    ]
    kept = " ; ce que disait une autre livraison est gardé" if one.n else ""
    return (
        f"{one.names[0]} n'a pas {'cette colonne' if len(places) == 1 else 'ces colonnes'} du "
        f"contrat : {listed(one.names[1:], places)} : rien n'en est lu{kept}. Corriger la première "
        "ligne, le nom que dit le contrat (`column`), ou dire le champ `absent` de cette édition"
    )


def _wide_left(one: Remark) -> str:
    places = ", ".join(number(int(place)) for place in one.sizes[:LISTED])
    more = ", …" if len(one.sizes) > LISTED else ""
    told = "colonne" if len(one.sizes) == 1 else "colonnes"
    return (
        f"{one.names[0]} : {plural(len(one.sizes), 'colonne')} que ni `unpivot.columns` ni le "
        f"contrat ne nomment ({told} {places}{more}) : rien n'en est lu. Une période écrite "
        "autrement que les autres ? L'admettre, ou la mettre en refus"
    )


STAFF = {
    "refused": "clé écrite deux fois", "set_aside": "ligne écartée", "missing": "année absente",
    "untold": "nombre non dit",
    "shifted": "décalage d'un an", "bridge": "pont absent ou rompu", "jump": "bond",
    "copied": "recopie d'une année sur l'autre", "placeholder": "valeur de remplissage (9999…)",
    "revised": "nombre que la dernière édition change", "marked": "commune ou agents réunis",
}  # fmt: skip


def _staff(one: Remark) -> str:
    told = [
        f"{STAFF[name]} : {number(int(n))}" for name, n in zip(one.names, one.sizes, strict=True)
    ]
    return (
        f"effectifs par commune et par an ({plural(one.n, 'ligne')}), laissés tels quels ; "
        f"{', '.join(told)} ; le rapport `ingest` les nomme"
    )


def _of_france(one: Remark) -> str:
    return (
        f"ceux de la France, alors que les heures de la ville sont celles de {one.names[0]} : ce "
        "sont ceux du modèle, laissés là ? Écrire le pays de la ville"
    )


def _school_years(one: Remark) -> str:
    first, last = map(spoken, SCHOOL_KNOWN)
    return (
        f"les vacances scolaires ne sont connues que du {first} au {last} ; hors de là, leurs "
        f"jours passent pour ordinaires ({plural(one.n, 'jour')} de la période)"
    )


SAID: dict[str, Callable[[Remark], str]] = {
    remark.MENDED: _mended, remark.UNITED: _united, remark.SLIVERS: _slivers,
    remark.WITHOUT_NAME: _without_name, remark.WITHOUT_ZONE: _without_zone,
    remark.UNKNOWN_ZONES: _unknown_zones, remark.WRITTEN_OTHERWISE: _written_otherwise,
    remark.MOSTLY_OUTSIDE: _mostly_outside, remark.NO_READABLE_PLACE: _no_readable_place,
    remark.DAY_OR_MONTH: _day_or_month, remark.OWN_TOTALS: _own_totals,
    remark.COLUMNS_ABSENT: _columns_absent, remark.STAFF: _staff,
    remark.FEW_POINTS: _few_points, remark.HEAP_AMONG_SNAPPED: _heap,
    remark.SNAPPED_ON_EDGE: _on_edge, remark.ZONE_SAID_OTHERWISE: _said_otherwise,
    remark.TWELVE_HOURS: _twelve_hours, remark.MIXED_DATES: _mixed_dates,
    remark.TWICE: _twice, remark.DROPPED: _dropped, remark.REUSED: _reused,
    remark.ORDER_DENIED: _order_denied, remark.WIDE_LEFT: _wide_left,
    remark.NOT_COVERED_FACTS: _not_covered,
    remark.CUMULATED: _cumulated, remark.AWAY: _away, remark.HOURS_AWAY: _hours_away,
    remark.IN_PART: _in_part,
    remark.GONE_BY_WEEK: _gone_by_week, remark.GONE_BY_MONTH: _gone_by_month,
    remark.HOLIDAYS_OF_FRANCE: _of_france, remark.SCHOOL_YEARS: _school_years,
}  # fmt: skip
OF_ZONES = (
    remark.MENDED, remark.UNITED, remark.SLIVERS, remark.WITHOUT_NAME, remark.WITHOUT_ZONE,
)  # fmt: skip
OF_CALENDAR = (remark.HOLIDAYS_OF_FRANCE, remark.SCHOOL_YEARS)
