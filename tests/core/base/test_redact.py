"""What may be said of what came from outside; and that nobody says more.

Each error of the connectors and of the door is looked at in the source: what it says is the
project's own words, numbers, names that the contract or city.yaml writes, or comes from `redact`.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from tests.fixtures.real import ROOT

SOURCES = sorted(
    path for room in ("connect", "collect") for path in (ROOT / "src/helpers" / room).glob("*.py")
)
SAYING = {"PhareError", "Passing", "Changed", "Refused", "super().__init__", "print", "sys.exit"}
# What else an error may hold, looked at by a person: numbers; names and texts that the contract or
# city.yaml writes; places and texts made of these. Outside texts go through `redact`.
REVIEWED = {
    "collect/collect": {
        "_places(city)",
        "city.about.how_to_get.strip()",
        "city.about.name",
        "city.pack.name",
        "error.what",
        "i",  # which of the folders given
        "name",
        "todo",
    },
    "collect/gate": {
        "place_of(contract, one.shown)",
        "place_of(contract, shown)",
        "one.edition.file.encoding",
        "one.edition.file.separator",
    },
    "collect/own_lists": {"len(judged)", "len(ranks)", "numbers[0]", "ranks[0]", "todo", "where"},
    "collect/own_texts": {"city.pack.name", "file", "place", "what"},
    "collect/recognise": {  # `_lacking` is handed the first four; `wanted`: fields of the contract
        "absent",
        "contract",
        "edition",
        "shown",
        "wanted",
        "edition.version",
        "mended",
        "place_of(contract, shown)",
        "told",
    },
    "connect/__init__": {"', '.join(DRAWN)", "form", "layout.format"},
    "connect/bytes": {"encoding", "len(members)", "most"},
    "connect/ckan": {"', '.join(sorted(FORMS))", "ask.where", "wrong"},
    "connect/csv": {
        "_todo(path, len(names))",
        "before",
        "fault",
        "last",
        "layout.encoding",
        "layout.separator",
    },
    "connect/datex": {"what"},
    "connect/datex_written": {"', '.join(KINDS)"},
    "connect/geojson": {"row", "rows.index(None)", "start"},
    "connect/geopackage": {"layout.layer", "len(layers)", "row", "suffix"},
    "connect/http": {
        "after",
        "minutes",
        "self.source",
        "self.where",
        "status",
        "todo",
        "token_name(self.source)",
        "what",
        "where",
        "why",
    },
    "connect/json": {"place"},
    "connect/mqtt": {
        "self._place.where",
        "self._refused",
        "str(error)",
        "sys.stderr",
        "token_name(source)",
        "told.city",
        "told.source",
        "wait",
        "where",
    },
    "connect/open311": {"ask.where", "first.rows", "self._ask.where"},
    "connect/opendatasoft": {"ask.where", "self._ask.where"},
    "connect/pages": {"ask.where", "form", "where"},
    "connect/parquet": {"first", "place"},
    "connect/placing": {"row", "what"},
    "connect/postgres": {
        "SAID.get(code, f'lecture de PostgreSQL interrompue (SQLSTATE {redact.code(code)})')",
        "_refusal(str(error))",
        "ask.layout.table",
        "ask.where",
        "what",
    },
    "connect/xlsx": {"fault", "layout.sheet", "len(found)", "top"},
}


def leaves(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the parts of a text that is being made, but for what is written in the source."""
    match node:
        case ast.Constant():
            return
        case ast.JoinedStr(values=parts):
            for part in parts:
                yield from leaves(part)
        case ast.FormattedValue(value=value):
            yield from leaves(value)
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            yield from leaves(left)
            yield from leaves(right)
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield node


