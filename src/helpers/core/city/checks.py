"""What the files of a pack say of one another: every name leads somewhere, or is told at once."""

from __future__ import annotations

import codecs
import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from helpers.core.base.errors import PhareError, together
from helpers.core.base.workspace import find_root
from helpers.core.city import sheets
from helpers.core.city.about import (
    CityFile,
    EntriesRule,
    EventsRule,
    Patrols,
    known_crs,
    known_timezone,
)
from helpers.core.city.contract import Contract, FieldRule
from helpers.core.city.names import NO_CATEGORY
from helpers.core.city.observation_rule import ObservationRule
from helpers.core.city.questions import Question
from helpers.core.city.theme import Theme

ORDERED = ("date", "timestamp", "year", "int", "float")  # what a later version is told by
KNOWN_TO = {"month": "mois", "year": "année"}


class Faults:
    """What is wrong in a file, told all together."""

    def __init__(self, here: str) -> None:
        self.here = here
        self.errors: list[PhareError] = []

    def add(self, what: str, todo: str) -> None:
        """Note a fault, and what to do."""
        self.errors.append(PhareError(what, self.here, todo))

    def among(self, key: str, value: str, known: Iterable[str]) -> bool:
        """Tell whether `value`, under `key`, is one of the names known; note it if it is not."""
        choices = list(known)
        if value not in choices:
            todo = f"choisir parmi : {', '.join(choices) or 'rien de tel dans cette ville'}"
            self.add(f"{key} nomme « {value} », qui n'existe pas", todo)
        return value in choices

    def column(
        self, key: str, name: str, fields: Mapping[str, FieldRule], kinds: Sequence[str]
    ) -> None:
        """Note a `name`, under `key`, that is none of the `fields`, or a field of other kinds."""
        if self.among(key, name, fields) and fields[name].type not in kinds:
            self.add(
                f"{key} nomme « {name} », un champ {fields[name].type}",
                f"nommer un champ {' ou '.join(kinds)}",
            )

    def code(self, key: str, value: str, field: str, rule: FieldRule) -> None:
        """Note a `value`, under `key`, that no row bears in the field `field`."""
        if rule.type == "enum":
            self.among(key, value, rule.values)
        elif rule.type == "str" and not re.fullmatch(rule.pattern, value):
            self.add(
                f"{key} nomme « {value} », qui n'a pas la forme de « {field} » ({rule.pattern})",
                "l'écrire comme la source l'écrit",
            )

    def tell(self) -> None:
        """Raise PhareError where there is a fault."""
        together(self.errors)


def check_names(about: CityFile, here: str) -> None:
    """Raise PhareError where city.yaml names a division or a source that it does not declare."""
    faults = Faults(here)
    faults.among("main_division", about.main_division, about.divisions)
    drawn = [name for name, division in about.divisions.items() if division.source]
    for name, division in about.divisions.items():
        if division.source:
            faults.among(f"divisions.{name}.source", division.source, about.sources)
        if division.grouping_of:
            faults.among(f"divisions.{name}.grouping_of", division.grouping_of, drawn)
    if about.patrols:
        faults.among("patrols.division", about.patrols.division, about.divisions)
    for one in about.milestones:
        for source in one.sources:
            faults.among(f"milestones « {one.title} »", source, about.sources)
    agenda = about.agenda
    parts = {
        "patrols": about.patrols, "holidays.events": about.holidays.events,
        "agenda.events": agenda.events, "agenda.closures": agenda.closures,
        "agenda.warnings": agenda.warnings,
        "agenda.events.entries": agenda.events.entries if agenda.events else None,
    }  # fmt: skip
    for key, part in parts.items():
        if part:
            faults.among(f"{key}.source", part.source, about.sources)
    if agenda.warnings and agenda.warnings.sheet:
        known = sheets.names(find_root())
        faults.among("agenda.warnings.sheet", agenda.warnings.sheet, known)
    faults.tell()


