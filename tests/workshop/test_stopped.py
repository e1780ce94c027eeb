"""Commands that a disk, a limit, a signal or a broken file stops: one sentence, nothing half made.

Real processes; the system's own limits and signals, not ours.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.collect import collect
from helpers.core.base import aside
from helpers.core.base.errors import PhareError
from helpers.workshop import elsewhere, new, run_city
from tests.fixtures.real import ROOT
from tests.workshop.conftest import pack

Told = subprocess.CompletedProcess[str]
# `make new-city`, in which the process gets a signal once the pack is half made.
CUT = """\
import os, shutil, sys
from helpers.core.base import commands
from helpers.workshop import new
real = shutil.copytree
def cut(*given, **named):
    made = real(*given, **named)
    os.kill(os.getpid(), int(sys.argv[1]))
    return made
shutil.copytree = cut
commands.begin()
sys.exit(new.main(["city", "coupee"]))
"""


@pytest.fixture
def place(place: Path) -> Path:
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, place / name)
    return place


def python(
    place: Path, *words: str, before: Callable[[], object] | None = None, **env: str
) -> Told:
    return subprocess.run(
        [sys.executable, *words], cwd=place, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1", **env},
        preexec_fn=before,
    )  # fmt: skip


def command(place: Path, name: str, *words: str) -> Told:
    return python(place, "-m", f"helpers.workshop.{name}", *words)


def one_sentence(told: Told, said: str, code: int = 1) -> None:
    lines = told.stderr.splitlines()
    assert told.returncode == code, told
    assert [line[:9] for line in lines] == ["Erreur : ", "  où     ", "  à faire"], told.stderr
    assert said in told.stderr


def held(place: Path) -> dict[str, bytes]:
    cities = place / "data/cities"
    return {str(p.relative_to(cities)): p.read_bytes() for p in cities.rglob("*") if p.is_file()}


def small_files() -> None:
    """A full disk, as a process feels it: no file may grow beyond some bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))


@pytest.mark.parametrize("words", [
    ("city", "pleine"), ("source", "bornes", "--city", "port_neuf"),
    ("theme", "appels", "--city", "port_neuf"),
])  # fmt: skip
def test_full_disk_leaves_the_packs_as_they_were(words: tuple[str, ...], place: Path) -> None:
    """Written over in place, a file of the pack would be cut, and could not be put back."""
    before = held(place)
    told = python(place, "-m", "helpers.workshop.new", *words, before=small_files)
    one_sentence(told, "disque est plein")
    assert held(place) == before


def test_full_disk_is_not_taken_for_a_file_that_cannot_be_read(place: Path) -> None:
    file = pack(place) / "livraison/faits.csv"
    words = ("source", "plus", "--city", "port_neuf", "--file", str(file))
    told = python(place, "-m", "helpers.workshop.new", *words, before=small_files)
    one_sentence(told, "disque est plein")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_stopped_new_city(number: signal.Signals, place: Path) -> None:
    """No half city under its name; what is left beside goes with the next command."""

    def heard() -> None:
        for sign in (signal.SIGHUP, signal.SIGINT):
            signal.signal(sign, signal.default_int_handler if sign == 2 else signal.SIG_DFL)

    before = held(place)
    told = python(place, "-c", CUT, str(int(number)), before=heard)
    assert "Traceback" not in told.stderr
    cities = place / "data/cities"
    assert not (cities / "coupee").exists()
    left = list(cities.glob(".*"))
    assert bool(left) == (number == signal.SIGKILL)
    run_city.find_pack(place, "port_neuf")
    assert held(place) == before
    assert list(cities.glob(".*")) == []
    assert new.new_city(place, "coupee")


@pytest.mark.parametrize("where", [".", "contracts", "lists", "livraison"])
def test_what_a_killed_command_left_in_a_pack_is_swept_but_not_what_one_holds(
    where: str, place: Path
) -> None:
    folder = pack(place) / where
    (folder / ".phare-mort.part").mkdir()
    with aside.folder(folder) as working:
        run_city.find_pack(place, "port_neuf")
        assert list(folder.glob(".phare-*")) == [working]
    assert list(folder.glob(".phare-*")) == []


