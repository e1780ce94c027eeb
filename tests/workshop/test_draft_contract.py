"""Drafts of contracts: what is proposed of a file first seen, and nobody in it."""

from __future__ import annotations

import codecs
import csv
import io
import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.contract import load_contract
from helpers.core.city.key import public
from helpers.workshop import new
from helpers.workshop.draft_contract import draft
from helpers.workshop.ordinary import is_ordinary
from tests.fixtures.real import ROOT, build
from tests.workshop.conftest import pack

SECRET = "Duhamel-Imaginaire"
KEY = public("port_neuf")
CASES = ROOT.parent / "shared" / "cases"
PERSONS, DRAFTS = CASES / "40-person-strings", CASES / "11-new-source-draft"


def case(folder: Path, name: str) -> Path:
    """Return a file given from outside, or skip and say so."""
    path = folder / name
    if not path.is_file():
        pytest.skip(f"NO CASES: {path} is absent, nothing is checked against it")
    return path


def persons() -> list[str]:
    """Return the strings that designate a person, all invented, written outside of our code.

    The first of each kind come first.
    """
    told = yaml.safe_load(case(PERSONS, "strings.yaml").read_text(encoding="utf-8"))["persons"]
    found = [texts[0] for texts in told.values()]
    found += [text for texts in told.values() for text in texts[1:]]
    assert len(found) > 200
    return found


KINDS = 14  # persons of the cases: one of each at least passes through the command itself


def file_of(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def rows_of(folder: Path, rows: list[list[Any]]) -> Path:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    return file_of(folder, "a.csv", out.getvalue())


def drafted(path: Path, *vouched_for: int) -> dict[str, Any]:
    """Return the contract drafted of the file, which loads as one."""
    text = draft("bornes", "Bornes", path, KEY, vouched_for).text
    written = file_of(path.parent, "bornes.yaml", text)
    load_contract(written)
    contract: dict[str, Any] = yaml.safe_load(text)
    return contract


def kinds(contract: dict[str, Any]) -> dict[str, str]:
    return {name: rule["type"] for name, rule in contract["fields"].items()}


def delivered(folder: Path) -> Path:
    head = ["num", "date_debut", "jour", "mesure", "etat", "riverain", "note", "vide"]
    rows = [
        [i, f"2024-05-{i % 28 + 1:02d}T10:00:00", f"{i % 28 + 1:02d}/05/2024", f"{i}.5",
         ["ouvert", "clos"][i % 2], f"{SECRET} {i}", SECRET, ""]
        for i in range(200)
    ]  # fmt: skip
    return rows_of(folder, [head, *rows])


def test_numbers_moments_codes_and_hashes_are_proposed(tmp_path: Path) -> None:
    """A machine does not decide to let a text in; and the draft quotes none."""
    path = delivered(tmp_path)
    contract = drafted(path)
    assert kinds(contract) == {
        "num": "id", "date_debut": "timestamp", "jour": "date", "mesure": "float", "etat": "enum",
    }  # fmt: skip
    fields = contract["fields"]
    assert fields["etat"]["values"] == ["clos", "ouvert"]
    assert fields["jour"]["format"] == "%d/%m/%Y"
    assert fields["mesure"] == {
        "type": "float", "minimum": 0, "maximum": 200, "decimals": 1, "label": "mesure",
    }  # fmt: skip
    assert contract["refused"].keys() == {"riverain", "note", "vide"}
    assert "SOURCE=bornes FIELD=" in contract["refused"]["note"]
    assert SECRET not in draft("bornes", "Bornes", path, KEY).text


def test_drafted_source_comes_in_at_once(place: Path, tmp_path: Path) -> None:
    new.new_source(place, "capteurs", "port_neuf", delivered(tmp_path))
    about = load_contract(pack(place) / "contracts/capteurs.yaml")
    assert about.kind == "context"
    built = build(City(pack(place)), place, place / "out")
    assert built.fates["capteurs"] == {"accepted": 200}
    assert built.receipts["capteurs"]["columns_refused"].keys() == set(about.refused)


def test_places_are_recognised_by_name_and_range(tmp_path: Path) -> None:
    head = ["longitude", "lat", "x", "y", "lon2"]
    rows = [[f"5.3{i}", f"43.2{i}", 892000 + i, 6247000 + i, 4000 + i] for i in range(9)]
    contract = drafted(rows_of(tmp_path, [head, *rows]))
    assert kinds(contract) == {
        "longitude": "longitude", "lat": "latitude", "x": "longitude", "y": "latitude",
        "lon2": "longitude",
    }  # fmt: skip
    fields = contract["fields"]
    assert [(fields[name]["unit"], fields[name]["minimum"], fields[name]["maximum"])
            for name in ("longitude", "lat", "x")] == [
        ("degrés", 5.3, 5.4), ("degrés", 43.2, 43.3), ("mètres", 892000, 893000),
    ]  # fmt: skip
    odd = drafted(rows_of(tmp_path, [["lat", "n"], *[[f"4329{i}", i] for i in range(9)]]))
    assert odd["fields"]["lat"]["unit"] == "mètres"
    far = drafted(rows_of(tmp_path, [["lat", "n"], *[[f"432961{i}00", i] for i in range(9)]]))
    assert "lat" in far["refused"]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("age", "{n}"), ("date_naissance", "{n:02}/03/1987"), ("date", "{n:02}/03/19{n}5"),
        ("tel", "061234567{n}"), ("valeur", "061234567{n}"), ("valeur", "6123450{n}"),
        ("valeur", "187030{n}"), ("matricule", "4000{n}"), ("nom_agent", "7{n}"),
        ("plaque2", "AB-12{n}-CD"), ("code", "AB-12{n}-CD"), ("lieu", "{n} rue des Lilas"),
    ],
)  # fmt: skip
def test_what_may_be_a_person_s_is_refused(name: str, cell: str, tmp_path: Path) -> None:
    rows = [[cell.format(n=n), n % 3] for n in range(1, 10)] * 2
    rows[0][0] = rows[2][0]  # none is unique
    contract = drafted(rows_of(tmp_path, [[name, "n"], *rows]))
    if (name, cell) == ("valeur", "187030{n}"):  # seven digits within bounds: a quantity
        assert kinds(contract) == {"valeur": "int", "n": "int"}
    else:
        assert (list(contract["fields"]), list(contract["refused"])) == (["n"], [name])


