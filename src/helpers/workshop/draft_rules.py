"""The rule to propose for a column first seen: closed, or none, with the reason why.

What is read of a column decides of its type; what is copied of it into a rule is only bounds,
rounded, and codes that are ordinary words.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import duckdb
import pyarrow as pa
from pydantic import ValidationError

from helpers.collect import persons
from helpers.core.base.store import literal, quote
from helpers.core.city import battery
from helpers.core.city.contract import PERSONAL_NAMES, FieldRule
from helpers.core.city.contract_sql import FALSE, TRUE
from helpers.workshop.ordinary import is_ordinary, words

CODES = 40  # distinct values at most: more is no list of codes
CODE_LENGTH = 60
REPEATED = 2  # rows at least of a code that is copied
CODE = re.compile(r"[A-Za-z]|[A-Za-z]{0,2}[-_]?[0-9]{1,2}")  # B, P1, QN-01: too short for anybody
DIGITS, DIGITS_LONGEST = re.compile(r"[0-9]+"), 5
NUMBER = r"^[+-]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)$"
IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9_:/.-]{0,63}$"
# Births are scattered over the years; what is recorded day after day is not.
BIRTH_YEARS, BIRTH_DENSITY = 20, 0.2
DATES = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M",
         "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p",
         "%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m",
         "%m/%Y", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M%z",
         "%m/%d/%Y %I:%M %p", "%d/%m/%y %H:%M", "%d/%m/%y", "%m/%d/%y", "%G-W%V-%u")  # fmt: skip
CLOCK = r"^(?:[01]?[0-9]|2[0-4])(?::|h)[0-5][0-9](?::[0-5][0-9])?$"
# What a column's name says of its numbers, and the bounds that they then have.
PARTS: tuple[tuple[frozenset[str], int, int], ...] = (
    (frozenset(("hrmn", "hhmm")), 0, 2400),
    (frozenset(("heure", "hour", "hr", "hora", "ora", "stunde", "uur")), 0, 24),
    (frozenset(("minute", "minutes", "mn", "min", "minuto", "minutos", "minuti")), 0, 59),
    (frozenset(("mois", "month", "mes", "mese", "monat", "maand")), 1, 12),
    (frozenset(("jour", "day", "dia", "giorno", "tag")), 1, 31),
)
EASTWARD, NORTHWARD = (
    frozenset(
        ("lon", "lng", "long", "longitude", "longitud", "longitudine", "x", "xcoord", "easting")
    ),
    frozenset(("lat", "latitude", "latitud", "latitudine", "y", "ycoord", "northing")),
)
IDENTIFIERS = frozenset(
    ("id", "ids", "uid", "uuid", "fid", "oid", "gid", "objectid", "num", "numero", "number", "no",
     "identifiant", "identifier", "ident", "cle", "key", "ref", "reference", "acc")
)  # fmt: skip
YEARS = frozenset(
    ("an", "annee", "annees", "year", "fyear", "millesime", "any", "anno", "jahr", "jaar")
)
COUNTS = frozenset(
    ("nb", "n", "nombre", "nbre", "nbr", "count", "counts", "total", "totaux", "effectif",
     "effectifs", "part", "taux", "heures", "hours")
)  # fmt: skip
PERSONAL = frozenset(
    ("naissance", "ddn", "birth", "age", "ages", "nom", "noms", "prenom", "prenoms", "name",
     "names", "surname", "tel", "telephone", "telephones", "portable", "phone", "mobile", "mail",
     "email", "courriel", "contact", "adresse", "adresses", "adr", "address", "addr", "rue",
     "street",
     "commentaire", "commentaires", "comment", "comments", "texte", "text", "txt", "description",
     "desc", "remarque", "remarques", "message", "detail", "details", "matricule", "plaque",
     "plaques", "immatriculation", "immat", "plate", "agent", "agents", "referent", "requerant",
     "demandeur", "riverain", "riverains", "usager", "usagers", "victime", "victimes", "auteur",
     "auteurs", "temoin", "user", "sexe", "sex", "gender", "genre", "media", "photo", "image",
     "url", "lien", "link", "intervenant", "suspect", "suspects", "victim", "victims", "offender",
     "offenders", "perpetrator", "witness", "nationalite", "nationalites", "nationality", "ethnie",
     "ethnicity", "ethnique", "race", "religion", "profession", "civilite", "handicap", "sante",
     "prevenu", "prevenus", "mineur", "mineurs",
     # and of the languages of our neighbours
     "edat", "edad", "idade", "eta", "alter", "leeftijd", "sexo", "genero", "sesso", "geschlecht",
     "geslacht", "apellido", "apellidos", "cognom", "cognoms", "cognome", "nome", "vorname",
     "nachname", "telefono", "telefon", "correo", "correu", "direccion", "adreca", "indirizzo",
     "endereco", "strasse", "calle", "carrer", "nacionalidad", "nacionalitat", "nacionalidade",
     "nationalitat", "victima", "vittima", "opfer", "dni", "matricula", "kennzeichen")
)  # fmt: skip

PERSON = "peut désigner une personne"
TEXT = "à décider : un texte peut désigner une personne"
EMPTY = "vide dans ce fichier"
LONG = "un nombre si long peut être un téléphone, ou le numéro d'une personne"
BIRTH = "des jours épars sur de longues années : peut-être des naissances"
PLACE = "une coordonnée dont l'unité n'est pas reconnue"
MARKS = "deux signes décimaux dans ce fichier : le contrat n'en a qu'un"
NAME = "nom de colonne qui n'est pas d'usage : COLUMNS={position} s'il ne désigne personne"


def listed(source: str, column: str, distinct: int) -> str:
    """Return the reason of a column that may be a list of codes: a person has to see them."""
    return (
        f"à décider : {distinct} valeurs différentes, peut-être des codes ; "
        f'`make codes SOURCE={source} FIELD="{column}"` les montre'
    )


@dataclass(frozen=True)
class Proposed:
    """What is proposed for a column: the keys of its rule, or the reason why it is refused.

    `comma`: its numbers have a decimal comma; None where they have no decimal mark. `years`: the
    first and last year of its moments.
    """

    rule: dict[str, Any] = field(default_factory=dict)
    refused: str = ""
    comma: bool | None = None
    years: tuple[int, int] | None = None


def doubted(text: str) -> bool:
    """Tell whether a detector, or what stands for persons, recognises somebody in the text."""
    known = battery.vouched_for(lambda one: one.casefold() == text.casefold())
    return known is not None or persons.screen(pa.array([text], pa.string())).null_count == 0


def is_personal(name: str) -> bool:
    """Tell whether a column of this name may hold what belongs to a person."""
    said = set(words(re.sub(r"\d", "", name)))
    counted = bool(said & COUNTS)
    return bool((said & PERSONAL and not counted) or PERSONAL_NAMES.search(name.lower()))


@dataclass(frozen=True)
class Column:
    """A column of the table `sample` of a connection: its texts, all of them, blanks taken off."""

    con: duckdb.DuckDBPyConnection
    place: str  # the column's name in the table
    name: str  # its name in the file

    @property
    def text(self) -> str:
        """The SQL of its trimmed text; NULL where empty."""
        return f"nullif(trim({quote(self.place)}), '')"

    def one(self, query: str) -> tuple[Any, ...]:
        """Return the only row of a query over `said`, the column's texts that are not empty."""
        told = f"WITH said AS (SELECT {self.text} AS v FROM sample WHERE {self.text} IS NOT NULL) "
        row: tuple[Any, ...] = self.con.execute(told + query).fetchall()[0]
        return row

    def all_match(self, pattern: str) -> bool:
        """Tell whether every text matches the expression."""
        query = f"SELECT bool_and(regexp_matches(v, {literal(pattern)})) FROM said"
        return bool(self.one(query)[0])

    def said(self, names: frozenset[str]) -> bool:
        """Tell whether the column's name holds one of the words."""
        return bool(set(words(re.sub(r"\d", "", self.name))) & names)


