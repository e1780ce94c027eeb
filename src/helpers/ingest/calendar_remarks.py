"""What is odd in the calendar that city.yaml names: days that would be told what they are not."""

from __future__ import annotations

from helpers.core.city import remark
from helpers.core.city.about import CityFile
from helpers.core.city.remark import Remark
from helpers.core.place_time.calendar import SCHOOL_KNOWN

FRANCE = "FR"  # the country of the template: it stays where nobody thought of it
# The time zones of France, overseas included (IANA's zone.tab).
FRENCH = (
    "Europe/Paris", "America/Cayenne", "America/Guadeloupe", "America/Marigot",
    "America/Martinique", "America/Miquelon", "America/St_Barthelemy", "Indian/Kerguelen",
    "Indian/Mayotte", "Indian/Reunion", "Pacific/Gambier", "Pacific/Marquesas", "Pacific/Noumea",
    "Pacific/Tahiti", "Pacific/Wallis",
)  # fmt: skip


def of_calendar(about: CityFile) -> list[Remark]:
    """Return a remark on holidays of France elsewhere, and on days beyond the known school ones."""
    told = []
    if about.holidays.country == FRANCE and about.timezone not in FRENCH:
        told.append(Remark(remark.HOLIDAYS_OF_FRANCE, names=(about.timezone,)))
    if about.holidays.school_zone:
        first, last = about.period.start, about.period.end
        known = (min(last, SCHOOL_KNOWN[1]) - max(first, SCHOOL_KNOWN[0])).days + 1
        beyond = (last - first).days + 1 - max(0, known)
        if beyond:
            told.append(Remark(remark.SCHOOL_YEARS, n=beyond))
    return told
