"""In what order the files of a source were delivered: as the pack lists them, or as names tell.

`faits_9` comes before `faits_10`, a date is read as a date whatever its writing, a copy or a
version (« (1) », « -v2 ») comes after what it follows. Names whose words differ tell no order:
then the dates inside decide (`ingest.sort_rows`), or nothing does, and that is told.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from helpers.core.city.names import LISTED, NAMES, UNTOLD

MONTHS = (
    "jan(?:vier|uary)?", "fev(?:rier)?|feb(?:ruary)?", "mars|mar(?:ch)?", "avr(?:il)?|apr(?:il)?",
    "mai|may", "juin|june?", "juil(?:let)?|july?", "aout|aug(?:ust)?", "sept?(?:embre|ember)?",
    "oct(?:obre|ober)?", "nov(?:embre|ember)?", "dec(?:embre|ember)?",
)  # fmt: skip
Token = tuple[int, int, str]
_GAP = r"[^a-z0-9]*"
_YEAR, _MONTH, _DAY = "((?:19|20)[0-9]{2})", "(0?[1-9]|1[0-2])", "(0?[1-9]|[12][0-9]|3[01])"
_DAY_FIRST = re.compile(rf"(?<![0-9]){_DAY}[^a-z0-9]+{_MONTH}[^a-z0-9]+{_YEAR}(?![0-9])")
_YEAR_FIRST = re.compile(rf"(?<![0-9]){_YEAR}[^a-z0-9]+{_MONTH}(?:[^a-z0-9]+{_DAY})?(?![0-9])")
_MONTH_YEAR = re.compile(rf"(?<![0-9]){_MONTH}[^a-z0-9]+{_YEAR}(?![0-9])")
_TOGETHER = re.compile(
    "(?<![0-9])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])((?:19|20)[0-9]{2})(?![0-9])"
)


def matching(place: Path, name: str) -> list[Path]:
    """Return the files of `place` of that name or pattern, in the order that their names tell.

    Capitals do not count: a file that an office calls `FAITS_9.CSV` is not left out in silence.
    """
    exact = [path for path in place.glob(name) if path.is_file()]
    if exact and not any(sign in name for sign in "*?["):
        return exact
    folder = place / Path(name).parent
    wanted = Path(name).name.lower()
    beside = folder.iterdir() if folder.is_dir() and "*" not in str(folder) else ()
    alike = [
        path for path in beside if path.is_file() and fnmatch.fnmatchcase(path.name.lower(), wanted)
    ]
    return sorted({*exact, *alike}, key=lambda path: (tokens(path.stem), path.name))


def tokens(stem: str) -> list[Token]:
    """Return a name, without its extension, as words and numbers that sort as they were meant."""
    text = unicodedata.normalize("NFKD", stem.lower())
    text = "".join(c for c in text if not unicodedata.combining(c))
    for i, month in enumerate(MONTHS, start=1):
        word = rf"(?<![a-z])(?:{month})(?![a-z])"
        text = re.sub(rf"{_DAY}(?:er)?{_GAP}{word}{_GAP}{_YEAR}", rf" \g<2>-{i:02}-\g<1> ", text)
        text = re.sub(rf"{word}{_GAP}{_YEAR}", rf" \g<1>-{i:02} ", text)
        text = re.sub(rf"{_YEAR}{_GAP}{word}", rf" \g<1>-{i:02} ", text)
    text = _DAY_FIRST.sub(lambda m: _date(m[3], m[2], m[1]), text)
    text = _YEAR_FIRST.sub(lambda m: _date(m[1], m[2], m[3] or "0"), text)
    text = _MONTH_YEAR.sub(lambda m: _date(m[2], m[1], "0"), text)
    text = _TOGETHER.sub(lambda m: _date(m[3], m[2], m[1]), text)
    parts = re.findall("[0-9]+|[^\\W\\d_]+", text)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _date(year: str, month: str, day: str) -> str:
    return f" {int(year):04}{int(month):02}{int(day):02} "


def told_by(names: Sequence[str], files: Sequence[Path]) -> str:
    """Return by what the order of `files` is told: `LISTED`, `NAMES` or `UNTOLD`.

    `names` are those that the pack lists, or its pattern. Names tell an order where they are the
    same words, and part by their numbers alone; one of them may have no number, or less of them.
    """
    if len(files) < 2 or len(names) == len(files):
        return LISTED
    told = [tokens(path.stem) for path in files]
    for one, other in itertools.pairwise(told):
        parted = next(((a, b) for a, b in zip(one, other, strict=False) if a != b), None)
        if parted is None:
            # One is the other, and a number more: a copy, a second version.
            more = other[len(one) :]
            told_more = any(kind == 0 for kind, _, _ in more) and len(more) <= 2
        else:
            told_more = parted[0][0] == parted[1][0] == 0
        if not told_more:
            return UNTOLD
    return NAMES
