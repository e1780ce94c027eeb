"""What the machine refuses (a full disk, a closed folder, too few open files), said in French.

Libraries tell these failures in many ways; the system's own words for them, in the error's text,
are what they share. Nothing else of the text is told: it may quote a value, or name a file. Texts
are looked at where they come from the system or a library that passes its words on, nowhere else.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.core.base.errors import PhareError

PASSING_ON = ("duckdb", "_duckdb", "pyarrow", "sqlite3", "zmq")
# Names of the errors that pass the system's words on, as a notebook that stopped holds them.
KINDS = ("OSError", "PermissionError", "IOException", "ZMQError")
Telling = Callable[[str], PhareError]


def disk_full(where: str) -> PhareError:
    """Return the error of a disk that takes no more."""
    return PhareError(
        "le disque est plein, ou le quota atteint : rien de plus ne peut y être écrit",
        where,
        f"y faire de la place (le temporaire est {_temporary()}), puis relancer la commande",
    )


def disk_refuses(where: str) -> PhareError:
    """Return the error of a disk that does not take what is written, and does not say why."""
    return PhareError(
        "le disque refuse ce qui y est écrit : plein, quota atteint, ou abîmé",
        where,
        "y faire de la place (`df -h`, `quota`), puis relancer la commande",
    )


def not_allowed(where: str) -> PhareError:
    """Return the error of a file or folder that may not be read or written."""
    return PhareError(
        "droits insuffisants pour lire ou écrire ici",
        where,
        "donner les droits à ce compte (ls -ld, chmod), ou travailler dans un clone à lui",
    )


def too_few_files(where: str) -> PhareError:
    """Return the error of a process that may open no more files."""
    return PhareError(
        "trop peu de fichiers peuvent être ouverts à la fois",
        where,
        "relever la limite : `ulimit -n 1024`, puis relancer la commande",
    )


def no_memory(where: str) -> PhareError:
    """Return the error of a machine without memory left."""
    return PhareError(
        "la mémoire de la machine ne suffit pas", where, "fermer d'autres programmes, puis relancer"
    )


def no_temporary(where: str) -> PhareError:
    """Return the error of a machine where no temporary folder can be written."""
    return PhareError(
        "aucun dossier temporaire où écrire", where, "faire de la place, ou en donner un : TMPDIR=…"
    )


def not_a_path(what: str) -> Telling:
    """Return what tells of a path that names no such file, `what` being why."""
    return lambda where: PhareError(what, where, "donner un autre nom, ou un autre chemin")


# Of what a person wrote as a path: told where the system says it of a file, never from a text.
OF_PATHS: dict[int, Telling] = {
    errno.ENAMETOOLONG: not_a_path("ce nom est trop long pour un fichier"),
    errno.EISDIR: not_a_path("c'est un dossier, là où il faut un fichier"),
    errno.EEXIST: not_a_path("un fichier de ce nom est déjà là"),
    errno.ENOTDIR: not_a_path("un fichier est là où il faut un dossier"),
    errno.ELOOP: not_a_path("ce lien tourne en rond"),
}
LOOP = "Symlink loop"  # of `pathlib`, whose error is no OSError

BY_NUMBER: dict[int, Telling] = {
    errno.ENOSPC: disk_full, errno.EDQUOT: disk_full, errno.EFBIG: disk_full,
    errno.EACCES: not_allowed, errno.EPERM: not_allowed, errno.EROFS: not_allowed,
    errno.EMFILE: too_few_files, errno.ENFILE: too_few_files, errno.ENOMEM: no_memory,
}  # fmt: skip
BY_TEXT: dict[str, Telling] = {
    "No usable temporary directory": no_temporary,
    "database or disk is full": disk_full,  # SQLite's words: DVC keeps its notes with it
    "disk I/O error": disk_refuses,
    **{os.strerror(number): telling for number, telling in BY_NUMBER.items()},
}


def of_text(text: str, where: str) -> PhareError | None:
    """Return what a tool's message tells of the machine, in French; None where it is not that."""
    found = (telling for said, telling in BY_TEXT.items() if said in text)
    return next((telling(where) for telling in found), None)


def of_error(error: BaseException, where: str = "cet ordinateur") -> PhareError | None:
    """Return what an error, or one it came from, tells of the machine; None where it is not that.

    The folder is told where the error names a file, never the file: its name may be somebody's.
    """
    for one in _causes(error):
        if isinstance(one, PhareError):
            return None
        if isinstance(one, MemoryError):
            return no_memory(where)
        if isinstance(one, OSError) and one.errno in BY_NUMBER:
            return BY_NUMBER[one.errno](_folder(one) or where)
        if isinstance(one, OSError) and one.errno in OF_PATHS and one.filename:
            return OF_PATHS[one.errno](_folder(one) or where)
        if isinstance(one, RuntimeError) and str(one).startswith(LOOP):
            return OF_PATHS[errno.ELOOP](where)
        if isinstance(one, OSError) or type(one).__module__.split(".")[0] in PASSING_ON:
            told = of_text(str(one), where)
            if told:
                return told
    return None


def _folder(error: OSError) -> str | None:
    if not isinstance(error.filename, (str, os.PathLike)):
        return None
    named = Path(error.filename)
    try:
        return str(named if named.is_dir() else named.parent)
    except OSError:  # too long a name, of which nothing can be asked
        return str(named.parent)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _temporary() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        return "absent"