def check_fields(about: CityFile, contracts: Mapping[str, Contract], here: str) -> None:
    """Raise PhareError where city.yaml names a field that the contract of its source lacks."""
    faults = Faults(here)
    for name, division in about.divisions.items():
        if division.source:
            contract = contracts[division.source]
            if contract.kind != "division":
                faults.add(
                    f"divisions.{name}.source nomme « {division.source} », dont le contrat dit "
                    f"`kind: {contract.kind}`",
                    "donner une source de contours (`kind: division`)",
                )
            faults.among(f"divisions.{name}.code", division.code, contract.fields)
        if division.grouping_of:
            parent = about.divisions[division.grouping_of].source or ""
            fields = contracts[parent].fields
            faults.among(f"divisions.{name}.group_by", division.group_by or "", fields)
    events = about.holidays.events
    if events:
        faults.among("holidays.events.day", events.day, contracts[events.source].fields)
    rules = {
        "patrols": (about.patrols, ("hours", "zone", "slot", "day")),
        "agenda.events": (
            about.agenda.events,
            ("id", "kind", "start", "end", "longitude", "latitude", "size", "status"),
        ),
        "agenda.closures": (
            about.agenda.closures,
            ("id", "kind", "start", "end", "longitude", "latitude", "radius_m", "event"),
        ),
        "agenda.warnings": (about.agenda.warnings, ("moment", "level")),
    }
    for where, (rule, keys) in rules.items():
        for key in keys if rule else ():
            fields = contracts[getattr(rule, "source", "")].fields
            faults.among(f"{where}.{key}", getattr(rule, key), fields)
    if about.agenda.events and about.agenda.events.entries:
        _check_entries(faults, about.agenda.events, about.agenda.events.entries, contracts)
    faults.tell()
    _check_codes(faults, about, contracts)
    faults.tell()


def _check_codes(faults: Faults, about: CityFile, contracts: Mapping[str, Contract]) -> None:
    """Note the kinds, statuses and levels of the agenda that no row of their source bears."""
    events, warnings = about.agenda.events, about.agenda.warnings
    if about.patrols:
        _check_patrols(faults, about, about.patrols, contracts[about.patrols.source].fields)
    if events:
        fields = contracts[events.source].fields
        for kind in events.titles:
            faults.code("agenda.events.titles", kind, events.kind, fields[events.kind])
        for status in events.held:
            faults.code("agenda.events.held", status, events.status, fields[events.status])
    if warnings:
        rule = contracts[warnings.source].fields[warnings.level]
        for level in warnings.levels:
            faults.code("agenda.warnings.levels", level, warnings.level, rule)


def _check_patrols(
    faults: Faults, about: CityFile, rule: Patrols, fields: Mapping[str, FieldRule]
) -> None:
    """Note shifts of the roster that are none of the city's slots: their hours would be lost."""
    faults.column("patrols.hours", rule.hours, fields, ("int", "float"))
    faults.column("patrols.day", rule.day, fields, ("date",))
    faults.column("patrols.slot", rule.slot, fields, ("enum",))
    for value in fields[rule.slot].values:
        faults.among(f"patrols.slot : le champ « {rule.slot} »", value, about.slots)


def _check_entries(
    faults: Faults, events: EventsRule, rule: EntriesRule, contracts: Mapping[str, Contract]
) -> None:
    """Note what the contract of partners' entries lacks, or says otherwise than the events'."""
    own, theirs = contracts[rule.source].fields, contracts[events.source].fields
    for key in ("entered", "by", "zone"):
        faults.among(f"agenda.events.entries.{key}", getattr(rule, key), own)
    faults.among("agenda.events.entries.taken_over", rule.taken_over, theirs)
    for key in ("id", "kind", "start", "end", "longitude", "latitude", "size", "status"):
        name = getattr(events, key)
        known = faults.among(f"agenda.events.entries : contrat « {rule.source} »", name, own)
        if known and name in theirs and own[name].type != theirs[name].type:
            faults.add(
                f"« {name} » n'est pas du même type dans « {rule.source} » et « {events.source} »",
                "leur donner le même type",
            )
        foreign = sorted({*own[name].values} - {*theirs[name].values}) if known else []
        if foreign and name in theirs:
            faults.add(
                f"« {name} » de « {rule.source} » a des codes que « {events.source} » n'a pas : "
                f"{', '.join(foreign)}", "n'y garder que des codes des deux",
            )  # fmt: skip


