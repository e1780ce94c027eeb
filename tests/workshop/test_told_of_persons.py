"""Which outputs may show a word that was received, and which may not: each string that is given.

A terminal of who holds the file may, for `make codes` alone. A pipe, a log, a file, a draft and a
contract that is refused may not.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.collect import own_lists, own_texts
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import validated
from helpers.core.city import battery
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.workshop import audit, codes, elsewhere, ground
from helpers.workshop.codes import Asking
from tests.fixtures.people import Matcher, People
from tests.fixtures.real import ROOT
from tests.workshop.conftest import pack

ZONES = 4  # of the city that is made
ASKED = {  # command → its words
    "codes": ("codes", "faits", "--city", "port_neuf"),
    "codes, a column": ("codes", "faits", "--city", "port_neuf", "--field", "commentaire"),
    "codes, all": ("codes", "faits", "--city", "port_neuf", "--yes"),
    "codes, the names of zones": ("codes", "secteurs", "--city", "port_neuf", "--name-column",
                                  "nom"),
    "draft": ("new", "source", "bornes", "--city", "port_neuf", "--file", "given.csv"),
}  # fmt: skip
MAY_SHOW = {"codes", "codes, a column", "codes, the names of zones"}  # and on a terminal alone


@pytest.fixture
def received(place: Path, people: People) -> Path:
    """That city, whose delivery says every string, in each listed field, in a refused column."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, place)
    path = pack(place) / "livraison/faits.csv"
    rows = list(csv.reader(path.open(encoding="utf-8"), delimiter=";"))
    for row, person in zip(rows[1:], people.persons, strict=False):
        row[1] = row[5] = row[6] = person
    assert len(rows) > len(people.persons)
    words = [one for one in people.persons if not any(sign.isdigit() for sign in one)]
    # A first row with digits is taken for data: a draft, whose file is the second, refuses it.
    for target, names in ((path, people.persons), (place / "given.csv", words)):
        whole = [[*rows[0], *names], *([*row, *([""] * len(names))] for row in rows[1:])]
        with target.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=";").writerows(whole)
    name_zones(place, people.persons[:ZONES])
    return place


def name_zones(place: Path, names: tuple[str, ...]) -> None:
    path = pack(place) / "livraison/secteurs.geojson"
    told = json.loads(path.read_text(encoding="utf-8"))
    for feature, name in zip(told["features"], names, strict=False):
        feature["properties"]["nom"] = name
    path.write_text(json.dumps(told), encoding="utf-8")
    (pack(place) / "lists/secteurs.csv").write_text("code,nom\n", encoding="utf-8")


def written(place: Path, *, but: str = "given.csv") -> dict[Path, bytes]:
    """Return all that lies there but for what was received."""
    return {
        path: path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and "livraison" not in path.parts and path.name != but
    }


