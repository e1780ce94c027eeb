"""Persons and clean values made up for the measure of the door's second line: seeded, no data read.

Names are drawn from the tokens of one origin that the judge has not been taught; numbers are made
with their keys; clean values are labels, places, codes, days and amounts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from random import Random

import phonenumbers
from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from helpers.collect.names import Lists

HELD_OUT = 5  # one token in five is not taught
SPANISH = "BCDFGHJKLMNPRSTVWXYZ"
PLATE = "ABCDEFGHJKLMNPQRSTVWXYZ"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WAYS = ("Rue", "Avenue", "Boulevard", "Chemin", "Place", "Impasse", "École", "Quartier", "Gare")
FORMS: dict[str, Callable[[str, str], str]] = {
    "Prénom Nom": lambda first, family: f"{first.title()} {family.title()}",
    "NOM PRENOM": lambda first, family: f"{family.upper()} {first.upper()}",
    "NOM, Prénom": lambda first, family: f"{family.upper()}, {first.title()}",
}


def held_out(token: str) -> bool:
    """Tell whether a token is kept from the judge, by its hash: the same in every run."""
    return hashlib.sha256(token.encode()).digest()[0] % HELD_OUT == 0


def people(told: Lists, origin: str, draws: Random, count: int) -> list[tuple[str, str]]:
    """Return first and family names of an origin, none of them taught (count,)."""
    first, family = (
        sorted(t for t in tokens[origin] if held_out(t) and len(t) > 1)
        for tokens in (told.first, told.family)
    )
    return [(draws.choice(first), draws.choice(family)) for _ in range(count)]


# --- Numbers ---------------------------------------------------------------------------------


def digits(draws: Random, count: int) -> str:
    """Return so many digits."""
    return "".join(draws.choice("0123456789") for _ in range(count))


def letters(draws: Random, count: int, alphabet: str = PLATE) -> str:
    """Return so many letters."""
    return "".join(draws.choice(alphabet) for _ in range(count))


def telephone(draws: Random) -> str:
    """A number of France, as people write it."""
    start, rest = draws.choice("12345679"), digits(draws, 8)
    pairs = [rest[i : i + 2] for i in range(0, 8, 2)]
    sign = draws.choice(["", " ", ".", "-"])
    head = draws.choice([f"0{start}", f"+33{sign}{start}", f"0033 {start}", f"+33 (0){start}"])
    return sign.join([head, *pairs])


REGIONS = tuple(sorted(phonenumbers.SUPPORTED_REGIONS))


def telephone_abroad(draws: Random) -> str:
    """A number of any country, written for a call from abroad."""
    number = None
    while number is None:
        number = phonenumbers.example_number(draws.choice(REGIONS))
    how = draws.choice(
        [phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.E164]
    )
    written: str = phonenumbers.format_number(number, how)
    return written if draws.random() < 0.7 else "00" + written[1:]


def plate(draws: Random) -> str:
    """A plate of France since 2009."""
    sign = draws.choice(["-", "-", " ", ""])
    return sign.join([letters(draws, 2), f"{draws.randrange(1, 1000):03d}", letters(draws, 2)])


def old_plate(draws: Random) -> str:
    """A plate of France before 2009: no letters that stand for a unit or an hour."""
    sign = draws.choice([" ", "-", ""])
    department = f"{draws.choice([*range(1, 20), *range(21, 96)]):02d}"
    return sign.join(
        [str(draws.randrange(10, 10_000)), letters(draws, draws.choice([2, 3])), department]
    )


def moped(draws: Random) -> str:
    """A moped's plate of 2004 to 2009."""
    sign = draws.choice(["-", " "])
    return sign.join([letters(draws, 2), digits(draws, 2), letters(draws, 1)])


def foreign_plate(draws: Random) -> str:
    """A plate of a neighbour, with its dashes or blanks."""
    d, a = digits(draws, 9), letters(draws, 6)
    return draws.choice(
        [f"{d[:4]} {letters(draws, 3, SPANISH)}",
         f"{a[:2]} {d[:3]} {a[2:4]}", f"{a[0]}-{a[1:3]} {d[:4]}",
         f"{a[:2]}{d[:2]} {a[2:5]}", f"1-{a[:3]}-{d[:3]}", f"{a[0]} {d[:3]} {a[1:4]}",
         f"{d[:5]}-119-16", f"{d[:3]} TUN {d[3:7]}", f"{d[:5]}-A-{d[5]}"]
    )  # fmt: skip


