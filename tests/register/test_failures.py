"""A store that stops, at every moment: a sentence, and what is in is known and in once."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from benchmarks.parts import crowd

from helpers.core.base.errors import PhareError
from helpers.register import register as registers
from helpers.register.register import Register, Unreachable
from tests.fixtures import servers
from tests.register.conftest import SECRET, plain
from tests.register.made import made

Commit = Callable[[Any], None]


def killing(url: str, killed: list[int]) -> Callable[[], None]:
    """Return what kills (SIGKILL) a process of the base: the server drops all, and recovers."""
    draws = Random(20263)

    def kill() -> None:
        with psycopg.connect(plain(url), autocommit=True) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                "AND datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid"
            ).fetchall()
        if not found:
            return
        with contextlib.suppress(ProcessLookupError):  # one that ended by itself meanwhile
            pid = draws.choice(found)[0]
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
            servers.wait_for(lambda: answers(url), "postgresql")

    return kill


def answers(url: str) -> bool:
    try:
        psycopg.connect(plain(url), connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_base_killed_over_and_over_loses_nothing(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "dits"
    folder.mkdir()
    killed: list[int] = []
    told = crowd.run(url, folder, 5, disturb=killing(url, killed))
    assert len(killed) >= 3
    assert told.again > 0
    assert len(told.entered) > 5
    assert crowd.lost(crowd.register_at(url), told) == []


def test_an_answer_lost_is_in_doubt_and_the_same_again_enters_once(register: Register) -> None:
    """The store commits and the answer is lost; then it dies before it commits."""
    dialect: Any = register._engine.dialect
    commit: Commit = dialect.do_commit

    def committed(connection: Any) -> None:
        commit(connection)
        raise dialect.loaded_dbapi.OperationalError("lost")

    def not_committed(connection: Any) -> None:
        raise dialect.loaded_dbapi.OperationalError("lost")

    for number, (fails, before) in enumerate(((committed, 1), (not_committed, 1)), 1):
        draft = made("measure_taken", subject=f"e{number:019x}")
        dialect.do_commit = fails
        with pytest.raises(Unreachable, match="l'inscription est peut-être faite") as told:
            register.append(draft)
        assert told.value.entered is None
        dialect.do_commit = commit
        assert len(register.rows()) == before
        assert register.append(draft).seq == number
        assert register.append(draft).seq == number
    assert register.faults() == []


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_connection_cut_before_the_end_enters_nothing(
    url: str, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = registers.rules.check

    def cut(*told: Any) -> None:
        check(*told)
        with psycopg.connect(plain(url), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    draft = made("measure_taken")
    with monkeypatch.context() as patch:
        patch.setattr(registers.rules, "check", cut)
        with pytest.raises(Unreachable) as told:
            register.append(draft)
    assert told.value.entered is False
    assert register.rows() == []
    assert register.append(draft).seq == 1


def test_a_server_that_is_gone_is_told_in_a_sentence() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "base"
        with servers.postgres(place, SECRET) as port:
            secret = Path(folder) / "passe"
            secret.write_text(f"*:*:*:phare:{SECRET}\n", encoding="utf-8")
            secret.chmod(0o600)
            url = f"postgresql+psycopg://phare@127.0.0.1:{port}/postgres?passfile={secret}"
            register = crowd.register_at(url)
            register.append(made("measure_taken"))
            pid = int((place / "data" / "postmaster.pid").read_text("utf-8").splitlines()[0])
            os.kill(pid, signal.SIGKILL)
            servers.wait_for(lambda: not servers.listens(port), "la fin de postgresql")
            for use in (lambda: register.append(made("sizing")), register.entries):
                with pytest.raises(Unreachable) as told:
                    use()
                assert told.value.entered is False
                assert str(told.value) == (
                    "Erreur : le registre ne répond pas (connexion perdue ou refusée) : rien n'a "
                    "été inscrit\n  où      : essai\n  à faire : recommencer la même inscription "
                    "quand il répondra : elle ne sera pas faite deux fois"
                )
            with pytest.raises(Unreachable):
                crowd.register_at(url)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_file_that_went_or_is_damaged_is_told(url: str, register: Register) -> None:
    register.append(made("measure_taken"))
    path = Path(url.removeprefix("sqlite:///"))
    whole = path.read_bytes()
    for left in (path, path.with_suffix(".sqlite-wal"), path.with_suffix(".sqlite-shm")):
        left.unlink(missing_ok=True)
    with pytest.raises(PhareError, match="le registre a disparu"):
        crowd.register_at(url)
    with pytest.raises(Unreachable):
        register.append(made("sizing"))
    path.write_bytes(b"rien de tel" * 1000)
    with pytest.raises(Unreachable, match="fichier abîmé"):
        register.append(made("sizing"))
    with pytest.raises(Unreachable, match="fichier abîmé"):
        crowd.register_at(url)
    path.write_bytes(whole)
    assert crowd.register_at(url).append(made("sizing")).seq == 2
