"""Numbers as French readers write them."""

from __future__ import annotations

import datetime as dt

THIN, FIXED = "\u202f", "\u00a0"


def number(value: float, digits: int = 0) -> str:
    """Return the number with a decimal comma and thin spaces between thousands."""
    shown = round(value, digits) or 0  # no « −0 »
    text = f"{shown:,.{digits}f}".replace(",", THIN).replace(".", ",")
    return text.replace("-", "−")


def trimmed(value: float, digits: int = 2) -> str:
    """Return the number with at most so many digits, no more than it needs: « 2 », « 1,25 »."""
    needed = next((n for n in range(digits) if abs(round(value, n) - value) < 1e-9), digits)
    return number(value, needed)


def percent(share: float, digits: int = 0) -> str:
    """Return the share (0 to 1) as a percentage."""
    return f"{number(share * 100, digits)}{THIN}%"


def change(ratio: float) -> str:
    """Return the ratio as a signed change: 1.25 is « +25,0 % »."""
    sign = "+" if ratio >= 1 else ""
    return f"{sign}{percent(ratio - 1, 1)}"


def plural(count: int, word: str) -> str:
    """Return the count with its noun, and what goes with it: from two on each takes an s."""
    end = "s" if count >= 2 else ""
    return f"{number(count)}{FIXED}{' '.join(part + end for part in word.split(' '))}"


MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def spoken(day: dt.date) -> str:
    """Return the day as it is said: « 1er mars 2024 »."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MONTHS[day.month - 1]} {day.year}"