def test_long_number_called_an_identifier_is_hashed(tmp_path: Path) -> None:
    rows = [[f"20150{i % 4}123456", i] for i in range(9)]
    contract = drafted(rows_of(tmp_path, [["INCIDENT_ID", "n"], *rows]))
    assert contract["fields"]["INCIDENT_ID"] == {"type": "id", "label": "INCIDENT_ID"}


def test_code_seen_once_is_not_copied(tmp_path: Path) -> None:
    rows = [["ouvert"], ["ouvert"], ["clos"], ["clos"], ["annule"]]
    contract = drafted(rows_of(tmp_path, [["etat"], *rows]))
    assert contract["fields"]["etat"]["values"] == ["clos", "ouvert"]


SAID = "date;libellé;n\n01/02/2024;été;5\n02/02/2024;hiver;6\n"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "mac_roman", "utf-16"])
def test_encoding_is_proposed(encoding: str, tmp_path: Path) -> None:
    contract = drafted(file_of(tmp_path, "a.csv", SAID, encoding))
    told = contract["file"].get("encoding", "utf-8")
    assert codecs.lookup(told) == codecs.lookup(encoding)
    assert set(contract["fields"]) | set(contract["refused"]) == {"date", "libellé", "n"}


def test_drafted_file_of_another_encoding_comes_in(place: Path, tmp_path: Path) -> None:
    new.new_source(place, "saisons", "port_neuf", file_of(tmp_path, "s.csv", SAID, "cp1252"))
    built = build(City(pack(place)), place, place / "out")
    assert built.fates["saisons"] == {"accepted": 2}
    assert set(built.receipts["saisons"]["columns_refused"]) == {"libellé"}


def test_zeros_of_codes_are_kept(tmp_path: Path) -> None:
    contract = drafted(file_of(tmp_path, "a.csv", "code,n\n01001,5\n01002,7\n13055,0\n"))
    assert contract["fields"]["code"] == {"type": "str", "pattern": "[0-9]{5}", "label": "code"}
    assert contract["fields"]["n"]["type"] == "int"


def test_decimal_comma_is_told_from_a_separator(tmp_path: Path) -> None:
    text = "taux;part;n\n43,29;5,36;1\n43,30;5,37;2\n"
    contract = drafted(file_of(tmp_path, "a.csv", text))
    assert contract["file"] == {"format": "csv", "separator": ";", "decimal": ","}
    assert kinds(contract) == {"taux": "float", "part": "float", "n": "int"}
    contract = drafted(file_of(tmp_path, "b.csv", "lat;lon\n43,29;5.36\n43,30;5.37\n"))
    assert "decimal" not in contract["file"]
    assert (set(contract["fields"]), set(contract["refused"])) == ({"lon"}, {"lat"})


