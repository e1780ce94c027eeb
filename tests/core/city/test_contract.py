"""A contract is the allow-list: what it does not know it refuses, and it says where."""

from __future__ import annotations

import copy
import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from helpers.collect import collect
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.contract import Contract, load_contract
from tests.fixtures.made_up import FACTS
from tests.fixtures.real import ROOT

SHIPPED = sorted((ROOT / "data/cities").glob("*/contracts/*.yaml"))
# Columns that speak of a person or of a home, as publishers call them.
PERSONAL = re.compile(
    r"adr(esse)?$|address|matricule|identite|telephone|immatric|numero_voie|texte|descri|contact"
    r"|piece_jointe|media(_|$)|plaque|email|courriel|prenom|naissance",
    re.IGNORECASE,
)


def named(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


def write(folder: Path, content: Any) -> Path:
    path = folder / "faits.yaml"
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def changed(*where: str, value: Any) -> dict[str, Any]:
    """Return the made-up contract with `value` at the place named."""
    content = copy.deepcopy(FACTS)
    inner: Any = content
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    return content


def refusal(folder: Path, content: Any) -> str:
    with pytest.raises(PhareError) as caught:
        load_contract(write(folder, content))
    return str(caught.value)


@pytest.mark.parametrize("path", SHIPPED, ids=named)
def test_shipped_contract_loads_and_says_what_it_must(path: Path) -> None:
    contract = load_contract(path)
    assert contract.source == path.stem
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(contract.fields) == list(written["fields"])
    for text in ("purpose", "legal_basis", "retention", "attribution", "licence"):
        assert len(written[text]) > 2, f"{text} est vide"
    assert all(len(reason) > 10 for reason in contract.refused.values())


@pytest.mark.parametrize("path", SHIPPED, ids=named)
def test_shipped_contract_lets_no_personal_column_in(path: Path) -> None:
    fields = yaml.safe_load(path.read_text(encoding="utf-8"))["fields"]
    assert [name for name in fields if PERSONAL.search(name)] == []


def test_shipped_contracts_are_there() -> None:
    assert len(SHIPPED) >= 11


@pytest.mark.parametrize("path", SHIPPED, ids=named)
def test_shipped_observations_say_who_started_the_record(path: Path) -> None:
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    contract = load_contract(path)
    assert (contract.observation is not None) == (written["kind"] == "observations")
    if contract.observation is None:
        return
    origin = contract.observation.origin
    if origin.field is None:
        assert origin.value in ("citizen", "agent", "unknown")
        return
    values = set(contract.fields[origin.field].values)
    told = [*origin.citizen, *origin.agent]
    assert told, "une origine par colonne nomme au moins une valeur"
    assert set(told) <= values
    assert len(told) == len(set(told)), "une valeur ne peut être des deux côtés"


@pytest.mark.parametrize("shipped", [p for p in SHIPPED if "/marseille/" not in str(p)], ids=named)
def test_shipped_contract_names_a_real_column_of_each_received_file(
    shipped: Path, shared: Path
) -> None:
    """Optional fields too: a misspelt one would silently never come in."""
    city, contract = City(shipped.parents[1]), load_contract(shipped)
    editions = contract.every_edition()
    met = []
    for name in city.about.sources[shipped.stem].names:
        path = next(found for found in collect.received(collect.places_to_look(city, ROOT), name))
        columns = columns_of(path)
        fitting = [e for e in editions if set(contract.columns(e).values()) <= columns]
        met += fitting
        assert fitting, f"{path.name} : aucune édition ne nomme ses colonnes"
        assert set(contract.refused) <= columns
    assert {e.version for e in met} == {e.version for e in editions}


def columns_of(path: Path) -> set[str]:
    """Return the names of a file's columns, read without our own readers."""
    if path.suffix == ".parquet":
        return set(pq.read_schema(path).names)
    if path.suffix in (".geojson", ".json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = content.get("records") or [f["properties"] for f in content["features"]]
        return set(rows[0])
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        return set(next(csv.reader(file, delimiter=";" if "delinquance" in path.name else ",")))


@pytest.mark.parametrize(
    ("where", "key"),
    [
        (("colour",), "colour"),
        (("fields", "id", "requird"), "fields.id.requird"),
        (("file", "sep"), "file.sep"),
        (("observation", "longitud"), "observation.longitud"),
        (("observation", "origin", "agents"), "observation.origin.agents"),
    ],
)
def test_unknown_key_is_refused_with_file_and_key(
    where: tuple[str, ...], key: str, tmp_path: Path
) -> None:
    told = refusal(tmp_path, changed(*where, value="x"))
    assert "faits.yaml" in told
    assert key in told


def test_made_up_contract_is_sound(tmp_path: Path) -> None:
    """Without this the refusals below would prove nothing."""
    assert load_contract(write(tmp_path, FACTS)).source == "faits"


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        (("refused", "lon"), "désigne un domicile", "lon"),
        (("key",), ["numero"], "numero"),
        (("observation", "started_at"), "commence", "commence"),
        (("observation", "started_at"), {"year": "annee"}, "annee"),
        (("observation", "ended_at"), "finit", "finit"),
        (("observation", "count"), "combien", "combien"),
        (("observation", "longitude"), "x", "x"),
        (("observation", "declared_zone"), {"division": "carres", "field": "zone"}, "zone"),
        (("observation", "origin"), {"field": "source", "agent": ["a"]}, "source"),
    ],
)
def test_column_both_allowed_and_refused_or_unknown_is_named(
    where: tuple[str, ...], value: Any, told: str, tmp_path: Path
) -> None:
    assert f"'{told}'" in refusal(tmp_path, changed(*where, value=value))


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("kind",), "context"),
        (("kind",), "autre"),
        (("observation",), None),
        (("observation", "origin"), {}),
        (("observation", "origin"), {"value": "citizen", "field": "qui"}),
        (("observation", "origin"), {"value": "police"}),
        (("observation", "time_precision"), "second"),
        (("fields", "nature"), {"type": "enum"}),
        (("fields", "debut"), {"type": "timestamp"}),
        (("fields", "debut"), {"type": "date"}),
        (("fields", "id"), {"type": "text"}),
        (("file", "format"), "xls"),
    ],
)
def test_contract_that_cannot_be_meant_is_refused(
    where: tuple[str, ...], value: Any, tmp_path: Path
) -> None:
    refusal(tmp_path, changed(*where, value=value))


