"""The key of a city: what an identifier becomes, so that nobody reads it and its links stay.

At the door an identifier, and whatever is off the contract, becomes a keyed hash (BLAKE2b, RFC
7693, 80 bits): two that were the same stay the same, and nobody without the key can try words
against it. The key lies in `data/.keys/`, which neither git nor DVC holds; two workspaces that
have the same key make the same bytes. Where nothing is to hide (a simulated city, identifiers that
their publisher publishes), the pack says `key: publique`, and the key follows from its name.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from helpers.core.base.errors import PhareError

KEYS = "PHARE_KEYS"
EXPECTED = "PHARE_KEY_EXPECTED"  # fingerprint of the key of the raw data at hand, if it is not
FOLDER = Path("data/.keys")
BYTES, HASH_BYTES, SHOWN_BYTES = 32, 10, 6
PUBLIC = "publique"


@dataclass(frozen=True)
class Key:
    """A secret of BYTES bytes; `repr` does not show it."""

    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """What may be told of the key: two keys that differ have not the same."""
        return hashlib.blake2b(
            self.secret, digest_size=SHOWN_BYTES, person=b"empreinte"
        ).hexdigest()

    def hashes(self, texts: pa.Array) -> pa.Array:
        """Return the keyed hash of each text (n,), 20 hexadecimal digits; null where it is null."""
        copy = hashlib.blake2b(key=self.secret, digest_size=HASH_BYTES).copy

        def digest(text: bytes) -> bytes:
            found = copy()
            found.update(text)
            return found.digest()

        digests = [*map(digest, texts.drop_null().cast(pa.binary()).to_pylist())]
        # Written all at once: a text made for each would take as long as the hashes.
        digits = pa.py_buffer(b"".join(digests).hex().encode())
        ends = pa.array(range(0, (len(digests) + 1) * 2 * HASH_BYTES, 2 * HASH_BYTES), pa.int32())
        hashes = pa.StringArray.from_buffers(len(digests), ends.buffers()[1], digits)
        if not texts.null_count:
            return hashes
        return pc.replace_with_mask(pa.nulls(len(texts), pa.string()), texts.is_valid(), hashes)

    @cached_property
    def _box(self) -> AESSIV:
        """A cipher (AES-SIV, RFC 5297) whose key is made from this one, for nothing else.

        Of the same text it makes the same bytes, as all that is written here must be.
        """
        made = hashlib.blake2b(self.secret, digest_size=2 * BYTES, person=b"coffre")
        return AESSIV(made.digest())

    def sealed(self, text: str) -> str:
        """Return a text, not empty, encrypted."""
        return base64.b64encode(self._box.encrypt(text.encode(), None)).decode()

    def unsealed(self, text: str) -> str | None:
        """Return the text that `sealed` encrypted; None where it was not by this key."""
        try:
            return self._box.decrypt(base64.b64decode(text, validate=True), None).decode()
        except (InvalidTag, ValueError):
            return None

    def hash_of(self, *parts: bytes) -> str:
        """Return the keyed hash of several texts, as bytes, in order."""
        whole = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hashlib.blake2b(whole, key=self.secret, digest_size=HASH_BYTES).hexdigest()

    def hash(self, text: str) -> str:
        """Return the keyed hash of one text."""
        return hashlib.blake2b(text.encode(), key=self.secret, digest_size=HASH_BYTES).hexdigest()


def public(city: str) -> Key:
    """Return the key that anybody can make again, of a city with nothing to hide."""
    return Key(hashlib.blake2b(city.encode(), digest_size=BYTES, person=b"cle publique").digest())


def path_of(root: Path, city: str) -> Path:
    """Return where the city's key lies: in the folder KEYS, else in the workspace."""
    given = os.environ.get(KEYS)
    return (Path(given) if given else root / FOLDER) / f"{city}.key"


def read(root: Path, city: str) -> Key:
    """Return the city's own key, made now if there is none; raise PhareError if unreadable."""
    path = path_of(root, city)
    if not path.exists():
        if EXPECTED in os.environ:
            raise other_key(city, os.environ[EXPECTED], "n'est pas dans cet atelier")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        keep(path, Key(secrets.token_bytes(BYTES)))
    return read_file(
        path,
        f"reprendre la bonne : `make key CITY={city} FROM=fichier` ; si elle est perdue, "
        "l'effacer (une autre sera faite, et les identifiants hachés changeront tous)",
    )


def read_file(path: Path, todo: str) -> Key:
    """Return the key that the file holds; raise PhareError, with what to do, if it holds none."""
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        secret = b""
    if len(secret) != BYTES:
        raise PhareError("clé illisible", str(path), todo)
    return Key(secret)


def keep(path: Path, key: Key) -> None:
    """Write a key that only its owner can read; what is there is never written over."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(key.secret.hex() + "\n", encoding="ascii")


def other_key(city: str, fingerprint: str, told: str) -> PhareError:
    """Return the error of a key that is not the one by which the raw data set was hashed."""
    return PhareError(
        f"la clé des données brutes de « {city} » (empreinte {fingerprint}) {told}",
        f"data/{city}/raw et {FOLDER}/{city}.key",
        f"la reprendre de qui les a faites : `make key CITY={city} FROM=fichier` ; ou effacer "
        f"data/{city}/raw pour tout refaire avec la clé d'ici (les identifiants hachés changeront "
        "tous)",
    )
