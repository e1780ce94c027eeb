"""What is odd in yearly numbers of staff, as codes, and the grade of a number that each touches."""

from __future__ import annotations

REFUSED, SET_ASIDE, MISSING, UNTOLD = "refused", "set_aside", "missing", "untold"
YEAR_SHIFTED, COLUMN_SHIFTED, EDITION_SHIFTED = "year_shifted", "column_shifted", "edition_shifted"
COLUMN_YEAR, PARTIAL = "column_year", "partial"
BRIDGE_BROKEN, BRIDGE_MISSING, BRIDGE_COPIED = "bridge_broken", "bridge_missing", "bridge_copied"
NO_POPULATION, NO_OVERLAP, EDITIONS_APART = "no_population", "no_overlap", "editions_apart"
JUMP, SWAPPED, COPIED, MERGED, POOLED = "jump", "swapped", "copied", "merged", "pooled"
COLUMN_ABSENT, REVISED = "column_absent", "revised"
PLACEHOLDER, CONSTANT = "placeholder", "constant"
# The grade of a number that a sign touches, in the order in which signs are told; A without any,
# "" where a sign says nothing of the number itself.
GRADES = {
    REFUSED: "D", SET_ASIDE: "D", MISSING: "D", UNTOLD: "D", YEAR_SHIFTED: "D",
    EDITION_SHIFTED: "D", COLUMN_SHIFTED: "D", COLUMN_YEAR: "D", COLUMN_ABSENT: "B", REVISED: "A",
    PLACEHOLDER: "C", CONSTANT: "C",
    BRIDGE_BROKEN: "C", BRIDGE_MISSING: "B", BRIDGE_COPIED: "B", NO_POPULATION: "B",
    EDITIONS_APART: "", NO_OVERLAP: "", PARTIAL: "",
    JUMP: "C", SWAPPED: "C", COPIED: "C", MERGED: "C", POOLED: "C",
}  # fmt: skip