def propose(column: Column, source: str) -> Proposed:
    """Return what to propose for a column of an ordinary name, of the source of this name."""
    if is_personal(column.name):
        return Proposed(refused=PERSON)
    rows, distinct, longest = column.one(
        "SELECT count(v), count(DISTINCT v), max(length(v)) FROM said"
    )
    if not rows:
        return Proposed(refused=EMPTY)
    unique = rows == distinct and rows > 1
    if column.said(EASTWARD | NORTHWARD) and column.all_match(NUMBER):
        return _coordinate(column)
    for attempt in (_moment(column), _identifier(column, unique), _number(column, distinct)):
        if attempt:
            return attempt
    return _codes(column, rows, distinct, longest) or Proposed(
        refused=listed(source, column.name, distinct) if distinct <= CODES and not unique else TEXT
    )


def _sound(column: Column, rule: dict[str, Any], **more: Any) -> Proposed | None:
    """Return the rule, if a contract would take it."""
    told = {**rule, "label": column.name}
    try:
        FieldRule.model_validate(told)
    except ValidationError:
        return None
    return Proposed(told, **more)


def _identifier(column: Column, unique: bool) -> Proposed | None:
    """Propose a keyed hash where the column's name, or the form of its texts, says a number."""
    if not column.all_match(IDENTIFIER):
        return None
    whole = column.all_match("^[0-9]+$")
    mixed = column.all_match("[0-9]") and not column.all_match(NUMBER)
    if not unique or not (column.said(IDENTIFIERS) or (mixed and not whole)):
        return None
    if not whole and _any_doubted(column):
        return Proposed(refused=PERSON)
    return _sound(column, {"type": "id"})


