"""`make datex`: the accepted orders of a city in DATEX II, as the national platform writes them.

What each kind is called there is what the city's contract says of files that come from there.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from helpers.connect import datex_written
from helpers.connect.datex import KINDS, RADIUS, Order, Regulation, Span
from helpers.core.base import aside, commands, store
from helpers.core.base.errors import PhareError
from helpers.core.base.french import number, plural
from helpers.core.base.store import literal, quote
from helpers.core.base.workspace import find_root
from helpers.core.city.about import ClosuresRule
from helpers.core.city.city import City
from helpers.workshop.command_line import Parser
from helpers.workshop.run_city import find_pack


def kinds(city: City, rule: ClosuresRule) -> dict[str, str]:
    """Return code of the city → kind of DATEX II, from the edition whose files are DATEX II."""
    contract = city.contracts[rule.source]
    edition = next((one for one in contract.every_edition() if one.file.format == "datex"), None)
    if edition is None:
        raise PhareError(
            "le contrat des arrêtés ne dit pas comment DATEX II les appelle",
            f"{city.pack.name}/contracts/{rule.source}.yaml",
            "lui donner une édition `datex` (docs/guides/echanger-des-arretes.md)",
        )
    told = edition.values.get(rule.kind, {})
    return {code: kind for kind, code in told.items() if kind in KINDS}


def orders(city: City, rule: ClosuresRule, path: Path) -> tuple[list[Order], dict[str, int]]:
    """Return the accepted orders of the file `path`, in order, and how many of each kind are not.

    A moment is written with the city's offset at that moment.
    """
    known, zone = kinds(city, rule), ZoneInfo(city.about.timezone)
    names = {"id": rule.id, "kind": rule.kind, "start": rule.start, "end": rule.end,
             "east": rule.longitude, "north": rule.latitude, "radius": rule.radius_m}  # fmt: skip
    listed = ", ".join(f"{quote(column)} AS {quote(name)}" for name, column in names.items())
    rows = store.records(
        store.connect(), f"SELECT {listed} FROM read_parquet({literal(path)}) ORDER BY ALL"
    )
    left = Counter(row["kind"] for row in rows if row["kind"] not in known)
    return [_order(row, known, zone) for row in rows if row["kind"] in known], dict(left)


def _order(row: dict[str, Any], known: dict[str, str], zone: ZoneInfo) -> Order:
    start, end = (row[name].replace(tzinfo=zone).isoformat() for name in ("start", "end"))
    span = Span(start, end)
    places: tuple[str, ...] = ()
    if row["east"] is not None and row["north"] is not None:
        point = {"type": "Point", "coordinates": [row["east"], row["north"]]}
        places = (json.dumps({**point, RADIUS: row["radius"] or 0}, separators=(",", ":")),)
    regulation = Regulation(known[row["kind"]], spans=(span,), places=places)
    return Order(row["id"], row["id"], "madeAndImplemented", span, (regulation,))


def export(city: City, root: Path, path: Path) -> str:
    """Write the publication; return what was written, and what was not, in French."""
    rule = city.about.agenda.closures
    if rule is None:
        raise PhareError(
            "la ville n'a pas de source d'arrêtés", f"{city.pack.name}/city.yaml",
            "donner `agenda.closures`",
        )  # fmt: skip
    accepted = root / "data" / city.about.name / "accepted" / f"{rule.source}.parquet"
    if not accepted.is_file():
        raise PhareError(
            "aucun arrêté accepté", f"data/{city.about.name}/accepted",
            f"lancer d'abord `make run CITY={city.about.name}`",
        )  # fmt: skip
    found, left = orders(city, rule, accepted)
    day = city.about.period.end + dt.timedelta(days=1)
    published = dt.datetime.combine(day, dt.time(), ZoneInfo(city.about.timezone)).isoformat()
    name = f"phare-{city.about.name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside.write(path, datex_written.write(found, published, city.about.title, name))
    unsaid = ", ".join(f"{kind} : {number(n)}" for kind, n in sorted(left.items()))
    return f"{plural(len(found), 'arrêté écrit')} : {path}" + (
        f"\nSans équivalent dans DATEX II, laissés ici ({unsaid})." if left else "")  # fmt: skip


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Write the orders of a city; return the command's exit code."""
    parser = Parser(prog="python -m helpers.workshop.datex_export")
    parser.add_argument("city")
    parser.add_argument("--to", type=Path)
    given = parser.parse_args(arguments)
    root = find_root()
    name, pack = find_pack(root, given.city)
    said = export(City(pack), root, given.to or root / "data" / name / "datex" / "arretes.xml")
    print(said)
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
