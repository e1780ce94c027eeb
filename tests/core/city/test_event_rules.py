"""`events.yaml` of a pack: what it names is in the sources, what it counts is within reason."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.event_rules import FILE, read_rules
from tests.fixtures.packs import Change, at, changed
from tests.fixtures.real import ROOT

PACK = ROOT / "data/cities/marseille"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACK, tmp_path / "marseille"))


def refusal(city: City) -> str:
    with pytest.raises(PhareError) as caught:
        read_rules(city)
    return str(caught.value)


FIRST = ("classes", "sportif", "measures", 0)


@pytest.mark.parametrize(("change", "key"), [
    (at("states", "to_do", value="a-faire"), "states.to_do"),
    (at("states", value={"to_do": "prise", "asked": "prise", "taken": "prise"}), "states"),
    (at(*FIRST[:3], 1, "field", value="statut"), "« statut »"),
    (at("dropped", value=["refuse", "annulee"]), "dropped"),
    (at("dropped", value=["refuse", "tenu"]), "dropped"),
    (at("material", "barriers", value="barrieres"), "material.barriers"),
    (at("material", "kind", value="sorte"), "material.kind"),
    (at("material", "others", "fourgon", value={"title": "f", "per": "crew", "number": 1}),
     "material.others"),
    (at("material", "others", "radio", "per", value="jour"), "material.others.radio.per"),
    (at("sudden", "obstruction", "lasts_h", value=[1, 30]), "sudden.obstruction"),
    (at("sudden", "obstruction", "tell", value=[]), "sudden.obstruction.tell"),
    (at("sudden", "obstruction", "officers", value=[4, 2]), "sudden.obstruction.officers"),
    (at("material", "quantity", value="nombre"), "material.quantity"),
    (at("material", "quantity", value="unite"), "un champ int ou float"),
    (at("fields", "setup", value="capacite"), "fields.setup nomme « capacite », un champ int"),
    (at("fields", "most", value="statut"), "fields.most"),
    (at("fields", "outcome", value="debut"), "fields.outcome"),
    (at("signed", value="effet_debut"), "signed nomme « effet_debut », un champ timestamp"),
    (at(*FIRST[:3], 1, "field_count", value="statut"), "sportif.measures.1.field_count"),
    (at("equipe", value=3), "clé inconnue : equipe"),
    (at("routes", 0, "kind", value="sport"), "routes.0.kind"),
    (at("routes", 0, "width_m", value=1e9), "routes.0.width_m"),
    (at("routes", 0, "points", 0, value=[43.28, 185.38]), "routes.0.points.0.1"),
    (at("routes", 0, "title", value=""), "routes.0.title"),
    (at("stops", 0, "longitude", value=999.0), "stops.0.longitude"),
    (at("stops", 0, "latitude", value=-999.0), "stops.0.latitude"),
    (at("stops", 0, "title", value="T" * 121), "stops.0.title"),
    (at("tell", "crowds", value=["Voirie", " "]), "tell.crowds.1"),
    (at("minutes_per_fact", value=[60, 30]), "minutes_per_fact"),
    (at("minutes_per_fact", value=[0, 1e300]), "minutes_per_fact.1"),
    (at("crew", value=10**9), "crew"),
    (at("least_left", value=10**30), "least_left"),
    (at("separation", "joint_crowd", value=10**40), "separation.joint_crowd"),
    (at("separation", "near_m", value=1e7), "separation.near_m"),
    (at("classes", "sportif", "need", "officers_per_thousand", value=[0, 1e308]),
     "classes.sportif.need.officers_per_thousand.1"),
    (at("classes", "sportif", "need", "closures", value=[3, 1]), "classes.sportif.need.closures"),
    (at(*FIRST, "due_h", value=8761), "classes.sportif.measures.0.due_h"),
    (at(*FIRST, "title", value=""), "classes.sportif.measures.0.title"),
    (at(*FIRST, "title", value="a\n\n<b>1</b>\n# x"), "classes.sportif.measures.0.title"),
    (at(*FIRST, "owner", value=" "), "classes.sportif.measures.0.owner"),
])  # fmt: skip
def test_a_value_that_cannot_be_is_refused_with_its_file_and_key(
    change: Change, key: str, pack: Path
) -> None:
    said = refusal(changed(pack, FILE, change))
    assert "marseille/events.yaml" in said
    assert key in said


def test_every_fault_is_told_by_its_own_key(pack: Path) -> None:
    def twice(content: dict[str, Any]) -> None:
        at("dropped", value=["annulee"])(content)
        at("routes", 0, "kind", value="sport")(content)
        at("states", "taken", value="pris")(content)

    said = refusal(changed(pack, FILE, twice))
    assert [said.count(key) for key in ("dropped nomme", "routes.0.kind nomme",
                                        "states.taken nomme")] == [1, 1, 1]  # fmt: skip
    assert said.count("où      : marseille/events.yaml") == 3


@pytest.mark.parametrize(("change", "key"), [
    (at("agenda", "events", "held", value=["autorisee", "tenu"]), "agenda.events.held"),
    (at("agenda", "events", "titles", "carnaval", value="Carnaval"), "agenda.events.titles"),
    (at("agenda", "warnings", "levels", value=["pourpre"]), "agenda.warnings.levels"),
])  # fmt: skip
def test_a_code_of_the_agenda_that_no_row_bears_is_refused(
    change: Change, key: str, pack: Path
) -> None:
    with pytest.raises(PhareError, match=f"{key} nomme"):
        _ = changed(pack, "city.yaml", change).contracts


STATES = "code,nom\na_faire,à faire\ndemandee,demandée\nprise,prise\n"


def test_states_may_come_from_a_list_of_the_pack(pack: Path) -> None:
    """All measures of the class say their state by the codes of the same file."""
    (pack / "lists/etats.csv").write_text(STATES, encoding="utf-8")

    def listed(content: dict[str, Any]) -> None:
        for name, field in content["fields"].items():
            if name.startswith("mesure_") and field["type"] == "enum":
                del field["values"]
                field["list"] = "etats"

    assert read_rules(changed(pack, "contracts/evenement.yaml", listed))
    (pack / "lists/etats.csv").write_text(STATES.replace("prise,", "faite,"), encoding="utf-8")
    assert "states.taken nomme « prise »" in refusal(City(pack))


def test_the_rules_of_every_city_here_are_taken() -> None:
    told = [read_rules(City(path.parent)) for path in (ROOT / "data/cities").glob("*/city.yaml")]
    assert sum(one is not None for one in told) >= 1