def check_contract(contract: Contract, name: str, about: CityFile, here: str) -> None:
    """Raise PhareError where a contract names what does not exist, or what is not of its kind."""
    faults = Faults(here)
    if contract.source != name:
        faults.add(
            f"le contrat dit « source: {contract.source} »",
            f"écrire « source: {name} » ou renommer le fichier",
        )
    if contract.timezone is not None:
        _try(faults, "timezone", known_timezone, contract.timezone)
    for i, edition in enumerate(contract.every_edition()):
        where = f"editions.{i}.file" if contract.editions else "file"
        if edition.file.crs:
            _try(faults, f"{where}.crs", known_crs, edition.file.crs)
        if edition.coordinates_crs:
            key = f"editions.{i}.coordinates_crs"
            _try(faults, key, known_crs, edition.coordinates_crs)
        _try(faults, f"{where}.encoding", _known_encoding, edition.file.encoding)
        _try(faults, f"{where}.separator", _one_sign, edition.file.separator)
    _check_versions(faults, contract)
    if contract.observation:
        _check_observation(faults, contract, contract.observation, about)
    for cover in contract.covers:
        if cover.division:
            faults.among("covers.division", cover.division, about.divisions)
    faults.tell()


def _check_versions(faults: Faults, contract: Contract) -> None:
    """Note what would take a later version for an earlier one, or a code for nothing."""
    if contract.revised_at is not None:
        faults.column("revised_at", contract.revised_at, contract.fields, ORDERED)
    for field, rule in contract.fields.items():
        hidden = sorted({*rule.values} & {*rule.null_values})
        if hidden:
            faults.add(
                f"fields.{field} : « {hidden[0]} » est à la fois un code de `values` et une façon "
                "d'écrire « vide » (`null_values`)",
                "l'ôter de l'une des deux listes",
            )


def _check_observation(
    faults: Faults, contract: Contract, rule: ObservationRule, about: CityFile
) -> None:
    _try(faults, "observation.coordinates_crs", known_crs, rule.coordinates_crs)
    end = about.period.end
    entered = contract.fields.get(rule.recorded_at or "")
    if entered and entered.month_end and (end + dt.timedelta(days=1)).day != 1:
        # How much of a month is entered is known at its end alone.
        faults.add(
            f"observation.recorded_at est connu au mois, et la période finit le {end}",
            "dans city.yaml, finir `period` au dernier jour d'un mois",
        )
    for zone in rule.declared_zones:
        faults.among("declared_zone.division", zone.division, about.divisions)
    if (rule.longitude is None) != (rule.latitude is None):
        faults.add(
            "observation : `longitude` et `latitude` vont ensemble", "donner les deux, ou aucun"
        )
    kinds = {
        "longitude": ("longitude", "float", "int"), "latitude": ("latitude", "float", "int"),
        "count": ("int", "float"), "recorded_at": ("date", "timestamp"),
    }  # fmt: skip
    for key, kind in kinds.items():
        if field := getattr(rule, key):
            faults.column(f"observation.{key}", field, contract.fields, kind)
    _check_origin(faults, contract, rule)
    period = about.period
    if contract.since > period.end.year or contract.until < period.start.year:
        faults.add(
            f"les années du contrat ({contract.since} à {contract.until}) sont hors de la période "
            "de la ville : aucun fait n'en serait compté",
            "corriger `since` et `until`, ou `period` de city.yaml",
        )


def _check_origin(faults: Faults, contract: Contract, rule: ObservationRule) -> None:
    """Note codes of an origin that no row bears, or that are of both: « unknown » would hide it."""
    told = rule.origin
    if told.field is None or told.field not in contract.fields:
        return
    for key, codes in (("citizen", told.citizen), ("agent", told.agent)):
        for code in codes:
            here = f"observation.origin.{key}"
            faults.code(here, code, told.field, contract.fields[told.field])
    both = sorted({*told.citizen} & {*told.agent})
    if both:
        faults.add(
            f"observation.origin : « {both[0]} » est à la fois `citizen` et `agent`",
            "le laisser dans une seule des deux listes",
        )


def _try(faults: Faults, key: str, known: Callable[[str], object], value: str) -> None:
    """Note what `known`, called with the value under `key`, finds wrong with it."""
    try:
        known(value)
    except ValueError as error:
        faults.add(f"{error} : {key}", "corriger cette clé dans ce fichier")


