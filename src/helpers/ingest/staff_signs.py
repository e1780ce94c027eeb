"""Signs that numbers of staff are shifted, missing, copied or broken: named, never mended.

The bridge between two years is a population told twice: row y says that of the year after, row
y + 1 says its own. Where they agree, both rows are of the years that they say.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from helpers.core.city.contract import Contract
from helpers.core.city.staff_codes import (
    BRIDGE_BROKEN,
    BRIDGE_COPIED,
    BRIDGE_MISSING,
    COLUMN_SHIFTED,
    COLUMN_YEAR,
    CONSTANT,
    COPIED,
    GRADES,
    JUMP,
    MERGED,
    MISSING,
    NO_OVERLAP,
    NO_POPULATION,
    PARTIAL,
    PLACEHOLDER,
    POOLED,
    REFUSED,
    SET_ASIDE,
    SWAPPED,
    UNTOLD,
    YEAR_SHIFTED,
)
from helpers.core.city.staff_rules import StaffRules
from helpers.ingest.knobs import Knobs
from helpers.ingest.staff import Held, Row, Series

# Two series are one, shifted, if all that can be compared is equal: so many years, so many values.
SHIFT_YEARS, SHIFT_VALUES = 4, 3
NINES = re.compile("9{3,}")  # 999, 9999…: what a form is filled in with where nothing is known
CONSTANT_YEARS = 4  # told, all of one number: fewer are common
YEAR = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")


@dataclass(frozen=True)
class Sign:
    """One sign. It touches the `years` of `commune` and `kinds`: of all, where it names none.

    `first` and `last`: the years that it is told of; `before` and `after`: the numbers told.
    `names`: other kinds, fields, or files; `lines` of the first of these files.
    """

    code: str
    commune: str = ""
    kinds: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    first: int = 0
    last: int = 0
    before: float | None = None
    after: float | None = None
    names: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()


def find(held: Held, rules: StaffRules, contract: Contract, knobs: Knobs) -> list[Sign]:
    """Return the signs of the rows in use, and of those left out, in no order."""
    found = [
        *_rows(held),
        *_untold(held, rules),
        *_columns(held, rules, contract),
    ]
    for commune, series in held.rows.items():
        found += [
            *_bridges(commune, series, rules), *_jumps(commune, series, rules, knobs),
            *_marks(commune, series, knobs), *_shifted_columns(commune, series, rules),
            *_filled_in(commune, series, rules, knobs),
        ]  # fmt: skip
    return found


def ordered(found: Iterable[Sign]) -> list[Sign]:
    """Return the signs in the order of GRADES, then of communes, kinds and years."""
    order = list(GRADES)
    return sorted(
        found, key=lambda one: (order.index(one.code), one.commune, one.kinds, one.first, one.last)
    )


def _rows(held: Held) -> Iterator[Sign]:
    """Yield the keys refused, the rows set aside, the years without a row."""
    files = [name for name, _ in held.editions]
    for (commune, year), rows in held.refused.items():
        fields = sorted({name for one in rows[1:] for name in rows[0].differs(one)})
        yield Sign(
            REFUSED, commune, (), (year,), year, year, lines=tuple(one.line for one in rows),
            names=(files[rows[0].delivery - 1], *fields),
        )  # fmt: skip
    for row, reason in held.aside:
        # A sound row of another edition may stand for it: that one is not touched.
        touched = () if row.year in held.rows.get(row.commune, {}) else (row.year,)
        yield Sign(SET_ASIDE, row.commune, (), touched, row.year, row.year,
                   names=(files[row.delivery - 1], reason), lines=(row.line,))  # fmt: skip
    told = {*held.refused, *((row.commune, row.year) for row, _ in held.aside)}
    for commune in sorted({*held.rows, *(commune for commune, _ in told if commune)}):
        series = held.rows.get(commune, {})
        absent = [y for y in held.years if y not in series and (commune, y) not in told]
        for years in runs(absent):
            yield Sign(MISSING, commune, (), years, years[0], years[-1])


def runs(years: Iterable[int]) -> list[tuple[int, ...]]:
    """Return the years, in order, cut where one does not follow the one before."""
    found: list[tuple[int, ...]] = []
    for year in years:
        if found and found[-1][-1] == year - 1:
            found[-1] = (*found[-1], year)
        else:
            found.append((year,))
    return found


def spans(held: Held, rules: StaffRules) -> dict[str, range]:
    """Return, of each kind, the years from the first to the last in which any commune has it."""
    found = {}
    for kind in rules.counts:
        years = [row.year for one in held.rows.values() for row in one.values()
                 if row.counts[kind] is not None]  # fmt: skip
        found[kind] = range(min(years), max(years) + 1) if years else range(0)
    return found


def _untold(held: Held, rules: StaffRules) -> Iterator[Sign]:
    """Yield the numbers that a row does not tell, in years when the kind is told elsewhere."""
    for kind, span in spans(held, rules).items():
        for commune, series in held.rows.items():
            blank = [y for y in span if y in series and series[y].counts[kind] is None]
            for years in runs(blank):
                yield Sign(UNTOLD, commune, (kind,), years, years[0], years[-1])


def _columns(held: Held, rules: StaffRules, contract: Contract) -> Iterator[Sign]:
    """Yield what the years in which each field is known tell of its name and of its neighbours."""
    rows = [row for series in held.rows.values() for row in series.values()]
    known = {name: sorted({row.year for row in rows if row.counts[name] is not None})
             for name in rules.counts}  # fmt: skip
    if rules.pooled:
        known[rules.pooled] = sorted({row.year for row in rows if row.pooled is not None})
    linked = {name for kind, one in rules.counts.items() if one.follows
              for name in (kind, one.follows)}  # fmt: skip
    for name, years in known.items():
        if years and name not in linked and (years[0], years[-1]) != _ends(held.years):
            yield Sign(PARTIAL, "", (name,), (), years[0], years[-1])
    for name, count in rules.counts.items():
        years, older = known[name], known.get(count.follows, [])
        if years and older and not set(years) & set(older):
            yield Sign(NO_OVERLAP, "", (name,), (), older[-1], years[0], names=(count.follows,))
        said = {int(year) for year in YEAR.findall(contract.fields[name].column)}
        if len(said) == 1 and years and not said & set(years):
            yield Sign(COLUMN_YEAR, "", (name,), tuple(years), years[0], years[-1],
                       names=(str(min(said)),))  # fmt: skip
    if not rules.next_population:
        yield Sign(NO_POPULATION, "", (), tuple(held.years))


def _ends(years: range) -> tuple[int, int]:
    return years[0], years[-1]


def _bridges(commune: str, series: Series, rules: StaffRules) -> Iterator[Sign]:
    """Yield the bridges between years of a commune that are broken, missing, or say nothing."""
    if not rules.next_population:
        return
    for year, row in series.items():
        if row.following is not None and row.following == row.population:
            yield Sign(BRIDGE_COPIED, commune, (), (year,), year, year + 1, before=row.population)
    if len(series) == 1:
        only = next(iter(series))
        yield Sign(BRIDGE_MISSING, commune, (), (only,), only, only)
    for year, later in itertools.pairwise(series):
        yield from _bridge(commune, series, series[year], series[later])


def _bridge(commune: str, series: Series, row: Row, after: Row) -> Iterator[Sign]:
    told, own, later = row.following, row.population, after.population
    ends = (row.year, after.year)
    at = {"first": row.year, "last": after.year, "before": told, "after": later}
    gap = after.year > row.year + 1
    if told is None or later is None or (gap and told != later):
        yield Sign(BRIDGE_MISSING, commune, (), ends, **at)  # type: ignore[arg-type]
    elif gap or (told != later and later == own):
        # The population goes on over a gap, or stays where it should go on: so do the years.
        yield Sign(YEAR_SHIFTED, commune, (), tuple(series), **at)  # type: ignore[arg-type]
    elif told != later:
        yield Sign(BRIDGE_BROKEN, commune, (), ends, **at)  # type: ignore[arg-type]


def far(before: float, after: float, knobs: Knobs) -> bool:
    """Tell whether a number jumps to another: by the ratio of `staff_jump`, and by enough."""
    low, high = sorted((before, after))
    return high - low >= knobs.staff_minimum and high >= knobs.staff_jump * low


def _jumps(commune: str, series: Series, rules: StaffRules, knobs: Knobs) -> Iterator[Sign]:
    """Yield the jumps of each kind from a year to the next, and pairs that look interchanged."""
    interchanged = 0
    for year, row in series.items():
        if (before := series.get(year - 1)) is None:
            continue
        pairs = {
            kind: (old, new)
            for kind in rules.counts
            if (old := before.counts[kind]) is not None and (new := row.counts[kind]) is not None
        }
        jumped = [kind for kind, (old, new) in pairs.items() if far(old, new, knobs)]
        for kind in jumped:
            old, new = pairs[kind]
            yield Sign(JUMP, commune, (kind,), (year - 1, year), year - 1, year, old, new)
        if interchanged == year - 1:
            continue  # what comes back does not interchange again
        for one, other in itertools.combinations(jumped, 2):
            (old, new), (old_other, new_other) = pairs[one], pairs[other]
            if not (far(old, new_other, knobs) or far(old_other, new, knobs)):
                interchanged = year
                yield Sign(SWAPPED, commune, (one, other), (year,), year, year, new, new_other)


def _filled_in(commune: str, series: Series, rules: StaffRules, knobs: Knobs) -> Iterator[Sign]:
    """Yield numbers that may stand for none: nines alone, or one number in every year told."""
    for kind in rules.counts:
        told = {year: n for year, n in of_kind(series, kind).items() if n is not None}
        nines = [year for year, n in told.items() if NINES.fullmatch(f"{n:.0f}")]
        if nines:
            yield Sign(PLACEHOLDER, commune, (kind,), tuple(nines), nines[0], nines[-1],
                       after=told[nines[0]])  # fmt: skip
        same = len(set(told.values())) == 1 and len(told) >= CONSTANT_YEARS
        if same and min(told.values()) >= knobs.staff_minimum:
            yield Sign(CONSTANT, commune, (kind,), tuple(told), min(told), max(told),
                       after=min(told.values()))  # fmt: skip


def _marks(commune: str, series: Series, knobs: Knobs) -> Iterator[Sign]:
    """Yield the years that say just what the year before said, and those that are marked."""
    for year, row in series.items():
        before = series.get(year - 1)
        if before is not None:
            both = {
                kind: n
                for kind, n in row.counts.items()
                if n is not None and before.counts[kind] is not None
            }
            total = sum(both.values())
            if total >= knobs.staff_minimum and not set(row.differs(before)) & set(both):
                yield Sign(COPIED, commune, (), (year,), year - 1, year, after=total)
        if row.merged:
            yield Sign(MERGED, commune, (), (year,), year, year)
        if row.pooled:
            yield Sign(POOLED, commune, (), (year,), year, year)


def shifted(older: Mapping[int, float | None], newer: Mapping[int, float | None]) -> int:
    """Return by how many years (−1, 1) `newer` says what `older` says; 0 where it does not.

    All that can be compared is equal, over SHIFT_YEARS at least and SHIFT_VALUES, and it is not so
    without a shift.
    """
    for step in (1, -1):
        pairs = _compared(older, newer, step)
        enough = len(pairs) >= SHIFT_YEARS and len({old for old, _ in pairs}) >= SHIFT_VALUES
        straight = _compared(older, newer, 0)
        if enough and all(a == b for a, b in pairs) and not all(a == b for a, b in straight):
            return step
    return 0


def _compared(
    older: Mapping[int, float | None], newer: Mapping[int, float | None], step: int
) -> list[tuple[float, float]]:
    return [
        (old, new)
        for year, old in older.items()
        if old is not None and (new := newer.get(year + step)) is not None
    ]


def of_kind(series: Series, kind: str) -> dict[int, float | None]:
    """Return year → number of a kind."""
    return {year: row.counts[kind] for year, row in series.items()}


def _shifted_columns(commune: str, series: Series, rules: StaffRules) -> Iterator[Sign]:
    """Yield the kinds that say, a year later or earlier, what another kind says."""
    for one, other in itertools.combinations(rules.counts, 2):
        step = shifted(of_kind(series, one), of_kind(series, other))
        if step:
            yield Sign(COLUMN_SHIFTED, commune, (one, other), tuple(series), after=step)
