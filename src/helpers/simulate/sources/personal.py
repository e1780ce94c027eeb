"""Fictive strings that look personal: the door must meet them where they are not expected.

Telephone numbers are of the range that the regulator keeps for fiction (06 39 98 …), addresses of
e-mail end in `.invalid` (RFC 2606), surnames are invented.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from helpers.simulate.columns import codes, joined, numbered
from helpers.simulate.streams import Ints, stream

FIRST = (  # men and women in turn, as TITLES
    "Karim", "Nadia", "Julien", "Camille", "Nicolas", "Fatima", "Mehdi", "Sophie", "Thomas",
    "Chloé", "Antoine", "Yasmine", "Samir", "Manon", "Hugo", "Céline",
)  # fmt: skip
LAST = (
    "Tristefeuille", "Ourdanel", "Montrouvière", "Vaudremont", "Beaucastagne", "Delcourbe",
    "Rocheverte", "Bellombre", "Castagnerol", "Fontvigne", "Marsavoine", "Sarrepont", "Valdrôme",
    "Trinqueval", "Orsemaille", "Pierrefleur",
)  # fmt: skip
PLAIN = {"é": "e", "è": "e", "ô": "o"}
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # consonants: no word such as « TER » comes out
TITLES = ("M.", "Mme")
WAYS = ("rue", "avenue", "boulevard", "impasse", "chemin")
SUFFIXES = ("", " bis", " ter")


@dataclass(frozen=True)
class Strings:
    """One row a string: its kind, the string itself, and the cell in which it stands."""

    kind: pa.Array
    text: pa.Array
    cell: pa.Array


def personal_strings(size: int, seed: int, use: str) -> Strings:
    """Return `size` fictive personal strings, from the stream of `use`."""
    rng = stream(seed, use)
    number = rng.integers(0, 2**31, size)
    made = {
        "nom": (_names(number), ""),
        "plaque": (_plates(number), "véhicule "),
        "plaque_ancienne": (_old_plates(number), "véhicule "),
        "telephone": (_telephones(number), "rappeler le "),
        "courriel": (_addresses(number), ""),
        "numero_voie": (_houses(number), "devant le "),
        "agent": (numbered("matricule ", number % 90_000 + 10_000), ""),
    }
    kind = pa.array(rng.integers(0, len(made), size))
    texts = [text for text, _ in made.values()]
    cells = [joined(before, text) for text, before in made.values()]
    names = pa.array(list(made)).take(kind)
    if not size:
        return Strings(names, pa.array([], pa.string()), pa.array([], pa.string()))
    return Strings(names, pc.choose(kind, *texts), pc.choose(kind, *cells))


def _part(names: tuple[str, ...], number: Ints, divisor: int) -> pa.Array:
    return codes(names, number // divisor % len(names)).cast(pa.string())


def _names(number: Ints) -> pa.Array:
    first, last = _part(FIRST, number, 2), _part(LAST, number, 2 * len(FIRST))
    return joined(_part(TITLES, number, 2), " ", first, " ", last)


def _addresses(number: Ints) -> pa.Array:
    name = joined(_part(FIRST, number, 2), ".", _part(LAST, number, 2 * len(FIRST)))
    plain = pc.utf8_lower(name)
    for accented, letter in PLAIN.items():
        plain = pc.replace_substring(plain, accented, letter)
    return joined(plain, numbered("", number % 97), "@exemple.invalid")


def _letters(number: Ints, count: int) -> pa.Array:
    letters = tuple(LETTERS)
    return joined(*(_part(letters, number, len(letters) ** i) for i in range(count)))


def _plates(number: Ints) -> pa.Array:
    middle = numbered("", number % 999 + 1, 3)
    return joined(_letters(number // 7, 2), "-", middle, "-", _letters(number // 11, 2))


def _old_plates(number: Ints) -> pa.Array:
    return joined(numbered("", number % 8999 + 1000), " ", _letters(number // 13, 3), " 13")


def _telephones(number: Ints) -> pa.Array:
    pairs = numbered("", number % 100, 2), numbered("", number // 100 % 100, 2)
    return joined("06 39 98 ", pairs[0], " ", pairs[1])


def _houses(number: Ints) -> pa.Array:
    street = joined(_part(WAYS, number, 3), " des ", _part(LAST, number, 15), "s")
    return joined(numbered("", number % 180 + 1), _part(SUFFIXES, number, 1), " ", street)