def run(place: Path, arguments: tuple[str, ...], *, terminal: bool) -> tuple[int, bytes]:
    """Run a command of the workspace; return its exit code and all that it said."""
    moment = place / "moment"
    moment.mkdir(exist_ok=True)
    module, *words = arguments
    command = [sys.executable, "-m", f"helpers.workshop.{module}", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(moment)}
    if not terminal:
        done = subprocess.run(
            command, cwd=place, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=place, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b"".join(iter(lambda: _some(ours), b""))
    os.close(ours)
    return process.returncode, said


def _some(terminal: int) -> bytes:
    """Read on; a terminal whose other end was closed raises in place of saying nothing."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_a_pipe_shows_nobody_and_no_file_holds_anybody(received: Path, people: People) -> None:
    matcher = Matcher(people.persons)
    for asked, arguments in ASKED.items():
        code, said = run(received, arguments, terminal=False)
        assert (code == 1) == (asked == "codes, all"), said.decode()
        assert len(said) > 120, said.decode()
        assert not matcher.found(said), asked
    for path, content in written(received).items():
        assert not matcher.found(content + path.name.encode()), path


def test_a_terminal_shows_what_no_file_then_holds(received: Path, people: People) -> None:
    """What is shown proves that the delivery was read: what is not elsewhere was left out."""
    before, matcher = written(received), Matcher(people.persons)
    for asked in sorted(MAY_SHOW):
        code, said = run(received, ASKED[asked], terminal=True)
        assert code == 0, said.decode()
        assert len(matcher.found(said)) >= (ZONES if "zones" in asked else codes.SHOWN - 5)
    assert written(received) == before


def test_no_zone_named_as_anybody_is_told_to_a_pipe(
    received: Path, people: People, capsys: pytest.CaptureFixture[str]
) -> None:
    matcher, persons = Matcher(people.persons), people.persons
    for first in range(0, len(persons), ZONES):
        name_zones(received, persons[first : first + ZONES])
        told = codes.zone_names(received, pack(received), "secteurs", "nom", Asking())
        assert not matcher.found("\n".join([*told, *capsys.readouterr()]).encode())
        with pytest.raises(PhareError, match="personne ne les a lus") as refusal:
            codes.zone_names(
                received, pack(received), "secteurs", "nom", Asking(everything=True)
            )  # fmt: skip
        assert not matcher.found(redact.trace(refusal.value).encode())
    assert (pack(received) / "lists/secteurs.csv").read_text(encoding="utf-8") == "code,nom\n"


# ---- What a command was asked


@pytest.mark.parametrize("given", ["Yann Kermadec", "https://yann:m0tdepasse@exemple.invalid/?a=b"])
def test_what_is_asked_for_in_vain_is_not_said_again(
    given: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither by us nor by argparse: a terminal's words end in the log of who schedules them."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, place)
    shutil.copytree(ROOT / "notebooks", place / "notebooks")
    (place / "data/cities/active.yaml").write_text(
        "cities:\n  port_neuf:\n    pack: data/cities/port_neuf\n", encoding="utf-8"
    )
    monkeypatch.chdir(place)
    monkeypatch.setattr(ground, "check", lambda _: None)
    monkeypatch.setattr(ground, "check_git", lambda _: None)
    monkeypatch.setattr(elsewhere, "uncommitted", lambda _: [])
    monkeypatch.setenv("PHARE_CITY", given)
    own = ("--city", "port_neuf")
    for module, *words in (
        ("run_city", given), ("refigure", given), ("status", given), ("audit", given),
        ("new", "source", given), ("new", "source", "bornes", "--city", given),
        ("new", "theme", given, *own), ("new", "theme", "divers", *own, "--source", given),
        ("new", "city", given), ("new", given, "x"), ("new_notebook", "add", given),
        ("new_notebook", "add", "divers", "--group", given), ("new_notebook", "remove", given),
        ("codes", given, *own), ("codes", "faits", *own, "--field", given),
        ("codes", "secteurs", *own, "--name-column", given), ("codes", "faits", given),
        ("city_key", given), ("city_key", "port_neuf", "--from", given), ("entry_form", given),
        ("datex_export", given), ("register", given), ("register", "port_neuf", "--upto", given),
        ("register", "port_neuf", "--add", given), ("register", "port_neuf", f"--ch={given}"),
        ("serve_apps",), ("serve_apps", "--port", given), ("serve_lab", "--port", given),
        ("notebooks", given), ("new", "source", "bornes", "--file", given, "--columns", given),
    ):  # fmt: skip
        try:
            code = importlib.import_module(f"helpers.workshop.{module}").main(words)
        except SystemExit as end:
            code = end.code
        said = "".join(capsys.readouterr())
        assert code in (1, 2), (module, words, said)
        assert "Erreur : " in said, (module, words)
        for part in (given, *re.split(r"[ :/@]+", given)[:3]):
            assert part == "https" or part not in said, (module, words, said)


# ---- Contracts that are refused, and the texts of a pack


def places(contract: dict[str, Any], person: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the contract with a person where a received word may have been copied."""
    listed, fields = contract["fields"]["nature"], contract["fields"]
    for key, value in (
        ("values", [person, "tapage"]), ("null_values", [person]), ("label", person),
        ("column", person), ("pattern", person), ("extract", person), ("unit", person),
        ("format", person), ("separator", person), ("minimum", person), ("type", person),
    ):  # fmt: skip
        yield key, {**contract, "fields": {**fields, "nature": {**listed, key: value}}}
    form = {"type": "str", "pattern": person}
    yield "a pattern", {**contract, "fields": {**fields, "forme": form}}
    yield "a refused column", {**contract, "refused": {person: person}}
    yield "a title", {**contract, "title": person, "caveats": [person]}
    yield "file", {**contract, "file": dict.fromkeys(("format", "encoding", "separator"), person)}
    edition = {"version": person, "file": contract["file"], "columns": {"nature": person},
               "values": {"nature": {person: person}}}  # fmt: skip
    yield "an edition", {**contract, "editions": [edition]}
    yield "several", {**contract, "key": person, "since": person, "timezone": [person]}


def test_a_contract_that_is_refused_quotes_no_word_that_was_copied(
    place: Path, people: People
) -> None:
    """What the battery gives as an example is its own, and taken away before one looks."""
    path = pack(place) / "contracts/faits.yaml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    matcher, said = Matcher(people.persons), []
    examples = sorted({f"« {one} »" for texts in battery.PERSONS.values() for one in texts})
    refused: Counter[str] = Counter()
    for person in people.persons:
        for where, content in places(contract, person):
            try:
                validated(Contract, content, "contrat faits.yaml")
            except PhareError as error:
                refused[where] += 1
                said.append(str(error))
    bare = re.sub("|".join(map(re.escape, examples)), "", "\n".join(said))
    assert not matcher.found(bare.encode())
    assert refused["a pattern"] > len(people.persons) / 10
    assert refused["minimum"] == refused["type"] == refused["file"] == len(people.persons)


def test_a_list_and_a_text_of_a_pack_are_refused_by_their_rank(place: Path, people: People) -> None:
    """Four zones, and four titles, at a time."""
    matcher, refused, said = Matcher(people.persons), 0, []
    about, listed = pack(place) / "city.yaml", pack(place) / "lists/secteurs.csv"
    before = about.read_text(encoding="utf-8")
    for first in range(0, len(people.persons), ZONES):
        some = people.persons[first : first + ZONES]
        told = {"start": "2024-06-01", "told_by": "Ville"}
        milestones = [{"title": person, **told} for person in some]
        text = f"{before}milestones: {json.dumps(milestones)}\n"
        about.write_text(text, encoding="utf-8")
        with listed.open("w", encoding="utf-8", newline="") as file:
            named = ((f"S{i}", one) for i, one in enumerate(some, start=1))
            csv.writer(file).writerows([("code", "nom"), *named])
        for check in (own_lists.check, own_texts.check):
            try:
                check(City(pack(place)))
            except PhareError as error:
                refused += "valeur n°" in error.where or "milestones" in error.where
                said.append(str(error))
    assert not matcher.found("\n".join(said).encode())
    assert refused > len(people.persons) / (2 * ZONES)


def test_an_audit_names_the_changed_files_that_the_last_commit_holds_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file not yet in git may be called after somebody, or like a pattern of others."""
    git = ("git", "-c", "user.name=essai", "-c", "user.email=essai@exemple.invalid", "-C")
    (tmp_path / "notebooks").mkdir()
    for name in ("params.yaml", "dvc.yaml", "notebooks/trends.ipynb"):
        (tmp_path / name).write_text("{}\n", encoding="utf-8")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "essai")):
        subprocess.run([*git, str(tmp_path), *words], check=True)
    (tmp_path / "params.yaml").write_text("a: 1\n", encoding="utf-8")
    for name in ("Yann Kermadec.ipynb", "tr*.ipynb"):
        (tmp_path / "notebooks" / name).write_text("{}\n", encoding="utf-8")
    staged = tmp_path / "notebooks" / "kermadec.ipynb"
    staged.write_text("{}\n", encoding="utf-8")
    subprocess.run([*git, str(tmp_path), "add", "notebooks/kermadec.ipynb"], check=True)
    monkeypatch.setattr(audit, "find_root", lambda: tmp_path)
    monkeypatch.setattr(ground, "check", lambda _: None)
    assert audit.main([]) == 2
    said = capsys.readouterr().err
    assert "4\u00a0fichiers hors du dernier commit" in said
    assert "params.yaml" in said
    assert "trends" not in said
    assert "ermadec" not in said
