"""A division checked as a whole: each zone an area, in one piece, over no other zone.

Nothing is set right in silence: what is mended or united is told, what cannot be is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Proj

from helpers.core.base.errors import PhareError
from helpers.core.base.french import number, plural
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE
from helpers.core.city.remark import MENDED, SLIVERS, UNITED, Remark
from helpers.core.place_time.territory import in_metres

Shapes = NDArray[np.object_]
# Two outlines of one limit, drawn apart, overlap in slivers: narrower than the grid to which the
# door moves every place, they decide of no count. Wider somewhere, they are two zones at once.
SLIVER_M = 10.0
MENDED_SHARE = 0.01  # of its area: a mended outline that gains or loses more is another zone
STRETCHED_SHARE = 0.05  # a surface that a reference system makes larger or smaller by more
NAMED = 5  # zones named in a message
POLYGON, MULTIPOLYGON, COLLECTION = 3, 6, 7
RESERVED = (OUTSIDE, NO_PLACE, WHOLE)


@dataclass
class Partition:
    """Zones in order of code, their `shapes` in metres; `told`: what was done."""

    codes: list[str]
    shapes: Shapes
    told: list[Remark] = field(default_factory=list)


def partition(codes: Sequence[str | None], wkb: Sequence[bytes], crs: str, here: str) -> Partition:
    """Return the zones whose rows are given: code and WGS 84 shape (WKB) of each, (n,).

    Rows of one code are parts of one zone: they are united. PhareError, at `here`, where the rows
    do not make a division: none at all, no code, points or lines, outlines that cannot be mended,
    off the area of `crs`, zones over one another by more than SLIVER_M.
    """
    if not codes:
        raise PhareError("aucune zone acceptée", here, "vérifier le fichier livré et son contrat")
    known = _codes(codes, here)
    degrees = _areas(known, shapely.from_wkb(np.asarray(wkb, dtype=object)), here)
    _check_place(degrees, crs, here)
    shapes, told = _mended(known, degrees, crs, here)
    found = _united(known, shapes)
    found.told = [*told, *found.told, *_check_overlaps(found, here)]
    return found


def listed(codes: Sequence[str], beside: Sequence[str] = ()) -> str:
    """Return the codes, the first NAMED of them, as a sentence has them; `beside` each, more."""
    more = f" et {plural(len(codes) - NAMED, 'autre')}" if len(codes) > NAMED else ""
    said = beside or [""] * len(codes)
    told = [f"« {code} »{one}" for code, one in zip(codes, said, strict=True)]
    return ", ".join(told[:NAMED]) + more


def check_reserved(codes: Sequence[str], here: str) -> None:
    """Raise PhareError where a code is one by which Phare says that a fact has no zone."""
    taken = sorted(set(codes) & set(RESERVED))
    if taken:
        raise PhareError(
            f"code de zone réservé : {listed(taken)}", here, "donner un autre code à cette zone"
        )


def _codes(codes: Sequence[str | None], here: str) -> list[str]:
    known = [code for code in codes if code]
    if len(known) < len(codes):
        raise PhareError(
            f"{plural(len(codes) - len(known), 'ligne')} sans code de zone",
            here,
            "donner un code à chaque zone, ou en écrire un autre sous `code` dans city.yaml",
        )
    check_reserved(known, here)
    return known


def _areas(codes: list[str], shapes: Shapes, here: str) -> Shapes:
    """Return the shapes, each a polygon or several; PhareError where one is something else."""
    kinds = shapely.get_type_id(shapes)
    for i in np.flatnonzero(kinds == COLLECTION):
        parts = shapely.get_parts(shapes[i])
        if len(parts) and np.isin(shapely.get_type_id(parts), (POLYGON, MULTIPOLYGON)).all():
            shapes[i] = shapely.union_all(parts)
    kinds = shapely.get_type_id(shapes)
    wrong = ~np.isin(kinds, (POLYGON, MULTIPOLYGON)) | ~np.isfinite(shapely.bounds(shapes)).all(1)
    if wrong.any():
        raise PhareError(
            "des points ou des lignes au lieu de surfaces : "
            + listed(sorted({code for code, bad in zip(codes, wrong, strict=True) if bad})),
            here,
            "demander le fichier des contours des zones (des polygones)",
        )
    return shapes


def _check_place(degrees: Shapes, crs: str, here: str) -> None:
    """Raise PhareError where the middle of the zones is off the area that the system is made for.

    A layer whose longitudes and latitudes are interchanged lies on another continent.
    """
    area = _area_of_use(crs)
    if area is None:
        return
    west, south, east, north = shapely.total_bounds(degrees)
    x, y = (west + east) / 2, (south + north) / 2
    if _within(area, x, y):
        _check_scale(crs, x, y, here)
        return
    hint = "longitude et latitude sont interverties" if _within(area, y, x) else "autre territoire"
    raise PhareError(
        f"les zones sont hors du domaine de {crs}, autour de {number(x, 1)}° E "
        f"{number(y, 1)}° N : {hint} ?",
        here,
        "corriger le fichier, son système de coordonnées, ou `crs` dans city.yaml",
    )


def _area_of_use(crs: str) -> tuple[float, float, float, float] | None:
    """Return the area (west, south, east, north, degrees) that a reference system is made for."""
    area = CRS.from_user_input(crs).area_of_use
    return None if area is None else (area.west, area.south, area.east, area.north)


def _check_scale(crs: str, x: float, y: float, here: str) -> None:
    """Raise PhareError where a metre of the system is not one where the zones are."""
    stretch = abs(Proj(crs).get_factors(x, y).areal_scale)
    if abs(stretch - 1) > STRETCHED_SHARE:
        raise PhareError(
            f"les mètres de {crs} n'en sont pas ici : une surface y paraît "
            f"{number(stretch, 2)} fois la sienne",
            here,
            "changer `crs` dans city.yaml : EPSG:3035 en Europe, une zone UTM ailleurs",
        )


def _within(area: tuple[float, float, float, float], x: float, y: float) -> bool:
    west, south, east, north = area
    across = west <= x <= east if west <= east else (x >= west or x <= east)
    return across and south <= y <= north


def _mended(codes: list[str], degrees: Shapes, crs: str, here: str) -> tuple[Shapes, list[Remark]]:
    """Return the shapes made valid, in metres, and a remark on each that was not, with areas.

    Both as delivered and as projected: straight edges that cross may bend apart, and the reverse.
    """
    shapes = in_metres(degrees, crs)
    broken = np.flatnonzero(~shapely.is_valid(degrees) | ~shapely.is_valid(shapes))
    if not len(broken):
        return shapes, []
    before = shapely.area(shapes[broken])
    mended = _valid(in_metres(_valid(degrees[broken]), crs))
    after = shapely.area(mended)
    told = [
        Remark(MENDED, names=(codes[i],), sizes=(float(a), float(b)))
        for i, a, b in zip(broken, before, after, strict=True)
    ]
    far = (after <= 0) | (np.abs(after - before) > MENDED_SHARE * before)
    if far.any():
        raise PhareError(
            "contour qui se recoupe, et que l'on ne peut pas réparer sans changer la zone : "
            + " ; ".join(
                f"« {codes[i]} » ({_km2(a)} km² avant, {_km2(b)} km² après)"
                for i, a, b in list(zip(broken[far], before[far], after[far], strict=True))[:NAMED]
            ),
            here,
            "corriger ces contours à la source (outil « réparer les géométries » d'un SIG)",
        )
    shapes = shapes.copy()
    shapes[broken] = mended
    return shapes, told


def _valid(shapes: Shapes) -> Shapes:
    """Return the shapes made valid: what is drawn twice is there once, what is flat is not."""
    made: Shapes = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    return made


def _km2(square_metres: float) -> str:
    return number(square_metres / 1e6, 4)


def _united(codes: list[str], shapes: Shapes) -> Partition:
    """Return one shape a code, in order of code, and a remark on those of several rows."""
    rows = Counter(codes)
    several = sorted(code for code, n in rows.items() if n > 1)
    names = sorted(rows)
    of_row = np.asarray(codes, dtype=object)
    first = {code: i for i, code in reversed(list(enumerate(codes)))}
    united = np.array([None] * len(names), dtype=object)
    for i, code in enumerate(names):
        alone = rows[code] == 1
        united[i] = shapes[first[code]] if alone else shapely.union_all(shapes[of_row == code])
    sizes = tuple(float(rows[code]) for code in several)
    told = [Remark(UNITED, names=tuple(several), sizes=sizes)] if several else []
    return Partition(names, united, told)


def _check_overlaps(found: Partition, here: str) -> list[Remark]:
    """Raise PhareError where two zones overlap; return a remark on the slivers, if any."""
    shapes = found.shapes
    shapely.prepare(shapes)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pair = left < right
    left, right = left[pair], right[pair]
    pair = ~shapely.touches(shapes[left], shapes[right])
    left, right = left[pair], right[pair]
    common = shapely.intersection(shapes[left], shapes[right])
    areas = shapely.area(common)
    smallest = np.minimum(shapely.area(shapes[left]), shapely.area(shapes[right]))
    wide = ~shapely.is_empty(shapely.buffer(common, -SLIVER_M / 2)) | (areas > smallest / 2)
    if wide.any():
        raise _overlapping(
            found, list(zip(left[wide], right[wide], areas[wide], strict=True)), here
        )
    slivers = int(np.count_nonzero(areas >= 1))
    return [Remark(SLIVERS, n=slivers)] if slivers else []


def _overlapping(found: Partition, pairs: list[tuple[Any, Any, float]], here: str) -> PhareError:
    """Return the error of zones over one another: the largest overlaps, and who holds others."""
    sizes = shapely.area(found.shapes)
    held: Counter[str] = Counter()
    for a, b, area in pairs:
        for whole, part in ((a, b), (b, a)):
            if sizes[whole] > sizes[part] and area > 0.99 * sizes[part]:
                held[found.codes[whole]] += 1
    worst = sorted(pairs, key=lambda one: (-one[2], one[0], one[1]))[:NAMED]
    shown = [
        f"« {found.codes[a]} » et « {found.codes[b]} » ({_km2(area)} km²)" for a, b, area in worst
    ]
    more = f" ; {plural(len(pairs), 'paire')} en tout" if len(pairs) > NAMED else ""
    parents = sorted(held)
    todo = "corriger leurs contours : un fait n'est que dans une zone"
    if parents:
        todo = f"une couche, un niveau : ôter {listed(parents)}, qui en contient d'autres"
    return PhareError(f"des zones se recouvrent : {', '.join(shown)}{more}", here, todo)
