"""A snapshot that was changed or cut is noticed: by `register-check`, and before a run reads it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.register import delivered, settings, snapshot
from helpers.register.register import Register, open_register
from helpers.workshop import register as command
from helpers.workshop import run_city
from tests.fixtures.given import city_of
from tests.fixtures.real import ROOT
from tests.register.made import made

Change = Callable[[bytes], bytes]


def line(number: int, change: Change) -> Change:
    """Return what changes the line of that number alone."""

    def changed(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        lines[number] = change(lines[number])
        return b"".join(lines)

    return changed


def swapped(number: int, old: bytes, new: bytes) -> Change:
    return line(number, lambda told: told.replace(old, new, 1))


def without(*numbers: int) -> Change:
    return lambda content: b"".join(
        one for number, one in enumerate(content.splitlines(keepends=True)) if number not in numbers
    )


# What changes a file → what is told of it.
CHANGES: dict[str, tuple[Change, str]] = {
    "a state": (swapped(4, b"prise", b"a_faire"), "inscription 4 : autre que"),
    "an opinion": (swapped(3, b"approved", b"refused"), "inscription 3 : autre"),
    "a role": (swapped(2, b"direction", b"elu"), "inscription 2 : autre que"),
    "a moment": (swapped(1, b"20", b"21"), "inscription 1 : autre que"),
    "a number": (line(4, lambda one: b" " + one), "inscription 4 : autre que"),
    "a name": (swapped(4, b"barrieres", b"Kermadec"), "inscription 4 : autre"),
    "in the middle": (without(2, 3), "inscription 2 : autre que"),
    "the first": (without(1), "inscription 1 : autre que"),
    "all but the header": (lambda c: c.splitlines(keepends=True)[0], "sans inscription"),
    "the header": (without(0), "sans l'en-tête"),
    "within the last line": (lambda c: c[:-9], "coupé avant la fin de sa dernière ligne"),
    "the last line's end": (lambda c: c[:-1], "coupé avant la fin de sa dernière ligne"),
    "nothing": (lambda _: b"", "sans l'en-tête"),
    "a line more": (lambda c: c + c.splitlines(keepends=True)[-1], "va jusqu'à l'inscription 5"),
    "an empty line": (lambda c: c + b"\n", "l'instantané va jusqu'à l'inscription 5"),
    "lines as elsewhere": (lambda c: c.replace(b"\n", b"\r\n"), "sans l'en-tête"),
    "a mark before": (lambda c: b"\xef\xbb\xbf" + c, "sans l'en-tête"),
    "no text": (lambda _: b"\xff\xfe\x00", "illisible"),
}  # fmt: skip


@pytest.fixture
def city(tmp_path: Path) -> City:
    for name in ("params.yaml", "dvc.yaml", "templates/source/registre.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return city_of(tmp_path)


@pytest.fixture
def register(tmp_path: Path, city: City) -> Register:
    found = open_register(tmp_path, city.pack)
    theme = {"criterion": {"theme": found.themes[0], "fall": 0.2}}
    for one in (made("problem", **theme), made("action", **theme),
                made("approval", role="elu", entry=2), made("measure_taken")):  # fmt: skip
        found.append(one)
    return found


@pytest.fixture
def file(city: City, register: Register, tmp_path: Path) -> Path:
    """The snapshot of the four entries, a source of the city."""
    path = city.pack / "livraison" / snapshot.FILE
    command.export(register, None, path)
    command.connect(tmp_path, city.pack)
    return path


def looked_at(root: Path, pack: Path) -> None:
    """Look at the city as `make run` and `make data` do before they collect."""
    run_city._check_snapshot(root, City(pack))


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_snapshot_is_noticed(
    change: str, file: Path, city: City, register: Register, tmp_path: Path
) -> None:
    how, said = CHANGES[change]
    whole = file.read_bytes()
    looked_at(tmp_path, city.pack)
    assert "contient l'instantané (jusqu'à 4)" in command.check(register, file)
    file.write_bytes(how(whole))
    assert file.read_bytes() != whole
    for look in (lambda: looked_at(tmp_path, city.pack), lambda: command.check(register, file)):
        with pytest.raises(PhareError) as error:
            look()
        assert said in str(error.value)
        assert "Kermadec" not in str(error.value)
    file.write_bytes(whole)
    looked_at(tmp_path, city.pack)


def test_an_earlier_snapshot_is_still_one(
    file: Path,
    city: City,
    register: Register,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Cut between two lines, it is one as well: how far it goes is told."""
    whole = file.read_bytes()
    looked_at(tmp_path, city.pack)
    assert capsys.readouterr().out == ""
    command.export(register, 2, file)
    assert file.read_bytes() == without(3, 4)(whole)
    looked_at(tmp_path, city.pack)
    assert "jusqu'à l'inscription 2 ; le registre va jusqu'à 4" in capsys.readouterr().out
    assert "contient l'instantané (jusqu'à 2)" in command.check(register, file)