def nir(draws: Random) -> str:
    """A social security number, with its key or without."""
    parts = [draws.choice("12"), digits(draws, 2), f"{draws.randrange(1, 13):02d}",
             f"{draws.randrange(1, 96):02d}", digits(draws, 3), digits(draws, 3)]  # fmt: skip
    if draws.random() < 0.5:
        parts.append(f"{97 - int(''.join(parts)) % 97:02d}")
    return draws.choice(["", " "]).join(parts)


def account(draws: Random) -> str:
    """A bank account of a neighbour, with its key."""
    country, length = draws.choice(
        [("FR", 23), ("DE", 18), ("ES", 20), ("BE", 12), ("IT", 23), ("PT", 21), ("LU", 16)]
    )
    number = digits(draws, length)
    key = mod_97_10.calc_check_digits(number + country)
    whole = f"{country}{key}{number}"
    return (
        whole
        if draws.random() < 0.5
        else " ".join(whole[i : i + 4] for i in range(0, 40, 4)).strip()
    )


def card(draws: Random) -> str:
    """A payment card, with its key."""
    number = draws.choice(["4", "51", "55"])
    number += digits(draws, 15 - len(number))
    number += luhn.calc_check_digit(number)
    return draws.choice(["", " ", "-"]).join(number[i : i + 4] for i in range(0, 16, 4))


NUMBERS: dict[str, Callable[[Random], str]] = {
    "téléphone": telephone, "téléphone étranger": telephone_abroad, "plaque": plate,
    "plaque d'avant 2009": old_plate, "cyclomoteur": moped, "plaque étrangère": foreign_plate,
    "NIR": nir, "IBAN": account, "carte bancaire": card,
}  # fmt: skip


# --- Clean values ----------------------------------------------------------------------------


def clean(told: Lists, draws: Random, count: int) -> dict[str, list[str]]:
    """Return values that designate nobody, by kind; a fifth of their words is not taught either."""
    names = told.surely.union(*told.first.values(), *told.family.values())
    words = sorted(w for w in told.words - names if len(w) > 3)
    places = sorted(p for p in told.places - names if len(p) > 3)
    word, place = (lambda: draws.choice(words)), (lambda: draws.choice(places).title())
    kinds: dict[str, Callable[[], str]] = {
        "libellés": lambda: " ".join(word() for _ in range(draws.randrange(1, 5))).capitalize(),
        "libellés en capitales": lambda: (
            f"{word()} {draws.choice(['de', 'sur', 'et'])} {word()}".upper()
        ),
        "énumérations": lambda: (
            ", ".join(word() for _ in range(draws.randrange(2, 4))).capitalize()
        ),
        "lieux": lambda: draws.choice([place(), f"{place()}-sur-{place()}", f"Saint-{place()}"]),
        "voies": lambda: f"{draws.choice(WAYS)} {draws.choice(['de ', 'du ', ''])}{place()}",
        "codes": lambda: f"{letters(draws, draws.choice([2, 3]), CAPITALS)}-20{digits(draws, 2)}-"
        f"{digits(draws, draws.choice([4, 5, 7]))}",
        "zones": lambda: f"132{digits(draws, 4)}",
        "jours": lambda: f"20{draws.randrange(10, 30)}-{draws.randrange(1, 13):02d}-"
        f"{draws.randrange(1, 29):02d}T{draws.randrange(24):02d}:{draws.randrange(60):02d}:00",
        "heures": lambda: f"{draws.randrange(24)}h{draws.randrange(60):02d}",
        "montants": lambda: str(draws.randrange(100_000) / 100).replace(".", draws.choice(".,")),
        "nombres": lambda: str(draws.randrange(1_000_000)),
    }  # fmt: skip
    each = count // len(kinds)
    return {kind: [make() for _ in range(each)] for kind, make in kinds.items()}
