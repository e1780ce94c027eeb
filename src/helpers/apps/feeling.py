"""How quiet people feel, beside the facts: the survey's last wave."""

from __future__ import annotations

import pyarrow.parquet as pq

from helpers.apps.parts import folded
from helpers.core.base.french import percent
from helpers.core.city.names import WHOLE
from helpers.core.city.surroundings import read_surroundings
from helpers.core.city.survey import read_rule
from helpers.core.stage import params
from helpers.core.stage.run import Run
from helpers.sentiment import words
from helpers.sentiment.links import resemblance


def told(run: Run) -> str:
    """Return the last wave as the HTML of a part that opens under its value."""
    tables = {
        name: pq.read_table(run.read(f"derived/sentiment/{name}.parquet"))
        for name in ("waves", "zones", "links")
    }
    rule, held = read_rule(run.city), read_surroundings(run.city)
    knobs = params.knobs("sentiment")
    alike = resemblance(tables["zones"], knobs.confidence)
    question = rule.question if rule else ""
    inside = words.in_words(tables["waves"], tables["links"], alike, knobs, question, held)
    last = [row for row in tables["waves"].to_pylist() if row["zone"] == WHOLE][-1]
    value = "abstention"
    if last["status"] == "ok":
        value = (
            f"de {percent(last['shift_low'])} à {percent(last['shift_high'])} de tranquilles, "
            f"selon ce que pensent les absents ({percent(last['value'])} des répondants)"
        )
    return folded(f"Sentiment de tranquillité : {value}", inside)
