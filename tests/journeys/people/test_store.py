"""The store of data sets: a folder by default, SSH against a real server; same bytes after."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.place import Place, bytes_of

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
needs_sshd = pytest.mark.skipif(
    not Path(SSHD).exists(),
    reason="NO SSH SERVER: sshd is absent, the SSH store is not tested (package openssh-server)",
)


@dataclass(frozen=True)
class Server:
    """A running SSH server and the key that opens it."""

    port: int
    key: Path


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Server]:
    """A real sshd on loopback, that takes one key made for the test."""
    key = tmp_path / "key"
    for name in ("host", "key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    allowed = tmp_path / "authorized_keys"
    shutil.copyfile(tmp_path / "key.pub", allowed)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = tmp_path / "sshd_config"
    settings.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path / 'host'}\n"
        f"AuthorizedKeysFile {allowed}\nPidFile {tmp_path / 'pid'}\nStrictModes no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(settings)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield Server(port, key)
    finally:
        server.terminate()
        server.wait(timeout=10)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def push_lose_pull(place: Place, remote: str) -> None:
    """Push the city's data, lose workspace and cache, pull; the bytes must be the same."""
    before = bytes_of(place.data)
    pushed = place.python("dvc", "push", "--remote", remote)
    assert pushed.returncode == 0, pushed.stderr
    shutil.rmtree(place.root / ".dvc" / "cache")
    for folder in ("raw", "derived", "figures"):
        shutil.rmtree(place.data / folder)
    pulled = place.python("dvc", "pull", "--remote", remote, "--force")
    assert pulled.returncode == 0, pulled.stderr
    assert bytes_of(place.data) == before
    assert "up to date" in place.python("dvc", "status").stdout


def test_folder_store(built: Place) -> None:
    push_lose_pull(built, "magasin")
    assert any((built.root.parent / "phare-magasin").rglob("*"))


@needs_sshd
def test_ssh_store(built: Place, sshd: Server, tmp_path: Path) -> None:
    url = f"ssh://{getpass.getuser()}@127.0.0.1:{sshd.port}{tmp_path / 'store'}"
    for arguments in (
        ("remote", "add", "--local", "ssh", url),
        ("remote", "modify", "--local", "ssh", "keyfile", str(sshd.key)),
    ):
        done = built.python("dvc", *arguments)
        assert done.returncode == 0, done.stderr
    push_lose_pull(built, "ssh")
    stored = [p for p in (tmp_path / "store").rglob("*") if p.is_file()]
    assert len(stored) > 20
