"""Every string that designates a person, everywhere one may stand: none is in anything we leave.

One city, one whole run, after a stage that failed and an import that was killed. Whatever was
written or printed is then searched for each string, in each way that our tools write one (as it
is, in HTML, JSON, an address, UTF-16; packed, in Parquet, in base 64). None is left out.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from helpers.collect import gate
from helpers.connect import hours, mqtt
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import parse
from helpers.core.city import key
from helpers.core.city.about import CityFile
from helpers.core.city.contract import Contract
from helpers.workshop.elsewhere import copy_workspace
from tests.fixtures.people import Matcher, People, cells_of, decoded
from tests.fixtures.real import ROOT
from tests.fixtures.servers import wait_for
from tests.journeys.people.everywhere import (
    FORMS,
    NAME,
    PACKED,
    broken,
    deliver,
    file_names,
    write_pack,
)
from tests.journeys.place import ALL, Place, stages_run

RAISES = """
import json, sys, warnings
from pathlib import Path
received = (run.city.pack / "livraison/csv_2024.csv").read_text(encoding="utf-8")
print(received, file=sys.stderr)
warnings.warn(received)
try:
    json.loads(received)
except ValueError as error:
    raise KeyError(received) from error
"""


@dataclass
class Left:
    """What the runs left: a workspace, a folder for what is of the moment, and what they said."""

    place: Place
    moment: Path
    said: dict[str, str] = field(default_factory=dict)
    in_the_moment: bool = False  # whether the killed import had a received file in `moment`
    left_by: dict[int, int] = field(default_factory=dict)  # received files left, by signal
    tracked: set[str] = field(default_factory=set)  # files of the project that no run has changed

    @property
    def root(self) -> Path:
        return self.place.root

    def run(self, name: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        done = self.place.python(*arguments, TMPDIR=str(self.moment), **env)
        self.said[name] = done.stdout + done.stderr
        return done


@pytest.fixture(scope="module")
def left(
    people: People, warmed: tuple[tuple[str, str], ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Left]:
    """The city, run: a stage that fails, an import that is killed, then all of it."""
    root = tmp_path_factory.mktemp("door") / "phare"
    copy_workspace(ROOT, root, with_changes=True)
    (root / "dvc.lock").unlink(missing_ok=True)
    pack = root / "data/cities" / NAME
    write_pack(pack, people)
    deliver(pack / "livraison", people)
    register = f"cities:\n  {NAME}:\n    pack: data/cities/{NAME}\n"
    (root / "data/cities/active.yaml").write_text(register, encoding="utf-8")
    # Short: sockets lie there. Away from the others': all that is there is ours.
    with tempfile.TemporaryDirectory(prefix="porte-") as moment:
        here = Left(Place(root, warmed), Path(moment))
        _fail(here)
        for number in (signal.SIGTERM, signal.SIGKILL):
            _kill(here, people, number)
        here.run("status", "helpers.workshop.status", NAME)
        here.said["swept"] = " ".join(path.name for path in here.moment.iterdir())
        done = here.run("run", "helpers.workshop.run_city", NAME)
        assert done.returncode == 0, done.stdout + done.stderr
        here.run("status after", "helpers.workshop.status", NAME, "--json")
        more = pack / "livraison" / f"csv_{people.persons[0]}_2.csv"
        shutil.copy(pack / "livraison/csv_2024.csv", more)
        here.run("status of more", "helpers.workshop.status", NAME, "--json")
        _ask(here, people)
        yield here


def _ask(here: Left, people: People) -> None:
    """Give the commands that look at what was received, or tell what was made of it, to a pipe."""
    pack = here.root / "data/cities" / NAME
    here.run("status told", "helpers.workshop.status", NAME)
    here.run("codes", "helpers.workshop.codes", "csv", "--city", NAME)
    given = str(pack / "livraison" / file_names(people, "csv")[0])  # all at once are no header
    here.run("draft", "helpers.workshop.new", "source", "ebauche", "--city", NAME, "--file", given)
    changed = {*here.place.git("diff", "--name-only", "-z", "HEAD").split("\0")}
    here.tracked = {*here.place.git("ls-files", "-z").split("\0")} - changed
    here.place.git("add", "-A")  # an audit starts from a commit
    here.place.git("commit", "-q", "-m", "la ville livrée")
    with tempfile.TemporaryDirectory() as folder:  # where nothing was made: each file is told
        (Path(folder) / "phare").mkdir()
        shutil.copy(here.root / "dvc.lock", Path(folder) / "phare")
        name = next((here.root / "data" / NAME / "figures").glob("*/*.evidence.json")).name
        figure = name.removesuffix(".evidence.json")
        for command, *words in (
            ("audit", NAME, "--no-cells"),
            ("refigure", figure, "--city", NAME),
        ):
            done = here.place.again(command, *words, copy=Path(folder), made=True)
            here.said[command] = done.stdout + done.stderr


def _fail(here: Left) -> None:
    """Run with a stage that stops, saying all that was received."""
    notebook = here.root / "notebooks/sources/collect.ipynb"
    text = notebook.read_text(encoding="utf-8")
    content = json.loads(text)
    cell = next(c for c in content["cells"] if "collect.collect(" in "".join(c["source"]))
    cell["source"] = RAISES.splitlines(keepends=True)
    notebook.write_text(json.dumps(content), encoding="utf-8")
    done = here.run("failed", "helpers.workshop.run_city", NAME)
    assert done.returncode == 1, done.stdout + done.stderr
    shutil.copytree(here.root / "data" / NAME / "failed", here.root / "data" / NAME / "failed_then")
    notebook.write_text(text, encoding="utf-8")


class _Slow(BaseHTTPRequestHandler):
    """Serves half of a file, then nothing more."""

    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(2 * len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)
        self.wfile.flush()
        threading.Event().wait(60)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _kill(here: Left, people: People, number: signal.Signals) -> None:
    """Stop an import, by signal, while a file with all the persons is being downloaded.

    SIGKILL leaves the file behind, and is sent last.
    """
    pack = here.root / "data/cities" / NAME
    hidden = pack / "livraison" / "csv_2024.csv"
    handler = type("Slow", (_Slow,), {"content": hidden.read_bytes()})
    away = pack.parent.parent / "away"
    (pack / "livraison").rename(away)
    about = (pack / "city.yaml").read_text(encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = yaml.safe_load(about)
        address = f"http://127.0.0.1:{server.server_port}/"
        told["sources"] = {
            name: {"file": f"{name}.{'geojson' if name == 'carres' else name}", "url": address}
            for name in told["sources"]
        }
        (pack / "city.yaml").write_text(yaml.safe_dump(told, allow_unicode=True), "utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.core.stage.execute", "collect", NAME],
            cwd=here.root,
            env={**here.place.environment(), "TMPDIR": str(here.moment), "PHARE_FETCH": "1",
                 "PHARE_WARM": ""},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

        def received() -> list[Path]:
            return [p for p in here.moment.glob("phare-*/carres.geojson") if p.stat().st_size]

        wait_for(lambda: bool(received()), "download")
        matcher = Matcher(people.persons)
        here.in_the_moment = bool(matcher.found(received()[0].read_bytes()))
        if number == signal.SIGKILL:
            os.kill(int(received()[0].parent.name.split("-")[1]), number)  # the kernel
        process.send_signal(number)
        here.said[f"killed by {number.name}"] = process.communicate()[0]
        here.left_by[number] = len(received())
        server.shutdown()
    (pack / "city.yaml").write_text(about, encoding="utf-8")
    away.rename(pack / "livraison")


def artefacts(here: Left) -> Iterator[Path]:
    """Yield every file that is neither the project's own nor delivered.

    What Python compiled is the tracked code, whose comments have made-up names.
    """
    given = (here.root / "data/cities" / NAME / "livraison", here.root / ".git")
    for path in (*here.root.rglob("*"), *here.moment.rglob("*")):
        inside = any(path.is_relative_to(folder) for folder in given)
        name = path.relative_to(here.root).as_posix() if path.is_relative_to(here.root) else ""
        inside |= path.parent.name == "__pycache__"
        if path.is_file() and not inside and name not in here.tracked:
            yield path


def test_the_trap_is_set(left: Left, people: People) -> None:
    """What follows proves something: the deliveries hold every string, and all the stages ran."""
    assert len(people.persons) > 200
    matcher = Matcher(people.persons)
    delivered = sorted((left.root / "data/cities" / NAME / "livraison").iterdir())
    for form in FORMS:
        kept = "dbf" if form == "shp" else form
        path = next(path for path in delivered if path.name == f"{form}_2024.{kept}")
        found = set().union(*(matcher.found(text) for text in decoded(path)))
        assert found == set(people.persons), form
    assert matcher.found("\n".join(path.name for path in delivered).encode())
    assert len(delivered) > len(people.persons)
    assert left.in_the_moment, "the killed import had a file as received"
    assert stages_run(left.said["run"]) == ALL
    assert "KeyError" in left.said["failed"]


def test_no_person_is_in_any_file(left: Left, people: People) -> None:
    matcher = Matcher(people.persons)
    seen, looked = set(), 0
    for path in artefacts(left):
        for content in decoded(path):
            looked += len(content)
            if hash(content) in seen:  # a result and its copy in the cache
                continue
            seen.add(hash(content))
            assert not matcher.found(content), path
        assert not matcher.found(str(path.relative_to(path.anchor)).encode()), path
    assert looked > 10_000_000
    assert len(seen) > 150


def test_no_person_is_a_whole_value(left: Left, people: People) -> None:
    """Cells of tables and texts of JSON, one by one: what a search of bytes might miss."""
    persons, tables = set(people.persons), 0
    for path in artefacts(left):
        content = path.read_bytes()
        if content[:4] == b"PAR1":
            tables += 1
            for cells in cells_of(pq.read_table(path)):
                assert not persons & {*cells}, path
        elif path.suffix in (".json", ".ipynb"):
            assert not persons & {*_texts(json.loads(content))}, path
    assert tables > 30


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from (name, *_texts(one))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


def test_no_person_is_in_what_was_printed(left: Left, people: People) -> None:
    """On a terminal alone `make codes` shows words: tests/workshop/test_told_of_persons.py."""
    for name, proof in {
        "status told": "lignes =", "codes": "(mot montré sur un terminal seulement)",
        "draft": "contracts/ebauche.yaml", "audit": f"data/{NAME}/accepted/csv.parquet",
        "refigure": "Première divergence",
    }.items():  # fmt: skip
        assert proof in left.said[name], left.said[name]
    matcher = Matcher(people.persons)
    for name, text in left.said.items():
        assert not matcher.found(text.encode()), name


def test_what_was_left_by_a_killed_import_is_swept_by_the_next_command(left: Left) -> None:
    assert "phare-" not in left.said["swept"]


def test_an_import_that_is_asked_to_stop_leaves_no_received_file(left: Left) -> None:
    assert left.left_by[signal.SIGKILL] == 1  # else what follows proves nothing
    assert left.left_by[signal.SIGTERM] == 0


def test_dvc_sees_a_delivery_more_though_it_knows_no_name(left: Left) -> None:
    before, after = (
        json.loads(left.said[name])["stages"]["collect"]["state"]
        for name in ("status after", "status of more")
    )
    assert (before, after) == ("done", "changed")


def test_what_stopped_is_told_without_its_values(left: Left) -> None:
    stopped = json.loads((left.root / f"data/{NAME}/failed_then/collect.ipynb").read_text())
    outputs = [o for c in stopped["cells"] for o in c.get("outputs", [])]
    (error,) = [one for one in outputs if one["output_type"] == "error"]
    assert error["ename"] == "KeyError"
    assert error["evalue"] == redact.UNSAID
    assert any("Cell In" in line for line in error["traceback"])


def test_what_a_list_holds_is_kept(left: Left, people: People) -> None:
    for form in FORMS:
        table = pq.read_table(left.root / f"data/{NAME}/accepted/{form}.parquet", columns=["lieu"])
        places = set(table["lieu"].drop_null().to_pylist())
        assert places == set(people.clean), form


def test_rows_are_counted_and_files_and_columns_told_by_hash(left: Left, people: People) -> None:
    receipts = json.loads((left.root / f"data/{NAME}/raw/receipts.json").read_text("utf-8"))
    files = receipts["csv"]["files"]
    assert len(files) == 1 + len(file_names(people, "csv")) + len(PACKED)
    assert len({one["sha256"] for one in files}) == len(files)
    assert sum(one["rows"] == len(people.persons) for one in files) == len(PACKED)
    names = {one["file"] for one in files}
    assert "csv_2024.csv" in names
    assert all(name.startswith("livraison n° ") for name in names - {"csv_2024.csv"})
    assert len(receipts["csv"]["columns_not_named"]) == len(people.persons)
    told = {*receipts["csv"]["columns_not_named"]}
    for form in ("json", "jsonl", "geojson", "parquet", "xlsx"):  # a column that is met again
        assert {*receipts[form]["columns_not_named"]} == told, form


# ---- Messages of errors, without a run


@pytest.mark.parametrize("form", FORMS)
def test_no_error_quotes_a_person(form: str, people: People, tmp_path: Path) -> None:
    write_pack(tmp_path / NAME, people)
    written = (tmp_path / NAME / f"contracts/{form}.yaml").read_text(encoding="utf-8")
    door = gate.Gate(key.public("essai"), 10)
    matcher, told = Matcher(people.persons), 0
    for path, changes in broken(tmp_path / "livraison", form, people):
        about = Contract(**yaml.safe_load(written) | changes)
        with pytest.raises(PhareError) as caught:
            gate.take_in(door, about, [path], tmp_path / "raw", [f"{form}_*.{form}"])
        for text in (str(caught.value), redact.trace(caught.value)):
            assert not matcher.found(text.encode()), text
        assert "livraison n° 1" in caught.value.where
        told += 1
    assert told >= 3


def test_no_topic_and_no_message_of_a_camera_is_kept(people: People, tmp_path: Path) -> None:
    cameras = {"cam1": hours.Camera("cam1", "Z1", frozenset())}
    ledger = hours.Ledger(tmp_path, "vsi", cameras, beats=60)
    place = mqtt.broker("mqtt://127.0.0.1/ville", "essai", "vsi")
    listener = mqtt.Listener(place, ledger, key.public("essai"), heartbeat="battement")
    for person in people.persons:
        event = {"UtcTime": person, "Source": {"VideoSource": person}, "Data": {person: person}}
        now = {**event, "UtcTime": "2024-05-06T12:00:00Z"}
        for topic in (
            person, f"ville/{person}/battement", f"{person}/onvif-ej/{person}",
            f"ville/{person}/onvif-ej/RuleEngine/LineDetector/Crossed&/{person}",
        ):  # fmt: skip
            for payload in (event, now):
                listener.hear(topic, json.dumps(payload).encode())
    ledger.flush()
    ledger.close(listener._now())
    matcher = Matcher(people.persons)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not matcher.found(path.read_bytes() + str(path.name).encode()), path


def test_a_pack_that_cannot_be_read_quotes_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    address = "https://nom:motdepasse@exemple.invalid/api/9f8e7d6c5b4a39281706f5e4?jeton=abc123"
    for text in (
        f"url: {address}\n\t- x", f"url: '{address}", f"url: {address}\nurl: {address}",
        f"sources: [{address}", f"sources: {{a: {{url: {{x: '{address}'}}}}}}", f"name: {address}",
    ):  # fmt: skip
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PhareError) as caught:
            parse(CityFile, path, "essai/city.yaml")
        for secret in ("motdepasse", "abc123", "9f8e7d"):
            assert secret not in redact.trace(caught.value)


def test_matcher_finds_each_string_in_each_form(people: People) -> None:
    matcher = Matcher(people.persons)
    table = pa.table({"x": pa.array(people.persons)})
    for person in people.persons:
        for text in (f"<p>{person}</p>", json.dumps([person])):
            assert person in matcher.found(b"avant " + text.encode() + b" apres")
    assert set().union(*(matcher.found("\n".join(c).encode()) for c in cells_of(table))) == set(
        people.persons
    )
    assert matcher.found(b"rien ici, personne") == set()
