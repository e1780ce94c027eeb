"""Values that designate a person, canonical ones: what a contract may never vouch for.

A contract says what may come in; each of its patterns, lists and bounds is tried on these when it
loads. All are invented, or those that norms and numbering plans give as examples.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import _constants as opcodes  # type: ignore[attr-defined]  # the standard parser has no
from re import _parser as parser  # type: ignore[attr-defined]  # public name, nor a twin outside
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.core.city.contract import FieldRule

LARGEST_SET = 100_000  # texts that a pattern may describe: zones, months, codes, not identities
OPTIONS = "expression régulière avec une option, (?i) par exemple : écrire les signes admis"
SHORT = 7  # digits: a number of so few, within bounds, is a quantity

# kind → values, as they are plainly written
PERSONS: dict[str, tuple[str, ...]] = {
    "plaque d'immatriculation": (
        "AB-123-CD", "AB123CD", "ab-123-cd", "AB 123 CD", "WW-123-AB", "W-123-AB",
        "1234 AB 13", "123 ABC 13", "123ABC13", "4471WR13", "12 AB 2A",
        "A123B", "AB-12-A", "AB12A", "1-ABC-234", "1ABC234", "B-AB 1234", "BAB1234", "AB123YZ",
        "AA 12 BBB", "AA12BBB", "AB12 CDE", "1234 BCD", "1234BCD", "12345-A-6", "12345 119 16",
        "12-AB-34", "123 TU 4567", "123TU4567",
    ),
    "téléphone": (
        "0612345678", "06 12 34 56 78", "06.12.34.56.78", "06-12-34-56-78", "612345678",
        "+33612345678", "+33 6 12 34 56 78", "33612345678", "0033612345678", "0491123456",
        "491123456", "+213551234567", "213551234567", "+447700900123", "447700900123",
        "+14155550123", "14155550123", "4155550123", "+2693212345", "3212345", "+37712345678",
    ),
    "numéro de sécurité sociale": (
        "180126955222380", "1801269552223", "1 80 12 69 552 223 80", "280052A123456",
        "180122B12345644",
    ),
    "compte bancaire": (
        "FR1420041010050500013M02606", "FR14 2004 1010 0505 0001 3M02 606",
        "DE89370400440532013000",
        "20041010050500013M02606", "GB82WEST12345698765432",
    ),
    "carte bancaire": ("4111111111111111", "4111 1111 1111 1111", "5500005555555559",
                       "340000000000009", "30000000000004"),
    "pièce d'identité": ("12AB34567", "880692310285", "X4RTBPFW4", "12345678Z", "X1234567L"),
    "naissance": ("12/03/1961", "12-03-1961", "12.03.1961", "1961-03-12", "12031961", "19610312"),
    "nom": (
        "Dupont", "DUPONT", "dupont", "Jean Dupont", "DUPONT Jean", "jean dupont", "JEAN DUPONT",
        "J. Dupont", "Jean-Pierre Martin", "Nguyen", "Nguyễn Thị Hạnh", "Ben Ali", "BENALI Mohamed",
        "O'Brien", "D'Orgeval", "Der Bedrossian", "Fatoumata Traoré", "el hadj", "M. Martin",
        "ptebboune", "p.peyrachon", "Jean|Dupont", "jean|dupont", "jean_dupont", "jeandupont",
        "J.D.", "J. D.", "M. D.", "M D", "Mme D.",
    ),
    "courriel ou compte": ("jean.dupont@example.org", "@jeandupont", "jdupont13"),
    "matricule": ("AG-01234", "AG01234", "123456", "0123456", "PM12345", "12345678"),
    "adresse": ("12 rue des Lilas", "12 bis rue des Lilas", "rue des Lilas 12", "apt 12",
                "bât B esc 2"),
}  # fmt: skip


def vouched_for(admits: Callable[[str], object]) -> tuple[str, str] | None:
    """Return the kind and the first of the PERSONS that `admits` lets in; None where none is."""
    return next(
        ((kind, text) for kind, texts in PERSONS.items() for text in texts if admits(text)), None
    )


def number_of_texts(pattern: str) -> int:
    """Return how many texts a regular expression describes: at most, and capped past LARGEST_SET.

    Raises ValueError where it holds what is not counted (look-around, references to a group).
    """
    parsed = parser.parse(pattern)
    if parsed.state.flags & ~re.UNICODE:
        raise ValueError(OPTIONS)
    return _count(parsed)


def _count(parts: Any) -> int:
    total = 1
    for operation, told in parts:
        total = min(total * _count_one(operation, told), LARGEST_SET + 1)
    return total


def _count_one(operation: Any, told: Any) -> int:
    match operation:
        case opcodes.LITERAL:
            return 1
        case opcodes.IN:
            return _count_class(told)
        case opcodes.BRANCH:
            return sum(_count(branch) for branch in told[1])
        case opcodes.SUBPATTERN:
            _, added, removed, inside = told
            if added or removed:
                raise ValueError(OPTIONS)
            return _count(inside)
        case opcodes.MAX_REPEAT:
            least, most, inner = told
            one: int = _count(inner)
            if most is opcodes.MAXREPEAT:
                return LARGEST_SET + 1
            sizes: list[int] = [min(one**n, LARGEST_SET + 1) for n in range(least, most + 1)]
            return min(sum(sizes), LARGEST_SET + 1)
        case opcodes.ANY | opcodes.NOT_LITERAL:
            return LARGEST_SET + 1
        case _:
            raise ValueError(f"expression régulière trop savante ({operation})")


def _count_class(told: Any) -> int:
    total = 0
    for operation, one in told:
        match operation:
            case opcodes.LITERAL:
                total += 1
            case opcodes.RANGE:
                total += one[1] - one[0] + 1
            case _:  # a negation, \w, \d (all the digits of Unicode)
                return LARGEST_SET + 1
    return total


def fault(rule: FieldRule) -> str | None:
    """Return why a field of this rule would not be closed to persons, or None.

    An identifier may hold anything: it is never written as it is.
    """
    match rule.type:
        case "str":
            return _of_pattern(rule.pattern)
        case "enum":
            return _told("la liste", vouched_for(_listing(rule)))
        case "int" | "float" | "longitude" | "latitude":
            return _of_bounds(rule.minimum, rule.maximum)
        case _:
            return None


def _listing(rule: FieldRule) -> Callable[[str], object]:
    """Return what tells whether a text is a code of the list, or several of them, in any case."""
    codes = {code.casefold() for code in rule.values}
    if not rule.separator:
        return lambda text: text.casefold() in codes
    return lambda text: codes.issuperset(text.casefold().split(rule.separator.casefold()))


def _of_pattern(pattern: str) -> str | None:
    if not pattern:
        return (
            "un texte libre n'entre pas : donner ses codes (`enum`), une forme qui en décrit peu "
            "(`pattern`), ou dire que c'est un identifiant (`id`, haché à la porte)"
        )
    if number_of_texts(pattern) > LARGEST_SET:
        return (
            f"`pattern` décrit plus de {LARGEST_SET} textes : donner la liste des codes, ou dire "
            "que c'est un identifiant (`type: id`, haché à la porte)"
        )
    return _told("`pattern`", vouched_for(re.compile(pattern).fullmatch))


def _of_bounds(minimum: float | None, maximum: float | None) -> str | None:
    if minimum is None or maximum is None:
        return "un nombre donne son `minimum` et son `maximum`"
    if minimum > maximum:
        return "`minimum` dépasse `maximum`"

    def inside(text: str) -> bool:
        digits = re.sub(r"[ .+/-]", "", text)
        long = len(digits) > SHORT and digits.isdigit()
        return long and any(minimum <= sign * int(digits) <= maximum for sign in (1, -1))

    return _told("l'intervalle", vouched_for(inside))


def _told(what: str, found: tuple[str, str] | None) -> str | None:
    return f"{what} laisse passer « {found[1]} » ({found[0]})" if found else None