@pytest.mark.parametrize("text", ["", "\n", "date;n\n"])
def test_file_without_a_row_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="sans aucune ligne"):
        draft("a", "A", file_of(tmp_path, "a.csv", text), KEY)


def test_column_of_an_unknown_name_is_called_by_its_position(tmp_path: Path) -> None:
    rows = [["montant_xyz", "n", "", "n2", "n2"], *[[i, i, i, i, i] for i in (1, 2, 2)]]
    contract = drafted(rows_of(tmp_path, rows))
    assert list(contract["refused"]) == [
        f"colonne 1 ({KEY.hash('montant_xyz')})", "colonne 3",
        f"colonne 4 ({KEY.hash('n2')})", f"colonne 5 ({KEY.hash('n2')})",
    ]  # fmt: skip
    assert kinds(drafted(rows_of(tmp_path, rows), 1)) == {"montant_xyz": "int", "n": "int"}


def test_what_is_vouched_for_stays_so_and_a_doubted_name_is_not_asked_for_again(
    tmp_path: Path,
) -> None:
    """« Terra_Vella » reads as somebody's name: asked for once, then told apart."""
    rows = [["montant_xyz", "Terra_Vella", "montant_abc"], *[[i, i, i] for i in (1, 2, 2)]]
    file = rows_of(tmp_path, rows)
    first = draft("a", "A", file, KEY, [1]).told
    assert 'COLUMNS="1 2 3" FORCE=1' in first
    told = draft("a", "A", file, KEY, [1, 2, 3]).told
    assert "COLUMNS" not in told
    assert "même ainsi : 2." in told


def test_draft_is_made_again_with_columns_vouched_for(place: Path, tmp_path: Path) -> None:
    file = rows_of(tmp_path, [["montant_xyz", "n"], *[[i, i] for i in (1, 2, 2)]])
    _, told = new.new_source(place, "bornes", "port_neuf", file)
    assert 'COLUMNS="1" FORCE=1' in told
    about = (pack(place) / "city.yaml").read_text(encoding="utf-8")
    with pytest.raises(PhareError, match="existe déjà"):
        new.new_source(place, "bornes", "port_neuf", file, [1])
    new.new_source(place, "bornes", "port_neuf", file, [1], again=True)
    fields = load_contract(pack(place) / "contracts/bornes.yaml").fields
    assert list(fields) == ["montant_xyz", "n"]
    assert (pack(place) / "city.yaml").read_text(encoding="utf-8") == about


def test_given_cases_are_drafted_right() -> None:
    """What the cases' README says is right."""
    for name, checked in {
        "zeros.csv": lambda told: kinds(told) == {"code_commune": "str", "dep": "str", "n": "int"},
        "cp1252.csv": lambda told: told["file"]["encoding"] == "cp1252",
        "virgule.csv": lambda told: (
            told["file"] == {"format": "csv", "separator": ";", "decimal": ","}
            and kinds(told) == {"lat": "latitude", "lon": "longitude", "n": "int"}
        ),
    }.items():
        assert checked(yaml.safe_load(draft("a", "A", case(DRAFTS, name), KEY).text)), name
    with pytest.raises(PhareError, match="sans aucune ligne"):
        draft("a", "A", case(DRAFTS, "vide.csv"), KEY)


