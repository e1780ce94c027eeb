"""Names that several rooms share: the whole city, what has no zone, what became of a row."""

from __future__ import annotations

WHOLE = "ville"  # the whole city, as division and as zone


OUTSIDE, NO_PLACE = "outside", "no_place"


DUPLICATE, REPLACED = "duplicate", "replaced"
