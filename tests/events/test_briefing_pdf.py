"""The briefing as PDF, read by another library: same bytes, A4, fonts within, tagged, in French."""

from __future__ import annotations

import datetime as dt
import io
import os
import subprocess
import sys

import pypdf

from helpers.core.base.markup import blocks, plain
from helpers.events import briefing_pdf
from tests.fixtures.real import ROOT

FOREIGN = "#emph[x] $y$ *z* _w_ <b> \\ // @a «\u00a040\u202f000\u00a0» œuvre Nguyễn"
TOLD = {
    "title": f"Événement sportif, {plain(FOREIGN)}, samedi 10 janvier 2026 à 21\u00a0h",
    "notice": "Marseille : données simulées.",
    "answer": "40\u202f000 personnes attendues. 14 à 16\u00a0agents ; **il manque au moins 2**.",
    "shifts": "- Soirée : 2 à 3\u00a0agents.\n- Nuit : 1\u00a0agent ; **il en manque 1**.",
    "outlook": "3 à 9\u00a0faits autour de l'événement.", "clashes": "Aucune.",
    "measures": "7 sur 8 prises.\n\n- barrières : **en retard**, à faire.",
    "similar": "\n".join(f"- {n} janvier 2025, {n}\u00a0personnes." for n in range(1, 40)),
    "residents": "Montage dès 19\u00a0h.", "panel": plain(FOREIGN),
    "partners": "Attendus : Voirie.", "footer": "",
}  # fmt: skip
DAY = dt.date(2025, 12, 31)
TEMPLATE = (ROOT / briefing_pdf.TEMPLATE).read_bytes()


def made() -> bytes:
    return briefing_pdf.printed(TEMPLATE, TOLD, DAY, "Marseille, étape events")


def test_the_same_bytes_whatever_the_clock_the_zone_and_the_language() -> None:
    here = made()
    assert here == made()
    code = (
        "import sys; from tests.events.test_briefing_pdf import made; "
        "sys.stdout.buffer.write(made())"
    )
    other = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1", "HOME": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **other},
        capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == here


def test_another_library_reads_a4_fonts_within_tags_and_language() -> None:
    read = pypdf.PdfReader(io.BytesIO(made()))
    root = read.trailer["/Root"]
    assert root["/Lang"] == "fr-FR"
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712  a boolean of pypdf's own
    assert root["/StructTreeRoot"]
    assert read.xmp_metadata is not None
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert read.metadata is not None
    assert str(read.metadata.title).startswith("Événement sportif")
    assert len(read.pages) == 2
    for page in read.pages:
        width, height = (float(one) / 72 * 25.4 for one in page.mediabox[2:])
        assert (round(width), round(height)) == (210, 297)
        for font in page["/Resources"]["/Font"].values():
            (under,) = font["/DescendantFonts"]
            held = under.get_object()["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(held), held


def test_all_is_said_and_a_foreign_word_is_only_a_word() -> None:
    read = pypdf.PdfReader(io.BytesIO(made()))
    text = " ".join(" ".join(page.extract_text() for page in read.pages).split())
    for title in briefing_pdf.PARTS.values():
        assert title in text
    shown = "#emph[x] $y$ *z* _w_ <b> \\ // @a"
    assert text.count(shown) == 2, "in the title and on the panel, as written"
    assert "œuvre" in text
    assert "39 janvier 2025" in text
    assert text.endswith("2 / 2") or "2 / 2" in text


def test_paragraphs_lists_and_what_is_strong() -> None:
    assert blocks("un **deux**\n\n- a `b`\n- c\n") == [
        {"list": False, "items": [[{"text": "un ", "strong": False},
                                   {"text": "deux", "strong": True}]]},
        {"list": True, "items": [[{"text": "a ", "strong": False}, {"text": "b", "strong": False}],
                                 [{"text": "c", "strong": False}]]},
    ]  # fmt: skip
    assert blocks("") == []
    (one,) = blocks(plain("<b>*x*</b> & $y"))
    assert "".join(part["text"] for part in one["items"][0]) == "<b>*x*</b> & $y"
