"""Nothing that designates a person is written, by any field of any kind, in a value or a name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.parts.crowd import register_at

from helpers.core.base.errors import PhareError
from helpers.register.entries import draft
from helpers.register.register import Register
from tests.fixtures.people import Matcher, People
from tests.register.made import KINDS, content, made

Put = Callable[[str], dict[str, Any]]


def places(told: Any, whole: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Put]:
    """Yield what puts a text in the place of each value, and of each name, of a draft."""
    if isinstance(told, dict):
        for name, value in told.items():
            yield lambda text, at=path: changed(whole, at, lambda d: {**d, text: text})
            yield lambda text, at=path, n=name: changed(
                whole, at, lambda d: {text if k == n else k: v for k, v in d.items()}
            )
            yield from places(value, whole, (*path, name))
    yield lambda text: changed(whole, path, lambda _: text)
    yield lambda text: changed(whole, path, lambda _: [text])
    yield lambda text: changed(whole, path, lambda _: {"text": text})


def changed(whole: Any, path: tuple[str, ...], change: Callable[[Any], Any]) -> Any:
    if not path:
        return change(whole)
    return {**whole, path[0]: changed(whole[path[0]], path[1:], change)}


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_takes_a_person(kind: str, people: People, tmp_path: Path) -> None:
    whole = json.loads(json.dumps({**content(kind, supersedes=1), "key": "0" * 32}))
    puts = list(places(whole, whole))
    assert len(puts) > 25
    register = register_at(f"sqlite:///{tmp_path}/un/essai.sqlite")
    register.append(made("problem"))
    said = set()
    for text in people.persons:
        for put in puts:
            with pytest.raises(PhareError) as error:
                register.append(draft(json.dumps(put(text))))
            said.add(str(error.value))
    assert len(register.rows()) == 1
    matcher = Matcher(people.persons)
    assert not matcher.found("\n".join(said).encode())


def test_the_only_text_that_a_model_leaves_open_is_refused_by_the_register(
    people: People, tmp_path: Path
) -> None:
    """A theme's name has its form; which names there are, the city says."""
    register = register_at(f"sqlite:///{tmp_path}/un/essai.sqlite")
    register.append(made("problem"))
    tried = 0
    with pytest.raises(PhareError, match=r"valeur refusée : payload\.action\.criterion\.theme"):
        made("action", criterion={"theme": "Yann Kermadec", "fall": 0.2})
    for text in (*people.persons, "kermadec", "ptebboune", "yann_kermadec", "ab123cd"):
        try:
            one = made("action", criterion={"theme": text, "fall": 0.2})
        except PhareError:
            continue
        tried += 1
        with pytest.raises(PhareError) as error:
            register.append(one)
        assert text not in str(error.value)
    assert tried >= 4


def test_a_draft_put_together_without_its_model_is_judged_again(register: Register) -> None:
    """Who builds the objects around their checks meets them at the register."""
    one = made("measure_taken")
    payload = one.payload.model_copy(update={"state": "Yann Kermadec"})
    for forged in (
        one.model_copy(update={"subject": "Yann Kermadec"}),
        one.model_copy(update={"payload": payload}),
        one.model_copy(update={"role": "Yann Kermadec"}),
    ):
        with pytest.raises(PhareError) as error:
            register.append(forged)
        assert "Kermadec" not in str(error.value)
    assert register.rows() == []


def test_a_file_holds_none_after_all_were_tried(people: People, tmp_path: Path) -> None:
    register = register_at(f"sqlite:///{tmp_path}/un/essai.sqlite")
    for text in people.persons:
        for kind in KINDS:
            for name in ("subject", "role", "key"):
                with pytest.raises(PhareError):
                    register.append(made(kind, **{name: text}))
    matcher = Matcher(people.persons)
    for path in sorted((tmp_path / "un").iterdir()):
        assert not matcher.found(path.read_bytes()), path.name
