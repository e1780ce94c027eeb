"""Numbers that have a key, or a country's plan: judged by the libraries that keep those rules.

`phonenumbers` (Google's metadata of every country) finds a telephone in a text; `python-stdnum`
holds the keys of a social security number, a bank account, a card, a tax number.
"""

from __future__ import annotations

import re
from functools import cache

from phonenumbers import Leniency, PhoneNumberMatcher
from stdnum import iban, imei, luhn
from stdnum.fr import nif, nir

MANY = re.compile(r"\d(?:[\s.\-/_*|:;]{0,2}[0-9a-z]){8,39}")
DIGITS_LIKE = r"(?:\d[^0-9]{0,3}){8}"  # what may hold a number: eight digits that almost touch
SPAN = re.compile(r"[\s.\-/_*|:;]")
ABROAD = re.compile(r"(?:\+|\b00)\s?\(?[1-9]")
ACCOUNT = re.compile(r"\b[a-z]\s?[a-z]\s?\d\s?\d(?:[\s.\-/_*|;:]{0,2}[0-9a-z]){11,30}(?![0-9a-z])")
# A card as it is written, beside an expiry date or anything else in digits; no decimals.
CARD = re.compile(
    r"(?<![0-9])(?<![0-9][.,])(?:[0-9]{14,19}|[0-9]{4}(?:[\s.\-/_*|;:]{1,2}[0-9]{4}){3}"
    r"|[0-9]{4}[\s.\-/_*|;:]{1,2}[0-9]{6}[\s.\-/_*|;:]{1,2}[0-9]{4,5})(?![0-9])"
)
# Length of a card's number → how it begins (ISO/IEC 7812: Diners, American Express, Visa,
# Mastercard, Maestro).
CARDS = {
    14: re.compile("3(?:0[0-5]|[68])"), 15: re.compile("3[47]"), 16: re.compile("[2-6]"),
    18: re.compile("5[0678]|6[0-9]"), 19: re.compile("4|5[0678]|6[0-9]"),
}  # fmt: skip
HOME = "FR"


@cache
def numbered(folded: str) -> str | None:
    """Return the reason why a folded text holds a person's number, or None."""
    for found in ACCOUNT.finditer(folded):
        if iban.is_valid(SPAN.sub("", found[0]), check_country=False):
            return "compte"
    if any(_is_card(SPAN.sub("", found[0])) for found in CARD.finditer(folded)):
        return "compte"
    for found in MANY.finditer(folded):
        reason = _keyed(SPAN.sub("", found[0]))
        if reason:
            return reason
    if ABROAD.search(folded):
        text = re.sub(r"\b00(?=\s?[1-9])", "+", folded)
        for _ in PhoneNumberMatcher(text, None, leniency=Leniency.POSSIBLE):
            return "telephone"
    return None


def _keyed(run: str) -> str | None:
    """Return what a run of digits is by its key, or None."""
    digits = re.match(r"\d+", run)
    number = digits[0] if digits else ""
    if nir.is_valid(run[:15]):
        return "nir"
    if len(number) in (15, 16) and _is_card(number):
        return "compte"
    if len(number) == 15 and imei.is_valid(number):
        return "identifiant"
    if len(number) == 13 and number[0] in "0123" and nif.is_valid(number):
        return "identifiant"
    return None


def _is_card(number: str) -> bool:
    """Tell whether digits are those of a payment card: beginning, length, key."""
    begins = CARDS.get(len(number))
    return begins is not None and bool(begins.match(number)) and luhn.is_valid(number)
