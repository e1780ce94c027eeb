"""Where a city's register lies, by its pack."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.core.base.errors import PhareError
from helpers.register import settings
from helpers.register.register import open_register
from tests.fixtures.given import city_of
from tests.register.conftest import plain
from tests.register.made import made


def pack(folder: Path, text: str) -> Path:
    (folder / settings.FILE).write_text(text, encoding="utf-8")
    return folder


def test_sqlite_unless_the_pack_says_otherwise(tmp_path: Path) -> None:
    url = settings.address(tmp_path, tmp_path, "ici")
    assert url.database == str(tmp_path / "data/.registers/ici.sqlite")
    assert settings.address(tmp_path, pack(tmp_path, "address: ''\n"), "ici") == url


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("address: postgresql://phare:secret@serveur/base", "contient un mot de passe"),
        ("address: postgresql://serveur/base?password=secret", "contient un mot de passe"),
        ("address: postgresql://serveur/base?options=-cfsync=off", "un paramètre inconnu"),
        ("address: mysql://serveur/base", "illisible"),
        ("address: serveur", "illisible"),
        ("adress: postgresql://serveur/base", "clé inconnue : adress"),
        ("address: postgresql://serveur:abc/base", "illisible"),
        ("address: postgresql://serveur:0/base", "illisible"),
        ("address: postgresql://serveur:65536/base", "illisible"),
        ("address: postgresql://serveur/base?port=abc", "illisible"),
        ("address: postgresql://serveur/base?port=1&port=2", "illisible"),
        ("address: postgresql://serveur/base?host=h1&host=h2", "illisible"),
        ("address: postgresql://serveur/x%20password=secret", "illisible"),
        ("{postgresql://phare:secret@serveur/base}", "clé inconnue"),
        ("postgresql://phare:secret@serveur/base:", "clé inconnue"),
        ("&a [*a]", "YAML illisible"),
        ("&a {address: *a}", "YAML illisible"),
        ("[" * 9000, "YAML illisible"),
    ],
)
def test_an_address_that_will_not_do(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PhareError, match=said) as error:
        settings.address(tmp_path, pack(tmp_path, text), "ici")
    assert "secret" not in str(error.value)


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).mkdir()
    with pytest.raises(PhareError, match="ce n'est pas un fichier"):
        settings.address(tmp_path, tmp_path, "ici")


def test_a_link_that_leads_nowhere_begins_no_other_register(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).symlink_to(tmp_path / "absent.yaml")
    with pytest.raises(PhareError, match="fichier absent"):
        settings.address(tmp_path, tmp_path, "ici")


def test_what_an_address_may_say(tmp_path: Path) -> None:
    """One of each that is refused above, as it should be written."""
    said = "postgresql://serveur:5433/base?sslmode=verify-full&host=autre&port=5434"
    url = settings.address(tmp_path, pack(tmp_path, f"address: {said}\n"), "ici")
    assert (url.port, url.query["port"], url.database) == (5433, "5434", "base")
    anchored = "address: &a postgresql://serveur/base\n"
    assert settings.address(tmp_path, pack(tmp_path, anchored), "ici").host == "serveur"


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_city_turns_postgresql_on_by_a_line(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the guide says it: the address in the pack, the password in libpq's own file."""
    address, _, secret = plain(url).partition("?passfile=")
    monkeypatch.setenv("PGPASSFILE", secret)
    city = city_of(tmp_path)
    pack(city.pack, f"address: {address}\n")
    register = open_register(tmp_path, city.pack)
    assert register.append(made("measure_taken")).seq == 1
    assert len(open_register(tmp_path, city.pack).rows()) == 1
    assert not (tmp_path / "data").exists()