def _any_doubted(column: Column) -> bool:
    texts = column.con.execute(
        f"SELECT DISTINCT {column.text} AS v FROM sample WHERE v IS NOT NULL"
    ).to_arrow_table()["v"]
    return bool(persons.screen(texts).null_count < len(texts))


def _moment(column: Column) -> Proposed | None:
    if column.all_match(CLOCK):
        return _sound(column, {"type": "time"})
    if not column.all_match("^[0-9]{1,4}[-/.]"):  # nor would any of the formats
        return None
    for form in DATES:
        value = f"CAST(try_strptime(v, {literal(form)}) AS TIMESTAMP)"
        whole, first, last, days = column.one(
            f"SELECT count(v) = count({value}) AND count({value}) > 0, min({value}), max({value}), "
            f"count(DISTINCT CAST({value} AS DATE)) FROM said"
        )
        if whole and first.year >= 1850 and last.year <= 2100:
            kind = "timestamp" if "%M" in form else "date"
            if "%d" not in form and "%u" not in form:
                days *= 28  # a month stands for its days
            if kind == "date" and _births(first, last, days):
                return Proposed(refused=BIRTH)
            span = (first.year, last.year)
            return _sound(column, {"type": kind, "format": form}, years=span)
    return None


def _births(first: dt.datetime, last: dt.datetime, days: int) -> bool:
    span = (last - first).days + 1
    return span > BIRTH_YEARS * 365 and days / span < BIRTH_DENSITY


def _number(column: Column, distinct: int) -> Proposed | None:
    """Propose a number within bounds, or digits that are a code; too long, it may be anybody's."""
    if column.all_match("^[0-9]+$"):
        least, most, zeros = column.one(
            "SELECT min(length(v)), max(length(v)), bool_or(v ~ '0[0-9]+') FROM said"
        )
        if zeros and most <= DIGITS_LONGEST:
            times = f"{least}" if least == most else f"{least},{most}"
            proposed = _sound(column, {"type": "str", "pattern": f"[0-9]{{{times}}}"})
            return proposed or _long(column)
        if zeros or most > battery.SHORT:
            return _long(column)
    if not column.all_match(NUMBER):
        return None
    points, commas, longest, decimals = column.one(
        "SELECT bool_or(contains(v, '.')), bool_or(contains(v, ',')), "
        "max(length(regexp_extract(v, '^[+-]?([0-9]*)', 1))), "
        "max(length(regexp_extract(v, '[.,]([0-9]+)$', 1))) FROM said"
    )
    if points and commas:
        return Proposed(refused=MARKS)
    if longest > battery.SHORT:
        return _long(column)
    low, high = _range(column)
    if not (points or commas):
        return _whole(column, low, high)
    rule = {
        "type": "float",
        "minimum": _outward(low, down=True),
        "maximum": _outward(high),
        "decimals": min(decimals, 6),
    }
    return _sound(column, rule, comma=bool(commas)) or Proposed(refused=LONG)