def test_written_whole_through_a_link_with_its_rights(tmp_path: Path) -> None:
    file, link = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_text("avant")
    file.chmod(0o640)
    link.symlink_to(file)
    aside.write(link, b"apres")
    assert link.is_symlink()
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("apres", 0o640)
    with pytest.raises(IsADirectoryError):
        aside.write(tmp_path, b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.yaml", "b.yaml"]


LOCKS = [
    "",
    "stages: [a]\n",
    "<<<<<<< HEAD\nschema: '2.0'\n=======\n>>>>>>> x\n",
    "stages:\n  a: {",
]


@pytest.mark.parametrize("text", LOCKS)
def test_lock_of_dvc_that_cannot_be_read(text: str, place: Path) -> None:
    """A merge that is not finished, or a file cut short: told, and no city is held meanwhile."""
    (place / "dvc.lock").write_text(text, encoding="utf-8")
    before = held(place)
    with (
        pytest.raises(PhareError, match="verrou de DVC ne se lit pas") as told,
        run_city.held_for(place, "port_neuf"),
    ):
        pass
    assert "git checkout HEAD -- dvc.lock" in told.value.todo
    assert held(place) == before


def test_evidence_cut_short(place: Path) -> None:
    """Exit code 2, not the 1 that says that a figure differs."""
    run_city.activate(place, "port_neuf")
    cut = place / "data/port_neuf/figures/trends/weekly.evidence.json"
    cut.parent.mkdir(parents=True)
    cut.write_text('{"figure": "week', encoding="utf-8")
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=e", "-c", "user.email=e@localhost", "commit", "-qm", "e"],
    ):
        subprocess.run(["git", "-C", str(place), *words], check=True)  # fmt: skip
    told = command(place, "refigure", "weekly")
    one_sentence(told, "preuve d'une figure ne se lit pas", code=2)
    assert "trends@port_neuf" in told.stderr


def test_paths_that_name_no_file_are_told(place: Path) -> None:
    loop = place / "boucle.csv"
    loop.symlink_to(loop)
    tries = {
        "trop long": ("city", "a" * 300),
        "tourne en rond": ("source", "b", "--city", "port_neuf", "--file", str(loop)),
    }
    before = held(place)
    for said, words in tries.items():
        one_sentence(command(place, "new", *words), said)
    assert held(place) == before


def test_folder_left_without_a_working_folder(place: Path) -> None:
    gone = "import os, sys; os.mkdir('x'); os.chdir('x'); os.rmdir('../x'); "
    told = python(place, "-c", gone + "from helpers.workshop import new; "
                  "sys.exit(new.main(['city', 'autre']))")  # fmt: skip
    one_sentence(told, "n'existe plus")


def test_reader_that_went_away_and_a_terminal_without_accents(place: Path) -> None:
    """`… | head -1`, and a terminal that has no French: neither is a defect."""
    says = (
        "import sys; from helpers.core.base import commands; commands.begin()\n"
        "@commands.told\ndef main():\n    print('réglé à « 1 »\\n' * 20000)\n    return 0\n"
        "sys.exit(main())"
    )
    told = python(place, "-c", says, PYTHONIOENCODING="ascii")
    assert (told.returncode, told.stderr) == (0, "")
    piped = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "$1" | head -1; echo ${{PIPESTATUS[0]}}', "x", says],
        cwd=place, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert piped.stderr == ""
    assert piped.stdout == "réglé à « 1 »\n141\n"


@pytest.mark.parametrize("names", [["a:b"], ["a:b", "c d"], ["été", "#x"]])
def test_folders_given_whatever_their_names(
    names: list[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run elsewhere (audit, figure) is given what this one found, a colon in it or not."""
    places = [(place / name).resolve() for name in names]
    for one in places:
        one.mkdir()
    monkeypatch.setenv(collect.FROM, collect.joined(places))
    assert collect.given() == places


def test_city_whose_folder_has_a_colon_is_done_again_elsewhere(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = pack(place).rename(place / "ville: nord")
    with (moved / "city.yaml").open("a", encoding="utf-8") as file:
        file.write("folders: [templates]\n")
    run_city.activate(place, str(moved))
    found = elsewhere.received_folders(place, "port_neuf")
    assert found is not None
    monkeypatch.setenv(collect.FROM, found)
    assert collect.received(collect.given(), "secteurs.geojson") != []


@pytest.mark.parametrize("given", ["absent", "dvc.yaml", "data:absent"])
def test_from_that_is_no_folder_is_told_before_anything_runs(
    given: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv(collect.FROM, given)
    run_city.activate(place, "port_neuf")
    with pytest.raises(PhareError, match="FROM ne donne pas un dossier"):
        run_city.check(place, "port_neuf")


def test_register_that_is_gone(place: Path) -> None:
    (place / "data/cities/active.yaml").unlink()
    with pytest.raises(PhareError, match="registre des villes manque") as told:
        run_city.find_pack(place, "port_neuf")
    assert "git checkout" in told.value.todo


def test_installation_under_a_colon_is_not_taken_for_a_missing_venv(tmp_path: Path) -> None:
    """Python makes no environment there, and says so in English."""
    folder = tmp_path / "dossier:x"
    folder.mkdir()
    words = ["bash", str(ROOT / "scripts/install"), sys.executable]
    told = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "contient « : »" in told.stdout
    assert list(folder.iterdir()) == []
