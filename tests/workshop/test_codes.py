"""`make codes`: words off the lists shown to a terminal, and written only where confirmed."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from helpers.core.base.errors import PhareError
from helpers.core.base.french import plural
from helpers.core.city.city import City
from helpers.core.city.contract import load_contract
from helpers.workshop import codes, yaml_text
from helpers.workshop.codes import Asking
from tests.fixtures.real import ROOT, build
from tests.workshop.conftest import pack

NEW, NAME, PHONE = "tapage nocturne", "Mme Sandrine Duhamel", "0612345678"
SEEN = Asking(terminal=True)


@pytest.fixture
def place(place: Path) -> Path:
    """That city, whose facts say three words that are off the list."""
    shutil.copy(ROOT / "params.yaml", place)
    path = pack(place) / "livraison/faits.csv"
    rows = list(csv.reader(path.open(encoding="utf-8"), delimiter=";"))
    for row in rows[1:41]:
        row[1] = NEW
    for row in rows[41:44]:
        row[1] = NAME
    rows[44][1] = PHONE
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\n").writerows(rows)
    return place


def everything(place: Path) -> dict[Path, bytes]:
    """Return every file of the workspace but the delivery."""
    return {
        path: path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and "livraison" not in path.parts
    }


def told(place: Path, asking: Asking, capsys: pytest.CaptureFixture[str], **more: str) -> str:
    said = codes.codes(place, pack(place), "faits", more.get("field", ""), asking)
    out, err = capsys.readouterr()
    assert err == ""
    return out + "\n".join(said)


def test_words_are_shown_to_a_terminal_alone(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Most frequent first, counted, dated, hashed; nothing is written."""
    before = everything(place)
    said = told(place, SEEN, capsys)
    delivered = (pack(place) / "livraison/faits.csv").read_text(encoding="utf-8").splitlines()
    first = min(line.split(";")[2] for line in delivered if NEW in line)
    day = f"{first[8:10]}/{first[5:7]}/{first[:4]} {first[11:16]}"
    found = [line for line in said.splitlines() if "«" in line]
    hashed = City(pack(place)).key(place).hash(NEW)
    assert found[0].split() == ["40", "«", *NEW.split(), "»,", "depuis", "le", *day.split(),
                                f"[{hashed}]"]  # fmt: skip
    assert [line.split()[0] for line in found] == ["40", "3", "1"]
    assert said.count("! ") == 2
    assert everything(place) == before
    hidden = told(place, Asking(), capsys)
    assert hashed in hidden
    assert not [word for word in (NEW, NAME, PHONE) if word in hidden]


def test_confirmed_word_goes_into_the_contract_and_comes_in(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pack(place) / "contracts/faits.yaml"
    before = path.read_text(encoding="utf-8")
    assert plural(1, "mot ajouté") in told(place, Asking(everything=True, terminal=True), capsys)
    after = path.read_text(encoding="utf-8")
    assert after == before.replace("[tapage, depot, autre]", f"[tapage, depot, autre, {NEW}]")
    built = build(City(pack(place)), place, place / "out")
    with (pack(place) / "livraison/faits.csv").open(encoding="utf-8") as file:
        rows = len(list(csv.DictReader(file)))
    assert built.fates["faits"]["accepted"] == rows - 4


@pytest.mark.parametrize("by", ["word", "hash"])
def test_doubted_word_is_taken_where_it_is_named(
    by: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = NAME if by == "word" else City(pack(place)).key(place).hash(NAME)
    told(place, Asking(add=(given,)), capsys)
    values = load_contract(pack(place) / "contracts/faits.yaml").fields["nature"].values
    assert values[3:] == (NAME,)


@pytest.mark.parametrize(("given", "why"), [(PHONE, "aucun contrat"), ("pluie", "hors de ce qui")])
def test_word_that_nothing_may_vouch_for_and_unknown_one_are_refused(
    given: str, why: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(place)
    with pytest.raises(PhareError, match=why) as refusal:
        told(place, Asking(add=(given, NEW)), capsys)
    assert PHONE not in f"{refusal.value}{refusal.value.where}{refusal.value.todo}"
    assert everything(place) == before


def test_each_word_is_asked_for(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """« o » is enough for a word, a doubted one wants « oui »; what nothing takes is not asked."""
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "o"

    told(place, Asking(terminal=True, asks=True, answer=answer), capsys)
    assert [NEW in asked[0], NAME in asked[1], len(asked)] == [True, True, 2]
    values = load_contract(pack(place) / "contracts/faits.yaml").fields["nature"].values
    assert values[3:] == (NEW,)


def test_words_go_into_a_list_that_is_not_yet_written(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pack(place) / "contracts/faits.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "values: [tapage, depot, autre]", "list: natures"
    )
    path.write_text(text, encoding="utf-8")
    told(place, Asking(everything=True, terminal=True), capsys)
    assert path.read_text(encoding="utf-8") == text
    rows = (pack(place) / "lists/natures.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "code,nom"
    assert set(rows[1:]) == {f"{one},{one}" for one in (NEW, "tapage", "depot")}
    assert set(load_contract(path).fields["nature"].values) == {NEW, "tapage", "depot"}


def test_refused_column_becomes_a_field_with_the_words_confirmed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pack(place) / "contracts/faits.yaml"
    said = told(place, Asking(add=("Texte inventé 1",)), capsys, field="commentaire")
    assert plural(1, "mot ajouté") in said
    contract = load_contract(path)
    assert contract.fields["commentaire"].values == ("Texte inventé 1",)
    assert contract.refused == {}
    with pytest.raises(PhareError, match="ni un champ à liste"):
        told(place, SEEN, capsys, field="debut")


def test_number_is_the_one_by_which_reliability_calls_it(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(City(pack(place)), place, place / "data/port_neuf")
    said = told(place, SEEN, capsys)
    assert [line for line in said.splitlines() if "code nouveau n° 1" in line and NEW in line]
    assert said.count("code nouveau") == 1


def zones(place: Path, asking: Asking) -> list[str]:
    return codes.zone_names(place, pack(place), "secteurs", "nom", asking)


def unnamed(place: Path) -> str:
    """Take away the list of zones, and name one of them as somebody."""
    about = pack(place) / "city.yaml"
    text = about.read_text(encoding="utf-8")
    about.write_text(text.replace(", names: secteurs", ""), encoding="utf-8")
    (pack(place) / "lists/secteurs.csv").unlink()
    path = pack(place) / "livraison/secteurs.geojson"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["features"][1]["properties"]["nom"] = NAME
    path.write_text(json.dumps(told), encoding="utf-8")
    return text


@pytest.mark.parametrize(("add", "second"), [((), "S2"), (("S2",), NAME)])
def test_zones_are_named_by_a_list_that_a_person_confirms(
    add: tuple[str, ...], second: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = unnamed(place)
    before = everything(place)
    assert "Rien n'est écrit" in zones(place, SEEN)[0]
    assert NAME in capsys.readouterr().out
    assert everything(place) == before
    zones(place, Asking(add=add, everything=True, terminal=True))
    named = {"S1": "Centre", "S2": second, "S3": "Port", "S4": "Collines"}
    assert City(pack(place)).zone_names("secteurs") == named
    after = (pack(place) / "city.yaml").read_text(encoding="utf-8")
    assert after == text
    assert "ont leur nom" in zones(place, SEEN)[0]
    with pytest.raises(PhareError, match="pas de colonne"):
        codes.zone_names(place, pack(place), "secteurs", "autre", SEEN)


def test_items_are_added_where_a_list_is_written_line_by_line_or_not() -> None:
    text = "a: {v: [x,\n        y]}  # said\nb:\n  v:\n    - x  # one\n    - 'y'\nc: 1\n"
    flow = yaml_text.with_items(text, ["a", "v"], ["o, k", "no", "1:30"], shown_as="f")
    assert flow == text.replace("y]}", "y, 'o, k', 'no', '1:30']}")
    block = yaml_text.with_items(text, ["b", "v"], ["c: d"], shown_as="f")
    assert block == text.replace("    - 'y'\n", "    - 'y'\n    - 'c: d'\n")
    long = yaml_text.with_items(
        "v: [a]\n", ["v"], [f"code_{i:03}" for i in range(40)], shown_as="f"
    )
    assert max(map(len, long.splitlines())) <= yaml_text.WIDTH
    with pytest.raises(PhareError, match="à compléter"):
        yaml_text.with_items(text, ["c"], ["x"], shown_as="f")