def _whole(column: Column, low: Decimal, high: Decimal) -> Proposed:
    """Propose a year, or a whole number within the bounds of its values, or those of its name."""
    if column.said(YEARS) and low >= 1850 and high <= 2100:
        found = _sound(column, {"type": "year"}, years=(int(low), int(high)))
    else:
        least, most = _outward(low, down=True), _outward(high)
        for said, first, last in PARTS:
            if column.said(said) and first <= low and high <= last:
                least, most = first, last
                break
        found = _sound(column, {"type": "int", "minimum": least, "maximum": most})
    return found or Proposed(refused=LONG)


def _long(column: Column) -> Proposed:
    """Propose a keyed hash of a long number that the column's name says to be an identifier."""
    hashed = _sound(column, {"type": "id"}) if column.said(IDENTIFIERS) else None
    return hashed or Proposed(refused=LONG)


def _range(column: Column) -> tuple[Decimal, Decimal]:
    low, high = column.one(
        "SELECT min(CAST(replace(v, ',', '.') AS DOUBLE)), "
        "max(CAST(replace(v, ',', '.') AS DOUBLE)) FROM said"
    )
    return Decimal(str(low)), Decimal(str(high))


def _outward(value: Decimal, *, down: bool = False, step: Decimal | None = None) -> int | float:
    """Return the value rounded away from the others, to its first digit (or to `step`)."""
    step = step or Decimal(10) ** max(0, math.floor(math.log10(abs(value) or 1)))
    way = ROUND_FLOOR if down else ROUND_CEILING
    rounded = (value / step).to_integral_value(way) * step
    return int(rounded) if rounded == int(rounded) else float(rounded)


def _coordinate(column: Column) -> Proposed:
    """Propose a longitude or a latitude: degrees, or metres, by the range of its values."""
    low, high = _range(column)
    kind = "longitude" if column.said(EASTWARD) else "latitude"
    most = 180 if kind == "longitude" else 90
    points, commas = column.one(
        "SELECT bool_or(contains(v, '.')), bool_or(contains(v, ',')) FROM said"
    )
    if -most <= low and high <= most and (points or commas):
        unit, step = "degrés", Decimal("0.1")
    elif low >= 1000 and high < 10**battery.SHORT:
        unit, step = "mètres", Decimal(1000)
    else:
        return Proposed(refused=PLACE)
    if points and commas:
        return Proposed(refused=MARKS)
    rule = {
        "type": kind,
        "unit": unit,
        "minimum": _outward(low, down=True, step=step),
        "maximum": _outward(high, step=step),
    }
    comma = bool(commas) if points or commas else None
    return _sound(column, rule, comma=comma) or Proposed(refused=PLACE)


def _codes(column: Column, rows: int, distinct: int, longest: int) -> Proposed | None:
    """Propose a list of codes that come again and are ordinary words, all of them; or yes and no.

    One that came once only is left to `make codes`.
    """
    if distinct > CODES or longest > CODE_LENGTH:
        return None
    met = column.con.execute(
        f"SELECT {column.text} AS code, count(*) FROM sample WHERE code IS NOT NULL "
        "GROUP BY 1 ORDER BY 1"
    ).fetchall()
    if {code.lower() for code, _ in met} & {*TRUE} and {code.lower() for code, _ in met} <= {
        *TRUE,
        *FALSE,
    }:
        return _sound(column, {"type": "bool"})
    if not all(is_ordinary(code) or CODE.fullmatch(code) for code, _ in met):
        return None
    if any(doubted(code) for code, _ in met):
        return None
    codes = [code for code, n in met if n >= REPEATED]
    return _sound(column, {"type": "enum", "values": codes}) if codes else None
