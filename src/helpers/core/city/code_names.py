"""How readers see a code of a source: by its word, or by a number where it is in no list."""

from __future__ import annotations

from helpers.core.city.contract_sql import OFF

OTHERS = "(unlisted)"  # values of no list seen too seldom to be codes, all together


def off_list(name: str) -> bool:
    """Tell whether a code is in no list of its contract: its rows were set aside at the door."""
    return name.startswith(OFF) or name == OTHERS


def spoken_code(name: str) -> str:
    """Return the code as it is said; of one off the list its number: its word is never written."""
    if name == OTHERS:
        return "« (autres valeurs hors liste) »"
    return f"un code nouveau n° {name.removeprefix(OFF)}" if off_list(name) else f"« {name} »"


def renaming(code: str, other: str) -> str:
    """Return that a code seems to have become another: counts tell it, nobody has said so."""
    return f"{spoken_code(code)} serait devenu {spoken_code(other)}"
