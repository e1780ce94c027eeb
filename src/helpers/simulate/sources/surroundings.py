"""The calendar and what each quarter holds: context, simulated where it is not public knowledge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pyarrow as pa
from vacances_scolaires_france import SchoolHolidayDates

from helpers.simulate.columns import codes, decimals
from helpers.simulate.settings_sources import ZoneContext
from helpers.simulate.shapes import Quarters
from helpers.simulate.streams import Floats, Ints, Moments, stream

YES_NO = ("non", "oui")


def calendrier(days: Moments, matches: Collection[dt.date], timezone: str) -> pa.Table:
    """Return one row a day: public holidays, school holidays of zone B, match days.

    A day is written as the national school calendar does: midnight in Paris, in UTC.
    """
    dates: list[dt.date] = days.astype("datetime64[D]").tolist()
    years = range(dates[0].year - 1, dates[-1].year + 2)
    public = holidays.country_holidays("FR", years=years, language="fr")
    school = SchoolHolidayDates()
    closed = {
        day: school.is_holiday_for_zone(day, "B")
        for day in (dates[0] - dt.timedelta(days=1), *dates)
    }
    midnights = [dt.datetime.combine(d, dt.time(), ZoneInfo(timezone)) for d in dates]
    flags = {
        "ferie": [day in public for day in dates],
        "vacances_zone_b": [closed[day] for day in dates],
        "rentree": [_back_to_school(day, closed) for day in dates],
        "match_om": [day in matches for day in dates],
    }
    told = {name: codes(YES_NO, np.array(flag, dtype=np.int64)) for name, flag in flags.items()}
    stamps = [m.astimezone(dt.UTC).isoformat() for m in midnights]
    return pa.table(
        {
            "date": pa.array(stamps),
            "ferie": told["ferie"],
            "libelle": pa.array([public.get(day) for day in dates], pa.string()),
            **{name: told[name] for name in ("vacances_zone_b", "rentree", "match_om")},
        }
    )


def _back_to_school(day: dt.date, closed: dict[dt.date, bool]) -> bool:
    """Tell whether `day` is the first school day of September (1 to 4)."""
    before = closed.get(day - dt.timedelta(days=1), True)
    return day.month == 9 and day.day <= 4 and before and not closed[day]


def contexte_zone(quarters: Quarters, rules: ZoneContext, built_cells: Ints, seed: int) -> pa.Table:
    """Return one row a quarter; `built_cells` counts its built cells.

    Population follows the built cells and sums to that of the settings; the rest is drawn, without
    any link to the facts: `defaveur_q` is for the audit of equity alone.
    """
    rng = stream(seed, "contexte_zone")
    count = len(quarters.code)
    density = built_cells * np.exp(0.5 * rng.standard_normal(count))
    pop = _shared(density.astype(np.float64), rules.inhabitants)
    hardship = rng.standard_normal(count)
    quintile = np.argsort(np.argsort(hardship, kind="stable"), kind="stable") * 5 // count + 1
    housing = np.rint(pop / 1.9).astype(np.int64)

    def of(per_thousand: float, spread: float = 0.6) -> Ints:
        mean = pop / 1000 * per_thousand * np.exp(spread * rng.standard_normal(count))
        return np.asarray(rng.poisson(mean), dtype=np.int64)

    income: Floats = np.round(21_500 * np.exp(-0.22 * hardship), -1)
    return pa.table(
        {
            "zone_id": pa.array(quarters.code),
            "pop": pop,
            "menages": np.rint(pop / 2.1).astype(np.int64),
            "logements": housing,
            "qpv": codes(YES_NO, ((quintile == 5) & (pop > 3000)).astype(np.int64)),
            "revenu_median": income.astype(np.int64),
            "defaveur_q": quintile,
            "eclairage_pct": decimals(rng.uniform(70, 100, count), 1, ","),
            "commerces_n": of(14),
            "debits_boisson_n": of(1.6),
            "arrets_tc_n": of(1.4, 0.3),
            "ecoles_n": of(0.5, 0.2),
            "surface_km2": decimals(quarters.km2, 3, ","),
            "pop_presente_est": np.rint(pop * rng.uniform(0.7, 1.6, count)).astype(np.int64),
        }
    )


def _shared(weights: Floats, total: int) -> Ints:
    """Return `total` shared out by weight, in whole numbers (largest remainders)."""
    exact = weights / weights.sum() * total
    whole: Ints = np.floor(exact).astype(np.int64)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole
