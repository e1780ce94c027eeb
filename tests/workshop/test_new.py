"""New cities, sources and themes: what the templates make is valid, and failing leaves nothing."""

from __future__ import annotations

import codecs
import csv
import shutil
from pathlib import Path

import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.contract import load_contract
from helpers.workshop import new
from helpers.workshop.draft_contract import draft
from tests.fixtures.real import ROOT, build

SECRET = "Duhamel-Imaginaire"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with the templates and no city."""
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / "data/cities").mkdir(parents=True)
    (tmp_path / "data/cities/active.yaml").write_text("cities: {}\n", encoding="utf-8")
    new.new_city(tmp_path, "port_neuf")
    return tmp_path


def pack(place: Path) -> Path:
    return place / "data/cities/port_neuf"


def test_new_city_comes_in_and_counts_what_its_delivery_holds(place: Path) -> None:
    city = City(pack(place))
    assert (city.about.name, city.about.title, city.about.simulated) == (
        "port_neuf", "Port neuf", True,
    )  # fmt: skip
    built = build(city, place, place / "out")
    with (pack(place) / "livraison/faits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert built.fates["faits"] == {"accepted": len(rows)}
    found = dict(built.rows("SELECT theme, CAST(sum(n) AS BIGINT) FROM cube GROUP BY 1"))
    assert found == {
        "bruit": sum(row["nature"] == "tapage" for row in rows),
        "depots": sum(row["nature"] == "depot" for row in rows),
    }
    assert built.receipts["faits"]["columns_refused"].keys() == {"commentaire"}


def test_new_source_and_its_theme_come_in_too(place: Path) -> None:
    new.new_source(place, "bornes", "port_neuf", None)
    new.new_theme(place, "appels", "port_neuf", "bornes")
    city = City(pack(place))
    assert list(city.about.sources) == ["secteurs", "faits", "bornes"]
    assert city.themes["appels"].categories == ("bornes_a", "bornes_b")
    built = build(city, place, place / "out")
    assert built.fates["bornes"] == {"accepted": 60}
    assert built.rows("SELECT count(*) FROM cube WHERE theme = 'appels'")[0][0] > 0


def test_comments_of_the_pack_stay_where_they_are(place: Path) -> None:
    about = pack(place) / "city.yaml"
    before = about.read_text(encoding="utf-8").splitlines()
    new.new_source(place, "bornes", "port_neuf", None)
    after = about.read_text(encoding="utf-8").splitlines()
    assert [line for line in after if "bornes.csv" not in line] == before
    assert after.index("  bornes: {file: bornes.csv}") == 1 + next(
        i for i, line in enumerate(after) if line.startswith("  faits:")
    )


def test_new_theme_takes_the_codes_that_no_theme_counts(place: Path) -> None:
    new.new_theme(place, "divers", "port_neuf", None)
    assert City(pack(place)).themes["divers"].categories == ("autre",)
    with pytest.raises(PhareError, match="déjà dans un thème"):
        new.new_theme(place, "encore", "port_neuf", None)


@pytest.mark.parametrize("name", ["Été", "a-b", "1er", "", "cities", "scratch", "a b", "../x"])
def test_names_that_would_break_a_path_are_refused(name: str, place: Path) -> None:
    for make in (
        lambda: new.new_city(place, name),
        lambda: new.new_source(place, name, "port_neuf", None),
        lambda: new.new_theme(place, name, "port_neuf", None),
    ):
        with pytest.raises(PhareError, match="nom refusé"):
            make()


def test_nothing_is_overwritten(place: Path) -> None:
    with pytest.raises(PhareError, match="existe déjà"):
        new.new_city(place, "port_neuf")
    with pytest.raises(PhareError, match="existe déjà"):
        new.new_source(place, "faits", "port_neuf", None)
    with pytest.raises(PhareError, match="existe déjà"):
        new.new_theme(place, "bruit", "port_neuf", None)
    with pytest.raises(PhareError, match="inconnue"):
        new.new_source(place, "x", "nulle_part", None)


def test_failure_puts_the_pack_back(place: Path) -> None:
    about = pack(place) / "city.yaml"
    text = about.read_text(encoding="utf-8").replace("sources:\n", "sources: {\n").replace(
        "how_to_get", "}\nhow_to_get"
    )  # fmt: skip
    text = text.replace("secteurs.geojson}", "secteurs.geojson},")
    about.write_text(text, encoding="utf-8")
    files = {path: path.read_bytes() for path in pack(place).rglob("*") if path.is_file()}
    with pytest.raises(PhareError, match="bloc"):
        new.new_source(place, "bornes", "port_neuf", None)
    assert {p: p.read_bytes() for p in pack(place).rglob("*") if p.is_file()} == files


def delivered(folder: Path) -> Path:
    path = folder / "capteurs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["num", "quand", "jour", "mesure", "etat", "riverain", "note", "vide"])
        for i in range(200):
            row = [i, f"2024-05-{i % 28 + 1:02d}T10:00:00", f"{i % 28 + 1:02d}/05/2024", f"{i}.5"]
            writer.writerow([*row, ["ouvert", "clos"][i % 2], f"{SECRET} {i}", SECRET, ""])
    return path


def test_draft_lets_in_numbers_dates_and_codes_only(tmp_path: Path) -> None:
    """A machine does not decide to let a text in; and the draft quotes none."""
    text = draft("capteurs", "Capteurs", delivered(tmp_path))
    contract = yaml.safe_load(text)
    kinds = {name: rule["type"] for name, rule in contract["fields"].items()}
    assert kinds["num"] == "int"
    assert kinds["mesure"] == "float"
    assert (kinds["quand"], kinds["jour"]) == ("timestamp", "date")
    assert contract["fields"]["etat"]["values"] == ["clos", "ouvert"]
    assert contract["fields"]["jour"]["format"] == "%d/%m/%Y"
    assert {"riverain", "vide"} <= set(contract["refused"])
    assert f"{SECRET} 1" not in text


def test_drafted_source_comes_in_at_once(place: Path, tmp_path: Path) -> None:
    new.new_source(place, "capteurs", "port_neuf", delivered(tmp_path))
    about = load_contract(pack(place) / "contracts/capteurs.yaml")
    assert about.kind == "context"
    built = build(City(pack(place)), place, place / "out")
    assert built.fates["capteurs"] == {"accepted": 200}
    assert built.receipts["capteurs"]["columns_refused"].keys() == set(about.refused)


def file_of(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


SAID = "date;libellé;n\n01/02/2024;été;5\n02/02/2024;hiver;6\n"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "mac_roman", "utf-16"])
def test_draft_proposes_the_encoding(encoding: str, tmp_path: Path) -> None:
    contract = yaml.safe_load(draft("a", "A", file_of(tmp_path, "a.csv", SAID, encoding)))
    told = contract["file"].get("encoding", "utf-8")
    assert codecs.lookup(told) == codecs.lookup(encoding)
    assert set(contract["fields"]) | set(contract["refused"]) == {"date", "libellé", "n"}


def test_drafted_file_of_another_encoding_comes_in(place: Path, tmp_path: Path) -> None:
    new.new_source(place, "saisons", "port_neuf", file_of(tmp_path, "s.csv", SAID, "cp1252"))
    built = build(City(pack(place)), place, place / "out")
    assert built.fates["saisons"] == {"accepted": 2}
    assert set(built.receipts["saisons"]["columns_refused"]) == {"libellé"}


def test_draft_keeps_the_zeros_of_codes(tmp_path: Path) -> None:
    text = "code,n\n01001,5\n01002,7\n13055,0\n"
    contract = yaml.safe_load(draft("a", "A", file_of(tmp_path, "a.csv", text)))
    assert {k: rule["type"] for k, rule in contract["fields"].items()} == {
        "code": "str",
        "n": "int",
    }


def test_draft_tells_a_decimal_comma_from_a_separator(tmp_path: Path) -> None:
    text = "lat;lon;n\n43,29;5,36;1\n43,30;5,37;2\n"
    contract = yaml.safe_load(draft("a", "A", file_of(tmp_path, "a.csv", text)))
    assert contract["file"] == {"format": "csv", "separator": ";", "decimal": ","}
    assert contract["fields"]["lat"]["type"] == "float"
    mixed = "lat;lon\n43,29;5.36\n43,30;5.37\n"
    contract = yaml.safe_load(draft("a", "A", file_of(tmp_path, "b.csv", mixed)))
    assert "decimal" not in contract["file"]
    assert (set(contract["fields"]), set(contract["refused"])) == ({"lon"}, {"lat"})


@pytest.mark.parametrize("text", ["", "\n", "a;b\n"])
def test_file_without_a_row_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="sans aucune ligne"):
        draft("a", "A", file_of(tmp_path, "a.csv", text))


def test_theme_goes_among_themes_and_its_codes_are_quoted(place: Path) -> None:
    """Questions may follow the themes; a code may hold what YAML takes for its own."""
    odd = ["a, b", "c: d", "e #f", "non", "01"]
    contract = pack(place) / "contracts/faits.yaml"
    told = yaml.safe_load(contract.read_text(encoding="utf-8"))
    told["fields"]["nature"]["values"] += odd
    contract.write_text(yaml.safe_dump(told, allow_unicode=True, sort_keys=False), "utf-8")
    path = pack(place) / "themes.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nquestions: {}\n", encoding="utf-8")
    new.new_theme(place, "divers", "port_neuf", None)
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(found["themes"]) == ["bruit", "depots", "divers"]
    assert found["themes"]["divers"]["categories"] == ["autre", *odd]
