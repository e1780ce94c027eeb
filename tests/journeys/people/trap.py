"""Texts that are traps: put in every text of a pack and of its deliveries, none must do anything.

`wrong` looks at a page opened in a browser told to ignore the page's own policy: what is tested is
that no markup reaches the page. The policy, a second door, has its own test (test_templates).
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Dialog, Page, Request

from tests.fixtures.browser import browser

RUN = "window.__ran=1"
BAITS = (
    f"<script>{RUN}</script><img src=x onerror={RUN}>",
    f" \"'></text></svg></style></summary></details></td></table><svg onload={RUN}></svg>",
    f"</title><iframe src=javascript:parent.{RUN}></iframe><a href=javascript:{RUN}>lien</a>",
    f"[planté](javascript:{RUN}) ![planté](//piege.invalid/i.png) <//piege.invalid/>",
    f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;b&#62; **planté** _planté_ `planté` ~~planté~~",
    f" | planté | $x$ \u2028\n\n# planté\n\n- planté\n\n<details open ontoggle={RUN}>",
)
LINES = tuple(" ".join(one.split()) for one in BAITS)  # as a pack may write them: on a line
LONGEST = 120  # signs of a title
READ = BAITS[0]  # as a reader sees it
# What is free text in the files of a pack; the other keys name columns, codes, files and zones.
TEXTS = {
    "title", "told_by", "publisher", "licence", "attribution", "purpose", "legal_basis",
    "retention", "caveats", "convention", "how_to_get", "who", "lever", "actor", "more", "caveat",
    "question", "zones", "refused", "label",
}  # fmt: skip
PLANTED = """() => [...document.querySelectorAll("body *, svg *")].filter((e) =>
    e.matches("iframe, object, embed, img:not([src^='data:']), [href^='javascript' i]")
    || (e.matches("script") && e.textContent.includes("__ran") && !e.type)
    || [...e.attributes].some((a) => a.name.startsWith("on"))
    || (e.children.length === 0 && e.textContent.trim() === "planté")
  ).map((e) => e.outerHTML.slice(0, 300))"""


def trapped(value: Any, bait: Iterator[str], key: str = "") -> Any:
    """Return a pack's YAML with a bait after every free text, no longer than a title may be."""
    if key == "agenda":  # it names columns
        return value
    if isinstance(value, dict):
        inside = key if key in ("zones", "refused") else ""
        return {k: trapped(v, bait, inside or str(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [trapped(one, bait, key) for one in value]
    if not isinstance(value, str) or key not in TEXTS:
        return value
    end = " ?" if value.endswith("?") else ""  # a question's title ends so
    return baited(value, next(bait), end)


def baited(text: str, bait: str, end: str = "") -> str:
    """Return a text with a bait after it, within what a title may hold."""
    # A version before a bait (« 2.0<script> ») reads as somebody's number, and is refused.
    head = text[: LONGEST - len(bait) - len(end)].rstrip("0123456789. ")
    return f"{head}{bait}{end}"


def trap(pack: Path) -> None:
    """Put a bait in every text of a pack and of its deliveries of points and zones.

    Titles of the city and of its themes, which every page shows, have the one that is looked for.
    """
    bait = itertools.cycle(LINES)
    for path in sorted(pack.rglob("*.yaml")):
        shown = path.name in ("city.yaml", "themes.yaml")
        told = itertools.repeat(READ) if shown else bait
        text = trapped(yaml.safe_load(path.read_text(encoding="utf-8")), told)
        for one in text.get("published_figures", ()):
            one |= {name: baited(one[name], next(bait)) for name in ("unit", "source")}
        path.write_text(yaml.safe_dump(text, allow_unicode=True, sort_keys=False), "utf-8")
    for path in (pack / "lists").glob("*.csv"):  # the names of zones
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        with path.open("w", encoding="utf-8", newline="") as file:
            named = zip(rows, itertools.cycle(BAITS), strict=False)
            csv.writer(file).writerows([head, *([code, name + b] for (code, name), b in named)])
    column = f"col<img src=x onerror={RUN}>`planté`|planté"  # one that the contract does not name
    for path in (pack / "livraison").glob("faits*.csv"):
        head, _, rest = path.read_text(encoding="utf-8").partition("\n")
        lines = [f"{head};{column}", *(f"{line};x" for line in rest.splitlines())]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


EVENTS = """
source: evenements
title: Événements
kind: context
version: "1"
publisher: Exemple inventé
licence: Licence Ouverte 2.0
attribution: Événements inventés
purpose: dire ce qui a lieu
legal_basis: aucune donnée réelle
retention: le temps de l'essai
file: {format: csv, separator: ";"}
timezone: Europe/Paris
key: [id]
fields:
  id: {type: id, required: true, label: numéro}
  titre: {type: enum, required: true, label: nature de l'événement, list: evenements}
  genre: {type: enum, required: true, label: genre de fermeture, list: genres}
  debut: {type: timestamp, required: true, format: "%Y-%m-%dT%H:%M:%S", label: début}
  fin: {type: timestamp, required: true, format: "%Y-%m-%dT%H:%M:%S", label: fin}
  longitude: {type: longitude, required: true, unit: degrés, minimum: 5, maximum: 6}
  latitude: {type: latitude, required: true, unit: degrés, minimum: 43, maximum: 44}
  taille: {type: int, required: true, minimum: 0, maximum: 1000, label: personnes attendues}
  statut: {type: enum, required: true, values: [tenu], label: statut}
"""


def add_events(pack: Path, day: str) -> None:
    """Add to the model's pack what is on, a question, a milestone and a published figure."""
    (pack / "contracts/evenements.yaml").write_text(EVENTS, encoding="utf-8")
    with (pack / "livraison/evenements.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(yaml.safe_load(EVENTS)["fields"])
        for n, bait in enumerate(BAITS):
            when = (f"{day}T08:00:00", f"{day}T22:00:00", 5.3661 + n / 1000, 43.2945)
            rows.writerow([f"E{n}", f"Fête {bait}", f"genre {bait}", *when, 900 - n, "tenu"])
    for name, what in (("evenements", "Fête"), ("genres", "genre")):
        with (pack / f"lists/{name}.csv").open("w", encoding="utf-8", newline="") as file:
            codes = [[f"{what} {bait}", ""] for bait in BAITS]
            csv.writer(file).writerows([["code", "nom"], *codes])
    path = pack / "city.yaml"
    about = yaml.safe_load(path.read_text(encoding="utf-8"))
    about["sources"]["evenements"] = {"file": "evenements.csv"}
    when_where = {"source": "evenements", "id": "id", "start": "debut", "end": "fin",
                  "longitude": "longitude", "latitude": "latitude"}  # fmt: skip
    about["agenda"] = {
        "events": {**when_where, "kind": "titre", "size": "taille", "status": "statut",
                   "held": ["tenu"]},
        "closures": {**when_where, "kind": "genre", "radius_m": "taille", "event": "id"},
    }  # fmt: skip
    figure = {"name": "habitants", "label": "Habitants", "value": 9, "unit": "h", "source": "s"}
    about["published_figures"] = [figure]
    about["milestones"] = [{"title": "Travaux", "start": "2025-05-01", "sources": ["faits"],
                            "recording": True, "told_by": "service"}]  # fmt: skip
    path.write_text(yaml.safe_dump(about, allow_unicode=True, sort_keys=False), "utf-8")
    path = pack / "themes.yaml"
    themes = yaml.safe_load(path.read_text(encoding="utf-8"))
    themes["questions"] = {"nuit": {
        "title": "Et la nuit ?", "theme": "bruit", "caveat": "peu de faits",
        "actors": [{"who": "Voirie", "lever": "éclairer"}],
    }}  # fmt: skip
    path.write_text(yaml.safe_dump(themes, allow_unicode=True, sort_keys=False), "utf-8")


@contextmanager
def unguarded() -> Iterator[tuple[Page, list[str]]]:
    """Open a page whose own policy is ignored; yield it and what it did wrong so far."""
    did: list[str] = []

    def on_dialog(dialog: Dialog) -> None:
        did.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def on_request(asked: Request) -> None:
        if "piege.invalid" in asked.url or asked.url.endswith("/x"):
            did.append(f"asked: {asked.url}")

    with closing(browser().new_context(bypass_csp=True)) as reader:
        page = reader.new_page()
        page.on("dialog", on_dialog)
        page.on("request", on_request)
        yield page, did


def wrong(page: Page, did: list[str]) -> list[str]:
    """Return what ran, what was asked for, and what stands as an element of the page."""
    ran = ["a script ran"] if page.evaluate("window.__ran !== undefined") else []
    return [*ran, *did, *page.evaluate(PLANTED)]