def run(
    place: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """Run the command; return all that it said and wrote into the pack, but for the delivery."""
    monkeypatch.setattr(new, "find_root", lambda: place)
    capsys.readouterr()
    new.main(["source", "bornes", "--city", "port_neuf", "--file", str(file)])
    out, err = capsys.readouterr()
    written = [path for path in pack(place).rglob("*") if path.is_file()]
    said = [path.name for path in written]
    said += [p.read_text(encoding="utf-8") for p in written if "livraison" not in p.parts]
    contract = pack(place) / "contracts/bornes.yaml"
    if contract.exists():
        load_contract(contract)
        contract.unlink()
        (pack(place) / "livraison/bornes.csv").unlink()
        shutil.copy(place / "city.yaml", pack(place) / "city.yaml")
    return "\n".join([out, err, *said])


PLAIN = [["2024-05-01", "tapage", i % 3] for i in range(8)]
HEAD = ["date", "nature", "n"]


def in_columns(texts: list[str], folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield files in which the texts are cells, a column each, and names of columns."""
    names = [f"type_{i}" for i in range(len(texts))]
    yield "same cells", rows_of(folder, [names, *[texts] * 8])
    mixed = [[text if row % 2 else "tapage" for text in texts] for row in range(8)]
    yield "cells among others", rows_of(folder, [names, *mixed])
    yield "unique cells", rows_of(folder, [names, *[[f"{t} {i}" for t in texts] for i in range(8)]])
    lettered = [text for text in texts if any(sign.isalpha() for sign in text)]
    yield "columns", rows_of(folder, [[*HEAD, *lettered], *[[*row, *lettered] for row in PLAIN]])
    digits = [text for text in texts if text not in lettered]  # taken for a first row of data
    yield "columns of digits", rows_of(folder, [[*HEAD, *digits], *[[*r, *digits] for r in PLAIN]])


def at_the_start(text: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield files whose first row, or whose name, holds the text."""
    yield "first row", rows_of(folder, [[text, "tapage", 3], *PLAIN])
    yield "first row of words", rows_of(folder, [["nuit", text, "n"], *PLAIN])
    yield "alone", rows_of(folder, [[text]] * 5)
    name = text.replace("/", "_").replace("\0", "")
    named = folder / f"{name}.csv"
    shutil.copy(rows_of(folder, [HEAD[1:], *[row[1:] for row in PLAIN]]), named)
    yield "file", named
    yield "absent file", folder / f"{name}.absent"


def told_of(text: str, said: str) -> bool:
    """Tell whether the text is in what was said, YAML or not: a quote doubled, a line broken."""
    bare = " ".join(said.replace("''", "'").split())
    return text in said or " ".join(text.split()) in bare


def drafted_text(file: Path) -> str:
    try:
        made = draft("bornes", "Bornes", file, KEY)
    except PhareError as error:
        return str(error)
    load_contract(file_of(file.parent, "bornes.yaml", made.text))
    return f"{made.text}\n{made.told}"


def test_no_person_of_the_cases_is_copied_nor_told(tmp_path: Path) -> None:
    """As a cell, the name of a column, a first row, the name of the file."""
    found, texts = [], persons()
    for at in range(0, len(texts), 20):
        some = texts[at : at + 20]
        for how, file in in_columns(some, tmp_path):
            said = drafted_text(file)
            assert "Ébauche" in said or how == "columns of digits"
            found += [(how, text) for text in some if told_of(text, said)]
    found += [
        (how, text)
        for text in texts
        for how, file in at_the_start(text, tmp_path)
        if told_of(text, drafted_text(file))
    ]
    assert found == []


def test_the_command_tells_and_writes_no_person(
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copy(pack(place) / "city.yaml", place / "city.yaml")
    folder = tmp_path / "received"
    folder.mkdir()
    found = [
        (how, text)
        for text in persons()[:KINDS]
        for how, file in chain(in_columns([text], folder), at_the_start(text, folder))
        if told_of(text, run(place, file, monkeypatch, capsys))
    ]
    assert found == []


def test_no_name_of_column_of_the_cases_is_ordinary() -> None:
    assert [text for text in persons() if is_ordinary(text)] == []


def test_planning_is_drafted_without_anybody(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(pack(place) / "city.yaml", place / "city.yaml")
    path = case(PERSONS, "planning.csv")
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file, delimiter=";")
    said = run(place, path, monkeypatch, capsys)
    cells = {cell for row in rows for cell in row if len(cell) > 2} | {head[-1]}
    assert len(cells) > 30
    assert [cell for cell in cells if cell in said] == []
    contract = yaml.safe_load(draft("a", "A", path, KEY).text)
    assert contract["fields"] == {}
    assert {"agent", "prenom", "naissance", "matricule", "commentaire"} <= set(contract["refused"])
    assert f"colonne 10 ({KEY.hash(head[-1])})" in contract["refused"]


def test_file_without_a_header_is_recognised(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = case(PERSONS, "headerless.csv")
    said = run(place, path, monkeypatch, capsys)
    assert "la première ligne ne semble pas nommer" in said
    assert "ajouter une première ligne" in said
    first = path.read_text(encoding="utf-8").splitlines()[0].split(";")
    assert [cell for cell in first if len(cell) > 1 and cell in said] == []
    assert "bornes.csv" not in (pack(place) / "city.yaml").read_text(encoding="utf-8")