def said(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the source of what a module's errors and prints hold, redacted or not."""
    tree = ast.parse(text)
    raised = {id(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.startswith("redact."):  # `raise redact.placed(error, …)`
                continue
            if id(node) in raised or called in SAYING:
                for given in (*node.args, *(one.value for one in node.keywords)):
                    yield from ((node.lineno, ast.unparse(one)) for one in leaves(given))


def is_safe(source: str) -> bool:
    """Tell whether an expression is one of `redact`'s, or the name of a constant."""
    return source.startswith("redact.") or source.rpartition(".")[2].isupper()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_error_says_what_came_from_outside(path: Path) -> None:
    reviewed = REVIEWED.get(f"{path.parent.name}/{path.stem}", set())
    told = [one for one in said(path.read_text(encoding="utf-8")) if not is_safe(one[1])]
    assert [one for one in told if one[1] not in reviewed] == []
    assert reviewed == {source for _, source in told}, "no longer said: take it away from REVIEWED"


@pytest.mark.parametrize(
    "line",
    [
        'raise PhareError(f"colonne {names[0]}", "x", "y")',
        'raise PhareError("x", f"fichier {path.name}", "y")',
        'raise Passing("x", url)',
        "raise PhareError(str(error), where, todo)",
        'raise ValueError(f"valeur {cell}")',
        "print(row)",
    ],
)
def test_a_new_error_that_quotes_is_seen(line: str) -> None:
    told = {source for _, source in said(line)}
    assert [one for one in told if not is_safe(one)]


RUN_OTHERS = ("warm.py", "dvc_side_by_side.py")  # the second is DVC: what it says is read by ours


def test_every_command_begins_discreetly() -> None:
    commands = 0
    for path in sorted((ROOT / "src/helpers").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path.parent.name == "serve" and path.name == "page.py":  # forked by a command
            assert "\n    redact.discreet()" in text
        elif '\nif __name__ == "__main__":' in text and path.name not in RUN_OTHERS:
            assert '\nif __name__ == "__main__":\n    commands.begin()\n' in text, path
            commands += 1
    assert commands > 10


# ---- What it says


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://portail.fr/api/explore/v2.1/catalog/datasets/",) * 2,
        ("https://portail.fr/api/explore/v2.1/catalog/datasets/qpv-2024/",
         "https://portail.fr/api/explore/v2.1/catalog/datasets/…/"),
        ("https://data.fr/accidents_2013_2015_2020.csv", "https://data.fr/….csv"),
        ("https://data.fr/v2/requests.json?start_date=2024-01-01",
         "https://data.fr/v2/requests.json?start_date=…"),
        ("mqtts://serveur:8883/ville", "mqtts://serveur:8883/…"),
        ("https://h.fr/JeanDupont/Jean/Dupont/AB-12-CD/06/12?dupont=1", "https://h.fr/…/…/…/…/…/…?…=…"),
        ("https://nom:secret@h.fr/api?cle=secret&where=x#secret", "https://h.fr/api?…=…&where=…"),
        ("https://h.fr/api?secret", "https://h.fr/api?…=…"),
        ("https://h.fr/data/5e7e104ace2080d9162b61d8/rest", "https://h.fr/data/…/rest"),
        ("https://h.fr/eyJhbGciOiJIUzI1NiJ9.e30.secret/rest", "https://h.fr/…/rest"),
        ("https://h.fr/data;jsessionid=secret/rest", "https://h.fr/…/rest"),
        ("https://h.fr/p%40ss/rest", "https://h.fr/…/rest"),
        ("postgresql://u:secret@base.fr:5432/postgres?sslmode=require",
         "postgresql://base.fr:5432/postgres?sslmode=…"),
        ("http://[::1]:8080/api", "http://[::1]:8080/api"),
        ("secret", "…"), ("jeandupont://jeandupont/api", "…"),
        ("https://[secret/api", "…"), ("https://h:secret/api", "…"),
    ],
)  # fmt: skip
def test_addresses_are_told_without_their_secrets(url: str, told: str) -> None:
    assert redact.address(url) == told
    assert redact.addresses(f"fatal: voir {url} ici").startswith("fatal: voir ")


def test_addresses_in_a_text_of_git_too() -> None:
    text = "fatal: unable to access 'https://nom:secret@h.fr/depot': 403"
    assert "secret" not in redact.addresses(text)


YEARS = "20[0-9]{2}"


@pytest.mark.parametrize(
    "name", ["mc_2024.csv", "mc_2024-03.csv", "mc_20240301.csv", "mc_2024-03-01.csv", "mc_7.csv",
             "mc_007.csv", "mc_.csv", "fixe.csv", "mc__2024.csv"],
)  # fmt: skip
def test_names_of_files_that_city_yaml_describes(name: str) -> None:
    assert redact.file_name(name, ["mc_*.csv", "fixe.csv"], YEARS, 3) == name


@pytest.mark.parametrize(
    "name", ["mc_dupont.csv", "mc_2024_dupont.csv", "mc_0612345678.csv", "mc_12345678.csv",
             "mc_19610312.csv", "mc_1234.csv", "mc_202413.csv", "mc_2024\n.csv", "dupont.csv",
             "mc_2024.csv.dupont", "mc_٢٠٢٤.csv"],
)  # fmt: skip
def test_names_of_files_that_it_does_not(name: str) -> None:
    """By their number, and the pattern that they fit: the pack's own word."""
    fits = name.startswith("mc_") and name.endswith(".csv")
    told = "livraison n° 3 (mc_….csv)" if fits else "livraison n° 3"
    assert redact.file_name(name, ["mc_*.csv", "fixe.csv"], YEARS, 3) == told


def test_names_are_told_where_they_are_named() -> None:
    assert redact.known(["a", "Jean Dupont", "b", "c"], {"a", "b"}) == (
        "a, b, 2 que le contrat ne nomme pas"
    )
    assert redact.known([], {"a"}) == "aucun nom"


CODE = redact.__file__


def test_a_notebook_that_stopped_keeps_places_and_our_own_words() -> None:
    ours = str(PhareError("colonne absente", "source « x »", "vérifier"))
    error = {"output_type": "error", "ename": "PhareError", "evalue": ours, "traceback": [ours]}
    other = {
        "output_type": "error", "ename": "ValueError", "evalue": "Jean Dupont",
        "traceback": [
            "\x1b[0;31mValueError\x1b[0m  Traceback (most recent call last)",
            "Cell \x1b[0;32mIn[3], line 2\x1b[0m\n----> 2 x = 'Jean Dupont'",
            f"File {CODE}:12, in read(path, text)\n    raise ValueError(text)",
            "ValueError: Jean Dupont",
            "File d'attente chez Jean Dupont:21 h",
            "File ~/Jean Dupont.py:3, in lu",
        ],
    }  # fmt: skip
    false = {**other, "ename": "PhareErrorJean"}
    warned = {"output_type": "stream", "name": "stderr", "text": "Jean Dupont"}
    kept = {"output_type": "stream", "name": "stdout", "text": "12 lignes"}
    content = {"cells": [{"cell_type": "code", "outputs": [error, other, false, warned, kept]},
                         {"cell_type": "markdown", "source": "texte"}]}  # fmt: skip
    redact.notebook(content, ROOT)
    told = content["cells"][0]["outputs"]
    assert "Jean Dupont" not in json.dumps(content)
    assert told[0]["evalue"] == ours
    assert told[1]["traceback"][:2] == [
        "Cell In[3], line 2",
        "File src/helpers/core/base/redact.py:12, in read",
    ]
    assert told[-1] == kept


def test_a_process_that_fails_tells_the_place_and_no_value() -> None:
    code = """
from helpers.core.base import commands
commands.begin()
def read(text):
    try:
        int(text)
    except ValueError as error:
        raise KeyError(text) from error
import threading
one = threading.Thread(target=read, args=("Jean Dupont",))
one.start()
one.join()
import logging, warnings
warnings.warn("Jean Dupont")
logging.getLogger("urllib3").error("Jean Dupont")
read("Jean Dupont")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Dupont" not in done.stdout + done.stderr
    assert done.stderr.count("KeyError") == 2
    assert done.stderr.count("ValueError") == 2
    assert re.search(r"line \d+, in read", done.stderr)
    assert "UserWarning" in done.stderr


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b"], ""), ([], "vide"), (["", ""], "vide"), (["a", "", "b", ""], "sans nom : 2, 4"),
        (["a", "b", "a", "b"], "1 et 3, 2 et 4"), (["a", *[""] * 5], "sans nom : 2, 3, 4, …"),
    ],
)  # fmt: skip
def test_a_header_is_told_by_the_places_of_its_columns(names: list[str], said: str) -> None:
    fault = redact.header_fault(names)
    assert said in fault
    assert bool(fault) == bool(said)
    assert "dupont" not in redact.header_fault(["dupont", "dupont"])