def _known_encoding(value: str) -> str:
    try:
        return codecs.lookup(value).name
    except LookupError:
        raise ValueError(f"encodage inconnu, « {value} » (utf-8, cp1252…)") from None


def _one_sign(value: str) -> str:
    if len(value) != 1:
        raise ValueError("un séparateur est un seul signe")
    return value


def check_themes(
    about: CityFile, contracts: Mapping[str, Contract], themes: Mapping[str, Theme], here: str
) -> None:
    """Raise PhareError where a theme counts what no source brings, or opens no sheet at hand."""
    faults = Faults(here)
    observed = [name for name, contract in contracts.items() if contract.observation]
    for name, theme in themes.items():
        alone = len(theme.parts) == 1
        known = True
        for source, categories in theme.parts.items():
            where = f"themes.{name}"
            if faults.among(f"{where}.{'source' if alone else 'parts'}", source, observed):
                key = f"{where}.{'categories' if alone else f'parts.{source}'}"
                _check_categories(faults, key, categories, contracts[source])
            else:
                known = False
        if known and not alone:
            _check_parts(faults, name, {source: contracts[source] for source in theme.parts})
        division = theme.division or about.main_division
        faults.among(f"themes.{name}.division", division, about.divisions)
        for source in theme.needs:
            faults.among(f"themes.{name}.needs", source, about.sources)
        if theme.sheet:
            faults.among(f"themes.{name}.sheet", theme.sheet, sheets.names(find_root()))
    faults.tell()


def _check_parts(faults: Faults, name: str, parts: Mapping[str, Contract]) -> None:
    """Note why the sources of a theme do not add up: what they count, or how they are dated."""
    where = f"themes.{name}.parts"
    unsaid = [source for source, one in parts.items() if not one.unit]
    if unsaid:
        faults.add(
            f"{where} additionne des sources dont l'unité de compte n'est pas dite "
            f"({', '.join(unsaid)})",
            "donner `unit` au contrat de chacune : ce qu'est une ligne (infraction, victime, "
            "appel…)",
        )
    elif len({one.unit for one in parts.values()}) > 1:
        told = ", ".join(f"{source} : {one.unit}" for source, one in parts.items())
        faults.add(
            f"{where} additionne des unités de compte différentes ({told})",
            "en faire autant de thèmes : leur somme ne compterait rien",
        )
    known = {source: one.precision for source, one in parts.items()}
    spans = {one if one in ("month", "year") else "day" for one in known.values()}
    if len(spans) > 1 or "year" in spans:
        told = ", ".join(f"{source} : {KNOWN_TO.get(one or '', 'jour')}"
                         for source, one in known.items())  # fmt: skip
        faults.add(
            f"{where} : des sources datées au jour ou au mois s'additionnent entre elles ; celles "
            f"qui le sont autrement, ou à l'année, non ({told})",
            "en faire autant de thèmes",
        )


def _check_categories(
    faults: Faults, key: str, categories: Iterable[str], contract: Contract
) -> None:
    """Note the categories, written under `key`, that no row of the source can bear."""
    assert contract.observation is not None
    rule = contract.fields[contract.observation.category]
    for category in categories:
        if category == NO_CATEGORY and not rule.required:
            continue
        faults.code(key, category, contract.observation.category, rule)


def check_milestones(about: CityFile, themes: Iterable[str], here: str) -> None:
    """Raise PhareError where a milestone names a theme that does not exist."""
    faults = Faults(here)
    known = list(themes)
    for one in about.milestones:
        for touched in one.themes:
            faults.among(f"milestones « {one.title} »", touched, known)
    faults.tell()


def check_questions(
    about: CityFile, themes: Mapping[str, Theme], questions: Mapping[str, Question], here: str
) -> None:
    """Raise PhareError where a question names a theme, category or division unknown."""
    faults = Faults(here)
    for name, question in questions.items():
        where = f"questions.{name}"
        if faults.among(f"{where}.theme", question.theme, themes):
            for category in question.categories:
                known = themes[question.theme].categories
                faults.among(f"{where}.categories", category, known)
        if question.division:
            faults.among(f"{where}.division", question.division, about.divisions)
    faults.tell()
