"""The deliveries of a pack as DVC knows them: one hash, and no file's name.

DVC keeps the paths of all that it looks at. The folder `livraison` is hidden from it (.dvcignore);
`livraison.sha256`, beside it in the pack, changes when a delivery does, and the stage follows.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from helpers.core.base import store
from helpers.core.base.workspace import INBOX

NOTE = f"{INBOX}.sha256"


def note(pack: Path) -> None:
    """Write the hash of the pack's deliveries (their names and contents); nothing without any."""
    folder, path = pack / INBOX, pack / NOTE
    if not folder.is_dir():
        path.unlink(missing_ok=True)
        return
    whole = hashlib.sha256()
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        whole.update(f"{file.relative_to(folder).as_posix()}\0{store.sha256(file)}\n".encode())
    text = whole.hexdigest() + "\n"
    if not path.is_file() or path.read_text(encoding="ascii") != text:
        path.write_text(text, encoding="ascii")
