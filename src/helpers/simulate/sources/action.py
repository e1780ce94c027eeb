"""Actions against problems of public space, as the service writes them down."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.simulate import columns
from helpers.simulate.actions import Actions
from helpers.simulate.sources.scene import Scene
from helpers.simulate.streams import Moments, stream

LEADERS = {
    "mediation": "mediation", "nettoyage": "proprete", "amenagement_eclairage": "eclairage",
}  # fmt: skip
POLICE = "police_municipale"  # leads the other types
RUNGS = ("prevention", "dissuasion", "repression")
EARLIER = (None, "prevention", "prevention|dissuasion")
PARTNERS = ("rtm", "bailleur", "education|prefecture", "bmpm")


def action(actions: Actions, scene: Scene, before: int = 0) -> pa.Table:
    """Return one row an action, in the order given, numbered after `before`; no verdict yet.

    A zone has the number of its action (`Z01`), the ring around it too (`R01`); the zone set
    against it is another action's, half the list away, as long as that one has not begun.
    """
    size = len(actions)
    rng = stream(scene.seed, "action" if not before else f"action/{before}")
    number = before + np.arange(1, size + 1)
    rung = np.array([RUNGS.index(shade) for shade in actions.shade])
    zero = scene.days[0].astype("datetime64[D]")
    start, end = (zero + day.astype("m8[D]") for day in (actions.first_day, actions.last_day))
    planned_only = end < start  # begins after the period
    planned = np.round(actions.dose_h / rng.uniform(0.75, 1.0, size), 1)
    registered = start - rng.integers(14, 60, size).astype("timedelta64[D]")
    longitude, latitude = scene.centres(actions.centre)
    today = scene.days[-1]
    beside = (number - 1 + size // 2) % max(size, before) + 1
    aimed = [scene.kinds[int(np.argmax(row))] for row in actions.aims]
    leaders = pa.array([LEADERS.get(name, POLICE) for name in actions.type], pa.string())
    return pa.table(
        {
            "id_action": columns.numbered("ACT-", number, 3),
            "probleme_id": columns.numbered("PB-", number, 3),
            "palier": columns.codes(RUNGS, rung),
            "type": pa.array(actions.type, pa.string()),
            "zone_id": columns.numbered("Z", number, 2),
            "longitude": columns.degrees(longitude),
            "latitude": columns.degrees(latitude),
            "debut": _day(start),
            "fin": _day(np.where(planned_only, np.datetime64("NaT"), end)),
            "dose_prevue_h": columns.decimals(planned, 1),
            "dose_realisee_h": columns.decimals(actions.dose_h, 1),
            "pilote_service": leaders,
            "partenaires": columns.codes(PARTNERS, number % len(PARTNERS)),
            "paliers_precedents": pa.array([EARLIER[r] for r in rung.tolist()], pa.string()),
            "justification": columns.codes(
                ("concentration", "recurrence", "demande_habitants"), number % 3
            ),
            "preenregistree_le": _day(registered),
            "hypothese": columns.constant("baisse_des_faits", size),
            "indicateur": pa.array(aimed, pa.string()),
            "zone_temoin": columns.numbered("Z", beside, 2),
            "zone_report": columns.numbered("R", number, 2),
            "effet_min_detectable": columns.decimals(rng.uniform(0.1, 0.3, size), 2),
            "moyens_existants": columns.constant("oui", size),
            "statut": columns.codes(
                ("prevue", "en_cours", "terminee"),
                np.where(planned_only, 0, np.where(end < today, 2, 1)),
            ),
            "verdict": pa.nulls(size, pa.string()),
        }
    )


def _day(moments: Moments) -> pa.Array:
    return pa.array(moments.astype("datetime64[D]")).cast(pa.string())
