"""What is said of a YAML file that a model refuses: the key, never what may be a secret."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import Field

from helpers.core.base.errors import PhareError
from helpers.core.base.yaml_models import Strict, parse

PASSWORD, PHONE = "s3cr3t-de-la-base", "0751842936"
ADDRESS = f"postgresql://phare:{PASSWORD}@serveur/base"


class Inner(Strict):
    """One source."""

    file: str = Field(default="f.csv", max_length=20)


class Outer(Strict):
    """Sources by their names."""

    title: str = ""
    sources: dict[str, Inner] = Field(default_factory=dict)


def said(folder: Path, text: str) -> str:
    path = folder / "city.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PhareError) as caught:
        parse(Outer, path, "essai/city.yaml")
    return str(caught.value)


@pytest.mark.parametrize("text", [
    f"title: a\n'{ADDRESS}': b\n",
    f"sources:\n  faits:\n    '{ADDRESS}': b\n",
    f"sources:\n  '{ADDRESS}':\n    fil: b\n",
    f"'{ADDRESS}': a\n'{ADDRESS}': b\n",
    f"sources:\n  '{ADDRESS}': {{file: .inf}}\n",
])  # fmt: skip
def test_an_address_typed_where_a_key_stands_is_not_quoted(text: str, tmp_path: Path) -> None:
    told = said(tmp_path, text)
    assert PASSWORD not in told
    assert "serveur" not in told
    assert "essai/city.yaml" in told


@pytest.mark.parametrize("key", [PASSWORD, PHONE, f"nouria_{PHONE}", "Nouria Tebboune"])
def test_an_unknown_key_that_is_no_name_of_a_key_is_not_quoted(key: str, tmp_path: Path) -> None:
    told = said(tmp_path, f"sources:\n  faits:\n    '{key}': b\n")
    assert "clé inconnue : sources.faits.(clé non citée)" in told
    assert key not in told


def test_a_misspelt_key_is_named_with_its_path(tmp_path: Path) -> None:
    told = said(tmp_path, "sources:\n  faits_2024:\n    fichier: b\n    file: a\n")
    assert "clé inconnue : sources.faits_2024.fichier" in told
    assert "« title », ligne 2" in said(tmp_path, "title: a\ntitle: b\n")


def test_a_text_that_is_too_long_is_told_its_limit(tmp_path: Path) -> None:
    told = said(tmp_path, f"sources:\n  faits:\n    file: {'f' * 21}\n")
    assert "valeur refusée (attendu : 20 caractères au plus) : sources.faits.file" in told


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 9)}]\n" for before, one in pairwise("abcdefghi")
)
MERGED = "a: &a {x: 1}\n" + "".join(
    f"{one}: &{one} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
    for before, one in pairwise("abcdefghi")
)


@pytest.mark.parametrize("text", [BOMB, MERGED, "title: &a [*a]\n", "title: &a {b: *a}\n"])
def test_references_that_never_end_are_refused_in_a_sentence(text: str, tmp_path: Path) -> None:
    """Some hundreds of signs that would fill the memory: a billion values."""
    began = time.perf_counter()
    told = said(tmp_path, text)
    assert "YAML illisible" in told
    assert time.perf_counter() - began < 5
    assert ("renvois" in told) == (len(text) > 50)


def test_a_reference_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_text("title: &t essai\nsources: {a: &a {file: *t}, b: *a}\n", encoding="utf-8")
    assert parse(Outer, path, "essai").sources["b"].file == "essai"
