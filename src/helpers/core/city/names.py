"""Names that several rooms share: the whole city, what has no zone, what became of a row."""

from __future__ import annotations

from typing import Literal

Origin = Literal["citizen", "agent", "unknown"]  # who started a record
DayKind = Literal["public_holiday", "school_holidays", "weekend", "event", "working_day"]
NO_THEME = "sans_theme"  # the theme of a fact whose category no theme counts
NO_CATEGORY = "sans_categorie"  # the category of a fact that tells none
WHOLE = "ville"  # the whole city, as division and as zone
OUTSIDE, NO_PLACE = "outside", "no_place"  # a fact's zone: off every outline; not known where
ROW, FAULT, GEOMETRY = "row_number", "fault", "geometry"  # columns that the door adds to a row
# Of the point as received: a keyed hash, which tells one point from many round a grid point; once
# sorted, kept of those alone that hold enough rows to be a default.
SPOT = "spot_sign"
# The columns that the door and the sorting add to a row, which no field may be called.
RESERVED = (ROW, "delivery", FAULT, GEOMETRY, SPOT, "record", "reason", "remark")
OURS = "@"  # begins the names of columns that live within a query alone: no field's name may
DUPLICATE, REPLACED = "duplicate", "replaced"  # rows of a key that another row stands for
CONFLICT = "conflit:cle"  # another content under the same key, and nothing tells which is later
OUT_OF_PERIOD = "hors_periode"  # a sound row whose fact lies outside the city's period
# Remarks on an accepted row whose point tells no place: not a number, or beyond what is admitted.
ILLEGIBLE, OUT_OF_BOUNDS = "lieu_illisible", "lieu_hors_bornes"
LISTED, NAMES, UNTOLD = "listed", "names", "untold"  # by what the order of deliveries is told
MIDNIGHT, NOON = "midnight", "noon"  # exact hours that come back more than chance gives
