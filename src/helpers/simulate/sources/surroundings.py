"""The calendar and what each quarter holds: context, simulated where it is not public knowledge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pyarrow as pa
from vacances_scolaires_france import SchoolHolidayDates

from helpers.simulate.columns import codes, decimals
from helpers.simulate.settings_sources import ZoneContext
from helpers.simulate.streams import Floats, Ints, Moments, stream
from helpers.simulate.territory import Quarters

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


@dataclass(frozen=True)
class Held:
    """What quarters hold, in their order; `features` bears the names of the delivered columns."""

    inhabitants: Ints
    present: Ints
    hardship: Floats
    features: dict[str, Floats]


def draw_held(rules: ZoneContext, built: Floats, seed: int) -> Held:
    """Return what quarters hold; `built` weighs the built part of each.

    Inhabitants sum to those of the settings. They follow the built part up to chance, and so do
    shops, bars, stops and schools: of two quarters of one size, the one that has more of them has
    no more inhabitants. Lighting and hardship are drawn without any link.
    """
    rng = stream(seed, "contexte_zone")
    count = len(built)
    density = built * np.exp(0.5 * rng.standard_normal(count))
    inhabitants = _shared(density, rules.inhabitants)
    hardship = rng.standard_normal(count)
    thousands = built / built.sum() * rules.inhabitants / 1000

    def of(per_thousand: float, spread: float = 0.6) -> Floats:
        mean = thousands * per_thousand * np.exp(spread * rng.standard_normal(count))
        return np.asarray(rng.poisson(mean), dtype=np.float64)

    features = {
        "eclairage_pct": np.round(rng.uniform(70, 100, count), 1),
        "commerces_n": of(14),
        "debits_boisson_n": of(1.6),
        "arrets_tc_n": of(1.4, 0.4),
        "ecoles_n": of(0.5, 0.4),
    }
    present = np.rint(inhabitants * rng.uniform(0.7, 1.6, count)).astype(np.int64)
    return Held(inhabitants, present, hardship, features)


def contexte_zone(quarters: Quarters, held: Held) -> pa.Table:
    """Return one row a quarter: what it holds. `defaveur_q` is for the audit of equity alone."""
    pop, count = held.inhabitants, len(quarters.code)
    rank = np.argsort(np.argsort(held.hardship, kind="stable"), kind="stable")
    quintile = rank * 5 // count + 1
    income: Floats = np.round(21_500 * np.exp(-0.22 * held.hardship), -1)
    counted = {
        name: values.astype(np.int64)
        for name, values in held.features.items()
        if name != "eclairage_pct"
    }
    return pa.table(
        {
            "zone_id": pa.array(quarters.code),
            "pop": pop,
            "menages": np.rint(pop / 2.1).astype(np.int64),
            "logements": np.rint(pop / 1.9).astype(np.int64),
            "qpv": codes(YES_NO, ((quintile == 5) & (pop > 3000)).astype(np.int64)),
            "revenu_median": income.astype(np.int64),
            "defaveur_q": quintile,
            "eclairage_pct": decimals(held.features["eclairage_pct"], 1, ","),
            **counted,
            "surface_km2": decimals(quarters.km2, 3, ","),
            "pop_presente_est": held.present,
        }
    )


def _shared(weights: Floats, total: int) -> Ints:
    """Return `total` shared out by weight, in whole numbers (largest remainders)."""
    exact = weights / weights.sum() * total
    whole: Ints = np.floor(exact).astype(np.int64)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole
