"""The snapshot that is about to come in, beside the register where it can be asked from here."""

from __future__ import annotations

from pathlib import Path

from helpers.core.base.errors import PhareError
from helpers.register import snapshot
from helpers.register.register import Unreachable, at_hand, open_register

NOT_COMPARED = "Instantané du registre : non comparé au registre, qui ne répond pas d'ici."


def check(root: Path, pack: Path, path: Path) -> str:
    """Return what is to be told of the snapshot `path`: nothing where it is the whole register.

    PhareError where it is not, byte for byte, the register's first entries, or is no snapshot. One
    that stops before the last entry may have been cut as well as made so: that is told. Who has the
    snapshot alone, without the register, runs all the same: told too.
    """
    rows = snapshot.read(path)
    if not at_hand(root, pack):
        return NOT_COMPARED
    try:
        entries = open_register(root, pack).sound()
    except Unreachable:
        return NOT_COMPARED
    found = snapshot.differs(rows, entries)
    if found:
        raise PhareError(snapshot.few(found), path.name, snapshot.TODO)
    if len(rows) == len(entries):
        return ""
    return (
        f"Instantané du registre : jusqu'à l'inscription {len(rows)} ; le registre va jusqu'à "
        f"{len(entries)}."
    )
