"""The colours of every figure, named by what they mean.

Okabe & Ito's (2008), told apart with the common kinds of colour blindness, and greys between.
"""

from __future__ import annotations

# Colours as such: only what has no meaning of its own names them.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8A8F98"
SKY, AMBER, PINK, YELLOW = "#56B4E9", "#E69F00", "#CC79A7", "#F0E442"
SERIES = [BLUE, ORANGE, GREEN, PINK, AMBER, SKY, YELLOW]  # what is only told apart
RAMP = "viridis"  # from few to many

# The sheet.
INK, FAINT_INK, PAPER = "#1F2933", "#52606D", "#FFFFFF"
LAND, EDGE, OUTLINE, GRID = "#EEF0F2", "#B8BEC6", "#7B8794", "#E4E7EB"
CHOSEN = INK  # around the zone that is looked at

# Against what was to be expected.
HOT, MORE, LESS, USUAL = ORANGE, ORANGE, BLUE, "#C9D6E3"
ABSTAINED = PAPER
AREA = "#EBD3A8"  # around what is hot: context, not a finding
ALERT, TO_WATCH, WITHIN_CHANCE, EXPECTED = ORANGE, AMBER, BLUE, GREY
MISSING = EDGE
CHANCE = "#E4E9EE"
COUNTED, AT_RANDOM = ORANGE, GREY  # a measure of the facts, and of as many thrown at random
THIN = "#C4C9D0"

# A zone beside its neighbours.
HIGH_AMONG_HIGH, HIGH_AMONG_LOW = ORANGE, "#F0A868"
LOW_AMONG_LOW, LOW_AMONG_HIGH = BLUE, "#7FB2D9"
LIKE_NEIGHBOURS = "#EEF1F4"

# An evolution; criticality.
UP, DOWN, STABLE, UNCLEAR = ORANGE, GREEN, BLUE, "#7A8694"
NO_ANSWER = GREY
UNSEEN = "#E4E7EB"  # changes too small to be told
UP_INK, DOWN_INK, STABLE_INK = "#A63C00", "#00684B", "#005A9C"  # the same, as text on paper
COUNT, RECENT, BEFORE = GREY, ORANGE, BLUE  # a series, and the two windows compared
CRITICALITY_LOW, CRITICALITY_MIDDLE, CRITICALITY_HIGH = "#9DB7CB", AMBER, ORANGE

# Who starts the records, and what they leave known of the level.
BY_AGENTS, NOT_BY_AGENTS = ORANGE, BLUE
RECORDED, POSSIBLE = ORANGE, GREY

# Reliability and waves.
RECEIVED, SILENT = BLUE, ORANGE
ACCEPTED, SET_ASIDE, DOUBLE, REPLACED, OUT_OF_PERIOD = BLUE, ORANGE, EDGE, GREEN, SKY
GRADES = {"A": BLUE, "B": SKY, "C": AMBER, "D": ORANGE}
ON_GRADE = {"A": PAPER, "B": INK, "C": INK, "D": INK}
ACTIVE, PILOT, SUSPENDED, NOT_YET = BLUE, "#7FB2D9", ORANGE, EDGE

# Links between traces.
OBSERVED, BY_LUCK = BLUE, ORANGE
FOR, AGAINST, TOTAL = BLUE, ORANGE, GREY

# Two kinds of doubt about one number.
BY_CHANCE, BY_SILENCE = BLUE, "#9DB7CB"

# What is established, beside what is not.
ESTABLISHED, UNESTABLISHED = BLUE, GREY

# Smoothed facts: 2, 4 and 8 times their mean.
SMOOTHED = ["#C6DBEF", "#6BAED6", "#08519C"]
