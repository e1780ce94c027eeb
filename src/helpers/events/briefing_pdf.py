"""The briefing of an event as PDF: A4, tagged for those who hear it read, fonts within it.

What the page says goes to Typst as data and is set as text: no word of a city is ever its code. The
fonts are Typst's own and no clock is read: the same page gives the same bytes on any machine.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import typst

from helpers.core.base.markup import blocks

TEMPLATE = Path("templates/briefing/fiche.typ")
STANDARD: Literal["ua-1"] = (
    "ua-1"  # PDF/UA-1 (ISO 14289-1): the compiler refuses a document that breaks it
)
# The parts of the page, in order, as templates/briefing/fiche.html calls them; the last are quoted.
PARTS = {
    "shifts": "À quelle heure", "outlook": "Ce qu'on attend", "clashes": "Incompatibilités",
    "measures": "Mesures", "similar": "Les plus semblables", "residents": "Pour les riverains",
    "panel": "Pour les panneaux", "partners": "Pour les partenaires",
}  # fmt: skip
QUOTED = ("residents", "panel", "partners")


def printed(template: bytes, told: Mapping[str, str], day: dt.date, foot: str) -> bytes:
    """Return the PDF of a page (`page_words.page`), made as of `day`; `foot` is on every sheet."""
    data = {
        "title": _flat(told["title"]), "notice": _flat(told["notice"]),
        "day": [day.year, day.month, day.day], "foot": foot, "answer": blocks(told["answer"]),
        "parts": [
            {"title": title, "blocks": blocks(told[name]), "quoted": name in QUOTED}
            for name, title in PARTS.items()
        ],
    }  # fmt: skip
    compiler = typst.Compiler(
        template, ignore_system_fonts=True, sys_inputs={"data": json.dumps(data)}
    )
    made = compiler.compile(format="pdf", pdf_standards=STANDARD)
    assert isinstance(made, bytes)  # one document, no path given
    return made


def _flat(markdown: str) -> str:
    return "".join(_text(one) for one in blocks(markdown))


def _text(block: dict[str, Any]) -> str:
    return "".join(part["text"] for item in block["items"] for part in item)
