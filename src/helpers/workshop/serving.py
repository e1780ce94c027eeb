"""What serving pages on this machine needs, looked at first: a port, Jupyter's own folder."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from helpers.core.base.errors import PhareError

HOST = "127.0.0.1"
FIRST, LAST = 1024, 65535  # those below are the system's
NEAR = 100  # ports looked at for one to propose


def port(text: str) -> int:
    """Return the port that `text` gives, free on loopback; PhareError says what is wrong."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= LAST):
        raise PhareError(
            "ce n'est pas un port",
            "PORT",
            f"donner un nombre de {FIRST} à {LAST} : PORT=8866",
        )
    number = int(text)
    refused = _refusal(number)
    if refused is None:
        return number
    free = next((n for n in range(number + 1, number + NEAR) if _refusal(n) is None), 8866)
    why = {
        errno.EADDRINUSE: f"le port {number} est déjà pris",
        errno.EACCES: f"le port {number} est réservé au système",
    }
    raise PhareError(
        why.get(refused, f"le port {number} ne peut pas être ouvert"),
        HOST,
        f"en choisir un autre : PORT={max(free, FIRST)}",
    )


def _refusal(number: int) -> int | None:
    """Return the number of the system's error at that port; None where it can be opened."""
    with socket.socket() as probe:
        # The server sets it too: a port that another one has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OverflowError:
            return errno.EINVAL
        except OSError as error:
            return error.errno
    return None


def check_folder() -> None:
    """Raise PhareError where Jupyter may not write what it keeps of the kernels that it starts."""
    from jupyter_core.paths import jupyter_runtime_dir

    folder = Path(jupyter_runtime_dir())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it would make it too
        open_to_us = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        open_to_us = False
    if not open_to_us:
        raise PhareError(
            "Jupyter ne peut pas écrire dans son dossier",
            str(folder),
            "en donner un autre : JUPYTER_RUNTIME_DIR=/tmp/jupyter",
        )
