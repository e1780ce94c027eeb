"""The delivered files, each in its vendor's form, under the names that city.yaml gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from helpers.core.city.city import City
from helpers.simulate.records import tell
from helpers.simulate.sources.files import Csv, Form, Json, JsonLines, Parquet, Workbook
from helpers.simulate.sources.lines import nested
from helpers.simulate.sources.telling import Piece
from helpers.simulate.world import build_world

FORMS: dict[str, Form] = {
    "main_courante": Csv(),
    "pve": Csv(encoding="cp1252"),
    "signalement": Json(),
    "intervention": JsonLines(),
    "fourriere": Csv("\t", "iso-8859-15"),
    "vsi_alerte_agregee": Parquet(),
    "evenement": Json("evenements"),
    "action": Csv(","),
    "moyen": Workbook("Moyens"),
    "vacation": Csv(),
    "camera": Csv(),
    "meteo": Csv(","),
    "calendrier": Csv(),
    "contexte_zone": Csv(),
    "ssmsi_commune": Csv(),
    "partenaire_agrege": Csv(),
    "enquete_tranquillite": Csv(),
    "comptage_site": Csv(","),
    "comptage_channel": Csv(","),
    "comptage_measure": Csv(","),
}
WAITING = 4  # files at most between what is drawn and what is written


def deliver(pack: Path, folder: Path) -> None:
    """Write the files of the pack's simulated city into `folder`, as vendors would.

    A source that city.yaml names by a pattern (`pve_*.csv`) comes in several files, whose names
    sort in the order of delivery. They hold columns that the contracts refuse, and defects. Same
    pack, same bytes. Raises `PhareError` where the pack is wrong.
    """
    world = build_world(pack)
    folder.mkdir(parents=True, exist_ok=True)
    with _writing() as write:
        for piece in tell(world):
            path = folder / file_name(world.city, piece)
            write(partial(_write, piece, path))


def file_name(city: City, piece: Piece) -> str:
    """Return the name of a piece's file: that of city.yaml, its `*` replaced by the part."""
    return city.about.sources[piece.source].file.replace("*", piece.part)


def _write(piece: Piece, path: Path) -> None:
    if piece.draw is not None:
        piece.draw(path)
        return
    form = FORMS[piece.source]
    shaped = isinstance(form, Json | JsonLines)
    form.write(nested(piece.table) if shaped else piece.table, path)


@contextmanager
def _writing() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Give a function that writes behind one's back, in order; raise what a write raised."""
    with ThreadPoolExecutor(1) as thread:
        pending: list[Future[None]] = []

        def write(work: Callable[[], None]) -> None:
            pending.append(thread.submit(work))
            while len(pending) > WAITING:
                pending.pop(0).result()

        yield write
        for future in pending:
            future.result()
