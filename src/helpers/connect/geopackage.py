"""GeoPackage and Shapefile, through GDAL (pyogrio): typed columns as text, shapes as WGS 84.

GDAL reads a hundred formats, some of which lead to other files or to the network: what a file is
gets checked before GDAL sees it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from glob import escape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
import pyogrio.errors
from pyogrio.raw import open_arrow

from helpers.connect import bytes as connect_bytes
from helpers.connect.parquet import numbered
from helpers.connect.placing import Placing, placing
from helpers.connect.reading import BATCH_ROWS, Reading
from helpers.connect.typed_text import as_text
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import FileFormat

SQLITE, SHAPEFILE = b"SQLite format 3\0", b"\0\0\x27\x0a"
BESIDE, OPTIONAL = (".shx", ".dbf"), (".prj", ".cpg")
UNREADABLE = (
    pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError,
    pyogrio.errors.FieldError, pyogrio.errors.GeometryError, pyogrio.errors.CRSError,
    pa.ArrowException, UnicodeError, OSError, ValueError,
    UnboundLocalError,  # a defect of pyogrio 0.13, where a .prj is not text
)  # fmt: skip
# What GDAL itself would print of a file quotes its names, and passes by Python's warnings.
pyogrio.set_gdal_config_options({"CPL_LOG": os.devnull})


def read_geopackage(
    layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool
) -> Reading:
    """Open the layer that the contract names, or the only one."""
    if connect_bytes.magic(path) != SQLITE:
        raise _unreadable()
    with _quiet():
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    if layout.layer not in layers and (layout.layer or len(layers) != 1):
        raise PhareError(
            f"couche « {layout.layer} » absente"
            if layout.layer
            else "plusieurs couches, ou aucune",
            f"{redact.FILE}, nombre de couches : {len(layers)}",
            "écrire `layer` sous `file` dans le contrat",
        )
    return _read(layout, path, permitted, shapes, layout.layer or layers[0], None)


def read_shapefile(
    layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool
) -> Reading:
    """Open a shapefile with its .shx and .dbf beside it.

    Texts are in the contract's encoding if it says one, else in the one that .cpg or .dbf says.
    """
    if connect_bytes.magic(path)[:4] != SHAPEFILE:
        raise _unreadable()
    beside = {one.suffix.lower(): one for one in path.parent.glob(f"{escape(path.stem)}.*")}
    for suffix in BESIDE:
        if suffix not in beside:
            raise PhareError(
                f"fichier absent à côté du .shp : {suffix}",
                redact.FILE,
                "livrer ensemble .shp, .shx, .dbf, et .prj",
            )
    for suffix in (*BESIDE, *OPTIONAL):
        if suffix in beside:
            connect_bytes.check(beside[suffix])
    told = layout.encoding if "encoding" in layout.model_fields_set else None
    return _read(layout, path, permitted, shapes, None, told)


def _unreadable(row: int = 0) -> PhareError:
    return PhareError(
        "fichier de formes illisible : tronqué, ou d'un autre format que celui du contrat",
        redact.FILE + (f", après la ligne {row}" if row else ""),
        "le recevoir de nouveau, ou corriger `format` dans le contrat",
    )


@contextmanager
def _quiet(row: int = 0) -> Iterator[None]:
    """Turn what GDAL says, which may quote values, into an error that quotes none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    except UNREADABLE:
        raise _unreadable(row) from None


def _read(
    layout: FileFormat,
    path: Path,
    permitted: Collection[str],
    shapes: bool,
    layer: str | None,
    encoding: str | None,
) -> Reading:
    with _quiet():
        about = pyogrio.read_info(path, layer=layer, encoding=encoding)
    names = [str(name) for name in about["fields"]]
    drawn = about["geometry_type"] is not None
    if shapes and not drawn:
        raise _unreadable()
    where = placing(layout, permitted, shapes, about["crs"]) if drawn else None
    kept = [name for name in names if name in permitted]
    batches = _batches(path, layer, encoding, kept, where)
    return Reading([*names, *(where.points if where else ())], batches)


def _text(column: pa.Array, encoding: str | None) -> pa.Array:
    """Return a column as text; GDAL's Arrow stream gives the bytes of a .dbf as they are."""
    text = as_text(column)
    if (encoding or "UTF-8").upper() == "UTF-8":
        return text
    cells = text.cast(pa.binary()).to_pylist()
    return pa.array(
        [cell and connect_bytes.recoded(cell, encoding or "") for cell in cells], pa.binary()
    )


def _batches(
    path: Path, layer: str | None, encoding: str | None, kept: list[str], where: Placing | None
) -> Iterator[pa.RecordBatch]:
    first = 1
    options: dict[str, Any] = {
        "layer": layer, "encoding": encoding, "columns": kept, "batch_size": BATCH_ROWS,
        "read_geometry": where is not None and where.wanted, "datetime_as_string": True,
        "use_pyarrow": True,
    }  # fmt: skip
    with ExitStack() as opened:
        with _quiet():
            about, reader = opened.enter_context(open_arrow(path, **options))
        drawn = about["geometry_name"] or "wkb_geometry"
        while True:
            with _quiet(first - 1):
                batch = next(reader, None)
                if batch is None:
                    return
                columns = {name: _text(batch[name], about["encoding"]) for name in kept}
            yield numbered(columns, batch, drawn, where, first)
            first += batch.num_rows