def test_a_snapshot_by_another_name_is_compared_too(file: Path, city: City, tmp_path: Path) -> None:
    about = city.pack / "city.yaml"
    about.write_text(about.read_text("utf-8").replace("registre.csv", "autre*.csv"), "utf-8")
    other = file.with_name("autre_1.csv")
    other.write_bytes(file.read_bytes())
    looked_at(tmp_path, city.pack)
    other.write_bytes(file.read_bytes().replace(b"barrieres", b"fourriere"))
    with pytest.raises(PhareError, match="inscription 4 : autre que"):
        looked_at(tmp_path, city.pack)


def test_a_run_stops_before_anything_is_read(
    file: Path, city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_city, "active_cities", lambda _: {city.about.name: city.pack})
    file.write_bytes(file.read_bytes().replace(b"barrieres", b"fourriere"))
    with pytest.raises(PhareError, match="inscription 4 : autre que dans l'instantané"):
        run_city.check(tmp_path, city.about.name)


@pytest.mark.parametrize("gone", ["the register", "the server"])
def test_who_has_the_snapshot_alone_is_told_that_it_was_not_compared(
    gone: str, file: Path, city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if gone == "the register":
        shutil.rmtree(tmp_path / settings.FOLDER)
    else:
        address = "address: postgresql://127.0.0.1:1/base\n"
        (city.pack / settings.FILE).write_text(address, encoding="utf-8")
    looked_at(tmp_path, city.pack)
    assert capsys.readouterr().out == f"{delivered.NOT_COMPARED}\n"
    assert not (tmp_path / settings.FOLDER).exists() or gone == "the server"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(PhareError, match="coupé"):
        looked_at(tmp_path, city.pack)


def test_a_source_of_that_name_that_is_another_file_is_left_alone(
    city: City, tmp_path: Path
) -> None:
    command.connect(tmp_path, city.pack)
    contract = city.pack / "contracts/registre.yaml"
    contract.write_text(contract.read_text("utf-8").partition("refused:")[0], "utf-8")
    (city.pack / "livraison" / snapshot.FILE).write_text("a,b\n", encoding="utf-8")
    looked_at(tmp_path, city.pack)


@pytest.mark.parametrize("upto", [0, -5, 5, 10**30])
def test_a_number_that_the_register_has_not_is_told(
    upto: int, register: Register, tmp_path: Path
) -> None:
    with pytest.raises(PhareError, match=r"n'a pas d'inscription .* \(dernière : 4\)"):
        command.export(register, upto, tmp_path / "s.csv")
    assert not (tmp_path / "s.csv").exists()


def test_an_empty_register_makes_no_snapshot(city: City, tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="le registre n'a aucune inscription"):
        command.export(open_register(tmp_path, city.pack), None, tmp_path / "s.csv")


@pytest.mark.parametrize("name", ["city.yaml", "essai.sqlite"])
def test_a_snapshot_takes_the_place_of_another_alone(
    name: str, register: Register, tmp_path: Path
) -> None:
    """Not of the register itself, by a slip in TO=."""
    path = tmp_path / name
    path.write_bytes(b"SQLite format 3\x00" * 9)
    with pytest.raises(PhareError, match="un fichier qui n'est pas un instantané"):
        command.export(register, None, path)
    assert path.read_bytes() == b"SQLite format 3\x00" * 9
    path.write_bytes(b"")
    for upto in (None, 2):
        command.export(register, upto, path)
    assert len(snapshot.read(path)) == 2


@pytest.mark.parametrize("place", ["", "absent/\0", "file/s.csv"])
def test_a_place_that_takes_no_file_is_told(place: str, register: Register, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(PhareError, match="l'instantané ne s'écrit pas là"):
        command.export(register, None, tmp_path / place)
    assert not list(tmp_path.glob("*.[0-9]*"))


@pytest.mark.parametrize("place", ["", "absent", "a\0b"])
def test_a_place_without_a_file_is_told(place: str, register: Register, tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="instantané illisible"):
        command.check(register, tmp_path / place)
    with pytest.raises(PhareError, match="fichier illisible"):
        command.add(register, tmp_path / place, "Europe/Paris")


def test_what_people_decide_takes_the_place_of_what_a_simulation_invented(tmp_path: Path) -> None:
    """Entered in the simulated Marseille, it was never read: the invented snapshot was."""
    pack = Path(shutil.copytree(ROOT / "data/cities/marseille", tmp_path / "marseille"))
    assert City(pack).about.sources["registre"].generator
    assert "registre simulé n'est plus lu" in command.connect(ROOT, pack)
    assert City(pack).about.sources["registre"].generator == ""
    assert City(pack).contracts["registre"].publisher == "La ville"
    assert command.connect(ROOT, pack) == ""
