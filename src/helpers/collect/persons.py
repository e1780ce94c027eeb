"""Texts in which a person may be recognised: number plates, telephones, names, and others.

The second line of the door, on what the contract does not vouch for by itself. A text is first made
plain (plain.py); then come the forms (codes.py), the numbers with a key or a country's plan
(numbers.py), the names (names.py, naming.py). A text in a script that is not ours cannot be judged,
and is told so.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from helpers.collect import names, numbers, plain
from helpers.collect.codes import (
    CODES,
    IN_CAPITALS,
    MAYBE_OLD,
    MOMENT,
    NOT_PLATES,
    OLD_PLATE,
    SPOKEN,
    WORDED_DAY,
)
from helpers.collect.naming import names_somebody

REASONS = (
    "courriel", "compte", "nir", "identifiant", "telephone", "plaque", "matricule", "naissance",
    "numero_de_voie", "designation", "nom", "autre_ecriture", "texte_libre",
)  # fmt: skip
LONGEST = 2_000  # characters looked at: beyond, a text is free text whatever it says
FREE_TEXT = 220  # characters that no label or code reaches
OLD = re.compile(OLD_PLATE)
SPEECH = re.compile(SPOKEN)
# What may name somebody: a word of four letters, an initial, two words that are not both letters.
WORDED = r"[A-Za-z]{4}|[A-Z]\.|[A-Za-z]{2}[^A-Za-z]+[A-Za-z]|[A-Za-z][^A-Za-z]+[A-Za-z]{2}"


def screen(values: pa.Array | pa.ChunkedArray, known: names.Known | None = None) -> pa.Array:
    """Return, for each text (n,), the reason code of the first detector that recognises it.

    Null where nobody is recognised, and where the value is null. `known` judges the names, in the
    place of the project's lists. Never raises on a text.
    """
    texts = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    made = plain.plain(pc.utf8_slice_codeunits(texts, 0, LONGEST))
    bare = plain.bare(made)
    found = _by_form(bare)
    _mark(found, "autre_ecriture", plain.matches(bare, plain.OTHER_SCRIPT))
    _mark(found, "texte_libre", plain.true(pc.greater(pc.utf8_length(texts), FREE_TEXT)))
    _name(found, bare, known)
    rows, read = plain.readings(bare, found == np.array(None))
    if rows:
        others = pa.array(read, pa.string())
        told = _by_form(others)
        _name(told, others, known)
        for row, reason in zip(rows, told, strict=True):
            if reason and found[row] is None:
                found[row] = reason
    return pa.array(found, pa.string())


def _by_form(bare: pa.Array) -> npt.NDArray[np.object_]:
    """Return the reason that a form tells of, for each text, or None."""
    whole = pc.utf8_lower(bare)
    folded = pc.replace_substring_regex(whole, MOMENT, r" \1")
    found = np.full(len(bare), None, dtype=object)
    digits = plain.matches(folded, r"\d")
    for reason, pattern in CODES.items():
        # The day that somebody was born is a moment, and tells of a person.
        _mark(found, reason, plain.matches(whole if reason == "naissance" else folded, pattern))
        if reason == "plaque":
            _mark(found, reason, _old_plates(folded))
            _mark(found, reason, digits & plain.matches(bare, IN_CAPITALS))
    maybe = digits & plain.matches(folded, numbers.DIGITS_LIKE) & (found == np.array(None))
    for i in np.flatnonzero(maybe):
        found[i] = numbers.numbered(folded[i].as_py())
    return found


def _name(found: npt.NDArray[np.object_], bare: pa.Array, known: names.Known | None) -> None:
    """Write the reasons of texts in words that name somebody, or say too much."""
    bare = pc.replace_substring_regex(bare, f"(?i){WORDED_DAY}", " ")
    worded = np.flatnonzero(plain.matches(bare, WORDED) & (found == np.array(None)))
    if len(worded) and known is None:
        known = names.known()
    for i in worded:
        text = bare[i].as_py()
        if known is not None and names_somebody(text, known):
            found[i] = "nom"
        elif _says_too_much(text.lower()):
            found[i] = "texte_libre"


def _says_too_much(folded: str) -> bool:
    told = len(SPEECH.findall(folded))
    length = len(folded)
    return told >= 3 or (told >= 2 and length > 60) or (told >= 1 and length > 120)


def _mark(found: npt.NDArray[np.object_], reason: str, mask: npt.NDArray[np.bool_]) -> None:
    found[mask & (found == np.array(None))] = reason


def _old_plates(folded: pa.Array) -> npt.NDArray[np.bool_]:
    """Return which texts hold a plate of before 2009: looked at one by one, where it may be."""
    found = plain.matches(folded, MAYBE_OLD)
    for i in np.flatnonzero(found):
        plates = OLD.finditer(folded[i].as_py())
        found[i] = any(plate[1] not in NOT_PLATES for plate in plates)
    return found