@pytest.mark.parametrize(
    "missing", ["purpose", "legal_basis", "retention", "licence", "attribution", "fields"]
)
def test_what_a_contract_must_say_cannot_be_left_out(missing: str, tmp_path: Path) -> None:
    content = {key: value for key, value in FACTS.items() if key != missing}
    assert missing in refusal(tmp_path, content)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "source: [", "source: 'faits\n"])
def test_file_that_is_no_contract_is_told_by_name(text: str, tmp_path: Path) -> None:
    assert "faits.yaml" in refusal(tmp_path, text)


def test_absent_contract_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(PhareError) as caught:
        load_contract(tmp_path / "faits.yaml")
    assert "faits.yaml" in caught.value.where


@pytest.mark.parametrize(
    ("where", "value"),
    [(("colour",), "x"), (("kind",), "autre"), (("fields", "id", "required"), "peut-être")],
)
def test_refusal_is_told_in_french(where: tuple[str, ...], value: Any, tmp_path: Path) -> None:
    told = refusal(tmp_path, changed(*where, value=value))
    assert not re.search(r"\b(input|should|permitted|valid|extra|value error)\b", told, re.I), told


def test_loaded_contract_cannot_be_widened_afterwards(tmp_path: Path) -> None:
    contract: Contract = load_contract(write(tmp_path, FACTS))
    with pytest.raises(ValueError, match="frozen"):
        contract.refused = {}
