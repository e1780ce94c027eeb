"""What the municipal police has: means, shifts, cameras. Counts, never a person."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.simulate.columns import codes, decimals, drawn, joined, numbered
from helpers.simulate.presence import SLOTS
from helpers.simulate.settings_sources import Service
from helpers.simulate.streams import Floats, Moments, draw, stream
from helpers.simulate.territory import Quarters

UNITS = ("secteurs", "nuit", "motards", "cynophile", "nautique", "csu", "fourriere")
SKILLS = {
    "equipe": "mediation|patrouille", "vehicule": "patrouille", "moto": "patrouille|circulation",
    "vtt": "patrouille|littoral", "camera": "releve_image", "pda": "verbalisation",
    "barriere": "evenement", "radio": "liaison", "ethylotest": "controle",
}  # fmt: skip
FIRST_CAMERA = np.datetime64("2012-01-01")


def moyen(districts: tuple[str, ...], rules: Service, seed: int) -> pa.Table:
    """Return one row a means: teams, vehicles, equipment, by base district."""
    types = [name for name, count in rules.means.items() for _ in range(count)]
    size = len(types)
    number = np.arange(1, size + 1)
    rng = stream(seed, "moyen")
    prefix = pa.array([name[:3].upper() for name in types])
    many = np.isin(types, ("barriere", "radio", "pda"))
    return pa.table(
        {
            "Identifiant": joined(prefix, "-", numbered("", number, 3)),
            "Type": pa.array(types),
            "Unité": codes(UNITS, rng.integers(0, len(UNITS), size)),
            "Secteur": codes(districts, np.arange(size) % len(districts)),
            "Compétences": pa.array([SKILLS[name] for name in types]),
            "Quantité": np.where(many, rng.integers(10, 60, size), 1),
            "Affecté à": numbered("Personne fictive ", number),
        }
    )


def camera(
    quarters: Quarters, weights: Floats, days: Moments, rules: Service, seed: int
) -> pa.Table:
    """Return one row a camera; quarters get theirs by `weights`."""
    rng = stream(seed, "camera")
    size = rules.cameras
    quarter = draw(weights, size, rng)
    before = (days[-1] - FIRST_CAMERA).astype(np.int64)
    since = FIRST_CAMERA + rng.integers(0, before, size).astype("timedelta64[D]")
    order = np.argsort(since, kind="stable")
    number = np.arange(1, size + 1)
    return pa.table(
        {
            "id": numbered("CAM-", number, 4),
            "zone_id": codes(quarters.code, quarter[order]),
            "type": drawn({"dome": 0.7, "fixe": 0.2, "multicapteur": 0.1}, size, seed, "camera/t"),
            "mise_en_service": pa.array(since[order].astype("datetime64[D]")).cast(pa.string()),
            "dispo_pct": decimals(100 - rng.gamma(1.5, 2.5, size).clip(0, 60), 1, ","),
            "adresse": numbered("", number % 90 + 1, 0, " rue Fictive"),
            "adresse_ip": numbered("192.0.2.", number % 254 + 1),
        }
    )


def vacation(
    districts: tuple[str, ...], hours: Floats, days: Moments, rules: Service, seed: int
) -> pa.Table:
    """Return one row a day, slot and district: agents, crews and hours on duty.

    `hours` are the agent-hours really worked, shape (days, slots, districts).
    """
    rng = stream(seed, "vacation")
    length = np.array([rules.slot_hours[slot] for slot in SLOTS])
    shape = hours.shape
    day, slot, district = (axis.ravel() for axis in np.indices(shape))
    agents = np.rint(hours.ravel() / length[slot]).astype(np.int64)
    crews = np.maximum(agents // 2, (agents > 0).astype(np.int64))
    return pa.table(
        {
            "date": pa.array(days[day].astype("datetime64[D]")).cast(pa.string()),
            "plage": codes(SLOTS, slot),
            "secteur": codes(districts, district),
            "nb_agents": agents,
            "nb_equipages": crews,
            "equipage_type": codes(
                list(rules.crews), draw(np.array([*rules.crews.values()]), len(day), rng)
            ),
            "heures_agents": decimals(hours.ravel(), 1, ","),
            "agents": numbered("Personne fictive ", np.arange(len(day)) % 600 + 1),
        }
    )
